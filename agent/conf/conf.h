/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The configuration: text to struct and back. Knows no sockets and no bus;
 * reads every mistake before it gives up, with file, line and what would be
 * right.
 */

#include <stdarg.h>
#include <stdio.h>

#include "agent/base.h"
#include "agent/core/core.h"

/* KeyFile= unless the configuration says another; the service unit loads this one, too. */
#define CONF_KEY_FILE "/etc/takeover/key"

/* The configuration, unless takeoverd is told another; that of the generator in any case. */
#define CONF_FILE "/etc/takeover/takeover.conf"

enum {
	CONF_NAME_MAX = 32,   /* bytes of a node's or group's name */
	CONF_PATHS_MAX = 4,   /* unique addresses of a node */
	CONF_VIPS_MAX = 8192, /* virtual addresses of all groups together */
	CONF_STEPS_MAX = 8,   /* of one kind, of one group */
	CONF_CHECKS_MAX = 32, /* of one group */
	CONF_CHECKS_ALL_MAX =
		256,		  /* of all groups together: each may hold a descriptor, of 1,024 */
	CONF_CHECK_NAME_MAX = 64, /* bytes of tcp:[ADDRESS]:PORT, and the end */
	CONF_REACTIONS_MAX = 64,
	CONF_CALL_MAX = 186,   /* bytes of the names in that of a reaction's unit */
	CONF_WORDS_MAX = 64,   /* values of one key that takes several: events, arguments, ... */
	CONF_STAGE_MANY = 100, /* above it Stage=auto means yes: to add these takes some 10 ms */
	CONF_IFNAME_SIZE = 16,
	CONF_KEY_SIZE = 32,
	CONF_FILE_MAX = 1 << 20, /* bytes: CONF_VIPS_MAX lines of IPv6 fit */
};

/* How the addresses of a group are held. */
enum conf_mode {
	CONF_MODE_ALIAS,	/* on an interface of the host */
	CONF_MODE_SUBINTERFACE, /* on an interface of their own */
	CONF_MODE_NONE,		/* there are none: somebody asks for the role */
	_CONF_MODE_MAX,
};

struct conf_node {
	char name[CONF_NAME_MAX + 1];
	uint64_t id; /* hash of the name: names the node on the wire */
	struct ip paths[CONF_PATHS_MAX];
	size_t n_paths;
	uint16_t priority;
};

struct conf_vip {
	struct ip ip;
	uint8_t prefix; /* length in bits */
	char ifname[CONF_IFNAME_SIZE];
	char label[CONF_IFNAME_SIZE]; /* "eth0:1", begins with the interface; "": none */
};

/* Where the MAC of a sub-interface comes from. */
enum conf_mac {
	CONF_MAC_OWN,	 /* derived from node, group and name: each node has its own */
	CONF_MAC_SHARED, /* derived from group and name: it moves with the addresses */
	CONF_MAC_GIVEN,	 /* written, and so shared as well */
	_CONF_MAC_MAX,
};

/* Whether a backup has the addresses of sub-interfaces, silent, before it needs them. */
enum conf_stage {
	CONF_STAGE_AUTO, /* if they are many */
	CONF_STAGE_YES,
	CONF_STAGE_NO,
	_CONF_STAGE_MAX,
};

/* A macvlan that takeoverd makes for a group. */
struct conf_sub {
	char name[CONF_IFNAME_SIZE];
	char parent[CONF_IFNAME_SIZE];
	enum conf_mac mac;
	uint8_t given[6]; /* CONF_MAC_GIVEN */
};

/* One step of a move: a unit of systemd that is started or stopped. */
struct conf_step {
	bool stop;
	char *unit; /* owned */
};

/* In the order in which they are taken. */
struct conf_steps {
	struct conf_step *v; /* owned */
	size_t n;
};

/* What the service is asked for: a connection of TCP. */
struct conf_check {
	struct ip ip;
	bool self; /* this node's first address, in the place of ip */
	uint16_t port;
};

struct conf_group {
	char name[CONF_NAME_MAX + 1];
	uint64_t id;
	enum conf_mode mode;
	struct conf_vip *vips; /* owned, sorted by ip_compare(); NULL with CONF_MODE_NONE */
	size_t n_vips;
	char (*ifnames)[CONF_IFNAME_SIZE]; /* owned: the interfaces of vips, each of them once */
	size_t n_ifnames;
	struct conf_sub *subs; /* owned; NULL unless CONF_MODE_SUBINTERFACE */
	size_t n_subs;
	enum conf_stage stage;
	bool staged; /* what it comes to: all are on sub-interfaces, and it is so wanted */
	char *unit;  /* owned: Unit=, the service that is watched; NULL: none */
	uint32_t unit_grace_us;
	struct conf_check *checks; /* owned */
	size_t n_checks;
	uint32_t check_interval_us, check_timeout_us;
	uint16_t check_rise, check_fall; /* so many results in a row turn a check */
	bool check_unfit;		 /* one that fails makes the node unfit */
	struct conf_steps before_release, before_claim;
	struct core_group_config core;
};

/* Texts, in the order in which they were given. */
struct conf_words {
	char **v; /* owned, as what it points to is */
	size_t n;
};

/* In which role of its own a node reacts. */
enum conf_role {
	CONF_ROLE_ANY,
	CONF_ROLE_PRIMARY,
	CONF_ROLE_BACKUP,
	_CONF_ROLE_MAX,
};

/* What is started when something happens. */
struct conf_reaction {
	char name[CONF_NAME_MAX + 1];
	struct conf_words events;     /* their ids */
	struct conf_words groups;     /* none: every group, and what concerns none */
	char from[CONF_NAME_MAX + 1]; /* whose events: a node, "self" or "peer" */
	char node[CONF_NAME_MAX + 1]; /* where it runs; "": on each */
	enum conf_role role;
	char *unit;	       /* owned: Unit=; NULL: there is a command */
	char *command;	       /* owned: Run=, as it was written; NULL: there is a unit */
	struct conf_words run; /* its words */
	char *directory;       /* owned; NULL: / */
	char *user;	       /* owned; NULL: root */
	struct conf_words environment;
	uint32_t timeout_us, cancel_us;
};

/*
 * Nodes and groups are sorted by name, so that both hosts number them alike; reactions stand in
 * the order of the files, which is that in which they are started.
 */
struct conf {
	struct conf_node nodes[CORE_NODES_MAX];
	size_t n_nodes;
	struct conf_group groups[CORE_GROUPS_MAX];
	size_t n_groups;
	struct conf_reaction reactions[CONF_REACTIONS_MAX];
	size_t n_reactions;
	uint64_t digest; /* of all that both hosts have to agree on (R12) */

	bool authenticate;
	char *key_file; /* owned */
	uint16_t port;
	uint32_t mark; /* SO_MARK of heartbeats that renew the lease; mark + 1 is used too */
	uint32_t interval_us, lease_us, dead_us;
	uint32_t start_wait_us, restart_hold_us, step_us, probe_us;
	uint32_t address_lifetime_s;
	uint32_t announce_us[CORE_ANNOUNCE_MAX];
	size_t n_announce;
	uint32_t announce_refresh_s; /* 0: never */
};

/* One mistake or doubt; text is a whole sentence. */
struct conf_problem {
	char *file;    /* owned; NULL: the configuration as a whole */
	unsigned line; /* from 1; 0: none */
	bool warning;
	char *text; /* owned */
};

struct conf_problems {
	struct conf_problem *v; /* owned */
	size_t n;
};

int conf_load(const char *file, struct conf **ret, struct conf_problems *problems);
struct conf *conf_free(struct conf *conf);
DEFINE_CLEANUP(struct conf *, conf_free)

int conf_find_node(const struct conf *conf, const char *name, uint8_t *ret_node);
int conf_read_key(const struct conf *conf, uint8_t ret_key[static CONF_KEY_SIZE],
		  struct conf_problems *problems);
void conf_core(const struct conf *conf, uint8_t self, struct core_config *ret);
int conf_print(const struct conf *conf, FILE *to);

int conf_parse_ip(const char *text, struct ip *ret);
const char *conf_format_ip(const struct ip *ip, char *buf, size_t size);
const char *conf_vip_place(const struct conf_vip *vip);
bool conf_name_valid(const char *name);
const char *conf_check_name(const struct conf_check *check, char buf[static CONF_CHECK_NAME_MAX]);
const char *conf_mode_name(enum conf_mode mode);
const char *conf_role_name(enum conf_role role);
bool conf_event_valid(const char *id);
bool conf_event_of_role(const char *id);
bool conf_event_of_reaction(const char *id);
const char *const *conf_reaction_variables(size_t *ret_n);
const struct conf_vip *conf_find_vip(const struct conf_group *group, const struct ip *ip);
bool conf_uses(const struct conf_group *group, const char *ifname);
const struct conf_sub *conf_find_sub(const struct conf_group *group, const char *ifname);
void conf_sub_mac(const struct conf_node *node, const struct conf_group *group,
		  const struct conf_sub *sub, uint8_t ret[static 6]);

int conf_problems_addv(struct conf_problems *problems, const struct conf_problem *where,
		       const char *format, va_list args) __attribute__((format(printf, 3, 0)));
int conf_problems_add(struct conf_problems *problems, const struct conf_problem *where,
		      const char *format, ...) __attribute__((format(printf, 3, 4)));
bool conf_problems_fatal(const struct conf_problems *problems);
void conf_problems_done(struct conf_problems *problems);

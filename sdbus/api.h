/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * sdbus/: both ends of the bus. The API of the daemon as D-Bus objects over
 * plain values that it asks for; silent, decides nothing, knows nothing of the
 * agent's insides, never waits for the bus.
 */

#include <systemd/sd-bus.h>

#include "agent/base.h"

#define API_VERSION "0.1.0" /* of takeoverd and takeoverctl */
#define API_NAME "org.takeover1"
#define API_PATH "/org/takeover1"
#define API_MANAGER "org.takeover1.Manager"
#define API_GROUP "org.takeover1.Group"
#define API_PEER "org.takeover1.Peer"
#define API_ERROR "org.takeover1.Error."
#define API_NODES "a(ssas)"	/* signature of a group's Nodes */
#define API_INHIBITORS "a(ssu)" /* of its Inhibitors */
#define API_CHECKS "a(ssstu)"	/* of its Checks */
#define API_NO_GROUP SIZE_MAX	/* an event of the node as a whole */
#define API_PATHS "a(sstttttt)" /* and of a peer's Paths */

/* A caller who waits for an answer is known by this number; never 0. */
typedef uint32_t api_request;

struct api_manager {
	const char *version, *node;
	uint64_t now_us; /* CLOCK_BOOTTIME */
	uint64_t interval_us, lease_us, dead_us;
	uint64_t lease_remaining_us; /* 0: no lease */
	uint64_t refused, strangers; /* packets */
};

/* What one node is to a group, as far as is known here. */
struct api_node {
	const char *name;
	const char
		*state; /* that of a group; or silent, deaf, no-agent, unknown, absent: see peers */
	char **unfit;	/* reasons, NULL-terminated; none of a node that is not heard */
};

struct api_nodes {
	const struct api_node *v;
	size_t n;
};

/* Who keeps a node out of a group for as long as it is there. */
struct api_inhibitor {
	const char *who, *why;
	uint32_t uid;
};

struct api_inhibitors {
	const struct api_inhibitor *v;
	size_t n;
};

/* How a switchover is wanted; all zero: as the configuration has it. */
struct api_switchover {
	const char *to;	    /* node; NULL: any */
	bool strict;	    /* this one, whatever Handover= says */
	bool force;	    /* also to a node that is unfit, if it can hold the group at all */
	uint64_t within_us; /* undone if it has not been done by then; 0: no such wish */
};

/* A check of the service of this node. */
struct api_check {
	const char *name;
	const char *state;  /* unknown, well, failed */
	const char *result; /* the last one, in words; "": none yet */
	uint64_t ended_us;  /* CLOCK_BOOTTIME: when that came; 0: none yet */
	uint32_t streak;    /* so many in a row are like it */
};

struct api_checks {
	const struct api_check *v;
	size_t n;
};

/* All strings borrowed until the next call into the agent. */
struct api_group {
	const char *name;
	const char *role;    /* primary, backup */
	const char *state;   /* backup, claiming, primary, yielding, fault, maintenance */
	const char *primary; /* node; "" : nobody */
	const char *reason;
	const char *mode, *redundancy, *handover;
	uint64_t term;
	uint64_t role_since_us;	     /* CLOCK_BOOTTIME */
	uint64_t last_switchover_us; /* how long the last one took; 0: none yet */
	bool fit, maintenance;
	bool staged;		  /* a backup has the addresses, silent */
	char **unfit;		  /* NULL-terminated; owned by the agent */
	char **virtual_addresses; /* the same; "10.10.11.103/24 eth0" */
	char **sub_interfaces;	  /* the same; "vip0 eth0 02:00:5e:00:01:0a": parent and MAC here */
	struct api_nodes nodes;	  /* this one included, by name */
	struct api_inhibitors inhibitors; /* of this node */
	struct api_checks checks;	  /* the same */
	bool draining;			  /* new TCP connections are refused here */
	uint64_t connections;		  /* that it waits for */
	uint64_t drain_until_us;	  /* CLOCK_BOOTTIME; 0: for as long as it takes */
};

struct api_path {
	const char *local, *remote;
	uint64_t sent, received, lost; /* heartbeats; lost: of the peer's, on the way here */
	uint64_t rtt_us, rtt_min_us;   /* 0: not measured yet */
	uint64_t heard_us;	       /* CLOCK_BOOTTIME; 0: never */
};

struct api_peer {
	const char *name;
	const char *state; /* up, silent, deaf, no-agent, unknown */
	bool same_configuration;
	const struct api_path *paths;
	size_t n_paths;
};

/* What an event is about, "Group" "sip". */
struct api_field {
	const char *name, *value;
};

/* What people want to hear of. */
struct api_event {
	const char *id;	      /* such as 00-04563 */
	const char *level;    /* such as Standard */
	const char *text;     /* one sentence */
	const char *category; /* such as role */
	uint64_t number;      /* in the order in which they have happened, from 1 on */
	uint64_t time_us;     /* CLOCK_REALTIME */
	const struct api_field *fields;
	size_t n_fields;
};

/* What has become of a reaction that was fired by hand. */
struct api_reaction {
	const char *name;
	const char *result; /* done, failed, timed-out, lost */
	const char *text;   /* why; "" if there is nothing to say */
};

/*
 * What the agent must be able to tell and do. Groups and peers are numbered
 * from 0; how many there are and what they are called stays the same for the
 * life of the API: another configuration takes a new one.
 */
struct api_ops {
	void (*get_manager)(void *ctx, struct api_manager *ret);
	size_t n_groups, n_peers;
	void (*get_group)(void *ctx, size_t group, struct api_group *ret);
	void (*get_peer)(void *ctx, size_t peer, struct api_peer *ret);

	/* "" if it would work, else why not, as one sentence for people */
	const char *(*can_switchover)(void *ctx, size_t group);
	/* why it is what it is, sentences for people, NULL-terminated; NULL: no memory */
	char **(*explain)(void *ctx, size_t group);
	/* These are answered, at once or later, through api_reply_*(). */
	void (*switchover)(void *ctx, size_t group, const struct api_switchover *how,
			   api_request request);
	/* with api_reply_drained(), if it has been done */
	void (*drain)(void *ctx, size_t group, uint64_t timeout_us, api_request request);
	/* who wanted that has gone, and needs no answer */
	void (*abandon)(void *ctx, api_request request);
	void (*set_maintenance)(void *ctx, size_t group, bool on, api_request request);
	/* if it has been done, through api_reply_fd(): it ends when the descriptor is closed */
	void (*inhibit)(void *ctx, size_t group, const struct api_inhibitor *by,
			api_request request);
	void (*announce)(void *ctx, size_t group); /* asked of a primary only */
	/* Fires the event by hand; answered by api_reply_tested() or with an error */
	void (*test)(void *ctx, size_t group, const char *event, api_request request);

	/* Reads the configuration again; answered by api_reply_reload() or with an error */
	void (*reload)(void *ctx, api_request request);
	/* The first event that is not older than a time, behind one of this number; false: none */
	bool (*next_event)(void *ctx, uint64_t since_us, uint64_t after, struct api_event *ret);
	/* A descriptor, to be closed, where the last that happened can be read as text; -EBUSY */
	int (*get_trace)(void *ctx);

	/*
	 * The bus has answered the request for our name; may be NULL. 0: it is
	 * ours; -EEXIST: another agent has it; else the bus's own reason, such as
	 * -EACCES from its policy or -ETIMEDOUT. Comes again when another agent
	 * has given the name up. Must not call api_free().
	 */
	void (*named)(void *ctx, int err);
};

struct api;

int api_new(sd_bus *bus, const struct api_ops *ops, void *ctx, struct api **ret);
struct api *api_free(struct api *api);
DEFINE_CLEANUP(struct api *, api_free)

int api_reply_ok(struct api *api, api_request request, const char *primary, uint64_t took_us);
int api_reply_drained(struct api *api, api_request request, const char *primary, uint64_t took_us,
		      uint64_t connections);
int api_reply_fd(struct api *api, api_request request, int fd);
int api_reply_reload(struct api *api, api_request request, bool changes);
int api_reply_tested(struct api *api, api_request request, const struct api_reaction *reactions,
		     size_t n);
int api_reply_error(struct api *api, api_request request, const char *error, const char *text);
const char *api_error_text(const char *error);

/* Signals. Properties are compared with what was last sent: only changes go out. */
int api_group_changed(struct api *api, size_t group);
int api_peer_changed(struct api *api, size_t peer);
int api_role_changing(struct api *api, size_t group, const char *role, const char *reason);
int api_role_changed(struct api *api, size_t group, const char *role, const char *reason);
int api_event(struct api *api, size_t group, const struct api_event *event);

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A reaction on its way from the agent to its command, which may be root's. The agent is not:
 * all that it can say is the instance of a unit that root's configuration has made, and whoever
 * reads that believes none of it. Knows no sockets and no bus.
 */

#include "agent/conf/conf.h"

/* Where systemd has what its generators write. */
#define REACTION_UNITS "/run/systemd/generator"

/* "takeover-reaction-NAME": to these come @INSTANCE and .service */
#define REACTION_PREFIX "takeover-reaction-"

/* A hung command is killed so long after it was told to end, at the latest. */
#define REACTION_STOP_US (2 * USEC_PER_SEC)

enum {
	REACTION_EVENT_SIZE = 9,     /* "00-04563" */
	REACTION_INSTANCE_MAX = 144, /* three names and what is with them */
};

/* What a node is in a group; but for the last, what keepalived calls so. */
enum reaction_state {
	REACTION_PRIMARY,
	REACTION_BACKUP,
	REACTION_FAULT, /* backup, and cannot be anything else */
	REACTION_NONE,	/* it concerns no group */
	_REACTION_STATE_MAX,
};

/* What has happened, to whom and where. */
struct reaction_call {
	char event[REACTION_EVENT_SIZE];
	char group[CONF_NAME_MAX + 1]; /* "": it concerns no group */
	char from[CONF_NAME_MAX + 1];  /* the node whose event it is */
	char node[CONF_NAME_MAX + 1];  /* this one */
	enum reaction_state state;     /* of this one, then */
	uint64_t at_us;		       /* CLOCK_BOOTTIME: no two are the same */
};

/* instance.c */
void reaction_format(const struct reaction_call *call, char ret[static REACTION_INSTANCE_MAX]);
int reaction_parse(const char *instance, struct reaction_call *ret);

/* unit.c */
int reaction_print_unit(const struct conf_reaction *reaction, FILE *to);
void reaction_file(const struct conf_reaction *reaction, char ret[static CONF_NAME_MAX + 64]);
bool reaction_is_known(const struct conf_reaction *reaction, const char *directory);

/* generate.c */
int reaction_generate(const char *file, const char *directory, FILE *err);

/* run.c */
int reaction_run(const char *file, const char *name, const char *instance, char **command,
		 FILE *err);

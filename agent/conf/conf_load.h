/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A configuration while it is being read: remembers where everything was
 * said, so that the checks can point at it. Only conf*.c include this.
 */

#include "agent/conf/conf_keys.h"

/* File 0: said nowhere; otherwise files[file - 1] of the load. */
struct conf_origin {
	uint32_t file;
	unsigned line;
};

/* One node, group or reaction, or the agent, put together from all its sections. */
struct conf_object {
	enum conf_section section;
	void *target;				/* in the struct conf; borrowed */
	struct conf_origin at;			/* of its first section */
	struct conf_origin opened;		/* of its last one */
	struct conf_origin keys[CONF_KEYS_MAX]; /* where each was said last */
	bool bad[CONF_KEYS_MAX];		/* said, and refused */
	struct conf_origin *items;		/* of each address; owned */
	struct conf_origin *subs;		/* of each SubInterface=; owned */
};

struct conf_load {
	struct conf *conf; /* owned */
	struct conf_problems *problems;
	char **files; /* owned, in the order in which they are read */
	size_t n_files;
	size_t n_read; /* fewer: not all that is configured is known */
	struct conf_object agent;
	struct conf_object nodes[CORE_NODES_MAX];
	struct conf_object groups[CORE_GROUPS_MAX];
	struct conf_object reactions[CONF_REACTIONS_MAX];

	/* Takes what stands in a section that was refused: that is looked at all the same. */
	struct conf_object spare;
	struct conf *spare_conf;	      /* owned */
	bool refused_kind[_CONF_SECTION_MAX]; /* one of these has been refused */

	/* Where the reader stands. */
	const char *next, *end;
	unsigned line;
	struct conf_object *object; /* NULL: no section, or one of no known kind */
	bool unknown;		    /* the latter: its keys are passed over */
	int err;		    /* 0, or why reading stopped */
};

int conf_load_complain(struct conf_load *load, struct conf_origin at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void conf_object_done(struct conf_object *object);
int conf_object_defaults(struct conf_object *object);
struct conf_object *conf_load_object(struct conf_load *load, enum conf_section section,
				     const char *name);
struct conf_object *conf_load_spare(struct conf_load *load, enum conf_section section);
struct conf_origin conf_load_key_origin(const struct conf_object *object, const char *key);
bool conf_load_key_bad(const struct conf_object *object, const char *key);
void conf_load_distrust(struct conf_object *object, const char *key, size_t len);
size_t conf_load_n_items(const struct conf_object *object);
size_t conf_load_n_subs(const struct conf_object *object);

int conf_text_read(struct conf_load *load, const char *text, size_t len);
int conf_check(struct conf_load *load);
int conf_check_subs(struct conf_load *load);
int conf_check_reactions(struct conf_load *load);

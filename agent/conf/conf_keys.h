/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The table of keys: what the configuration file may say, what each key takes
 * and what it is when nothing is said. Only conf*.c and tests include this.
 */

#include "agent/conf/conf.h"

enum conf_section {
	CONF_SECTION_AGENT,
	CONF_SECTION_NODE,
	CONF_SECTION_GROUP,
	CONF_SECTION_REACTION,
	_CONF_SECTION_MAX,
};

enum {
	CONF_KEYS_MAX = 64, /* keys of all sections */
};

/* Where a text came from, for complaints about it. */
struct conf_place {
	struct conf_problems *problems; /* borrowed */
	struct conf_problem where;	/* file borrowed */
};

struct conf_key;

/*
 * A kind of value. parse() stores what it understands into @object and
 * complains at @place about the rest: 0 either way, negative errno only if
 * memory runs out. print() writes text that parse() reads back.
 */
struct conf_kind {
	const char *takes; /* "a time"; NULL: a number, or the words of the key */
	bool list;	   /* repeated: each line appends, an empty one clears */
	int (*parse)(const struct conf_key *key, const char *text, void *object,
		     const struct conf_place *place);
	void (*print)(const struct conf_key *key, const void *object, FILE *to);
};

struct conf_key {
	enum conf_section section;
	const char *name;
	const char *fallback; /* the default, as text; NULL: none */
	const struct conf_kind *kind;
	size_t offset;	      /* of the value in its conf, conf_node, ... */
	uint64_t min, max;    /* µs for times */
	const char *words[2]; /* for false and true */
	bool local;	      /* hosts may differ in it: no part of the digest */
};

const struct conf_key *conf_keys(size_t *ret_n);
const char *conf_section_name(enum conf_section section);

const char *conf_nearest(const char *word, const char *const *words, size_t n);

int conf_parse_time(const char *text, uint64_t *ret_us);
void conf_print_time(uint64_t us, FILE *to);
void conf_steps_done(struct conf_steps *steps);
void conf_words_done(struct conf_words *words);
void conf_reaction_done(struct conf_reaction *reaction);
bool conf_ifname_valid(const char *name);

extern const struct conf_kind conf_kind_time, conf_kind_seconds, conf_kind_times, conf_kind_u16,
	conf_kind_mark, conf_kind_bool, conf_kind_choice, conf_kind_mode, conf_kind_path,
	conf_kind_address, conf_kind_vip, conf_kind_sub, conf_kind_stage, conf_kind_unit,
	conf_kind_checks, conf_kind_steps, conf_kind_own_unit, conf_kind_events, conf_kind_groups,
	conf_kind_from, conf_kind_where, conf_kind_role, conf_kind_command, conf_kind_directory,
	conf_kind_user, conf_kind_environment;

int conf_complain(const struct conf_place *place, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int conf_print_digest(const struct conf *conf, uint64_t *ret);
uint64_t conf_hash(const void *data, size_t len);

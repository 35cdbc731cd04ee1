/* SPDX-License-Identifier: MIT */

/* What no single line can tell of reactions: whether what they name is there, and enough. */

#include "agent/conf/conf_load.h"
#include "agent/event.h"

static bool is_node(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_nodes; i++)
		if (!strcmp(conf->nodes[i].name, name))
			return true;
	return false;
}

static bool is_group(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_groups; i++)
		if (!strcmp(conf->groups[i].name, name))
			return true;
	return false;
}

/* Where a section was refused it may have been the one. */
static int check_node(struct conf_load *load, size_t i, const char *key, const char *name)
{
	if (!*name || is_node(load->conf, name) || load->refused_kind[CONF_SECTION_NODE])
		return 0;
	return conf_load_complain(load, conf_load_key_origin(&load->reactions[i], key),
				  "There is no [Node %s] for this %s=.", name, key);
}

static int check_groups(struct conf_load *load, size_t i)
{
	const struct conf_reaction *reaction = &load->conf->reactions[i];
	int r = 0;

	if (load->refused_kind[CONF_SECTION_GROUP])
		return 0;
	for (size_t g = 0; r == 0 && g < reaction->groups.n; g++)
		if (!is_group(load->conf, reaction->groups.v[g]))
			r = conf_load_complain(
				load, conf_load_key_origin(&load->reactions[i], "Group"),
				"There is no [Group %s] for this Group=.", reaction->groups.v[g]);
	return r;
}

/* Nobody sends events: of the other node its heartbeats tell the role, and nothing else. */
static int check_from(struct conf_load *load, size_t i)
{
	const struct conf_reaction *reaction = &load->conf->reactions[i];
	bool self = !strcmp(reaction->from, "self"), peer = !strcmp(reaction->from, "peer");

	if (!self && !peer)
		return check_node(load, i, "From", reaction->from);
	for (size_t e = 0; peer && e < reaction->events.n; e++)
		if (!conf_event_of_role(reaction->events.v[e]))
			return conf_load_complain(
				load, conf_load_key_origin(&load->reactions[i], "Event"),
				"Of the other node the events 00-04560 to 00-04563 are seen, and "
				"not %s; make From=self of it, on that node.",
				reaction->events.v[e]);
	return 0;
}

/* A reaction to the end of a reaction would set itself off. */
static int check_events(struct conf_load *load, size_t i)
{
	const struct conf_reaction *reaction = &load->conf->reactions[i];
	const struct conf_object *object = &load->reactions[i];

	if (reaction->events.n == 0 && !conf_load_key_bad(object, "Event"))
		return conf_load_complain(load, object->at,
					  "[Reaction %s] has no Event=; give it one such as "
					  "00-04563.",
					  reaction->name);
	for (size_t e = 0; e < reaction->events.n; e++) {
		if (!event_find(reaction->events.v[e], &(enum event_type){ 0 }))
			return conf_load_complain(load, conf_load_key_origin(object, "Event"),
						  "There is no event %s; takeover-events(7) has "
						  "them all.",
						  reaction->events.v[e]);
		if (conf_event_of_reaction(reaction->events.v[e]))
			return conf_load_complain(load, conf_load_key_origin(object, "Event"),
						  "%s tells of reactions: one to it would set "
						  "itself off.",
						  reaction->events.v[e]);
	}
	return 0;
}

/* Keys that say how a command is run; the unit has its own. */
static int check_unit_alone(struct conf_load *load, size_t i)
{
	static const char *const keys[] = { "Run", "WorkingDirectory", "User", "Environment" };
	const struct conf_object *object = &load->reactions[i];
	int r = 0;

	for (size_t k = 0; r == 0 && k < ARRAY_SIZE(keys); k++) {
		struct conf_origin at = conf_load_key_origin(object, keys[k]);

		if (at.file)
			r = conf_load_complain(load, at,
					       "%s= does not go with Unit=, which says itself what "
					       "is run and how; remove one of them.",
					       keys[k]);
	}
	return r;
}

static int check_work(struct conf_load *load, size_t i)
{
	const struct conf_reaction *reaction = &load->conf->reactions[i];
	const struct conf_object *object = &load->reactions[i];

	if (reaction->unit)
		return check_unit_alone(load, i);
	if (reaction->command || conf_load_key_bad(object, "Run") ||
	    conf_load_key_bad(object, "Unit"))
		return 0;
	return conf_load_complain(load, object->at,
				  "[Reaction %s] starts nothing; give it Run= or Unit=.",
				  reaction->name);
}

/* In an instance systemd makes "\\x2d" of each dash. */
static size_t escaped_len(const char *name)
{
	size_t len = 0;

	for (; *name; name++)
		len += *name == '-' ? strlen("\\x2d") : 1;
	return len;
}

static bool concerns(const struct conf_reaction *reaction, const char *group)
{
	bool listed = reaction->groups.n == 0;

	for (size_t g = 0; g < reaction->groups.n; g++)
		listed = listed || !strcmp(reaction->groups.v[g], group);
	return listed;
}

/* What is known when it is too late: systemd takes no name of a unit of more than 255 bytes. */
static int check_length(struct conf_load *load, size_t i)
{
	const struct conf_reaction *reaction = &load->conf->reactions[i];
	const struct conf *conf = load->conf;
	size_t node = 0, len;

	if (!reaction->command)
		return 0;
	for (size_t n = 0; n < conf->n_nodes; n++) {
		len = escaped_len(conf->nodes[n].name);
		node = len > node ? len : node;
	}
	for (size_t g = 0; g < conf->n_groups; g++) {
		const char *group = conf->groups[g].name;

		len = strlen(reaction->name) + escaped_len(group) + 2 * node;
		if (len > CONF_CALL_MAX && concerns(reaction, group))
			return conf_load_complain(
				load, load->reactions[i].at,
				"The names of [Reaction %s], [Group %s] and the nodes are too long "
				"for one of a unit, where a dash counts as four; shorten one.",
				reaction->name, group);
	}
	return 0;
}

/**
 * conf_check_reactions() - Check what reactions name, and that each has something to do
 * @load: load that has read all its files, not sorted yet; complaints go to its problems
 *
 * Return: 0, mistakes or not; -ENOMEM.
 */
int conf_check_reactions(struct conf_load *load)
{
	static int (*const checks[])(struct conf_load *, size_t) = { check_events, check_groups,
								     check_from, check_work,
								     check_length };
	int r = 0;

	for (size_t i = 0; r == 0 && i < load->conf->n_reactions; i++) {
		for (size_t c = 0; r == 0 && c < ARRAY_SIZE(checks); c++)
			r = checks[c](load, i);
		if (r == 0)
			r = check_node(load, i, "Node", load->conf->reactions[i].node);
	}
	return r;
}

/* SPDX-License-Identifier: MIT */

/* The nodes, groups and reactions of a configuration while it is being read. */

#include <errno.h>
#include <stdlib.h>

#include "agent/conf/conf_load.h"

/**
 * conf_object_done() - Forget where the keys of an object were said
 */
void conf_object_done(struct conf_object *object)
{
	free(object->items);
	free(object->subs);
}

/**
 * conf_object_defaults() - Every key of the object as the table has it
 *
 * Return: 0; -ENOMEM.
 */
int conf_object_defaults(struct conf_object *object)
{
	struct conf_problems none = { 0 };
	const struct conf_place place = { .problems = &none };
	const struct conf_key *keys;
	size_t n;
	int r;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++) {
		if (keys[i].section != object->section || !keys[i].fallback)
			continue;
		r = keys[i].kind->parse(&keys[i], keys[i].fallback, object->target, &place);
		if (r < 0)
			return r;
	}
	assert(none.n == 0); /* the table is ours */
	return 0;
}

static struct conf_object *add_node(struct conf_load *load, const char *name)
{
	struct conf *conf = load->conf;
	struct conf_object *object = &load->nodes[conf->n_nodes];
	struct conf_node *node = &conf->nodes[conf->n_nodes];

	if (conf->n_nodes == CORE_NODES_MAX)
		return NULL;
	conf->n_nodes++;
	memcpy(node->name, name, strlen(name));
	node->id = conf_hash(name, strlen(name));
	object->section = CONF_SECTION_NODE;
	object->target = node;
	return object;
}

static struct conf_object *add_group(struct conf_load *load, const char *name)
{
	struct conf *conf = load->conf;
	struct conf_object *object = &load->groups[conf->n_groups];
	struct conf_group *group = &conf->groups[conf->n_groups];

	if (conf->n_groups == CORE_GROUPS_MAX)
		return NULL;
	conf->n_groups++;
	memcpy(group->name, name, strlen(name));
	group->id = conf_hash(name, strlen(name));
	object->section = CONF_SECTION_GROUP;
	object->target = group;
	return object;
}

static struct conf_object *add_reaction(struct conf_load *load, const char *name)
{
	struct conf *conf = load->conf;
	struct conf_object *object = &load->reactions[conf->n_reactions];
	struct conf_reaction *reaction = &conf->reactions[conf->n_reactions];

	if (conf->n_reactions == CONF_REACTIONS_MAX)
		return NULL;
	conf->n_reactions++;
	memcpy(reaction->name, name, strlen(name));
	object->section = CONF_SECTION_REACTION;
	object->target = reaction;
	return object;
}

/* The object of a section that has been there before; NULL: there was none. */
static struct conf_object *find_object(struct conf_load *load, enum conf_section section,
				       const char *name)
{
	const struct conf *conf = load->conf;

	switch (section) {
	case CONF_SECTION_AGENT:
		return &load->agent;
	case CONF_SECTION_NODE:
		for (size_t i = 0; i < conf->n_nodes; i++)
			if (!strcmp(conf->nodes[i].name, name))
				return &load->nodes[i];
		break;
	case CONF_SECTION_GROUP:
		for (size_t i = 0; i < conf->n_groups; i++)
			if (!strcmp(conf->groups[i].name, name))
				return &load->groups[i];
		break;
	case CONF_SECTION_REACTION:
		for (size_t i = 0; i < conf->n_reactions; i++)
			if (!strcmp(conf->reactions[i].name, name))
				return &load->reactions[i];
		break;
	case _CONF_SECTION_MAX:
		break;
	}
	return NULL;
}

/* A new one, as yet without its defaults; NULL: there are too many. */
static struct conf_object *add_object(struct conf_load *load, enum conf_section section,
				      const char *name)
{
	if (section == CONF_SECTION_NODE)
		return add_node(load, name);
	return section == CONF_SECTION_GROUP ? add_group(load, name) : add_reaction(load, name);
}

/**
 * conf_load_object() - The object that a section speaks of, made if it is new.
 * @load: load under way; the section stands in its present line
 * @section: kind of section
 * @name: valid name; ignored for CONF_SECTION_AGENT
 *
 * Return: object, owned by @load; NULL if there are too many of the kind (load->err is 0), or
 * if memory ran out (load->err is -ENOMEM).
 */
struct conf_object *conf_load_object(struct conf_load *load, enum conf_section section,
				     const char *name)
{
	struct conf_object *object = find_object(load, section, name);

	if (object)
		return object;
	object = add_object(load, section, name);
	if (!object)
		return NULL;
	object->at = (struct conf_origin){ (uint32_t)load->n_files, load->line };
	load->err = conf_object_defaults(object);
	return load->err < 0 ? NULL : object;
}

/**
 * conf_load_spare() - An object for the keys of a section that was refused.
 * @load: load under way
 * @section: kind of section that was meant
 *
 * What they say is checked like any other value, and does not count.
 *
 * Return: object, owned by @load, valid until the next call; NULL if memory ran out (load->err
 * is -ENOMEM).
 */
struct conf_object *conf_load_spare(struct conf_load *load, enum conf_section section)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	load->refused_kind[section] = true;
	if (!conf) {
		load->err = -ENOMEM;
		return NULL;
	}
	conf_object_done(&load->spare);
	(void)conf_free(load->spare_conf);
	load->spare_conf = conf;
	load->spare = (struct conf_object){ .section = section, .target = conf };
	if (section == CONF_SECTION_NODE) {
		conf->n_nodes = 1;
		load->spare.target = &conf->nodes[0];
	} else if (section == CONF_SECTION_GROUP) {
		conf->n_groups = 1;
		load->spare.target = &conf->groups[0];
	} else if (section == CONF_SECTION_REACTION) {
		conf->n_reactions = 1;
		load->spare.target = &conf->reactions[0];
	}
	return &load->spare;
}

static size_t key_index(enum conf_section section, const char *name)
{
	const struct conf_key *keys;
	size_t i, n;

	keys = conf_keys(&n);
	for (i = 0; i < n; i++)
		if (keys[i].section == section && !strcmp(keys[i].name, name))
			break;
	assert(i < n);
	return i;
}

/**
 * conf_load_key_origin() - Where a key of an object was said.
 * @object: object
 * @key: name of a key in the table
 *
 * Return: origin; file 0 if the default is in force.
 */
struct conf_origin conf_load_key_origin(const struct conf_object *object, const char *key)
{
	return object->keys[key_index(object->section, key)];
}

/**
 * conf_load_key_bad() - Has something that was said of a key been refused?
 * @object: object
 * @key: name of a key in the table
 *
 * Return: true if its value is not what the file wanted it to be.
 */
bool conf_load_key_bad(const struct conf_object *object, const char *key)
{
	return object->bad[key_index(object->section, key)];
}

/**
 * conf_load_distrust() - Something that was perhaps meant for a key has been refused.
 * @object: object
 * @key: what may be its name; not terminated
 * @len: of @key in bytes
 *
 * So that nobody is told that the key is missing as well.
 */
void conf_load_distrust(struct conf_object *object, const char *key, size_t len)
{
	const struct conf_key *keys;
	size_t n;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (keys[i].section == object->section && strlen(keys[i].name) == len &&
		    !memcmp(keys[i].name, key, len))
			object->bad[i] = true;
}

/**
 * conf_load_n_items() - How many addresses an object has.
 * @object: object
 *
 * Return: number of addresses; 0 for the agent and for reactions.
 */
size_t conf_load_n_items(const struct conf_object *object)
{
	switch (object->section) {
	case CONF_SECTION_AGENT:
	case CONF_SECTION_REACTION:
		return 0;
	case CONF_SECTION_NODE:
		return ((const struct conf_node *)object->target)->n_paths;
	case CONF_SECTION_GROUP:
		return ((const struct conf_group *)object->target)->n_vips;
	case _CONF_SECTION_MAX:
		break;
	}
	assert(false);
	return 0;
}

/**
 * conf_load_n_subs() - How many sub-interfaces an object has.
 * @object: object
 *
 * Return: their number; 0 for all but groups.
 */
size_t conf_load_n_subs(const struct conf_object *object)
{
	if (object->section != CONF_SECTION_GROUP)
		return 0;
	return ((const struct conf_group *)object->target)->n_subs;
}

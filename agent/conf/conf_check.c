/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf_load.h"

#include <arpa/inet.h>
#include <errno.h>

#include "agent/cleanup.h"

enum {
	NODES_NOW = 2, /* what this version works with */

	/* R8: what a timer and the kernel's jiffies may be late by. */
	LEASE_SLACK_US = 5000,
	DEAD_SLACK_US = 10000,
};

static const struct conf_origin nowhere;

/* An address that is spoken of, and by whom. */
struct use {
	struct ip ip;
	struct conf_origin at;
};

/* Fewer than two nodes; where a section was refused that says enough. */
static int check_few_nodes(struct conf_load *load)
{
	const struct conf *conf = load->conf;
	const struct conf_problem where = { .warning = true };

	if (conf->n_nodes >= NODES_NOW || load->refused_kind[CONF_SECTION_NODE])
		return 0;
	if (conf->n_nodes == 0)
		return conf_load_complain(
			load, nowhere,
			"There is no [Node NAME] section: there has to be one for "
			"each host.");
	return conf_problems_add(load->problems, &where,
				 "[Node %s] is the only node: no other will take over from it.",
				 conf->nodes[0].name);
}

static int check_numbers(struct conf_load *load)
{
	const struct conf *conf = load->conf;
	int r = check_few_nodes(load);

	if (r == 0 && conf->n_groups == 0 && !load->refused_kind[CONF_SECTION_GROUP])
		r = conf_load_complain(load, nowhere,
				       "There is no [Group NAME] section: nothing to take over.");
	for (size_t i = NODES_NOW; r == 0 && i < conf->n_nodes; i++)
		r = conf_load_complain(load, load->nodes[i].at,
				       "This version works with two nodes; [Node %s] is one too "
				       "many.",
				       conf->nodes[i].name);
	return r;
}

/* Addresses where there have to be some, and none where nobody would hold them. */
static int check_vips(struct conf_load *load, size_t g)
{
	const struct conf_group *group = &load->conf->groups[g];
	const struct conf_object *object = &load->groups[g];
	bool none = group->mode == CONF_MODE_NONE;

	/* What a mode that is none would have taken is not known. */
	if (conf_load_key_bad(object, "VirtualAddress") || conf_load_key_bad(object, "Mode"))
		return 0;
	if (none && group->n_vips > 0)
		return conf_load_complain(load, object->items[0],
					  "[Group %s] has Mode=none, which holds no addresses; "
					  "remove VirtualAddress=, or Mode=none.",
					  group->name);
	if (!none && group->n_vips == 0)
		return conf_load_complain(load, object->at,
					  "[Group %s] has no VirtualAddress=; give it one such as "
					  "192.0.2.1/24 eth0, or Mode=none.",
					  group->name);
	return 0;
}

static int check_groups(struct conf_load *load)
{
	const struct conf *conf = load->conf;
	size_t vips = 0, checks = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < conf->n_groups; i++) {
		vips += conf->groups[i].n_vips;
		checks += conf->groups[i].n_checks;
		r = check_vips(load, i);
	}
	if (r == 0 && vips > CONF_VIPS_MAX)
		r = conf_load_complain(load, nowhere,
				       "There are %zu virtual addresses; at most %d work.", vips,
				       CONF_VIPS_MAX);
	if (r == 0 && checks > CONF_CHECKS_ALL_MAX)
		r = conf_load_complain(load, nowhere, "There are %zu checks; at most %d work.",
				       checks, CONF_CHECKS_ALL_MAX);
	return r;
}

/* Path N of one node talks to path N of the other. */
static int check_paths(struct conf_load *load, size_t i)
{
	const struct conf_node *first = &load->conf->nodes[0], *node = &load->conf->nodes[i];
	const struct conf_object *object = &load->nodes[i];

	if (conf_load_key_bad(object, "Address"))
		return 0;
	if (node->n_paths == 0)
		return conf_load_complain(load, object->at,
					  "[Node %s] has no Address=; give it those by which the "
					  "other node reaches it.",
					  node->name);
	if (i == 0 || first->n_paths == 0 || conf_load_key_bad(&load->nodes[0], "Address"))
		return 0;
	if (node->n_paths != first->n_paths)
		return conf_load_complain(
			load, object->at,
			"[Node %s] has %zu Address= and [Node %s] has %zu: the "
			"first of one talks to the first of the other, and so on.",
			node->name, node->n_paths, first->name, first->n_paths);
	for (size_t p = 0; p < node->n_paths; p++)
		if (node->paths[p].family != first->paths[p].family)
			return conf_load_complain(load, object->items[p],
						  "Address= number %zu of [Node %s] is IPv%u, of "
						  "[Node %s] IPv%u: they talk to each other.",
						  p + 1, node->name, node->paths[p].family,
						  first->name, first->paths[p].family);
	return 0;
}

static int check_nodes(struct conf_load *load)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < load->conf->n_nodes; i++)
		r = check_paths(load, i);
	return r;
}

static int by_address(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int r = memcmp(&x->ip, &y->ip, sizeof(x->ip));

	if (r != 0)
		return r;
	if (x->at.file != y->at.file)
		return x->at.file < y->at.file ? -1 : 1;
	return x->at.line < y->at.line ? -1 : x->at.line > y->at.line;
}

static size_t collect_addresses(const struct conf_load *load, struct use *uses)
{
	const struct conf *conf = load->conf;
	size_t n = 0;

	for (size_t i = 0; i < conf->n_nodes; i++)
		for (size_t p = 0; p < conf->nodes[i].n_paths; p++)
			uses[n++] =
				(struct use){ conf->nodes[i].paths[p], load->nodes[i].items[p] };
	for (size_t i = 0; i < conf->n_groups; i++)
		for (size_t v = 0; v < conf->groups[i].n_vips; v++)
			uses[n++] = (struct use){ conf->groups[i].vips[v].ip,
						  load->groups[i].items[v] };
	return n;
}

/* No address twice: in two groups, at two nodes, or unique and virtual. */
static int check_duplicates(struct conf_load *load)
{
	const struct conf *conf = load->conf;
	_cleanup_(freep) struct use *uses = NULL;
	size_t n = CORE_NODES_MAX * CONF_PATHS_MAX;
	char text[INET6_ADDRSTRLEN];
	int r = 0;

	for (size_t i = 0; i < conf->n_groups; i++)
		n += conf->groups[i].n_vips;
	uses = calloc(n, sizeof(*uses));
	if (!uses)
		return -ENOMEM;
	n = collect_addresses(load, uses);
	qsort(uses, n, sizeof(*uses), by_address);
	for (size_t i = 1; r == 0 && i < n; i++) {
		if (!ip_equal(&uses[i].ip, &uses[i - 1].ip))
			continue;
		r = conf_load_complain(load, uses[i].at,
				       "%s has been given in %s:%u already; an address belongs to "
				       "one node or to one group.",
				       conf_format_ip(&uses[i].ip, text, sizeof(text)),
				       load->files[uses[i - 1].at.file - 1], uses[i - 1].at.line);
	}
	return r;
}

/* The first of @names that the file speaks of: the one to point at. */
static struct conf_origin said_first(const struct conf_load *load, const char *const *names,
				     size_t n)
{
	struct conf_origin at = nowhere;

	for (size_t i = 0; at.file == 0 && i < n; i++)
		at = conf_load_key_origin(&load->agent, names[i]);
	return at;
}

static int format_time(uint64_t us, char *buf, size_t size)
{
	FILE *f = fmemopen(buf, size, "w");

	if (!f)
		return -ENOMEM;
	conf_print_time(us, f);
	return fclose(f) == 0 ? 0 : -ENOMEM;
}

/* A time that a promise of R8 needs to be longer. */
static int check_promise(struct conf_load *load, const char *key, uint64_t us, uint64_t least_us,
			 const char *formula, const char *promise)
{
	const char *const names[] = { key, "Lease", "Interval" };
	char is[64], least[64];

	if (us >= least_us)
		return 0;
	if (format_time(us, is, sizeof(is)) < 0 || format_time(least_us, least, sizeof(least)) < 0)
		return -ENOMEM;
	return conf_load_complain(load, said_first(load, names, ARRAY_SIZE(names)),
				  "%s=%s is too short, it takes %s = %s at least: %s.", key, is,
				  formula, least, promise);
}

/* R8, R11. Times that have been refused are not compared with others. */
static int check_times(struct conf_load *load)
{
	const struct conf_object *agent = &load->agent;
	const struct conf *conf = load->conf;
	uint64_t beats_us = 2 * (uint64_t)conf->interval_us, lease_us = conf->lease_us;
	int r;

	if (conf_load_key_bad(agent, "Interval") || conf_load_key_bad(agent, "Lease"))
		return 0;
	r = check_promise(load, "Lease", lease_us, beats_us + LEASE_SLACK_US, "2 * Interval + 5ms",
			  "otherwise one lost heartbeat silences a healthy primary");
	if (lease_us < beats_us + LEASE_SLACK_US)
		lease_us = beats_us + LEASE_SLACK_US; /* what it will be when that is mended */
	if (r < 0 || conf_load_key_bad(agent, "DeadTime"))
		return r;
	return check_promise(load, "DeadTime", conf->dead_us, beats_us + lease_us + DEAD_SLACK_US,
			     "2 * Interval + Lease + 10ms",
			     "otherwise a frozen primary still answers when the other node claims");
}

static int warn_of_lifetime(struct conf_load *load)
{
	const struct conf *conf = load->conf;
	struct conf_origin at = conf_load_key_origin(&load->agent, "AddressLifetime");
	struct conf_problem where = { .line = at.line, .warning = true };

	if (conf->address_lifetime_s * USEC_PER_SEC > conf->restart_hold_us)
		return 0;
	if (at.file)
		where.file = load->files[at.file - 1];
	return conf_problems_add(load->problems, &where,
				 "AddressLifetime= is not longer than RestartHold=: addresses may "
				 "vanish while the agent restarts.");
}

static int check_ids(struct conf_load *load)
{
	const struct conf *conf = load->conf;
	int r = 0;

	for (size_t i = 0; i < conf->n_nodes; i++)
		for (size_t j = 0; r == 0 && j < i; j++)
			if (conf->nodes[i].id == conf->nodes[j].id)
				r = conf_load_complain(load, load->nodes[i].at,
						       "The names %s and %s have the same hash; "
						       "change one.",
						       conf->nodes[i].name, conf->nodes[j].name);
	for (size_t i = 0; i < conf->n_groups; i++)
		for (size_t j = 0; r == 0 && j < i; j++)
			if (conf->groups[i].id == conf->groups[j].id)
				r = conf_load_complain(load, load->groups[i].at,
						       "The names %s and %s have the same hash; "
						       "change one.",
						       conf->groups[i].name, conf->groups[j].name);
	return r;
}

static int by_node_name(const void *a, const void *b)
{
	return strcmp(((const struct conf_node *)a)->name, ((const struct conf_node *)b)->name);
}

static int by_group_name(const void *a, const void *b)
{
	return strcmp(((const struct conf_group *)a)->name, ((const struct conf_group *)b)->name);
}

static int by_sub_name(const void *a, const void *b)
{
	return strcmp(((const struct conf_sub *)a)->name, ((const struct conf_sub *)b)->name);
}

static int by_vip(const void *a, const void *b)
{
	const struct conf_vip *x = a, *y = b;

	return memcmp(&x->ip, &y->ip, sizeof(x->ip));
}

/*
 * Both hosts number alike. From here on the objects of the load do not
 * stand beside what they speak of any more.
 */
static void sort_all(struct conf *conf)
{
	qsort(conf->nodes, conf->n_nodes, sizeof(conf->nodes[0]), by_node_name);
	qsort(conf->groups, conf->n_groups, sizeof(conf->groups[0]), by_group_name);
	for (size_t i = 0; i < conf->n_groups; i++) {
		if (conf->groups[i].n_vips > 0)
			qsort(conf->groups[i].vips, conf->groups[i].n_vips,
			      sizeof(conf->groups[i].vips[0]), by_vip);
		if (conf->groups[i].n_subs > 0)
			qsort(conf->groups[i].subs, conf->groups[i].n_subs,
			      sizeof(conf->groups[i].subs[0]), by_sub_name);
	}
}

/**
 * conf_check() - Check what no single line can tell, sort, and number.
 * @load: load that has read all its files; complaints go to its problems
 *
 * Return: 0, mistakes or not; -ENOMEM.
 */
int conf_check(struct conf_load *load)
{
	static int (*const checks[])(struct conf_load *) = {
		check_numbers, check_groups,	 check_nodes,	  check_duplicates,	check_times,
		check_ids,     warn_of_lifetime, conf_check_subs, conf_check_reactions,
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		r = checks[i](load);
		if (r < 0)
			return r;
	}
	sort_all(load->conf);
	return conf_print_digest(load->conf, &load->conf->digest);
}

/* SPDX-License-Identifier: MIT */

/* Sub-interfaces: links of a group's own, which its addresses are on. */

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/conf/conf_load.h"

static bool mac_is_zero(const uint8_t mac[static 6])
{
	static const uint8_t zero[6];

	return !memcmp(mac, zero, sizeof(zero));
}

/* Six bytes as 02:00:5e:00:01:0a, and nothing behind them. */
static int parse_mac(const char *text, uint8_t ret[static 6])
{
	static const char digits[] = "0123456789abcdefABCDEF";

	if (strlen(text) != strlen("00:00:00:00:00:00"))
		return -EINVAL;
	for (size_t i = 0; i < 6; i++, text += 3) {
		if (strspn(text, digits) != 2 || (i < 5 && text[2] != ':'))
			return -EINVAL;
		ret[i] = (uint8_t)strtoul(text, NULL, 16);
	}
	return 0;
}

/* own, shared or a MAC: complains unless it is one of them. *ret_usable tells. */
static int parse_kind(const struct conf_key *key, const char *text, const struct conf_place *place,
		      struct conf_sub *sub, bool *ret_usable)
{
	*ret_usable = true;
	if (!text || !strcmp(text, "own")) {
		sub->mac = CONF_MAC_OWN;
		return 0;
	}
	if (!strcmp(text, "shared")) {
		sub->mac = CONF_MAC_SHARED;
		return 0;
	}
	sub->mac = CONF_MAC_GIVEN;
	*ret_usable = false;
	if (parse_mac(text, sub->given) < 0)
		return conf_complain(place,
				     "%s= takes own, shared or a MAC such as 02:00:5e:00:01:0a, "
				     "not \"%s\".",
				     key->name, text);
	if (sub->given[0] & 1 || mac_is_zero(sub->given))
		return conf_complain(place,
				     "%s= takes the MAC of one interface, but %s is %s; write "
				     "own, and one is made up.",
				     key->name, text,
				     sub->given[0] & 1 ? "that of many" : "that of none");
	*ret_usable = true;
	return 0;
}

/* The names of an interface and of the one below it. */
static int parse_names(const struct conf_key *key, const char *name, const char *parent,
		       const struct conf_place *place, struct conf_sub *sub, bool *ret_usable)
{
	const char *bad = !conf_ifname_valid(name) ? name : parent;

	*ret_usable = false;
	if (!conf_ifname_valid(bad))
		return conf_complain(place,
				     "%s= takes the name of an interface (1 to %d characters "
				     "without / and :), not \"%s\".",
				     key->name, CONF_IFNAME_SIZE - 1, bad);
	if (!strcmp(name, parent))
		return conf_complain(place,
				     "%s= takes a new name and then the interface below it; %s "
				     "cannot be both.",
				     key->name, name);
	memcpy(sub->name, name, strlen(name));
	memcpy(sub->parent, parent, strlen(parent));
	*ret_usable = true;
	return 0;
}

static int sub_append(struct conf_group *group, const struct conf_sub *sub)
{
	struct conf_sub *v = reallocarray(group->subs, group->n_subs + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	group->subs = v;
	v[group->n_subs++] = *sub;
	return 0;
}

static int sub_parse(const struct conf_key *key, const char *text, void *object,
		     const struct conf_place *place)
{
	_cleanup_(freep) char *words = strdup(text);
	const char *name, *parent, *kind;
	struct conf_group *group = object;
	struct conf_sub sub = { 0 };
	bool usable;
	char *rest;
	int r;

	if (!words)
		return -ENOMEM;
	if (!*text) {
		group->n_subs = 0;
		free(TAKE(group->subs));
		return 0;
	}
	name = strtok_r(words, " \t", &rest);
	parent = strtok_r(NULL, " \t", &rest);
	kind = strtok_r(NULL, " \t", &rest);
	if (!name || !parent || strtok_r(NULL, " \t", &rest))
		return conf_complain(place, "%s= takes %s, not \"%s\".", key->name,
				     key->kind->takes, text);
	r = parse_names(key, name, parent, place, &sub, &usable);
	if (r < 0 || !usable)
		return r;
	r = parse_kind(key, kind, place, &sub, &usable);
	if (r < 0 || !usable)
		return r;
	return sub_append(group, &sub);
}

static void sub_print(const struct conf_key *key, const void *object, FILE *to)
{
	static const char *const words[_CONF_MAC_MAX] = {
		[CONF_MAC_OWN] = "own",
		[CONF_MAC_SHARED] = "shared",
	};
	const struct conf_group *group = object;

	for (size_t i = 0; i < group->n_subs; i++) {
		const struct conf_sub *sub = &group->subs[i];
		const uint8_t *m = sub->given;

		fprintf(to, "%s=%s %s ", key->name, sub->name, sub->parent);
		if (words[sub->mac])
			fprintf(to, "%s\n", words[sub->mac]);
		else
			fprintf(to, "%02x:%02x:%02x:%02x:%02x:%02x\n", m[0], m[1], m[2], m[3], m[4],
				m[5]);
	}
}

const struct conf_kind conf_kind_sub = {
	.takes = "a new interface, the one below it and own, shared or a MAC such as vip0 eth0 own",
	.list = true,
	.parse = sub_parse,
	.print = sub_print,
};

static const char *const stages[_CONF_STAGE_MAX] = {
	[CONF_STAGE_AUTO] = "auto",
	[CONF_STAGE_YES] = "yes",
	[CONF_STAGE_NO] = "no",
};

static int stage_parse(const struct conf_key *key, const char *text, void *object,
		       const struct conf_place *place)
{
	struct conf_group *group = object;

	for (enum conf_stage stage = 0; stage < _CONF_STAGE_MAX; stage++) {
		if (strcmp(text, stages[stage]) != 0)
			continue;
		group->stage = stage;
		return 0;
	}
	return conf_complain(place, "%s= takes %s, not \"%s\".", key->name, key->kind->takes, text);
}

static void stage_print(const struct conf_key *key, const void *object, FILE *to)
{
	const struct conf_group *group = object;

	fprintf(to, "%s=%s\n", key->name, stages[group->stage]);
}

const struct conf_kind conf_kind_stage = {
	.takes = "auto, yes or no",
	.parse = stage_parse,
	.print = stage_print,
};

/**
 * conf_find_sub() - The sub-interface of a group by its name.
 * @group: group
 * @ifname: name of an interface
 *
 * Return: NULL if the group has none of that name.
 */
const struct conf_sub *conf_find_sub(const struct conf_group *group, const char *ifname)
{
	for (size_t i = 0; i < group->n_subs; i++)
		if (!strcmp(group->subs[i].name, ifname))
			return &group->subs[i];
	return NULL;
}

/**
 * conf_sub_mac() - The MAC of a sub-interface at a node: always the same one.
 * @node: the node
 * @group: the group
 * @sub: its sub-interface
 * @ret: a unicast MAC; unless it is given, of those that are administered locally
 */
void conf_sub_mac(const struct conf_node *node, const struct conf_group *group,
		  const struct conf_sub *sub, uint8_t ret[static 6])
{
	/* Zeros between the names, so that no two are alike when put together. */
	char names[2 * (CONF_NAME_MAX + 1) + CONF_IFNAME_SIZE] = { 0 };
	uint64_t hash;

	if (sub->mac == CONF_MAC_GIVEN) {
		memcpy(ret, sub->given, sizeof(sub->given));
		return;
	}
	if (sub->mac == CONF_MAC_OWN)
		memcpy(names, node->name, strlen(node->name));
	memcpy(names + CONF_NAME_MAX + 1, group->name, strlen(group->name));
	memcpy(names + 2 * (CONF_NAME_MAX + 1), sub->name, strlen(sub->name));
	hash = conf_hash(names, sizeof(names));
	for (size_t i = 0; i < 6; i++)
		ret[i] = (uint8_t)(hash >> 8 * i);
	ret[0] = (uint8_t)((ret[0] & 0xfc) | 0x02);
}

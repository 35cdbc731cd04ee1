/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#include "agent/conf/conf_keys.h"

/* To announce one of thousands of addresses takes 8 to 16 µs, on a busy host up to 45. */
enum { ANNOUNCED_US = 40 };

/**
 * conf_free() - Free a configuration.
 * @conf: taken; may be NULL or half-built
 *
 * Return: NULL.
 */
struct conf *conf_free(struct conf *conf)
{
	if (!conf)
		return NULL;
	for (size_t i = 0; i < conf->n_groups; i++) {
		free(conf->groups[i].vips);
		free(conf->groups[i].ifnames);
		free(conf->groups[i].subs);
		free(conf->groups[i].unit);
		free(conf->groups[i].checks);
		conf_steps_done(&conf->groups[i].before_release);
		conf_steps_done(&conf->groups[i].before_claim);
	}
	for (size_t i = 0; i < conf->n_reactions; i++)
		conf_reaction_done(&conf->reactions[i]);
	free(conf->key_file);
	free(conf);
	return NULL;
}

/**
 * conf_hash() - 64 bits that stand for some bytes on the wire.
 * @data: bytes
 * @len: their number
 *
 * Return: BLAKE2b, cut; never 0.
 */
uint64_t conf_hash(const void *data, size_t len)
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	uint64_t n = 0;

	(void)crypto_generichash(hash, sizeof(hash), data, len, NULL, 0); /* cannot fail */
	for (size_t i = 0; i < sizeof(n); i++)
		n = n << 8 | hash[i];
	return n ? n : 1;
}

static bool is_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

/**
 * conf_name_valid() - May this be the name of a node or a group?
 * @name: name
 *
 * Return: true for 1 to CONF_NAME_MAX of [A-Za-z0-9._-].
 */
bool conf_name_valid(const char *name)
{
	size_t len = 0;

	/* Each heartbeat has one: strspn(3) would make a table of what is allowed each time. */
	while (len <= CONF_NAME_MAX && is_of_name(name[len]))
		len++;
	return len >= 1 && len <= CONF_NAME_MAX && !name[len];
}

/**
 * conf_mode_name() - The word for a mode, in the configuration and on the bus.
 * @mode: mode
 *
 * Return: "alias", "subinterface" or "none".
 */
const char *conf_mode_name(enum conf_mode mode)
{
	static const char *const names[_CONF_MODE_MAX] = {
		[CONF_MODE_ALIAS] = "alias",
		[CONF_MODE_SUBINTERFACE] = "subinterface",
		[CONF_MODE_NONE] = "none",
	};

	assert(mode < _CONF_MODE_MAX);
	return names[mode];
}

/**
 * conf_find_node() - Find a node by name.
 * @conf: configuration
 * @name: name as in [Node NAME]
 * @ret_node: number of the node
 *
 * Return: 0; -ENOENT if no node has that name.
 */
int conf_find_node(const struct conf *conf, const char *name, uint8_t *ret_node)
{
	for (size_t i = 0; i < conf->n_nodes; i++) {
		if (strcmp(conf->nodes[i].name, name) != 0)
			continue;
		*ret_node = (uint8_t)i;
		return 0;
	}
	return -ENOENT;
}

/**
 * conf_find_vip() - The address of a group that is this one.
 * @group: group
 * @ip: address
 *
 * They are sorted, and none is given twice.
 *
 * Return: whatever its prefix length; NULL if it is none of them.
 */
const struct conf_vip *conf_find_vip(const struct conf_group *group, const struct ip *ip)
{
	static_assert(offsetof(struct conf_vip, ip) == 0, "ip_compare() takes one for the other");
	if (!group->n_vips)
		return NULL;
	return bsearch(ip, group->vips, group->n_vips, sizeof(*group->vips), ip_compare);
}

/**
 * conf_uses() - Has the group addresses on this interface?
 * @group: group
 * @ifname: name of the interface
 */
bool conf_uses(const struct conf_group *group, const char *ifname)
{
	for (size_t i = 0; i < group->n_ifnames; i++)
		if (!strcmp(group->ifnames[i], ifname))
			return true;
	return false;
}

/*
 * A switchover loses nothing if the old primary serves until the new one has announced its
 * last address: clients that wait for it still send to the old one. Where both have one
 * MAC, nobody waits.
 */
static uint32_t linger_us(const struct conf_group *group)
{
	uint32_t linger_us = group->core.linger_us;

	for (size_t i = 0; i < group->n_vips; i++) {
		const struct conf_sub *sub = conf_find_sub(group, group->vips[i].ifname);

		if (!sub || sub->mac == CONF_MAC_OWN)
			linger_us += ANNOUNCED_US;
	}
	return linger_us;
}

/**
 * conf_core() - What the core needs to know of a configuration.
 * @conf: configuration
 * @self: number of our node
 * @ret: filled completely
 */
void conf_core(const struct conf *conf, uint8_t self, struct core_config *ret)
{
	*ret = (struct core_config){
		.self = self,
		.n_nodes = (uint8_t)conf->n_nodes,
		.n_groups = (uint8_t)conf->n_groups,
		.n_announce = (uint8_t)conf->n_announce,
		.interval_us = conf->interval_us,
		.lease_us = conf->lease_us,
		.dead_us = conf->dead_us,
		.start_wait_us = conf->start_wait_us,
		.restart_hold_us = conf->restart_hold_us,
		.step_us = conf->step_us,
		.refresh_us = conf->announce_refresh_s * (uint32_t)USEC_PER_SEC,
		.probe_us = conf->probe_us,
		.digest = conf->digest,
	};
	memcpy(ret->announce_us, conf->announce_us, sizeof(ret->announce_us));
	for (size_t i = 0; i < conf->n_nodes; i++)
		ret->priority[i] = conf->nodes[i].priority;
	for (size_t i = 0; i < conf->n_groups; i++) {
		ret->groups[i] = conf->groups[i].core;
		ret->groups[i].linger_us = linger_us(&conf->groups[i]);
		ret->groups[i].before_release = (uint8_t)conf->groups[i].before_release.n;
		ret->groups[i].before_claim = (uint8_t)conf->groups[i].before_claim.n;
	}
}

/* SPDX-License-Identifier: MIT */

/*
 * Draining: a group goes on serving the connections that it has, and refuses new ones.
 *
 * That is in a table of its own, which is there only meanwhile: packets of groups that do
 * not drain are looked at by nobody. The table belongs to the agent's socket, as the moat
 * does: with an agent that dies in the middle goes what it refused (group 1):
 *
 * table inet takeover_drain { flags owner;
 *   map vip4 { type ipv4_addr : verdict; elements = { 10.77.0.100 : goto drain_1 } }
 *   map vip6 { type ipv6_addr : verdict; elements = { fd77::100 : goto drain_1 } }
 *   chain drain_1 {
 *     counter reject with tcp reset
 *   }
 *   chain new {
 *     ip daddr vmap @vip4
 *     ip6 daddr vmap @vip6
 *   }
 *   chain in { type filter hook input priority filter;
 *     tcp flags & (fin | syn | rst | ack) == syn goto new
 *   }
 * }
 *
 * At the input hook, behind connection tracking, for hosts that have it: the reset belongs to
 * the connection that it answers, and is not dropped as one that belongs to none. The gate
 * needs no tracking, and has others pay for none.
 */

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "netlink/gate.h"
#include "netlink/gate_map.h"
#include "netlink/gate_rule.h"

#define DRAIN_TABLE "takeover_drain"

static const struct gate_set_plan set_plans[] = {
	{ NFPROTO_INET, "vip4", NFT_SET_MAP, GATE_KEY_IPV4, 4, 0 },
	{ NFPROTO_INET, "vip6", NFT_SET_MAP, GATE_KEY_IPV6, 16, 0 },
};

static const struct gate_map map_plans[] = {
	{ NFPROTO_INET, "vip4", 4, NFT_GOTO, "drain", GATE_MAP_ANY },
	{ NFPROTO_INET, "vip6", 6, NFT_GOTO, "drain", GATE_MAP_ANY },
};

/* counter reject with tcp reset */
static void put_group(struct gate_batch *b, uint32_t group)
{
	char chain[GATE_CHAIN_NAME_MAX];
	struct gate_rule r;

	(void)snprintf(chain, sizeof(chain), "drain_%" PRIu32, group);
	gate_batch_chain(b, NFPROTO_INET, chain, -1, 0);
	r = gate_rule_begin(b, NFPROTO_INET, chain);
	gate_rule_end_reset(&r);
}

/* For the offsets see gate_rules.c. */
static void put_filters(struct gate_batch *b)
{
	struct gate_rule r;

	gate_batch_chain(b, NFPROTO_INET, "new", -1, 0);
	gate_map_look(b, NFPROTO_INET, "new", NFPROTO_IPV4, 16, "vip4");
	gate_map_look(b, NFPROTO_INET, "new", NFPROTO_IPV6, 24, "vip6");

	gate_batch_chain(b, NFPROTO_INET, "in", NF_INET_LOCAL_IN, 0);
	r = gate_rule_begin(b, NFPROTO_INET, "in");
	gate_rule_tcp_syn(&r);
	gate_rule_goto(&r, "new");
	gate_rule_end(&r);
}

/* The configuration with the addresses of these groups only, in @vips. */
static struct gate_config reduce(const struct gate_config *config,
				 const bool draining[static GATE_GROUPS_MAX + 1],
				 struct gate_vip *vips)
{
	struct gate_config only = *config;

	only.vips = vips;
	only.n_vips = 0;
	for (size_t i = 0; i < config->n_vips; i++)
		if (draining[config->vips[i].group])
			vips[only.n_vips++] = config->vips[i];
	return only;
}

/**
 * gate_drain() - Say of which groups new connections are refused; of all others none are.
 * @nf: socket of NETLINK_NETFILTER: that ends with it
 * @config: groups and addresses; borrowed for the call
 * @draining: by number of group
 *
 * In one transaction: who drains already goes on with it.
 *
 * Return: 0; -ENOMEM; -EPERM without CAP_NET_ADMIN, or when another process drains here;
 * -ENOENT when the kernel has no "reject"; what nl_transact() returns.
 */
int gate_drain(struct nl *nf, const struct gate_config *config,
	       const bool draining[static GATE_GROUPS_MAX + 1])
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = DRAIN_TABLE };
	_cleanup_(freep) struct gate_vip *vips = calloc(config->n_vips + 1, sizeof(*vips));
	struct gate_config only;

	if (!vips)
		return -ENOMEM;
	only = reduce(config, draining, vips);
	gate_batch_remove(&b, NFPROTO_INET);
	if (only.n_vips) {
		gate_batch_table(&b, NFPROTO_INET, NFT_TABLE_F_OWNER, NULL);
		for (size_t i = 0; i < ARRAY_SIZE(set_plans); i++)
			gate_batch_set(&b, &set_plans[i]);
		for (uint32_t group = 1; group <= config->n_groups; group++)
			if (draining[group])
				put_group(&b, group);
		for (size_t i = 0; i < ARRAY_SIZE(map_plans); i++)
			gate_map_fill(&b, &map_plans[i], &only);
		put_filters(&b);
	}
	return gate_batch_send(&b, nf);
}

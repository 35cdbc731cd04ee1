/* SPDX-License-Identifier: MIT */
#include "netlink/gate_moat.h"

/*
 * The moat: what keeps a staged group silent where the gate has been flushed.
 *
 * `nft flush ruleset` removes the gate until it is laid again, some 10 ms later. On a
 * backup that is harmless if the addresses are absent. Those of a staged group are
 * there, on an interface that is up. So they have a second pair of tables, which
 * belong to the agent's socket: the kernel lets nobody else change them, passes over
 * them when it flushes, and removes them with the socket. What the agent's death
 * must not open is the gate's business, which stands for itself and alone has a
 * lease. Whether the gate stands or not, the moat only takes away (the interface
 * vip0, of group 1):
 *
 * table inet takeover_moat { flags owner;
 *   set open { type mark; }
 *   map vip4 { type ipv4_addr : verdict; elements = { 10.77.0.100 : goto moat_1 } }
 *   map vip6 { type ipv6_addr : verdict; elements = { fd77::100 : goto moat_1 } }
 *   map quiet { type ifname : verdict; elements = { "vip0" : jump quiet_1 } }
 *   chain moat_1 {
 *     1 @open return
 *     fib daddr type local counter drop
 *     fib saddr type local counter drop
 *   }
 *   chain quiet_1 {
 *     1 @open return
 *     counter drop
 *   }
 *   chain in { type filter hook prerouting priority raw;
 *     icmpv6 type nd-router-advert iifname vmap @quiet
 *     ip daddr vmap @vip4
 *     ip6 daddr vmap @vip6
 *   }
 *   chain out { type filter hook postrouting priority 300;
 *     oifname vmap @quiet
 *     ip saddr vmap @vip4
 *     ip6 saddr vmap @vip6
 *   }
 * }
 * table arp takeover_moat { flags owner;
 *   set open { type mark; }
 *   map vip4 { type ipv4_addr : verdict; elements = { 10.77.0.100 : goto moat_1 } }
 *   chain moat_1 {
 *     1 @open return
 *     counter drop
 *   }
 *   chain out { type filter hook output priority filter;
 *     arp saddr ip vmap @vip4
 *   }
 * }
 *
 * 1 stands for a constant as set key, as in gate_rules.c.
 *
 * A group is in both sets `open` from GATE_SERVE upwards, by the transaction that
 * changes the gate: so the moat is never open for one that was closed by order. The
 * finer levels are the gate's alone. A node without staged groups has no moat: a rule
 * set that an administrator has saved with the moat in it cannot be loaded while the
 * agent runs, as the tables are not theirs.
 */

#include <errno.h>
#include <inttypes.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <stdio.h>

#include "netlink/gate_devices.h"
#include "netlink/gate_label.h"
#include "netlink/gate_map.h"
#include "netlink/gate_rule.h"

#define MOAT_TABLE "takeover_moat"

static const uint16_t families[] = { NFPROTO_INET, NFPROTO_ARP };

static const struct gate_set_plan set_plans[] = {
	{ NFPROTO_INET, "open", 0, GATE_KEY_MARK, 4, 0 },
	{ NFPROTO_INET, "vip4", NFT_SET_MAP, GATE_KEY_IPV4, 4, 0 },
	{ NFPROTO_INET, "vip6", NFT_SET_MAP, GATE_KEY_IPV6, 16, 0 },
	{ NFPROTO_INET, "quiet", NFT_SET_MAP, GATE_KEY_IFNAME, IF_NAMESIZE, 0 },
	{ NFPROTO_ARP, "open", 0, GATE_KEY_MARK, 4, 0 },
	{ NFPROTO_ARP, "vip4", NFT_SET_MAP, GATE_KEY_IPV4, 4, 0 },
};

static const struct gate_map map_plans[] = {
	{ NFPROTO_INET, "vip4", 4, NFT_GOTO, "moat", GATE_MAP_STAGED },
	{ NFPROTO_INET, "vip6", 6, NFT_GOTO, "moat", GATE_MAP_STAGED },
	{ NFPROTO_ARP, "vip4", 4, NFT_GOTO, "moat", GATE_MAP_STAGED },
};

DEFINE_CLEANUP(struct nftnl_udata_buf *, nftnl_udata_buf_free)

/* Is it a staged group? 0: is there any? */
static bool is_staged(const struct gate_config *config, uint32_t group)
{
	for (size_t i = 0; i < config->n_devices; i++)
		if (config->devices[i].staged && (!group || config->devices[i].group == group))
			return true;
	return false;
}

/* To the moat's table, and back to that which the batch is about otherwise. */
static const char *swap_table(struct gate_batch *b, const char *table)
{
	const char *last = b->table;

	b->table = table;
	return last;
}

/* GROUP @open return */
static void put_pass(struct gate_batch *b, uint16_t family, const char *chain, uint32_t group)
{
	struct gate_rule r;

	gate_batch_chain(b, family, chain, -1, 0);
	r = gate_rule_begin(b, family, chain);
	gate_rule_alive(&r, group, "open");
	gate_rule_verdict(&r, NFT_RETURN);
	gate_rule_end(&r);
}

static void put_group(struct gate_batch *b, uint32_t group)
{
	char moat[GATE_CHAIN_NAME_MAX], quiet[GATE_CHAIN_NAME_MAX];

	(void)snprintf(moat, sizeof(moat), "moat_%" PRIu32, group);
	gate_devices_quiet_chain(group, quiet);

	/* "local": what this host forwards to the primary, and from it, is let through. */
	put_pass(b, NFPROTO_INET, moat, group);
	gate_rule_drop_local(b, moat, NFTA_FIB_F_DADDR);
	gate_rule_drop_local(b, moat, NFTA_FIB_F_SADDR);

	put_pass(b, NFPROTO_INET, quiet, group);
	gate_rule_drop(b, NFPROTO_INET, quiet);

	put_pass(b, NFPROTO_ARP, moat, group);
	gate_rule_drop(b, NFPROTO_ARP, moat);
}

static void put_groups(struct gate_batch *b, const struct gate_config *config)
{
	uint32_t last = 0;

	for (size_t i = 0; i < config->n_devices; i++) {
		const struct gate_device *device = &config->devices[i];

		if (!device->staged)
			continue;
		if (device->group != last)
			put_group(b, device->group);
		last = device->group;
		gate_devices_quiet(b, device);
	}
}

/* At the hooks of the gate; for the offsets see gate_rules.c. */
static void put_filters(struct gate_batch *b)
{
	gate_batch_chain(b, NFPROTO_INET, "in", NF_INET_PRE_ROUTING, -300);
	gate_devices_in(b);
	gate_map_look(b, NFPROTO_INET, "in", NFPROTO_IPV4, 16, "vip4");
	gate_map_look(b, NFPROTO_INET, "in", NFPROTO_IPV6, 24, "vip6");

	gate_batch_chain(b, NFPROTO_INET, "out", NF_INET_POST_ROUTING, 300);
	gate_devices_out(b);
	gate_map_look(b, NFPROTO_INET, "out", NFPROTO_IPV4, 12, "vip4");
	gate_map_look(b, NFPROTO_INET, "out", NFPROTO_IPV6, 8, "vip6");

	gate_batch_chain(b, NFPROTO_ARP, "out", NF_ARP_OUT, 0);
	gate_map_look(b, NFPROTO_ARP, "out", 0, 14, "vip4");
}

/**
 * gate_moat_remove() - Delete the moat, there or not.
 * @b: the batch
 */
void gate_moat_remove(struct gate_batch *b)
{
	const char *table = swap_table(b, MOAT_TABLE);

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		gate_batch_remove(b, families[i]);
	swap_table(b, table);
}

/**
 * gate_moat_lay() - Lay the moat, closed, where there is none; nothing without staged groups.
 * @b: the batch; the socket by which it is sent will own the moat
 * @config: the configuration; devices of a group stand together
 */
void gate_moat_lay(struct gate_batch *b, const struct gate_config *config)
{
	_cleanup_(nftnl_udata_buf_freep) struct nftnl_udata_buf *label = NULL;
	const char *table;

	if (!is_staged(config, 0))
		return;
	label = gate_label(config);
	if (!label) {
		gate_batch_fail(b, -ENOMEM);
		return;
	}
	table = swap_table(b, MOAT_TABLE);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		gate_batch_table(b, families[i], NFT_TABLE_F_OWNER, label);
	for (size_t i = 0; i < ARRAY_SIZE(set_plans); i++)
		gate_batch_set(b, &set_plans[i]);
	put_groups(b, config);
	for (size_t i = 0; i < ARRAY_SIZE(map_plans); i++)
		gate_map_fill(b, &map_plans[i], config);
	put_filters(b);
	swap_table(b, table);
}

/**
 * gate_moat_set() - Say whether a group may work; nothing if it is not staged.
 * @b: the batch
 * @config: for which the moat was laid
 * @group: number of the group
 * @open: may it?
 */
void gate_moat_set(struct gate_batch *b, const struct gate_config *config, uint32_t group,
		   bool open)
{
	const char *table;

	if (!is_staged(config, group))
		return;
	table = swap_table(b, MOAT_TABLE);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		/* What is not there cannot be deleted, so it is added first. */
		gate_batch_add(b, families[i], "open", group);
		if (!open)
			gate_batch_delete(b, families[i], "open", group);
	}
	swap_table(b, table);
}

/**
 * gate_moat_flush() - Close all groups; nothing if none is staged.
 * @b: the batch
 * @config: for which the moat was laid
 */
void gate_moat_flush(struct gate_batch *b, const struct gate_config *config)
{
	const char *table;

	if (!is_staged(config, 0))
		return;
	table = swap_table(b, MOAT_TABLE);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		gate_batch_flush(b, families[i], "open");
	swap_table(b, table);
}

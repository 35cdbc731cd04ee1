/* SPDX-License-Identifier: MIT */
#include "netlink/gate_devices.h"

/*
 * What the gate has for addresses on interfaces of their own (the first one, vip0,
 * of group 1):
 *
 * table inet takeover {
 *   map quiet { type ifname : verdict; elements = { "vip0" : jump quiet_1 } }
 *   chain quiet_1 {
 *     icmpv6 type nd-router-advert drop
 *     NODE @lease 1 @announce return
 *     counter drop
 *   }
 *   chain in { ...
 *     icmpv6 type nd-router-advert iifname vmap @quiet
 *   }
 *   chain out { ...
 *     oifname vmap @quiet
 *   }
 * }
 * table arp takeover {
 *   map vip4 { type ipv4_addr : verdict; elements = { 10.77.0.100 : goto arp_1_1 } }
 *   chain arp_1_1 {
 *     oifname "vip0" goto arp_1
 *     arp operation request NODE @lease 1 @ask arp saddr ip set 0.0.0.0 return
 *     counter drop
 *   }
 * }
 *
 * quiet: a MAC that both nodes have leads to the one that has sent with it last. So
 * the node that has not got the group, or not yet, or not any more, sends nothing at
 * all with it: not the reports of multicast groups with which an interface
 * begins and ends. Nor does the interface take part in router discovery: the kernel
 * would make addresses and a default route on it. No sysctl says so by netlink.
 *
 * arp: an address is one of the whole host to Linux, which answers for it on every
 * interface with the MAC of that one, and asks in its name on any. So a client would
 * learn whichever MAC came last. Others' answers are dropped. The questions are
 * needed, as packets from the address leave by the interface below: they are asked
 * in nobody's name, in the form of RFC 5227, 2.1.1, which is answered and teaches
 * nobody.
 */

#include <errno.h>
#include <inttypes.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

#include "netlink/gate_rule.h"

enum {
	ROUTER_ADVERT = 134,   /* RFC 4861, 4.2 */
	ARP_SENDER_IP = 8 + 6, /* behind the fixed part and the hardware address, RFC 826 */
};

DEFINE_CLEANUP(struct nftnl_set *, nftnl_set_free)

/**
 * gate_devices_chain() - The chain of the arp table that an address on a device leads to.
 * @group: number of the group
 * @device: number of the device, from 1
 * @ret: its name
 */
void gate_devices_chain(uint32_t group, uint32_t device, char ret[static GATE_CHAIN_NAME_MAX])
{
	(void)snprintf(ret, GATE_CHAIN_NAME_MAX, "arp_%" PRIu32 "_%" PRIu32, group, device);
}

/**
 * gate_devices_quiet_chain() - The chain that the quiet devices of a group lead to.
 * @group: number of the group
 * @ret: its name
 */
void gate_devices_quiet_chain(uint32_t group, char ret[static GATE_CHAIN_NAME_MAX])
{
	(void)snprintf(ret, GATE_CHAIN_NAME_MAX, "quiet_%" PRIu32, group);
}

/* What leaves by another interface. */
static void put_elsewhere(struct gate_batch *b, const char *chain, uint32_t group)
{
	struct gate_rule r = gate_rule_begin(b, NFPROTO_ARP, chain);

	gate_rule_may_ask(&r, group);
	gate_rule_clear(&r, ARP_SENDER_IP);
	gate_rule_verdict(&r, NFT_RETURN);
	gate_rule_end(&r);
	gate_rule_drop(b, NFPROTO_ARP, chain);
}

static void put_arp(struct gate_batch *b, const struct gate_device *device, uint32_t number)
{
	char chain[GATE_CHAIN_NAME_MAX], group[GATE_CHAIN_NAME_MAX];
	struct gate_rule r;

	gate_devices_chain(device->group, number, chain);
	(void)snprintf(group, sizeof(group), "arp_%" PRIu32, device->group);
	gate_batch_chain(b, NFPROTO_ARP, chain, -1, 0);
	r = gate_rule_begin(b, NFPROTO_ARP, chain);
	gate_rule_device(&r, device->name);
	gate_rule_goto(&r, group);
	gate_rule_end(&r);
	put_elsewhere(b, chain, device->group);
}

static void put_quiet_chain(struct gate_batch *b, uint32_t group)
{
	char chain[GATE_CHAIN_NAME_MAX];
	struct gate_rule r;

	gate_devices_quiet_chain(group, chain);
	gate_batch_chain(b, NFPROTO_INET, chain, -1, 0);
	r = gate_rule_begin(b, NFPROTO_INET, chain);
	gate_rule_icmpv6(&r, ROUTER_ADVERT);
	gate_rule_verdict(&r, NF_DROP);
	gate_rule_end(&r);
	gate_rule_pass(b, NFPROTO_INET, chain, group, "announce");
	gate_rule_drop(b, NFPROTO_INET, chain);
}

/**
 * gate_devices_quiet() - Have a device lead to the chain for quiet ones, by the map of these.
 * @b: the batch, of a table that has both
 * @device: the device
 */
void gate_devices_quiet(struct gate_batch *b, const struct gate_device *device)
{
	_cleanup_(nftnl_set_freep) struct nftnl_set *set = nftnl_set_alloc();
	struct nftnl_set_elem *elem = nftnl_set_elem_alloc();
	char chain[GATE_CHAIN_NAME_MAX];

	if (!set || !elem) {
		if (elem)
			nftnl_set_elem_free(elem);
		gate_batch_fail(b, -ENOMEM);
		return;
	}
	gate_devices_quiet_chain(device->group, chain);
	nftnl_set_set_str(set, NFTNL_SET_TABLE, b->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, "quiet");
	nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY, device->name, sizeof(device->name));
	nftnl_set_elem_set_u32(elem, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_JUMP);
	nftnl_set_elem_set_str(elem, NFTNL_SET_ELEM_CHAIN, chain);
	nftnl_set_elem_add(set, elem); /* takes it */
	gate_batch_elements(b, NFT_MSG_NEWSETELEM, NFPROTO_INET, set);
}

/**
 * gate_devices_lay() - Add the chains of devices, behind the sets and the chains of groups.
 * @b: the batch
 * @config: the configuration; devices of a group stand together
 *
 * Return: whether one of them is quiet, so that the rules of gate_devices_in() and
 * gate_devices_out() are needed.
 */
bool gate_devices_lay(struct gate_batch *b, const struct gate_config *config)
{
	uint32_t quiet_group = 0;

	for (size_t i = 0; i < config->n_devices; i++) {
		const struct gate_device *device = &config->devices[i];

		put_arp(b, device, (uint32_t)i + 1);
		if (!device->quiet)
			continue;
		if (device->group != quiet_group)
			put_quiet_chain(b, device->group);
		quiet_group = device->group;
		gate_devices_quiet(b, device);
	}
	return quiet_group != 0;
}

/**
 * gate_devices_in() - Add what looks at packets that come in by a device.
 * @b: the batch
 */
void gate_devices_in(struct gate_batch *b)
{
	struct gate_rule r = gate_rule_begin(b, NFPROTO_INET, "in");

	gate_rule_icmpv6(&r, ROUTER_ADVERT);
	gate_rule_meta(&r, NFT_META_IIFNAME);
	gate_rule_vmap(&r, "quiet");
	gate_rule_end(&r);
}

/**
 * gate_devices_out() - Add what looks at packets that leave by a device.
 * @b: the batch
 */
void gate_devices_out(struct gate_batch *b)
{
	struct gate_rule r = gate_rule_begin(b, NFPROTO_INET, "out");

	gate_rule_meta(&r, NFT_META_OIFNAME);
	gate_rule_vmap(&r, "quiet");
	gate_rule_end(&r);
}

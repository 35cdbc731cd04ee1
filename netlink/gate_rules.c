/* SPDX-License-Identifier: MIT */
#include "netlink/gate_rules.h"

/*
 * The rule set, in the order in which it is laid (group 1, port 7373):
 *
 * table inet takeover {
 *   set lease    { type mark; flags timeout,dynamic; size 64; }
 *   set echo     { type mark; flags timeout,dynamic; size 64; }
 *   set ticket   { type mark; flags timeout; }
 *   set open     { type mark; }
 *   set announce { type mark; }
 *   map vip4 { type ipv4_addr : verdict; elements = { 10.77.0.100 : goto serve_1 } }
 *   map vip6 { type ipv6_addr : verdict; elements = { fd77::100 : goto serve_1 } }
 *   map nd6  { type ipv6_addr : verdict; elements = { fd77::100 : jump nd_1 } }
 *   map quiet { type ifname : verdict; }
 *   chain serve_1 {
 *     NODE @lease 1 @open return
 *     fib daddr type local counter drop
 *     fib saddr type local counter drop
 *     iif 0 counter drop
 *   }
 *   chain nd_1 {
 *     NODE @lease 1 @announce return
 *     counter drop
 *   }
 *   chain in { type filter hook prerouting priority raw;
 *     ip daddr vmap @vip4
 *     ip6 daddr vmap @vip6
 *   }
 *   chain out { type filter hook postrouting priority 300;
 *     icmpv6 type nd-neighbor-advert ip6 saddr vmap @nd6
 *     ip saddr vmap @vip4
 *     ip6 saddr vmap @vip6
 *   }
 *   chain heard { type filter hook input priority filter;
 *     udp dport 7373 @th,120,8 1 update @echo { NODE timeout 105ms }
 *   }
 *   chain beat { type filter hook output priority filter;
 *     meta mark MARK udp dport 7373 NODE @lease NODE @echo update @lease { NODE timeout 350ms }
 *     meta mark MARK+1 udp dport 7373 NODE @lease update @lease { NODE timeout 350ms }
 *   }
 * }
 * table arp takeover {
 *   set lease    { type mark; flags timeout; }
 *   set announce { type mark; }
 *   set ask      { type mark; }
 *   map vip4 { type ipv4_addr : verdict; elements = { 10.77.0.100 : goto arp_1 } }
 *   chain arp_1 {
 *     arp operation request NODE @lease 1 @ask return
 *     NODE @lease 1 @announce return
 *     counter drop
 *   }
 *   chain out { type filter hook output priority filter;
 *     arp saddr ip vmap @vip4
 *   }
 * }
 *
 * What is held on an interface of its own has more: gate_devices.c; and what is
 * there without being held: gate_moat.c.
 *
 * NODE and 1 stand for "meta mark & 0x0 | N == @set": a constant as set key.
 * Shorter bytecode works in the kernel, but makes `nft list ruleset` abort.
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

enum {
	ECHO_FLAG_OFFSET = 8 + 7, /* UDP header, then byte 7 of the heartbeat, */
	ECHO_FLAG = 1,		  /* which says: answers one of yours */
};

static const struct gate_set_plan set_plans[] = {
	{ NFPROTO_INET, "lease", NFT_SET_TIMEOUT | NFT_SET_EVAL, GATE_KEY_MARK, 4, 64 },
	{ NFPROTO_INET, "echo", NFT_SET_TIMEOUT | NFT_SET_EVAL, GATE_KEY_MARK, 4, 64 },
	{ NFPROTO_INET, "ticket", NFT_SET_TIMEOUT, GATE_KEY_MARK, 4, 0 },
	{ NFPROTO_INET, "open", 0, GATE_KEY_MARK, 4, 0 },
	{ NFPROTO_INET, "announce", 0, GATE_KEY_MARK, 4, 0 },
	{ NFPROTO_INET, "vip4", NFT_SET_MAP, GATE_KEY_IPV4, 4, 0 },
	{ NFPROTO_INET, "vip6", NFT_SET_MAP, GATE_KEY_IPV6, 16, 0 },
	{ NFPROTO_INET, "nd6", NFT_SET_MAP, GATE_KEY_IPV6, 16, 0 },
	{ NFPROTO_INET, "quiet", NFT_SET_MAP, GATE_KEY_IFNAME, IF_NAMESIZE, 0 },
	{ NFPROTO_ARP, "lease", NFT_SET_TIMEOUT, GATE_KEY_MARK, 4, 0 },
	{ NFPROTO_ARP, "announce", 0, GATE_KEY_MARK, 4, 0 },
	{ NFPROTO_ARP, "ask", 0, GATE_KEY_MARK, 4, 0 },
	{ NFPROTO_ARP, "vip4", NFT_SET_MAP, GATE_KEY_IPV4, 4, 0 },
};

static const struct gate_map map_plans[] = {
	{ NFPROTO_INET, "vip4", 4, NFT_GOTO, "serve", GATE_MAP_ANY },
	{ NFPROTO_INET, "vip6", 6, NFT_GOTO, "serve", GATE_MAP_ANY },
	{ NFPROTO_INET, "nd6", 6, NFT_JUMP, "nd", GATE_MAP_ANY },
	{ NFPROTO_ARP, "vip4", 4, NFT_GOTO, "arp", GATE_MAP_CHAINS },
};

DEFINE_CLEANUP(struct nftnl_udata_buf *, nftnl_udata_buf_free)

/**
 * gate_rules_remove() - Delete both tables, there or not.
 * @b: the batch
 */
void gate_rules_remove(struct gate_batch *b)
{
	gate_batch_remove(b, NFPROTO_INET);
	gate_batch_remove(b, NFPROTO_ARP);
}

/* arp operation request NODE @lease GROUP @ask return */
static void put_ask(struct gate_batch *b, const char *chain, uint32_t group)
{
	struct gate_rule r = gate_rule_begin(b, NFPROTO_ARP, chain);

	gate_rule_may_ask(&r, group);
	gate_rule_verdict(&r, NFT_RETURN);
	gate_rule_end(&r);
}

/*
 * iif 0 counter drop: what comes from a socket of this host, whether the host has
 * the address or not. IPv6 lets a connection outlive its address, and so does
 * IP_FREEBIND.
 */
static void put_drop_own(struct gate_batch *b, const char *chain)
{
	struct gate_rule r = gate_rule_begin(b, NFPROTO_INET, chain);

	gate_rule_meta(&r, NFT_META_IIF);
	gate_rule_equals_u32(&r, 0);
	gate_rule_end_drop(&r);
}

static void put_group(struct gate_batch *b, uint32_t group)
{
	char serve[GATE_CHAIN_NAME_MAX], nd[GATE_CHAIN_NAME_MAX], arp[GATE_CHAIN_NAME_MAX];

	(void)snprintf(serve, sizeof(serve), "serve_%" PRIu32, group);
	(void)snprintf(nd, sizeof(nd), "nd_%" PRIu32, group);
	(void)snprintf(arp, sizeof(arp), "arp_%" PRIu32, group);

	/* "local": a backup that is a router as well goes on forwarding to the primary. */
	gate_batch_chain(b, NFPROTO_INET, serve, -1, 0);
	gate_rule_pass(b, NFPROTO_INET, serve, group, "open");
	gate_rule_drop_local(b, serve, NFTA_FIB_F_DADDR);
	gate_rule_drop_local(b, serve, NFTA_FIB_F_SADDR);
	put_drop_own(b, serve);

	gate_batch_chain(b, NFPROTO_INET, nd, -1, 0);
	gate_rule_pass(b, NFPROTO_INET, nd, group, "announce");
	gate_rule_drop(b, NFPROTO_INET, nd);

	gate_batch_chain(b, NFPROTO_ARP, arp, -1, 0);
	put_ask(b, arp, group);
	gate_rule_pass(b, NFPROTO_ARP, arp, group, "announce");
	gate_rule_drop(b, NFPROTO_ARP, arp);
}

/* icmpv6 type nd-neighbor-advert ip6 saddr vmap @nd6; the kernel's own have it as source. */
static void put_advert(struct gate_batch *b)
{
	struct gate_rule r = gate_rule_begin(b, NFPROTO_INET, "out");

	gate_rule_icmpv6(&r, 136); /* neighbour advertisement, RFC 4861, 4.4 */
	gate_rule_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, 8, 16);
	gate_rule_vmap(&r, "nd6");
	gate_rule_end(&r);
}

/* @quiet: some interface must not be heard */
static void put_filters(struct gate_batch *b, bool quiet)
{
	/* Offsets of addresses: IPv4 12 and 16 (RFC 791), IPv6 8 and 24 (RFC 8200). */
	gate_batch_chain(b, NFPROTO_INET, "in", NF_INET_PRE_ROUTING, -300); /* raw */
	if (quiet)
		gate_devices_in(b);
	gate_map_look(b, NFPROTO_INET, "in", NFPROTO_IPV4, 16, "vip4");
	gate_map_look(b, NFPROTO_INET, "in", NFPROTO_IPV6, 24, "vip6");

	gate_batch_chain(b, NFPROTO_INET, "out", NF_INET_POST_ROUTING, 300); /* after source NAT */
	if (quiet)
		gate_devices_out(b);
	put_advert(b);
	gate_map_look(b, NFPROTO_INET, "out", NFPROTO_IPV4, 12, "vip4");
	gate_map_look(b, NFPROTO_INET, "out", NFPROTO_IPV6, 8, "vip6");

	/* The sender's protocol address behind six bytes of hardware address, RFC 826. */
	gate_batch_chain(b, NFPROTO_ARP, "out", NF_ARP_OUT, 0);
	gate_map_look(b, NFPROTO_ARP, "out", 0, 14, "vip4");
}

/* What came from the peer as an answer keeps the echo alive. */
static void put_heard(struct gate_batch *b, const struct gate_config *config)
{
	struct gate_rule r = gate_rule_begin(b, NFPROTO_INET, "heard");

	gate_rule_udp_to(&r, config->port);
	gate_rule_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, ECHO_FLAG_OFFSET, 1);
	gate_rule_equals_u8(&r, ECHO_FLAG);
	gate_rule_update(&r, "echo", config->echo_ms);
	gate_rule_end(&r);
}

/*
 * A marked heartbeat that leaves renews the lease, but never creates it. An
 * agent may be frozen between marking and sending, so the kernel itself looks
 * for a recent echo.
 */
static void put_beat(struct gate_batch *b, const struct gate_config *config, uint32_t mark,
		     bool echoed)
{
	struct gate_rule r = gate_rule_begin(b, NFPROTO_INET, "beat");

	gate_rule_meta(&r, NFT_META_MARK);
	gate_rule_equals_u32(&r, mark);
	gate_rule_udp_to(&r, config->port);
	gate_rule_alive(&r, GATE_NODE, "lease");
	if (echoed)
		gate_rule_alive(&r, GATE_NODE, "echo");
	gate_rule_update(&r, "lease", config->lease_ms);
	gate_rule_end(&r);
}

/**
 * gate_rules_lay() - Lay both tables, closed, where there are none.
 * @b: the batch
 * @config: the configuration; groups of addresses are 1 to n_groups
 */
void gate_rules_lay(struct gate_batch *b, const struct gate_config *config)
{
	_cleanup_(nftnl_udata_buf_freep) struct nftnl_udata_buf *label = gate_label(config);
	bool quiet;

	assert(config->n_groups <= GATE_GROUPS_MAX);
	if (config->lease_ms < GATE_TIMEOUT_MIN_MS || config->echo_ms < GATE_TIMEOUT_MIN_MS)
		gate_batch_fail(b, -ERANGE);
	if (!label) {
		gate_batch_fail(b, -ENOMEM);
		return;
	}
	gate_batch_table(b, NFPROTO_INET, 0, label);
	gate_batch_table(b, NFPROTO_ARP, 0, label);
	for (size_t i = 0; i < ARRAY_SIZE(set_plans); i++)
		gate_batch_set(b, &set_plans[i]);
	for (uint32_t group = 1; group <= config->n_groups; group++)
		put_group(b, group);
	quiet = gate_devices_lay(b, config);
	for (size_t i = 0; i < ARRAY_SIZE(map_plans); i++)
		gate_map_fill(b, &map_plans[i], config);
	put_filters(b, quiet);
	gate_batch_chain(b, NFPROTO_INET, "heard", NF_INET_LOCAL_IN, 0);
	put_heard(b, config);
	gate_batch_chain(b, NFPROTO_INET, "beat", NF_INET_LOCAL_OUT, 0);
	put_beat(b, config, config->mark, true);
	put_beat(b, config, config->mark + 1, false);
}

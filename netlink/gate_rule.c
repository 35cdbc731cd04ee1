/* SPDX-License-Identifier: MIT */
#include "netlink/gate_rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netinet/tcp.h>

/*
 * libnftnl's setters can only fail by lack of memory, and then leave the
 * attribute out: the kernel refuses such a message. So only allocations are
 * checked here.
 */

/**
 * gate_rule_begin() - Start a rule at the end of a chain.
 * @b: the batch; borrowed until gate_rule_end()
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @chain: name of the chain
 *
 * Return: the rule, to be passed to gate_rule_end().
 */
struct gate_rule gate_rule_begin(struct gate_batch *b, uint16_t family, const char *chain)
{
	struct gate_rule r = { .b = b, .family = family, .rule = nftnl_rule_alloc() };

	if (!r.rule) {
		gate_batch_fail(b, -ENOMEM);
		return r;
	}
	nftnl_rule_set_str(r.rule, NFTNL_RULE_TABLE, r.b->table);
	nftnl_rule_set_str(r.rule, NFTNL_RULE_CHAIN, chain);
	return r;
}

/**
 * gate_rule_end() - Put the rule into its batch and free it.
 * @r: the rule
 */
void gate_rule_end(struct gate_rule *r)
{
	struct nlmsghdr *nlh;

	if (!r->rule)
		return;
	nlh = gate_batch_begin(r->b, NFT_MSG_NEWRULE, r->family, NLM_F_CREATE | NLM_F_APPEND);
	if (nlh) {
		nftnl_rule_nlmsg_build_payload(nlh, r->rule);
		gate_batch_end(r->b, nlh);
	}
	nftnl_rule_free(r->rule);
	r->rule = NULL;
}

/* A new expression at the end of the rule; NULL: the batch has an error. */
static struct nftnl_expr *add(struct gate_rule *r, const char *name)
{
	struct nftnl_expr *e = r->rule ? nftnl_expr_alloc(name) : NULL;

	if (!e) {
		gate_batch_fail(r->b, -ENOMEM);
		return NULL;
	}
	nftnl_rule_add_expr(r->rule, e);
	return e;
}

/**
 * gate_rule_meta() - Load what the kernel knows of the packet.
 * @r: the rule
 * @key: NFT_META_*
 */
void gate_rule_meta(struct gate_rule *r, uint32_t key)
{
	struct nftnl_expr *e = add(r, "meta");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

/**
 * gate_rule_payload() - Load bytes of the packet; without them the rule ends.
 * @r: the rule
 * @base: NFT_PAYLOAD_*_HEADER
 * @offset: bytes from there
 * @len: bytes
 */
void gate_rule_payload(struct gate_rule *r, uint32_t base, uint32_t offset, uint32_t len)
{
	struct nftnl_expr *e = add(r, "payload");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
}

/* Goes on only if what was loaded has this value, as it is in the register. */
static void equals(struct gate_rule *r, const void *value, uint32_t len)
{
	struct nftnl_expr *e = add(r, "cmp");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, value, len);
}

/**
 * gate_rule_equals_u8() - Go on only if the byte that was loaded has this value.
 * @r: the rule
 * @value: the value
 */
void gate_rule_equals_u8(struct gate_rule *r, uint8_t value)
{
	equals(r, &value, sizeof(value));
}

/**
 * gate_rule_equals_u32() - Go on only if the four bytes that were loaded have this value.
 * @r: the rule
 * @value: the value, host order
 */
void gate_rule_equals_u32(struct gate_rule *r, uint32_t value)
{
	equals(r, &value, sizeof(value));
}

/* Loads a constant in the one way that `nft` can list: mark & 0 ^ value. */
static void load_constant(struct gate_rule *r, uint32_t value)
{
	static const uint32_t zero;
	struct nftnl_expr *e;

	gate_rule_meta(r, NFT_META_MARK);
	e = add(r, "bitwise");
	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(value));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &zero, sizeof(zero));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &value, sizeof(value));
}

static struct nftnl_expr *lookup(struct gate_rule *r, const char *set)
{
	struct nftnl_expr *e = add(r, "lookup");

	if (!e)
		return NULL;
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	return e;
}

/**
 * gate_rule_alive() - Go on only while a constant is in a set.
 * @r: the rule
 * @key: GATE_NODE or number of a group
 * @set: name of the set
 */
void gate_rule_alive(struct gate_rule *r, uint32_t key, const char *set)
{
	load_constant(r, key);
	(void)lookup(r, set); /* as a match it is complete */
}

/**
 * gate_rule_vmap() - End with the verdict for what was loaded, if there is one.
 * @r: the rule
 * @map: name of the map
 */
void gate_rule_vmap(struct gate_rule *r, const char *map)
{
	struct nftnl_expr *e = lookup(r, map);

	if (e)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

/**
 * gate_rule_update() - Renew the node's element, which comes to be if it is not there.
 * @r: the rule
 * @set: name of the set
 * @timeout_ms: for how long from now; the kernel rounds down to a tick
 */
void gate_rule_update(struct gate_rule *r, const char *set, uint32_t timeout_ms)
{
	struct nftnl_expr *e;

	load_constant(r, GATE_NODE);
	e = add(r, "dynset");
	if (!e)
		return;
	nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, set);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u64(e, NFTNL_EXPR_DYNSET_TIMEOUT, timeout_ms);
}

/**
 * gate_rule_verdict() - End with a verdict.
 * @r: the rule
 * @verdict: NF_DROP or NFT_RETURN
 */
void gate_rule_verdict(struct gate_rule *r, int verdict)
{
	struct nftnl_expr *e = add(r, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
}

/**
 * gate_rule_goto() - End in another chain.
 * @r: the rule
 * @chain: its name
 */
void gate_rule_goto(struct gate_rule *r, const char *chain)
{
	struct nftnl_expr *e = add(r, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)NFT_GOTO);
	nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}

/**
 * gate_rule_fib_local() - Go on only if an address is one of this host.
 * @r: the rule
 * @flags: NFTA_FIB_F_SADDR or NFTA_FIB_F_DADDR
 */
void gate_rule_fib_local(struct gate_rule *r, uint32_t flags)
{
	struct nftnl_expr *e = add(r, "fib");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, flags);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	gate_rule_equals_u32(r, RTN_LOCAL);
}

/**
 * gate_rule_udp_to() - Go on only for UDP to a port.
 * @r: the rule
 * @port: the port, host order
 */
void gate_rule_udp_to(struct gate_rule *r, uint16_t port)
{
	uint16_t dport = htons(port);

	gate_rule_meta(r, NFT_META_L4PROTO);
	gate_rule_equals_u8(r, IPPROTO_UDP);
	gate_rule_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	equals(r, &dport, sizeof(dport));
}

/**
 * gate_rule_tcp_syn() - Go on only for what wants a new TCP connection.
 * @r: the rule
 */
void gate_rule_tcp_syn(struct gate_rule *r)
{
	/* The flags are in byte 13, RFC 9293, 3.1. */
	static const uint8_t flags = TH_FIN | TH_SYN | TH_RST | TH_ACK, zero;
	struct nftnl_expr *e;

	gate_rule_meta(r, NFT_META_L4PROTO);
	gate_rule_equals_u8(r, IPPROTO_TCP);
	gate_rule_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, sizeof(flags));
	e = add(r, "bitwise");
	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(flags));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &flags, sizeof(flags));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &zero, sizeof(zero));
	gate_rule_equals_u8(r, TH_SYN);
}

/**
 * gate_rule_icmpv6() - Go on only for one type of ICMPv6 message.
 * @r: the rule, of the family NFPROTO_INET
 * @type: the message's type, RFC 4443, 2.1
 */
void gate_rule_icmpv6(struct gate_rule *r, uint8_t type)
{
	gate_rule_meta(r, NFT_META_NFPROTO);
	gate_rule_equals_u8(r, NFPROTO_IPV6);
	gate_rule_meta(r, NFT_META_L4PROTO);
	gate_rule_equals_u8(r, IPPROTO_ICMPV6);
	gate_rule_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
	gate_rule_equals_u8(r, type);
}

/**
 * gate_rule_may_ask() - Go on only for an ARP request while a group may ask.
 * @r: the rule, of the family NFPROTO_ARP
 * @group: number of the group
 */
void gate_rule_may_ask(struct gate_rule *r, uint32_t group)
{
	const uint16_t request = htons(ARPOP_REQUEST);

	gate_rule_payload(r, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct arphdr, ar_op),
			  sizeof(request));
	equals(r, &request, sizeof(request));
	gate_rule_alive(r, GATE_NODE, "lease");
	gate_rule_alive(r, group, "ask");
}

/**
 * gate_rule_end_drop() - Count and drop the packets that come this far; gate_rule_end().
 * @r: the rule
 */
void gate_rule_end_drop(struct gate_rule *r)
{
	(void)add(r, "counter"); /* starts at zero by itself */
	gate_rule_verdict(r, NF_DROP);
	gate_rule_end(r);
}

/**
 * gate_rule_end_reset() - Count and refuse the TCP connections that come this far; gate_rule_end().
 * @r: the rule, of the family NFPROTO_INET, in a chain to which only TCP comes
 */
void gate_rule_end_reset(struct gate_rule *r)
{
	struct nftnl_expr *e;

	(void)add(r, "counter"); /* starts at zero by itself */
	e = add(r, "reject");
	if (e)
		nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
	gate_rule_end(r);
}

/**
 * gate_rule_drop() - A whole rule: count and drop what has come through the chain.
 * @b: the batch
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @chain: name of the chain
 */
void gate_rule_drop(struct gate_batch *b, uint16_t family, const char *chain)
{
	struct gate_rule r = gate_rule_begin(b, family, chain);

	gate_rule_end_drop(&r);
}

/**
 * gate_rule_drop_local() - A whole rule: count and drop what is to or from this host.
 * @b: the batch
 * @chain: name of the chain, of the family NFPROTO_INET
 * @flags: NFTA_FIB_F_SADDR or NFTA_FIB_F_DADDR
 */
void gate_rule_drop_local(struct gate_batch *b, const char *chain, uint32_t flags)
{
	struct gate_rule r = gate_rule_begin(b, NFPROTO_INET, chain);

	gate_rule_fib_local(&r, flags);
	gate_rule_end_drop(&r);
}

/**
 * gate_rule_pass() - A whole rule: return while the lease lives and a group is in a set.
 * @b: the batch
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @chain: name of the chain
 * @group: number of the group
 * @set: name of the set
 */
void gate_rule_pass(struct gate_batch *b, uint16_t family, const char *chain, uint32_t group,
		    const char *set)
{
	struct gate_rule r = gate_rule_begin(b, family, chain);

	gate_rule_alive(&r, GATE_NODE, "lease");
	gate_rule_alive(&r, group, set);
	gate_rule_verdict(&r, NFT_RETURN);
	gate_rule_end(&r);
}

/**
 * gate_rule_device() - Go on only for packets that leave by an interface.
 * @r: the rule
 * @name: of the interface, which need not be there
 */
void gate_rule_device(struct gate_rule *r, const char name[static IF_NAMESIZE])
{
	gate_rule_meta(r, NFT_META_OIFNAME);
	equals(r, name, IF_NAMESIZE);
}

/**
 * gate_rule_clear() - Overwrite four bytes of the network header with zeros.
 * @r: the rule
 * @offset: bytes from its beginning
 */
void gate_rule_clear(struct gate_rule *r, uint32_t offset)
{
	static const uint32_t zero;
	struct nftnl_expr *e = add(r, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, &zero, sizeof(zero));
	e = add(r, "payload");
	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, sizeof(zero));
}

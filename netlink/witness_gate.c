/* SPDX-License-Identifier: MIT */

/*
 * The gate as the kernel has it: sets of nftables, asked for and read with libnl
 * alone, by the names that takeoverd(8) gives them. What a rule does is not
 * judged: the rules are the same while the tables stand.
 */

#include "netlink/witness_private.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>

#define TABLE "takeover"
#define DRAIN_TABLE "takeover_drain"

enum { NODE = 0x7fffffff, GROUPS_MAX = 255 };

/* What is in a set of numbers: groups; or the node, which is not one of them. */
struct numbers {
	bool node;
	bool groups[GROUPS_MAX + 1];
};

/* A set that is being read: into @numbers; or into @gate, if it is a map of addresses. */
struct reading {
	struct numbers *numbers;
	struct witness_gate *gate;
	enum witness_gate_kind kind;
	const struct numbers *lease, *open; /* what lets through those of a map; NULL: nothing */
	int err;
};

static const struct nlattr *nested(const struct nlattr *attr, int type)
{
	return attr ? nla_find(nla_data(attr), nla_len(attr), type) : NULL;
}

static void take_number(struct numbers *numbers, const struct nlattr *key)
{
	uint32_t number;

	if (nla_len(key) != sizeof(number))
		return;
	memcpy(&number, nla_data(key), sizeof(number)); /* in the order of the host, as a mark */
	if (number == NODE)
		numbers->node = true;
	else if (number <= GROUPS_MAX)
		numbers->groups[number] = true;
}

/* The group that an address of a map leads to, by the name of its chain; 0: none. */
static unsigned group_of(const struct nlattr *elem)
{
	const struct nlattr *data = nested(elem, NFTA_SET_ELEM_DATA);
	const struct nlattr *chain = nested(nested(data, NFTA_DATA_VERDICT), NFTA_VERDICT_CHAIN);
	unsigned group = 0;

	if (!chain || sscanf(nla_get_string(chain), "%*[a-z]_%u", &group) != 1)
		return 0;
	return group <= GROUPS_MAX ? group : 0;
}

static int take_vip(struct reading *reading, const struct nlattr *elem, const struct nlattr *key)
{
	struct witness_gate_vip *more, vip = { .kind = reading->kind };
	struct witness_gate *gate = reading->gate;
	const unsigned group = group_of(elem);

	if (nla_len(key) != 4 && nla_len(key) != 16)
		return 0;
	vip.ip.family = nla_len(key) == 4 ? 4 : 6;
	memcpy(vip.ip.bytes, nla_data(key), ip_len(&vip.ip));
	vip.open = group && reading->lease && reading->lease->node && reading->open->groups[group];
	more = witness_grow(gate->v, gate->n, sizeof(vip));
	if (!more)
		return -ENOMEM;
	gate->v = more;
	gate->v[gate->n++] = vip;
	return 0;
}

static int on_elements(struct nl_msg *msg, void *arg)
{
	const struct nlattr *list = nlmsg_find_attr(nlmsg_hdr(msg), sizeof(struct nfgenmsg),
						    NFTA_SET_ELEM_LIST_ELEMENTS);
	struct reading *reading = arg;
	const struct nlattr *elem;
	int rest;

	if (!list)
		return NL_OK;
	nla_for_each_nested(elem, list, rest)
	{
		const struct nlattr *key = nested(nested(elem, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);

		if (!key || reading->err < 0)
			continue;
		if (reading->gate)
			reading->err = take_vip(reading, elem, key);
		else
			take_number(reading->numbers, key);
	}
	return NL_OK;
}

/* -ENOENT: there is no such set or table */
static int read_set(uint8_t family, const char *table, const char *set, struct reading *reading)
{
	const struct nfgenmsg header = { .nfgen_family = family, .version = NFNETLINK_V0 };
	_cleanup_(nl_socket_freep) struct nl_sock *sock = NULL;
	_cleanup_(nlmsg_freep) struct nl_msg *msg = NULL;
	int r;

	r = witness_open(NETLINK_NETFILTER, &sock);
	if (r < 0)
		return r;
	msg = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, NLM_F_DUMP);
	if (!msg || nlmsg_append(msg, (void *)&header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, NFTA_SET_ELEM_LIST_TABLE, table) < 0 ||
	    nla_put_string(msg, NFTA_SET_ELEM_LIST_SET, set) < 0)
		return -ENOMEM;
	r = nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_elements, reading);
	if (r >= 0)
		r = nl_send_auto(sock, msg);
	if (r >= 0)
		r = nl_recvmsgs_default(sock);
	return r < 0 ? witness_errno(r) : reading->err;
}

static int read_numbers(uint8_t family, const char *set, struct numbers *ret)
{
	struct reading reading = { .numbers = ret };

	return read_set(family, TABLE, set, &reading);
}

static int read_sets(struct witness_gate *gate)
{
	struct numbers inet_lease = { 0 }, open = { 0 }, nd = { 0 };
	struct numbers arp_lease = { 0 }, arp = { 0 };
	const struct {
		uint8_t family;
		const char *name;
		struct numbers *numbers;
	} sets[] = {
		{ NFPROTO_INET, "lease", &inet_lease }, { NFPROTO_INET, "open", &open },
		{ NFPROTO_INET, "announce", &nd },	{ NFPROTO_ARP, "lease", &arp_lease },
		{ NFPROTO_ARP, "announce", &arp },
	};
	const struct {
		uint8_t family;
		const char *name;
		enum witness_gate_kind kind;
		const struct numbers *lease, *open;
	} maps[] = {
		{ NFPROTO_INET, "vip4", WITNESS_GATE_TRAFFIC, &inet_lease, &open },
		{ NFPROTO_INET, "vip6", WITNESS_GATE_TRAFFIC, &inet_lease, &open },
		{ NFPROTO_INET, "nd6", WITNESS_GATE_ANSWERS, &inet_lease, &nd },
		{ NFPROTO_ARP, "vip4", WITNESS_GATE_ANSWERS, &arp_lease, &arp },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sets) && r == 0; i++)
		r = read_numbers(sets[i].family, sets[i].name, sets[i].numbers);
	for (size_t i = 0; i < ARRAY_SIZE(maps) && r == 0; i++) {
		struct reading reading = { .gate = gate,
					   .kind = maps[i].kind,
					   .lease = maps[i].lease,
					   .open = maps[i].open };

		r = read_set(maps[i].family, TABLE, maps[i].name, &reading);
	}
	return r;
}

/* Most of the time there is no such table. */
static int read_drain(struct witness_gate *gate)
{
	struct reading reading = { .gate = gate, .kind = WITNESS_GATE_NEW };
	int r;

	r = read_set(NFPROTO_INET, DRAIN_TABLE, "vip4", &reading);
	if (r == 0)
		r = read_set(NFPROTO_INET, DRAIN_TABLE, "vip6", &reading);
	return r == -ENOENT ? 0 : r;
}

/**
 * witness_read_gate() - what the gate lets through
 * @ret: it; its array is the caller's to free, whatever comes of reading
 *
 * Return: 0, also if it may not be read, which is in @ret->err; -ENOMEM; -EAGAIN
 * if it has changed faster than it could be read.
 */
int witness_read_gate(struct witness_gate *ret)
{
	int r;

	r = read_sets(ret);
	if (r == 0)
		r = read_drain(ret);
	if (r == -ENOMEM || r == -EAGAIN)
		return r;
	ret->missing = r == -ENOENT;
	ret->err = ret->missing ? 0 : r;
	return 0;
}

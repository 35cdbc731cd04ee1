/* SPDX-License-Identifier: MIT */
#include "netlink/gate.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "netlink/gate_batch.h"
#include "netlink/gate_label.h"
#include "netlink/gate_moat.h"
#include "netlink/gate_rules.h"

DEFINE_CLEANUP(struct nftnl_table *, nftnl_table_free)
DEFINE_CLEANUP(struct nftnl_set *, nftnl_set_free)
DEFINE_CLEANUP(struct nftnl_udata_buf *, nftnl_udata_buf_free)
DEFINE_CLEANUP(struct nftnl_set_elems_iter *, nftnl_set_elems_iter_destroy)

/* Room for a request of a dump: two headers, the name of the table and of a set. */
enum { REQUEST_MAX = 256 };

/* One of the sets of one of the tables. */
struct set_name {
	uint16_t family;
	const char *name;
};

/* The sets whose elements are groups: with all of them off, the gate is closed. */
static const struct set_name switches[] = {
	{ NFPROTO_INET, "open" },
	{ NFPROTO_INET, "announce" },
	{ NFPROTO_ARP, "announce" },
	{ NFPROTO_ARP, "ask" },
};

static const struct set_name leases[] = {
	{ NFPROTO_INET, "lease" },
	{ NFPROTO_ARP, "lease" },
};

static void flush(struct gate_batch *b, const struct set_name *sets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		gate_batch_flush(b, sets[i].family, sets[i].name);
}

static void add_leases(struct gate_batch *b, uint32_t lease_ms)
{
	for (size_t i = 0; i < ARRAY_SIZE(leases); i++)
		gate_batch_grant(b, leases[i].family, leases[i].name, GATE_NODE, lease_ms);
}

static void set_level(struct gate_batch *b, const struct gate_config *config, uint32_t group,
		      enum gate_level level)
{
	const bool on[] = { level >= GATE_SERVE, level >= GATE_ANSWER, level >= GATE_ANSWER,
			    level >= GATE_READY };

	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		/* What is not there cannot be deleted, so it is added first. */
		gate_batch_add_named(b, switches[i].family, switches[i].name, group,
				     config->names[group - 1]);
		if (!on[i])
			gate_batch_delete(b, switches[i].family, switches[i].name, group);
	}
	gate_moat_set(b, config, group, level >= GATE_SERVE);
}

/**
 * gate_install() - Lay gate and moat anew, in one transaction; what was there goes.
 * @nf: socket of NETLINK_NETFILTER, which will own the moat: that ends with it
 * @config: groups, addresses, port, marks and times; borrowed for the call
 * @keep: what to put in at once, with a new lease, if its lease is alive (the
 *	repair of a gate that a stranger flushed); NULL: the gate is closed
 *
 * Before and after the commit the gate is as it was and as it is to be, there
 * is no moment between. Listeners hear the tables deleted even if there were none.
 *
 * Return: 0; -ENOMEM; -ERANGE when a time is below 10 ms; -EEXIST or -EBUSY
 * when two groups have the same address; -EPERM without CAP_NET_ADMIN or when
 * another process owns the tables; what nl_transact() returns.
 */
int gate_install(struct nl *nf, const struct gate_config *config, const struct gate_state *keep)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };

	gate_rules_remove(&b);
	gate_moat_remove(&b);
	gate_rules_lay(&b, config);
	gate_moat_lay(&b, config);
	if (keep && keep->lease_alive) {
		add_leases(&b, keep->lease_ms ? keep->lease_ms : config->lease_ms);
		for (uint32_t group = 1; group <= config->n_groups; group++)
			if (keep->levels[group] != GATE_CLOSED)
				set_level(&b, config, group, keep->levels[group]);
	}
	return gate_batch_send(&b, nf);
}

/**
 * gate_guard() - Lay the moat anew round a gate that stands.
 * @nf: socket of NETLINK_NETFILTER, which will own it
 * @config: for which the gate was laid
 * @state: how the gate stands, of gate_read()
 *
 * For a gate that a former process has left: the moat ended with that. Without
 * staged groups there is none afterwards either.
 *
 * Return: 0; -ENOMEM; -EPERM as for gate_install(); what nl_transact() returns.
 */
int gate_guard(struct nl *nf, const struct gate_config *config, const struct gate_state *state)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };

	gate_moat_remove(&b);
	gate_moat_lay(&b, config);
	for (uint32_t group = 1; group <= config->n_groups; group++)
		if (state->levels[group] != GATE_CLOSED)
			gate_moat_set(&b, config, group, true);
	return gate_batch_send(&b, nf);
}

/**
 * gate_remove() - Delete gate and moat; fine if they are not there. This opens.
 * @nf: socket of NETLINK_NETFILTER
 *
 * Return: 0; -ENOMEM; -EPERM as for gate_install(); what nl_transact() returns.
 */
int gate_remove(struct nl *nf)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };

	gate_rules_remove(&b);
	gate_moat_remove(&b);
	return gate_batch_send(&b, nf);
}

/* Looks for our two tables, with the right label or with any. */
struct table_search {
	struct nftnl_udata_buf *label;
	bool inet, arp;
	bool any;
};

static int visit_table(const struct nlmsghdr *nlh, void *data)
{
	_cleanup_(nftnl_table_freep) struct nftnl_table *table = nftnl_table_alloc();
	struct table_search *search = data;
	const void *udata;
	uint32_t family, len;

	if (!table)
		return -ENOMEM;
	if (nftnl_table_nlmsg_parse(nlh, table) < 0 ||
	    strcmp(nftnl_table_get_str(table, NFTNL_TABLE_NAME), GATE_TABLE) != 0)
		return 0;
	search->any = true;
	udata = nftnl_table_get_data(table, NFTNL_TABLE_USERDATA, &len);
	if (!udata || len != nftnl_udata_buf_len(search->label) ||
	    memcmp(udata, nftnl_udata_buf_data(search->label), len) != 0)
		return 0;
	family = nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY);
	search->inet |= family == NFPROTO_INET;
	search->arp |= family == NFPROTO_ARP;
	return 0;
}

/* What is in one of the sets. */
struct contents {
	const struct gate_config
		*by_name; /* groups are known by their names in it; NULL: as numbered */
	bool groups[ARRAY_SIZE(((struct gate_state *)0)->levels)];
	uint32_t node_ms; /* the time that the node has left, UINT32_MAX: for ever, 0: not there */
};

/*
 * The comment in the user data of an element; NULL: there is none. Anybody may have written it,
 * and libnftnl goes by the lengths that are in it: type, length, value, one behind the other.
 */
static const char *find_comment(const uint8_t *data, uint32_t len)
{
	while (len >= 2 && data[1] <= len - 2) {
		uint32_t size = 2u + data[1];

		if (data[0] == NFTNL_UDATA_SET_ELEM_COMMENT && size > 2 && !data[size - 1])
			return (const char *)data + 2;
		data += size;
		len -= size;
	}
	return NULL;
}

/* The number of the group that an element's comment names; 0: none of ours. */
static uint32_t number_by_name(struct nftnl_set_elem *elem, const struct gate_config *config)
{
	uint32_t len;
	const void *udata = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_USERDATA, &len);
	const char *name = udata ? find_comment(udata, len) : NULL;

	for (uint32_t group = 1; name && group <= config->n_groups; group++)
		if (!strcmp(config->names[group - 1], name))
			return group;
	return 0;
}

/* An element that is told of lives, even if less than a millisecond is left. */
static uint32_t left_ms(struct nftnl_set_elem *elem)
{
	uint64_t left;

	if (!nftnl_set_elem_is_set(elem, NFTNL_SET_ELEM_EXPIRATION))
		return UINT32_MAX;
	left = nftnl_set_elem_get_u64(elem, NFTNL_SET_ELEM_EXPIRATION);
	if (left == 0)
		return 1;
	return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

static int visit_elements(const struct nlmsghdr *nlh, void *data)
{
	_cleanup_(nftnl_set_freep) struct nftnl_set *set = nftnl_set_alloc();
	_cleanup_(nftnl_set_elems_iter_destroyp) struct nftnl_set_elems_iter *iter = NULL;
	struct contents *contents = data;
	struct nftnl_set_elem *elem;

	if (!set)
		return -ENOMEM;
	if (nftnl_set_elems_nlmsg_parse(nlh, set) < 0)
		return -EBADMSG;
	iter = nftnl_set_elems_iter_create(set);
	if (!iter)
		return -ENOMEM;
	while ((elem = nftnl_set_elems_iter_next(iter))) {
		uint32_t len, key;
		const void *bytes = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &len);

		if (!bytes || len != sizeof(key))
			continue;
		memcpy(&key, bytes, sizeof(key));
		if (key == GATE_NODE)
			contents->node_ms = left_ms(elem);
		else if (contents->by_name)
			contents->groups[number_by_name(elem, contents->by_name)] = true;
		else if (key < ARRAY_SIZE(contents->groups))
			contents->groups[key] = true;
	}
	return 0;
}

/* Elements that have run out are not told of. Return: -ENOENT when there is no such set. */
static int read_set(struct nl *nf, const struct set_name *name, const struct gate_config *by_name,
		    struct contents *ret)
{
	_cleanup_(nftnl_set_freep) struct nftnl_set *set = nftnl_set_alloc();
	_Alignas(struct nlmsghdr) char buf[REQUEST_MAX] = { 0 }; /* padding, too */
	struct nlmsghdr *nlh;

	if (!set)
		return -ENOMEM;
	nftnl_set_set_str(set, NFTNL_SET_TABLE, GATE_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name->name);
	nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETSETELEM, name->family, 0, 0);
	nftnl_set_elems_nlmsg_build_payload(nlh, set);
	*ret = (struct contents){ .by_name = by_name };
	return nl_dump(nf, nlh, visit_elements, ret);
}

static int read_installed(struct nl *nf, const struct gate_config *config, struct gate_state *state)
{
	_cleanup_(nftnl_udata_buf_freep) struct nftnl_udata_buf *label = gate_label(config);
	_Alignas(struct nlmsghdr) char buf[REQUEST_MAX] = { 0 }; /* padding, too */
	struct table_search search = { .label = label };
	struct nlmsghdr *nlh;
	int r;

	if (!label)
		return -ENOMEM;
	nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETTABLE, NFPROTO_UNSPEC, 0, 0);
	r = nl_dump(nf, nlh, visit_table, &search);
	if (r < 0)
		return r;
	state->installed = search.inet && search.arp;
	state->other = search.any && !state->installed;
	return 0;
}

/**
 * gate_read() - Ask the kernel what stands.
 * @nf: socket of NETLINK_NETFILTER
 * @config: the configuration for which the tables should have been laid
 * @ret: what stands. Lease and levels are told of a gate laid for another
 *	configuration as well, where groups are known by their names; a level
 *	counts as GATE_ANSWER only when ARP and ND agree. Levels of a gate
 *	without a living lease are closed in effect.
 *
 * Return: 0; -ENOMEM; what nl_dump() returns.
 */
int gate_read(struct nl *nf, const struct gate_config *config, struct gate_state *ret)
{
	struct gate_state state = { 0 };
	struct contents lease, on[ARRAY_SIZE(switches)];
	int r;

	r = read_installed(nf, config, &state);
	if (r < 0)
		return r;
	/* A set that is not there has nothing in it. */
	r = read_set(nf, &leases[0], NULL, &lease);
	if (r < 0 && r != -ENOENT)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		r = read_set(nf, &switches[i], state.other ? config : NULL, &on[i]);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	state.lease_alive = lease.node_ms > 0;
	for (size_t i = 1; i < ARRAY_SIZE(state.levels); i++) {
		if (on[0].groups[i] && on[1].groups[i] && on[2].groups[i])
			state.levels[i] = GATE_ANSWER;
		else if (on[0].groups[i] && on[3].groups[i])
			state.levels[i] = GATE_READY;
		else if (on[0].groups[i])
			state.levels[i] = GATE_SERVE;
	}
	*ret = state;
	return 0;
}

/**
 * gate_lease_left() - Ask the kernel how long the lease lasts if nobody renews it.
 * @nf: socket of NETLINK_NETFILTER
 * @ret_ms: for how long from now, of the one in the inet table; 0 when it has
 *	run out
 *
 * Return: 0; -ENOENT when the gate is not installed; -ENOMEM; what nl_dump() returns.
 */
int gate_lease_left(struct nl *nf, uint32_t *ret_ms)
{
	struct contents lease;
	int r = read_set(nf, &leases[0], NULL, &lease);

	if (r < 0)
		return r;
	*ret_ms = lease.node_ms;
	return 0;
}

/**
 * gate_ticket() - Allow one gate_create() of a group from now on, for a short time.
 * @nf: socket of NETLINK_NETFILTER
 * @group: number of the group, from 1
 * @valid_ms: how long, from 10; a ticket that is still there is replaced
 *
 * Return: 0; -ENOENT when the gate is not installed; -ERANGE when @valid_ms is
 * below 10; -ENOMEM; what nl_transact() returns.
 */
int gate_ticket(struct nl *nf, uint32_t group, uint32_t valid_ms)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };

	/* What is not there cannot be deleted, so it is added first. */
	gate_batch_add(&b, NFPROTO_INET, "ticket", group);
	gate_batch_delete(&b, NFPROTO_INET, "ticket", group);
	gate_batch_grant(&b, NFPROTO_INET, "ticket", group, valid_ms);
	return gate_batch_send(&b, nf);
}

/**
 * gate_create() - Begin a lease, with one group open and all others closed.
 * @nf: socket of NETLINK_NETFILTER
 * @config: as for gate_set(), and for lease_ms
 * @group: the group
 * @level: what it may do
 *
 * Takes the ticket away, so an order that was decided before a freeze and is
 * carried out after it opens nothing. A lease that lives is replaced.
 *
 * Return: 0; -ENOENT when the ticket has run out, was used or the gate is not
 * installed: then nothing has changed; -ERANGE; -ENOMEM; what nl_transact() returns.
 */
int gate_create(struct nl *nf, const struct gate_config *config, uint32_t group,
		enum gate_level level)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };

	gate_batch_delete(&b, NFPROTO_INET, "ticket", group);
	flush(&b, switches, ARRAY_SIZE(switches));
	flush(&b, leases, ARRAY_SIZE(leases));
	gate_moat_flush(&b, config);
	add_leases(&b, config->lease_ms);
	set_level(&b, config, group, level);
	return gate_batch_send(&b, nf);
}

/**
 * gate_set() - Say what one group may do while the lease lives.
 * @nf: socket of NETLINK_NETFILTER
 * @config: for which the gate was laid, and by this socket if groups are staged
 * @group: the group
 * @level: what it may do; fine if it may already
 *
 * Does not touch the lease.
 *
 * Return: 0; -ENOENT when the gate is not installed; -ENOMEM; what
 * nl_transact() returns.
 */
int gate_set(struct nl *nf, const struct gate_config *config, uint32_t group, enum gate_level level)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };

	set_level(&b, config, group, level);
	return gate_batch_send(&b, nf);
}

/**
 * gate_shut() - Close all groups and end the lease; fine if that is so already.
 * @nf: socket of NETLINK_NETFILTER
 * @config: as for gate_set()
 *
 * Return: 0; -ENOENT when the gate is not installed; -ENOMEM; what
 * nl_transact() returns.
 */
int gate_shut(struct nl *nf, const struct gate_config *config)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };

	flush(&b, switches, ARRAY_SIZE(switches));
	flush(&b, leases, ARRAY_SIZE(leases));
	gate_moat_flush(&b, config);
	return gate_batch_send(&b, nf);
}

/*
 * Deleting first makes it fail when the lease has run out, and is the one way
 * to a new time-out before Linux 6.12.
 */
static void renew(struct gate_batch *b, uint16_t family, uint32_t lease_ms)
{
	gate_batch_delete(b, family, "lease", GATE_NODE);
	gate_batch_grant(b, family, "lease", GATE_NODE, lease_ms);
}

/**
 * gate_refresh_arp() - Renew the lease in the arp table, which sees no heartbeats.
 * @nf: socket of NETLINK_NETFILTER
 * @lease_ms: for how long from now, from 10
 *
 * Return: 0; -ENOENT when it has run out (it stays out) or the gate is not
 * installed; -ERANGE when @lease_ms is below 10; -ENOMEM; what nl_transact() returns.
 */
int gate_refresh_arp(struct nl *nf, uint32_t lease_ms)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };

	renew(&b, NFPROTO_ARP, lease_ms);
	return gate_batch_send(&b, nf);
}

/**
 * gate_revive_arp() - Begin the lease in the arp table again.
 * @nf: socket of NETLINK_NETFILTER
 * @lease_ms: for how long from now, from 10
 *
 * For a caller who has seen that the lease itself lives (gate_lease_left()) and
 * only came too late with refreshing its copy.
 *
 * Return: 0; -ENOENT when the gate is not installed; -ERANGE when @lease_ms is
 * below 10; -ENOMEM; what nl_transact() returns.
 */
int gate_revive_arp(struct nl *nf, uint32_t lease_ms)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };

	gate_batch_flush(&b, NFPROTO_ARP, "lease");
	gate_batch_grant(&b, NFPROTO_ARP, "lease", GATE_NODE, lease_ms);
	return gate_batch_send(&b, nf);
}

/**
 * gate_extend() - Give both leases a longer time, for a planned restart.
 * @nf: socket of NETLINK_NETFILTER
 * @lease_ms: for how long from now, from 10; the next marked heartbeat makes it
 *	lease_ms of the configuration again
 *
 * Return: 0; -ENOENT when one of them has run out or the gate is not installed:
 * then nothing has changed; -ERANGE when @lease_ms is below 10; -ENOMEM; what
 * nl_transact() returns.
 */
int gate_extend(struct nl *nf, uint32_t lease_ms)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };

	renew(&b, NFPROTO_INET, lease_ms);
	renew(&b, NFPROTO_ARP, lease_ms);
	return gate_batch_send(&b, nf);
}

/* SPDX-License-Identifier: MIT */

#include "netlink/addr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <time.h>

#include "agent/cleanup.h"
#include "netlink/local.h"

struct addrs {
	struct addr *v;
	size_t n;
	size_t size;
};

/* An IPv6 address whose local route is awaited. */
struct awaited {
	int ifindex;
	uint8_t bytes[16];
	bool there;
};

/* Sorted, each one once. */
struct wait {
	struct awaited *v;
	size_t n;
	size_t n_missing;
};

static void addrs_done(struct addrs *a)
{
	free(a->v);
}

static void wait_done(struct wait *w)
{
	free(w->v);
}

/* What names an address to the kernel: it looks at all four. */
static void put_address(struct nlmsghdr *nlh, const struct addr *a)
{
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	assert(a->ip.family == 4 || a->ip.family == 6);
	ifa->ifa_family = a->ip.family == 4 ? AF_INET : AF_INET6;
	ifa->ifa_prefixlen = a->prefix;
	ifa->ifa_index = (uint32_t)a->ifindex;
	mnl_attr_put(nlh, IFA_LOCAL, ip_len(&a->ip), a->ip.bytes);
	/* Without it RTM_DELADDR for IPv4 would not compare the prefix length. */
	mnl_attr_put(nlh, IFA_ADDRESS, ip_len(&a->ip), a->ip.bytes);
}

static void build_add(struct nlmsghdr *nlh, size_t i, const void *data)
{
	const struct addr *a = (const struct addr *)data + i;
	struct ifa_cacheinfo lifetime = { .ifa_valid = a->valid_s, .ifa_prefered = a->valid_s };
	uint32_t flags = IFA_F_NOPREFIXROUTE;

	nlh->nlmsg_type = RTM_NEWADDR;
	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	put_address(nlh, a);
	if (a->ip.family == 6) {
		/* Never a source address by accident; no duplicate detection, we asked. */
		lifetime.ifa_prefered = 0;
		flags |= IFA_F_NODAD;
	}
	mnl_attr_put_u32(nlh, IFA_FLAGS, flags);
	mnl_attr_put(nlh, IFA_CACHEINFO, sizeof(lifetime), &lifetime);
	mnl_attr_put_u8(nlh, IFA_PROTO, ADDR_TAG);
	if (*a->label)
		mnl_attr_put_strz(nlh, IFA_LABEL, a->label);
}

static void build_remove(struct nlmsghdr *nlh, size_t i, const void *data)
{
	nlh->nlmsg_type = RTM_DELADDR;
	put_address(nlh, (const struct addr *)data + i);
}

static void build_unroute(struct nlmsghdr *nlh, size_t i, const void *data)
{
	const struct addr *a = (const struct addr *)data + i;
	struct rtmsg *rtm;

	nlh->nlmsg_type = RTM_DELROUTE;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = AF_INET6;
	rtm->rtm_dst_len = 128;
	rtm->rtm_table = RT_TABLE_LOCAL;
	rtm->rtm_type = RTN_LOCAL;
	mnl_attr_put(nlh, RTA_DST, ip_len(&a->ip), a->ip.bytes);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)a->ifindex);
}

/**
 * addr_add() - Put addresses on links with our tag, or refresh their lifetime.
 * @nl: a socket of NETLINK_ROUTE
 * @v: the addresses; the lifetime counts from now. The tag is always ours.
 * @n: number of them
 * @ret_errors: array of @n: 0 or the kernel's negative errno for each, and as
 *	nl_each() says; -EINVAL for a lifetime of 0, -ENODEV for a link that is gone
 *
 * An address that is there already with this prefix becomes ours, whoever's it
 * was: look at addr_list() before. Its label stays what it was. An IPv6 address
 * does not work yet when this returns, see addr_wait_local().
 *
 * Return: 0 when the kernel was asked for all; what nl_each() returns.
 */
int addr_add(struct nl *nl, const struct addr *v, size_t n, int *ret_errors)
{
	return nl_each(nl, n, build_add, v, ret_errors);
}

static bool are_ours(const struct addr *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].tag != ADDR_TAG)
			return false;
	return true;
}

/**
 * addr_remove() - Take addresses of ours off their links.
 * @nl: a socket of NETLINK_ROUTE
 * @v: the addresses as addr_list() said, all with our tag. The kernel knows
 *	them by link, address and prefix length, and cannot be asked to look at
 *	the tag: what addr_list() said should be fresh.
 * @n: number of them
 * @ret_errors: array of @n: 0 or the kernel's negative errno for each, and as
 *	nl_each() says; -EADDRNOTAVAIL for an address that is not there
 *
 * The first IPv4 address of a subnet takes the others of that subnet along,
 * unless promote_secondaries is set on the link.
 *
 * Return: 0 when the kernel was asked for all; -EPERM when one of them does not
 * bear our tag: none has been removed, and @ret_errors is untouched; what
 * nl_each() returns.
 */
int addr_remove(struct nl *nl, const struct addr *v, size_t n, int *ret_errors)
{
	if (!are_ours(v, n))
		return -EPERM;
	return nl_each(nl, n, build_remove, v, ret_errors);
}

/**
 * addr_unroute() - Take away the local routes of IPv6 addresses that are about to be removed.
 * @nl: a socket of NETLINK_ROUTE
 * @v: the addresses, all with our tag; IPv4 ones are passed over
 * @n: number of them
 * @ret_errors: array of @n: 0 or the kernel's negative errno for each, and as
 *	nl_each() says; -ESRCH for an address whose route is not there
 *
 * For each IPv6 address that it removes the kernel walks through all IPv6 routes, in
 * search of those that have it as their source. Each address has a route itself: of
 * 5,000 that walk takes some seconds, and nearly nothing if the routes have gone
 * before, which takes 5 µs each. What has lost its route does not work any more, and
 * adding it again does not bring that back: see to it that it is removed.
 *
 * Return: as addr_remove().
 */
int addr_unroute(struct nl *nl, const struct addr *v, size_t n, int *ret_errors)
{
	size_t end;
	int r = 0;

	if (!are_ours(v, n))
		return -EPERM;
	memset(ret_errors, 0, n * sizeof(*ret_errors));
	for (size_t i = 0; r == 0 && i < n; i = end) {
		for (end = i + 1; end < n && v[end].ip.family == v[i].ip.family; end++)
			;
		if (v[i].ip.family == 6)
			r = nl_each(nl, end - i, build_unroute, v + i, ret_errors + i);
	}
	return r;
}

/**
 * addr_parse() - Read an address from a message of the kernel.
 * @nlh: a message of at least nlmsg_len bytes, otherwise not trusted
 * @ret: the address
 *
 * Return: 0; -EBADMSG when it is not a whole RTM_NEWADDR or RTM_DELADDR;
 * -EAFNOSUPPORT when it is about neither IPv4 nor IPv6.
 */
int addr_parse(const struct nlmsghdr *nlh, struct addr *ret)
{
	const struct nlattr *attrs[IFA_PROTO + 1];
	const struct nlattr *cacheinfo, *proto, *label;
	const struct ifaddrmsg *ifa;
	struct addr a = { .valid_s = UINT32_MAX };
	uint8_t family;

	if (nlh->nlmsg_type != RTM_NEWADDR && nlh->nlmsg_type != RTM_DELADDR)
		return -EBADMSG;
	if (nl_attrs(nlh, sizeof(*ifa), attrs, ARRAY_SIZE(attrs)) < 0)
		return -EBADMSG;
	ifa = mnl_nlmsg_get_payload(nlh);
	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return -EAFNOSUPPORT;
	family = ifa->ifa_family == AF_INET ? 4 : 6;

	/* With a peer IFA_ADDRESS is the peer's; without one IPv6 has no IFA_LOCAL. */
	if (nl_attr_ip(attrs[attrs[IFA_LOCAL] ? IFA_LOCAL : IFA_ADDRESS], family, &a.ip) < 0)
		return -EBADMSG;
	if (ifa->ifa_prefixlen > 8 * ip_len(&a.ip) || ifa->ifa_index == 0 ||
	    ifa->ifa_index > INT32_MAX)
		return -EBADMSG;
	a.prefix = ifa->ifa_prefixlen;
	a.ifindex = (int)ifa->ifa_index;

	proto = attrs[IFA_PROTO];
	if (proto && mnl_attr_get_payload_len(proto) >= sizeof(uint8_t))
		a.tag = mnl_attr_get_u8(proto);
	/* The bit means something else in IPv6; IFA_FLAGS is for those above the eighth. */
	a.secondary = family == 4 && (ifa->ifa_flags & IFA_F_SECONDARY);
	cacheinfo = attrs[IFA_CACHEINFO];
	if (cacheinfo && mnl_attr_get_payload_len(cacheinfo) >= sizeof(struct ifa_cacheinfo)) {
		const struct ifa_cacheinfo *lifetime = mnl_attr_get_payload(cacheinfo);

		a.valid_s = lifetime->ifa_valid;
	}
	label = attrs[IFA_LABEL];
	if (label && mnl_attr_validate(label, MNL_TYPE_NUL_STRING) == 0 &&
	    mnl_attr_get_payload_len(label) <= sizeof(a.label))
		memcpy(a.label, mnl_attr_get_payload(label), mnl_attr_get_payload_len(label));
	*ret = a;
	return 0;
}

static int addrs_add(const struct nlmsghdr *nlh, void *data)
{
	struct addrs *a = data;
	struct addr *v;
	int r;

	v = nl_more(a->v, a->n, &a->size, sizeof(*v));
	if (!v)
		return -ENOMEM;
	a->v = v;
	r = addr_parse(nlh, &a->v[a->n]);
	if (r == -EAFNOSUPPORT)
		return 0;
	a->n++;
	return r;
}

/**
 * addr_list() - Read all IPv4 and IPv6 addresses of the network namespace, ours and others'.
 * @nl: a socket of NETLINK_ROUTE
 * @ret: array of the addresses, heap; the caller's to free
 * @ret_n: number of them
 *
 * Return: 0; -ENOMEM; -EBADMSG when the kernel sent what is not an address;
 * what nl_dump() returns.
 */
int addr_list(struct nl *nl, struct addr **ret, size_t *ret_n)
{
	_cleanup_(addrs_done) struct addrs a = { 0 };
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int r;

	nlh->nlmsg_type = RTM_GETADDR;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg));
	r = nl_dump(nl, nlh, addrs_add, &a);
	if (r < 0)
		return r;
	*ret_n = a.n;
	*ret = TAKE(a.v);
	return 0;
}

static int awaited_compare(const void *x, const void *y)
{
	const struct awaited *a = x, *b = y;

	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int wait_init(struct wait *w, const struct addr *v, size_t n)
{
	size_t n_unique = 0;

	w->v = calloc(n, sizeof(*w->v));
	if (!w->v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (v[i].ip.family != 6)
			continue;
		w->v[w->n].ifindex = v[i].ifindex;
		memcpy(w->v[w->n++].bytes, v[i].ip.bytes, sizeof(w->v->bytes));
	}
	qsort(w->v, w->n, sizeof(*w->v), awaited_compare);
	for (size_t i = 0; i < w->n; i++)
		if (i == 0 || awaited_compare(&w->v[i], &w->v[i - 1]) != 0)
			w->v[n_unique++] = w->v[i];
	w->n = w->n_missing = n_unique;
	return 0;
}

/* Ticks an awaited address off if this is its local route. */
static int wait_visit(const struct nlmsghdr *nlh, void *data)
{
	struct awaited key = { 0 }, *found;
	struct wait *w = data;
	struct local local;

	/* What is no route, or none of these, is nothing that we wait for. */
	if (local_parse(nlh, &local) <= 0 || local.ip.family != 6 || local.prefix != 128)
		return 0;
	key.ifindex = local.ifindex;
	memcpy(key.bytes, local.ip.bytes, sizeof(key.bytes));
	found = bsearch(&key, w->v, w->n, sizeof(*w->v), awaited_compare);
	if (found && !found->there) {
		found->there = true;
		w->n_missing--;
	}
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail: the clock exists */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Hears of new routes until none is missing; -ENOBUFS when some went unheard. */
static int wait_hear(struct wait *w, int fd, int64_t deadline_ms)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_DATAGRAM_MAX];

	while (w->n_missing > 0) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		const struct nlmsghdr *nlh = (const void *)buf;
		int64_t left_ms = deadline_ms - now_ms();
		size_t len;
		int left, r;

		if (left_ms <= 0)
			return -ETIME;
		r = nl_receive(fd, buf, sizeof(buf), &len);
		if (r == -EAGAIN) {
			if (poll(&ready, 1, (int)left_ms) < 0 && errno != EINTR)
				return -errno;
			continue;
		}
		if (r < 0)
			return r;
		left = (int)len;
		for (; nl_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			(void)wait_visit(nlh, w); /* always 0 */
	}
	return 0;
}

/**
 * addr_wait_local() - Wait until IPv6 addresses that were added work.
 * @nl: a socket of NETLINK_ROUTE
 * @v: the addresses; IPv4 ones work at once and are passed over
 * @n: number of them
 * @timeout_ms: for how long at most, up to INT_MAX
 *
 * The kernel acknowledges RTM_NEWADDR before it has made the local route, which
 * comes from a work queue some 100 µs later, also while the link is down.
 * Not for links in a VRF, whose local routes are in another table.
 *
 * Return: 0; -ETIME when one has not come in time; -ENOMEM; what nl_dump(),
 * nl_socket() or poll() fails with.
 */
int addr_wait_local(struct nl *nl, const struct addr *v, size_t n, unsigned timeout_ms)
{
	_cleanup_(wait_done) struct wait w = { 0 };
	_cleanup_(close_fdp) int fd = -1;
	int64_t deadline_ms;
	size_t n_ipv6 = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		n_ipv6 += v[i].ip.family == 6;
	if (n_ipv6 == 0)
		return 0;
	r = wait_init(&w, v, n);
	if (r < 0)
		return r;

	/* Listen first, look then: so no route comes unseen between the two. */
	deadline_ms = now_ms() + timeout_ms;
	fd = nl_socket(NETLINK_ROUTE, 1U << (RTNLGRP_IPV6_ROUTE - 1));
	if (fd < 0)
		return fd;
	do {
		r = local_dump(nl, AF_INET6, wait_visit, &w);
		if (r == 0)
			r = wait_hear(&w, fd, deadline_ms);
	} while (r == -ENOBUFS && now_ms() < deadline_ms);
	return r == -ENOBUFS ? -ETIME : r;
}

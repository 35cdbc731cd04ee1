/* SPDX-License-Identifier: MIT */

#include "netlink/neigh.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "agent/cleanup.h"

/* An entry in one of these states has a MAC, and not one that follows from the address. */
enum { STATES = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT };

struct neighs {
	struct neigh *v;
	size_t n;
	size_t size;
	int ifindex;
};

static void neighs_done(struct neighs *l)
{
	free(l->v);
}

/* One host's, on Ethernet: neither a group's nor the zeros of a link that has none. */
static bool is_host_mac(const uint8_t mac[static 6])
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, sizeof(none)) != 0;
}

/**
 * neigh_parse() - Read an entry of the neighbour table from a message of the kernel.
 * @nlh: a message of at least nlmsg_len bytes, otherwise not trusted
 * @ret: the neighbour; never a gateway, of which this table knows nothing
 *
 * Return: 0; -EBADMSG when it is not a whole RTM_NEWNEIGH or RTM_DELNEIGH;
 * -EAFNOSUPPORT when it is about neither IPv4 nor IPv6, but about a bridge.
 */
int neigh_parse(const struct nlmsghdr *nlh, struct neigh *ret)
{
	const struct nlattr *attrs[NDA_CACHEINFO + 1];
	const struct nlattr *mac, *cacheinfo;
	const struct ndmsg *ndm;
	struct neigh neigh = { 0 };

	if (nlh->nlmsg_type != RTM_NEWNEIGH && nlh->nlmsg_type != RTM_DELNEIGH)
		return -EBADMSG;
	if (nl_attrs(nlh, sizeof(*ndm), attrs, ARRAY_SIZE(attrs)) < 0)
		return -EBADMSG;
	ndm = mnl_nlmsg_get_payload(nlh);
	if (ndm->ndm_family != AF_INET && ndm->ndm_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (nl_attr_ip(attrs[NDA_DST], ndm->ndm_family == AF_INET ? 4 : 6, &neigh.ip) < 0 ||
	    ndm->ndm_ifindex <= 0)
		return -EBADMSG;
	neigh.ifindex = ndm->ndm_ifindex;

	mac = attrs[NDA_LLADDR];
	if (mac && mnl_attr_get_payload_len(mac) == sizeof(neigh.mac)) {
		memcpy(neigh.mac, mnl_attr_get_payload(mac), sizeof(neigh.mac));
		neigh.known = (ndm->ndm_state & STATES) && is_host_mac(neigh.mac);
	}
	cacheinfo = attrs[NDA_CACHEINFO];
	if (cacheinfo && mnl_attr_get_payload_len(cacheinfo) >= sizeof(struct nda_cacheinfo)) {
		const struct nda_cacheinfo *info = mnl_attr_get_payload(cacheinfo);

		neigh.age = info->ndm_confirmed;
	}
	*ret = neigh;
	return 0;
}

/* Room for one more. */
static int neighs_reserve(struct neighs *l)
{
	struct neigh *v = nl_more(l->v, l->n, &l->size, sizeof(*v));

	if (!v)
		return -ENOMEM;
	l->v = v;
	return 0;
}

static int neighs_add(const struct nlmsghdr *nlh, void *data)
{
	struct neighs *l = data;
	int r;

	r = neighs_reserve(l);
	if (r < 0)
		return r;
	r = neigh_parse(nlh, &l->v[l->n]);
	if (r == -EAFNOSUPPORT)
		return 0;
	if (r == 0 && l->v[l->n].known && l->v[l->n].ifindex == l->ifindex)
		l->n++;
	return r;
}

static int by_use(const void *a, const void *b)
{
	const struct neigh *x = a, *y = b;

	if (x->gateway != y->gateway)
		return x->gateway ? -1 : 1;
	return (x->age > y->age) - (x->age < y->age);
}

/*
 * Somewhere outside: of the networks for documentation (RFC 5737, RFC 3849),
 * which nobody is in. No packet goes there, the kernel is only asked for the way.
 */
static const struct ip outside4 = { .family = 4, .bytes = { 192, 0, 2, 1 } };
static const struct ip outside6 = { .family = 6, .bytes = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };

static int parse_gateway(const struct nlmsghdr *nlh, uint8_t family, struct ip *ret)
{
	const struct nlattr *attrs[RTA_GATEWAY + 1];

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return 0; /* an error: there is no way */
	if (nl_attrs(nlh, sizeof(struct rtmsg), attrs, ARRAY_SIZE(attrs)) < 0)
		return -EBADMSG;
	return nl_attr_ip(attrs[RTA_GATEWAY], family, ret) == 0;
}

/**
 * neigh_gateway() - Which gateway leads out of a link?
 * @family: 4 or 6
 * @ifindex: the link
 * @ret: the gateway, if there is one
 *
 * One route is asked for, as a packet would; the table is not read, which on a
 * router has a million of them.
 *
 * Return: 1 if there is one; 0 if not; -EBADMSG when the kernel sent what is
 * not a route; what nl_socket(), send() or nl_receive() fails with.
 */
int neigh_gateway(uint8_t family, int ifindex, struct ip *ret)
{
	const struct ip *outside = family == 4 ? &outside4 : &outside6;
	_Alignas(struct nlmsghdr) uint8_t buf[NL_DATAGRAM_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	_cleanup_(close_fdp) int fd = -1;
	struct rtmsg *rtm;
	size_t len;
	int r;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = family == 4 ? AF_INET : AF_INET6;
	rtm->rtm_dst_len = (uint8_t)(8 * ip_len(outside));
	mnl_attr_put(nlh, RTA_DST, ip_len(outside), outside->bytes);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)ifindex);

	/* nl_each() and nl_dump() ask for acknowledgements and for whole tables only. */
	fd = nl_socket(NETLINK_ROUTE, 0);
	if (fd < 0)
		return fd;
	if (send(fd, nlh, nlh->nlmsg_len, 0) < 0)
		return -errno;
	r = nl_receive(fd, buf, sizeof(buf), &len);
	if (r < 0)
		return r;
	return nl_ok(nlh, (int)len) ? parse_gateway(nlh, family, ret) : -EBADMSG;
}

/* The gateways are among those known, or are added to them. */
static int add_gateways(struct neighs *l)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct neigh gateway = { .ifindex = l->ifindex, .gateway = true };
		size_t i = 0;
		int r = neigh_gateway(family, l->ifindex, &gateway.ip);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		while (i < l->n && !ip_equal(&l->v[i].ip, &gateway.ip))
			i++;
		if (i < l->n) {
			l->v[i].gateway = true;
			continue;
		}
		r = neighs_reserve(l);
		if (r < 0)
			return r;
		l->v[l->n++] = gateway;
	}
	return 0;
}

/**
 * neigh_list() - Read who is on a link, IPv4 and IPv6.
 * @nl: a socket of NETLINK_ROUTE
 * @ifindex: the link
 * @ret: array of the gateways, whether their MAC is known or not, then of all
 *	others whose MAC is, the one that was confirmed last first; heap, the
 *	caller's to free
 * @ret_n: number of them; 0 for a link that is not there
 *
 * The kernel walks its whole table for it, which has 1,024 entries for each
 * family if nobody has changed gc_thresh3.
 *
 * Return: 0; -ENOMEM; -EBADMSG when the kernel sent what is not a neighbour;
 * what nl_dump() and neigh_gateway() return.
 */
int neigh_list(struct nl *nl, int ifindex, struct neigh **ret, size_t *ret_n)
{
	_cleanup_(neighs_done) struct neighs l = { .ifindex = ifindex };
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int r;

	nlh->nlmsg_type = RTM_GETNEIGH;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	mnl_attr_put_u32(nlh, NDA_IFINDEX, (uint32_t)ifindex);
	r = nl_dump(nl, nlh, neighs_add, &l);
	if (r == 0)
		r = add_gateways(&l);
	if (r < 0)
		return r;
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), by_use);
	*ret_n = l.n;
	*ret = TAKE(l.v);
	return 0;
}

/* Entries at some addresses, which are sorted. */
struct forget {
	const struct ip *ips;
	size_t n_ips;
	struct neighs found;
};

static void forget_done(struct forget *f)
{
	neighs_done(&f->found);
}

/* What somebody has set for good, or follows from the address, was not learned. */
static bool is_learned(const struct nlmsghdr *nlh)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);

	return !(ndm->ndm_state & (NUD_PERMANENT | NUD_NOARP));
}

static int forget_visit(const struct nlmsghdr *nlh, void *data)
{
	struct forget *f = data;
	struct neigh *entry;
	int r;

	r = neighs_reserve(&f->found);
	if (r < 0)
		return r;
	entry = &f->found.v[f->found.n];
	r = neigh_parse(nlh, entry);
	if (r == 0 && is_learned(nlh) &&
	    bsearch(&entry->ip, f->ips, f->n_ips, sizeof(*f->ips), ip_compare))
		f->found.n++;
	return r == -EAFNOSUPPORT ? 0 : r;
}

static void build_forget(struct nlmsghdr *nlh, size_t i, const void *data)
{
	const struct neigh *entry = (const struct neigh *)data + i;
	struct ndmsg *ndm;

	nlh->nlmsg_type = RTM_DELNEIGH;
	ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	ndm->ndm_family = entry->ip.family == 4 ? AF_INET : AF_INET6;
	ndm->ndm_ifindex = entry->ifindex;
	mnl_attr_put(nlh, NDA_DST, ip_len(&entry->ip), entry->ip.bytes);
}

/**
 * neigh_forget() - Have the kernel forget which MACs it has learned for some addresses.
 * @nl: a socket of NETLINK_ROUTE
 * @ips: the addresses, sorted by ip_compare()
 * @n: number of them
 *
 * On all links, in whatever state an entry is, that of a failed look-up too.
 * What was set for good stays. The table is read once.
 *
 * Return: 0, also when some have gone meanwhile; -ENOMEM; -EBADMSG when the kernel
 * sent what is not a neighbour; what nl_dump() and nl_each() return.
 */
int neigh_forget(struct nl *nl, const struct ip *ips, size_t n)
{
	_cleanup_(forget_done) struct forget f = { .ips = ips, .n_ips = n };
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	_cleanup_(freep) int *errors = NULL;
	int r;

	nlh->nlmsg_type = RTM_GETNEIGH;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	r = nl_dump(nl, nlh, forget_visit, &f);
	if (r < 0 || f.found.n == 0)
		return r;
	errors = calloc(f.found.n, sizeof(*errors));
	if (!errors)
		return -ENOMEM;
	return nl_each(nl, f.found.n, build_forget, f.found.v, errors);
}

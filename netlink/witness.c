/* SPDX-License-Identifier: MIT */

#include "netlink/witness_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <sys/socket.h>

/* The kernel says when a dump was not of one piece. On a busy router that is often so. */
enum { DUMPS_MAX = 20 };

/* A dump that is being read. */
struct reading {
	struct witness *witness;
	struct nl_msg *msg; /* the one that the object is from */
	int (*take)(struct reading *reading, struct nl_object *object);
	int err;
};

static bool ip_of(const struct nl_addr *addr, struct ip *ret)
{
	const int family = addr ? nl_addr_get_family(addr) : AF_UNSPEC;
	struct ip ip = { .family = family == AF_INET ? 4 : 6 };

	if ((family != AF_INET && family != AF_INET6) || nl_addr_get_len(addr) != ip_len(&ip))
		return false;
	memcpy(ip.bytes, nl_addr_get_binary_addr(addr), ip_len(&ip));
	*ret = ip;
	return true;
}

static int take_addr(struct reading *reading, struct nl_object *object)
{
	struct rtnl_addr *addr = (struct rtnl_addr *)object;
	struct witness *w = reading->witness;
	const struct nlattr *tag; /* libnl 3.7 does not know it */
	struct witness_addr *more, a = { 0 };
	unsigned flags = rtnl_addr_get_flags(addr);
	const char *label;

	if (!ip_of(rtnl_addr_get_local(addr), &a.ip))
		return 0;
	tag = nlmsg_find_attr(nlmsg_hdr(reading->msg), sizeof(struct ifaddrmsg), IFA_PROTO);
	a.tag = tag && nla_len(tag) >= 1 ? nla_get_u8(tag) : 0;
	a.prefix = (uint8_t)rtnl_addr_get_prefixlen(addr);
	a.ifindex = rtnl_addr_get_ifindex(addr);
	a.valid_s = rtnl_addr_get_valid_lifetime(addr);
	a.preferred_s = rtnl_addr_get_preferred_lifetime(addr);
	a.secondary = a.ip.family == 4 && flags & IFA_F_SECONDARY;
	label = rtnl_addr_get_label(addr);
	(void)snprintf(a.label, sizeof(a.label), "%s", label ?: ""); /* the kernel's fit */
	a.nodad = flags & IFA_F_NODAD;
	a.tentative = flags & IFA_F_TENTATIVE;
	a.dad_failed = flags & IFA_F_DADFAILED;
	more = witness_grow(w->addrs, w->n_addrs, sizeof(a));
	if (!more)
		return -ENOMEM;
	w->addrs = more;
	w->addrs[w->n_addrs++] = a;
	return 0;
}

/* Only what the kernel would use; and what it answers for. */
static int take_neigh(struct reading *reading, struct nl_object *object)
{
	enum { USED = NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE };
	struct rtnl_neigh *neigh = (struct rtnl_neigh *)object;
	struct nl_addr *mac = rtnl_neigh_get_lladdr(neigh);
	const int state = rtnl_neigh_get_state(neigh);
	struct witness *w = reading->witness;
	struct witness_neigh *more, n = { .ifindex = rtnl_neigh_get_ifindex(neigh) };

	if (!ip_of(rtnl_neigh_get_dst(neigh), &n.ip))
		return 0;
	n.proxy = rtnl_neigh_get_flags(neigh) & NTF_PROXY;
	n.permanent = state > 0 && state & NUD_PERMANENT;
	if (!n.proxy) {
		if (state <= 0 || !(state & USED) || !mac || nl_addr_get_len(mac) != sizeof(n.mac))
			return 0;
		memcpy(n.mac, nl_addr_get_binary_addr(mac), sizeof(n.mac));
	}
	more = witness_grow(w->neighs, w->n_neighs, sizeof(n));
	if (!more)
		return -ENOMEM;
	w->neighs = more;
	w->neighs[w->n_neighs++] = n;
	return 0;
}

static int take_route(struct reading *reading, struct nl_object *object)
{
	struct rtnl_route *route = (struct rtnl_route *)object;
	struct nl_addr *dst = rtnl_route_get_dst(route);
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);
	struct witness *w = reading->witness;
	struct witness_route *more, t = { 0 };

	if (rtnl_route_get_type(route) != RTN_LOCAL || !ip_of(dst, &t.ip) ||
	    nl_addr_get_prefixlen(dst) != 8 * ip_len(&t.ip))
		return 0;
	t.ifindex = hop ? rtnl_route_nh_get_ifindex(hop) : 0;
	more = witness_grow(w->routes, w->n_routes, sizeof(t));
	if (!more)
		return -ENOMEM;
	w->routes = more;
	w->routes[w->n_routes++] = t;
	return 0;
}

/* net.FAMILY.conf.WHERE.NAME */
static int read_sysctl(const char *family, const char *where, const char *name)
{
	_cleanup_(close_fdp) int fd = -1;
	char path[128], text[16] = { 0 };

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, where, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return WITNESS_UNREADABLE;
	return atoi(text);
}

/* Of two such switches the higher one counts. */
static int read_sysctl_of_all(const char *where, const char *name)
{
	const int own = read_sysctl("ipv4", where, name), all = read_sysctl("ipv4", "all", name);

	return own < 0 || all < 0 ? WITNESS_UNREADABLE : own > all ? own : all;
}

static int take_link(struct reading *reading, struct nl_object *object)
{
	struct rtnl_link *link = (struct rtnl_link *)object;
	const unsigned flags = rtnl_link_get_flags(link);
	const char *name = rtnl_link_get_name(link);
	struct nl_addr *mac = rtnl_link_get_addr(link);
	struct witness *w = reading->witness;
	struct witness_link *more, l = { .index = rtnl_link_get_ifindex(link) };

	if (!name || strlen(name) >= sizeof(l.name))
		return 0;
	memcpy(l.name, name, strlen(name));
	l.up = flags & IFF_UP;
	l.running = l.up && flags & IFF_RUNNING;
	l.noarp = flags & IFF_NOARP;
	if (mac && nl_addr_get_len(mac) == sizeof(l.mac))
		memcpy(l.mac, nl_addr_get_binary_addr(mac), sizeof(l.mac));
	l.macvlan = strcmp(rtnl_link_get_type(link) ?: "", "macvlan") == 0;
	l.parent = l.macvlan ? rtnl_link_get_link(link) : 0;
	l.marked = strcmp(rtnl_link_get_ifalias(link) ?: "", "takeoverd") == 0;
	l.arp_ignore = read_sysctl_of_all(l.name, "arp_ignore");
	l.promote_secondaries = read_sysctl_of_all(l.name, "promote_secondaries");
	l.disable_ipv6 = read_sysctl("ipv6", l.name, "disable_ipv6");
	more = witness_grow(w->links, w->n_links, sizeof(l));
	if (!more)
		return -ENOMEM;
	w->links = more;
	w->links[w->n_links++] = l;
	return 0;
}

static void on_object(struct nl_object *object, void *arg)
{
	struct reading *reading = arg;

	if (reading->err == 0)
		reading->err = reading->take(reading, object);
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct reading *reading = arg;
	int r;

	reading->msg = msg;
	r = nl_msg_parse(msg, on_object, reading);
	if (r == -NLE_NOMEM && reading->err == 0)
		reading->err = -ENOMEM;
	return NL_OK; /* what libnl cannot read is of a kind that we do not ask for */
}

/* The whole of a table; -EAGAIN: it has changed meanwhile. */
static int dump(struct reading *reading, int type, void *request, size_t len)
{
	_cleanup_(nl_socket_freep) struct nl_sock *sock = NULL;
	const int on = 1;
	int r;

	r = witness_open(NETLINK_ROUTE, &sock);
	if (r < 0)
		return r;
	/* So that the kernel sends only the table that is asked for; without it just slower. */
	(void)setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on,
			 sizeof(on));
	r = nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, reading);
	if (r >= 0)
		r = nl_send_simple(sock, type, NLM_F_DUMP, request, len);
	if (r >= 0)
		r = nl_recvmsgs_default(sock);
	return r < 0 ? witness_errno(r) : reading->err;
}

static int read_all(struct witness *w)
{
	struct ifaddrmsg addr = { .ifa_family = AF_UNSPEC };
	struct ndmsg neigh = { .ndm_family = AF_UNSPEC };
	struct ndmsg proxy = { .ndm_family = AF_UNSPEC, .ndm_flags = NTF_PROXY };
	struct rtmsg route = { .rtm_family = AF_UNSPEC, .rtm_table = RT_TABLE_LOCAL };
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	const struct {
		int type;
		void *request;
		size_t len;
		int (*take)(struct reading *reading, struct nl_object *object);
	} tables[] = {
		{ RTM_GETLINK, &link, sizeof(link), take_link },
		{ RTM_GETADDR, &addr, sizeof(addr), take_addr },
		{ RTM_GETROUTE, &route, sizeof(route), take_route },
		{ RTM_GETNEIGH, &neigh, sizeof(neigh), take_neigh },
		{ RTM_GETNEIGH, &proxy, sizeof(proxy), take_neigh },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables) && r == 0; i++) {
		struct reading reading = { .witness = w, .take = tables[i].take };

		r = dump(&reading, tables[i].type, tables[i].request, tables[i].len);
	}
	return r;
}

/* They all begin with it. */
static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip));
}

static void sort(void *v, size_t n, size_t size)
{
	if (n)
		qsort(v, n, size, compare);
}

/**
 * witness_look() - read what the kernel has in this network namespace
 * @ret: it; for witness_done()
 *
 * Each table is of one piece, all of them together are not. Of a neighbour only
 * what the kernel would send by is there, and what it answers for as a proxy. The
 * gate needs CAP_NET_ADMIN: without, @ret->gate.err says so, which is no failure.
 *
 * Return: 0; -ENOMEM; -EAGAIN if the tables have changed faster than they could
 * be read; what the kernel refuses with.
 */
int witness_look(struct witness *ret)
{
	int r = -EAGAIN;

	for (int i = 0; i < DUMPS_MAX && r == -EAGAIN; i++) {
		_cleanup_(witness_done) struct witness w = { 0 };

		r = read_all(&w);
		if (r == 0)
			r = witness_read_gate(&w.gate);
		if (r < 0)
			continue;
		sort(w.addrs, w.n_addrs, sizeof(*w.addrs));
		sort(w.neighs, w.n_neighs, sizeof(*w.neighs));
		sort(w.routes, w.n_routes, sizeof(*w.routes));
		sort(w.gate.v, w.gate.n, sizeof(*w.gate.v));
		*ret = w;
		w = (struct witness){ 0 };
	}
	return r;
}

/**
 * witness_done() - free what was read
 * @witness: may be all zero
 */
void witness_done(struct witness *witness)
{
	free(witness->addrs);
	free(witness->neighs);
	free(witness->routes);
	free(witness->links);
	free(witness->gate.v);
	*witness = (struct witness){ 0 };
}

/* SPDX-License-Identifier: MIT */

#include "netlink/macvlan.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

/* The requests that make one, which leave in one system call: nothing kills us in between. */
enum part {
	PART_CREATE,
	PART_MARK, /* its alias, and sysctls */
	PART_IPV6,
	_PART_MAX,
};

/*
 * On this device only. The kernel would otherwise answer on it, with its MAC, for
 * the addresses of the link below, and ask on it in their name; and it would drop
 * what comes in here, where an administrator has rp_filter=1, because the answer
 * leaves by the link below.
 */
static const struct link_setting ipv4_settings[] = {
	{ IPV4_DEVCONF_ARP_IGNORE, 1 },
	{ IPV4_DEVCONF_ARP_ANNOUNCE, 2 },
	{ IPV4_DEVCONF_RP_FILTER, 2 },
};

/*
 * Private: it has nothing to do with other macvlans on the link. Down, as it is
 * made: nothing of it is on the wire.
 */
static void put_create(struct nlmsghdr *nlh, const struct macvlan *m)
{
	struct nlattr *info, *data;

	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_attr_put_u32(nlh, IFLA_LINK, (uint32_t)m->parent);
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(m->mac), m->mac);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "macvlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

/* No link-local address: with it would come duplicate detection and router solicitations. */
static void put_ipv6(struct nlmsghdr *nlh)
{
	struct nlattr *spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(nlh, AF_INET6);

	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
}

static void build_part(struct nlmsghdr *nlh, size_t i, const void *data)
{
	const struct macvlan *m = data;

	nlh->nlmsg_type = i == PART_CREATE ? RTM_NEWLINK : RTM_SETLINK;
	(void)mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg)); /* by name, any type */
	mnl_attr_put_strz(nlh, IFLA_IFNAME, m->name);
	switch ((enum part)i) {
	case PART_CREATE:
		put_create(nlh, m);
		break;
	case PART_MARK:
		mnl_attr_put_strz(nlh, IFLA_IFALIAS, MACVLAN_MARK);
		link_put_ipv4(nlh, ipv4_settings, ARRAY_SIZE(ipv4_settings));
		break;
	case PART_IPV6:
		put_ipv6(nlh);
		break;
	case _PART_MAX:
		break;
	}
}

static void build_delete(struct nlmsghdr *nlh, size_t i, const void *data)
{
	struct ifinfomsg *ifi;

	(void)i; /* there is one */
	nlh->nlmsg_type = RTM_DELLINK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = *(const int *)data;
}

/* Half of one is worse than none: it would bear no mark, or chatter. */
static void undo(struct nl *nl, const char *name)
{
	const int ifindex = (int)if_nametoindex(name);

	if (ifindex)
		(void)macvlan_delete(nl, ifindex); /* what made us give up is what is told */
}

/**
 * macvlan_create() - Make a macvlan, marked as ours, down and as silent as can be.
 * @nl: a socket of NETLINK_ROUTE
 * @macvlan: what it is to be
 *
 * Return: 0; -EEXIST when there is a link of this name; -ENODEV without the link
 * that it is to be on; -EADDRINUSE when that or another macvlan on it has the
 * MAC; -EINVAL when nothing can be on that kind of link; -EOPNOTSUPP when the
 * kernel has no macvlan; what nl_each() returns.
 */
int macvlan_create(struct nl *nl, const struct macvlan *macvlan)
{
	int errors[_PART_MAX], r;

	/* The requests behind the first one would change that link: it may have many names. */
	if (if_nametoindex(macvlan->name))
		return -EEXIST;
	r = nl_each(nl, _PART_MAX, build_part, macvlan, errors);
	if (r < 0)
		return r;
	if (errors[PART_CREATE])
		return errors[PART_CREATE];
	if (errors[PART_IPV6] == -EAFNOSUPPORT) /* a kernel without IPv6 is silent as it is */
		errors[PART_IPV6] = 0;
	r = errors[PART_MARK] ? errors[PART_MARK] : errors[PART_IPV6];
	if (r)
		undo(nl, macvlan->name);
	return r;
}

/**
 * macvlan_delete() - Delete one of ours, with the addresses on it.
 * @nl: a socket of NETLINK_ROUTE
 * @ifindex: a link of which link_list() said that it is marked
 *
 * Return: 0; -ENODEV; what nl_each() returns.
 */
int macvlan_delete(struct nl *nl, int ifindex)
{
	int error = 0, r;

	r = nl_each(nl, 1, build_delete, &ifindex, &error);
	return r < 0 ? r : error;
}

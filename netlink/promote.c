/* SPDX-License-Identifier: MIT */

#include "netlink/promote.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlink/link.h"

/* The sysctl promote_secondaries of a link. */
struct promotion {
	int ifindex;
	bool found, on;
};

static int visit_link(const struct nlmsghdr *nlh, void *data)
{
	const size_t at = (IPV4_DEVCONF_PROMOTE_SECONDARIES - 1) * sizeof(int32_t);
	const struct nlattr *attrs[IFLA_AF_SPEC + 1];
	struct promotion *p = data;
	const struct ifinfomsg *ifi;
	const struct nlattr *conf;
	int32_t on;

	if (nl_attrs(nlh, sizeof(*ifi), attrs, ARRAY_SIZE(attrs)) < 0)
		return -EBADMSG;
	ifi = mnl_nlmsg_get_payload(nlh);
	if (ifi->ifi_family != AF_UNSPEC || ifi->ifi_index != p->ifindex)
		return 0;
	conf = nl_attr_nested(nl_attr_nested(attrs[IFLA_AF_SPEC], AF_INET), IFLA_INET_CONF);
	if (!conf || mnl_attr_get_payload_len(conf) < at + sizeof(on))
		return 0;
	memcpy(&on, (const char *)mnl_attr_get_payload(conf) + at, sizeof(on));
	p->found = true;
	p->on = on != 0;
	return 0;
}

static int promotion_get(struct nl *nl, int ifindex, bool *ret_on)
{
	struct promotion p = { .ifindex = ifindex };
	int r;

	r = link_dump(nl, visit_link, &p);
	if (r < 0)
		return r;
	*ret_on = p.on;
	return p.found ? 0 : -ENODEV;
}

static void build_promotion(struct nlmsghdr *nlh, size_t i, const void *data)
{
	const struct promotion *p = data;
	const struct link_setting promote = { IPV4_DEVCONF_PROMOTE_SECONDARIES, p->on };
	struct ifinfomsg *ifi;

	(void)i; /* there is one */
	nlh->nlmsg_type = RTM_SETLINK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = p->ifindex;
	link_put_ipv4(nlh, &promote, 1);
}

static int promotion_set(struct nl *nl, int ifindex, bool on)
{
	const struct promotion p = { .ifindex = ifindex, .on = on };
	int error = 0, r = nl_each(nl, 1, build_promotion, &p, &error);

	return r < 0 ? r : error;
}

/**
 * promote_remove() - Take an IPv4 address of ours off its link and leave those behind it.
 * @nl: a socket of NETLINK_ROUTE
 * @first: the first one of its network on that link, with our tag
 *
 * The kernel removes the others of its network with it, unless the link's
 * promote_secondaries is set. So it is set meanwhile: the next one becomes the
 * first, and gets the route of the network.
 *
 * Return: 0; -EPERM when the address does not bear our tag; -ENODEV; what the
 * kernel refuses with; what nl_each() and nl_dump() return.
 */
int promote_remove(struct nl *nl, const struct addr *first)
{
	int error = 0, r, restored;
	bool on = false;

	r = promotion_get(nl, first->ifindex, &on);
	if (r == 0 && !on)
		r = promotion_set(nl, first->ifindex, true);
	if (r < 0)
		return r;
	r = addr_remove(nl, first, 1, &error);
	restored = on ? 0 : promotion_set(nl, first->ifindex, false);
	if (r < 0 || error)
		return r < 0 ? r : error;
	return restored;
}

/* SPDX-License-Identifier: MIT */

#include "netlink/link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>

#include "agent/cleanup.h"
#include "netlink/macvlan.h"

struct links {
	struct link *v;
	size_t n;
	size_t size;
};

static void links_done(struct links *l)
{
	free(l->v);
}

static bool is_text(const struct nlattr *attr, const char *text)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 &&
	       strcmp(mnl_attr_get_str(attr), text) == 0;
}

/* The index of the link below; of one in another namespace it would mean nothing here. */
static int parent_of(const struct nlattr *link, const struct nlattr *netns)
{
	if (!link || netns || mnl_attr_get_payload_len(link) != sizeof(uint32_t))
		return 0;
	return (int)mnl_attr_get_u32(link);
}

/* The link's sysctl forwarding: by that the kernel says of itself whether it is a router. */
static bool is_router(const struct nlattr *spec)
{
	const size_t at = DEVCONF_FORWARDING * sizeof(int32_t);
	const struct nlattr *conf;
	int32_t on;

	conf = nl_attr_nested(nl_attr_nested(spec, AF_INET6), IFLA_INET6_CONF);
	if (!conf || mnl_attr_get_payload_len(conf) < at + sizeof(on))
		return false;
	memcpy(&on, (const char *)mnl_attr_get_payload(conf) + at, sizeof(on));
	return on != 0;
}

/**
 * link_parse() - Read a link from a message of the kernel.
 * @nlh: a message of at least nlmsg_len bytes, otherwise not trusted
 * @ret: the link
 *
 * Return: 0; -EBADMSG when it is not a whole RTM_NEWLINK or RTM_DELLINK, or not
 * one about the link itself: a bridge tells of its ports with the same types,
 * and RTM_DELLINK then means that the port has left the bridge.
 */
int link_parse(const struct nlmsghdr *nlh, struct link *ret)
{
	const struct nlattr *attrs[IFLA_LINK_NETNSID + 1];
	const struct nlattr *name, *mac;
	const struct ifinfomsg *ifi;
	struct link link = { 0 };

	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return -EBADMSG;
	if (nl_attrs(nlh, sizeof(*ifi), attrs, ARRAY_SIZE(attrs)) < 0)
		return -EBADMSG;
	ifi = mnl_nlmsg_get_payload(nlh);
	name = attrs[IFLA_IFNAME];
	mac = attrs[IFLA_ADDRESS];
	if (ifi->ifi_family != AF_UNSPEC || ifi->ifi_index <= 0)
		return -EBADMSG;
	if (!name || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0 ||
	    mnl_attr_get_payload_len(name) > sizeof(link.name))
		return -EBADMSG;

	link.index = ifi->ifi_index;
	link.up = ifi->ifi_flags & IFF_UP;
	link.carrier = link.up && (ifi->ifi_flags & IFF_LOWER_UP);
	link.running = link.up && (ifi->ifi_flags & IFF_RUNNING);
	link.noarp = ifi->ifi_flags & IFF_NOARP;
	link.router = is_router(attrs[IFLA_AF_SPEC]);
	if (is_text(nl_attr_nested(attrs[IFLA_LINKINFO], IFLA_INFO_KIND), "macvlan")) {
		link.marked = is_text(attrs[IFLA_IFALIAS], MACVLAN_MARK);
		link.parent = parent_of(attrs[IFLA_LINK], attrs[IFLA_LINK_NETNSID]);
	}
	memcpy(link.name, mnl_attr_get_payload(name), mnl_attr_get_payload_len(name));
	if (mac && mnl_attr_get_payload_len(mac) == sizeof(link.mac))
		memcpy(link.mac, mnl_attr_get_payload(mac), sizeof(link.mac));
	*ret = link;
	return 0;
}

/**
 * link_dump() - Visit all links of the network namespace.
 * @nl: a socket of NETLINK_ROUTE
 * @visit: called for the message about each of them
 * @data: passed to it
 *
 * Return: what nl_dump() returns.
 */
int link_dump(struct nl *nl, nl_visit visit, void *data)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nl_dump(nl, nlh, visit, data);
}

static int links_add(const struct nlmsghdr *nlh, void *data)
{
	struct links *l = data;
	struct link *v;

	v = nl_more(l->v, l->n, &l->size, sizeof(*v));
	if (!v)
		return -ENOMEM;
	l->v = v;
	l->n++;
	return link_parse(nlh, &l->v[l->n - 1]);
}

/**
 * link_list() - Read all links of the network namespace.
 * @nl: a socket of NETLINK_ROUTE
 * @ret: array of the links, heap; the caller's to free
 * @ret_n: number of them
 *
 * Return: 0; -ENOMEM; -EBADMSG when the kernel sent what is not a link; what
 * nl_dump() returns.
 */
int link_list(struct nl *nl, struct link **ret, size_t *ret_n)
{
	_cleanup_(links_done) struct links l = { 0 };
	int r;

	r = link_dump(nl, links_add, &l);
	if (r < 0)
		return r;
	*ret_n = l.n;
	*ret = TAKE(l.v);
	return 0;
}

static int take_link(const struct nlmsghdr *nlh, void *data)
{
	return link_parse(nlh, data);
}

/**
 * link_index() - Ask for the number of one link, without reading a list that may be long.
 * @nl: a socket of NETLINK_ROUTE
 * @name: of the link, at most IFNAMSIZ - 1 bytes
 * @ret: its number
 *
 * Not by SIOCGIFINDEX: of a name that it does not know, the kernel then runs modprobe for who
 * has CAP_NET_ADMIN, and waits for it. Other names that a link has (altname) do not count, as
 * in link_find().
 *
 * Return: 0; -ENODEV if there is none; what nl_get() returns.
 */
int link_index(struct nl *nl, const char *name, int *ret)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct link link = { 0 };
	int r;

	assert(strlen(name) < IFNAMSIZ);
	nlh->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = nl_get(nl, nlh, take_link, &link);
	if (r < 0)
		return r;
	if (strcmp(link.name, name) != 0)
		return -ENODEV;
	*ret = link.index;
	return 0;
}

/**
 * link_find() - The link of this name.
 * @v: links
 * @n: number of them
 *
 * Return: borrowed from @v; NULL if there is none.
 */
const struct link *link_find(const struct link *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name))
			return &v[i];
	return NULL;
}

struct state {
	int ifindex;
	unsigned flags, change;
};

static void build_state(struct nlmsghdr *nlh, size_t i, const void *data)
{
	const struct state *state = data;
	struct ifinfomsg *ifi;

	(void)i; /* there is one */
	nlh->nlmsg_type = RTM_NEWLINK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = state->ifindex;
	ifi->ifi_change = state->change;
	ifi->ifi_flags = state->flags;
}

/**
 * link_set_flags() - Change flags of a link, all in one message; fine if they are so.
 * @nl: a socket of NETLINK_ROUTE
 * @ifindex: the link
 * @flags: IFF_*, what those in @change are to be
 * @change: IFF_*; the others stay as they are
 *
 * Return: 0; -ENODEV; what the driver refuses with; what nl_each() returns.
 */
int link_set_flags(struct nl *nl, int ifindex, unsigned flags, unsigned change)
{
	const struct state state = { .ifindex = ifindex, .flags = flags, .change = change };
	int error = 0, r;

	r = nl_each(nl, 1, build_state, &state, &error);
	return r < 0 ? r : error;
}

/**
 * link_set_up() - Set a link administratively up or down; fine if it is.
 * @nl: a socket of NETLINK_ROUTE
 * @ifindex: the link
 * @up: or down
 *
 * Down, it keeps its IPv4 addresses, which the host goes on answering for on its
 * other links; the IPv6 ones are gone.
 *
 * Return: as link_set_flags().
 */
int link_set_up(struct nl *nl, int ifindex, bool up)
{
	return link_set_flags(nl, ifindex, up ? IFF_UP : 0, IFF_UP);
}

/**
 * link_put_ipv4() - Put the link's sysctls of IPv4 into a request of RTM_SETLINK.
 * @nlh: the request
 * @v: the settings
 * @n: number of them
 *
 * It needs no /proc/sys that can be written, which a sandbox does not have.
 */
void link_put_ipv4(struct nlmsghdr *nlh, const struct link_setting *v, size_t n)
{
	struct nlattr *spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	struct nlattr *inet = mnl_attr_nest_start(nlh, AF_INET);
	struct nlattr *conf = mnl_attr_nest_start(nlh, IFLA_INET_CONF);

	for (size_t i = 0; i < n; i++)
		mnl_attr_put_u32(nlh, v[i].type, v[i].value);
	mnl_attr_nest_end(nlh, conf);
	mnl_attr_nest_end(nlh, inet);
	mnl_attr_nest_end(nlh, spec);
}

/* SPDX-License-Identifier: MIT */

#include "netlink/link.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "agent/cleanup.h"

struct links {
	struct link *v;
	size_t n;
	size_t size;
};

static void links_done(struct links *l)
{
	free(l->v);
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
	const struct nlattr *attrs[IFLA_IFNAME + 1];
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
	link.running = link.up && (ifi->ifi_flags & IFF_RUNNING);
	memcpy(link.name, mnl_attr_get_payload(name), mnl_attr_get_payload_len(name));
	if (mac && mnl_attr_get_payload_len(mac) == sizeof(link.mac))
		memcpy(link.mac, mnl_attr_get_payload(mac), sizeof(link.mac));
	*ret = link;
	return 0;
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
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int r;

	nlh->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = nl_dump(nl, nlh, links_add, &l);
	if (r < 0)
		return r;
	*ret_n = l.n;
	*ret = TAKE(l.v);
	return 0;
}

/* SPDX-License-Identifier: MIT */

#include "netlink/local.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "agent/cleanup.h"

struct locals {
	struct local *v;
	size_t n;
	size_t size;
};

static void locals_done(struct locals *l)
{
	free(l->v);
}

/**
 * local_parse() - Read from a message of the kernel what is taken in as the host's own.
 * @nlh: a message of at least nlmsg_len bytes, otherwise not trusted
 * @ret: the local route
 *
 * Return: 1; 0 when it is a route of another type, table or family; -EBADMSG when it
 * is not a whole RTM_NEWROUTE.
 */
int local_parse(const struct nlmsghdr *nlh, struct local *ret)
{
	const struct nlattr *attrs[RTA_OIF + 1];
	const struct rtmsg *rtm;
	struct local local = { 0 };
	uint8_t family;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    nl_attrs(nlh, sizeof(*rtm), attrs, ARRAY_SIZE(attrs)) < 0)
		return -EBADMSG;
	rtm = mnl_nlmsg_get_payload(nlh);
	if (rtm->rtm_type != RTN_LOCAL || rtm->rtm_table != RT_TABLE_LOCAL ||
	    (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6))
		return 0;
	family = rtm->rtm_family == AF_INET ? 4 : 6;
	local.ip.family = family;
	/* A route to everything has no destination. */
	if ((rtm->rtm_dst_len && nl_attr_ip(attrs[RTA_DST], family, &local.ip) < 0) ||
	    rtm->rtm_dst_len > 8 * ip_len(&local.ip))
		return -EBADMSG;
	if (!attrs[RTA_OIF] || mnl_attr_get_payload_len(attrs[RTA_OIF]) != sizeof(uint32_t))
		return 0;
	local.prefix = rtm->rtm_dst_len;
	local.ifindex = (int)mnl_attr_get_u32(attrs[RTA_OIF]);
	*ret = local;
	return 1;
}

/**
 * local_dump() - Visit the routes that the local table has.
 * @nl: a socket of NETLINK_ROUTE
 * @family: AF_INET or AF_INET6
 * @visit: called for each of them; for others, too, where the kernel does not filter
 * @data: passed to it
 *
 * Return: what nl_dump() returns.
 */
int local_dump(struct nl *nl, uint8_t family, nl_visit visit, void *data)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm;

	nlh->nlmsg_type = RTM_GETROUTE;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = family;
	rtm->rtm_table = RT_TABLE_LOCAL;
	rtm->rtm_type = RTN_LOCAL;
	return nl_dump(nl, nlh, visit, data);
}

static int locals_add(const struct nlmsghdr *nlh, void *data)
{
	struct locals *l = data;
	struct local *v;
	int r;

	v = nl_more(l->v, l->n, &l->size, sizeof(*v));
	if (!v)
		return -ENOMEM;
	l->v = v;
	r = local_parse(nlh, &l->v[l->n]);
	if (r <= 0)
		return r;
	l->n++;
	return 0;
}

/**
 * local_list() - Read what the kernel takes in as this host's own, IPv4 and IPv6.
 * @nl: a socket of NETLINK_ROUTE
 * @ret: array, heap; the caller's to free
 * @ret_n: number of them
 *
 * That is more than its addresses: a route of type local does the same without
 * any. The table is read once, however many addresses are to be looked for in it;
 * the other tables, which only some packets see, are not.
 *
 * Return: 0; -ENOMEM; -EBADMSG when the kernel sent what is not a route; what
 * nl_dump() returns.
 */
int local_list(struct nl *nl, struct local **ret, size_t *ret_n)
{
	_cleanup_(locals_done) struct locals l = { 0 };
	int r;

	r = local_dump(nl, AF_INET, locals_add, &l);
	if (r == 0)
		r = local_dump(nl, AF_INET6, locals_add, &l);
	if (r < 0)
		return r;
	*ret_n = l.n;
	*ret = TAKE(l.v);
	return 0;
}

/**
 * local_covers() - Is this address among those that are taken in?
 */
bool local_covers(const struct local *local, const struct ip *ip)
{
	const size_t whole = local->prefix / 8;
	const uint8_t rest = (uint8_t)(0xff00 >> local->prefix % 8);

	if (local->ip.family != ip->family || memcmp(local->ip.bytes, ip->bytes, whole) != 0)
		return false;
	return whole == ip_len(ip) || ((local->ip.bytes[whole] ^ ip->bytes[whole]) & rest) == 0;
}

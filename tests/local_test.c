/* SPDX-License-Identifier: MIT */

#include "netlink/local.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "agent/conf/conf.h"
#include "tests/netns.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;

	cr_assert_eq(conf_parse_ip(text, &ip), 0);
	return ip;
}

static bool covers(const char *network, uint8_t prefix, const char *ip)
{
	const struct local local = { .ip = ip_of(network), .prefix = prefix };
	const struct ip wanted = ip_of(ip);

	return local_covers(&local, &wanted);
}

Test(local, a_network_covers_its_addresses_to_the_bit)
{
	cr_assert(covers("10.9.0.3", 32, "10.9.0.3"));
	cr_assert_not(covers("10.9.0.3", 32, "10.9.0.2"));
	cr_assert(covers("10.9.0.3", 31, "10.9.0.2"));
	cr_assert_not(covers("10.9.0.3", 31, "10.9.0.4"));
	cr_assert(covers("10.9.0.3", 16, "10.9.255.1"));
	cr_assert_not(covers("10.9.0.3", 16, "10.8.0.3"));
	cr_assert(covers("10.9.0.3", 15, "10.8.0.3"));
	cr_assert(covers("0.0.0.0", 0, "10.8.0.3"));
	cr_assert_not(covers("0.0.0.0", 0, "fd09::3"));
	cr_assert(covers("fd09::3", 128, "fd09::3"));
	cr_assert_not(covers("fd09::3", 128, "fd09::2"));
	cr_assert(covers("fd09::3", 127, "fd09::2"));
	cr_assert(covers("fd09::3", 64, "fd09::ffff:0:0:1"));
	cr_assert_not(covers("fd09::3", 64, "fd09:0:0:1::3"));
}

/* On which link is it taken in? 0: on none. */
static int has(const char *text)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_cleanup_(freep) struct local *v = NULL;
	const struct ip ip = ip_of(text);
	size_t n;

	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(local_list(nl, &v, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (local_covers(&v[i], &ip))
			return v[i].ifindex;
	return 0;
}

Test(local, addresses_are_listed_on_whatever_link, .init = netns_enter)
{
	sh("ip address add 10.9.0.3/24 dev va && ip address add 10.9.0.4/32 dev lo &&"
	   " ip address add fd09::3/64 dev vb nodad && ip address add fd09::4/128 dev lo");
	cr_assert_eq(has("10.9.0.3"), netns_index("va"));
	cr_assert_eq(has("10.9.0.4"), netns_index("lo"));
	cr_assert_eq(has("fd09::3"), netns_index("vb"));
	cr_assert_eq(has("fd09::4"), netns_index("lo"));
	cr_assert_eq(has("10.9.0.5"), 0, "of the network, but nobody's here");
	cr_assert_eq(has("10.9.0.255"), 0, "broadcasts are not addresses");
	cr_assert_eq(has("fd09::"), 0, "nor are anycasts");
	sh("ip address del 10.9.0.4/32 dev lo && ip address del fd09::4/128 dev lo");
	cr_assert_eq(has("10.9.0.4"), 0);
	cr_assert_eq(has("fd09::4"), 0);
}

Test(local, routes_without_an_address_are_listed_if_all_packets_see_them, .init = netns_enter)
{
	sh("ip route add local 10.9.8.0/24 dev lo && ip route add local fd09:8::/64 dev lo table "
	   "local");
	cr_assert_eq(has("10.9.8.77"), netns_index("lo"));
	cr_assert_eq(has("fd09:8::77"), netns_index("lo"));
	sh("ip route add local 0.0.0.0/0 dev lo table 100"); /* as for transparent proxies */
	cr_assert_eq(has("10.9.7.77"), 0);
}

/* A route as the kernel tells of it, with what may be wrong about it. */
struct told {
	uint8_t family, type, table, dst_len;
	size_t n_bytes; /* of the destination */
	bool on_link;
};

static int parsed(const struct told *told, struct local *ret)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	static const uint8_t bytes[16] = { 10, 9, 0, 3 };
	struct rtmsg *rtm;

	nlh->nlmsg_type = RTM_NEWROUTE;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = told->family;
	rtm->rtm_type = told->type;
	rtm->rtm_table = told->table;
	rtm->rtm_dst_len = told->dst_len;
	mnl_attr_put(nlh, RTA_DST, told->n_bytes, bytes);
	if (told->on_link)
		mnl_attr_put_u32(nlh, RTA_OIF, 7);
	return local_parse(nlh, ret);
}

Test(local, only_local_routes_of_the_local_table_count)
{
	const struct told good = { AF_INET, RTN_LOCAL, RT_TABLE_LOCAL, 32, 4, true };
	struct told other = good;
	struct local local;

	cr_assert_eq(parsed(&good, &local), 1);
	cr_assert(local.ip.family == 4 && local.prefix == 32 && local.ifindex == 7);
	cr_assert_eq(memcmp(local.ip.bytes, (uint8_t[]){ 10, 9, 0, 3 }, 4), 0);
	other.type = RTN_BROADCAST;
	cr_assert_eq(parsed(&other, &local), 0);
	other = good;
	other.table = RT_TABLE_MAIN;
	cr_assert_eq(parsed(&other, &local), 0);
	other = good;
	other.family = RTNL_FAMILY_IPMR; /* multicast routes come with the same type */
	cr_assert_eq(parsed(&other, &local), 0);
	other = good;
	other.on_link = false;
	cr_assert_eq(parsed(&other, &local), 0);
}

Test(local, a_destination_of_another_length_is_refused)
{
	struct told told = { AF_INET6, RTN_LOCAL, RT_TABLE_LOCAL, 128, 4, true };
	struct local local;

	cr_assert_eq(parsed(&told, &local), -EBADMSG);
	told.n_bytes = 16;
	cr_assert_eq(parsed(&told, &local), 1);
	told.dst_len = 129;
	cr_assert_eq(parsed(&told, &local), -EBADMSG);
}

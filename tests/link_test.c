/* SPDX-License-Identifier: MIT */

#include "netlink/link.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "netlink/monitor.h"
#include "tests/cut_short.h"
#include "tests/netns.h"

/* A message about link 7, to be spoilt. */
static struct nlmsghdr *put_link(uint8_t buf[static NL_REQUEST_MAX], const char *name)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	struct nlmsghdr *nlh;
	struct ifinfomsg *ifi;

	memset(buf, 0, NL_REQUEST_MAX);
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_NEWLINK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = 7;
	ifi->ifi_flags = IFF_UP | IFF_RUNNING;
	if (name)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(mac), mac);
	return nlh;
}

static void put_alias(struct nlmsghdr *nlh, const char *kind, const char *alias)
{
	struct nlattr *info;

	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(nlh, info);
	mnl_attr_put_u32(nlh, IFLA_LINK, 3);
	mnl_attr_put_strz(nlh, IFLA_IFALIAS, alias);
}

static void put_forwarding(struct nlmsghdr *nlh, int32_t value)
{
	struct nlattr *spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(nlh, AF_INET6);

	mnl_attr_put(nlh, IFLA_INET6_CONF, sizeof(value), &value); /* the first of them */
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
}

static struct ifinfomsg *header_of(struct nlmsghdr *nlh)
{
	return mnl_nlmsg_get_payload(nlh);
}

Test(link, index_name_mac_and_state_are_read)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct link link;

	cr_assert_eq(link_parse(put_link(buf, "eth0"), &link), 0);
	cr_assert_eq(link.index, 7);
	cr_assert_str_eq(link.name, "eth0");
	cr_assert_arr_eq(link.mac, mac, sizeof(mac));
	cr_assert(link.running);
}

Test(link, running_takes_up_and_carrier)
{
	static const unsigned flags[] = { 0, IFF_UP, IFF_RUNNING };
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct link link;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct nlmsghdr *nlh = put_link(buf, "eth0");

		header_of(nlh)->ifi_flags = flags[i];
		cr_assert_eq(link_parse(nlh, &link), 0);
		cr_assert_not(link.running);
		cr_assert_eq(link.up, flags[i] == IFF_UP);
	}
}

Test(link, one_without_arp_is_told)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh = put_link(buf, "vip0");
	struct link link;

	cr_assert_eq(link_parse(nlh, &link), 0);
	cr_assert_not(link.noarp);
	header_of(nlh)->ifi_flags = IFF_UP | IFF_NOARP;
	cr_assert_eq(link_parse(nlh, &link), 0);
	cr_assert(link.noarp && link.up);
}

/* Also one that takes others' advertisements all the same: forwarding is 2 then. */
Test(link, one_that_forwards_ipv6_is_a_router)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct link link;

	for (int32_t value = 0; value <= 2; value++) {
		struct nlmsghdr *nlh = put_link(buf, "eth0");

		put_forwarding(nlh, value);
		cr_assert_eq(link_parse(nlh, &link), 0);
		cr_assert_eq(link.router, value > 0);
	}
	cr_assert_eq(link_parse(put_link(buf, "eth0"), &link), 0);
	cr_assert_not(link.router, "nothing is said of it where there is no IPv6");
}

Test(link, a_mac_that_is_not_six_bytes_long_is_none)
{
	static const uint8_t none[6];
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh = put_link(buf, "ib0");
	const uint8_t long_mac[20] = { 1, 2, 3 };
	struct link link;

	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(long_mac), long_mac);
	cr_assert_eq(link_parse(nlh, &link), 0);
	cr_assert_arr_eq(link.mac, none, sizeof(none));
}

Test(link, a_bridges_word_about_its_port_is_not_about_the_link)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh = put_link(buf, "eth0");
	struct link link;

	header_of(nlh)->ifi_family = AF_BRIDGE;
	cr_assert_eq(link_parse(nlh, &link), -EBADMSG);
}

Test(link, names_are_not_trusted)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh;
	struct link link;

	cr_assert_eq(link_parse(put_link(buf, NULL), &link), -EBADMSG);
	cr_assert_eq(link_parse(put_link(buf, "fifteen-letters"), &link), 0);
	cr_assert_eq(link_parse(put_link(buf, "sixteen-letters!"), &link), -EBADMSG);
	nlh = put_link(buf, NULL);
	mnl_attr_put(nlh, IFLA_IFNAME, 4, "eth0");
	cr_assert_eq(link_parse(nlh, &link), -EBADMSG);
}

Test(link, no_index_or_other_type_is_refused)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh = put_link(buf, "eth0");
	struct link link;

	header_of(nlh)->ifi_index = 0;
	cr_assert_eq(link_parse(nlh, &link), -EBADMSG);
	nlh = put_link(buf, "eth0");
	nlh->nlmsg_type = RTM_NEWADDR;
	cr_assert_eq(link_parse(nlh, &link), -EBADMSG);
}

static void parse(const struct nlmsghdr *cut)
{
	struct link link;

	(void)link_parse(cut, &link);
}

Test(link, every_truncation_is_survived)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh = put_link(buf, "eth0");

	put_alias(nlh, "macvlan", "takeoverd");
	put_forwarding(nlh, 1);
	cut_short(nlh, parse);
}

Test(link, only_a_macvlan_with_our_alias_is_ours)
{
	static const struct {
		const char *kind, *alias;
		bool marked;
	} rows[] = {
		{ "macvlan", "takeoverd", true },
		{ "macvlan", "takeover", false },
		{ "macvlan", "", false },
		{ "veth", "takeoverd", false },
	};
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct link link;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nlmsghdr *nlh = put_link(buf, "vip0");

		put_alias(nlh, rows[i].kind, rows[i].alias);
		cr_assert_eq(link_parse(nlh, &link), 0);
		cr_assert_eq(link.marked, rows[i].marked, "row %zu", i);
		cr_assert_eq(link.parent, strcmp(rows[i].kind, "veth") ? 3 : 0);
	}
}

Test(link, a_parent_in_another_namespace_is_none)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh = put_link(buf, "vip0");
	struct link link;

	put_alias(nlh, "macvlan", "takeoverd");
	mnl_attr_put_u32(nlh, IFLA_LINK_NETNSID, 0);
	cr_assert_eq(link_parse(nlh, &link), 0);
	cr_assert(link.marked);
	cr_assert_eq(link.parent, 0);
}

/* The kernel makes a link operational some time after it has been set up. */
static void await_running(struct monitor *m, int ifindex)
{
	struct monitor_event event = { 0 };

	do {
		cr_assert_eq(monitor_next(m, &event), 0);
		if (event.kind == MONITOR_NOTHING)
			netns_await(monitor_fd(m));
	} while (event.kind != MONITOR_LINK || event.link.index != ifindex || !event.link.running);
}

Test(link, all_links_are_listed)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0x0a };
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_cleanup_(freep) struct link *links = NULL;
	const struct link *va;
	size_t n;

	netns_enter();
	cr_assert_eq(monitor_open_rtnl(&m), 0);
	sh("ip link set va down && ip link set va up");
	await_running(m, netns_index("va"));
	sh("for i in $(seq 1 20); do ip link add br$i type bridge; done");
	sh("echo 1 >/proc/sys/net/ipv6/conf/va/forwarding");

	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(link_list(nl, &links, &n), 0);
	cr_assert_geq(n, 23);
	va = link_find(links, n, "va");
	cr_assert_not_null(va);
	cr_assert_eq(va->index, netns_index("va"));
	cr_assert_arr_eq(va->mac, mac, sizeof(mac));
	cr_assert(va->running);
	cr_assert(va->router);
	cr_assert_not(link_find(links, n, "br20")->running);
	cr_assert_not(link_find(links, n, "br20")->router);
	cr_assert_not_null(link_find(links, n, "lo"));
	cr_assert_null(link_find(links, n, "br2x"));
}

Test(link, the_number_of_one_is_told_by_its_name)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	int index = -1;

	netns_enter();
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(link_index(nl, "va", &index), 0);
	cr_assert_eq(index, netns_index("va"));
	sh("ip link set va name a-name-of-15-ch");
	cr_assert_eq(link_index(nl, "va", &index), -ENODEV);
	cr_assert_eq(link_index(nl, "a-name-of-15-ch", &index), 0);
	cr_assert_eq(index, netns_index("a-name-of-15-ch"));
	sh("ip link property add dev a-name-of-15-ch altname other");
	cr_assert_eq(link_index(nl, "other", &index), -ENODEV, "links are known by one name");
}

static bool is_up(struct nl *nl, const char *name)
{
	_cleanup_(freep) struct link *links = NULL;
	const struct link *link;
	size_t n;

	cr_assert_eq(link_list(nl, &links, &n), 0);
	link = link_find(links, n, name);
	cr_assert_not_null(link);
	cr_assert_eq(link->carrier, link->up, "the other end is up");
	return link->up;
}

Test(link, is_set_up_and_down)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;

	netns_enter();
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert(is_up(nl, "va"));
	for (int i = 0; i < 2; i++) { /* the second time it is so already */
		cr_assert_eq(link_set_up(nl, netns_index("va"), false), 0);
		cr_assert_not(is_up(nl, "va"));
	}
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(link_set_up(nl, netns_index("va"), true), 0);
		cr_assert(is_up(nl, "va"));
	}
	cr_assert_eq(link_set_up(nl, 4711, true), -ENODEV);
}

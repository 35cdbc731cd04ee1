/* SPDX-License-Identifier: MIT */

#include "netlink/link.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "netlink/monitor.h"
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

Test(link, every_truncation_is_survived)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh = put_link(buf, "eth0");
	uint32_t whole;

	put_alias(nlh, "macvlan", "takeoverd");
	whole = nlh->nlmsg_len;

	for (uint32_t len = sizeof(struct nlmsghdr); len < whole; len++) {
		_cleanup_(freep) struct nlmsghdr *cut = malloc(len);
		struct link link;

		memcpy(cut, buf, len);
		cut->nlmsg_len = len;
		(void)link_parse(cut, &link); /* the sanitizer watches */
	}
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

	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(link_list(nl, &links, &n), 0);
	cr_assert_geq(n, 23);
	va = link_find(links, n, "va");
	cr_assert_not_null(va);
	cr_assert_eq(va->index, netns_index("va"));
	cr_assert_arr_eq(va->mac, mac, sizeof(mac));
	cr_assert(va->running);
	cr_assert_not(link_find(links, n, "br20")->running);
	cr_assert_not_null(link_find(links, n, "lo"));
	cr_assert_null(link_find(links, n, "br2x"));
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

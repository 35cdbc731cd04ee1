/* SPDX-License-Identifier: MIT */

#include "netlink/macvlan.h"

#include <errno.h>
#include <fcntl.h>

#include "tests/link_look.h"
#include "tests/netns.h"

static const uint8_t mac[6] = { 2, 0, 0, 0, 0x57, 0x01 };

static struct nl *enter(void)
{
	struct nl *nl;

	netns_enter();
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	return nl;
}

static struct macvlan plan(const char *name)
{
	struct macvlan m = { .parent = netns_index("va") };

	memcpy(m.name, name, strlen(name));
	memcpy(m.mac, mac, sizeof(mac));
	return m;
}

static int sysctl_of(const char *path)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[8] = { 0 };

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_gt(read(fd, text, sizeof(text) - 1), 0);
	return atoi(text);
}

Test(macvlan, is_made_down_marked_and_with_its_mac)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct macvlan m = plan("vip0");
	struct link link;

	cr_assert_eq(macvlan_create(nl, &m), 0);
	link = link_look(nl, "vip0");
	cr_assert(link.marked);
	cr_assert_not(link.up);
	cr_assert_eq(link.parent, netns_index("va"));
	cr_assert_arr_eq(link.mac, mac, sizeof(mac));
	sh("ip -d link show vip0 | grep -q 'mode private'");
	cr_assert_not(link_look(nl, "va").marked);
}

Test(macvlan, answers_for_nothing_but_its_own_addresses)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct macvlan m = plan("vip0");

	cr_assert_eq(macvlan_create(nl, &m), 0);
	cr_assert_eq(sysctl_of("/proc/sys/net/ipv4/conf/vip0/arp_ignore"), 1);
	cr_assert_eq(sysctl_of("/proc/sys/net/ipv4/conf/vip0/arp_announce"), 2);
	cr_assert_eq(sysctl_of("/proc/sys/net/ipv4/conf/vip0/rp_filter"), 2);
	cr_assert_eq(sysctl_of("/proc/sys/net/ipv4/conf/va/arp_ignore"), 0, "the host's own");
	cr_assert_eq(sysctl_of("/proc/sys/net/ipv4/conf/va/rp_filter"),
		     sysctl_of("/proc/sys/net/ipv4/conf/default/rp_filter"));
}

Test(macvlan, has_no_link_local_address)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct macvlan m = plan("vip0");

	cr_assert_eq(macvlan_create(nl, &m), 0);
	cr_assert_eq(link_set_up(nl, netns_index("vip0"), true), 0);
	sh("test -z \"$(ip -6 address show dev vip0)\"");
	sh("test -n \"$(ip -6 address show dev va)\""); /* as any other has */
}

Test(macvlan, refusals_leave_everything_as_it_was)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	struct macvlan m = plan("vip0"), twin = plan("vip1"), lost = plan("vip2");

	cr_assert_eq(macvlan_create(nl, &m), 0);
	m.mac[5]++;
	cr_assert_eq(macvlan_create(nl, &m), -EEXIST);
	cr_assert_arr_eq(link_look(nl, "vip0").mac, mac, sizeof(mac));
	lost.parent = 4711;
	cr_assert_eq(macvlan_create(nl, &lost), -ENODEV);
	cr_assert_eq(link_look(nl, "vip2").index, 0);

	/* The same MAC again: the kernel says so when the second one is set up. */
	cr_assert_eq(macvlan_create(nl, &twin), 0);
	cr_assert_eq(link_set_up(nl, netns_index("vip0"), true), 0);
	cr_assert_eq(link_set_up(nl, netns_index("vip1"), true), -EADDRINUSE);
}

/* 1,280 is the least that IPv6 works with: below, there is nothing of it to be silenced. */
Test(macvlan, a_link_without_ipv6_can_have_one)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct macvlan m = plan("vip0");

	sh("ip link set va mtu 600");
	cr_assert_eq(macvlan_create(nl, &m), 0);
	cr_assert(link_look(nl, "vip0").marked);
}

Test(macvlan, is_deleted_with_its_addresses)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct macvlan m = plan("vip0");
	int index;

	cr_assert_eq(macvlan_create(nl, &m), 0);
	sh("ip address add 10.9.0.1/24 dev vip0");
	index = netns_index("vip0");
	cr_assert_eq(macvlan_delete(nl, index), 0);
	cr_assert_eq(link_look(nl, "vip0").index, 0);
	sh("test -z \"$(ip address show to 10.9.0.1)\"");
	cr_assert_eq(macvlan_delete(nl, index), -ENODEV);
}

/* Which the kernel takes for the name in requests, but not in its lists. */
Test(macvlan, another_name_of_a_strangers_link_is_refused_and_that_link_left_alone)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct macvlan m = plan("vip0");

	sh("ip link property add dev vb altname vip0");
	cr_assert_eq(macvlan_create(nl, &m), -EEXIST);
	cr_assert_eq(sysctl_of("/proc/sys/net/ipv4/conf/vb/arp_ignore"), 0);
	sh("! ip link show vb | grep -q alias");
}

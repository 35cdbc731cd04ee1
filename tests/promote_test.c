/* SPDX-License-Identifier: MIT */

#include "netlink/promote.h"

#include <errno.h>

#include "tests/held.h"

#define PROMOTE "/proc/sys/net/ipv4/conf/va/promote_secondaries"

static struct nl *nl;

static void enter(void)
{
	netns_enter();
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	sh("echo 0 >" PROMOTE);
	held_add("10.9.0.3", 24, "va");
	sh("ip address add 10.9.0.1/24 dev va && ip address add 10.9.0.2/24 dev va");
}

static void leave(void)
{
	nl_close(nl);
}

TestSuite(promote, .init = enter, .fini = leave);

static struct addr first(void)
{
	struct addr addr = { .prefix = 24, .ifindex = netns_index("va"), .tag = ADDR_TAG };

	cr_assert_eq(conf_parse_ip("10.9.0.3", &addr.ip), 0);
	return addr;
}

Test(promote, those_behind_stay_and_get_the_networks_route)
{
	const struct addr addr = first();

	cr_assert(held("10.9.0.1/24 scope global secondary"));
	cr_assert_eq(promote_remove(nl, &addr), 0);
	cr_assert_not(held(" 10.9.0.3/"));
	cr_assert(held("10.9.0.1/24 scope global va"));
	cr_assert(held("10.9.0.2/24 scope global secondary"));
	sh("ip route | grep -q '^10.9.0.0/24 dev va .*src 10.9.0.1'");
}

Test(promote, the_links_setting_is_as_it_was)
{
	const struct addr addr = first();

	cr_assert_eq(promote_remove(nl, &addr), 0);
	sh("grep -q 0 " PROMOTE);
	held_add("10.8.0.3", 24, "va");
	sh("echo 1 >" PROMOTE);
	cr_assert_eq(promote_remove(nl, &addr), -EADDRNOTAVAIL, "it is gone");
	sh("grep -q 1 " PROMOTE);
	sh("echo 0 >" PROMOTE);
	cr_assert_eq(promote_remove(nl, &addr), -EADDRNOTAVAIL);
	sh("grep -q 0 " PROMOTE);
}

Test(promote, what_is_not_ours_is_left_alone)
{
	struct addr addr = first();

	addr.tag = 0;
	cr_assert_eq(promote_remove(nl, &addr), -EPERM);
	cr_assert(held(" 10.9.0.3/24 "));
	sh("grep -q 0 " PROMOTE);
	addr.ifindex = 9999;
	cr_assert_eq(promote_remove(nl, &addr), -ENODEV);
}

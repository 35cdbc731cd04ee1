/* SPDX-License-Identifier: MIT */
#include "agent/kernel/vips.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "tests/held.h"

enum { VALID_S = 60 };

static struct nl *nl;
static struct conf *conf;

static void enter(void)
{
	netns_enter();
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	conf = conf_from_text(HELD_CONF);
}

static void leave(void)
{
	nl_close(nl);
	conf_free(conf);
}

TestSuite(vips, .init = enter, .fini = leave);

static void add_all(const struct conf_group *group)
{
	_cleanup_(vips_done) struct vips vips = { 0 };

	cr_assert_eq(vips_all(nl, group, VALID_S, &vips), 0);
	while (vips_add_slice(nl, &vips) > 0)
		;
	cr_assert_eq(vips_error(&vips), 0);
}

static size_t count_missing(const struct conf_group *group)
{
	_cleanup_(vips_done) struct vips vips = { 0 };

	cr_assert_eq(vips_missing(nl, group, VALID_S, &vips), 0);
	return vips.n;
}

static size_t count_ours(const struct conf_group *group)
{
	_cleanup_(vips_done) struct vips vips = { 0 };

	cr_assert_eq(vips_ours(nl, group, &vips), 0);
	return vips.n;
}

Test(vips, all_are_added_as_configured)
{
	cr_assert_eq(count_missing(&conf->groups[SIP]), 3);
	add_all(&conf->groups[SIP]);
	cr_assert_eq(count_missing(&conf->groups[SIP]), 0);
	cr_assert_eq(count_missing(&conf->groups[DB]), 1);
	cr_assert_eq(held_count(), 3);
	cr_assert(held("va    inet 10.9.0.3/24 "));
	cr_assert(held("va    inet6 fd09::3/64 "));
	cr_assert(held("vb    inet 10.8.0.3/32 "));
}

Test(vips, without_the_interface_the_rest_is_added_and_what_is_absent_is_named)
{
	_cleanup_(conf_freep) struct conf *other = conf_from_text(
		HELD_NODES
		"[Group sip]\nVirtualAddress=10.9.0.3 va\nVirtualAddress=10.9.0.4 gone0\n");
	const struct conf_group *group = &other->groups[0];
	_cleanup_(vips_done) struct vips vips = { 0 };

	cr_assert_eq(vips_all(nl, group, VALID_S, &vips), 0);
	cr_assert_eq(vips.n, 1);
	cr_assert_str_eq(vips.absent->ifname, "gone0");
	vips_done(&vips);
	add_all(group);
	cr_assert_eq(vips_missing(nl, group, VALID_S, &vips), 0);
	cr_assert_eq(vips.n, 0);
	cr_assert_str_eq(vips.absent->ifname, "gone0");
	vips_done(&vips);
	cr_assert_eq(vips_all(nl, &conf->groups[SIP], VALID_S, &vips), 0);
	cr_assert_null(vips.absent);
}

Test(vips, only_the_groups_own_addresses_are_ours_and_only_with_the_tag)
{
	sh("ip address add 10.9.0.3/24 dev va");
	held_add("10.9.0.99", 24, "va");
	cr_assert_eq(count_ours(&conf->groups[SIP]), 0);
	add_all(&conf->groups[DB]);
	cr_assert_eq(count_ours(&conf->groups[SIP]), 0);
	cr_assert_eq(count_ours(&conf->groups[DB]), 1);
}

Test(vips, our_address_is_ours_wherever_it_is_found)
{
	held_add("10.9.0.3", 28, "vb");
	held_add("fd09::3", 128, "va");
	cr_assert_eq(count_ours(&conf->groups[SIP]), 2);
	cr_assert_eq(count_missing(&conf->groups[SIP]), 3, "as they are they do not count");
}

Test(vips, an_address_counts_only_with_tag_prefix_and_interface)
{
	sh("ip address add 10.9.0.4/32 dev va");
	cr_assert_eq(count_missing(&conf->groups[DB]), 1, "a stranger's");
	sh("ip address del 10.9.0.4/32 dev va");
	held_add("10.9.0.4", 24, "va");
	cr_assert_eq(count_missing(&conf->groups[DB]), 1, "another prefix length");
	held_add("10.9.0.4", 32, "vb");
	cr_assert_eq(count_missing(&conf->groups[DB]), 1, "another interface");
	held_add("10.9.0.4", 32, "va");
	cr_assert_eq(count_missing(&conf->groups[DB]), 0);
}

Test(vips, the_right_one_is_found_among_namesakes)
{
	sh("ip link add vc type veth peer name vd && ip link set vc up");
	held_add("10.9.0.4", 32, "vb");
	held_add("10.9.0.4", 32, "vc");
	held_add("10.9.0.4", 32, "vd");
	cr_assert_eq(count_missing(&conf->groups[DB]), 1);
	held_add("10.9.0.4", 32, "va");
	cr_assert_eq(count_missing(&conf->groups[DB]), 0);
}

Test(vips, what_is_ours_is_removed_and_nothing_else)
{
	_cleanup_(vips_done) struct vips vips = { 0 };

	sh("ip address add 10.9.0.77/24 dev va");
	add_all(&conf->groups[SIP]);
	add_all(&conf->groups[DB]);
	cr_assert_eq(vips_ours(nl, &conf->groups[SIP], &vips), 0);
	while (vips_remove_slice(nl, &vips) > 0)
		;
	cr_assert_eq(vips_error(&vips), 0);
	cr_assert_eq(held_count(), 1);
	cr_assert(held(" 10.9.0.4/32 "));
	cr_assert(held(" 10.9.0.77/24 "));
}

static void await_local(const char *text)
{
	struct addr addr = { .ifindex = netns_index("va") };

	cr_assert_eq(conf_parse_ip(text, &addr.ip), 0);
	cr_assert_eq(addr_wait_local(nl, &addr, 1, PATIENCE_MS), 0);
}

Test(vips, routes_go_before_addresses_and_leave_no_error)
{
	_cleanup_(vips_done) struct vips vips = { 0 };

	add_all(&conf->groups[SIP]);
	held_add("fd09::4", 64, "va");
	await_local("fd09::3");
	await_local("fd09::4");
	cr_assert_eq(vips_ours(nl, &conf->groups[SIP], &vips), 0);
	while (vips_unroute_slice(nl, &vips) > 0)
		;
	sh("! ip -6 route show table local | grep -q 'fd09::3 '");
	sh("ip -6 route show table local | grep -q 'fd09::4 '");
	cr_assert_eq(vips_unroute_slice(nl, &vips), 0, "nothing is left of them");
	cr_assert_eq(held_count(), 4);
	cr_assert_eq(vips_error(&vips), 0);
	while (vips_remove_slice(nl, &vips) > 0)
		;
	cr_assert_eq(vips_error(&vips), 0);
	cr_assert_eq(held_count(), 1);
}

Test(vips, what_is_taken_off_at_once_loses_its_routes_first_as_well)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_DATAGRAM_MAX];
	const struct nlmsghdr *nlh = (const void *)buf;
	_cleanup_(vips_done) struct vips vips = { 0 };
	_cleanup_(close_fdp) int fd = -1;
	size_t len;

	held_add("fd09::3", 64, "va");
	await_local("fd09::3");
	cr_assert_eq(vips_ours(nl, &conf->groups[SIP], &vips), 0);
	cr_assert_eq(vips.n, 1);
	fd = nl_socket(NETLINK_ROUTE,
		       1U << (RTNLGRP_IPV6_ROUTE - 1) | 1U << (RTNLGRP_IPV6_IFADDR - 1));
	cr_assert_geq(fd, 0);
	cr_assert_eq(vips_take_off(nl, vips.v, 1, NULL, 0), 0);
	cr_assert_eq(nl_receive(fd, buf, sizeof(buf), &len), 0);
	cr_assert_eq(nlh->nlmsg_type, RTM_DELROUTE);
	cr_assert_eq(nl_receive(fd, buf, sizeof(buf), &len), 0);
	cr_assert_eq(nlh->nlmsg_type, RTM_DELADDR);
	cr_assert_eq(held_count(), 0);
}

static void remove_ours(const struct conf_group *group)
{
	_cleanup_(vips_done) struct vips vips = { 0 };

	cr_assert_eq(vips_ours(nl, group, &vips), 0);
	while (vips_remove_slice(nl, &vips) > 0)
		;
	cr_assert_eq(vips_error(&vips), 0);
}

/* The kernel would remove an IPv4 address with the first one of its network on that interface. */
Test(vips, what_is_behind_ours_stays)
{
	sh("echo 0 >/proc/sys/net/ipv4/conf/va/promote_secondaries");
	held_add("10.9.0.3", 24, "va");
	sh("ip address add 10.9.0.1/24 dev va && ip address add 10.9.0.2/25 dev va");
	held_add("10.9.0.99", 24, "va"); /* of another group, perhaps */
	remove_ours(&conf->groups[SIP]);
	cr_assert_not(held(" 10.9.0.3/"));
	cr_assert(held(" 10.9.0.1/24 "));
	cr_assert(held(" 10.9.0.2/25 "));
	cr_assert(held(" 10.9.0.99/24 "));
	sh("ip route | grep -q '^10.9.0.0/24 .*src 10.9.0.1'");
}

Test(vips, ours_goes_last_when_others_are_behind_it)
{
	sh("echo 0 >/proc/sys/net/ipv4/conf/va/promote_secondaries");
	held_add("10.9.0.3", 24, "va");
	held_add("10.9.0.4", 24, "va"); /* not of this group */
	add_all(&conf->groups[SIP]);
	remove_ours(&conf->groups[SIP]);
	cr_assert_eq(held_count(), 1);
	cr_assert(held(" 10.9.0.4/24 "));
}

Test(vips, ours_steps_back_behind_those_of_the_host)
{
	_cleanup_(vips_done) struct vips vips = { 0 };

	sh("echo 0 >/proc/sys/net/ipv4/conf/va/promote_secondaries");
	held_add("10.9.0.3", 24, "va");
	sh("ip address add 10.9.0.1/24 dev va");
	cr_assert_eq(vips_ahead(nl, &conf->groups[SIP], &vips), 1);
	cr_assert_eq(vips.n, 1);
	cr_assert_eq(vips_step_back(nl, &vips, 77), 0);
	cr_assert(held("10.9.0.1/24 scope global va"));
	cr_assert(held("10.9.0.3/24 scope global secondary dynamic"));
	cr_assert(held_valid_s("10.9.0.3") > 60 && held_valid_s("10.9.0.3") <= 77);
	sh("ip route | grep -q '^10.9.0.0/24 .*src 10.9.0.1'");
	vips_done(&vips);
	cr_assert_eq(vips_ahead(nl, &conf->groups[SIP], &vips), 0);
	cr_assert_eq(vips.n, 0, "nobody is behind it now");
}

Test(vips, for_ever_is_not_as_it_should_be)
{
	held_add("10.9.0.4", 32, "va");
	cr_assert_eq(count_missing(&conf->groups[DB]), 0);
	sh("ip address del 10.9.0.4/32 dev va");
	held_add_for("10.9.0.4", 32, "va", UINT32_MAX);
	cr_assert_eq(count_missing(&conf->groups[DB]), 1);
	add_all(&conf->groups[DB]);
	cr_assert_eq(count_missing(&conf->groups[DB]), 0);
	cr_assert_eq(held_count(), 1);
}

/* Whoever added it, and for however long: from now on it is ours. */
Test(vips, a_strangers_address_where_ours_belongs_becomes_ours)
{
	sh("ip address add 10.9.0.3/24 dev va && ip address add fd09::3/64 dev va nodad");
	cr_assert_eq(count_missing(&conf->groups[SIP]), 3);
	add_all(&conf->groups[SIP]);
	cr_assert_eq(count_missing(&conf->groups[SIP]), 0);
	cr_assert_eq(held_count(), 3);
	remove_ours(&conf->groups[SIP]);
	cr_assert_not(held(" 10.9.0.3/"));
	cr_assert_not(held(" fd09::3/"));
}

Test(vips, an_error_of_one_address_is_kept_and_the_others_go_on)
{
	_cleanup_(vips_done) struct vips vips = { 0 };

	cr_assert_eq(vips_all(nl, &conf->groups[SIP], VALID_S, &vips), 0);
	cr_assert_eq(vips_error(&vips), 0);
	cr_assert_null(vips_refused(&vips, &conf->groups[SIP]));
	vips.v[1].ifindex = 9999;
	cr_assert_eq(vips_add_slice(nl, &vips), 0);
	cr_assert_eq(vips_error(&vips), -ENODEV);
	cr_assert_eq(vips_refused(&vips, &conf->groups[SIP]), &conf->groups[SIP].vips[1]);
	cr_assert_eq(held_count(), 2);
}

Test(vips, adding_again_lengthens_the_lifetime)
{
	_cleanup_(vips_done) struct vips vips = { 0 };

	add_all(&conf->groups[DB]);
	cr_assert_leq(held_valid_s("10.9.0.4"), VALID_S);
	cr_assert_eq(vips_all(nl, &conf->groups[DB], 7000, &vips), 0);
	cr_assert_eq(vips_add_slice(nl, &vips), 0);
	cr_assert_gt(held_valid_s("10.9.0.4"), 6000);
}

/* 1000 addresses: some slices, whatever the machine can do. */
static struct conf *conf_with_thousand(void)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs(HELD_NODES "[Group big]\n", f);
	for (int i = 0; i < 1000; i++)
		fprintf(f, "VirtualAddress=10.%d.%d.9 v%c\n", 20 + i / 250, i % 250,
			i % 2 ? 'a' : 'b');
	fclose(f);
	return conf_from_text(text);
}

Test(vips, a_thousand_go_in_slices_that_begin_small)
{
	_cleanup_(conf_freep) struct conf *big = conf_with_thousand();
	_cleanup_(vips_done) struct vips vips = { 0 };
	size_t slices = 1, first;

	cr_assert_eq(vips_all(nl, &big->groups[0], VALID_S, &vips), 0);
	cr_assert_eq(vips_add_slice(nl, &vips), 1);
	first = vips.next;
	cr_assert(first > 0 && first <= 64);
	while (vips_add_slice(nl, &vips) > 0)
		slices++;
	cr_assert_gt(slices, 1);
	cr_assert_eq(vips.next, 1000);
	cr_assert_eq(count_missing(&big->groups[0]), 0);
	cr_assert_eq(count_ours(&big->groups[0]), 1000);
}

Test(vips, a_group_uses_the_interfaces_of_its_addresses)
{
	cr_assert(conf_uses(&conf->groups[SIP], "va"));
	cr_assert(conf_uses(&conf->groups[SIP], "vb"));
	cr_assert_not(conf_uses(&conf->groups[SIP], "v"));
	cr_assert_not(conf_uses(&conf->groups[DB], "vb"));
}

Test(vips, a_group_contains_its_addresses_as_configured)
{
	const struct conf_group *group = &conf->groups[SIP];
	struct addr addr = { .ip = group->vips[0].ip, .prefix = group->vips[0].prefix };
	const char *ifname = group->vips[0].ifname;

	cr_assert(vips_contain(group, ifname, &addr));
	cr_assert_not(vips_contain(group, "other0", &addr));
	cr_assert_not(vips_contain(group, "", &addr));
	cr_assert_not(vips_contain(&conf->groups[DB], ifname, &addr));
	addr.prefix++;
	cr_assert_not(vips_contain(group, ifname, &addr));
	addr.prefix--;
	addr.ip.bytes[3] ^= 1;
	cr_assert_not(vips_contain(group, ifname, &addr));
}

static bool is_of_concern(const char *ip, uint8_t prefix, bool secondary)
{
	struct addr addr = { .prefix = prefix, .secondary = secondary };

	cr_assert_eq(conf_parse_ip(ip, &addr.ip), 0);
	return vips_concern(conf, &addr);
}

Test(vips, of_concern_are_ours_and_what_is_behind_them_wherever)
{
	cr_assert(is_of_concern("10.9.0.3", 24, false));
	cr_assert(is_of_concern("10.9.0.3", 32, false), "whatever the prefix length");
	cr_assert(is_of_concern("10.9.0.4", 32, false));
	cr_assert(is_of_concern("10.8.0.3", 8, false));
	cr_assert(is_of_concern("fd09::3", 128, false));
	cr_assert_not(is_of_concern("10.9.0.1", 24, false), "before ours");
	cr_assert(is_of_concern("10.9.0.1", 24, true), "behind ours");
	cr_assert_not(is_of_concern("10.9.0.1", 25, true), "of another network");
	cr_assert_not(is_of_concern("10.8.0.1", 24, true), "ours has none");
	cr_assert_not(is_of_concern("fd09::4", 64, false));
}

Test(vips, one_of_thousands_is_found_and_no_other)
{
	_cleanup_(conf_freep) struct conf *big = conf_with_thousand();
	const struct conf_group *group = &big->groups[0];

	for (size_t i = 0; i < group->n_vips; i++)
		cr_assert_eq(conf_find_vip(group, &group->vips[i].ip), &group->vips[i]);
	for (size_t i = 0; i < conf->groups[SIP].n_vips; i++) { /* both families */
		const struct conf_vip *vip = &conf->groups[SIP].vips[i];

		cr_assert_eq(conf_find_vip(&conf->groups[SIP], &vip->ip), vip);
		cr_assert_null(conf_find_vip(&conf->groups[DB], &vip->ip));
	}
	cr_assert_null(conf_find_vip(&(struct conf_group){ 0 }, &group->vips[0].ip));
	cr_assert_eq(group->n_ifnames, 2);
}

/* SPDX-License-Identifier: MIT */

/* Announcements to one host at a time: the gateway, and neighbours that the kernel knows. */

#include "agent/kernel/announce.h"

#include "tests/announce_rig.h"

TestSuite(announce_neigh, .fini = leave);

static struct neigh neigh_of(const char *text, uint8_t last_of_mac)
{
	struct neigh neigh = { .mac = { 0x02, [5] = last_of_mac }, .known = true };

	cr_assert_eq(conf_parse_ip(text, &neigh.ip), 0);
	return neigh;
}

/* What the worker does between the two calls. */
static void answer(const char *link, const struct neigh *v, size_t n)
{
	struct neigh *copy = malloc((n + 1) * sizeof(*v));

	cr_assert(copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = v[i];
	cr_assert_eq(announcer_unread(announcer), netns_index(link));
	announcer_neighbours(announcer, netns_index(link), copy, n);
}

static void expect_asked(const struct ip *ip, const struct neigh *to)
{
	struct frame expected;

	if (ip->family == 4)
		arp_build_unicast(&expected, mac_va, ip, ARP_FORM_REQUEST, to);
	else
		nd_build_solicitation(&expected, mac_va, ip, to);
	expect_frame(&expected);
}

static void expect_told(const struct ip *ip, const struct neigh *to)
{
	struct frame expected;

	if (ip->family == 4)
		arp_build_unicast(&expected, mac_va, ip, ARP_FORM_REPLY, to);
	else
		nd_build_unicast(&expected, mac_va, ip, false, to);
	expect_frame(&expected);
}

Test(announce_neigh, each_neighbour_is_asked_and_told_alone)
{
	struct neigh known[] = {
		neigh_of("10.9.0.254", 0xfe), neigh_of("10.9.0.50", 0x50),
		neigh_of("fe80::50", 0x51),
		neigh_of("10.9.0.3", 0x99), /* where the address was before */
	};
	const struct ip *ip4, *ip6;

	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\nVirtualAddress=fd09::3 va\n");
	ip4 = &conf->groups[0].vips[0].ip;
	ip6 = &conf->groups[0].vips[1].ip;
	link_up("va");
	announcer_start(announcer, 0);
	run_loop();
	cr_assert_eq(count_heard(), 3);
	answer("va", known, ARRAY_SIZE(known));
	run_loop();
	expect_asked(ip4, &known[0]);
	expect_asked(ip4, &known[1]);
	expect_asked(ip6, &known[2]);
	expect_told(ip4, &known[0]);
	expect_told(ip4, &known[1]);
	expect_told(ip6, &known[2]);
	cr_assert_eq(count_heard(), 0);
	cr_assert_eq(announcer_unread(announcer), 0, "read once for each round");
}

Test(announce_neigh, a_gateway_whose_mac_is_not_known_is_asked_for)
{
	struct neigh known[] = { neigh_of("10.9.0.254", 0), neigh_of("fe80::fe", 0) };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		known[i].known = false;
		known[i].gateway = true;
	}
	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\nVirtualAddress=fd09::3 va\n");
	link_up("va");
	announcer_start(announcer, 0);
	run_loop();
	cr_assert_eq(count_heard(), 3);
	answer("va", known, ARRAY_SIZE(known));
	run_loop();
	expect_asked(&conf->groups[0].vips[0].ip, &known[0]);
	expect_asked(&conf->groups[0].vips[1].ip, &known[1]);
	cr_assert_eq(count_heard(), 0);
}

/* n neighbours and a gateway, which is the last of them here */
static size_t count_told(uint8_t group, size_t n)
{
	_cleanup_(freep) struct neigh *known = calloc(n + 1, sizeof(*known));
	size_t before;

	cr_assert(known);
	for (size_t i = 0; i <= n; i++) {
		known[i] = neigh_of("10.9.0.1", 1);
		known[i].ip.bytes[1] = (uint8_t)(100 + i / 250);
		known[i].ip.bytes[3] = (uint8_t)(1 + i % 250);
	}
	known[n].gateway = true;
	announcer_start(announcer, group);
	run_loop();
	before = count_heard();
	cr_assert_eq(before, 2 * conf->groups[group].n_vips);
	answer("va", known, n + 1);
	run_loop();
	return count_heard();
}

Test(announce_neigh, so_many_neighbours_are_told_and_the_gateway_always)
{
	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\n");
	link_up("va");
	cr_assert_eq(count_told(0, 255), 2 * 256);
	cr_assert_eq(count_told(0, 400), 2 * (256 + 1));
}

/*
 * The addresses of all groups count: 301, of which 4096 / 301 = 13 may hear. They are told, not
 * asked, which would fill their neighbour tables.
 */
Test(announce_neigh, the_more_addresses_the_fewer_neighbours_are_told_of_them)
{
	start_many();
	cr_assert_eq(count_told(0, 5), MANY * 6);
	cr_assert_eq(count_told(0, 200), MANY * 14);
	cr_assert_eq(count_told(1, 200), 14);
}

Test(announce_neigh, whose_neighbours_come_too_late_tells_nobody)
{
	struct neigh known = neigh_of("10.9.0.50", 0x50);

	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\n");
	link_up("va");
	announcer_start(announcer, 0);
	announcer_cancel(announcer, 0);
	run_loop();
	(void)count_heard();
	answer("va", &known, 1);
	run_loop();
	cr_assert_eq(count_heard(), 0);
}

Test(announce_neigh, telling_waits_for_the_neighbours_of_every_interface)
{
	struct neigh known = neigh_of("10.9.0.50", 0x50);

	start(HELD_CONF);
	link_up("va");
	link_up("vb");
	announcer_start(announcer, SIP);
	announcer_start(announcer, DB);
	run_loop();
	(void)count_heard();
	answer("va", &known, 1);
	run_loop();
	cr_assert_eq(count_heard(), 2, "of group db, which is on va only");
	answer("vb", NULL, 0);
	run_loop();
	cr_assert_eq(count_heard(), 2);
}

Test(announce_neigh, neighbours_can_be_looked_up_without_telling_them)
{
	struct neigh known = neigh_of("10.9.0.50", 0x50);

	start(HELD_CONF);
	link_up("va");
	link_up("vb");
	cr_assert_eq(announcer_unread(announcer), 0);
	announcer_look(announcer, DB);
	answer("va", &known, 1);
	cr_assert_eq(announcer_unread(announcer), 0, "vb is not db's");
	run_loop();
	cr_assert_eq(count_heard(), 0);
}

Test(announce_neigh, one_interface_is_read_after_the_other)
{
	start(HELD_CONF);
	link_up("va");
	link_up("vb");
	announcer_start(announcer, SIP);
	cr_assert_eq(announcer_unread(announcer), netns_index("va"));
	cr_assert_eq(announcer_unread(announcer), 0);
	announcer_start(announcer, DB);
	announcer_neighbours(announcer, netns_index("va"), NULL, 0);
	cr_assert_eq(announcer_unread(announcer), netns_index("vb"), "va is as new as that");
}

Test(announce_neigh, an_interface_that_goes_is_not_waited_for)
{
	struct neigh known = neigh_of("10.9.0.50", 0x50);

	start(HELD_CONF);
	link_up("va");
	link_up("vb");
	announcer_start(announcer, SIP);
	run_loop();
	(void)count_heard();
	answer("va", &known, 1);
	cr_assert_eq(count_heard(), 0);
	cr_assert_eq(announcer_unread(announcer), netns_index("vb"));
	announcer_link_gone(announcer, netns_index("vb"));
	run_loop();
	cr_assert_eq(count_heard(), 2);
	announcer_neighbours(announcer, netns_index("vb"), NULL, 0);
	run_loop();
	cr_assert_eq(count_heard(), 0);
}

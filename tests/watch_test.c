/* SPDX-License-Identifier: MIT */

/* Who is asked before a claim, and what counts as an answer. */

#include "tests/watch_rig.h"

enum { MANY = 600, SLICE = 128 };

TestSuite(watch, .fini = leave);

static size_t count_probes(void)
{
	struct ip ip;
	size_t n = 0;

	while (hear_probe(&ip))
		n++;
	return n;
}

Test(watch, every_address_is_asked_for_twice_and_nobody_answers)
{
	size_t n4 = 0, n6 = 0;
	struct ip ip;

	start_sip();
	watcher_probe(watcher, 0, 77, SHORT_US);
	cr_assert_eq(seen.ended, 0, "who asks is not told before it returns");
	run_until_ended(1);
	cr_assert_eq(seen.group, 0);
	cr_assert_eq(seen.id, 77);
	cr_assert_not(seen.answered);
	while (hear_probe(&ip)) {
		n4 += ip_equal(&ip, vip_ip(0, 0));
		n6 += ip_equal(&ip, vip_ip(0, 1));
	}
	cr_assert_eq(n4, 2);
	cr_assert_eq(n6, 2);
}

/* What a host with the address does, and what is said of it: the first answer ends it. */
Test(watch, who_has_an_ipv4_address_answers)
{
	start_sip();
	sh("ip addr add 10.9.0.3/24 dev vb");
	watcher_probe(watcher, 0, 77, LONG_US);
	run_until_ended(1);
	cr_assert_eq(seen.id, 77);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, 0);
	cr_assert(seen.stranger.known);
	cr_assert_arr_eq(seen.stranger.mac, mac_vb, 6);
	cr_assert_eq(seen.stranger.node, CORE_NODE_NONE);
}

Test(watch, who_has_an_ipv6_address_answers)
{
	start_sip();
	netns_add_ipv6("fd09::3");
	watcher_probe(watcher, 0, 77, LONG_US);
	run_until_ended(1);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, 1);
	cr_assert(seen.stranger.known);
	cr_assert_arr_eq(seen.stranger.mac, mac_vb, 6);
}

Test(watch, an_answer_from_another_interface_of_ours_is_none)
{
	struct link vb;

	start_sip();
	vb = link_of("vb", mac_vb);
	cr_assert_eq(links_note(&links, &vb), 0);
	sh("ip addr add 10.9.0.3/24 dev vb");
	netns_add_ipv6("fd09::3");
	watcher_probe(watcher, 0, 77, SHORT_US);
	run_until_ended(1);
	cr_assert_not(seen.answered);
}

Test(watch, who_asks_like_us_has_not_answered)
{
	struct frame frame;

	start_sip();
	watcher_probe(watcher, 0, 77, SHORT_US);
	arp_build_probe(&frame, mac_other, vip_ip(0, 0));
	say(&frame);
	nd_build_probe(&frame, mac_other, vip_ip(0, 1));
	say(&frame);
	run_until_ended(1);
	cr_assert_not(seen.answered);
}

Test(watch, what_is_said_of_other_addresses_is_no_answer)
{
	const struct ip other4 = { .family = 4, .bytes = { 10, 9, 0, 4 } };
	const struct ip other6 = { .family = 6, .bytes = { 0xfd, 0x10, [15] = 3 } };

	start_sip();
	watcher_probe(watcher, 0, 77, SHORT_US);
	claim(&other4, mac_other);
	claim(&other6, mac_other);
	run_until_ended(1);
	cr_assert_not(seen.answered);
}

/* An advertisement need not say where its sender is. */
Test(watch, who_does_not_say_his_mac_has_answered_all_the_same)
{
	uint32_t sum = 24 + 58; /* what the checksum is over beside the bytes: length, ICMPv6 */
	struct frame frame;

	start_sip();
	watcher_probe(watcher, 0, 77, LONG_US);
	nd_build_advertisement(&frame, mac_other, vip_ip(0, 1), false);
	frame.bytes[19] = 24; /* the length of what follows IPv6's header */
	frame.len = 78;
	frame.bytes[56] = frame.bytes[57] = 0;
	for (size_t i = 22; i < frame.len; i += 2)
		sum += (uint32_t)(frame.bytes[i] << 8 | frame.bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	frame.bytes[56] = (uint8_t)(~sum >> 8);
	frame.bytes[57] = (uint8_t)~sum;
	say(&frame);
	run_until_ended(1);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, 1);
	cr_assert_not(seen.stranger.known);
}

Test(watch, nobody_is_told_of_a_probe_that_was_cancelled)
{
	start(HELD_TWO);
	watcher_probe(watcher, DB, 77, SHORT_US);
	watcher_cancel(watcher, DB);
	watcher_probe(watcher, SIP, 78, 2 * SHORT_US);
	run_until_ended(1);
	cr_assert_eq(seen.id, 78);
}

Test(watch, another_probe_takes_the_place_of_the_first)
{
	start_sip();
	watcher_probe(watcher, 0, 77, SHORT_US);
	watcher_probe(watcher, 0, 78, LONG_US);
	claim(vip_ip(0, 0), mac_other);
	run_until_ended(1);
	cr_assert_eq(seen.id, 78);
	cr_assert(seen.answered);
}

Test(watch, an_interface_that_is_missing_does_not_answer)
{
	start_without_link(HELD_CONF);
	watcher_probe(watcher, SIP, 77, SHORT_US);
	run_until_ended(1);
	cr_assert_not(seen.answered);
	link_up("va");
	watcher_link_gone(watcher, netns_index("va"));
	watcher_probe(watcher, SIP, 78, SHORT_US);
	run_until_ended(2);
	cr_assert_not(seen.answered);
	cr_assert_eq(count_probes(), 0);
}

Test(watch, an_interface_that_is_down_does_not_answer)
{
	start_sip();
	sh("ip link set va down");
	watcher_probe(watcher, 0, 77, SHORT_US);
	run_until_ended(1);
	cr_assert_not(seen.answered);
}

Test(watch, without_an_address_nobody_can_answer)
{
	size_t n;

	start_sip();
	n = conf->groups[0].n_vips;
	conf->groups[0].n_vips = 0;
	watcher_probe(watcher, 0, 77, LONG_US);
	run_until_ended(1);
	conf->groups[0].n_vips = n;
	cr_assert_not(seen.answered);
	cr_assert_eq(count_probes(), 0);
}

/* More comes than is read in a while, and what counts comes last; then the time is over. */
Test(watch, an_answer_that_waits_when_the_time_is_over_counts)
{
	struct frame frame;

	start_sip();
	watcher_probe(watcher, 0, 77, 8 * USEC_PER_MSEC);
	arp_build_announcement(&frame, mac_other, vip_ip(0, 0), ARP_FORM_REPLY);
	frame.bytes[14 + 7] = 3; /* RARP: not valid here */
	for (int i = 0; i < 140; i++)
		say(&frame);
	claim(vip_ip(0, 0), mac_other);
	run_until_ended(1);
	cr_assert(seen.answered);
}

static void start_many(int n)
{
	_cleanup_(freep) char *text = held_many(n);

	start(text);
}

Test(watch, of_many_a_slice_is_asked_for_at_once_and_all_in_time)
{
	bool asked[MANY] = { false };
	size_t n, rest = 0;
	struct ip ip;

	start_many(MANY);
	watcher_probe(watcher, 0, 77, 500 * USEC_PER_MSEC);
	n = count_probes();
	cr_assert(n > 0 && n <= SLICE, "%zu", n);
	run_until_ended(1);
	cr_assert_not(seen.answered);
	for (; hear_probe(&ip); rest++)
		asked[(ip.bytes[1] - 20) * 250 + ip.bytes[2]] = true;
	cr_assert_eq(n + rest, 2 * MANY);
	for (size_t i = 0; i < MANY; i++)
		cr_assert(asked[i], "%zu", i);
}

Test(watch, any_of_many_may_answer)
{
	start_many(MANY);
	watcher_probe(watcher, 0, 77, LONG_US);
	claim(vip_ip(0, MANY - 1), mac_other);
	run_until_ended(1);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, MANY - 1);
}

Test(watch, a_small_probe_does_not_wait_for_a_large_one)
{
	struct ip ip = { 0 };
	size_t before = 0;

	start_many(MANY);
	watcher_probe(watcher, 0, 77, LONG_US);
	watcher_probe(watcher, 1, 78, SHORT_US);
	run_until_ended(1);
	cr_assert_eq(seen.id, 78);
	while (hear_probe(&ip) && ip.bytes[1] != 9)
		before++;
	cr_assert_eq(ip.bytes[1], 9);
	cr_assert_leq(before, SLICE);
}

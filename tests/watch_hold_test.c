/* SPDX-License-Identifier: MIT */

/* Who else uses what is held: he is met, known, and answered. */

#include <sys/syscall.h>
#include <time.h>

#include "netlink/listen.h"
#include "tests/watch_rig.h"

static uint64_t ahead_s; /* the clock is so much ahead: this stands in front of libc's */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	ret->tv_sec += (time_t)ahead_s;
	return r;
}

TestSuite(watch_hold, .fini = leave);

/* Says it, and returns when it has come to va. */
static void claim_and_arrive(const struct ip *ip)
{
	struct listen_set all = { .v = { { 0, UINT32_MAX } }, .n = 1 };
	_cleanup_(close_fdp) int fd = listen_arp(netns_index("va"));

	cr_assert_eq(listen_for(fd, 4, &all), 0);
	claim(ip, mac_other);
	netns_await(fd);
}

Test(watch_hold, a_backup_is_not_woken_by_the_primary)
{
	hold_db();
	claim_and_arrive(vip_ip(SIP, 0));
	cr_assert_eq(sd_event_run(loop, 0), 0);
	hold(DB, false);
	claim_and_arrive(vip_ip(DB, 0));
	cr_assert_eq(sd_event_run(loop, 0), 0);
}

Test(watch_hold, what_has_come_while_it_was_held_counts_no_more)
{
	hold_db();
	claim_and_arrive(vip_ip(DB, 0));
	hold(DB, false);
	run_until_heard();
	cr_assert_eq(seen.met, 0);
}

Test(watch_hold, news_of_an_interface_lose_nothing_that_waits)
{
	hold_db();
	claim_and_arrive(vip_ip(DB, 0));
	link_up("va");
	run_until_heard();
	cr_assert_eq(seen.met, 1);
}

Test(watch_hold, who_uses_what_is_held_is_met)
{
	hold_db();
	claim(vip_ip(DB, 0), mac_other);
	run_until_heard();
	cr_assert_eq(seen.met, 1);
	cr_assert_eq(seen.stranger.vip, 0);
}

Test(watch_hold, who_uses_what_is_not_held_is_not)
{
	hold_db();
	hold(DB, false);
	claim(vip_ip(DB, 0), mac_other);
	run_until_heard();
	cr_assert_eq(seen.met, 0);
	hold(DB, true);
	claim(vip_ip(DB, 0), mac_other);
	run_until_heard();
	cr_assert_eq(seen.met, 1);
}

/* Each turn costs the kernel milliseconds, and a hundred groups may move in one step. */
Test(watch_hold, groups_that_move_together_are_heard_from_one_turn_on)
{
	start(HELD_TWO);
	run_until_idle();
	watcher_hold(watcher, DB, true);
	watcher_hold(watcher, SIP, true);
	cr_assert_eq(sd_event_run(loop, 0), 1);
	cr_assert_eq(sd_event_run(loop, 0), 0);
	claim(vip_ip(DB, 0), mac_other);
	claim(vip_ip(SIP, 0), mac_other);
	run_until_met(2);
}

Test(watch_hold, our_own_words_come_back_unnoticed)
{
	hold_db();
	claim(vip_ip(DB, 0), mac_va);
	run_until_heard();
	cr_assert_eq(seen.met, 0);
}

/* RFC 5227, DEFEND_INTERVAL */
Test(watch_hold, each_address_is_met_once_in_ten_seconds)
{
	start(HELD_NODES "[Group db]\nVirtualAddress=10.9.0.4 va\nVirtualAddress=10.9.0.5 va\n"
			 "[Group sip]\nVirtualAddress=10.9.0.3 va\n");
	hold(DB, true);
	for (int i = 0; i < 5; i++) {
		claim(vip_ip(DB, 0), mac_other);
		claim(vip_ip(DB, 1), mac_other);
	}
	run_until_heard();
	cr_assert_eq(seen.met, 2);
	ahead_s = 9;
	claim(vip_ip(DB, 0), mac_other);
	run_until_heard();
	cr_assert_eq(seen.met, 2);
	ahead_s = 11;
	claim(vip_ip(DB, 0), mac_other);
	run_until_heard();
	cr_assert_eq(seen.met, 3);
}

Test(watch_hold, what_a_flood_has_too_many_is_one_meeting)
{
	struct frame frames[64];
	size_t n_sent;

	hold_db();
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		arp_build_announcement(&frames[i], mac_other, vip_ip(DB, 0), ARP_FORM_REPLY);
	for (size_t i = 0; i < 50; i++)
		cr_assert_eq(packet_send(mouth, frames, ARRAY_SIZE(frames), &n_sent), 0);
	run_until_met(1);
	watcher_probe(watcher, SIP, 77, 50 * USEC_PER_MSEC);
	run_until_ended(1);
	cr_assert_eq(seen.met, 1);
}

Test(watch_hold, an_address_is_defended_by_one_announcement)
{
	struct frame expected[3];
	struct link link;

	start_sip();
	link = link_of("va", mac_va);
	link.router = true;
	cr_assert_eq(watcher_link(watcher, &link), 0);
	arp_build_announcement(&expected[0], mac_va, vip_ip(0, 0), ARP_FORM_REQUEST);
	arp_build_announcement(&expected[1], mac_va, vip_ip(0, 0), ARP_FORM_REPLY);
	nd_build_advertisement(&expected[2], mac_va, vip_ip(0, 1), true);
	watcher_defend(watcher, 0, 0);
	watcher_defend(watcher, 0, 1);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		await_frame(&expected[i]);
	watcher_link_gone(watcher, netns_index("va"));
	watcher_defend(watcher, 0, 0); /* there is nothing to do it with */
}

Test(watch_hold, a_node_is_known_by_its_mac)
{
	struct neigh known[] = {
		{ .ip = { .family = 4, .bytes = { 10, 9, 0, 77 } }, .known = true },
		{ .ip = { .family = 4, .bytes = { 10, 0, 0, 1 } }, .known = false },
		{ .ip = { .family = 4, .bytes = { 10, 0, 0, 2 } }, .known = true },
	};

	memcpy(known[0].mac, mac_vb, 6);
	memcpy(known[1].mac, mac_other, 6);
	memcpy(known[2].mac, mac_other, 6);
	hold_db();
	watcher_neighbours(watcher, netns_index("va"), known, ARRAY_SIZE(known));
	watcher_neighbours(watcher, netns_index("va"), NULL, 0);
	claim(vip_ip(DB, 0), mac_other);
	run_until_met(1);
	cr_assert_eq(seen.stranger.node, 1);
	watcher_probe(watcher, SIP, 77, LONG_US);
	claim(vip_ip(SIP, 0), mac_vb);
	run_until_ended(1);
	cr_assert_eq(seen.stranger.node, CORE_NODE_NONE);
}

/* SPDX-License-Identifier: MIT */
#include "agent/kernel/announce.h"

#include <errno.h>

#include "tests/announce_rig.h"

TestSuite(announce, .fini = leave);

Test(announce, every_address_is_announced_in_both_forms_of_arp_or_by_nd)
{
	const struct conf_group *group;
	struct frame expected;

	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\nVirtualAddress=fd09::3 va\n"
			 "VirtualAddress=10.9.0.4 va\n");
	group = &conf->groups[0];
	link_up("va");
	announcer_start(announcer, 0);
	run_loop();
	send_last();
	for (size_t i = 0; i < group->n_vips; i++) {
		if (group->vips[i].ip.family == 4) {
			expect_arp(&group->vips[i].ip, ARP_FORM_REQUEST);
			continue;
		}
		nd_build_advertisement(&expected, mac_va, &group->vips[i].ip, false);
		expect_frame(&expected);
	}
	for (size_t i = 0; i < group->n_vips; i++)
		if (group->vips[i].ip.family == 4)
			expect_arp(&group->vips[i].ip, ARP_FORM_REPLY);
	cr_assert_not(hear(&expected));
	run_loop();
	cr_assert_eq(count_heard(), 0);
}

Test(announce, each_address_leaves_on_its_own_interface)
{
	start(HELD_CONF);
	link_up("va");
	link_up("vb");
	announcer_start(announcer, SIP);
	run_loop();
	cr_assert_eq(count_heard(), 3, "10.8.0.3 has left vb");
	announcer_start(announcer, DB);
	run_loop();
	cr_assert_eq(count_heard(), 2);
}

/* Clients know it already, and one frame moves it; some time later, everything for everybody. */
Test(announce, a_mac_that_moves_along_takes_one_frame_for_all_addresses)
{
	struct frame expected;
	size_t heard = 1;

	start(HELD_NODES "[Group sip]\nMode=subinterface\nStage=yes\nSubInterface=va vb shared\n"
			 "VirtualAddress=10.9.0.3 va\nVirtualAddress=10.9.0.4 va\n"
			 "VirtualAddress=fd09::3 va\n");
	link_up("va");
	announcer_start(announcer, 0);
	run_loop();
	send_last();
	expect_arp(&conf->groups[0].vips[0].ip, ARP_FORM_REQUEST);
	cr_assert_not(hear(&expected));
	while (heard == 1) {
		announcer_start(announcer, 0);
		run_loop();
		heard = count_heard();
	}
	cr_assert_eq(heard, 2 + 2 + 1);
	announcer_cancel(announcer, 0);
	announcer_start(announcer, 0);
	cr_assert_eq(count_heard(), 1, "it has moved there and back");
}

Test(announce, the_first_slice_leaves_at_once_and_the_rest_between_other_events)
{
	size_t first;

	start_many();
	announcer_start(announcer, 0);
	first = count_heard();
	cr_assert(first >= 2 && first <= MANY, "%zu", first);
	run_loop();
	cr_assert_eq(first + count_heard(), 2 * MANY);
}

Test(announce, what_has_not_been_announced_when_it_is_cancelled_never_is)
{
	size_t first;

	start_many();
	announcer_start(announcer, 0);
	first = count_heard();
	announcer_cancel(announcer, 0);
	run_loop();
	cr_assert_lt(first, 2 * MANY);
	cr_assert_eq(count_heard(), 0);
}

Test(announce, cancelling_one_group_leaves_the_others)
{
	start_many();
	announcer_start(announcer, 0);
	announcer_cancel(announcer, 1);
	run_loop();
	cr_assert_eq(count_heard(), 2 * MANY);
}

/* The address that an announcement over ARP is about. */
static uint32_t spoken_of(const struct frame *frame)
{
	uint32_t ip;

	memcpy(&ip, frame->bytes + 28, sizeof(ip));
	return ntohl(ip);
}

Test(announce, a_small_group_does_not_wait_for_a_large_one)
{
	struct frame frame;
	size_t first;

	start_many();
	announcer_start(announcer, 0);
	first = count_heard();
	announcer_start(announcer, 1);
	run_loop();
	for (size_t i = 0; i < 2; i++) {
		cr_assert(hear(&frame));
		cr_assert_eq(spoken_of(&frame), 0x0a090003);
	}
	cr_assert_eq(first + count_heard(), 2 * MANY);
}

Test(announce, however_many_start_at_once_the_loop_waits_for_one_slice)
{
	start_many();
	for (int i = 0; i < 10; i++)
		announcer_start(announcer, (uint8_t)(i % 2));
	cr_assert_leq(count_heard(), 128);
	cr_assert_eq(sd_event_run(loop, UINT64_MAX), 1);
	cr_assert_leq(count_heard(), 128);
}

/* With thousands of addresses a round takes longer than the next one is away. */
Test(announce, starting_again_announces_every_address_once_more_and_delays_none)
{
	bool heard[MANY] = { false };
	struct frame frame;

	start_many();
	announcer_start(announcer, 0);
	announcer_start(announcer, 0);
	run_loop();
	for (size_t i = 0; i < MANY; i++) {
		size_t number;

		cr_assert(hear(&frame));
		number = ((spoken_of(&frame) >> 16 & 0xff) - 20) * 250 +
			 (spoken_of(&frame) >> 8 & 0xff);
		cr_assert_lt(number, MANY);
		cr_assert_not(heard[number], "%zu is announced again before the others", number);
		heard[number] = true;
	}
	cr_assert_geq(count_heard(), MANY);
}

Test(announce, without_the_interface_nothing_leaves_and_nothing_hangs)
{
	start(HELD_CONF);
	announcer_start(announcer, SIP);
	run_loop();
	link_up("va");
	announcer_start(announcer, SIP);
	run_loop();
	cr_assert_eq(count_heard(), 3);
	announcer_link_gone(announcer, netns_index("va"));
	announcer_start(announcer, SIP);
	run_loop();
	cr_assert_eq(count_heard(), 0);
}

Test(announce, an_interface_that_is_none_of_ours_is_ignored)
{
	struct link link = { .index = 9999, .name = "other0" };

	start(HELD_CONF);
	cr_assert_eq(announcer_link(announcer, &link), 0);
	(void)snprintf(link.name, sizeof(link.name), "va");
	cr_assert_eq(announcer_link(announcer, &link), -ENODEV);
	announcer_start(announcer, SIP);
	run_loop();
	cr_assert_eq(count_heard(), 0);
}

Test(announce, a_role_without_addresses_is_nothing_to_announce)
{
	start(HELD_CONF HELD_ROLE);
	link_up("va");
	announcer_start(announcer, VOTE);
	run_loop();
	cr_assert_eq(count_heard(), 0);
	announcer_cancel(announcer, VOTE);
	announcer_start(announcer, DB);
	run_loop();
	cr_assert_eq(count_heard(), 2, "the others are announced as ever");
}

Test(announce, a_new_mac_is_announced_from_then_on)
{
	struct link link;
	struct frame frame, expected;

	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\n");
	link_up("va");
	link = link_of("va");
	link.mac[5] = 0x77;
	cr_assert_eq(announcer_link(announcer, &link), 0);
	announcer_start(announcer, 0);
	arp_build_announcement(&expected, link.mac, &conf->groups[0].vips[0].ip, ARP_FORM_REQUEST);
	cr_assert(hear(&frame));
	cr_assert_arr_eq(frame.bytes, expected.bytes, expected.len);
}

/* Or hosts that have it as their default router would give it up (RFC 4861 section 7.2.5). */
Test(announce, an_interface_that_forwards_is_announced_as_a_routers)
{
	struct frame expected;
	struct link link;

	start(HELD_NODES "[Group sip]\nVirtualAddress=fd09::3 va\n");
	link_up("va");
	link = link_of("va");
	link.router = true;
	cr_assert_eq(announcer_link(announcer, &link), 0);
	announcer_start(announcer, 0);
	nd_build_advertisement(&expected, mac_va, &conf->groups[0].vips[0].ip, true);
	expect_frame(&expected);
}

Test(announce, an_interface_that_was_renamed_is_used_no_more)
{
	struct link link;

	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\n");
	link_up("va");
	link = link_of("va");
	(void)snprintf(link.name, sizeof(link.name), "other0");
	cr_assert_eq(announcer_link(announcer, &link), 0);
	announcer_start(announcer, 0);
	cr_assert_eq(count_heard(), 0);
	link_up("va");
	announcer_start(announcer, 0);
	run_loop();
	cr_assert_eq(count_heard(), 2);
}

Test(announce, an_interface_that_was_made_anew_is_used_anew)
{
	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\n");
	link_up("va");
	close_fdp(&ear);
	sh("ip link del va && ip link add va address 02:00:00:00:00:0a type veth peer name vb && "
	   "ip link set va up && ip link set vb up");
	netns_await_up();
	ear = open_ear();
	link_up("va");
	announcer_start(announcer, 0);
	run_loop();
	cr_assert_eq(count_heard(), 2);
}

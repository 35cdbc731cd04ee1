/* SPDX-License-Identifier: MIT */

/* Interfaces of a group's own, and what comes, goes and changes its name or MAC. */

#include <errno.h>

#include "tests/watch_rig.h"

TestSuite(watch_link, .fini = leave);

/* Group sip on vip0, which is made on va as it stands on a backup: down. */
static struct link start_sub(const char *kind)
{
	_cleanup_(freep) char *text = NULL;
	char command[128];
	struct link vip0;
	uint8_t mac[6];

	cr_assert_gt(asprintf(&text,
			      HELD_NODES "[Group sip]\nMode=subinterface\nSubInterface=vip0 va %s\n"
					 "VirtualAddress=10.9.0.3/24 vip0\n"
					 "VirtualAddress=fd09::3/64 vip0\n",
			      kind),
		     0);
	start(text);
	conf_sub_mac(&conf->nodes[0], &conf->groups[0], &conf->groups[0].subs[0], mac);
	(void)snprintf(command, sizeof(command),
		       "ip link add vip0 link va address %02x:%02x:%02x:%02x:%02x:%02x "
		       "type macvlan mode private",
		       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	sh(command);
	vip0 = link_of("vip0", mac);
	cr_assert_eq(links_note(&links, &vip0), 0);
	cr_assert_eq(watcher_link(watcher, &vip0), 0);
	return vip0;
}

/* beta's on its vip0 */
static void their_mac(uint8_t mac[6])
{
	conf_sub_mac(&conf->nodes[1], &conf->groups[0], &conf->groups[0].subs[0], mac);
}

Test(watch_link, what_is_on_an_interface_of_ours_is_asked_for_below_it)
{
	struct ip ip;

	start_sub("own");
	watcher_probe(watcher, 0, 77, LONG_US);
	for (int i = 0; i < 2; i++) /* with the MAC of va */
		while (!hear_probe(&ip))
			netns_await(ear);
	claim(vip_ip(0, 0), mac_other);
	run_until_ended(1);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, 0);
	cr_assert_eq(seen.stranger.node, CORE_NODE_NONE);
	watcher_probe(watcher, 0, 78, LONG_US);
	claim(vip_ip(0, 1), mac_other);
	run_until_ended(2);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, 1);
}

Test(watch_link, a_node_is_known_by_the_mac_of_its_own_interface)
{
	uint8_t mac[6];

	start_sub("own");
	their_mac(mac);
	watcher_probe(watcher, 0, 77, LONG_US);
	claim(vip_ip(0, 0), mac);
	run_until_ended(1);
	cr_assert_eq(seen.stranger.node, 1);
	hold(0, true);
	claim(vip_ip(0, 1), mac);
	run_until_met(1);
	cr_assert_eq(seen.stranger.vip, 1);
	cr_assert_eq(seen.stranger.node, 1);
}

Test(watch_link, our_own_interface_does_not_answer_us)
{
	struct link vip0 = start_sub("own");

	watcher_probe(watcher, 0, 77, SHORT_US);
	claim(vip_ip(0, 0), vip0.mac);
	run_until_ended(1);
	cr_assert_not(seen.answered);
}

/* Down here, it is the other node's; up here, what is heard of it is our own. */
Test(watch_link, a_mac_that_moves_is_of_the_node_that_holds_the_group)
{
	uint8_t mac[6];

	start_sub("shared");
	their_mac(mac);
	watcher_probe(watcher, 0, 77, LONG_US);
	claim(vip_ip(0, 0), mac);
	run_until_ended(1);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.node, 1);
	hold(0, true);
	claim(vip_ip(0, 0), mac);
	claim(vip_ip(0, 0), mac_other);
	run_until_met(1);
	cr_assert_arr_eq(seen.stranger.mac, mac_other, 6, "the first one counts");
}

/*
 * Up and with nothing let through, as after the lease has run out: what bears its MAC and is for
 * all comes to it alone.
 */
Test(watch_link, a_mac_that_moves_is_heard_while_our_interface_with_it_is_up)
{
	uint8_t mac[6];

	start_sub("shared");
	their_mac(mac);
	sh("ip link set vip0 up");
	watcher_probe(watcher, 0, 77, LONG_US);
	claim(vip_ip(0, 1), mac);
	run_until_ended(1);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, 1);
	cr_assert_eq(seen.stranger.node, 1);
}

Test(watch_link, an_address_is_defended_by_the_interface_that_it_is_on)
{
	struct link vip0 = start_sub("own");
	struct frame expected;

	sh("ip link set vip0 up");
	arp_build_announcement(&expected, vip0.mac, vip_ip(0, 0), ARP_FORM_REQUEST);
	watcher_defend(watcher, 0, 0);
	await_frame(&expected);
}

Test(watch_link, an_interface_that_was_made_anew_is_listened_to_at_once)
{
	hold_db();
	close_fdp(&ear);
	close_fdp(&mouth);
	sh("ip link del va && ip link add va address 02:00:00:00:00:0a type veth peer name vb && "
	   "ip link set va up && ip link set vb up");
	netns_await_up();
	ear = open_ear();
	mouth = packet_open(netns_index("vb"));
	link_up("va");
	claim(vip_ip(DB, 0), mac_other);
	run_until_heard();
	cr_assert_eq(seen.met, 1);
}

Test(watch_link, an_interface_that_was_renamed_is_listened_to_no_more)
{
	struct link link;

	hold_db();
	link = link_of("va", mac_va);
	(void)snprintf(link.name, sizeof(link.name), "other0");
	cr_assert_eq(watcher_link(watcher, &link), 0);
	watcher_probe(watcher, SIP, 77, SHORT_US);
	claim(vip_ip(DB, 0), mac_other);
	claim(vip_ip(SIP, 0), mac_other);
	run_until_ended(1);
	cr_assert_not(seen.answered);
	cr_assert_eq(seen.met, 0);
}

Test(watch_link, a_new_mac_asks_from_then_on)
{
	struct link link;
	struct ip ip;

	start_sip();
	link = link_of("va", mac_other);
	cr_assert_eq(watcher_link(watcher, &link), 0);
	watcher_probe(watcher, 0, 77, SHORT_US);
	run_until_ended(1);
	cr_assert_not(hear_probe(&ip), "from the old one");
}

Test(watch_link, an_interface_that_is_none_of_ours_is_ignored)
{
	struct link link = { .index = 9999, .name = "other0" };

	start_sip();
	cr_assert_eq(watcher_link(watcher, &link), 0);
	(void)snprintf(link.name, sizeof(link.name), "va");
	cr_assert_eq(watcher_link(watcher, &link), -ENODEV);
}

/* SPDX-License-Identifier: MIT */

#include "netlink/arp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

#include "tests/netns.h"

static const uint8_t mac[6] = { 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30 };
static const struct ip ip = { .family = 4, .bytes = { 192, 0, 2, 7 } };

/* RFC 826; sender and target address equal, target MAC zero (RFC 5227 section 3). */
Test(arp, request_form_is_the_announcement_of_rfc_5227)
{
	static const uint8_t expected[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* destination: everybody */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* source */
		0x08, 0x06,			    /* ARP */
		0x00, 0x01,			    /* Ethernet */
		0x08, 0x00,			    /* IPv4 */
		0x06, 0x04,			    /* lengths of their addresses */
		0x00, 0x01,			    /* request */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* sender MAC */
		0xc0, 0x00, 0x02, 0x07,		    /* sender address */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* target MAC */
		0xc0, 0x00, 0x02, 0x07,		    /* target address */
	};
	struct frame frame;

	memset(&frame, 0xa5, sizeof(frame));
	arp_build_announcement(&frame, mac, &ip, ARP_FORM_REQUEST);
	cr_assert_eq(frame.len, sizeof(expected));
	cr_assert_arr_eq(frame.bytes, expected, sizeof(expected));
}

Test(arp, reply_form_names_our_mac_as_target_too)
{
	static const uint8_t expected[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* destination: everybody */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* source */
		0x08, 0x06,			    /* ARP */
		0x00, 0x01,			    /* Ethernet */
		0x08, 0x00,			    /* IPv4 */
		0x06, 0x04,			    /* lengths of their addresses */
		0x00, 0x02,			    /* reply */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* sender MAC */
		0xc0, 0x00, 0x02, 0x07,		    /* sender address */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* target MAC */
		0xc0, 0x00, 0x02, 0x07,		    /* target address */
	};
	struct frame frame;

	memset(&frame, 0xa5, sizeof(frame));
	arp_build_announcement(&frame, mac, &ip, ARP_FORM_REPLY);
	cr_assert_eq(frame.len, sizeof(expected));
	cr_assert_arr_eq(frame.bytes, expected, sizeof(expected));
}

static const struct neigh to = {
	.ip = { .family = 4, .bytes = { 192, 0, 2, 1 } },
	.mac = { 0x02, [5] = 0x0b },
	.known = true,
};

Test(arp, who_is_asked_for_his_own_address_learns_who_asks)
{
	static const uint8_t expected[60] = {
		0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, /* destination: him alone */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* source */
		0x08, 0x06,			    /* ARP */
		0x00, 0x01,			    /* Ethernet */
		0x08, 0x00,			    /* IPv4 */
		0x06, 0x04,			    /* lengths of their addresses */
		0x00, 0x01,			    /* request */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* sender MAC */
		0xc0, 0x00, 0x02, 0x07,		    /* sender address */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* target MAC */
		0xc0, 0x00, 0x02, 0x01,		    /* target address: his */
	};
	struct neigh stranger = to;
	struct frame frame;

	memset(&frame, 0xa5, sizeof(frame));
	arp_build_unicast(&frame, mac, &ip, ARP_FORM_REQUEST, &to);
	cr_assert_eq(frame.len, sizeof(expected));
	cr_assert_arr_eq(frame.bytes, expected, sizeof(expected));
	stranger.known = false;
	arp_build_unicast(&frame, mac, &ip, ARP_FORM_REQUEST, &stranger);
	for (size_t i = 0; i < 6; i++)
		cr_assert_eq(frame.bytes[i], 0xff, "everybody is asked for him");
	cr_assert_arr_eq(frame.bytes + 6, expected + 6, sizeof(expected) - 6);
}

Test(arp, a_reply_to_one_host_is_as_if_it_had_asked)
{
	static const uint8_t expected[60] = {
		0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, /* destination: him alone */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* source */
		0x08, 0x06,			    /* ARP */
		0x00, 0x01,			    /* Ethernet */
		0x08, 0x00,			    /* IPv4 */
		0x06, 0x04,			    /* lengths of their addresses */
		0x00, 0x02,			    /* reply */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* sender MAC */
		0xc0, 0x00, 0x02, 0x07,		    /* sender address */
		0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, /* target MAC: his */
		0xc0, 0x00, 0x02, 0x01,		    /* target address: his */
	};
	struct frame frame;

	memset(&frame, 0xa5, sizeof(frame));
	arp_build_unicast(&frame, mac, &ip, ARP_FORM_REPLY, &to);
	cr_assert_eq(frame.len, sizeof(expected));
	cr_assert_arr_eq(frame.bytes, expected, sizeof(expected));
}

Test(arp, the_kernel_believes_the_question_at_once)
{
	_cleanup_(close_fdp) int fd = -1;
	struct frame frame;
	size_t n_sent;

	netns_enter();
	sh("ip addr add 192.0.2.1/24 dev vb");
	fd = packet_open(netns_index("va"));
	sh("ip neigh replace 192.0.2.7 lladdr 02:00:00:00:00:99 dev vb nud reachable");
	arp_build_unicast(&frame, mac, &ip, ARP_FORM_REQUEST, &to);
	cr_assert_eq(packet_send(fd, &frame, 1, &n_sent), 0);
	netns_await_neighbour("192.0.2.7", "02:00:5e:10:20:30");
}

Test(arp, the_kernel_believes_either_form_at_once)
{
	static const enum arp_form forms[] = { ARP_FORM_REQUEST, ARP_FORM_REPLY };
	_cleanup_(close_fdp) int fd = -1;

	netns_enter();
	sh("ip addr add 192.0.2.1/24 dev vb");
	fd = packet_open(netns_index("va"));
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct frame frame;
		size_t n_sent;

		/* An entry as young as this is overridden by a gratuitous ARP only. */
		sh("ip neigh replace 192.0.2.7 lladdr 02:00:00:00:00:99 dev vb nud reachable");
		arp_build_announcement(&frame, mac, &ip, forms[i]);
		cr_assert_eq(packet_send(fd, &frame, 1, &n_sent), 0);
		netns_await_neighbour("192.0.2.7", "02:00:5e:10:20:30");
	}
}

/* RFC 5227 section 2.1.1: sender's address 0, target's MAC 0. */
Test(arp, a_probe_says_of_no_address_where_it_is)
{
	static const uint8_t expected[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* destination: everybody */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* source */
		0x08, 0x06,			    /* ARP */
		0x00, 0x01,			    /* Ethernet */
		0x08, 0x00,			    /* IPv4 */
		0x06, 0x04,			    /* lengths of their addresses */
		0x00, 0x01,			    /* request */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* sender MAC */
		0x00, 0x00, 0x00, 0x00,		    /* sender address: none */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* target MAC */
		0xc0, 0x00, 0x02, 0x07,		    /* target address */
	};
	struct frame frame;

	memset(&frame, 0xa5, sizeof(frame));
	arp_build_probe(&frame, mac, &ip);
	cr_assert_eq(frame.len, sizeof(expected));
	cr_assert_arr_eq(frame.bytes, expected, sizeof(expected));
}

enum { ETHERNET_LEN = 14 };

Test(arp, every_form_tells_who_sends_it)
{
	static const struct ip nowhere = { .family = 4 };
	struct frame frames[4];

	arp_build_announcement(&frames[0], mac, &ip, ARP_FORM_REQUEST);
	arp_build_announcement(&frames[1], mac, &ip, ARP_FORM_REPLY);
	arp_build_unicast(&frames[2], mac, &ip, ARP_FORM_REPLY, &to);
	arp_build_probe(&frames[3], mac, &ip);
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		struct neigh sender = { 0 };

		cr_assert_eq(arp_parse(frames[i].bytes + ETHERNET_LEN, ARP_LEN, &sender), 0);
		cr_assert(ip_equal(&sender.ip, i == 3 ? &nowhere : &ip), "form %zu", i);
		cr_assert_arr_eq(sender.mac, mac, sizeof(mac));
		cr_assert(sender.known);
	}
}

Test(arp, what_is_not_about_ipv4_on_ethernet_is_refused)
{
	/* which byte of the packet, and what it would have to be */
	static const struct {
		size_t at;
		uint8_t wrong;
	} cases[] = { { 1, 6 }, { 2, 0x86 }, { 4, 8 }, { 5, 16 }, { 7, 3 }, { 7, 0 }, { 6, 1 } };
	struct neigh sender = { .ifindex = 77 };
	struct frame frame;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		arp_build_announcement(&frame, mac, &ip, ARP_FORM_REPLY);
		frame.bytes[ETHERNET_LEN + cases[i].at] = cases[i].wrong;
		cr_assert_eq(arp_parse(frame.bytes + ETHERNET_LEN, ARP_LEN, &sender), -EBADMSG,
			     "case %zu", i);
	}
	arp_build_announcement(&frame, mac, &ip, ARP_FORM_REPLY);
	for (size_t len = 0; len < ARP_LEN; len++)
		cr_assert_eq(arp_parse(frame.bytes + ETHERNET_LEN, len, &sender), -EBADMSG);
	cr_assert_eq(sender.ifindex, 77, "untouched");
}

/* Waits for the kernel's answer to a question about an address of vb. */
static void expect_reply(int ear, const uint8_t *mac_vb)
{
	for (;;) {
		uint8_t bytes[FRAME_MAX];
		struct neigh sender;
		ssize_t len;

		netns_await(ear);
		len = recv(ear, bytes, sizeof(bytes), 0);
		cr_assert_gt(len, ETHERNET_LEN);
		if (arp_parse(bytes + ETHERNET_LEN, (size_t)len - ETHERNET_LEN, &sender) < 0 ||
		    !ip_equal(&sender.ip, &ip))
			continue;
		cr_assert_arr_eq(sender.mac, mac_vb, sizeof(sender.mac));
		return;
	}
}

Test(arp, the_kernel_answers_a_probe_for_an_address_that_it_has_and_takes_nothing_down)
{
	static const uint8_t mac_va[6] = { 0x02, [5] = 0x0a }, mac_vb[6] = { 0x02, [5] = 0x0b };
	_cleanup_(close_fdp) int fd = -1, ear = -1;
	struct sockaddr_ll self = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP) };
	struct frame frame;
	size_t n_sent;

	netns_enter();
	sh("ip addr add 192.0.2.7/24 dev vb");
	fd = packet_open(netns_index("va"));
	ear = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	self.sll_ifindex = netns_index("va");
	cr_assert_eq(bind(ear, (const struct sockaddr *)&self, sizeof(self)), 0);
	arp_build_probe(&frame, mac_va, &ip);
	cr_assert_eq(packet_send(fd, &frame, 1, &n_sent), 0);
	expect_reply(ear, mac_vb);
	sh("[ -z \"$(ip neigh show dev vb | grep -v :)\" ]");
}

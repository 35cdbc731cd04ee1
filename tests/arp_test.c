/* SPDX-License-Identifier: MIT */

#include "netlink/arp.h"

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

/* SPDX-License-Identifier: MIT */

#include "netlink/nd.h"

#include <errno.h>

#include "netlink/listen.h"
#include "tests/netns.h"

static const uint8_t mac[6] = { 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30 };
static const struct ip ip = {
	.family = 6,
	.bytes = { 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x03 },
};

/* RFC 4861 sections 4.4, 4.6.1 and 7.2.6; RFC 2464 section 7 for the group's MAC. */
static const uint8_t expected[86] = {
	0x33, 0x33, 0x00, 0x00, 0x00, 0x01,		/* destination: all nodes */
	0x02, 0x00, 0x5e, 0x10, 0x20, 0x30,		/* source */
	0x86, 0xdd,					/* IPv6 */
	0x60, 0x00, 0x00, 0x00,				/* version, class, flow */
	0x00, 0x20,					/* 32 bytes follow */
	0x3a, 0xff,					/* ICMPv6, hop limit 255 */
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x11, 0x00, 0x00, /* source: the address */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, /**/
	0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* destination: ff02::1 */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, /**/
	0x88, 0x00,					/* neighbour advertisement */
	0x78, 0xc5,					/* checksum */
	0x20, 0x00, 0x00, 0x00,				/* override; not router, not solicited */
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x11, 0x00, 0x00, /* target: the address */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, /**/
	0x02, 0x01, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, /* option: it is at this MAC */
};

Test(nd, advertisement_is_unsolicited_and_overrides)
{
	struct frame frame;

	memset(&frame, 0xa5, sizeof(frame));
	nd_build_advertisement(&frame, mac, &ip, false);
	cr_assert_eq(frame.len, sizeof(expected));
	cr_assert_arr_eq(frame.bytes, expected, sizeof(expected));
}

Test(nd, router_changes_its_flag_and_the_checksum_only)
{
	uint8_t bytes[sizeof(expected)];
	struct frame frame;

	memcpy(bytes, expected, sizeof(bytes));
	bytes[56] = 0xf8;
	bytes[57] = 0xc4;
	bytes[58] = 0xa0;
	nd_build_advertisement(&frame, mac, &ip, true);
	cr_assert_arr_eq(frame.bytes, bytes, sizeof(bytes));
}

Test(nd, the_kernel_believes_it_at_once)
{
	_cleanup_(close_fdp) int fd = -1;
	struct frame frame;
	size_t n_sent;

	netns_enter();
	sh("ip neigh replace 2001:db8:11::103 lladdr 02:00:00:00:00:99 dev vb nud reachable");
	fd = packet_open(netns_index("va"));
	nd_build_advertisement(&frame, mac, &ip, false);
	cr_assert_eq(packet_send(fd, &frame, 1, &n_sent), 0);
	netns_await_neighbour("2001:db8:11::103", "02:00:5e:10:20:30");
}

static const struct neigh to = {
	.ip = { .family = 6, .bytes = { 0xfe, 0x80, [13] = 0xaa, 0xbb, 0xcc } },
	.mac = { 0x02, [5] = 0x0b },
	.known = true,
};

/* As RFC 4443 section 2.3 has it: with the checksum in it, the sum is all ones. */
static void expect_checksum(const struct frame *frame)
{
	const uint8_t *bytes = frame->bytes;
	uint32_t sum = (uint32_t)frame->len - 54 + 58; /* length of the message, ICMPv6 */

	for (size_t i = 22; i < frame->len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	cr_assert_eq(sum, 0xffff);
}

Test(nd, an_advertisement_for_one_host_differs_in_its_destination_only)
{
	uint8_t bytes[sizeof(expected)];
	struct frame frame;

	memcpy(bytes, expected, sizeof(bytes));
	memcpy(bytes, to.mac, 6);
	memcpy(bytes + 38, to.ip.bytes, 16);
	memset(&frame, 0xa5, sizeof(frame));
	nd_build_unicast(&frame, mac, &ip, false, &to);
	cr_assert_eq(frame.len, sizeof(bytes));
	expect_checksum(&frame);
	memcpy(bytes + 56, frame.bytes + 56, 2);
	cr_assert_arr_eq(frame.bytes, bytes, sizeof(bytes));
	nd_build_unicast(&frame, mac, &ip, true, &to);
	expect_checksum(&frame);
	cr_assert_eq(frame.bytes[58], 0xa0, "what a router says");
}

/* RFC 4861 section 4.3, RFC 4291 section 2.7.1 for the group of who is not known. */
Test(nd, a_solicitation_asks_a_host_for_its_own_address)
{
	static const uint8_t asks[32] = {
		0x87, 0x00, 0,	  0,
		0,    0,    0,	  0, /* solicitation, checksum */
		0xfe, 0x80, 0,	  0,
		0,    0,    0,	  0, /* target: the host */
		0,    0,    0,	  0,
		0,    0xaa, 0xbb, 0xcc, /**/
		0x01, 0x01, 0x02, 0x00,
		0x5e, 0x10, 0x20, 0x30, /* option: who asks is at this MAC */
	};
	static const uint8_t group[16] = { 0xff, 0x02, [11] = 1, [12] = 0xff, 0xaa, 0xbb, 0xcc };
	static const uint8_t group_mac[6] = { 0x33, 0x33, 0xff, 0xaa, 0xbb, 0xcc };
	struct neigh stranger = to;
	struct frame frame;

	nd_build_solicitation(&frame, mac, &ip, &to);
	cr_assert_eq(frame.len, sizeof(expected));
	expect_checksum(&frame);
	cr_assert_arr_eq(frame.bytes, to.mac, 6);
	cr_assert_arr_eq(frame.bytes + 6, expected + 6, 32, "but for the destination");
	cr_assert_arr_eq(frame.bytes + 38, to.ip.bytes, 16);
	memset(frame.bytes + 56, 0, 2);
	cr_assert_arr_eq(frame.bytes + 54, asks, sizeof(asks));

	stranger.known = false;
	nd_build_solicitation(&frame, mac, &ip, &stranger);
	expect_checksum(&frame);
	cr_assert_arr_eq(frame.bytes, group_mac, 6);
	cr_assert_arr_eq(frame.bytes + 38, group, 16);
}

/* What a host that ignores unsolicited advertisements has to take down all the same. */
Test(nd, the_kernel_believes_the_question_where_it_drops_advertisements)
{
	_cleanup_(close_fdp) int fd = -1;
	struct neigh vb = to;
	struct frame frames[2];
	size_t n_sent;

	netns_enter();
	sh("sysctl -qw net.ipv6.conf.vb.drop_unsolicited_na=1 && "
	   "ip addr add 2001:db8:11::1/64 dev vb nodad");
	vb.ip = (struct ip){ .family = 6, .bytes = { 0x20, 0x01, 0x0d, 0xb8, 0, 0x11, [15] = 1 } };
	fd = packet_open(netns_index("va"));
	sh("ip neigh replace 2001:db8:11::103 lladdr 02:00:00:00:00:99 dev vb nud reachable");
	nd_build_unicast(&frames[0], to.mac, &ip, false, &vb);
	nd_build_solicitation(&frames[1], mac, &ip, &vb);
	cr_assert_eq(packet_send(fd, frames, 2, &n_sent), 0);
	netns_await_neighbour("2001:db8:11::103", "02:00:5e:10:20:30");
}

Test(nd, the_kernel_believes_an_advertisement_for_itself_alone)
{
	_cleanup_(close_fdp) int fd = -1;
	struct neigh vb = to;
	struct frame frame;
	size_t n_sent;

	netns_enter();
	sh("ip addr add 2001:db8:11::1/64 dev vb nodad");
	vb.ip = (struct ip){ .family = 6, .bytes = { 0x20, 0x01, 0x0d, 0xb8, 0, 0x11, [15] = 1 } };
	fd = packet_open(netns_index("va"));
	sh("ip neigh replace 2001:db8:11::103 lladdr 02:00:00:00:00:99 dev vb nud reachable");
	nd_build_unicast(&frame, mac, &ip, false, &vb);
	cr_assert_eq(packet_send(fd, &frame, 1, &n_sent), 0);
	netns_await_neighbour("2001:db8:11::103", "02:00:5e:10:20:30");
}

/* RFC 4862 section 5.4.2: from nowhere, with no option, to the solicited-node group. */
Test(nd, a_probe_is_what_looks_for_duplicates)
{
	static const uint8_t probe[78] = {
		0x33, 0x33, 0xff, 0x00, 0x01, 0x03,		/* destination: the group */
		0x02, 0x00, 0x5e, 0x10, 0x20, 0x30,		/* source */
		0x86, 0xdd,					/* IPv6 */
		0x60, 0x00, 0x00, 0x00,				/* version, class, flow */
		0x00, 0x18,					/* 24 bytes follow */
		0x3a, 0xff,					/* ICMPv6, hop limit 255 */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* source: none */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /**/
		0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* destination: the group */
		0x00, 0x00, 0x00, 0x01, 0xff, 0x00, 0x01, 0x03, /**/
		0x87, 0x00,					/* neighbour solicitation */
		0x00, 0x00,					/* checksum */
		0x00, 0x00, 0x00, 0x00,				/**/
		0x20, 0x01, 0x0d, 0xb8, 0x00, 0x11, 0x00, 0x00, /* target: the address */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, /**/
	};
	struct frame frame;

	memset(&frame, 0xa5, sizeof(frame));
	nd_build_probe(&frame, mac, &ip);
	cr_assert_eq(frame.len, sizeof(probe));
	expect_checksum(&frame);
	memset(frame.bytes + 56, 0, 2);
	cr_assert_arr_eq(frame.bytes, probe, sizeof(probe));
}

Test(nd, the_kernel_answers_a_probe_for_an_address_that_it_has_and_takes_nothing_down)
{
	static const uint8_t mac_va[6] = { 0x02, [5] = 0x0a }, mac_vb[6] = { 0x02, [5] = 0x0b };
	struct listen_set all = { .v = { { 0, UINT32_MAX } }, .n = 1 };
	_cleanup_(close_fdp) int fd = -1, ear = -1;
	struct neigh who = { 0 };
	struct frame frame;
	size_t n_sent;

	netns_enter();
	netns_add_ipv6("2001:db8:11::103");
	fd = packet_open(netns_index("va"));
	ear = listen_nd(netns_index("va"));
	cr_assert_eq(listen_for(ear, 6, &all), 0);
	nd_build_probe(&frame, mac_va, &ip);
	cr_assert_eq(packet_send(fd, &frame, 1, &n_sent), 0);
	do {
		netns_await(ear);
		cr_assert_eq(listen_next(ear, 6, &who), 1);
	} while (!ip_equal(&who.ip, &ip)); /* the kernel may advertise its other addresses */
	cr_assert(who.known);
	cr_assert_arr_eq(who.mac, mac_vb, sizeof(mac_vb));
	sh("! ip neigh show 2001:db8:11::103 dev vb | grep -q lladdr");
}

enum { ICMP_AT = 54 };

Test(nd, an_advertisement_tells_who_has_the_address)
{
	struct neigh who = { 0 };
	struct frame frame;

	nd_build_advertisement(&frame, mac, &ip, true);
	cr_assert_eq(nd_parse_advertisement(frame.bytes + ICMP_AT, 32, 255, &who), 0);
	cr_assert(ip_equal(&who.ip, &ip));
	cr_assert(who.known);
	cr_assert_arr_eq(who.mac, mac, sizeof(mac));
	/* Who is asked alone may leave out where he is (RFC 4861 section 4.4). */
	cr_assert_eq(nd_parse_advertisement(frame.bytes + ICMP_AT, 24, 255, &who), 0);
	cr_assert(ip_equal(&who.ip, &ip));
	cr_assert_not(who.known);
}

Test(nd, options_that_mean_nothing_here_are_passed_over)
{
	uint8_t bytes[24 + 16 + 8 + 8] = { 0x88, [8] = 0x20, 0x01, [23] = 3 };
	struct neigh who;

	bytes[24] = 14; /* a nonce, of two units */
	bytes[25] = 2;
	bytes[40] = 1; /* the source's MAC, which has no place here */
	bytes[41] = 1;
	memcpy(bytes + 42, to.mac, 6);
	bytes[48] = 2;
	bytes[49] = 1;
	memcpy(bytes + 50, mac, 6);
	cr_assert_eq(nd_parse_advertisement(bytes, sizeof(bytes), 255, &who), 0);
	cr_assert(who.known);
	cr_assert_arr_eq(who.mac, mac, sizeof(mac));
	cr_assert_eq(nd_parse_advertisement(bytes, sizeof(bytes) - 8, 255, &who), 0);
	cr_assert_not(who.known);
}

/* RFC 4861 section 7.1.2 */
Test(nd, what_is_not_a_valid_advertisement_is_refused)
{
	struct neigh who = { .ifindex = 77 };
	struct frame good, frame;
	const uint8_t *icmp = frame.bytes + ICMP_AT;

	nd_build_advertisement(&good, mac, &ip, false);
	frame = good;
	for (size_t len = 0; len < 32; len++)
		if (len != 24)
			cr_assert_eq(nd_parse_advertisement(icmp, len, 255, &who), -EBADMSG, "%zu",
				     len);
	cr_assert_eq(nd_parse_advertisement(icmp, 32, 254, &who), -EBADMSG, "from afar");
	frame.bytes[ICMP_AT] = 0x87;
	cr_assert_eq(nd_parse_advertisement(icmp, 32, 255, &who), -EBADMSG, "a question");
	frame = good;
	frame.bytes[ICMP_AT + 1] = 1;
	cr_assert_eq(nd_parse_advertisement(icmp, 32, 255, &who), -EBADMSG, "its code");
	frame = good;
	frame.bytes[ICMP_AT + 8] = 0xff;
	cr_assert_eq(nd_parse_advertisement(icmp, 32, 255, &who), -EBADMSG, "a group");
	frame = good;
	frame.bytes[ICMP_AT + 25] = 0;
	cr_assert_eq(nd_parse_advertisement(icmp, 32, 255, &who), -EBADMSG, "without end");
	frame.bytes[ICMP_AT + 25] = 2;
	cr_assert_eq(nd_parse_advertisement(icmp, 32, 255, &who), -EBADMSG, "cut off");
	cr_assert_eq(who.ifindex, 77, "untouched");
}

/* SPDX-License-Identifier: MIT */

#include "netlink/nd.h"

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

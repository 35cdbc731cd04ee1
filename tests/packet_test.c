/* SPDX-License-Identifier: MIT */

#include "netlink/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

#include "netlink/arp.h"
#include "netlink/nd.h"
#include "tests/netns.h"

enum { TEST_ETHERTYPE = 0x88b5 }; /* IEEE 802 local experimental */

/* Hears what arrives at a link. */
static int open_receiver(const char *link, uint16_t ethertype)
{
	const struct sockaddr_ll self = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ethertype),
		.sll_ifindex = netns_index(link),
	};
	_cleanup_(close_fdp) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	const int large = 4 * 1024 * 1024;

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large)), 0);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&self, sizeof(self)), 0);
	return TAKE_FD(fd);
}

static struct frame numbered(uint16_t number)
{
	struct frame frame = { .len = 60 };

	memset(frame.bytes, 0xff, 6);
	frame.bytes[6] = 0x02;
	frame.bytes[12] = TEST_ETHERTYPE >> 8;
	frame.bytes[13] = TEST_ETHERTYPE & 0xff;
	frame.bytes[14] = (uint8_t)(number >> 8);
	frame.bytes[15] = (uint8_t)number;
	return frame;
}

static void expect(int fd, const struct frame *frame)
{
	uint8_t bytes[2048];

	netns_await(fd);
	cr_assert_eq(recv(fd, bytes, sizeof(bytes), 0), frame->len);
	cr_assert_arr_eq(bytes, frame->bytes, frame->len);
}

Test(packet, descriptor_never_blocks_and_is_not_inherited)
{
	_cleanup_(close_fdp) int fd = -1;

	netns_enter();
	fd = packet_open(netns_index("va"));
	cr_assert_geq(fd, 0);
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

Test(packet, no_link_is_an_error)
{
	netns_enter();
	cr_assert_eq(packet_open(9999), -ENODEV);
}

Test(packet, frames_arrive_whole_and_in_order)
{
	enum { N = 200 };
	_cleanup_(close_fdp) int fd = -1, receiver = -1;
	static struct frame frames[N];
	size_t n_sent = 0;

	netns_enter();
	receiver = open_receiver("vb", TEST_ETHERTYPE);
	fd = packet_open(netns_index("va"));
	for (uint16_t i = 0; i < N; i++)
		frames[i] = numbered(i);
	cr_assert_eq(packet_send(fd, frames, N, &n_sent), 0);
	cr_assert_eq(n_sent, N);
	for (size_t i = 0; i < N; i++)
		expect(receiver, &frames[i]);
}

Test(packet, announcements_arrive_as_what_they_are)
{
	_cleanup_(close_fdp) int fd = -1, arp = -1, ipv6 = -1;
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0x0a };
	const struct ip ip4 = { .family = 4, .bytes = { 192, 0, 2, 7 } };
	const struct ip ip6 = { .family = 6, .bytes = { 0xfd, [15] = 1 } };
	struct frame frames[2];
	size_t n_sent;

	netns_enter();
	sh("sysctl -qw net.ipv6.conf.va.disable_ipv6=1");
	arp = open_receiver("vb", ETHERTYPE_ARP);
	ipv6 = open_receiver("vb", ETHERTYPE_IPV6);
	fd = packet_open(netns_index("va"));
	arp_build_announcement(&frames[0], mac, &ip4, ARP_FORM_REQUEST);
	nd_build_advertisement(&frames[1], mac, &ip6, false);
	cr_assert_eq(packet_send(fd, frames, 2, &n_sent), 0);
	expect(arp, &frames[0]);
	expect(ipv6, &frames[1]);
}

Test(packet, what_left_before_a_failure_is_counted)
{
	_cleanup_(close_fdp) int fd = -1, receiver = -1;
	struct frame frames[100];
	size_t n_sent = 0;

	netns_enter();
	receiver = open_receiver("vb", TEST_ETHERTYPE);
	fd = packet_open(netns_index("va"));
	for (uint16_t i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = numbered(i);
	frames[70].len = 5; /* not even an Ethernet header */
	cr_assert_eq(packet_send(fd, frames, ARRAY_SIZE(frames), &n_sent), -EINVAL);
	cr_assert_eq(n_sent, 70);
	for (size_t i = 0; i < 70; i++)
		expect(receiver, &frames[i]);
}

Test(packet, a_link_that_is_down_takes_nothing)
{
	_cleanup_(close_fdp) int fd = -1;
	const struct frame frame = numbered(0);
	size_t n_sent = 9;

	netns_enter();
	fd = packet_open(netns_index("va"));
	sh("ip link set va down");
	cr_assert_eq(packet_send(fd, &frame, 1, &n_sent), -ENETDOWN);
	cr_assert_eq(n_sent, 0);
}

Test(packet, the_socket_hears_nothing)
{
	_cleanup_(close_fdp) int fd = -1, peer = -1, receiver = -1;
	const struct frame frame = numbered(7);
	uint8_t byte;
	size_t n_sent;

	netns_enter();
	fd = packet_open(netns_index("va"));
	peer = packet_open(netns_index("vb"));
	receiver = open_receiver("va", TEST_ETHERTYPE);
	cr_assert_eq(packet_send(peer, &frame, 1, &n_sent), 0);
	expect(receiver, &frame);
	cr_assert_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	cr_assert_eq(errno, EAGAIN);
}

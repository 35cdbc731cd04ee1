/* SPDX-License-Identifier: MIT */
#pragma once

/* An announcer in a namespace, and an ear for what it says. */

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>

#include "agent/kernel/announce.h"
#include "netlink/arp.h"
#include "netlink/nd.h"
#include "tests/held.h"

enum { MANY = 300, LAST_ETHERTYPE = 0x88b5 }; /* IEEE 802 local experimental */

static const uint8_t mac_va[6] = { 0x02, [5] = 0x0a };

static struct conf *conf;
static sd_event *loop;
static struct announcer *announcer;
static int ear = -1; /* hears at vb what leaves va */

static inline struct link link_of(const char *name)
{
	struct link link = { .index = netns_index(name), .running = true };

	(void)snprintf(link.name, sizeof(link.name), "%s", name);
	memcpy(link.mac, mac_va, sizeof(link.mac));
	return link;
}

static inline int open_ear(void)
{
	const struct sockaddr_ll self = { .sll_family = AF_PACKET,
					  .sll_protocol = htons(ETH_P_ALL),
					  .sll_ifindex = netns_index("vb") };
	const int large = 4 * 1024 * 1024;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large)), 0);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&self, sizeof(self)), 0);
	return fd;
}

static inline void start(const char *text)
{
	cpu_set_t one;

	/* What leaves arrives in its order if it leaves from one CPU. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	netns_enter();
	conf = conf_from_text(text);
	cr_assert_eq(sd_event_new(&loop), 0);
	cr_assert_eq(announcer_new(conf, loop, &announcer), 0);
	ear = open_ear();
}

static inline void leave(void)
{
	announcer_free(announcer);
	sd_event_unref(loop);
	conf_free(conf);
	close_fdp(&ear);
}

static inline void link_up(const char *name)
{
	struct link link = link_of(name);

	cr_assert_eq(announcer_link(announcer, &link), 0);
}

static inline void start_many(void)
{
	_cleanup_(freep) char *text = held_many(MANY);

	start(text);
	link_up("va");
}

/* The loop, until nothing is left to do. */
static inline void run_loop(void)
{
	while (announcer_busy(announcer))
		cr_assert_geq(sd_event_run(loop, UINT64_MAX), 0);
}

/* After this frame nothing of what left before it is under way. */
static inline void send_last(void)
{
	_cleanup_(close_fdp) int fd = packet_open(netns_index("va"));
	struct frame frame = { .len = 60 };
	size_t n_sent;

	memset(frame.bytes, 0xff, 6);
	frame.bytes[12] = LAST_ETHERTYPE >> 8;
	frame.bytes[13] = LAST_ETHERTYPE & 0xff;
	cr_assert_eq(packet_send(fd, &frame, 1, &n_sent), 0);
}

/* An advertisement, or a solicitation that is not of a kernel which looks for duplicates. */
static inline bool is_nd(const uint8_t *bytes)
{
	static const uint8_t unspecified[16];

	return bytes[12] == 0x86 && bytes[13] == 0xdd &&
	       (bytes[54] == 136 ||
		(bytes[54] == 135 && memcmp(bytes + 22, unspecified, sizeof(unspecified)) != 0));
}

/* The next announcement that arrives; false: no more of them. The kernel has things to say, too. */
static inline bool hear(struct frame *ret)
{
	for (;;) {
		uint8_t bytes[2048];
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		ssize_t len;
		uint16_t type;

		netns_await(ear);
		len = recvfrom(ear, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_len);
		cr_assert_gt(len, 14);
		type = (uint16_t)(bytes[12] << 8 | bytes[13]);
		if (from.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (type == LAST_ETHERTYPE)
			return false;
		if (type != ETH_P_ARP && !is_nd(bytes))
			continue;
		cr_assert_leq((size_t)len, sizeof(ret->bytes));
		ret->len = (uint16_t)len;
		memcpy(ret->bytes, bytes, (size_t)len);
		return true;
	}
}

static inline size_t count_heard(void)
{
	struct frame frame;
	size_t n = 0;

	send_last();
	while (hear(&frame))
		n++;
	return n;
}

static inline void expect_frame(const struct frame *expected)
{
	struct frame frame;

	cr_assert(hear(&frame));
	cr_assert_eq(frame.len, expected->len);
	cr_assert_arr_eq(frame.bytes, expected->bytes, expected->len);
}

static inline void expect_arp(const struct ip *ip, enum arp_form form)
{
	struct frame expected;

	arp_build_announcement(&expected, mac_va, ip, form);
	expect_frame(&expected);
}

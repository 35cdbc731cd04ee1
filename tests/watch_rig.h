/* SPDX-License-Identifier: MIT */
#pragma once

/* A watcher at va; what others do happens at vb. */

#include "agent/kernel/watch.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>

#include "netlink/arp.h"
#include "netlink/nd.h"
#include "netlink/packet.h"
#include "tests/held.h"

#define LONG_US (60 * USEC_PER_SEC) /* no test waits so long */
#define SHORT_US (20 * USEC_PER_MSEC)

static const uint8_t mac_va[6] = { 0x02, [5] = 0x0a }, mac_vb[6] = { 0x02, [5] = 0x0b };
static const uint8_t mac_other[6] = { 0x02, [5] = 0x99 };

static struct conf *conf;
static struct links links; /* too large for a stack */
static sd_event *loop;
static struct watcher *watcher;
static int ear = -1;   /* hears at vb what leaves va */
static int mouth = -1; /* speaks at vb */

/* What the watcher has called. */
static struct {
	unsigned ended, met;
	uint8_t group;
	uint32_t id;
	bool answered;
	struct stranger stranger;
} seen;

static inline void on_probed(void *data, uint8_t group, uint32_t id,
			     const struct stranger *answered)
{
	cr_assert_eq(data, &seen);
	seen.ended++;
	seen.group = group;
	seen.id = id;
	seen.answered = answered != NULL;
	if (answered)
		seen.stranger = *answered;
}

static inline void on_met(void *data, uint8_t group, const struct stranger *stranger)
{
	cr_assert_eq(data, &seen);
	seen.met++;
	seen.group = group;
	seen.stranger = *stranger;
}

static inline struct link link_of(const char *name, const uint8_t *mac)
{
	struct link link = { .index = netns_index(name), .running = true };

	(void)snprintf(link.name, sizeof(link.name), "%s", name);
	memcpy(link.mac, mac, sizeof(link.mac));
	return link;
}

static inline void link_up(const char *name)
{
	struct link link = link_of(name, mac_va);

	cr_assert_eq(links_note(&links, &link), 0);
	cr_assert_eq(watcher_link(watcher, &link), 0);
}

static inline int open_ear(void)
{
	const struct sockaddr_ll self = { .sll_family = AF_PACKET,
					  .sll_protocol = htons(ETH_P_ALL),
					  .sll_ifindex = netns_index("vb") };
	const int large = 4 * 1024 * 1024;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large)), 0);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&self, sizeof(self)), 0);
	return fd;
}

static inline void start_without_link(const char *text)
{
	const struct watcher_calls calls = { on_probed, on_met, &seen };

	netns_enter();
	conf = conf_from_text(text);
	cr_assert_eq(sd_event_new(&loop), 0);
	cr_assert_eq(watcher_new(conf, 0, &links, loop, &calls, &watcher), 0);
	ear = open_ear();
	mouth = packet_open(netns_index("vb"));
}

static inline void start(const char *text)
{
	start_without_link(text);
	link_up("va");
}

/* Group sip, with an address of each family. */
static inline void start_sip(void)
{
	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3/24 va\n"
			 "VirtualAddress=fd09::3/64 va\n");
}

/* db and sip, both on va */
#define HELD_TWO                                                                                   \
	HELD_NODES "[Group db]\nVirtualAddress=10.9.0.4 va\n"                                      \
		   "[Group sip]\nVirtualAddress=10.9.0.3 va\n"

static inline void leave(void)
{
	watcher_free(watcher);
	sd_event_unref(loop);
	conf_free(conf);
	close_fdp(&ear);
	close_fdp(&mouth);
}

static inline const struct ip *vip_ip(uint8_t group, size_t i)
{
	return &conf->groups[group].vips[i].ip;
}

static inline void say(const struct frame *frame)
{
	size_t n_sent;

	cr_assert_eq(packet_send(mouth, frame, 1, &n_sent), 0);
}

static inline void claim(const struct ip *ip, const uint8_t *mac)
{
	struct frame frame;

	if (ip->family == 4)
		arp_build_announcement(&frame, mac, ip, ARP_FORM_REPLY);
	else
		nd_build_advertisement(&frame, mac, ip, false);
	say(&frame);
}

/* The loop, as long as it has something to do. */
static inline void run_until_idle(void)
{
	while (sd_event_run(loop, 0) > 0)
		;
}

/* The loop, until the probes of so many have ended. */
static inline void run_until_ended(unsigned n)
{
	while (seen.ended < n)
		cr_assert_eq(sd_event_run(loop, PATIENCE_MS * USEC_PER_MSEC), 1);
	cr_assert_eq(seen.ended, n);
}

/* The loop, until so many have been met; what has been heard at once comes with them. */
static inline void run_until_met(unsigned n)
{
	while (seen.met < n)
		cr_assert_eq(sd_event_run(loop, PATIENCE_MS * USEC_PER_MSEC), 1);
}

/*
 * The loop, until whatever has been said is heard: a probe of the last group, which is not held,
 * is answered at vb after it.
 */
static inline void run_until_heard(void)
{
	uint8_t last = (uint8_t)(conf->n_groups - 1);
	unsigned n = seen.ended;

	watcher_probe(watcher, last, 4711, LONG_US);
	run_until_idle();
	claim(vip_ip(last, 0), mac_other);
	run_until_ended(n + 1);
}

/* Of what has left va: the address of a probe. */
static inline bool hear_probe(struct ip *ret)
{
	for (;;) {
		uint8_t bytes[2048];
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		ssize_t len =
			recvfrom(ear, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_len);
		struct frame expected;

		if (len < 0)
			return false;
		if (from.sll_pkttype == PACKET_OUTGOING || len < 60)
			continue;
		*ret = (struct ip){ .family = 4 };
		memcpy(ret->bytes, bytes + 38, 4);
		arp_build_probe(&expected, mac_va, ret);
		if (!memcmp(bytes, expected.bytes, expected.len))
			return true;
		*ret = (struct ip){ .family = 6 };
		if (len < 78)
			continue;
		memcpy(ret->bytes, bytes + 62, 16);
		nd_build_probe(&expected, mac_va, ret);
		if (len == expected.len && !memcmp(bytes, expected.bytes, expected.len))
			return true;
	}
}

/* Until exactly this has left va. */
static inline void await_frame(const struct frame *expected)
{
	uint8_t bytes[2048] = { 0 };

	while (memcmp(bytes, expected->bytes, expected->len) != 0) {
		netns_await(ear);
		cr_assert_gt(recv(ear, bytes, sizeof(bytes), 0), 0);
	}
}

/* What is to be heard follows at the loop's next turn. */
static inline void hold(uint8_t group, bool held)
{
	watcher_hold(watcher, group, held);
	run_until_idle();
}

/* db is held, sip is not. */
static inline void hold_db(void)
{
	start(HELD_TWO);
	hold(DB, true);
}

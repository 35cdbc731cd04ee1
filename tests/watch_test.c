/* SPDX-License-Identifier: MIT */
#include "agent/kernel/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/syscall.h>
#include <time.h>

#include "netlink/arp.h"
#include "netlink/listen.h"
#include "netlink/nd.h"
#include "netlink/packet.h"
#include "tests/held.h"

/* We are at va; what others do happens at vb. */

#define LONG_US (60 * USEC_PER_SEC) /* no test waits so long */
#define SHORT_US (20 * USEC_PER_MSEC)

enum { MANY = 600, SLICE = 128 };

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

static uint64_t ahead_s; /* the clock is so much ahead: this stands in front of libc's */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	ret->tv_sec += (time_t)ahead_s;
	return r;
}

static void on_probed(void *data, uint8_t group, uint32_t id, const struct stranger *answered)
{
	cr_assert_eq(data, &seen);
	seen.ended++;
	seen.group = group;
	seen.id = id;
	seen.answered = answered != NULL;
	if (answered)
		seen.stranger = *answered;
}

static void on_met(void *data, uint8_t group, const struct stranger *stranger)
{
	cr_assert_eq(data, &seen);
	seen.met++;
	seen.group = group;
	seen.stranger = *stranger;
}

static struct link link_of(const char *name, const uint8_t *mac)
{
	struct link link = { .index = netns_index(name), .running = true };

	(void)snprintf(link.name, sizeof(link.name), "%s", name);
	memcpy(link.mac, mac, sizeof(link.mac));
	return link;
}

static void link_up(const char *name)
{
	struct link link = link_of(name, mac_va);

	cr_assert_eq(links_note(&links, &link), 0);
	cr_assert_eq(watcher_link(watcher, &link), 0);
}

static int open_ear(void)
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

static void start_without_link(const char *text)
{
	const struct watcher_calls calls = { on_probed, on_met, &seen };

	netns_enter();
	conf = conf_from_text(text);
	cr_assert_eq(sd_event_new(&loop), 0);
	cr_assert_eq(watcher_new(conf, 0, &links, loop, &calls, &watcher), 0);
	ear = open_ear();
	mouth = packet_open(netns_index("vb"));
}

static void start(const char *text)
{
	start_without_link(text);
	link_up("va");
}

#define START_SIP()                                                                                \
	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3/24 va\n"                            \
			 "VirtualAddress=fd09::3/64 va\n")

static void leave(void)
{
	watcher_free(watcher);
	sd_event_unref(loop);
	conf_free(conf);
	close_fdp(&ear);
	close_fdp(&mouth);
}

TestSuite(watch, .fini = leave);

static const struct ip *vip_ip(uint8_t group, size_t i)
{
	return &conf->groups[group].vips[i].ip;
}

static void say(const struct frame *frame)
{
	size_t n_sent;

	cr_assert_eq(packet_send(mouth, frame, 1, &n_sent), 0);
}

static void claim(const struct ip *ip, const uint8_t *mac)
{
	struct frame frame;

	if (ip->family == 4)
		arp_build_announcement(&frame, mac, ip, ARP_FORM_REPLY);
	else
		nd_build_advertisement(&frame, mac, ip, false);
	say(&frame);
}

/* The loop, as long as it has something to do. */
static void run_until_idle(void)
{
	while (sd_event_run(loop, 0) > 0)
		;
}

/* The loop, until the probes of so many have ended. */
static void run_until_ended(unsigned n)
{
	while (seen.ended < n)
		cr_assert_eq(sd_event_run(loop, PATIENCE_MS * USEC_PER_MSEC), 1);
	cr_assert_eq(seen.ended, n);
}

/*
 * The loop, until whatever has been said is heard: a probe of the last group, which is not held,
 * is answered at vb after it.
 */
static void run_until_heard(void)
{
	uint8_t last = (uint8_t)(conf->n_groups - 1);
	unsigned n = seen.ended;

	watcher_probe(watcher, last, 4711, LONG_US);
	run_until_idle();
	claim(vip_ip(last, 0), mac_other);
	run_until_ended(n + 1);
}

/* Of what has left va: the address of a probe. */
static bool hear_probe(struct ip *ret)
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

static size_t count_probes(void)
{
	struct ip ip;
	size_t n = 0;

	while (hear_probe(&ip))
		n++;
	return n;
}

Test(watch, every_address_is_asked_for_twice_and_nobody_answers)
{
	size_t n4 = 0, n6 = 0;
	struct ip ip;

	START_SIP();
	watcher_probe(watcher, 0, 77, SHORT_US);
	cr_assert_eq(seen.ended, 0, "who asks is not told before it returns");
	run_until_ended(1);
	cr_assert_eq(seen.group, 0);
	cr_assert_eq(seen.id, 77);
	cr_assert_not(seen.answered);
	while (hear_probe(&ip)) {
		n4 += ip_equal(&ip, vip_ip(0, 0));
		n6 += ip_equal(&ip, vip_ip(0, 1));
	}
	cr_assert_eq(n4, 2);
	cr_assert_eq(n6, 2);
}

/* What a host with the address does, and what is said of it: the first answer ends it. */
Test(watch, who_has_an_ipv4_address_answers)
{
	START_SIP();
	sh("ip addr add 10.9.0.3/24 dev vb");
	watcher_probe(watcher, 0, 77, LONG_US);
	run_until_ended(1);
	cr_assert_eq(seen.id, 77);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, 0);
	cr_assert(seen.stranger.known);
	cr_assert_arr_eq(seen.stranger.mac, mac_vb, 6);
	cr_assert_eq(seen.stranger.node, CORE_NODE_NONE);
}

Test(watch, who_has_an_ipv6_address_answers)
{
	START_SIP();
	netns_add_ipv6("fd09::3");
	watcher_probe(watcher, 0, 77, LONG_US);
	run_until_ended(1);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, 1);
	cr_assert(seen.stranger.known);
	cr_assert_arr_eq(seen.stranger.mac, mac_vb, 6);
}

Test(watch, an_answer_from_another_interface_of_ours_is_none)
{
	struct link vb;

	START_SIP();
	vb = link_of("vb", mac_vb);
	cr_assert_eq(links_note(&links, &vb), 0);
	sh("ip addr add 10.9.0.3/24 dev vb");
	netns_add_ipv6("fd09::3");
	watcher_probe(watcher, 0, 77, SHORT_US);
	run_until_ended(1);
	cr_assert_not(seen.answered);
}

Test(watch, who_asks_like_us_has_not_answered)
{
	struct frame frame;

	START_SIP();
	watcher_probe(watcher, 0, 77, SHORT_US);
	arp_build_probe(&frame, mac_other, vip_ip(0, 0));
	say(&frame);
	nd_build_probe(&frame, mac_other, vip_ip(0, 1));
	say(&frame);
	run_until_ended(1);
	cr_assert_not(seen.answered);
}

Test(watch, what_is_said_of_other_addresses_is_no_answer)
{
	const struct ip other4 = { .family = 4, .bytes = { 10, 9, 0, 4 } };
	const struct ip other6 = { .family = 6, .bytes = { 0xfd, 0x10, [15] = 3 } };

	START_SIP();
	watcher_probe(watcher, 0, 77, SHORT_US);
	claim(&other4, mac_other);
	claim(&other6, mac_other);
	run_until_ended(1);
	cr_assert_not(seen.answered);
}

/* An advertisement need not say where its sender is. */
Test(watch, who_does_not_say_his_mac_has_answered_all_the_same)
{
	uint32_t sum = 24 + 58; /* what the checksum is over beside the bytes: length, ICMPv6 */
	struct frame frame;

	START_SIP();
	watcher_probe(watcher, 0, 77, LONG_US);
	nd_build_advertisement(&frame, mac_other, vip_ip(0, 1), false);
	frame.bytes[19] = 24; /* the length of what follows IPv6's header */
	frame.len = 78;
	frame.bytes[56] = frame.bytes[57] = 0;
	for (size_t i = 22; i < frame.len; i += 2)
		sum += (uint32_t)(frame.bytes[i] << 8 | frame.bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	frame.bytes[56] = (uint8_t)(~sum >> 8);
	frame.bytes[57] = (uint8_t)~sum;
	say(&frame);
	run_until_ended(1);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, 1);
	cr_assert_not(seen.stranger.known);
}

/* db and sip, both on va */
#define HELD_TWO                                                                                   \
	HELD_NODES "[Group db]\nVirtualAddress=10.9.0.4 va\n"                                      \
		   "[Group sip]\nVirtualAddress=10.9.0.3 va\n"

Test(watch, nobody_is_told_of_a_probe_that_was_cancelled)
{
	start(HELD_TWO);
	watcher_probe(watcher, DB, 77, SHORT_US);
	watcher_cancel(watcher, DB);
	watcher_probe(watcher, SIP, 78, 2 * SHORT_US);
	run_until_ended(1);
	cr_assert_eq(seen.id, 78);
}

Test(watch, another_probe_takes_the_place_of_the_first)
{
	START_SIP();
	watcher_probe(watcher, 0, 77, SHORT_US);
	watcher_probe(watcher, 0, 78, LONG_US);
	claim(vip_ip(0, 0), mac_other);
	run_until_ended(1);
	cr_assert_eq(seen.id, 78);
	cr_assert(seen.answered);
}

Test(watch, an_interface_that_is_missing_does_not_answer)
{
	start_without_link(HELD_CONF);
	watcher_probe(watcher, SIP, 77, SHORT_US);
	run_until_ended(1);
	cr_assert_not(seen.answered);
	link_up("va");
	watcher_link_gone(watcher, netns_index("va"));
	watcher_probe(watcher, SIP, 78, SHORT_US);
	run_until_ended(2);
	cr_assert_not(seen.answered);
	cr_assert_eq(count_probes(), 0);
}

Test(watch, an_interface_that_is_down_does_not_answer)
{
	START_SIP();
	sh("ip link set va down");
	watcher_probe(watcher, 0, 77, SHORT_US);
	run_until_ended(1);
	cr_assert_not(seen.answered);
}

Test(watch, without_an_address_nobody_can_answer)
{
	size_t n;

	START_SIP();
	n = conf->groups[0].n_vips;
	conf->groups[0].n_vips = 0;
	watcher_probe(watcher, 0, 77, LONG_US);
	run_until_ended(1);
	conf->groups[0].n_vips = n;
	cr_assert_not(seen.answered);
	cr_assert_eq(count_probes(), 0);
}

/* More comes than is read in a while, and what counts comes last; then the time is over. */
Test(watch, an_answer_that_waits_when_the_time_is_over_counts)
{
	struct frame frame;

	START_SIP();
	watcher_probe(watcher, 0, 77, 8 * USEC_PER_MSEC);
	arp_build_announcement(&frame, mac_other, vip_ip(0, 0), ARP_FORM_REPLY);
	frame.bytes[14 + 7] = 3; /* RARP: not valid here */
	for (int i = 0; i < 140; i++)
		say(&frame);
	claim(vip_ip(0, 0), mac_other);
	run_until_ended(1);
	cr_assert(seen.answered);
}

static void start_many(int n)
{
	_cleanup_(freep) char *text = held_many(n);

	start(text);
}

Test(watch, of_many_a_slice_is_asked_for_at_once_and_all_in_time)
{
	bool asked[MANY] = { false };
	size_t n, rest = 0;
	struct ip ip;

	start_many(MANY);
	watcher_probe(watcher, 0, 77, 500 * USEC_PER_MSEC);
	n = count_probes();
	cr_assert(n > 0 && n <= SLICE, "%zu", n);
	run_until_ended(1);
	cr_assert_not(seen.answered);
	for (; hear_probe(&ip); rest++)
		asked[(ip.bytes[1] - 20) * 250 + ip.bytes[2]] = true;
	cr_assert_eq(n + rest, 2 * MANY);
	for (size_t i = 0; i < MANY; i++)
		cr_assert(asked[i], "%zu", i);
}

Test(watch, any_of_many_may_answer)
{
	start_many(MANY);
	watcher_probe(watcher, 0, 77, LONG_US);
	claim(vip_ip(0, MANY - 1), mac_other);
	run_until_ended(1);
	cr_assert(seen.answered);
	cr_assert_eq(seen.stranger.vip, MANY - 1);
}

Test(watch, a_small_probe_does_not_wait_for_a_large_one)
{
	struct ip ip = { 0 };
	size_t before = 0;

	start_many(MANY);
	watcher_probe(watcher, 0, 77, LONG_US);
	watcher_probe(watcher, 1, 78, SHORT_US);
	run_until_ended(1);
	cr_assert_eq(seen.id, 78);
	while (hear_probe(&ip) && ip.bytes[1] != 9)
		before++;
	cr_assert_eq(ip.bytes[1], 9);
	cr_assert_leq(before, SLICE);
}

/* What is to be heard follows at the loop's next turn. */
static void hold(uint8_t group, bool held)
{
	watcher_hold(watcher, group, held);
	run_until_idle();
}

/* db is held, sip is not. */
static void hold_db(void)
{
	start(HELD_TWO);
	hold(DB, true);
}

/* Says it, and returns when it has come to va. */
static void claim_and_arrive(const struct ip *ip)
{
	struct listen_set all = { .v = { { 0, UINT32_MAX } }, .n = 1 };
	_cleanup_(close_fdp) int fd = listen_arp(netns_index("va"));

	cr_assert_eq(listen_for(fd, 4, &all), 0);
	claim(ip, mac_other);
	netns_await(fd);
}

Test(watch, a_backup_is_not_woken_by_the_primary)
{
	hold_db();
	claim_and_arrive(vip_ip(SIP, 0));
	cr_assert_eq(sd_event_run(loop, 0), 0);
	hold(DB, false);
	claim_and_arrive(vip_ip(DB, 0));
	cr_assert_eq(sd_event_run(loop, 0), 0);
}

Test(watch, what_has_come_while_it_was_held_counts_no_more)
{
	hold_db();
	claim_and_arrive(vip_ip(DB, 0));
	hold(DB, false);
	run_until_heard();
	cr_assert_eq(seen.met, 0);
}

Test(watch, news_of_an_interface_lose_nothing_that_waits)
{
	hold_db();
	claim_and_arrive(vip_ip(DB, 0));
	link_up("va");
	run_until_heard();
	cr_assert_eq(seen.met, 1);
}

Test(watch, who_uses_what_is_held_is_met)
{
	hold_db();
	claim(vip_ip(DB, 0), mac_other);
	run_until_heard();
	cr_assert_eq(seen.met, 1);
	cr_assert_eq(seen.stranger.vip, 0);
}

Test(watch, who_uses_what_is_not_held_is_not)
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
Test(watch, groups_that_move_together_are_heard_from_one_turn_on)
{
	start(HELD_TWO);
	run_until_idle();
	watcher_hold(watcher, DB, true);
	watcher_hold(watcher, SIP, true);
	cr_assert_eq(sd_event_run(loop, 0), 1);
	cr_assert_eq(sd_event_run(loop, 0), 0);
	claim(vip_ip(DB, 0), mac_other);
	claim(vip_ip(SIP, 0), mac_other);
	while (seen.met < 2)
		cr_assert_eq(sd_event_run(loop, PATIENCE_MS * USEC_PER_MSEC), 1);
}

Test(watch, our_own_words_come_back_unnoticed)
{
	hold_db();
	claim(vip_ip(DB, 0), mac_va);
	run_until_heard();
	cr_assert_eq(seen.met, 0);
}

/* RFC 5227, DEFEND_INTERVAL */
Test(watch, each_address_is_met_once_in_ten_seconds)
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

Test(watch, what_a_flood_has_too_many_is_one_meeting)
{
	struct frame frames[64];
	size_t n_sent;

	hold_db();
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		arp_build_announcement(&frames[i], mac_other, vip_ip(DB, 0), ARP_FORM_REPLY);
	for (size_t i = 0; i < 50; i++)
		cr_assert_eq(packet_send(mouth, frames, ARRAY_SIZE(frames), &n_sent), 0);
	while (seen.met == 0)
		cr_assert_eq(sd_event_run(loop, PATIENCE_MS * USEC_PER_MSEC), 1);
	watcher_probe(watcher, SIP, 77, 50 * USEC_PER_MSEC);
	run_until_ended(1);
	cr_assert_eq(seen.met, 1);
}

Test(watch, an_address_is_defended_by_one_announcement)
{
	struct frame expected[3];

	START_SIP();
	arp_build_announcement(&expected[0], mac_va, vip_ip(0, 0), ARP_FORM_REQUEST);
	arp_build_announcement(&expected[1], mac_va, vip_ip(0, 0), ARP_FORM_REPLY);
	nd_build_advertisement(&expected[2], mac_va, vip_ip(0, 1), false);
	watcher_defend(watcher, 0, 0);
	watcher_defend(watcher, 0, 1);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		uint8_t bytes[2048] = { 0 };

		while (memcmp(bytes, expected[i].bytes, expected[i].len) != 0) {
			netns_await(ear);
			cr_assert_gt(recv(ear, bytes, sizeof(bytes), 0), 0);
		}
	}
	watcher_link_gone(watcher, netns_index("va"));
	watcher_defend(watcher, 0, 0); /* there is nothing to do it with */
}

Test(watch, a_node_is_known_by_its_mac)
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
	while (seen.met == 0)
		cr_assert_eq(sd_event_run(loop, PATIENCE_MS * USEC_PER_MSEC), 1);
	cr_assert_eq(seen.stranger.node, 1);
	watcher_probe(watcher, SIP, 77, LONG_US);
	claim(vip_ip(SIP, 0), mac_vb);
	run_until_ended(1);
	cr_assert_eq(seen.stranger.node, CORE_NODE_NONE);
}

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

Test(watch, what_is_on_an_interface_of_ours_is_asked_for_below_it)
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

Test(watch, a_node_is_known_by_the_mac_of_its_own_interface)
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
	while (seen.met == 0)
		cr_assert_eq(sd_event_run(loop, PATIENCE_MS * USEC_PER_MSEC), 1);
	cr_assert_eq(seen.stranger.vip, 1);
	cr_assert_eq(seen.stranger.node, 1);
}

Test(watch, our_own_interface_does_not_answer_us)
{
	struct link vip0 = start_sub("own");

	watcher_probe(watcher, 0, 77, SHORT_US);
	claim(vip_ip(0, 0), vip0.mac);
	run_until_ended(1);
	cr_assert_not(seen.answered);
}

/* Down here, it is the other node's; up here, what is heard of it is our own. */
Test(watch, a_mac_that_moves_is_of_the_node_that_holds_the_group)
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
	while (seen.met == 0)
		cr_assert_eq(sd_event_run(loop, PATIENCE_MS * USEC_PER_MSEC), 1);
	cr_assert_arr_eq(seen.stranger.mac, mac_other, 6, "the first one counts");
}

/*
 * Up and with nothing let through, as after the lease has run out: what bears its MAC and is for
 * all comes to it alone.
 */
Test(watch, a_mac_that_moves_is_heard_while_our_interface_with_it_is_up)
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

Test(watch, an_address_is_defended_by_the_interface_that_it_is_on)
{
	struct link vip0 = start_sub("own");
	uint8_t bytes[2048] = { 0 };
	struct frame expected;

	sh("ip link set vip0 up");
	arp_build_announcement(&expected, vip0.mac, vip_ip(0, 0), ARP_FORM_REQUEST);
	watcher_defend(watcher, 0, 0);
	while (memcmp(bytes, expected.bytes, expected.len) != 0) {
		netns_await(ear);
		cr_assert_gt(recv(ear, bytes, sizeof(bytes), 0), 0);
	}
}

Test(watch, an_interface_that_was_made_anew_is_listened_to_at_once)
{
	hold_db();
	close_fdp(&ear);
	close_fdp(&mouth);
	sh("ip link del va && ip link add va address 02:00:00:00:00:0a type veth peer name vb && "
	   "ip link set va up && ip link set vb up");
	sh("for i in $(seq 1 1000); do"
	   " [ $(ip -o link | grep -c ' state UP ') -eq 2 ] && exit 0; done; exit 1");
	ear = open_ear();
	mouth = packet_open(netns_index("vb"));
	link_up("va");
	claim(vip_ip(DB, 0), mac_other);
	run_until_heard();
	cr_assert_eq(seen.met, 1);
}

Test(watch, an_interface_that_was_renamed_is_listened_to_no_more)
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

Test(watch, a_new_mac_asks_from_then_on)
{
	struct link link;
	struct ip ip;

	START_SIP();
	link = link_of("va", mac_other);
	cr_assert_eq(watcher_link(watcher, &link), 0);
	watcher_probe(watcher, 0, 77, SHORT_US);
	run_until_ended(1);
	cr_assert_not(hear_probe(&ip), "from the old one");
}

Test(watch, an_interface_that_is_none_of_ours_is_ignored)
{
	struct link link = { .index = 9999, .name = "other0" };

	START_SIP();
	cr_assert_eq(watcher_link(watcher, &link), 0);
	(void)snprintf(link.name, sizeof(link.name), "va");
	cr_assert_eq(watcher_link(watcher, &link), -ENODEV);
}

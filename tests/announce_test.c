/* SPDX-License-Identifier: MIT */
#include "agent/kernel/announce.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>

#include "netlink/arp.h"
#include "netlink/nd.h"
#include "tests/held.h"

enum { MANY = 300, LAST_ETHERTYPE = 0x88b5 }; /* IEEE 802 local experimental */

static const uint8_t mac_va[6] = { 0x02, [5] = 0x0a };

static struct conf *conf;
static sd_event *loop;
static struct announcer *announcer;
static int ear = -1; /* hears at vb what leaves va */

static struct link link_of(const char *name)
{
	struct link link = { .index = netns_index(name), .running = true };

	(void)snprintf(link.name, sizeof(link.name), "%s", name);
	memcpy(link.mac, mac_va, sizeof(link.mac));
	return link;
}

static int open_ear(void)
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

static void start(const char *text)
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

static void leave(void)
{
	announcer_free(announcer);
	sd_event_unref(loop);
	conf_free(conf);
	close_fdp(&ear);
}

TestSuite(announce, .fini = leave);

static void link_up(const char *name)
{
	struct link link = link_of(name);

	cr_assert_eq(announcer_link(announcer, &link), 0);
}

/* The loop, until nothing is left to do. */
static void run_loop(void)
{
	while (announcer_busy(announcer))
		cr_assert_geq(sd_event_run(loop, UINT64_MAX), 0);
}

/* After this frame nothing of what left before it is under way. */
static void send_last(void)
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
static bool is_nd(const uint8_t *bytes)
{
	static const uint8_t unspecified[16];

	return bytes[12] == 0x86 && bytes[13] == 0xdd &&
	       (bytes[54] == 136 ||
		(bytes[54] == 135 && memcmp(bytes + 22, unspecified, sizeof(unspecified)) != 0));
}

/* The next announcement that arrives; false: no more of them. The kernel has things to say, too. */
static bool hear(struct frame *ret)
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

static size_t count_heard(void)
{
	struct frame frame;
	size_t n = 0;

	send_last();
	while (hear(&frame))
		n++;
	return n;
}

static void expect_frame(const struct frame *expected)
{
	struct frame frame;

	cr_assert(hear(&frame));
	cr_assert_eq(frame.len, expected->len);
	cr_assert_arr_eq(frame.bytes, expected->bytes, expected->len);
}

static void expect_arp(const struct ip *ip, enum arp_form form)
{
	struct frame expected;

	arp_build_announcement(&expected, mac_va, ip, form);
	expect_frame(&expected);
}

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

static void start_many(void)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs(HELD_NODES "[Group big]\n", f);
	for (int i = 0; i < MANY; i++)
		fprintf(f, "VirtualAddress=10.%d.%d.9 va\n", 20 + i / 250, i % 250);
	fputs("[Group sip]\nVirtualAddress=10.9.0.3 va\n", f);
	fclose(f);
	start(text);
	link_up("va");
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
	sh("for i in $(seq 1 1000); do"
	   " [ $(ip -o link | grep -c ' state UP ') -eq 2 ] && exit 0; done; exit 1");
	ear = open_ear();
	link_up("va");
	announcer_start(announcer, 0);
	run_loop();
	cr_assert_eq(count_heard(), 2);
}

static struct neigh neigh_of(const char *text, uint8_t last_of_mac)
{
	struct neigh neigh = { .mac = { 0x02, [5] = last_of_mac }, .known = true };

	cr_assert_eq(conf_parse_ip(text, &neigh.ip), 0);
	return neigh;
}

/* What the worker does between the two calls. */
static void answer(const char *link, const struct neigh *v, size_t n)
{
	struct neigh *copy = malloc((n + 1) * sizeof(*v));

	cr_assert(copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = v[i];
	cr_assert_eq(announcer_unread(announcer), netns_index(link));
	announcer_neighbours(announcer, netns_index(link), copy, n);
}

static void expect_asked(const struct ip *ip, const struct neigh *to)
{
	struct frame expected;

	if (ip->family == 4)
		arp_build_unicast(&expected, mac_va, ip, ARP_FORM_REQUEST, to);
	else
		nd_build_solicitation(&expected, mac_va, ip, to);
	expect_frame(&expected);
}

static void expect_told(const struct ip *ip, const struct neigh *to)
{
	struct frame expected;

	if (ip->family == 4)
		arp_build_unicast(&expected, mac_va, ip, ARP_FORM_REPLY, to);
	else
		nd_build_unicast(&expected, mac_va, ip, to);
	expect_frame(&expected);
}

Test(announce, each_neighbour_is_asked_and_told_alone)
{
	struct neigh known[] = {
		neigh_of("10.9.0.254", 0xfe), neigh_of("10.9.0.50", 0x50),
		neigh_of("fe80::50", 0x51),
		neigh_of("10.9.0.3", 0x99), /* where the address was before */
	};
	const struct ip *ip4, *ip6;

	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\nVirtualAddress=fd09::3 va\n");
	ip4 = &conf->groups[0].vips[0].ip;
	ip6 = &conf->groups[0].vips[1].ip;
	link_up("va");
	announcer_start(announcer, 0);
	run_loop();
	cr_assert_eq(count_heard(), 3);
	answer("va", known, ARRAY_SIZE(known));
	run_loop();
	expect_asked(ip4, &known[0]);
	expect_asked(ip4, &known[1]);
	expect_asked(ip6, &known[2]);
	expect_told(ip4, &known[0]);
	expect_told(ip4, &known[1]);
	expect_told(ip6, &known[2]);
	cr_assert_eq(count_heard(), 0);
	cr_assert_eq(announcer_unread(announcer), 0, "read once for each round");
}

Test(announce, a_gateway_whose_mac_is_not_known_is_asked_for)
{
	struct neigh known[] = { neigh_of("10.9.0.254", 0), neigh_of("fe80::fe", 0) };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		known[i].known = false;
		known[i].gateway = true;
	}
	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\nVirtualAddress=fd09::3 va\n");
	link_up("va");
	announcer_start(announcer, 0);
	run_loop();
	cr_assert_eq(count_heard(), 3);
	answer("va", known, ARRAY_SIZE(known));
	run_loop();
	expect_asked(&conf->groups[0].vips[0].ip, &known[0]);
	expect_asked(&conf->groups[0].vips[1].ip, &known[1]);
	cr_assert_eq(count_heard(), 0);
}

/* n neighbours and a gateway, which is the last of them here */
static size_t count_told(uint8_t group, size_t n)
{
	_cleanup_(freep) struct neigh *known = calloc(n + 1, sizeof(*known));
	size_t before;

	cr_assert(known);
	for (size_t i = 0; i <= n; i++) {
		known[i] = neigh_of("10.9.0.1", 1);
		known[i].ip.bytes[1] = (uint8_t)(100 + i / 250);
		known[i].ip.bytes[3] = (uint8_t)(1 + i % 250);
	}
	known[n].gateway = true;
	announcer_start(announcer, group);
	run_loop();
	before = count_heard();
	cr_assert_eq(before, 2 * conf->groups[group].n_vips);
	answer("va", known, n + 1);
	run_loop();
	return count_heard();
}

Test(announce, so_many_neighbours_are_told_and_the_gateway_always)
{
	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\n");
	link_up("va");
	cr_assert_eq(count_told(0, 255), 2 * 256);
	cr_assert_eq(count_told(0, 400), 2 * (256 + 1));
}

/*
 * The addresses of all groups count: 301, of which 4096 / 301 = 13 may hear. They are told, not
 * asked, which would fill their neighbour tables.
 */
Test(announce, the_more_addresses_the_fewer_neighbours_are_told_of_them)
{
	start_many();
	cr_assert_eq(count_told(0, 5), MANY * 6);
	cr_assert_eq(count_told(0, 200), MANY * 14);
	cr_assert_eq(count_told(1, 200), 14);
}

Test(announce, whose_neighbours_come_too_late_tells_nobody)
{
	struct neigh known = neigh_of("10.9.0.50", 0x50);

	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 va\n");
	link_up("va");
	announcer_start(announcer, 0);
	announcer_cancel(announcer, 0);
	run_loop();
	(void)count_heard();
	answer("va", &known, 1);
	run_loop();
	cr_assert_eq(count_heard(), 0);
}

Test(announce, telling_waits_for_the_neighbours_of_every_interface)
{
	struct neigh known = neigh_of("10.9.0.50", 0x50);

	start(HELD_CONF);
	link_up("va");
	link_up("vb");
	announcer_start(announcer, SIP);
	announcer_start(announcer, DB);
	run_loop();
	(void)count_heard();
	answer("va", &known, 1);
	run_loop();
	cr_assert_eq(count_heard(), 2, "of group db, which is on va only");
	answer("vb", NULL, 0);
	run_loop();
	cr_assert_eq(count_heard(), 2);
}

Test(announce, neighbours_can_be_looked_up_without_telling_them)
{
	struct neigh known = neigh_of("10.9.0.50", 0x50);

	start(HELD_CONF);
	link_up("va");
	link_up("vb");
	cr_assert_eq(announcer_unread(announcer), 0);
	announcer_look(announcer, DB);
	answer("va", &known, 1);
	cr_assert_eq(announcer_unread(announcer), 0, "vb is not db's");
	run_loop();
	cr_assert_eq(count_heard(), 0);
}

Test(announce, one_interface_is_read_after_the_other)
{
	start(HELD_CONF);
	link_up("va");
	link_up("vb");
	announcer_start(announcer, SIP);
	cr_assert_eq(announcer_unread(announcer), netns_index("va"));
	cr_assert_eq(announcer_unread(announcer), 0);
	announcer_start(announcer, DB);
	announcer_neighbours(announcer, netns_index("va"), NULL, 0);
	cr_assert_eq(announcer_unread(announcer), netns_index("vb"), "va is as new as that");
}

Test(announce, an_interface_that_goes_is_not_waited_for)
{
	struct neigh known = neigh_of("10.9.0.50", 0x50);

	start(HELD_CONF);
	link_up("va");
	link_up("vb");
	announcer_start(announcer, SIP);
	run_loop();
	(void)count_heard();
	answer("va", &known, 1);
	cr_assert_eq(count_heard(), 0);
	cr_assert_eq(announcer_unread(announcer), netns_index("vb"));
	announcer_link_gone(announcer, netns_index("vb"));
	run_loop();
	cr_assert_eq(count_heard(), 2);
	announcer_neighbours(announcer, netns_index("vb"), NULL, 0);
	run_loop();
	cr_assert_eq(count_heard(), 0);
}

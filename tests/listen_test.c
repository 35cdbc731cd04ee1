/* SPDX-License-Identifier: MIT */

#include "netlink/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "netlink/arp.h"
#include "netlink/nd.h"
#include "tests/netns.h"

static const uint8_t mac[6] = { 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30 };

static struct ip ip4(uint32_t key)
{
	return (struct ip){ .family = 4,
			    .bytes = { (uint8_t)(key >> 24), (uint8_t)(key >> 16),
				       (uint8_t)(key >> 8), (uint8_t)key } };
}

static struct ip ip6(uint32_t key)
{
	return (struct ip){ .family = 6,
			    .bytes = { 0xfd, 0x09, [12] = (uint8_t)(key >> 24),
				       (uint8_t)(key >> 16), (uint8_t)(key >> 8), (uint8_t)key } };
}

static struct ip ip_of(uint8_t family, uint32_t key)
{
	return family == 4 ? ip4(key) : ip6(key);
}

Test(listen, the_key_is_the_end_of_the_address)
{
	struct ip a = ip4(0xc0000207), b = ip6(0x00010203);

	cr_assert_eq(listen_key(&a), 0xc0000207);
	cr_assert_eq(listen_key(&b), 0x00010203);
}

Test(listen, addresses_in_a_row_are_one_range)
{
	struct listen_set set = { 0 };

	listen_add(&set, 0);
	listen_add(&set, 1);
	listen_add(&set, 1);
	listen_add(&set, 3);
	listen_add(&set, UINT32_MAX - 1);
	listen_add(&set, UINT32_MAX);
	cr_assert_eq(set.n, 3);
	cr_assert_eq(set.v[0].first, 0);
	cr_assert_eq(set.v[0].last, 1);
	cr_assert_eq(set.v[1].first, 3);
	cr_assert_eq(set.v[1].last, 3);
	cr_assert_eq(set.v[2].first, UINT32_MAX - 1);
	cr_assert_eq(set.v[2].last, UINT32_MAX);
}

Test(listen, too_many_ranges_are_joined_where_there_is_the_least_between_them)
{
	struct listen_set set = { 0 };

	for (uint32_t i = 0; i < LISTEN_RANGES_MAX; i++) {
		listen_add(&set, 1000 * i);
		cr_assert_eq(set.n, i + 1);
	}
	listen_add(&set, 1000 * LISTEN_RANGES_MAX - 900);
	cr_assert_eq(set.n, LISTEN_RANGES_MAX);
	cr_assert_eq(set.v[LISTEN_RANGES_MAX - 1].first, 1000 * (LISTEN_RANGES_MAX - 1));
	cr_assert_eq(set.v[LISTEN_RANGES_MAX - 1].last, 1000 * LISTEN_RANGES_MAX - 900);
	listen_add(&set, 1000 * LISTEN_RANGES_MAX + 10000);
	cr_assert_eq(set.n, LISTEN_RANGES_MAX);
	cr_assert_eq(set.v[0].last, 1000, "the first two, of all that are as near");
	for (size_t i = 0; i + 1 < set.n; i++)
		cr_assert_lt(set.v[i].last, set.v[i + 1].first);
}

Test(listen, nothing_that_was_added_is_ever_lost)
{
	uint32_t keys[2000], key = 0;
	struct listen_set set = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		key += 1 + (uint32_t)(i * i * 7919 % 5003);
		keys[i] = key;
		listen_add(&set, key);
		cr_assert_leq(set.n, LISTEN_RANGES_MAX);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		bool in = false;

		for (size_t j = 0; j < set.n; j++)
			in |= keys[i] >= set.v[j].first && keys[i] <= set.v[j].last;
		cr_assert(in);
	}
}

Test(listen, descriptors_never_block_and_are_not_inherited)
{
	_cleanup_(close_fdp) int arp = -1, nd = -1;

	netns_enter();
	arp = listen_arp(netns_index("va"));
	nd = listen_nd(netns_index("va"));
	cr_assert_geq(arp, 0);
	cr_assert_geq(nd, 0);
	cr_assert(fcntl(arp, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(arp, F_GETFD) & FD_CLOEXEC);
	cr_assert(fcntl(nd, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(nd, F_GETFD) & FD_CLOEXEC);
}

Test(listen, no_link_is_an_error_for_a_packet_socket)
{
	netns_enter();
	cr_assert_eq(listen_arp(9999), -ENODEV);
}

/* A sender at vb and a listener at va. */
struct pair {
	int ear, fd;
	uint8_t family;
};

static void pair_done(struct pair *p)
{
	close_fdp(&p->ear);
	close_fdp(&p->fd);
}

static void pair_open(struct pair *p, uint8_t family)
{
	p->family = family;
	p->fd = packet_open(netns_index("vb"));
	p->ear = family == 4 ? listen_arp(netns_index("va")) : listen_nd(netns_index("va"));
	cr_assert_geq(p->fd, 0);
	cr_assert_geq(p->ear, 0);
}

static void send_frame(const struct pair *p, const struct frame *frame)
{
	size_t n_sent;

	cr_assert_eq(packet_send(p->fd, frame, 1, &n_sent), 0);
}

static void announce(const struct pair *p, uint32_t key)
{
	const struct ip ip = ip_of(p->family, key);
	struct frame frame;

	if (p->family == 4)
		arp_build_announcement(&frame, mac, &ip, ARP_FORM_REQUEST);
	else
		nd_build_advertisement(&frame, mac, &ip, false);
	send_frame(p, &frame);
}

static void expect_heard(const struct pair *p, uint32_t key)
{
	const struct ip ip = ip_of(p->family, key);
	struct neigh who = { 0 };

	netns_await(p->ear);
	cr_assert_eq(listen_next(p->ear, p->family, &who), 1);
	cr_assert(ip_equal(&who.ip, &ip), "%x of family %u, not %x", listen_key(&who.ip), p->family,
		  key);
	cr_assert(who.known);
	cr_assert_arr_eq(who.mac, mac, sizeof(mac));
}

/* The frames that a set lets through: what is just outside each range is not heard. */
static void try_edges(const struct pair *p, const struct listen_set *set)
{
	cr_assert_eq(listen_for(p->ear, p->family, set), 0);
	for (size_t i = 0; i < set->n; i++) {
		const struct listen_range *r = &set->v[i];

		if (i == 0 || set->v[i - 1].last + 1 < r->first)
			announce(p, r->first - 1);
		announce(p, r->first);
		announce(p, r->last);
		announce(p, r->last + 1);
	}
	for (size_t i = 0; i < set->n; i++) {
		expect_heard(p, set->v[i].first);
		expect_heard(p, set->v[i].last);
	}
}

Test(listen, the_kernel_passes_what_is_in_the_set_and_nothing_else)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		_cleanup_(pair_done) struct pair p = { -1, -1, 0 };
		const struct listen_set none = { 0 };
		struct listen_set one = { 0 }, many = { 0 };
		struct neigh who;

		if (family == 4)
			netns_enter();
		pair_open(&p, family);
		announce(&p, 0x0a090003); /* before anything is listened for */
		listen_add(&one, 0x0a090003);
		try_edges(&p, &one);
		for (uint32_t i = 0; i < LISTEN_RANGES_MAX; i++)
			for (uint32_t k = 0; k < 2; k++)
				listen_add(&many, 0x0a000000 + 1000 * i + k);
		cr_assert_eq(many.n, LISTEN_RANGES_MAX);
		try_edges(&p, &many);
		cr_assert_eq(listen_for(p.ear, family, &none), 0);
		announce(&p, 0x0a000000);
		cr_assert_eq(listen_for(p.ear, family, &one), 0);
		announce(&p, 0x0a090003);
		expect_heard(&p, 0x0a090003);
		cr_assert_eq(listen_next(p.ear, family, &who), 0);
	}
}

/* What a filter cannot tell is told apart here: this is another address with the same end. */
Test(listen, the_whole_ipv6_address_is_reported)
{
	_cleanup_(pair_done) struct pair p = { -1, -1, 0 };
	struct ip other = { .family = 6, .bytes = { 0xfd, 0x10, [15] = 3 } };
	struct listen_set set = { 0 };
	struct neigh who = { 0 };
	struct frame frame;

	netns_enter();
	pair_open(&p, 6);
	listen_add(&set, 3);
	cr_assert_eq(listen_for(p.ear, 6, &set), 0);
	nd_build_advertisement(&frame, mac, &other, false);
	send_frame(&p, &frame);
	netns_await(p.ear);
	cr_assert_eq(listen_next(p.ear, 6, &who), 1);
	cr_assert(ip_equal(&who.ip, &other));
}

/* Neither the question nor its kind is what is listened for. */
Test(listen, probes_and_questions_are_not_heard)
{
	_cleanup_(pair_done) struct pair p4 = { -1, -1, 0 }, p6 = { -1, -1, 0 };
	const struct ip a = ip4(0x0a090003), b = ip6(0x0a090003);
	const struct neigh va = { .ip = a, .mac = { 0x02, [5] = 0x0a }, .known = true };
	struct neigh va6 = va;
	struct listen_set set = { 0 };
	struct frame frame;

	netns_enter();
	pair_open(&p4, 4);
	pair_open(&p6, 6);
	listen_add(&set, 0x0a090003);
	cr_assert_eq(listen_for(p4.ear, 4, &set), 0);
	cr_assert_eq(listen_for(p6.ear, 6, &set), 0);
	arp_build_probe(&frame, mac, &a);
	send_frame(&p4, &frame);
	nd_build_probe(&frame, mac, &b);
	send_frame(&p6, &frame);
	va6.ip = b;
	nd_build_solicitation(&frame, mac, &b, &va6);
	send_frame(&p6, &frame);
	announce(&p4, 0x0a090003);
	expect_heard(&p4, 0x0a090003);
	announce(&p6, 0x0a090003);
	expect_heard(&p6, 0x0a090003);
}

Test(listen, what_comes_on_another_link_is_not_heard)
{
	_cleanup_(pair_done) struct pair p4 = { -1, -1, 0 }, p6 = { -1, -1, 0 };
	_cleanup_(close_fdp) int other = -1;
	const struct ip a = ip4(0x0a090003), b = ip6(0x0a090003);
	struct listen_set set = { 0 };
	struct frame frames[2];
	size_t n_sent;

	netns_enter();
	sh("ip link add vc type veth peer name vd && ip link set vc up && ip link set vd up");
	sh_until("[ $(ip -o link | grep -c ' state UP ') -eq 4 ]");
	pair_open(&p4, 4);
	pair_open(&p6, 6);
	listen_add(&set, 0x0a090003);
	cr_assert_eq(listen_for(p4.ear, 4, &set), 0);
	cr_assert_eq(listen_for(p6.ear, 6, &set), 0);
	other = packet_open(netns_index("vd"));
	arp_build_announcement(&frames[0], (const uint8_t[6]){ 2, 9 }, &a, ARP_FORM_REQUEST);
	nd_build_advertisement(&frames[1], (const uint8_t[6]){ 2, 9 }, &b, false);
	cr_assert_eq(packet_send(other, frames, 2, &n_sent), 0);
	announce(&p4, 0x0a090003);
	expect_heard(&p4, 0x0a090003);
	announce(&p6, 0x0a090003);
	expect_heard(&p6, 0x0a090003);
}

/* Cut short, from afar, of another kind: each costs a look, and then comes what is right. */
Test(listen, what_is_not_valid_is_refused_one_by_one)
{
	_cleanup_(pair_done) struct pair p = { -1, -1, 0 };
	const struct ip a = ip4(0x0a090003);
	struct listen_set set = { 0 };
	struct frame frame;
	struct neigh who;

	netns_enter();
	pair_open(&p, 4);
	listen_add(&set, 0x0a090003);
	cr_assert_eq(listen_for(p.ear, 4, &set), 0);
	arp_build_announcement(&frame, mac, &a, ARP_FORM_REQUEST);
	frame.bytes[14 + 7] = 3; /* RARP */
	send_frame(&p, &frame);
	announce(&p, 0x0a090003);
	netns_await(p.ear);
	cr_assert_eq(listen_next(p.ear, 4, &who), -EBADMSG);
	expect_heard(&p, 0x0a090003);
	cr_assert_eq(listen_next(p.ear, 4, &who), 0);
}

/* Hears on when the link has been down. */
Test(listen, a_link_that_was_down_is_heard_again)
{
	_cleanup_(pair_done) struct pair p = { -1, -1, 0 };
	struct listen_set set = { 0 };
	struct neigh who;

	netns_enter();
	pair_open(&p, 4);
	listen_add(&set, 0x0a090003);
	cr_assert_eq(listen_for(p.ear, 4, &set), 0);
	sh("ip link set va down && ip link set va up");
	netns_await_up();
	cr_assert_eq(listen_next(p.ear, 4, &who), -ENETDOWN);
	announce(&p, 0x0a090003);
	expect_heard(&p, 0x0a090003);
}

/* SPDX-License-Identifier: MIT */
#include "tests/gate_net.h"

/* What the gate does for addresses on an interface of their own. */

enum { SERVICE = 9000 };

static const struct gate_vip device_vips[] = {
	{ .group = 1, .device = 1, .ip = { .family = 4, .bytes = { 10, 77, 0, 100 } } },
	{ .group = 1, .device = 1, .ip = { .family = 6, .bytes = { 0xfd, 0x77, [14] = 1 } } },
};

static const struct gate_device devices[] = {
	{ .group = 1, .name = "vip0", .quiet = true },
	{ .group = 2, .name = "eth7" },
};

static struct gate_config device_config(void)
{
	struct gate_config c = config;

	c.vips = device_vips;
	c.n_vips = ARRAY_SIZE(device_vips);
	c.devices = devices;
	c.n_devices = ARRAY_SIZE(devices);
	return c;
}

static void install_at(struct net *net, enum gate_level level)
{
	struct gate_config c = device_config();

	cr_assert_eq(gate_install(net->nf, &c, NULL), 0);
	if (level == GATE_CLOSED)
		return;
	cr_assert_eq(gate_ticket(net->nf, 1, LONG_MS), 0);
	cr_assert_eq(gate_create(net->nf, &c, 1, level), 0);
}

/* Who answers for the address on the wire; both may. */
static void who_has(const struct net *net, const char *target, bool *ret_vip_mac, bool *ret_own_mac)
{
	uint8_t frame[FRAME_MAX], ip[4], own[4];
	const struct ether_arp *arp;

	*ret_vip_mac = *ret_own_mac = false;
	inet_pton(AF_INET, target, ip);
	inet_pton(AF_INET, OWN4, own);
	ask(net, target);
	/* What is for all comes to a macvlan by a queue of its own: it answers last. */
	for (int i = 0; i < 2; i++) {
		ask(net, i == 0 ? OWN4 : VIP4);
		do {
			cr_assert(next_frame(net, frame, BOUND_MS));
			arp = arp_of(frame, ARPOP_REPLY);
			if (!arp || memcmp(arp->arp_spa, ip, 4) != 0)
				continue;
			*ret_vip_mac |= !memcmp(arp->arp_sha, vip_mac, 6);
			*ret_own_mac |= !memcmp(arp->arp_sha, own_mac, 6);
		} while (i == 0 ? !arp || memcmp(arp->arp_spa, own, 4) != 0 : !*ret_vip_mac);
	}
}

Test(gate_devices, without_a_gate_each_device_answers)
{
	_cleanup_(leave_net) struct net net = { 0 };
	bool by_vip, by_own;

	enter_net(&net);
	bring_up();
	who_has(&net, VIP4, &by_vip, &by_own);
	cr_assert(by_vip && by_own);
}

Test(gate_devices, only_the_device_of_an_address_answers_for_it)
{
	_cleanup_(leave_net) struct net net = { 0 };
	bool by_vip, by_own;

	enter_net(&net);
	bring_up();
	install_at(&net, GATE_ANSWER);
	who_has(&net, VIP4, &by_vip, &by_own);
	cr_assert(by_vip);
	cr_assert_not(by_own);
}

/* The first ARP request that the node sends after a datagram from the address. */
static struct ether_arp question(const struct net *net)
{
	_cleanup_(close_fdp) int fd = open_socket(SOCK_DGRAM, 0, VIP4, SERVICE);
	uint8_t frame[FRAME_MAX];

	send_text(fd, CLIENT4, SERVICE, "!", 1, 0);
	do {
		cr_assert(next_frame(net, frame, BOUND_MS));
	} while (!arp_of(frame, ARPOP_REQUEST));
	return *arp_of(frame, ARPOP_REQUEST);
}

Test(gate_devices, other_devices_ask_in_nobodys_name_and_are_answered)
{
	static const uint8_t nobody[4];
	_cleanup_(leave_net) struct net net = { 0 };
	struct ether_arp arp;

	enter_net(&net);
	bring_up();
	install_at(&net, GATE_READY);
	arp = question(&net);
	cr_assert_arr_eq(arp.arp_sha, own_mac, 6);
	cr_assert_arr_eq(arp.arp_spa, nobody, 4);
	cr_assert_eq(run("for i in $(seq 1 1000); do"
			 " ip neigh show " CLIENT4 " dev n0 | grep -q REACHABLE && exit 0;"
			 " done; exit 1"),
		     0);
}

/* Has anything been sent with the MAC of the device, until the node sends something else? */
static bool chatters(const struct net *net)
{
	uint8_t frame[FRAME_MAX];
	bool heard = false;

	ask(net, OWN4);
	do {
		cr_assert(next_frame(net, frame, BOUND_MS));
		heard |= !memcmp(frame + 6, vip_mac, 6);
	} while (!arp_of(frame, ARPOP_REPLY));
	return heard;
}

Test(gate_devices, one_that_is_quiet_reports_no_multicast_groups_until_it_may_answer)
{
	static const enum gate_level levels[] = { GATE_CLOSED, GATE_SERVE, GATE_READY };
	_cleanup_(leave_net) struct net net = { 0 };
	uint8_t frame[FRAME_MAX];

	enter_net(&net);
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		install_at(&net, levels[i]);
		bring_up();
		cr_assert_not(chatters(&net), "level %d, up", (int)levels[i]);
		cr_assert_eq(run("ip link set vip0 down"), 0);
		cr_assert_not(chatters(&net), "level %d, down", (int)levels[i]);
	}
	install_at(&net, GATE_ANSWER);
	bring_up();
	do {
		cr_assert(next_frame(&net, frame, BOUND_MS), "it is the gate that keeps it quiet");
	} while (memcmp(frame + 6, vip_mac, 6) != 0);
}

Test(gate_devices, one_that_is_quiet_does_not_follow_a_router)
{
	_cleanup_(leave_net) struct net net = { 0 };
	bool by_vip, by_own;

	enter_net(&net);
	bring_up();
	install_at(&net, GATE_ANSWER);
	advertise(&net);
	who_has(&net, VIP4, &by_vip, &by_own); /* it came after the advertisement, to both */
	cr_assert(has_prefix("n0"));
	cr_assert_not(has_prefix("vip0"));
	cr_assert_eq(gate_remove(net.nf), 0);
	advertise(&net);
	who_has(&net, VIP4, &by_vip, &by_own);
	cr_assert(has_prefix("vip0"), "it is the gate that keeps it from that");
}

Test(gate_devices, are_part_of_what_the_gate_was_laid_for)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_config same = device_config(), c[] = { same, same, same, same, same, same };
	struct gate_device other[5][ARRAY_SIZE(devices)];
	struct gate_vip elsewhere[] = { device_vips[0], device_vips[1] };
	struct gate_state state;

	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		memcpy(other[i], devices, sizeof(devices));
		c[i].devices = other[i];
	}
	other[0][1].group++;
	other[1][0].name[3]++;
	other[2][1].quiet = true;
	other[3][0].staged = true;
	c[4].n_devices--;
	elsewhere[0].device = 2;
	c[5].vips = elsewhere;
	cr_assert_eq(gate_install(nf, &same, NULL), 0);
	cr_assert_eq(gate_read(nf, &same, &state), 0);
	cr_assert(state.installed);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		cr_assert_eq(gate_read(nf, &c[i], &state), 0);
		cr_assert_not(state.installed, "configuration %zu", i);
	}
}

Test(gate_devices, listing_can_be_loaded_again)
{
	_cleanup_(leave_net) struct net net = { 0 };
	bool by_vip, by_own;

	enter_net(&net);
	bring_up();
	install_at(&net, GATE_ANSWER);
	cr_assert_eq(run("set -e; all=$(nft list ruleset); nft flush ruleset; "
			 "echo \"$all\" | nft -f -"),
		     0);
	who_has(&net, VIP4, &by_vip, &by_own);
	cr_assert(by_vip);
	cr_assert_not(by_own);
}

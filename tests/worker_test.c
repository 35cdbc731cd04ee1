/* SPDX-License-Identifier: MIT */
#include "tests/worker_rig.h"

#include <time.h>

static void enter(void)
{
	start(LONG_TIMES HELD_GROUPS);
}

TestSuite(worker, .init = enter, .fini = leave);
TestSuite(worker_role, .fini = leave);

static struct gate_state gate(void)
{
	struct gate_state state;

	cr_assert_eq(gate_read(viewer.nf, &viewer.config, &state), 0);
	return state;
}

Test(worker, prepare_then_create_puts_a_group_to_work)
{
	cr_assert_eq(outcome(prepare(SIP)), 0);
	cr_assert_eq(held_count(), 3);
	cr_assert_not(gate().lease_alive);
	cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
	cr_assert_eq(outcome(order_gate(WORKER_CREATE, SIP, GATE_ANSWER)), 0);
	cr_assert(gate().lease_alive);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
	cr_assert_eq(gate().levels[DB + 1], GATE_CLOSED);
}

Test(worker_role, a_role_goes_through_the_same_orders_and_needs_no_address)
{
	start(LONG_TIMES HELD_GROUPS HELD_ROLE);
	hold(VOTE);
	cr_assert_eq(gate().levels[VOTE + 1], GATE_ANSWER);
	cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
	cr_assert_eq(outcome(order(WORKER_REFRESH, VOTE)), 0);
	held_add("10.9.0.3", 24, "va");
	cr_assert_eq(outcome(order_gate(WORKER_GATE, VOTE, GATE_CLOSED)), 0);
	cr_assert_eq(outcome(order(WORKER_REMOVE, VOTE)), 0);
	cr_assert_eq(held_count(), 1, "the addresses of others are none of its");
	cr_assert_eq(gate().levels[VOTE + 1], GATE_CLOSED);
}

Test(worker_role, labels_are_as_configured_whatever_they_were)
{
	start(LONG_TIMES "[Group sip]\nVirtualAddress=10.9.0.3/24 va:sip\n"
			 "VirtualAddress=10.9.0.4/24 va:db\nVirtualAddress=10.9.0.5/24 va\n");
	sh("ip address add 10.9.0.4/24 dev va label va:foreign");
	held_add("10.9.0.3", 24, "va");
	held_add("10.9.0.5", 24, "va");
	cr_assert_eq(outcome(prepare(0)), 0);
	sh("for label in va:sip va:db va; do"
	   " [ $(ip -o -4 address show label $label | wc -l) = 1 ] || exit 1; done");
	cr_assert_eq(held_count(), 3);
}

/* An interface of its own that is there, and whose carrier takes its time. */
Test(worker_role, a_claim_waits_for_carrier_and_the_gate_does_not_wait_for_the_claim)
{
	uint32_t claim;

	start(LONG_TIMES "[Group sip]\nMode=subinterface\nVirtualAddress=10.9.0.3 vb\n");
	sh("ip link set vb down && ip link set va down");
	claim = prepare(0);
	cr_assert_eq(outcome(order(WORKER_SHUT, 0)), 0);
	sh("ip link set va up");
	cr_assert_eq(outcome(claim), 0);
	sh("ip link show vb up | grep -q vb");
	cr_assert_eq(held_count(), 1);
	cr_assert_eq(outcome(order(WORKER_REMOVE, 0)), 0);
	sh("test -z \"$(ip link show vb up)\"");
	cr_assert_eq(held_count(), 0);
}

Test(worker_role, one_that_cannot_go_down_is_told_though_its_addresses_are_gone)
{
	struct worker_result result;

	start(LONG_TIMES "[Group sip]\nMode=subinterface\nVirtualAddress=10.9.0.3 vb\n");
	sh("ip address add 10.0.0.1/24 dev vb");
	cr_assert_eq(outcome(prepare(0)), 0);
	(void)order(WORKER_REMOVE, 0);
	result = next();
	cr_assert_eq(result.err, -EBUSY);
	cr_assert_str_eq(result.vip->ifname, "vb");
	cr_assert_eq(held_count(), 0);
}

Test(worker, create_without_a_ticket_opens_nothing)
{
	cr_assert_eq(outcome(order_gate(WORKER_CREATE, SIP, GATE_ANSWER)), -ENOENT);
	cr_assert_not(gate().lease_alive);
	cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
}

Test(worker, a_ticket_is_good_for_one_lease)
{
	hold(SIP);
	cr_assert_eq(outcome(order(WORKER_SHUT, 0)), 0);
	cr_assert_eq(outcome(order_gate(WORKER_CREATE, SIP, GATE_ANSWER)), -ENOENT);
	cr_assert_not(gate().lease_alive);
}

Test(worker, a_repair_lays_no_ticket)
{
	cr_assert_eq(outcome(order(WORKER_PREPARE, SIP)), 0);
	cr_assert_eq(held_count(), 3);
	cr_assert_eq(outcome(order_gate(WORKER_CREATE, SIP, GATE_ANSWER)), -ENOENT);
}

Test(worker, a_ticket_is_for_the_group_it_was_laid_for)
{
	cr_assert_eq(outcome(prepare(SIP)), 0);
	cr_assert_eq(outcome(order_gate(WORKER_CREATE, DB, GATE_ANSWER)), -ENOENT);
	cr_assert_not(gate().lease_alive);
	cr_assert_eq(outcome(order_gate(WORKER_CREATE, SIP, GATE_ANSWER)), 0);
}

Test(worker, levels_are_set_one_by_one)
{
	hold(SIP);
	cr_assert_eq(outcome(order_gate(WORKER_GATE, DB, GATE_SERVE)), 0);
	cr_assert_eq(gate().levels[DB + 1], GATE_SERVE);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
	cr_assert_eq(outcome(order_gate(WORKER_GATE, SIP, GATE_CLOSED)), 0);
	cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
	cr_assert_eq(gate().levels[DB + 1], GATE_SERVE);
	cr_assert(gate().lease_alive);
}

Test(worker, shut_ends_everything_at_once)
{
	hold(SIP);
	cr_assert_eq(outcome(order_gate(WORKER_GATE, DB, GATE_ANSWER)), 0);
	cr_assert_eq(outcome(order(WORKER_SHUT, 0)), 0);
	cr_assert_not(gate().lease_alive);
	cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
	cr_assert_eq(gate().levels[DB + 1], GATE_CLOSED);
	cr_assert_eq(held_count(), 3, "addresses are removed by an order of their own");
}

Test(worker, a_missing_interface_fails_and_leaves_no_ticket)
{
	struct worker_result result;

	sh("ip link set vb name other0");
	(void)prepare(SIP);
	result = next();
	cr_assert_eq(result.err, -ENODEV);
	cr_assert_str_eq(result.vip->ifname, "vb");
	cr_assert_eq(outcome(order_gate(WORKER_CREATE, SIP, GATE_ANSWER)), -ENOENT);
}

Test(worker, what_the_kernel_refuses_is_named)
{
	struct worker_result result;

	sh("echo 1 >/proc/sys/net/ipv6/conf/va/disable_ipv6");
	(void)prepare(SIP);
	result = next();
	cr_assert_eq(result.err, -EACCES);
	cr_assert_eq(result.vip->ip.family, 6);
	cr_assert_str_eq(result.vip->ifname, "va");
	sh("echo 0 >/proc/sys/net/ipv6/conf/va/disable_ipv6");
	(void)prepare(SIP);
	result = next();
	cr_assert_eq(result.err, 0);
	cr_assert_null(result.vip);
}

/* What still works is kept: the rest comes when its interface does. */
Test(worker, on_one_interface_addresses_stay_when_the_other_goes)
{
	hold(SIP);
	sh("ip link set vb name other0 && ip address flush dev va");
	cr_assert_eq(held_count(), 1);
	cr_assert_eq(outcome(order(WORKER_PREPARE, SIP)), 0);
	cr_assert_eq(held_count(), 3);
	sh("ip address flush dev va");
	cr_assert_eq(outcome(order(WORKER_REFRESH, SIP)), 0);
	cr_assert_eq(held_count(), 3);
}

Test(worker, prepare_puts_back_what_is_missing)
{
	hold(SIP);
	sh("ip address del 10.8.0.3/32 dev vb && ip address del fd09::3/64 dev va");
	cr_assert_eq(outcome(prepare(SIP)), 0);
	cr_assert_eq(held_count(), 3);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
}

Test(worker, a_strangers_address_of_another_prefix_length_is_left_alone)
{
	sh("ip address add 10.9.0.4/24 dev va");
	cr_assert_eq(outcome(prepare(DB)), 0);
	cr_assert_eq(held_count(), 1);
	cr_assert_eq(outcome(order(WORKER_REMOVE, DB)), 0);
	cr_assert_eq(held_count(), 0);
	cr_assert(held("va    inet 10.9.0.4/24 "));
}

/* An interface has an IPv6 address once, and the kernel keeps the prefix length that it came with.
 */
Test(worker, a_strangers_ipv6_address_of_another_prefix_length_becomes_ours)
{
	sh("ip address add fd09::3/128 dev va nodad");
	cr_assert_eq(outcome(prepare(SIP)), 0);
	cr_assert_eq(held_count(), 3);
	cr_assert(held("va    inet6 fd09::3/64 "));
	sh("ip address del fd09::3/64 dev va && ip address add fd09::3/128 dev va nodad");
	cr_assert_eq(outcome(order(WORKER_PREPARE, SIP)), 0);
	cr_assert_eq(held_count(), 3);
	cr_assert(held("va    inet6 fd09::3/64 "));
}

Test(worker, remove_takes_the_groups_own_and_leaves_all_others)
{
	sh("ip address add 10.9.0.1/24 dev va && ip address add 10.9.0.3/24 dev vb");
	cr_assert_eq(outcome(prepare(SIP)), 0);
	cr_assert_eq(outcome(prepare(DB)), 0);
	cr_assert_eq(outcome(order(WORKER_REMOVE, SIP)), 0);
	cr_assert_eq(held_count(), 1);
	cr_assert(held("va    inet 10.9.0.1/24 "));
	cr_assert(held("vb    inet 10.9.0.3/24 "));
	cr_assert(held("va    inet 10.9.0.4/32 "));
}

Test(worker, removing_what_is_not_there_is_done_already)
{
	cr_assert_eq(outcome(order(WORKER_REMOVE, SIP)), 0);
}

Test(worker, orders_about_addresses_are_carried_out_in_their_order)
{
	uint32_t ids[20];

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ids[i] = order(i % 2 ? WORKER_REMOVE : WORKER_PREPARE, i / 2 % 2 ? DB : SIP);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		cr_assert_eq(outcome(ids[i]), 0);
	cr_assert_eq(held_count(), 0);
}

Test(worker, orders_about_the_gate_are_carried_out_in_their_order)
{
	uint32_t ids[20];

	hold(SIP);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ids[i] = order_gate(WORKER_GATE, SIP, i % 2 ? GATE_SERVE : GATE_ANSWER);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		cr_assert_eq(outcome(ids[i]), 0);
	cr_assert_eq(gate().levels[SIP + 1], GATE_SERVE);
}

Test(worker, a_result_says_what_it_is_the_result_of)
{
	struct worker_result result;
	uint32_t id = order_gate(WORKER_GATE, SIP, GATE_CLOSED);

	result = next();
	cr_assert_eq(result.type, WORKER_GATE);
	cr_assert_eq(result.id, id);
	cr_assert_eq(result.group, SIP);
	cr_assert_not(result.lease_lost);
	cr_assert_null(result.links);
	cr_assert_not(worker_next(worker, &result));
}

Test(worker, a_gate_that_was_removed_is_laid_as_it_was_ordered_last)
{
	struct worker_order rebuild = { .type = WORKER_REBUILD, .id = 99 };
	struct timespec now;

	hold(SIP);
	cr_assert_eq(outcome(order_gate(WORKER_GATE, DB, GATE_SERVE)), 0);
	cr_assert_eq(gate_remove(viewer.nf), 0);
	cr_assert_not(gate().installed);
	cr_assert_eq(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	rebuild.lease_until.us = ((uint64_t)now.tv_sec + 30) * USEC_PER_SEC;
	cr_assert_eq(worker_order(worker, &rebuild), 0);
	cr_assert_eq(outcome(99), 0);
	cr_assert(gate().installed);
	cr_assert(gate().lease_alive);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
	cr_assert_eq(gate().levels[DB + 1], GATE_SERVE);

	/* An order that a freeze has kept back for longer than that lays no lease. */
	cr_assert_eq(gate_remove(viewer.nf), 0);
	rebuild.lease_until.us = (uint64_t)now.tv_sec * USEC_PER_SEC;
	cr_assert_eq(worker_order(worker, &rebuild), 0);
	cr_assert_eq(outcome(99), 0);
	cr_assert(gate().installed);
	cr_assert_not(gate().lease_alive);
}

Test(worker, a_claim_empties_what_was_ordered_before)
{
	hold(SIP);
	cr_assert_eq(outcome(prepare(DB)), 0);
	cr_assert_eq(outcome(order(WORKER_SHUT, 0)), 0);
	cr_assert_eq(outcome(prepare(DB)), 0);
	cr_assert_eq(outcome(order_gate(WORKER_CREATE, DB, GATE_READY)), 0);
	cr_assert_eq(gate().levels[DB + 1], GATE_READY);
	cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
}

Test(worker, a_lease_is_lengthened_only_if_it_lives)
{
	struct worker_order extend = { .type = WORKER_EXTEND, .id = 99, .lease_ms = 900000 };
	uint32_t left_ms;

	cr_assert_eq(worker_order(worker, &extend), 0);
	cr_assert_eq(outcome(99), -ENOENT);
	hold(SIP);
	cr_assert_eq(worker_order(worker, &extend), 0);
	cr_assert_eq(outcome(99), 0);
	cr_assert_eq(gate_lease_left(viewer.nf, &left_ms), 0);
	cr_assert(left_ms > 800000 && left_ms <= 900000);
}

Test(worker, a_lease_that_has_gone_is_noticed_beside_the_refreshing_of_arp)
{
	struct worker_result result;

	hold(SIP);
	(void)order(WORKER_REFRESH_ARP, 0);
	(void)order(WORKER_SHUT, 0);
	cr_assert_eq(next().type, WORKER_SHUT, "the steady beat is silent while all is well");
	(void)order(WORKER_REFRESH_ARP, 0);
	result = next();
	cr_assert_eq(result.type, WORKER_REFRESH_ARP);
	cr_assert(result.lease_lost);
}

/* What a flush takes away is told by who hears of it, and comes back. */
/* Its route is gone, and adding the address again does not bring it back. */
Test(worker, the_gate_does_not_wait_for_an_ipv6_address_to_work)
{
	uint32_t claim;

	held_add("fd09::3", 64, "va");
	sh("for i in $(seq 1 1000); do ip -6 route del local fd09::3 dev va 2>/dev/null && exit 0;"
	   " done; exit 1");
	claim = prepare(SIP);
	for (size_t i = 0; i < 30; i++) /* more than the claim has other slices */
		cr_assert_eq(outcome(order_gate(WORKER_GATE, DB, GATE_CLOSED)), 0);
	cr_assert_eq(outcome(claim), 0, "it is there, and that is all we know");
}

Test(worker, without_a_gate_no_lease_is_missed)
{
	hold(SIP);
	cr_assert_eq(gate_remove(viewer.nf), 0);
	(void)order(WORKER_REFRESH_ARP, 0);
	(void)order(WORKER_REBUILD, 0);
	cr_assert_eq(next().type, WORKER_REBUILD);
}

Test(worker, interfaces_are_listed_for_who_asks)
{
	struct worker_result result;
	bool found = false;

	(void)order(WORKER_LOOK, 0);
	result = next();
	cr_assert_eq(result.err, 0);
	cr_assert_eq(result.n_links, 3);
	for (size_t i = 0; i < result.n_links; i++)
		found |= !strcmp(result.links[i].name, "va") && result.links[i].running;
	cr_assert(found);
	free(result.links);
	free(result.addrs);
}

Test(worker, neighbours_of_an_interface_are_listed_for_who_asks)
{
	struct worker_order o = { .type = WORKER_NEIGHBOURS, .ifindex = netns_index("va") };
	struct worker_result result;

	sh("ip neigh add 10.9.0.50 lladdr 02:00:00:00:00:50 dev va && "
	   "ip neigh add 10.9.0.51 lladdr 02:00:00:00:00:51 dev vb");
	cr_assert_eq(worker_order(worker, &o), 0);
	result = next();
	cr_assert_eq(result.type, WORKER_NEIGHBOURS);
	cr_assert_eq(result.err, 0);
	cr_assert_eq(result.ifindex, o.ifindex);
	cr_assert_eq(result.n_neighs, 1);
	cr_assert_eq(result.neighs[0].mac[5], 0x50);
	free(result.neighs);
}

Test(worker, addresses_are_listed_with_the_interfaces)
{
	struct worker_result result;
	size_t ours = 0;

	hold(SIP);
	sh("ip address add 10.9.0.4/25 dev vb && ip address add 10.7.0.1/24 dev vb");
	(void)order(WORKER_LOOK, 0);
	result = next();
	cr_assert_eq(result.err, 0);
	for (size_t i = 0; i < result.n_addrs; i++)
		ours += result.addrs[i].tag == ADDR_TAG;
	cr_assert_eq(ours, 3);
	cr_assert_eq(result.n_addrs, 4, "a stranger's that concerns a group, and no other");
	free(result.links);
	free(result.addrs);
}

/* One of thousands is put back without a touch to the others. */
Test(worker, a_repair_adds_only_what_is_missing)
{
	hold(SIP);
	sh("ip address del 10.8.0.3/32 dev vb");
	held_add_for("fd09::3", 64, "va", 7777);
	cr_assert_eq(outcome(order(WORKER_PREPARE, SIP)), 0);
	cr_assert_eq(held_count(), 3);
	cr_assert(held("valid_lft 7777sec") || held("valid_lft 7776sec"));
	cr_assert_eq(outcome(prepare(SIP)), 0);
	cr_assert_not(held("valid_lft 777"), "a claim is about all of them");
}

static void tidy(uint8_t group, bool is_held)
{
	struct worker_order o = { .type = WORKER_TIDY, .group = group, .held = is_held };

	cr_assert_eq(worker_order(worker, &o), 0);
}

Test(worker, where_a_groups_addresses_were_is_forgotten)
{
	sh("ip neigh add 10.9.0.3 lladdr 02:00:00:00:00:03 dev va nud reachable &&"
	   " ip neigh add fd09::3 lladdr 02:00:00:00:00:03 dev va nud reachable &&"
	   " ip neigh add 10.9.0.4 lladdr 02:00:00:00:00:04 dev va nud reachable");
	tidy(SIP, true);
	cr_assert_eq(outcome(order(WORKER_REMOVE, DB)), 0, "no result but this");
	sh("test $(ip neigh show | grep -c :03) = 0 && test $(ip neigh show | grep -c :04) = 1");
}

Test(worker, what_else_has_released_addresses_is_found)
{
	struct worker_result result;

	tidy(SIP, false);
	cr_assert_eq(outcome(order(WORKER_REMOVE, SIP)), 0, "nothing is left: no result but this");
	sh("ip address add 10.9.0.3/32 dev lo && ip route add local fd09::/64 dev lo table local &&"
	   " ip address add 10.9.0.4/32 dev vb");
	tidy(SIP, false);
	result = next();
	cr_assert_eq(result.type, WORKER_TIDY);
	cr_assert_eq(result.err, 0);
	cr_assert_eq(result.group, SIP);
	cr_assert_eq(result.n, 2);
	cr_assert_str_eq(result.vip->ifname, "va", "where it belongs");
	cr_assert_eq(result.ifindex, netns_index("lo"));
	tidy(SIP, true);
	cr_assert_eq(outcome(order(WORKER_REMOVE, SIP)), 0, "what is held is no news");
}

Test(worker, addresses_step_back_behind_the_hosts)
{
	struct worker_result result;

	hold(SIP);
	(void)order(WORKER_STEP_BACK, SIP);
	cr_assert_eq(outcome(order(WORKER_REFRESH, SIP)), 0,
		     "nobody is behind: no result but this");
	sh("ip address add 10.9.0.1/24 dev va");
	(void)order(WORKER_STEP_BACK, SIP);
	result = next();
	cr_assert_eq(result.type, WORKER_STEP_BACK);
	cr_assert_eq(result.err, 0);
	cr_assert_eq(result.n, 1);
	cr_assert_eq(held_count(), 3);
	cr_assert(held("10.9.0.1/24 scope global va"));
	cr_assert(held("10.9.0.3/24 scope global secondary"));
}

/* The kernel promotes the next one when the first one goes, which is ours as well. */
Test(worker_role, all_that_are_before_the_hosts_step_back_whichever_group_they_are_of)
{
	start(LONG_TIMES "[Group a]\nVirtualAddress=10.9.0.3/24 va\nVirtualAddress=10.9.0.4/24 va\n"
			 "[Group b]\nVirtualAddress=10.9.0.5/24 va\n");
	for (uint8_t first = 0; first < 2; first++) {
		cr_assert_eq(outcome(prepare(first)), 0);
		cr_assert_eq(outcome(prepare(!first)), 0);
		sh("ip address add 10.9.0.1/24 dev va");
		(void)order(WORKER_STEP_BACK, 0);
		cr_assert_eq(next().n, 2);
		(void)order(WORKER_STEP_BACK, 1);
		cr_assert_eq(next().n, 1);
		cr_assert_eq(held_count(), 3);
		sh("ip route | grep -q '^10.9.0.0/24 .*src 10.9.0.1'");
		sh("ip address add 10.9.0.2/24 dev va");
		(void)order(WORKER_STEP_BACK, 0);
		cr_assert_eq(outcome(order(WORKER_REFRESH, 0)), 0,
			     "the first one is the host's: no result but this");
		sh("ip address flush dev va");
	}
}

Test(worker, the_descriptor_is_readable_while_there_are_results)
{
	struct pollfd ready = { .fd = worker_fd(worker), .events = POLLIN };
	struct worker_result result;

	cr_assert_eq(poll(&ready, 1, 0), 0);
	(void)order_gate(WORKER_GATE, SIP, GATE_CLOSED);
	netns_await(worker_fd(worker));
	cr_assert(worker_next(worker, &result));
	cr_assert_not(worker_next(worker, &result));
	cr_assert_eq(poll(&ready, 1, 0), 0);
}

Test(worker, far_too_many_orders_are_refused_and_none_is_lost)
{
	struct worker_order o = { .type = WORKER_GATE, .group = SIP, .level = GATE_CLOSED };
	uint32_t taken = 0;

	for (;;) {
		int r;

		o.id = taken + 1;
		r = worker_order(worker, &o);
		if (r < 0) {
			cr_assert_eq(r, -EBUSY);
			break;
		}
		taken++;
		cr_assert_lt(taken, 100000);
	}
	cr_assert_gt(taken, 100);
	for (uint32_t i = 1; i <= taken; i++)
		cr_assert_eq(next().id, i);
	cr_assert_eq(worker_order(worker, &o), 0);
	cr_assert_eq(next().id, taken + 1);
}

/* However often somebody else gives reason to: there is room for what a move needs. */
Test(worker, what_is_ordered_already_takes_no_more_room)
{
	static const enum worker_type types[] = { WORKER_LOOK, WORKER_REFRESH, WORKER_STEP_BACK,
						  WORKER_MAKE };
	struct worker_result result;
	uint32_t remove;

	for (size_t i = 0; i < 5000; i++) {
		struct worker_order o = { .type = types[i % ARRAY_SIZE(types)], .group = DB };

		cr_assert_eq(worker_order(worker, &o), 0, "order %zu", i);
	}
	remove = order(WORKER_REMOVE, DB);
	do {
		result = next();
		free(result.links);
		free(result.addrs);
	} while (result.id != remove);
	cr_assert_eq(held_count(), 0);
}

Test(worker, the_end_comes_after_what_was_ordered)
{
	(void)prepare(SIP);
	(void)order(WORKER_LOOK, 0); /* whose result nobody takes */
	worker = worker_free(worker);
	cr_assert_null(worker);
	cr_assert_eq(held_count(), 3);
}

Test(worker, lifetimes_of_ipv6_are_left_alone_when_it_is_not_their_turn)
{
	struct worker_order o = { .type = WORKER_REFRESH, .group = SIP, .ipv4_only = true };

	held_add_for("10.9.0.3", 24, "va", 7000);
	held_add_for("fd09::3", 64, "va", 7000);
	cr_assert_eq(worker_order(worker, &o), 0);
	cr_assert_eq(next().err, 0);
	cr_assert(held("10.9.0.3/24"));
	cr_assert(held("valid_lft 7000sec preferred_lft 0sec") ||
		  held("valid_lft 6999sec preferred_lft 0sec"));
	cr_assert_not(held("valid_lft 7000sec preferred_lft 7000sec") ||
		      held("valid_lft 6999sec preferred_lft 6999sec"));
	cr_assert_eq(outcome(order(WORKER_REFRESH, SIP)), 0);
	cr_assert_not(held("valid_lft 7000sec") || held("valid_lft 6999sec"));
}

/* Its removal had begun, and did not come to an end. */
Test(worker, an_ipv6_address_without_its_route_is_no_address)
{
	cr_assert_eq(outcome(prepare(SIP)), 0);
	sh("ip -6 route delete local fd09::3 dev va table local");
	cr_assert_eq(outcome(prepare(SIP)), 0);
	sh("ip -6 route list table local | grep -q 'fd09::3 dev va'");
	cr_assert_eq(held_count(), 3);
}

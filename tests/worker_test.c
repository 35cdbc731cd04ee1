/* SPDX-License-Identifier: MIT */

/* Orders about gate and lease, and how any of them are taken, queued and answered. */

#include "tests/worker_rig.h"

#include <time.h>

TestSuite(worker, .init = enter, .fini = leave);
TestSuite(worker_role, .fini = leave);

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

Test(worker, orders_about_addresses_are_carried_out_in_their_order)
{
	uint32_t ids[20];

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ids[i] = order(i % 2 ? WORKER_REMOVE : WORKER_PREPARE, i / 2 % 2 ? DB : SIP);
	all_done(ids, ARRAY_SIZE(ids));
	cr_assert_eq(held_count(), 0);
}

Test(worker, orders_about_the_gate_are_carried_out_in_their_order)
{
	uint32_t ids[20];

	hold(SIP);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ids[i] = order_gate(WORKER_GATE, SIP, i % 2 ? GATE_SERVE : GATE_ANSWER);
	all_done(ids, ARRAY_SIZE(ids));
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

/* What a flush takes away is told by who hears of it, and comes back. */
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

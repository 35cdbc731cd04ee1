/* SPDX-License-Identifier: MIT */

/* Orders about addresses: added, kept, removed, and nobody else's touched. */

#include "tests/worker_rig.h"

TestSuite(worker_addr, .init = enter, .fini = leave);
TestSuite(worker_addr_conf, .fini = leave); /* each with a configuration of its own */

Test(worker_addr_conf, labels_are_as_configured_whatever_they_were)
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
Test(worker_addr_conf, a_claim_waits_for_carrier_and_the_gate_does_not_wait_for_the_claim)
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

Test(worker_addr_conf, one_that_cannot_go_down_is_told_though_its_addresses_are_gone)
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

Test(worker_addr, what_the_kernel_refuses_is_named)
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
Test(worker_addr, on_one_interface_addresses_stay_when_the_other_goes)
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

Test(worker_addr, prepare_puts_back_what_is_missing)
{
	hold(SIP);
	sh("ip address del 10.8.0.3/32 dev vb && ip address del fd09::3/64 dev va");
	cr_assert_eq(outcome(prepare(SIP)), 0);
	cr_assert_eq(held_count(), 3);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
}

Test(worker_addr, a_strangers_address_of_another_prefix_length_is_left_alone)
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

Test(worker_addr, a_strangers_ipv6_address_of_another_prefix_length_becomes_ours)
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

Test(worker_addr, remove_takes_the_groups_own_and_leaves_all_others)
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

Test(worker_addr, removing_what_is_not_there_is_done_already)
{
	cr_assert_eq(outcome(order(WORKER_REMOVE, SIP)), 0);
}

/* Its route is gone, and adding the address again does not bring it back. */
Test(worker_addr, the_gate_does_not_wait_for_an_ipv6_address_to_work)
{
	uint32_t claim;

	held_add("fd09::3", 64, "va");
	sh_until("ip -6 route del local fd09::3 dev va 2>/dev/null");
	claim = prepare(SIP);
	for (size_t i = 0; i < 30; i++) /* more than the claim has other slices */
		cr_assert_eq(outcome(order_gate(WORKER_GATE, DB, GATE_CLOSED)), 0);
	cr_assert_eq(outcome(claim), 0, "it is there, and that is all we know");
}

/* One of thousands is put back without a touch to the others. */
Test(worker_addr, a_repair_adds_only_what_is_missing)
{
	hold(SIP);
	sh("ip address del 10.8.0.3/32 dev vb");
	held_add_for("fd09::3", 64, "va", 7777);
	cr_assert_eq(outcome(order(WORKER_PREPARE, SIP)), 0);
	cr_assert_eq(held_count(), 3);
	cr_assert_gt(held_valid_s("fd09::3"), 7000);
	cr_assert_eq(outcome(prepare(SIP)), 0);
	cr_assert_leq(held_valid_s("fd09::3"), 60, "a claim is about all of them");
}

static void tidy(uint8_t group, bool is_held)
{
	struct worker_order o = { .type = WORKER_TIDY, .group = group, .held = is_held };

	cr_assert_eq(worker_order(worker, &o), 0);
}

Test(worker_addr, where_a_groups_addresses_were_is_forgotten)
{
	sh("ip neigh add 10.9.0.3 lladdr 02:00:00:00:00:03 dev va nud reachable &&"
	   " ip neigh add fd09::3 lladdr 02:00:00:00:00:03 dev va nud reachable &&"
	   " ip neigh add 10.9.0.4 lladdr 02:00:00:00:00:04 dev va nud reachable");
	tidy(SIP, true);
	cr_assert_eq(outcome(order(WORKER_REMOVE, DB)), 0, "no result but this");
	sh("test $(ip neigh show | grep -c :03) = 0 && test $(ip neigh show | grep -c :04) = 1");
}

Test(worker_addr, what_else_has_released_addresses_is_found)
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

Test(worker_addr, addresses_step_back_behind_the_hosts)
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
Test(worker_addr_conf, all_that_are_before_the_hosts_step_back_whichever_group_they_are_of)
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

Test(worker_addr, lifetimes_of_ipv6_are_left_alone_when_it_is_not_their_turn)
{
	struct worker_order o = { .type = WORKER_REFRESH, .group = SIP, .ipv4_only = true };

	held_add_for("10.9.0.3", 24, "va", 7000);
	held_add_for("fd09::3", 64, "va", 7000);
	cr_assert_eq(worker_order(worker, &o), 0);
	cr_assert_eq(next().err, 0);
	cr_assert_leq(held_valid_s("10.9.0.3"), 60);
	cr_assert_gt(held_valid_s("fd09::3"), 6000);
	cr_assert(held("preferred_lft 0sec"));
	cr_assert_eq(outcome(order(WORKER_REFRESH, SIP)), 0);
	cr_assert_leq(held_valid_s("fd09::3"), 60);
}

/* Its removal had begun, and did not come to an end. */
Test(worker_addr, an_ipv6_address_without_its_route_is_no_address)
{
	cr_assert_eq(outcome(prepare(SIP)), 0);
	sh("ip -6 route delete local fd09::3 dev va table local");
	cr_assert_eq(outcome(prepare(SIP)), 0);
	sh("ip -6 route list table local | grep -q 'fd09::3 dev va'");
	cr_assert_eq(held_count(), 3);
}

/* SPDX-License-Identifier: MIT */

/* Groups whose addresses a backup has already: what the worker does for them. */

#include <errno.h>

#include "agent/kernel/gatekeeper.h"
#include "agent/kernel/left.h"
#include "agent/kernel/subs.h"
#include "agent/kernel/worker.h"
#include "tests/held.h"

#define STAGED                                                                                     \
	HELD_NODES_WITH("Lease=30s\nDeadTime=60s\nInterval=10s\n")                                 \
	"[Group sip]\nMode=subinterface\nStage=yes\nSubInterface=vip0 va shared\n"                 \
	"VirtualAddress=10.9.0.3 vip0\nVirtualAddress=10.9.0.4 vip0\n"                             \
	"VirtualAddress=fd09::3 vip0\n"

enum { N_VIPS = 3 };

static struct conf *conf;
static struct worker *worker;
static struct nl *nl;

static void enter(void)
{
	struct gatekeeper keeper;

	netns_enter();
	conf = conf_from_text(STAGED);
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(gatekeeper_init(&keeper, conf), 0);
	cr_assert_eq(gate_install(keeper.nf, &keeper.config, NULL), 0);
	cr_assert_eq(worker_new(conf, 0, &keeper, &worker), 0);
}

static void leave(void)
{
	worker_free(worker);
	nl_close(nl);
	conf_free(conf);
}

TestSuite(stage, .init = enter, .fini = leave);

static int carry_out(enum worker_type type, bool ticket)
{
	struct worker_order order = { .type = type, .id = 7, .ticket = ticket };
	struct worker_result result;

	cr_assert_eq(worker_order(worker, &order), 0);
	while (!worker_next(worker, &result))
		netns_await(worker_fd(worker));
	cr_assert_eq(result.type, type);
	return result.err;
}

static struct link vip0(void)
{
	_cleanup_(freep) struct link *links = NULL;
	const struct link *link;
	size_t n;

	cr_assert_eq(link_list(nl, &links, &n), 0);
	link = link_find(links, n, "vip0");
	return link ? *link : (struct link){ 0 };
}

static bool is_silent(void)
{
	return vip0().up && vip0().noarp;
}

static bool is_raised(void)
{
	return vip0().up && !vip0().noarp;
}

Test(stage, a_backup_has_the_addresses_on_an_interface_that_is_up_and_silent)
{
	cr_assert_eq(carry_out(WORKER_MAKE, false), 0);
	cr_assert_eq(held_count(), N_VIPS);
	cr_assert(is_silent());
	cr_assert_eq(carry_out(WORKER_MAKE, false), 0);
	cr_assert_eq(held_count(), N_VIPS);
	cr_assert(is_silent());
}

Test(stage, the_local_routes_of_ipv6_are_there_whenever_it_has_been_made)
{
	for (int i = 0; i < 20; i++) {
		cr_assert_eq(carry_out(WORKER_MAKE, false), 0);
		sh("ip -6 route show table local | grep -q 'fd09::3 dev vip0'");
		cr_assert_eq(carry_out(WORKER_UNMAKE, false), 0);
	}
}

Test(stage, a_claim_and_a_release_leave_the_addresses_where_they_are)
{
	cr_assert_eq(carry_out(WORKER_MAKE, false), 0);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(carry_out(WORKER_PREPARE, true), 0);
		cr_assert(is_raised());
		cr_assert_eq(held_count(), N_VIPS);
		cr_assert_eq(carry_out(WORKER_REFRESH, false), 0);
		cr_assert(is_raised());
		cr_assert_eq(carry_out(WORKER_REMOVE, false), 0);
		cr_assert(is_silent());
		cr_assert_eq(held_count(), N_VIPS);
	}
}

/* One message for each interface: with the address away, a claim that looked would put it back. */
Test(stage, a_claim_does_not_look_at_each_address_and_reading_back_does)
{
	cr_assert_eq(carry_out(WORKER_MAKE, false), 0);
	sh("ip address delete 10.9.0.4/32 dev vip0");
	cr_assert_eq(carry_out(WORKER_PREPARE, true), 0);
	cr_assert_eq(held_count(), N_VIPS - 1);
	cr_assert_eq(carry_out(WORKER_PREPARE, false), 0);
	cr_assert_eq(held_count(), N_VIPS);
	cr_assert(is_raised());
}

/* The order to make it ready again gives way to the claim, which is not to rely on it. */
Test(stage, a_claim_right_after_something_was_lost_adds_all)
{
	struct worker_order order = { .type = WORKER_TIDY, .held = true };
	struct worker_result result = { 0 };

	cr_assert_eq(carry_out(WORKER_MAKE, false), 0);
	sh("ip address delete 10.9.0.4/32 dev vip0");
	for (order.id = 1; order.id <= 20; order.id++) /* the others queue up behind them */
		cr_assert_eq(worker_order(worker, &order), 0);
	order = (struct worker_order){ .type = WORKER_MAKE, .lost = true };
	cr_assert_eq(worker_order(worker, &order), 0);
	order = (struct worker_order){ .type = WORKER_PREPARE, .id = 99, .ticket = true };
	cr_assert_eq(worker_order(worker, &order), 0);
	while (result.id != 99)
		if (!worker_next(worker, &result))
			netns_await(worker_fd(worker));
	cr_assert_eq(result.err, 0);
	cr_assert_eq(held_count(), N_VIPS);
}

Test(stage, a_claim_of_what_was_never_made_ready_adds_all)
{
	cr_assert_eq(carry_out(WORKER_PREPARE, true), 0);
	cr_assert(is_raised());
	cr_assert_eq(held_count(), N_VIPS);
}

Test(stage, a_claim_of_what_somebody_has_deleted_or_changed_adds_all)
{
	static const char *const deeds[] = {
		"ip link delete vip0",
		"ip link set vip0 address 02:00:00:00:00:99",
		"ip link set vip0 name vip7",
	};

	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		cr_assert_eq(carry_out(WORKER_MAKE, false), 0);
		sh(deeds[i]);
		cr_assert_eq(carry_out(WORKER_PREPARE, true), 0);
		cr_assert(is_raised());
		cr_assert_eq(held_count(), N_VIPS, "%s", deeds[i]);
		cr_assert_eq(carry_out(WORKER_REMOVE, false), 0);
	}
}

Test(stage, what_was_made_ready_without_its_parent_is_not_taken_for_ready)
{
	sh("ip link set va name other0");
	cr_assert_eq(carry_out(WORKER_MAKE, false), 0);
	cr_assert_eq(carry_out(WORKER_PREPARE, true), -ENODEV);
	sh("ip link set other0 name va");
	cr_assert_eq(carry_out(WORKER_PREPARE, true), 0);
	cr_assert_eq(held_count(), N_VIPS);
}

Test(stage, what_is_kept_ready_is_not_left_behind)
{
	struct left left;

	cr_assert_eq(carry_out(WORKER_MAKE, false), 0);
	cr_assert_eq(left_look(nl, &conf->groups[0], &left), 0);
	cr_assert_eq(left.n, 0);
	cr_assert_eq(carry_out(WORKER_UNMAKE, false), 0);
	held_add("10.9.0.3", 32, "vb");
	cr_assert_eq(left_look(nl, &conf->groups[0], &left), 0);
	cr_assert_eq(left.n, 1);
}

static int make_ipv4_only(void)
{
	struct worker_order order = { .type = WORKER_MAKE, .ipv4_only = true };
	struct worker_result result;

	cr_assert_eq(worker_order(worker, &order), 0);
	while (!worker_next(worker, &result))
		netns_await(worker_fd(worker));
	return result.err;
}

Test(stage, ipv6_waits_for_its_round_once_it_is_there)
{
	cr_assert_eq(make_ipv4_only(), 0);
	cr_assert_eq(held_count(), N_VIPS);
	held_add_for("fd09::3", 128, "vip0", 7000);
	cr_assert_eq(make_ipv4_only(), 0);
	cr_assert_gt(held_valid_s("fd09::3"), 6000);
	cr_assert_eq(carry_out(WORKER_MAKE, false), 0);
	cr_assert_leq(held_valid_s("fd09::3"), 60);
}

/* SPDX-License-Identifier: MIT */

/* When people want a node out of it: maintenance and stop. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

Test(core_stop, maintenance_on_the_primary_is_a_switchover_first)
{
	rig_begin();
	rig_pair();
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 7);
	cr_assert_eq(rig_count("replies"), 0);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_MAINTENANCE);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_MAINTENANCE);
	cr_assert_eq(rig_count("alpha replies 7  beta\n"), 1);
	cr_assert_eq(rig_count("alpha stores 2 maintenance\n"), 2);
	rig_kill(BETA);
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_MAINTENANCE);
}

Test(core_stop, maintenance_without_a_fit_peer_is_refused_and_leaves_no_trace)
{
	rig_begin();
	rig_pair();
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_settle();
	rig_forget();
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 7);
	rig_expect("alpha replies 7 NotFit alpha\n");
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_not(rig_group(ALPHA)->maintenance);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
}

Test(core_stop, forced_maintenance_without_a_fit_peer_releases)
{
	struct core_event event = { .type = CORE_EV_MAINTENANCE };

	rig_begin();
	rig_adopted(ALPHA, 5);
	event.request.request = 7;
	event.request.on = event.request.force = true;
	rig_step(ALPHA, &event);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_MAINTENANCE);
	cr_assert_eq(rig_count("alpha replies 7  nobody\n"), 1);
	cr_assert_eq(rig_count("alpha stores 5 maintenance\n"), 2);
	cr_assert_eq(rig_count("alpha removes\n"), 1);
}

Test(core_stop, maintenance_whose_switchover_failed_is_none)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 7);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_say_for_us(BETA, ALPHA, STEP);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_not(rig_group(ALPHA)->maintenance);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
	cr_assert_eq(rig_count("alpha stores 6 maintenance\n"), 1);
	cr_assert_eq(rig_count("alpha stores 6\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_count("alpha replies 7 Timeout alpha\n"), 1);
}

Test(core_stop, maintenance_on_a_backup_is_stored_and_ends_on_request)
{
	struct core_event event = { .type = CORE_EV_MAINTENANCE };

	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_MAINTENANCE, 7);
	rig_expect("beta tells unfit 80\n"
		   "beta stores 5 maintenance\n"
		   "beta replies 7  alpha\n"
		   "beta is maintenance (maintenance)\n");
	event.request.request = 8;
	rig_step(BETA, &event);
	rig_expect("beta tells unfit 0\n"
		   "beta stores 5\n"
		   "beta replies 8  alpha\n"
		   "beta is backup (fit)\n");
}

Test(core_stop, ending_maintenance_of_a_node_with_a_fault_leaves_the_fault)
{
	struct core_event event = { .type = CORE_EV_MAINTENANCE };

	event.request.request = 8;
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_MAINTENANCE, 7);
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_step(BETA, &event);
	rig_expect_state(BETA, CORE_STATE_FAULT);
}

Test(core_stop, ending_maintenance_on_a_primary_is_done_already)
{
	struct core_event event = { .type = CORE_EV_MAINTENANCE };

	rig_begin();
	rig_adopted(ALPHA, 5);
	event.request.request = 7;
	rig_step(ALPHA, &event);
	rig_expect("alpha replies 7  alpha\n");
}

Test(core_stop, a_stop_hands_over_before_the_exit)
{
	rig_begin();
	rig_pair();
	rig_stop(ALPHA, false);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha exits\n"), 1);
	cr_assert_eq(rig_count("alpha removes\n"), 1);
	cr_assert_eq(rig_count("beta tells peer-silent"), 1);
	cr_assert_eq(rig_count("alpha lease"), 0);
}

Test(core_stop, a_stop_without_a_fit_peer_releases_before_the_exit)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_stop(ALPHA, false);
	rig_done_all(ALPHA);
	rig_expect("alpha tells unfit 240\n"
		   "alpha is yielding (stop)\n"
		   "alpha gate closed\n"
		   "alpha removes\n"
		   "alpha is backup (stop)\n"
		   "alpha exits\n");
}

Test(core_stop, a_stop_whose_handover_fails_releases)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_stop(ALPHA, false);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	for (uint64_t us = 0; us < STEP + INTERVAL && rig.nodes[ALPHA].runs; us += INTERVAL) {
		rig_say(BETA, ALPHA);
		rig_advance_us(INTERVAL);
	}
	cr_assert_not(rig.nodes[ALPHA].runs);
	cr_assert_eq(rig_count("alpha is yielding (stop)\n"), 2, "%s", rig.trace);
	cr_assert_eq(rig_count("alpha removes\n"), 1);
}

Test(core_stop, a_stop_ends_a_claim_that_is_under_way)
{
	for (int restart = 0; restart < 2; restart++) {
		rig_begin();
		rig_standby(BETA, ALPHA, 5);
		rig.nodes[BETA].stuck = true;
		rig_advance_us(DEAD);
		rig_answer(BETA, CORE_DO_PREPARE, 0);
		rig_stop(BETA, restart);
		cr_assert_eq(rig_count("beta is yielding (stop)\n"), 1);
		rig.nodes[BETA].stuck = false;
		rig_advance_us(INTERVAL);
		cr_assert_eq(rig_count("is primary"), 0);
		cr_assert_eq(rig_count("beta gate closed\n"), 1);
		cr_assert_eq(rig_count("beta exits\n"), 1);
	}
}

Test(core_stop, no_deadline_is_left_behind_by_a_stop)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_stop(ALPHA, false);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(3 * STEP);
	rig.nodes[ALPHA].stuck = false;
	rig_settle();
	cr_assert_eq(rig_count("alpha exits\n"), 1);
}

Test(core_stop, who_is_told_to_stop_begins_nothing_new)
{
	rig_begin();
	rig_pair();
	rig.nodes[ALPHA].stuck = true;
	rig_stop(ALPHA, true);
	rig_forget();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect("alpha replies 7 Busy alpha\n");
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_advance_us(2 * INTERVAL);
	cr_assert_eq(rig_count("beta replies 8 Busy alpha\n"), 1);
	cr_assert_eq(rig_count("says offer"), 0);
}

Test(core_stop, a_restart_waits_for_a_move_that_is_under_way)
{
	rig_begin();
	rig_pair();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_settle();
	rig_stop(ALPHA, true);
	rig_settle();
	cr_assert_eq(rig_count("alpha exits"), 0);
	rig_advance_us(USEC_PER_SEC);
	cr_assert_eq(rig_count("alpha replies 7  beta\n"), 1);
	cr_assert_eq(rig_count("alpha exits\n"), 1);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_stop, who_is_told_to_stop_claims_nothing_more)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig.nodes[ALPHA].start[1].start.adopted = true;
	rig.nodes[ALPHA].start[1].start.lease_left_us = LEASE;
	rig_standby(ALPHA, BETA, 5);
	rig_stop(ALPHA, true);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(2 * DEAD);
	cr_assert_eq(rig_count("alpha tells peer-silent beta\n"), 1);
	cr_assert_eq(rig_count("alpha is claiming"), 0);
}

Test(core_stop, a_stop_whose_strict_handover_fails_claims_nothing_back)
{
	rig_begin();
	rig_configure(groups[0].strict, true);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_stop(ALPHA, false);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_forget();
	rig_answer_move(BETA, ALPHA, CORE_MOVE_REFUSED, CORE_RESULT_FAILED);
	rig_done_all(ALPHA);
	cr_assert_eq(rig_count("alpha exits\n"), 1);
	cr_assert_eq(rig_count("alpha is backup (rolled-back)\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_count("is claiming"), 0);
}

/* What is begun now would be cut short by the exit. */
Test(core_stop, who_is_told_to_stop_is_not_put_into_maintenance)
{
	for (int restart = 0; restart < 2; restart++) {
		rig_begin();
		rig_pair();
		rig.nodes[ALPHA].stuck = true;
		rig_stop(ALPHA, restart);
		rig_forget();
		rig_request(ALPHA, CORE_EV_MAINTENANCE, 7);
		cr_assert_eq(rig_count("alpha replies 7 Busy alpha\n"), 1, "%s", rig.trace);
		cr_assert_eq(rig_count("stores"), 0);
		cr_assert_not(rig_group(ALPHA)->maintenance);
	}
}

/* R11: only who comes back asks to be waited for. */
Test(core_stop, a_backup_that_stops_asks_for_no_time)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_stop(BETA, false);
	cr_assert_eq(rig_count("beta exits\n"), 1);
	cr_assert_eq(rig.beats[BETA][ALPHA].last.lease_us, LEASE);
}

/* SPDX-License-Identifier: MIT */

/* What a holder does while it holds: announcements, orders that fail. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

Test(core_hold, announcements_leave_at_the_claim_and_on_the_schedule)
{
	static const uint64_t at_us[] = { 10000, 100000, 1000000, 3000000 };
	uint64_t past_us = 0;

	rig_begin();
	rig_alone(ALPHA);
	cr_assert_eq(rig_count("alpha announces\n"), 1);
	for (unsigned i = 0; i < ARRAY_SIZE(at_us); i++) {
		rig_advance_us(at_us[i] - past_us - 1);
		cr_assert_eq(rig_count("alpha announces\n"), 1 + i);
		rig_advance_us(1);
		cr_assert_eq(rig_count("alpha announces\n"), 2 + i);
		past_us = at_us[i];
	}
	cr_assert_eq(rig_group(ALPHA)->announce_due.us, 0);
	rig_advance_us(60 * USEC_PER_SEC);
	cr_assert_eq(rig_count("alpha announces\n"), 5);
}

Test(core_hold, a_refresh_goes_on_behind_the_schedule)
{
	rig_begin();
	rig_configure(refresh_us, 7 * USEC_PER_SEC);
	rig_alone(ALPHA);
	rig_advance_us(3 * USEC_PER_SEC);
	cr_assert_eq(rig_count("alpha announces\n"), 5);
	for (unsigned i = 0; i < 3; i++) {
		rig_advance_us(7 * USEC_PER_SEC - 1);
		cr_assert_eq(rig_count("alpha announces\n"), 5 + i);
		rig_advance_us(1);
		cr_assert_eq(rig_count("alpha announces\n"), 6 + i);
	}
}

Test(core_hold, a_refresh_needs_no_schedule_and_no_claim)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(refresh_us, 7 * USEC_PER_SEC);
	rig_adopted(ALPHA, 5);
	rig_forget();
	rig_advance_us(21 * USEC_PER_SEC);
	cr_assert_eq(rig_count("alpha announces\n"), 3);
}

Test(core_hold, a_refresh_ends_with_the_hold)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(refresh_us, 1 * USEC_PER_SEC);
	rig_configure(groups[0].keep_alone, false);
	rig_alone(ALPHA);
	rig_advance_us(5 * USEC_PER_SEC);
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_forget();
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	cr_assert_eq(rig_count("announces"), 0);
}

Test(core_hold, a_refresh_waits_until_addresses_that_were_removed_are_back)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(refresh_us, 1 * USEC_PER_SEC);
	rig_adopted(ALPHA, 5);
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_LOST);
	rig_forget();
	rig_advance_us(5 * USEC_PER_SEC);
	cr_assert_eq(rig_count("announces"), 0);
	rig.nodes[ALPHA].stuck = false;
	rig_answer_next(ALPHA, 0);
	cr_assert_eq(rig_count("alpha announces\n"), 1);
	rig_advance_us(1 * USEC_PER_SEC);
	cr_assert_eq(rig_count("alpha announces\n"), 2);
}

Test(core_hold, released_addresses_are_never_announced)
{
	rig_begin();
	rig_configure(groups[0].keep_alone, false);
	rig_alone(ALPHA);
	rig_forget();
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_event(ALPHA, CORE_EV_ANNOUNCE);
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	cr_assert_eq(rig_count("announces"), 0);
}

Test(core_hold, a_lease_that_ends_ends_the_schedule)
{
	rig_begin();
	rig_alone(ALPHA);
	rig_forget();
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_event(ALPHA, CORE_EV_ANNOUNCE);
	rig_advance_us(DEAD - 1);
	cr_assert_eq(rig_count("announces"), 0);
}

Test(core_hold, announcing_on_request_starts_the_schedule_again)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_event(ALPHA, CORE_EV_ANNOUNCE);
	rig_expect("alpha announces\n");
	rig_advance_us(100000);
	rig_event(ALPHA, CORE_EV_ANNOUNCE);
	rig_forget();
	rig_advance_us(100000);
	rig_expect("alpha announces\n"
		   "alpha announces\n");
}

Test(core_hold, announcing_one_group_leaves_the_others_alone)
{
	struct core_event event = { .type = CORE_EV_ANNOUNCE, .group = 1 };

	rig_begin();
	rig_configure(n_groups, 2);
	rig_alone(ALPHA);
	rig_forget();
	rig_step(ALPHA, &event);
	rig_expect("alpha/1 announces\n");
}

Test(core_hold, a_backup_announces_nothing_on_request)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_event(BETA, CORE_EV_ANNOUNCE);
	rig_expect("");
}

Test(core_hold, a_gate_that_a_stranger_removed_is_laid_anew_until_it_stands)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_event(ALPHA, CORE_EV_FLUSHED);
	rig_expect("alpha rebuilds\n");
	rig_answer_next(ALPHA, -1);
	rig_expect("alpha tells action-failed\n");
	rig_advance_us(2 * USEC_PER_SEC - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("alpha rebuilds\n");
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect("");
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_hold, a_backup_lays_its_gate_anew_as_well)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_event(BETA, CORE_EV_FLUSHED);
	rig_expect("beta rebuilds\n");
	rig_answer_next(BETA, 0);
	rig_expect("");
}

Test(core_hold, a_term_that_cannot_be_stored_stops_nothing)
{
	rig_begin();
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig_answer(ALPHA, CORE_DO_STORE, -28);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_hold, a_claim_that_fails_is_tried_again_after_a_pause)
{
	rig_begin();
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig.nodes[ALPHA].stuck = false;
	rig_answer(ALPHA, CORE_DO_PREPARE, -12);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_CLAIM);
	cr_assert_eq(rig_count("alpha gate answer"), 0);
	rig_leave_the_beat(ALPHA);
	rig_advance_us(2 * USEC_PER_SEC - RIG_OFF_BEAT - 1);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_advance_us(1);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	rig_advance_us(2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(ALPHA)->term, 2);
}

/* A heartbeat at the very instant of the retry: there is no deadline left that says so. */
Test(core_hold, a_failed_claim_is_forgotten_whoever_speaks_first)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_deafen(ALPHA); /* it asks, and our answers stand for heartbeats of our own */
	rig_puppet(ALPHA)->move = CORE_MOVE_OFFER;
	rig_puppet(ALPHA)->move_to = BETA;
	rig_puppet(ALPHA)->move_term = 6;
	rig.nodes[BETA].stuck = true;
	rig_say(ALPHA, BETA);
	rig_answer(BETA, CORE_DO_PREPARE, -12);
	rig_done_all(BETA);
	rig.nodes[BETA].stuck = false;
	rig_puppet(ALPHA)->move = CORE_MOVE_NONE;
	rig_say_for_us(ALPHA, BETA, 2 * USEC_PER_SEC - 1);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	rig_skip_us(1);
	rig_say(ALPHA, BETA);
	rig_say_for_us(ALPHA, BETA, USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_group(BETA)->unfit, 0);
}

/* Alpha claims, and its kernel has this to say about opening the gate. */
static void open_gate(int err)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_GATE, err);
}

Test(core_hold, a_claim_whose_gate_is_refused_clears_the_addresses_away)
{
	open_gate(-5);
	rig_done_all(ALPHA);
	rig_expect("alpha shuts\n"
		   "alpha tells action-failed\n"
		   "alpha tells unfit 8\n"
		   "alpha is yielding (failed)\n"
		   "alpha gate closed\n"
		   "alpha removes\n"
		   "alpha is fault (failed)\n");
}

Test(core_hold, a_claim_that_came_too_late_for_its_ticket_asks_again)
{
	open_gate(-2);
	rig_expect("alpha shuts\n");
	rig.nodes[ALPHA].stuck = false;
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_advance_us(DEAD + INTERVAL);
	rig_expect("alpha stores 2\n"
		   "alpha prepares\n"
		   "alpha gate answer new\n"
		   "alpha announces\n"
		   "alpha is primary (no-primary)\n");
}

Test(core_hold, who_opened_behind_a_lease_that_could_not_be_created_closes_again)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(n_groups, 2);
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	rig_forget();
	rig_answer_next(ALPHA, -5);
	cr_assert_eq(rig_count("alpha/1 is yielding (lease-lapsed)\n"), 1);
	cr_assert_eq(rig_count("alpha shuts\n"), 1);
	rig_done_all(ALPHA);
	cr_assert_eq(rig_count("is primary"), 0);
	cr_assert_eq(rig.nodes[ALPHA].core.lease_until.us, 0);
}

Test(core_hold, a_release_goes_on_although_the_kernel_complains)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_event(ALPHA, CORE_EV_DISOWNED);
	rig_forget();
	rig.nodes[ALPHA].stuck = true;
	rig_answer(ALPHA, CORE_DO_GATE, -5);
	rig_expect("alpha tells action-failed\n"
		   "alpha shuts\n");
	rig_advance_us(LEASE - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("alpha removes\n");
	rig_answer(ALPHA, CORE_DO_REMOVE, -5);
	rig_expect("alpha tells action-failed\n"
		   "alpha is fault (disowned)\n");
}

Test(core_hold, who_is_primary_is_known_on_both_nodes_and_while_it_moves)
{
	rig_begin();
	rig_start(ALPHA);
	cr_assert_eq(core_primary(&rig.nodes[ALPHA].core, 0), CORE_NODE_NONE);
	rig_begin();
	rig_pair();
	cr_assert_eq(core_primary(&rig.nodes[ALPHA].core, 0), ALPHA);
	cr_assert_eq(core_primary(&rig.nodes[BETA].core, 0), ALPHA);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_deliver(ALPHA, BETA);
	cr_assert_eq(core_primary(&rig.nodes[ALPHA].core, 0), ALPHA);
	cr_assert_eq(core_primary(&rig.nodes[BETA].core, 0), ALPHA);
	rig_advance_us(USEC_PER_SEC);
	cr_assert_eq(core_primary(&rig.nodes[ALPHA].core, 0), BETA);
	cr_assert_eq(core_primary(&rig.nodes[BETA].core, 0), BETA);
}

Test(core_hold, what_a_peer_said_is_known_while_it_is_heard)
{
	const struct core *core = &rig.nodes[ALPHA].core;

	rig_begin();
	rig_adopted(ALPHA, 5);
	cr_assert_null(core_peer_record(core, BETA, 0));
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 4;
	rig_say(BETA, ALPHA);
	cr_assert_eq(core_peer_record(core, BETA, 0)->term, 4);
	rig_puppet(BETA)->present = false;
	rig_say(BETA, ALPHA);
	cr_assert_null(core_peer_record(core, BETA, 0), "it does not have the group");
	rig_puppet(BETA)->present = true;
	rig_say(BETA, ALPHA);
	cr_assert_not_null(core_peer_record(core, BETA, 0));
	rig_advance_us(DEAD);
	cr_assert_null(core_peer_record(core, BETA, 0));
}

Test(core_hold, a_quiet_pair_wakes_up_for_heartbeats_only)
{
	uint64_t before[2], seconds = 10;

	rig_begin();
	rig_pair();
	for (uint8_t i = 0; i < 2; i++)
		before[i] = rig.beats[i][!i].last.seq;
	rig_advance_us(seconds * USEC_PER_SEC);
	rig_expect("");
	for (uint8_t i = 0; i < 2; i++)
		cr_assert_leq(rig.beats[i][!i].last.seq - before[i],
			      seconds * USEC_PER_SEC / INTERVAL);
}

Test(core_hold, the_deadline_is_never_later_than_the_next_heartbeat_nor_past)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	for (int i = 0; i < 200; i++) {
		instant due = core_deadline(&rig.nodes[ALPHA].core);

		cr_assert_gt(due.us, rig.now.us);
		cr_assert_leq(due.us, rig.now.us + INTERVAL);
		rig_advance_us(due.us - rig.now.us);
	}
}

Test(core_hold, a_fault_that_comes_and_goes_is_told_each_time_and_heard_at_once)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_expect("beta tells unfit 2\n"
		   "beta is fault (unfit)\n");
	cr_assert_eq(rig.beats[BETA][ALPHA].last.groups[0].unfit, CORE_UNFIT_CHECK);
	cr_assert_eq(rig.beats[BETA][ALPHA].last.groups[0].state, CORE_STATE_FAULT);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_expect("");
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_expect("beta tells unfit 3\n");
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, false);
	rig_set_fitness(BETA, CORE_UNFIT_LINK, false);
	rig_expect("beta tells unfit 1\n"
		   "beta tells unfit 0\n"
		   "beta is backup (fit)\n");
}

/* In each of these a deadline was once left behind: the rig stops who would spin. */

Test(core_hold, no_deadline_is_left_behind_while_the_kernel_takes_its_time)
{
	static const uint64_t waits_us[] = { LINGER, STEP, STEP + DEAD, 10 * USEC_PER_SEC };

	for (size_t i = 0; i < ARRAY_SIZE(waits_us); i++) {
		for (int when = 0; when < 3; when++) {
			rig_begin();
			rig_pair();
			rig.nodes[ALPHA].stuck = when == 0;
			rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
			rig_settle();
			rig.nodes[ALPHA].stuck = when < 2;
			rig.nodes[BETA].stuck = when == 2;
			rig_advance_us(waits_us[i]);
			rig.nodes[ALPHA].stuck = rig.nodes[BETA].stuck = false;
			rig_advance_us(20 * USEC_PER_SEC);
			cr_assert_eq(rig_count(" replies 7 "), 1);
			cr_assert_eq((rig_group(ALPHA)->state == CORE_STATE_PRIMARY) +
					     (rig_group(BETA)->state == CORE_STATE_PRIMARY),
				     1);
		}
	}
}

Test(core_hold, no_deadline_is_left_behind_by_a_preemption)
{
	rig_begin();
	rig_configure(priority[ALPHA], 200);
	rig_configure(groups[0].preempt, true);
	rig_pair();
	rig_kill(ALPHA);
	rig_advance_us(USEC_PER_SEC);
	rig_start(ALPHA);
	rig_advance_us(20 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_hold, a_last_resort_counts_from_when_the_group_was_let_go)
{
	rig_begin();
	rig_configure(groups[0].keep_alone, false);
	rig_alone(ALPHA);
	rig_advance_us(10 * USEC_PER_SEC);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_settle();
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_advance_us(LAST_RESORT - 1);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
}

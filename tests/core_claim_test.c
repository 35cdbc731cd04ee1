/* SPDX-License-Identifier: MIT */

/* Claims to which something happens on the way. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

/* The puppet alpha holds the group and hands it over to beta, whose kernel waits for the test. */
static void begin_offered(enum core_move move)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	rig_hand_over(ALPHA, BETA, move);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
	rig_forget();
}

Test(core_claim, an_offer_is_good_for_whom_it_names_and_under_its_id)
{
	for (int i = 0; i < 3; i++) {
		begin_offered(CORE_MOVE_OFFER);
		if (i == 0)
			rig_puppet(ALPHA)->move_id = 78;
		if (i == 1)
			rig_puppet(ALPHA)->move_to = GAMMA;
		if (i == 2)
			rig_puppet(ALPHA)->present = false; /* configured away */
		rig_say(ALPHA, BETA);
		rig_expect_state(BETA, CORE_STATE_YIELDING);
		cr_assert_eq(rig_group(BETA)->reason, CORE_REASON_ROLLED_BACK);
	}
}

Test(core_claim, an_offer_that_is_repeated_changes_nothing)
{
	begin_offered(CORE_MOVE_RELEASED);
	rig_say_for_us(ALPHA, BETA, DEAD);
	rig_expect("");
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	rig_expect("beta gate answer new\n");
	rig_say_for_us(ALPHA, BETA, 2 * INTERVAL);
	rig_expect("");
}

Test(core_claim, a_holder_that_withdraws_early_does_not_hurry_the_successor)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_puppet(ALPHA)->move = CORE_MOVE_WITHDRAWN;
	rig_say(ALPHA, BETA);
	rig_expect("");
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	rig_expect("beta gate ready new\n");
}

Test(core_claim, a_holder_that_dies_while_the_gate_opens_leaves_the_answers_to_be_opened)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	rig_expect("beta gate ready new\n");
	rig_advance_us(DEAD + 100 * USEC_PER_MSEC);
	rig_expect("beta tells peer-silent alpha\n");
	cr_assert_eq(rig_group(BETA)->move_to, CORE_NODE_NONE);
	rig_answer_next(BETA, 0);
	rig_expect("beta says ready\n");
	rig_advance_us(INTERVAL);
	rig_expect("beta gate answer\n"
		   "beta announces\n");
	rig_answer_next(BETA, 0);
	rig_expect("beta announces\n"
		   "beta is primary (switchover)\n"
		   "beta says nothing\n");
}

Test(core_claim, a_caller_is_answered_when_the_holder_dies_in_the_last_instant)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig.nodes[BETA].stuck = true;
	rig_hand_over(ALPHA, BETA, CORE_MOVE_RELEASED);
	rig_advance_us(DEAD - 1);
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	rig_forget();
	rig_skip_us(1);
	rig_answer(BETA, CORE_DO_GATE, 0);
	rig_expect("beta tells peer-silent alpha\n"
		   "beta announces\n"
		   "beta is primary (switchover)\n"
		   "beta replies 8  beta\n");
	cr_assert_eq(rig_group(BETA)->move_to, CORE_NODE_NONE);
	cr_assert_not(instant_is_set(rig_group(BETA)->provisional));
}

/* Alpha wants the group, on its own account; its kernel waits for the test. */
static void begin_alone(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig_forget();
}

Test(core_claim, addresses_without_a_gate_are_a_failure_and_the_gate_is_laid)
{
	begin_alone();
	rig_answer(ALPHA, CORE_DO_PREPARE, -2);
	rig_expect("alpha tells action-failed\n"
		   "alpha rebuilds\n"
		   "alpha tells unfit 8\n"
		   "alpha is yielding (failed)\n"
		   "alpha gate closed\n");
}

Test(core_claim, what_was_taken_meanwhile_is_put_back_in_the_very_step)
{
	begin_alone();
	rig_event(ALPHA, CORE_EV_LOST);
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	rig_expect("alpha is primary (no-primary)\n"
		   "alpha repairs\n");
}

/* R9: it has heard us before the freeze; what it has decided since, nobody knows. */
Test(core_claim, leave_from_before_a_freeze_is_none)
{
	uint64_t seq;

	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	seq = rig.nodes[ALPHA].core.seq;
	rig_skip_us(2 * INTERVAL + 1);
	rig_say_echo(BETA, ALPHA, seq);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_CLAIM_WAIT);
	rig_say_echo(BETA, ALPHA, seq + 1);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_CLAIM_PREPARE);
}

/* R6: who was adopted and lapses before anybody was heard listens as if it had found nothing. */
Test(core_claim, an_adopted_group_that_lapses_at_once_is_claimed_after_listening)
{
	rig_begin();
	rig.nodes[ALPHA].start[0].start.adopted = true;
	rig.nodes[ALPHA].start[0].start.lease_left_us = 30 * 1000;
	rig_start(ALPHA);
	rig_advance_us(LISTEN - INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	cr_assert_eq(rig_count("alpha prepares\n"), 0);
	rig_advance_us(2 * INTERVAL);
	cr_assert_eq(rig_count("alpha prepares\n"), 1);
}

/* The first of the nodes has a say as well. */
Test(core_claim, the_first_node_gives_leave_or_does_not)
{
	rig_begin();
	rig_adopted(BETA, 5);
	rig_say_for_us(ALPHA, BETA, 2 * DEAD);
	rig.nodes[BETA].stuck = true;
	rig_deafen(ALPHA);
	rig_skip_us(1);
	rig_event(BETA, CORE_EV_LAPSED);
	rig_forget();
	rig_say_for_us(ALPHA, BETA, 4 * DEAD);
	rig_expect("");
	rig_undeafen(ALPHA);
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_count("beta prepares\n"), 1);
	rig_deafen(ALPHA);
	rig_say_for_us(ALPHA, BETA, 4 * INTERVAL);
	rig_forget();
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	cr_assert_eq(rig_group(BETA)->step, CORE_STEP_CLAIM_WAIT);
}

static void end_maintenance(uint8_t node)
{
	struct core_event event = { .type = CORE_EV_MAINTENANCE };

	event.request.request = 2;
	rig_step(node, &event);
}

/* R4: the time without a holder begins when we let go, not when we once began to hold. */
Test(core_claim, the_last_resort_waits_anew_after_a_time_as_primary)
{
	struct core_event event = { .type = CORE_EV_MAINTENANCE };

	event.request.request = 1;
	event.request.on = event.request.force = true;
	rig_begin();
	rig_alone(ALPHA);
	rig_advance_us(10 * USEC_PER_SEC);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_step(ALPHA, &event);
	rig_settle();
	rig_expect_state(ALPHA, CORE_STATE_MAINTENANCE);
	end_maintenance(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_advance_us(LAST_RESORT - 1);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_advance_us(1);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
}

Test(core_claim, a_successor_that_becomes_unfit_gives_the_group_back)
{
	for (int i = 0; i < 2; i++) {
		begin_offered(i ? CORE_MOVE_RELEASED : CORE_MOVE_OFFER);
		rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
		rig_expect_state(BETA, CORE_STATE_YIELDING);
		cr_assert_eq(rig_group(BETA)->reason, CORE_REASON_UNFIT);
		rig_done_all(BETA);
		rig_done_all(BETA);
		rig_expect_state(BETA, CORE_STATE_FAULT);
		cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_REFUSED);
	}
}

Test(core_claim, a_successor_that_is_no_longer_synchronised_goes_on)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_set_fitness(BETA, CORE_UNFIT_SYNC, true);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
}

/* Its lease has lapsed, and nobody else is there: that may well be its own network. */
Test(core_claim, who_waits_for_leave_and_is_isolated_gives_up)
{
	rig_begin();
	rig_adopted(ALPHA, 1);
	rig_set_references(ALPHA, false);
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_set_references(ALPHA, true);
	rig_advance_us(LISTEN + LAST_RESORT);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_set_references(ALPHA, false);
	rig_advance_us(2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* What makes it unfit now need not have kept it from holding the group (R4). */
Test(core_claim, who_waits_for_leave_and_whose_check_fails_goes_on)
{
	rig_begin();
	rig_adopted(ALPHA, 1);
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_advance_us(LISTEN);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_claim, who_is_disowned_on_the_way_says_so)
{
	struct core_event event = { .type = CORE_EV_DISOWNED, .peer = ALPHA };

	begin_offered(CORE_MOVE_OFFER);
	rig_step(BETA, &event);
	cr_assert_eq(rig_group(BETA)->reason, CORE_REASON_DISOWNED);
}

/* The answer to the caller is all that comes of it: time goes by in other events. */
Test(core_claim, who_is_asked_meanwhile_answers_and_does_nothing_else)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_say_for_us(ALPHA, BETA, STEP - INTERVAL);
	rig_advance_us(INTERVAL - 1);
	rig_forget();
	rig_skip_us(1);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_expect("beta replies 8 Busy alpha\n");
	rig_event(BETA, CORE_EV_TIME);
	rig_expect_state(BETA, CORE_STATE_YIELDING);
}

/* What is lost on the way out is of no interest to who has left, nor to his next claim. */
Test(core_claim, what_a_stranger_takes_from_one_who_leaves_is_not_put_back_later)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_DISOWNED);
	rig_event(ALPHA, CORE_EV_LOST);
	cr_assert(rig_group(ALPHA)->lost);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	cr_assert_not(rig_group(ALPHA)->lost);
}

/* Taken twice: the second time while the first is being put back. */
Test(core_claim, what_is_missing_when_a_move_begins_is_put_back_if_it_fails)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_LOST);
	rig_event(ALPHA, CORE_EV_LOST);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_forget();
	rig_say_for_us(BETA, ALPHA, STEP);
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha repairs\n"), 1, "%s", rig.trace);
}

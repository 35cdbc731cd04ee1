/* SPDX-License-Identifier: MIT */

/* A switchover, step by step: who takes the group over. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

static void begin_offered(enum core_move move)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_standby(BETA, ALPHA, 5);
	rig_hand_over(ALPHA, BETA, move);
}

Test(core_successor, an_unfit_backup_refuses_until_the_offer_is_gone)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_forget();
	rig_hand_over(ALPHA, BETA, CORE_MOVE_OFFER);
	rig_expect("beta says refused\n");
	cr_assert_eq(rig.beats[BETA][ALPHA].last.groups[0].why, CORE_RESULT_NOT_FIT);
	cr_assert_eq(rig.beats[BETA][ALPHA].last.groups[0].move_id, 77);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, false);
	rig_forget();
	rig_say(ALPHA, BETA);
	rig_expect("");
	rig_puppet(ALPHA)->move = CORE_MOVE_NONE;
	rig_say(ALPHA, BETA);
	rig_expect("beta says nothing\n");
}

Test(core_successor, an_offer_to_somebody_else_is_not_ours)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_NONE);
	rig_puppet(ALPHA)->move = CORE_MOVE_OFFER;
	rig_puppet(ALPHA)->move_to = GAMMA;
	rig_say(ALPHA, BETA);
	rig_expect("");
}

Test(core_successor, a_backup_that_is_stopping_refuses)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig.nodes[BETA].start[1].start.adopted = true;
	rig.nodes[BETA].start[1].start.lease_left_us = LEASE;
	rig_standby(BETA, ALPHA, 5);
	rig_stop(BETA, true);
	rig_forget();
	rig_hand_over(ALPHA, BETA, CORE_MOVE_OFFER);
	cr_assert_eq(rig_count("beta says refused\n"), 1);
}

Test(core_successor, a_successor_whose_kernel_fails_clears_away_and_then_refuses)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_forget();
	rig_answer(BETA, CORE_DO_PREPARE, -12);
	rig_expect("beta tells action-failed\n"
		   "beta tells unfit 8\n"
		   "beta is yielding (failed)\n"
		   "beta gate closed\n");
	rig_answer_next(BETA, 0);
	rig_expect("beta removes\n");
	rig_answer_next(BETA, 0);
	rig_expect("beta is fault (failed)\n"
		   "beta says refused\n");
	cr_assert_eq(rig.beats[BETA][ALPHA].last.groups[0].why, CORE_RESULT_FAILED);
	rig_puppet(ALPHA)->move = CORE_MOVE_NONE;
	rig_puppet(ALPHA)->state = CORE_STATE_PRIMARY;
	rig_say_for_us(ALPHA, BETA, 2 * USEC_PER_SEC - INTERVAL);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	rig_say_for_us(ALPHA, BETA, 2 * INTERVAL);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
}

Test(core_successor, who_gives_a_claim_up_never_was_primary)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_answer(BETA, CORE_DO_PREPARE, -12);
	rig_expect_state(BETA, CORE_STATE_YIELDING);
	cr_assert_not(rig_group(BETA)->primary);
}

Test(core_successor, a_successor_that_finds_no_gate_lays_it_anew_and_refuses)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	rig_forget();
	rig_answer(BETA, CORE_DO_GATE, -2);
	cr_assert_eq(rig_count("beta rebuilds\n"), 1);
	cr_assert_eq(rig.failure, -2);
	rig_done_all(BETA);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	cr_assert_eq(rig_count("beta says refused\n"), 1);
}

Test(core_successor, a_successor_whose_kernel_does_not_answer_gives_up)
{
	begin_offered(CORE_MOVE_OFFER);
	rig.nodes[BETA].stuck = true;
	rig_say_for_us(ALPHA, BETA, STEP - INTERVAL);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
	rig_say_for_us(ALPHA, BETA, INTERVAL);
	rig_expect_state(BETA, CORE_STATE_YIELDING);
	cr_assert_eq(rig_group(BETA)->reason, CORE_REASON_FAILED);
}

Test(core_successor, a_successor_gives_up_when_the_offer_is_withdrawn)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_done_all(BETA);
	cr_assert_eq(rig_count("beta says ready\n"), 1);
	rig_forget();
	rig_puppet(ALPHA)->move = CORE_MOVE_NONE;
	rig_puppet(ALPHA)->state = CORE_STATE_PRIMARY;
	rig_say(ALPHA, BETA);
	rig_done_all(BETA);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("beta is yielding (rolled-back)\n"), 1);
	cr_assert_eq(rig_count("beta announces"), 0);
}

Test(core_successor, a_successor_announces_and_answers_only_after_the_holder_has_withdrawn)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_done_all(BETA);
	rig_forget();
	rig_say_for_us(ALPHA, BETA, LEASE / 2 - 1);
	rig_expect("");
	rig_puppet(ALPHA)->move = CORE_MOVE_WITHDRAWN;
	rig_say(ALPHA, BETA);
	rig_expect("beta gate answer\n"
		   "beta announces\n");
}

Test(core_successor, what_a_stranger_took_meanwhile_is_not_announced)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_done_all(BETA);
	rig_event(BETA, CORE_EV_LOST);
	rig_forget();
	rig_puppet(ALPHA)->move = CORE_MOVE_WITHDRAWN;
	rig_say(ALPHA, BETA);
	rig_expect("beta gate answer\n");
}

Test(core_successor, a_successor_that_serves_beside_the_holder_does_not_wait_for_long)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_done_all(BETA);
	rig_forget();
	rig_say_for_us(ALPHA, BETA, LEASE / 2);
	rig_expect("beta is yielding (rolled-back)\n"
		   "beta gate closed\n"
		   "beta says nothing\n"
		   "beta removes\n"
		   "beta is backup (rolled-back)\n"
		   "beta says refused\n");
}

Test(core_successor, a_successor_whose_holder_dies_is_primary_in_the_end)
{
	begin_offered(CORE_MOVE_OFFER);
	rig_done_all(BETA);
	rig_forget();
	rig_advance_us(2 * DEAD);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);

	begin_offered(CORE_MOVE_OFFER);
	rig.nodes[BETA].stuck = true;
	rig_advance_us(DEAD);
	rig_forget();
	rig.nodes[BETA].stuck = false;
	rig_settle();
	rig_expect("beta gate answer new\n"
		   "beta announces\n"
		   "beta is primary (switchover)\n");
}

Test(core_successor, a_new_holder_that_the_old_one_does_not_acknowledge_steps_back)
{
	begin_offered(CORE_MOVE_RELEASED);
	rig_done_all(BETA);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_forget();
	rig_say_for_us(ALPHA, BETA, 2 * DEAD - INTERVAL);
	rig_expect("");
	rig_say_for_us(ALPHA, BETA, INTERVAL);
	cr_assert_eq(rig_count("beta is yielding (rolled-back)\n"), 1);
	cr_assert_eq(rig_count("beta removes\n"), 1);
	cr_assert_eq(rig_count("beta says released\n"), 0, "it was not a move");
}

Test(core_successor, a_new_holder_steps_back_in_time_also_between_two_heartbeats)
{
	uint32_t dead = DEAD + 12345;

	rig_begin();
	rig_configure(dead_us, dead);
	rig_standby(BETA, ALPHA, 5);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_RELEASED);
	rig_done_all(BETA);
	rig_say_for_us(ALPHA, BETA, 2 * dead - 1);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig.nodes[BETA].stuck = true;
	rig_advance_us(1);
	rig_expect_state(BETA, CORE_STATE_YIELDING);
}

Test(core_successor, a_new_holder_is_patient_while_the_old_one_knows_and_closes)
{
	begin_offered(CORE_MOVE_RELEASED);
	rig_done_all(BETA);
	rig_puppet(ALPHA)->term = 6;
	rig_forget();
	rig_say_for_us(ALPHA, BETA, 10 * USEC_PER_SEC);
	rig_expect("");
	rig_puppet(ALPHA)->state = CORE_STATE_BACKUP;
	rig_puppet(ALPHA)->move = CORE_MOVE_NONE;
	rig_say(ALPHA, BETA);
	rig_expect("beta announces\n");
	rig_say_for_us(ALPHA, BETA, 10 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_successor, a_new_holder_stays_when_the_old_one_dies)
{
	begin_offered(CORE_MOVE_RELEASED);
	rig_done_all(BETA);
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_successor, while_it_is_provisional_nothing_else_is_begun)
{
	begin_offered(CORE_MOVE_RELEASED);
	rig_done_all(BETA);
	rig_forget();
	rig_request(BETA, CORE_EV_SWITCHOVER, 1);
	rig_request(BETA, CORE_EV_MAINTENANCE, 2);
	rig_expect("beta replies 1 Busy beta\n"
		   "beta replies 2 Busy beta\n");
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_expect("beta tells unfit 2\n");
}

Test(core_successor, who_is_denied_a_preemption_rests_before_it_asks_again)
{
	rig_begin();
	rig_configure(priority[BETA], 200);
	rig_configure(groups[0].preempt, true);
	rig_standby(BETA, ALPHA, 5);
	rig_puppet(ALPHA)->move_to = BETA;
	for (int i = 0; i < 100; i++) {
		rig_puppet(ALPHA)->move = CORE_MOVE_DENIED;
		rig_puppet(ALPHA)->why = CORE_RESULT_BUSY;
		rig_puppet(ALPHA)->move_id = rig_group(BETA)->move_id;
		rig_say(ALPHA, BETA);
	}
	cr_assert_leq(rig_group(BETA)->move_id, 2002);
}

Test(core_successor, an_old_holder_that_takes_the_group_back_has_not_let_go)
{
	rig_begin();
	rig_configure(groups[0].strict, true);
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_RELEASED);
	rig_done_all(BETA);
	rig_puppet(ALPHA)->state = CORE_STATE_CLAIMING;
	rig_puppet(ALPHA)->term = 7;
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_count("beta replies 8  beta\n"), 0);
}

/* SPDX-License-Identifier: MIT */

/* Handing a group over: each step, and what may come between. */

#include "agent/core/core.h"

#include "tests/core_move_rig.h"

/* The puppet's answer to what alpha says. */
static void answer_move(enum core_move move, enum core_result why)
{
	rig_answer_move(BETA, ALPHA, move, why);
}

Test(core_move, seamless_step_by_step)
{
	begin(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect("alpha stores 2\n"
		   "alpha is yielding (switchover)\n"
		   "alpha says offer\n");
	cr_assert_eq(core_primary(&rig.nodes[ALPHA].core, 0), ALPHA);

	rig_deliver(ALPHA, BETA);
	rig_expect("beta is claiming (switchover)\n"
		   "beta stores 2\n"
		   "beta prepares\n");
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	rig_expect("beta gate ready new\n");
	rig_answer_next(BETA, 0);
	rig_expect("beta says ready\n");

	rig_deliver(BETA, ALPHA);
	rig_expect("alpha gate serve\n");
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	rig_expect("alpha says withdrawn\n");

	rig_deliver(ALPHA, BETA);
	rig_expect("beta gate answer\n"
		   "beta announces\n");
	rig_answer_next(BETA, 0);
	rig_expect("beta announces\n"
		   "beta is primary (switchover)\n"
		   "beta says nothing\n");
	cr_assert_eq(rig_group(BETA)->term, 2);

	rig_deliver(BETA, ALPHA);
	rig_expect("alpha says nothing\n");
	rig_advance_us(LINGER - 1);
	rig_expect("");
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(1);
	rig_expect("alpha gate closed\n");
	rig_answer_next(ALPHA, 0);
	rig_expect("alpha removes\n");
	rig_skip_us(500);
	rig_answer_next(ALPHA, 0);
	rig_expect("alpha is backup (switchover)\n"
		   "alpha replies 7  beta\n");
	cr_assert_eq(rig_group(ALPHA)->last_switchover_us, LINGER + 500);
	rig_settle();
	rig_expect("beta announces\n");
}

Test(core_move, strict_step_by_step)
{
	begin(true);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect("alpha stores 2\n"
		   "alpha is yielding (switchover)\n"
		   "alpha gate closed\n");
	rig_deliver(ALPHA, BETA);
	rig_expect("");
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	rig_expect("alpha removes\n");
	rig_deliver(ALPHA, BETA);
	rig_expect("");
	rig_answer_next(ALPHA, 0);
	rig_expect("alpha says released\n");

	rig_deliver(ALPHA, BETA);
	rig_expect("beta is claiming (switchover)\n"
		   "beta stores 2\n"
		   "beta prepares\n");
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	rig_expect("beta gate answer new\n");
	rig_answer_next(BETA, 0);
	rig_expect("beta announces\n"
		   "beta is primary (switchover)\n");

	rig_deliver(BETA, ALPHA);
	rig_expect("alpha is backup (switchover)\n"
		   "alpha replies 7  beta\n"
		   "alpha says nothing\n");
	cr_assert_eq(rig_group(ALPHA)->term, 2);
	rig_settle();
	rig_expect("beta announces\n");
}

Test(core_move, the_time_it_took_is_in_the_answer)
{
	begin(true);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_skip_us(1234);
	rig_settle();
	cr_assert_eq(rig_group(ALPHA)->last_switchover_us, 1234);
}

Test(core_move, one_group_moves_and_the_other_stays)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_pair();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig.nodes[ALPHA].core.groups[1].state, CORE_STATE_PRIMARY);
	cr_assert_eq(rig.nodes[BETA].core.groups[1].state, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("/1"), 0);
	cr_assert_eq(rig_count("alpha replies 7  beta\n"), 1);
}

Test(core_move, to_a_peer_that_has_not_echoed_for_two_intervals_nothing_is_handed_over)
{
	begin_with_puppet(false);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 3 * INTERVAL);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
	rig_expect("alpha replies 1 PeerUnreachable alpha\n");
}

Test(core_move, nothing_is_handed_over_to_one_who_is_not_a_backup)
{
	static const enum core_state states[] = { CORE_STATE_CLAIMING, CORE_STATE_YIELDING };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		begin_with_puppet(false);
		rig_puppet(BETA)->state = states[i];
		rig_say(BETA, ALPHA);
		cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0), CORE_RESULT_NOT_FIT);
	}
	begin_with_puppet(false);
	rig_puppet(BETA)->move = CORE_MOVE_REFUSED;
	rig_say(BETA, ALPHA);
	cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0), CORE_RESULT_NOT_FIT);
}

Test(core_move, refused_it_goes_on_as_if_nothing_had_been)
{
	begin_with_puppet(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_forget();
	answer_move(CORE_MOVE_REFUSED, CORE_RESULT_NOT_FIT);
	rig_expect("alpha is primary (rolled-back)\n"
		   "alpha tells move-failed NotFit\n"
		   "alpha replies 7 NotFit alpha\n"
		   "alpha says nothing\n");
	cr_assert_eq(rig_group(ALPHA)->term, 5);
}

Test(core_move, a_refusal_of_another_offer_is_none_of_this_one)
{
	begin_with_puppet(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_forget();
	rig_puppet(BETA)->move = CORE_MOVE_REFUSED;
	rig_puppet(BETA)->move_id = rig_group(ALPHA)->move_id - 1;
	rig_say(BETA, ALPHA);
	rig_puppet(BETA)->move = CORE_MOVE_READY;
	rig_say(BETA, ALPHA);
	rig_expect("");
}

Test(core_move, every_offer_has_an_id_of_its_own)
{
	uint32_t first;

	begin_with_puppet(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	first = rig_group(ALPHA)->move_id;
	answer_move(CORE_MOVE_REFUSED, CORE_RESULT_FAILED);
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_say(BETA, ALPHA);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 8);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_neq(rig_group(ALPHA)->move_id, first);
}

Test(core_move, the_role_that_people_see_changes_once_on_each_node)
{
	begin(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	cr_assert(rig_group(ALPHA)->primary);
	rig_deliver(ALPHA, BETA);
	cr_assert_not(rig_group(BETA)->primary);
	rig_advance_us(USEC_PER_SEC);
	cr_assert_not(rig_group(ALPHA)->primary);
	cr_assert(rig_group(BETA)->primary);
}

Test(core_move, an_offer_that_is_not_answered_times_out_and_nothing_was_touched)
{
	begin_with_puppet(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_forget();
	rig_say_for_us(BETA, ALPHA, STEP - INTERVAL);
	rig_expect("");
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect("alpha is primary (rolled-back)\n"
		   "alpha tells move-failed Timeout\n"
		   "alpha replies 7 Timeout alpha\n"
		   "alpha says nothing\n");
}

Test(core_move, an_offer_to_one_that_dies_is_taken_back)
{
	begin_with_puppet(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_forget();
	rig_advance_us(DEAD);
	rig_expect("alpha tells peer-silent beta\n"
		   "alpha is primary (rolled-back)\n"
		   "alpha tells move-failed PeerUnreachable\n"
		   "alpha replies 7 PeerUnreachable alpha\n"
		   "alpha says nothing\n");
}

/* The successor had leave to announce when it gave up. */
static void begin_withdrawn(void)
{
	begin_with_puppet(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_puppet(BETA)->state = CORE_STATE_CLAIMING;
	answer_move(CORE_MOVE_READY, CORE_RESULT_OK);
	rig_done_all(ALPHA);
	rig_forget();
}

Test(core_move, a_roll_back_takes_a_term_above_the_offered_one_and_announces_everything)
{
	begin_withdrawn();
	answer_move(CORE_MOVE_REFUSED, CORE_RESULT_FAILED);
	rig_expect("alpha tells move-failed Failed\n"
		   "alpha replies 7 Failed alpha\n"
		   "alpha stores 7\n"
		   "alpha is claiming (rolled-back)\n"
		   "alpha gate answer\n"
		   "alpha says nothing\n");
	rig_done_all(ALPHA);
	rig_expect("alpha announces\n"
		   "alpha is primary (rolled-back)\n");
	cr_assert_eq(rig_group(ALPHA)->term, 7);
}

Test(core_move, a_successor_that_hears_and_never_becomes_primary_is_rolled_back_late)
{
	begin_withdrawn();
	rig_say_for_us(BETA, ALPHA, 4 * DEAD - INTERVAL);
	rig_expect("");
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha replies 7 Timeout alpha\n"), 1);
	cr_assert_eq(rig_group(ALPHA)->term, 7);
}

Test(core_move, a_successor_that_falls_silent_when_it_may_announce_is_not_served_beside)
{
	begin_withdrawn();
	rig_advance_us(2 * INTERVAL - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("alpha gate closed\n"
		   "alpha removes\n"
		   "alpha is backup (switchover)\n"
		   "alpha replies 7 OutcomeUnknown nobody\n"
		   "alpha says nothing\n");
	rig_advance_us(2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_move, what_a_stranger_removes_during_an_offer_is_put_back_if_we_stay)
{
	begin_with_puppet(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_event(ALPHA, CORE_EV_LOST);
	answer_move(CORE_MOVE_REFUSED, CORE_RESULT_FAILED);
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha repairs\n"), 1);
	cr_assert_eq(rig_count("alpha tells repaired\n"), 1);
}

Test(core_move, a_lease_that_ends_in_the_middle_ends_serving)
{
	begin_withdrawn();
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_done_all(ALPHA);
	rig_expect("alpha shuts\n"
		   "alpha gate closed\n"
		   "alpha says nothing\n"
		   "alpha removes\n"
		   "alpha is backup (switchover)\n"
		   "alpha replies 7 OutcomeUnknown nobody\n");
}

Test(core_move, a_heartbeat_that_says_primary_under_that_term_confirms)
{
	begin_withdrawn();
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = 5;
	rig_say(BETA, ALPHA);
	rig_advance_us(LINGER);
	rig_expect("");
	rig_puppet(BETA)->term = 6;
	rig_say(BETA, ALPHA);
	rig_advance_us(LINGER);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("alpha replies 7  beta\n"), 1);
}

Test(core_move, a_kernel_that_will_not_withdraw_rolls_back)
{
	begin_with_puppet(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	answer_move(CORE_MOVE_READY, CORE_RESULT_OK);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_GATE, -5);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha tells action-failed\n"), 1);
	cr_assert_eq(rig_count("alpha replies 7 Failed alpha\n"), 1);
	cr_assert_eq(rig_count("alpha gate answer\n"), 1);
}

Test(core_move, strict_a_refusal_is_answered_with_a_claim_under_a_term_above_the_offered_one)
{
	begin_with_puppet(true);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_done_all(ALPHA);
	rig_forget();
	rig_skip_us(1);
	answer_move(CORE_MOVE_REFUSED, CORE_RESULT_FAILED);
	rig_expect("alpha tells move-failed Failed\n"
		   "alpha replies 7 Failed alpha\n"
		   "alpha is claiming (rolled-back)\n"
		   "alpha says nothing\n");
	rig_say(BETA, ALPHA);
	rig_done_all(ALPHA);
	rig_expect("alpha stores 7\n"
		   "alpha prepares\n"
		   "alpha gate answer new\n"
		   "alpha announces\n"
		   "alpha is primary (rolled-back)\n");
}

Test(core_move, strict_what_could_not_be_removed_is_not_called_released)
{
	begin_with_puppet(true);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	rig_answer(ALPHA, CORE_DO_REMOVE, -5);
	cr_assert_eq(rig_count("says released"), 0);
	cr_assert_eq(rig_count("alpha replies 7 OutcomeUnknown nobody\n"), 1);
	cr_assert_eq(rig_group(ALPHA)->why, CORE_RESULT_FAILED);
}

Test(core_move, strict_a_successor_that_never_claims_times_out)
{
	begin_with_puppet(true);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_done_all(ALPHA);
	rig_say_for_us(BETA, ALPHA, STEP - INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha replies 7 Timeout"), 1);
}

Test(core_move, strict_a_successor_that_dies_is_claimed_back_from_after_the_dead_time)
{
	begin_with_puppet(true);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_done_all(ALPHA);
	rig_advance_us(DEAD - 1);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_advance_us(1);
	cr_assert_eq(rig_count("alpha replies 7 PeerUnreachable"), 1);
	rig_advance_us(DEAD + INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_move, strict_a_kernel_that_does_not_close_leaves_it_to_the_lease)
{
	begin_with_puppet(true);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig.nodes[ALPHA].stuck = true;
	rig_forget();
	rig_say_for_us(BETA, ALPHA, LEASE - 1);
	cr_assert_eq(rig_count("replies"), 0);
	rig_advance_us(1);
	rig_expect("alpha shuts\n"
		   "alpha replies 7 OutcomeUnknown alpha\n");
	cr_assert_eq(rig.beats[ALPHA][BETA].last.groups[0].move, CORE_MOVE_NONE);
	rig_say_for_us(BETA, ALPHA, LEASE - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("alpha removes\n");
	rig.nodes[ALPHA].stuck = false;
	rig_settle();
	cr_assert_eq(rig_count("alpha is backup"), 1);
	cr_assert_eq(rig_count("says released"), 0);
	cr_assert_eq(rig_group(ALPHA)->why, CORE_RESULT_FAILED);
}

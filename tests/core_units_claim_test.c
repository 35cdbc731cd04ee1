/* SPDX-License-Identifier: MIT */

/* What comes before a claim: done first, and in a failover not at any price. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

enum { EIO_ = -5 };

static void configure(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(groups[0].before_claim, 1);
}

/* Alpha is backup of the puppet, which offers the group. */
static void begin_claim(enum core_move move)
{
	configure();
	rig_standby(ALPHA, BETA, 5);
	rig.nodes[ALPHA].stuck = true;
	rig_hand_over(BETA, ALPHA, move);
	rig_expect("alpha is claiming (switchover)\n"
		   "alpha units before claim\n"
		   "alpha stores 6\n");
}

Test(core_units_claim, what_is_handed_over_is_refused_if_one_fails)
{
	begin_claim(CORE_MOVE_OFFER);
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect("alpha tells units-failed\n"
		   "alpha is yielding (failed)\n"
		   "alpha gate closed\n");
	rig_done_all(ALPHA);
	rig_expect("alpha removes\n"
		   "alpha is backup (failed)\n"
		   "alpha says refused\n");
	cr_assert_eq(rig_group(ALPHA)->why, CORE_RESULT_STEP_FAILED);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0, "it could claim still, after a death");
}

Test(core_units_claim, what_is_handed_over_is_refused_if_they_take_too_long)
{
	begin_claim(CORE_MOVE_RELEASED);
	rig_say_for_us(BETA, ALPHA, STEP - INTERVAL);
	rig_expect("");
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect("alpha tells units-failed\n"
		   "alpha is yielding (failed)\n"
		   "alpha gate closed\n");
}

Test(core_units_claim, an_offer_that_is_taken_back_ends_them)
{
	begin_claim(CORE_MOVE_OFFER);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(rig_group(ALPHA)->units, 0);
}

static void begin_failover(void)
{
	configure();
	rig_standby(ALPHA, BETA, 5);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(DEAD);
	rig_expect("alpha tells peer-silent beta\n"
		   "alpha is claiming (peer-dead)\n"
		   "alpha units before claim\n");
}

Test(core_units_claim, a_failover_does_them_first)
{
	begin_failover();
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_expect("alpha stores 6\n"
		   "alpha prepares\n");
}

Test(core_units_claim, a_failover_goes_on_if_one_fails)
{
	begin_failover();
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect("alpha tells units-failed\n"
		   "alpha stores 6\n"
		   "alpha prepares\n");
}

Test(core_units_claim, a_failover_goes_on_if_they_take_too_long)
{
	begin_failover();
	rig_advance_us(STEP);
	rig_expect("alpha tells units-failed\n"
		   "alpha stores 6\n"
		   "alpha prepares\n");
}

/* The peer is back, and need not hear us: it may want the group as well. */
Test(core_units_claim, after_them_leave_is_asked_for_again_if_it_does_not_stand)
{
	begin_failover();
	rig_deafen(BETA);
	rig_puppet(BETA)->state = CORE_STATE_BACKUP;
	rig_say_for_us(BETA, ALPHA, 4 * INTERVAL);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_CLAIM_WAIT);
	rig_expect("");
	rig_undeafen(BETA);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	rig_expect("alpha stores 6\n"
		   "alpha prepares\n");
}

Test(core_units_claim, a_holder_that_comes_back_meanwhile_keeps_it)
{
	begin_failover();
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(rig_group(ALPHA)->units, 0);
}

Test(core_units_claim, when_the_offerer_dies_meanwhile_it_is_a_claim_like_any_other)
{
	begin_claim(CORE_MOVE_OFFER);
	rig_advance_us(DEAD);
	rig_expect("alpha tells peer-silent beta\n");
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect("alpha tells units-failed\n"
		   "alpha stores 7\n"
		   "alpha prepares\n");
}

Test(core_units_claim, the_next_claim_does_them_anew)
{
	begin_failover();
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_answer(ALPHA, CORE_DO_PREPARE, EIO_);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_forget();
	rig_advance_us(2 * USEC_PER_SEC + 2 * DEAD);
	cr_assert_eq(rig_count("alpha units before claim\n"), 1, "%s", rig.trace);
}

/* That its own unit failed, when it was to be handed the group, says nothing of later. */
Test(core_units_claim, a_primary_does_not_wait_for_what_failed_when_it_was_none)
{
	begin_claim(CORE_MOVE_OFFER);
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_done_all(ALPHA);
	rig_advance_us(DEAD);
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	*rig_puppet(BETA) = (struct core_record){
		.present = true, .move_to = CORE_NODE_NONE, .term = 7, .term_max = 7
	};
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

/* SPDX-License-Identifier: MIT */

/* How a switchover is wanted: strict, forced, to a node, within a time; and who is kept out. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

static void want(uint8_t node, uint32_t request, struct core_options options)
{
	struct core_event event = { .type = CORE_EV_SWITCHOVER };

	event.request.request = request;
	event.request.options = options;
	rig_step(node, &event);
}

static void inhibit(uint8_t node, uint32_t request, bool on)
{
	struct core_event event = { .type = CORE_EV_INHIBIT };

	event.request.request = request;
	event.request.on = on;
	rig_step(node, &event);
}

/* Alpha holds the group under term 5, and beta, a puppet, is ready for it. */
static void begin_with_puppet(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_forget();
}

static void begin_standby(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_standby(ALPHA, BETA, 5);
}

/* What alpha says of the group in its last heartbeat. */
static const struct core_record *said(void)
{
	return &rig.beats[ALPHA][BETA].last.groups[0];
}

Test(core_options, strict_is_for_this_once)
{
	begin_with_puppet();
	want(ALPHA, 7, (struct core_options){ .strict = true });
	rig_expect("alpha stores 6\n"
		   "alpha is yielding (switchover)\n"
		   "alpha gate closed\n");

	begin_with_puppet();
	want(ALPHA, 7, (struct core_options){ .strict = true, .to = 1 + GAMMA });
	rig_expect("alpha replies 7 PeerUnreachable alpha\n");
	want(ALPHA, 8, (struct core_options){ 0 });
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_OFFER);
}

Test(core_options, the_node_that_is_primary_is_told_so)
{
	begin_with_puppet();
	want(ALPHA, 7, (struct core_options){ .to = 1 + ALPHA });
	rig_expect("alpha replies 7 AlreadyPrimary alpha\n");
	begin_standby();
	want(ALPHA, 7, (struct core_options){ .to = 1 + BETA });
	rig_expect("alpha replies 7 AlreadyPrimary beta\n");
}

Test(core_options, a_backup_can_be_asked_for_itself)
{
	begin_standby();
	want(ALPHA, 7, (struct core_options){ .to = 1 + ALPHA });
	rig_expect("alpha says ask\n");
	cr_assert_eq(said()->options.to, 1 + ALPHA);
}

/* Beta comes before gamma, and is not the one that is wanted. */
static void begin_with_two(void)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	for (unsigned i = 0; i < 2 * DEAD / INTERVAL; i++) {
		rig_say_for_us(BETA, ALPHA, INTERVAL);
		rig_say(GAMMA, ALPHA);
	}
	rig.nodes[ALPHA].stuck = true;
	rig_forget();
}

Test(core_options, of_several_the_one_that_is_wanted_gets_it)
{
	begin_with_two();
	want(ALPHA, 7, (struct core_options){ .to = 1 + GAMMA });
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(rig_group(ALPHA)->move_to, GAMMA);
	begin_with_two();
	want(ALPHA, 7, (struct core_options){ 0 });
	cr_assert_eq(rig_group(ALPHA)->move_to, BETA);
}

Test(core_options, a_backup_can_ask_for_a_third_node)
{
	begin_with_two();
	rig_puppet(BETA)->options.to = 1 + GAMMA;
	rig_ask(BETA, ALPHA, 55);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(rig_group(ALPHA)->move_to, GAMMA);
	rig_forget();
	rig_answer_move(GAMMA, ALPHA, CORE_MOVE_REFUSED, CORE_RESULT_NOT_FIT);
	cr_assert_eq(rig_count("alpha says denied\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_group(ALPHA)->move_to, BETA, "who asked is told");
	cr_assert_eq(rig_group(ALPHA)->move_id, 55);
}

Test(core_options, who_asked_for_a_third_node_is_told_when_that_has_it)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_standby(ALPHA, BETA, 5);
	rig_say(GAMMA, ALPHA);
	want(ALPHA, 7, (struct core_options){ .to = 1 + GAMMA });
	rig_puppet(BETA)->state = CORE_STATE_YIELDING;
	rig_say(BETA, ALPHA);
	rig_forget();
	rig_puppet(GAMMA)->state = CORE_STATE_PRIMARY;
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 6;
	rig_say(GAMMA, ALPHA);
	rig_expect("alpha replies 7  gamma\n"
		   "alpha says nothing\n");
}

/* The holder has other plans, such as to stop. */
Test(core_options, who_asked_for_a_third_node_is_not_told_that_it_is_done_if_it_comes_here)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_standby(ALPHA, BETA, 5);
	rig_say(GAMMA, ALPHA);
	want(ALPHA, 7, (struct core_options){ .to = 1 + GAMMA });
	rig_forget();
	rig_hand_over(BETA, ALPHA, CORE_MOVE_OFFER);
	cr_assert_eq(rig_count("alpha replies 7 Busy beta\n"), 1, "%s", rig.trace);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
}

/* It need not be fit to be asked. */
Test(core_options, an_unfit_backup_passes_on_what_is_not_for_itself)
{
	begin_standby();
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_forget();
	want(ALPHA, 7, (struct core_options){ 0 });
	rig_expect("alpha replies 7 NotFit beta\n");
	want(ALPHA, 8, (struct core_options){ .to = 1 + GAMMA });
	rig_expect("alpha says ask\n");
}

static bool moves_to(uint16_t unfit, enum core_state state)
{
	begin_with_puppet();
	rig_puppet(BETA)->unfit = unfit;
	rig_puppet(BETA)->state = state;
	rig_say(BETA, ALPHA);
	want(ALPHA, 7, (struct core_options){ .force = true });
	return rig_group(ALPHA)->state == CORE_STATE_YIELDING && said()->options.force;
}

Test(core_options, force_is_for_nodes_that_are_unfit_but_can_hold_it)
{
	cr_assert(moves_to(0, CORE_STATE_BACKUP));
	cr_assert(moves_to(CORE_UNFIT_CHECK, CORE_STATE_FAULT));
	cr_assert(moves_to(CORE_UNFIT_SYNC, CORE_STATE_BACKUP));
	cr_assert_not(moves_to(CORE_UNFIT_LINK, CORE_STATE_FAULT));
	cr_assert_not(moves_to(CORE_UNFIT_MAINTENANCE, CORE_STATE_MAINTENANCE));
	cr_assert_not(moves_to(CORE_UNFIT_INHIBITED, CORE_STATE_MAINTENANCE));
	cr_assert_not(moves_to(0, CORE_STATE_CLAIMING));
}

Test(core_options, force_is_not_for_a_node_that_is_not_heard)
{
	begin_with_puppet();
	rig_advance_us(DEAD);
	rig_forget();
	want(ALPHA, 7, (struct core_options){ .force = true });
	rig_expect("alpha replies 7 PeerUnreachable alpha\n");
}

static void begin_forced(bool force)
{
	begin_standby();
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_puppet(BETA)->options.force = force;
	rig_hand_over(BETA, ALPHA, CORE_MOVE_OFFER);
}

Test(core_options, only_who_is_told_that_it_is_forced_takes_it_unfit)
{
	begin_forced(false);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	cr_assert_eq(rig_group(ALPHA)->why, CORE_RESULT_NOT_FIT);
	begin_forced(true);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

static void finish_forced(void)
{
	begin_forced(true);
	rig_settle();
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_CLAIM_READY);
	rig_puppet(BETA)->move = CORE_MOVE_WITHDRAWN;
	rig_say(BETA, ALPHA);
	rig_settle();
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	*rig_puppet(BETA) = (struct core_record){
		.present = true, .move_to = CORE_NODE_NONE, .term = 6, .term_max = 6
	};
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_forget();
}

/* Else it would go straight back. */
Test(core_options, what_a_forced_move_has_condoned_moves_nothing)
{
	finish_forced();
	rig_say_for_us(BETA, ALPHA, 10 * DEAD);
	rig_expect("");
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

Test(core_options, once_it_is_fit_again_nothing_is_condoned_any_more)
{
	finish_forced();
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, false);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

/* It was the group of then that was forced upon it, not the one that it takes as the last resort.
 */
Test(core_options, once_it_has_let_go_nothing_is_condoned_any_more)
{
	finish_forced();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 9;
	rig_say(BETA, ALPHA);
	rig_settle();
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_puppet(BETA)->state = CORE_STATE_BACKUP;
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

Test(core_options, what_has_not_come_about_in_time_is_undone)
{
	begin_with_puppet();
	want(ALPHA, 7, (struct core_options){ .within_us = 3 * INTERVAL });
	rig_forget();
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	rig_expect("");
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect("alpha is primary (rolled-back)\n"
		   "alpha tells move-failed Timeout\n"
		   "alpha replies 7 Timeout alpha\n"
		   "alpha says nothing\n");
	cr_assert_not(instant_is_set(rig_group(ALPHA)->request_by));
}

/* It has been given away, and the other one may hold it by now. */
Test(core_options, strict_what_is_released_is_not_undone_for_the_time)
{
	begin_with_puppet();
	want(ALPHA, 7, (struct core_options){ .strict = true, .within_us = 3 * INTERVAL });
	rig_done_all(ALPHA);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_RELEASED);
	rig_forget();
	rig_say_for_us(BETA, ALPHA, STEP - INTERVAL);
	rig_expect("");
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert_eq(rig_count("alpha replies 7 Timeout alpha\n"), 1, "%s", rig.trace);
}

Test(core_options, the_time_is_that_of_the_units_as_well)
{
	rig_begin();
	rig_configure(groups[0].before_release, 1);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	want(ALPHA, 7, (struct core_options){ .within_us = 3 * INTERVAL });
	rig_forget();
	rig_say_for_us(BETA, ALPHA, 3 * INTERVAL);
	rig_expect("alpha tells units-failed\n"
		   "alpha tells move-failed Timeout\n"
		   "alpha replies 7 Timeout alpha\n");
}

/* The successor may announce by then: to take the group back is no safer than to wait. */
Test(core_options, what_is_as_good_as_done_is_not_undone_for_the_time)
{
	begin_with_puppet();
	want(ALPHA, 7, (struct core_options){ .within_us = 3 * INTERVAL });
	rig_answer_move(BETA, ALPHA, CORE_MOVE_READY, CORE_RESULT_OK);
	rig_done_all(ALPHA);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_WITHDRAWN);
	rig_forget();
	rig_say_for_us(BETA, ALPHA, 5 * INTERVAL);
	rig_expect("");
}

Test(core_options, a_backup_passes_on_what_is_left_of_the_time)
{
	begin_standby();
	want(ALPHA, 7,
	     (struct core_options){ .strict = true, .force = true, .within_us = 2 * DEAD });
	cr_assert(said()->options.strict);
	cr_assert(said()->options.force);
	cr_assert_eq(said()->options.within_us, 2 * DEAD);
	rig_say_for_us(BETA, ALPHA, DEAD);
	cr_assert_leq(said()->options.within_us, DEAD + INTERVAL);
	cr_assert_geq(said()->options.within_us, DEAD);
	rig_forget();
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_expect("");
	cr_assert_eq(said()->options.within_us, 1, "none is not all");
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_expect("alpha replies 7 OutcomeUnknown beta\n"
		   "alpha says nothing\n");
	cr_assert_eq(said()->options.within_us, 0);
	cr_assert_not(said()->options.strict);
}

Test(core_options, the_primary_goes_by_what_the_backup_passes_on)
{
	begin_with_puppet();
	rig_puppet(BETA)->options = (struct core_options){ .strict = true, .within_us = DEAD };
	rig_ask(BETA, ALPHA, 55);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_CLOSE);
	cr_assert_eq(rig_group(ALPHA)->request_by.us, rig.now.us + DEAD);

	begin_with_puppet();
	rig_puppet(BETA)->unfit = CORE_UNFIT_CHECK;
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_ask(BETA, ALPHA, 55);
	cr_assert_eq(rig_group(ALPHA)->why, CORE_RESULT_NOT_FIT);
	rig_puppet(BETA)->options.force = true;
	rig_ask(BETA, ALPHA, 56);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

Test(core_options, a_caller_whose_node_is_taking_over_is_told_that_it_was_too_late)
{
	begin_standby();
	rig.nodes[ALPHA].stuck = true;
	want(ALPHA, 7, (struct core_options){ .within_us = DEAD });
	rig_hand_over(BETA, ALPHA, CORE_MOVE_OFFER);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_forget();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_say(BETA, ALPHA);
	cr_assert_eq(rig_count("alpha replies 7 Timeout beta\n"), 1, "%s", rig.trace);
}

Test(core_options, an_inhibited_node_is_kept_out_and_nothing_is_stored)
{
	begin_standby();
	inhibit(ALPHA, 7, true);
	rig_expect("alpha tells unfit 1000\n"
		   "alpha replies 7  beta\n"
		   "alpha is maintenance (inhibited)\n");
	rig_advance_us(2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_MAINTENANCE);
	rig_forget();
	inhibit(ALPHA, 0, false);
	rig_expect("alpha tells unfit 0\n"
		   "alpha is backup (fit)\n");
}

Test(core_options, maintenance_and_inhibition_are_two_things)
{
	begin_standby();
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 7);
	inhibit(ALPHA, 8, true);
	inhibit(ALPHA, 0, false);
	rig_expect_state(ALPHA, CORE_STATE_MAINTENANCE);
	cr_assert(rig_group(ALPHA)->maintenance);
	inhibit(ALPHA, 8, true);
	rig_forget();
	{
		struct core_event off = { .type = CORE_EV_MAINTENANCE };

		off.request.request = 9;
		rig_step(ALPHA, &off);
	}
	rig_expect_state(ALPHA, CORE_STATE_MAINTENANCE);
	cr_assert(rig_group(ALPHA)->inhibited);
}

Test(core_options, a_primary_that_is_inhibited_hands_over_first)
{
	begin_with_puppet();
	inhibit(ALPHA, 7, true);
	rig_expect("alpha stores 6\n"
		   "alpha is yielding (inhibited)\n"
		   "alpha tells unfit 1000\n"
		   "alpha says offer\n");
	rig_answer_move(BETA, ALPHA, CORE_MOVE_REFUSED, CORE_RESULT_FAILED);
	rig_expect("alpha is primary (rolled-back)\n"
		   "alpha tells unfit 0\n"
		   "alpha tells move-failed Failed\n"
		   "alpha replies 7 Failed alpha\n"
		   "alpha says nothing\n");
	cr_assert_not(rig_group(ALPHA)->inhibited);
}

Test(core_options, a_primary_that_nobody_can_take_over_from_is_not_inhibited)
{
	begin_with_puppet();
	rig_advance_us(DEAD);
	rig_forget();
	inhibit(ALPHA, 7, true);
	rig_expect("alpha replies 7 NotFit alpha\n");
	cr_assert_not(rig_group(ALPHA)->inhibited);
}

/* Nobody comes back to say it again. */
Test(core_options, who_goes_in_the_middle_of_the_move_keeps_out_nobody)
{
	begin_with_puppet();
	inhibit(ALPHA, 7, true);
	inhibit(ALPHA, 8, true);
	inhibit(ALPHA, 0, false);
	cr_assert_eq(rig_count("alpha replies 8 Busy alpha\n"), 1);
	rig_answer_move(BETA, ALPHA, CORE_MOVE_READY, CORE_RESULT_OK);
	rig_done_all(ALPHA);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 6;
	rig_answer_move(BETA, ALPHA, CORE_MOVE_NONE, CORE_RESULT_OK);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("alpha replies 7  beta\n"), 1, "%s", rig.trace);
}

Test(core_options, an_inhibited_node_is_no_last_resort)
{
	rig_begin();
	rig_start(ALPHA);
	inhibit(ALPHA, 7, true);
	rig_advance_us(4 * LISTEN);
	rig_expect_state(ALPHA, CORE_STATE_MAINTENANCE);
}

/* SPDX-License-Identifier: MIT */

/* What comes before a release: done first, and never in the way. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

enum { EIO_ = -5 };

static void configure(uint8_t before_release, uint8_t before_claim)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(groups[0].before_release, before_release);
	rig_configure(groups[0].before_claim, before_claim);
}

/* Both run, and alpha holds the group; from here kernel and network are moved by hand. */
static void begin(uint8_t before_release, uint8_t before_claim)
{
	configure(before_release, before_claim);
	rig_pair();
}

/* Alpha holds the group under term 5, and beta, a puppet, is ready for it. */
static void begin_with_puppet(uint8_t before_release, uint8_t before_claim)
{
	configure(before_release, before_claim);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_forget();
}

/* Alpha holds the group under term 5, and there is nobody else. */
static void begin_alone(void)
{
	rig_adopted(ALPHA, 5);
	rig_advance_us(LISTEN);
	rig.nodes[ALPHA].stuck = true;
	rig_forget();
}

static void begin_release(void)
{
	begin_with_puppet(1, 0);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect("alpha units before release\n");
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_PRIMARY_UNITS);
}

Test(core_units, a_seamless_switchover_step_by_step)
{
	begin(1, 1);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect("alpha units before release\n");
	rig_deliver(ALPHA, BETA);
	rig_expect("");
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_expect("alpha stores 2\n"
		   "alpha is yielding (switchover)\n"
		   "alpha says offer\n");
	rig_deliver(ALPHA, BETA);
	rig_expect("beta is claiming (switchover)\n"
		   "beta units before claim\n"
		   "beta stores 2\n");
	rig_answer(BETA, CORE_DO_UNITS, 0);
	rig_expect("beta prepares\n");
	rig_settle();
	rig_advance_us(LINGER);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha replies 7  beta\n"), 1);
}

Test(core_units, a_strict_one_closes_only_after_them)
{
	begin(1, 1);
	rig_configure(groups[0].strict, true);
	rig.nodes[ALPHA].core.config.groups[0].strict = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect("alpha units before release\n");
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_expect("alpha stores 2\n"
		   "alpha is yielding (switchover)\n"
		   "alpha gate closed\n");
	rig_settle();
	cr_assert_eq(rig_count("beta units before claim\n"), 1);
	cr_assert_eq(rig_count("alpha replies 7  beta\n"), 1);
}

Test(core_units, without_any_nothing_is_waited_for)
{
	begin(0, 0);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_settle();
	rig_advance_us(LINGER);
	cr_assert_eq(rig_count("units"), 0);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_units, a_switchover_of_which_one_fails_is_undone_before_anybody_has_heard_of_it)
{
	begin_release();
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect("alpha tells units-failed\n"
		   "alpha tells move-failed StepFailed\n"
		   "alpha replies 7 StepFailed alpha\n");
	cr_assert_eq(rig_group(ALPHA)->term, 5);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 8);
	rig_expect("alpha units before release\n");
}

Test(core_units, each_has_the_time_of_a_step)
{
	begin_with_puppet(2, 0);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_forget();
	rig_say_for_us(BETA, ALPHA, 2 * STEP - INTERVAL);
	rig_expect("");
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect("alpha tells units-failed\n"
		   "alpha tells move-failed StepFailed\n"
		   "alpha replies 7 StepFailed alpha\n");
}

Test(core_units, what_comes_too_late_is_nothing_to_anybody)
{
	begin_release();
	rig_say_for_us(BETA, ALPHA, STEP);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_expect("");
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_units, meanwhile_nothing_else_is_begun)
{
	begin_release();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 8);
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 9);
	rig_expect("alpha replies 8 Busy alpha\n"
		   "alpha replies 9 Busy alpha\n");
	cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0), CORE_RESULT_BUSY);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_expect("alpha tells unfit 2\n");
}

/* The heartbeats go on, and renew the lease; so does everything that a primary does. */
Test(core_units, meanwhile_it_is_primary_in_every_respect)
{
	begin_release();
	for (unsigned i = 0; i < 20; i++) {
		rig_say_for_us(BETA, ALPHA, INTERVAL);
		cr_assert(rig_marks(ALPHA));
		cr_assert_eq(rig.beats[ALPHA][BETA].last.groups[0].state, CORE_STATE_PRIMARY);
	}
	rig_event(ALPHA, CORE_EV_LOST);
	rig_expect("alpha repairs\n");
	rig_answer(ALPHA, CORE_DO_PREPARE, 0); /* and, before it, the units */
	rig_forget();
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

Test(core_units, a_repair_and_what_comes_before_a_release_do_not_get_mixed_up)
{
	begin_with_puppet(1, 0);
	rig_event(ALPHA, CORE_EV_LOST);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect("alpha repairs\n"
		   "alpha units before release\n");
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	rig_expect("alpha tells repaired\n"
		   "alpha announces\n");
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

Test(core_units, another_primary_with_the_better_right_does_not_wait_for_them)
{
	begin_release();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 6;
	rig_say(BETA, ALPHA);
	rig_expect("alpha tells conflict beta\n"
		   "alpha is yielding (conflict)\n"
		   "alpha gate closed\n");
	cr_assert_eq(rig_group(ALPHA)->units, 0);
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_expect("");
}

Test(core_units, a_lapse_does_not_wait_for_them)
{
	begin_release();
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	cr_assert_eq(rig_group(ALPHA)->units, 0);
	cr_assert_eq(rig_count("alpha replies 7 Failed alpha\n"), 1, "%s", rig.trace);
}

Test(core_units, a_node_that_is_disowned_does_not_wait_for_them)
{
	begin_with_puppet(1, 0);
	rig_event(ALPHA, CORE_EV_DISOWNED);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(rig_count("units"), 0);
}

Test(core_units, who_could_take_it_is_looked_for_again_afterwards)
{
	begin_release();
	rig_puppet(BETA)->unfit = CORE_UNFIT_CHECK;
	rig_say(BETA, ALPHA);
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_expect("alpha tells move-failed NotFit\n"
		   "alpha replies 7 NotFit alpha\n");
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);

	begin_release();
	rig_advance_us(DEAD);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_expect("alpha tells move-failed PeerUnreachable\n"
		   "alpha replies 7 PeerUnreachable alpha\n");
}

Test(core_units, to_nobody_nothing_is_begun)
{
	begin_with_puppet(1, 0);
	rig_puppet(BETA)->unfit = CORE_UNFIT_CHECK;
	rig_say(BETA, ALPHA);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect("alpha replies 7 NotFit alpha\n");
}

Test(core_units, who_is_unfit_goes_on_although_one_has_failed)
{
	begin_with_puppet(1, 0);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_expect("alpha tells unfit 2\n"
		   "alpha units before release\n");
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect("alpha tells units-failed\n"
		   "alpha stores 6\n"
		   "alpha is yielding (unfit)\n"
		   "alpha says offer\n");
}

/* It was to be stopped, and the next unit fails. */
Test(core_units, a_service_that_was_stopped_for_it_does_not_make_it_go_on)
{
	begin_release();
	rig_set_fitness(ALPHA, CORE_UNFIT_UNIT, true);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	cr_assert_eq(rig_count("alpha replies 7 StepFailed alpha\n"), 1, "%s", rig.trace);

	begin_with_puppet(1, 0);
	rig_set_fitness(ALPHA, CORE_UNFIT_UNIT, true);
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

/* Each try takes the service down and up again. */
Test(core_units, what_a_unit_of_the_successor_has_failed_is_not_tried_again_soon)
{
	begin_with_puppet(1, 0);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_answer_move(BETA, ALPHA, CORE_MOVE_REFUSED, CORE_RESULT_STEP_FAILED);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_forget();
	rig_say_for_us(BETA, ALPHA, 30 * USEC_PER_SEC - INTERVAL);
	rig_expect("");
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	rig_expect("alpha units before release\n");
}

/* Its service may be on its way up again, but that is no reason for the link to be down. */
Test(core_units, a_link_that_fails_does_not_wait_for_the_next_try)
{
	begin_release();
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	cr_assert_eq(rig_group(ALPHA)->units, 0);
	rig_forget();
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_expect("alpha tells unfit 3\n"
		   "alpha units before release\n");
}

Test(core_units, who_would_let_go_alone_does_so_after_them)
{
	configure(1, 0);
	rig_configure(groups[0].keep_alone, false);
	begin_alone();
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_expect("alpha tells unfit 2\n"
		   "alpha units before release\n");
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect("alpha tells units-failed\n"
		   "alpha is yielding (unfit)\n"
		   "alpha gate closed\n");
}

Test(core_units, who_stops_goes_on_although_one_has_failed_and_does_them_once)
{
	begin_with_puppet(1, 0);
	rig_stop(ALPHA, false);
	rig_expect("alpha tells unfit 200\n"
		   "alpha units before release\n");
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect("alpha tells units-failed\n"
		   "alpha stores 6\n"
		   "alpha is yielding (stop)\n"
		   "alpha says offer\n");
	rig_answer_move(BETA, ALPHA, CORE_MOVE_REFUSED, CORE_RESULT_FAILED);
	rig_forget();
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_say(BETA, ALPHA);
	rig_expect("alpha stores 7\n"
		   "alpha is yielding (stop)\n"
		   "alpha says offer\n");
}

Test(core_units, who_stops_alone_does_them_before_it_releases)
{
	configure(1, 0);
	begin_alone();
	rig_stop(ALPHA, false);
	rig_expect("alpha tells unfit 200\n"
		   "alpha units before release\n");
	rig_done_all(ALPHA);
	rig_expect("alpha is yielding (stop)\n"
		   "alpha gate closed\n"
		   "alpha removes\n"
		   "alpha is backup (stop)\n"
		   "alpha exits\n");
}

/* The time for it has what the units of both nodes may take. */
Test(core_units, a_stop_does_not_wait_for_ever)
{
	begin_with_puppet(1, 2);
	rig_stop(ALPHA, false);
	rig_say_for_us(BETA, ALPHA, STEP);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_forget();
	rig_say_for_us(BETA, ALPHA, 3 * STEP);
	cr_assert_eq(rig_count("alpha tells move-failed Timeout\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_count("alpha gate closed\n"), 1, "%s", rig.trace);
}

Test(core_units, told_to_stop_meanwhile_it_goes_to_whoever_can_take_it)
{
	begin_release();
	rig_stop(ALPHA, false);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	cr_assert_eq(rig_count("alpha is yielding (stop)\n"), 1, "%s", rig.trace);
}

/* It goes to whoever can take it, and takes its time. */
Test(core_units, told_to_stop_meanwhile_it_does_not_do_what_a_caller_wants)
{
	struct core_event event = { .type = CORE_EV_SWITCHOVER };

	begin_with_puppet(1, 0);
	event.request.request = 7;
	event.request.options.within_us = STEP / 2;
	rig_step(ALPHA, &event);
	rig_stop(ALPHA, false);
	rig_forget();
	rig_say_for_us(BETA, ALPHA, STEP / 2);
	rig_expect("alpha tells units-failed\n"
		   "alpha replies 7 Busy alpha\n"
		   "alpha stores 6\n"
		   "alpha is yielding (stop)\n"
		   "alpha says offer\n");
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect("");
}

Test(core_units, told_to_restart_meanwhile_it_keeps_the_group)
{
	begin_release();
	rig_stop(ALPHA, true);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_UNITS, 0);
	rig_expect("alpha tells move-failed Busy\n"
		   "alpha replies 7 Busy alpha\n");
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_units, maintenance_is_undone_as_well)
{
	begin_with_puppet(1, 0);
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 7);
	rig_expect("alpha units before release\n"
		   "alpha tells unfit 80\n");
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect("alpha tells units-failed\n"
		   "alpha tells unfit 0\n"
		   "alpha stores 5\n"
		   "alpha tells move-failed StepFailed\n"
		   "alpha replies 7 StepFailed alpha\n");
	cr_assert_not(rig_group(ALPHA)->maintenance);
}

Test(core_units, forced_maintenance_is_not)
{
	struct core_event event = { .type = CORE_EV_MAINTENANCE };

	configure(1, 0);
	begin_alone();
	event.request.request = 7;
	event.request.on = event.request.force = true;
	rig_step(ALPHA, &event);
	rig_expect("alpha units before release\n"
		   "alpha tells unfit 80\n");
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect("alpha tells units-failed\n"
		   "alpha stores 5 maintenance\n"
		   "alpha is yielding (maintenance)\n"
		   "alpha gate closed\n");
	rig_done_all(ALPHA);
	cr_assert_eq(rig_count("alpha replies 7  nobody\n"), 1, "%s", rig.trace);
}

Test(core_units, who_asked_on_the_backup_is_told_as_well)
{
	begin_with_puppet(1, 0);
	rig_ask(BETA, ALPHA, 55);
	rig_expect("alpha units before release\n");
	rig_say(BETA, ALPHA);
	rig_expect("");
	rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
	rig_expect("alpha tells units-failed\n"
		   "alpha tells move-failed StepFailed\n"
		   "alpha says denied\n");
	cr_assert_eq(rig_group(ALPHA)->why, CORE_RESULT_STEP_FAILED);
	cr_assert_eq(rig_group(ALPHA)->move_id, 55);
	cr_assert_eq(rig_group(ALPHA)->move_to, BETA);
}

Test(core_units, who_asked_on_the_first_node_is_told_as_well)
{
	configure(1, 0);
	rig_adopted(BETA, 5);
	rig_say_for_us(ALPHA, BETA, 2 * DEAD);
	rig.nodes[BETA].stuck = true;
	rig_ask(ALPHA, BETA, 55);
	rig_answer(BETA, CORE_DO_UNITS, EIO_);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_DENIED);
	cr_assert_eq(rig_group(BETA)->move_to, ALPHA);
}

Test(core_units, who_asks_no_more_or_somebody_else_is_told_nothing)
{
	for (int i = 0; i < 2; i++) {
		begin_with_puppet(1, 0);
		rig_ask(BETA, ALPHA, 55);
		if (i == 0)
			rig_puppet(BETA)->move = CORE_MOVE_NONE;
		else
			rig_puppet(BETA)->move_to = GAMMA;
		rig_say(BETA, ALPHA);
		rig_answer(ALPHA, CORE_DO_UNITS, EIO_);
		cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_NONE);
		rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	}
}

Test(core_units, a_caller_on_the_backup_waits_for_as_long_as_they_may_take)
{
	configure(1, 2);
	rig_standby(ALPHA, BETA, 5);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_say_for_us(BETA, ALPHA, 5 * STEP - INTERVAL);
	rig_expect("alpha says ask\n");
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect("alpha replies 7 OutcomeUnknown beta\n"
		   "alpha says nothing\n");
}

Test(core_units, preempting_is_not_tried_again_soon)
{
	rig_preempting();
	rig_say_for_us(BETA, ALPHA, 2 * LISTEN);
	cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_ASK);
	rig_answer_move(BETA, ALPHA, CORE_MOVE_DENIED, CORE_RESULT_STEP_FAILED);
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_forget();
	rig_say_for_us(BETA, ALPHA, 30 * USEC_PER_SEC - INTERVAL);
	cr_assert_eq(rig_count("alpha says ask\n"), 0);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	cr_assert_eq(rig_count("alpha says ask\n"), 1);
}

Test(core_units, who_hands_over_waits_for_the_successor_to_do_them)
{
	begin_with_puppet(0, 2);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_forget();
	rig_say_for_us(BETA, ALPHA, 3 * STEP - INTERVAL);
	rig_expect("");
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert_eq(rig_count("alpha replies 7 Timeout alpha\n"), 1, "%s", rig.trace);
}

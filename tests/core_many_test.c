/* SPDX-License-Identifier: MIT */

/* More than two nodes, and callers whom a change of the world could have forgotten. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

/* Alpha holds; beta and gamma are backups. */
static void begin_three(void)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_configure(n_announce, 0);
	for (uint8_t i = 0; i < 3; i++)
		rig_start(i);
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_expect_state(GAMMA, CORE_STATE_BACKUP);
	rig_forget();
}

Test(core_many, backups_hear_each_other_beside_the_echoes_that_they_owe_the_holder)
{
	begin_three();
	rig_advance_us(5 * USEC_PER_SEC);
	rig_expect("");
	cr_assert(rig.nodes[BETA].core.peers[GAMMA].up);
	cr_assert(rig.nodes[GAMMA].core.peers[BETA].up);
}

Test(core_many, one_of_the_backups_claims_when_the_holder_dies)
{
	begin_three();
	rig_kill(ALPHA);
	rig_advance_us(2 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_expect_state(GAMMA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("is claiming"), 1, "%s", rig.trace);
}

Test(core_many, who_asked_a_holder_that_handed_over_to_another_is_told_so)
{
	begin_three();
	rig_request(BETA, CORE_EV_SWITCHOVER, 7);
	rig_request(GAMMA, CORE_EV_SWITCHOVER, 8);
	rig_advance_us(USEC_PER_SEC);
	cr_assert_eq(rig_count(" replies "), 2, "%s", rig.trace);
	cr_assert_eq(rig_count("beta replies 7  beta\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_count("gamma replies 8 Busy beta\n"), 1, "%s", rig.trace);
}

Test(core_many, a_preemption_that_nobody_answers_leaves_no_deadline_behind)
{
	rig_begin();
	rig_configure(priority[ALPHA], 200);
	rig_configure(groups[0].preempt, true);
	rig_standby(ALPHA, BETA, 5);
	rig_say_for_us(BETA, ALPHA, 3 * STEP); /* rig_run_timers() sees to it */
	cr_assert_not(instant_is_set(rig_group(ALPHA)->request_due) &&
		      instant_reached(rig.now, rig_group(ALPHA)->request_due));
}

Test(core_many, a_caller_is_answered_although_the_backup_becomes_unfit_meanwhile)
{
	rig_begin();
	rig_standby(ALPHA, BETA, 5);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_say_for_us(BETA, ALPHA, 3 * STEP);
	cr_assert_eq(rig_count("alpha replies 7 OutcomeUnknown beta\n"), 1, "%s", rig.trace);
}

Test(core_many, who_exits_answers_everybody_who_waits)
{
	rig_begin();
	rig_standby(ALPHA, BETA, 5);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_stop(ALPHA, false);
	cr_assert_eq(rig_count("alpha replies 7 OutcomeUnknown beta\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_count("alpha exits\n"), 1, "%s", rig.trace);
}

Test(core_many, who_cannot_put_addresses_back_stays_unfit_until_he_can)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_alone(ALPHA);
	rig_advance_us(10 * USEC_PER_SEC);
	rig_forget();
	rig_event(ALPHA, CORE_EV_LOST);
	for (int tries = 0; tries < 10; tries++) {
		rig_answer(ALPHA, CORE_DO_PREPARE, -19);
		rig.nodes[ALPHA].stuck = true;
		rig_advance_us(2 * USEC_PER_SEC);
	}
	cr_assert_eq(rig_count("tells unfit"), 1, "%s", rig.trace);
	rig.nodes[ALPHA].stuck = false;
	rig_advance_us(20 * USEC_PER_SEC);
	cr_assert_eq(rig_count("tells unfit 0"), 1, "%s", rig.trace);
}

Test(core_many, who_gives_a_claim_up_has_not_been_primary)
{
	rig_begin();
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig_answer(ALPHA, CORE_DO_PREPARE, -12);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(core_primary(&rig.nodes[ALPHA].core, 0), CORE_NODE_NONE);
}

/* Beta hears nothing and goes on sending; what it sends in a short freeze waits in the sockets. */
Test(core_many, a_short_freeze_is_not_taken_for_the_silence_of_a_peer)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 4 * INTERVAL);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_not(rig.beats[ALPHA][BETA].last.marked);
	rig_advance_us(INTERVAL);
	rig_skip_us(INTERVAL + 2000);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_not(rig.beats[ALPHA][BETA].last.marked,
		      "renewed while the peer is about to claim");
}

/* Beta fell silent as primary a moment ago; gamma has taken over since. */
Test(core_many, of_two_that_are_heard_as_primary_the_one_with_the_higher_term_is_it)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_standby(ALPHA, BETA, 5);
	rig_puppet(GAMMA)->state = CORE_STATE_PRIMARY;
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 6;
	rig_say(GAMMA, ALPHA);
	cr_assert_eq(core_primary(&rig.nodes[ALPHA].core, 0), GAMMA);
}

/* A kernel that takes its time does not end the fight: it is unfit until they are back. */
Test(core_many, who_has_not_put_addresses_back_yet_stays_unfit)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_alone(ALPHA);
	rig_advance_us(10 * USEC_PER_SEC);
	for (int i = 0; i < 5; i++) {
		rig.nodes[ALPHA].stuck = i == 4;
		rig_advance_us(USEC_PER_SEC);
		rig_event(ALPHA, CORE_EV_LOST);
		rig_settle();
	}
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_DRIFT);
	rig_advance_us(20 * USEC_PER_SEC);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_DRIFT);
	rig.nodes[ALPHA].stuck = false;
	rig_advance_us(INTERVAL);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
}

/* Alpha hands over to beta; gamma does not hear beta, and would claim beside it. */
Test(core_many, who_takes_over_opens_only_when_a_third_hears_it_too)
{
	begin_three();
	rig.nodes[GAMMA].cut_from[BETA] = true;
	rig_request(BETA, CORE_EV_SWITCHOVER, 7);
	rig_advance_us(INTERVAL);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
	cr_assert_eq(rig.nodes[BETA].gate[0], CORE_GATE_CLOSED);
	rig.nodes[GAMMA].cut_from[BETA] = false;
	rig_advance_us(2 * INTERVAL);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_many, a_handover_that_a_third_does_not_hear_fails_and_is_told_so)
{
	begin_three();
	rig.nodes[GAMMA].cut_from[BETA] = true;
	rig_request(BETA, CORE_EV_SWITCHOVER, 7);
	rig_advance_us(2 * STEP);
	cr_assert_eq(rig_count(" replies "), 1, "%s", rig.trace);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig.nodes[BETA].gate[0], CORE_GATE_CLOSED);
}

/* The two configurations have it the other way round: each has the better rank in its own. */
static void begin_contradicting(uint16_t own, uint16_t other)
{
	rig_begin();
	rig.nodes[ALPHA].config.priority[ALPHA] = rig.nodes[BETA].config.priority[BETA] = own;
	rig.nodes[ALPHA].config.priority[BETA] = rig.nodes[BETA].config.priority[ALPHA] = other;
	rig_configure(groups[0].preempt, true);
	rig_start(ALPHA);
	rig_start(BETA);
	rig_advance_us(10 * USEC_PER_SEC);
}

Test(core_many, two_that_both_rank_higher_by_their_own_configuration_do_not_fight)
{
	begin_contradicting(200, 100);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_forget();
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect("");
}

Test(core_many, two_that_both_rank_lower_by_their_own_configuration_agree_on_one)
{
	begin_contradicting(100, 200);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* Alpha has handed over to beta and serves on for the linger; beta is not primary any more. */
static void begin_outdated(void)
{
	begin_three();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_settle();
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_kill(BETA);
	rig_say(BETA, ALPHA); /* backup */
}

Test(core_many, who_has_handed_over_knows_it_although_the_next_has_handed_over_too)
{
	begin_outdated();
	rig_kill(GAMMA);
	rig_puppet(GAMMA)->state = CORE_STATE_PRIMARY;
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 3;
	rig_say(GAMMA, ALPHA);
	rig_advance_us(2 * LINGER);
	cr_assert_eq(rig_count("alpha replies 7  gamma"), 1, "%s", rig.trace);
}

Test(core_many, who_has_handed_over_to_one_that_is_not_primary_any_more_does_not_know)
{
	begin_outdated();
	rig_advance_us(2 * LINGER);
	cr_assert_eq(rig_count("alpha replies 7 OutcomeUnknown nobody"), 1, "%s", rig.trace);
}

/* The confirmation came while alpha was frozen for longer than the step may take. */
static void begin_frozen_in_the_middle(void)
{
	rig_begin();
	rig_configure(groups[0].strict, true);
	rig_pair();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_done_all(ALPHA);
	rig.nodes[ALPHA].frozen = true;
	rig_settle();
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_skip_us(2 * STEP);
	rig.nodes[ALPHA].frozen = false;
}

Test(core_many, a_freeze_does_not_make_a_step_time_out_whose_answer_is_in_the_sockets)
{
	begin_frozen_in_the_middle();
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(rig_count("alpha replies"), 0, "%s", rig.trace);
	rig_advance_us(INTERVAL);
	cr_assert_eq(rig_count("alpha replies 7  beta"), 1, "%s", rig.trace);
}

Test(core_many, a_step_times_out_after_a_freeze_if_there_is_no_answer)
{
	begin_frozen_in_the_middle();
	rig_kill(BETA);
	rig_lose(BETA, ALPHA);
	rig_advance_us(STEP);
	cr_assert_eq(rig_count("alpha replies 7 PeerUnreachable"), 1, "%s", rig.trace);
}

/* Beta was frozen as it let go; gamma has claimed meanwhile, and what beta had to say comes now. */
static void say_released(void)
{
	rig_puppet(BETA)->term = 5;
	rig_hand_over(BETA, ALPHA, CORE_MOVE_RELEASED);
}

static void expect_not_taken_beside(uint64_t term_of_gamma)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_standby(ALPHA, GAMMA, term_of_gamma);
	say_released();
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_REFUSED);
}

Test(core_many, what_was_released_is_not_taken_when_a_third_holds_it_by_now)
{
	expect_not_taken_beside(6);
}

/* Beta and gamma do not hear each other. If beta's were taken, there would be two that do. */
Test(core_many, what_was_released_is_not_taken_beside_one_that_holds_it_under_an_older_term)
{
	expect_not_taken_beside(4);
}

Test(core_many, of_two_that_hold_it_neither_is_asked_for_it)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_standby(ALPHA, BETA, 5);
	rig_puppet(GAMMA)->state = CORE_STATE_PRIMARY;
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 4;
	rig_say(GAMMA, ALPHA);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	cr_assert_eq(rig_count("alpha replies 7 Busy beta\n"), 1, "%s", rig.trace);
	rig.nodes[ALPHA].core.config.groups[0].preempt = true; /* R5 */
	rig.nodes[ALPHA].core.config.priority[ALPHA] = 200;
	rig_say(BETA, ALPHA);
	rig_say(GAMMA, ALPHA);
	cr_assert_eq(rig_count("says ask"), 0, "%s", rig.trace);
	rig_puppet(GAMMA)->state = CORE_STATE_BACKUP;
	rig_say(GAMMA, ALPHA);
	cr_assert_eq(rig_count("alpha says ask\n"), 1, "%s", rig.trace);
}

Test(core_many, what_was_released_is_given_up_when_a_third_is_heard_to_hold_it)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_standby(ALPHA, BETA, 5);
	rig.nodes[ALPHA].stuck = true;
	say_released();
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_puppet(GAMMA)->state = CORE_STATE_PRIMARY;
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 7;
	rig_say(GAMMA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(rig_group(ALPHA)->reason, CORE_REASON_CONFLICT);
	rig.nodes[ALPHA].stuck = false;
	rig_settle();
	cr_assert_eq(rig.nodes[ALPHA].gate[0], CORE_GATE_CLOSED);
}

Test(core_many, who_offers_and_hears_that_a_third_is_primary_stays_and_lets_the_terms_decide)
{
	begin_three();
	rig.nodes[BETA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_settle();
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_kill(GAMMA);
	rig_puppet(GAMMA)->state = CORE_STATE_PRIMARY;
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 9;
	rig_say(GAMMA, ALPHA);
	cr_assert_eq(rig_count("alpha replies 7 Failed"), 1, "%s", rig.trace);
	rig_say(GAMMA, ALPHA);
	rig_settle();
	cr_assert_eq(rig.nodes[ALPHA].gate[0], CORE_GATE_CLOSED);
}

/* SPDX-License-Identifier: MIT */

/* R6: an address that somebody answers for is not claimed, and one that is held is defended. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

enum {
	PROBE = 200 * 1000,
	LATE = 5 * 1000,
	LEASE_END = 2 * INTERVAL + LEASE, /* of a peer, from its last heartbeat */
	FRESH = 1000 * 1000,
	RETRY = 2 * 1000 * 1000,
	OCCUPIED = -98,
};

static void begin(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(probe_us, PROBE);
}

/* Beta hears alpha, a puppet, hold the group; its kernel waits for the test. */
static void begin_standby(void)
{
	begin();
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
}

/* Alpha has listened, hears nobody, and waits for its probe. */
static void begin_alone(void)
{
	begin();
	rig.nodes[ALPHA].stuck = true;
	rig_start(ALPHA);
	rig_advance_us(LISTEN - PROBE - 1);
	rig_forget();
}

/* Its lease has run out long ago when this node goes on: others may have been here. */
static void lapse_asleep(uint8_t node)
{
	rig_skip_us(LEASE + 2 * DEAD);
	rig_event(node, CORE_EV_LAPSED);
}

/* Of the puppet alpha: it goes on, as this. */
static void say_alpha_is(enum core_state state)
{
	rig_puppet(ALPHA)->state = state;
	rig_say(ALPHA, BETA);
}

Test(core_probe, a_failover_has_asked_when_its_time_has_come)
{
	begin_standby();
	rig_advance_us(LEASE_END - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("beta probes 45000\n");
	rig_advance_us(DEAD - LEASE_END - LATE);
	rig_answer_next(BETA, 0);
	rig_expect("");
	rig_advance_us(LATE);
	rig_expect("beta tells peer-silent alpha\n"
		   "beta is claiming (peer-dead)\n"
		   "beta stores 6\n"
		   "beta prepares\n");
}

Test(core_probe, a_short_question_is_asked_in_full)
{
	begin_standby();
	rig.nodes[BETA].core.config.probe_us = 20000;
	rig_advance_us(DEAD - 20000 - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("beta probes 15000\n");
}

Test(core_probe, little_time_is_not_made_less)
{
	begin_standby();
	rig_advance_us(LEASE_END - 1);
	rig_skip_us(DEAD - 10001 - LEASE_END + 1);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect("beta probes 5001\n");
	begin_standby();
	rig_advance_us(LEASE_END - 1);
	rig_skip_us(DEAD - 10000 - LEASE_END + 1);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect("beta probes 5000\n");
	begin_standby();
	rig_advance_us(LEASE_END - 1);
	rig_skip_us(DEAD - LEASE_END);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect("beta probes 5000\n");
}

Test(core_probe, a_claim_waits_for_the_answer)
{
	begin_standby();
	rig_advance_us(DEAD);
	rig_expect("beta probes 45000\n"
		   "beta tells peer-silent alpha\n"
		   "beta is claiming (peer-dead)\n");
	cr_assert_eq(rig_group(BETA)->step, CORE_STEP_CLAIM_PROBE);
	rig_advance_us(STEP - INTERVAL);
	rig_expect("");
	rig_answer_next(BETA, 0);
	rig_expect("beta stores 6\n"
		   "beta prepares\n");
}

Test(core_probe, what_somebody_answers_for_is_not_claimed)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_answer_next(BETA, OCCUPIED);
	rig_expect("beta probes 45000\n"
		   "beta tells action-failed\n"
		   "beta tells unfit 800\n"
		   "beta is fault (unfit)\n");
	cr_assert_eq(rig.failure, OCCUPIED);
	rig_advance_us(RETRY - 1);
	rig_expect("beta tells peer-silent alpha\n");
	rig_advance_us(1);
	rig_expect("beta probes 200000\n");
	for (int i = 0; i < 3; i++) {
		rig_answer_next(BETA, OCCUPIED);
		rig_expect(""); /* it has been told */
		rig_advance_us(RETRY);
		rig_expect("beta probes 200000\n");
	}
	rig_expect_state(BETA, CORE_STATE_FAULT);
	rig_answer_next(BETA, 0);
	rig_expect("beta tells unfit 0\n"
		   "beta is backup (fit)\n");
	rig_advance_us(DEAD + INTERVAL);
	rig_expect("beta is claiming (peer-dead)\n"
		   "beta stores 6\n"
		   "beta prepares\n");
}

Test(core_probe, a_claim_that_waits_for_the_answer_is_given_up_for_it)
{
	begin_standby();
	rig_advance_us(DEAD);
	rig_forget();
	rig_answer_next(BETA, OCCUPIED);
	rig_expect("beta tells action-failed\n"
		   "beta tells unfit 800\n"
		   "beta is yielding (unfit)\n"
		   "beta gate closed\n");
	rig_answer_next(BETA, 0);
	rig_answer_next(BETA, 0);
	rig_expect("beta removes\n"
		   "beta is fault (unfit)\n");
}

/* Its host answers, because it holds them: it was only not heard for a while. */
Test(core_probe, a_holder_that_is_heard_again_answers_with_right)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_answer_next(BETA, OCCUPIED);
	rig_forget();
	rig_advance_us(1);
	rig_say(ALPHA, BETA);
	rig_expect("beta tells unfit 0\n"
		   "beta is backup (fit)\n");
	cr_assert_eq(core_can_switchover(&rig.nodes[BETA].core, 0), CORE_RESULT_OK);
	/* and it is asked again when it is silent again */
	rig_advance_us(LEASE_END - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("beta probes 45000\n");
	/* an answer that comes after it is heard */
	rig_advance_us(1);
	rig_say(ALPHA, BETA);
	rig_answer_next(BETA, OCCUPIED);
	rig_expect("");
	rig_expect_state(BETA, CORE_STATE_BACKUP);
}

Test(core_probe, who_gives_up_a_claim_does_not_answer_with_right)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_answer_next(BETA, OCCUPIED);
	rig_forget();
	rig_advance_us(1);
	say_alpha_is(CORE_STATE_YIELDING);
	say_alpha_is(CORE_STATE_FAULT);
	rig_expect("");
	rig_expect_state(BETA, CORE_STATE_FAULT);
}

Test(core_probe, what_was_found_before_the_holder_was_heard_again_is_void)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_answer_next(BETA, 0);
	rig_advance_us(INTERVAL / 2);
	rig_say(ALPHA, BETA);
	rig_expect("beta probes 45000\n");
	rig_advance_us(LEASE_END);
	rig_expect("beta probes 45000\n");
}

/* However long that question takes. */
Test(core_probe, a_question_of_before_the_holder_was_heard_again_does_not_stand_in_the_way)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_advance_us(1);
	rig_say(ALPHA, BETA);
	rig_forget();
	rig_advance_us(LEASE_END);
	rig_expect("beta probes 45000\n");
	rig_answer_next(BETA, OCCUPIED); /* the first */
	rig_expect("");
	rig_answer_next(BETA, 0);
	rig_advance_us(DEAD - LEASE_END);
	rig_expect("beta tells peer-silent alpha\n"
		   "beta is claiming (peer-dead)\n"
		   "beta stores 6\n"
		   "beta prepares\n");
}

/* And nobody had the time to ask anew. */
Test(core_probe, what_was_found_before_the_holder_was_heard_again_lets_nobody_claim)
{
	for (int answered = 0; answered < 2; answered++) {
		begin_standby();
		rig_advance_us(LEASE_END);
		if (answered)
			rig_answer_next(BETA, 0);
		rig_advance_us(INTERVAL / 2);
		rig_say(ALPHA, BETA);
		rig_advance_us(LEASE_END - 1);
		rig_skip_us(INTERVAL + 1);
		rig_forget();
		rig_event(BETA, CORE_EV_TIME);
		rig_expect("beta tells peer-silent alpha\n"
			   "beta is claiming (peer-dead)\n"
			   "beta probes 200000\n");
	}
}

Test(core_probe, what_was_found_before_a_freeze_is_void)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_answer_next(BETA, 0);
	rig_skip_us(2 * INTERVAL + 1);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect("beta probes 45000\n");
	rig_advance_us(LEASE_END - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("beta probes 45000\n");
}

Test(core_probe, the_first_claim_has_asked_while_it_listened)
{
	begin_alone();
	rig_advance_us(1);
	rig_expect("alpha probes 195000\n");
	rig_answer_next(ALPHA, 0);
	rig_advance_us(PROBE);
	rig_expect("alpha is claiming (no-primary)\n"
		   "alpha stores 1\n"
		   "alpha prepares\n");
}

Test(core_probe, who_has_just_booted_asks_at_the_end_of_its_wait)
{
	begin();
	rig.nodes[ALPHA].stuck = true;
	rig.nodes[ALPHA].start[0].start.boot = true;
	rig_start(ALPHA);
	rig_advance_us(START_WAIT - PROBE - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("alpha probes 195000\n");
}

/* Who was primary for less than the dead time, and died as we began to listen. */
Test(core_probe, a_peer_that_was_never_heard_may_have_the_longer_of_two_leases)
{
	begin();
	rig_configure(restart_hold_us, 0);
	rig.nodes[ALPHA].stuck = true;
	rig_start(ALPHA);
	rig_advance_us(LEASE_END - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("alpha probes 45000\n");
}

Test(core_probe, one_that_cannot_be_made_is_told_of_and_counts_as_nobody)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_answer_next(BETA, -19);
	rig_advance_us(DEAD - LEASE_END);
	rig_expect("beta probes 45000\n"
		   "beta tells action-failed\n"
		   "beta tells peer-silent alpha\n"
		   "beta is claiming (peer-dead)\n"
		   "beta stores 6\n"
		   "beta prepares\n");
	cr_assert_eq(rig.failure, -19);
}

Test(core_probe, the_same_failure_is_told_of_once)
{
	static const struct {
		int err;
		bool told;
	} ends[] = {
		{ -19, true }, { -19, false }, { OCCUPIED, true },
		{ -19, true }, { 0, false },   { -19, true },
	};

	begin_standby();
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		rig_advance_us(LEASE_END);
		rig_forget();
		rig_answer_next(BETA, ends[i].err);
		cr_assert_eq(rig_count("action-failed"), ends[i].told, "%zu", i);
		rig_skip_us(1);
		rig_say(ALPHA, BETA);
	}
}

Test(core_probe, one_without_an_end_is_given_up)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_forget();
	rig_advance_us(45000 + STEP - 1);
	cr_assert_eq(rig_group(BETA)->step, CORE_STEP_CLAIM_PROBE);
	rig_forget();
	rig_advance_us(1);
	rig_expect("beta tells action-failed\n"
		   "beta stores 6\n"
		   "beta prepares\n");
	cr_assert_eq(rig.failure, -110);
	rig_answer_next(BETA, OCCUPIED); /* too late */
	rig_expect("");
}

Test(core_probe, what_was_found_is_good_for_a_while)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_answer_next(BETA, 0);
	rig.nodes[BETA].core.config.dead_us = LEASE_END + FRESH;
	rig_forget();
	rig_advance_us(FRESH);
	cr_assert_eq(rig_count("prepares"), 1);
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_answer_next(BETA, 0);
	rig.nodes[BETA].core.config.dead_us = LEASE_END + FRESH + 1;
	rig_forget();
	rig_advance_us(FRESH + 1);
	rig_expect("beta tells peer-silent alpha\n"
		   "beta is claiming (peer-dead)\n"
		   "beta probes 200000\n");
}

Test(core_probe, no_time_is_taken_when_there_is_none_to_be)
{
	begin();
	rig_configure(probe_us, 0);
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig_expect("alpha is claiming (no-primary)\n"
		   "alpha stores 1\n"
		   "alpha prepares\n");
}

Test(core_probe, what_is_handed_over_is_taken_as_it_is)
{
	for (int strict = 0; strict < 2; strict++) {
		begin();
		rig_configure(groups[0].strict, strict);
		rig_pair();
		rig.nodes[BETA].probed = OCCUPIED;
		rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
		rig_settle();
		cr_assert_eq(rig_count("probes"), 0);
		rig_advance_us(DEAD);
		rig_expect_state(BETA, CORE_STATE_PRIMARY);
		rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	}
}

/* The question had been asked when the offer came. */
Test(core_probe, an_answer_during_a_handover_is_that_of_the_holder)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_OFFER);
	rig_forget();
	rig_answer_next(BETA, OCCUPIED);
	rig_expect("");
	cr_assert_eq(rig_group(BETA)->step, CORE_STEP_CLAIM_PREPARE);
}

Test(core_probe, what_was_just_released_here_is_taken_back_at_once)
{
	begin();
	rig_configure(groups[0].strict, true);
	rig_pair();
	rig.nodes[BETA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_settle();
	rig_forget();
	rig_answer(BETA, CORE_DO_PREPARE, -12);
	rig.nodes[BETA].stuck = false;
	rig_settle();
	cr_assert_eq(rig_count("alpha is primary"), 1);
	cr_assert_eq(rig_count("alpha probes"), 0);
}

/* The successor may have it, unheard. */
Test(core_probe, what_was_released_long_ago_is_asked_for)
{
	begin();
	rig_configure(groups[0].strict, true);
	rig_pair();
	rig.nodes[BETA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_settle();
	rig_cut(ALPHA, BETA);
	rig_forget();
	rig.nodes[ALPHA].probed = OCCUPIED;
	rig_advance_us(3 * DEAD);
	cr_assert_eq(rig_count("alpha probes"), 1);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
}

Test(core_probe, what_a_peer_has_just_released_is_taken_at_once)
{
	begin_standby();
	say_alpha_is(CORE_STATE_YIELDING);
	rig_puppet(ALPHA)->unfit = CORE_UNFIT_LINK;
	say_alpha_is(CORE_STATE_FAULT);
	rig_advance_us(INTERVAL);
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_count("probes"), 0);
	cr_assert_eq(rig_count("beta prepares"), 1);
}

Test(core_probe, what_was_released_a_dead_time_ago_is_asked_for)
{
	for (int late = 0; late < 2; late++) {
		begin_standby();
		rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
		rig_puppet(ALPHA)->unfit = CORE_UNFIT_LINK;
		say_alpha_is(CORE_STATE_FAULT);
		rig_say_for_us(ALPHA, BETA, DEAD - INTERVAL);
		rig_skip_us(INTERVAL - 2 + late);
		rig_set_fitness(BETA, CORE_UNFIT_CHECK, false);
		rig_skip_us(1);
		rig_event(BETA, CORE_EV_TIME);
		rig_forget();
		rig_skip_us(1);
		rig_say(ALPHA, BETA);
		cr_assert_eq(rig_count("prepares"), !late);
		cr_assert_eq(rig_group(BETA)->step,
			     late ? CORE_STEP_CLAIM_PROBE : CORE_STEP_CLAIM_PREPARE);
	}
}

Test(core_probe, who_released_and_is_not_heard_any_more_may_have_it_again)
{
	begin_standby();
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	say_alpha_is(CORE_STATE_BACKUP);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, false);
	rig_deafen(ALPHA);
	rig_advance_us(LEASE_END - 1);
	cr_assert_eq(rig_count("probes"), 0);
	rig_advance_us(DEAD);
	cr_assert_eq(rig_count("beta probes"), 1);
}

Test(core_probe, what_was_released_before_a_freeze_is_asked_for)
{
	begin_standby();
	rig_puppet(ALPHA)->unfit = CORE_UNFIT_LINK;
	rig_deafen(ALPHA);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	say_alpha_is(CORE_STATE_FAULT);
	rig_skip_us(2 * INTERVAL + 1);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, false);
	rig_undeafen(ALPHA);
	rig_say(ALPHA, BETA);
	rig_advance_us(INTERVAL);
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_count("prepares"), 0);
	cr_assert_eq(rig_count("beta probes"), 1);
}

/* Its last release counts, and only when it is complete. */
Test(core_probe, a_peer_that_releases_again_after_long_is_believed_again)
{
	begin_standby();
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_puppet(ALPHA)->unfit = CORE_UNFIT_LINK;
	say_alpha_is(CORE_STATE_FAULT);
	say_alpha_is(CORE_STATE_PRIMARY);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, false);
	rig_puppet(ALPHA)->state = CORE_STATE_YIELDING;
	rig_say_for_us(ALPHA, BETA, 3 * DEAD);
	say_alpha_is(CORE_STATE_FAULT);
	rig_advance_us(INTERVAL);
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_count("probes"), 0);
	cr_assert_eq(rig_count("beta prepares"), 1);
}

Test(core_probe, a_lapse_right_after_the_claim_asks_anew)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_done_all(BETA);
	rig_advance_us(DEAD - LEASE_END);
	rig_done_all(BETA);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_forget();
	rig_event(BETA, CORE_EV_LAPSED);
	rig_advance_us(DEAD);
	cr_assert_eq(rig_count("beta probes"), 1);
}

Test(core_probe, one_that_could_not_be_made_is_told_of_whoever_holds)
{
	begin_standby();
	rig_advance_us(LEASE_END);
	rig_advance_us(1);
	rig_say(ALPHA, BETA);
	rig_forget();
	rig_answer_next(BETA, -19);
	rig_expect("beta tells action-failed\n");
}

/* It has been primary since, and its own lease has lapsed. */
Test(core_probe, who_held_it_before_us_has_not_just_let_go)
{
	begin_standby();
	rig_puppet(ALPHA)->unfit = CORE_UNFIT_LINK;
	say_alpha_is(CORE_STATE_FAULT);
	rig_advance_us(INTERVAL);
	rig_say(ALPHA, BETA);
	rig_done_all(BETA);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_say(ALPHA, BETA);
	rig_forget();
	lapse_asleep(BETA);
	cr_assert_eq(rig_count("beta probes 200000"), 1);
}

/* Its lease has lapsed: somebody may have claimed meanwhile. */
Test(core_probe, leave_and_the_network_are_asked_at_the_same_time)
{
	begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_forget();
	lapse_asleep(ALPHA);
	rig_expect("alpha shuts\n"
		   "alpha tells lapsed\n"
		   "alpha is claiming (lease-lapsed)\n"
		   "alpha probes 200000\n");
	rig_say(BETA, ALPHA);
	rig_expect("");
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_CLAIM_PROBE);
	rig_answer(ALPHA, CORE_DO_PROBE, 0);
	rig_expect("alpha stores 6\n"
		   "alpha prepares\n");
}

Test(core_probe, leave_that_comes_later_finds_the_network_asked)
{
	begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	lapse_asleep(ALPHA);
	rig_answer(ALPHA, CORE_DO_PROBE, 0);
	rig_forget();
	rig_say(BETA, ALPHA);
	rig_expect("alpha stores 6\n"
		   "alpha prepares\n");
}

/* Our own kernel has held the addresses until now, and the peer has not. */
Test(core_probe, a_lapse_beside_a_peer_that_lives_asks_nobody)
{
	begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_forget();
	rig_skip_us(LEASE + DEAD / 2);
	rig_event(ALPHA, CORE_EV_TIME);
	rig_expect("alpha shuts\n"
		   "alpha tells lapsed\n"
		   "alpha is claiming (lease-lapsed)\n");
	rig_say(BETA, ALPHA);
	rig_expect("alpha stores 6\n"
		   "alpha prepares\n");
}

/* Who lived cannot be heard any more: it may have claimed meanwhile. */
Test(core_probe, a_lapse_beside_a_peer_that_falls_silent_asks)
{
	begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_forget();
	rig_advance_us(2 * DEAD);
	cr_assert_eq(rig_count("alpha probes"), 1);
	rig_answer_next(ALPHA, OCCUPIED);
	cr_assert_eq(rig_count("alpha prepares"), 0);
}

/* Nobody is heard: the others may claim until their leases would be over. */
Test(core_probe, a_lapse_without_a_peer_asks_before_its_wait_is_over)
{
	begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_advance_us(DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_forget();
	rig_advance_us(DEAD - PROBE - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("alpha probes 195000\n");
}

Test(core_probe, while_it_waits_for_leave_an_answer_ends_the_claim)
{
	begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	lapse_asleep(ALPHA);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_PROBE, OCCUPIED);
	rig_expect("alpha tells action-failed\n"
		   "alpha tells unfit 800\n"
		   "alpha is yielding (unfit)\n"
		   "alpha gate closed\n");
}

Test(core_probe, what_ends_a_wait_ends_it_while_the_network_is_asked)
{
	for (int i = 0; i < 4; i++) {
		begin_standby();
		rig_advance_us(DEAD);
		rig_forget();
		if (i == 0)
			rig_say(ALPHA, BETA);
		if (i == 1)
			rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
		if (i == 2)
			rig_stop(BETA, false);
		if (i == 3)
			rig_event(BETA, CORE_EV_DISOWNED);
		rig_expect_state(BETA, CORE_STATE_YIELDING);
		cr_assert_eq(rig_count("prepares"), 0);
	}
	begin_standby();
	rig_advance_us(DEAD);
	rig_forget();
	rig_request(BETA, CORE_EV_SWITCHOVER, 5);
	rig_request(BETA, CORE_EV_MAINTENANCE, 6);
	rig_expect("beta replies 5 Busy nobody\n"
		   "beta replies 6 Busy nobody\n");
}

Test(core_probe, a_freeze_while_it_is_asked_asks_anew)
{
	begin_standby();
	rig_advance_us(DEAD);
	rig_forget();
	rig_skip_us(2 * INTERVAL + 1);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect("");
	cr_assert_eq(rig_group(BETA)->step, CORE_STEP_CLAIM_WAIT);
	rig_answer_next(BETA, 0); /* of the first */
	rig_advance_us(LEASE_END - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("beta probes 45000\n");
	rig_answer_next(BETA, 0);
	rig_advance_us(DEAD - LEASE_END);
	cr_assert_eq(rig_count("prepares"), 1);
}

Test(core_probe, no_last_resort_for_what_somebody_answers_for)
{
	begin();
	rig.nodes[ALPHA].probed = OCCUPIED;
	rig_start(ALPHA);
	rig_advance_us(LISTEN + 3 * LAST_RESORT);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_OCCUPIED);
	cr_assert_eq(rig_count("claiming"), 0);
	cr_assert_eq(rig_count("action-failed"), 1);
}

/* Nothing is to be claimed for a while: there is time, and no more is taken of it than ever. */
Test(core_probe, no_question_is_longer_than_it_has_to_be)
{
	begin();
	rig.nodes[ALPHA].probed = OCCUPIED;
	rig_start(ALPHA);
	rig_advance_us(LISTEN);
	rig_skip_us(DEAD);
	rig_event(ALPHA, CORE_EV_TIME);
	rig_settle();
	rig_forget();
	rig_advance_us(RETRY);
	cr_assert_eq(rig_count("alpha probes 200000"), 1);
}

Test(core_probe, a_peer_without_the_group_may_not_hold_it)
{
	begin();
	rig_puppet(ALPHA)->present = false;
	rig_start(BETA);
	rig.nodes[BETA].stuck = true;
	rig_say_for_us(ALPHA, BETA, DEAD + INTERVAL);
	cr_assert_eq(rig_count("beta probes"), 1);
	rig_answer_next(BETA, 0);
	rig_say(ALPHA, BETA);
	rig_advance_us(INTERVAL);
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_count("beta prepares"), 1);
}

/* What a peer that claims is told of us. */
Test(core_probe, a_node_in_maintenance_goes_on_asking)
{
	begin();
	rig.nodes[ALPHA].probed = OCCUPIED;
	rig_start(ALPHA);
	rig_advance_us(LISTEN);
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 5);
	rig_expect_state(ALPHA, CORE_STATE_MAINTENANCE);
	rig.nodes[ALPHA].probed = 0;
	rig_advance_us(RETRY);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_MAINTENANCE);
}

static void meet(uint8_t node, uint8_t peer)
{
	struct core_event event = { .type = CORE_EV_STRANGER, .peer = peer, .stranger.vip = 7 };

	rig_step(node, &event);
}

Test(core_probe, a_primary_says_whose_the_address_is)
{
	begin();
	rig_pair();
	meet(ALPHA, CORE_NODE_NONE);
	rig_expect("alpha tells stranger\n"
		   "alpha defends 7\n");
	cr_assert_eq(rig.actions.v[0].tell.vip, 7);
	meet(ALPHA, BETA);
	rig_expect("alpha tells stranger beta\n"
		   "alpha defends 7\n");
	meet(BETA, CORE_NODE_NONE);
	rig_expect("");
}

Test(core_probe, what_is_missing_is_not_defended)
{
	begin();
	rig_adopted(ALPHA, 5);
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_LOST);
	rig_forget();
	meet(ALPHA, CORE_NODE_NONE);
	rig_expect("alpha tells stranger\n");
	rig_answer_next(ALPHA, -12);
	rig_forget();
	meet(ALPHA, CORE_NODE_NONE);
	rig_expect("alpha tells stranger\n");
}

Test(core_probe, against_a_peer_that_holds_or_claims_the_terms_decide)
{
	static const enum core_state states[] = { CORE_STATE_PRIMARY, CORE_STATE_YIELDING,
						  CORE_STATE_CLAIMING };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		begin();
		rig_adopted(ALPHA, 5);
		rig_puppet(BETA)->state = states[i];
		rig_say(BETA, ALPHA);
		rig_forget();
		meet(ALPHA, BETA);
		rig_expect("");
		meet(ALPHA, CORE_NODE_NONE);
		cr_assert_eq(rig_count("alpha defends"), 1);
	}
}

Test(core_probe, who_is_on_the_way_in_or_out_leaves_strangers_alone)
{
	begin_standby();
	rig_advance_us(DEAD);
	rig_forget();
	meet(BETA, CORE_NODE_NONE);
	rig_answer_next(BETA, OCCUPIED);
	rig_expect_state(BETA, CORE_STATE_YIELDING);
	meet(BETA, CORE_NODE_NONE);
	cr_assert_eq(rig_count("stranger"), 0);
	cr_assert_eq(rig_count("defends"), 0);
}

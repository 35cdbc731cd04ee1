/* SPDX-License-Identifier: MIT */

/* R6: an address that somebody answers for is not claimed. */

#include "tests/core_probe_rig.h"

/* Alpha has listened, hears nobody, and waits for its probe. */
static void begin_alone(void)
{
	probe_begin();
	rig.nodes[ALPHA].stuck = true;
	rig_start(ALPHA);
	rig_advance_us(LISTEN - PROBE - 1);
	rig_forget();
}

Test(core_probe, a_failover_has_asked_when_its_time_has_come)
{
	probe_standby();
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
	probe_standby();
	rig.nodes[BETA].core.config.probe_us = 20000;
	rig_advance_us(DEAD - 20000 - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("beta probes 15000\n");
}

Test(core_probe, little_time_is_not_made_less)
{
	probe_standby();
	rig_advance_us(LEASE_END - 1);
	rig_skip_us(DEAD - 10001 - LEASE_END + 1);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect("beta probes 5001\n");
	probe_standby();
	rig_advance_us(LEASE_END - 1);
	rig_skip_us(DEAD - 10000 - LEASE_END + 1);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect("beta probes 5000\n");
	probe_standby();
	rig_advance_us(LEASE_END - 1);
	rig_skip_us(DEAD - LEASE_END);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect("beta probes 5000\n");
}

Test(core_probe, a_claim_waits_for_the_answer)
{
	probe_standby();
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
	probe_standby();
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
	probe_standby();
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
	probe_standby();
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
	probe_standby();
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
	probe_standby();
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
	probe_standby();
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
		probe_standby();
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
	probe_standby();
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
	probe_begin();
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
	probe_begin();
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
	probe_standby();
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

	probe_standby();
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
	probe_standby();
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
	probe_standby();
	rig_advance_us(LEASE_END);
	rig_answer_next(BETA, 0);
	rig.nodes[BETA].core.config.dead_us = LEASE_END + FRESH;
	rig_forget();
	rig_advance_us(FRESH);
	cr_assert_eq(rig_count("prepares"), 1);
	probe_standby();
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
	probe_begin();
	rig_configure(probe_us, 0);
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig_expect("alpha is claiming (no-primary)\n"
		   "alpha stores 1\n"
		   "alpha prepares\n");
}

Test(core_probe, one_that_could_not_be_made_is_told_of_whoever_holds)
{
	probe_standby();
	rig_advance_us(LEASE_END);
	rig_advance_us(1);
	rig_say(ALPHA, BETA);
	rig_forget();
	rig_answer_next(BETA, -19);
	rig_expect("beta tells action-failed\n");
}

Test(core_probe, what_ends_a_wait_ends_it_while_the_network_is_asked)
{
	for (int i = 0; i < 4; i++) {
		probe_standby();
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
	probe_standby();
	rig_advance_us(DEAD);
	rig_forget();
	rig_request(BETA, CORE_EV_SWITCHOVER, 5);
	rig_request(BETA, CORE_EV_MAINTENANCE, 6);
	rig_expect("beta replies 5 Busy nobody\n"
		   "beta replies 6 Busy nobody\n");
}

Test(core_probe, a_freeze_while_it_is_asked_asks_anew)
{
	probe_standby();
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
	probe_begin();
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
	probe_begin();
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
	probe_begin();
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
	probe_begin();
	rig.nodes[ALPHA].probed = OCCUPIED;
	rig_start(ALPHA);
	rig_advance_us(LISTEN);
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 5);
	rig_expect_state(ALPHA, CORE_STATE_MAINTENANCE);
	rig.nodes[ALPHA].probed = 0;
	rig_advance_us(RETRY);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_MAINTENANCE);
}

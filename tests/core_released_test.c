/* SPDX-License-Identifier: MIT */

/* R6: what has just been let go is taken without asking the network; and only that. */

#include "tests/core_probe_rig.h"

/* Alpha holds the group beside beta, a puppet that lives; its kernel waits for the test. */
static void begin_holder(void)
{
	probe_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
}

/* Alpha has released the group for beta, whose kernel waits for the test. */
static void begin_strict(void)
{
	probe_begin();
	rig_configure(groups[0].strict, true);
	rig_pair();
	rig.nodes[BETA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_settle();
}

/* Its lease has run out long ago when this node goes on: others may have been here. */
static void lapse_asleep(uint8_t node)
{
	rig_skip_us(LEASE + 2 * DEAD);
	rig_event(node, CORE_EV_LAPSED);
}

Test(core_released, what_is_handed_over_is_taken_as_it_is)
{
	for (int strict = 0; strict < 2; strict++) {
		probe_begin();
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
Test(core_released, an_answer_during_a_handover_is_that_of_the_holder)
{
	probe_standby();
	rig_advance_us(LEASE_END);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_OFFER);
	rig_forget();
	rig_answer_next(BETA, OCCUPIED);
	rig_expect("");
	cr_assert_eq(rig_group(BETA)->step, CORE_STEP_CLAIM_PREPARE);
}

Test(core_released, what_was_just_released_here_is_taken_back_at_once)
{
	begin_strict();
	rig_forget();
	rig_answer(BETA, CORE_DO_PREPARE, -12);
	rig.nodes[BETA].stuck = false;
	rig_settle();
	cr_assert_eq(rig_count("alpha is primary"), 1);
	cr_assert_eq(rig_count("alpha probes"), 0);
}

/* The successor may have it, unheard. */
Test(core_released, what_was_released_long_ago_is_asked_for)
{
	begin_strict();
	rig_cut(ALPHA, BETA);
	rig_forget();
	rig.nodes[ALPHA].probed = OCCUPIED;
	rig_advance_us(3 * DEAD);
	cr_assert_eq(rig_count("alpha probes"), 1);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
}

Test(core_released, what_a_peer_has_just_released_is_taken_at_once)
{
	probe_standby();
	say_alpha_is(CORE_STATE_YIELDING);
	rig_puppet(ALPHA)->unfit = CORE_UNFIT_LINK;
	say_alpha_is(CORE_STATE_FAULT);
	rig_advance_us(INTERVAL);
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_count("probes"), 0);
	cr_assert_eq(rig_count("beta prepares"), 1);
}

Test(core_released, what_was_released_a_dead_time_ago_is_asked_for)
{
	for (int late = 0; late < 2; late++) {
		probe_standby();
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

Test(core_released, who_released_and_is_not_heard_any_more_may_have_it_again)
{
	probe_standby();
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	say_alpha_is(CORE_STATE_BACKUP);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, false);
	rig_deafen(ALPHA);
	rig_advance_us(LEASE_END - 1);
	cr_assert_eq(rig_count("probes"), 0);
	rig_advance_us(DEAD);
	cr_assert_eq(rig_count("beta probes"), 1);
}

Test(core_released, what_was_released_before_a_freeze_is_asked_for)
{
	probe_standby();
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
Test(core_released, a_peer_that_releases_again_after_long_is_believed_again)
{
	probe_standby();
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

Test(core_released, a_lapse_right_after_the_claim_asks_anew)
{
	probe_standby();
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

/* It has been primary since, and its own lease has lapsed. */
Test(core_released, who_held_it_before_us_has_not_just_let_go)
{
	probe_standby();
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
Test(core_released, leave_and_the_network_are_asked_at_the_same_time)
{
	begin_holder();
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

Test(core_released, leave_that_comes_later_finds_the_network_asked)
{
	begin_holder();
	lapse_asleep(ALPHA);
	rig_answer(ALPHA, CORE_DO_PROBE, 0);
	rig_forget();
	rig_say(BETA, ALPHA);
	rig_expect("alpha stores 6\n"
		   "alpha prepares\n");
}

/* Our own kernel has held the addresses until now, and the peer has not. */
Test(core_released, a_lapse_beside_a_peer_that_lives_asks_nobody)
{
	begin_holder();
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
Test(core_released, a_lapse_beside_a_peer_that_falls_silent_asks)
{
	begin_holder();
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_forget();
	rig_advance_us(2 * DEAD);
	cr_assert_eq(rig_count("alpha probes"), 1);
	rig_answer_next(ALPHA, OCCUPIED);
	cr_assert_eq(rig_count("alpha prepares"), 0);
}

/* Nobody is heard: the others may claim until their leases would be over. */
Test(core_released, a_lapse_without_a_peer_asks_before_its_wait_is_over)
{
	probe_begin();
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

Test(core_released, while_it_waits_for_leave_an_answer_ends_the_claim)
{
	begin_holder();
	lapse_asleep(ALPHA);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_PROBE, OCCUPIED);
	rig_expect("alpha tells action-failed\n"
		   "alpha tells unfit 800\n"
		   "alpha is yielding (unfit)\n"
		   "alpha gate closed\n");
}

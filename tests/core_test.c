/* SPDX-License-Identifier: MIT */

/* The election (R2 to R5, R12). */

#include "agent/core/core.h"

#include "tests/core_rig.h"

Test(core, r2_a_backup_claims_when_the_primary_has_been_silent_for_the_dead_time)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_advance_us(DEAD - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("beta tells peer-silent alpha\n"
		   "beta is claiming (peer-dead)\n"
		   "beta stores 6\n"
		   "beta prepares\n"
		   "beta gate answer new\n"
		   "beta announces\n"
		   "beta is primary (peer-dead)\n");
	cr_assert_eq(rig_group(BETA)->term, 6);
}

Test(core, r2_any_heartbeat_of_the_primary_starts_the_dead_time_anew)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_advance_us(DEAD - 1);
	rig_say(ALPHA, BETA);
	rig_advance_us(DEAD - 1);
	rig_expect("");
}

Test(core, r2_the_new_term_is_one_above_the_highest_seen_or_offered)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_puppet(ALPHA)->term_max = 41;
	rig_say(ALPHA, BETA);
	rig_puppet(ALPHA)->term_max = 7;
	rig_say(ALPHA, BETA);
	rig_advance_us(DEAD);
	cr_assert_eq(rig_group(BETA)->term, 42);
}

Test(core, r2_the_new_term_is_above_the_stored_one)
{
	rig_begin();
	rig.nodes[ALPHA].start[0].start.term = 9;
	rig_alone(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(ALPHA)->term, 10);
}

/* Nobody holds the group; the peer is fit. */
static bool claims_beside(uint8_t self, uint8_t peer)
{
	rig_start(self);
	rig_say_for_us(peer, self, 2 * DEAD);
	return rig_count(" is claiming (no-primary)\n");
}

Test(core, r2_of_two_fit_nodes_without_a_primary_the_smaller_one_claims)
{
	rig_begin();
	cr_assert(claims_beside(ALPHA, BETA));
	rig_begin();
	cr_assert_not(claims_beside(BETA, ALPHA));
}

Test(core, r2_of_two_fit_nodes_without_a_primary_the_higher_priority_claims)
{
	rig_begin();
	rig_configure(priority[BETA], 101);
	cr_assert(claims_beside(BETA, ALPHA));
	rig_begin();
	rig_configure(priority[BETA], 101);
	cr_assert_not(claims_beside(ALPHA, BETA));
}

Test(core, r2_of_three_nodes_the_best_of_those_that_are_left_claims)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_configure(priority[GAMMA], 101);
	for (uint8_t i = 0; i < RIG_NODES; i++)
		rig_start(i);
	rig_advance_us(2 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count(" is claiming"), 1);
	rig_forget();

	rig_kill(ALPHA);
	rig_advance_us(2 * USEC_PER_SEC);
	rig_expect_state(GAMMA, CORE_STATE_PRIMARY);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count(" is claiming"), 1);
}

Test(core, r2_the_better_node_does_not_claim_while_it_is_unfit)
{
	rig_begin();
	rig_start(ALPHA);
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_start(BETA);
	rig_advance_us(DEAD);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core, r2_whoever_is_heard_holding_or_claiming_is_not_claimed_from)
{
	static const enum core_state states[] = { CORE_STATE_PRIMARY, CORE_STATE_YIELDING,
						  CORE_STATE_CLAIMING };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		rig_begin();
		rig_configure(priority[BETA], 200);
		rig_puppet(ALPHA)->state = states[i];
		rig_puppet(ALPHA)->unfit = CORE_UNFIT_CHECK;
		rig_start(BETA);
		rig_say_for_us(ALPHA, BETA, 5 * USEC_PER_SEC);
		cr_assert_eq(rig_count("beta is claiming"), 0);
	}
}

Test(core, r2_a_peer_whose_configuration_lacks_the_group_does_not_block_it)
{
	rig_begin();
	rig_puppet(ALPHA)->state = CORE_STATE_PRIMARY;
	rig_puppet(ALPHA)->present = false;
	rig_start(BETA);
	rig_say_for_us(ALPHA, BETA, DEAD + 2 * INTERVAL);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core, r2_two_that_want_it_at_once_settle_it_before_either_has_opened)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_puppet(ALPHA)->state = CORE_STATE_FAULT;
	rig_puppet(ALPHA)->unfit = CORE_UNFIT_CHECK;
	rig_deafen(ALPHA);
	rig_say(ALPHA, BETA);
	rig_expect("beta is claiming (no-primary)\n");
	rig_puppet(ALPHA)->state = CORE_STATE_CLAIMING;
	rig_puppet(ALPHA)->unfit = 0;
	rig_puppet(ALPHA)->term = 6;
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_count("beta is yielding (conflict)\n"), 1);
	cr_assert_eq(rig_count("gate answer"), 0);
}

Test(core, r2_of_two_that_want_it_at_once_the_one_with_the_better_right_goes_on)
{
	rig_begin();
	rig_standby(ALPHA, BETA, 5);
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_puppet(BETA)->unfit = CORE_UNFIT_CHECK;
	rig_deafen(BETA);
	rig_say(BETA, ALPHA);
	rig_expect("alpha is claiming (no-primary)\n");
	rig_puppet(BETA)->state = CORE_STATE_CLAIMING;
	rig_puppet(BETA)->term = 0;
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_undeafen(BETA);
	rig_say(BETA, ALPHA);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core, r3_an_isolated_node_yields_to_one_that_reaches_its_references)
{
	rig_begin();
	rig_pair();
	rig_set_references(BETA, false);
	rig_settle();
	rig_set_references(ALPHA, true);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_ISOLATED);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core, r3_references_that_are_dead_for_everybody_isolate_nobody)
{
	rig_begin();
	rig_pair();
	rig_set_references(BETA, true);
	rig_settle();
	rig_set_references(ALPHA, true);
	rig_settle();
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
	rig_set_references(BETA, false);
	rig_advance_us(2 * INTERVAL);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_ISOLATED);
}

Test(core, r3_with_the_peer_silent_too_silent_references_do_isolate)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_set_references(BETA, true);
	cr_assert_eq(rig_group(BETA)->unfit, 0);
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	cr_assert_eq(rig_count("beta is claiming"), 0);
	rig_set_references(BETA, false);
	rig_advance_us(2 * DEAD);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core, r3_without_synchronisation_a_death_is_still_answered_with_a_claim)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_set_fitness(BETA, CORE_UNFIT_SYNC, true);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_advance_us(DEAD);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core, r3_without_synchronisation_nothing_is_switched_over)
{
	rig_begin();
	rig_pair();
	rig_set_fitness(BETA, CORE_UNFIT_SYNC, true);
	rig_settle();
	cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0), CORE_RESULT_NOT_FIT);
	cr_assert_eq(core_can_switchover(&rig.nodes[BETA].core, 0), CORE_RESULT_NOT_FIT);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core, r3_a_primary_that_is_not_synchronised_is_a_primary)
{
	rig_begin();
	rig_pair();
	rig_set_fitness(ALPHA, CORE_UNFIT_SYNC, true);
	rig_advance_us(USEC_PER_SEC);
	rig_expect("alpha tells unfit 100\n");
}

Test(core, r4_an_unfit_primary_yields_to_a_fit_peer)
{
	rig_begin();
	rig_pair();
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(ALPHA)->reason, CORE_REASON_UNFIT);
	cr_assert_eq(rig_count("replies"), 0);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, false);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_group(ALPHA)->reason, CORE_REASON_FIT);
}

Test(core, r4_an_unfit_primary_without_a_fit_peer_keeps_the_group)
{
	rig_begin();
	rig_pair();
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_settle();
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_advance_us(20 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_set_fitness(BETA, CORE_UNFIT_LINK, false);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core, r4_when_alone_release_gives_it_up_instead)
{
	rig_begin();
	rig_configure(groups[0].keep_alone, false);
	rig_adopted(ALPHA, 5);
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_done_all(ALPHA);
	rig_expect("alpha tells unfit 41\n"
		   "alpha is yielding (unfit)\n"
		   "alpha gate closed\n"
		   "alpha removes\n"
		   "alpha is fault (unfit)\n");
}

Test(core, r4_a_yield_that_failed_is_tried_again_after_a_pause)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_answer_move(BETA, ALPHA, CORE_MOVE_REFUSED, CORE_RESULT_FAILED);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_forget();
	rig_say_for_us(BETA, ALPHA, 2 * USEC_PER_SEC - INTERVAL);
	cr_assert_eq(rig_count("says offer"), 0);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	cr_assert_eq(rig_count("says offer"), 1);
}

/* Both unfit by a check, and the one who held it has gone. */
static void begin_headless(void)
{
	rig_begin();
	rig_puppet(ALPHA)->state = CORE_STATE_FAULT;
	rig_puppet(ALPHA)->unfit = CORE_UNFIT_LINK;
	rig_start(BETA);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_forget();
}

Test(core, r4_as_last_resort_the_best_unfit_node_claims)
{
	begin_headless();
	rig_say_for_us(ALPHA, BETA, LAST_RESORT - INTERVAL);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	rig_say_for_us(ALPHA, BETA, 2 * INTERVAL);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(BETA)->reason, CORE_REASON_LAST_RESORT);
	rig_say_for_us(ALPHA, BETA, 10 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core, r4_the_last_resort_of_a_node_on_its_own_comes_at_its_time)
{
	rig_begin();
	rig_configure(groups[0].last_resort_us, LISTEN + 12345);
	rig_start(BETA);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_advance_us(LISTEN + 12345 - 1);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	rig_advance_us(1);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
	rig_advance_us(DEAD);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core, r4_a_fit_peer_or_a_better_unfit_one_is_left_the_last_resort)
{
	begin_headless();
	rig_puppet(ALPHA)->unfit = CORE_UNFIT_CHECK;
	rig_say_for_us(ALPHA, BETA, 3 * LAST_RESORT);
	rig_expect_state(BETA, CORE_STATE_FAULT);

	begin_headless();
	rig.nodes[BETA].core.config.priority[BETA] = 200;
	rig_puppet(ALPHA)->unfit = 0;
	rig_say_for_us(ALPHA, BETA, 3 * LAST_RESORT);
	rig_expect_state(BETA, CORE_STATE_FAULT);
}

Test(core, r4_what_cannot_work_is_no_last_resort)
{
	static const uint16_t reasons[] = { CORE_UNFIT_LINK, CORE_UNFIT_DISOWNED };

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		rig_begin();
		rig_start(BETA);
		rig_set_fitness(BETA, (enum core_unfit)reasons[i], true);
		rig_advance_us(3 * LAST_RESORT);
		rig_expect_state(BETA, CORE_STATE_FAULT);
	}
	rig_begin();
	rig.nodes[BETA].start[0].start.maintenance = true;
	rig_start(BETA);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_advance_us(3 * LAST_RESORT);
	rig_expect_state(BETA, CORE_STATE_MAINTENANCE);
}

Test(core, r4_while_a_holder_is_heard_there_is_no_last_resort)
{
	begin_headless();
	rig_puppet(ALPHA)->state = CORE_STATE_PRIMARY;
	rig_say_for_us(ALPHA, BETA, 3 * LAST_RESORT);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	rig_puppet(ALPHA)->state = CORE_STATE_FAULT;
	rig_say_for_us(ALPHA, BETA, LAST_RESORT - INTERVAL);
	rig_expect_state(BETA, CORE_STATE_FAULT);
}

Test(core, r4_a_last_resort_is_given_up_when_its_link_goes)
{
	rig_begin();
	rig_start(BETA);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_advance_us(LISTEN);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_settle();
	rig_expect_state(BETA, CORE_STATE_FAULT);
}

Test(core, r5_who_comes_back_does_not_take_the_group_back)
{
	rig_begin();
	rig_configure(priority[ALPHA], 200);
	rig_pair();
	rig_kill(ALPHA);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_start(ALPHA);
	rig_advance_us(20 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core, r5_preempt_asks_the_holder_and_gets_the_group)
{
	rig_begin();
	rig_configure(priority[ALPHA], 200);
	rig_configure(groups[0].preempt, true);
	rig_pair();
	rig_kill(ALPHA);
	rig_advance_us(USEC_PER_SEC);
	rig_start(ALPHA);
	rig_forget();
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("alpha says ask\n"), 1);
	cr_assert_eq(rig_count("beta says offer\n"), 1);
	cr_assert_eq(rig_count("replies"), 0);
}

Test(core, r5_who_is_no_better_or_unfit_does_not_preempt)
{
	rig_begin();
	rig_configure(groups[0].preempt, true);
	rig_standby(BETA, ALPHA, 5);
	rig_say_for_us(ALPHA, BETA, USEC_PER_SEC);
	rig_expect("");

	rig_begin();
	rig_configure(groups[0].preempt, true);
	rig_configure(priority[BETA], 200);
	rig.nodes[BETA].start[0].start.maintenance = true;
	rig_puppet(ALPHA)->state = CORE_STATE_PRIMARY;
	rig_start(BETA);
	rig_say_for_us(ALPHA, BETA, USEC_PER_SEC);
	cr_assert_eq(rig_count("says ask"), 0);
}

Test(core, r12_a_differing_configuration_is_told_once_and_takes_nothing_over)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[ALPHA].puppet.digest = 2;
	rig_say_for_us(ALPHA, BETA, USEC_PER_SEC);
	rig_expect("beta tells digest alpha\n");
	rig.nodes[ALPHA].puppet.digest = 1;
	rig_say_for_us(ALPHA, BETA, USEC_PER_SEC);
	rig.nodes[ALPHA].puppet.digest = 2;
	rig_say_for_us(ALPHA, BETA, USEC_PER_SEC);
	rig_expect("beta tells digest alpha\n");
}

Test(core, r4_who_releases_when_alone_is_no_last_resort)
{
	rig_begin();
	rig_configure(groups[0].keep_alone, false);
	rig_alone(ALPHA);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_forget();
	rig_advance_us(60 * USEC_PER_SEC);
	cr_assert_eq(rig_count("is primary"), 0);
}

static bool is_all(const void *data, size_t size, uint8_t byte)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < size; i++)
		if (at[i] != byte)
			return false;
	return true;
}

/* What has never been touched takes no memory, and there is room for far more than most need. */
Test(core, what_is_not_configured_is_left_alone)
{
	static struct core core;
	struct core_config config = { .n_nodes = 2, .n_groups = 3, .interval_us = INTERVAL };

	memset(&core, 0xa5, sizeof(core));
	core_init(&core, &config);
	cr_expect(is_all(&core.peers[0], 2 * sizeof(core.peers[0]), 0));
	cr_expect(is_all(&core.peers[2], sizeof(core.peers) - 2 * sizeof(core.peers[0]), 0xa5));
	cr_expect(is_all(&core.groups[3], sizeof(core.groups) - 3 * sizeof(core.groups[0]), 0xa5));
	for (size_t g = 0; g < 3; g++) {
		cr_expect_eq(core.groups[g].move_to, CORE_NODE_NONE);
		cr_expect_eq(core.groups[g].holder, CORE_NODE_NONE);
		core.groups[g].move_to = core.groups[g].holder = 0;
	}
	cr_expect(is_all(core.groups, 3 * sizeof(core.groups[0]), 0));
}

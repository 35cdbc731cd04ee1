/* SPDX-License-Identifier: MIT */

/* The election: R1 to R5 and R12 of the design. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

/* What a rival primary says against our term 5, and whether we give way. */
static void meet_rival(uint8_t self, uint8_t rival, uint64_t term, bool we_release)
{
	rig_adopted(self, 5);
	rig_puppet(rival)->state = CORE_STATE_PRIMARY;
	rig_puppet(rival)->term = term;
	rig_say(rival, self);
	rig_expect_state(self, we_release ? CORE_STATE_YIELDING : CORE_STATE_PRIMARY);
	if (we_release)
		cr_assert_eq(rig_group(self)->reason, CORE_REASON_CONFLICT);
}

Test(core, r1_the_higher_term_wins_and_the_loser_releases_at_once)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = 6;
	rig_say(BETA, ALPHA);
	rig_done_all(ALPHA);
	rig_expect("alpha tells peer-up beta\n"
		   "alpha tells conflict beta\n"
		   "alpha is yielding (conflict)\n"
		   "alpha gate closed\n"
		   "alpha removes\n"
		   "alpha is backup (conflict)\n");
}

Test(core, r1_the_lower_term_changes_nothing)
{
	rig_begin();
	meet_rival(ALPHA, BETA, 4, false);
}

Test(core, r1_equal_terms_leave_it_to_the_smaller_node)
{
	rig_begin();
	meet_rival(ALPHA, BETA, 5, false);
	rig_begin();
	meet_rival(BETA, ALPHA, 5, true);
}

Test(core, r1_equal_terms_leave_it_to_the_higher_priority_before_the_smaller_node)
{
	rig_begin();
	rig_configure(priority[BETA], 101);
	meet_rival(ALPHA, BETA, 5, true);
	rig_begin();
	rig_configure(priority[BETA], 101);
	meet_rival(BETA, ALPHA, 5, false);
}

Test(core, r1_evidence_beats_the_term)
{
	rig_begin();
	rig_puppet(BETA)->evidence = true;
	meet_rival(ALPHA, BETA, 4, true);

	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_set_references(ALPHA, false);
	rig_advance_us(DEAD);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = 6;
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_puppet(BETA)->evidence = true;
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

Test(core, r1_silent_references_are_no_evidence)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_set_references(ALPHA, true);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = 6;
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

/* What alpha says to beta of the split that they are in, or have been in. */
static bool claims_evidence(void)
{
	rig_event(ALPHA, CORE_EV_TIME);
	rig_advance_us(INTERVAL);
	return rig.beats[ALPHA][BETA].last.groups[0].evidence;
}

Test(core, r1_service_traffic_in_the_split_beats_the_term)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_advance_us(DEAD);
	cr_assert_not(claims_evidence());
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	cr_assert(claims_evidence());
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = 6;
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert(claims_evidence());
}

Test(core, r1_who_saw_traffic_while_both_were_primary_keeps_the_group)
{
	for (unsigned who = 0; who < 2; who++) {
		rig_begin();
		rig_pair();
		rig_cut(ALPHA, BETA);
		rig_advance_us(2 * DEAD);
		rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
		rig_expect_state(BETA, CORE_STATE_PRIMARY);
		rig_event(who ? BETA : ALPHA, CORE_EV_TRAFFIC);
		rig_join(ALPHA, BETA);
		rig_advance_us(USEC_PER_SEC);
		rig_expect_state(who ? BETA : ALPHA, CORE_STATE_PRIMARY);
		rig_expect_state(who ? ALPHA : BETA, CORE_STATE_BACKUP);
	}
}

/* Alpha saw some, before and after: it was the one that was cut off in between. */
Test(core, r1_traffic_outside_the_split_proves_nothing)
{
	rig_begin();
	rig_pair();
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	rig_cut(ALPHA, BETA);
	rig_advance_us(DEAD - INTERVAL);
	rig_event(ALPHA, CORE_EV_TRAFFIC); /* was under way still, for all we know */
	rig_advance_us(DEAD);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_join(ALPHA, BETA);
	rig_event(BETA, CORE_EV_TIME);
	rig_advance_us(INTERVAL);
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	cr_assert_not(claims_evidence());
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
}

/* It was silent for alpha as long as beta was, or a moment less. */
Test(core, r1_a_reference_that_is_back_together_with_the_peer_proves_nothing)
{
	for (unsigned us = 0; us < 2; us++) {
		rig_begin();
		rig_adopted(ALPHA, 5);
		rig_set_references(ALPHA, true);
		rig_advance_us(2 * DEAD);
		rig_set_references(ALPHA, false);
		rig_advance_us(DEAD - 1 + us);
		rig_set_references(ALPHA, false); /* told again: nothing new */
		rig_say(BETA, ALPHA);
		rig_advance_us(INTERVAL);
		rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
		rig_puppet(BETA)->term = 6;
		rig_say(BETA, ALPHA);
		rig_expect_state(ALPHA, us ? CORE_STATE_PRIMARY : CORE_STATE_YIELDING);
	}
}

Test(core, r1_while_the_peer_is_away_evidence_is_what_there_is_by_now)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_set_references(ALPHA, false);
	rig_advance_us(DEAD - 2 * INTERVAL);
	cr_assert_not(claims_evidence());
	rig_advance_us(2 * INTERVAL);
	cr_assert(claims_evidence());
}

Test(core, r1_a_third_node_that_falls_silent_changes_nothing_between_two)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_adopted(ALPHA, 5);
	rig_say(GAMMA, ALPHA);
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	cr_assert_not(rig.beats[ALPHA][GAMMA].last.groups[0].evidence);
	rig_advance_us(4 * DEAD);
	cr_assert(claims_evidence());
	cr_assert_not(rig.beats[ALPHA][GAMMA].last.groups[0].evidence);
}

/* From the dead time on after its return; the reference was first heard of in between. */
Test(core, r1_a_split_is_over_when_the_peer_has_been_back_for_the_dead_time)
{
	for (unsigned us = 0; us < 2; us++) {
		rig_begin();
		rig_adopted(ALPHA, 5);
		rig_say(BETA, ALPHA);
		rig_set_references(ALPHA, false);
		rig_say_for_us(BETA, ALPHA, DEAD - INTERVAL);
		rig_advance_us(INTERVAL - 1 + us);
		rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
		rig_puppet(BETA)->term = 6;
		rig_say(BETA, ALPHA);
		rig_expect_state(ALPHA, us ? CORE_STATE_PRIMARY : CORE_STATE_YIELDING);
	}
}

Test(core, r1_evidence_is_of_the_last_split_only)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	rig_say(BETA, ALPHA);
	cr_assert(claims_evidence());
	rig_advance_us(4 * DEAD);
	cr_assert_not(claims_evidence(), "that was another split");
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	cr_assert(claims_evidence());
	rig_say(BETA, ALPHA);
	rig_say_for_us(BETA, ALPHA, DEAD);
	cr_assert_not(claims_evidence(), "they have been joined for long");
}

/* Beta does not hear us, but we hear it: then it is what the references say now that counts. */
Test(core, r1_without_a_split_on_our_side_the_references_count_as_they_are)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say(BETA, ALPHA);
	rig_set_references(ALPHA, false);
	rig_say_for_us(BETA, ALPHA, DEAD - 1);
	cr_assert_not(rig.beats[ALPHA][BETA].last.groups[0].evidence);
	rig_say(BETA, ALPHA);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	cr_assert(rig.beats[ALPHA][BETA].last.groups[0].evidence);
	rig_set_references(ALPHA, true);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	cr_assert_not(rig.beats[ALPHA][BETA].last.groups[0].evidence);
}

/* Both have to come to the same end at once, and neither has served anybody. */
Test(core, r1_of_two_that_claim_evidence_says_nothing)
{
	rig_begin();
	rig.nodes[ALPHA].stuck = true;
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_puppet(BETA)->unfit = CORE_UNFIT_CHECK;
	rig_start(ALPHA);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_puppet(BETA)->state = CORE_STATE_CLAIMING;
	rig_puppet(BETA)->evidence = true;
	rig_puppet(BETA)->term = 1;
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_puppet(BETA)->term = 2;
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

Test(core, r1_the_winner_tells_of_the_conflict_once_and_announces_when_it_is_over)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = 4;
	rig_say(BETA, ALPHA);
	rig_say(BETA, ALPHA);
	rig_expect("alpha tells peer-up beta\n"
		   "alpha tells conflict beta\n");
	rig_puppet(BETA)->state = CORE_STATE_YIELDING;
	rig_say(BETA, ALPHA);
	rig_expect("alpha announces\n");
	rig_puppet(BETA)->state = CORE_STATE_BACKUP;
	rig_say(BETA, ALPHA);
	rig_expect("");
}

/* With a lease longer than the dead time, so that R8 does not come first. */
static void begin_unheard(void)
{
	rig_begin();
	rig_configure(lease_us, 4 * DEAD);
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = 4;
	rig_deafen(BETA);
	rig_say(BETA, ALPHA);
}

Test(core, r1_a_rival_that_does_not_echo_for_the_dead_time_makes_the_winner_release)
{
	begin_unheard();
	rig_say_for_us(BETA, ALPHA, DEAD - INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("alpha is yielding (unheard)\n"), 1);
}

Test(core, r1_a_rival_that_echoes_will_give_way_and_is_waited_for)
{
	begin_unheard();
	rig_undeafen(BETA);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core, r1_two_primaries_after_a_partition_become_one)
{
	rig_begin();
	rig_pair();
	rig_cut(ALPHA, BETA);
	rig_advance_us(2 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_join(ALPHA, BETA);
	rig_forget();
	rig_advance_us(INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("beta announces\n"), 1);
}

/* The loser heard the winner first, and had given way when it was heard itself. */
Test(core, r1_who_wins_against_one_it_never_heard_hold_announces_again)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_pair();
	rig_cut(ALPHA, BETA);
	rig_advance_us(4 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig.nodes[ALPHA].cut_from[BETA] = false;
	rig_advance_us(2 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	rig_join(ALPHA, BETA);
	rig_forget();
	rig_advance_us(INTERVAL);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("beta tells conflict"), 0);
	cr_assert_eq(rig_count("beta announces\n"), 1);
	rig_advance_us(10 * INTERVAL);
	cr_assert_eq(rig_count("beta announces\n"), 1);
}

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

Test(core, everything_has_a_name)
{
	for (int i = 0; i < _CORE_STATE_MAX; i++)
		cr_assert_gt(strlen(core_state_name((enum core_state)i)), 0);
	for (int i = CORE_REASON_NONE + 1; i < _CORE_REASON_MAX; i++)
		cr_assert_gt(strlen(core_reason_name((enum core_reason)i)), 0);
	for (int i = CORE_RESULT_OK + 1; i < _CORE_RESULT_MAX; i++)
		cr_assert_gt(strlen(core_result_name((enum core_result)i)), 0);
	for (unsigned bit = 1; bit < _CORE_UNFIT_MASK; bit <<= 1)
		cr_assert_gt(strlen(core_unfit_name((enum core_unfit)bit)), 0);
	cr_assert_str_empty(core_reason_name(CORE_REASON_NONE));
	cr_assert_str_empty(core_result_name(CORE_RESULT_OK));
}

/* Words that people type and match on must not be mixed up. */
Test(core, no_two_things_share_a_name)
{
	for (int i = 0; i < _CORE_REASON_MAX; i++)
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(core_reason_name((enum core_reason)i),
					  core_reason_name((enum core_reason)j));
	for (unsigned i = 1; i < _CORE_UNFIT_MASK; i <<= 1)
		for (unsigned j = 1; j < i; j <<= 1)
			cr_assert_str_neq(core_unfit_name((enum core_unfit)i),
					  core_unfit_name((enum core_unfit)j));
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

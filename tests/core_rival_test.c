/* SPDX-License-Identifier: MIT */

/* Two primaries (R1). */

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

Test(core_rival, r1_the_higher_term_wins_and_the_loser_releases_at_once)
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

Test(core_rival, r1_the_lower_term_changes_nothing)
{
	rig_begin();
	meet_rival(ALPHA, BETA, 4, false);
}

Test(core_rival, r1_equal_terms_leave_it_to_the_smaller_node)
{
	rig_begin();
	meet_rival(ALPHA, BETA, 5, false);
	rig_begin();
	meet_rival(BETA, ALPHA, 5, true);
}

Test(core_rival, r1_equal_terms_leave_it_to_the_higher_priority_before_the_smaller_node)
{
	rig_begin();
	rig_configure(priority[BETA], 101);
	meet_rival(ALPHA, BETA, 5, true);
	rig_begin();
	rig_configure(priority[BETA], 101);
	meet_rival(BETA, ALPHA, 5, false);
}

Test(core_rival, r1_evidence_beats_the_term)
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

Test(core_rival, r1_silent_references_are_no_evidence)
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

Test(core_rival, r1_service_traffic_in_the_split_beats_the_term)
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

Test(core_rival, r1_who_saw_traffic_while_both_were_primary_keeps_the_group)
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
Test(core_rival, r1_traffic_outside_the_split_proves_nothing)
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
Test(core_rival, r1_a_reference_that_is_back_together_with_the_peer_proves_nothing)
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

Test(core_rival, r1_while_the_peer_is_away_evidence_is_what_there_is_by_now)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_set_references(ALPHA, false);
	rig_advance_us(DEAD - 2 * INTERVAL);
	cr_assert_not(claims_evidence());
	rig_advance_us(2 * INTERVAL);
	cr_assert(claims_evidence());
}

Test(core_rival, r1_a_third_node_that_falls_silent_changes_nothing_between_two)
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
Test(core_rival, r1_a_split_is_over_when_the_peer_has_been_back_for_the_dead_time)
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

Test(core_rival, r1_evidence_is_of_the_last_split_only)
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
Test(core_rival, r1_without_a_split_on_our_side_the_references_count_as_they_are)
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
Test(core_rival, r1_of_two_that_claim_evidence_says_nothing)
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

Test(core_rival, r1_the_winner_tells_of_the_conflict_once_and_announces_when_it_is_over)
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

Test(core_rival, r1_a_rival_that_does_not_echo_for_the_dead_time_makes_the_winner_release)
{
	begin_unheard();
	rig_say_for_us(BETA, ALPHA, DEAD - INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("alpha is yielding (unheard)\n"), 1);
}

Test(core_rival, r1_a_rival_that_echoes_will_give_way_and_is_waited_for)
{
	begin_unheard();
	rig_undeafen(BETA);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_rival, r1_two_primaries_after_a_partition_become_one)
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
Test(core_rival, r1_who_wins_against_one_it_never_heard_hold_announces_again)
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

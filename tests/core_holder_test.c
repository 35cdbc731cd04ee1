/* SPDX-License-Identifier: MIT */

/* Of several nodes: who holds the group, who gets it, and who has it by now. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

/* Which of two puppets does alpha take for the holder? */
static uint8_t holder(struct core_record beta, struct core_record gamma)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_start(ALPHA);
	beta.present = gamma.present = true;
	beta.move_to = gamma.move_to = CORE_NODE_NONE;
	*rig_puppet(BETA) = beta;
	*rig_puppet(GAMMA) = gamma;
	rig_say(BETA, ALPHA);
	rig_say(GAMMA, ALPHA);
	return core_primary(&rig.nodes[ALPHA].core, 0);
}

static struct core_record record(enum core_state state, uint64_t term)
{
	return (struct core_record){ .state = state, .term = term, .term_max = term };
}

Test(core_holder, of_two_that_say_so_it_is_the_later_one_and_not_one_on_its_way_out)
{
	const struct core_record primary = record(CORE_STATE_PRIMARY, 5);
	const struct core_record later = record(CORE_STATE_PRIMARY, 6);
	const struct core_record leaves = record(CORE_STATE_YIELDING, 5);
	const struct core_record leaves_later = record(CORE_STATE_YIELDING, 6);

	cr_assert_eq(holder(primary, later), GAMMA);
	cr_assert_eq(holder(later, primary), BETA);
	cr_assert_eq(holder(leaves, leaves_later), GAMMA);
	cr_assert_eq(holder(leaves_later, leaves), BETA);
	cr_assert_eq(holder(primary, leaves_later), BETA);
	cr_assert_eq(holder(leaves_later, primary), GAMMA);
	cr_assert_eq(holder(leaves, later), GAMMA);
	cr_assert_eq(holder(primary, primary), BETA, "the first of the names, as everybody has it");
	cr_assert_eq(holder(record(CORE_STATE_BACKUP, 9), leaves), GAMMA);
}

/* Alpha holds under term 5; beta and gamma, puppets, are ready for it. */
static void begin_three(bool strict)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_configure(n_announce, 0);
	rig_configure(groups[0].strict, strict);
	rig_adopted(ALPHA, 5);
	for (int i = 0; i < 40; i++) {
		rig_advance_us(INTERVAL);
		rig_say(BETA, ALPHA);
		rig_say(GAMMA, ALPHA);
	}
	rig_forget();
}

Test(core_holder, the_best_of_the_fit_is_the_successor)
{
	for (uint8_t best = BETA; best <= GAMMA; best++) {
		begin_three(false);
		rig_configure(priority[best], UINT16_MAX);
		rig_say(BETA, ALPHA);
		rig_say(GAMMA, ALPHA);
		rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
		cr_assert_eq(rig_group(ALPHA)->move_to, best);
	}
}

/* Beta may announce, and alpha serves on. */
static void begin_withdrawn(void)
{
	struct core_record *r = rig_puppet(BETA);

	begin_three(false);
	r->term_max = 8;
	rig_say(BETA, ALPHA);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	r->state = CORE_STATE_CLAIMING;
	r->move = CORE_MOVE_READY;
	r->move_id = rig_group(ALPHA)->move_id;
	rig_say(BETA, ALPHA);
	rig_settle();
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_WITHDRAWN);
	cr_assert_eq(rig_group(ALPHA)->move_term, 9);
	rig_forget();
}

Test(core_holder, who_hands_over_and_hears_that_a_third_is_primary_closes)
{
	begin_withdrawn();
	rig_puppet(GAMMA)->state = CORE_STATE_PRIMARY;
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 5;
	rig_say(GAMMA, ALPHA);
	rig_expect("");
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 6;
	rig_say(GAMMA, ALPHA);
	rig_expect("alpha gate closed\n");
	rig_settle();
	cr_assert_eq(rig_count("alpha replies 7 OutcomeUnknown gamma\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_group(ALPHA)->move_to, CORE_NODE_NONE);
}

/* The term of a backup is one that it has seen held. */
Test(core_holder, a_third_that_knows_of_a_later_term_holds_nothing)
{
	begin_withdrawn();
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 6;
	rig_say(GAMMA, ALPHA);
	rig_expect("");
}

Test(core_holder, a_successor_that_is_primary_under_a_term_below_the_offered_one_is_waited_for)
{
	begin_withdrawn();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = 6;
	rig_say(BETA, ALPHA);
	rig_expect("");
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 9;
	rig_say(BETA, ALPHA);
	rig_expect("alpha says nothing\n");
	cr_assert_eq(core_primary(&rig.nodes[ALPHA].core, 0), BETA);
	rig_advance_us(LINGER);
	cr_assert_eq(rig_count("alpha replies 7  beta\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_group(ALPHA)->move_to, CORE_NODE_NONE);
}

/* Strict: gamma has let go for beta, and alpha, the first of the nodes, is primary since. */
Test(core_holder, the_first_node_may_be_the_third_that_holds)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_standby(BETA, ALPHA, 7);
	rig_puppet(GAMMA)->term = 5;
	rig_hand_over(GAMMA, BETA, CORE_MOVE_RELEASED);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_REFUSED);
	cr_assert_eq(rig_group(BETA)->why, CORE_RESULT_BUSY);
}

Test(core_holder, strict_the_first_node_is_a_successor_like_any_other)
{
	rig_begin();
	rig_configure(groups[0].strict, true);
	rig_adopted(BETA, 5);
	rig_say_for_us(ALPHA, BETA, 2 * DEAD);
	rig_request(BETA, CORE_EV_SWITCHOVER, 7);
	rig_done_all(BETA);
	cr_assert_eq(rig_group(BETA)->step, CORE_STEP_YIELD_RELEASED);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_RELEASED);
}

/* Beta has taken over for a caller, and alpha has not said yet that it knows. */
Test(core_holder, a_new_holder_that_loses_against_a_third_does_not_know_the_outcome)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_configure(n_announce, 0);
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_RELEASED);
	rig_done_all(BETA);
	cr_assert(instant_is_set(rig_group(BETA)->provisional));
	rig_puppet(GAMMA)->state = CORE_STATE_PRIMARY;
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 9;
	rig_say(GAMMA, BETA);
	rig_done_all(BETA);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("beta replies 8 OutcomeUnknown gamma\n"), 1, "%s", rig.trace);
}

/* R5: Preempt=yes, on the better node. */
static void begin_preempting(void)
{
	rig_preempting();
	rig_set_fitness(ALPHA, CORE_UNFIT_SYNC, true);
	rig_forget();
}

Test(core_holder, r5_who_is_not_synchronised_asks_for_nothing_and_answers_nobody)
{
	begin_preempting();
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	cr_assert_eq(rig_count("replies"), 0, "%s", rig.trace);
	cr_assert_eq(rig_count("says ask"), 0);
	rig_set_fitness(ALPHA, CORE_UNFIT_SYNC, false);
	cr_assert_eq(rig_count("alpha says ask\n"), 1, "%s", rig.trace);
}

Test(core_holder, r5_who_is_on_its_way_out_is_not_asked)
{
	begin_preempting();
	rig_say(BETA, ALPHA);
	rig_puppet(BETA)->state = CORE_STATE_YIELDING;
	rig_say(BETA, ALPHA);
	rig_set_fitness(ALPHA, CORE_UNFIT_SYNC, false);
	rig_say(BETA, ALPHA);
	cr_assert_eq(rig_count("says ask"), 0);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_say(BETA, ALPHA);
	cr_assert_eq(rig_count("alpha says ask\n"), 1, "%s", rig.trace);
}

/* R1: what beta saw while alpha, the first of the nodes, was silent. */
Test(core_holder, traffic_during_the_silence_of_the_first_node_is_evidence)
{
	rig_begin();
	rig_adopted(BETA, 5);
	rig_say(ALPHA, BETA);
	rig_advance_us(2 * DEAD);
	cr_assert_eq(rig_count("beta tells peer-silent alpha\n"), 1);
	rig_event(BETA, CORE_EV_TRAFFIC);
	rig_say(ALPHA, BETA);
	rig_event(BETA, CORE_EV_TIME);
	rig_advance_us(INTERVAL);
	cr_assert(rig.beats[BETA][ALPHA].last.groups[0].evidence);
}

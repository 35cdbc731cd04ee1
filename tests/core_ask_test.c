/* SPDX-License-Identifier: MIT */

/* Who asks whom for a group, and what is left of it afterwards. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

Test(core_ask, who_is_not_the_best_successor_is_denied)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_adopted(ALPHA, 5);
	for (int i = 0; i < 20; i++) {
		rig_advance_us(INTERVAL);
		rig_say(BETA, ALPHA);
		rig_say(GAMMA, ALPHA);
	}
	rig_ask(GAMMA, ALPHA, 500);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_DENIED);
	cr_assert_eq(rig_group(ALPHA)->why, CORE_RESULT_NOT_FIT);
	cr_assert_eq(rig_group(ALPHA)->move_to, GAMMA);
	rig_ask(BETA, ALPHA, 501);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(rig_group(ALPHA)->move_to, BETA);
}

Test(core_ask, a_new_holder_denies_until_it_is_acknowledged)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_configure(n_announce, 0);
	rig_standby(BETA, ALPHA, 5);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_RELEASED);
	rig_done_all(BETA);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_ask(GAMMA, BETA, 500);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_DENIED);
	cr_assert_eq(rig_group(BETA)->why, CORE_RESULT_BUSY);
}

Test(core_ask, a_denial_ends_where_the_group_moves)
{
	rig_begin();
	rig_configure(groups[0].strict, true);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_puppet(BETA)->unfit = CORE_UNFIT_CHECK;
	rig_ask(BETA, ALPHA, 500);
	cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_DENIED);
	rig_puppet(BETA)->unfit = 0;
	rig_ask(BETA, ALPHA, 500);
	rig.nodes[ALPHA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_NONE);
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	rig_answer(ALPHA, CORE_DO_REMOVE, 0);
	cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_RELEASED);
}

Test(core_ask, who_has_refused_claims_on_its_own_account_later)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_OFFER);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_REFUSED);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, false);
	rig.nodes[BETA].stuck = true;
	rig_advance_us(DEAD);
	cr_assert_eq(rig_group(BETA)->step, CORE_STEP_CLAIM_PREPARE);
	cr_assert_eq(rig_group(BETA)->since.us, rig.now.us);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_NONE);
	cr_assert_eq(rig_group(BETA)->move_to, CORE_NODE_NONE);
	cr_assert_eq(rig_group(BETA)->term, 7);
}

Test(core_ask, a_caller_is_told_how_long_it_waited)
{
	const struct core_action *a = NULL;

	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_say(ALPHA, BETA);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_advance_us(DEAD - 1);
	rig_skip_us(1);
	rig_event(BETA, CORE_EV_TIME);
	for (size_t i = 0; i < rig.actions.n; i++)
		if (rig.actions.v[i].type == CORE_DO_REPLY)
			a = &rig.actions.v[i];
	cr_assert(a);
	cr_assert_eq(a->reply.result, CORE_RESULT_PEER_UNREACHABLE);
	cr_assert_eq(a->reply.took_us, DEAD);
}

Test(core_ask, a_caller_is_answered_when_the_new_holder_lapses)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_RELEASED);
	rig_done_all(BETA);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_forget();
	rig_event(BETA, CORE_EV_LAPSED);
	cr_assert_eq(rig_count("beta replies 8 Failed "), 1, "%s", rig.trace);
}

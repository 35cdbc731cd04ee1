/* SPDX-License-Identifier: MIT */

/* What people and callers are told, to the letter. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

/* What the last step told last of this kind; there has to be something. */
static const struct core_action *told(enum core_tell what)
{
	for (size_t i = rig.actions.n; i-- > 0;) {
		const struct core_action *a = &rig.actions.v[i];

		if (a->type == CORE_DO_TELL && a->tell.what == what)
			return a;
	}
	cr_assert(false, "%s was not told", rig_told(what));
	return NULL;
}

static const struct core_action *done(enum core_action_type type)
{
	for (size_t i = 0; i < rig.actions.n; i++)
		if (rig.actions.v[i].type == type)
			return &rig.actions.v[i];
	cr_assert(false, "no action %d", type);
	return NULL;
}

/* Group 1 of alpha is held under term 5; of beta, a puppet, nothing has been heard. */
static void begin(void)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig.nodes[ALPHA].start[1].start.adopted = true;
	rig.nodes[ALPHA].start[1].start.term = 5;
	rig.nodes[ALPHA].start[1].start.lease_left_us = LEASE;
	rig_start(ALPHA);
	rig.nodes[BETA].puppet.groups[1].term_max = 7;
}

static void expect_role(const struct core_action *a, enum core_state from, enum core_state state,
			bool was_primary, bool primary)
{
	cr_assert_eq(a->tell.from, from);
	cr_assert_eq(a->tell.state, state);
	cr_assert_eq(a->tell.was_primary, was_primary);
	cr_assert_eq(a->tell.primary, primary);
}

Test(core_tell, a_change_of_state_says_from_what_to_what_and_why)
{
	const struct core_action *a;

	begin();
	a = told(CORE_TELL_STATE);
	expect_role(a, CORE_STATE_BACKUP, CORE_STATE_PRIMARY, false, true);
	cr_assert_eq(a->group, 1);
	cr_assert_eq(a->peer, CORE_NODE_NONE);
	cr_assert_eq(a->id, 0);
	cr_assert_eq(a->tell.reason, CORE_REASON_ADOPTED);
	cr_assert_eq(a->tell.term, 5);
	cr_assert_eq(a->tell.unfit, CORE_UNFIT_STARTING);
	cr_assert_eq(a->tell.result, CORE_RESULT_OK);
	cr_assert_eq(a->tell.err, 0);

	rig_event(ALPHA, CORE_EV_DISOWNED);
	a = told(CORE_TELL_STATE);
	expect_role(a, CORE_STATE_PRIMARY, CORE_STATE_YIELDING, true, true);
	cr_assert_eq(a->tell.reason, CORE_REASON_DISOWNED);
	rig_answer_next(ALPHA, 0);
	rig_answer_next(ALPHA, 0);
	expect_role(told(CORE_TELL_STATE), CORE_STATE_YIELDING, CORE_STATE_FAULT, true, false);
}

Test(core_tell, a_lapse_is_told_before_the_state_changes)
{
	const struct core_action *a;

	begin();
	rig_event(ALPHA, CORE_EV_LAPSED);
	a = told(CORE_TELL_LAPSED);
	expect_role(a, CORE_STATE_PRIMARY, CORE_STATE_PRIMARY, true, true);
	cr_assert_eq(a->group, 1);
	cr_assert_eq(a->tell.result, CORE_RESULT_OK);
	cr_assert_eq(a->tell.err, 0);
	expect_role(told(CORE_TELL_STATE), CORE_STATE_PRIMARY, CORE_STATE_CLAIMING, true, false);
	cr_assert_eq(done(CORE_DO_SHUT)->group, 0);
	rig_answer_next(ALPHA, -5);
	a = told(CORE_TELL_ACTION_FAILED);
	cr_assert_eq(a->group, 0);
	cr_assert_eq(a->tell.result, CORE_RESULT_FAILED);
	cr_assert_eq(a->tell.err, -5);
}

Test(core_tell, a_peer_is_named_when_it_comes_differs_loses_its_agent_and_goes)
{
	const struct core_action *a;

	begin();
	rig.nodes[BETA].puppet.digest = 2;
	rig_say(BETA, ALPHA);
	a = told(CORE_TELL_PEER_UP);
	cr_assert_eq(a->peer, BETA);
	cr_assert_eq(a->group, 0);
	a = told(CORE_TELL_DIGEST);
	cr_assert_eq(a->peer, BETA);
	cr_assert_eq(a->group, 0);
	rig_step(ALPHA, &(struct core_event){ .type = CORE_EV_UNREACHABLE, .peer = BETA });
	a = told(CORE_TELL_PEER_NO_AGENT);
	cr_assert_eq(a->peer, BETA);
	cr_assert_eq(a->group, 0);
	rig_advance_us(DEAD - 1);
	rig_skip_us(1);
	rig_event(ALPHA, CORE_EV_TIME);
	a = told(CORE_TELL_PEER_SILENT);
	cr_assert_eq(a->peer, BETA);
	cr_assert_eq(a->group, 0);
}

Test(core_tell, who_disowns_us_is_named)
{
	const struct core_action *a;

	begin();
	rig_step(ALPHA, &(struct core_event){ .type = CORE_EV_DISOWNED, .peer = BETA });
	a = told(CORE_TELL_DISOWNED);
	cr_assert_eq(a->peer, BETA);
	cr_assert_eq(a->group, 0);
	cr_assert_eq(a->tell.result, CORE_RESULT_OK);
	cr_assert_eq(a->tell.err, 0);
	a = told(CORE_TELL_UNFIT);
	cr_assert_eq(a->tell.unfit, CORE_UNFIT_STARTING | CORE_UNFIT_DISOWNED);
	cr_assert_eq(a->tell.result, CORE_RESULT_OK);
	cr_assert_eq(a->tell.err, 0);
}

Test(core_tell, a_rival_is_named)
{
	const struct core_action *a;

	begin();
	rig.nodes[BETA].puppet.groups[1].state = CORE_STATE_PRIMARY;
	rig.nodes[BETA].puppet.groups[1].term = 4;
	rig_say(BETA, ALPHA);
	a = told(CORE_TELL_CONFLICT);
	cr_assert_eq(a->peer, BETA);
	cr_assert_eq(a->group, 1);
	cr_assert_eq(a->tell.result, CORE_RESULT_OK);
	cr_assert_eq(a->tell.err, 0);
}

Test(core_tell, a_repair_and_its_failure_are_told_with_the_error)
{
	const struct core_action *a;

	begin();
	rig_step(ALPHA, &(struct core_event){ .type = CORE_EV_LOST, .group = 1 });
	cr_assert_eq(done(CORE_DO_PREPARE)->group, 1);
	cr_assert_not(done(CORE_DO_PREPARE)->ticket);
	rig_answer_next(ALPHA, -19);
	a = told(CORE_TELL_ACTION_FAILED);
	cr_assert_eq(a->group, 1);
	cr_assert_eq(a->tell.result, CORE_RESULT_FAILED);
	cr_assert_eq(a->tell.err, -19);
	cr_assert_eq(told(CORE_TELL_UNFIT)->tell.unfit, CORE_UNFIT_STARTING | CORE_UNFIT_DRIFT);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(2 * USEC_PER_SEC);
	rig_answer_next(ALPHA, 0);
	a = told(CORE_TELL_REPAIRED);
	cr_assert_eq(a->group, 1);
	cr_assert_eq(a->tell.result, CORE_RESULT_OK);
	cr_assert_eq(a->tell.err, 0);
}

Test(core_tell, a_gate_that_cannot_be_laid_anew_is_told_with_the_error)
{
	const struct core_action *a;

	begin();
	rig_event(ALPHA, CORE_EV_FLUSHED);
	cr_assert_eq(done(CORE_DO_REBUILD)->group, 0);
	rig_answer_next(ALPHA, -12);
	a = told(CORE_TELL_ACTION_FAILED);
	cr_assert_eq(a->group, 0);
	cr_assert_eq(a->tell.result, CORE_RESULT_FAILED);
	cr_assert_eq(a->tell.err, -12);
}

Test(core_tell, a_release_that_fails_is_told_with_the_error)
{
	const struct core_action *a;

	begin();
	rig_event(ALPHA, CORE_EV_DISOWNED);
	rig_answer_next(ALPHA, 0);
	rig_answer_next(ALPHA, -7);
	a = told(CORE_TELL_ACTION_FAILED);
	cr_assert_eq(a->group, 1);
	cr_assert_eq(a->tell.result, CORE_RESULT_FAILED);
	cr_assert_eq(a->tell.err, -7);
}

Test(core_tell, a_claim_that_fails_is_told_with_the_error)
{
	const struct core_action *a;

	rig_begin();
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig_answer(ALPHA, CORE_DO_PREPARE, -13);
	a = told(CORE_TELL_ACTION_FAILED);
	cr_assert_eq(a->tell.result, CORE_RESULT_FAILED);
	cr_assert_eq(a->tell.err, -13);

	rig_begin();
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig_advance_us(STEP);
	cr_assert_eq(rig.failure, -110);
}

Test(core_tell, a_move_that_fails_is_told_with_its_result)
{
	const struct core_action *a;
	struct core_event event = { .type = CORE_EV_SWITCHOVER, .group = 1 };

	event.request.request = 3;
	begin();
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_step(ALPHA, &event);
	rig.nodes[BETA].puppet.groups[1].move = CORE_MOVE_REFUSED;
	rig.nodes[BETA].puppet.groups[1].why = CORE_RESULT_NOT_FIT;
	rig.nodes[BETA].puppet.groups[1].move_id = rig.nodes[ALPHA].core.groups[1].move_id;
	rig_say(BETA, ALPHA);
	a = told(CORE_TELL_MOVE_FAILED);
	cr_assert_eq(a->group, 1);
	cr_assert_eq(a->tell.result, CORE_RESULT_NOT_FIT);
	cr_assert_eq(a->tell.err, 0);
	a = done(CORE_DO_REPLY);
	cr_assert_eq(a->group, 1);
	cr_assert_eq(a->reply.request, 3);
	cr_assert_eq(a->reply.result, CORE_RESULT_NOT_FIT);
	cr_assert_eq(a->reply.primary, ALPHA);
	cr_assert_eq(a->reply.took_us, 0);
}

/* Whoever gets an answer is told how long it took; only a success is remembered. */
Test(core_tell, how_long_it_took_is_told_and_kept_if_it_came_to_something)
{
	rig_begin();
	rig_pair();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
	cr_assert_eq(rig_group(ALPHA)->last_switchover_us, 0);
	rig_skip_us(STEP);
	rig_event(ALPHA, CORE_EV_TIME);
	rig_skip_us(1000);
	rig_event(ALPHA, CORE_EV_TIME);
	rig_advance_us(10 * USEC_PER_SEC);
	cr_assert_eq(rig_count("alpha replies 1 "), 1);
	cr_assert_eq(rig_count("alpha replies 1  "), 0);
	cr_assert_eq(rig_group(ALPHA)->last_switchover_us, 0);
}

/* Ids are never 0: that is nobody's, and nothing's. */
Test(core_tell, ids_leave_zero_out)
{
	begin();
	rig.nodes[ALPHA].core.next_id = UINT32_MAX;
	rig_event(ALPHA, CORE_EV_FLUSHED);
	cr_assert_eq(done(CORE_DO_REBUILD)->id, 1);

	begin();
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig.nodes[ALPHA].core.salt = UINT32_MAX;
	rig.nodes[ALPHA].n_orders = 0;
	rig_step(ALPHA, &(struct core_event){ .type = CORE_EV_SWITCHOVER,
					      .group = 1,
					      .request = { .request = 3 } });
	cr_assert_eq(rig.nodes[ALPHA].core.groups[1].move_id, 1);
	cr_assert_eq(done(CORE_DO_STORE)->store.term, 8);
	cr_assert_eq(done(CORE_DO_STORE)->group, 1);
	cr_assert_not(done(CORE_DO_STORE)->store.maintenance);
}

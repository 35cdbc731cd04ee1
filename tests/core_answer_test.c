/* SPDX-License-Identifier: MIT */

/* Who asks, who is answered what, and who asks again and when. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

/* Alpha, which ranks higher and has Preempt=yes, has just asked beta for the group. */
static void begin_preempting(void)
{
	rig_preempting();
	rig_say(BETA, ALPHA);
	cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_ASK);
	rig_forget();
}

static void deny(uint32_t id)
{
	struct core_record *r = rig_puppet(BETA);

	r->move = CORE_MOVE_DENIED;
	r->why = CORE_RESULT_NOT_FIT;
	r->move_to = ALPHA;
	r->move_id = id;
	rig_say(BETA, ALPHA);
}

Test(core_answer, a_denial_that_is_repeated_does_not_put_the_next_request_off)
{
	uint32_t id;

	begin_preempting();
	id = rig_group(ALPHA)->move_id;
	deny(id);
	rig_say_for_us(BETA, ALPHA, 2 * USEC_PER_SEC - INTERVAL);
	rig_advance_us(INTERVAL - 1);
	deny(id);
	rig_expect("alpha says nothing\n");
	rig_skip_us(1);
	deny(id);
	rig_expect("alpha says ask\n");
}

Test(core_answer, who_is_not_answered_asks_again_after_a_pause)
{
	begin_preempting();
	rig_say_for_us(BETA, ALPHA, 2 * STEP);
	rig_expect("alpha says nothing\n");
	rig_say_for_us(BETA, ALPHA, 2 * USEC_PER_SEC - INTERVAL);
	rig_advance_us(INTERVAL - 1);
	rig_say(BETA, ALPHA);
	rig_expect("");
	rig_skip_us(1);
	rig_say(BETA, ALPHA);
	rig_expect("alpha says ask\n");
}

/* Beta is offered the group; gamma, which ranks lower, was its holder and has not heard of it. */
Test(core_answer, who_takes_the_group_over_asks_nobody_for_it)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_configure(groups[0].preempt, true);
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	rig_hand_over(ALPHA, BETA, CORE_MOVE_OFFER);
	rig_puppet(GAMMA)->state = CORE_STATE_PRIMARY;
	rig_puppet(GAMMA)->term = rig_puppet(GAMMA)->term_max = 5;
	rig_say(GAMMA, BETA);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
	cr_assert_eq(rig_count("says ask"), 0);
}

Test(core_answer, who_asks_and_does_not_hear_is_denied_for_that)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_deafen(BETA);
	rig_ask(BETA, ALPHA, 500);
	cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_DENIED);
	cr_assert_eq(rig_group(ALPHA)->why, CORE_RESULT_PEER_UNREACHABLE);
}

Test(core_answer, who_does_not_know_the_group_is_no_successor)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->present = false;
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_forget();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_expect("alpha replies 7 PeerUnreachable alpha\n");
}

/* Neither ends because somebody else says nothing of it. */
Test(core_answer, a_denial_and_a_refusal_are_for_whom_they_name)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_adopted(ALPHA, 5);
	rig_deafen(GAMMA);
	rig_ask(GAMMA, ALPHA, 500);
	cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_DENIED);
	rig_say(BETA, ALPHA);
	cr_assert_eq(rig_group(ALPHA)->move, CORE_MOVE_DENIED);

	rig_begin();
	rig_configure(n_nodes, 3);
	rig_standby(BETA, ALPHA, 5);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_OFFER);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_REFUSED);
	rig_say(GAMMA, BETA);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_REFUSED);
}

/* Beta has taken over for a caller, and alpha has not said yet that it knows. */
static void begin_provisional(void)
{
	struct core_record *r = rig_puppet(ALPHA);

	rig_begin();
	rig_configure(n_announce, 0);
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	r->state = CORE_STATE_YIELDING;
	r->move = CORE_MOVE_RELEASED;
	r->move_to = BETA;
	r->move_id = 77;
	r->move_term = 6;
	r->term_max = 9; /* of somewhere else */
	rig_say(ALPHA, BETA);
	rig_done_all(BETA);
	cr_assert_eq(rig.beats[BETA][ALPHA].last.groups[0].move_term, 6);
	cr_assert_eq(rig.beats[BETA][ALPHA].last.groups[0].term_max, 9);
	rig_forget();
}

Test(core_answer, a_new_holder_whose_predecessor_dies_has_got_it)
{
	begin_provisional();
	rig_advance_us(DEAD);
	cr_assert_eq(rig_count("beta replies 8  beta\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_group(BETA)->move_to, CORE_NODE_NONE);
}

Test(core_answer, a_new_holder_that_is_acknowledged_has_got_it)
{
	begin_provisional();
	rig_puppet(ALPHA)->state = CORE_STATE_BACKUP;
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_count("beta replies 8  beta\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_group(BETA)->move_to, CORE_NODE_NONE);
}

Test(core_answer, a_new_holder_that_is_never_acknowledged_has_not)
{
	begin_provisional();
	rig_say_for_us(ALPHA, BETA, 2 * DEAD);
	cr_assert_eq(rig_count("beta replies 8 Timeout "), 1, "%s", rig.trace);
}

Test(core_answer, how_long_maintenance_took_is_told)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 7);
	rig_say_for_us(BETA, ALPHA, STEP - INTERVAL);
	rig_advance_us(INTERVAL - 1);
	rig_skip_us(1);
	rig_event(ALPHA, CORE_EV_TIME);
	for (size_t i = 0; i < rig.actions.n; i++)
		if (rig.actions.v[i].type == CORE_DO_REPLY)
			cr_assert_eq(rig.actions.v[i].reply.took_us, STEP);
	cr_assert_eq(rig_count("alpha replies 7 Timeout alpha\n"), 1, "%s", rig.trace);
}

/* R1: a rival that has answered in the very instant in which it was met hears us. */
Test(core_answer, who_is_heard_by_the_rival_stays)
{
	rig_begin();
	rig_configure(lease_us, 4 * DEAD);
	rig_adopted(ALPHA, 9);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 5;
	rig_advance_us(INTERVAL);
	rig_say(BETA, ALPHA);
	cr_assert_eq(rig.nodes[ALPHA].core.peers[BETA].echoed_sent_at.us,
		     rig_group(ALPHA)->rival_since.us);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* R10: the heartbeat that says that alpha knows us may be the one that offers. */
Test(core_answer, who_is_not_disowned_any_more_takes_what_it_is_offered)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	rig_event(BETA, CORE_EV_DISOWNED);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_OFFER);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
}

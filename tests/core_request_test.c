/* SPDX-License-Identifier: MIT */

/* Who asks for a switchover is answered, and once. */

#include "agent/core/core.h"

#include "tests/core_move_rig.h"

Test(core_request, asked_on_the_backup_it_is_passed_on_and_answered_there)
{
	begin(false);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_expect("beta says ask\n");
	rig_deliver(BETA, ALPHA);
	rig_expect("alpha stores 2\n"
		   "alpha is yielding (switchover)\n"
		   "alpha says offer\n");
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("replies"), 1);
	cr_assert_eq(rig_count("beta replies 8  beta\n"), 1);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 9);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha replies 9  alpha\n"), 1);
	cr_assert_eq(rig_group(ALPHA)->term, 3);
	cr_assert_eq(rig_count("repairs"), 0);
}

Test(core_request, what_was_asked_for_is_taken_up_once_although_it_is_heard_again_and_again)
{
	begin_with_puppet(false);
	rig_ask(BETA, ALPHA, 500);
	rig_expect("alpha stores 6\n"
		   "alpha is yielding (switchover)\n"
		   "alpha says offer\n");
	for (uint64_t us = 0; us < STEP; us += INTERVAL) {
		rig_advance_us(INTERVAL);
		rig_ask(BETA, ALPHA, 500);
	}
	rig_expect("alpha is primary (rolled-back)\n"
		   "alpha tells move-failed Timeout\n"
		   "alpha says denied\n");
	cr_assert_eq(rig.beats[ALPHA][BETA].last.groups[0].move_to, BETA);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.groups[0].why, CORE_RESULT_TIMEOUT);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.groups[0].move_id, 500);
	rig_ask(BETA, ALPHA, 500);
	rig_expect("");
}

Test(core_request, what_is_asked_of_somebody_else_is_not_heeded)
{
	begin_with_puppet(false);
	rig_puppet(BETA)->move = CORE_MOVE_ASK;
	rig_puppet(BETA)->move_to = GAMMA;
	rig_puppet(BETA)->move_id = 500;
	rig_say(BETA, ALPHA);
	rig_expect("");
}

Test(core_request, a_holder_that_cannot_denies_until_nobody_asks_any_more)
{
	begin_with_puppet(false);
	rig_puppet(BETA)->unfit = CORE_UNFIT_CHECK;
	rig_ask(BETA, ALPHA, 500);
	rig_expect("alpha says denied\n");
	cr_assert_eq(rig.beats[ALPHA][BETA].last.groups[0].why, CORE_RESULT_NOT_FIT);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.groups[0].move_id, 500);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.groups[0].move_to, BETA);
	rig_puppet(BETA)->unfit = 0;
	rig_ask(BETA, ALPHA, 500);
	rig_expect("");
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_say(BETA, ALPHA);
	rig_expect("alpha says nothing\n");
	rig_ask(BETA, ALPHA, 501);
	cr_assert_eq(rig_count("alpha says offer\n"), 1);
}

Test(core_request, a_caller_whose_request_is_denied_is_told_why)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_puppet(ALPHA)->move = CORE_MOVE_DENIED;
	rig_puppet(ALPHA)->why = CORE_RESULT_BUSY;
	rig_puppet(ALPHA)->move_to = BETA;
	rig_puppet(ALPHA)->move_id = rig_group(BETA)->move_id - 1;
	rig_say(ALPHA, BETA);
	rig_expect("beta says ask\n");
	rig_puppet(ALPHA)->move_id = rig_group(BETA)->move_id;
	rig_say(ALPHA, BETA);
	rig_expect("beta replies 8 Busy alpha\n"
		   "beta says nothing\n");
	rig_say_for_us(ALPHA, BETA, 3 * STEP);
	rig_expect("");
}

Test(core_request, a_request_that_the_holder_never_answers_ends_in_an_unknown_outcome)
{
	rig_begin();
	rig_configure(step_us, STEP + 12345); /* not on the beat */
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_say_for_us(ALPHA, BETA, 2 * (STEP + 12345) - 1);
	cr_assert_eq(rig_count("replies"), 0);
	rig_advance_us(1);
	cr_assert_eq(rig_count("beta replies 8 OutcomeUnknown alpha\n"), 1);
	rig_say_for_us(ALPHA, BETA, 2 * STEP);
	cr_assert_eq(rig_count("replies"), 1);
}

Test(core_request, a_request_whose_holder_dies_is_answered_when_that_is_known)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_advance_us(DEAD);
	cr_assert_eq(rig_count("beta replies 8 PeerUnreachable nobody\n"), 1);
	rig_advance_us(10 * USEC_PER_SEC);
	cr_assert_eq(rig_count("replies"), 1);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_request, what_cannot_be_is_answered_at_once)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
	rig_expect("alpha replies 1 PeerUnreachable alpha\n");
	cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0), CORE_RESULT_PEER_UNREACHABLE);

	begin_with_puppet(false);
	cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0), CORE_RESULT_OK);
	rig_puppet(BETA)->unfit = CORE_UNFIT_SYNC;
	rig_say(BETA, ALPHA);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 2);
	rig_expect("alpha replies 2 NotFit alpha\n");

	rig_begin();
	rig_start(BETA);
	rig_say(ALPHA, BETA);
	rig_forget();
	rig_request(BETA, CORE_EV_SWITCHOVER, 3);
	rig_expect("beta replies 3 NotFit nobody\n");
	rig_say_for_us(ALPHA, BETA, DEAD + INTERVAL);
	rig_forget();
	rig_request(BETA, CORE_EV_SWITCHOVER, 4);
	rig_expect("beta replies 4 NotHeld nobody\n");
	cr_assert_eq(core_can_switchover(&rig.nodes[BETA].core, 0), CORE_RESULT_NOT_HELD);
}

Test(core_request, while_one_is_under_way_a_second_request_is_busy)
{
	begin(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
	rig_forget();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 2);
	rig_expect("alpha replies 2 Busy alpha\n");
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 3);
	rig_expect("alpha replies 3 Busy alpha\n");
	cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0), CORE_RESULT_BUSY);
	rig_deliver(ALPHA, BETA);
	rig_forget();
	rig_request(BETA, CORE_EV_SWITCHOVER, 4);
	rig_expect("beta replies 4 Busy alpha\n");
	cr_assert_eq(core_can_switchover(&rig.nodes[BETA].core, 0), CORE_RESULT_BUSY);
	rig_advance_us(USEC_PER_SEC);
	cr_assert_eq(rig_count("replies"), 1);
	cr_assert_eq(rig_count("alpha replies 1  beta\n"), 1);
}

Test(core_request, a_second_request_on_the_backup_is_busy_too)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_SWITCHOVER, 1);
	rig_forget();
	rig_request(BETA, CORE_EV_SWITCHOVER, 2);
	rig_expect("beta replies 2 Busy alpha\n");
	cr_assert_eq(core_can_switchover(&rig.nodes[BETA].core, 0), CORE_RESULT_BUSY);
}

Test(core_request, a_caller_whose_own_node_fails_is_told_so)
{
	begin(false);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_deliver(BETA, ALPHA);
	rig_deliver(ALPHA, BETA);
	rig_answer(BETA, CORE_DO_PREPARE, -12);
	cr_assert_eq(rig_count("beta replies 8 Failed alpha\n"), 1);
	rig_advance_us(10 * USEC_PER_SEC);
	cr_assert_eq(rig_count("replies"), 1);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_request, another_life_asks_under_other_ids)
{
	uint32_t first;

	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	first = rig_group(BETA)->move_id;
	rig_kill(BETA);
	rig.nodes[BETA].start[0].start.salt = 12345;
	rig_start(BETA);
	rig_say(ALPHA, BETA);
	rig_request(BETA, CORE_EV_SWITCHOVER, 9);
	cr_assert_neq(rig_group(BETA)->move_id, first);

	rig.nodes[BETA].start[0].start.salt = UINT32_MAX;
	rig_start(BETA);
	rig_say(ALPHA, BETA);
	rig_request(BETA, CORE_EV_SWITCHOVER, 9);
	cr_assert_neq(rig_group(BETA)->move_id, 0, "which is no id");
}

/* What can go wrong after a caller has asked alpha; the world goes on by itself. */

static void nothing(void)
{
}

static void peer_dies(void)
{
	rig_kill(BETA);
}

static void peer_dies_later(void)
{
	rig_deliver(ALPHA, BETA);
	rig_done_all(BETA);
	rig_deliver(BETA, ALPHA);
	rig_done_all(ALPHA);
	rig_kill(BETA);
}

static void peer_kernel_hangs(void)
{
	rig.nodes[BETA].stuck = true;
}

static void peer_kernel_fails(void)
{
	rig_deliver(ALPHA, BETA);
	if (rig.nodes[BETA].n_orders)
		rig_answer(BETA, CORE_DO_PREPARE, -12);
}

static void peer_gate_fails(void)
{
	rig_deliver(ALPHA, BETA);
	if (rig.nodes[BETA].n_orders)
		rig_answer(BETA, CORE_DO_GATE, -2);
}

static void cable_breaks(void)
{
	rig_cut(ALPHA, BETA);
}

static void cable_breaks_later(void)
{
	peer_dies_later();
	rig.nodes[BETA].runs = true;
	rig_cut(ALPHA, BETA);
}

static void peer_becomes_deaf(void)
{
	rig.nodes[BETA].cut_from[ALPHA] = true;
	rig_lose(ALPHA, BETA);
}

static void we_become_deaf(void)
{
	rig.nodes[ALPHA].cut_from[BETA] = true;
	rig_lose(BETA, ALPHA);
}

static void lease_lapses(void)
{
	rig_event(ALPHA, CORE_EV_LAPSED);
}

static void peers_lease_lapses(void)
{
	rig_deliver(ALPHA, BETA);
	rig_done_all(BETA);
	rig_event(BETA, CORE_EV_LAPSED);
}

static void we_freeze(void)
{
	rig.nodes[ALPHA].frozen = true;
	rig_advance_us(2 * USEC_PER_SEC);
	rig.nodes[ALPHA].frozen = false;
}

static void peer_freezes(void)
{
	rig_deliver(ALPHA, BETA);
	rig.nodes[BETA].frozen = true;
	rig_advance_us(2 * USEC_PER_SEC);
	rig.nodes[BETA].frozen = false;
}

static void link_fails(void)
{
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
}

static void peers_link_fails(void)
{
	rig_deliver(ALPHA, BETA);
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
}

static void our_kernel_fails(void)
{
	if (rig.nodes[ALPHA].n_orders)
		rig_answer(ALPHA, CORE_DO_STORE, -28);
	if (rig.nodes[ALPHA].n_orders)
		rig_answer_next(ALPHA, -5);
}

static void (*const troubles[])(void) = {
	nothing,	   peer_dies,	    peer_dies_later, peer_kernel_hangs,
	peer_kernel_fails, peer_gate_fails, cable_breaks,    cable_breaks_later,
	peer_becomes_deaf, we_become_deaf,  lease_lapses,    peers_lease_lapses,
	we_freeze,	   peer_freezes,    link_fails,	     peers_link_fails,
	our_kernel_fails,
};

static void ask_alpha(enum core_event_type what, void (*trouble)(void), bool strict)
{
	begin(strict);
	rig_request(ALPHA, what, 7);
	trouble();
	rig_advance_us(60 * USEC_PER_SEC);
}

Test(core_request, whatever_happens_a_request_is_answered_exactly_once)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(troubles); i++) {
		ask_alpha(CORE_EV_SWITCHOVER, troubles[i / 2], i % 2);
		cr_assert_eq(rig_count("alpha replies 7 "), 1, "trouble %zu, strict %zu:\n%s",
			     i / 2, i % 2, rig.trace);
		cr_assert_eq(rig_count(" replies "), 1);
	}
}

Test(core_request, whatever_happens_a_request_for_maintenance_is_answered_exactly_once)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(troubles); i++) {
		ask_alpha(CORE_EV_MAINTENANCE, troubles[i / 2], i % 2);
		cr_assert_eq(rig_count("alpha replies 7 "), 1, "trouble %zu, strict %zu:\n%s",
			     i / 2, i % 2, rig.trace);
	}
}

Test(core_request, whatever_happens_a_request_to_the_backup_is_answered_exactly_once)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(troubles); i++) {
		if (troubles[i / 2] == peer_dies || troubles[i / 2] == peer_dies_later)
			continue; /* and the caller with it */
		begin(i % 2);
		rig_request(BETA, CORE_EV_SWITCHOVER, 7);
		rig_deliver(BETA, ALPHA);
		troubles[i / 2]();
		rig_advance_us(60 * USEC_PER_SEC);
		cr_assert_eq(rig_count("beta replies 7 "), 1, "trouble %zu, strict %zu:\n%s", i / 2,
			     i % 2, rig.trace);
	}
}

Test(core_request, whatever_happens_one_node_holds_the_group_when_it_is_over)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(troubles); i++) {
		if (troubles[i / 2] == cable_breaks || troubles[i / 2] == cable_breaks_later)
			continue; /* then there are two */
		ask_alpha(CORE_EV_SWITCHOVER, troubles[i / 2], i % 2);
		rig.nodes[BETA].stuck = false;
		for (uint8_t n = 0; n < 2; n++)
			rig.nodes[n].cut_from[!n] = false;
		rig_advance_us(10 * USEC_PER_SEC);
		cr_assert_eq((rig_group(ALPHA)->state == CORE_STATE_PRIMARY) +
				     (rig.nodes[BETA].runs &&
				      rig_group(BETA)->state == CORE_STATE_PRIMARY),
			     1, "trouble %zu, strict %zu:\n%s", i / 2, i % 2, rig.trace);
	}
}

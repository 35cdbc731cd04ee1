/* SPDX-License-Identifier: MIT */

/*
 * What a freeze does to a move that is under way: the other side has gone on, and
 * what it said waits in the sockets, so it has its time again. Our own steps have not.
 */

#include "agent/core/core.h"

#include "tests/core_rig.h"

enum { FREEZE = 4 * INTERVAL }; /* shorter than the lease, which would end everything */

/* Alpha holds the group under term 5, and offers it to beta, a puppet. */
static void begin_offer(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_OFFER);
	rig_answer(ALPHA, CORE_DO_STORE, 0);
}

static void puppet_says(enum core_state state, enum core_move move)
{
	rig_puppet(BETA)->state = state;
	rig_answer_move(BETA, ALPHA, move, CORE_RESULT_OK);
}

static void begin_withdrawal(void)
{
	begin_offer();
	puppet_says(CORE_STATE_CLAIMING, CORE_MOVE_READY);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_WITHDRAW);
}

static void begin_withdrawn(void)
{
	begin_withdrawal();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_WITHDRAWN);
}

/* The puppet goes on until this node has so long to wait still. */
static void until(uint8_t node, instant due, uint64_t left_us)
{
	rig_say_for_us(!node, node, instant_since(due, rig.now) - left_us);
	rig_event(node, CORE_EV_TIME);
	cr_assert_eq(instant_since(due, rig.now), left_us);
}

static void freeze(uint8_t node)
{
	rig_skip_us(FREEZE);
	rig_event(node, CORE_EV_TIME);
}

/* Of a step that waits for the peer: in its last moment, and before that. */
static void waits_again(void (*begin)(void))
{
	instant due;

	begin();
	until(ALPHA, rig_group(ALPHA)->due, FREEZE / 2);
	freeze(ALPHA);
	cr_assert_eq(rig_group(ALPHA)->due.us, rig.now.us + DEAD);

	begin();
	due = rig_group(ALPHA)->due;
	until(ALPHA, due, DEAD + FREEZE + 1);
	freeze(ALPHA);
	cr_assert_eq(rig_group(ALPHA)->due.us, due.us, "what is longer is not cut short");
}

/* It is alone, and starts; every so often it does not run for longer than the dead time. */
static void start_among_stalls(uint64_t stall_us)
{
	rig_begin();
	rig_start(ALPHA);
	for (unsigned i = 0; i < 3; i++) {
		rig_advance_us(2 * USEC_PER_SEC);
		rig_skip_us(stall_us);
		rig_event(ALPHA, CORE_EV_TIME);
	}
	rig_forget();
}

Test(core_freeze, who_starts_among_stalls_does_not_listen_for_ever)
{
	start_among_stalls(DEAD + 2 * INTERVAL);
	rig_advance_us(DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* Nobody else starts, listens and claims in less. */
Test(core_freeze, who_slept_while_another_could_have_claimed_listens_anew)
{
	start_among_stalls(HOLD + DEAD - 1);
	rig_advance_us(DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	start_among_stalls(HOLD + DEAD);
	rig_advance_us(LISTEN - 1);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	rig_advance_us(1 + DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* It may have said that it restarts, and that was lost. */
Test(core_freeze, who_slept_while_the_other_one_was_there_listens_anew)
{
	rig_begin();
	rig_standby(ALPHA, BETA, 5);
	rig_skip_us(DEAD);
	rig_event(ALPHA, CORE_EV_TIME);
	rig_advance_us(LISTEN - 1);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	rig_advance_us(1 + DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* It was dead before, and its lease over. */
Test(core_freeze, who_slept_after_the_death_of_the_other_one_does_not_wait_for_it)
{
	rig_begin();
	rig_standby(ALPHA, BETA, 5);
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_advance_us(2 * DEAD);
	rig_skip_us(DEAD);
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, false);
	rig_advance_us(2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_freeze, who_offers_waits_again)
{
	waits_again(begin_offer);
}

Test(core_freeze, who_has_withdrawn_waits_again)
{
	waits_again(begin_withdrawn);
}

Test(core_freeze, who_withdraws_does_not_wait_any_longer_for_its_own_kernel)
{
	begin_withdrawal();
	until(ALPHA, rig_group(ALPHA)->due, FREEZE / 2);
	freeze(ALPHA);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_CLOSE);
}

Test(core_freeze, who_serves_what_is_in_flight_does_not_go_on_with_it)
{
	begin_withdrawn();
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = rig_group(ALPHA)->move_term;
	puppet_says(CORE_STATE_PRIMARY, CORE_MOVE_NONE);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_LINGER);
	freeze(ALPHA);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_CLOSE);
}

Test(core_freeze, strict_who_has_released_waits_again)
{
	rig_begin();
	rig_configure(groups[0].strict, true);
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_done_all(ALPHA);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_RELEASED);
	until(ALPHA, rig_group(ALPHA)->due, FREEZE / 2);
	freeze(ALPHA);
	cr_assert_eq(rig_group(ALPHA)->due.us, rig.now.us + DEAD);
}

/* Beta has taken over from alpha, a puppet that has not said yet that it knows. */
static void begin_provisional(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_standby(BETA, ALPHA, 5);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_RELEASED);
	rig_done_all(BETA);
	cr_assert(instant_is_set(rig_group(BETA)->provisional));
}

Test(core_freeze, a_new_holder_waits_again_for_the_old_one)
{
	instant due;

	begin_provisional();
	until(BETA, rig_group(BETA)->provisional, FREEZE / 2);
	freeze(BETA);
	cr_assert_eq(rig_group(BETA)->provisional.us, rig.now.us + DEAD);

	begin_provisional();
	due = rig_group(BETA)->provisional;
	until(BETA, due, DEAD + FREEZE + 1);
	freeze(BETA);
	cr_assert_eq(rig_group(BETA)->provisional.us, due.us);
}

/* Not longer than two intervals: that is how late a timer may be. */
Test(core_freeze, after_a_short_pause_nobody_waits_again)
{
	begin_offer();
	until(ALPHA, rig_group(ALPHA)->due, INTERVAL);
	rig_skip_us(2 * INTERVAL);
	rig_event(ALPHA, CORE_EV_TIME);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha tells move-failed Timeout\n"), 1, "%s", rig.trace);
}

/* The clock begins at nought with the host: a start is a start all the same. */
Test(core_freeze, a_start_within_two_intervals_of_the_boot_is_none)
{
	rig_begin();
	rig.now.us = 1;
	rig_start(ALPHA);
	rig_advance_us(LISTEN - 1);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_neq(rig_group(ALPHA)->unfit, 0);
	rig_advance_us(1);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
}

Test(core_freeze, the_second_group_waits_again_as_the_first_does)
{
	struct core_event event = { .type = CORE_EV_SWITCHOVER, .group = 1 };
	const struct core_group *g = &rig.nodes[ALPHA].core.groups[1];

	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(n_announce, 0);
	rig.nodes[ALPHA].start[1].start.adopted = true;
	rig.nodes[ALPHA].start[1].start.lease_left_us = LEASE;
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	event.request.request = 7;
	rig_step(ALPHA, &event);
	until(ALPHA, g->due, FREEZE / 2);
	freeze(ALPHA);
	cr_assert_eq(g->due.us, rig.now.us + DEAD);
}

/* R7: nor could it have seen any traffic, of any group. */
Test(core_freeze, the_second_group_is_not_silent_for_it)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(n_announce, 0);
	rig_configure(groups[1].traffic_us, USEC_PER_SEC);
	rig.nodes[ALPHA].start[1].start.adopted = true;
	rig.nodes[ALPHA].start[1].start.lease_left_us = LEASE;
	rig_adopted(ALPHA, 5);
	rig_advance_us(USEC_PER_SEC - FREEZE);
	rig_event(ALPHA, CORE_EV_TIME);
	freeze(ALPHA);
	cr_assert_eq(rig.nodes[ALPHA].core.groups[1].unfit & CORE_UNFIT_SILENT, 0);
}

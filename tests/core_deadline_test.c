/* SPDX-License-Identifier: MIT */

/* What time brings comes in its time, and not with the next heartbeat. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

/* Alpha holds the group, and its heartbeats are not in step with what happens next. */
static void begin(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_advance_us(INTERVAL / 3);
	rig_forget();
}

Test(core_deadline, a_gate_that_could_not_be_laid_is_laid_after_the_pause)
{
	begin();
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_FLUSHED);
	rig_answer(ALPHA, CORE_DO_REBUILD, -5);
	rig_say_for_us(BETA, ALPHA, 2 * USEC_PER_SEC - 1);
	cr_assert_eq(rig_count("alpha rebuilds\n"), 1);
	rig_advance_us(1);
	cr_assert_eq(rig_count("alpha rebuilds\n"), 2);
}

Test(core_deadline, a_restart_that_nobody_has_heard_of_ends_in_its_time)
{
	begin();
	rig_puppet(BETA)->state = CORE_STATE_FAULT; /* so the lease goes on */
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_stop(ALPHA, true);
	rig_advance_us(INTERVAL / 3);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true); /* heartbeats are out of step again */
	rig_say_for_us(BETA, ALPHA, 2 * DEAD - INTERVAL);
	rig_advance_us(INTERVAL - INTERVAL / 3 - 1);
	cr_assert_eq(rig_count("alpha exits\n"), 0);
	rig_advance_us(1);
	cr_assert_eq(rig_count("alpha exits\n"), 1);
}

Test(core_deadline, the_second_group_has_deadlines_as_the_first_has)
{
	struct core_event event = { .type = CORE_EV_ANNOUNCE, .group = 1 };

	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(n_announce, 1);
	rig.nodes[ALPHA].start[1].start.adopted = true;
	rig.nodes[ALPHA].start[1].start.lease_left_us = LEASE;
	rig_adopted(ALPHA, 5);
	rig_advance_us(INTERVAL / 3);
	rig_forget();
	rig_step(ALPHA, &event);
	rig_advance_us(10000 - 1);
	rig_expect("alpha/1 announces\n");
	rig_advance_us(1);
	rig_expect("alpha/1 announces\n");
}

/* Its host has just booted, and it hears the holder: there is nothing to wait for. */
Test(core_deadline, who_hears_the_holder_does_not_wake_up_for_the_last_resort)
{
	rig_begin();
	rig.now.us = 1;
	rig_configure(groups[0].last_resort_us, INTERVAL / 3);
	rig_puppet(ALPHA)->state = CORE_STATE_PRIMARY;
	rig_start(BETA);
	rig_say(ALPHA, BETA);
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	cr_assert_eq(core_deadline(&rig.nodes[BETA].core).us, rig.now.us + INTERVAL);
}

Test(core_deadline, a_move_that_has_failed_is_tried_again_after_the_pause)
{
	struct core_record *r = rig_puppet(BETA);

	begin();
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_answer_move(BETA, ALPHA, CORE_MOVE_REFUSED, CORE_RESULT_FAILED);
	r->move = CORE_MOVE_NONE;
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_say_for_us(BETA, ALPHA, 2 * USEC_PER_SEC - 1);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_advance_us(1);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

/* Only the order that creates the lease sets its end: the kernel's does not change by another. */
Test(core_deadline, a_gate_that_opens_under_a_lease_does_not_lengthen_it)
{
	instant end;

	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(n_announce, 0);
	rig.nodes[ALPHA].start[0].start.adopted = true;
	rig.nodes[ALPHA].start[0].start.lease_left_us = LEASE;
	rig_start(ALPHA);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(LISTEN + INTERVAL);
	rig_skip_us(1);
	rig_answer_next(ALPHA, 0);
	end = rig.nodes[ALPHA].core.lease_until;
	rig_skip_us(1);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	cr_assert_eq(rig_count("alpha/1 gate answer\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig.nodes[ALPHA].core.lease_until.us, end.us);
}

/* SPDX-License-Identifier: MIT */

/* What concerns the node as a whole: its start, its freezes, its lease, its stop. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

/* Alpha hears nobody and claims two groups; its kernel waits for the test. */
static void begin_two_claims(void)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(n_announce, 0);
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	cr_assert_eq(rig_count(" prepares\n"), 2);
	rig_forget();
}

/* Alpha holds the group under term 5; beta and gamma, puppets, are ready for it. */
static void begin_three(void)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	for (int i = 0; i < 40; i++) {
		rig_advance_us(INTERVAL);
		rig_say(BETA, ALPHA);
		rig_say(GAMMA, ALPHA);
	}
	rig.nodes[ALPHA].stuck = true;
	rig_forget();
}

Test(core_node, the_first_group_starts_the_node)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig.nodes[ALPHA].start[1].start.salt = 77;
	rig_start(ALPHA);
	cr_assert_eq(rig.nodes[ALPHA].core.salt, 1000);
	cr_assert_eq(rig_group(ALPHA)->since.us, rig.now.us);
	cr_assert_eq(rig_group(ALPHA)->reason, CORE_REASON_START);
}

Test(core_node, a_short_rest_of_an_adopted_lease_is_not_advertised)
{
	rig_begin();
	rig.nodes[ALPHA].start[0].start.adopted = true;
	rig.nodes[ALPHA].start[0].start.lease_left_us = 200 * 1000;
	rig_start(ALPHA);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.lease_us, LEASE);
}

Test(core_node, what_did_not_leave_gives_the_lease_back_also_late_in_the_day)
{
	struct core_event event = { .type = CORE_EV_SENT };
	instant before;

	begin_three();
	rig_advance_us(INTERVAL - 1);
	before = rig.nodes[ALPHA].core.lease_until;
	rig_advance_us(1);
	cr_assert_gt(rig.nodes[ALPHA].core.lease_until.us, before.us);
	cr_assert_gt(rig.nodes[ALPHA].core.seq, 2 * CORE_SENT_MAX);
	event.sent_seq = rig.nodes[ALPHA].core.seq;
	rig_step(ALPHA, &event);
	cr_assert_eq(rig.nodes[ALPHA].core.lease_until.us, before.us);
	rig_expect("");
}

Test(core_node, a_stop_has_time_for_a_second_successor)
{
	begin_three();
	rig_stop(ALPHA, false);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.lease_us, LEASE);
	cr_assert_eq(rig_group(ALPHA)->move_to, BETA);
	for (int i = 0; i < 30; i++) {
		rig_advance_us(INTERVAL);
		rig_say(BETA, ALPHA);
		rig_say(GAMMA, ALPHA);
	}
	rig_answer_move(BETA, ALPHA, CORE_MOVE_REFUSED, CORE_RESULT_FAILED);
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_OFFER);
	cr_assert_eq(rig_group(ALPHA)->move_to, GAMMA);
}

Test(core_node, a_successor_whose_lease_ends_refuses_in_the_end)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_standby(BETA, ALPHA, 5);
	rig_hand_over(ALPHA, BETA, CORE_MOVE_OFFER);
	rig_done_all(BETA);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_READY);
	rig_event(BETA, CORE_EV_LAPSED);
	cr_assert_eq(rig_group(BETA)->reason, CORE_REASON_LAPSED);
	rig_done_all(BETA);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_REFUSED);
	cr_assert_eq(rig_group(BETA)->why, CORE_RESULT_FAILED);
}

/* R9: a gate that is opened in the step in which the lease ended needs a new one. */
Test(core_node, who_opens_as_the_lease_ends_creates_another)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(n_announce, 0);
	rig.nodes[ALPHA].start[0].start.adopted = true;
	rig.nodes[ALPHA].start[0].start.lease_left_us = LEASE;
	rig_start(ALPHA);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(LISTEN + INTERVAL);
	rig_answer_next(ALPHA, 0);
	rig_event(ALPHA, CORE_EV_TIME);
	rig_advance_us(INTERVAL);
	rig_skip_us(LEASE - 1);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	cr_assert_eq(rig_count("alpha shuts\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_count("alpha/1 gate answer new\n"), 1, "%s", rig.trace);
}

/* Alpha holds two groups; beta, a puppet, is ready for them. */
static void begin_two(void)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(n_announce, 0);
	rig.nodes[ALPHA].start[1].start.adopted = true;
	rig.nodes[ALPHA].start[1].start.lease_left_us = LEASE;
	rig_adopted(ALPHA, 0);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_forget();
}

Test(core_node, what_concerns_one_group_leaves_the_others_alone)
{
	struct core_event event = { .type = CORE_EV_LOST, .group = 1 };

	begin_two();
	rig_step(ALPHA, &event);
	rig_expect("alpha/1 repairs\n");
	event = (struct core_event){ .type = CORE_EV_MAINTENANCE, .group = 1 };
	event.request.request = 7;
	rig_step(ALPHA, &event);
	rig_expect("alpha/1 replies 7  alpha\n");
}

Test(core_node, a_restart_waits_for_the_second_group_as_well)
{
	struct core_event event = { .type = CORE_EV_SWITCHOVER, .group = 1 };

	begin_two();
	event.request.request = 7;
	rig_step(ALPHA, &event);
	rig_stop(ALPHA, true);
	rig_say(BETA, ALPHA);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert_eq(rig_count("alpha lease"), 0);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD - 2 * INTERVAL);
	rig_advance_us(INTERVAL);
	cr_assert_eq(rig_count("alpha exits\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_count("alpha/1 replies 7 OutcomeUnknown alpha\n"), 1, "%s", rig.trace);
}

Test(core_node, a_restart_of_the_second_node_waits_for_the_first_one)
{
	rig_begin();
	rig_adopted(BETA, 5);
	rig_say_for_us(ALPHA, BETA, 2 * DEAD);
	rig_deafen(ALPHA);
	rig_stop(BETA, true);
	rig_forget();
	rig_say(ALPHA, BETA);
	rig_expect("");
	rig_undeafen(ALPHA);
	rig_say(ALPHA, BETA);
	rig_expect("beta lease 3000000\n");
}

Test(core_node, an_exit_waits_for_an_answer_and_nothing_that_looks_like_one)
{
	struct core_event event = { .type = CORE_EV_ANNOUNCE, .group = 1 };

	begin_two();
	rig_stop(ALPHA, true);
	rig_say(BETA, ALPHA);
	cr_assert_eq(rig_count("alpha lease 3000000\n"), 1);
	event.done.id = rig.nodes[ALPHA].core.pending_node;
	rig_step(ALPHA, &event);
	cr_assert_eq(rig_count("alpha exits\n"), 0);
}

Test(core_node, who_could_claim_does_not_wake_up_for_the_last_resort)
{
	rig_begin();
	rig_configure(groups[0].last_resort_us, 12345);
	rig_start(BETA);
	rig_event(BETA, CORE_EV_TIME);
	cr_assert(instant_is_set(rig_group(BETA)->headless));
	cr_assert_eq(core_deadline(&rig.nodes[BETA].core).us, rig.now.us + INTERVAL);
}

Test(core_node, reasons_that_pass_with_time_pass_at_their_time)
{
	begin_two();
	rig_event(ALPHA, CORE_EV_DISOWNED);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_DISOWNED);
	rig_advance_us(DEAD - 1);
	rig_skip_us(1);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
	cr_assert_not(instant_is_set(rig.nodes[ALPHA].core.disowned_at));

	begin_two();
	rig.nodes[ALPHA].stuck = false;
	for (int i = 0; i < 5; i++) {
		rig_event(ALPHA, CORE_EV_LOST);
		rig_settle();
		rig_advance_us(USEC_PER_SEC);
	}
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_DRIFT);
	rig_advance_us(5 * USEC_PER_SEC);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_DRIFT);
	rig_skip_us(1);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
}

/* What an event has no use for may be anything. */
Test(core_node, an_event_is_read_for_what_it_is)
{
	struct core_event event = { .type = CORE_EV_UNREACHABLE, .peer = BETA };

	begin_three();
	event.fitness.reason = CORE_UNFIT_LINK;
	event.fitness.unfit = true;
	rig_step(ALPHA, &event);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);

	event = (struct core_event){ .type = CORE_EV_DISOWNED, .peer = BETA };
	event.done.err = -1;
	rig_forget();
	rig_step(ALPHA, &event);
	cr_assert_eq(rig_count("action-failed"), 0);
	cr_assert_eq(rig_count("rebuilds"), 0);
}

Test(core_node, a_freeze_begins_above_two_intervals)
{
	const struct core *core = &rig.nodes[ALPHA].core;
	instant started;

	begin_three();
	started = core->awake;
	rig_event(ALPHA, CORE_EV_TIME);
	rig_skip_us(2 * INTERVAL);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(core->awake.us, started.us);
	rig_skip_us(DEAD - 1);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(core->awake.us, rig.now.us);
	cr_assert_eq(core->listen_from.us, started.us);
	rig_skip_us(DEAD);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(core->listen_from.us, rig.now.us);
}

Test(core_node, a_freeze_as_long_as_the_lease_voids_every_claim)
{
	begin_two_claims();
	rig_event(ALPHA, CORE_EV_TIME);
	rig_skip_us(LEASE);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(rig_count("alpha is yielding (lease-lapsed)\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_count("alpha/1 is yielding (lease-lapsed)\n"), 1, "%s", rig.trace);
}

/* Adopted or not: what stands is not touched before it is known. */
Test(core_node, a_group_that_has_not_started_does_nothing)
{
	rig_begin();
	rig_configure(n_nodes, 1);
	rig_configure(n_groups, 2);
	rig.nodes[ALPHA].start[1].start.adopted = true;
	rig.nodes[ALPHA].start[1].start.lease_left_us = LEASE;
	rig_start(ALPHA);
	cr_assert_eq(rig_count("alpha/1 is primary (adopted)\n"), 1, "%s", rig.trace);
	cr_assert_eq(rig_count("alpha/1 is "), 1, "%s", rig.trace);
}

/* Its time comes with the next event, which is due in the same instant. */
Test(core_node, what_concerns_one_group_is_not_the_time_of_another)
{
	static const enum core_event_type types[] = {
		CORE_EV_FITNESS, CORE_EV_SWITCHOVER, CORE_EV_MAINTENANCE, CORE_EV_ANNOUNCE,
		CORE_EV_DONE,	 CORE_EV_LOST,	     CORE_EV_TRAFFIC,
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct core_event event = { .type = CORE_EV_ANNOUNCE, .group = 1 };

		begin_two();
		rig_configure(n_announce, 0);
		rig.nodes[ALPHA].core.config.refresh_us = INTERVAL / 2;
		rig_step(ALPHA, &event);
		rig_skip_us(INTERVAL / 2);
		rig_forget();
		event = (struct core_event){ .type = types[i] };
		event.request.request = 7;
		rig_step(ALPHA, &event);
		cr_assert_eq(rig_count("alpha/1"), 0, "%s", rig.trace);
		rig_event(ALPHA, CORE_EV_TIME);
		cr_assert_eq(rig_count("alpha/1 announces\n"), 1, "%s", rig.trace);
	}
}

/* SPDX-License-Identifier: MIT */

/* The lease, and what renews it (R8). */

#include "agent/core/core.h"

#include "tests/core_rig.h"

Test(core_lease, r8_while_echoes_come_every_heartbeat_renews_the_lease)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say(BETA, ALPHA);
	for (int i = 0; i < 40; i++) {
		rig_say_for_us(BETA, ALPHA, INTERVAL);
		cr_assert(rig_marks(ALPHA));
		cr_assert_eq(rig_lease_until(ALPHA).us, rig.now.us + COUNTED);
	}
	rig_expect("alpha tells peer-up beta\n");
}

/* The peer echoed the heartbeat that left now, and is heard without an echo from here on. */
static void begin_one_way(void)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	cr_assert(rig_marks(ALPHA));
	rig_deafen(BETA);
}

Test(core_lease, r8_two_heartbeats_without_echo_renew_and_the_third_does_not)
{
	instant renewed;

	begin_one_way();
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert(rig_marks(ALPHA));
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert(rig_marks(ALPHA));
	renewed = rig_lease_until(ALPHA);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert_not(rig_marks(ALPHA));
	cr_assert_eq(rig_lease_until(ALPHA).us, renewed.us);
}

Test(core_lease, r8_a_peer_that_is_heard_without_echo_lets_the_lease_end)
{
	begin_one_way();
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL + LEASE - INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_forget();
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	cr_assert(strstr(rig.trace, "alpha shuts\n") == rig.trace);
}

Test(core_lease, r8_a_peer_that_sends_seldom_is_not_silent_between_two_heartbeats)
{
	begin_one_way();
	rig.nodes[BETA].puppet.interval_us = 3 * INTERVAL;
	rig_say_for_us(BETA, ALPHA, 3 * INTERVAL);
	for (int i = 0; i < 9; i++) {
		rig_advance_us(INTERVAL);
		if (i % 3 == 2)
			rig_say(BETA, ALPHA);
		cr_assert_not(rig_marks(ALPHA), "renewed while the peer is about to claim");
	}
}

Test(core_lease, r8_one_echo_late_in_the_day_keeps_the_lease)
{
	begin_one_way();
	rig_say_for_us(BETA, ALPHA, LEASE);
	cr_assert_not(rig_marks(ALPHA));
	rig_undeafen(BETA);
	rig_say(BETA, ALPHA);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert(rig_marks(ALPHA));
}

Test(core_lease, r8_an_echo_counts_only_in_a_direct_answer)
{
	begin_one_way();
	for (int i = 0; i < 4; i++) {
		rig_say_for_us(BETA, ALPHA, INTERVAL);
		rig.nodes[BETA].puppet.echo_seq = rig.beats[ALPHA][BETA].last.seq;
	}
	cr_assert_not(rig_marks(ALPHA));
}

Test(core_lease, r8_an_echo_of_what_was_never_sent_counts_for_nothing)
{
	begin_one_way();
	for (int i = 0; i < 4; i++) {
		rig_advance_us(INTERVAL);
		rig_say_echo(BETA, ALPHA, rig.beats[ALPHA][BETA].last.seq + 1);
		rig_say_echo(BETA, ALPHA, rig.beats[ALPHA][BETA].last.seq + 1000);
	}
	cr_assert_not(rig_marks(ALPHA));
}

Test(core_lease, r8_an_echo_of_long_ago_counts_for_nothing)
{
	uint64_t old;

	begin_one_way();
	old = rig.beats[ALPHA][BETA].last.seq;
	for (int i = 0; i < 4; i++) {
		rig_advance_us(INTERVAL);
		rig_say_echo(BETA, ALPHA, old - 1 + (uint64_t)i % 2);
	}
	cr_assert_not(rig_marks(ALPHA));
	for (int i = 0; i < 20; i++) {
		rig_advance_us(INTERVAL);
		rig_say_echo(BETA, ALPHA, old + 1);
	}
	cr_assert_not(rig_marks(ALPHA));
}

Test(core_lease, r8_an_echo_of_what_is_long_forgotten_is_not_taken_for_one_of_today)
{
	uint64_t old;

	rig_begin();
	rig_configure(lease_us, 10 * USEC_PER_SEC);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_advance_us(INTERVAL);
	old = rig.beats[ALPHA][BETA].last.seq;
	rig_say_for_us(BETA, ALPHA, (CORE_SENT_MAX + 1) * INTERVAL);
	cr_assert_not(rig_marks(ALPHA));
	rig_say_echo(BETA, ALPHA, old);
	rig_advance_us(INTERVAL);
	cr_assert_not(rig_marks(ALPHA));
}

Test(core_lease, r8_with_the_peer_silent_the_lease_is_renewed_without_a_gap)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_forget();
	for (int i = 0; i < 40; i++) {
		rig_advance_us(INTERVAL);
		cr_assert(rig_marks(ALPHA));
	}
	rig_expect("alpha tells peer-silent beta\n");
}

/* The shortest lease that the parser lets pass; heartbeats take a little to be answered. */
Test(core_lease, r8_with_the_peer_silent_the_shortest_lease_is_renewed_without_a_gap)
{
	rig_begin();
	rig_configure(lease_us, 2 * INTERVAL + 5000);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_skip_us(400);
	rig_say(BETA, ALPHA);
	rig_forget();
	rig_advance_us(DEAD + LISTEN);
	rig_expect("alpha tells peer-silent beta\n");
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_lease, r8_a_peer_that_cannot_claim_need_not_echo)
{
	static const enum core_state out[] = { CORE_STATE_FAULT, CORE_STATE_MAINTENANCE };

	for (size_t i = 0; i < ARRAY_SIZE(out); i++) {
		begin_one_way();
		rig_puppet(BETA)->state = out[i];
		rig_say_for_us(BETA, ALPHA, 2 * USEC_PER_SEC);
		cr_assert(rig_marks(ALPHA));
		rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	}
	begin_one_way();
	rig_puppet(BETA)->present = false;
	rig_say_for_us(BETA, ALPHA, 2 * USEC_PER_SEC);
	cr_assert(rig_marks(ALPHA));
}

Test(core_lease, r8_a_peer_that_is_out_of_one_group_only_has_to_echo_for_the_other)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig.nodes[ALPHA].start[1].start.adopted = true;
	rig.nodes[ALPHA].start[1].start.lease_left_us = LEASE;
	rig_adopted(ALPHA, 0);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_say_for_us(BETA, ALPHA, DEAD);
	cr_assert_not(rig_marks(ALPHA));
}

Test(core_lease, r8_a_heartbeat_that_did_not_leave_did_not_renew)
{
	instant lapses;

	rig_begin();
	rig_adopted(ALPHA, 5);
	lapses = rig_lease_until(ALPHA);
	for (int i = 0; i < 6; i++) {
		struct core_event event = { .type = CORE_EV_SENT };

		rig_advance_us(INTERVAL);
		event.sent_seq = rig.beats[ALPHA][BETA].last.seq;
		rig_step(ALPHA, &event);
		cr_assert_eq(rig_lease_until(ALPHA).us, lapses.us);
	}
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_skip_us(lapses.us - rig.now.us);
	rig_event(ALPHA, CORE_EV_TIME);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
}

Test(core_lease, r8_nobody_claims_before_the_silent_peers_lease_must_be_over)
{
	uint64_t wait = 2 * 100 * 1000 + 1000 * 1000 + 10 * 1000;

	rig_begin();
	rig.nodes[ALPHA].puppet.interval_us = 100 * 1000;
	rig.nodes[ALPHA].puppet.lease_us = 1000 * 1000;
	rig_standby(BETA, ALPHA, 5);
	rig_advance_us(wait - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_lease, r8_every_heartbeat_carries_lease_and_interval)
{
	rig_begin();
	rig_start(ALPHA);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.lease_us, LEASE);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.interval_us, INTERVAL);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.priority, 100);
}

Test(core_lease, r8_who_holds_or_claims_asks_for_an_echo_and_who_answers_does_not)
{
	rig_begin();
	rig_start(BETA);
	cr_assert_not(rig.beats[BETA][ALPHA].last.wants_answer);
	rig_begin();
	rig_adopted(ALPHA, 5);
	cr_assert(rig.beats[ALPHA][BETA].last.wants_answer);
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	cr_assert(rig.beats[ALPHA][BETA].last.wants_answer);
	rig_advance_us(1000);
	rig_puppet(BETA)->state = CORE_STATE_CLAIMING;
	rig_deafen(BETA);
	rig_say(BETA, ALPHA);
	rig_say(BETA, ALPHA);
	cr_assert(rig.beats[ALPHA][BETA].last.reply);
	cr_assert_not(rig.beats[ALPHA][BETA].last.wants_answer, "or it would never end");
}

Test(core_lease, r8_who_holds_or_claims_is_echoed_at_once_and_nobody_else)
{
	static const enum core_state wanting[] = { CORE_STATE_PRIMARY, CORE_STATE_YIELDING,
						   CORE_STATE_CLAIMING };
	uint64_t before;

	rig_begin();
	rig_start(BETA);
	rig_deafen(ALPHA);
	rig_say(ALPHA, BETA);
	before = rig.beats[BETA][ALPHA].last.seq;
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig.beats[BETA][ALPHA].last.seq, before);
	for (size_t i = 0; i < ARRAY_SIZE(wanting); i++) {
		rig_puppet(ALPHA)->state = wanting[i];
		rig_say(ALPHA, BETA); /* who hears the holder is fit, and says so */
		before = rig.beats[BETA][ALPHA].last.seq;
		rig_say(ALPHA, BETA);
		cr_assert_eq(rig.beats[BETA][ALPHA].last.seq, before + 1);
		cr_assert(rig.beats[BETA][ALPHA].last.reply);
		cr_assert_not(rig.beats[BETA][ALPHA].last.marked);
		cr_assert_eq(rig.beats[BETA][ALPHA].last.echo_seq, rig.nodes[ALPHA].puppet.seq);
	}
	rig_undeafen(ALPHA);
	before = rig.beats[BETA][ALPHA].last.seq;
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig.beats[BETA][ALPHA].last.seq, before, "an answer is answered");
}

Test(core_lease, r8_a_backup_that_echoes_says_nothing_beside_and_speaks_up_when_it_hears_nothing)
{
	uint64_t before;

	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_deafen(ALPHA);
	rig_say(ALPHA, BETA);
	before = rig.beats[BETA][ALPHA].last.seq;
	rig_say_for_us(ALPHA, BETA, 20 * INTERVAL);
	cr_assert_eq(rig.beats[BETA][ALPHA].last.seq, before + 20);
	rig_advance_us(INTERVAL + INTERVAL / 4);
	cr_assert_eq(rig.beats[BETA][ALPHA].last.seq, before + 21);
	cr_assert_not(rig.beats[BETA][ALPHA].last.reply);
}

Test(core_lease, r8_heartbeats_keep_to_the_interval_although_one_was_late)
{
	uint64_t before;

	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_advance_us(10 * INTERVAL);
	before = rig.beats[ALPHA][BETA].last.seq;
	rig_skip_us(INTERVAL + 7000);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.seq, before + 1);
	rig_advance_us(INTERVAL - 7000 - 1);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.seq, before + 1);
	rig_advance_us(1);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.seq, before + 2);
}

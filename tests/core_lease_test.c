/* SPDX-License-Identifier: MIT */

/* The lease, and what ends it: R8 and R9 of the design. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

static bool marks(uint8_t node)
{
	return rig.beats[node][!node].last.marked;
}

static instant lease_until(uint8_t node)
{
	return rig.nodes[node].core.lease_until;
}

Test(core_lease, r8_while_echoes_come_every_heartbeat_renews_the_lease)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say(BETA, ALPHA);
	for (int i = 0; i < 40; i++) {
		rig_say_for_us(BETA, ALPHA, INTERVAL);
		cr_assert(marks(ALPHA));
		cr_assert_eq(lease_until(ALPHA).us, rig.now.us + COUNTED);
	}
	rig_expect("alpha tells peer-up beta\n");
}

/* The peer echoed the heartbeat that left now, and is heard without an echo from here on. */
static void begin_one_way(void)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	cr_assert(marks(ALPHA));
	rig_deafen(BETA);
}

Test(core_lease, r8_two_heartbeats_without_echo_renew_and_the_third_does_not)
{
	instant renewed;

	begin_one_way();
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert(marks(ALPHA));
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert(marks(ALPHA));
	renewed = lease_until(ALPHA);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert_not(marks(ALPHA));
	cr_assert_eq(lease_until(ALPHA).us, renewed.us);
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
		cr_assert_not(marks(ALPHA), "renewed while the peer is about to claim");
	}
}

Test(core_lease, r8_one_echo_late_in_the_day_keeps_the_lease)
{
	begin_one_way();
	rig_say_for_us(BETA, ALPHA, LEASE);
	cr_assert_not(marks(ALPHA));
	rig_undeafen(BETA);
	rig_say(BETA, ALPHA);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	cr_assert(marks(ALPHA));
}

Test(core_lease, r8_an_echo_counts_only_in_a_direct_answer)
{
	begin_one_way();
	for (int i = 0; i < 4; i++) {
		rig_say_for_us(BETA, ALPHA, INTERVAL);
		rig.nodes[BETA].puppet.echo_seq = rig.beats[ALPHA][BETA].last.seq;
	}
	cr_assert_not(marks(ALPHA));
}

Test(core_lease, r8_an_echo_of_what_was_never_sent_counts_for_nothing)
{
	begin_one_way();
	for (int i = 0; i < 4; i++) {
		rig_advance_us(INTERVAL);
		rig_say_echo(BETA, ALPHA, rig.beats[ALPHA][BETA].last.seq + 1);
		rig_say_echo(BETA, ALPHA, rig.beats[ALPHA][BETA].last.seq + 1000);
	}
	cr_assert_not(marks(ALPHA));
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
	cr_assert_not(marks(ALPHA));
	for (int i = 0; i < 20; i++) {
		rig_advance_us(INTERVAL);
		rig_say_echo(BETA, ALPHA, old + 1);
	}
	cr_assert_not(marks(ALPHA));
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
	cr_assert_not(marks(ALPHA));
	rig_say_echo(BETA, ALPHA, old);
	rig_advance_us(INTERVAL);
	cr_assert_not(marks(ALPHA));
}

Test(core_lease, r8_with_the_peer_silent_the_lease_is_renewed_without_a_gap)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_forget();
	for (int i = 0; i < 40; i++) {
		rig_advance_us(INTERVAL);
		cr_assert(marks(ALPHA));
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
		cr_assert(marks(ALPHA));
		rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	}
	begin_one_way();
	rig_puppet(BETA)->present = false;
	rig_say_for_us(BETA, ALPHA, 2 * USEC_PER_SEC);
	cr_assert(marks(ALPHA));
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
	cr_assert_not(marks(ALPHA));
}

Test(core_lease, r8_a_heartbeat_that_did_not_leave_did_not_renew)
{
	instant lapses;

	rig_begin();
	rig_adopted(ALPHA, 5);
	lapses = lease_until(ALPHA);
	for (int i = 0; i < 6; i++) {
		struct core_event event = { .type = CORE_EV_SENT };

		rig_advance_us(INTERVAL);
		event.sent_seq = rig.beats[ALPHA][BETA].last.seq;
		rig_step(ALPHA, &event);
		cr_assert_eq(lease_until(ALPHA).us, lapses.us);
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

/* Alpha was primary, and its lease is found to have ended. */
static void begin_lapsed(void)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_advance_us(INTERVAL);
	rig_skip_us(1000);
	rig_forget();
	rig_event(ALPHA, CORE_EV_LAPSED);
}

Test(core_lease, r9_a_lease_that_has_ended_shuts_first_and_opens_by_a_claim_after_an_echo)
{
	begin_lapsed();
	rig_expect("alpha shuts\n"
		   "alpha tells lapsed\n"
		   "alpha is claiming (lease-lapsed)\n");
	cr_assert_not(rig_group(ALPHA)->serving);
	rig_done_all(ALPHA);
	cr_assert_not(marks(ALPHA));
	rig_deafen(BETA);
	rig_say(BETA, ALPHA);
	rig_expect("");
	rig_undeafen(BETA);
	rig_say(BETA, ALPHA);
	rig_done_all(ALPHA);
	rig_expect("alpha stores 6\n"
		   "alpha prepares\n"
		   "alpha gate answer new\n"
		   "alpha announces\n"
		   "alpha is primary (lease-lapsed)\n");
	cr_assert_eq(rig_group(ALPHA)->term, 6);
	rig_say_for_us(BETA, ALPHA, 10 * INTERVAL);
	cr_assert_eq(rig_count("repairs"), 0);
}

Test(core_lease, r9_an_echo_of_a_heartbeat_from_before_the_lapse_is_no_leave)
{
	uint64_t before;

	begin_lapsed();
	before = rig.beats[ALPHA][BETA].last.seq - 1;
	rig_say_echo(BETA, ALPHA, before);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_say_echo(BETA, ALPHA, before + 1);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* An event loop reads its clock once for everything that it finds. */
Test(core_lease, r9_an_echo_of_a_heartbeat_from_before_the_lapse_in_the_same_instant_is_no_leave)
{
	uint64_t before;

	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	before = rig.beats[ALPHA][BETA].last.seq;
	cr_assert_eq(rig.nodes[ALPHA].core.sent[before % CORE_SENT_MAX].at.us, rig.now.us);
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_say_echo(BETA, ALPHA, before);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_say_echo(BETA, ALPHA, before + 1);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_lease, r9_a_shut_that_fails_is_told)
{
	begin_lapsed();
	rig_forget();
	rig_answer_next(ALPHA, -5);
	rig_expect("alpha tells action-failed\n");
	cr_assert_eq(rig.failure, -5);
}

Test(core_lease, r9_silence_of_the_peer_for_the_dead_time_is_leave_as_well)
{
	begin_lapsed();
	rig_advance_us(DEAD - 1);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_advance_us(2 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_lease, r9_a_peer_that_cannot_claim_gives_leave_after_the_dead_time_without_echo)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_puppet(BETA)->unfit = CORE_UNFIT_CHECK;
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_skip_us(1);
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_say_for_us(BETA, ALPHA, DEAD - INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_lease, r9_a_peer_that_could_claim_and_does_not_hear_us_gives_no_leave)
{
	begin_lapsed();
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 10 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	cr_assert_eq(rig_count("gate answer"), 0);
}

Test(core_lease, r9_leave_that_is_gone_when_the_addresses_are_there_is_asked_for_again)
{
	begin_lapsed();
	rig_say(BETA, ALPHA);
	rig_forget();
	rig.nodes[ALPHA].stuck = true;
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 3 * INTERVAL);
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	rig_expect("");
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig.nodes[ALPHA].stuck = false;
	rig_say_for_us(BETA, ALPHA, USEC_PER_SEC);
	rig_expect("");
	rig_undeafen(BETA);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_lease, r9_a_peer_that_falls_silent_meanwhile_takes_no_leave_back)
{
	begin_lapsed();
	rig_say(BETA, ALPHA);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(DEAD);
	rig_forget();
	rig.nodes[ALPHA].stuck = false;
	rig_settle();
	rig_expect("alpha gate answer new\n"
		   "alpha announces\n"
		   "alpha is primary (lease-lapsed)\n");
}

Test(core_lease, r9_who_waits_for_leave_gives_way_to_a_holder)
{
	begin_lapsed();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = 6;
	rig_say(BETA, ALPHA);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("gate answer"), 0);
}

Test(core_lease, r9_after_a_freeze_longer_than_the_lease_the_gate_is_shut_first)
{
	rig_begin();
	rig_pair();
	rig.nodes[ALPHA].frozen = true;
	rig_advance_us(2 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig.nodes[ALPHA].frozen = false;
	rig.nodes[ALPHA].stuck = true;
	rig_lose(BETA, ALPHA);
	rig_forget();
	rig_event(ALPHA, CORE_EV_TIME);
	rig_expect("alpha shuts\n"
		   "alpha tells lapsed\n"
		   "alpha is claiming (lease-lapsed)\n");
	cr_assert_not(rig.beats[ALPHA][BETA].last.marked);
	rig.nodes[ALPHA].stuck = false;
	rig_advance_us(INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_lease, r9_a_freeze_just_below_the_lease_changes_nothing)
{
	rig_begin();
	rig_pair();
	rig.nodes[ALPHA].frozen = true;
	rig_advance_us(COUNTED - INTERVAL - 1);
	rig.nodes[ALPHA].frozen = false;
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_expect("");
}

/* The heartbeat after the freeze does not renew: nobody has answered lately. Its echo lets the
 * next. */
Test(core_lease, r9_after_a_freeze_just_below_the_lease_an_echo_is_made_use_of_at_once)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_skip_us(COUNTED - 2000);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_not(marks(ALPHA));
	rig_skip_us(1000);
	rig_say(BETA, ALPHA);
	cr_assert(marks(ALPHA));
	cr_assert_eq(lease_until(ALPHA).us, rig.now.us + COUNTED);
}

/* Decided, ordered, and then frozen before the kernel's answer was heard. */
static void freeze_while_claiming(uint64_t us)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	rig_advance_us(DEAD);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
	rig_skip_us(us);
	rig_forget();
	rig_answer(BETA, CORE_DO_PREPARE, 0);
}

Test(core_lease, r9_a_claim_from_before_a_freeze_as_long_as_the_lease_is_void)
{
	freeze_while_claiming(LEASE);
	rig_done_all(BETA);
	cr_assert_eq(rig_count("gate answer"), 0);
	cr_assert_eq(rig_count("beta gate closed\n"), 1);
	cr_assert_eq(rig_count("beta removes\n"), 1);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
}

Test(core_lease, r9_a_claim_goes_on_after_a_shorter_freeze)
{
	freeze_while_claiming(LEASE - 1);
	rig_expect("beta gate answer new\n");
}

Test(core_lease, r9_after_a_long_freeze_a_backup_listens_as_after_a_start)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_skip_us(10 * USEC_PER_SEC);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect("");
	rig_advance_us(LISTEN - 1);
	cr_assert_eq(rig_count("claiming"), 0);
	rig_advance_us(2 * INTERVAL);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

/* It may have gone into a planned restart meanwhile, and have said so to a full socket. */
Test(core_lease, r9_what_waited_in_the_socket_during_a_freeze_does_not_shorten_the_listening)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 1);
	rig_puppet(ALPHA)->state = CORE_STATE_BACKUP;
	rig_skip_us(LISTEN);
	rig_say(ALPHA, BETA);
	rig_advance_us(2 * INTERVAL);
	rig_say(ALPHA, BETA);
	rig_advance_us(LISTEN - 3 * INTERVAL);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_advance_us(2 * INTERVAL + DEAD);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_lease, r9_after_a_short_freeze_the_dead_time_begins_anew)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_skip_us(DEAD - 1);
	rig_event(BETA, CORE_EV_TIME);
	rig_advance_us(DEAD - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_lease, r9_what_waited_in_the_socket_during_a_freeze_does_not_renew_at_once)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, DEAD);
	cr_assert(marks(ALPHA));
	rig_skip_us(LEASE - INTERVAL);
	rig_say(BETA, ALPHA);
	cr_assert_not(marks(ALPHA));
}

Test(core_lease, r9_a_gate_that_opens_too_slowly_is_a_lapse)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	rig_advance_us(DEAD);
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	rig_forget();
	rig_deafen(ALPHA);
	rig_puppet(ALPHA)->state = CORE_STATE_BACKUP;
	rig_say_for_us(ALPHA, BETA, LEASE + 4 * INTERVAL);
	cr_assert_eq(rig_count("beta shuts\n"), 1);
	cr_assert_eq(rig_count("is primary"), 0);
	cr_assert_eq(rig_count("beta is yielding (lease-lapsed)\n"), 1);
}

Test(core_lease, r9_with_nothing_open_there_is_no_lease_and_the_next_claim_creates_one)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_event(ALPHA, CORE_EV_DISOWNED);
	rig_done_all(ALPHA);
	cr_assert_eq(lease_until(ALPHA).us, 0);
	rig_forget();
	rig_say(BETA, ALPHA);
	cr_assert_not(marks(ALPHA));
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha gate answer new\n"), 1);
}

Test(core_lease, r9_only_the_first_group_to_open_creates_the_lease)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_alone(ALPHA);
	rig_expect("alpha is claiming (no-primary)\n"
		   "alpha stores 1\n"
		   "alpha prepares\n"
		   "alpha/1 is claiming (no-primary)\n"
		   "alpha/1 stores 1\n"
		   "alpha/1 prepares\n"
		   "alpha gate answer new\n"
		   "alpha/1 gate answer\n"
		   "alpha announces\n"
		   "alpha is primary (no-primary)\n"
		   "alpha/1 announces\n"
		   "alpha/1 is primary (no-primary)\n");
}

Test(core_lease, r9_one_group_that_closes_leaves_the_lease_to_the_others)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(groups[0].keep_alone, false);
	rig_alone(ALPHA);
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_settle();
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	cr_assert_neq(lease_until(ALPHA).us, 0);
	rig_advance_us(USEC_PER_SEC);
	cr_assert_eq(rig.nodes[ALPHA].core.groups[1].state, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("shuts"), 0);
}

Test(core_lease, r9_a_lapse_ends_everything_that_was_open_and_one_shut_does_it)
{
	rig_begin();
	rig_configure(n_groups, 3);
	rig_alone(ALPHA);
	rig_forget();
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_expect("alpha shuts\n"
		   "alpha tells lapsed\n"
		   "alpha is claiming (lease-lapsed)\n"
		   "alpha/1 tells lapsed\n"
		   "alpha/1 is claiming (lease-lapsed)\n"
		   "alpha/2 tells lapsed\n"
		   "alpha/2 is claiming (lease-lapsed)\n");
}

Test(core_lease, r9_a_lapse_on_a_backup_empties_the_gate_and_changes_nothing_else)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_event(BETA, CORE_EV_LAPSED);
	rig_expect("beta shuts\n");
}

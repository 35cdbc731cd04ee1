/* SPDX-License-Identifier: MIT */

/* R7, traffic silence: when a primary is of no use where it is, and how often it may be tried. */

#include "tests/core_rig.h"

enum { TIMEOUT = 10 * 1000 * 1000, LONG = 1000 * 1000 * 1000 };

/* Alpha is primary, and has just seen traffic. */
static void pair(void)
{
	rig_configure(groups[0].traffic_us, TIMEOUT);
	rig_pair();
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	rig_forget();
}

static void begin(void)
{
	rig_begin();
	pair();
}

static bool is_silent(uint8_t node)
{
	return rig_group(node)->unfit & CORE_UNFIT_SILENT;
}

/* What this node's heartbeats say last. */
static const struct core_record *said(uint8_t node)
{
	return &rig.beats[node][!node].last.groups[0];
}

/* From now on, silence moves the group from here to there after so long, and not before. */
static void moves_after_us(uint8_t from, uint8_t to, uint64_t us)
{
	rig_advance_us(us - 1);
	rig_expect_state(from, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(from)->unfit, 0);
	rig_advance_us(1);
	rig_expect_state(to, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(to)->unfit, 0);
}

static void nothing_moves_for_us(uint64_t us)
{
	rig_forget();
	rig_advance_us(us);
	cr_assert_eq(rig_count(" is "), 0, "%s", rig.trace);
}

/* Traffic goes on at this node for so long. */
static void busy_for_us(uint8_t node, uint64_t us)
{
	for (uint64_t gone = 0; gone < us; gone += TIMEOUT / 4) {
		rig_event(node, CORE_EV_TRAFFIC);
		rig_advance_us(TIMEOUT / 4);
	}
}

/* Both have been silent for two switchovers: alpha is primary again, and would wait twice. */
static void there_and_back(void)
{
	moves_after_us(ALPHA, BETA, TIMEOUT);
	moves_after_us(BETA, ALPHA, TIMEOUT);
	cr_assert_eq(rig_group(ALPHA)->silences, 2);
	rig_advance_us(USEC_PER_SEC);
	cr_assert_eq(rig_group(BETA)->silences, 2);
	rig_forget();
}

static void watch_a_move(void)
{
	moves_after_us(ALPHA, BETA, TIMEOUT);
	cr_assert(is_silent(ALPHA));
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
	cr_assert_eq(said(ALPHA)->unfit, 0);
	cr_assert_eq(rig_count("alpha is fault"), 0);
}

Test(core_traffic, a_primary_without_traffic_goes_to_backup_and_is_fit_again)
{
	begin();
	watch_a_move();
	cr_assert_eq(rig_count("alpha tells unfit 400\n"
			       "alpha stores 2\n"
			       "alpha is yielding (unfit)\n"),
		     1, "%s", rig.trace);
	cr_assert_eq(rig_count("alpha is backup (unfit)\nalpha tells unfit 0\n"), 1);
}

Test(core_traffic, the_same_in_a_strict_group)
{
	rig_begin();
	rig_configure(groups[0].strict, true);
	pair();
	rig_advance_us(TIMEOUT);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(BETA)->silences, 1);
}

Test(core_traffic, every_piece_of_traffic_puts_the_end_off)
{
	begin();
	rig_advance_us(TIMEOUT - 1);
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	moves_after_us(ALPHA, BETA, TIMEOUT);
}

Test(core_traffic, a_new_primary_has_its_time_to_see_some)
{
	rig_begin();
	rig_configure(groups[0].traffic_us, TIMEOUT);
	rig.now.us = INTERVAL; /* its host has just booted */
	rig_adopted(ALPHA, 5);
	rig_advance_us(TIMEOUT - 1);
	cr_assert_not(is_silent(ALPHA));
	rig_advance_us(1);
	cr_assert(is_silent(ALPHA));
}

Test(core_traffic, without_monitoring_nobody_is_silent)
{
	rig_begin();
	rig_pair();
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	nothing_moves_for_us(LONG);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
}

Test(core_traffic, what_one_group_sees_says_nothing_of_another)
{
	struct core_event event = { .type = CORE_EV_TRAFFIC, .group = 1 };

	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(groups[1].traffic_us, TIMEOUT);
	pair();
	rig_step(ALPHA, &event);
	rig_advance_us(TIMEOUT / 2);
	rig_step(ALPHA, &event);
	rig_advance_us(TIMEOUT / 2);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig.nodes[ALPHA].core.groups[1].state, CORE_STATE_PRIMARY);
}

Test(core_traffic, a_backup_is_never_unfit_for_want_of_it)
{
	begin();
	busy_for_us(ALPHA, LONG);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("unfit"), 0);
	/* nor has it anything to be woken up for */
	rig_event(BETA, CORE_EV_TRAFFIC);
	rig_advance_us(TIMEOUT / 2);
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	rig_advance_us(TIMEOUT / 2 - 1);
	cr_assert_neq(core_deadline(&rig.nodes[BETA].core).us, rig.now.us + 1);
}

/* The reference's case: the service NIC of the primary is unplugged, and plugged in again. */
Test(core_traffic, an_unplugged_nic_moves_the_group_once)
{
	begin();
	watch_a_move();
	busy_for_us(BETA, 20 * (uint64_t)TIMEOUT);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	rig_forget();
	rig_event(ALPHA, CORE_EV_TRAFFIC); /* an answer to a probe: it is plugged in again */
	busy_for_us(BETA, 20 * (uint64_t)TIMEOUT);
	cr_assert_eq(rig_count(" is "), 0, "%s", rig.trace);
	/* and if the other one is unplugged, the first is asked at once: it counted for nothing */
	rig_event(BETA, CORE_EV_TRAFFIC);
	moves_after_us(BETA, ALPHA, TIMEOUT);
}

Test(core_traffic, both_silent_only_double_switchovers_double_up_to_four_times)
{
	static const unsigned times[] = { 1, 1, 2, 2, 4, 4, 4, 4, 4, 4 };

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		moves_after_us(i % 2, !(i % 2), times[i] * (uint64_t)TIMEOUT);
		cr_assert_eq(rig_group(!(i % 2))->silences,
			     i + 1 < CORE_SILENCES_MAX ? i + 1 : CORE_SILENCES_MAX);
	}
}

Test(core_traffic, traffic_at_the_primary_ends_the_doubling)
{
	begin();
	there_and_back();
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	cr_assert_eq(rig_group(ALPHA)->silences, 0);
	moves_after_us(ALPHA, BETA, TIMEOUT);
	cr_assert_eq(rig_group(BETA)->silences, 1);
	moves_after_us(BETA, ALPHA, TIMEOUT);
	moves_after_us(ALPHA, BETA, 2 * (uint64_t)TIMEOUT);
}

/* The primary hears of it; it does not see any better for that, and has had its time. */
Test(core_traffic, traffic_at_the_backup_ends_the_doubling)
{
	begin();
	there_and_back();
	rig_advance_us(TIMEOUT / 2 - USEC_PER_SEC);
	rig_event(BETA, CORE_EV_TRAFFIC);
	rig_advance_us(INTERVAL);
	cr_assert_eq(rig_group(ALPHA)->silences, 0);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	moves_after_us(ALPHA, BETA, TIMEOUT / 2 - INTERVAL);
	cr_assert_eq(rig_group(BETA)->silences, 0, "no silence where there is traffic");
	busy_for_us(BETA, LONG);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_traffic, who_is_overdue_when_the_doubling_ends_goes_at_once)
{
	begin();
	there_and_back();
	rig_advance_us(TIMEOUT);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_event(BETA, CORE_EV_TRAFFIC);
	rig_advance_us(2 * INTERVAL);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_traffic, a_successor_that_sees_traffic_begins_without_a_count)
{
	begin();
	rig_advance_us(TIMEOUT - 1);
	rig_event(BETA, CORE_EV_TRAFFIC);
	rig_advance_us(1);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(BETA)->silences, 0);
}

Test(core_traffic, what_the_holder_has_not_forgotten_yet_does_not_come_back)
{
	rig_begin();
	rig_configure(groups[0].traffic_us, TIMEOUT);
	rig_puppet(ALPHA)->silences = CORE_SILENCES_MAX;
	rig_standby(BETA, ALPHA, 5);
	cr_assert_eq(rig_group(BETA)->silences, CORE_SILENCES_MAX);
	rig_event(BETA, CORE_EV_TRAFFIC);
	cr_assert_eq(rig_group(BETA)->silences, 0);
	rig_say_for_us(ALPHA, BETA, TIMEOUT - INTERVAL);
	cr_assert_eq(rig_group(BETA)->silences, 0);
	cr_assert(rig.beats[BETA][ALPHA].last.groups[0].traffic);
	rig_say_for_us(ALPHA, BETA, 2 * INTERVAL); /* it goes on saying so: it has not heard us */
	cr_assert_eq(rig_group(BETA)->silences, CORE_SILENCES_MAX);
}

Test(core_traffic, a_backup_says_that_it_sees_traffic_for_the_first_timeout)
{
	begin();
	rig_event(BETA, CORE_EV_TRAFFIC);
	for (unsigned i = 1; i < 8; i++) {
		rig_event(ALPHA, CORE_EV_TRAFFIC);
		rig_advance_us(TIMEOUT / 8);
		cr_assert(said(BETA)->traffic);
	}
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	rig_advance_us(TIMEOUT / 8 - 1);
	cr_assert(said(BETA)->traffic);
	rig_advance_us(1);
	rig_event(BETA, CORE_EV_TIME);
	rig_advance_us(2 * INTERVAL);
	cr_assert_not(said(BETA)->traffic);
}

/* Its host has just booted: time has hardly begun. */
Test(core_traffic, who_has_not_seen_any_does_not_say_so)
{
	rig_begin();
	rig_configure(groups[0].traffic_us, TIMEOUT);
	rig.now.us = 1;
	rig_start(BETA);
	cr_assert_not(said(BETA)->traffic);
	rig_event(BETA, CORE_EV_TRAFFIC);
	rig_advance_us(INTERVAL);
	cr_assert(said(BETA)->traffic);
}

Test(core_traffic, a_switchover_that_is_asked_for_does_not_count)
{
	begin();
	moves_after_us(ALPHA, BETA, TIMEOUT);
	rig_advance_us(USEC_PER_SEC);
	for (uint32_t i = 1; i < 8; i++) {
		rig_request(i % 2 ? BETA : ALPHA, CORE_EV_SWITCHOVER, i);
		rig_advance_us(USEC_PER_SEC);
		rig_expect_state(i % 2 ? ALPHA : BETA, CORE_STATE_PRIMARY);
		cr_assert_eq(rig_group(ALPHA)->silences, 1);
		cr_assert_eq(rig_group(BETA)->silences, 1);
	}
	moves_after_us(ALPHA, BETA, TIMEOUT - USEC_PER_SEC);
	moves_after_us(BETA, ALPHA, 2 * (uint64_t)TIMEOUT);
}

Test(core_traffic, nor_does_one_for_another_fault)
{
	begin();
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(BETA)->silences, 0);
}

/* What the others have kept of it may be old. */
Test(core_traffic, the_count_is_the_holders)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_puppet(ALPHA)->silences = 2;
	rig_puppet(GAMMA)->silences = 4;
	rig_standby(BETA, ALPHA, 5);
	rig_say(GAMMA, BETA);
	cr_assert_eq(rig_group(BETA)->silences, 2);
}

/* It is silent still, and tries again as it does for any other reason. */
Test(core_traffic, a_move_that_fails_does_not_count)
{
	begin();
	rig.nodes[BETA].stuck = true;
	rig_advance_us(TIMEOUT);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_answer(BETA, CORE_DO_PREPARE, -12);
	rig.nodes[BETA].stuck = false;
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert(is_silent(ALPHA));
	cr_assert_eq(rig_count("alpha tells unfit"), 1);
	cr_assert_eq(rig_group(ALPHA)->silences, 0);
	cr_assert_eq(rig_group(BETA)->silences, 0);
	rig_advance_us(4 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(BETA)->silences, 1);
}

/* Alpha hands over for the third time, and beta does not get on with it. */
static void begin_third_move(void)
{
	begin();
	there_and_back();
	rig_advance_us(2 * TIMEOUT - USEC_PER_SEC - 1);
	rig.nodes[BETA].stuck = true;
	rig_advance_us(1);
}

Test(core_traffic, what_is_seen_on_the_way_out_counts)
{
	begin_third_move();
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	rig_advance_us(INTERVAL);
	rig.nodes[BETA].stuck = false;
	rig_advance_us(INTERVAL);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(BETA)->silences, 0);
}

Test(core_traffic, what_the_successor_sees_meanwhile_counts)
{
	begin_third_move();
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
	rig_event(BETA, CORE_EV_TRAFFIC);
	rig_advance_us(INTERVAL);
	cr_assert_eq(rig_group(ALPHA)->silences, 0);
	cr_assert_eq(rig_group(BETA)->silences, 0);
}

Test(core_traffic, the_count_outlives_the_primary)
{
	begin();
	there_and_back();
	rig_kill(ALPHA);
	rig_advance_us(2 * DEAD);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(BETA)->silences, 2);
	rig_start(ALPHA);
	rig_advance_us(DEAD);
	cr_assert_eq(rig_group(ALPHA)->silences, 2, "and comes back to it");
	rig_advance_us(2 * TIMEOUT - 3 * DEAD);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_advance_us(2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(ALPHA)->silences, 3);
}

/* 200 ms, in which nobody could have told it of any. */
Test(core_traffic, a_freeze_is_not_silence)
{
	uint64_t frozen_us;
	instant before;

	begin();
	rig_advance_us(TIMEOUT - USEC_PER_SEC);
	before = rig.nodes[ALPHA].core.now;
	rig.nodes[ALPHA].frozen = true;
	rig_advance_us(200 * USEC_PER_MSEC);
	rig.nodes[ALPHA].frozen = false;
	rig_settle();
	frozen_us = instant_since(rig.nodes[ALPHA].core.awake, before);
	cr_assert_geq(frozen_us, 200 * USEC_PER_MSEC);
	moves_after_us(ALPHA, BETA, USEC_PER_SEC - 200 * USEC_PER_MSEC + frozen_us);
}

/* A host that stumbles all the time must not put it off for ever. */
Test(core_traffic, silence_before_a_freeze_counts)
{
	begin();
	for (unsigned i = 0; i < 90; i++) {
		rig.nodes[ALPHA].frozen = true;
		rig_advance_us(150 * USEC_PER_MSEC);
		rig.nodes[ALPHA].frozen = false;
		rig_advance_us(150 * USEC_PER_MSEC);
	}
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

/* R4: better one that sees nothing than none at all. */
Test(core_traffic, without_a_fit_peer_it_keeps_the_group_until_there_is_one)
{
	for (unsigned keep = 0; keep < 2; keep++) {
		rig_begin();
		rig_configure(groups[0].keep_alone, keep);
		pair();
		rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
		rig_advance_us(TIMEOUT);
		cr_assert(is_silent(ALPHA));
		nothing_moves_for_us(LONG);
		rig_set_fitness(BETA, CORE_UNFIT_LINK, false);
		rig_advance_us(INTERVAL);
		rig_expect_state(BETA, CORE_STATE_PRIMARY);
		cr_assert_eq(rig_group(BETA)->silences, 1);
	}
}

Test(core_traffic, who_has_another_reason_still_releases)
{
	rig_begin();
	rig_configure(groups[0].keep_alone, false);
	pair();
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_advance_us(TIMEOUT);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_advance_us(INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_CHECK);
}

Test(core_traffic, the_one_that_sees_it_stays_primary)
{
	begin();
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_advance_us(TIMEOUT);
	cr_assert(is_silent(ALPHA));
	rig_forget();
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	rig_expect("alpha tells unfit 0\n");
	rig_set_fitness(BETA, CORE_UNFIT_LINK, false);
	rig_advance_us(TIMEOUT - 1);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* Its lease ran out: it begins anew, as everybody who becomes primary does. */
Test(core_traffic, who_has_to_claim_again_is_not_silent_yet)
{
	instant end;

	begin();
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_advance_us(TIMEOUT);
	cr_assert(is_silent(ALPHA));
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	cr_assert_not(is_silent(ALPHA));
	rig_advance_us(DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	end = instant_add(rig_group(ALPHA)->since, TIMEOUT);
	rig_advance_us(instant_since(end, rig.now) - 1);
	cr_assert_not(is_silent(ALPHA));
	rig_advance_us(1);
	cr_assert(is_silent(ALPHA));
}

/* It would take the group to where nothing is to be seen, again and again. */
Test(core_traffic, preempt_does_not_undo_it_until_traffic_is_seen_there)
{
	rig_begin();
	rig_configure(groups[0].preempt, true);
	rig_configure(priority[ALPHA], 200);
	pair();
	moves_after_us(ALPHA, BETA, TIMEOUT);
	rig_advance_us(USEC_PER_SEC);
	rig_forget();
	busy_for_us(BETA, 10 * (uint64_t)TIMEOUT);
	cr_assert_eq(rig_count(" is "), 0, "%s", rig.trace);
	rig_event(ALPHA, CORE_EV_TRAFFIC);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* It was primary since: what it has lost then, it lost for another reason. */
Test(core_traffic, preempt_is_allowed_again_once_it_was_primary)
{
	rig_begin();
	rig_configure(groups[0].preempt, true);
	rig_configure(priority[ALPHA], 200);
	pair();
	moves_after_us(ALPHA, BETA, TIMEOUT);
	moves_after_us(BETA, ALPHA, TIMEOUT);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, false);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_traffic, preempt_is_as_ever_for_whom_no_silence_has_moved)
{
	rig_begin();
	rig_configure(groups[0].preempt, true);
	rig_configure(priority[ALPHA], 200);
	pair();
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, false);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

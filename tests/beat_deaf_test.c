/* SPDX-License-Identifier: MIT */

/* A peer that sends, and hears nothing of us: what is on the way to it is dropped. */

#include "tests/beat_rig.h"

enum { STEP_US = 100000, DEAD_US = 500000, START_US = 1000000 };

/* Beta, which does not read what has come to it, says something every STEP_US until @to_us. */
static void say_unheard(struct agent *a, struct agent *b, uint64_t from_us, uint64_t to_us)
{
	for (uint64_t us = from_us; us <= to_us; us += STEP_US) {
		say_at(b, BEAT_UNMARKED, us);
		settle_at(a, NULL, us);
	}
}

static bool is_deaf(const struct agent *agent, uint64_t us)
{
	return beat_is_deaf(agent->beat, agent->peer, (instant){ us });
}

Test(beat_deaf, who_sends_for_the_dead_time_without_hearing_us_is_deaf)
{
	struct agent a, b;

	both_start(&a, &b, TWO_PATHS);
	cr_assert_eq(a.conf->dead_us, DEAD_US);
	say_unheard(&a, &b, START_US, START_US + DEAD_US);
	cr_expect_eq(a.outcomes[BEAT_DEAF], 0);
	cr_expect_not(is_deaf(&a, START_US + DEAD_US));
	say_unheard(&a, &b, START_US + DEAD_US + STEP_US, START_US + DEAD_US + STEP_US);
	cr_expect_eq(a.outcomes[BEAT_DEAF], 2, "one on each path");
	cr_expect_eq(a.last.peer, BETA);
	cr_expect_eq(a.last.from.bytes[3], 2);
	cr_expect(is_deaf(&a, START_US + DEAD_US + STEP_US));
	cr_expect_not(is_deaf(&b, START_US + DEAD_US + STEP_US));
	cr_expect_not(is_deaf(&a, START_US + 3 * DEAD_US), "it does not even send any more");
	/* it hears us now */
	forget(&a);
	settle_at(&a, &b, START_US + DEAD_US + 2 * STEP_US);
	cr_expect_not(is_deaf(&a, START_US + DEAD_US + 2 * STEP_US));
	say_at(&b, BEAT_UNMARKED, START_US + DEAD_US + 2 * STEP_US);
	settle_at(&a, &b, START_US + DEAD_US + 2 * STEP_US);
	cr_expect_eq(a.outcomes[BEAT_DEAF], 0);
	cr_expect_eq(a.outcomes[BEAT_FRESH], 1);
	both_stop(&a, &b);
}

Test(beat_deaf, a_peer_that_goes_on_in_our_last_session_is_deaf_as_well)
{
	struct agent a, b;

	both_start(&a, &b, ONE_PATH);
	meet(&a, &b);
	agent_stop(&a);
	agent_start(&a, ONE_PATH, ALPHA);
	say_unheard(&a, &b, START_US, START_US + DEAD_US + STEP_US);
	cr_expect_eq(a.outcomes[BEAT_DEAF], 1);
	both_stop(&a, &b);
}

Test(beat_deaf, greetings_with_a_pause_between_them_are_no_proof)
{
	struct agent a, b;

	both_start(&a, &b, ONE_PATH);
	say_unheard(&a, &b, START_US, START_US);
	say_unheard(&a, &b, START_US + DEAD_US + STEP_US, START_US + DEAD_US + STEP_US);
	cr_expect_eq(a.outcomes[BEAT_DEAF], 0);
	both_stop(&a, &b);
}

Test(beat_deaf, what_is_recorded_makes_nobody_deaf_who_is_heard)
{
	static struct recorder recorder;
	struct agent a, b;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	recorder_start(&recorder);
	agent_start(&b, ONE_PATH, BETA);
	say_at(&b, BEAT_UNMARKED, START_US);
	settle_at(&a, &b, START_US);
	recorder_stop(&recorder);
	for (uint64_t us = START_US; us <= START_US + 2 * DEAD_US; us += STEP_US) {
		cr_assert_geq(replay(&recorder, "10.9.0.2"), 1);
		settle_at(&a, &b, us);
		say_at(&b, BEAT_UNMARKED, us);
		settle_at(&a, &b, us);
	}
	cr_expect_eq(a.outcomes[BEAT_DEAF], 0);
	both_stop(&a, &b);
}

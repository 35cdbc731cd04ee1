/* SPDX-License-Identifier: MIT */

/* Two hosts whose configurations call each of them alpha, and the other one beta. */

#include "tests/beat_rig.h"

#define MIRRORED "[Node beta]\nAddress=10.9.0.1\n[Node alpha]\nAddress=10.9.0.2\n" GROUP

static void say_state(struct agent *agent, enum core_state state)
{
	struct core_beat text = { .seq = ++agent->seq, .interval_us = 50000, .lease_us = 350000 };

	text.groups[0].present = true;
	text.groups[0].state = state;
	cr_assert_eq(
		beat_send(agent->beat, agent->peer, &text, BEAT_UNMARKED, (instant){ 1000000 }), 1);
}

static void start_both(struct agent *first, struct agent *second)
{
	world_enter();
	agent_start(first, ONE_PATH, 0);
	agent_start(second, MIRRORED, 0);
}

/* Both say what they hold, twice: the first time nobody knows yet what it holds itself. */
static void say_both(struct agent *first, enum core_state its, struct agent *second,
		     enum core_state others)
{
	for (int i = 0; i < 2; i++) {
		forget(first);
		forget(second);
		say_state(first, its);
		say_state(second, others);
		settle(first, second);
	}
}

static void stop_both(struct agent *first, struct agent *second)
{
	agent_stop(first);
	agent_stop(second);
}

Test(beat_namesake, who_holds_nothing_leaves_it_to_the_one_that_holds)
{
	struct agent a, b;

	start_both(&a, &b);
	say_both(&a, CORE_STATE_BACKUP, &b, CORE_STATE_PRIMARY);
	cr_expect_eq(a.outcomes[BEAT_NAMESAKE], 1);
	cr_expect_eq(a.last.peer, 1);
	cr_expect_str_eq(a.last.name, "alpha");
	cr_expect_eq(memcmp(a.last.from.bytes, "\x0a\x09\x00\x02", 4), 0);
	cr_expect_eq(b.outcomes[BEAT_NAMESAKE], 0);
	cr_expect_eq(b.outcomes[BEAT_MISPLACED], 1);
	stop_both(&a, &b);
}

Test(beat_namesake, of_two_that_hold_the_smaller_address_keeps)
{
	struct agent a, b;

	start_both(&a, &b);
	say_both(&a, CORE_STATE_YIELDING, &b, CORE_STATE_PRIMARY);
	cr_expect_eq(a.outcomes[BEAT_NAMESAKE], 0);
	cr_expect_eq(b.outcomes[BEAT_NAMESAKE], 1);
	cr_expect_geq(stats_of(&a).misplaced, 3, "greeting and verdict are counted");
	stop_both(&a, &b);
}

Test(beat_namesake, of_two_that_hold_nothing_none_tells_the_other)
{
	struct agent a, b;

	start_both(&a, &b);
	say_both(&a, CORE_STATE_CLAIMING, &b, CORE_STATE_BACKUP);
	cr_expect_eq(a.outcomes[BEAT_NAMESAKE] + b.outcomes[BEAT_NAMESAKE], 0);
	cr_expect_eq(a.outcomes[BEAT_MISPLACED], 1);
	cr_expect_eq(b.outcomes[BEAT_MISPLACED], 1);
	stop_both(&a, &b);
}

Test(beat_namesake, a_recorded_verdict_is_worth_nothing)
{
	static struct recorder recorder;
	struct agent a, b;

	start_both(&a, &b);
	recorder_start(&recorder);
	say_both(&a, CORE_STATE_BACKUP, &b, CORE_STATE_PRIMARY);
	recorder_stop(&recorder);
	forget(&a);
	cr_assert_geq(replay(&recorder, "10.9.0.2"), 3);
	settle(&a, NULL);
	cr_expect_eq(a.outcomes[BEAT_NAMESAKE], 0);

	/* nor for another life, nor when it says again what it said in that one */
	agent_stop(&a);
	agent_start(&a, ONE_PATH, 0);
	say_state(&a, CORE_STATE_BACKUP);
	cr_assert_geq(replay(&recorder, "10.9.0.2"), 3);
	cr_assert_geq(replay(&recorder, "10.9.0.1"), 2);
	settle(&a, NULL);
	cr_expect_eq(a.outcomes[BEAT_NAMESAKE], 0);
	stop_both(&a, &b);
}

/* SPDX-License-Identifier: MIT */
#include "tests/beat_rig.h"

Test(beat, nothing_is_heard_before_the_handshake_and_everything_after)
{
	static struct recorder recorder;
	struct agent a, b;

	world_enter();
	recorder_start(&recorder);
	agent_start(&a, ONE_PATH, ALPHA);
	agent_start(&b, ONE_PATH, BETA);
	cr_expect_eq(say(&a), 1);
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_FRESH] + b.outcomes[BEAT_FRESH], 0);
	recorder_take(&recorder);
	cr_expect_leq(recorder.n, 4, "%zu datagrams", recorder.n);
	cr_expect_eq(recorder.v[0].bytes[1], 0xc0, "DSCP CS6");

	cr_expect_eq(say(&a), 1);
	cr_expect_eq(say(&b), 1);
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_FRESH], 1);
	cr_expect_eq(b.outcomes[BEAT_FRESH], 1);
	cr_expect_eq(b.last.peer, ALPHA);
	cr_expect_eq(b.last.beat.seq, 2);
	cr_expect(b.last.beat.groups[0].present);
	recorder_stop(&recorder);
	cr_expect_leq(recorder.n, 6, "a heartbeat calls for no answer of this layer");
	both_stop(&a, &b);
}

Test(beat, two_greetings_that_cross_end_in_one_handshake)
{
	static struct recorder recorder;
	struct agent a, b;

	world_enter();
	recorder_start(&recorder);
	agent_start(&a, TWO_PATHS, ALPHA);
	agent_start(&b, TWO_PATHS, BETA);
	say(&a);
	say(&b);
	settle(&a, &b);
	recorder_take(&recorder);
	cr_expect_leq(recorder.n, 16, "%zu datagrams", recorder.n);
	say(&a);
	say(&b);
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_FRESH], 1);
	cr_expect_eq(b.outcomes[BEAT_FRESH], 1);
	recorder_stop(&recorder);
	both_stop(&a, &b);
}

Test(beat, works_without_authentication)
{
	struct agent a, b;

	world_enter();
	agent_start_with(&a, ONE_PATH, ALPHA, NULL);
	agent_start_with(&b, ONE_PATH, BETA, NULL);
	meet(&a, &b);
	say(&a);
	settle(&a, &b);
	cr_expect_eq(b.outcomes[BEAT_FRESH], 1);
	both_stop(&a, &b);
}

Test(beat, another_key_is_refused_and_counted)
{
	struct agent a, b;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	agent_start_with(&b, ONE_PATH, BETA, other_key);
	say(&b);
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_REFUSED], 1);
	cr_expect_eq(stats_of(&a).refused[WIRE_BAD_TAG], 1);
	cr_expect_eq(b.outcomes[BEAT_HANDLED] + b.outcomes[BEAT_REFUSED], 0, "no answer");
	both_stop(&a, &b);
}

Test(beat, a_recorded_heartbeat_is_refused)
{
	static struct recorder recorder;
	struct agent a, b;

	both_start(&a, &b, ONE_PATH);
	meet(&a, &b);
	recorder_start(&recorder);
	say(&b);
	say(&b);
	settle(&a, &b);
	recorder_stop(&recorder);
	cr_assert_eq(a.outcomes[BEAT_FRESH], 2);
	cr_assert_eq(replay(&recorder, "10.9.0.2"), 2);
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_FRESH], 2);
	cr_expect_eq(a.outcomes[BEAT_REFUSED], 2);
	cr_expect_eq(stats_of(&a).replayed, 2);
	both_stop(&a, &b);
}

/* All that beta said in a life that has ended, and one heartbeat more of the next. */
static void record_a_life(struct agent *a, struct recorder *recorder)
{
	struct agent b;

	recorder_start(recorder);
	agent_start(&b, ONE_PATH, BETA);
	meet(a, &b);
	for (int i = 0; i < 3; i++)
		say(&b);
	settle(a, &b);
	cr_assert_eq(a->outcomes[BEAT_FRESH], 3);
	recorder_stop(recorder);
	agent_stop(&b);
	forget(a);
}

Test(beat, a_dead_peer_cannot_be_raised_with_what_it_said)
{
	static struct recorder lives[3];
	struct agent a;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	for (size_t i = 0; i < ARRAY_SIZE(lives); i++)
		record_a_life(&a, &lives[i]);
	for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
		cr_assert_geq(replay(&lives[i], "10.9.0.2"), 4);
		settle(&a, NULL);
	}
	cr_expect_eq(a.outcomes[BEAT_FRESH], 0);
	agent_stop(&a);

	/* Nor in front of an agent that has been restarted itself. */
	agent_start(&a, ONE_PATH, ALPHA);
	say(&a);
	cr_assert_geq(replay(&lives[0], "10.9.0.2"), 4);
	settle(&a, NULL);
	say(&a);
	cr_assert_geq(replay(&lives[0], "10.9.0.2"), 4);
	settle(&a, NULL);
	cr_expect_eq(a.outcomes[BEAT_FRESH], 0);
	agent_stop(&a);
}

Test(beat, what_a_peer_said_before_its_restart_changes_nothing_after_it)
{
	static struct recorder recorder;
	struct agent a, b;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	record_a_life(&a, &recorder);
	agent_start(&b, ONE_PATH, BETA);
	say(&b);
	replay(&recorder, "10.9.0.2");
	settle(&a, &b);
	say(&b);
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_FRESH], 1);
	replay(&recorder, "10.9.0.2");
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_FRESH], 1);
	say(&b);
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_FRESH], 2, "still in the new session");
	both_stop(&a, &b);
}

/* A flood at alpha, in which no time passes: no bucket is refilled. */
Test(beat, a_peer_that_restarts_in_a_flood_of_what_it_once_said_is_known_again)
{
	static struct recorder before, since;
	struct agent a, b;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	record_a_life(&a, &before);
	agent_stop(&a);
	agent_start(&a, ONE_PATH, ALPHA);
	record_a_life(&a, &since); /* quotes alpha's present session */
	for (int i = 0; i < 20; i++) {
		replay(&before, "10.9.0.2");
		replay(&since, "10.9.0.2");
		settle(&a, NULL);
	}
	agent_start(&b, ONE_PATH, BETA);
	say(&b); /* drowns */
	settle(&a, &b);
	forget(&a);
	say(&a);
	settle(&a, &b);
	say(&a);
	say(&b);
	settle(&a, &b);
	cr_expect_geq(a.outcomes[BEAT_FRESH], 1);
	cr_expect_geq(b.outcomes[BEAT_FRESH], 1);
	both_stop(&a, &b);
}

Test(beat, our_own_heartbeats_sent_back_to_us_are_refused)
{
	static struct recorder recorder;
	struct agent a, b;

	both_start(&a, &b, ONE_PATH);
	meet(&a, &b);
	recorder_start(&recorder);
	say(&a);
	settle(&a, &b);
	recorder_stop(&recorder);
	cr_assert_eq(recorder.n, 1);
	/* From beta's address to ours */
	memcpy(recorder.v[0].bytes + 12, "\x0a\x09\x00\x02\x0a\x09\x00\x01", 8);
	cr_assert_eq(replay(&recorder, "10.9.0.2"), 1);
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_REFUSED], 1);
	cr_expect_eq(stats_of(&a).replayed, 1);
	both_stop(&a, &b);
}

Test(beat, what_an_earlier_life_of_ours_said_makes_no_peer)
{
	static struct recorder recorder;
	struct agent a, b;

	both_start(&a, &b, ONE_PATH);
	meet(&a, &b);
	recorder_start(&recorder);
	say(&a);
	settle(&a, &b);
	recorder_stop(&recorder);
	agent_stop(&a);
	agent_start(&a, ONE_PATH, ALPHA);
	memcpy(recorder.v[0].bytes + 16, "\x0a\x09\x00\x01", 4); /* from us to us */
	cr_assert_eq(replay(&recorder, "10.9.0.1"), 1);
	settle(&a, NULL);
	cr_expect_eq(a.outcomes[BEAT_MISPLACED], 1);
	both_stop(&a, &b);
}

Test(beat, a_restarted_peer_is_known_again_whoever_speaks_first)
{
	static struct recorder recorder;
	struct agent a, b;

	both_start(&a, &b, ONE_PATH);
	meet(&a, &b);
	for (int first = 0; first < 2; first++) {
		agent_stop(&b);
		agent_start(&b, ONE_PATH, BETA);
		recorder_start(&recorder);
		say(first ? &b : &a);
		settle(&a, &b);
		recorder_stop(&recorder);
		cr_expect_leq(recorder.n, 4, "two round trips");
		forget(&a);
		say(&a);
		say(&b);
		settle(&a, &b);
		cr_expect_eq(a.outcomes[BEAT_FRESH], 1);
		cr_expect_eq(b.outcomes[BEAT_FRESH], 1);
	}
	both_stop(&a, &b);
}

Test(beat, a_stranger_is_told_so_and_an_old_verdict_is_worth_nothing)
{
	static const char without_beta[] = "[Node alpha]\nAddress=10.9.0.1\n"
					   "[Node gamma]\nAddress=10.9.0.3\n" GROUP;
	static struct recorder recorder;
	struct agent a, b;

	world_enter();
	agent_start(&a, without_beta, ALPHA);
	agent_start(&b, ONE_PATH, BETA);
	recorder_start(&recorder);
	for (unsigned i = 1; i <= 2; i++) {
		say(&b);
		settle(&a, &b);
		cr_expect_eq(a.outcomes[BEAT_STRANGER], i);
		cr_expect_eq(b.outcomes[BEAT_DISOWNED], i);
	}
	recorder_stop(&recorder);
	cr_expect_str_eq(a.last.name, "beta");
	cr_expect_eq(memcmp(a.last.from.bytes, "\x0a\x09\x00\x02", 4), 0);
	cr_expect_eq(stats_of(&a).strangers, 2);
	cr_expect_eq(stats_of(&a).misplaced, 0);
	cr_expect_eq(b.last.peer, ALPHA);
	cr_expect_eq(replay(&recorder, "10.9.0.1"), 2);
	settle(&a, &b);
	cr_expect_eq(b.outcomes[BEAT_DISOWNED], 2);

	/* Alpha's configuration is mended; somebody has recorded what it said. */
	agent_stop(&a);
	agent_start(&a, ONE_PATH, ALPHA);
	meet(&a, &b);
	cr_expect_eq(replay(&recorder, "10.9.0.1"), 2);
	settle(&a, &b);
	cr_expect_eq(b.outcomes[BEAT_DISOWNED], 0);
	cr_expect_eq(b.outcomes[BEAT_REFUSED], 2);
	both_stop(&a, &b);
}

Test(beat, a_peer_that_is_reconfigured_disowns_in_the_midst_of_a_session)
{
	static const char without_beta[] = "[Node alpha]\nAddress=10.9.0.1\n" GROUP;
	struct agent a, b;

	both_start(&a, &b, ONE_PATH);
	meet(&a, &b);
	agent_stop(&a);
	agent_start(&a, without_beta, ALPHA);
	say(&b);
	settle(&a, &b);
	cr_expect_eq(b.outcomes[BEAT_DISOWNED], 1);
	both_stop(&a, &b);
}

/* @text is what the other end believes; alpha says nothing to it, and can say who it is. */
static void expect_misplaced(const char *text, uint8_t self, const char *name, const char *address)
{
	const struct sockaddr_in from = { .sin_addr.s_addr = inet_addr(address) };
	static struct recorder recorder;
	struct agent a, b;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	agent_start(&b, text, self);
	recorder_start(&recorder);
	say(&b);
	settle(&a, &b);
	recorder_stop(&recorder);
	cr_expect_eq(a.outcomes[BEAT_MISPLACED], 1);
	cr_expect_eq(stats_of(&a).misplaced, 1);
	cr_expect_eq(stats_of(&a).strangers, 0, "it is known by name");
	cr_expect_str_eq(a.last.name, name);
	cr_expect_eq(a.last.from.family, 4);
	cr_expect_eq(memcmp(a.last.from.bytes, &from.sin_addr, 4), 0);
	cr_expect_eq(recorder.n, 1, "no answer");
	both_stop(&a, &b);
}

Test(beat, another_node_with_our_name_is_not_in_its_place)
{
	expect_misplaced("[Node beta]\nAddress=10.9.0.1\n[Node alpha]\nAddress=10.9.0.2\n" GROUP, 0,
			 "alpha", "10.9.0.2");
}

Test(beat, a_peer_from_an_address_that_is_not_its_own_is_not_in_its_place)
{
	expect_misplaced("[Node alpha]\nAddress=10.9.0.1\n[Node beta]\nAddress=10.9.0.3\n" GROUP, 1,
			 "beta", "10.9.0.3");
}

Test(beat, what_comes_of_another_session_is_counted)
{
	static struct recorder recorder;
	struct agent a;
	size_t sent = 0;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	record_a_life(&a, &recorder);
	agent_stop(&a);
	agent_start(&a, ONE_PATH, ALPHA);
	for (int i = 0; i < 10; i++)
		sent += replay(&recorder, "10.9.0.2");
	settle(&a, NULL);
	cr_assert_geq(sent, 2 * SESSION_GREETINGS);
	cr_expect_geq(a.outcomes[BEAT_HANDLED], sent);
	cr_expect_eq(stats_of(&a).greetings, SESSION_GREETINGS);
	cr_expect_eq(stats_of(&a).unproven, sent - SESSION_GREETINGS);
	agent_stop(&a);
}

Test(beat, replays_use_up_no_more_than_one_handshake_between_two)
{
	static struct recorder lives[2];
	struct agent a, b;
	uint64_t before;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	for (size_t i = 0; i < ARRAY_SIZE(lives); i++)
		record_a_life(&a, &lives[i]);
	cr_expect_leq(stats_of(&a).greetings, 4);
	cr_expect_eq(stats_of(&a).unproven, 0);
	before = stats_of(&a).greetings;
	for (int i = 0; i < SESSION_GREETINGS / 2; i++) {
		cr_assert_geq(replay(&lives[0], "10.9.0.2"), 4);
		settle(&a, NULL);
	}
	cr_expect_leq(stats_of(&a).greetings - before, SESSION_GREETINGS);
	cr_expect_geq(stats_of(&a).unproven, SESSION_GREETINGS);
	/* the next one is counted as such again */
	agent_start(&b, ONE_PATH, BETA);
	say(&b);
	settle(&a, &b);
	agent_stop(&b);
	before = stats_of(&a).unproven;
	agent_start(&b, ONE_PATH, BETA);
	say(&b);
	settle(&a, &b);
	cr_expect_eq(stats_of(&a).unproven, before);
	both_stop(&a, &b);
}

Test(beat, no_packet_of_a_handshake_counts_as_unproven)
{
	struct agent a, b;

	both_start(&a, &b, TWO_PATHS);
	say(&b);
	meet(&a, &b);
	for (int i = 0; i < 20; i++) {
		say(&a);
		say(&b);
		settle(&a, &b);
	}
	agent_stop(&b);
	agent_start(&b, TWO_PATHS, BETA);
	say(&b);
	meet(&a, &b);
	cr_expect_geq(stats_of(&a).greetings + stats_of(&b).greetings, 2);
	cr_expect_eq(stats_of(&a).unproven, 0);
	cr_expect_eq(stats_of(&b).unproven, 0);
	cr_expect_eq(stats_of(&a).replayed, 0);
	cr_expect_eq(stats_of(&b).replayed, 0);
	both_stop(&a, &b);
}

/* SPDX-License-Identifier: MIT */

/* What a heartbeat says, and when it leaves. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

static const struct core_beat *last(uint8_t from, uint8_t to)
{
	return &rig.beats[from][to].last;
}

Test(core_beat, it_says_what_this_node_knows_and_is_configured_to_do)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(priority[ALPHA], 123);
	rig_configure(digest, 0xd1);
	rig_configure(groups[1].strict, true);
	rig.nodes[ALPHA].start[1].start.term = 9;
	rig_adopted(ALPHA, 5);
	rig_set_fitness(ALPHA, CORE_UNFIT_SYNC, true);
	rig_say(BETA, ALPHA);
	rig.nodes[BETA].puppet.seq = 70;
	rig_say(BETA, ALPHA);
	rig_advance_us(INTERVAL);
	cr_assert_eq(last(ALPHA, BETA)->echo_seq, 71);
	cr_assert_eq(last(ALPHA, BETA)->seq, rig.nodes[ALPHA].core.seq);
	cr_assert_eq(last(ALPHA, BETA)->interval_us, INTERVAL);
	cr_assert_eq(last(ALPHA, BETA)->lease_us, LEASE);
	cr_assert_eq(last(ALPHA, BETA)->digest, 0xd1);
	cr_assert_eq(last(ALPHA, BETA)->priority, 123);
	cr_assert_not(last(ALPHA, BETA)->reply);
	cr_assert(last(ALPHA, BETA)->wants_answer);
	cr_assert(last(ALPHA, BETA)->marked);
	cr_assert_eq(last(ALPHA, BETA)->groups[0].state, CORE_STATE_PRIMARY);
	cr_assert_eq(last(ALPHA, BETA)->groups[0].term, 5);
	cr_assert_eq(last(ALPHA, BETA)->groups[0].unfit, CORE_UNFIT_STARTING | CORE_UNFIT_SYNC);
	cr_assert_not(last(ALPHA, BETA)->groups[0].strict);
	cr_assert_eq(last(ALPHA, BETA)->groups[1].state, CORE_STATE_BACKUP);
	cr_assert_eq(last(ALPHA, BETA)->groups[1].term, 9);
	cr_assert_eq(last(ALPHA, BETA)->groups[0].move_to, CORE_NODE_NONE);
	cr_assert_eq(last(ALPHA, BETA)->groups[1].move_to, CORE_NODE_NONE);
	cr_assert(last(ALPHA, BETA)->groups[1].strict);
	cr_assert(last(ALPHA, BETA)->groups[1].present);
}

static const struct core_action *beat_to(uint8_t peer)
{
	for (size_t i = 0; i < rig.actions.n; i++)
		if (rig.actions.v[i].type == CORE_DO_BEAT && rig.actions.v[i].peer == peer)
			return &rig.actions.v[i];
	cr_assert(false, "no heartbeat");
	return NULL;
}

/* The sender of them does not wait for an echo that is not to be expected. */
Test(core_beat, whether_an_echo_is_to_be_expected_is_said_of_each_peer)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_set_fitness(ALPHA, CORE_UNFIT_SYNC, true);
	cr_assert(beat_to(BETA)->beat.alone);
	rig_say(BETA, ALPHA);
	rig_set_fitness(ALPHA, CORE_UNFIT_SYNC, false);
	cr_assert_not(beat_to(BETA)->beat.alone);
}

/* R3: only who has tried references can have seen one. */
Test(core_beat, references_count_when_they_have_answered)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_advance_us(INTERVAL);
	cr_assert_not(last(ALPHA, BETA)->references_answer);
	rig_set_references(ALPHA, false);
	rig_advance_us(INTERVAL);
	cr_assert(last(ALPHA, BETA)->references_answer);
	rig_set_references(ALPHA, true);
	rig_advance_us(INTERVAL);
	cr_assert_not(last(ALPHA, BETA)->references_answer);
}

/* Its echoes stand for its own heartbeats; the slack is a quarter of the interval. */
Test(core_beat, a_backup_speaks_up_a_quarter_late_when_nothing_is_there_to_echo)
{
	uint64_t seq;

	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_deafen(ALPHA);
	for (int i = 0; i < 10; i++)
		rig_say_for_us(ALPHA, BETA, INTERVAL);
	seq = last(BETA, ALPHA)->seq;
	cr_assert(last(BETA, ALPHA)->reply);
	rig_advance_us(INTERVAL + INTERVAL / 4 - 1);
	cr_assert_eq(last(BETA, ALPHA)->seq, seq);
	rig_advance_us(1);
	cr_assert_eq(last(BETA, ALPHA)->seq, seq + 1);
	cr_assert_not(last(BETA, ALPHA)->reply);
}

/* R11: what has to be echoed is the first heartbeat that says so, not one before or the last. */
Test(core_beat, a_restart_is_known_by_the_first_heartbeat_that_says_so)
{
	uint64_t seq;

	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_deafen(BETA);
	seq = rig.nodes[ALPHA].core.seq;
	rig_stop(ALPHA, true);
	rig_forget();
	cr_assert_eq(rig.nodes[ALPHA].core.seq, seq + 1);
	rig_advance_us(INTERVAL);
	cr_assert_eq(rig.nodes[ALPHA].core.seq, seq + 2);
	rig_say_echo(BETA, ALPHA, seq);
	rig_expect("");
	rig_say_echo(BETA, ALPHA, seq + 1);
	rig_expect("alpha lease 3000000\n");
}

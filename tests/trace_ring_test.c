/* SPDX-License-Identifier: MIT */

#include "agent/trace/ring.h"

#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/trace/pack.h"
#include "agent/trace/player.h"
#include "agent/trace/trace.h"

/*
 * Everything that alpha is told in a story of the rig is recorded, and told as text at
 * once, which is what the recorder has to say of it later.
 */
static struct {
	struct ring *ring;
	FILE *to;
	char *text;
	size_t len;
	const uint8_t *entry; /* the last one */
	size_t entry_size;
	unsigned events;
} tape;

static void recorded_step(struct core *core, const struct core_event *event,
			  struct core_actions *actions)
{
	bool here = tape.ring && core->config.self == 0;

	if (here) {
		ring_event(tape.ring, core, event);
		trace_event(tape.to, event, core->config.n_groups,
			    event->type == CORE_EV_BEAT ? &core->peers[event->peer].beat : NULL);
	}
	core_step(core, event, actions);
	if (!here)
		return;
	tape.entry_size = ring_actions(tape.ring, actions, &tape.entry);
	for (size_t i = 0; i < actions->n; i++)
		trace_action(tape.to, &actions->v[i]);
	(void)fflush(tape.to);
	tape.events++;
}

#define core_step(...) recorded_step(__VA_ARGS__) /* of the rig */
#include "tests/core_rig.h"

static void record(size_t room)
{
	cr_assert_eq(ring_new(&rig.nodes[ALPHA].config, room, &tape.ring), 0);
	tape.to = open_memstream(&tape.text, &tape.len);
	cr_assert(tape.to);
}

static void leave(void)
{
	tape.ring = ring_free(tape.ring);
	if (tape.to)
		cr_assert_eq(fclose(tape.to), 0);
	free(tape.text);
}

TestSuite(trace_ring, .fini = leave);

/* A switchover there and back, a failure of the other node, and its return. */
static void live(void)
{
	rig_start(ALPHA);
	rig_start(BETA);
	rig_advance_us(6 * USEC_PER_SEC);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_advance_us(USEC_PER_SEC);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 8);
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_kill(BETA);
	rig_advance_us(USEC_PER_SEC);
	rig_start(BETA);
	rig_advance_us(USEC_PER_SEC);
}

static uint8_t *copy(size_t *ret_size)
{
	uint8_t *data = malloc(ring_used(tape.ring));

	cr_assert(data);
	ring_copy(tape.ring, data);
	*ret_size = ring_used(tape.ring);
	return data;
}

static char *play(const uint8_t *data, size_t size)
{
	_cleanup_(player_freep) struct player *player = NULL;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	cr_assert_eq(player_new(&player), 0);
	cr_assert(player_play(player, data, size, f));
	player_end(f);
	cr_assert_eq(fclose(f), 0);
	return text;
}

/* The text of what is in the ring, from the first event on, is the end of what happened. */
static void expect_the_end_of_it(void)
{
	_cleanup_(freep) uint8_t *data = NULL;
	_cleanup_(freep) char *text = NULL;
	size_t size, len;
	char *first;

	data = copy(&size);
	text = play(data, size);
	cr_assert_eq(strncmp(text, "config ", strlen("config ")), 0);
	first = strchr(text, '@');
	cr_assert(first);
	len = strlen(first);
	cr_assert_gt(len, strlen("end\n"));
	len -= strlen("end\n");
	cr_assert_str_eq(first + len, "end\n");
	cr_assert_leq(len, tape.len);
	cr_assert_eq(memcmp(first, tape.text + tape.len - len, len), 0, "this was not so:\n%s",
		     first);
}

Test(trace_ring, all_is_told_as_it_was)
{
	_cleanup_(freep) uint8_t *data = NULL;
	_cleanup_(freep) char *text = NULL;
	size_t size;

	rig_begin();
	record(1 << 20);
	live();
	expect_the_end_of_it();
	data = copy(&size);
	text = play(data, size);
	cr_assert_eq(strlen(strchr(text, '@')), tape.len + strlen("end\n"), "from the beginning");
	cr_assert_not(strstr(text, "\ncore"), "a core that has not lived needs no words");
}

/* The ring is full again and again: at each moment it has a beginning and more than half of it. */
Test(trace_ring, a_full_ring_holds_the_last)
{
	enum { ROOM = 4096 };
	size_t begun;

	rig_begin();
	record(ROOM);
	begun = pack_core_size(&rig.nodes[ALPHA].config);
	live();
	for (unsigned i = 0; i < 200; i++) {
		rig_advance_us(INTERVAL);
		expect_the_end_of_it();
		cr_assert_gt(ring_used(tape.ring),
			     begun + ROOM - pack_event_max(&rig.nodes[ALPHA].config));
		cr_assert_leq(ring_used(tape.ring), 2 * (begun + ROOM));
	}
}

Test(trace_ring, a_heartbeat_that_says_nothing_new_is_small)
{
	rig_begin();
	rig_configure(n_groups, CORE_GROUPS_MAX);
	record(1 << 20);
	rig_standby(ALPHA, BETA, 5);
	rig_say(BETA, ALPHA);
	cr_assert_lt(tape.entry_size, 80);
	rig.nodes[BETA].puppet.groups[77].unfit = CORE_UNFIT_LINK;
	rig.nodes[BETA].puppet.groups[78].present = false;
	rig_say(BETA, ALPHA);
	cr_assert_gt(tape.entry_size, 80);
	cr_assert_lt(tape.entry_size, 250);
	rig_say(BETA, ALPHA);
	cr_assert_lt(tape.entry_size, 80);
	expect_the_end_of_it();
}

/* As many groups as there can be, and room for none of their events but one. */
Test(trace_ring, there_is_always_room_for_the_largest_event)
{
	rig_begin();
	rig_configure(n_groups, CORE_GROUPS_MAX);
	record(0);
	rig_standby(ALPHA, BETA, 5);
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned g = 0; g < CORE_GROUPS_MAX; g++)
			rig.nodes[BETA].puppet.groups[g].unfit ^= CORE_UNFIT_CHECK;
		rig_say(BETA, ALPHA);
		expect_the_end_of_it();
	}
}

Test(trace_ring, what_cannot_have_been_so_is_said)
{
	_cleanup_(freep) uint8_t *data = NULL;
	_cleanup_(freep) char *text = NULL;
	size_t size;

	rig_begin();
	record(1 << 20);
	live();
	data = copy(&size);
	pack_digest(data + size - tape.entry_size, 0);
	text = play(data, size);
	cr_assert(strstr(text, "# here the agent did something else"));
	free(text);
	data[offsetof(struct core, config.priority)]++; /* a bit of its memory, soon after start */
	text = play(data, size);
	cr_assert(strstr(text, "# here the agent did something else"));
}

/* As the file of takeoverd --trace has it when the disk was too slow. */
Test(trace_ring, behind_a_gap_it_begins_anew)
{
	_cleanup_(freep) uint8_t *data = NULL;
	_cleanup_(freep) char *text = NULL;
	size_t size, more;
	char *gap;

	rig_begin();
	record(1 << 20);
	live();
	data = copy(&size);
	more = PACK_LOST_SIZE + 2 * pack_core_size(&rig.nodes[ALPHA].config);
	data = realloc(data, size + more + 1000);
	cr_assert(data);
	rig_advance_us(USEC_PER_SEC); /* of which nothing is known */
	size += pack_lost(data + size, 20);
	size += pack_core(data + size, &rig.nodes[ALPHA].core);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 9);
	memcpy(data + size, tape.entry, tape.entry_size);
	text = play(data, size + tape.entry_size);
	gap = strstr(text, "# 20 events are missing here\nconfig ");
	cr_assert(gap);
	cr_assert(strstr(gap, "\ncore "));
	cr_assert(strstr(gap, " switchover request=9\n> "));
	cr_assert_not(strstr(text, "something else"));
}

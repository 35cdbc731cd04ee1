/* SPDX-License-Identifier: MIT */

/* As many nodes and groups as the core can have: nothing looks beyond the last of them. */

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/core/core.h"

enum { SELF = CORE_NODES_MAX - 1, ORDERS_MAX = 8 * CORE_GROUPS_MAX };

static struct core *core; /* right before what cannot be read */
static struct core_actions actions;
static struct core_action orders[ORDERS_MAX];
static size_t n_orders;
static struct core_beat beats[CORE_NODES_MAX], said;
static instant now;

static void step(struct core_event event)
{
	event.now = now;
	core_step(core, &event, &actions);
	for (size_t i = 0; i < actions.n; i++) {
		const struct core_action *a = &actions.v[i];

		cr_assert_lt(a->group, CORE_GROUPS_MAX);
		if (a->type == CORE_DO_BEAT)
			core_beat_fill(core, a, &said);
		if (!a->id)
			continue;
		cr_assert_lt(n_orders, ORDERS_MAX);
		orders[n_orders++] = *a;
	}
}

static void answer_all(void)
{
	for (size_t i = 0; i < n_orders; i++) {
		struct core_event done = { .type = CORE_EV_DONE, .group = orders[i].group };

		done.done.id = orders[i].id;
		step(done);
	}
	n_orders = 0;
}

/* Everybody says this about every group, and echoes. */
static void hear_all(enum core_state state, enum core_move move)
{
	for (uint8_t p = 0; p < SELF; p++) {
		struct core_event event = { .type = CORE_EV_BEAT, .peer = p, .beat = &beats[p] };

		beats[p].seq++;
		beats[p].echo_seq = core->seq;
		beats[p].reply = true;
		for (uint8_t g = 0; g < CORE_GROUPS_MAX; g++) {
			beats[p].groups[g].state = state;
			beats[p].groups[g].move = move;
			beats[p].groups[g].move_to = SELF;
			beats[p].groups[g].move_id = core->groups[g].move_id;
		}
		step(event);
	}
}

static void live_us(uint64_t us, bool heard)
{
	instant end = instant_add(now, us);

	while (now.us < end.us) {
		now = instant_add(now, 50000);
		step((struct core_event){ .type = CORE_EV_TIME });
		cr_assert(core->exited || core_deadline(core).us > now.us);
		if (heard)
			hear_all(CORE_STATE_BACKUP, CORE_MOVE_NONE);
		answer_all();
	}
}

static struct core *place_core(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t len = (sizeof(struct core) + page - 1) / page * page;
	uint8_t *at =
		mmap(NULL, len + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert(at != MAP_FAILED);
	cr_assert_eq(mprotect(at + len, page, PROT_NONE), 0);
	return (struct core *)(at + len - sizeof(struct core));
}

static void begin(void)
{
	static struct core_config config = {
		.self = SELF,
		.n_nodes = CORE_NODES_MAX,
		.n_groups = CORE_GROUPS_MAX,
		.n_announce = CORE_ANNOUNCE_MAX,
		.interval_us = 50000,
		.lease_us = 350000,
		.dead_us = 500000,
		.step_us = 2000000,
		.restart_hold_us = 3000000,
		.announce_us = { 1, 2, 3, 4, 5, 6, 7, 8 },
	};

	config.priority[SELF] = 1;
	now.us = USEC_PER_SEC;
	n_orders = 0;
	core = place_core();
	core_init(core, &config);
	for (uint8_t p = 0; p < CORE_NODES_MAX; p++) {
		beats[p] = (struct core_beat){ .interval_us = 50000, .lease_us = 350000 };
		for (uint8_t g = 0; g < CORE_GROUPS_MAX; g++)
			beats[p].groups[g] = (struct core_record){
				.present = true,
				.term = 1,
				.term_max = 1, /* who looks too far sees something */
			};
	}
	for (uint8_t g = 0; g < CORE_GROUPS_MAX; g++)
		step((struct core_event){ .type = CORE_EV_START, .group = g });
}

static void expect_all(enum core_state state)
{
	for (uint8_t g = 0; g < CORE_GROUPS_MAX; g++)
		cr_assert_eq(core->groups[g].state, state, "%s",
			     core_state_name(core->groups[g].state));
}

Test(core_full, all_groups_are_claimed_held_handed_over_and_left)
{
	begin();
	hear_all(CORE_STATE_BACKUP, CORE_MOVE_NONE);
	live_us(2 * USEC_PER_SEC, true);
	expect_all(CORE_STATE_PRIMARY);
	for (uint8_t g = 0; g < CORE_GROUPS_MAX; g++) {
		struct core_event event = { .type = CORE_EV_SWITCHOVER, .group = g };

		event.request.request = 1u + g;
		step(event);
	}
	expect_all(CORE_STATE_YIELDING);
	hear_all(CORE_STATE_CLAIMING, CORE_MOVE_READY);
	answer_all();
	hear_all(CORE_STATE_PRIMARY, CORE_MOVE_NONE);
	live_us(300 * USEC_PER_MSEC, false);
	expect_all(CORE_STATE_BACKUP);
	step((struct core_event){ .type = CORE_EV_STOP });
	cr_assert(core->exited);
}

Test(core_full, all_groups_lapse_and_come_back_when_everybody_is_silent)
{
	begin();
	live_us(5 * USEC_PER_SEC, false);
	expect_all(CORE_STATE_PRIMARY);
	step((struct core_event){ .type = CORE_EV_LAPSED });
	expect_all(CORE_STATE_CLAIMING);
	live_us(5 * USEC_PER_SEC, false);
	expect_all(CORE_STATE_PRIMARY);
	step((struct core_event){ .type = CORE_EV_DISOWNED });
	answer_all();
	answer_all();
	expect_all(CORE_STATE_FAULT);
	now = instant_add(now, USEC_PER_SEC);
	step((struct core_event){ .type = CORE_EV_TIME });
	expect_all(CORE_STATE_BACKUP);
}

Test(core_full, a_restart_leaves_all_groups_as_they_are)
{
	begin();
	live_us(5 * USEC_PER_SEC, false);
	expect_all(CORE_STATE_PRIMARY);
	step((struct core_event){ .type = CORE_EV_STOP, .restart = true });
	live_us(5 * USEC_PER_SEC, false);
	cr_assert(core->exited);
	expect_all(CORE_STATE_PRIMARY);
}

Test(core_full, all_groups_live_through_a_freeze)
{
	begin();
	live_us(5 * USEC_PER_SEC, false);
	now = instant_add(now, 200 * USEC_PER_MSEC);
	step((struct core_event){ .type = CORE_EV_TIME });
	expect_all(CORE_STATE_PRIMARY);
	now = instant_add(now, USEC_PER_SEC);
	step((struct core_event){ .type = CORE_EV_TIME });
	expect_all(CORE_STATE_CLAIMING);
}

Test(core_full, traffic_is_noted_for_all_peers)
{
	begin();
	live_us(5 * USEC_PER_SEC, false);
	step((struct core_event){ .type = CORE_EV_TRAFFIC, .group = CORE_GROUPS_MAX - 1 });
	cr_assert_eq(core->groups[CORE_GROUPS_MAX - 1].split_traffic, (1 << CORE_NODES_MAX) - 1);
}

Test(core_full, what_peers_have_said_outlives_a_freeze_and_their_silence)
{
	begin();
	hear_all(CORE_STATE_BACKUP, CORE_MOVE_NONE);
	live_us(2 * USEC_PER_SEC, true);
	now = instant_add(now, 200 * USEC_PER_MSEC);
	step((struct core_event){ .type = CORE_EV_TIME });
	cr_assert_eq(core->peers[0].beat.groups[0].term, 1);
	live_us(2 * USEC_PER_SEC, false);
	cr_assert_not(core->peers[0].up);
	step((struct core_event){ .type = CORE_EV_REFERENCES, .references_silent = true });
	cr_assert(core->groups[CORE_GROUPS_MAX - 1].unfit & CORE_UNFIT_ISOLATED);
}

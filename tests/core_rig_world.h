/* SPDX-License-Identifier: MIT */
#pragma once

/* How the world of core_rig.h begins, and how it goes on: steps, answers, deliveries, time. */

#include "tests/core_rig_note.h"
#include "tests/core_sane.h"

static inline const struct core_group *rig_group(uint8_t node)
{
	return &rig.nodes[node].core.groups[0];
}

#define rig_expect_state(node, expected)                                                           \
	cr_assert_eq(rig_group(node)->state, (expected), "%s is %s\n%s", rig_names[node],          \
		     core_state_name(rig_group(node)->state), rig.trace)

/* Does its last heartbeat to the other one renew its lease? */
static inline bool rig_marks(uint8_t node)
{
	return rig.beats[node][!node].last.marked;
}

static inline instant rig_lease_until(uint8_t node)
{
	return rig.nodes[node].core.lease_until;
}

/* All but the room for heartbeats, which would be most of the work of a test. */
static inline void rig_clear(void)
{
	memset(rig.nodes, 0, sizeof(rig.nodes));
	for (uint8_t from = 0; from < RIG_NODES; from++) {
		for (uint8_t to = 0; to < RIG_NODES; to++) {
			rig.beats[from][to].n = 0;
			memset(&rig.beats[from][to].last, 0, sizeof(struct core_beat));
		}
	}
	rig.actions.n = 0;
	rig.failure = 0;
	rig_forget();
}

/* How much of a heartbeat is in use: a copy of 128 records is a lot for one. */
static inline size_t rig_beat_len(uint8_t node)
{
	return offsetof(struct core_beat, groups[rig.nodes[node].config.n_groups]);
}

/* Two nodes and one group, with the defaults of the manual. */
static inline void rig_begin(void)
{
	rig_clear();
	rig.now.us = 1000 * USEC_PER_SEC;
	for (uint8_t i = 0; i < RIG_NODES; i++) {
		struct rig_node *node = &rig.nodes[i];

		node->config = (struct core_config){
			.self = i,
			.n_nodes = 2,
			.n_groups = 1,
			.n_announce = 4,
			.interval_us = INTERVAL,
			.lease_us = LEASE,
			.dead_us = DEAD,
			.start_wait_us = START_WAIT,
			.restart_hold_us = HOLD,
			.step_us = STEP,
			.digest = 1,
			.announce_us = { 10000, 100000, 1000000, 3000000 },
			.priority = { 100, 100, 100 },
		};
		node->puppet = (struct core_beat){ .interval_us = INTERVAL,
						   .lease_us = LEASE,
						   .digest = 1 };
		node->puppet_echoes = true;
		for (uint8_t g = 0; g < CORE_GROUPS_MAX; g++) {
			node->config.groups[g].keep_alone = true;
			node->config.groups[g].last_resort_us = LAST_RESORT;
			node->config.groups[g].linger_us = LINGER;
			node->start[g].start.salt = (i + 1) * 1000u;
			node->puppet.groups[g].present = true;
			node->puppet.groups[g].move_to = CORE_NODE_NONE;
		}
	}
}

/* Puts a setting into the configuration of every node. */
#define rig_configure(field, value)                                                                \
	do {                                                                                       \
		for (uint8_t _i = 0; _i < RIG_NODES; _i++)                                         \
			rig.nodes[_i].config.field = (value);                                      \
	} while (0)

static inline void rig_take_beat(uint8_t from, const struct core_action *a)
{
	struct core_beat beat;
	size_t *n = &rig.beats[from][a->peer].n;

	cr_assert_eq(a->group, 0, "a heartbeat is of no group");
	core_beat_fill(&rig.nodes[from].core, a, &beat);
	rig_check_beat(from, &beat);
	memcpy(&rig.beats[from][a->peer].last, &beat, rig_beat_len(from));
	if (!rig.nodes[a->peer].runs || rig.nodes[a->peer].cut_from[from])
		return;
	cr_assert_lt(*n, RIG_BEATS);
	memcpy(&rig.beats[from][a->peer].v[(*n)++], &beat, rig_beat_len(from));
}

/* What holds of every order, and what it leaves behind. */
static inline void rig_check_action(struct rig_node *n, const struct core_action *a)
{
	if (a->type == CORE_DO_ANNOUNCE)
		cr_assert_eq(n->gate[a->group], CORE_GATE_ANSWER, "announced, but closed");
	if (a->type == CORE_DO_SHUT || (a->type == CORE_DO_GATE && a->gate.create))
		memset(n->gate, 0, sizeof(n->gate));
	if (a->type == CORE_DO_GATE)
		n->gate[a->group] = a->gate.level;
	if (a->type == CORE_DO_REPLY && !n->config.groups[a->group].preempt)
		cr_assert_neq(a->reply.request, 0, "nobody is answered");
	if (a->type == CORE_DO_STORE)
		n->stored[a->group] = a->store.term;
	if (a->type == CORE_DO_EXIT)
		n->runs = false;
}

static inline void rig_take_action(uint8_t node, const struct core_action *a)
{
	struct rig_node *n = &rig.nodes[node];

	if (a->type == CORE_DO_BEAT) {
		rig_take_beat(node, a);
		return;
	}
	rig_note_action(node, a);
	rig_check_action(n, a);
	if (!a->id)
		return;
	for (size_t i = 0; i < n->n_orders; i++)
		cr_assert_neq(n->orders[i].id, a->id);
	cr_assert_lt(n->n_orders, RIG_ORDERS);
	n->orders[n->n_orders++] = *a;
}

static inline void rig_step(uint8_t node, struct core_event *event)
{
	struct rig_node *n = &rig.nodes[node];

	cr_assert(n->runs);
	event->now = rig.now;
	core_step(&n->core, event, &rig.actions);
	if (event->type != CORE_EV_START && !n->core.exited)
		sane(&n->core);
	for (size_t i = 0; i < rig.actions.n; i++)
		rig_take_action(node, &rig.actions.v[i]);
}

static inline void rig_event(uint8_t node, enum core_event_type type)
{
	struct core_event event = { .type = type, .peer = CORE_NODE_NONE };

	rig_step(node, &event);
}

/* A new life of the agent: of the host, too, if start[] says nothing else. */
static inline void rig_start(uint8_t node)
{
	struct rig_node *n = &rig.nodes[node];

	core_init(&n->core, &n->config);
	n->runs = true;
	n->n_orders = 0;
	memset(n->said, 0, sizeof(n->said));
	for (uint8_t from = 0; from < RIG_NODES; from++)
		rig.beats[from][node].n = 0;
	for (uint8_t g = 0; g < n->config.n_groups; g++) {
		n->start[g].type = CORE_EV_START;
		n->start[g].group = g;
		n->stored[g] = n->start[g].start.term;
		n->gate[g] = n->start[g].start.adopted ? CORE_GATE_ANSWER : CORE_GATE_CLOSED;
		rig_step(node, &n->start[g]);
	}
}

static inline void rig_kill(uint8_t node)
{
	rig.nodes[node].runs = false;
	rig.nodes[node].n_orders = 0;
}

/* Take in what is under way from one node to another, oldest first. */
static inline void rig_deliver(uint8_t from, uint8_t to)
{
	static struct core_beat v[RIG_BEATS];
	struct core_event event = { .type = CORE_EV_BEAT, .peer = from };
	size_t n = rig.beats[from][to].n;

	for (size_t i = 0; i < n; i++)
		memcpy(&v[i], &rig.beats[from][to].v[i], rig_beat_len(from));
	rig.beats[from][to].n = 0;
	for (size_t i = 0; i < n && rig.nodes[to].runs; i++) {
		event.beat = &v[i];
		rig_step(to, &event);
	}
}

static inline void rig_lose(uint8_t from, uint8_t to)
{
	rig.beats[from][to].n = 0;
}

/* The kernel answers the oldest order. */
static inline void rig_answer_next(uint8_t node, int err)
{
	struct rig_node *n = &rig.nodes[node];
	struct core_event event = { .type = CORE_EV_DONE };

	cr_assert_gt(n->n_orders, 0);
	event.group = n->orders[0].group;
	event.done.id = n->orders[0].id;
	event.done.err = err;
	memmove(&n->orders[0], &n->orders[1], --n->n_orders * sizeof(n->orders[0]));
	rig_step(node, &event);
}

/* The kernel answers all orders up to the first one of this kind, and that one with @err. */
static inline void rig_answer(uint8_t node, enum core_action_type type, int err)
{
	struct rig_node *n = &rig.nodes[node];

	while (n->n_orders && n->orders[0].type != type)
		rig_answer_next(node, 0);
	rig_answer_next(node, err);
}

/* The kernel answers everything, and what comes of that as well. */
static inline void rig_done_all(uint8_t node)
{
	struct rig_node *n = &rig.nodes[node];

	while (n->runs && n->n_orders)
		rig_answer_next(node, n->orders[0].type == CORE_DO_PROBE ? n->probed : 0);
}

static inline bool rig_settle_once(void)
{
	bool more = false;

	for (uint8_t i = 0; i < RIG_NODES; i++) {
		struct rig_node *n = &rig.nodes[i];

		if (!n->runs || n->frozen)
			continue;
		for (uint8_t from = 0; from < RIG_NODES; from++) {
			more |= rig.beats[from][i].n > 0;
			rig_deliver(from, i);
		}
		more |= n->n_orders && !n->stuck;
		if (!n->stuck)
			rig_done_all(i);
	}
	return more;
}

/* Network and kernels do all that is under way, in no time. */
static inline void rig_settle(void)
{
	unsigned rounds = 0;

	while (rig_settle_once())
		cr_assert_lt(rounds++, RIG_ROUNDS, "this never ends:\n%s", rig.trace);
}

/* Until nobody has a deadline in this instant any more. A loop would spin on one that has passed.
 */
static inline void rig_run_timers(void)
{
	for (uint8_t i = 0; i < RIG_NODES; i++) {
		struct rig_node *n = &rig.nodes[i];

		if (!n->runs || n->frozen || !instant_reached(rig.now, core_deadline(&n->core)))
			continue;
		rig_event(i, CORE_EV_TIME);
		cr_assert(!n->runs || !instant_reached(rig.now, core_deadline(&n->core)),
			  "%s would spin:\n%s", rig_names[i], rig.trace);
		rig_settle();
	}
}

/* When a core wants to be called next. */
static inline instant rig_next_deadline(instant end)
{
	instant next = end;

	for (uint8_t i = 0; i < RIG_NODES; i++) {
		instant due;

		if (!rig.nodes[i].runs || rig.nodes[i].frozen)
			continue;
		due = core_deadline(&rig.nodes[i].core);
		if (due.us < rig.now.us)
			due = rig.now;
		if (due.us < next.us)
			next = due;
	}
	return next;
}

/* Time passes, network and kernels work, and cores are called at their deadlines only. */
static inline void rig_advance_us(uint64_t us)
{
	instant end = instant_add(rig.now, us);

	rig_settle();
	while (rig.now.us < end.us) {
		rig.now = rig_next_deadline(end);
		rig_run_timers();
	}
}

/* Time passes for nobody: the next who is called finds that it has. */
static inline void rig_skip_us(uint64_t us)
{
	rig.now = instant_add(rig.now, us);
}

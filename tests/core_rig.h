/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Up to three cores in a world of one process: their heartbeats wait until they
 * are delivered, their orders until they are answered, and time stands still
 * until it is advanced. What they do is written down as text. A node without a
 * core can be played by hand: a puppet.
 */

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/core/core.h"

#include "tests/core_sane.h"

enum { ALPHA, BETA, GAMMA, RIG_NODES };

enum {
	INTERVAL = 50 * 1000,
	LEASE = 350 * 1000,
	COUNTED = LEASE - 5 * 1000, /* of a lease: the kernel rounds down to a tick */
	DEAD = 500 * 1000,
	START_WAIT = 5 * 1000 * 1000,
	HOLD = 3 * 1000 * 1000,
	STEP = 2 * 1000 * 1000,
	LISTEN = HOLD + DEAD, /* for a peer that has not been heard at all */
	LAST_RESORT = 3 * 1000 * 1000,
	LINGER = 20 * 1000,
	RIG_BEATS = 64,	  /* heartbeats under way from one node to another */
	RIG_ORDERS = 256, /* orders of a node without an answer */
	RIG_ROUNDS =
		200, /* of deliveries and answers in one instant: far more than any story has */
};

struct rig_node {
	struct core core;
	struct core_config config;
	struct core_event start[CORE_GROUPS_MAX]; /* what the last life has left */
	bool runs;
	bool frozen;		  /* gets neither time nor heartbeats nor answers */
	bool stuck;		  /* its kernel does not answer */
	int probed;		  /* what its probes find */
	bool cut_from[RIG_NODES]; /* hears nothing of these */
	struct core_action orders[RIG_ORDERS];
	size_t n_orders;
	uint64_t stored[CORE_GROUPS_MAX];
	enum core_gate gate[CORE_GROUPS_MAX]; /* as ordered last */
	enum core_move said[CORE_GROUPS_MAX];
	struct core_beat puppet; /* what it says if it has no core */
	bool puppet_echoes;
};

static struct rig {
	instant now;
	struct rig_node nodes[RIG_NODES];
	struct {
		struct core_beat v[RIG_BEATS];
		size_t n;
		struct core_beat last; /* also if it was lost */
	} beats[RIG_NODES][RIG_NODES];
	struct core_actions actions; /* of the last step */
	int failure;		     /* what was told last of an order that failed */
	char trace[64 * 1024];
	size_t trace_len;
} rig;

static const char *const rig_names[RIG_NODES] = { "alpha", "beta", "gamma" };

__attribute__((format(printf, 1, 2))) static inline void rig_note(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	rig.trace_len += (size_t)vsnprintf(rig.trace + rig.trace_len,
					   sizeof(rig.trace) - rig.trace_len, format, ap);
	va_end(ap);
	cr_assert_lt(rig.trace_len, sizeof(rig.trace));
}

static inline void rig_forget(void)
{
	rig.trace_len = 0;
	rig.trace[0] = '\0';
}

/* What has happened since the last rig_forget(), a line each; and forgets it. */
#define rig_expect(expected)                                                                       \
	do {                                                                                       \
		cr_assert_str_eq(rig.trace, (expected), "this happened:\n%s", rig.trace);          \
		rig_forget();                                                                      \
	} while (0)

static inline unsigned rig_count(const char *line)
{
	unsigned n = 0;

	for (const char *at = rig.trace; (at = strstr(at, line)); at++)
		n++;
	return n;
}

static inline const struct core_group *rig_group(uint8_t node)
{
	return &rig.nodes[node].core.groups[0];
}

#define rig_expect_state(node, expected)                                                           \
	cr_assert_eq(rig_group(node)->state, (expected), "%s is %s\n%s", rig_names[node],          \
		     core_state_name(rig_group(node)->state), rig.trace)

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

static inline void rig_note_group(uint8_t node, uint8_t group)
{
	if (group)
		rig_note("%s/%u ", rig_names[node], group);
	else
		rig_note("%s ", rig_names[node]);
}

static inline const char *rig_told(enum core_tell what)
{
	static const char *const words[_CORE_TELL_MAX] = {
		[CORE_TELL_STATE] = "state",
		[CORE_TELL_PEER_UP] = "peer-up",
		[CORE_TELL_PEER_SILENT] = "peer-silent",
		[CORE_TELL_PEER_NO_AGENT] = "peer-no-agent",
		[CORE_TELL_DIGEST] = "digest",
		[CORE_TELL_CONFLICT] = "conflict",
		[CORE_TELL_LAPSED] = "lapsed",
		[CORE_TELL_REPAIRED] = "repaired",
		[CORE_TELL_MOVE_FAILED] = "move-failed",
		[CORE_TELL_ACTION_FAILED] = "action-failed",
		[CORE_TELL_UNFIT] = "unfit",
		[CORE_TELL_DISOWNED] = "disowned",
		[CORE_TELL_STRANGER] = "stranger",
	};

	return words[what];
}

static inline void rig_note_tell(const struct core_action *a)
{
	if (a->tell.what == CORE_TELL_ACTION_FAILED)
		rig.failure = a->tell.err;
	if (a->tell.what == CORE_TELL_STATE)
		rig_note("is %s (%s)\n", core_state_name(a->tell.state),
			 core_reason_name(a->tell.reason));
	else if (a->peer != CORE_NODE_NONE)
		rig_note("tells %s %s\n", rig_told(a->tell.what), rig_names[a->peer]);
	else if (a->tell.what == CORE_TELL_UNFIT)
		rig_note("tells unfit %x\n", a->tell.unfit);
	else if (a->tell.what == CORE_TELL_MOVE_FAILED)
		rig_note("tells move-failed %s\n", core_result_name(a->tell.result));
	else
		rig_note("tells %s\n", rig_told(a->tell.what));
}

static inline void rig_note_action(uint8_t node, const struct core_action *a)
{
	static const char *const levels[_CORE_GATE_MAX] = {
		[CORE_GATE_CLOSED] = "closed",
		[CORE_GATE_SERVE] = "serve",
		[CORE_GATE_READY] = "ready",
		[CORE_GATE_ANSWER] = "answer",
	};

	rig_note_group(node, a->group);
	switch (a->type) {
	case CORE_DO_STORE:
		rig_note("stores %" PRIu64 "%s\n", a->store.term,
			 a->store.maintenance ? " maintenance" : "");
		break;
	case CORE_DO_PREPARE:
		rig_note(a->ticket ? "prepares\n" : "repairs\n");
		break;
	case CORE_DO_REMOVE:
		rig_note("removes\n");
		break;
	case CORE_DO_GATE:
		rig_note("gate %s%s\n", levels[a->gate.level], a->gate.create ? " new" : "");
		break;
	case CORE_DO_SHUT:
		rig_note("shuts\n");
		break;
	case CORE_DO_REBUILD:
		rig_note("rebuilds\n");
		break;
	case CORE_DO_LEASE:
		rig_note("lease %u\n", a->lease_us);
		break;
	case CORE_DO_ANNOUNCE:
		rig_note("announces\n");
		break;
	case CORE_DO_REPLY:
		rig_note("replies %u %s %s\n", a->reply.request, core_result_name(a->reply.result),
			 a->reply.primary < RIG_NODES ? rig_names[a->reply.primary] : "nobody");
		break;
	case CORE_DO_TELL:
		rig_note_tell(a);
		break;
	case CORE_DO_EXIT:
		rig_note("exits\n");
		break;
	case CORE_DO_PROBE:
		rig_note("probes %u\n", a->probe.within_us);
		break;
	case CORE_DO_DEFEND:
		rig_note("defends %u\n", a->defend.vip);
		break;
	case CORE_DO_BEAT:
	case _CORE_DO_MAX:
		break;
	}
}

/* What holds of every heartbeat, and what people can see of it. */
static inline void rig_check_beat(uint8_t node, const struct core_beat *beat)
{
	static const char *const moves[_CORE_MOVE_MAX] = {
		"nothing", "offer", "ready", "withdrawn", "released", "refused", "ask", "denied",
	};
	struct rig_node *n = &rig.nodes[node];

	for (uint8_t g = 0; g < n->config.n_groups; g++) {
		const struct core_record *r = &beat->groups[g];

		cr_assert_leq(r->term, n->stored[g], "a term is announced that is not on disk");
		cr_assert_leq(r->term, r->term_max);
		cr_assert(r->present);
		if (r->move == n->said[g])
			continue;
		n->said[g] = r->move;
		rig_note_group(node, g);
		rig_note("says %s\n", moves[r->move]);
	}
}

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

static inline bool rig_puppet_holds(uint8_t node)
{
	for (uint8_t g = 0; g < CORE_GROUPS_MAX; g++) {
		enum core_state state = rig.nodes[node].puppet.groups[g].state;

		if (state == CORE_STATE_PRIMARY || state == CORE_STATE_YIELDING ||
		    state == CORE_STATE_CLAIMING)
			return true;
	}
	return false;
}

/* A heartbeat of a node that has no core. */
static inline void rig_say(uint8_t from, uint8_t to)
{
	struct core_beat *beat = &rig.nodes[from].puppet;
	struct core_event event = { .type = CORE_EV_BEAT, .peer = from, .beat = beat };

	cr_assert_not(rig.nodes[from].runs);
	beat->seq++;
	beat->priority = rig.nodes[from].config.priority[from];
	beat->reply = rig.nodes[from].puppet_echoes;
	beat->wants_answer = !beat->reply && rig_puppet_holds(from);
	if (rig.nodes[from].puppet_echoes)
		beat->echo_seq = rig.beats[to][from].last.seq;
	rig_step(to, &event);
}

/* The same again and again, as the puppet's interval has it. */
static inline void rig_say_for_us(uint8_t from, uint8_t to, uint64_t us)
{
	instant end = instant_add(rig.now, us);
	uint32_t interval = rig.nodes[from].puppet.interval_us;

	while (rig.now.us + interval <= end.us) {
		rig_advance_us(interval);
		rig_say(from, to);
		rig_settle();
	}
	rig_advance_us(end.us - rig.now.us);
}

/* From now on this puppet answers nobody, as if it heard nothing. */
static inline void rig_deafen(uint8_t node)
{
	rig.nodes[node].puppet_echoes = false;
}

static inline void rig_undeafen(uint8_t node)
{
	rig.nodes[node].puppet_echoes = true;
}

/* A cable between two cores, and the heartbeats in it. */
static inline void rig_cut(uint8_t a, uint8_t b)
{
	rig.nodes[a].cut_from[b] = rig.nodes[b].cut_from[a] = true;
	rig_lose(a, b);
	rig_lose(b, a);
}

static inline void rig_join(uint8_t a, uint8_t b)
{
	rig.nodes[a].cut_from[b] = rig.nodes[b].cut_from[a] = false;
}

static inline struct core_record *rig_puppet(uint8_t node)
{
	return &rig.nodes[node].puppet.groups[0];
}

/* A puppet that holds the group hands it over: an offer, or, strict, what it has released. */
static inline void rig_hand_over(uint8_t from, uint8_t to, enum core_move move)
{
	struct core_record *r = rig_puppet(from);

	r->state = CORE_STATE_YIELDING;
	r->move = move;
	r->move_to = to;
	r->move_id = 77;
	r->move_term = r->term_max = 6;
	rig_say(from, to);
}

/* A puppet has a caller, who wants the group there. */
static inline void rig_ask(uint8_t from, uint8_t to, uint32_t id)
{
	struct core_record *r = rig_puppet(from);

	r->move = CORE_MOVE_ASK;
	r->move_to = to;
	r->move_id = id;
	rig_say(from, to);
}

/* A puppet's answer to what a node says of a move. */
static inline void rig_answer_move(uint8_t from, uint8_t to, enum core_move move,
				   enum core_result why)
{
	struct core_record *r = rig_puppet(from);

	r->move = move;
	r->why = why;
	r->move_to = to;
	r->move_id = rig_group(to)->move_id;
	rig_say(from, to);
}

/* An old answer of the puppet comes (again): it echoes this heartbeat. */
static inline void rig_say_echo(uint8_t from, uint8_t to, uint64_t echo_seq)
{
	struct core_beat *beat = &rig.nodes[from].puppet;
	struct core_event event = { .type = CORE_EV_BEAT, .peer = from, .beat = beat };

	beat->seq++;
	beat->reply = true;
	beat->echo_seq = echo_seq;
	rig_step(to, &event);
}

static inline void rig_set_fitness(uint8_t node, enum core_unfit reason, bool unfit)
{
	struct core_event event = { .type = CORE_EV_FITNESS };

	event.fitness.reason = reason;
	event.fitness.unfit = unfit;
	rig_step(node, &event);
}

static inline void rig_set_references(uint8_t node, bool silent)
{
	struct core_event event = { .type = CORE_EV_REFERENCES, .references_silent = silent };

	rig_step(node, &event);
}

static inline void rig_request(uint8_t node, enum core_event_type type, uint32_t request)
{
	struct core_event event = { .type = type };

	event.request.request = request;
	event.request.on = true;
	rig_step(node, &event);
}

static inline void rig_stop(uint8_t node, bool restart)
{
	struct core_event event = { .type = CORE_EV_STOP, .restart = restart };

	rig_step(node, &event);
}

/* Both nodes run, alpha is primary under term 1, and nothing is under way. */
static inline void rig_pair(void)
{
	rig_start(ALPHA);
	rig_start(BETA);
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_forget();
}

/* A node that hears nobody has listened, and wants to claim. */
static inline void rig_alone(uint8_t node)
{
	rig_start(node);
	rig_advance_us(LISTEN);
}

/* A node found its addresses where its last life had left them; the peer is a puppet. */
static inline void rig_adopted(uint8_t node, uint64_t term)
{
	struct core_event *start = &rig.nodes[node].start[0];

	start->start.adopted = true;
	start->start.term = term;
	start->start.lease_left_us = rig.nodes[node].config.lease_us;
	rig_start(node);
	rig_expect_state(node, CORE_STATE_PRIMARY);
	rig_forget();
}

/* A backup whose puppet peer holds the group under this term, and echoes. */
static inline void rig_standby(uint8_t node, uint8_t holder, uint64_t term)
{
	rig_puppet(holder)->state = CORE_STATE_PRIMARY;
	rig_puppet(holder)->term = rig_puppet(holder)->term_max = term;
	rig_start(node);
	rig_say_for_us(holder, node, DEAD);
	rig_expect_state(node, CORE_STATE_BACKUP);
	rig_forget();
}

/* R5: alpha has Preempt=yes and ranks higher; beta, a puppet, holds the group under term 5. */
static inline void rig_preempting(void)
{
	rig_begin();
	rig_configure(groups[0].preempt, true);
	rig_configure(priority[ALPHA], 200);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 5;
	rig_start(ALPHA);
}

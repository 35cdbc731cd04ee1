/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Up to three cores in a world of one process: their heartbeats wait until they
 * are delivered, their orders until they are answered, and time stands still
 * until it is advanced. What they do is written down as text. A node without a
 * core can be played by hand: a puppet.
 */

#include "tests/core_rig_world.h"

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

/* From here on heartbeats and deadlines of before do not fall into the same instant. */
static inline void rig_leave_the_beat(uint8_t node)
{
	rig_advance_us(RIG_OFF_BEAT);
	rig_set_fitness(node, CORE_UNFIT_SYNC, true);
	rig_set_fitness(node, CORE_UNFIT_SYNC, false);
	rig_forget();
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

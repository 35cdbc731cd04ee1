/* SPDX-License-Identifier: MIT */
#pragma once

/* The events of the matrix, each in all that it can mean to a group of alpha, whose peer is beta.
 */

#include "tests/matrix_scenes.h"

enum {
	NEW_MOVE = 99, /* id of a move that alpha has not heard of */
	NO_ENTRY = -2, /* -ENOENT: the gate is not there */
	REQUEST = 7,
};

enum term { TERM_SAME, TERM_LOWER, TERM_HIGHER, TERM_OFFERED };

struct variant {
	enum core_event_type type;
	const char *words;
	union {
		struct {
			enum core_state state;
			enum term term;
			enum core_move move;
			uint16_t unfit;
			bool absent, deaf, third; /* it is gamma's */
		} beat;
		struct {
			enum core_unfit reason;
			bool unfit;
		} fitness;
		struct {
			bool on, force;
		} request;
		struct {
			int err;
			bool stale, probe;
		} done;
		bool restart, silent;
		struct {
			bool waits, heard; /* until something happens */
		} time;
	};
};

/* clang-format off */
#define EVENT(t, w, ...) { .type = CORE_EV_##t, .words = w, __VA_ARGS__ }
#define BEAT(w, ...) EVENT(BEAT, "beta " w, .beat = { __VA_ARGS__ })
#define FITNESS(w, r, u) EVENT(FITNESS, w, .fitness = { CORE_UNFIT_##r, u })
/* clang-format on */

static const struct variant variants[] = {
	EVENT(TIME, "time, too early"),
	EVENT(TIME, "time, nothing new", .time = { true, true }),
	EVENT(TIME, "time, beta silent", .time = { true, false }),
	BEAT("backup", .state = CORE_STATE_BACKUP),
	BEAT("backup, deaf", .state = CORE_STATE_BACKUP, .deaf = true),
	BEAT("in fault", .state = CORE_STATE_FAULT, .unfit = CORE_UNFIT_LINK),
	BEAT("in maintenance", .state = CORE_STATE_MAINTENANCE, .unfit = CORE_UNFIT_MAINTENANCE),
	BEAT("without the group", .absent = true),
	BEAT("claiming, lower term", .state = CORE_STATE_CLAIMING, .term = TERM_LOWER),
	BEAT("claiming, higher term", .state = CORE_STATE_CLAIMING, .term = TERM_HIGHER),
	BEAT("primary, lower term", .state = CORE_STATE_PRIMARY, .term = TERM_LOWER),
	BEAT("primary, higher term", .state = CORE_STATE_PRIMARY, .term = TERM_HIGHER),
	BEAT("primary, term offered", .state = CORE_STATE_PRIMARY, .term = TERM_OFFERED),
	BEAT("yielding", .state = CORE_STATE_YIELDING),
	BEAT("offers", .state = CORE_STATE_YIELDING, .move = CORE_MOVE_OFFER),
	BEAT("has withdrawn", .state = CORE_STATE_YIELDING, .move = CORE_MOVE_WITHDRAWN),
	BEAT("has released", .state = CORE_STATE_YIELDING, .move = CORE_MOVE_RELEASED),
	BEAT("is ready", .state = CORE_STATE_CLAIMING, .move = CORE_MOVE_READY),
	BEAT("refuses", .state = CORE_STATE_BACKUP, .move = CORE_MOVE_REFUSED),
	BEAT("asks", .state = CORE_STATE_BACKUP, .move = CORE_MOVE_ASK),
	BEAT("denies", .state = CORE_STATE_PRIMARY, .move = CORE_MOVE_DENIED),
	EVENT(BEAT, "gamma answers", .beat = { .third = true }),
	EVENT(UNREACHABLE, "beta without agent"),
	FITNESS("link lost", LINK, true),
	FITNESS("link back", LINK, false),
	FITNESS("check fails", CHECK, true),
	FITNESS("check passes", CHECK, false),
	FITNESS("not synchronized", SYNC, true),
	EVENT(REFERENCES, "references silent", .silent = true),
	EVENT(REFERENCES, "references answer"),
	EVENT(SWITCHOVER, "switchover asked"),
	EVENT(MAINTENANCE, "maintenance on", .request = { .on = true }),
	EVENT(MAINTENANCE, "maintenance forced", .request = { .on = true, .force = true }),
	EVENT(MAINTENANCE, "maintenance off"),
	EVENT(ANNOUNCE, "announcement asked"),
	EVENT(STOP, "stop"),
	EVENT(STOP, "restart", .restart = true),
	EVENT(DONE, "kernel done"),
	EVENT(DONE, "kernel refuses", .done = { .err = ANY_ERROR }),
	EVENT(DONE, "kernel without gate", .done = { .err = NO_ENTRY }),
	EVENT(DONE, "old order done", .done = { .stale = true }),
	EVENT(DONE, "nobody answers", .done = { .probe = true }),
	EVENT(DONE, "somebody answers", .done = { .err = IN_USE, .probe = true }),
	EVENT(SENT, "heartbeat not sent"),
	EVENT(LOST, "addresses taken"),
	EVENT(FLUSHED, "gate removed"),
	EVENT(LAPSED, "lease gone"),
	EVENT(DISOWNED, "disowned"),
	EVENT(TRAFFIC, "traffic seen"),
	EVENT(STRANGER, "stranger seen"),
	EVENT(INHIBIT, "inhibited", .request = { .on = true }),
	EVENT(INHIBIT, "inhibited no more"),
};

/* The only event of a group that has not begun; START says of the last life what it left. */
static const struct {
	const char *words;
	bool maintenance, adopted;
} beginnings[] = {
	{ "start", false, false },
	{ "start, kept out", true, false },
	{ "start, adopts", false, true },
};

static struct core *core;    /* alpha's, to try an event on */
static struct core *core_at; /* as the scene left it */
static struct core_beat text;

static inline uint32_t pending_order(void)
{
	const struct core_group *g = &core_at->groups[0];

	return g->pending ?: g->units ?: core_at->pending_node;
}

/* Does it mean something there? */
static inline bool applies(const struct variant *v)
{
	const struct core_group *g = &core_at->groups[0];

	if (v->type == CORE_EV_DONE && v->done.probe)
		return g->probe != 0;
	if (v->type == CORE_EV_DONE && !v->done.stale)
		return pending_order() != 0;
	if (v->type == CORE_EV_BEAT && v->beat.third)
		return core_at->config.n_nodes > GAMMA;
	if (v->type == CORE_EV_BEAT && v->beat.term == TERM_OFFERED)
		return g->state == CORE_STATE_YIELDING && g->move_to == BETA;
	return true;
}

static inline uint64_t term_of(const struct variant *v)
{
	const struct core_group *g = &core_at->groups[0];

	switch (v->beat.term) {
	case TERM_SAME:
		break;
	case TERM_LOWER:
		return g->term ? g->term - 1 : 0;
	case TERM_HIGHER:
		return g->term_max + 1;
	case TERM_OFFERED:
		return g->move_term;
	}
	return g->term;
}

/* A move that goes on has its id; who offers or asks anew has another. */
static inline void fill_move(struct core_record *r, enum core_move move)
{
	const struct core_group *g = &core_at->groups[0];
	bool anew = g->state != CORE_STATE_CLAIMING &&
		    (move == CORE_MOVE_OFFER || move == CORE_MOVE_WITHDRAWN ||
		     move == CORE_MOVE_RELEASED || move == CORE_MOVE_ASK);

	r->move = move;
	r->move_to = move ? ALPHA : CORE_NODE_NONE;
	r->move_id = anew || !g->move_id ? NEW_MOVE : g->move_id;
	r->move_term = anew || !g->move_term ? g->term_max + 1 : g->move_term;
	r->why = move == CORE_MOVE_REFUSED || move == CORE_MOVE_DENIED ? CORE_RESULT_NOT_FIT
								       : CORE_RESULT_OK;
}

static inline void fill_beat(const struct variant *v, struct core_event *event)
{
	struct core_record *r = &text.groups[0];

	event->peer = v->beat.third ? GAMMA : BETA;
	event->beat = &text;
	text = rig.nodes[event->peer].puppet;
	text.seq = core_at->peers[event->peer].heard_seq + 1;
	text.reply = !v->beat.deaf;
	text.echo_seq = v->beat.deaf ? 0 : core_at->seq;
	if (v->beat.third)
		return;
	r->state = v->beat.state;
	r->unfit = v->beat.unfit;
	r->present = !v->beat.absent;
	r->term = term_of(v);
	fill_move(r, v->beat.move);
	r->term_max = r->term > r->move_term ? r->term : r->move_term;
}

static inline struct core_event event_of(const struct variant *v)
{
	struct core_event event = { .type = v->type, .peer = CORE_NODE_NONE };

	switch (v->type) {
	case CORE_EV_BEAT:
		fill_beat(v, &event);
		break;
	case CORE_EV_UNREACHABLE:
	case CORE_EV_DISOWNED:
		event.peer = BETA;
		break;
	case CORE_EV_FITNESS:
		event.fitness.reason = v->fitness.reason;
		event.fitness.unfit = v->fitness.unfit;
		break;
	case CORE_EV_REFERENCES:
		event.references_silent = v->silent;
		break;
	case CORE_EV_SWITCHOVER:
	case CORE_EV_MAINTENANCE:
	case CORE_EV_INHIBIT:
		event.request.request = REQUEST;
		event.request.on = v->type != CORE_EV_SWITCHOVER && v->request.on;
		event.request.force = v->type == CORE_EV_MAINTENANCE && v->request.force;
		break;
	case CORE_EV_STOP:
		event.restart = v->restart;
		break;
	case CORE_EV_DONE:
		event.done.id = v->done.stale	? UINT32_MAX
				: v->done.probe ? core_at->groups[0].probe
						: pending_order();
		event.done.err = v->done.err;
		break;
	case CORE_EV_SENT:
		event.sent_seq = core_at->seq;
		break;
	case CORE_EV_TIME:
	case CORE_EV_START:
	case CORE_EV_ANNOUNCE:
	case CORE_EV_LOST:
	case CORE_EV_FLUSHED:
	case CORE_EV_LAPSED:
	case CORE_EV_TRAFFIC:
	case CORE_EV_STRANGER:
	case _CORE_EV_MAX:
		break;
	}
	return event;
}

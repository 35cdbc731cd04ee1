/* SPDX-License-Identifier: MIT */

/* Actions and transitions that several states use. */

#include "agent/core/internal.h"

/* An action without an answer. */
struct core_action *emit(struct step *s, enum core_action_type type, uint8_t group)
{
	struct core_action *a;

	assert(s->out->n < CORE_ACTIONS_MAX);
	a = &s->out->v[s->out->n++];
	*a = (struct core_action){ .type = type, .group = group, .peer = CORE_NODE_NONE };
	return a;
}

/* An action whose DONE comes back under its id. The caller keeps the id if it waits for it. */
struct core_action *order(struct step *s, enum core_action_type type, uint8_t group)
{
	struct core_action *a = emit(s, type, group);

	if (++s->core->next_id == 0)
		s->core->next_id = 1;
	a->id = s->core->next_id;
	return a;
}

/* Ids of moves: unlike those of an earlier life, thanks to the salt; never 0. */
uint32_t new_id(struct core *core)
{
	if (++core->salt == 0)
		core->salt = 1;
	return core->salt;
}

void tell(struct step *s, uint8_t group, enum core_tell what, enum core_result result, int err)
{
	const struct core_group *g = &s->core->groups[group];
	struct core_action *a = emit(s, CORE_DO_TELL, group);

	a->tell.what = what;
	a->tell.result = result;
	a->tell.err = err;
	a->tell.from = a->tell.state = g->state;
	a->tell.was_primary = a->tell.primary = g->primary;
	a->tell.reason = g->reason;
	a->tell.term = g->term;
	a->tell.unfit = g->unfit;
}

/* A step begins without a deadline and without an order under way. */
void set_step(struct core_group *g, enum core_step step)
{
	g->step = step;
	g->due = INSTANT_NEVER;
	g->pending = 0;
	g->units = 0;
}

/* The one writer of `state`. */
void enter(struct step *s, uint8_t group, enum core_state state, enum core_step step,
	   enum core_reason reason)
{
	struct core_group *g = &s->core->groups[group];
	enum core_state from = g->state;
	bool was_primary = g->primary;

	set_step(g, step);
	s->core->beat_now = true;
	if (from == state)
		return;
	g->state = state;
	g->since = s->core->now;
	g->reason = reason;
	g->primary = state == CORE_STATE_PRIMARY || (state == CORE_STATE_YIELDING && was_primary);
	g->provisional = g->rival_since = INSTANT_NEVER;
	g->repairing = false;
	g->through &= s->core->stopping; /* which is once, however often it has to be tried */
	if (state == CORE_STATE_CLAIMING || state == CORE_STATE_PRIMARY ||
	    state == CORE_STATE_YIELDING) {
		g->request_due = INSTANT_NEVER; /* the move has deadlines of its own */
	} else {
		g->lost = false;
		g->condoned = 0;
	}
	if (state != CORE_STATE_PRIMARY) {
		g->announce_due = INSTANT_NEVER;
	} else if (!instant_is_set(g->announce_due)) {
		g->announced = s->core->config.n_announce; /* it was here before: refresh only */
		schedule_announcement(s, group);
	}
	tell(s, group, CORE_TELL_STATE, CORE_RESULT_OK, 0);
	s->out->v[s->out->n - 1].tell.from = from;
	s->out->v[s->out->n - 1].tell.was_primary = was_primary;
	if (state != CORE_STATE_PRIMARY && state != CORE_STATE_YIELDING)
		traffic_end(s, group);
}

/* set_unfit(), when that is a change. */
void change_unfit(struct step *s, uint8_t group, uint16_t bits, bool on)
{
	struct core_group *g = &s->core->groups[group];

	g->unfit = on ? g->unfit | bits : g->unfit & ~bits;
	g->condoned &= g->unfit;
	if (on && bits & (CORE_UNFIT_LINK | CORE_UNFIT_ISOLATED) && g->state == CORE_STATE_PRIMARY)
		g->retry = INSTANT_NEVER; /* no service that a failed move took down explains it */
	s->core->beat_now = true;
	if (bits != CORE_UNFIT_STARTING) /* everybody starts */
		tell(s, group, CORE_TELL_UNFIT, CORE_RESULT_OK, 0);
}

/*
 * Nobody waits until the term is kept, and the heartbeat that announces it may
 * well leave before: should this process die between the two, the peer has heard
 * the term, and a claim is made under the highest that anybody has heard of.
 */
void store(struct step *s, uint8_t group)
{
	const struct core_group *g = &s->core->groups[group];
	struct core_action *a = order(s, CORE_DO_STORE, group);

	a->store.term = g->term_max;
	a->store.maintenance = g->maintenance;
}

/*
 * When a lease that is created or renewed now has to be counted as over: a
 * little early, as the kernel rounds its time-outs down to a tick.
 */
instant lease_end(const struct core *core)
{
	return instant_add(core->now, core->config.lease_us - CORE_LATE_US);
}

/*
 * Set the gate and wait for the kernel's word. The first group that opens
 * creates the lease; its end is counted from now, which is before the kernel's.
 */
void set_gate(struct step *s, uint8_t group, enum core_gate level)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];
	struct core_action *a = order(s, CORE_DO_GATE, group);

	a->gate.level = level;
	a->gate.create = level != CORE_GATE_CLOSED && !instant_is_set(core->lease_until);
	if (a->gate.create)
		core->lease_until = lease_end(core);
	if (a->gate.create)
		core->creating = a->id;
	g->serving = level != CORE_GATE_CLOSED;
	g->pending = a->id;
}

void set_move(struct step *s, uint8_t group, enum core_move move)
{
	s->core->groups[group].move = move;
	s->core->beat_now = true;
}

/* When to announce again: on the schedule, and for ever after it if that is wanted. */
void schedule_announcement(struct step *s, uint8_t group)
{
	const struct core_config *config = &s->core->config;
	struct core_group *g = &s->core->groups[group];
	uint32_t before = g->announced ? config->announce_us[g->announced - 1] : 0;

	g->announce_due = INSTANT_NEVER;
	if (g->lost || g->repairing)
		return; /* begins anew when they are back */
	if (g->announced < config->n_announce)
		g->announce_due =
			instant_add(s->core->now, config->announce_us[g->announced] - before);
	else if (config->refresh_us)
		g->announce_due = instant_add(s->core->now, config->refresh_us);
}

/* Announce every address now, and again on the schedule; when some are missing, once they are back.
 */
void announce(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];

	if (g->lost || g->repairing)
		return;
	emit(s, CORE_DO_ANNOUNCE, group);
	g->announced = 0;
	schedule_announcement(s, group);
}

/* Answer a caller who need not wait. */
void reply(struct step *s, uint8_t group, uint32_t request, enum core_result result)
{
	struct core_action *a = emit(s, CORE_DO_REPLY, group);

	a->reply.request = request;
	a->reply.result = result;
	a->reply.primary = core_primary(s->core, group);
}

/* Answer the caller who waits, if there is one. */
void answer(struct step *s, uint8_t group, enum core_result result)
{
	struct core_group *g = &s->core->groups[group];
	uint64_t took_us = instant_since(s->core->now, g->request_at);

	g->request_due = INSTANT_NEVER; /* Preempt= waits as well, on nobody's behalf */
	g->request_by = INSTANT_NEVER;
	g->options = (struct core_options){ 0 };
	if (!g->request)
		return;
	reply(s, group, g->request, result);
	s->out->v[s->out->n - 1].reply.took_us = took_us;
	if (result == CORE_RESULT_OK)
		g->last_switchover_us = took_us;
	g->request = 0;
}

/* Close; what has not closed in the time of a lease is left to the lease. */
void close_gate(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];

	set_step(g, CORE_STEP_YIELD_CLOSE);
	set_gate(s, group, CORE_GATE_CLOSED);
	g->due = instant_add(s->core->now, s->core->config.lease_us);
}

/* Close, remove, then rest or tell the successor: from wherever addresses may be here. */
static void go(struct step *s, uint8_t group, enum core_reason reason)
{
	enter(s, group, CORE_STATE_YIELDING, CORE_STEP_YIELD_CLOSE, reason);
	close_gate(s, group);
}

/* Let go, to nobody in particular. */
void release(struct step *s, uint8_t group, enum core_reason reason)
{
	struct core_group *g = &s->core->groups[group];

	set_move(s, group, CORE_MOVE_NONE);
	g->move_to = CORE_NODE_NONE;
	g->seamless = false;
	go(s, group, reason);
}

/*
 * Give a claim up. Who offers is refused, but only once everything is gone from
 * here: yielding ends in that.
 */
void give_up(struct step *s, uint8_t group, enum core_reason reason, enum core_result result)
{
	struct core_group *g = &s->core->groups[group];
	bool late = instant_is_set(g->request_by) && instant_reached(s->core->now, g->request_by);

	g->why = result;
	set_move(s, group, CORE_MOVE_NONE);
	go(s, group, reason);
	answer(s, group, late ? CORE_RESULT_TIMEOUT : result);
}

void abandon(struct step *s, uint8_t group, enum core_reason reason)
{
	give_up(s, group, reason, CORE_RESULT_FAILED);
}

/* Somebody wants this node kept out of it, or does not any more; not what it comes to now. */
void keep_out(struct step *s, uint8_t group, enum core_event_type why, bool on)
{
	struct core_group *g = &s->core->groups[group];

	if (why == CORE_EV_INHIBIT)
		g->inhibited = on;
	else
		g->maintenance = on;
	set_unfit(s, group, why == CORE_EV_INHIBIT ? CORE_UNFIT_INHIBITED : CORE_UNFIT_MAINTENANCE,
		  on);
}

/* On the way in or out it cannot begin now; but whoever has gone does not come back to end it. */
void inhibit_on_the_way(struct step *s, uint8_t group, const struct core_event *event)
{
	if (!event->request.on)
		keep_out(s, group, event->type, false);
	if (event->request.request)
		reply(s, group, event->request.request,
		      event->request.on ? CORE_RESULT_BUSY : CORE_RESULT_OK);
}

/* The state of a node that holds nothing and is not on the way to it. */
void rest(struct step *s, uint8_t group, enum core_reason reason)
{
	const struct core_group *g = &s->core->groups[group];
	enum core_state state = CORE_STATE_BACKUP;

	if (g->maintenance || g->inhibited)
		state = CORE_STATE_MAINTENANCE;
	else if (g->unfit & ~CORE_UNFIT_PASSING)
		state = CORE_STATE_FAULT;
	enter(s, group, state, CORE_STEP_NONE, reason);
}

/*
 * Want the group, closed, until no peer can have other plans: who hears us say
 * so and answers will not claim beside us.
 */
void wait_for_leave(struct step *s, uint8_t group, enum core_reason reason)
{
	struct core_group *g = &s->core->groups[group];

	answer(s, group, CORE_RESULT_FAILED); /* nobody knows how long this takes */
	g->waiting_since = s->core->now;
	g->waiting_seq = s->core->seq;
	g->move_to = CORE_NODE_NONE;
	g->seamless = false;
	set_move(s, group, CORE_MOVE_NONE);
	enter(s, group, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_WAIT, reason);
}

static uint32_t order_prepare(struct step *s, uint8_t group, bool ticket)
{
	struct core_action *a = order(s, CORE_DO_PREPARE, group);

	a->ticket = ticket;
	return a->id;
}

/* On the way to primary: what comes next is to have the addresses here. */
void prepare(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];

	set_step(g, CORE_STEP_CLAIM_PREPARE);
	g->due = instant_add(s->core->now, s->core->config.step_us);
	g->pending = order_prepare(s, group, true);
	g->probe = 0; /* whose answers are our own from now on */
	g->probe_due = INSTANT_NEVER;
}

/* Put back what a stranger took. */
void prepare_again(struct step *s, uint8_t group)
{
	s->core->groups[group].pending = order_prepare(s, group, false);
}

/* Have units started and stopped, and wait for it as long as @n of them may take. */
void order_units(struct step *s, uint8_t group, enum core_units units, unsigned n)
{
	struct core_group *g = &s->core->groups[group];
	struct core_action *a = order(s, CORE_DO_UNITS, group);

	a->units = units;
	g->units = a->id;
	g->due = instant_add(s->core->now, n * (uint64_t)s->core->config.step_us);
}

/* Has what comes before a claim to be done still? */
static bool units_first(struct step *s, uint8_t group, enum core_reason reason)
{
	unsigned n = s->core->config.groups[group].before_claim;

	if (!n || s->core->groups[group].through)
		return false;
	enter(s, group, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_UNITS, reason);
	order_units(s, group, CORE_UNITS_BEFORE_CLAIM, n);
	return true;
}

/*
 * Claim on our own account, under a new term (R2): what nobody answers for (R6), and
 * after the units that come before.
 */
void claim(struct step *s, uint8_t group, enum core_reason reason)
{
	struct core_group *g = &s->core->groups[group];

	if (units_first(s, group, reason)) {
		g->move = CORE_MOVE_NONE;
		g->move_to = CORE_NODE_NONE;
		g->seamless = false;
		return;
	}
	if (!probe_lets_claim(s->core, group)) {
		probe_first(s, group, reason);
		return;
	}
	g->term = ++g->term_max;
	g->move = CORE_MOVE_NONE;
	g->move_to = CORE_NODE_NONE;
	g->seamless = false;
	enter(s, group, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_PREPARE, reason);
	store(s, group);
	prepare(s, group);
}

/* Claim what a holder hands over, under the term that it offers. */
void accept_offer(struct step *s, uint8_t group, uint8_t peer, const struct core_record *theirs)
{
	struct core_group *g = &s->core->groups[group];

	if (g->options.to && g->options.to != s->core->config.self + 1)
		answer(s, group, CORE_RESULT_BUSY); /* its caller wants it elsewhere */
	g->seamless = theirs->move == CORE_MOVE_OFFER;
	g->move = CORE_MOVE_NONE;
	g->move_id = theirs->move_id;
	g->move_to = peer;
	g->term = g->move_term = theirs->move_term;
	if (g->term_max < g->term)
		g->term_max = g->term;
	if (units_first(s, group, CORE_REASON_SWITCHOVER)) {
		store(s, group);
		return;
	}
	enter(s, group, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_PREPARE, CORE_REASON_SWITCHOVER);
	store(s, group);
	prepare(s, group);
}

/* How long who is to take the group may need for it. */
instant successor_due(const struct core *core, uint8_t group)
{
	uint64_t steps = 1 + (uint64_t)core->config.groups[group].before_claim;

	return instant_add(core->now, steps * core->config.step_us);
}

/*
 * Begin to hand over to @peer. Seamless: it opens before we close. Strict: we
 * are gone, confirmed by the kernel, before it is told so. As long as nothing is
 * given away the caller may have it undone at any time; from then on the other one
 * may hold it already, and to be told that it does not would be wrong.
 */
void yield(struct step *s, uint8_t group, uint8_t peer, enum core_reason reason)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];

	g->move_id = new_id(core);
	g->move_to = peer;
	g->move_term = ++g->term_max;
	g->seamless = !core->config.groups[group].strict && !g->options.strict;
	g->move = CORE_MOVE_NONE;
	g->why = CORE_RESULT_OK;
	store(s, group);
	if (!g->seamless) {
		go(s, group, reason);
		return;
	}
	enter(s, group, CORE_STATE_YIELDING, CORE_STEP_YIELD_OFFER, reason);
	g->due = instant_earlier(successor_due(core, group), g->request_by);
	set_move(s, group, CORE_MOVE_OFFER);
}

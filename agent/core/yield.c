/* SPDX-License-Identifier: MIT */

/* yielding: on the way from primary to something else, with a successor or without. */

#include "agent/core/internal.h"

/* What the successor says; NULL if it is not heard. */
static const struct core_record *successor(const struct core *core, uint8_t group)
{
	uint8_t to = core->groups[group].move_to;

	return to == CORE_NODE_NONE ? NULL : peer_record(core, to, group);
}

static bool has_taken_over(const struct core_group *g, const struct core_record *r)
{
	return r && r->state == CORE_STATE_PRIMARY && r->term >= g->move_term;
}

static bool speaks_of_this(const struct core_group *g, const struct core_record *r,
			   enum core_move move)
{
	return r && r->move == move && r->move_id == g->move_id;
}

/* The move has failed and this node holds the group again: say so to everybody. */
static void end_failed(struct step *s, uint8_t group, enum core_result result)
{
	struct core_group *g = &s->core->groups[group];

	g->retry = instant_add(s->core->now, result == CORE_RESULT_STEP_FAILED ? CORE_RETRY_UNITS_US
									       : CORE_RETRY_US);
	if (g->maintenance) { /* it was to be had only with a successor */
		keep_out(s, group, CORE_EV_MAINTENANCE, false);
		store(s, group);
	}
	keep_out(s, group, CORE_EV_INHIBIT, false);
	tell(s, group, CORE_TELL_MOVE_FAILED, result, 0);
	set_move(s, group, CORE_MOVE_NONE);
	g->move_to = CORE_NODE_NONE;
	answer(s, group, result);
}

/**
 * move_failed() - This node has not given anything away, and stays primary
 *
 * Whoever asked for the move is told so.
 */
void move_failed(struct step *s, uint8_t group, enum core_result result)
{
	struct core_group *g = &s->core->groups[group];
	uint8_t asker = rule_asker(s->core, group);

	end_failed(s, group, result);
	if (asker != CORE_NODE_NONE) {
		g->move_id = g->asked;
		g->move_to = asker;
		g->why = result;
		set_move(s, group, CORE_MOVE_DENIED);
	}
}

/* Nothing has been given away yet: simply go on. */
static void stay(struct step *s, uint8_t group, enum core_result result)
{
	enter(s, group, CORE_STATE_PRIMARY, CORE_STEP_NONE, CORE_REASON_ROLLED_BACK);
	move_failed(s, group, result);
}

/*
 * The successor had leave to announce: take the group back under a term above
 * the one on offer, so that whichever of the two it heard last, it gives way.
 */
static void take_back(struct step *s, uint8_t group, enum core_result result)
{
	struct core_group *g = &s->core->groups[group];

	end_failed(s, group, result);
	g->term = ++g->term_max;
	g->seamless = false;
	store(s, group);
	enter(s, group, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_ANSWER, CORE_REASON_ROLLED_BACK);
	set_gate(s, group, CORE_GATE_ANSWER);
}

/*
 * Strict: everything is gone from here and the successor did not take it, as
 * far as we know: it may have, unheard. So ask, as everybody who claims does.
 */
static void claim_back(struct step *s, uint8_t group, enum core_result result)
{
	end_failed(s, group, result);
	if (s->core->stopping)
		rest(s, group, CORE_REASON_ROLLED_BACK);
	else
		wait_for_leave(s, group, CORE_REASON_ROLLED_BACK);
}

static void finish(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];
	bool took = has_taken_over(g, successor(s->core, group));

	/* or it was primary while we served on, and has handed over to a third since */
	if (g->move_to != CORE_NODE_NONE && g->term >= g->move_term)
		took |= rule_holder(s->core, group) != CORE_NODE_NONE;
	if (g->move_to != CORE_NODE_NONE && g->why != CORE_RESULT_OK) {
		set_move(s, group, CORE_MOVE_REFUSED); /* a claim that was abandoned */
	} else {
		set_move(s, group, CORE_MOVE_NONE);
		g->move_to = CORE_NODE_NONE;
	}
	if (g->maintenance)
		store(s, group);
	rest(s, group, g->reason);
	took |= g->state == CORE_STATE_MAINTENANCE;
	answer(s, group, took ? CORE_RESULT_OK : CORE_RESULT_OUTCOME_UNKNOWN);
}

/* The addresses are gone: done, or with a strict move now the successor's turn. */
static void removed(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];
	const struct core_record *r = successor(s->core, group);
	bool strict_move = r && !g->seamless && g->why == CORE_RESULT_OK && !has_taken_over(g, r);

	if (!strict_move) {
		finish(s, group);
		return;
	}
	set_step(g, CORE_STEP_YIELD_RELEASED);
	probe_released(s->core, group);
	g->due = successor_due(s->core, group);
	set_move(s, group, CORE_MOVE_RELEASED);
}

static void remove_addresses(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];

	set_step(g, CORE_STEP_YIELD_REMOVE);
	g->pending = order(s, CORE_DO_REMOVE, group)->id;
}

/*
 * The kernel would not close, or does not answer at all: then the lease has to.
 * It is renewed no more (all groups lapse), and when it is over we go on. The
 * caller has waited long enough.
 */
static void leave_to_lease(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];

	lapse(s);
	set_step(g, CORE_STEP_YIELD_LEASE);
	g->due = instant_add(s->core->now, s->core->config.lease_us);
	g->why = CORE_RESULT_FAILED;
	answer(s, group, CORE_RESULT_OUTCOME_UNKNOWN);
}

static void carried_out(struct step *s, uint8_t group, int err)
{
	struct core_group *g = &s->core->groups[group];

	if (err)
		tell(s, group, CORE_TELL_ACTION_FAILED, CORE_RESULT_FAILED, err);
	switch (g->step) {
	case CORE_STEP_YIELD_WITHDRAW:
		if (err) {
			take_back(s, group, CORE_RESULT_FAILED);
			break;
		}
		set_step(g, CORE_STEP_YIELD_WITHDRAWN);
		g->due = instant_add(s->core->now, 4 * (uint64_t)s->core->config.dead_us);
		set_move(s, group, CORE_MOVE_WITHDRAWN);
		break;
	case CORE_STEP_YIELD_CLOSE:
		if (err)
			leave_to_lease(s, group);
		else
			remove_addresses(s, group);
		break;
	case CORE_STEP_YIELD_REMOVE:
		if (err)
			g->why = CORE_RESULT_FAILED; /* not "released" in the sense of a strict move
						      */
		removed(s, group);
		break;
	case CORE_STEP_NONE:
	case CORE_STEP_CLAIM_WAIT:
	case CORE_STEP_CLAIM_PROBE:
	case CORE_STEP_CLAIM_PREPARE:
	case CORE_STEP_CLAIM_PREPARED:
	case CORE_STEP_CLAIM_OPEN:
	case CORE_STEP_CLAIM_READY:
	case CORE_STEP_CLAIM_ANSWER:
	case CORE_STEP_YIELD_OFFER:
	case CORE_STEP_YIELD_WITHDRAWN:
	case CORE_STEP_YIELD_LINGER:
	case CORE_STEP_YIELD_LEASE:
	case CORE_STEP_YIELD_RELEASED:
	case CORE_STEP_CLAIM_UNITS:
	case CORE_STEP_PRIMARY_UNITS:
	case _CORE_STEP_MAX:
		break;
	}
}

/* Offered; nothing has changed here yet. */
static void watch_offer(struct step *s, uint8_t group, const struct core_record *r, bool overdue)
{
	struct core_group *g = &s->core->groups[group];

	if (speaks_of_this(g, r, CORE_MOVE_READY)) {
		set_step(g, CORE_STEP_YIELD_WITHDRAW);
		set_gate(s, group, CORE_GATE_SERVE);
		g->due = instant_add(s->core->now, s->core->config.step_us);
	} else if (!r) {
		stay(s, group, CORE_RESULT_PEER_UNREACHABLE);
	} else if (speaks_of_this(g, r, CORE_MOVE_REFUSED)) {
		stay(s, group, r->why);
	} else if (r->state == CORE_STATE_PRIMARY ||
		   rule_third_holds(s->core, group, g->move_to, g->term)) {
		stay(s, group, CORE_RESULT_FAILED); /* two primaries: that rule decides */
	} else if (overdue) {
		stay(s, group, CORE_RESULT_TIMEOUT);
	}
}

/* The successor may announce; we still serve. */
static void watch_withdrawn(struct step *s, uint8_t group, const struct core_record *r,
			    bool overdue)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];

	if (has_taken_over(g, r)) {
		g->term = r->term; /* which tells the successor that we know */
		set_step(g, CORE_STEP_YIELD_LINGER);
		g->due = instant_add(core->now, core->config.groups[group].linger_us);
		set_move(s, group, CORE_MOVE_NONE);
	} else if (peer_silent(core, g->move_to) ||
		   rule_third_holds(core, group, g->move_to, g->term)) {
		/* Whether it serves cannot be known: do not serve beside it (section 5). */
		close_gate(s, group);
	} else if (speaks_of_this(g, r, CORE_MOVE_REFUSED)) {
		take_back(s, group, r->why);
	} else if (overdue) {
		take_back(s, group, CORE_RESULT_TIMEOUT);
	}
}

/* Strict: gone from here, the successor has been told. */
static void watch_released(struct step *s, uint8_t group, const struct core_record *r, bool overdue)
{
	struct core_group *g = &s->core->groups[group];

	if (has_taken_over(g, r)) {
		g->term = r->term;
		finish(s, group);
	} else if (!r) {
		claim_back(s, group, CORE_RESULT_PEER_UNREACHABLE);
	} else if (speaks_of_this(g, r, CORE_MOVE_REFUSED)) {
		claim_back(s, group, r->why);
	} else if (overdue) {
		claim_back(s, group, CORE_RESULT_TIMEOUT);
	}
}

static void reconsider(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];
	const struct core_record *r = successor(s->core, group);
	bool overdue = instant_is_set(g->due) && instant_reached(s->core->now, g->due);

	switch (g->step) {
	case CORE_STEP_YIELD_OFFER:
		watch_offer(s, group, r, overdue);
		break;
	case CORE_STEP_YIELD_WITHDRAWN:
		watch_withdrawn(s, group, r, overdue);
		break;
	case CORE_STEP_YIELD_LINGER:
		if (overdue)
			close_gate(s, group);
		break;
	case CORE_STEP_YIELD_WITHDRAW:
		if (overdue)
			close_gate(s, group);
		break;
	case CORE_STEP_YIELD_CLOSE:
		if (overdue)
			leave_to_lease(s, group);
		break;
	case CORE_STEP_YIELD_LEASE:
		if (overdue)
			remove_addresses(s, group);
		break;
	case CORE_STEP_YIELD_RELEASED:
		watch_released(s, group, r, overdue);
		break;
	case CORE_STEP_YIELD_REMOVE:
	case CORE_STEP_NONE:
	case CORE_STEP_CLAIM_WAIT:
	case CORE_STEP_CLAIM_PROBE:
	case CORE_STEP_CLAIM_PREPARE:
	case CORE_STEP_CLAIM_PREPARED:
	case CORE_STEP_CLAIM_OPEN:
	case CORE_STEP_CLAIM_READY:
	case CORE_STEP_CLAIM_ANSWER:
	case CORE_STEP_CLAIM_UNITS:
	case CORE_STEP_PRIMARY_UNITS:
	case _CORE_STEP_MAX:
		break;
	}
}

void yielding_step(struct step *s, uint8_t group, const struct core_event *event)
{
	struct core_group *g = &s->core->groups[group];

	switch (event->type) {
	case CORE_EV_DONE:
		if (event->done.id == g->pending)
			carried_out(s, group, event->done.err);
		break;
	case CORE_EV_BEAT:
	case CORE_EV_TIME:
		reconsider(s, group);
		break;
	case CORE_EV_SWITCHOVER:
	case CORE_EV_MAINTENANCE:
		reply(s, group, event->request.request, CORE_RESULT_BUSY);
		break;
	case CORE_EV_INHIBIT:
		inhibit_on_the_way(s, group, event);
		break;
	case CORE_EV_LOST:
		g->lost = true; /* put back if the move fails and we stay */
		break;
	case CORE_EV_START:
	case CORE_EV_UNREACHABLE:
	case CORE_EV_FITNESS:
	case CORE_EV_REFERENCES:
	case CORE_EV_ANNOUNCE:
	case CORE_EV_STOP:
	case CORE_EV_SENT:
	case CORE_EV_FLUSHED:
	case CORE_EV_LAPSED:
	case CORE_EV_TRAFFIC:
	case CORE_EV_STRANGER:
	case CORE_EV_DISOWNED:
	case _CORE_EV_MAX:
		break;
	}
}

/* SPDX-License-Identifier: MIT */

/* claiming: on the way to primary. */

#include "agent/core/internal.h"

/* What the holder says who hands over to us; NULL if it does not (any more). */
static const struct core_record *offerer(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];
	const struct core_record *r = peer_record(core, g->move_to, group);

	if (!r || r->move_id != g->move_id || r->move_to != core->config.self)
		return NULL;
	return r;
}

/**
 * core_gives_leave() - R9: has this peer given us leave to claim?
 *
 * It has echoed a heartbeat sent since we began to wait, or has been silent ever
 * since for as long as R8 asks for: had it heard us all the time without our
 * hearing it, its lease would be over. Or it does not hear us, but has not been
 * able to claim for as long.
 */
bool core_gives_leave(const struct core *core, uint8_t group, uint8_t peer)
{
	const struct core_peer *p = &core->peers[peer];
	const struct core_group *g = &core->groups[group];
	instant since = instant_later(g->waiting_since, core->awake);
	bool echoed, waited;

	waited = instant_since(core->now, since) >= peer_claim_wait_us(core, peer);
	echoed = p->echoed_seq > g->waiting_seq && p->echoed_sent_at.us >= core->awake.us;
	if (p->up)
		return echoed || (waited && peer_is_out(core, peer, group));
	return waited && !listening(core); /* it may hold for a restart */
}

static bool may_claim(const struct core *core, uint8_t group)
{
	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (p != core->config.self && !core_gives_leave(core, group, p))
			return false;
	return true;
}

/**
 * core_lets_open() - Does this peer's leave stand, just before the gate is opened?
 *
 * A preparation can take its time. Who hands over to us has given it; others who
 * live may want to claim, unless they hear us.
 */
bool core_lets_open(const struct core *core, uint8_t group, uint8_t peer)
{
	return peer == core->groups[group].move_to || !core->peers[peer].up ||
	       peer_echoes(core, peer) || peer_is_out(core, peer, group);
}

static bool leave_stands(const struct core *core, uint8_t group)
{
	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (p != core->config.self && !core_lets_open(core, group, p))
			return false;
	return true;
}

/* Too late, or no longer certain: closed, and asking again. */
static void ask_again(struct step *s, uint8_t group)
{
	wait_for_leave(s, group, s->core->groups[group].reason);
}

static void fail(struct step *s, uint8_t group, int err)
{
	struct core_group *g = &s->core->groups[group];

	tell(s, group, CORE_TELL_ACTION_FAILED, CORE_RESULT_FAILED, err);
	if (err == -CORE_ENOENT)
		rebuild(s); /* the gate is not there */
	set_unfit(s, group, CORE_UNFIT_CLAIM, true);
	g->retry = instant_add(s->core->now, CORE_RETRY_US);
	abandon(s, group, CORE_REASON_FAILED);
}

static void become_primary(struct step *s, uint8_t group)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];
	const struct core_record *from = NULL;

	if (g->move_to != CORE_NODE_NONE)
		from = peer_record(core, g->move_to, group);
	announce(s, group);
	enter(s, group, CORE_STATE_PRIMARY, CORE_STEP_NONE, g->reason);
	set_move(s, group, CORE_MOVE_NONE);
	g->headless = INSTANT_NEVER;
	if (g->reason != CORE_REASON_ROLLED_BACK)
		g->retry = INSTANT_NEVER; /* what has failed before was another matter */
	probe_over(core, group);
	traffic_begin(core, group, from);
	repair(s, group); /* what a stranger took meanwhile */
	if (from && from->options.force)
		g->condoned = g->unfit;
	if (from) {
		g->provisional = instant_add(core->now, 2 * (uint64_t)core->config.dead_us);
		return;
	}
	g->move_to = CORE_NODE_NONE;
	answer(s, group, CORE_RESULT_OK);
}

/*
 * What comes before a claim has been done, or has failed: then who hands over keeps the
 * group, but one that nobody holds is better held without it. It may have taken its time.
 */
static void units_end(struct step *s, uint8_t group, int err)
{
	struct core_group *g = &s->core->groups[group];

	if (err)
		tell(s, group, CORE_TELL_UNITS_FAILED, CORE_RESULT_STEP_FAILED, err);
	g->through = true;
	if (err && g->move_to != CORE_NODE_NONE) {
		g->retry = instant_add(s->core->now, CORE_RETRY_UNITS_US); /* of Preempt= */
		give_up(s, group, CORE_REASON_FAILED, CORE_RESULT_STEP_FAILED);
	} else if (g->move_to != CORE_NODE_NONE) {
		prepare(s, group);
	} else if (leave_stands(s->core, group)) {
		claim(s, group, g->reason);
	} else {
		ask_again(s, group);
	}
}

/*
 * The addresses are here. In a handover a third node has a moment to answer: it
 * learns only now that there is something to answer.
 */
static void prepared(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];
	instant due = g->due;

	if (leave_stands(s->core, group)) {
		set_step(g, CORE_STEP_CLAIM_OPEN);
		set_gate(s, group, g->seamless ? CORE_GATE_READY : CORE_GATE_ANSWER);
	} else if (g->move_to == CORE_NODE_NONE) {
		ask_again(s, group);
	} else {
		set_step(g, CORE_STEP_CLAIM_PREPARED);
		g->due = due;
	}
}

/* The kernel has refused an order of ours. */
static void refused(struct step *s, uint8_t group, int err)
{
	const struct core_group *g = &s->core->groups[group];

	if (err == -CORE_ENOENT && g->step == CORE_STEP_CLAIM_OPEN && g->move_to == CORE_NODE_NONE)
		ask_again(s, group);
	else
		fail(s, group, err);
}

/* The kernel has carried it out: the next step, which has no order under way yet. */
static void carried_out(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];

	switch (g->step) {
	case CORE_STEP_CLAIM_PREPARE:
		prepared(s, group);
		break;
	case CORE_STEP_CLAIM_OPEN:
		if (!g->seamless) {
			become_primary(s, group);
			break;
		}
		set_step(g, CORE_STEP_CLAIM_READY);
		g->due = instant_add(s->core->now, s->core->config.lease_us / 2);
		set_move(s, group, CORE_MOVE_READY);
		break;
	case CORE_STEP_CLAIM_ANSWER:
		become_primary(s, group);
		break;
	case CORE_STEP_NONE:
	case CORE_STEP_CLAIM_WAIT:
	case CORE_STEP_CLAIM_PROBE:
	case CORE_STEP_CLAIM_PREPARED:
	case CORE_STEP_CLAIM_READY:
	case CORE_STEP_YIELD_OFFER:
	case CORE_STEP_YIELD_WITHDRAW:
	case CORE_STEP_YIELD_WITHDRAWN:
	case CORE_STEP_YIELD_LINGER:
	case CORE_STEP_YIELD_CLOSE:
	case CORE_STEP_YIELD_LEASE:
	case CORE_STEP_YIELD_REMOVE:
	case CORE_STEP_YIELD_RELEASED:
	case CORE_STEP_CLAIM_UNITS:
	case CORE_STEP_PRIMARY_UNITS:
	case _CORE_STEP_MAX:
		break;
	}
}

/*
 * The old holder does not answer ARP any more, or is gone for good: our turn. The kernel
 * serves here since CLAIM_READY, so the network need not wait for the order that lets it
 * answer who asks: it hears of us now, and again once that has been carried out.
 */
static void take_turn(struct step *s, uint8_t group)
{
	set_step(&s->core->groups[group], CORE_STEP_CLAIM_ANSWER);
	set_gate(s, group, CORE_GATE_ANSWER);
	if (!s->core->groups[group].lost)
		emit(s, CORE_DO_ANNOUNCE, group);
}

/* We claim with leave of a peer: is the leave still good? */
static void watch_offerer(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];
	const struct core_record *r;

	if (!s->core->peers[g->move_to].up) {
		/* It died in the middle, and its lease has run out (R8): carry on alone. */
		g->move_to = CORE_NODE_NONE;
		if (g->step == CORE_STEP_CLAIM_UNITS || g->step == CORE_STEP_CLAIM_PREPARE ||
		    g->step == CORE_STEP_CLAIM_PREPARED)
			g->seamless = false;
		return;
	}
	r = offerer(s->core, group);
	if (r && rule_third_holds(s->core, group, g->move_to, r->term))
		abandon(s, group, CORE_REASON_CONFLICT);
	else if (!r || (r->move != CORE_MOVE_OFFER && r->move != CORE_MOVE_WITHDRAWN &&
			r->move != CORE_MOVE_RELEASED))
		abandon(s, group, CORE_REASON_ROLLED_BACK);
	else if (!rule_takes(s->core, group, r))
		abandon(s, group, CORE_REASON_UNFIT); /* it was asked for a fit one */
	else if (g->step == CORE_STEP_CLAIM_READY && r->move != CORE_MOVE_OFFER)
		take_turn(s, group);
}

/* Somebody else holds the group, or claims it with the better right. */
static bool beaten(const struct core *core, uint8_t group)
{
	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		const struct core_record *r = peer_record(core, p, group);

		if (r && (record_holds(r) ||
			  (r->state == CORE_STATE_CLAIMING && rule_is_beaten(core, group, p))))
			return true;
	}
	return false;
}

/* Nothing is here yet, and nobody has handed anything over. */
static void reconsider_alone(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];

	if (!rule_usable(g->unfit & ~CORE_UNFIT_STARTING))
		abandon(s, group, CORE_REASON_UNFIT);
	else if (g->step == CORE_STEP_CLAIM_PROBE ||
		 (g->step == CORE_STEP_CLAIM_WAIT && may_claim(s->core, group)))
		claim(s, group, g->reason);
}

/* What is waited for has not come in time. */
static void overdue(struct step *s, uint8_t group)
{
	const struct core_group *g = &s->core->groups[group];

	if (g->step == CORE_STEP_CLAIM_READY)
		abandon(s, group,
			CORE_REASON_ROLLED_BACK); /* it may not hear us: do not serve beside it */
	else if (g->step == CORE_STEP_CLAIM_UNITS)
		units_end(s, group, -CORE_ETIMEDOUT);
	else
		fail(s, group, -CORE_ETIMEDOUT);
}

/* The world has changed, or time has passed. */
static void reconsider(struct step *s, uint8_t group)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];

	if (g->move_to != CORE_NODE_NONE)
		watch_offerer(s, group);
	else if (beaten(core, group))
		abandon(s, group, CORE_REASON_CONFLICT);
	else if (g->step == CORE_STEP_CLAIM_READY)
		take_turn(s, group);
	else if (g->step == CORE_STEP_CLAIM_WAIT || g->step == CORE_STEP_CLAIM_PROBE ||
		 g->step == CORE_STEP_CLAIM_UNITS)
		reconsider_alone(s, group);
	if (g->step == CORE_STEP_CLAIM_PREPARED)
		prepared(s, group);
	/* what has only just begun has its time before it */
	if (instant_is_set(g->due) && instant_reached(core->now, g->due))
		overdue(s, group);
}

void claiming_step(struct step *s, uint8_t group, const struct core_event *event)
{
	struct core_group *g = &s->core->groups[group];

	switch (event->type) {
	case CORE_EV_DONE:
		if (event->done.id == g->pending && event->done.err)
			refused(s, group, event->done.err);
		else if (event->done.id == g->pending)
			carried_out(s, group);
		else if (event->done.id == g->units)
			units_end(s, group, event->done.err);
		else if (g->step == CORE_STEP_CLAIM_WAIT || g->step == CORE_STEP_CLAIM_PROBE)
			reconsider(s, group); /* of the probe */
		break;
	case CORE_EV_STOP:
		abandon(s, group, CORE_REASON_STOP);
		break;
	case CORE_EV_DISOWNED:
		abandon(s, group, CORE_REASON_DISOWNED);
		break;
	case CORE_EV_SWITCHOVER:
	case CORE_EV_MAINTENANCE:
		reply(s, group, event->request.request, CORE_RESULT_BUSY);
		break;
	case CORE_EV_INHIBIT:
		inhibit_on_the_way(s, group, event);
		break;
	case CORE_EV_BEAT:
	case CORE_EV_TIME:
	case CORE_EV_FITNESS:
	case CORE_EV_REFERENCES:
		reconsider(s, group);
		break;
	case CORE_EV_LOST:
		g->lost = true; /* repaired as soon as we are primary */
		break;
	case CORE_EV_START:
	case CORE_EV_UNREACHABLE:
	case CORE_EV_ANNOUNCE:
	case CORE_EV_SENT:
	case CORE_EV_FLUSHED:
	case CORE_EV_LAPSED:
	case CORE_EV_TRAFFIC:
	case CORE_EV_STRANGER:
	case _CORE_EV_MAX:
		break;
	}
}

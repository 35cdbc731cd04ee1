/* SPDX-License-Identifier: MIT */

/* backup, fault and maintenance: the states in which nothing is held. */

#include "agent/core/internal.h"

/* Keep track of since when nobody is known to hold the group (LastResort=). */
static void note_holder(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];

	if (rule_holder(s->core, group) != CORE_NODE_NONE)
		g->headless = INSTANT_NEVER;
	else if (!instant_is_set(g->headless))
		g->headless = s->core->now;
}

static void refuse(struct step *s, uint8_t group, uint8_t peer, const struct core_record *theirs,
		   enum core_result why)
{
	struct core_group *g = &s->core->groups[group];

	g->move_id = theirs->move_id;
	g->move_to = peer;
	g->why = why;
	set_move(s, group, CORE_MOVE_REFUSED);
	answer(s, group, why);
}

/* What the last heartbeat of @peer says to us, beside who it is. */
static void hear_move(struct step *s, uint8_t group, uint8_t peer)
{
	struct core_group *g = &s->core->groups[group];
	const struct core_record *r = peer_record(s->core, peer, group);
	bool offer;

	if (!r)
		return;
	offer = (r->move == CORE_MOVE_OFFER || r->move == CORE_MOVE_RELEASED) &&
		r->move_to == s->core->config.self;
	if (g->move == CORE_MOVE_REFUSED && g->move_to == peer &&
	    (!offer || r->move_id != g->move_id))
		set_move(s, group, CORE_MOVE_NONE); /* it has understood */

	if (g->move == CORE_MOVE_ASK && r->move == CORE_MOVE_DENIED && r->move_id == g->move_id) {
		set_move(s, group, CORE_MOVE_NONE);
		g->retry = instant_add(s->core->now, r->why == CORE_RESULT_STEP_FAILED
							     ? CORE_RETRY_UNITS_US
							     : CORE_RETRY_US); /* of Preempt= */
		answer(s, group, r->why);
	} else if (offer && g->move != CORE_MOVE_REFUSED) {
		if (!rule_takes(s->core, group, r))
			refuse(s, group, peer, r, CORE_RESULT_NOT_FIT);
		else if (rule_third_holds(s->core, group, peer, 0))
			refuse(s, group, peer, r, CORE_RESULT_BUSY);
		else
			accept_offer(s, group, peer, r);
	}
}

/* May a caller be passed on to @holder? CORE_RESULT_OK, or what he is told instead. */
static enum core_result may_ask(const struct core *core, uint8_t group, uint8_t holder,
				const struct core_options *options)
{
	const struct core_group *g = &core->groups[group];
	bool here = !options->to || options->to == core->config.self + 1;

	if (g->move == CORE_MOVE_ASK || g->move == CORE_MOVE_REFUSED)
		return CORE_RESULT_BUSY;
	if (here && g->unfit && !(options->force && rule_usable(g->unfit)))
		return CORE_RESULT_NOT_FIT;
	if (holder == CORE_NODE_NONE)
		return CORE_RESULT_NOT_HELD;
	if (rule_third_holds(core, group, holder, 0))
		return CORE_RESULT_BUSY; /* first they have to meet */
	return options->to == holder + 1 ? CORE_RESULT_ALREADY_PRIMARY : CORE_RESULT_OK;
}

/* No answer can be expected later than this: with a little for the answer itself. */
static instant no_answer_at(const struct core *core, uint8_t group,
			    const struct core_options *options)
{
	const struct core_group_config *c = &core->config.groups[group];
	uint64_t us = (2 + (uint64_t)c->before_release + c->before_claim) * core->config.step_us;

	if (options->within_us && options->within_us < us)
		us = (uint64_t)options->within_us + 2 * core->config.dead_us;
	return instant_add(core->now, us);
}

/*
 * A caller on a node that does not hold the group: pass it on to the one that
 * does. Preempt=yes asks on nobody's behalf: @request 0.
 */
static void ask(struct step *s, uint8_t group, uint32_t request, const struct core_options *options)
{
	struct core_group *g = &s->core->groups[group];
	uint8_t holder = rule_holder(s->core, group);
	enum core_result result = may_ask(s->core, group, holder, options);

	if (result != CORE_RESULT_OK) {
		reply(s, group, request, result);
		return;
	}
	g->request = request;
	g->request_at = s->core->now;
	g->request_due = no_answer_at(s->core, group, options);
	g->options = *options;
	if (options->within_us)
		g->request_by = instant_add(s->core->now, options->within_us);
	g->move_id = new_id(s->core);
	g->move_to = holder;
	set_move(s, group, CORE_MOVE_ASK);
}

/* Somebody else has it, as the caller wants it. */
static bool has_arrived(const struct core *core, uint8_t group, uint8_t holder)
{
	return core->groups[group].options.to == holder + 1 &&
	       peer_record(core, holder, group)->state == CORE_STATE_PRIMARY;
}

/*
 * The holder did not even deny it: it is gone, or has handed over to somebody
 * else, or nobody can tell what became of it.
 */
static void expire_request(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];
	enum core_result result = CORE_RESULT_OUTCOME_UNKNOWN;
	uint8_t holder;

	if (g->move != CORE_MOVE_ASK)
		return;
	holder = rule_holder(s->core, group);
	if (holder == CORE_NODE_NONE)
		result = CORE_RESULT_PEER_UNREACHABLE;
	else if (has_arrived(s->core, group, holder))
		result = CORE_RESULT_OK;
	else if (holder != g->move_to)
		result = CORE_RESULT_BUSY;
	else if (!instant_reached(s->core->now, g->request_due))
		return;
	set_move(s, group, CORE_MOVE_NONE);
	g->retry = instant_add(s->core->now, CORE_RETRY_US);
	answer(s, group, result);
}

static void set_maintenance(struct step *s, uint8_t group, const struct core_event *event)
{
	keep_out(s, group, event->type, event->request.on);
	if (event->type == CORE_EV_MAINTENANCE)
		store(s, group);
	if (event->request.request)
		reply(s, group, event->request.request, CORE_RESULT_OK);
	if (!event->request.on)
		rest(s, group, CORE_REASON_FIT);
	else if (event->type == CORE_EV_INHIBIT)
		rest(s, group, CORE_REASON_INHIBITED);
	else
		rest(s, group, CORE_REASON_MAINTENANCE);
}

/* What all three states do with an event; claims are up to the state. */
static void idle_step(struct step *s, uint8_t group, const struct core_event *event)
{
	struct core_group *g = &s->core->groups[group];

	switch (event->type) {
	case CORE_EV_BEAT:
		hear_move(s, group, event->peer);
		break;
	case CORE_EV_SWITCHOVER:
		ask(s, group, event->request.request, &event->request.options);
		break;
	case CORE_EV_MAINTENANCE:
	case CORE_EV_INHIBIT:
		set_maintenance(s, group, event);
		break;
	case CORE_EV_TIME:
	case CORE_EV_START:
	case CORE_EV_UNREACHABLE:
	case CORE_EV_FITNESS:
	case CORE_EV_REFERENCES:
	case CORE_EV_ANNOUNCE:
	case CORE_EV_STOP:
	case CORE_EV_DONE:
	case CORE_EV_SENT:
	case CORE_EV_LOST:
	case CORE_EV_FLUSHED:
	case CORE_EV_LAPSED:
	case CORE_EV_TRAFFIC:
	case CORE_EV_STRANGER:
	case CORE_EV_DISOWNED:
	case _CORE_EV_MAX:
		break;
	}
	if (g->unfit & CORE_UNFIT_CLAIM && instant_reached(s->core->now, g->retry))
		set_unfit(s, group, CORE_UNFIT_CLAIM, false);
	note_holder(s, group);
	expire_request(s, group);
}

/*
 * Could somebody have other plans? A peer that lives, or one that cannot be
 * heard but hears us, and has not had the time to draw its conclusions from
 * what we are now.
 */
static bool needs_leave(const struct core *core, uint8_t group)
{
	instant since = instant_later(core->groups[group].since, core->awake);

	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (core->peers[p].up)
			return true;
	return instant_since(core->now, since) < core->config.dead_us;
}

/* Fit, or unfit only in passing; waits for a reason to claim. */
void backup_step(struct step *s, uint8_t group, const struct core_event *event)
{
	struct core_group *g = &s->core->groups[group];
	enum core_reason reason;

	idle_step(s, group, event);
	if (g->state != CORE_STATE_BACKUP)
		return;
	if (g->unfit & ~CORE_UNFIT_PASSING) {
		rest(s, group, CORE_REASON_UNFIT);
		return;
	}
	reason = rule_claim(s->core, group);
	if (reason != CORE_REASON_NONE && needs_leave(s->core, group))
		wait_for_leave(s, group, reason);
	else if (reason != CORE_REASON_NONE)
		claim(s, group, reason);
	else if (g->move == CORE_MOVE_NONE && rule_preempts(s->core, group))
		ask(s, group, 0, &(const struct core_options){ 0 });
}

/* Unfit: claims only as the last resort (R4). */
void fault_step(struct step *s, uint8_t group, const struct core_event *event)
{
	struct core_group *g = &s->core->groups[group];

	idle_step(s, group, event);
	if (g->state != CORE_STATE_FAULT)
		return;
	if (!(g->unfit & ~CORE_UNFIT_PASSING))
		rest(s, group, CORE_REASON_FIT);
	else if (rule_claim(s->core, group) == CORE_REASON_LAST_RESORT)
		wait_for_leave(s, group, CORE_REASON_LAST_RESORT);
}

/* The operator wants this node to stay out of it. */
void maintenance_step(struct step *s, uint8_t group, const struct core_event *event)
{
	idle_step(s, group, event);
}

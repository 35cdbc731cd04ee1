/* SPDX-License-Identifier: MIT */

/* primary: holding the group, and every reason to stop. */

#include "agent/core/internal.h"

/* Nothing can be asked of it now: it is on its way in or out. */
static bool is_busy(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];

	return instant_is_set(g->provisional) || g->units || core->stopping;
}

/* Who asks for the group to be moved wants it so. */
static void take_options(struct core *core, uint8_t group, const struct core_options *options)
{
	struct core_group *g = &core->groups[group];

	g->options = *options;
	if (options->within_us)
		g->request_by = instant_add(core->now, options->within_us);
}

/* Asked for here: by a caller on the bus. */
static void asked_here(struct step *s, uint8_t group, const struct core_event *event)
{
	struct core_group *g = &s->core->groups[group];
	enum core_result result = CORE_RESULT_ALREADY_PRIMARY;

	if (is_busy(s->core, group)) {
		reply(s, group, event->request.request, CORE_RESULT_BUSY);
		return;
	}
	g->request = event->request.request;
	g->request_at = s->core->now;
	take_options(s->core, group, &event->request.options);
	if (g->options.to != s->core->config.self + 1)
		result = let_go(s, group, CORE_REASON_SWITCHOVER, false);
	if (result != CORE_RESULT_OK)
		answer(s, group, result);
}

/* What a peer asks for: CORE_RESULT_OK if it is on its way. */
static enum core_result take_up(struct step *s, uint8_t group, uint8_t peer,
				const struct core_record *r)
{
	struct core_group *g = &s->core->groups[group];
	enum core_result result;
	uint8_t to = CORE_NODE_NONE;

	take_options(s->core, group, &r->options);
	result = rule_successor(s->core, group, &to);
	if (result == CORE_RESULT_OK && !g->options.to && to != peer)
		result = CORE_RESULT_NOT_FIT;
	if (!g->options.to)
		g->options.to = (uint8_t)(peer + 1); /* whatever is the case afterwards */
	if (result == CORE_RESULT_OK)
		result = let_go(s, group, CORE_REASON_SWITCHOVER, false);
	if (result != CORE_RESULT_OK)
		answer(s, group, result); /* nobody here: but it is over */
	return result;
}

/* Asked for on the backup, which passes it on with its heartbeats. */
static void asked_there(struct step *s, uint8_t group, uint8_t peer, const struct core_record *r)
{
	struct core_group *g = &s->core->groups[group];
	enum core_result why = CORE_RESULT_BUSY;

	if (r->move_id == g->asked || (g->move == CORE_MOVE_DENIED && r->move_id == g->move_id))
		return; /* taken up already, or denied */
	if (!g->units)
		g->asked = r->move_id;
	if (!is_busy(s->core, group))
		why = take_up(s, group, peer, r);
	if (why == CORE_RESULT_OK)
		return;
	g->why = why;
	g->move_id = r->move_id;
	g->move_to = peer;
	set_move(s, group, CORE_MOVE_DENIED);
}

/* Another primary (R1). */
static void meet_rival(struct step *s, uint8_t group, uint8_t peer)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];

	if (!instant_is_set(g->rival_since)) {
		g->rival_since = core->now;
		tell(s, group, CORE_TELL_CONFLICT, CORE_RESULT_OK, 0);
		s->out->v[s->out->n - 1].peer = peer;
	}
	if (rule_loses(core, group, peer))
		release(s, group, CORE_REASON_CONFLICT);
	else if (instant_since(core->now, g->rival_since) >= core->config.dead_us &&
		 core->peers[peer].echoed_sent_at.us < g->rival_since.us)
		release(s, group, CORE_REASON_UNHEARD); /* it will never give way */
}

/* The old holder has understood that we are it, or has at least let go. */
static void note_acknowledgement(struct step *s, uint8_t group, const struct core_record *r)
{
	struct core_group *g = &s->core->groups[group];

	if (r->state == CORE_STATE_YIELDING) {
		if (r->term >= g->term)
			g->provisional = instant_add(s->core->now, s->core->config.step_us);
		return;
	}
	if (r->state == CORE_STATE_CLAIMING)
		return; /* it takes the group back: the terms will decide */
	g->provisional = INSTANT_NEVER;
	g->move_to = CORE_NODE_NONE;
	announce(s, group);
	answer(s, group, CORE_RESULT_OK);
}

static void hear_peer(struct step *s, uint8_t group, uint8_t peer)
{
	struct core_group *g = &s->core->groups[group];
	const struct core_record *r = peer_record(s->core, peer, group);
	bool asks;

	if (!r)
		return;
	if (r->state == CORE_STATE_PRIMARY) {
		meet_rival(s, group, peer);
		return;
	}
	/*
	 * Its announcements may have been the last ones heard: of a rival that has given way,
	 * and of one that had done so before we could hear that it held the group as well.
	 */
	if (instant_is_set(g->rival_since) || s->core->peers[peer].again) {
		g->rival_since = INSTANT_NEVER;
		announce(s, group);
	}
	if (instant_is_set(g->provisional) && peer == g->move_to)
		note_acknowledgement(s, group, r);

	asks = r->move == CORE_MOVE_ASK && r->move_to == s->core->config.self;
	if (asks)
		asked_there(s, group, peer, r);
	else if (g->move == CORE_MOVE_DENIED && g->move_to == peer)
		set_move(s, group, CORE_MOVE_NONE);
}

/* A new holder that the old one does not acknowledge, although it is heard, steps back. */
static void watch_provisional(struct step *s, uint8_t group)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];

	if (!instant_is_set(g->provisional))
		return;
	if (!core->peers[g->move_to].up) {
		g->provisional = INSTANT_NEVER;
		g->move_to = CORE_NODE_NONE;
		answer(s, group, CORE_RESULT_OK);
	} else if (instant_reached(core->now, g->provisional)) {
		release(s, group, CORE_REASON_ROLLED_BACK);
		answer(s, group, CORE_RESULT_TIMEOUT);
	}
}

/*
 * R4: unfit, told to stop, or wanted out: move it, or keep what still works. For
 * silence alone it is never let go: who has let go is fit, and would claim again.
 */
static void watch_fitness(struct step *s, uint8_t group)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];
	uint16_t unfit = g->unfit & ~(CORE_UNFIT_SYNC | CORE_UNFIT_STARTING | g->condoned);
	bool alone = !core->config.groups[group].keep_alone && unfit != CORE_UNFIT_SILENT;

	if (!unfit || core->restarting || instant_is_set(g->provisional) ||
	    (!instant_reached(core->now, g->retry) && !core->stopping))
		return;
	if (core->stopping && instant_reached(core->now, core->stop_due))
		release(s, group, CORE_REASON_STOP);
	else if (!g->units)
		(void)let_go(s, group, core->stopping ? CORE_REASON_STOP : CORE_REASON_UNFIT,
			     core->stopping || alone); /* or it stays */
}

static void run_schedule(struct step *s, uint8_t group)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];

	if (!instant_is_set(g->announce_due) || !instant_reached(core->now, g->announce_due))
		return;
	emit(s, CORE_DO_ANNOUNCE, group);
	if (g->announced < core->config.n_announce)
		g->announced++;
	schedule_announcement(s, group);
}

/* A stranger took addresses away: put them back at once, and count. */
void repair(struct step *s, uint8_t group)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];

	if (g->repairing || !g->lost || !instant_reached(core->now, g->repair_due))
		return;
	g->lost = false;
	g->announce_due = INSTANT_NEVER; /* begins anew when they are back */
	if (!instant_is_set(g->loss_window) ||
	    instant_since(core->now, g->loss_window) > CORE_LOSS_WINDOW_US) {
		g->loss_window = core->now;
		g->loss_counted = INSTANT_NEVER;
		g->losses = 0;
	}
	/* Addresses that go one after the other are put back in several rounds, and count once. */
	if (!instant_is_set(g->loss_counted) ||
	    instant_since(core->now, g->loss_counted) >= CORE_LOSS_BURST_US) {
		g->loss_counted = core->now;
		g->losses++;
	}
	if (g->losses >= CORE_LOSSES_MAX)
		set_unfit(s, group, CORE_UNFIT_DRIFT, true);
	g->repairing = true;
	prepare_again(s, group);
}

static void repaired(struct step *s, uint8_t group, int err)
{
	struct core_group *g = &s->core->groups[group];

	g->pending = 0;
	g->repairing = false;
	tell(s, group, err ? CORE_TELL_ACTION_FAILED : CORE_TELL_REPAIRED,
	     err ? CORE_RESULT_FAILED : CORE_RESULT_OK, err);
	if (err) {
		set_unfit(s, group, CORE_UNFIT_DRIFT, true);
		g->lost = true;
		g->repair_due = instant_add(s->core->now, CORE_RETRY_US);
	} else {
		announce(s, group);
	}
}

/*
 * Somebody else uses an address of ours: say once whose it is (RFC 5227, 2.4 b). A
 * peer that is on its way in or out, or primary as well, is a case for the election.
 */
static void meet_stranger(struct step *s, uint8_t group, const struct core_event *event)
{
	const struct core_group *g = &s->core->groups[group];
	const struct core_record *r = NULL;

	if (event->peer != CORE_NODE_NONE)
		r = peer_record(s->core, event->peer, group);
	if (r && (record_holds(r) || r->state == CORE_STATE_CLAIMING))
		return;
	tell(s, group, CORE_TELL_STRANGER, CORE_RESULT_OK, 0);
	s->out->v[s->out->n - 1].peer = event->peer;
	s->out->v[s->out->n - 1].tell.vip = event->stranger.vip;
	if (!g->lost && !g->repairing)
		emit(s, CORE_DO_DEFEND, group)->defend.vip = event->stranger.vip;
}

/* SetMaintenance, or an inhibitor, on the primary is a switchover first (section 5). */
static void set_maintenance(struct step *s, uint8_t group, const struct core_event *event)
{
	struct core_group *g = &s->core->groups[group];
	bool inhibits = event->type == CORE_EV_INHIBIT, *flag = &g->maintenance;
	enum core_reason reason = inhibits ? CORE_REASON_INHIBITED : CORE_REASON_MAINTENANCE;
	enum core_result result;

	if (is_busy(s->core, group)) {
		reply(s, group, event->request.request, CORE_RESULT_BUSY);
		return;
	}
	if (inhibits)
		flag = &g->inhibited;
	g->request = event->request.request;
	g->request_at = s->core->now;
	*flag = true; /* as it is to be stored */
	result = let_go(s, group, reason, event->request.force);
	if (result == CORE_RESULT_OK) {
		keep_out(s, group, event->type, true);
		return;
	}
	*flag = false;
	answer(s, group, CORE_RESULT_NOT_FIT);
}

/* The end of it: a primary is not kept out, unless it is about to let go for it. */
static void end_maintenance(struct step *s, uint8_t group, const struct core_event *event)
{
	bool busy = event->type == CORE_EV_MAINTENANCE && s->core->groups[group].maintenance;

	if (event->type == CORE_EV_INHIBIT)
		keep_out(s, group, event->type, false); /* whoever wanted it has gone */
	if (event->request.request)
		reply(s, group, event->request.request, busy ? CORE_RESULT_BUSY : CORE_RESULT_OK);
}

void primary_step(struct step *s, uint8_t group, const struct core_event *event)
{
	struct core_group *g = &s->core->groups[group];

	switch (event->type) {
	case CORE_EV_BEAT:
		hear_peer(s, group, event->peer);
		break;
	case CORE_EV_SWITCHOVER:
		asked_here(s, group, event);
		break;
	case CORE_EV_MAINTENANCE:
	case CORE_EV_INHIBIT:
		if (event->request.on)
			set_maintenance(s, group, event);
		else
			end_maintenance(s, group, event);
		break;
	case CORE_EV_ANNOUNCE:
		announce(s, group);
		break;
	case CORE_EV_LOST:
		g->lost = true;
		break;
	case CORE_EV_DONE:
		if (event->done.id == g->pending)
			repaired(s, group, event->done.err);
		else if (event->done.id == g->units)
			let_go_on(s, group, event->done.err);
		break;
	case CORE_EV_DISOWNED:
		release(s, group, CORE_REASON_DISOWNED);
		break;
	case CORE_EV_STRANGER:
		meet_stranger(s, group, event);
		break;
	case CORE_EV_TIME:
	case CORE_EV_START:
	case CORE_EV_UNREACHABLE:
	case CORE_EV_FITNESS:
	case CORE_EV_REFERENCES:
	case CORE_EV_STOP:
	case CORE_EV_SENT:
	case CORE_EV_FLUSHED:
	case CORE_EV_LAPSED:
	case CORE_EV_TRAFFIC:
	case _CORE_EV_MAX:
		break;
	}
	if (g->state == CORE_STATE_PRIMARY)
		watch_provisional(s, group);
	if (g->state == CORE_STATE_PRIMARY)
		leave_watch(s, group);
	if (g->state == CORE_STATE_PRIMARY)
		watch_fitness(s, group);
	if (g->state == CORE_STATE_PRIMARY) {
		repair(s, group);
		run_schedule(s, group);
	}
}

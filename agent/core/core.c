/* SPDX-License-Identifier: MIT */

/* One step of the core: take in what happened, let the groups decide, say so to the peers. */

#include "agent/core/internal.h"

/**
 * core_init() - A core that has not lived yet
 * @core: groups and peers that the configuration does not have are left as they are
 * @config: copied
 */
void core_init(struct core *core, const struct core_config *config)
{
	assert(config->n_nodes >= 1 && config->n_nodes <= CORE_NODES_MAX);
	assert(config->n_groups <= CORE_GROUPS_MAX && config->self < config->n_nodes);

	memset(core, 0, offsetof(struct core, groups) + config->n_groups * sizeof(core->groups[0]));
	memset(core->peers, 0, config->n_nodes * sizeof(core->peers[0]));
	core->config = *config;
	core->lease_us = config->lease_us;
	for (uint8_t g = 0; g < config->n_groups; g++)
		core->groups[g].move_to = core->groups[g].holder = CORE_NODE_NONE;
}

/* R6: adoption comes before listening. */
static void start(struct step *s, const struct core_event *event)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[event->group];

	if (!instant_is_set(core->started)) {
		core->started = core->awake = event->now;
		peers_missed(core, 0);
		core->booted = event->start.boot;
		core->salt = event->start.salt;
	}
	g->term = g->term_max = event->start.term;
	g->maintenance = event->start.maintenance;
	g->since = event->now;
	g->reason = CORE_REASON_START;
	g->unfit = CORE_UNFIT_STARTING;
	if (g->maintenance)
		g->unfit |= CORE_UNFIT_MAINTENANCE;
	if (event->start.adopted) {
		g->serving = true;
		core->lease_until = instant_add(event->now, event->start.lease_left_us);
		if (core->lease_us < event->start.lease_left_us)
			core->lease_us = event->start.lease_left_us;
		enter(s, event->group, CORE_STATE_PRIMARY, CORE_STEP_NONE, CORE_REASON_ADOPTED);
		traffic_begin(core, event->group, NULL);
	} else {
		rest(s, event->group, CORE_REASON_START);
	}
}

/* Who hears the holder has heard what it was listening for. */
static void listen(struct step *s)
{
	struct core *core = s->core;

	for (uint8_t g = 0; g < core->config.n_groups; g++)
		if (core->groups[g].unfit & CORE_UNFIT_STARTING &&
		    (!listening(core) || rule_holder(core, g) != CORE_NODE_NONE))
			set_unfit(s, g, CORE_UNFIT_STARTING, false);
}

static void set_all_unfit(struct step *s, uint16_t bits, bool on)
{
	for (uint8_t g = 0; g < s->core->config.n_groups; g++)
		set_unfit(s, g, bits, on);
}

static void note_unreachable(struct step *s, uint8_t peer)
{
	struct core_peer *p = &s->core->peers[peer];
	struct core_action *a;

	if (p->no_agent)
		return;
	p->no_agent = true;
	a = emit(s, CORE_DO_TELL, 0);
	a->peer = peer;
	a->tell.what = CORE_TELL_PEER_NO_AGENT;
}

/* A heartbeat that left on no path did not renew the lease either. */
static void note_unsent(struct core *core, uint64_t seq)
{
	if (core->sent[seq % CORE_SENT_MAX].seq == seq)
		core->lease_until = core->sent[seq % CORE_SENT_MAX].lease_before;
}

static void note_references(struct core *core, bool silent)
{
	if (!core->references_known || core->references_silent != silent)
		core->references_since = core->now;
	core->references_known = true;
	core->references_silent = silent;
}

/* How long an orderly stop may take: a handover of the group that has most to do for it. */
static uint64_t stop_us(const struct core *core)
{
	unsigned most = 0;

	for (uint8_t g = 0; g < core->config.n_groups; g++) {
		const struct core_group_config *c = &core->config.groups[g];
		unsigned n = (unsigned)c->before_release + c->before_claim;

		most = n > most ? n : most;
	}
	return (1 + (uint64_t)most) * core->config.step_us;
}

static void note_stop(struct step *s, bool restart)
{
	struct core *core = s->core;

	if (core->stopping)
		return;
	core->stopping = true;
	core->restarting = restart;
	core->stop_due = instant_add(core->now,
				     restart ? 2 * (uint64_t)core->config.dead_us : stop_us(core));
	if (restart) /* R11: the peer hears our lease, and waits that long; one of now may precede
			it */
		core->lease_us = core->config.restart_hold_us + core->config.lease_us;
	set_all_unfit(s, CORE_UNFIT_STOPPING, true);
}

/* Serving has ended without our doing: what does it mean for the group? */
static void lapse_group(struct step *s, uint8_t group, instant end)
{
	struct core_group *g = &s->core->groups[group];

	g->serving = false;
	switch (g->state) {
	case CORE_STATE_PRIMARY:
		tell(s, group, CORE_TELL_LAPSED, CORE_RESULT_OK, 0);
		probe_lapsed(s->core, group, end);
		wait_for_leave(s, group, CORE_REASON_LAPSED);
		break;
	case CORE_STATE_CLAIMING:
		abandon(s, group, CORE_REASON_LAPSED);
		break;
	case CORE_STATE_YIELDING:
		release(s, group, CORE_REASON_LAPSED);
		break;
	case CORE_STATE_BACKUP:
	case CORE_STATE_FAULT:
	case CORE_STATE_MAINTENANCE:
	case _CORE_STATE_MAX:
		break;
	}
}

/*
 * R9: a lease that has ended stays ended. Whatever is left in the switches goes
 * before anything else is thought about.
 */
void lapse(struct step *s)
{
	struct core *core = s->core;
	instant end = core->lease_until;

	core->lease_until = INSTANT_NEVER;
	core->pending_node = order(s, CORE_DO_SHUT, 0)->id;
	for (uint8_t g = 0; g < core->config.n_groups; g++)
		if (core->groups[g].serving)
			lapse_group(s, g, end);
}

/* A stranger has removed the gate, or it was not there when it was needed. */
void rebuild(struct step *s)
{
	s->core->rebuild_due = INSTANT_NEVER;
	s->core->rebuilding = order(s, CORE_DO_REBUILD, 0)->id;
}

/* Orders that concern more than the group that waits for them. */
static void note_done(struct step *s, const struct core_event *event)
{
	struct core *core = s->core;

	if (core->groups[event->group].probe && event->done.id == core->groups[event->group].probe)
		probe_end(s, event->group, event->done.err);
	if (!event->done.err)
		return;
	if (event->done.id == core->rebuilding) {
		core->rebuild_due = instant_add(core->now, CORE_RETRY_US);
		tell(s, 0, CORE_TELL_ACTION_FAILED, CORE_RESULT_FAILED, event->done.err);
	}
	if (event->done.id == core->pending_node)
		tell(s, 0, CORE_TELL_ACTION_FAILED, CORE_RESULT_FAILED, event->done.err);
	if (event->done.id == core->creating) {
		/* There is no lease, and whoever relied on it serves nobody. */
		core->groups[event->group].serving = false;
		lapse(s);
	}
}

/* What concerns the node as a whole. */
static void note(struct step *s, const struct core_event *event)
{
	struct core *core = s->core;

	switch (event->type) {
	case CORE_EV_START:
		start(s, event);
		break;
	case CORE_EV_BEAT:
		peer_heard(s, event->peer, event->beat);
		set_all_unfit(s, CORE_UNFIT_DISOWNED, false);
		break;
	case CORE_EV_UNREACHABLE:
		note_unreachable(s, event->peer);
		break;
	case CORE_EV_FITNESS:
		set_unfit(s, event->group, event->fitness.reason, event->fitness.unfit);
		break;
	case CORE_EV_REFERENCES:
		note_references(core, event->references_silent);
		break;
	case CORE_EV_STOP:
		note_stop(s, event->restart);
		break;
	case CORE_EV_SENT:
		note_unsent(core, event->sent_seq);
		break;
	case CORE_EV_FLUSHED:
		rebuild(s);
		break;
	case CORE_EV_DISOWNED:
		core->disowned_at = core->now;
		tell(s, 0, CORE_TELL_DISOWNED, CORE_RESULT_OK, 0);
		s->out->v[s->out->n - 1].peer = event->peer;
		set_all_unfit(s, CORE_UNFIT_DISOWNED, true);
		break;
	case CORE_EV_DONE:
		note_done(s, event);
		break;
	case CORE_EV_TRAFFIC:
		traffic_seen(core, event->group);
		break;
	case CORE_EV_TIME:
	case CORE_EV_SWITCHOVER:
	case CORE_EV_MAINTENANCE:
	case CORE_EV_ANNOUNCE:
	case CORE_EV_LOST:
	case CORE_EV_LAPSED:
	case CORE_EV_STRANGER:
	case CORE_EV_INHIBIT:
	case _CORE_EV_MAX:
		break;
	}
}

/* The answer that a group waits for may wait for us, in the sockets: if the peer lives still. */
static void grant_time(struct core *core, uint8_t group)
{
	struct core_group *g = &core->groups[group];
	bool waits = g->step == CORE_STEP_YIELD_OFFER || g->step == CORE_STEP_YIELD_WITHDRAWN ||
		     g->step == CORE_STEP_YIELD_RELEASED;
	instant known;

	if (g->move_to == CORE_NODE_NONE)
		return;
	known = instant_add(core->now, peer_claim_wait_us(core, g->move_to));
	if (waits && g->due.us < known.us)
		g->due = known;
	if (instant_is_set(g->provisional) && g->provisional.us < known.us)
		g->provisional = known;
}

/*
 * Whatever was decided before a freeze as long as the lease is void. Nothing was yet
 * where leave is still waited for, or what comes before a claim: then that begins anew.
 */
static void void_claim(struct step *s, uint8_t group)
{
	const struct core_group *g = &s->core->groups[group];
	bool waits = g->step == CORE_STEP_CLAIM_WAIT || g->step == CORE_STEP_CLAIM_PROBE ||
		     g->step == CORE_STEP_CLAIM_UNITS;

	if (waits && g->move_to == CORE_NODE_NONE)
		wait_for_leave(s, group, g->reason);
	else
		abandon(s, group, CORE_REASON_LAPSED);
}

/*
 * We were frozen. What we knew of the others is old, and they did not hear us:
 * listen again, as after a start.
 */
static void thaw(struct step *s, uint64_t gap_us)
{
	struct core *core = s->core;

	if (gap_us <= 2 * (uint64_t)core->config.interval_us)
		return;
	core->awake = core->now;
	traffic_thaw(core, gap_us);
	if (gap_us >= core->config.dead_us)
		peers_missed(core, gap_us);
	for (uint8_t g = 0; g < core->config.n_groups; g++)
		grant_time(core, g);
	if (gap_us < core->config.lease_us)
		return;
	for (uint8_t g = 0; g < core->config.n_groups; g++)
		if (core->groups[g].state == CORE_STATE_CLAIMING)
			void_claim(s, g);
}

static void dispatch(struct step *s, uint8_t group, const struct core_event *event)
{
	switch (s->core->groups[group].state) {
	case CORE_STATE_BACKUP:
		backup_step(s, group, event);
		break;
	case CORE_STATE_CLAIMING:
		claiming_step(s, group, event);
		break;
	case CORE_STATE_PRIMARY:
		primary_step(s, group, event);
		break;
	case CORE_STATE_YIELDING:
		yielding_step(s, group, event);
		break;
	case CORE_STATE_FAULT:
		fault_step(s, group, event);
		break;
	case CORE_STATE_MAINTENANCE:
		maintenance_step(s, group, event);
		break;
	case _CORE_STATE_MAX:
		break;
	}
}

static bool concerns_one_group(enum core_event_type type)
{
	return type == CORE_EV_START || type == CORE_EV_FITNESS || type == CORE_EV_SWITCHOVER ||
	       type == CORE_EV_MAINTENANCE || type == CORE_EV_INHIBIT || type == CORE_EV_ANNOUNCE ||
	       type == CORE_EV_DONE || type == CORE_EV_LOST || type == CORE_EV_TRAFFIC ||
	       type == CORE_EV_STRANGER;
}

/* What time alone changes in a group's fitness. */
static void refresh_fitness(struct step *s, uint8_t group, bool isolated)
{
	struct core_group *g = &s->core->groups[group];

	set_unfit(s, group, CORE_UNFIT_ISOLATED, isolated);
	if (!g->lost && !g->repairing &&
	    instant_since(s->core->now, g->loss_window) > CORE_LOSS_WINDOW_US)
		set_unfit(s, group, CORE_UNFIT_DRIFT, false);
	traffic_watch(s, group);
	if (g->probe || g->unfit & CORE_UNFIT_OCCUPIED)
		probe_refresh(s, group);
}

/* Reasons that pass with time alone. */
static void forget(struct step *s)
{
	struct core *core = s->core;

	if (instant_is_set(core->disowned_at) &&
	    instant_since(core->now, core->disowned_at) >= core->config.dead_us) {
		core->disowned_at = INSTANT_NEVER;
		set_all_unfit(s, CORE_UNFIT_DISOWNED, false);
	}
	if (instant_is_set(core->rebuild_due) && instant_reached(core->now, core->rebuild_due))
		rebuild(s);
}

/* Nothing is on its way in or out: a restart would strand it half-way. */
static bool is_at_rest(const struct core *core)
{
	for (uint8_t g = 0; g < core->config.n_groups; g++)
		if (core->groups[g].state == CORE_STATE_YIELDING ||
		    core->groups[g].state == CORE_STATE_CLAIMING)
			return false;
	return true;
}

/* With the last group closed there is no lease any more: the next claim creates one. */
static void drop_idle_lease(struct core *core)
{
	for (uint8_t g = 0; g < core->config.n_groups; g++)
		if (core->groups[g].serving)
			return;
	core->lease_until = INSTANT_NEVER;
}

/* Everybody who is there has heard that we will be back (R11). */
static bool hold_is_known(const struct core *core)
{
	if (!core->hold_seq)
		return false;
	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (core->peers[p].up && core->peers[p].echoed_seq < core->hold_seq)
			return false;
	return true;
}

static void exit_now(struct step *s)
{
	for (uint8_t g = 0; g < s->core->config.n_groups; g++)
		answer(s, g, CORE_RESULT_OUTCOME_UNKNOWN);
	s->core->exited = true;
	emit(s, CORE_DO_EXIT, 0);
}

/* R11 and the orderly stop: are we ready to go? */
static void leave(struct step *s, const struct core_event *event)
{
	struct core *core = s->core;

	if (!core->stopping)
		return;
	if (!holds_anything(core)) {
		exit_now(s);
	} else if (core->lease_frozen) {
		if (event->type == CORE_EV_DONE && event->done.id == core->pending_node)
			exit_now(s);
	} else if (is_at_rest(core) && hold_is_known(core)) {
		struct core_action *a = order(s, CORE_DO_LEASE, 0);

		a->lease_us = core->config.restart_hold_us;
		core->lease_until = instant_add(core->now, a->lease_us);
		core->lease_frozen = true;
		core->pending_node = a->id;
	} else if (core->restarting && instant_reached(core->now, core->stop_due)) {
		exit_now(s);
	}
}

/**
 * core_step() - Take one event, decide, and say what is to be done
 * @core: the value that is the decision; only this function changes it
 * @event: borrowed; event->now must not go backwards (CLOCK_BOOTTIME)
 * @ret: overwritten; in the order in which it is to be done
 *
 * Before anything else comes what time alone has done: a freeze of our own, a
 * lease that has run out, a peer that has fallen silent.
 */
void core_step(struct core *core, const struct core_event *event, struct core_actions *ret)
{
	struct step s = { .core = core, .out = ret };
	uint64_t gap_us = instant_since(event->now, core->now);
	bool for_all = !concerns_one_group(event->type), isolated;

	ret->n = 0;
	if (core->exited)
		return;
	core->looked = core->now;
	core->now = event->now;
	thaw(&s, gap_us);
	note(&s, event);
	peers_update(&s);
	forget(&s);
	listen(&s);
	if (event->type == CORE_EV_LAPSED ||
	    (instant_is_set(core->lease_until) && instant_reached(core->now, core->lease_until)))
		lapse(&s);
	isolated = rule_isolated(core);
	for (uint8_t g = 0; g < core->config.n_groups; g++) {
		refresh_fitness(&s, g, isolated);
		if (for_all || event->group == g)
			dispatch(&s, g, event);
	}
	for (uint8_t g = 0; g < core->config.n_groups; g++)
		probe_ahead(&s, g);
	drop_idle_lease(core);
	leave(&s, event);
	send_beats(&s);
}

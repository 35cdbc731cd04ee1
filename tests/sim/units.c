/* SPDX-License-Identifier: MIT */

/*
 * Law 9: what comes before a release or a claim. takeover(7), "What comes before a
 * release or a claim": it is done first, it never holds up what cannot wait, and a
 * move that was asked for does not go on without it.
 */

#include "tests/sim/sim.h"

enum { UNITS_EIO = 5 };

/* What a switchover is wanted like: bits of a fault's .arg, with a time in ms above them. */
enum {
	WISH_EVERYWHERE = 1 << 0,
	WISH_STRICT = 1 << 1,
	WISH_FORCE = 1 << 2,
	WISH_TO = 1 << 3, /* .peer */
	WISH_WITHIN_SHIFT = 8,
};

/**
 * units_options() - How a switchover of a history is wanted
 */
struct core_options units_options(const struct sim_fault *f)
{
	return (struct core_options){
		.strict = f->arg & WISH_STRICT,
		.force = f->arg & WISH_FORCE,
		.to = f->arg & WISH_TO ? (uint8_t)(f->peer + 1) : 0,
		.within_us = MS(f->arg >> WISH_WITHIN_SHIFT),
	};
}

static uint32_t some_wish(uint64_t *dice, uint32_t arg)
{
	arg |= chance(dice, 20) ? WISH_STRICT : 0;
	arg |= chance(dice, 25) ? WISH_FORCE : 0;
	arg |= chance(dice, 25) ? WISH_TO : 0;
	if (chance(dice, 25))
		arg |= (uint32_t)between(dice, 1, chance(dice, 50) ? 30 : 3000)
		       << WISH_WITHIN_SHIFT;
	return arg;
}

static struct sim_fault some_fault(uint64_t *dice, const struct sim_history *h, uint8_t what)
{
	struct sim_fault f = {
		.what = what,
		.at = SIM_FAULTS_FROM + between(dice, 0, MS(8000)),
		.lasts = between(dice, MS(1), MS(4000)),
		.node = (uint8_t)between(dice, 0, h->n_nodes - 1u),
		.group = (uint8_t)between(dice, 0, h->n_groups - 1u),
	};

	f.peer = (uint8_t)((f.node + between(dice, 1, h->n_nodes - 1u)) % h->n_nodes);
	if (h->n_faults && chance(dice, 60)) /* it makes a bad moment worse */
		f.at = h->faults[between(dice, 0, h->n_faults - 1)].at + between(dice, 0, MS(60)) -
		       MS(30);
	if (what == SIM_UNITS)
		f.arg = (uint32_t)between(dice, SIM_UNITS_FAIL, SIM_UNITS_HANG);
	if (what == SIM_SWITCH)
		f.arg = some_wish(dice, chance(dice, 30));
	if (what == SIM_SWITCH)
		f.lasts = 0;
	return f;
}

/**
 * units_deal() - In some histories there are units, and callers with wishes
 *
 * With dice of their own: the other histories stay as they are.
 */
void units_deal(struct sim_history *h)
{
	static const uint8_t kinds[] = { SIM_UNITS, SIM_UNITS, SIM_SWITCH, SIM_INHIBIT };
	uint64_t dice = h->seed ^ UINT64_C(0x2545f4914f6cdd1d);
	size_t n = between(&dice, 1, 6);

	if (!chance(&dice, 35) || h->config.groups[0].traffic_us)
		return; /* silence has books of its own */
	for (unsigned g = 0; g < h->n_groups; g++) {
		h->config.groups[g].before_release = (uint8_t)between(&dice, 0, 2);
		h->config.groups[g].before_claim = (uint8_t)between(&dice, 0, 2);
	}
	for (size_t i = 0; i < h->n_faults; i++)
		if (h->faults[i].what == SIM_SWITCH)
			h->faults[i].arg = some_wish(&dice, h->faults[i].arg);
	while (!h->promised && n-- && h->n_faults < SIM_FAULTS_MAX) {
		uint8_t what = kinds[between(&dice, 0, ARRAY_SIZE(kinds) - 1)];
		struct sim_fault f = some_fault(&dice, h, what);

		h->faults[h->n_faults++] = f;
	}
}

/* The longest that the units of a move may take, of all groups. */
uint64_t units_longest(const struct sim_history *h)
{
	uint64_t most = 0;

	for (unsigned g = 0; g < h->n_groups; g++) {
		const struct core_group_config *c = &h->config.groups[g];
		uint64_t n = (uint64_t)c->before_release + c->before_claim;

		most = n > most ? n : most;
	}
	return most * h->config.step_us;
}

/**
 * units_begin() - systemd is asked to start and stop them
 */
void units_begin(struct world *w, uint8_t node, const struct core_action *a)
{
	const struct node *n = &w->nodes[node];
	const struct core_group_config *c = &n->core.config.groups[a->group];
	uint64_t all = (uint64_t)n->core.config.step_us *
		       (a->units == CORE_UNITS_BEFORE_CLAIM ? c->before_claim : c->before_release);
	uint64_t takes = between(&w->state, 100, MS(30));
	struct item *done;

	if (n->units_fault == SIM_UNITS_SLOW)
		takes = between(&w->state, MS(1), all + all / 4);
	else if (n->units_fault == SIM_UNITS_HANG)
		takes = all + MS(100); /* the agent gives up as well, and too late */
	done = world_push(w, w->now + takes, SIM_DONE, node);
	done->action = *a;
	done->err = n->units_fault == SIM_UNITS_FAIL || n->units_fault == SIM_UNITS_HANG
			    ? -UNITS_EIO
			    : 0;
}

/* How what was under way has ended in this step: 0 or an error; the time-out is one as well. */
static int outcome(const struct core_event *event, const struct before *before, unsigned group)
{
	if (event->type == CORE_EV_DONE && event->done.id == before->units[group])
		return event->done.err;
	return -UNITS_EIO;
}

static bool is_planned(enum core_reason reason)
{
	return reason == CORE_REASON_SWITCHOVER || reason == CORE_REASON_MAINTENANCE ||
	       reason == CORE_REASON_INHIBITED || reason == CORE_REASON_UNFIT ||
	       reason == CORE_REASON_STOP;
}

/* It had lost the group already, in the same step. */
static bool has_lapsed(const struct core_actions *actions, unsigned group)
{
	for (size_t i = 0; i < actions->n; i++)
		if (actions->v[i].type == CORE_DO_TELL && actions->v[i].group == group &&
		    actions->v[i].tell.what == CORE_TELL_LAPSED)
			return true;
	return false;
}

/* A primary lets go: in good order it has done before what comes before. */
static void check_release(struct world *w, const struct core *core, unsigned group,
			  const struct core_event *event, const struct core_actions *actions,
			  const struct before *before)
{
	const struct core_group *g = &core->groups[group];
	bool ended = before->units[group] != 0;

	if (has_lapsed(actions, group))
		return;
	if (before->state[group] != CORE_STATE_PRIMARY || g->state != CORE_STATE_YIELDING ||
	    !core->config.groups[group].before_release || !is_planned(g->reason))
		return;
	if (core->stopping) {
		if (!ended && !g->through && !instant_reached(core->now, core->stop_due))
			law_broken(w, "stopped without what comes before a release", group);
		return;
	}
	if (!ended)
		law_broken(w, "let go without what comes before a release", group);
	else if (outcome(event, before, group) && g->reason == CORE_REASON_SWITCHOVER &&
		 !(g->unfit & ~CORE_UNFIT_SYNC))
		law_broken(w, "a switchover went on although a unit had failed", group);
}

/* A node claims: it has done before what comes before, and in a handover without a failure. */
static void check_claim(struct world *w, struct node *n, unsigned group,
			const struct core_event *event, const struct core_actions *actions,
			const struct before *before)
{
	const struct core_group *g = &n->core.groups[group];

	if (before->step[group] == CORE_STEP_CLAIM_UNITS && before->units[group] != g->units)
		n->units_done[group] =
			outcome(event, before, group) ? SIM_UNITS_FAIL : SIM_UNITS_WELL;
	if (g->state != CORE_STATE_CLAIMING)
		n->units_done[group] = SIM_UNITS_NEVER;
	for (size_t i = 0; i < actions->n; i++) {
		const struct core_action *a = &actions->v[i];

		if (a->type != CORE_DO_PREPARE || !a->ticket || a->group != group ||
		    !n->core.config.groups[group].before_claim)
			continue;
		if (n->units_done[group] == SIM_UNITS_NEVER)
			law_broken(w, "claimed without what comes before a claim", group);
		if (n->units_done[group] == SIM_UNITS_FAIL && g->move_to != CORE_NODE_NONE)
			law_broken(w, "took over although a unit had failed", group);
	}
}

/* Only who lets go in good order, or claims, has units started; one order at a time. */
static void check_orders(struct world *w, const struct core *core,
			 const struct core_actions *actions)
{
	for (size_t i = 0; i < actions->n; i++) {
		const struct core_action *a = &actions->v[i];
		const struct core_group *g = &core->groups[a->group];
		bool releases = a->units == CORE_UNITS_BEFORE_RELEASE;

		if (a->type == CORE_DO_UNITS &&
		    (a->id != g->units ||
		     g->step != (releases ? CORE_STEP_PRIMARY_UNITS : CORE_STEP_CLAIM_UNITS)))
			law_broken(w, "units for nothing", a->group);
	}
}

/* What does not wait: heartbeats, and who has the better right to the group. */
static void check_delays(struct world *w, const struct node *n, unsigned group,
			 const struct core_event *event, const struct before *before)
{
	const struct core *core = &n->core;
	const struct core_group *g = &core->groups[group];
	uint64_t interval = core->config.interval_us;
	const struct core_record *r;

	if (!g->units || core->exited)
		return;
	if (instant_since(core->now, core->sent[core->seq % CORE_SENT_MAX].at) > 2 * interval)
		law_broken(w, "units hold up the heartbeats", group);
	if (event->type != CORE_EV_BEAT || before->step[group] != CORE_STEP_PRIMARY_UNITS)
		return;
	r = &event->beat->groups[group];
	if (r->present && r->state == CORE_STATE_PRIMARY && r->term > g->term && !w->h->references)
		law_broken(w, "units hold up a release", group);
}

/**
 * law_units() - What is true of units, after each step
 */
void law_units(struct world *w, uint8_t node, const struct core_event *event,
	       const struct core_actions *actions, const struct before *before)
{
	struct node *n = &w->nodes[node];

	check_orders(w, &n->core, actions);
	for (unsigned g = 0; g < n->core.config.n_groups; g++) {
		check_release(w, &n->core, g, event, actions, before);
		check_claim(w, n, g, event, actions, before);
		check_delays(w, n, g, event, before);
	}
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/explain/ahead.h"
#include "agent/cleanup.h"

/* Steps of all groups together: some milliseconds, for which the heartbeats have to wait. */
enum { AHEAD_WORK_MAX = 16 * 1024 };

struct life {
	struct core core;
	struct core_actions actions; /* nobody carries them out */
	struct core_beat beat;
};

static void step(struct life *life, struct core_event *event, instant now)
{
	event->now = now;
	core_step(&life->core, event, &life->actions);
}

/* Who is heard says again what it said last, and answers if it does so now. */
static void repeat(struct life *life, const struct core *core)
{
	const size_t len = offsetof(struct core_beat, groups[core->config.n_groups]);

	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		struct core_event event = { .type = CORE_EV_BEAT, .peer = p, .beat = &life->beat };

		if (p == core->config.self || !core->peers[p].up ||
		    core_consent(core, p) == CORE_CONSENT_SILENCE)
			continue;
		memcpy(&life->beat, &core->peers[p].beat, len);
		life->beat.seq = life->core.peers[p].heard_seq + 1;
		life->beat.reply = core_consent(core, p) == CORE_CONSENT_ECHO;
		life->beat.echo_seq = life->beat.reply ? life->core.seq : 0;
		step(life, &event, life->core.now);
	}
}

/* When the network has had its time to answer a probe; never: none is under way. */
static instant answered_at(const struct life *life, uint8_t group)
{
	const struct core_group *g = &life->core.groups[group];

	if (!g->probe)
		return INSTANT_NEVER;
	return (instant){ g->probe_due.us - life->core.config.step_us };
}

/* The next that comes, whoever is heard: a deadline, or the network answers what it did last. */
static void step_on(struct life *life, uint8_t group)
{
	const struct core_group *g = &life->core.groups[group];
	struct core_event event = { .type = CORE_EV_TIME, .group = group, .peer = CORE_NODE_NONE };
	instant due = core_deadline(&life->core), answered = answered_at(life, group);

	if (instant_is_set(answered) && instant_reached(due, answered)) {
		event.type = CORE_EV_DONE;
		event.done.id = g->probe;
		event.done.err = g->unfit & CORE_UNFIT_OCCUPIED ? -EADDRINUSE : 0;
		due = answered;
	}
	step(life, &event, due.us > life->core.now.us ? due : life->core.now);
}

/* After so long there is no timer of the core any more that runs still. */
static uint64_t horizon_us(const struct core_config *config, uint8_t group)
{
	return (uint64_t)config->start_wait_us + 2 * (uint64_t)config->restart_hold_us +
	       config->groups[group].last_resort_us + 2 * (uint64_t)config->step_us +
	       8 * (uint64_t)config->dead_us + 15 * USEC_PER_SEC;
}

static void note_fit(const struct core_group *before, const struct core_group *g, instant now,
		     struct ahead *ret)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ret->fit_at); i++)
		if ((before->unfit & ~g->unfit) >> i & 1 && !instant_is_set(ret->fit_at[i]))
			ret->fit_at[i] = now;
}

/* Has it come to a change? */
static bool compare(const struct life *life, const struct core_group *before,
		    const struct core_group *g, struct ahead *ret)
{
	note_fit(before, g, life->core.now, ret);
	ret->at = life->core.now;
	ret->state = g->state;
	ret->step = g->step;
	ret->reason = g->reason;
	ret->move = g->move;
	ret->move_to = g->move_to;
	ret->exits = life->core.exited;
	ret->any = ret->exits || g->state != before->state || g->step != before->step ||
		   (g->move == CORE_MOVE_ASK) != (before->move == CORE_MOVE_ASK);
	return ret->any;
}

static void live_on(struct life *life, const struct core *core, uint8_t group, bool heard,
		    struct ahead *ret)
{
	instant end = instant_add(core->now, horizon_us(&core->config, group));
	unsigned work = 0;

	while (work < AHEAD_WORK_MAX && life->core.now.us < end.us) {
		step_on(life, group);
		if (heard)
			repeat(life, core);
		if (compare(life, &core->groups[group], &life->core.groups[group], ret))
			return;
		work += core->config.n_groups;
	}
	ret->complete = life->core.now.us >= end.us;
}

/**
 * ahead_look() - What comes next for a group?
 * @core: left as it is
 * @group: its number
 * @what: what is supposed to happen
 * @ret: the change, or that there is none
 *
 * Return: 0; -ENOMEM.
 */
int ahead_look(const struct core *core, uint8_t group, enum ahead_if what, struct ahead *ret)
{
	_cleanup_(freep) struct life *life = malloc(sizeof(*life));
	struct core_event unfit = { .type = CORE_EV_FITNESS, .group = group };

	if (!life)
		return -ENOMEM;
	memcpy(&life->core, core, sizeof(*core));
	*ret = (struct ahead){ .complete = true, .move_to = CORE_NODE_NONE };
	if (what != AHEAD_UNFIT) {
		live_on(life, core, group, what == AHEAD_STEADY, ret);
		return 0;
	}
	/* what comes before takes its time, but changes nothing about whom it goes to */
	life->core.config.groups[group].before_release = 0;
	unfit.fitness.reason = CORE_UNFIT_LINK;
	unfit.fitness.unfit = true;
	step(life, &unfit, core->now);
	(void)compare(life, &core->groups[group], &life->core.groups[group], ret);
	return 0;
}

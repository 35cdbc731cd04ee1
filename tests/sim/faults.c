/* SPDX-License-Identifier: MIT */

/* How a fault begins, and how it ends. */

#include <inttypes.h>

#include "tests/sim/sim.h"

static void set_cut(struct world *w, uint8_t from, uint8_t to, uint32_t path, int by)
{
	for (unsigned p = 0; p < w->h->n_paths; p++)
		if (path == p || path >= w->h->n_paths)
			w->cut[from][to][p] = (uint8_t)(w->cut[from][to][p] + by);
}

static void split(struct world *w, uint8_t node, int by)
{
	for (uint8_t i = 0; i < w->h->n_nodes; i++) {
		if (i == node)
			continue;
		set_cut(w, node, i, SIM_PATHS_MAX, by);
		set_cut(w, i, node, SIM_PATHS_MAX, by);
	}
}

/* The process is told of something about its host, if it is there. */
static void notice(struct world *w, uint8_t node, const struct core_event *event)
{
	struct node *n = &w->nodes[node];

	if (n->alive && !n->core.exited && event->group < n->core.config.n_groups)
		world_push(w, w->now + between(&w->state, 20, 400), SIM_NOTICE, node)->event =
			*event;
}

static void notice_unfit(struct world *w, const struct sim_fault *f, uint8_t *count, int by,
			 uint16_t reason)
{
	struct core_event event = { .type = CORE_EV_FITNESS, .group = f->group };

	*count = (uint8_t)(*count + by);
	if (reason == CORE_UNFIT_LINK)
		service_link(w, f->node);
	event.fitness.reason = reason;
	event.fitness.unfit = *count > 0;
	notice(w, f->node, &event);
}

static void notice_references(struct world *w, const struct sim_fault *f, int by)
{
	for (uint8_t i = 0; i < w->h->n_nodes; i++) {
		struct core_event event = { .type = CORE_EV_REFERENCES };

		if (i != f->node && !f->arg)
			continue;
		w->nodes[i].references_deaf = (uint8_t)(w->nodes[i].references_deaf + by);
		event.references_silent = w->nodes[i].references_deaf > 0;
		notice(w, i, &event);
	}
}

static void mute(struct world *w, const struct sim_fault *f, int by)
{
	for (uint8_t i = 0; i < w->h->n_nodes; i++)
		if (i == f->node || f->arg)
			w->nodes[i].muted[f->group] = (uint8_t)(w->nodes[i].muted[f->group] + by);
}

static void ask(struct world *w, uint8_t node, const struct sim_fault *f, enum core_event_type type,
		bool on)
{
	struct node *n = &w->nodes[node];
	struct core_event event = { .type = type, .group = f->group };
	struct request *r = &n->requests[n->n_requests];

	if (!n->alive || n->core.exited || n->n_requests == SIM_REQUESTS_MAX ||
	    f->group >= n->core.config.n_groups)
		return;
	*r = (struct request){ .at = w->now,
			       .group = f->group,
			       .maintenance = type == CORE_EV_MAINTENANCE,
			       .inhibits = type == CORE_EV_INHIBIT,
			       .on = on };
	if (type == CORE_EV_SWITCHOVER)
		r->options = event.request.options = units_options(f);
	event.request.request = (uint32_t)++n->n_requests;
	event.request.on = on;
	notice(w, node, &event);
}

/* Whoever keeps a node out goes without a word; with the last one it may take part again. */
static void uninhibit(struct world *w, const struct sim_fault *f)
{
	struct core_event event = { .type = CORE_EV_INHIBIT, .group = f->group };

	if (--w->nodes[f->node].inhibitors[f->group] == 0)
		notice(w, f->node, &event);
}

static void freeze(struct world *w, const struct sim_fault *f)
{
	struct node *n = &w->nodes[f->node];

	if (n->alive && n->frozen_until < w->now + f->lasts)
		n->frozen_until = w->now + f->lasts;
}

static void thaw(struct world *w, const struct sim_fault *f)
{
	struct node *n = &w->nodes[f->node];

	if (n->frozen_until > w->now)
		return;
	n->frozen_until = 0;
	n->woke_at = w->now;
}

static void pause(struct world *w, const struct sim_fault *f)
{
	struct node *n = &w->nodes[f->node];
	uint64_t until = w->now + f->lasts;

	if (n->paused_until >= until)
		return;
	n->clock_was = node_clock(w, n);
	n->clock_at = n->paused_until = until;
	if (n->frozen_until)
		n->frozen_until += f->lasts;
}

static void resume(struct world *w, const struct sim_fault *f)
{
	struct node *n = &w->nodes[f->node];

	if (n->paused_until > w->now)
		return;
	n->paused_until = 0;
	n->woke_at = w->now;
	exposed_resumed(w, f->node);
}

static void crash(struct world *w, const struct sim_fault *f)
{
	struct node *n = &w->nodes[f->node];
	uint64_t back = f->lasts == SIM_FOREVER ? SIM_FOREVER : w->now + f->lasts;

	if (n->paused_until)
		return; /* who stands does not fall */
	if (n->alive)
		n->life++;
	else if (n->crash_ends > w->now && back < n->crash_ends)
		back = n->crash_ends; /* it is down already, for longer */
	n->alive = false;
	n->life++; /* a start that was under way is over as well */
	n->frozen_until = 0;
	n->crash_ends = back;
	for (size_t i = 0; i < n->n_requests; i++)
		n->requests[i].at = 0;
	kernel_lose(w, n, (enum sim_crash)f->arg);
	if (f->arg == SIM_CRASH_DISK)
		memset(w->failed, 0, sizeof(w->failed)); /* their terms may be chosen again */
	for (unsigned g = 0; g < w->h->n_groups && f->arg == SIM_CRASH_DISK; g++)
		if (w->top_node[g] == f->node)
			w->top_at[g] = SIM_FOREVER; /* it cannot tell anybody any more */
	if (back != SIM_FOREVER)
		world_push(w, back, SIM_BOOT, f->node);
}

static void stop(struct world *w, const struct sim_fault *f)
{
	struct core_event event = { .type = CORE_EV_STOP, .restart = f->arg };

	w->nodes[f->node].away_us = f->lasts;
	notice(w, f->node, &event);
}

static void steal(struct world *w, const struct sim_fault *f)
{
	struct core_event event = { .type = CORE_EV_LOST, .group = f->group };
	struct node *n = &w->nodes[f->node];

	if (!n->present[f->group])
		return;
	kernel_place(w, n, f->group, false);
	notice(w, f->node, &event);
}

static void flush(struct world *w, const struct sim_fault *f)
{
	struct core_event event = { .type = CORE_EV_FLUSHED };

	if (!w->nodes[f->node].alive)
		return; /* what an agent left behind answers again: the lifetimes' business */
	w->nodes[f->node].flushed = true;
	w->nodes[f->node].flushed_at = w->now;
	notice(w, f->node, &event);
}

static void cut_service(struct world *w, const struct sim_fault *f, int by)
{
	service_cut(w, f->node, f->peer, by);
	if (f->arg)
		service_cut(w, f->peer, f->node, by);
}

static void begin(struct world *w, const struct sim_fault *f)
{
	struct node *n = &w->nodes[f->node];

	switch ((enum sim_what)f->what) {
	case SIM_FREEZE:
		freeze(w, f);
		break;
	case SIM_PAUSE:
		pause(w, f);
		break;
	case SIM_CRASH:
		crash(w, f);
		break;
	case SIM_CUT:
		set_cut(w, f->node, f->peer, f->arg, 1);
		break;
	case SIM_SPLIT:
		split(w, f->node, 1);
		break;
	case SIM_LOSS:
		w->loss = f->arg;
		break;
	case SIM_DELAY:
		w->delay_us = f->arg;
		break;
	case SIM_SWITCH:
		for (uint8_t i = 0; i < w->h->n_nodes; i++)
			if (i == f->node || f->arg & 1)
				ask(w, i, f, CORE_EV_SWITCHOVER, false);
		break;
	case SIM_MAINT:
		ask(w, f->node, f, CORE_EV_MAINTENANCE, true);
		break;
	case SIM_INHIBIT:
		n->inhibitors[f->group]++;
		ask(w, f->node, f, CORE_EV_INHIBIT, true);
		break;
	case SIM_UNITS:
		n->units_fault = f->arg;
		break;
	case SIM_STOP:
		stop(w, f);
		break;
	case SIM_LINK:
		notice_unfit(w, f, &n->link_down[f->group], 1, CORE_UNFIT_LINK);
		break;
	case SIM_CHECK:
		notice_unfit(w, f, &n->check_fails[f->group], 1, CORE_UNFIT_CHECK);
		break;
	case SIM_STEAL:
		steal(w, f);
		break;
	case SIM_FLUSH:
		flush(w, f);
		break;
	case SIM_SLOW:
		n->slow_us = f->arg;
		break;
	case SIM_REFUSE:
		n->refuse = f->arg;
		break;
	case SIM_DEAFREF:
		notice_references(w, f, 1);
		break;
	case SIM_MUTE:
		mute(w, f, 1);
		break;
	case SIM_DRIP:
		w->drip[f->node][f->peer] = (uint16_t)f->arg;
		break;
	case SIM_TWICE:
		w->twice = f->arg;
		break;
	case SIM_VERSION:
		n->other_version++;
		break;
	case SIM_SERVICE:
		cut_service(w, f, 1);
		break;
	case SIM_STRANGER:
		service_stranger(w, f->group, 1);
		break;
	case _SIM_WHAT_MAX:
		break;
	}
}

static void end(struct world *w, const struct sim_fault *f)
{
	struct node *n = &w->nodes[f->node];

	switch ((enum sim_what)f->what) {
	case SIM_FREEZE:
		thaw(w, f);
		break;
	case SIM_PAUSE:
		resume(w, f);
		break;
	case SIM_CUT:
		set_cut(w, f->node, f->peer, f->arg, -1);
		break;
	case SIM_SPLIT:
		split(w, f->node, -1);
		break;
	case SIM_LOSS:
		w->loss = 0;
		break;
	case SIM_DELAY:
		w->delay_us = 0;
		break;
	case SIM_MAINT:
		ask(w, f->node, f, CORE_EV_MAINTENANCE, false);
		break;
	case SIM_INHIBIT:
		uninhibit(w, f);
		break;
	case SIM_UNITS:
		n->units_fault = SIM_UNITS_NEVER;
		break;
	case SIM_LINK:
		notice_unfit(w, f, &n->link_down[f->group], -1, CORE_UNFIT_LINK);
		break;
	case SIM_CHECK:
		notice_unfit(w, f, &n->check_fails[f->group], -1, CORE_UNFIT_CHECK);
		break;
	case SIM_SLOW:
		n->slow_us = 0;
		break;
	case SIM_REFUSE:
		n->refuse = 0;
		break;
	case SIM_DEAFREF:
		notice_references(w, f, -1);
		break;
	case SIM_MUTE:
		mute(w, f, -1);
		break;
	case SIM_DRIP:
		w->drip[f->node][f->peer] = 0;
		break;
	case SIM_TWICE:
		w->twice = 0;
		break;
	case SIM_VERSION:
		n->other_version--;
		break;
	case SIM_SERVICE:
		cut_service(w, f, -1);
		break;
	case SIM_STRANGER:
		service_stranger(w, f->group, -1);
		break;
	case SIM_CRASH:
	case SIM_SWITCH:
	case SIM_STOP:
	case SIM_STEAL:
	case SIM_FLUSH:
	case _SIM_WHAT_MAX:
		break;
	}
}

static void say(struct world *w, const char *word, const struct sim_fault *f)
{
	if (!w->trace)
		return;
	fprintf(w->trace, "%12.6f  %s ", (double)w->now / 1e6, word);
	fault_print(f, w->trace);
}

void fault_begin(struct world *w, uint16_t number)
{
	const struct sim_fault *f = &w->h->faults[number];

	say(w, "begins:", f);
	w->timers_moved = true;
	w->disturbed_at = w->now;
	begin(w, f);
	if (f->lasts && f->lasts != SIM_FOREVER)
		world_push(w, w->now + f->lasts, SIM_END, f->node)->fault = number;
}

void fault_end(struct world *w, uint16_t number)
{
	say(w, "ends:  ", &w->h->faults[number]);
	w->timers_moved = true;
	w->disturbed_at = w->now;
	end(w, &w->h->faults[number]);
}

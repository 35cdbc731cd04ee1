/* SPDX-License-Identifier: MIT */

/* When a history's faults are over, and by when the nodes have come to rest after them. */

#include "tests/sim/sim.h"

#define PLAN_WATCHED SEC(3)

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool has(const struct sim_history *h, uint64_t kinds)
{
	for (size_t i = 0; i < h->n_faults; i++)
		if (kinds >> h->faults[i].what & 1)
			return true;
	return false;
}

/* Is there one node that everything happens to, which the others see as fallen silent or unfit? */
static bool one_suffers(const struct sim_history *h)
{
	const uint64_t own = SIM_KIND(SIM_CRASH) | SIM_KIND(SIM_FREEZE) | SIM_KIND(SIM_PAUSE) |
			     SIM_KIND(SIM_LINK) | SIM_KIND(SIM_CHECK) | SIM_KIND(SIM_MAINT);

	for (size_t i = 0; i < h->n_faults; i++)
		if (h->faults[i].node != h->faults[0].node || !(own >> h->faults[i].what & 1))
			return false;
	return true;
}

/*
 * How long after the last fault everything has come to rest: "Until exactly one
 * holds again" of takeover(7), term by term.
 */
static uint64_t settles(struct sim_history *h)
{
	const uint64_t trouble = SIM_KIND(SIM_SLOW) | SIM_KIND(SIM_REFUSE);
	const uint64_t starts = SIM_KIND(SIM_CRASH) | SIM_KIND(SIM_STOP);
	const uint64_t stands = SIM_KIND(SIM_FREEZE) | SIM_KIND(SIM_PAUSE);
	const uint64_t moves = SIM_KIND(SIM_SWITCH) | SIM_KIND(SIM_MAINT) | SIM_KIND(SIM_STEAL) |
			       SIM_KIND(SIM_MUTE) | SIM_KIND(SIM_INHIBIT);
	const uint64_t unfit = SIM_KIND(SIM_LINK) | SIM_KIND(SIM_CHECK) | SIM_KIND(SIM_DEAFREF);
	uint64_t wait = 0, dead = 0, interval = 0, all;
	bool preempts = false;

	for (uint8_t i = 0; i < h->n_nodes; i++) {
		struct core_config c;

		plan_config(h, i, &c);
		wait = max(wait, max(c.dead_us, 2 * (uint64_t)c.interval_us + c.lease_us + MS(10)));
		dead = max(dead, c.dead_us);
		interval = max(interval, c.interval_us);
		for (unsigned g = 0; g < h->n_groups; g++)
			preempts |= c.groups[g].preempt;
	}
	h->holds_us = wait + 2 * interval + MS(20);
	if (h->n_nodes > 2)
		h->holds_us += wait; /* who lives has to agree */
	if (!one_suffers(h))
		h->holds_us += max(h->config.start_wait_us, h->config.restart_hold_us + dead);
	h->holds_us += h->config.probe_us + 2 * units_longest(h); /* there, and back again */
	all = wait + 4 * interval + MS(50) + h->config.probe_us;
	if (has(h, starts) || (has(h, stands) && has(h, ~stands)))
		all += max(h->config.start_wait_us, h->config.restart_hold_us + dead);
	if (has(h, ~(starts | stands)) || preempts)
		all += SEC(2); /* what was given up is tried again */
	if (has(h, starts | unfit | trouble | moves) || preempts)
		all += h->config.step_us + 4 * dead;
	if (has(h, unfit | trouble | moves))
		all += SEC(3); /* LastResort= */
	all += 3 * units_longest(h);
	if (has(h, SIM_KIND(SIM_UNITS)))
		all += SEC(30); /* until a move is tried again that a unit has failed */
	if (has(h, SIM_KIND(SIM_STEAL)))
		all += SEC(10); /* until it is forgiven that the addresses had been fought for */
	return all;
}

/* A freeze is longer by the time for which the machine stands still meanwhile. */
static uint64_t pauses(const struct sim_history *h, uint8_t node)
{
	uint64_t all = 0;

	for (size_t i = 0; i < h->n_faults; i++)
		if (h->faults[i].what == SIM_PAUSE && h->faults[i].node == node)
			all += h->faults[i].lasts;
	return all;
}

/* When the last fault is over, and what follows from it. */
void plan_bounds(struct sim_history *h)
{
	h->last = SIM_FAULTS_FROM;
	for (size_t i = 0; i < h->n_faults; i++) {
		const struct sim_fault *f = &h->faults[i];
		uint64_t over = f->at + (f->lasts == SIM_FOREVER ? 0 : f->lasts);

		if (f->what == SIM_STOP) /* it hands over first */
			over += h->config.step_us;
		if (f->what == SIM_FREEZE)
			over += pauses(h, f->node);
		h->last = max(h->last, over);
	}
	h->quiet = h->last + settles(h);
	h->end = h->quiet + PLAN_WATCHED;
}

/* SPDX-License-Identifier: MIT */

/* Law 3, and law 6 at the end: one holds, soon and for good, and the kernel thinks so too. */

#include "tests/sim/sim.h"

static bool has_group(const struct node *n, unsigned group)
{
	return n->alive && !n->core.exited && group < n->core.config.n_groups;
}

/* Who may hold a group that nobody fit is there for (R4)? */
static bool usable(const struct world *w, const struct node *n, unsigned group)
{
	for (unsigned i = 0; i < w->h->n_nodes; i++)
		if (!w->nodes[i].core.config.groups[group].keep_alone)
			return false; /* where they differ, each may leave it to the other one */
	return has_group(n, group) && !(n->core.groups[group].unfit &
					~(CORE_UNFIT_CHECK | CORE_UNFIT_SYNC | CORE_UNFIT_DRIFT));
}

/*
 * With these a claim can fail for as long as they last, or the one that could
 * claim may hear another one that cannot hear it.
 */
static bool hampered(const struct world *w)
{
	return w->kernel_trouble || w->loss || w->delay_us ||
	       w->kinds & (SIM_KIND(SIM_CUT) | SIM_KIND(SIM_DRIP) | SIM_KIND(SIM_VERSION) |
			   SIM_KIND(SIM_TWICE));
}

/*
 * "If at least one node is fit, one holds, this long after the last event": all
 * the time, and not only at the end.
 */
static void check_headless(struct world *w, const struct node *n, unsigned group)
{
	uint64_t since = n->fit_since[group], within = w->h->holds_us;

	/* "A node that has just let the group go": the others have to hear of it first */
	if (n->let_go_at[group] + w->dead_max > w->held_at[group])
		within += w->dead_max;
	if (since < w->held_at[group])
		since = w->held_at[group];
	if (since < w->disturbed_at)
		since = w->disturbed_at;
	if (w->now - since <= within || hampered(w))
		return;
	for (unsigned i = 0; i < w->h->n_nodes; i++)
		if (kernel_serves(w, &w->nodes[i], group))
			w->held_at[group] = w->now; /* for an agent that restarts */
	if (w->held_at[group] != w->now)
		law_broken(w, "nobody holds for too long, although somebody is fit", group);
}

void law_held(struct world *w, uint8_t node, const struct before *before)
{
	struct node *n = &w->nodes[node];

	for (unsigned g = 0; g < n->core.config.n_groups; g++) {
		const struct core_group *group = &n->core.groups[g];

		if (group->state != before->state[g])
			w->changed_at[g] = w->now;
		if (before->state[g] == CORE_STATE_YIELDING && group->state != CORE_STATE_PRIMARY)
			n->let_go_at[g] = w->now;
		if (group->state == CORE_STATE_PRIMARY && kernel_serves(w, n, g))
			w->held_at[g] = w->now;
		if (group->unfit || n->core.exited || n->asleep_us > 2 * (uint64_t)w->interval_max)
			n->fit_since[g] = 0;
		else if (!n->fit_since[g])
			n->fit_since[g] = w->now;
		else
			check_headless(w, n, g);
	}
}

/* Is this the term of a move of which a caller was told that it failed? */
static bool has_failed(const struct world *w, unsigned group, uint64_t term, unsigned node)
{
	for (size_t k = 0; k < SIM_FAILED_MAX; k++)
		if (w->failed[group][k].term == term && w->failed[group][k].by != node)
			return true;
	return false;
}

/* "Until exactly one holds again": it has. */
static void check_primaries(struct world *w, unsigned group)
{
	unsigned primaries = 0, fit = 0, usables = 0, fit_primaries = 0;

	for (unsigned i = 0; i < w->h->n_nodes; i++) {
		const struct node *n = &w->nodes[i];
		const struct core_group *g = &n->core.groups[group];
		bool primary = n->alive && g->state == CORE_STATE_PRIMARY;

		primaries += primary;
		fit += has_group(n, group) && !g->unfit;
		fit_primaries += primary && !(g->unfit & ~g->condoned); /* or it was forced here */
		usables += usable(w, n, group);
		if (primary && g->reason == CORE_REASON_SWITCHOVER &&
		    has_failed(w, group, g->term, i))
			law_broken(w, "a caller was told of a failure, and it moved", group);
	}
	if (primaries > 1)
		law_broken(w, "two primaries at the end", group);
	if (fit && !primaries)
		law_broken(w, "nobody holds although somebody is fit", group);
	if (fit && primaries && !fit_primaries)
		law_broken(w, "an unfit node holds although somebody is fit", group);
	if (usables && !primaries)
		law_broken(w, "nobody holds, not even at the last resort", group);
}

/* Law 6: what a core says to hold its kernel has, open, and nothing else. */
static void check_kernel(struct world *w, const struct node *n, unsigned group)
{
	bool primary = n->alive && n->core.groups[group].state == CORE_STATE_PRIMARY;
	bool open = n->gate[group] != CORE_GATE_CLOSED;

	if (!n->alive && n->flushed)
		return;
	if (primary != kernel_serves(w, n, group))
		law_broken(w, "kernel and core disagree when it is quiet", group);
	/* what a kernel refused to remove stays behind the closed gate until its lifetime ends */
	if (n->alive &&
	    (primary > n->present[group] || (primary < n->present[group] && !w->kernel_trouble) ||
	     (!primary && open && n->lease_until > node_clock(w, n))))
		law_broken(w, "something is left in the kernel when it is quiet", group);
}

/* Where the service is watched, silence may go on moving the group: law 7 is about that. */
static uint64_t changed_at(const struct world *w, unsigned group)
{
	uint64_t last = 0;

	if (!w->h->config.groups[group].traffic_us)
		return w->changed_at[group];
	for (unsigned i = 0; i < w->h->n_nodes; i++)
		if (w->nodes[i].changed[group] > last)
			last = w->nodes[i].changed[group];
	return last;
}

static void check_end_of(struct world *w, unsigned group)
{
	if (silence_moves(w, group))
		return;
	check_primaries(w, group);
	for (unsigned i = 0; i < w->h->n_nodes; i++)
		check_kernel(w, &w->nodes[i], group);
	if (changed_at(w, group) > w->h->quiet)
		law_broken(w, "still changing when it is quiet", group);
}

void law_end(struct world *w)
{
	for (unsigned g = 0; g < w->h->n_groups; g++)
		check_end_of(w, g);
	for (unsigned i = 0; i < w->h->n_nodes; i++)
		for (size_t r = 0; r < w->nodes[i].n_requests; r++)
			if (w->nodes[i].requests[r].at)
				law_broken(w, "a caller was not answered",
					   w->nodes[i].requests[r].group);
}

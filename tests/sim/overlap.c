/* SPDX-License-Identifier: MIT */

/*
 * Laws 1 and 2: one node answers. The manual says when two may, and for how
 * long: takeover(7), WHAT IS PROMISED.
 */

#include "tests/sim/sim.h"

/* A clock that drifts, answers that are under way, and the late start of a timer. */
enum { SLACK = 5000 };

static bool all_strict(const struct world *w, unsigned group)
{
	for (unsigned i = 0; i < w->h->n_nodes; i++)
		if (!w->nodes[i].core.config.groups[group].strict)
			return false;
	return true;
}

/* Is a seamless handover under way, in which two may serve? */
static bool handing_over(const struct world *w, unsigned group)
{
	if (all_strict(w, group))
		return false;
	for (unsigned i = 0; i < w->h->n_nodes; i++) {
		const struct core_group *g = &w->nodes[i].core.groups[group];

		if (g->seamless &&
		    (g->state == CORE_STATE_YIELDING || g->state == CORE_STATE_CLAIMING ||
		     (g->state == CORE_STATE_PRIMARY && instant_is_set(g->provisional))))
			return true;
	}
	return false;
}

/*
 * "A seamless switchover": undisturbed, the messages of the move and its linger.
 * When one of the two fails in the middle, the other one may have waited for it
 * for half a lease, and then its lease runs out; a kernel that is slow adds what
 * it takes for two orders.
 */
static uint64_t handover_max(const struct world *w, unsigned group)
{
	uint64_t slowest = 0, move = w->h->config.groups[group].linger_us + SLACK;

	if (w->h->n_faults == 0)
		return move;
	for (size_t i = 0; i < w->h->n_faults; i++)
		if (w->h->faults[i].what == SIM_SLOW && w->h->faults[i].arg > slowest)
			slowest = w->h->faults[i].arg;
	return move + w->lease_max + w->lease_max / 2 + 2 * slowest;
}

/*
 * "Two nodes that do not hear each other", "a paused machine" and "a flushed
 * gate". Whoever of the two has lost its gate answers until it is laid again.
 */
static bool excused(struct world *w, unsigned a, unsigned b)
{
	return w->nodes[a].flushed || w->nodes[b].flushed || exposed(w, a, b);
}

/* How many serve; @ret_excused: each two of them may. */
static unsigned count(struct world *w, unsigned group, bool *ret_excused)
{
	unsigned serving[SIM_NODES_MAX], n = 0;

	*ret_excused = true;
	for (unsigned i = 0; i < w->h->n_nodes; i++) {
		if (!kernel_serves(w, &w->nodes[i], group))
			continue;
		for (unsigned k = 0; k < n; k++) {
			law_answered(w, serving[k], i, group);
			*ret_excused = *ret_excused && excused(w, serving[k], i);
		}
		serving[n++] = i;
	}
	return n;
}

static void check_group(struct world *w, unsigned group)
{
	uint64_t *since = &w->both_since[group], overlap;
	bool may = true;

	if (count(w, group, &may) < 2) {
		*since = w->excused_since[group] = 0;
		return;
	}
	if (may) {
		*since = 0;
		if (!w->excused_since[group])
			w->excused_since[group] = w->now;
		overlap = w->now - w->excused_since[group];
		if (overlap > w->longest_excused)
			w->longest_excused = overlap;
		return;
	}
	if (!*since) {
		*since = w->now;
		w->in_handover[group] = handing_over(w, group);
	}
	overlap = w->now - *since;
	if (overlap > w->longest)
		w->longest = overlap;
	if (overlap == 0 && !w->h->exact)
		return; /* one closed in the instant in which the other one opened */
	if (!w->in_handover[group])
		law_broken(w, "two nodes serve", group);
	else if (overlap > handover_max(w, group))
		law_broken(w, "two nodes serve for longer than a handover may take", group);
}

void law_holders(struct world *w)
{
	service_listen(w);
	for (unsigned g = 0; g < w->h->n_groups; g++) {
		if (w->n_present[g] > 1)
			check_group(w, g);
		else
			w->both_since[g] = w->excused_since[g] = 0;
	}
}

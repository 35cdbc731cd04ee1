/* SPDX-License-Identifier: MIT */

/*
 * What the network and paused machines excuse, by takeover(7): "Two nodes that do
 * not hear each other", "A paused machine", "A planned restart". It is not asked which faults are
 * in a history but which heartbeats have been lost, so that nothing else is excused by them.
 */

#include "tests/sim/sim.h"

/* A heartbeat and its answer are under way, and the kernel carries the order out. */
enum { EXCHANGE = 5000 };

static uint64_t *opened_at(struct world *w, unsigned a, unsigned b)
{
	return &w->opened_at[a < b ? a : b][a < b ? b : a];
}

/*
 * For how long two may go on after they can hear each other again, at least in
 * one direction: whoever is heard without an answer renews for two intervals
 * more, and then its lease runs out. A kernel that does not do what it is told
 * has the time of a lease for it, and after that the lease does it.
 */
static uint64_t lease_bound(const struct world *w)
{
	return 2 * (uint64_t)w->interval_max + w->lease_max + 2 * (uint64_t)EXCHANGE +
	       (w->kernel_trouble ? 2 * (uint64_t)w->lease_max : 0);
}

/*
 * Nothing has come from @from at @to for about the dead time, although it was
 * sent, and of what was sent the other way some was lost a moment ago: @to has to
 * take @from for dead, and @from may have taken @to for it.
 */
static bool deaf(const struct world *w, unsigned from, unsigned to)
{
	const struct wire *there = &w->wires[from][to], *back = &w->wires[to][from];
	uint64_t heard = 3 * (uint64_t)w->interval_max;

	return there->lost_from && w->now - there->lost_from + heard >= w->dead_min &&
	       back->last_lost && back->last_lost + lease_bound(w) >= w->now &&
	       there->last_lost + lease_bound(w) >= w->now;
}

/* Nothing has gone wrong between these two since then, nor in them. */
static bool clean(const struct world *w, unsigned a, unsigned b, uint64_t since)
{
	return w->wires[a][b].last_lost < since && w->wires[b][a].last_lost < since &&
	       !w->delay_us && !w->kernel_trouble && w->nodes[a].frozen_until <= since &&
	       w->nodes[b].frozen_until <= since && w->nodes[a].woke_at <= since &&
	       w->nodes[b].woke_at <= since && w->nodes[a].alive && w->nodes[b].alive;
}

/* Something was sent, and will not arrive, or not within an interval. */
void exposed_lost(struct world *w, unsigned from, unsigned to)
{
	struct wire *wire = &w->wires[from][to];

	if (!wire->lost_from)
		wire->lost_from = w->now;
	wire->last_lost = w->now;
}

/* Something has arrived; a copy of what was sent before the loss is no news. */
void exposed_arrived(struct world *w, unsigned from, unsigned to, uint64_t sent)
{
	if (!w->wires[from][to].lost_from || sent < w->wires[from][to].lost_from)
		return;
	if (deaf(w, from, to))
		*opened_at(w, from, to) = w->now;
	w->wires[from][to].lost_from = 0;
}

/* This machine stood still, its lease with it; that of a restart is longer. */
void exposed_resumed(struct world *w, unsigned node)
{
	if (!w->nodes[node].alive)
		w->nodes[node].held_until = w->nodes[node].lease_until;
	for (unsigned i = 0; i < w->h->n_nodes; i++)
		if (i != node)
			*opened_at(w, node, i) = w->now;
}

/*
 * A restart is planned, and a peer that does not hear of it does not wait for it:
 * the network is cut, or its machine stands still.
 */
void exposed_held(struct world *w, unsigned node)
{
	struct node *n = &w->nodes[node];

	for (unsigned i = 0; i < w->h->n_nodes; i++)
		if (i != node && (w->nodes[i].paused_until ||
				  (w->wires[node][i].lost_from && w->wires[i][node].lost_from)))
			n->held_until = n->lease_until;
}

static bool is_held(const struct world *w, const struct node *n)
{
	return n->held_until > node_clock(w, n);
}

/* May these two serve at the same time, as far as the network is concerned? */
bool exposed(struct world *w, unsigned a, unsigned b)
{
	uint64_t opened = *opened_at(w, a, b), bound;

	if (w->h->promised)
		return false;
	if (deaf(w, a, b) || deaf(w, b, a))
		return true;
	if (is_held(w, &w->nodes[a]) || is_held(w, &w->nodes[b]))
		return true;
	if (!opened)
		return false;
	bound = clean(w, a, b, opened) ? (uint64_t)w->interval_max + EXCHANGE : lease_bound(w);
	return w->now <= opened + bound;
}

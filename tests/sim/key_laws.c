/* SPDX-License-Identifier: MIT */

/*
 * What the laws remember is part of a state as well, or one that is about to break
 * a law would be taken for one that is not. It is here as far as a law may still ask
 * for it. What law_end() asks for with a time of its own is not, nor what is kept
 * for figures, and of silence there is nothing: nobody listens.
 */

#include "tests/sim/key.h"

/*
 * replies.c: what a reply is held against, while somebody waits for one. Who asks
 * later asks after all that has happened so far; only that a primary is one of
 * yesterday is then told from the time of the asking on.
 */
static void put_requests(struct keying *k, const struct node *n)
{
	const struct world *w = k->w;
	const struct core_config *c = &w->h->config;

	for (size_t i = 0; i < n->n_requests; i++) {
		const struct request *r = &n->requests[i];

		if (!r->at)
			continue;
		put(k, r->maintenance | (uint64_t)r->on << 1 | (uint64_t)r->heard << 2 |
			       (uint64_t)(n->core.groups[0].request == i + 1) << 3 |
			       (uint64_t)(n->woke_at < r->at) << 4 | 32);
		put_since(k, r->at, 2 * (uint64_t)c->step_us + 6 * (uint64_t)c->dead_us + 1);
		for (unsigned node = 0; node < EXPLORE_NODES; node++) {
			const struct node *p = &w->nodes[node];

			put(k, p->became_primary[0] < r->at);
			put_since(k, p->last_primary[0], 2 * (uint64_t)c->dead_us + 1);
		}
	}
}

/* Is there a last primary, and can it tell the other one of its term? */
static bool can_tell(const struct world *w)
{
	return w->top_at[0] && w->top_at[0] != SIM_FOREVER;
}

/*
 * replies.c: the last primary's term, as long as it can tell of it, and whether the
 * other one knows, or knew as it began to claim; and the terms of moves that have
 * failed, as long as somebody may hold one: terms only go up.
 */
static void put_terms(struct keying *k)
{
	const struct world *w = k->w;
	uint8_t top = w->top_node[0];
	const struct node *other = &w->nodes[!top];

	if (can_tell(w)) {
		put_term(k, w->top_term[0]);
		put(k, 1 | (uint64_t)top << 1 | (uint64_t)(w->top_at[0] == w->now) << 4 |
			       (uint64_t)(other->heard_from[top] > w->top_at[0]) << 2 |
			       (uint64_t)(other->core.groups[0].state == CORE_STATE_CLAIMING &&
					  other->knew_from[0][top] > w->top_at[0])
				       << 3);
	}
	for (unsigned i = 0; i < SIM_FAILED_MAX; i++) {
		const struct failed *f = &w->failed[0][i];
		const struct core_group *a = &w->nodes[0].core.groups[0];
		const struct core_group *b = &w->nodes[1].core.groups[0];

		if (!f->term || (f->term < k->term && f->term != a->term && f->term != b->term))
			continue;
		put_term(k, f->term);
		put(k, 2 | (uint64_t)f->by << 2 |
			       (uint64_t)(a->reason == CORE_REASON_SWITCHOVER) << 3 |
			       (uint64_t)(b->reason == CORE_REASON_SWITCHOVER) << 4);
	}
}

/*
 * orders.c: what the kernel has told this life; after a freeze, for how long it may
 * not open. replies.c: a term that was held and is not on the disk yet.
 */
static void put_orders(struct keying *k, const struct node *n)
{
	uint64_t dead_us = k->w->h->config.dead_us;
	bool shut =
		n->thawed_at && !n->heard_since && node_clock(k->w, n) - n->thawed_clock < dead_us;

	put(k, n->confirmed_here[0] | (uint64_t)n->confirmed[0] << 1 | (uint64_t)shut << 3);
	put_age(k, n, shut ? n->thawed_clock : 0, dead_us);
	put_term(k, n->primary_term[0] > n->term[0] ? n->primary_term[0] : 0);
}

/*
 * rest.c: since when somebody ought to hold, to the knowledge of this node; and
 * whether it has let go so late that the others are given time to hear of it. When
 * the group was held last is not part of that: a node that lets go from now on is
 * late in any case, and one that is late remains so until the group is held again,
 * which is then now.
 */
static void put_rest(struct keying *k, const struct node *n)
{
	const struct world *w = k->w;
	uint64_t since = n->fit_since[0], within = w->h->holds_us + w->dead_max + 1;
	bool late = n->let_go_at[0] + w->dead_max > w->held_at[0];

	if (since && since < w->held_at[0])
		since = w->held_at[0];
	if (since && since < w->disturbed_at)
		since = w->disturbed_at;
	put_since(k, since, within);
	put(k, late);
	if (late)
		put_since(k, n->let_go_at[0], w->dead_max);
}

/* exposed.c: long ago is longer than anything is excused after it. */
static void put_wire(struct keying *k, unsigned from, unsigned to)
{
	const struct world *w = k->w;
	const struct wire *wire = &w->wires[from][to];
	uint64_t opened = w->opened_at[0][1];

	put_since(k, wire->lost_from, w->dead_min);
	put_since(k, w->now - wire->last_lost < k->long_ago ? wire->last_lost : 0, k->long_ago);
	if (opened && w->now - opened < k->long_ago)
		put(k, (wire->last_lost < opened) | (uint64_t)(w->nodes[from].woke_at <= opened)
							    << 1);
}

static void put_exposure(struct keying *k)
{
	const struct world *w = k->w;
	uint64_t opened = w->opened_at[0][1];

	put_since(k, w->now - opened < k->long_ago ? opened : 0, k->long_ago);
	put_wire(k, 0, 1);
	put_wire(k, 1, 0);
	for (unsigned i = 0; i < EXPLORE_NODES; i++)
		put_until(k, node_clock(w, &w->nodes[i]), w->nodes[i].held_until);
}

/* service.c: what has been asked, and what has been heard of the holder. */
static void put_probes(struct keying *k, const struct node *n)
{
	const struct world *w = k->w;
	const struct asking *asking = &n->asking[0];
	uint8_t peer = n == &w->nodes[0];

	put(k, asking->runs | (uint64_t)asking->answered << 1 | (uint64_t)n->said[0][peer] << 8 |
		       (uint64_t)(uint32_t)n->found[0] << 32);
	put(k, n->ask_id[0] == n->core.groups[0].probe);
	put_age(k, n, n->asked[0], k->long_ago);
	put(k, n->asked[0] < n->their_lease[peer]);
	put_until(k, node_clock(w, n), n->their_lease[peer]);
	put_age(k, n, n->released[0], w->h->config.dead_us + 1);
	put(k, (n->claim_asked[0] != 0) | (uint64_t)(n->answers_since[0] != 0) << 1 |
		       (uint64_t)(w->nodes[peer].answers_since[0] < n->claim_asked[0]) << 2 |
		       (uint64_t)(w->nodes[peer].answers_since[0] < asking->at) << 3);
}

void put_laws_of(struct keying *k, const struct node *n)
{
	const struct world *w = k->w;

	/* what is still to come in this instant is not later than this */
	put(k, (n->woke_at == w->now) | (uint64_t)(n->became_primary[0] == w->now) << 1);
	put_requests(k, n);
	put_orders(k, n);
	put_rest(k, n);
	put_probes(k, n);
}

/* What the laws are told of when it arrives: is it news of the wire, and of the last primary? */
void put_laws_of_beat(struct keying *k, const struct item *item)
{
	const struct world *w = k->w;

	put(k, (!item->held && item->sent >= w->wires[item->from][item->node].lost_from) |
		       (uint64_t)(can_tell(w) && item->from == w->top_node[0] &&
				  item->sent > w->top_at[0])
			       << 1);
}

/* overlap.c, and what all of them ask: which kinds of faults there have been. */
void put_laws(struct keying *k)
{
	const struct world *w = k->w;

	put(k, w->kinds);
	put(k, w->h->holds_us);
	put(k, w->both_since[0] ? 1 + w->now - w->both_since[0] : 0);
	put(k, w->both_since[0] && w->in_handover[0]);
	put_terms(k);
	put_exposure(k);
}

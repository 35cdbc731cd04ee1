/* SPDX-License-Identifier: MIT */

/*
 * Law 4: terms never go down, and each caller is answered once, and truthfully;
 * takeover(7), "What a caller is told".
 */

#include "tests/sim/sim.h"

/* In a history of nothing but these it is always known what became of a request. */
static const uint64_t harmless = SIM_KIND(SIM_SWITCH) | SIM_KIND(SIM_MAINT) | SIM_KIND(SIM_LINK) |
				 SIM_KIND(SIM_CHECK) | SIM_KIND(SIM_DEAFREF) |
				 SIM_KIND(SIM_INHIBIT);

/* And in one with these a caller may have to wait for as long as they last. */
static const uint64_t delaying =
	SIM_KIND(SIM_FREEZE) | SIM_KIND(SIM_PAUSE) | SIM_KIND(SIM_SLOW) | SIM_KIND(SIM_REFUSE);

/* The new primary: a node that became it after it was asked for, and was so a moment ago. */
static void check_moved(struct world *w, const struct node *n, const struct core_action *a,
			const struct request *r)
{
	const struct node *p;

	if (a->reply.primary == CORE_NODE_NONE) {
		law_broken(w, "a caller was told that it is done, and of no primary", a->group);
		return;
	}
	p = &w->nodes[a->reply.primary];
	if (r->options.to && w->nodes[r->options.to - 1].became_primary[a->group] < r->at)
		law_broken(w, "a caller was told of another primary than he wants", a->group);
	if (p->became_primary[a->group] < r->at)
		law_broken(w, "a caller was told of a move that was none", a->group);
	else if (p->last_primary[a->group] + 2 * (uint64_t)w->dead_max < w->now &&
		 n->woke_at < r->at)
		law_broken(w, "a caller was told of a primary of yesterday", a->group);
}

static void check_maintenance(struct world *w, const struct core_group *g,
			      const struct core_action *a, const struct request *r)
{
	if (a->reply.result == CORE_RESULT_OK &&
	    (g->maintenance != r->on || (r->on && g->state == CORE_STATE_PRIMARY)))
		law_broken(w, "a caller was told of maintenance that is not so", a->group);
	if (a->reply.result == CORE_RESULT_NOT_FIT && g->maintenance)
		law_broken(w, "maintenance was refused, and is set", a->group);
}

/* A holder told its caller that the move failed: then it has, once everybody has heard of it. */
static void note_failure(struct world *w, const struct node *n, unsigned group,
			 enum core_state before)
{
	const struct core_group *g = &n->core.groups[group];

	if (before == CORE_STATE_YIELDING)
		w->failed[group][w->n_failed[group]++ % SIM_FAILED_MAX] =
			(struct failed){ .term = g->move_term, .by = n->core.config.self };
}

static void check_result(struct world *w, uint8_t node, const struct core_action *a,
			 const struct request *r, const struct before *before)
{
	switch (a->reply.result) {
	case CORE_RESULT_OK:
		if (!r->maintenance && !r->inhibits)
			check_moved(w, &w->nodes[node], a, r);
		break;
	case CORE_RESULT_OUTCOME_UNKNOWN:
		if (!(w->kinds & ~harmless))
			law_broken(w, "the outcome was unknown without a reason", a->group);
		break;
	case CORE_RESULT_NOT_FIT:
	case CORE_RESULT_TIMEOUT:
	case CORE_RESULT_FAILED:
		note_failure(w, &w->nodes[node], a->group, before->state[a->group]);
		break;
	case CORE_RESULT_STEP_FAILED:
		note_failure(w, &w->nodes[node], a->group, before->state[a->group]);
		if (!(w->kinds & SIM_KIND(SIM_UNITS)))
			law_broken(w, "a unit has failed that did not", a->group);
		break;
	case CORE_RESULT_ALREADY_PRIMARY:
		if (r->options.to != a->reply.primary + 1)
			law_broken(w, "not the node that was asked for is primary", a->group);
		break;
	case CORE_RESULT_NOT_HELD:
		if (before->state[a->group] == CORE_STATE_PRIMARY)
			law_broken(w, "a primary said that nobody is", a->group);
		break;
	case CORE_RESULT_PEER_UNREACHABLE: /* says nothing of what the other one does */
	case CORE_RESULT_BUSY:
	case _CORE_RESULT_MAX:
		break;
	}
}

static void check_reply(struct world *w, uint8_t node, const struct core_action *a,
			const struct before *before)
{
	struct node *n = &w->nodes[node];
	const struct core_config *c = &n->core.config;
	struct request *r;

	if (!a->reply.request)
		return; /* Preempt= asks on nobody's behalf */
	r = &n->requests[a->reply.request - 1];
	if (a->reply.request > n->n_requests || !r->at) {
		law_broken(w, "somebody was answered twice, or never asked", a->group);
		return;
	}
	check_result(w, node, a, r, before);
	if (r->maintenance)
		check_maintenance(w, &n->core.groups[a->group], a, r);
	if (r->inhibits && a->reply.result == CORE_RESULT_OK &&
	    n->core.groups[a->group].state == CORE_STATE_PRIMARY)
		law_broken(w, "a caller was told that he keeps out a primary", a->group);
	if (!(w->kinds & delaying) && w->now - r->at > 2 * (uint64_t)c->step_us +
							       6 * (uint64_t)w->dead_max +
							       units_longest(w->h))
		law_broken(w, "a caller waited for too long", a->group);
	r->at = 0;
}

/*
 * A new primary has a term above that of all before it, if it had heard the last
 * one in this life as it began to claim; what it only heard of is not on its disk.
 * Of three, the one that hands over chooses the term, and need not have heard a third.
 */
static void check_new_term(struct world *w, uint8_t node, unsigned group)
{
	const struct core_group *g = &w->nodes[node].core.groups[group];
	uint64_t top = w->top_term[group];
	uint8_t holder = w->top_node[group];

	if (g->term < top || (g->term == top && holder != node)) {
		if (w->nodes[node].knew_from[group][holder] > w->top_at[group] &&
		    (w->h->n_nodes == 2 || g->reason != CORE_REASON_SWITCHOVER))
			law_broken(w, "a new primary under an old term", group);
	}
	w->top_term[group] = g->term;
	w->top_node[group] = node;
	w->top_at[group] = w->now;
}

/* A claim begins, or has waited for leave until now: what comes to be known later is late. */
static void note_claim(struct node *n, unsigned group, const struct before *before)
{
	const struct core_group *g = &n->core.groups[group];

	if (g->state == CORE_STATE_CLAIMING &&
	    (before->state[group] != CORE_STATE_CLAIMING ||
	     (before->step[group] == CORE_STEP_CLAIM_WAIT && g->step != CORE_STEP_CLAIM_WAIT)))
		memcpy(n->knew_from[group], n->heard_from, sizeof(n->heard_from));
}

static void check_terms(struct world *w, uint8_t node, const struct core_event *event,
			const struct before *before)
{
	struct node *n = &w->nodes[node];

	for (unsigned i = 0; i < w->h->n_groups; i++) {
		const struct core_group *g = &n->core.groups[i];

		if (event->type == CORE_EV_START && event->group == i &&
		    g->term_max < n->primary_term[i])
			law_broken(w, "a term was forgotten", i);
		if (event->type != CORE_EV_START && g->term_max < before->term_max[i])
			law_broken(w, "a term went down", i);
		note_claim(n, i, before);
		if (g->state != CORE_STATE_PRIMARY)
			continue;
		if (g->term > g->term_max)
			law_broken(w, "a term above the highest", i);
		if (before->state[i] != CORE_STATE_PRIMARY) {
			n->became_primary[i] = w->now;
			if (before->state[i] == CORE_STATE_CLAIMING)
				check_new_term(w, node, i);
		}
		n->last_primary[i] = w->now;
		if (n->primary_term[i] < g->term)
			n->primary_term[i] = g->term;
	}
}

void law_replies(struct world *w, uint8_t node, const struct core_event *event,
		 const struct core_actions *actions, const struct before *before)
{
	if ((event->type == CORE_EV_SWITCHOVER || event->type == CORE_EV_MAINTENANCE ||
	     event->type == CORE_EV_INHIBIT) &&
	    event->request.request)
		w->nodes[node].requests[event->request.request - 1].heard = true;
	check_terms(w, node, event, before);
	for (size_t i = 0; i < actions->n; i++)
		if (actions->v[i].type == CORE_DO_REPLY)
			check_reply(w, node, &actions->v[i], before);
}

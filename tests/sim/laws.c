/* SPDX-License-Identifier: MIT */

/* What has to be true, whatever happens. */

#include <inttypes.h>

#include "tests/sim/sim.h"

/* A clock that drifts, and answers that are under way. */
enum { SLACK = 5000 };

void law_broken(struct world *w, const char *law, unsigned group)
{
	if (w->broken)
		return;
	w->broken = law;
	(void)snprintf(w->why, sizeof(w->why), "%s, group %u, at %.6f s", law, group,
		       (double)w->now / 1e6);
	if (w->trace)
		fprintf(w->trace, "%12.6f  BROKEN: %s\n", (double)w->now / 1e6, w->why);
}

/* Nothing is promised about who serves before this time. */
void law_excuse(struct world *w, uint64_t until)
{
	if (w->excused_until < until)
		w->excused_until = until;
}

/* Is a seamless handover under way, in which two may serve? */
static bool handing_over(const struct world *w, unsigned group)
{
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
 * The move itself, as both wait for each other, and a lease that nobody renews;
 * and as long as a kernel takes for the orders of the move.
 */
static uint64_t overlap_max(const struct world *w, unsigned group)
{
	const struct core_config *c = &w->h->config;
	uint64_t slowest = 0;

	for (size_t i = 0; i < w->h->n_faults; i++)
		if (w->h->faults[i].what == SIM_SLOW && w->h->faults[i].arg > slowest)
			slowest = w->h->faults[i].arg;

	if (w->h->n_faults == 0) /* nothing goes wrong: the move and its linger */
		return c->groups[group].linger_us + 2 * (uint64_t)c->interval_us;
	return c->groups[group].linger_us + c->lease_us + c->lease_us / 2 +
	       3 * (uint64_t)c->interval_us + SLACK + 2 * slowest;
}

/* Laws 1 and 2: one node answers. */
static void check_group(struct world *w, unsigned group)
{
	unsigned serving = 0;
	bool flushed = false;
	uint64_t *since = &w->both_since[group], overlap;

	for (unsigned i = 0; i < w->h->n_nodes; i++) {
		const struct node *n = &w->nodes[i];

		if (n->present[group] && kernel_serves(w, n, group))
			serving++;
		flushed |= n->flushed;
	}
	if (serving < 2) {
		*since = 0;
		return;
	}
	if (!*since) {
		*since = w->now;
		w->in_handover[group] = handing_over(w, group);
	}
	overlap = w->now - *since;
	if (w->excused || w->now < w->excused_until || flushed) {
		if (overlap > w->longest_excused)
			w->longest_excused = overlap;
		return;
	}
	if (*since < w->excused_until)
		*since = w->excused_until;
	if (overlap > w->longest)
		w->longest = overlap;
	if (overlap == 0)
		return;
	if (!w->in_handover[group])
		law_broken(w, "two nodes serve", group);
	else if (w->now - *since > overlap_max(w, group))
		law_broken(w, "two nodes serve for longer than a move and a lease", group);
}

void law_holders(struct world *w)
{
	for (unsigned g = 0; g < w->h->n_groups; g++) {
		if (w->n_present[g] > 1)
			check_group(w, g);
		else
			w->both_since[g] = 0;
	}
}

static void mix(struct world *w, uint64_t value)
{
	w->hash = (w->hash ^ value) * UINT64_C(0x100000001b3);
}

static void trace(struct world *w, uint8_t node, const struct core_action *a)
{
	if (!w->trace || a->type == CORE_DO_BEAT)
		return;
	fprintf(w->trace, "%12.6f  node %u group %u action %d", (double)w->now / 1e6, node,
		a->group, a->type);
	if (a->type == CORE_DO_TELL)
		fprintf(w->trace,
			" tell %d %s -> %s (%s) term %" PRIu64 " unfit %x result %d err %d peer %u",
			a->tell.what, core_state_name(a->tell.from), core_state_name(a->tell.state),
			core_reason_name(a->tell.reason), a->tell.term, a->tell.unfit,
			a->tell.result, a->tell.err, a->peer);
	if (a->type == CORE_DO_GATE)
		fprintf(w->trace, " level %d create %d id %u", a->gate.level, a->gate.create,
			a->id);
	if (a->type == CORE_DO_REPLY)
		fprintf(w->trace, " request %u result %s primary %u", a->reply.request,
			core_result_name(a->reply.result), a->reply.primary);
	fputc('\n', w->trace);
}

/* Law 4: each caller is answered once, and truthfully. */
static void check_reply(struct world *w, uint8_t node, const struct core_action *a)
{
	struct node *n = &w->nodes[node];
	struct request *r;
	uint8_t primary = a->reply.primary;

	if (!a->reply.request)
		return; /* Preempt= asks on nobody's behalf */
	r = &n->requests[a->reply.request - 1];
	if (a->reply.request > n->n_requests || !r->at) {
		law_broken(w, "somebody was answered twice, or never asked", a->group);
		return;
	}
	if (a->reply.result == CORE_RESULT_OK && !r->maintenance &&
	    (primary == CORE_NODE_NONE ||
	     w->nodes[primary].last_primary[a->group] + 2 * (uint64_t)w->h->config.interval_us <
		     r->at))
		law_broken(w, "a caller was told of a primary that is none", a->group);
	r->at = 0;
}

/* Law 5: who lets go says so. */
static void check_told(struct world *w, const struct node *n, const struct core_actions *actions,
		       const struct before *before)
{
	for (unsigned g = 0; g < w->h->n_groups; g++) {
		bool told = n->core.groups[g].primary || !before->primary[g];

		for (size_t i = 0; i < actions->n && !told; i++)
			told = actions->v[i].type == CORE_DO_TELL && actions->v[i].group == g &&
			       actions->v[i].tell.what == CORE_TELL_STATE;
		if (!told)
			law_broken(w, "a release was not told of", g);
	}
}

/* Law 6: after a freeze as long as the lease nothing is opened before a look at the world. */
static void check_thaw(struct world *w, const struct node *n, const struct core_actions *actions)
{
	if (n->asleep_us < w->h->config.lease_us)
		return;
	for (size_t i = 0; i < actions->n; i++) {
		const struct core_action *a = &actions->v[i];

		if (a->type == CORE_DO_ANNOUNCE || (a->type == CORE_DO_BEAT && a->beat.marked) ||
		    (a->type == CORE_DO_GATE && a->gate.level != CORE_GATE_CLOSED))
			law_broken(w, "opened, announced or renewed straight after a freeze",
				   a->group);
	}
}

void law_step(struct world *w, uint8_t node, const struct core_event *event,
	      const struct core_actions *actions, const struct before *before)
{
	struct node *n = &w->nodes[node];

	if (event->type == CORE_EV_SWITCHOVER || event->type == CORE_EV_MAINTENANCE)
		n->requests[event->request.request - 1].heard = true;
	for (unsigned g = 0; g < w->h->n_groups; g++)
		if (n->core.groups[g].state == CORE_STATE_PRIMARY)
			n->last_primary[g] = w->now;
	mix(w, w->now);
	mix(w, (uint64_t)node << 32 | (uint64_t)event->type << 16 | actions->n);
	for (size_t i = 0; i < actions->n; i++) {
		mix(w, (uint64_t)actions->v[i].type << 32 | actions->v[i].id);
		trace(w, node, &actions->v[i]);
		if (actions->v[i].type == CORE_DO_REPLY)
			check_reply(w, node, &actions->v[i]);
	}
	for (unsigned g = 0; g < w->h->n_groups; g++) {
		if (event->type != CORE_EV_START &&
		    n->core.groups[g].term_max < before->term_max[g])
			law_broken(w, "a term went down", g);
	}
	if (event->type != CORE_EV_START)
		check_told(w, n, actions, before);
	check_thaw(w, n, actions);
	if (event->type == CORE_EV_TIME && !n->core.exited &&
	    instant_reached(n->core.now, core_deadline(&n->core)))
		law_broken(w, "the deadline has passed, and nothing was done about it", 0);
	law_silence(w, node, event, before);
}

/* Who may hold a group that nobody fit is there for (R4)? */
static bool usable(const struct node *n, unsigned group)
{
	return n->alive && !(n->core.groups[group].unfit &
			     ~(CORE_UNFIT_CHECK | CORE_UNFIT_SYNC | CORE_UNFIT_DRIFT));
}

static bool changed_lately(const struct world *w, const struct node *n, unsigned group)
{
	uint64_t since = n->core.groups[group].since.us;

	if (w->h->config.groups[group].traffic_us) /* law 7 is about the other changes */
		return n->changed[group] >= w->h->quiet;
	return since + (w->h->end - w->h->quiet) > node_clock(w, n) + SLACK;
}

/* Laws 3 and 6: it is quiet, one holds, and the kernel thinks so too. */
static void check_end_of(struct world *w, unsigned group)
{
	unsigned primaries = 0, fit = 0, usables = 0, fit_primaries = 0;

	if (silence_moves(w, group))
		return;
	for (unsigned i = 0; i < w->h->n_nodes; i++) {
		const struct node *n = &w->nodes[i];
		const struct core_group *g = &n->core.groups[group];
		bool primary = n->alive && g->state == CORE_STATE_PRIMARY;

		primaries += primary;
		fit += n->alive && !g->unfit;
		fit_primaries += primary && !g->unfit;
		usables += usable(n, group);
		if (primary != kernel_serves(w, n, group) && (n->alive || !n->flushed))
			law_broken(w, "kernel and core disagree when it is quiet", group);
		if (n->alive && changed_lately(w, n, group))
			law_broken(w, "still changing when it is quiet", group);
	}
	if (primaries > 1)
		law_broken(w, "two primaries at the end", group);
	if (fit && !primaries)
		law_broken(w, "nobody holds although somebody is fit", group);
	if (fit && primaries && !fit_primaries)
		law_broken(w, "an unfit node holds although somebody is fit", group);
	if (usables && !primaries && w->h->config.groups[group].keep_alone)
		law_broken(w, "nobody holds, not even at the last resort", group);
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

/* SPDX-License-Identifier: MIT */

/* What has to be true, whatever happens: looked at after every step. */

#include <inttypes.h>

#include "tests/sim/sim.h"

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

void law_step(struct world *w, uint8_t node, const struct core_event *event,
	      const struct core_actions *actions, const struct before *before)
{
	const struct node *n = &w->nodes[node];

	mix(w, w->now);
	mix(w, (uint64_t)node << 32 | (uint64_t)event->type << 16 | actions->n);
	for (size_t i = 0; i < actions->n; i++) {
		mix(w, (uint64_t)actions->v[i].type << 32 | actions->v[i].id);
		trace(w, node, &actions->v[i]);
	}
	law_replies(w, node, event, actions, before);
	law_orders(w, node, event, actions, before);
	law_held(w, node, before);
	if (event->type == CORE_EV_TIME && !n->core.exited &&
	    instant_reached(n->core.now, core_deadline(&n->core)))
		law_broken(w, "the deadline has passed, and nothing was done about it", 0);
	law_silence(w, node, event, before);
	law_probes(w, node, event, actions, before);
	law_units(w, node, event, actions, before);
}

/* SPDX-License-Identifier: MIT */

/* Laws 5 and 6: what a core orders, against what its kernel has told it. */

#include "tests/sim/sim.h"

/* What the process learns by this event of what its kernel has. */
void law_confirm(struct world *w, uint8_t node, const struct core_event *event)
{
	struct node *n = &w->nodes[node];

	if (event->type == CORE_EV_START) {
		n->confirmed_here[event->group] = event->start.adopted;
		n->confirmed[event->group] =
			event->start.adopted ? CORE_GATE_ANSWER : CORE_GATE_CLOSED;
	}
	if (event->type == CORE_EV_LOST)
		n->confirmed_here[event->group] = false;
	if (event->type == CORE_EV_BEAT)
		n->heard_since = true;
}

/* The same of an order that has been carried out. */
void law_done(struct world *w, uint8_t node, const struct core_action *a, int err)
{
	struct node *n = &w->nodes[node];

	if (!err && a->type == CORE_DO_PREPARE)
		n->confirmed_here[a->group] = true;
	if (!err && a->type == CORE_DO_GATE)
		n->confirmed[a->group] = a->gate.level;
}

/* What an order that has just been given may change from now on. */
static void doubt(struct world *w, struct node *n, const struct core_action *a)
{
	bool closes = a->type == CORE_DO_GATE && a->gate.level != CORE_GATE_ANSWER;
	bool creates = a->type == CORE_DO_GATE && a->gate.create;

	if (a->type == CORE_DO_REMOVE)
		n->confirmed_here[a->group] = false;
	if (closes)
		n->confirmed[a->group] = CORE_GATE_CLOSED;
	for (unsigned g = 0; g < w->h->n_groups && (a->type == CORE_DO_SHUT || creates); g++)
		n->confirmed[g] = CORE_GATE_CLOSED;
}

/*
 * Law 5: nothing is announced that the kernel has not confirmed to serve, and nobody is
 * primary before it has confirmed to answer.
 */
static void check_announced(struct world *w, const struct node *n, const struct core_action *a)
{
	if (a->type == CORE_DO_ANNOUNCE &&
	    !(n->confirmed_here[a->group] && n->confirmed[a->group] >= CORE_GATE_READY))
		law_broken(w, "announced what the kernel has not confirmed", a->group);
	if (a->type == CORE_DO_TELL && a->tell.what == CORE_TELL_STATE &&
	    a->tell.state == CORE_STATE_PRIMARY && a->tell.from == CORE_STATE_CLAIMING &&
	    n->confirmed[a->group] != CORE_GATE_ANSWER)
		law_broken(w, "primary before the kernel has confirmed it", a->group);
}

/* Law 5: what is closed or removed is so by one who has said that it is primary no more. */
static void check_release(struct world *w, const struct node *n, const struct core_action *a)
{
	bool closes = (a->type == CORE_DO_GATE && a->gate.level < CORE_GATE_ANSWER) ||
		      a->type == CORE_DO_REMOVE;

	for (unsigned g = 0; g < w->h->n_groups; g++) {
		const struct core_group *group = &n->core.groups[g];

		if (group->state == CORE_STATE_PRIMARY &&
		    ((closes && a->group == g) || a->type == CORE_DO_SHUT))
			law_broken(w, "released what it still says to hold", g);
	}
}

/* Law 5: who lets go says so. */
static void check_told(struct world *w, const struct node *n, const struct core_actions *actions,
		       const struct before *before)
{
	for (unsigned g = 0; g < w->h->n_groups; g++) {
		bool told = n->core.groups[g].state == before->state[g];

		for (size_t i = 0; i < actions->n && !told; i++)
			told = actions->v[i].type == CORE_DO_TELL && actions->v[i].group == g &&
			       actions->v[i].tell.what == CORE_TELL_STATE;
		if (!told)
			law_broken(w, "a release was not told of", g);
	}
}

static bool opens(const struct core_action *a)
{
	return a->type == CORE_DO_ANNOUNCE || (a->type == CORE_DO_BEAT && a->beat.marked) ||
	       (a->type == CORE_DO_GATE && a->gate.level != CORE_GATE_CLOSED);
}

/* Law 6: after a freeze as long as the lease its end comes first: everything is shut. */
static void check_shut(struct world *w, const struct node *n, const struct core_actions *actions,
		       const struct before *before)
{
	bool ought = false, shut = false;

	for (unsigned g = 0; g < w->h->n_groups; g++)
		ought |= before->serving[g] &&
			 instant_reached((instant){ node_clock(w, n) }, before->lease_until);
	for (size_t i = 0; i < actions->n; i++) {
		const struct core_action *a = &actions->v[i];

		shut |= a->type == CORE_DO_SHUT;
		if (opens(a) || (ought && !shut && a->type == CORE_DO_PREPARE))
			law_broken(w, "after a freeze something came before the gate was shut",
				   a->group);
	}
	if (ought && !shut)
		law_broken(w, "after a freeze the gate was not shut", 0);
}

/* And nothing is opened again before somebody has been heard, or nobody for the dead time. */
static void check_thaw(struct world *w, struct node *n, const struct core_event *event,
		       const struct core_actions *actions, const struct before *before)
{
	uint64_t clock = node_clock(w, n);
	bool over = !instant_is_set(before->lease_until) ||
		    instant_reached((instant){ clock }, before->lease_until);

	/* the lease of a restart is longer, and may live still */
	if (n->asleep_us >= n->core.config.lease_us && over) {
		n->thawed_at = w->now;
		n->thawed_clock = clock;
		n->heard_since = event->type == CORE_EV_BEAT;
		check_shut(w, n, actions, before);
	}
	if (!n->thawed_at || n->heard_since || clock - n->thawed_clock >= n->core.config.dead_us)
		return;
	for (size_t i = 0; i < actions->n; i++)
		if (opens(&actions->v[i]))
			law_broken(w, "opened after a freeze without a look at the world",
				   actions->v[i].group);
}

/* A gate that a stranger has removed is laid again at once by an agent that runs. */
static void check_flushed(struct world *w, const struct node *n)
{
	uint64_t since = n->flushed_at;

	if (since < n->woke_at)
		since = n->woke_at;
	if (since < n->frozen_until)
		since = n->frozen_until; /* a pause made the freeze longer */
	if (n->flushed && !w->kernel_trouble && w->now > since + 20000)
		law_broken(w, "the gate was not laid again", 0);
}

void law_orders(struct world *w, uint8_t node, const struct core_event *event,
		const struct core_actions *actions, const struct before *before)
{
	struct node *n = &w->nodes[node];

	check_thaw(w, n, event, actions, before);
	for (size_t i = 0; i < actions->n; i++) {
		check_announced(w, n, &actions->v[i]);
		check_release(w, n, &actions->v[i]);
		doubt(w, n, &actions->v[i]);
	}
	if (event->type != CORE_EV_START)
		check_told(w, n, actions, before);
	if (!n->core.exited)
		check_flushed(w, n);
}

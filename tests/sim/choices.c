/* SPDX-License-Identifier: MIT */

/* What may happen next in a world that is explored, and letting it happen. */

#include "tests/sim/explore.h"

/* Faults last for so many heartbeats, so that they end as others begin to look. */
#define BEATS(n) ((n)*50000u)

enum {
	SHORT = BEATS(1),
	PAST_LEASE = BEATS(5),
	PAST_DEAD = BEATS(8),
	PAST_HOLD = BEATS(14),
};

/* Each for either node. */
static const struct sim_fault faults[] = {
	{ .what = SIM_FREEZE, .lasts = SHORT },
	{ .what = SIM_FREEZE, .lasts = PAST_LEASE },
	{ .what = SIM_FREEZE, .lasts = PAST_DEAD },
	{ .what = SIM_CRASH, .arg = SIM_CRASH_AGENT, .lasts = SHORT },
	{ .what = SIM_CRASH, .arg = SIM_CRASH_AGENT, .lasts = PAST_DEAD },
	{ .what = SIM_CRASH, .arg = SIM_CRASH_HOST, .lasts = PAST_DEAD },
	{ .what = SIM_CRASH, .arg = SIM_CRASH_DISK, .lasts = PAST_LEASE },
	{ .what = SIM_CUT, .lasts = PAST_LEASE },
	{ .what = SIM_CUT, .lasts = PAST_HOLD },
	{ .what = SIM_SWITCH },
	{ .what = SIM_STOP },
	{ .what = SIM_STOP, .arg = 1 },
	{ .what = SIM_LINK, .lasts = SHORT },
	{ .what = SIM_LINK, .lasts = PAST_DEAD },
	{ .what = SIM_STEAL },
	{ .what = SIM_STRANGER, .lasts = PAST_DEAD },
};

struct list {
	struct choice *v;
	size_t n;
};

static void add(struct list *l, enum explore_kind kind, uint8_t node, size_t index)
{
	assert(l->n < EXPLORE_CHOICES_MAX);
	l->v[l->n++] = (struct choice){ .kind = kind, .node = node, .index = (uint16_t)index };
}

static bool is_timed(const struct item *item)
{
	return item->what == SIM_END || item->what == SIM_BOOT;
}

/* Done by the loop as it returns from a step, and not by the worker: there is no choice. */
static bool is_of_loop(const struct item *item)
{
	return item->what == SIM_PERFORM && !item->action.id;
}

/* Of a process that is no more. */
static bool is_stale(const struct world *w, const struct item *item)
{
	const struct node *n = &w->nodes[item->node];

	if (item->what == SIM_DELIVER || item->what == SIM_END)
		return false;
	return item->what == SIM_BOOT ? n->alive || item->life != n->life
				      : !n->alive || item->life != n->life;
}

/* Things of one kind happen one after the other. */
static bool is_same_line(const struct item *a, const struct item *b)
{
	return a->what == b->what && a->node == b->node && is_of_loop(a) == is_of_loop(b);
}

/* How many of its line are before it? */
static unsigned before(const struct world *w, size_t i)
{
	unsigned n = 0;

	for (size_t k = 0; k < w->n; k++)
		if (w->heap[k].order < w->heap[i].order &&
		    is_same_line(item_at(w, k), item_at(w, i)))
			n++;
	return n;
}

/* After a thaw the loop reads the sockets before anything but its clock. */
static bool sockets_wait(const struct world *w, uint8_t node)
{
	for (size_t i = 0; i < w->n; i++)
		if (item_at(w, i)->what == SIM_DELIVER && item_at(w, i)->node == node &&
		    item_at(w, i)->held)
			return true;
	return false;
}

static bool may_happen(const struct world *w, size_t i)
{
	const struct item *item = item_at(w, i);
	const struct node *n = &w->nodes[item->node];

	switch ((enum sim_item)item->what) {
	case SIM_DELIVER:
		return !n->alive || !n->frozen_until || !item->held;
	case SIM_PERFORM:
		return node_runs(n);
	case SIM_DONE:
	case SIM_NOTICE:
		return node_runs(n) && !sockets_wait(w, item->node);
	case SIM_END:
	case SIM_BOOT:
		return w->heap[i].at <= w->now;
	case SIM_BEGIN:
	case SIM_TRAFFIC:
		break;
	}
	return false;
}

/* The answer to an order that nobody waits for. */
static bool is_idle_answer(const struct world *w, const struct item *item)
{
	const struct core *core = &w->nodes[item->node].core;
	uint32_t id = item->action.id;

	return item->what == SIM_DONE && id != core->groups[0].pending &&
	       id != core->groups[0].probe && id != core->pending_node && id != core->creating &&
	       id != core->rebuilding;
}

/* What has no bearing on anything but what comes after it: nothing else need be tried before it. */
static bool goes_first(const struct world *w, size_t i)
{
	const struct item *item = item_at(w, i);
	const struct node *n = &w->nodes[item->node];

	if (is_stale(w, item))
		return true;
	if (is_of_loop(item) || (item->what == SIM_PERFORM && sockets_wait(w, item->node)))
		return node_runs(n);
	if (is_idle_answer(w, item))
		return may_happen(w, i);
	return item->what == SIM_DELIVER && n->alive && n->frozen_until && !item->held;
}

/* The earliest of those for which there is no choice; w->n: none. */
static size_t first_of_all(const struct world *w)
{
	size_t first = w->n;

	for (size_t i = 0; i < w->n; i++)
		if (goes_first(w, i) && (first == w->n || w->heap[i].order < w->heap[first].order))
			first = i;
	return first;
}

static bool applies(const struct world *w, const struct sim_fault *f, uint8_t node)
{
	const struct node *n = &w->nodes[node];
	bool runs = node_runs(n) && !n->core.exited;

	switch ((enum sim_what)f->what) {
	case SIM_FREEZE:
		return runs;
	case SIM_CRASH:
		return n->alive;
	case SIM_CUT:
		return !w->cut[!node][node][0];
	case SIM_SWITCH:
	case SIM_STOP:
		return runs && !n->core.stopping;
	case SIM_LINK:
		return n->alive && !n->link_down[0];
	case SIM_STEAL:
		return n->present[0];
	case SIM_STRANGER:
	case SIM_UNITS:
	case SIM_INHIBIT:
		return node == 0 && !w->strangers[0];
	case SIM_PAUSE:
	case SIM_SPLIT:
	case SIM_LOSS:
	case SIM_DELAY:
	case SIM_MAINT:
	case SIM_CHECK:
	case SIM_FLUSH:
	case SIM_SLOW:
	case SIM_REFUSE:
	case SIM_DEAFREF:
	case SIM_DRIP:
	case SIM_TWICE:
	case SIM_VERSION:
	case SIM_MUTE:
	case SIM_SERVICE:
	case _SIM_WHAT_MAX:
		break;
	}
	return false;
}

/*
 * What a process is told of by a notice need not be tried at every point: the notice
 * itself waits for as long as that makes a difference.
 */
enum which { FAULTS_OF_PROCESS, FAULTS_UNTOLD, FAULTS_ALL };

static enum which which(const struct sim_fault *f)
{
	if (f->what == SIM_FREEZE || f->what == SIM_CRASH)
		return FAULTS_OF_PROCESS;
	return f->what == SIM_CUT ? FAULTS_UNTOLD : FAULTS_ALL;
}

static void add_faults(struct world *w, struct list *l, uint8_t node, enum which up_to)
{
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct sim_fault *f = &faults[i];

		if (which(f) <= up_to && applies(w, f, node))
			add(l, EXPLORE_FAULT, node, i);
	}
}

/* Before what is in no doubt only the process itself can come to grief, or the datagram. */
static void list_certain(struct world *w, struct list *l, size_t i, bool with_faults)
{
	const struct item *item = item_at(w, i);

	add(l, EXPLORE_RUN, item->node, i);
	if (!with_faults || is_stale(w, item))
		return;
	if (item->what == SIM_DELIVER)
		add(l, EXPLORE_DROP, item->node, i);
	else if (item->what == SIM_PERFORM)
		add_faults(w, l, item->node, FAULTS_OF_PROCESS);
}

static void list_item(struct world *w, struct list *l, size_t i, bool with_faults)
{
	const struct item *item = item_at(w, i);
	unsigned earlier = before(w, i);

	if (earlier == 0)
		add(l, EXPLORE_RUN, item->node, i);
	if (!with_faults)
		return;
	if (item->what == SIM_DELIVER && !item->held)
		add(l, EXPLORE_DROP, item->node, i);
	if (item->what == SIM_DELIVER && earlier == 1)
		add(l, EXPLORE_OVERTAKE, item->node, i);
	if (item->what == SIM_PERFORM && earlier == 0 && item->action.type != CORE_DO_STORE)
		add(l, EXPLORE_REFUSE, item->node, i);
}

static bool timer_is_due(const struct world *w, uint8_t node)
{
	const struct node *n = &w->nodes[node];

	return node_runs(n) && !n->core.exited && n->timer_at <= w->now;
}

/* Nothing comes between what the sockets have kept, but for a deadline that the loop has seen. */
static void list_thawed(struct world *w, struct list *l, uint8_t node, bool with_faults)
{
	for (size_t i = 0; i < w->n; i++)
		if (item_at(w, i)->held && item_at(w, i)->node == node && before(w, i) == 0)
			add(l, EXPLORE_RUN, node, i);
	if (timer_is_due(w, node))
		add(l, EXPLORE_TIMER, node, 0);
	if (with_faults)
		add_faults(w, l, node, FAULTS_OF_PROCESS);
}

/* When something is due that is not due yet. */
uint64_t choices_next_due(const struct world *w)
{
	uint64_t next = SIM_FOREVER;

	for (size_t i = 0; i < w->n; i++)
		if (is_timed(item_at(w, i)) && w->heap[i].at > w->now && w->heap[i].at < next)
			next = w->heap[i].at;
	for (unsigned i = 0; i < EXPLORE_NODES; i++) {
		const struct node *n = &w->nodes[i];

		if (node_runs(n) && !n->core.exited && n->timer_at > w->now && n->timer_at < next)
			next = n->timer_at;
	}
	return next;
}

/* A notice may take its time, until the next thing is due. */
static bool only_new_notices(const struct world *w, const struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].kind != EXPLORE_RUN || item_at(w, l->v[i].index)->what != SIM_NOTICE ||
		    w->heap[l->v[i].index].at < w->now)
			return false;
	return true;
}

/**
 * choices_list() - What may happen next, the most ordinary first
 * @faults: also what is out of the ordinary
 * @ret: EXPLORE_CHOICES_MAX
 *
 * Return: how many.
 */
size_t choices_list(struct world *w, bool with_faults, struct choice *ret)
{
	struct list l = { .v = ret };
	size_t certain = first_of_all(w);
	bool quiet;

	if (certain < w->n) {
		list_certain(w, &l, certain, with_faults);
		return l.n;
	}
	for (uint8_t node = 0; node < EXPLORE_NODES; node++)
		if (node_runs(&w->nodes[node]) && sockets_wait(w, node)) {
			list_thawed(w, &l, node, with_faults);
			return l.n;
		}
	for (size_t i = 0; i < w->n; i++)
		if (may_happen(w, i))
			list_item(w, &l, i, with_faults);
	for (uint8_t node = 0; node < EXPLORE_NODES; node++) {
		if (timer_is_due(w, node))
			add(&l, EXPLORE_TIMER, node, 0);
	}
	quiet = l.n == 0;
	if (quiet || only_new_notices(w, &l))
		add(&l, EXPLORE_ADVANCE, 0, 0);
	else if (with_faults && choices_next_due(w) < SIM_FOREVER)
		add(&l, EXPLORE_DELAY, 0, 0);
	for (uint8_t node = 0; node < EXPLORE_NODES && with_faults; node++)
		add_faults(w, &l, node, quiet ? FAULTS_ALL : FAULTS_UNTOLD);
	return l.n;
}

/* The fault of the list that has been chosen. */
struct sim_fault choice_fault(const struct choice *c)
{
	struct sim_fault f = faults[c->index];

	f.node = c->node;
	f.peer = !c->node;
	return f;
}

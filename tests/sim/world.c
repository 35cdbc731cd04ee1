/* SPDX-License-Identifier: MIT */

/* What happens, in the order of its time, to cores that know nothing of it. */

#include <inttypes.h>
#include <stdlib.h>

#include "agent/trace/trace.h"

#include "tests/sim/sim.h"

enum { WORLD_STEPS_MAX = 2000 * 1000 }; /* a history without end is one that is broken */

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w)
		w->beats = calloc(SIM_ITEMS_MAX, sizeof(*w->beats));
	if (!w || !w->beats)
		abort();
	return w;
}

void world_free(struct world *w)
{
	free(w->beats);
	free(w);
}

static bool earlier(const struct heap_entry *a, const struct heap_entry *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void heap_push(struct world *w, struct heap_entry entry)
{
	size_t i = w->n++;

	for (; i && earlier(&entry, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = entry;
}

static struct heap_entry heap_pop(struct world *w)
{
	struct heap_entry top = w->heap[0], last = w->heap[--w->n];
	size_t i = 0;

	for (size_t child = 1; child < w->n; child = 2 * i + 1) {
		if (child + 1 < w->n && earlier(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!earlier(&w->heap[child], &last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return top;
}

/* Something will happen; the caller says the rest. The item belongs to the queue. */
struct item *world_push(struct world *w, uint64_t at, enum sim_item what, uint8_t node)
{
	uint32_t slot;
	struct item *item;

	if (!w->n_free)
		abort(); /* a queue that grows without end: a defect of the simulator */
	slot = w->free[--w->n_free];
	item = &w->items[slot];
	item->what = what;
	item->node = node;
	item->held = false;
	item->life = w->nodes[node].life;
	if (w->h->exact && what != SIM_BOOT && what != SIM_END)
		at = w->now;
	heap_push(w, (struct heap_entry){ .at = at, .order = w->order++, .slot = slot });
	return item;
}

bool node_runs(const struct node *n)
{
	return n->alive && !n->frozen_until && !n->paused_until;
}

/* What the machine's clock shows. */
uint64_t node_clock(const struct world *w, const struct node *n)
{
	int16_t ppm = w->h->drift_ppm[n - w->nodes];
	uint64_t went = w->now > n->clock_at ? w->now - n->clock_at : 0;

	if (ppm)
		went = went * (uint64_t)(1000000 + ppm) / 1000000;
	return n->clock_was + went;
}

/* When that clock will show this; not before now. */
static uint64_t world_time(const struct world *w, const struct node *n, uint64_t clock)
{
	int16_t ppm = w->h->drift_ppm[n - w->nodes];
	uint64_t ahead = clock > n->clock_was ? clock - n->clock_was : 0;

	if (ppm)
		ahead = ahead * 1000000 / (uint64_t)(1000000 + ppm) + 1;
	return n->clock_at + ahead;
}

static void take_order(struct world *w, uint8_t node, const struct core_action *a)
{
	struct node *n = &w->nodes[node];
	uint64_t at = n->loop_busy > n->work_busy ? n->loop_busy : n->work_busy;

	at += between(&w->state, 20, 300);
	if (n->slow_us && chance(&w->state, 30))
		at += between(&w->state, 0, n->slow_us);
	if (a->type != CORE_DO_PROBE) /* which the loop sends itself */
		n->work_busy = at;
	if (a->type == CORE_DO_GATE && a->gate.create)
		n->epoch++;
	if (a->type == CORE_DO_REBUILD)
		n->rebuilt_until = n->core.lease_until.us;
	world_push(w, at, SIM_PERFORM, node)->action = *a;
}

static void take_actions(struct world *w, uint8_t node, const struct core_actions *actions)
{
	struct node *n = &w->nodes[node];

	if (n->loop_busy < w->now)
		n->loop_busy = w->now;
	for (size_t i = 0; i < actions->n; i++) {
		const struct core_action *a = &actions->v[i];
		struct item *item;

		if (a->type == CORE_DO_TELL || a->type == CORE_DO_REPLY)
			continue;
		n->loop_busy += between(&w->state, 1, 20);
		if (a->type == CORE_DO_UNITS)
			units_begin(w, node, a);
		else if (a->id)
			take_order(w, node, a);
		if (a->id)
			continue;
		item = world_push(w, n->loop_busy, SIM_PERFORM, node);
		item->action = *a;
		if (a->type == CORE_DO_BEAT) {
			item->beat = wire_take_beat(w);
			core_beat_fill(&n->core, a, &w->beats[item->beat]);
			for (unsigned g = n->core.config.n_groups; g < w->h->n_groups; g++)
				w->beats[item->beat].groups[g].present = false;
		}
	}
}

static void set_timer(struct world *w, struct node *n)
{
	uint64_t at = world_time(w, n, core_deadline(&n->core).us);

	w->timers_moved = true;
	if (w->h->exact) {
		n->timer_at = at > w->now ? at : w->now;
		return;
	}
	if (at <= w->now)
		at = w->now + 1;
	/* all timers of lockstep are late alike, so that nodes stay in step */
	n->timer_at = at + (w->h->lockstep ? 150 : between(&w->state, 0, 200));
}

static void record(struct world *w, const struct core_event *event,
		   const struct core_actions *actions)
{
	trace_event(w->record, event, w->h->n_groups, NULL);
	for (size_t i = 0; i < actions->n; i++)
		trace_action(w->record, &actions->v[i]);
}

/* Let a core hear of something, and set its actions under way. */
void world_step(struct world *w, uint8_t node, struct core_event *event)
{
	static struct core_actions actions;
	struct node *n = &w->nodes[node];
	uint64_t clock = node_clock(w, n);
	struct before before;

	for (unsigned g = 0; g < w->h->n_groups; g++) {
		before.term_max[g] = n->core.groups[g].term_max;
		before.primary[g] = n->core.groups[g].primary;
		before.state[g] = n->core.groups[g].state;
		before.step[g] = n->core.groups[g].step;
		before.unfit[g] = n->core.groups[g].unfit;
		before.units[g] = n->core.groups[g].units;
		before.serving[g] = n->core.groups[g].serving;
	}
	before.lease_until = n->core.lease_until;
	event->now = (instant){ clock };
	n->asleep_us = n->last_step ? clock - n->last_step : 0;
	n->last_step = clock;
	law_confirm(w, node, event);
	core_step(&n->core, event, &actions);
	w->steps++;
	if (w->record && node == w->recorded)
		record(w, event, &actions);
	law_step(w, node, event, &actions, &before);
	take_actions(w, node, &actions);
	set_timer(w, n);
}

/* An agent starts, and finds what its kernel and its disk have kept. */
void world_boot(struct world *w, uint8_t node)
{
	struct node *n = &w->nodes[node];
	struct core_config config;
	uint64_t clock = node_clock(w, n);
	bool lives = n->lease_until > clock && !n->flushed;

	plan_config(w->h, node, &config);
	core_init(&n->core, &config);
	if (w->record && node == w->recorded)
		trace_config(w->record, &config);
	n->alive = true;
	n->flushed = false;
	n->thawed_at = 0;
	n->woke_at = w->now;
	memset(n->heard_from, 0, sizeof(n->heard_from));
	memset(n->heard_life, 0, sizeof(n->heard_life)); /* it has no session with anybody */
	w->disturbed_at = w->now;
	service_boot(n);
	n->frozen_until = n->last_step = 0;
	n->loop_busy = n->work_busy = w->now;
	for (uint8_t g = 0; g < config.n_groups; g++) {
		struct core_event event = { .type = CORE_EV_START, .group = g };

		event.start.term = n->term[g];
		event.start.maintenance = n->maintenance[g];
		event.start.salt = (uint32_t)roll(&w->state);
		event.start.adopted = lives && n->gate[g] == CORE_GATE_ANSWER && n->present[g];
		event.start.lease_left_us = lives ? (uint32_t)(n->lease_until - clock) : 0;
		event.start.boot = n->booted;
		if (!event.start.adopted) {
			n->gate[g] = CORE_GATE_CLOSED;
			kernel_place(w, n, g, false);
		}
		world_step(w, node, &event);
	}
	n->booted = false;
	for (uint8_t g = 0; g < config.n_groups; g++) {
		struct core_event event = { .type = CORE_EV_FITNESS, .group = g };

		event.fitness.unfit = true;
		event.fitness.reason = (uint16_t)((n->link_down[g] ? CORE_UNFIT_LINK : 0) |
						  (n->check_fails[g] ? CORE_UNFIT_CHECK : 0));
		if (event.fitness.reason)
			world_step(w, node, &event);
	}
	if (w->h->references) {
		struct core_event event = { .type = CORE_EV_REFERENCES };

		event.references_silent = n->references_deaf;
		world_step(w, node, &event);
	}
}

static void perform_done(struct world *w, const struct item *item)
{
	struct core_event event = { .type = CORE_EV_DONE, .group = item->action.group };

	event.done.id = item->action.id;
	event.done.err = service_answer(w, item->node, &item->action, item->err);
	law_done(w, item->node, &item->action, item->err);
	world_step(w, item->node, &event);
}

/* Something whose time has come. */
void world_happen(struct world *w, struct item *item)
{
	struct node *n = &w->nodes[item->node];
	bool of_the_living = n->alive && item->life == n->life;

	switch ((enum sim_item)item->what) {
	case SIM_PERFORM:
		if (item->action.type == CORE_DO_BEAT) {
			if (of_the_living)
				wire_send(w, item->node, item);
			wire_drop_beat(w, item->beat);
		} else if (of_the_living) {
			kernel_perform(w, item->node, &item->action);
		}
		break;
	case SIM_DONE:
		if (of_the_living)
			perform_done(w, item);
		break;
	case SIM_DELIVER:
		wire_deliver(w, item);
		break;
	case SIM_NOTICE:
		if (item->event.type == CORE_EV_LAPSED && (uint32_t)item->err != n->epoch)
			break;
		if (of_the_living && !n->core.exited)
			world_step(w, item->node, &item->event);
		break;
	case SIM_BEGIN:
		fault_begin(w, item->fault);
		break;
	case SIM_END:
		fault_end(w, item->fault);
		break;
	case SIM_BOOT:
		if (!n->alive && item->life == n->life)
			world_boot(w, item->node);
		break;
	case SIM_TRAFFIC:
		silence_arrive(w, item);
		break;
	}
}

/* A process that does not run does nothing until it does again. */
static uint64_t waits_until(const struct world *w, const struct item *item)
{
	const struct node *n = &w->nodes[item->node];
	uint64_t until = n->frozen_until;

	if (item->what == SIM_BEGIN || item->what == SIM_END)
		return 0;
	if (n->paused_until > until)
		until = n->paused_until;
	if (!n->alive || item->what == SIM_BOOT)
		return n->paused_until;
	if (until && item->what == SIM_PERFORM)
		return until; /* what had been begun is ended first */
	if (until) /* the loop reads the sockets before anything but a deadline that it has seen */
		return until + (item->what == SIM_DELIVER ? 2 : 3);
	return item->what != SIM_PERFORM && n->loop_busy > w->now ? n->loop_busy : 0;
}

/* The node whose deadline comes first; SIM_NODES_MAX: none has one. */
static uint8_t next_timer(struct world *w)
{
	uint64_t first = SIM_FOREVER;

	if (!w->timers_moved)
		return w->next_node;
	w->timers_moved = false;
	w->next_node = SIM_NODES_MAX;
	for (uint8_t i = 0; i < w->h->n_nodes; i++) {
		struct node *n = &w->nodes[i];
		uint64_t busy =
			n->frozen_until > n->paused_until ? n->frozen_until : n->paused_until;

		if (!n->alive || n->core.exited)
			continue;
		busy = busy ? busy + (n->lateness ? 1 : 60) : n->loop_busy;
		if (n->timer_at < busy)
			n->timer_at = busy;
		if (n->timer_at < first) {
			first = n->timer_at;
			w->next_node = i;
		}
	}
	return w->next_node;
}

static void run_item(struct world *w)
{
	struct heap_entry entry = heap_pop(w);
	struct item *item = &w->items[entry.slot];
	uint64_t until;

	w->now = entry.at;
	if (item->what == SIM_DELIVER && !item->held && !w->nodes[item->node].paused_until) {
		wire_hold(w, &w->nodes[item->node], item);
		item->held = true;
	}
	until = waits_until(w, item);
	if (until > w->now) {
		entry.at = until;
		entry.order = w->order++;
		heap_push(w, entry);
		return;
	}
	world_happen(w, item);
	w->free[w->n_free++] = entry.slot;
}

static void run(struct world *w)
{
	while (!w->broken && w->steps < WORLD_STEPS_MAX) {
		uint64_t at = w->n ? w->heap[0].at : SIM_FOREVER;
		uint8_t node = next_timer(w);
		bool timer = node < SIM_NODES_MAX && w->nodes[node].timer_at < at;

		if (timer)
			at = w->nodes[node].timer_at;
		if (at > w->h->end)
			break;
		if (timer) {
			struct core_event event = { .type = CORE_EV_TIME };

			w->now = at;
			world_step(w, node, &event);
		} else {
			run_item(w);
		}
		law_holders(w);
	}
	if (w->steps >= WORLD_STEPS_MAX)
		law_broken(w, "the cores keep each other busy without end", 0);
	w->now = w->h->end;
}

static void measure(struct world *w, uint8_t node)
{
	struct core_config c;

	plan_config(w->h, node, &c);
	if (w->interval_max < c.interval_us)
		w->interval_max = c.interval_us;
	if (w->lease_max < c.lease_us)
		w->lease_max = c.lease_us;
	if (w->dead_min > c.dead_us)
		w->dead_min = c.dead_us;
	if (w->dead_max < c.dead_us)
		w->dead_max = c.dead_us;
}

/* Before anything has happened. */
void world_begin(struct world *w, const struct sim_history *h, FILE *trace)
{
	struct core_beat *beats = w->beats;

	memset(w, 0, offsetof(struct world, heap));
	w->h = h;
	w->trace = trace;
	w->state = h->seed;
	w->order = 0;
	w->n = 0;
	w->beats = beats;
	w->timers_moved = true;
	for (w->n_free = 0; w->n_free < SIM_ITEMS_MAX; w->n_free++)
		w->free[w->n_free] = (uint32_t)(SIM_ITEMS_MAX - 1 - w->n_free);
	for (w->n_free_beats = 0; w->n_free_beats < SIM_ITEMS_MAX; w->n_free_beats++)
		w->free_beats[w->n_free_beats] = (uint16_t)(SIM_ITEMS_MAX - 1 - w->n_free_beats);
	w->dead_min = UINT32_MAX;
	for (uint8_t i = 0; i < h->n_nodes; i++) {
		measure(w, i);
		w->nodes[i].clock_was = between(&w->state, 10, 10000) * 1000000;
		w->nodes[i].booted = chance(&w->state, 50);
		w->nodes[i].lateness = chance(&w->state, 50);
		world_push(w, between(&w->state, 1000, 300000), SIM_BOOT, i);
	}
	silence_begin(w);
	for (size_t i = 0; i < h->n_faults; i++) {
		w->kinds |= SIM_KIND(h->faults[i].what);
		world_push(w, h->faults[i].at, SIM_BEGIN, h->faults[i].node)->fault = (uint16_t)i;
	}
	w->kernel_trouble = w->kinds & (SIM_KIND(SIM_SLOW) | SIM_KIND(SIM_REFUSE));
}

/**
 * world_record() - live through a history, and keep what one node was told and did
 * @node: that node
 * @record: where to
 *
 * The other parameters are those of world_live().
 */
void world_record(struct world *w, const struct sim_history *h, uint8_t node, FILE *record)
{
	world_begin(w, h, NULL);
	w->record = record;
	w->recorded = node;
	run(w);
	w->record = NULL;
}

/**
 * world_live() - live through a history
 * @w: used again and again: making one is dear
 * @h: what happens; borrowed
 * @trace: where to tell it; NULL: nowhere
 * @ret: what came of it
 */
void world_live(struct world *w, const struct sim_history *h, FILE *trace, struct sim_outcome *ret)
{
	world_begin(w, h, trace);
	run(w);
	if (!w->broken)
		law_end(w);
	*ret = (struct sim_outcome){ .steps = w->steps,
				     .hash = w->hash,
				     .longest = w->longest,
				     .longest_excused = w->longest_excused };
	for (unsigned g = 0; g < h->n_groups; g++)
		if (w->changed_at[g] > h->last + ret->settled)
			ret->settled = w->changed_at[g] - h->last;
	if (w->broken)
		(void)snprintf(ret->broken, sizeof(ret->broken), "%s", w->why);
}

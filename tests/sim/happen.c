/* SPDX-License-Identifier: MIT */

/* Letting happen what has been chosen, and looking at the laws. */

#include "tests/sim/explore.h"

/* The last instant of a lease that runs out until then; SIM_FOREVER: of none. */
static uint64_t next_lease_end(const struct world *w, uint64_t until)
{
	uint64_t first = SIM_FOREVER;

	for (unsigned i = 0; i < EXPLORE_NODES; i++) {
		const struct node *n = &w->nodes[i];
		uint64_t last = n->lease_until - n->clock_was + n->clock_at - 1;

		if (n->lease_until && last > w->now && last < until && last < first)
			first = last;
	}
	return first;
}

/* Until something is due. On the way the leases run out, one after the other. */
static void advance(struct world *w)
{
	uint64_t next = choices_next_due(w), last;

	if (next == SIM_FOREVER) {
		law_broken(w, "nothing will ever happen again", 0);
		return;
	}
	while ((last = next_lease_end(w, next)) < SIM_FOREVER) {
		w->now = last;
		law_holders(w);
	}
	w->now = next;
}

/**
 * explore_bounds() - What the laws expect of the faults that there have been so far
 *
 * That everything is over by a certain time is no law here: search() looks for rest.
 */
void explore_bounds(struct sim_history *h)
{
	plan_bounds(h);
	h->quiet = h->end = SIM_FOREVER;
}

/*
 * One more fault. What the laws know of a random history from its beginning they
 * are told as it happens: nothing is excused by what is still to come.
 */
static uint16_t add_fault(struct world *w, struct sim_history *h, struct sim_fault f)
{
	f.at = w->now;
	h->faults[h->n_faults] = f;
	w->kinds |= SIM_KIND(f.what);
	w->kernel_trouble = w->kinds & (SIM_KIND(SIM_SLOW) | SIM_KIND(SIM_REFUSE));
	w->disturbed_at = w->now;
	h->n_faults++;
	explore_bounds(h);
	return (uint16_t)(h->n_faults - 1);
}

/* Things that happen to single items and moments are kept with the faults of the list. */
static void note(struct world *w, struct sim_history *h, uint8_t what, uint32_t arg)
{
	(void)add_fault(w, h, (struct sim_fault){ .what = what, .arg = arg });
}

/* What is under way for longer than an interval counts as lost for as long. */
static void lose_late(struct world *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct item *item = item_at(w, i);

		if (item->what == SIM_DELIVER && !item->held &&
		    w->now - item->sent > w->interval_max)
			exposed_lost(w, item->from, item->node);
	}
}

static void delay(struct world *w, struct sim_history *h)
{
	uint64_t by = choices_next_due(w) - w->now;
	bool orders = false;

	for (size_t i = 0; i < w->n; i++)
		orders |= item_at(w, i)->what == SIM_PERFORM || item_at(w, i)->what == SIM_DONE;
	note(w, h, orders ? SIM_SLOW : SIM_DELAY, (uint32_t)by);
	advance(w);
	w->disturbed_at = w->now;
	lose_late(w);
}

static void run_item(struct world *w, size_t i)
{
	uint32_t slot = w->heap[i].slot;
	struct item *item = &w->items[slot];
	struct node *n = &w->nodes[item->node];

	if (item->what == SIM_DELIVER && !item->held) {
		wire_hold(w, n, item);
		item->held = true;
		if (n->alive && n->frozen_until)
			return;
	}
	if (item->what == SIM_BOOT) /* of the salt, which no other life has */
		w->state = (uint64_t)item->life * EXPLORE_NODES + item->node;
	w->heap[i] = w->heap[--w->n];
	world_happen(w, item);
	w->free[w->n_free++] = slot;
}

static void drop_item(struct world *w, size_t i)
{
	uint32_t slot = w->heap[i].slot;

	w->heap[i] = w->heap[--w->n];
	exposed_lost(w, w->items[slot].from, w->items[slot].node);
	wire_drop_beat(w, w->items[slot].beat);
	w->free[w->n_free++] = slot;
}

static void begin_fault(struct world *w, struct sim_history *h, const struct choice *c)
{
	fault_begin(w, add_fault(w, h, choice_fault(c)));
}

/* Two may serve in a seamless handover, but who announces answers alone. */
static void check_answers(struct world *w)
{
	unsigned answer = 0;

	for (unsigned i = 0; i < EXPLORE_NODES; i++)
		answer += kernel_serves(w, &w->nodes[i], 0) &&
			  w->nodes[i].gate[0] == CORE_GATE_ANSWER;
	if (answer > 1 && !exposed(w, 0, 1))
		law_broken(w, "two nodes answer for the addresses", 0);
}

/**
 * choice_make() - Let it happen, and look at the laws
 */
void choice_make(struct world *w, struct sim_history *h, const struct choice *c)
{
	struct core_event timer = { .type = CORE_EV_TIME };

	switch ((enum explore_kind)c->kind) {
	case EXPLORE_RUN:
		run_item(w, c->index);
		break;
	case EXPLORE_TIMER:
		world_step(w, c->node, &timer);
		break;
	case EXPLORE_ADVANCE:
		advance(w);
		break;
	case EXPLORE_DELAY:
		delay(w, h);
		break;
	case EXPLORE_DROP:
		note(w, h, SIM_LOSS, 0);
		drop_item(w, c->index);
		break;
	case EXPLORE_OVERTAKE:
		note(w, h, SIM_DELAY, 0);
		run_item(w, c->index);
		break;
	case EXPLORE_REFUSE:
		note(w, h, SIM_REFUSE, 0);
		w->nodes[c->node].refuse = 100;
		run_item(w, c->index);
		w->nodes[c->node].refuse = 0;
		break;
	case EXPLORE_FAULT:
		begin_fault(w, h, c);
		break;
	case _EXPLORE_KIND_MAX:
		break;
	}
	law_holders(w);
	check_answers(w);
}

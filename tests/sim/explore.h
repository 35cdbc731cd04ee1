/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Exhaustive search beside the random one: two nodes, one group, one clock, and
 * whatever may happen next, happening. Things take no time unless that is chosen;
 * each thing chosen that is out of the ordinary counts as one fault.
 */

#include "tests/sim/sim.h"

enum {
	EXPLORE_NODES = 2,
	EXPLORE_ITEMS_MAX = 64,
	EXPLORE_CHOICES_MAX = 96,
	STATE_LEN_MAX = 32 * 1024,
};

struct state_key {
	uint64_t a, b;
};

/* What may happen next. */
enum explore_kind {
	EXPLORE_RUN,	  /* an item happens */
	EXPLORE_TIMER,	  /* a deadline of a core has come */
	EXPLORE_ADVANCE,  /* nothing is left to happen now: time passes */
	EXPLORE_DELAY,	  /* something is, and time passes nevertheless */
	EXPLORE_DROP,	  /* a datagram vanishes */
	EXPLORE_OVERTAKE, /* a datagram arrives before an earlier one */
	EXPLORE_REFUSE,	  /* the kernel refuses an order */
	EXPLORE_FAULT,	  /* one of the list begins */
	_EXPLORE_KIND_MAX,
};

struct choice {
	uint8_t kind, node;
	uint16_t index; /* of the item in the queue, or of the fault in the list */
};

static inline const struct item *item_at(const struct world *w, size_t i)
{
	return &w->items[w->heap[i].slot];
}

static inline bool item_has_beat(const struct item *item)
{
	return item->what == SIM_DELIVER ||
	       (item->what == SIM_PERFORM && item->action.type == CORE_DO_BEAT);
}

/* state.c */
size_t state_keep(struct world *w, struct sim_history *h, uint8_t *ret);
void state_restore(struct world *w, struct sim_history *h, uint8_t *state);

/* key.c */
struct state_key state_key(struct world *w, uint64_t extra);

/* choices.c */
size_t choices_list(struct world *w, bool faults, struct choice *ret);
struct sim_fault choice_fault(const struct choice *c);
uint64_t choices_next_due(const struct world *w);

/* happen.c */
void choice_make(struct world *w, struct sim_history *h, const struct choice *c);
void explore_bounds(struct sim_history *h);

/* path.c */
void choice_print(const struct world *w, const struct choice *c, FILE *to);

/* What came of a search. */
struct explored {
	uint64_t states, transitions, deepest;
	uint64_t compared;   /* times that two states with one key were held against each other */
	uint64_t longest_us; /* that it took to settle, left alone */
	bool complete, broken, ended;
};

/* search.c */
void search(struct world *w, struct sim_history *h, unsigned faults, uint64_t states_max,
	    struct explored *ret);

/* explore.c */
struct explore_options {
	unsigned faults, jobs;
	uint64_t states_max;
};

int explore(const struct explore_options *options);

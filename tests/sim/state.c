/* SPDX-License-Identifier: MIT */

/* The state of a world of two nodes and one group: kept, and put back. */

#include <stdlib.h>

#include "tests/sim/explore.h"

/* Either way between a world and a state. */
struct mover {
	uint8_t *at;
	bool back; /* from the state into the world */
};

static void move(struct mover *m, void *field, size_t len)
{
	if (m->back)
		memcpy(field, m->at, len);
	else
		memcpy(m->at, field, len);
	m->at += len;
}

/* Records and groups beyond the first, and peers beyond the second, are not in use. */
static void move_node(struct mover *m, struct node *n)
{
	move(m, &n->core.now, offsetof(struct core, groups[1]) - offsetof(struct core, now));
	for (unsigned p = 0; p < EXPLORE_NODES; p++)
		move(m, &n->core.peers[p], offsetof(struct core_peer, beat.groups[1]));
	move(m, &n->alive, offsetof(struct node, requests) - offsetof(struct node, alive));
	move(m, &n->n_requests, sizeof(*n) - offsetof(struct node, n_requests));
	move(m, n->requests, n->n_requests * sizeof(n->requests[0]));
}

static void move_item(struct mover *m, struct world *w, size_t i)
{
	struct heap_entry *entry = &w->heap[i];
	struct item *item;

	move(m, &entry->at, sizeof(entry->at));
	move(m, &entry->order, sizeof(entry->order));
	if (m->back)
		entry->slot = w->free[--w->n_free];
	item = &w->items[entry->slot];
	move(m, item, sizeof(*item));
	if (!item_has_beat(item))
		return;
	if (m->back)
		item->beat = wire_take_beat(w);
	move(m, &w->beats[item->beat], offsetof(struct core_beat, groups[1]));
}

/* Everything is free again; few items are ever in use, and only their places are mixed up. */
static void free_items(struct world *w)
{
	w->n_free = w->n_free_beats = SIM_ITEMS_MAX;
	for (unsigned i = 0; i < EXPLORE_ITEMS_MAX; i++) {
		w->free[SIM_ITEMS_MAX - 1 - i] = i;
		w->free_beats[SIM_ITEMS_MAX - 1 - i] = (uint16_t)i;
	}
}

static void move_world(struct mover *m, struct world *w, struct sim_history *h)
{
	move(m, &w->now, sizeof(w->now));
	move(m, w->cut, offsetof(struct world, heap) - offsetof(struct world, cut));
	move(m, &w->n, sizeof(w->n));
	move(m, &w->order, sizeof(w->order));
	for (unsigned i = 0; i < EXPLORE_NODES; i++)
		move_node(m, &w->nodes[i]);
	for (size_t i = 0; i < w->n; i++)
		move_item(m, w, i);
	move(m, &h->n_faults, sizeof(h->n_faults));
	move(m, h->faults, h->n_faults * sizeof(h->faults[0]));
	move(m, &h->holds_us, sizeof(h->holds_us));
}

/**
 * state_keep() - Copy what makes the world what it is
 * @ret: at least STATE_LEN_MAX
 *
 * Return: bytes used of @ret.
 */
size_t state_keep(struct world *w, struct sim_history *h, uint8_t *ret)
{
	struct mover m = { .at = ret };

	if (w->n > EXPLORE_ITEMS_MAX)
		abort();
	move_world(&m, w, h);
	if ((size_t)(m.at - ret) > STATE_LEN_MAX)
		abort();
	return (size_t)(m.at - ret);
}

/**
 * state_restore() - Make the world again what it was
 * @state: of state_keep()
 */
void state_restore(struct world *w, struct sim_history *h, uint8_t *state)
{
	struct mover m = { .at = state, .back = true };

	free_items(w);
	w->broken = NULL;
	move_world(&m, w, h);
}

/* SPDX-License-Identifier: MIT */

#include "agent/trace/ring.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/trace/pack.h"
#include "agent/trace/trace.h"

struct ring {
	size_t size;	  /* of a half */
	size_t event_max; /* what an entry needs at most */
	size_t used[2];
	unsigned now; /* which half is written */
	size_t last;  /* where in it the last event begins */
	uint8_t data[];
};

/**
 * ring_new() - A recorder that has recorded nothing
 * @config: of the core
 * @room: for events in each half, in bytes; what the value of a core needs comes on top
 *
 * Memory is taken from the system when it is first used.
 *
 * Return: 0; -ENOMEM.
 */
int ring_new(const struct core_config *config, size_t room, struct ring **ret)
{
	size_t event_max = pack_event_max(config);
	size_t size = pack_core_size(config) + (room > event_max ? room : event_max);
	struct ring *ring = calloc(1, sizeof(*ring) + 2 * size);

	if (!ring)
		return -ENOMEM;
	ring->size = size;
	ring->event_max = event_max;
	*ret = ring;
	return 0;
}

struct ring *ring_free(struct ring *ring)
{
	free(ring);
	return NULL;
}

static uint8_t *half(struct ring *ring, unsigned n)
{
	return ring->data + n * ring->size;
}

/**
 * ring_event() - Keep what the core is about to be told
 * @core: as it is before
 * @event: borrowed
 */
void ring_event(struct ring *ring, const struct core *core, const struct core_event *event)
{
	size_t *used = &ring->used[ring->now];

	if (*used + ring->event_max > ring->size) {
		ring->now = !ring->now;
		used = &ring->used[ring->now];
		*used = 0;
	}
	if (*used == 0)
		*used = pack_core(half(ring, ring->now), core);
	ring->last = *used;
	*used += pack_event(half(ring, ring->now) + *used, core, event);
}

/**
 * ring_actions() - Keep what came of it
 * @actions: of the core, which has heard the event
 * @ret: the entry of the event, complete; borrowed until the next one
 *
 * Return: how many bytes the entry has.
 */
size_t ring_actions(struct ring *ring, const struct core_actions *actions, const uint8_t **ret)
{
	uint8_t *entry = half(ring, ring->now) + ring->last;

	pack_digest(entry, trace_digest(actions));
	*ret = entry;
	return ring->used[ring->now] - ring->last;
}

/**
 * ring_used() - How many bytes ring_copy() writes
 */
size_t ring_used(const struct ring *ring)
{
	return ring->used[0] + ring->used[1];
}

/**
 * ring_copy() - All that is there, the oldest first, for player_play()
 * @to: ring_used() bytes
 */
void ring_copy(const struct ring *ring, uint8_t *to)
{
	unsigned old = !ring->now;

	memcpy(to, ring->data + old * ring->size, ring->used[old]);
	memcpy(to + ring->used[old], ring->data + ring->now * ring->size, ring->used[ring->now]);
}

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The last that a core has been told, and a digest of what it decided each time:
 * a fixed room in memory, in two halves. Each begins with the value of the core;
 * when one is full, the other begins anew. So there is always a beginning, and
 * more than half of the room behind it.
 */

#include "agent/core/core.h"

struct ring;

int ring_new(const struct core_config *config, size_t room, struct ring **ret);
struct ring *ring_free(struct ring *ring);
DEFINE_CLEANUP(struct ring *, ring_free)

void ring_event(struct ring *ring, const struct core *core, const struct core_event *event);
size_t ring_actions(struct ring *ring, const struct core_actions *actions, const uint8_t **ret);

size_t ring_used(const struct ring *ring);
void ring_copy(const struct ring *ring, uint8_t *to);

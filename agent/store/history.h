/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The events of this node, the last of them: in memory for who asks, and in two files of the
 * state directory for the next life of the agent. Nobody who adds or asks waits for the disk.
 */

#include "agent/event.h"

enum { HISTORY_MAX = 1000 };

struct history;

int history_new(const char *directory, struct history **ret);
struct history *history_free(struct history *history);
DEFINE_CLEANUP(struct history *, history_free)

int history_read(struct history *history, unsigned *ret_skipped);
void history_add(struct history *history, struct event *event);
const struct event *history_find(struct history *history, uint64_t since_us, uint64_t after);
bool history_is_saved(struct history *history);
int history_save(struct history *history);

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * takeoverd --trace: everything, into a file, as text. A thread makes the text and
 * writes it. If the disk is too slow for it, events are left out, and the trace
 * begins anew behind them.
 */

#include "agent/core/core.h"

struct stream;

int stream_open(const char *path);
int stream_new(const struct core *core, int fd, struct stream **ret);
struct stream *stream_free(struct stream *stream);
DEFINE_CLEANUP(struct stream *, stream_free)

void stream_note(struct stream *stream, const struct core *core, const uint8_t *entry, size_t size);

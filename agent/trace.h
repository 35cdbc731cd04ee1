/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a core was told and what it decided, as text that can be read, kept and
 * told to a core again. Knows no sockets, no clock and no bus.
 */

#include <stdio.h>

#include "agent/core/core.h"

/* What a line of a trace is. */
enum trace_what {
	TRACE_CONFIG, /* of the core that the rest is about */
	TRACE_GROUP,  /* the same of a group */
	TRACE_EVENT,
	TRACE_RECORD, /* of the heartbeat above */
	TRACE_ACTION,
	_TRACE_WHAT_MAX,
};

enum { TRACE_LINE_MAX = 1024 }; /* far more than the longest has */

void trace_config(FILE *to, const struct core_config *config);
void trace_event(FILE *to, const struct core_event *event, uint8_t n_groups);
void trace_action(FILE *to, const struct core_action *action);

/* What has been read so far: the last event is complete when another line follows. */
struct trace {
	struct core_config config;
	struct core_event event;
	struct core_beat beat; /* of the event */
};

int trace_parse(struct trace *trace, const char *line, enum trace_what *ret_what);

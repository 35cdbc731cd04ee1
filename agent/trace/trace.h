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
	TRACE_CORE,   /* of the value that the core begins with, if it has lived before */
	TRACE_EVENT,
	TRACE_RECORD, /* of the heartbeat above */
	TRACE_ACTION,
	TRACE_AGAIN, /* another agent goes on here: what is above may have been cut off */
	TRACE_END,   /* nothing has been cut off */
	_TRACE_WHAT_MAX,
};

enum { TRACE_LINE_MAX = 2048 }; /* far more than the longest has */

void trace_config(FILE *to, const struct core_config *config);
void trace_event(FILE *to, const struct core_event *event, uint8_t n_groups,
		 const struct core_beat *known);
void trace_action(FILE *to, const struct core_action *action);
uint32_t trace_digest(const struct core_actions *list);

/* Parts of lines, for whoever has kinds of lines of his own */
void trace_beat(FILE *to, const struct core_beat *beat);
void trace_record(FILE *to, const struct core_record *record);
int trace_parse_beat(const char *at, struct core_beat *ret);
int trace_parse_record(const char *at, struct core_record *ret);

/* What has been read so far: the last event is complete when another line follows. */
struct trace {
	struct core_config config;
	struct core_event event;
	struct core_beat beat; /* of the event */
	bool as_known;	       /* it; but for the records that are said */
};

int trace_parse(struct trace *trace, const char *line, enum trace_what *ret_what);

/* SPDX-License-Identifier: MIT */
#pragma once

/* What others do to the addresses in the kernel: sensed, and remembered for the words about it. */

#include "agent/kernel/foreign.h"
#include "agent/kernel/requester.h"
#include "netlink/monitor.h"

struct agent;
struct worker_result;

/* What a repair is about. */
struct drift_note {
	struct addr addr; /* the first one */
	size_t n;	  /* 0: none is known */
	bool changed;	  /* not removed */
	char by[REQUESTER_MAX];
};

/* Of a group. More may be lost while a repair is under way: each note has its own. */
struct drift {
	struct drift_note noted, mending, mended;
	bool given_up; /* taken away too often, and people have heard of that */
};

void drift_gone(struct agent *agent, const struct monitor_event *event);
void drift_came(struct agent *agent, const struct monitor_event *event);
void drift_look(struct agent *agent, const struct addr *addrs, size_t n);
void drift_ordered(struct agent *agent, uint8_t group, bool repair);
void drift_result(struct agent *agent, const struct worker_result *result);
void drift_done(struct agent *agent, uint8_t group);

/* SPDX-License-Identifier: MIT */
#pragma once

/* What comes before a release or a claim: units that are started and stopped, in their order. */

#include "agent/conf/conf.h"

struct agent;

/* What is under way for a group. */
struct steps {
	uint32_t id;		     /* the core's; 0: nothing is */
	const struct conf_steps *of; /* borrowed */
	size_t next;		     /* of these, behind the one that is under way */
	instant due;		     /* when that one has had its time */
	char failed[320]; /* "stop takeover-a.service: why", of the last that failed; "" */
};

void steps_begin(struct agent *agent, const struct core_action *action);
void steps_done(struct agent *agent, uint32_t id, int err, const char *why);
instant steps_look(struct agent *agent, uint8_t group, instant now);

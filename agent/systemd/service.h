/* SPDX-License-Identifier: MIT */
#pragma once

/* Unit= of a group: whether the service that the group is for runs. */

#include "agent/base.h"
#include "sdbus/unit.h"

struct agent;

enum {
	SERVICE_RESTARTS = 3, /* so many in a row, each by systemd, are too many */
};

/* The unit of a group, as it is known. */
struct service {
	struct unit_state state;
	bool known;
	const char *fault;		     /* what is wrong with it, told; NULL: nothing */
	instant since;			     /* it should run, and has not since then */
	instant restarted[SERVICE_RESTARTS]; /* the last ones, the newest first */
	instant well_since;		     /* runs on the primary, without a break */
	bool let_down;			     /* it did not run on the primary, nor has since */
	instant rests_until;		     /* for that, this node is no better backup */
	uint8_t in_vain; /* how often that was so, without it being well between */
};

void service_changed(struct agent *agent, uint8_t group, const struct unit_state *state);
instant service_look(struct agent *agent, uint8_t group, instant now);

/* SPDX-License-Identifier: MIT */
#pragma once

/* R6: a world in which the network is asked whether somebody answers for an address. */

#include "tests/core_rig.h"

enum {
	PROBE = 200 * 1000,
	LATE = 5 * 1000,
	LEASE_END = 2 * INTERVAL + LEASE, /* of a peer, from its last heartbeat */
	FRESH = 1000 * 1000,
	RETRY = 2 * 1000 * 1000,
	OCCUPIED = -98,
};

static inline void probe_begin(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(probe_us, PROBE);
}

/* Beta hears alpha, a puppet, hold the group; its kernel waits for the test. */
static inline void probe_standby(void)
{
	probe_begin();
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
}

/* Of the puppet alpha: it goes on, as this. */
static inline void say_alpha_is(enum core_state state)
{
	rig_puppet(ALPHA)->state = state;
	rig_say(ALPHA, BETA);
}

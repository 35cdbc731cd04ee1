/* SPDX-License-Identifier: MIT */
#pragma once

/* What the world of core_rig.h is made of. */

#include <criterion/criterion.h>
#include <string.h>

#include "agent/core/core.h"

enum { ALPHA, BETA, GAMMA, RIG_NODES };

enum {
	INTERVAL = 50 * 1000,
	LEASE = 350 * 1000,
	COUNTED = LEASE - 5 * 1000, /* of a lease: the kernel rounds down to a tick */
	DEAD = 500 * 1000,
	START_WAIT = 5 * 1000 * 1000,
	HOLD = 3 * 1000 * 1000,
	STEP = 2 * 1000 * 1000,
	LISTEN = HOLD + DEAD, /* for a peer that has not been heard at all */
	LAST_RESORT = 3 * 1000 * 1000,
	LINGER = 20 * 1000,
	RIG_OFF_BEAT = 12345,
	RIG_BEATS = 64,	  /* heartbeats under way from one node to another */
	RIG_ORDERS = 256, /* orders of a node without an answer */
	RIG_ROUNDS =
		200, /* of deliveries and answers in one instant: far more than any story has */
};

struct rig_node {
	struct core core;
	struct core_config config;
	struct core_event start[CORE_GROUPS_MAX]; /* what the last life has left */
	bool runs;
	bool frozen;		  /* gets neither time nor heartbeats nor answers */
	bool stuck;		  /* its kernel does not answer */
	int probed;		  /* what its probes find */
	bool cut_from[RIG_NODES]; /* hears nothing of these */
	struct core_action orders[RIG_ORDERS];
	size_t n_orders;
	uint64_t stored[CORE_GROUPS_MAX];
	enum core_gate gate[CORE_GROUPS_MAX]; /* as ordered last */
	enum core_move said[CORE_GROUPS_MAX];
	struct core_beat puppet; /* what it says if it has no core */
	bool puppet_echoes;
};

static struct rig {
	instant now;
	struct rig_node nodes[RIG_NODES];
	struct {
		struct core_beat v[RIG_BEATS];
		size_t n;
		struct core_beat last; /* also if it was lost */
	} beats[RIG_NODES][RIG_NODES];
	struct core_actions actions; /* of the last step */
	int failure;		     /* what was told last of an order that failed */
	char trace[64 * 1024];
	size_t trace_len;
} rig;

static const char *const rig_names[RIG_NODES] = { "alpha", "beta", "gamma" };

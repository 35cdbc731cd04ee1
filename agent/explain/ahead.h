/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What will become of a group if nothing happens, or if one thing does. The core
 * is a plain value and its rules are its own, so nobody guesses: a copy of it
 * lives on, and is thrown away.
 */

#include "agent/core/core.h"

enum ahead_if {
	AHEAD_STEADY, /* who is heard goes on saying the same; no kernel answers */
	AHEAD_SILENT, /* the same, but nobody is heard any more */
	AHEAD_UNFIT,  /* a link of this node fails: what is done at once */
};

/* The first change of a group. */
struct ahead {
	bool any;      /* it comes; else the rest is as it is now */
	bool complete; /* so far ahead was looked that no timer is left which could bring it */
	bool exits;    /* the change is that the agent ends */
	instant at;
	enum core_state state;
	enum core_step step;
	enum core_reason reason;
	enum core_move move;
	uint8_t move_to;
	instant fit_at[16]; /* when a reason to be unfit has passed before that; by its bit */
};

int ahead_look(const struct core *core, uint8_t group, enum ahead_if what, struct ahead *ret);

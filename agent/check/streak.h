/* SPDX-License-Identifier: MIT */
#pragma once

/* Results of a check in a row, and what they come to. Knows no clock and no socket. */

#include "agent/base.h"

enum streak_state {
	STREAK_UNKNOWN, /* nothing has been heard that would say either */
	STREAK_WELL,
	STREAK_FAILED,
	_STREAK_STATE_MAX,
};

struct streak {
	enum streak_state state;
	bool well;  /* the last result, */
	uint32_t n; /* and how many in a row are like it; 0: there has been none */
};

bool streak_note(struct streak *streak, bool well, uint32_t rise, uint32_t fall);
const char *streak_state_name(enum streak_state state);

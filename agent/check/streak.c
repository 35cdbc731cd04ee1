/* SPDX-License-Identifier: MIT */

#include "agent/check/streak.h"

/**
 * streak_note() - One more result of a check
 * @rise: after so many good ones in a row what has failed is well
 * @fall: after so many bad ones it has failed
 *
 * Of what nothing is known a single good result is enough: nobody has doubted it.
 *
 * Return: its state has changed.
 */
bool streak_note(struct streak *streak, bool well, uint32_t rise, uint32_t fall)
{
	enum streak_state before = streak->state;

	if (well != streak->well)
		streak->n = 0;
	streak->well = well;
	streak->n += streak->n < UINT32_MAX;
	if (!well && streak->n >= fall)
		streak->state = STREAK_FAILED;
	else if (well && (before == STREAK_UNKNOWN || streak->n >= rise))
		streak->state = STREAK_WELL;
	return streak->state != before;
}

/**
 * streak_state_name() - The state in a word
 */
const char *streak_state_name(enum streak_state state)
{
	static const char *const names[_STREAK_STATE_MAX] = {
		[STREAK_UNKNOWN] = "unknown",
		[STREAK_WELL] = "well",
		[STREAK_FAILED] = "failed",
	};

	assert(state < _STREAK_STATE_MAX);
	return names[state];
}

/* SPDX-License-Identifier: MIT */

/* What is known of the services, for who tells people. */

#include "agent/check/check.h"

/**
 * checks_of_group() - All checks of a group, in the order of the configuration
 * @checks: may be NULL
 */
const struct check *checks_of_group(const struct checks *checks, uint8_t group, size_t *ret_n)
{
	*ret_n = checks ? checks->first[group + 1] - checks->first[group] : 0;
	return checks ? &checks->v[checks->first[group]] : NULL;
}

/**
 * checks_find_failed() - The first check of a group that has failed
 * @checks: may be NULL
 *
 * Return: NULL if none has.
 */
const struct check *checks_find_failed(const struct checks *checks, uint8_t group)
{
	size_t n;
	const struct check *v = checks_of_group(checks, group, &n);

	for (size_t i = 0; i < n; i++)
		if (v[i].streak.state == STREAK_FAILED)
			return &v[i];
	return NULL;
}

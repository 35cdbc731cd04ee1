/* SPDX-License-Identifier: MIT */

#include "sdbus/ctl.h"

enum { LENGTH_MAX = 64 }; /* of a name that may be guessed */

/* How many letters to insert, delete or replace (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t row[LENGTH_MAX], len = strlen(b);

	if (len >= ARRAY_SIZE(row))
		return SIZE_MAX;
	for (size_t k = 0; k <= len; k++)
		row[k] = k;
	for (size_t i = 1; *a; a++, i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t k = 1; k <= len; k++) {
			size_t best = corner + (*a != b[k - 1]);

			corner = row[k];
			if (corner + 1 < best)
				best = corner + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
		}
	}
	return row[len];
}

/**
 * ctl_guess() - what somebody meant who mistyped a name
 * @typed: what was typed
 * @named: array of structs whose first member is the name, a const char *
 * @n: how many
 * @size: of one
 *
 * Return: the name that begins so, or else the nearest; borrowed. NULL if none is near.
 */
const char *ctl_guess(const char *typed, const void *named, size_t n, size_t size)
{
	size_t best = 3; /* from here on it is another word */
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *name;
		size_t far;

		memcpy(&name, (const uint8_t *)named + i * size, sizeof(name));
		if (*typed && strncmp(typed, name, strlen(typed)) == 0)
			return name;
		far = distance(typed, name);
		if (far < best) {
			best = far;
			found = name;
		}
	}
	return found;
}

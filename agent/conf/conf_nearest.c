/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf_keys.h"

#include <ctype.h>

enum {
	WORD_MAX = 32, /* longer than any word of ours */
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to put in, leave out or change (Levenshtein), whatever their case. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], len = strlen(b);

	assert(len <= WORD_MAX);
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; *a; i++, a++) {
		size_t corner = i - 1;

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			bool same = tolower((unsigned char)*a) == tolower((unsigned char)b[j - 1]);
			size_t change = corner + !same;

			corner = row[j];
			row[j] = least(change, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[len];
}

/**
 * conf_nearest() - Which of some words was probably meant?
 * @word: what was written
 * @words: what could be right
 * @n: number of @words
 *
 * Return: the nearest of @words, of which a third of the letters may be wrong at most; NULL if
 * none is that near.
 */
const char *conf_nearest(const char *word, const char *const *words, size_t n)
{
	size_t len = strlen(word), best = (len + 2) / 3 + 1;
	const char *nearest = NULL;

	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t d = distance(word, words[i]);

		if (d >= best)
			continue;
		best = d;
		nearest = words[i];
	}
	return nearest;
}

/* SPDX-License-Identifier: MIT */

/* The least that still breaks the law: drop and shorten faults while it does. */

#include <string.h>

#include "tests/sim/sim.h"

static bool breaks(struct world *w, const struct sim_history *h, const char *law)
{
	struct sim_history copy = *h;
	struct sim_outcome outcome;

	plan_bounds(&copy);
	world_live(w, &copy, NULL, &outcome);
	return w->broken && !strcmp(w->broken, law);
}

static void drop(struct sim_history *h, size_t from, size_t n)
{
	memmove(&h->faults[from], &h->faults[from + n],
		(h->n_faults - from - n) * sizeof(h->faults[0]));
	h->n_faults -= n;
}

static bool drop_some(struct world *w, struct sim_history *h, const char *law)
{
	bool dropped = false;

	for (size_t n = h->n_faults / 2 ?: 1; n && h->n_faults; n /= 2)
		for (size_t i = 0; i + n <= h->n_faults;) {
			struct sim_history less = *h;

			drop(&less, i, n);
			if (breaks(w, &less, law)) {
				*h = less;
				dropped = true;
			} else {
				i++;
			}
		}
	return dropped;
}

/* One change to the world at a time, each towards the ordinary. */
static bool simplify(struct world *w, struct sim_history *h, const char *law, unsigned how)
{
	struct sim_history less = *h;

	switch (how) {
	case 0:
		less.n_paths = 1;
		break;
	case 1:
		less.lockstep = false;
		break;
	case 2:
		memset(less.drift_ppm, 0, sizeof(less.drift_ppm));
		break;
	case 3:
		memset(less.differs, 0, sizeof(less.differs));
		break;
	case 4:
		less.references = false;
		break;
	default:
		less.faults[how - 5].lasts = less.faults[how - 5].lasts / 2;
		break;
	}
	if (!memcmp(&less, h, sizeof(less)) || !breaks(w, &less, law))
		return false;
	*h = less;
	return true;
}

/**
 * shrink() - make a history that breaks a law as small as it gets
 * @w: to try in
 * @h: changed
 * @law: the one that has to be broken still
 */
void shrink(struct world *w, struct sim_history *h, const char *law)
{
	bool smaller = true;

	for (int round = 0; smaller && round < 8; round++) {
		smaller = drop_some(w, h, law);
		for (unsigned how = 0; how < 5 + h->n_faults; how++)
			smaller |= simplify(w, h, law, how);
	}
	plan_bounds(h);
}

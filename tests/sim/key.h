/* SPDX-License-Identifier: MIT */
#pragma once

/* What the key of a state is made of. */

#include "tests/sim/explore.h"

struct keying {
	struct world *w;
	struct state_key key;
	uint64_t term;	   /* the highest; all others are told from it */
	uint64_t long_ago; /* µs: as good as for ever */
	uint32_t ids[32];
	unsigned n_ids;
};

static inline void put(struct keying *k, uint64_t value)
{
	k->key.a = (k->key.a ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	k->key.a ^= k->key.a >> 32;
	k->key.b = (k->key.b + value) * UINT64_C(0xbf58476d1ce4e5b9);
	k->key.b ^= k->key.b >> 29;
}

/* In the time of the node; 0: never. */
static inline void put_age(struct keying *k, const struct node *n, uint64_t then, uint64_t max)
{
	uint64_t age = node_clock(k->w, n) - then;

	put(k, !then ? 0 : 1 + (age < max ? age : max));
}

/* The same in the world's time. */
static inline void put_since(struct keying *k, uint64_t then, uint64_t max)
{
	uint64_t age = k->w->now - then;

	put(k, !then ? 0 : 1 + (age < max ? age : max));
}

/* Time left; what has passed is as good as what has never been. */
static inline void put_until(struct keying *k, uint64_t now, uint64_t until)
{
	put(k, until <= now ? 0 : until - now);
}

static inline void put_term(struct keying *k, uint64_t term)
{
	put(k, term ? 1 + k->term - term : 0);
}

/* key_laws.c */
void put_laws(struct keying *k);
void put_laws_of(struct keying *k, const struct node *n);
void put_laws_of_beat(struct keying *k, const struct item *item);

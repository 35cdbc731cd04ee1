/* SPDX-License-Identifier: MIT */
#pragma once

/* Two packets held against each other, field by field. */

#include "agent/beat/wire.h"

#define DIFFERS(field)                                                                             \
	if (a->field != b->field)                                                                  \
	return #field

/* A move that is none and was refused by nobody is not sent. */
static inline const char *record_difference(const struct core_record *a,
					    const struct core_record *b)
{
	DIFFERS(present);
	if (!a->present)
		return NULL;
	DIFFERS(state);
	DIFFERS(term);
	DIFFERS(term_max);
	DIFFERS(unfit);
	DIFFERS(strict);
	DIFFERS(evidence);
	DIFFERS(traffic);
	DIFFERS(silences);
	DIFFERS(move);
	DIFFERS(why);
	if (a->move == CORE_MOVE_NONE && a->why == CORE_RESULT_OK)
		return NULL;
	DIFFERS(move_to);
	DIFFERS(move_id);
	DIFFERS(move_term);
	DIFFERS(options.strict);
	DIFFERS(options.force);
	DIFFERS(options.to);
	DIFFERS(options.within_us);
	return NULL;
}

static inline const char *beat_difference(const struct core_beat *a, const struct core_beat *b,
					  size_t n_groups)
{
	const char *what = NULL;

	DIFFERS(seq);
	DIFFERS(echo_seq);
	DIFFERS(interval_us);
	DIFFERS(lease_us);
	DIFFERS(digest);
	DIFFERS(priority);
	DIFFERS(reply);
	DIFFERS(references_answer);
	DIFFERS(marked);
	DIFFERS(wants_answer);
	for (size_t i = 0; i < n_groups && !what; i++)
		what = record_difference(&a->groups[i], &b->groups[i]);
	return what;
}

/* The name of a field in which they differ; NULL: they are the same. */
static inline const char *wire_difference(const struct wire_packet *a, const struct wire_packet *b,
					  size_t n_groups)
{
	DIFFERS(type);
	if (strcmp(a->name, b->name) != 0)
		return "name";
	DIFFERS(session);
	DIFFERS(peer_session);
	DIFFERS(challenge);
	DIFFERS(response);
	DIFFERS(path_echo_seq);
	DIFFERS(path_echo_age_us);
	return a->type == WIRE_BEAT ? beat_difference(&a->beat, &b->beat, n_groups) : NULL;
}

#undef DIFFERS

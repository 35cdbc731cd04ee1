/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is true of a core between any two steps, whatever has happened: each
 * field is in use in some states, and at rest in all others.
 */

#include <criterion/criterion.h>

#include "agent/core/core.h"

static inline bool sane_is_idle(const struct core_group *g)
{
	return g->state == CORE_STATE_BACKUP || g->state == CORE_STATE_FAULT ||
	       g->state == CORE_STATE_MAINTENANCE;
}

static inline void sane_step(const struct core_group *g)
{
	enum core_step s = g->step;

	switch (g->state) {
	case CORE_STATE_CLAIMING:
		cr_assert((s >= CORE_STEP_CLAIM_WAIT && s <= CORE_STEP_CLAIM_ANSWER) ||
			  s == CORE_STEP_CLAIM_UNITS);
		cr_assert_eq(g->serving, s >= CORE_STEP_CLAIM_OPEN && s <= CORE_STEP_CLAIM_ANSWER);
		break;
	case CORE_STATE_YIELDING:
		cr_assert(s >= CORE_STEP_YIELD_OFFER && s <= CORE_STEP_YIELD_RELEASED);
		cr_assert_eq(g->serving, s < CORE_STEP_YIELD_CLOSE);
		break;
	case CORE_STATE_PRIMARY:
		cr_assert(s == CORE_STEP_NONE || s == CORE_STEP_PRIMARY_UNITS);
		cr_assert(g->serving);
		break;
	case CORE_STATE_BACKUP:
	case CORE_STATE_FAULT:
	case CORE_STATE_MAINTENANCE:
		cr_assert_eq(s, CORE_STEP_NONE);
		cr_assert_not(g->serving);
		break;
	case _CORE_STATE_MAX:
		cr_assert(false);
		break;
	}
}

/* Steps end by an order's answer, by a time, or by what the peer says. */
static inline void sane_waits(const struct core_group *g)
{
	enum core_step s = g->step;
	bool orders = s == CORE_STEP_CLAIM_PREPARE || s == CORE_STEP_CLAIM_OPEN ||
		      s == CORE_STEP_CLAIM_ANSWER || s == CORE_STEP_YIELD_WITHDRAW ||
		      s == CORE_STEP_YIELD_CLOSE || s == CORE_STEP_YIELD_REMOVE || g->repairing;
	bool units = s == CORE_STEP_CLAIM_UNITS || s == CORE_STEP_PRIMARY_UNITS;
	bool ends = units || s == CORE_STEP_CLAIM_PREPARE || s == CORE_STEP_CLAIM_PREPARED ||
		    s == CORE_STEP_CLAIM_READY || s == CORE_STEP_YIELD_OFFER ||
		    s == CORE_STEP_YIELD_WITHDRAW || s == CORE_STEP_YIELD_WITHDRAWN ||
		    s == CORE_STEP_YIELD_LINGER || s == CORE_STEP_YIELD_CLOSE ||
		    s == CORE_STEP_YIELD_LEASE || s == CORE_STEP_YIELD_RELEASED;

	cr_assert_eq(g->pending != 0, orders);
	cr_assert_eq(g->units != 0, units);
	cr_assert_eq(instant_is_set(g->due), ends);
	cr_assert_eq(instant_is_set(g->request_due), g->move == CORE_MOVE_ASK);
}

static inline void sane_roles(const struct core *core, const struct core_group *g)
{
	bool provisional = instant_is_set(g->provisional);

	cr_assert(!g->primary || g->state == CORE_STATE_PRIMARY || g->state == CORE_STATE_YIELDING);
	cr_assert(!(g->unfit & CORE_UNFIT_SILENT) || g->state == CORE_STATE_PRIMARY ||
		  g->state == CORE_STATE_YIELDING);
	cr_assert_leq(g->silences, CORE_SILENCES_MAX);
	cr_assert(!g->silenced || g->state != CORE_STATE_PRIMARY);
	if (g->state == CORE_STATE_PRIMARY) {
		cr_assert(g->primary);
		cr_assert(!provisional || g->move_to < core->config.n_nodes);
		cr_assert(!g->request || provisional || g->units);
		cr_assert(!g->units || !provisional);
	} else {
		cr_assert_not(provisional);
		cr_assert_not(g->repairing);
		cr_assert_not(instant_is_set(g->rival_since));
		cr_assert_not(instant_is_set(g->announce_due));
	}
	cr_assert(!g->through || g->state == CORE_STATE_CLAIMING || core->stopping);
	cr_assert(!instant_is_set(g->request_by) || g->options.within_us);
	if (sane_is_idle(g)) {
		cr_assert(!g->options.within_us || g->move == CORE_MOVE_ASK);
		cr_assert_not(g->lost);
		cr_assert(!g->request || g->move == CORE_MOVE_ASK);
	}
}

static inline void sane_moves(const struct core *core, const struct core_group *g)
{
	enum core_move m = g->move;

	/* a handover has two sides */
	if (g->step == CORE_STEP_CLAIM_WAIT || g->step == CORE_STEP_CLAIM_PREPARE ||
	    g->state == CORE_STATE_YIELDING)
		cr_assert(!g->seamless || g->move_to != CORE_NODE_NONE);
	/* READY is said on although the holder has died */
	cr_assert(m == CORE_MOVE_NONE || m == CORE_MOVE_READY || g->move_to < core->config.n_nodes);
	switch (g->state) {
	case CORE_STATE_CLAIMING:
		cr_assert(m == CORE_MOVE_NONE ||
			  (m == CORE_MOVE_READY && g->step >= CORE_STEP_CLAIM_READY));
		break;
	case CORE_STATE_YIELDING:
		cr_assert(m == CORE_MOVE_NONE || m == CORE_MOVE_OFFER || m == CORE_MOVE_WITHDRAWN ||
			  (m == CORE_MOVE_RELEASED && g->step == CORE_STEP_YIELD_RELEASED));
		break;
	case CORE_STATE_PRIMARY:
		cr_assert(m == CORE_MOVE_NONE || m == CORE_MOVE_DENIED);
		break;
	case CORE_STATE_BACKUP:
	case CORE_STATE_FAULT:
	case CORE_STATE_MAINTENANCE:
		cr_assert(m == CORE_MOVE_NONE || m == CORE_MOVE_REFUSED || m == CORE_MOVE_ASK);
		break;
	case _CORE_STATE_MAX:
		break;
	}
}

static inline void sane(const struct core *core)
{
	bool serving = false;

	for (uint8_t i = 0; i < core->config.n_groups; i++) {
		const struct core_group *g = &core->groups[i];

		serving |= g->serving;
		cr_assert_leq(g->term, g->term_max);
		cr_assert_eq(g->maintenance, (g->unfit & CORE_UNFIT_MAINTENANCE) != 0);
		cr_assert_eq(g->inhibited, (g->unfit & CORE_UNFIT_INHIBITED) != 0);
		cr_assert_eq(g->condoned & ~g->unfit, 0);
		cr_assert_eq(core->stopping, (g->unfit & CORE_UNFIT_STOPPING) != 0);
		sane_step(g);
		sane_waits(g);
		sane_roles(core, g);
		sane_moves(core, g);
	}
	cr_assert_eq(instant_is_set(core->lease_until), serving);
	cr_assert_not(core->beat_now);
	cr_assert_eq(core->reply_to, 0);
}

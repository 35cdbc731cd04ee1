/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the matrix begins: each scene brings alpha into a state and step by what
 * really happens. Beta is a puppet, and alpha's kernel answers only when told to.
 */

#include "tests/core_rig.h"

enum { ANY_ERROR = -22, IN_USE = -98, PROBE = 200 * 1000 };

static inline void begin(bool strict)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(groups[0].strict, strict);
	rig_configure(probe_us, PROBE);
}

/* Alpha is backup of beta, which goes on, and its kernel does not answer by itself. */
static inline void standby(void)
{
	begin(false);
	rig_standby(ALPHA, BETA, 5);
	rig.nodes[ALPHA].stuck = true;
}

static inline void backup(void)
{
	standby();
}

static inline void backup_starting(void)
{
	begin(false);
	rig_start(ALPHA);
	rig_advance_us(INTERVAL);
	rig.nodes[ALPHA].stuck = true;
}

/* Beta comes first, and has not claimed yet. */
static inline void backup_of_nobody(void)
{
	begin(false);
	rig_configure(priority[BETA], 200);
	rig_start(ALPHA);
	rig_say_for_us(BETA, ALPHA, LISTEN + DEAD);
	rig.nodes[ALPHA].stuck = true;
}

static inline void backup_asking(void)
{
	standby();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
}

static inline void fault(void)
{
	standby();
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
}

/* By a check, which the last resort does not look at. */
static inline void fault_of_nobody(void)
{
	begin(false);
	rig_start(ALPHA);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_puppet(BETA)->unfit = CORE_UNFIT_LINK;
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig.nodes[ALPHA].stuck = true;
}

/* Beta is silent, and somebody answers in its stead; the next question is under way. */
static inline void fault_occupied(void)
{
	standby();
	rig_advance_us(DEAD);
	rig_answer(ALPHA, CORE_DO_PROBE, IN_USE);
	rig_done_all(ALPHA);
	rig_advance_us(2 * USEC_PER_SEC);
}

static inline void maintenance(void)
{
	standby();
	rig_request(ALPHA, CORE_EV_MAINTENANCE, 1);
	rig_done_all(ALPHA);
}

static inline void holder(bool strict)
{
	begin(strict);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
}

/* Beta does not hear alpha any more, and alpha's lease has run out. */
static inline void claiming_wait(void)
{
	begin(false);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, LEASE + 3 * INTERVAL);
	rig.nodes[ALPHA].stuck = true;
}

static inline void claiming_probe(void)
{
	begin(false);
	rig_start(ALPHA);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(LISTEN);
}

static inline void claiming_prepare_alone(void)
{
	claiming_probe();
	rig_answer(ALPHA, CORE_DO_PROBE, 0);
}

static inline void claiming_open_alone(void)
{
	claiming_prepare_alone();
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
}

/* Somebody has to be started first. */
static inline void claiming_units_alone(void)
{
	begin(false);
	rig_configure(groups[0].before_claim, 1);
	rig_start(ALPHA);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(LISTEN);
}

static inline void hand_over(struct core_record *r, enum core_move move)
{
	r->state = CORE_STATE_YIELDING;
	r->term_max = r->move_term = 6;
	r->move = move;
	r->move_to = ALPHA;
	r->move_id = 77;
	rig_say(BETA, ALPHA);
}

/* Beta hands over to alpha. */
static inline void handed(enum core_move move)
{
	standby();
	hand_over(rig_puppet(BETA), move);
}

static inline void claiming_prepare_seamless(void)
{
	handed(CORE_MOVE_OFFER);
}

static inline void claiming_prepare_strict(void)
{
	handed(CORE_MOVE_RELEASED);
}

static inline void claiming_units_seamless(void)
{
	begin(false);
	rig_configure(groups[0].before_claim, 1);
	rig_standby(ALPHA, BETA, 5);
	rig.nodes[ALPHA].stuck = true;
	hand_over(rig_puppet(BETA), CORE_MOVE_OFFER);
}

/* Gamma, who might claim as well, does not answer. */
static inline void claiming_prepared(void)
{
	begin(false);
	rig_configure(n_nodes, 3);
	rig_standby(ALPHA, BETA, 5);
	rig.nodes[ALPHA].stuck = true;
	rig_deafen(GAMMA);
	rig_say(GAMMA, ALPHA);
	hand_over(rig_puppet(BETA), CORE_MOVE_OFFER);
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
}

static inline void claiming_open_seamless(void)
{
	claiming_prepare_seamless();
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
}

static inline void claiming_open_strict(void)
{
	claiming_prepare_strict();
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
}

static inline void claiming_ready(void)
{
	claiming_open_seamless();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
}

static inline void claiming_answer(void)
{
	claiming_ready();
	rig_puppet(BETA)->move = CORE_MOVE_WITHDRAWN;
	rig_say(BETA, ALPHA);
}

static inline void primary(void)
{
	holder(false);
}

static inline void primary_alone(void)
{
	claiming_open_alone();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	rig_advance_us(DEAD);
}

static inline void primary_on_trial(void)
{
	claiming_answer();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
}

static inline void primary_restarting(void)
{
	primary();
	rig_stop(ALPHA, true);
	rig_say(BETA, ALPHA);
}

static inline void primary_repairing(void)
{
	primary();
	rig_event(ALPHA, CORE_EV_LOST);
}

static inline void moving(bool strict)
{
	holder(strict);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
}

static inline void primary_units(void)
{
	begin(false);
	rig_configure(groups[0].before_release, 1);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
}

static inline void yielding_offer(void)
{
	moving(false);
}

static inline void yielding_withdraw(void)
{
	moving(false);
	rig_answer_move(BETA, ALPHA, CORE_MOVE_READY, CORE_RESULT_OK);
}

static inline void yielding_withdrawn(void)
{
	yielding_withdraw();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
}

static inline void claiming_answer_back(void)
{
	yielding_withdrawn();
	rig_answer_move(BETA, ALPHA, CORE_MOVE_REFUSED, CORE_RESULT_OK);
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
}

static inline void yielding_linger(void)
{
	yielding_withdrawn();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_group(ALPHA)->move_term;
	rig_answer_move(BETA, ALPHA, CORE_MOVE_NONE, CORE_RESULT_OK);
}

static inline void yielding_close_seamless(void)
{
	yielding_linger();
	rig_advance_us(LINGER);
}

static inline void yielding_close_strict(void)
{
	moving(true);
}

static inline void yielding_close_release(void)
{
	primary();
	rig_event(ALPHA, CORE_EV_DISOWNED);
}

static inline void yielding_close_abandon(void)
{
	claiming_ready();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->move = CORE_MOVE_NONE;
	rig_say(BETA, ALPHA);
}

static inline void yielding_lease(void)
{
	yielding_close_strict();
	rig_answer(ALPHA, CORE_DO_GATE, ANY_ERROR);
}

static inline void yielding_remove_seamless(void)
{
	yielding_close_seamless();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
}

static inline void yielding_remove_strict(void)
{
	yielding_close_strict();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
}

static inline void yielding_remove_abandon(void)
{
	yielding_close_abandon();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
}

static inline void yielding_released(void)
{
	yielding_remove_strict();
	rig_answer(ALPHA, CORE_DO_REMOVE, 0);
}

static const struct scene {
	void (*play)(void);
	enum core_state state;
	enum core_step step;
	const char *more; /* what else is so */
} scenes[] = {
	{ backup, CORE_STATE_BACKUP, 0, "of beta" },
	{ backup_starting, CORE_STATE_BACKUP, 0, "starting" },
	{ backup_of_nobody, CORE_STATE_BACKUP, 0, "beta first" },
	{ backup_asking, CORE_STATE_BACKUP, 0, "asking" },
	{ fault, CORE_STATE_FAULT, 0, "of beta" },
	{ fault_of_nobody, CORE_STATE_FAULT, 0, "beta too" },
	{ fault_occupied, CORE_STATE_FAULT, 0, "occupied" },
	{ maintenance, CORE_STATE_MAINTENANCE, 0, "of beta" },
	{ claiming_wait, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_WAIT, "beta deaf" },
	{ claiming_probe, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_PROBE, "alone" },
	{ claiming_units_alone, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_UNITS, "alone" },
	{ claiming_units_seamless, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_UNITS, "seamless" },
	{ claiming_prepare_alone, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_PREPARE, "alone" },
	{ claiming_prepare_seamless, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_PREPARE, "seamless" },
	{ claiming_prepare_strict, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_PREPARE, "strict" },
	{ claiming_prepared, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_PREPARED, "gamma deaf" },
	{ claiming_open_alone, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_OPEN, "alone" },
	{ claiming_open_seamless, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_OPEN, "seamless" },
	{ claiming_open_strict, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_OPEN, "strict" },
	{ claiming_ready, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_READY, "seamless" },
	{ claiming_answer, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_ANSWER, "seamless" },
	{ claiming_answer_back, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_ANSWER, "back" },
	{ primary, CORE_STATE_PRIMARY, 0, "beta fit" },
	{ primary_alone, CORE_STATE_PRIMARY, 0, "alone" },
	{ primary_on_trial, CORE_STATE_PRIMARY, 0, "on trial" },
	{ primary_restarting, CORE_STATE_PRIMARY, 0, "restarting" },
	{ primary_repairing, CORE_STATE_PRIMARY, 0, "repairing" },
	{ primary_units, CORE_STATE_PRIMARY, CORE_STEP_PRIMARY_UNITS, "asked" },
	{ yielding_offer, CORE_STATE_YIELDING, CORE_STEP_YIELD_OFFER, "seamless" },
	{ yielding_withdraw, CORE_STATE_YIELDING, CORE_STEP_YIELD_WITHDRAW, "seamless" },
	{ yielding_withdrawn, CORE_STATE_YIELDING, CORE_STEP_YIELD_WITHDRAWN, "seamless" },
	{ yielding_linger, CORE_STATE_YIELDING, CORE_STEP_YIELD_LINGER, "seamless" },
	{ yielding_close_seamless, CORE_STATE_YIELDING, CORE_STEP_YIELD_CLOSE, "seamless" },
	{ yielding_close_strict, CORE_STATE_YIELDING, CORE_STEP_YIELD_CLOSE, "strict" },
	{ yielding_close_release, CORE_STATE_YIELDING, CORE_STEP_YIELD_CLOSE, "release" },
	{ yielding_close_abandon, CORE_STATE_YIELDING, CORE_STEP_YIELD_CLOSE, "abandon" },
	{ yielding_lease, CORE_STATE_YIELDING, CORE_STEP_YIELD_LEASE, "strict" },
	{ yielding_remove_seamless, CORE_STATE_YIELDING, CORE_STEP_YIELD_REMOVE, "seamless" },
	{ yielding_remove_strict, CORE_STATE_YIELDING, CORE_STEP_YIELD_REMOVE, "strict" },
	{ yielding_remove_abandon, CORE_STATE_YIELDING, CORE_STEP_YIELD_REMOVE, "abandon" },
	{ yielding_released, CORE_STATE_YIELDING, CORE_STEP_YIELD_RELEASED, "strict" },
};

/* SPDX-License-Identifier: MIT */
#pragma once

/* Scenes on the way: of a node that claims the group, or gives it up. */

#include "tests/explain_scenes_primary.h"

/* Its lease ran out; the puppet is heard and does not hear it. */
static inline uint8_t scene_claiming_wait(void)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, LEASE + 3 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	return ALPHA;
}

static inline uint8_t scene_claiming_wait_for_a_dead_peer(void)
{
	(void)scene_claiming_wait();
	rig_advance_us(4 * INTERVAL);
	return ALPHA;
}

static inline uint8_t scene_claiming_probe(void)
{
	rig_begin();
	rig_configure(probe_us, 200 * 1000);
	rig_standby(ALPHA, BETA, 5);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(DEAD);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	return ALPHA;
}

static inline uint8_t scene_claiming_before_claim(void)
{
	rig_begin();
	rig_configure(groups[0].before_claim, 1);
	rig_start(ALPHA);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(LISTEN + 100 * 1000);
	return ALPHA;
}

static inline uint8_t scene_primary_before_release(void)
{
	rig_begin();
	rig_configure(groups[0].before_release, 1);
	rig_pair();
	rig.nodes[ALPHA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
	rig_advance_us(100 * 1000);
	return ALPHA;
}

static inline uint8_t scene_claiming_prepare(void)
{
	claim_alone();
	rig_advance_us(100 * 1000);
	return ALPHA;
}

static inline uint8_t scene_claiming_open(void)
{
	claim_alone();
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	rig_advance_us(100 * 1000);
	return ALPHA;
}

/* The puppet hands over to beta. */
static inline void hand_over(enum core_move move)
{
	struct core_record *r = rig_puppet(ALPHA);

	r->state = CORE_STATE_YIELDING;
	r->term_max = r->move_term = 6;
	r->move = move;
	r->move_to = BETA;
	r->move_id = 77;
	rig_say(ALPHA, BETA);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
}

static inline void offer(enum core_move move)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	hand_over(move);
}

static inline uint8_t scene_claiming_strict_prepare(void)
{
	offer(CORE_MOVE_RELEASED);
	return BETA;
}

/* Gamma, who might claim as well, does not answer. */
static inline uint8_t scene_claiming_prepared(void)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	rig_deafen(GAMMA);
	rig_say(GAMMA, BETA);
	hand_over(CORE_MOVE_OFFER);
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	return BETA;
}

static inline uint8_t scene_claiming_seamless_open(void)
{
	offer(CORE_MOVE_OFFER);
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	return BETA;
}

static inline uint8_t scene_claiming_ready(void)
{
	(void)scene_claiming_seamless_open();
	rig_answer(BETA, CORE_DO_GATE, 0);
	return BETA;
}

static inline uint8_t scene_claiming_answer(void)
{
	(void)scene_claiming_ready();
	rig_puppet(ALPHA)->move = CORE_MOVE_WITHDRAWN;
	rig_say(ALPHA, BETA);
	return BETA;
}

static inline uint8_t scene_primary_on_trial(void)
{
	(void)scene_claiming_answer();
	rig_answer(BETA, CORE_DO_GATE, 0);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	return BETA;
}

/* An offer that nobody takes up; the puppet is fit all the same. */
static inline void offered(bool strict)
{
	rig_begin();
	rig_configure(groups[0].strict, strict);
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

static inline uint8_t scene_primary_after_a_move_that_failed(void)
{
	offered(false);
	rig_say_for_us(BETA, ALPHA, STEP + 3 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	return ALPHA;
}

static inline uint8_t scene_yielding_offer(void)
{
	offered(false);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	return ALPHA;
}

static inline uint8_t scene_yielding_withdraw(void)
{
	offered(false);
	rig_answer_move(BETA, ALPHA, CORE_MOVE_READY, CORE_RESULT_OK);
	return ALPHA;
}

static inline uint8_t scene_yielding_withdrawn(void)
{
	(void)scene_yielding_withdraw();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	return ALPHA;
}

static inline uint8_t scene_claiming_answer_to_take_it_back(void)
{
	(void)scene_yielding_withdrawn();
	rig_answer_move(BETA, ALPHA, CORE_MOVE_REFUSED, CORE_RESULT_OK);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	return ALPHA;
}

static inline uint8_t scene_yielding_linger(void)
{
	(void)scene_yielding_withdrawn();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_group(ALPHA)->move_term;
	rig_answer_move(BETA, ALPHA, CORE_MOVE_NONE, CORE_RESULT_OK);
	return ALPHA;
}

static inline uint8_t scene_yielding_close(void)
{
	offered(true);
	return ALPHA;
}

static inline uint8_t scene_yielding_lease(void)
{
	offered(true);
	rig_answer(ALPHA, CORE_DO_GATE, -1);
	return ALPHA;
}

static inline uint8_t scene_yielding_remove(void)
{
	offered(true);
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	return ALPHA;
}

static inline uint8_t scene_yielding_released(void)
{
	(void)scene_yielding_remove();
	rig_answer(ALPHA, CORE_DO_REMOVE, 0);
	return ALPHA;
}

static inline uint8_t scene_yielding_released_and_peer_frozen(void)
{
	(void)scene_yielding_released();
	rig_advance_us(200 * 1000);
	return ALPHA;
}

static inline uint8_t scene_yielding_to_nobody(void)
{
	(void)scene_primary_that_would_let_go_alone();
	rig.nodes[ALPHA].stuck = true;
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	return ALPHA;
}

static inline uint8_t scene_yielding_to_stop(void)
{
	pair(false);
	rig.nodes[ALPHA].stuck = true;
	rig_stop(ALPHA, false);
	return ALPHA;
}

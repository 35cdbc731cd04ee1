/* SPDX-License-Identifier: MIT */
#pragma once

/* Scenes of a node that holds the group, and goes on. */

#include "tests/explain_scenes.h"

static inline uint8_t scene_primary(void)
{
	pair(false);
	rig_advance_us(3 * 3600 * USEC_PER_SEC + 12 * 60 * USEC_PER_SEC + 12 * 1000);
	return ALPHA;
}

static inline uint8_t scene_primary_strict(void)
{
	pair(true);
	return ALPHA;
}

static inline uint8_t scene_primary_alone(void)
{
	rig_begin();
	rig_alone(ALPHA);
	rig_advance_us(2 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	return ALPHA;
}

static inline uint8_t scene_primary_after_the_death_of_the_peer(void)
{
	pair(false);
	rig_kill(ALPHA);
	rig_advance_us(26 * 3600 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	return BETA;
}

static inline uint8_t scene_primary_and_peer_silent_for_five_intervals(void)
{
	pair(false);
	rig_kill(BETA);
	rig_advance_us(250 * 1000);
	return ALPHA;
}

static inline uint8_t scene_primary_and_peer_without_agent(void)
{
	struct core_event event = { .type = CORE_EV_UNREACHABLE, .peer = BETA };

	pair(false);
	rig_kill(BETA);
	rig_advance_us(DEAD);
	rig_step(ALPHA, &event);
	return ALPHA;
}

static inline uint8_t scene_primary_and_peer_deaf(void)
{
	deaf = true;
	return scene_primary_alone();
}

static inline uint8_t scene_primary_that_is_not_answered(void)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 3 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	return ALPHA;
}

static inline uint8_t scene_primary_and_peer_unfit(void)
{
	pair(false);
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_settle();
	rig_advance_us(DEAD);
	return ALPHA;
}

static inline uint8_t scene_primary_and_peer_of_another_configuration(void)
{
	rig_begin();
	rig.nodes[BETA].puppet.digest = 2;
	rig_puppet(BETA)->present = false;
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	return ALPHA;
}

static inline uint8_t scene_primary_unfit_and_alone(void)
{
	(void)scene_primary_alone();
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	return ALPHA;
}

static inline uint8_t scene_primary_that_would_let_go_alone(void)
{
	rig_begin();
	rig_configure(groups[0].keep_alone, false);
	rig_alone(ALPHA);
	rig_advance_us(2 * USEC_PER_SEC);
	return ALPHA;
}

static inline uint8_t scene_primary_with_a_rival(void)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 4;
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 3 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	return ALPHA;
}

static inline uint8_t scene_primary_that_lost_addresses(void)
{
	(void)scene_primary_strict();
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_LOST);
	return ALPHA;
}

static inline uint8_t scene_primary_that_cannot_put_them_back(void)
{
	(void)scene_primary_alone();
	rig_event(ALPHA, CORE_EV_LOST);
	rig_answer(ALPHA, CORE_DO_PREPARE, -22);
	rig_advance_us(1100 * 1000);
	return ALPHA;
}

static inline uint8_t scene_primary_without_gate(void)
{
	(void)scene_primary_strict();
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_FLUSHED);
	rig_answer(ALPHA, CORE_DO_REBUILD, -1);
	return ALPHA;
}

static inline uint8_t scene_primary_restarts(void)
{
	pair(false);
	rig_stop(ALPHA, true);
	return ALPHA;
}

static inline uint8_t scene_primary_restarts_with_a_longer_lease(void)
{
	pair(false);
	rig.nodes[ALPHA].stuck = true;
	rig_stop(ALPHA, true);
	rig_settle();
	return ALPHA;
}

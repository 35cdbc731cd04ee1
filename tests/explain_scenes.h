/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What explain_test.c has explained: each scene drives a core into a state and step
 * by what really happens, and says of which node. Here those of a node that does not
 * hold the group.
 */

#include "agent/explain/explain.h"
#include "tests/core_rig.h"

static struct agent agent; /* too large for a stack */
static bool deaf;	   /* so says the fake of the heartbeats */

static inline void pair(bool strict)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(groups[0].strict, strict);
	rig_pair();
}

static inline uint8_t scene_backup(void)
{
	pair(false);
	rig_advance_us(12 * 1000);
	return BETA;
}

static inline uint8_t scene_backup_listens(void)
{
	rig_begin();
	rig_start(ALPHA);
	rig_advance_us(1200 * 1000);
	return ALPHA;
}

static inline uint8_t scene_backup_listens_after_boot(void)
{
	rig_begin();
	rig.nodes[ALPHA].start[0].start.boot = true;
	rig_start(ALPHA);
	rig_advance_us(1200 * 1000);
	return ALPHA;
}

static inline uint8_t scene_backup_of_nobody(void)
{
	rig_begin();
	rig_start(BETA);
	rig_say_for_us(ALPHA, BETA, 6 * USEC_PER_SEC);
	return BETA;
}

static inline uint8_t scene_backup_not_synchronized(void)
{
	(void)scene_backup();
	rig_set_fitness(BETA, CORE_UNFIT_SYNC, true);
	return BETA;
}

static inline uint8_t scene_backup_asks_for_a_caller(void)
{
	(void)scene_backup();
	rig_request(BETA, CORE_EV_SWITCHOVER, 1);
	return BETA;
}

static inline void standby_that_comes_first(void)
{
	rig_begin();
	rig_configure(groups[0].preempt, true);
	rig_configure(priority[BETA], 200);
	rig_standby(BETA, ALPHA, 5);
}

static inline uint8_t scene_backup_preempts(void)
{
	standby_that_comes_first();
	return BETA;
}

static inline uint8_t scene_backup_preempts_again_later(void)
{
	standby_that_comes_first();
	rig_puppet(ALPHA)->move = CORE_MOVE_DENIED;
	rig_puppet(ALPHA)->move_id = rig_group(BETA)->move_id;
	rig_puppet(ALPHA)->why = CORE_RESULT_BUSY;
	rig_say(ALPHA, BETA);
	rig_puppet(ALPHA)->move = CORE_MOVE_NONE;
	rig_say_for_us(ALPHA, BETA, 700 * 1000);
	return BETA;
}

static inline uint8_t scene_fault_by_a_link(void)
{
	(void)scene_backup();
	agent.trouble[0].name = "eth0";
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	return BETA;
}

static inline uint8_t scene_fault_by_a_missing_interface(void)
{
	(void)scene_backup();
	agent.trouble[0].name = "eth7";
	agent.trouble[0].missing = true;
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	return BETA;
}

static inline uint8_t scene_fault_by_no_address_of_its_own(void)
{
	(void)scene_backup();
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	return BETA;
}

static inline uint8_t scene_fault_by_a_check_and_the_last_resort(void)
{
	(void)scene_backup();
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	return BETA;
}

static inline uint8_t scene_fault_and_nobody_holds(void)
{
	rig_begin();
	rig_start(BETA);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_puppet(ALPHA)->state = CORE_STATE_FAULT;
	rig_puppet(ALPHA)->unfit = CORE_UNFIT_LINK;
	rig_say_for_us(ALPHA, BETA, 1500 * 1000);
	return BETA;
}

static inline uint8_t scene_fault_by_isolation(void)
{
	(void)scene_backup();
	rig_kill(ALPHA);
	rig_advance_us(200 * 1000);
	rig_set_references(BETA, true);
	rig_advance_us(DEAD);
	return BETA;
}

static inline void claim_alone(void)
{
	rig_begin();
	rig_start(ALPHA);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(LISTEN);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
}

static inline uint8_t scene_fault_by_a_failed_claim(void)
{
	claim_alone();
	rig_answer(ALPHA, CORE_DO_PREPARE, -22);
	rig_done_all(ALPHA);
	rig_advance_us(700 * 1000);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	return ALPHA;
}

static inline uint8_t scene_fault_by_being_disowned(void)
{
	(void)scene_backup();
	rig_kill(ALPHA);
	rig_advance_us(200 * 1000);
	rig_event(BETA, CORE_EV_DISOWNED);
	rig_advance_us(400 * 1000);
	rig_event(BETA, CORE_EV_DISOWNED);
	return BETA;
}

/* Alpha serves on, unheard. */
static inline uint8_t scene_fault_by_somebody_who_answers(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(probe_us, 200 * 1000);
	rig_pair();
	rig_cut(ALPHA, BETA);
	rig.nodes[BETA].probed = -98;
	rig_advance_us(3 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	return BETA;
}

static inline uint8_t scene_maintenance(void)
{
	(void)scene_backup();
	rig_request(BETA, CORE_EV_MAINTENANCE, 1);
	rig_advance_us(5 * USEC_PER_SEC);
	return BETA;
}

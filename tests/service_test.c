/* SPDX-License-Identifier: MIT */

#include "agent/tell.h"
#include "tests/roles_rig.h"

#define GROUP                                                                                      \
	NODES "[Group sip]\nVirtualAddress=10.0.0.3 eth0\nUnit=kamailio.service\nUnitGrace=5s\n"
#define WARM GROUP "Redundancy=warm\n"
#define HOT GROUP "Redundancy=hot\n"
#define SEC(n) ((n)*USEC_PER_SEC)

static char told[64];

void tell_unit(struct agent *a, uint8_t group, const char *fault)
{
	cr_assert_eq(a, &agent);
	cr_assert_lt(group, 2);
	(void)snprintf(told, sizeof(told), "%s", fault ? fault : "well");
}

static void begin(const char *text, enum core_state state)
{
	rig_start(text);
	told[0] = '\0';
	agent.core.groups[0].state = state;
}

static instant look(void)
{
	return service_look(&agent, 0, now);
}

static void unit_is(enum unit_active active)
{
	struct unit_state state = agent.service[0].state;

	state.active = active;
	service_changed(&agent, 0, &state);
	(void)look();
}

/* What was told since: "" if nothing has changed. */
static void expect_told(const char *fault)
{
	cr_expect_str_eq(told, fault);
	cr_expect_eq(n_deferred, *fault != '\0');
	if (n_deferred == 1) {
		cr_expect_eq(deferred[0].type, CORE_EV_FITNESS);
		cr_expect_eq(deferred[0].fitness.reason, CORE_UNFIT_UNIT);
		cr_expect_eq(deferred[0].fitness.unfit, strcmp(fault, "well") != 0);
	}
	told[0] = '\0';
	n_deferred = 0;
}

static void pass(uint64_t us)
{
	now.us += us;
	(void)look();
}

Test(service, a_restart_within_the_grace_is_nothing)
{
	begin(HOT, CORE_STATE_PRIMARY);
	unit_is(UNIT_ACTIVE);
	unit_is(UNIT_DEACTIVATING);
	pass(SEC(3));
	unit_is(UNIT_INACTIVE);
	unit_is(UNIT_ACTIVATING);
	pass(SEC(1));
	unit_is(UNIT_ACTIVE);
	pass(SEC(60));
	unit_is(UNIT_RELOADING);
	pass(SEC(60));
	expect_told("");
}

Test(service, what_does_not_run_for_longer_is_a_fault_until_it_runs)
{
	begin(HOT, CORE_STATE_BACKUP);
	unit_is(UNIT_ACTIVE);
	unit_is(UNIT_INACTIVE);
	cr_expect_eq(look().us, now.us + SEC(5));
	pass(SEC(4));
	unit_is(UNIT_ACTIVATING);
	expect_told("");
	pass(SEC(1));
	expect_told("does not run");
	cr_expect_not(instant_is_set(look()));
	unit_is(UNIT_ACTIVE);
	expect_told("well");
}

Test(service, what_is_not_known_is_no_fault)
{
	begin(HOT, CORE_STATE_PRIMARY);
	pass(SEC(60));
	expect_told("");
	begin(NODES "[Group sip]\nVirtualAddress=10.0.0.3 eth0\n", CORE_STATE_PRIMARY);
	unit_is(UNIT_FAILED);
	expect_told("");
}

Test(service, failed_masked_and_missing_count_at_once_everywhere)
{
	struct unit_state absent = { .active = UNIT_INACTIVE, .absent = true };

	begin(WARM, CORE_STATE_BACKUP);
	unit_is(UNIT_FAILED);
	expect_told("has failed");
	unit_is(UNIT_INACTIVE);
	expect_told("well");
	service_changed(&agent, 0, &absent);
	(void)look();
	expect_told("is masked, or not there");
}

Test(service, on_a_warm_backup_it_need_not_run)
{
	begin(WARM, CORE_STATE_BACKUP);
	unit_is(UNIT_INACTIVE);
	pass(SEC(60));
	expect_told("");
	/* from here on it should */
	agent.core.groups[0].state = CORE_STATE_PRIMARY;
	cr_expect_eq(look().us, now.us + SEC(5));
	pass(SEC(5));
	expect_told("does not run");
	/* handing over for that, it is not well again */
	agent.core.groups[0].state = CORE_STATE_YIELDING;
	pass(SEC(1));
	unit_is(UNIT_DEACTIVATING);
	expect_told("");
	agent.core.groups[0].state = CORE_STATE_BACKUP;
	unit_is(UNIT_INACTIVE);
	pass(SEC(29));
	expect_told("");
	/* the other node may have failed as well by now */
	pass(SEC(1));
	expect_told("well");
}

/* Until it is fit again: who has let the group go for its unit waits for longer each time. */
static uint64_t let_down(void)
{
	instant began;

	agent.core.groups[0].state = CORE_STATE_PRIMARY;
	pass(0);
	pass(SEC(5));
	expect_told("does not run");
	agent.core.groups[0].state = CORE_STATE_BACKUP;
	pass(0);
	began = now;
	for (unsigned i = 0; i < 10000 && agent.service[0].fault; i++)
		pass(SEC(1));
	expect_told("well");
	return instant_since(now, began);
}

Test(service, who_lets_a_group_go_for_its_unit_rests_and_twice_as_long_each_time)
{
	begin(WARM, CORE_STATE_BACKUP);
	unit_is(UNIT_INACTIVE);
	for (unsigned i = 0; i < 10; i++)
		cr_expect_eq(let_down(), SEC(30) << (i < 7 ? i : 7));
	/* a start that does not last is none */
	agent.core.groups[0].state = CORE_STATE_PRIMARY;
	unit_is(UNIT_ACTIVE);
	pass(SEC(49));
	unit_is(UNIT_ACTIVATING);
	cr_expect_eq(let_down(), SEC(30) << 7);
	agent.core.groups[0].state = CORE_STATE_PRIMARY;
	unit_is(UNIT_ACTIVE);
	pass(SEC(50));
	unit_is(UNIT_ACTIVATING);
	cr_expect_eq(let_down(), SEC(30));
}

Test(service, what_runs_on_the_backup_after_all_ends_its_rest)
{
	begin(WARM, CORE_STATE_PRIMARY);
	unit_is(UNIT_INACTIVE);
	pass(SEC(5));
	expect_told("does not run");
	agent.core.groups[0].state = CORE_STATE_BACKUP;
	pass(SEC(1));
	unit_is(UNIT_ACTIVE);
	expect_told("well");
}

/* Two groups of one agent stand for two nodes, of which the unfit one yields to the fit one. */
Test(service, what_runs_on_neither_node_goes_there_and_back_ever_less_often)
{
	struct core_group *nodes = agent.core.groups;
	struct unit_state state = { .active = UNIT_INACTIVE };
	unsigned holder = 0, moves = 0, later = 0;

	begin(WARM "[Group twin]\nVirtualAddress=10.0.0.4 eth0\nUnit=kamailio.service\n",
	      CORE_STATE_PRIMARY);
	for (uint8_t i = 0; i < 2; i++)
		service_changed(&agent, i, &state);
	for (unsigned s = 0; s < 24 * 3600; s++) {
		now.us += SEC(1);
		(void)service_look(&agent, 0, now);
		(void)service_look(&agent, 1, now);
		n_deferred = 0;
		if (!agent.service[holder].fault || agent.service[!holder].fault)
			continue;
		nodes[holder].state = CORE_STATE_BACKUP;
		holder = !holder;
		nodes[holder].state = CORE_STATE_PRIMARY;
		moves++;
		later += s >= 12 * 3600;
	}
	cr_expect_lt(moves, 50, "%u moves in a day", moves);
	cr_expect_lt(later, 26, "%u of them in its second half", later);
	cr_expect_gt(later, 10, "the other node is tried again");
}

Test(service, on_a_hot_backup_it_has_to_run_and_on_the_way_as_well)
{
	begin(HOT, CORE_STATE_YIELDING);
	unit_is(UNIT_INACTIVE);
	pass(SEC(5));
	expect_told("does not run");
	agent.core.groups[0].state = CORE_STATE_BACKUP;
	pass(SEC(5));
	expect_told("");
}

/* It has been stopped for a move: the move is what takes its time. */
Test(service, a_step_that_stops_it_is_no_fault)
{
	begin(WARM, CORE_STATE_PRIMARY);
	unit_is(UNIT_ACTIVE);
	agent.core.groups[0].units = 7;
	unit_is(UNIT_DEACTIVATING);
	pass(SEC(8));
	expect_told("");
	agent.core.groups[0].units = 0;
	cr_expect_eq(look().us, now.us + SEC(5), "it has to come back");
}

static void restarts(uint32_t n)
{
	struct unit_state state = { .active = UNIT_ACTIVE, .restarts = n };

	service_changed(&agent, 0, &state);
	(void)look();
}

Test(service, restarted_again_and_again_is_a_fault)
{
	begin(HOT, CORE_STATE_PRIMARY);
	restarts(7); /* before our time */
	expect_told("");
	restarts(8);
	pass(SEC(20));
	restarts(9);
	expect_told("");
	pass(SEC(20));
	restarts(10);
	expect_told("is restarted again and again");
	pass(SEC(49));
	expect_told("");
	pass(SEC(1));
	expect_told("well");
}

Test(service, a_crash_now_and_then_is_no_loop)
{
	begin(HOT, CORE_STATE_PRIMARY);
	restarts(0);
	for (uint32_t n = 1; n < 10; n++) {
		restarts(n);
		pass(SEC(26));
		expect_told("");
	}
	/* a start by hand counts anew, and is none of them */
	restarts(0);
	restarts(1);
	expect_told("");
}

Test(service, several_restarts_may_be_heard_of_at_once)
{
	begin(HOT, CORE_STATE_PRIMARY);
	restarts(0);
	restarts(100000);
	expect_told("is restarted again and again");
}

Test(service, without_a_grace_all_counts_at_once_and_a_loop_still_takes_three)
{
	begin(GROUP "Redundancy=hot\n", CORE_STATE_PRIMARY);
	((struct conf *)agent.conf)->groups[0].unit_grace_us = 0;
	unit_is(UNIT_ACTIVE);
	unit_is(UNIT_ACTIVATING);
	expect_told("does not run");
	unit_is(UNIT_ACTIVE);
	expect_told("well");
	restarts(1);
	restarts(2);
	expect_told("");
	pass(SEC(9));
	restarts(3);
	expect_told("is restarted again and again");
}

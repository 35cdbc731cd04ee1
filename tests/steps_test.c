/* SPDX-License-Identifier: MIT */

#include "tests/roles_rig.h"

#define CONF                                                                                       \
	NODES "[Group sip]\nVirtualAddress=10.0.0.3 eth0\n"                                        \
	      "BeforeRelease=stop takeover-primary@sip.target\n"                                   \
	      "BeforeRelease=start takeover-save.service\n"                                        \
	      "BeforeClaim=start takeover-commit.service\n"

enum { ORDER = 41 };

static const uint32_t id = SYSTEMD_STEP << 16;

static void begin(enum core_units units)
{
	struct core_action action = { .type = CORE_DO_UNITS, .id = ORDER, .units = units };

	agent.core.groups[0].units = ORDER;
	steps_begin(&agent, &action);
}

static void expect_done(int err)
{
	cr_assert_eq(n_deferred, 1);
	cr_expect_eq(deferred[0].type, CORE_EV_DONE);
	cr_expect_eq(deferred[0].group, 0);
	cr_expect_eq(deferred[0].done.id, ORDER);
	cr_expect_eq(deferred[0].done.err, err);
	n_deferred = 0;
}

Test(steps, units_come_one_after_the_other)
{
	rig_start(CONF);
	agent.role[0] = ROLE_PRIMARY;
	begin(CORE_UNITS_BEFORE_RELEASE);
	expect_orders("stop takeover-primary@sip.target");
	cr_expect_eq(agent.role[0], ROLE_UNKNOWN);
	steps_done(&agent, id, 0, "done");
	expect_orders("start takeover-save.service");
	cr_expect_eq(n_deferred, 0);
	steps_done(&agent, id, 0, "done");
	expect_done(0);
	cr_expect_str_eq(agent.steps[0].failed, "");
	steps_done(&agent, id, 0, "done");
	cr_expect_eq(n_deferred, 0, "it is told once");
	ordered[0] = '\0';
	begin(CORE_UNITS_BEFORE_CLAIM);
	expect_orders("start takeover-commit.service");
}

Test(steps, the_first_that_fails_ends_it)
{
	rig_start(CONF);
	begin(CORE_UNITS_BEFORE_RELEASE);
	steps_done(&agent, id, -EIO, "failed");
	expect_done(-EIO);
	cr_expect_str_eq(agent.steps[0].failed, "stop takeover-primary@sip.target: failed");
	cr_expect_null(strstr(ordered, "takeover-save"));
}

Test(steps, without_systemd_there_are_none)
{
	rig_start(CONF);
	refusal = -ENOTCONN;
	begin(CORE_UNITS_BEFORE_CLAIM);
	expect_done(-ENOTCONN);
	cr_expect_str_eq(agent.steps[0].failed,
			 "start takeover-commit.service: systemd is not here");
}

Test(steps, each_has_its_time)
{
	instant due;

	rig_start(CONF);
	begin(CORE_UNITS_BEFORE_RELEASE);
	due = steps_look(&agent, 0, now);
	cr_expect_eq(due.us, now.us + 8 * USEC_PER_SEC);
	now.us += 5 * USEC_PER_SEC;
	steps_done(&agent, id, 0, "done");
	due = steps_look(&agent, 0, now);
	cr_expect_eq(due.us, now.us + 8 * USEC_PER_SEC);
	cr_expect_str_eq(agent.steps[0].failed,
			 "start takeover-save.service: not done within TimeoutStep=");
	now.us += 8 * USEC_PER_SEC;
	due = steps_look(&agent, 0, now);
	cr_expect_not(instant_is_set(due));
	expect_done(-ETIMEDOUT);
	ordered[0] = '\0';
	steps_done(&agent, id, 0, "done");
	cr_expect_eq(n_deferred, 0);
}

Test(steps, what_nobody_waits_for_is_not_gone_on_with)
{
	rig_start(CONF);
	begin(CORE_UNITS_BEFORE_RELEASE);
	ordered[0] = '\0';
	agent.core.groups[0].units = 0; /* another primary has been heard */
	cr_expect_not(instant_is_set(steps_look(&agent, 0, now)));
	expect_orders("forget 20000");
	steps_done(&agent, id, 0, "done");
	expect_orders("");
	cr_expect_eq(n_deferred, 0);
}

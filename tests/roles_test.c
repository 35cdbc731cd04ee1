/* SPDX-License-Identifier: MIT */

#include "agent/store/store.h"
#include "tests/roles_rig.h"
#include "tests/temp.h"

#define CONF                                                                                       \
	NODES "[Group sip]\nVirtualAddress=10.0.0.3 eth0\n"                                        \
	      "[Group web-1]\nVirtualAddress=10.0.0.4 eth0\n"

static void is(enum core_state state, bool primary)
{
	agent.core.groups[0].state = state;
	agent.core.groups[0].primary = primary;
	roles_follow(&agent, 0);
}

Test(roles, targets_follow_the_role_and_are_told_once)
{
	rig_start(CONF);
	is(CORE_STATE_BACKUP, false);
	expect_orders("stop takeover-primary@sip.target, start takeover-backup@sip.target");
	is(CORE_STATE_FAULT, false);
	is(CORE_STATE_MAINTENANCE, false);
	is(CORE_STATE_CLAIMING, false);
	expect_orders("");
	is(CORE_STATE_PRIMARY, true);
	expect_orders("stop takeover-backup@sip.target, start takeover-primary@sip.target");
	is(CORE_STATE_YIELDING, true);
	expect_orders("");
	is(CORE_STATE_BACKUP, false);
	expect_orders("stop takeover-primary@sip.target, start takeover-backup@sip.target");
}

Test(roles, a_systemd_that_comes_back_is_told_again)
{
	rig_start(CONF);
	is(CORE_STATE_PRIMARY, true);
	ordered[0] = '\0';
	roles_renew(&agent);
	expect_orders("stop takeover-backup@sip.target, start takeover-primary@sip.target, "
		      "stop takeover-primary@web\\x2d1.target, "
		      "start takeover-backup@web\\x2d1.target");
}

/* As another agent of this host has them, of whom nothing is stored here. */
Test(roles, targets_of_groups_that_this_agent_has_no_more_are_stopped_once)
{
	const struct store_entry entry = { .term = 3 };
	char directory[TEMP_MAX], command[512];

	rig_start(CONF);
	cr_assert_not_null(mkdtemp(temp_template(directory, "roles")));
	agent.state_directory = directory;
	cr_assert_eq(store_write(directory, "old-1", &entry), 0);
	cr_assert_eq(store_write(directory, "sip", &entry), 0);
	(void)snprintf(command, sizeof(command), "touch %s/lock %s/x.group.new %s/.group",
		       directory, directory, directory);
	cr_assert_eq(system(command), 0);
	roles_remember(&agent);
	agent.role[0] = agent.role[1] = ROLE_BACKUP;
	roles_renew(&agent);
	expect_orders("stop takeover-primary@old\\x2d1.target, "
		      "stop takeover-backup@old\\x2d1.target, "
		      "stop takeover-primary@sip.target, start takeover-backup@sip.target, "
		      "stop takeover-primary@web\\x2d1.target, "
		      "start takeover-backup@web\\x2d1.target");
	roles_renew(&agent);
	expect_orders("stop takeover-primary@sip.target, start takeover-backup@sip.target, "
		      "stop takeover-primary@web\\x2d1.target, "
		      "start takeover-backup@web\\x2d1.target");
	(void)snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_assert_eq(system(command), 0);
}

Test(roles, what_was_not_taken_is_ordered_again)
{
	rig_start(CONF);
	refusal = -ENOTCONN;
	is(CORE_STATE_PRIMARY, true);
	expect_orders("stop takeover-backup@sip.target");
	refusal = 0;
	is(CORE_STATE_PRIMARY, true);
	expect_orders("stop takeover-backup@sip.target, start takeover-primary@sip.target");
}

/* A step may have stopped the target. */
Test(roles, a_move_that_is_undone_starts_the_target_again)
{
	rig_start(CONF);
	is(CORE_STATE_PRIMARY, true);
	ordered[0] = '\0';
	agent.role[0] = ROLE_UNKNOWN;
	agent.core.groups[0].units = 7;
	is(CORE_STATE_PRIMARY, true);
	agent.core.groups[0].units = 0;
	is(CORE_STATE_YIELDING, true);
	expect_orders("");
	is(CORE_STATE_PRIMARY, true);
	expect_orders("stop takeover-backup@sip.target, start takeover-primary@sip.target");
}

Test(roles, a_claim_with_steps_leaves_the_targets_until_it_ends)
{
	struct core_group *g = &agent.core.groups[0];

	rig_start(CONF);
	is(CORE_STATE_BACKUP, false);
	ordered[0] = '\0';
	agent.role[0] = ROLE_UNKNOWN;
	g->units = 7;
	is(CORE_STATE_CLAIMING, false);
	g->units = 0;
	g->through = true;
	is(CORE_STATE_CLAIMING, false);
	expect_orders("");
	is(CORE_STATE_PRIMARY, true);
	expect_orders("stop takeover-backup@sip.target, start takeover-primary@sip.target");
	agent.role[0] = ROLE_UNKNOWN;
	is(CORE_STATE_CLAIMING, false);
	expect_orders("");
	is(CORE_STATE_BACKUP, false);
	expect_orders("stop takeover-primary@sip.target, start takeover-backup@sip.target");
}

Test(roles, who_ends_has_no_role_and_who_comes_back_keeps_it)
{
	rig_start(CONF);
	is(CORE_STATE_PRIMARY, true);
	ordered[0] = '\0';
	agent.core.stopping = true;
	is(CORE_STATE_PRIMARY, true);
	is(CORE_STATE_YIELDING, true);
	expect_orders("");
	is(CORE_STATE_BACKUP, false);
	expect_orders("stop takeover-primary@sip.target");
	cr_expect_eq(roles_leave(&agent), 4);
	expect_orders("stop takeover-primary@sip.target, stop takeover-backup@sip.target, "
		      "stop takeover-primary@web\\x2d1.target, "
		      "stop takeover-backup@web\\x2d1.target");
	agent.core.restarting = true;
	is(CORE_STATE_BACKUP, false);
	expect_orders("stop takeover-primary@sip.target, start takeover-backup@sip.target");
	cr_expect_eq(roles_leave(&agent), 0);
	expect_orders("");
	dropped = "web-1";
	cr_expect_eq(roles_leave(&agent), 2);
	expect_orders("stop takeover-primary@web\\x2d1.target, "
		      "stop takeover-backup@web\\x2d1.target");
	refusal = -ENOTCONN;
	cr_expect_eq(roles_leave(&agent), 0);
}

Test(roles, a_target_that_does_not_start_is_told)
{
	uint32_t id = systemd_id(SYSTEMD_ROLE, 1, ROLE_PRIMARY << 1 | UNIT_START);

	rig_start(CONF);
	roles_done(&agent, id, 0, "done");
	roles_done(&agent, id, -ECANCELED, "canceled");
	cr_expect_str_eq(logged, "");
	roles_done(&agent, id, -EIO, "dependency");
	cr_expect_str_eq(logged, "cannot start takeover-primary@web\\x2d1.target: dependency");
	roles_done(&agent, systemd_id(SYSTEMD_ROLE, 0, ROLE_BACKUP << 1 | UNIT_STOP), -EIO, "no");
	cr_expect_str_eq(logged, "cannot stop takeover-backup@sip.target: no");
}

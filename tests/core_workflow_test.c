/* SPDX-License-Identifier: MIT */

/*
 * What happens to a pair of servers, told as their operators tell it. Each of
 * these days has laws of its own in the other files; here it is one story.
 */

#include "tests/core_rig.h"

/* Who is primary, who is not and in which state: "alpha backup, beta primary". */
static void roles_are(enum core_state alpha, enum core_state beta)
{
	rig_expect_state(ALPHA, alpha);
	rig_expect_state(BETA, beta);
	cr_assert_eq(rig_group(ALPHA)->primary, alpha == CORE_STATE_PRIMARY);
	cr_assert_eq(rig_group(BETA)->primary, beta == CORE_STATE_PRIMARY);
}

/* Where in the story something was done; it has to have been done just once. */
static size_t place_of(const char *line)
{
	cr_assert_eq(rig_count(line), 1, "\"%s\" in:\n%s", line, rig.trace);
	return (size_t)(strstr(rig.trace, line) - rig.trace);
}

static void nothing_moves_for_us(uint64_t us)
{
	rig_forget();
	rig_advance_us(us);
	cr_assert_eq(rig_count(" is "), 0, "%s", rig.trace);
}

Test(core_workflow, manual_switchover_and_switchback)
{
	rig_begin();
	rig_pair();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
	rig_advance_us(USEC_PER_SEC);
	roles_are(CORE_STATE_BACKUP, CORE_STATE_PRIMARY);
	cr_assert_lt(place_of("beta is primary (switchover)"), place_of("alpha removes"));
	cr_assert_lt(place_of("alpha removes"), place_of("alpha is backup (switchover)"));
	place_of("alpha replies 1  beta\n");

	rig_forget();
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 2);
	rig_advance_us(USEC_PER_SEC);
	roles_are(CORE_STATE_PRIMARY, CORE_STATE_BACKUP);
	place_of("alpha replies 2  alpha\n");
	nothing_moves_for_us(20 * USEC_PER_SEC);
}

/* The old primary is down on its host before it counts as the backup again. */
Test(core_workflow, the_service_of_the_primary_fails)
{
	rig_begin();
	rig_pair();
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_advance_us(USEC_PER_SEC);
	roles_are(CORE_STATE_FAULT, CORE_STATE_PRIMARY);
	cr_assert_lt(place_of("alpha removes"), place_of("alpha is fault (unfit)"));
	place_of("beta announces\nbeta is primary (switchover)");

	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, false);
	rig_advance_us(USEC_PER_SEC);
	roles_are(CORE_STATE_BACKUP, CORE_STATE_PRIMARY);
	nothing_moves_for_us(20 * USEC_PER_SEC);
}

Test(core_workflow, the_service_of_the_backup_fails)
{
	rig_begin();
	rig_pair();
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_advance_us(USEC_PER_SEC);
	roles_are(CORE_STATE_PRIMARY, CORE_STATE_FAULT);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, false);
	rig_advance_us(USEC_PER_SEC);
	roles_are(CORE_STATE_PRIMARY, CORE_STATE_BACKUP);
}

/* Nobody can take the address down on a host that is gone: its lease does. */
Test(core_workflow, the_host_of_the_primary_loses_its_power)
{
	rig_begin();
	rig_pair();
	rig_kill(ALPHA);
	rig_advance_us(DEAD - INTERVAL);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_advance_us(2 * INTERVAL);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);

	rig_start(ALPHA);
	rig_advance_us(10 * USEC_PER_SEC);
	roles_are(CORE_STATE_BACKUP, CORE_STATE_PRIMARY);
	nothing_moves_for_us(20 * USEC_PER_SEC);
}

/* The host that was cut off is the one that gives way when it is back. */
Test(core_workflow, the_host_of_the_primary_is_disconnected_and_reconnected)
{
	rig_begin();
	rig_pair();
	rig_cut(ALPHA, BETA);
	rig_advance_us(2 * DEAD);
	roles_are(CORE_STATE_PRIMARY, CORE_STATE_PRIMARY);

	rig_join(ALPHA, BETA);
	rig_forget();
	rig_advance_us(USEC_PER_SEC);
	roles_are(CORE_STATE_BACKUP, CORE_STATE_PRIMARY);
	cr_assert_lt(place_of("alpha is yielding (conflict)"), place_of("alpha removes"));
	cr_assert_eq(rig_count("beta is "), 0);
	nothing_moves_for_us(20 * USEC_PER_SEC);
}

/* The same to the backup: with references it knows that it is itself cut off. */
Test(core_workflow, the_host_of_the_backup_is_disconnected_and_reconnected)
{
	rig_begin();
	rig_pair();
	rig_set_references(ALPHA, false);
	rig_set_references(BETA, false);
	rig_cut(ALPHA, BETA);
	rig_set_references(BETA, true);
	rig_advance_us(2 * LAST_RESORT);
	roles_are(CORE_STATE_PRIMARY, CORE_STATE_FAULT);

	rig_join(ALPHA, BETA);
	rig_set_references(BETA, false);
	rig_advance_us(USEC_PER_SEC);
	roles_are(CORE_STATE_PRIMARY, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("alpha is "), 0);
	nothing_moves_for_us(20 * USEC_PER_SEC);
}

/*
 * The cable of the service is pulled while the two still hear each other: the
 * address goes once, the old primary is closed, and plugging it in again moves
 * nothing.
 */
Test(core_workflow, the_service_cable_of_the_primary_is_pulled_and_plugged_in_again)
{
	rig_begin();
	rig_pair();
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_advance_us(USEC_PER_SEC);
	roles_are(CORE_STATE_FAULT, CORE_STATE_PRIMARY);
	cr_assert_lt(place_of("alpha gate closed"), place_of("alpha removes"));

	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, false);
	rig_advance_us(USEC_PER_SEC);
	roles_are(CORE_STATE_BACKUP, CORE_STATE_PRIMARY);
	nothing_moves_for_us(20 * USEC_PER_SEC);
}

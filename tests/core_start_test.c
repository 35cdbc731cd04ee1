/* SPDX-License-Identifier: MIT */

/* Coming and going: start, silence and planned restart (R6, R10, R11). */

#include "agent/core/core.h"

#include "tests/core_rig.h"

static bool marks(uint8_t node)
{
	return rig.beats[node][!node].last.marked;
}

static instant lease_until(uint8_t node)
{
	return rig.nodes[node].core.lease_until;
}

/* Alpha finds what its last life has left. */
static void adopt(uint64_t term, uint32_t lease_left_us)
{
	struct core_event *start = &rig.nodes[ALPHA].start[0];

	start->start.adopted = true;
	start->start.term = term;
	start->start.lease_left_us = lease_left_us;
	rig_start(ALPHA);
}

Test(core_start, r6_what_was_adopted_is_held_at_once_under_the_stored_term)
{
	rig_begin();
	adopt(5, 200 * 1000);
	rig_expect("alpha is primary (adopted)\n");
	cr_assert_eq(rig_group(ALPHA)->term, 5);
	cr_assert_eq(lease_until(ALPHA).us, rig.now.us + 200 * 1000);
	rig_advance_us(20 * USEC_PER_SEC);
	rig_expect("");
}

Test(core_start, r6_an_adopted_lease_is_renewed_by_the_first_echo_or_ends_at_its_time)
{
	rig_begin();
	adopt(5, 30 * 1000);
	rig_advance_us(30 * 1000 - 1);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_advance_us(1);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);

	rig_begin();
	adopt(5, 70 * 1000);
	rig_say(BETA, ALPHA);
	rig_advance_us(INTERVAL);
	cr_assert(marks(ALPHA));
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(lease_until(ALPHA).us, rig.now.us + COUNTED);
}

Test(core_start, r6_an_adopted_lease_that_was_lengthened_is_advertised_until_it_is_renewed)
{
	rig_begin();
	adopt(5, HOLD);
	cr_assert_eq(rig.beats[ALPHA][BETA].last.lease_us, HOLD);
	rig_say(BETA, ALPHA);
	rig_advance_us(INTERVAL);
	cr_assert(marks(ALPHA));
	cr_assert_eq(rig.beats[ALPHA][BETA].last.lease_us, LEASE);
}

Test(core_start, r6_of_two_groups_the_one_that_stands_is_adopted)
{
	rig_begin();
	rig_configure(n_groups, 2);
	adopt(5, LEASE);
	rig_expect("alpha is primary (adopted)\n");
	rig_advance_us(LISTEN);
	rig_expect("alpha/1 is claiming (no-primary)\n"
		   "alpha/1 stores 1\n"
		   "alpha/1 prepares\n"
		   "alpha/1 gate answer\n"
		   "alpha/1 announces\n"
		   "alpha/1 is primary (no-primary)\n");
}

Test(core_start, r6_who_hears_nobody_listens_until_a_planned_restart_would_be_over)
{
	rig_begin();
	rig_start(ALPHA);
	rig_expect("");
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_STARTING);
	rig_advance_us(LISTEN - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("alpha is claiming (no-primary)\n"
		   "alpha stores 1\n"
		   "alpha prepares\n"
		   "alpha gate answer new\n"
		   "alpha announces\n"
		   "alpha is primary (no-primary)\n");
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
}

Test(core_start, r6_who_hears_a_peer_that_holds_nothing_listens_as_long_as_its_lease_asks_for)
{
	rig_begin();
	rig_start(ALPHA);
	rig_say_for_us(BETA, ALPHA, DEAD - INTERVAL);
	cr_assert_eq(rig_count("is claiming"), 0);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);

	rig_begin();
	rig.nodes[BETA].puppet.lease_us = USEC_PER_SEC;
	rig_start(ALPHA);
	rig_say_for_us(BETA, ALPHA, USEC_PER_SEC + 2 * INTERVAL);
	cr_assert_eq(rig_count("is claiming"), 0);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_start, r6_at_boot_it_waits_for_switch_ports_unless_a_peer_is_heard)
{
	rig_begin();
	rig.nodes[ALPHA].start[0].start.boot = true;
	rig_start(ALPHA);
	rig_advance_us(START_WAIT - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);

	rig_begin();
	rig.nodes[ALPHA].start[0].start.boot = true;
	rig_start(ALPHA);
	rig_say_for_us(BETA, ALPHA, DEAD + INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_start, r6_who_hears_the_holder_has_listened_enough)
{
	rig_begin();
	rig_start(BETA);
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_group(BETA)->unfit, CORE_UNFIT_STARTING);
	rig_puppet(ALPHA)->state = CORE_STATE_PRIMARY;
	rig_say(ALPHA, BETA);
	cr_assert_eq(rig_group(BETA)->unfit, 0);
}

Test(core_start, r6_maintenance_survives_a_restart)
{
	rig_begin();
	rig.nodes[ALPHA].start[0].start.maintenance = true;
	rig_start(ALPHA);
	rig_advance_us(20 * USEC_PER_SEC);
	rig_expect("alpha is maintenance (start)\n");
	cr_assert(rig_group(ALPHA)->unfit & CORE_UNFIT_MAINTENANCE);
}

Test(core_start, r10_a_host_without_agent_is_told_once_and_the_dead_time_still_runs)
{
	struct core_event event = { .type = CORE_EV_UNREACHABLE, .peer = ALPHA };

	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_step(BETA, &event);
	rig_step(BETA, &event);
	rig_expect("beta tells peer-no-agent alpha\n");
	cr_assert(rig.nodes[BETA].core.peers[ALPHA].no_agent);
	rig_advance_us(DEAD - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig_puppet(ALPHA)->state = CORE_STATE_BACKUP;
	rig_say(ALPHA, BETA);
	cr_assert_not(rig.nodes[BETA].core.peers[ALPHA].no_agent);
}

Test(core_start, r10_a_peer_is_told_of_when_it_comes_and_when_it_goes)
{
	rig_begin();
	rig_start(BETA);
	rig_say(ALPHA, BETA);
	rig_say(ALPHA, BETA);
	rig_expect("beta tells peer-up alpha\n");
	cr_assert(rig.nodes[BETA].core.peers[ALPHA].up);
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_forget();
	rig_advance_us(USEC_PER_SEC);
	rig_expect("beta tells peer-silent alpha\n");
	cr_assert_not(rig.nodes[BETA].core.peers[ALPHA].up);
}

Test(core_start, r10_who_is_disowned_releases_and_is_unfit_while_it_is_told_so)
{
	struct core_event event = { .type = CORE_EV_DISOWNED, .peer = BETA };

	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_advance_us(LISTEN);
	rig_step(ALPHA, &event);
	rig_done_all(ALPHA);
	rig_expect("alpha tells disowned beta\n"
		   "alpha tells unfit 20\n"
		   "alpha is yielding (disowned)\n"
		   "alpha gate closed\n"
		   "alpha removes\n"
		   "alpha is fault (disowned)\n");
	for (int i = 0; i < 20; i++) {
		rig_advance_us(DEAD - 1);
		rig_event(ALPHA, CORE_EV_DISOWNED);
	}
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_advance_us(DEAD + 2 * INTERVAL);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
}

Test(core_start, r10_a_peer_that_speaks_to_us_does_not_disown_us)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_event(ALPHA, CORE_EV_DISOWNED);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	rig_say(BETA, ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
}

Test(core_start, r11_a_restart_is_advertised_and_the_lease_lengthened_only_after_the_echo)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_deafen(BETA);
	rig_say(BETA, ALPHA);
	rig_forget();
	rig_stop(ALPHA, true);
	rig_expect("alpha tells unfit 240\n");
	cr_assert_eq(rig.beats[ALPHA][BETA].last.lease_us, HOLD + LEASE);
	rig_say(BETA, ALPHA);
	rig_expect("");
	rig_undeafen(BETA);
	rig_say(BETA, ALPHA);
	rig_expect("alpha lease 3000000\n");
	rig_answer_next(ALPHA, 0);
	rig_expect("alpha exits\n");
}

Test(core_start, r11_after_the_lease_was_lengthened_nothing_renews_it)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say(BETA, ALPHA);
	rig_stop(ALPHA, true);
	rig.nodes[ALPHA].stuck = true;
	rig_say(BETA, ALPHA);
	cr_assert_eq(rig_count("alpha lease 3000000\n"), 1);
	cr_assert_eq(lease_until(ALPHA).us, rig.now.us + HOLD);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	cr_assert_not(marks(ALPHA));
	cr_assert_eq(rig.beats[ALPHA][BETA].last.lease_us, HOLD + LEASE);
}

Test(core_start, r11_with_nobody_there_the_lease_is_lengthened_without_an_echo)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_advance_us(DEAD);
	rig_stop(ALPHA, true);
	rig_advance_us(INTERVAL);
	cr_assert_eq(rig_count("alpha lease 3000000\n"), 1);
	cr_assert_eq(rig_count("alpha exits\n"), 1);
}

Test(core_start, r11_a_restart_does_not_wait_for_ever_for_an_echo)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_forget();
	rig_stop(ALPHA, true);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD - INTERVAL);
	cr_assert_eq(rig_count("exits"), 0);
	rig_advance_us(INTERVAL);
	rig_expect("alpha tells unfit 200\n"
		   "alpha exits\n");
}

Test(core_start, r11_the_peer_waits_as_long_as_it_was_told)
{
	rig_begin();
	rig_pair();
	rig_stop(ALPHA, true);
	rig_settle();
	cr_assert_not(rig.nodes[ALPHA].runs);
	rig_advance_us(2 * INTERVAL + HOLD + LEASE);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_advance_us(10 * USEC_PER_MSEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha gate"), 0);
	cr_assert_eq(rig_count("alpha removes"), 0);
}

Test(core_start, r11_who_comes_back_in_time_goes_on_as_if_nothing_had_happened)
{
	rig_begin();
	rig_pair();
	rig_stop(ALPHA, true);
	rig_advance_us(USEC_PER_SEC);
	rig.nodes[ALPHA].start[0].start.adopted = true;
	rig.nodes[ALPHA].start[0].start.term = rig.nodes[ALPHA].stored[0];
	rig.nodes[ALPHA].start[0].start.lease_left_us = HOLD - USEC_PER_SEC;
	rig_start(ALPHA);
	rig_forget();
	rig_advance_us(10 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_expect("alpha tells peer-up beta\n");
	cr_assert_eq(rig.beats[ALPHA][BETA].last.lease_us, LEASE);
}

Test(core_start, r11_a_stop_is_heeded_once)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say(BETA, ALPHA);
	rig_stop(ALPHA, true);
	rig_stop(ALPHA, false);
	rig_say(BETA, ALPHA);
	rig_settle();
	cr_assert_eq(rig_count("alpha exits\n"), 1);
	cr_assert_eq(rig_count("gate"), 0);
}

Test(core_start, after_the_exit_a_core_does_nothing_any_more)
{
	struct core_event event = { .type = CORE_EV_TIME, .now.us = 2000 * USEC_PER_SEC };

	rig_begin();
	rig_start(BETA);
	rig_stop(BETA, false);
	rig_expect("beta tells unfit 240\n"
		   "beta exits\n");
	core_step(&rig.nodes[BETA].core, &event, &rig.actions);
	cr_assert_eq(rig.actions.n, 0);
}

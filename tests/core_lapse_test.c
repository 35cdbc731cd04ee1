/* SPDX-License-Identifier: MIT */

/* A lease that has ended stays ended (R9). */

#include "agent/core/core.h"

#include "tests/core_rig.h"

/* Alpha was primary, and its lease is found to have ended. */
static void begin_lapsed(void)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_advance_us(INTERVAL);
	rig_skip_us(1000);
	rig_forget();
	rig_event(ALPHA, CORE_EV_LAPSED);
}

Test(core_lapse, r9_a_lease_that_has_ended_shuts_first_and_opens_by_a_claim_after_an_echo)
{
	begin_lapsed();
	rig_expect("alpha shuts\n"
		   "alpha tells lapsed\n"
		   "alpha is claiming (lease-lapsed)\n");
	cr_assert_not(rig_group(ALPHA)->serving);
	rig_done_all(ALPHA);
	cr_assert_not(rig_marks(ALPHA));
	rig_deafen(BETA);
	rig_say(BETA, ALPHA);
	rig_expect("");
	rig_undeafen(BETA);
	rig_say(BETA, ALPHA);
	rig_done_all(ALPHA);
	rig_expect("alpha stores 6\n"
		   "alpha prepares\n"
		   "alpha gate answer new\n"
		   "alpha announces\n"
		   "alpha is primary (lease-lapsed)\n");
	cr_assert_eq(rig_group(ALPHA)->term, 6);
	rig_say_for_us(BETA, ALPHA, 10 * INTERVAL);
	cr_assert_eq(rig_count("repairs"), 0);
}

Test(core_lapse, r9_an_echo_of_a_heartbeat_from_before_the_lapse_is_no_leave)
{
	uint64_t before;

	begin_lapsed();
	before = rig.beats[ALPHA][BETA].last.seq - 1;
	rig_say_echo(BETA, ALPHA, before);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_say_echo(BETA, ALPHA, before + 1);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* An event loop reads its clock once for everything that it finds. */
Test(core_lapse, r9_an_echo_of_a_heartbeat_from_before_the_lapse_in_the_same_instant_is_no_leave)
{
	uint64_t before;

	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	before = rig.beats[ALPHA][BETA].last.seq;
	cr_assert_eq(rig.nodes[ALPHA].core.sent[before % CORE_SENT_MAX].at.us, rig.now.us);
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_say_echo(BETA, ALPHA, before);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_say_echo(BETA, ALPHA, before + 1);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_lapse, r9_a_shut_that_fails_is_told)
{
	begin_lapsed();
	rig_forget();
	rig_answer_next(ALPHA, -5);
	rig_expect("alpha tells action-failed\n");
	cr_assert_eq(rig.failure, -5);
}

Test(core_lapse, r9_silence_of_the_peer_for_the_dead_time_is_leave_as_well)
{
	begin_lapsed();
	rig_advance_us(DEAD - 1);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_advance_us(2 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_lapse, r9_a_peer_that_cannot_claim_gives_leave_after_the_dead_time_without_echo)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_puppet(BETA)->unfit = CORE_UNFIT_CHECK;
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_skip_us(1);
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_say_for_us(BETA, ALPHA, DEAD - INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_say_for_us(BETA, ALPHA, INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_lapse, r9_a_peer_that_could_claim_and_does_not_hear_us_gives_no_leave)
{
	begin_lapsed();
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 10 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	cr_assert_eq(rig_count("gate answer"), 0);
}

Test(core_lapse, r9_leave_that_is_gone_when_the_addresses_are_there_is_asked_for_again)
{
	begin_lapsed();
	rig_say(BETA, ALPHA);
	rig_forget();
	rig.nodes[ALPHA].stuck = true;
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 3 * INTERVAL);
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	rig_expect("");
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig.nodes[ALPHA].stuck = false;
	rig_say_for_us(BETA, ALPHA, USEC_PER_SEC);
	rig_expect("");
	rig_undeafen(BETA);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_lapse, r9_a_peer_that_falls_silent_meanwhile_takes_no_leave_back)
{
	begin_lapsed();
	rig_say(BETA, ALPHA);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(DEAD);
	rig_forget();
	rig.nodes[ALPHA].stuck = false;
	rig_settle();
	rig_expect("alpha gate answer new\n"
		   "alpha announces\n"
		   "alpha is primary (lease-lapsed)\n");
}

Test(core_lapse, r9_who_waits_for_leave_gives_way_to_a_holder)
{
	begin_lapsed();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = 6;
	rig_say(BETA, ALPHA);
	rig_done_all(ALPHA);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	cr_assert_eq(rig_count("gate answer"), 0);
}

Test(core_lapse, r9_after_a_freeze_longer_than_the_lease_the_gate_is_shut_first)
{
	rig_begin();
	rig_pair();
	rig.nodes[ALPHA].frozen = true;
	rig_advance_us(2 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	rig.nodes[ALPHA].frozen = false;
	rig.nodes[ALPHA].stuck = true;
	rig_lose(BETA, ALPHA);
	rig_forget();
	rig_event(ALPHA, CORE_EV_TIME);
	rig_expect("alpha shuts\n"
		   "alpha tells lapsed\n"
		   "alpha is claiming (lease-lapsed)\n");
	cr_assert_not(rig.beats[ALPHA][BETA].last.marked);
	rig.nodes[ALPHA].stuck = false;
	rig_advance_us(INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_BACKUP);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_lapse, r9_a_freeze_just_below_the_lease_changes_nothing)
{
	rig_begin();
	rig_pair();
	rig.nodes[ALPHA].frozen = true;
	rig_advance_us(COUNTED - INTERVAL - 1);
	rig.nodes[ALPHA].frozen = false;
	rig_advance_us(USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_expect("");
}

/*
 * The heartbeat after the freeze does not renew: nobody has answered lately. Its echo lets the
 * next.
 */
Test(core_lapse, r9_after_a_freeze_just_below_the_lease_an_echo_is_made_use_of_at_once)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_skip_us(COUNTED - 2000);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_not(rig_marks(ALPHA));
	rig_skip_us(1000);
	rig_say(BETA, ALPHA);
	cr_assert(rig_marks(ALPHA));
	cr_assert_eq(rig_lease_until(ALPHA).us, rig.now.us + COUNTED);
}

/* Decided, ordered, and then frozen before the kernel's answer was heard. */
static void freeze_while_claiming(uint64_t us)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	rig_advance_us(DEAD);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
	rig_skip_us(us);
	rig_forget();
	rig_answer(BETA, CORE_DO_PREPARE, 0);
}

Test(core_lapse, r9_a_claim_from_before_a_freeze_as_long_as_the_lease_is_void)
{
	freeze_while_claiming(LEASE);
	rig_done_all(BETA);
	cr_assert_eq(rig_count("gate answer"), 0);
	cr_assert_eq(rig_count("beta gate closed\n"), 1);
	cr_assert_eq(rig_count("beta removes\n"), 1);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
}

/* Nothing has been decided yet that could be void, and the addresses are there still. */
Test(core_lapse, r9_who_waits_for_leave_goes_on_doing_so_after_a_freeze)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, LEASE + 3 * INTERVAL);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_CLAIM_WAIT);
	rig_forget();
	for (unsigned i = 0; i < 3; i++) {
		rig_skip_us(LEASE);
		rig_say(BETA, ALPHA);
		rig_say_for_us(BETA, ALPHA, DEAD);
	}
	rig_expect("");
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_CLAIM_WAIT);
	rig_skip_us(LEASE);
	rig_undeafen(BETA);
	rig_say(BETA, ALPHA); /* of before the freeze */
	rig_expect("");
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

Test(core_lapse, r9_a_claim_goes_on_after_a_shorter_freeze)
{
	freeze_while_claiming(LEASE - 1);
	rig_expect("beta gate answer new\n");
}

Test(core_lapse, r9_after_a_long_freeze_a_backup_listens_as_after_a_start)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_skip_us(10 * USEC_PER_SEC);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect("");
	rig_advance_us(LISTEN - 1);
	cr_assert_eq(rig_count("claiming"), 0);
	rig_advance_us(2 * INTERVAL);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

/* It may have gone into a planned restart meanwhile, and have said so to a full socket. */
Test(core_lapse, r9_what_waited_in_the_socket_during_a_freeze_does_not_shorten_the_listening)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 1);
	rig_puppet(ALPHA)->state = CORE_STATE_BACKUP;
	rig_skip_us(LISTEN);
	rig_say(ALPHA, BETA);
	rig_advance_us(2 * INTERVAL);
	rig_say(ALPHA, BETA);
	rig_advance_us(LISTEN - 3 * INTERVAL);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_advance_us(2 * INTERVAL + DEAD);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_lapse, r9_after_a_short_freeze_the_dead_time_begins_anew)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_skip_us(DEAD - 1);
	rig_event(BETA, CORE_EV_TIME);
	rig_advance_us(DEAD - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
}

Test(core_lapse, r9_what_waited_in_the_socket_during_a_freeze_does_not_renew_at_once)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, DEAD);
	cr_assert(rig_marks(ALPHA));
	rig_skip_us(LEASE - INTERVAL);
	rig_say(BETA, ALPHA);
	cr_assert_not(rig_marks(ALPHA));
}

Test(core_lapse, r9_a_gate_that_opens_too_slowly_is_a_lapse)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	rig_advance_us(DEAD);
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	rig_forget();
	rig_deafen(ALPHA);
	rig_puppet(ALPHA)->state = CORE_STATE_BACKUP;
	rig_say_for_us(ALPHA, BETA, LEASE + 4 * INTERVAL);
	cr_assert_eq(rig_count("beta shuts\n"), 1);
	cr_assert_eq(rig_count("is primary"), 0);
	cr_assert_eq(rig_count("beta is yielding (lease-lapsed)\n"), 1);
}

Test(core_lapse, r9_with_nothing_open_there_is_no_lease_and_the_next_claim_creates_one)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_event(ALPHA, CORE_EV_DISOWNED);
	rig_done_all(ALPHA);
	cr_assert_eq(rig_lease_until(ALPHA).us, 0);
	rig_forget();
	rig_say(BETA, ALPHA);
	cr_assert_not(rig_marks(ALPHA));
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha gate answer new\n"), 1);
}

Test(core_lapse, r9_only_the_first_group_to_open_creates_the_lease)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_alone(ALPHA);
	rig_expect("alpha is claiming (no-primary)\n"
		   "alpha stores 1\n"
		   "alpha prepares\n"
		   "alpha/1 is claiming (no-primary)\n"
		   "alpha/1 stores 1\n"
		   "alpha/1 prepares\n"
		   "alpha gate answer new\n"
		   "alpha/1 gate answer\n"
		   "alpha announces\n"
		   "alpha is primary (no-primary)\n"
		   "alpha/1 announces\n"
		   "alpha/1 is primary (no-primary)\n");
}

Test(core_lapse, r9_one_group_that_closes_leaves_the_lease_to_the_others)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_configure(groups[0].keep_alone, false);
	rig_alone(ALPHA);
	rig_set_fitness(ALPHA, CORE_UNFIT_LINK, true);
	rig_settle();
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	cr_assert_neq(rig_lease_until(ALPHA).us, 0);
	rig_advance_us(USEC_PER_SEC);
	cr_assert_eq(rig.nodes[ALPHA].core.groups[1].state, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("shuts"), 0);
}

Test(core_lapse, r9_a_lapse_ends_everything_that_was_open_and_one_shut_does_it)
{
	rig_begin();
	rig_configure(n_groups, 3);
	rig_alone(ALPHA);
	rig_forget();
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_expect("alpha shuts\n"
		   "alpha tells lapsed\n"
		   "alpha is claiming (lease-lapsed)\n"
		   "alpha/1 tells lapsed\n"
		   "alpha/1 is claiming (lease-lapsed)\n"
		   "alpha/2 tells lapsed\n"
		   "alpha/2 is claiming (lease-lapsed)\n");
}

Test(core_lapse, r9_a_lapse_on_a_backup_empties_the_gate_and_changes_nothing_else)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_event(BETA, CORE_EV_LAPSED);
	rig_expect("beta shuts\n");
}

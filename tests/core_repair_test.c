/* SPDX-License-Identifier: MIT */

/* What a stranger took is put back, unless it is a fight; and who may hold a group when nobody is
 * fit. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

static void begin(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
}

static void lose(void)
{
	rig_event(ALPHA, CORE_EV_LOST);
	rig_settle();
}

Test(core_repair, losses_of_ten_seconds_count_together)
{
	begin();
	rig_advance_us(LISTEN);
	for (int i = 0; i < 4; i++) {
		lose();
		rig_advance_us(5 * USEC_PER_SEC / 2);
	}
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
	lose();
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_DRIFT);
}

/* The clock of the host begins with it, and the ten seconds with the first loss. */
Test(core_repair, losses_soon_after_the_boot_count_from_the_first_one)
{
	rig_begin();
	rig.now.us = USEC_PER_SEC;
	rig_adopted(ALPHA, 5);
	rig_advance_us(7 * USEC_PER_SEC);
	for (int i = 0; i < 4; i++) {
		lose();
		rig_advance_us(USEC_PER_SEC);
	}
	lose();
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_DRIFT);
}

Test(core_repair, a_refresh_goes_on_behind_the_longest_schedule)
{
	rig_begin();
	rig_configure(n_announce, CORE_ANNOUNCE_MAX);
	for (uint32_t i = 0; i < CORE_ANNOUNCE_MAX; i++)
		rig_configure(announce_us[i], (i + 1) * 10000);
	rig_configure(refresh_us, USEC_PER_SEC);
	rig_alone(ALPHA);
	rig_advance_us(USEC_PER_SEC);
	rig_forget();
	rig_advance_us(2 * CORE_ANNOUNCE_MAX * USEC_PER_SEC);
	cr_assert_eq(rig_count("alpha announces\n"), 2 * CORE_ANNOUNCE_MAX);
}

/* R4: beta, whose check fails, hears alpha, which ranks higher and is unfit for this. */
static bool beta_claims(uint16_t unfit)
{
	rig_begin();
	rig_configure(groups[0].last_resort_us, 0);
	rig_puppet(ALPHA)->state = CORE_STATE_FAULT;
	rig_puppet(ALPHA)->unfit = unfit;
	rig_start(BETA);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	for (uint64_t us = 0; us < 2 * LISTEN; us += INTERVAL) {
		rig_advance_us(INTERVAL);
		rig_say(ALPHA, BETA);
	}
	return rig_group(BETA)->state == CORE_STATE_PRIMARY;
}

Test(core_repair, r4_who_ranks_higher_is_left_the_group_if_it_could_hold_it)
{
	const uint16_t cannot = CORE_UNFIT_LINK | CORE_UNFIT_ISOLATED | CORE_UNFIT_MAINTENANCE |
				CORE_UNFIT_STARTING | CORE_UNFIT_STOPPING | CORE_UNFIT_DISOWNED |
				CORE_UNFIT_CLAIM | CORE_UNFIT_OCCUPIED | CORE_UNFIT_INHIBITED;

	for (unsigned bit = 1; bit < _CORE_UNFIT_MASK; bit <<= 1)
		cr_assert_eq(beta_claims((uint16_t)bit), (bit & cannot) != 0, "%x", bit);
}

Test(core_repair, r4_who_ranks_lower_leaves_it_to_us)
{
	rig_begin();
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_puppet(BETA)->unfit = CORE_UNFIT_CHECK;
	rig_start(ALPHA);
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_say_for_us(BETA, ALPHA, 2 * LISTEN);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
}

/* R6: what comes later than what the sockets may have kept is of now. */
Test(core_repair, r6_who_is_heard_after_two_intervals_has_told_its_lease)
{
	rig_begin();
	rig_start(BETA);
	rig_advance_us(2 * INTERVAL);
	rig_skip_us(1);
	rig_say(ALPHA, BETA);
	rig_advance_us(DEAD - 2 * INTERVAL - 2);
	rig_event(BETA, CORE_EV_TIME);
	cr_assert_eq(rig_group(BETA)->unfit, CORE_UNFIT_STARTING);
	rig_advance_us(1);
	rig_event(BETA, CORE_EV_TIME);
	cr_assert_eq(rig_group(BETA)->unfit, 0);
}

Test(core_repair, a_fault_is_said_once_and_not_with_every_event)
{
	uint64_t seq;

	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	seq = rig.nodes[BETA].core.seq;
	rig_event(BETA, CORE_EV_TIME);
	cr_assert_eq(rig.nodes[BETA].core.seq, seq);
}

Test(core_repair, an_echo_that_was_overtaken_changes_nothing)
{
	const struct core_peer *p = &rig.nodes[ALPHA].core.peers[BETA];
	uint64_t seq;

	begin();
	rig_say_for_us(BETA, ALPHA, DEAD);
	seq = p->echoed_seq;
	rig_say_echo(BETA, ALPHA, seq - 1);
	cr_assert_eq(p->echoed_seq, seq);
	cr_assert_neq(p->echoed_sent_at.us, 0);
}

Test(core_repair, a_difference_is_told_again_when_the_peer_is_back)
{
	begin();
	rig.nodes[BETA].puppet.digest = 2;
	for (int i = 0; i < 2; i++) {
		rig_say_for_us(BETA, ALPHA, DEAD);
		rig_advance_us(2 * DEAD);
	}
	cr_assert_eq(rig_count("alpha tells digest beta\n"), 2, "%s", rig.trace);
}

/* R1: for each group, what was seen since the peer fell silent this time. */
Test(core_repair, evidence_of_an_earlier_silence_is_none)
{
	struct core_event event = { .type = CORE_EV_TRAFFIC, .group = 1 };
	const struct core_group *g = &rig.nodes[ALPHA].core.groups[1];

	rig_begin();
	rig_configure(n_groups, 2);
	rig_adopted(ALPHA, 5);
	rig_step(ALPHA, &event);
	cr_assert_eq(g->split_traffic & 1 << BETA, 1 << BETA);
	rig_say(BETA, ALPHA);
	rig_advance_us(2 * DEAD);
	cr_assert_eq(g->split_traffic & 1 << BETA, 0);
}

/* R4: a state at a time, whatever comes together. */
Test(core_repair, r4_who_becomes_unfit_as_the_better_one_dies_has_a_fault_first)
{
	rig_begin();
	rig_configure(groups[0].last_resort_us, 0);
	rig_start(BETA);
	rig_say_for_us(ALPHA, BETA, LISTEN);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_advance_us(DEAD - 1);
	rig_skip_us(1);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	cr_assert_eq(rig_count("beta tells peer-silent alpha\n"), 1);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	rig_event(BETA, CORE_EV_TIME);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
}

/* The repair has failed, and so has the switchover that it led to. */
Test(core_repair, what_is_missing_is_not_announced_by_a_refresh)
{
	rig_begin();
	rig_configure(refresh_us, USEC_PER_SEC);
	rig_pair();
	rig_event(ALPHA, CORE_EV_LOST);
	rig_kill(BETA);
	rig_answer(ALPHA, CORE_DO_PREPARE, -12);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	rig_forget();
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(3 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha repairs"), 1, "%s", rig.trace);
	cr_assert_eq(rig_count("announces"), 0, "%s", rig.trace);
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	cr_assert_eq(rig_count("announces"), 1, "%s", rig.trace);
}

Test(core_repair, addresses_that_a_stranger_removed_are_put_back_and_announced)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_event(ALPHA, CORE_EV_LOST);
	rig_expect("alpha repairs\n");
	rig_event(ALPHA, CORE_EV_ANNOUNCE);
	rig_expect("");
	rig_answer_next(ALPHA, 0);
	rig_expect("alpha tells repaired\n"
		   "alpha announces\n");
	rig_event(ALPHA, CORE_EV_LOST);
	rig_expect("alpha repairs\n");
}

Test(core_repair, what_was_removed_during_a_repair_takes_another_one)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_event(ALPHA, CORE_EV_LOST);
	rig_event(ALPHA, CORE_EV_LOST);
	rig_event(ALPHA, CORE_EV_LOST);
	rig_expect("alpha repairs\n");
	rig_answer_next(ALPHA, 0);
	rig_expect("alpha tells repaired\n"
		   "alpha repairs\n");
	rig_answer_next(ALPHA, 0);
	rig_expect("alpha tells repaired\n"
		   "alpha announces\n");
}

Test(core_repair, a_repair_that_a_lapse_cut_short_does_not_stand_in_the_way_of_the_next)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_event(ALPHA, CORE_EV_LOST);
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_advance_us(LISTEN + DEAD);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	rig_forget();
	rig_event(ALPHA, CORE_EV_LOST);
	rig_expect("alpha repairs\n");
}

Test(core_repair, what_is_removed_while_it_is_claimed_is_repaired_by_the_new_primary)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig.nodes[ALPHA].stuck = true;
	rig_alone(ALPHA);
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	rig_event(ALPHA, CORE_EV_LOST);
	rig_forget();
	rig_answer_next(ALPHA, 0);
	rig.nodes[ALPHA].stuck = false;
	rig_advance_us(INTERVAL);
	rig_expect("alpha is primary (no-primary)\n"
		   "alpha repairs\n"
		   "alpha tells repaired\n"
		   "alpha announces\n");
}

Test(core_repair, a_backup_repairs_nothing)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_event(BETA, CORE_EV_LOST);
	rig_expect("");
}

/* One each second */
static void lose_addresses(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		rig_event(ALPHA, CORE_EV_LOST);
		rig_answer(ALPHA, CORE_DO_PREPARE, 0);
		rig_advance_us(USEC_PER_SEC);
	}
}

Test(core_repair, a_fight_over_the_addresses_makes_unfit_and_a_single_reconfigure_does_not)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_advance_us(LISTEN);
	lose_addresses(4);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
	lose_addresses(1);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_DRIFT);
	rig_advance_us(5 * USEC_PER_SEC);
	cr_assert_eq(rig_group(ALPHA)->unfit, CORE_UNFIT_DRIFT, "10 s from the first");
	rig_advance_us(INTERVAL + 1);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
}

/* Thousands of addresses that a reconfigured link loses one by one are put back in many rounds. */
Test(core_repair, a_burst_of_losses_counts_once)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_advance_us(LISTEN);
	for (int burst = 0; burst < 4; burst++) {
		rig_advance_us(USEC_PER_SEC);
		for (int i = 0; i < 20; i++) {
			rig_event(ALPHA, CORE_EV_LOST);
			rig_answer(ALPHA, CORE_DO_PREPARE, 0);
			rig_skip_us(10 * USEC_PER_MSEC);
		}
	}
	cr_assert_eq(rig_group(ALPHA)->losses, 4);
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
	cr_assert_eq(rig_count("alpha repairs"), 80, "each is put back at once all the same");
}

Test(core_repair, losses_far_apart_are_no_fight)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_advance_us(LISTEN);
	for (int i = 0; i < 3; i++) {
		lose_addresses(4);
		rig_advance_us(10 * USEC_PER_SEC + 1);
	}
	cr_assert_eq(rig_group(ALPHA)->unfit, 0);
	cr_assert_eq(rig_count("tells unfit"), 0);
}

Test(core_repair, a_repair_that_fails_makes_unfit_and_is_tried_again)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_advance_us(LISTEN);
	rig_event(ALPHA, CORE_EV_LOST);
	rig_forget();
	rig_answer_next(ALPHA, -19);
	rig_expect("alpha tells action-failed\n"
		   "alpha tells unfit 10\n");
	cr_assert_eq(rig.failure, -19);
	rig_leave_the_beat(ALPHA);
	rig_advance_us(2 * USEC_PER_SEC - RIG_OFF_BEAT - 1);
	rig_expect("");
	rig_advance_us(1);
	rig_expect("alpha repairs\n"
		   "alpha tells repaired\n"
		   "alpha announces\n");
}

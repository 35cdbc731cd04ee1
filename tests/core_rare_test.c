/* SPDX-License-Identifier: MIT */

/* What comes together once in a blue moon. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

/* Alpha holds the group under term 5; beta, a puppet, is ready for it. Kernels wait for the test.
 */
static void begin(bool strict)
{
	rig_begin();
	rig_configure(groups[0].strict, strict);
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_forget();
}

/* The puppet alpha hands the group over to beta. */
static void offer(uint32_t id)
{
	struct core_record *r = rig_puppet(ALPHA);

	r->state = CORE_STATE_YIELDING;
	r->move = CORE_MOVE_OFFER;
	r->move_to = BETA;
	r->move_id = id;
	r->move_term = r->term_max = 6;
	rig_say(ALPHA, BETA);
}

Test(core_rare, a_heartbeat_of_long_ago_that_did_not_leave_changes_no_lease)
{
	struct core_event event = { .type = CORE_EV_SENT };
	instant until;

	begin(false);
	until = rig.nodes[ALPHA].core.lease_until;
	event.sent_seq = rig.nodes[ALPHA].core.seq - CORE_SENT_MAX;
	rig_step(ALPHA, &event);
	cr_assert_eq(rig.nodes[ALPHA].core.lease_until.us, until.us);
}

Test(core_rare, a_restart_waits_for_a_group_that_is_taken_back)
{
	begin(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_answer(ALPHA, CORE_DO_STORE, 0);
	rig_puppet(BETA)->state = CORE_STATE_CLAIMING;
	rig_answer_move(BETA, ALPHA, CORE_MOVE_READY, CORE_RESULT_OK);
	rig_stop(ALPHA, true);
	rig_forget();
	rig_answer(ALPHA, CORE_DO_GATE, -5);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	cr_assert_eq(rig_count("alpha lease"), 0, "%s", rig.trace);
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	cr_assert_eq(rig_count("alpha lease 3000000\n"), 1, "%s", rig.trace);
}

Test(core_rare, a_restart_that_lapses_claims_nothing_any_more)
{
	begin(false);
	rig_deafen(BETA);
	rig_stop(ALPHA, true);
	rig_event(ALPHA, CORE_EV_LAPSED);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	rig_forget();
	rig_event(ALPHA, CORE_EV_TIME);
	rig_expect("alpha is yielding (unfit)\n"
		   "alpha gate closed\n");
}

Test(core_rare, a_restart_waits_for_the_longer_lease_and_no_other_order)
{
	struct core_event event = { .type = CORE_EV_DONE };

	begin(false);
	rig_stop(ALPHA, true);
	rig_say(BETA, ALPHA);
	cr_assert_eq(rig_count("alpha lease 3000000\n"), 1, "%s", rig.trace);
	event.done.id = rig.nodes[ALPHA].orders[0].id - 1;
	rig_step(ALPHA, &event);
	cr_assert_eq(rig_count("alpha exits\n"), 0);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(rig_count("alpha exits\n"), 0);
	rig_answer(ALPHA, CORE_DO_LEASE, 0);
	cr_assert_eq(rig_count("alpha exits\n"), 1);
}

Test(core_rare, what_a_switchover_would_be_answered_with_is_known_before)
{
	const struct core *core = &rig.nodes[BETA].core;

	rig_begin();
	rig_start(BETA);
	rig_say(ALPHA, BETA);
	cr_assert_eq(core_can_switchover(core, 0), CORE_RESULT_NOT_FIT);
	rig_configure(priority[ALPHA], 200);
	rig.nodes[BETA].core.config.priority[ALPHA] = 200;
	rig_say_for_us(ALPHA, BETA, 2 * DEAD);
	cr_assert_eq(core_can_switchover(core, 0), CORE_RESULT_NOT_HELD);
	rig_puppet(ALPHA)->state = CORE_STATE_PRIMARY;
	rig_puppet(ALPHA)->term = rig_puppet(ALPHA)->term_max = 5;
	rig_say(ALPHA, BETA);
	cr_assert_eq(core_can_switchover(core, 0), CORE_RESULT_OK);
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	cr_assert_eq(core_can_switchover(core, 0), CORE_RESULT_BUSY);
	rig.nodes[BETA].stuck = true;
	offer(77);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
	cr_assert_eq(core_can_switchover(core, 0), CORE_RESULT_BUSY);

	begin(false);
	cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0), CORE_RESULT_OK);
	rig_puppet(BETA)->unfit = CORE_UNFIT_LINK;
	rig_say(BETA, ALPHA);
	cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0), CORE_RESULT_NOT_FIT);
	rig_event(ALPHA, CORE_EV_DISOWNED);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0), CORE_RESULT_BUSY);
}

Test(core_rare, a_second_offer_is_refused_under_its_own_id)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	offer(77);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_REFUSED);
	cr_assert_eq(rig_group(BETA)->move_id, 77);
	rig_forget();
	rig_request(BETA, CORE_EV_SWITCHOVER, 8);
	rig_expect("beta replies 8 Busy alpha\n");
	offer(78);
	cr_assert_eq(rig_group(BETA)->move, CORE_MOVE_REFUSED);
	cr_assert_eq(rig_group(BETA)->move_id, 78);
	cr_assert_eq(rig_group(BETA)->move_to, ALPHA);
	cr_assert_eq(rig_group(BETA)->why, CORE_RESULT_NOT_FIT);
}

/* The event of one group comes before the other's time, which is over. */
static void close_late(uint8_t late)
{
	struct core_event event = { .type = CORE_EV_FITNESS, .group = !late };

	event.fitness.reason = CORE_UNFIT_CHECK;
	event.fitness.unfit = true;
	rig_begin();
	rig_configure(n_groups, 2);
	for (int g = 0; g < 2; g++) {
		rig.nodes[ALPHA].start[g].start.adopted = true;
		rig.nodes[ALPHA].start[g].start.lease_left_us = LEASE;
	}
	rig_start(ALPHA);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig.nodes[BETA].puppet.groups[late].state = CORE_STATE_PRIMARY;
	rig.nodes[BETA].puppet.groups[late].term = 9;
	rig_say(BETA, ALPHA);
	cr_assert_eq(rig.nodes[ALPHA].core.groups[late].step, CORE_STEP_YIELD_CLOSE);
	rig.nodes[BETA].puppet.groups[late].state = CORE_STATE_BACKUP;
	rig_say_for_us(BETA, ALPHA, LEASE - INTERVAL);
	rig_advance_us(INTERVAL - 1);
	cr_assert(rig.beats[ALPHA][BETA].last.marked);
	rig_skip_us(1);
	rig_step(ALPHA, &event);
	cr_assert_not(rig.beats[ALPHA][BETA].last.marked);
	rig_event(ALPHA, CORE_EV_TIME);
	cr_assert_eq(rig.nodes[ALPHA].core.groups[late].step, CORE_STEP_YIELD_LEASE);
}

Test(core_rare, a_gate_that_closes_late_is_not_kept_open_by_the_heartbeat)
{
	close_late(0);
	close_late(1);
}

Test(core_rare, who_asks_anew_meanwhile_is_not_denied_for_the_old_request)
{
	begin(false);
	rig.nodes[ALPHA].stuck = false;
	rig_ask(BETA, ALPHA, 500);
	for (uint64_t us = 0; us < STEP; us += INTERVAL) {
		rig_advance_us(INTERVAL);
		rig_ask(BETA, ALPHA, 501);
	}
	rig_expect("alpha stores 6\n"
		   "alpha is yielding (switchover)\n"
		   "alpha says offer\n"
		   "alpha is primary (rolled-back)\n"
		   "alpha tells move-failed Timeout\n"
		   "alpha says nothing\n"
		   "alpha stores 7\n"
		   "alpha is yielding (switchover)\n"
		   "alpha says offer\n");
}

/* Strict: closed and about to be removed, when the successor ... */
static void begin_removal(void)
{
	begin(true);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	cr_assert_eq(rig_group(ALPHA)->step, CORE_STEP_YIELD_REMOVE);
	rig_forget();
}

Test(core_rare, strict_a_successor_that_died_during_the_removal_is_told_nothing)
{
	begin_removal();
	rig_advance_us(DEAD);
	rig_answer(ALPHA, CORE_DO_REMOVE, 0);
	rig_expect("alpha tells peer-silent beta\n"
		   "alpha is backup (switchover)\n"
		   "alpha replies 7 OutcomeUnknown nobody\n");
}

Test(core_rare, strict_a_successor_that_claimed_by_itself_has_what_it_was_to_get)
{
	begin_removal();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 6;
	rig_say(BETA, ALPHA);
	rig_answer(ALPHA, CORE_DO_REMOVE, 0);
	rig_expect("alpha is backup (switchover)\n"
		   "alpha replies 7  beta\n");
}

Test(core_rare, strict_a_successor_that_holds_under_a_lower_term_has_not_taken_over)
{
	begin_removal();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 5;
	rig_say(BETA, ALPHA);
	rig_answer(ALPHA, CORE_DO_REMOVE, 0);
	rig_expect("alpha says released\n");
}

/* R6: what waited in the socket during a freeze was said before it. */
Test(core_rare, after_a_long_freeze_what_comes_first_does_not_shorten_the_listening)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_standby(BETA, ALPHA, 5);
	rig_skip_us(DEAD + INTERVAL);
	rig_say(ALPHA, BETA);
	rig_advance_us(LISTEN - INTERVAL);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_advance_us(2 * INTERVAL);
	cr_assert_eq(rig_group(BETA)->term, 6);
}

/* R8: the length of a lease and its guard, to the microsecond. */
Test(core_rare, a_long_lease_of_the_peer_is_waited_for_to_its_end)
{
	uint64_t theirs = 2 * INTERVAL + 600 * 1000 + 10 * 1000;

	rig_begin();
	rig.nodes[ALPHA].puppet.lease_us = 600 * 1000;
	rig_standby(BETA, ALPHA, 5);
	rig_say(ALPHA, BETA);
	rig_advance_us(theirs - 1);
	rig_expect("");
	rig_advance_us(1);
	cr_assert_eq(rig_count("beta tells peer-silent alpha\n"), 1);
}

/* R8: an echo is good for two intervals and the lateness of a timer. */
Test(core_rare, an_echo_is_good_until_the_timer_could_have_been_late)
{
	begin(false);
	rig_deafen(BETA);
	rig_say_echo(BETA, ALPHA, rig.nodes[ALPHA].core.seq);
	cr_assert_eq(rig.nodes[ALPHA].core.peers[BETA].echoed_sent_at.us, rig.now.us);
	for (int late = 0; late < 2; late++) {
		rig_skip_us(late ? 1 : 2 * INTERVAL + 5 * 1000);
		rig_say_echo(BETA, ALPHA, 0);
		cr_assert_eq(core_can_switchover(&rig.nodes[ALPHA].core, 0),
			     late ? CORE_RESULT_PEER_UNREACHABLE : CORE_RESULT_OK);
	}
}

/* The answer of the kernel says nothing of the time, and a request nothing of the addresses. */
Test(core_rare, who_offers_reads_in_an_event_what_it_says_and_no_more)
{
	begin(false);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 7);
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 8);
	rig_say_for_us(BETA, ALPHA, STEP - INTERVAL);
	rig_advance_us(INTERVAL - 1);
	rig_forget();
	rig_skip_us(1);
	rig_answer(ALPHA, CORE_DO_STORE, 0);
	rig_expect("");
	rig_event(ALPHA, CORE_EV_TIME);
	rig_expect("alpha is primary (rolled-back)\n"
		   "alpha tells move-failed Timeout\n"
		   "alpha replies 7 Timeout alpha\n"
		   "alpha says nothing\n");
	rig_event(ALPHA, CORE_EV_TIME);
	rig_expect("");
}

Test(core_rare, a_set_of_reasons_has_no_name)
{
	cr_assert_str_empty(core_unfit_name(_CORE_UNFIT_MASK));
}

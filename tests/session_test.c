/* SPDX-License-Identifier: MIT */
#include "agent/beat/session.h"

#include <criterion/criterion.h>

Test(session, a_challenge_can_be_answered_once)
{
	struct session session = { .own = 5, .challenge = 77 };
	struct wire_packet packet = {
		.type = WIRE_HELLO, .session = 9, .peer_session = 5, .response = 77
	};

	cr_expect_eq(session_receive(&session, &packet), SESSION_CONFIRMED);
	cr_expect_eq(session.peer, 9);
	packet.session = 10;
	cr_expect_eq(session_receive(&session, &packet), SESSION_FOREIGN);
	packet.response = 0;
	cr_expect_eq(session_receive(&session, &packet), SESSION_FOREIGN);
	session_renew(&session, 78);
	packet.response = 77;
	cr_expect_eq(session_receive(&session, &packet), SESSION_FOREIGN);
	cr_expect_eq(session.peer, 9);
	packet.response = 78;
	packet.peer_session = 4;
	cr_expect_eq(session_receive(&session, &packet), SESSION_FOREIGN);
}

Test(session, what_both_know_calls_for_no_answer)
{
	struct session session = { .own = 5, .challenge = 77, .peer = 9 };
	struct wire_packet packet = {
		.type = WIRE_BEAT, .session = 9, .peer_session = 5, .challenge = 1
	};
	struct wire_packet answer;

	cr_expect_not(session_answer(&session, &packet, &answer));
	packet.type = WIRE_HELLO;
	packet.challenge = 0;
	cr_expect_not(session_answer(&session, &packet, &answer));
}

Test(session, who_is_unknown_is_challenged_and_who_does_not_know_us_is_answered)
{
	struct session session = { .own = 5, .challenge = 77, .peer = 9 };
	struct wire_packet packet = {
		.type = WIRE_BEAT, .session = 10, .peer_session = 5, .challenge = 1
	};
	struct wire_packet answer;

	cr_assert(session_answer(&session, &packet, &answer));
	cr_expect_eq(answer.challenge, 77);
	cr_expect_eq(answer.response, 1);
	cr_expect_eq(answer.peer_session, 10);
	packet.session = 9;
	packet.peer_session = 0;
	cr_assert(session_answer(&session, &packet, &answer));
	cr_expect_eq(answer.challenge, 0);
	cr_expect_eq(answer.response, 1);
}

Test(session, a_window_tells_gaps_late_ones_and_replays)
{
	static const struct {
		uint64_t seq;
		enum session_order order;
		int64_t lost;
	} steps[] = {
		{ 10, SESSION_NEXT, 0 },
		{ 10, SESSION_REPLAYED, 99 },
		{ 9, SESSION_REPLAYED, 99 },
		{ 11, SESSION_NEXT, 0 },
		{ 14, SESSION_NEXT, 2 },
		{ 13, SESSION_LATE, -1 },
		{ 13, SESSION_REPLAYED, 99 },
		{ 12, SESSION_LATE, -1 },
		{ 11, SESSION_REPLAYED, 99 },
		{ 77, SESSION_NEXT, 62 },
		{ 14, SESSION_REPLAYED, 99 },
		{ 15, SESSION_LATE, -1 },
		{ 13, SESSION_REPLAYED, 99 },
		{ 1000, SESSION_NEXT, 922 },
		{ 999, SESSION_LATE, -1 },
		{ 936, SESSION_REPLAYED, 99 },
		{ 937, SESSION_LATE, -1 },
		{ 1000, SESSION_REPLAYED, 99 },
		{ UINT64_MAX, SESSION_NEXT, (int64_t)(UINT64_MAX - 1001) },
	};
	struct session_window window = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int64_t lost = 99;

		cr_expect_eq(session_window_take(&window, steps[i].seq, &lost), steps[i].order,
			     "step %zu", i);
		cr_expect_eq(lost, steps[i].lost, "step %zu", i);
	}
}

Test(session, answers_are_bounded_in_number)
{
	struct session_bucket bucket = { 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < 1000; i++)
		n += session_bucket_take(&bucket, (instant){ 1000000 });
	cr_expect_eq(n, 16);
	for (uint64_t us = 0; us < 1000000; us += 100)
		n += session_bucket_take(&bucket, (instant){ 1000000 + us });
	cr_expect_eq(n, 16 + 199);
}

Test(session, who_answers_our_challenge_is_never_kept_waiting)
{
	struct session session = { .own = 5, .challenge = 77, .peer = 9 };
	struct wire_packet packet = { .type = WIRE_HELLO, .session = 10, .peer_session = 5 };
	struct session_answers answers = { 0 };
	const instant now = { 1000000 };

	for (unsigned i = 0; i < 1000; i++) {
		packet.peer_session = i % 2 ? 5 : 4;
		(void)session_answers_take(&answers, &session, &packet, SESSION_FOREIGN, now);
	}
	packet.peer_session = 5;
	cr_expect_not(session_answers_take(&answers, &session, &packet, SESSION_FOREIGN, now));
	cr_expect_not(session_answers_take(&answers, &session, &packet, SESSION_KNOWN, now));
	cr_expect(session_answers_take(&answers, &session, &packet, SESSION_CONFIRMED, now));
	cr_expect(session_answers_take(&answers, &session, &packet, SESSION_CONFIRMED, now));
}

Test(session, replays_of_older_sessions_use_up_no_answers_of_the_present_one)
{
	struct session session = { .own = 5, .challenge = 77, .peer = 9 };
	struct wire_packet old = { .type = WIRE_HELLO, .session = 10, .peer_session = 4 };
	struct wire_packet unaware = { .type = WIRE_HELLO, .session = 11, .peer_session = 0 };
	struct wire_packet present = { .type = WIRE_HELLO, .session = 9, .peer_session = 5 };
	struct session_answers answers = { 0 };
	const instant now = { 1000000 };
	unsigned n = 0;

	for (unsigned i = 0; i < 1000; i++)
		n += session_answers_take(&answers, &session, &old, SESSION_FOREIGN, now);
	cr_expect_eq(n, 16);
	cr_expect_not(session_answers_take(&answers, &session, &unaware, SESSION_FOREIGN, now));
	for (unsigned i = 0; i < 1000; i++)
		n += session_answers_take(&answers, &session, &present, SESSION_KNOWN, now);
	cr_expect_eq(n, 32);

	/* Nor the other way round. */
	answers = (struct session_answers){ 0 };
	for (unsigned i = 0; i < 1000; i++)
		(void)session_answers_take(&answers, &session, &present, SESSION_KNOWN, now);
	cr_expect(session_answers_take(&answers, &session, &unaware, SESSION_FOREIGN, now));
}

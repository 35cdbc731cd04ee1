/* SPDX-License-Identifier: MIT */

#include <criterion/criterion.h>

#include "agent/check/streak.h"

enum { RISE = 2, FALL = 3 };

/* Results, + or -; which of them changed the state, one letter for each: u, w, f or . */
static void expect(const char *results, const char *changes)
{
	struct streak streak = { 0 };

	for (size_t i = 0; results[i]; i++) {
		bool changed = streak_note(&streak, results[i] == '+', RISE, FALL);
		char now = changed ? *streak_state_name(streak.state) : '.';

		cr_expect_eq(now, changes[i], "result %zu of %s is %c, not %c", i, results, now,
			     changes[i]);
	}
}

Test(streak, nothing_is_known_before_enough_has_been_heard)
{
	struct streak streak = { 0 };

	cr_expect_eq(streak.state, STREAK_UNKNOWN);
	cr_expect_not(streak_note(&streak, false, RISE, FALL));
	cr_expect_eq(streak.state, STREAK_UNKNOWN);
	expect("---", "..f");
}

Test(streak, the_first_good_result_is_enough)
{
	expect("+", "w");
	expect("--+", "..w");
}

Test(streak, fall_in_a_row_fail_and_rise_in_a_row_are_well)
{
	expect("+---++", "w..f.w");
}

Test(streak, one_of_the_other_kind_begins_anew)
{
	expect("+--+---", "w.....f");
	expect("---+-++", "..f...w");
}

Test(streak, its_length_is_that_of_like_results)
{
	struct streak streak = { 0 };

	for (int i = 0; i < 5; i++)
		(void)streak_note(&streak, true, RISE, FALL);
	cr_expect_eq(streak.n, 5);
	(void)streak_note(&streak, false, RISE, FALL);
	cr_expect_eq(streak.n, 1);
}

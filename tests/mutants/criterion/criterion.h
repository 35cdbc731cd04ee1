/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * As much of Criterion as the tests of the core use, for thousands of runs: all
 * tests in one process, one after the other, which ends at the first that fails.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct unit {
	const char *name;
	void (*run)(void);
	struct unit *next;
};

void unit_add(struct unit *unit);
void unit_check(bool holds, const char *what);

#define Test(suite, test, ...)                                                                     \
	static void suite##_##test(void);                                                          \
	__attribute__((constructor)) static void suite##_##test##_add(void)                        \
	{                                                                                          \
		static struct unit unit = { #suite "::" #test, suite##_##test, NULL };             \
                                                                                                   \
		unit_add(&unit);                                                                   \
	}                                                                                          \
	static void suite##_##test(void)

#define cr_assert_fail(...) unit_check(false, "this is not reached")
#define cr_assert(condition, ...) unit_check((condition), #condition)
#define cr_assert_not(condition, ...) unit_check(!(condition), "not " #condition)
#define cr_assert_eq(a, b, ...) unit_check((a) == (b), #a " == " #b)
#define cr_assert_neq(a, b, ...) unit_check((a) != (b), #a " != " #b)
#define cr_assert_lt(a, b, ...) unit_check((a) < (b), #a " < " #b)
#define cr_assert_leq(a, b, ...) unit_check((a) <= (b), #a " <= " #b)
#define cr_assert_gt(a, b, ...) unit_check((a) > (b), #a " > " #b)
#define cr_assert_geq(a, b, ...) unit_check((a) >= (b), #a " >= " #b)
#define cr_assert_null(a, ...) unit_check(!(a), #a " is NULL")
#define cr_assert_not_null(a, ...) unit_check((a) != NULL, #a " is not NULL")
#define cr_assert_str_eq(a, b, ...) unit_check(strcmp(a, b) == 0, #a " is " #b)
#define cr_assert_str_neq(a, b, ...) unit_check(strcmp(a, b) != 0, #a " is not " #b)
#define cr_assert_str_empty(a, ...) unit_check(!*(a), #a " is empty")
#define cr_expect_eq cr_assert_eq
#define cr_expect cr_assert

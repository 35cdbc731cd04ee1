/* SPDX-License-Identifier: MIT */

#include "agent/kernel/foreign.h"

#include <criterion/criterion.h>

static struct foreign foreign;

static struct addr addr_of(uint8_t last, uint8_t prefix, int ifindex)
{
	return (struct addr){ .ip = { .family = 4, .bytes = { 10, 9, 0, last } },
			      .prefix = prefix,
			      .ifindex = ifindex };
}

static bool note(uint8_t last, uint8_t prefix, int ifindex)
{
	const struct addr addr = addr_of(last, prefix, ifindex);

	return foreign_note(&foreign, &addr);
}

static void forget(uint8_t last, uint8_t prefix, int ifindex)
{
	const struct addr addr = addr_of(last, prefix, ifindex);

	foreign_forget(&foreign, &addr);
}

Test(foreign, each_is_news_once_until_it_has_gone)
{
	const struct addr known = addr_of(3, 24, 1);

	cr_assert_not(foreign_is_known(&foreign, &known));
	cr_assert(note(3, 24, 1));
	cr_assert(foreign_is_known(&foreign, &known));
	cr_assert_not(note(3, 24, 1));
	forget(3, 24, 1);
	cr_assert_not(foreign_is_known(&foreign, &known));
	cr_assert(note(3, 24, 1));
}

Test(foreign, address_prefix_and_link_tell_one_from_another)
{
	cr_assert(note(3, 24, 1));
	cr_assert(note(4, 24, 1));
	cr_assert(note(3, 32, 1));
	cr_assert(note(3, 24, 2));
	forget(3, 25, 1);
	cr_assert_eq(foreign.n, 4);
	forget(4, 24, 1);
	cr_assert_not(note(3, 24, 1));
	cr_assert_not(note(3, 32, 1));
	cr_assert_not(note(3, 24, 2));
}

Test(foreign, those_that_are_too_many_are_no_news)
{
	for (uint8_t i = 0; i < FOREIGN_MAX; i++)
		cr_assert(note(i, 32, 1));
	cr_assert_not(note(200, 32, 1));
	forget(0, 32, 1);
	cr_assert(note(200, 32, 1));
}

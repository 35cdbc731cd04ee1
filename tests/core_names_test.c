/* SPDX-License-Identifier: MIT */

/* The words for what the core says. */

#include <criterion/criterion.h>

#include "agent/core/core.h"

Test(core_names, everything_has_a_name)
{
	for (int i = 0; i < _CORE_STATE_MAX; i++)
		cr_assert_gt(strlen(core_state_name((enum core_state)i)), 0);
	for (int i = CORE_REASON_NONE + 1; i < _CORE_REASON_MAX; i++)
		cr_assert_gt(strlen(core_reason_name((enum core_reason)i)), 0);
	for (int i = CORE_RESULT_OK + 1; i < _CORE_RESULT_MAX; i++)
		cr_assert_gt(strlen(core_result_name((enum core_result)i)), 0);
	for (unsigned bit = 1; bit < _CORE_UNFIT_MASK; bit <<= 1)
		cr_assert_gt(strlen(core_unfit_name((enum core_unfit)bit)), 0);
	cr_assert_str_empty(core_reason_name(CORE_REASON_NONE));
	cr_assert_str_empty(core_result_name(CORE_RESULT_OK));
}

/* Words that people type and match on must not be mixed up. */
Test(core_names, no_two_things_share_a_name)
{
	for (int i = 0; i < _CORE_REASON_MAX; i++)
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(core_reason_name((enum core_reason)i),
					  core_reason_name((enum core_reason)j));
	for (unsigned i = 1; i < _CORE_UNFIT_MASK; i <<= 1)
		for (unsigned j = 1; j < i; j <<= 1)
			cr_assert_str_neq(core_unfit_name((enum core_unfit)i),
					  core_unfit_name((enum core_unfit)j));
}

/* SPDX-License-Identifier: MIT */
#pragma once

/* Where the tests of a group that is handed over begin. */

#include "tests/core_rig.h"

static inline void begin_configured(bool strict)
{
	rig_begin();
	rig_configure(groups[0].strict, strict);
	rig_configure(n_announce, 0);
}

/* Both at work, alpha holds the group; alpha's kernel and network are moved by hand from here. */
static inline void begin(bool strict)
{
	begin_configured(strict);
	rig_pair();
}

/* Alpha holds the group under term 5 and beta, a puppet, is ready for it. */
static inline void begin_with_puppet(bool strict)
{
	begin_configured(strict);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig_forget();
}

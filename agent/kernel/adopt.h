/* SPDX-License-Identifier: MIT */
#pragma once

/* What the last life of this agent left in the kernel: kept or cleared away, before all else. */

#include "agent/conf/conf.h"

struct gatekeeper;

struct adoption {
	bool adopted[CORE_GROUPS_MAX];
	bool grown[CORE_GROUPS_MAX]; /* adopted, and has addresses that it did not have before */
	instant lease_until;	     /* of what has been adopted, at least */
};

int adopt(const struct conf *conf, uint8_t self, struct gatekeeper *keeper, struct adoption *ret);
int adopt_nothing(void);

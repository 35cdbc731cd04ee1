/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Another configuration may have more addresses for a group that is held here: they are
 * added without a claim, so whether they are free is asked before it is taken (R6).
 */

#include "agent/conf/conf.h"

/* What is to be asked, and for whom. */
struct vacant {
	const struct conf *now, *next;
	uint8_t self;		       /* in what is now */
	bool primary[CORE_GROUPS_MAX]; /* of what is now: this node is */
};

int vacant_ask(const struct vacant *vacant, char **ret_why);

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Why a group is here what it is, what it waits for, and what would change it:
 * in sentences, for who is called out of bed. Says what the core's own rules
 * make of what is known, and decides nothing.
 */

#include "agent/agent.h"

enum {
	EXPLAIN_MAX = 32, /* sentences */
	EXPLAIN_TEXT_MAX = 512,
};

struct explanation {
	char texts[EXPLAIN_MAX][EXPLAIN_TEXT_MAX];
	char *list[EXPLAIN_MAX + 1]; /* NULL-terminated */
	size_t n;
};

int explain(const struct agent *agent, uint8_t group, instant now, struct explanation *ret);

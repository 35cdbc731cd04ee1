/* SPDX-License-Identifier: MIT */
#pragma once

/* Sentences for people: why something that was asked for is not done. */

#include "agent/agent.h"

enum { WHY_TEXT_MAX = 256 };

void why_unfit(uint16_t unfit, char buf[static WHY_TEXT_MAX]);
const char *why_refused(const struct agent *agent, uint8_t group, enum core_result result,
			char buf[static WHY_TEXT_MAX]);

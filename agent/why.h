/* SPDX-License-Identifier: MIT */
#pragma once

/* Words for people: why something that was asked for is not done, and how a peer is. */

#include "agent/agent.h"

enum { WHY_TEXT_MAX = 256 };

bool why_is_deaf(const struct agent *agent, uint8_t node);
const char *why_peer_state(const struct agent *agent, uint8_t node);
void why_unfit(uint16_t unfit, char buf[static WHY_TEXT_MAX]);
const char *why_refused(const struct agent *agent, uint8_t group, enum core_result result,
			char buf[static WHY_TEXT_MAX]);

/* SPDX-License-Identifier: MIT */
#pragma once

/* What the core tells, in words: for the log, the journal and the bus. */

#include "agent/agent.h"

void tell_people(struct agent *agent, const struct core_action *action);

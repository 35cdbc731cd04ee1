/* SPDX-License-Identifier: MIT */
#pragma once

/* What the core has decided, carried out. */

#include "agent/agent.h"

void act_neighbours(struct agent *agent);
void act(struct agent *agent, const struct core_action *action);

/* SPDX-License-Identifier: MIT */
#pragma once

/* Who else has our addresses: what the watcher has seen, to the core. */

#include "agent/agent.h"

int meet_open(struct agent *agent);
void meet_nodes(struct agent *agent);

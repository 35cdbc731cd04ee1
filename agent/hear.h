/* SPDX-License-Identifier: MIT */
#pragma once

/* What has come to the heartbeat sockets: to the core, or a line in the log. */

#include "agent/agent.h"

void hear(struct agent *agent, const struct beat_received *received);

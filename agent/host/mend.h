/* SPDX-License-Identifier: MIT */
#pragma once

/* What strangers do to the gate is undone. */

#include "agent/agent.h"

void mend_gate(struct agent *agent, const struct monitor_event *event);
void mend_done(struct agent *agent);

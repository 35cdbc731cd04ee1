/* SPDX-License-Identifier: MIT */
#pragma once

/* What becomes of the interfaces of groups of Mode=subinterface, which we bring up and down. */

#include "agent/agent.h"

void raise_result(struct agent *agent, const struct worker_result *result);
void raise_stage(struct agent *agent, uint8_t group, bool ipv4_only);
void raise_lost(struct agent *agent, uint8_t group);
void raise_over(struct agent *agent, uint8_t group);
const char *raise_trouble(struct agent *agent, uint8_t group, bool *ret_missing);
void raise_tell(struct agent *agent);
void raise_look(struct agent *agent);
void raise_parent(struct agent *agent, const char *ifname);
void raise_changed(struct agent *agent, const struct link *before, const struct link *now);
void raise_exit(struct agent *agent);

/* SPDX-License-Identifier: MIT */
#pragma once

/* What the core tells, in words: for the log, the journal, the bus and systemd. */

#include "agent/agent.h"

void tell_status(const struct agent *agent);
void tell_link(struct agent *agent, uint8_t group, const char *ifname, enum links_state state);
void tell_mac(struct agent *agent, uint8_t group, const struct link *link);
void tell_foreign(struct agent *agent, uint8_t group, const struct addr *addr);
void tell_left(struct agent *agent, const struct worker_result *result);
void tell_unit(struct agent *agent, uint8_t group, const char *fault);
void tell_people(struct agent *agent, const struct core_action *action);

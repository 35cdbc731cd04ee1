/* SPDX-License-Identifier: MIT */
#pragma once

/* The interfaces that groups have addresses on: what becomes of them, and what follows from it. */

#include "agent/agent.h"

void follow_links(struct agent *agent, const struct link *links, size_t n);
void follow_link(struct agent *agent, const struct link *link);
void follow_link_gone(struct agent *agent, int ifindex);
void follow_home(struct agent *agent, const struct ip *came);

/* SPDX-License-Identifier: MIT */
#pragma once

/* How the agent is told to end: by a signal, and beforehand by a host that goes down. */

#include "agent/base.h"

struct agent;

void depart(struct agent *agent, bool restart);
void depart_or_restart(struct agent *agent);
void depart_host(struct agent *agent, bool begins);
void depart_look(struct agent *agent);
bool depart_roles(struct agent *agent);
void depart_answered(struct agent *agent);

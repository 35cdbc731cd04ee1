/* SPDX-License-Identifier: MIT */
#pragma once

/* What happened, as events of the core. */

#include "agent/agent.h"

int sense_attach(struct agent *agent);

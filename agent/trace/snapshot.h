/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The value of a core as lines of a trace, so that one can begin in the middle of
 * a life. Knows no sockets, no clock and no bus.
 */

#include <stdio.h>

#include "agent/core/core.h"

void snapshot_print(FILE *to, const struct core *core);
int snapshot_parse(struct core *core, const char *line);

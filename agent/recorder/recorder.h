/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The flight recorder: what the core was told and what it decided, the last so many
 * in memory, written when somebody asks, after a failure, and all the time if
 * takeoverd was started so. Decides nothing; the loop never waits for it.
 */

#include "agent/core/core.h"

struct recorder;

int recorder_new(const struct core *core, const char *state_directory, int trace_fd,
		 struct recorder **ret);
struct recorder *recorder_free(struct recorder *recorder);
DEFINE_CLEANUP(struct recorder *, recorder_free)

void recorder_event(struct recorder *recorder, const struct core *core,
		    const struct core_event *event);
void recorder_actions(struct recorder *recorder, const struct core *core,
		      const struct core_actions *actions);

int recorder_read(struct recorder *recorder);
void recorder_keep(struct recorder *recorder, const char *why);

/* SPDX-License-Identifier: MIT */
#pragma once

/* What the daemon does from start to end: one agent after the other, each with its own setup. */

#include <stdatomic.h>

#include "agent/setup.h"

struct life {
	const char *config, *node, *trace; /* as the command line has them; borrowed */
	struct setup now, next;		   /* what runs, and what shall run next; owned */
	struct disk *hung;		   /* see struct agent_files */
	atomic_bool reading; /* at the end: a file hangs, and who reads it needs all this */
};

int life_claim(const char **ret_directory, int *ret_fd);
int life_run(struct life *life);
void life_done(struct life *life);

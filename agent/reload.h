/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Another configuration for a running agent. It is read beside the loop; if it is
 * good, the agent ends as for a planned restart, and whoever runs it starts the
 * next one with it, which adopts what stands.
 */

#include <stdatomic.h>

#include "sdbus/api.h"

struct agent;
struct reload;

/* Reads what the next agent is to be started with. */
struct reload_reader {
	/*
	 * In a thread of its own. 1: something else than now; 0: the same; -EINVAL: @ret_why,
	 * heap, says what is wrong, a line each; other errors: it could not be read.
	 */
	int (*read)(void *data, char **ret_why);
	const struct conf *(*next)(const void *data); /* what was read; borrowed */
	atomic_bool *busy;			      /* true while the thread needs all this */
	void *data;
};

int reload_new(struct agent *agent, const struct reload_reader *reader, struct reload **ret);
struct reload *reload_free(struct reload *reload);

void reload_begin(struct reload *reload, api_request request);
void reload_forget(struct reload *reload);
bool reload_is_due(const struct reload *reload);
bool reload_drops(const struct reload *reload, const char *group);

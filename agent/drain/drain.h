/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Groups that keep the connections they have and refuse new ones, until all of those have
 * ended or enough time has passed: then they are switched over as by Switchover().
 */

#include "agent/agent.h"

struct drains;

/* How a group drains. */
struct drain_state {
	uint32_t connections; /* that are open still; about once a second */
	instant until;	      /* it is switched over then at the latest; never: no such time */
};

int drains_new(struct agent *agent, struct drains **ret);
struct drains *drains_free(struct drains *drains);

void drain_begin(struct drains *drains, uint8_t group, uint64_t timeout_us, uint32_t request);
void drain_abandon(struct drains *drains, uint32_t request);
bool drain_answered(struct drains *drains, uint32_t request, uint32_t *ret_connections);
bool drain_look(const struct drains *drains, uint8_t group, struct drain_state *ret);

void drains_follow(struct drains *drains);
void drain_result(struct drains *drains, const struct worker_result *result);

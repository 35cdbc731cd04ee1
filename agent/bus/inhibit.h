/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Those who keep this node out of a group for as long as they are there: each
 * holds one end of a pipe. The core hears of the first and of the last of a group.
 */

#include "agent/agent.h"
#include "sdbus/api.h"

struct inhibitors;

/* Hears that those of a group are others than they were. */
typedef void (*inhibit_changed)(void *ctx, uint8_t group);

int inhibitors_new(struct agent *agent, inhibit_changed changed, void *ctx,
		   struct inhibitors **ret);
struct inhibitors *inhibitors_free(struct inhibitors *inhibitors);
DEFINE_CLEANUP(struct inhibitors *, inhibitors_free)

int inhibit_begin(struct inhibitors *inhibitors, uint8_t group, const struct api_inhibitor *by,
		  api_request request);
int inhibit_answered(struct inhibitors *inhibitors, api_request request, bool ok);
bool inhibit_any(const struct inhibitors *inhibitors, uint8_t group);
void inhibit_list(struct inhibitors *inhibitors, size_t group, struct api_inhibitors *ret);

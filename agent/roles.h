/* SPDX-License-Identifier: MIT */
#pragma once

/* The targets takeover-primary@GROUP and takeover-backup@GROUP follow the role of the node. */

#include "agent/base.h"

struct agent;

/* Which target systemd was told to have last. */
enum role {
	ROLE_UNKNOWN, /* it was not told, or something else may have been done to it since */
	ROLE_NONE,
	ROLE_PRIMARY,
	ROLE_BACKUP,
	_ROLE_MAX,
};

void roles_follow(struct agent *agent, uint8_t group);
void roles_renew(struct agent *agent);
void roles_done(struct agent *agent, uint32_t id, int err, const char *why);
unsigned roles_leave(struct agent *agent);

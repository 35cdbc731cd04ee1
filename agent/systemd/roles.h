/* SPDX-License-Identifier: MIT */
#pragma once

/* The targets takeover-primary@GROUP and takeover-backup@GROUP follow the role of the node. */

#include "agent/conf/conf.h"

struct agent;

/* Groups that an agent from this state directory has had, and this one has not; until told. */
struct former {
	char (*names)[CONF_NAME_MAX + 1]; /* owned */
	size_t n;
};

/* Which target systemd was told to have last. */
enum role {
	ROLE_UNKNOWN, /* it was not told, or something else may have been done to it since */
	ROLE_NONE,
	ROLE_PRIMARY,
	ROLE_BACKUP,
	_ROLE_MAX,
};

void roles_remember(struct agent *agent);
void roles_follow(struct agent *agent, uint8_t group);
void roles_renew(struct agent *agent);
void roles_done(struct agent *agent, uint32_t id, int err, const char *why);
unsigned roles_leave(struct agent *agent);

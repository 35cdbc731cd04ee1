/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of logind: keeps the host from going down for as long as it takes to
 * leave in order. It never waits, and says nothing.
 */

#include <systemd/sd-bus.h>

#include "agent/base.h"

struct login;

struct login_ops {
	/* The host waits for us from now on when it goes down; or why it does not. */
	void (*held)(void *ctx, int err, const char *why);
	/* The host is going down; or it is not, after all, or not yet. */
	void (*shutdown)(void *ctx, bool begins);
};

int login_new(sd_bus *bus, const struct login_ops *ops, void *ctx, struct login **ret);
struct login *login_free(struct login *login);
DEFINE_CLEANUP(struct login *, login_free)

void login_release(struct login *login);

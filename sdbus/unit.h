/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of systemd: starts and stops units and hears what becomes of it,
 * watches units, and knows which job is under way for our own. It never waits,
 * says nothing, and knows nothing of roles. One belongs to one connection.
 */

#include <systemd/sd-bus.h>

#include "agent/base.h"

struct units;

enum {
	UNIT_NAME_SIZE = 256, /* systemd's UNIT_NAME_MAX */
};

/* ActiveState of a unit. */
enum unit_active {
	UNIT_UNKNOWN, /* nothing that we know */
	UNIT_ACTIVE,
	UNIT_RELOADING,
	UNIT_INACTIVE,
	UNIT_FAILED,
	UNIT_ACTIVATING, /* or between two attempts of Restart= */
	UNIT_DEACTIVATING,
	_UNIT_ACTIVE_MAX,
};

struct unit_state {
	enum unit_active active;
	bool absent;	   /* masked, or not there to be loaded */
	uint32_t restarts; /* by Restart=, since somebody started it; 0 of what is no service */
};

enum unit_verb {
	UNIT_START,
	UNIT_STOP,
	_UNIT_VERB_MAX,
};

struct unit_ops {
	/* 0: systemd is here, perhaps anew; else why it is not. What was known may be old. */
	void (*here)(void *ctx, int err);
	/* A unit that is watched is like this now: when first known, and whenever it changes. */
	void (*changed)(void *ctx, size_t unit, const struct unit_state *state);
	/* systemd has taken the order up, or has refused it. */
	void (*answered)(void *ctx, uint32_t id);
	/* The job of an order has ended. @why: systemd's word for it, or its sentence. */
	void (*done)(void *ctx, uint32_t id, int err, const char *why);
};

/* @type: of the job for our own unit, "restart" for one; "": there is none, or nobody knows */
typedef void (*unit_job_handler)(void *ctx, const char *type);

int units_new(sd_bus *bus, const struct unit_ops *ops, void *ctx, struct units **ret);
struct units *units_free(struct units *units);
DEFINE_CLEANUP(struct units *, units_free)

int units_watch(struct units *units, const char *const *names, size_t n);
int units_order(struct units *units, enum unit_verb verb, const char *name, uint32_t id);
void units_forget(struct units *units, uint32_t id);
int units_own_job(struct units *units, unit_job_handler handler, void *ctx);

int unit_instance(const char *prefix, const char *instance, const char *suffix,
		  char ret[static UNIT_NAME_SIZE]);

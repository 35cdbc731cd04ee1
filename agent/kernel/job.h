/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One order about a group's addresses, worked off a slice at a time, so that
 * orders about the gate have their turn in between.
 */

#include "agent/kernel/subs.h"
#include "agent/kernel/vips.h"
#include "agent/kernel/worker.h"

/* Where work on a group's addresses stands. */
enum job_phase {
	JOB_LOOK,    /* what is there, what is to be done */
	JOB_UNROUTE, /* before anything is removed; a slice at a time, like the work itself */
	JOB_WORK,
	JOB_RAISE, /* interfaces of the group's own */
	JOB_LOCAL, /* until those of IPv6 work */
	JOB_CHECK, /* read back */
	_JOB_MAX,
};

struct gatekeeper;

/* What every job works with: borrowed. */
struct job_means {
	const struct conf *conf;
	const struct conf_node *node; /* ours */
	struct nl *route;
	struct gatekeeper *gate;
	bool *staged; /* by group: all its addresses were there when that was last looked at */
};

struct job {
	const struct job_means *means;
	struct worker_order order;
	struct subs subs;
	enum job_phase phase;
	bool again;			/* what was missing has been added a second time */
	unsigned looks;			/* for carrier */
	unsigned reads;			/* that were disturbed */
	int error;			/* of the work; 0: none */
	const struct conf_vip *refused; /* by the kernel */
	size_t n_added;			/* which may have to be waited for */
	uint64_t local_until_us;	/* until then; 0: not begun */
	struct vips vips;
};

void job_begin(struct job *job, const struct job_means *means, const struct worker_order *order);
void job_done(struct job *job);
int job_run(struct job *job, struct worker_result *result);

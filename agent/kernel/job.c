/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <poll.h>

#include "agent/clock.h"
#include "agent/kernel/gatekeeper.h"
#include "agent/kernel/job.h"
#include "agent/kernel/left.h"
#include "agent/kernel/lifetime.h"

/*
 * How long IPv6 addresses may take to work after the kernel has acknowledged them, and how
 * much longer for each; how long at once, as orders about the gate have their turn then.
 */
enum { JOB_LOCAL_MS = 1000, JOB_LOCAL_EACH_MS = 1, JOB_LOCAL_SLICE_MS = 10 };

/* How often, and after how long each time, we look whether an interface has carrier. */
enum { JOB_CARRIER_LOOKS = 400, JOB_CARRIER_MS = 5 };

/* The same for a list of addresses that others change faster than it can be read. */
enum { JOB_READS = 200, JOB_READ_MS = 5 };

/*
 * A group that moves by its interfaces alone: they are silent, or not. To claim it takes
 * that its addresses have been seen on them; who has claimed reads back.
 *
 * Return: 0: it has moved; 1: it is not ready, go the long way; errors of the kernel.
 */
static int move_staged(struct job *job)
{
	bool *there = &job->means->staged[job->order.group];
	int r;

	if (job->order.type == WORKER_REMOVE)
		return subs_sink(job->means->route, &job->subs, &job->refused);
	if (job->order.type != WORKER_PREPARE || !job->order.ticket || !*there)
		return 1;
	r = subs_raise_ready(job->means->route, &job->subs, &job->refused);
	*there = r <= 0;
	return r ? r : gatekeeper_ticket(job->means->gate, job->order.group);
}

/* Those of IPv6 that are there need their lifetime lengthened in their own rounds only. */
static bool skips_ipv6(const struct job *job)
{
	return job->order.ipv4_only &&
	       (job->order.type == WORKER_REFRESH ||
		(job->order.type == WORKER_MAKE && job->means->staged[job->order.group]));
}

/* The addresses that the group should have, or those that it lacks. */
static int list_wanted(struct job *job, bool missing)
{
	const struct conf *conf = job->means->conf;
	struct vips *vips = &job->vips;
	int r;

	r = (missing ? vips_missing : vips_all)(job->means->route, job->subs.group,
						conf->address_lifetime_s, vips);
	if (r < 0)
		return r;
	if (!missing && skips_ipv6(job))
		vips_keep(vips, 4);
	lifetime_set(conf, vips->v, vips->n);
	return 0;
}

/* What is there, and what is to be done about it? Return: 0: nothing any more. */
static int look_and_make(struct job *job)
{
	const enum worker_type type = job->order.type;
	int r;

	r = job->subs.group->staged ? move_staged(job) : 1;
	if (r <= 0)
		return r;
	if (type == WORKER_REMOVE) {
		/* The addresses go, whatever comes of that; reading back tells of it. */
		(void)subs_sink(job->means->route, &job->subs, &job->refused);
		r = vips_ours(job->means->route, job->subs.group, &job->vips);
		return r < 0 ? r : 1;
	}
	r = subs_make(job->means->route, &job->subs, &job->refused);
	if (r < 0 || (type == WORKER_MAKE && !job->subs.group->staged))
		return r;
	/* What a stranger took is one of thousands, perhaps, and wanted back at once. */
	r = list_wanted(job, type == WORKER_PREPARE && !job->order.ticket);
	return r < 0 ? r : 1;
}

/* Which others went along with an address that was removed, only another look tells. */
static int make_way(struct job *job)
{
	int r = vips_make_way(job->means->route, &job->vips);

	if (r <= 0)
		return r < 0 ? r : 1;
	vips_done(&job->vips);
	job->phase = JOB_LOOK;
	return 1;
}

/*
 * All addresses are there: now the interfaces that they are on. Who claims waits
 * for their carrier; orders about the gate have their turn in between.
 */
static int raise_subs(struct job *job)
{
	int r;

	if (job->order.type == WORKER_REMOVE)
		return 0;
	if (job->order.type == WORKER_MAKE)
		return subs_sink(job->means->route, &job->subs, &job->refused);
	r = subs_raise(job->means->route, &job->subs, &job->refused);
	if (r <= 0)
		return r;
	if (!job->order.ticket)
		return 0;
	if (job->looks++ == JOB_CARRIER_LOOKS)
		return -ENETDOWN;
	(void)poll(NULL, 0, JOB_CARRIER_MS); /* a signal may end it early */
	return 1;
}

/* What the kernel has acknowledged may have to be waited for. Return: 1 while it is. */
static int wait_local(struct job *job)
{
	int r;

	if (!job->local_until_us) {
		job->error = vips_error(&job->vips);
		job->refused = vips_refused(&job->vips, job->subs.group);
		if (job->order.type != WORKER_PREPARE && job->order.type != WORKER_MAKE)
			return 0;
		/* What was refused will never work. */
		job->n_added = vips_keep_added(&job->vips);
		job->local_until_us =
			clock_us() +
			(JOB_LOCAL_MS + JOB_LOCAL_EACH_MS * job->n_added) * USEC_PER_MSEC;
	}
	r = addr_wait_local(job->means->route, job->vips.v, job->n_added, JOB_LOCAL_SLICE_MS);
	if (r == -ETIME && clock_us() < job->local_until_us)
		return 1;
	job->local_until_us = 0;
	if (r < 0 && !job->error)
		job->error = r;
	return 0;
}

/*
 * All are there, but one of IPv6 has no route: its removal has begun, and did not come to an
 * end. The kernel makes the route with the address only.
 */
static int add_anew(struct job *job)
{
	int r;

	job->again = true;
	job->error = 0;
	vips_done(&job->vips);
	r = vips_ours(job->means->route, job->subs.group, &job->vips);
	if (r < 0)
		return r;
	vips_keep(&job->vips, 6);
	r = vips_take_off(job->means->route, job->vips.v, job->vips.n, NULL, 0);
	vips_done(&job->vips);
	job->phase = JOB_LOOK;
	return r < 0 ? r : 1;
}

/* Read back. Return: 1 if there is more work, 0 if all is as ordered. */
static int check(struct job *job)
{
	int r;

	/* The kernel has said so of each; to read all addresses for each group costs as much. */
	if (job->order.type == WORKER_REFRESH && !job->error)
		return 0;
	vips_done(&job->vips);
	if (job->order.type == WORKER_REMOVE)
		r = vips_ours(job->means->route, job->subs.group, &job->vips);
	else
		r = list_wanted(job, true);
	if (r < 0)
		return r;
	/* A claim takes all of them; where they are put back, the rest waits for its interface. */
	if (!job->vips.n && job->vips.absent && job->order.ticket) {
		job->refused = job->vips.absent;
		return -ENODEV;
	}
	if (job->order.type != WORKER_REMOVE)
		job->means->staged[job->order.group] = !job->vips.n && !job->vips.absent;
	if (!job->vips.n && job->error == -ETIME && job->order.ticket && !job->again)
		return add_anew(job);
	if (!job->vips.n && job->order.type == WORKER_REMOVE)
		return subs_sink(job->means->route, &job->subs, &job->refused);
	if (!job->vips.n)
		return job->order.type == WORKER_PREPARE && job->order.ticket
			       ? gatekeeper_ticket(job->means->gate, job->order.group)
			       : 0;
	if (job->again)
		return job->error ? job->error : -EADDRNOTAVAIL;
	job->again = true;
	return job->order.type == WORKER_REMOVE ? 1 : make_way(job);
}

/* One slice of the job. Return: 1 if there is more to do; 0 or an error: it is over. */
static int slice(struct job *job)
{
	int r = 0;

	switch (job->phase) {
	case JOB_LOOK:
		if (job->order.type == WORKER_UNMAKE)
			return subs_delete(job->means->route, &job->subs);
		job->phase = job->order.type == WORKER_REMOVE ? JOB_UNROUTE : JOB_WORK;
		return look_and_make(job);
	case JOB_UNROUTE:
		r = vips_unroute_slice(job->means->route, &job->vips);
		if (!r)
			job->phase = JOB_WORK;
		return r < 0 ? r : 1;
	case JOB_WORK:
		if (job->vips.next < job->vips.n)
			r = job->order.type == WORKER_REMOVE
				    ? vips_remove_slice(job->means->route, &job->vips)
				    : vips_add_slice(job->means->route, &job->vips);
		if (!r)
			job->phase = JOB_RAISE;
		return r < 0 ? r : 1;
	case JOB_RAISE:
		r = raise_subs(job);
		if (!r)
			job->phase = JOB_LOCAL;
		return r < 0 ? r : 1;
	case JOB_LOCAL:
		if (!wait_local(job))
			job->phase = JOB_CHECK;
		return 1;
	case JOB_CHECK:
		job->phase = JOB_WORK;
		return check(job);
	case _JOB_MAX:
		break;
	}
	return 0;
}

/* Forget where the group's addresses were; does the host have them where it should not? */
static int tidy(struct job *job, struct worker_result *result)
{
	struct left left = { 0 };
	int r;

	r = left_forget(job->means->route, job->subs.group);
	if (!r && !job->order.held)
		r = left_look(job->means->route, job->subs.group, &left);
	result->vip = left.vip;
	result->ifindex = left.ifindex;
	result->n = left.n;
	return r;
}

/* One of those that others of their network are behind: each is away for a moment. */
static int step_back(struct job *job, struct worker_result *result)
{
	struct vips *vips = &job->vips;
	int r;

	if (job->phase == JOB_LOOK)
		r = vips_ahead(job->means->route, job->subs.group, vips);
	else
		r = vips_step_back(job->means->route, vips, job->means->conf->address_lifetime_s);
	job->phase = JOB_WORK;
	result->n = vips->n;
	return r;
}

/**
 * job_begin() - Take up an order about a group's addresses
 * @means: borrowed until the job is done
 * @order: copied
 */
void job_begin(struct job *job, const struct job_means *means, const struct worker_order *order)
{
	*job = (struct job){
		.means = means,
		.order = *order,
		.subs = { .group = &means->conf->groups[order->group], .node = means->node },
	};
}

/**
 * job_done() - Let go of what a job that is over, or is given up, has read
 */
void job_done(struct job *job)
{
	vips_done(&job->vips);
}

static int carry_on(struct job *job, struct worker_result *result)
{
	int r;

	if (job->order.type == WORKER_TIDY)
		return tidy(job, result);
	if (job->order.type == WORKER_STEP_BACK)
		return step_back(job, result);
	r = slice(job);
	result->vip = r < 0 ? job->refused : NULL;
	return r;
}

/*
 * Was it only that a list could not be read in peace? Then the same is done again in a
 * moment, when who disturbs is done: nobody has refused anything.
 */
static bool is_disturbed(struct job *job, enum job_phase phase, int error)
{
	if (error != -EAGAIN || (phase != JOB_LOOK && phase != JOB_RAISE && phase != JOB_CHECK) ||
	    job->reads++ == JOB_READS)
		return false;
	if (phase != JOB_RAISE) /* which works on what has been read */
		vips_done(&job->vips);
	job->phase = phase;
	job->again &= phase != JOB_CHECK;
	(void)poll(NULL, 0, JOB_READ_MS); /* a signal may end it early */
	return true;
}

/**
 * job_run() - Do one slice
 * @result: what the order has come to so far, all but its error
 *
 * Return: 1 if there is more to do; 0 or an error of the kernel: it is over.
 */
int job_run(struct job *job, struct worker_result *result)
{
	const enum job_phase phase = job->phase;
	int r = carry_on(job, result);

	return is_disturbed(job, phase, r) ? 1 : r;
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "agent/cleanup.h"
#include "agent/kernel/gatekeeper.h"
#include "agent/kernel/left.h"
#include "agent/store.h"
#include "agent/kernel/subs.h"
#include "agent/kernel/vips.h"
#include "agent/kernel/worker.h"

/* Orders and results wait in rings; more than this under way means we are lost anyhow. */
enum { WORKER_RING = CORE_GROUPS_MAX * 8 };

/* How long an IPv6 address may take to work after the kernel has acknowledged it. */
enum { WORKER_LOCAL_MS = 1000 };

struct orders {
	struct worker_order v[WORKER_RING];
	size_t head, n;
};

/* How often, and after how long each time, we look whether an interface has carrier. */
enum { WORKER_CARRIER_LOOKS = 400, WORKER_CARRIER_MS = 5 };

/* Where work on a group's addresses stands. */
enum phase {
	PHASE_LOOK,  /* what is there, what is to be done */
	PHASE_WORK,  /* a slice at a time */
	PHASE_RAISE, /* interfaces of the group's own */
	PHASE_CHECK, /* read back */
};

struct job {
	struct worker_order order;
	enum phase phase;
	bool again;			/* what was missing has been added a second time */
	unsigned looks;			/* for carrier */
	const struct conf_vip *refused; /* by the kernel */
	struct vips vips;
};

struct worker {
	/* the thread's own */
	const struct conf *conf;
	uint8_t self;
	const char *state_directory;
	struct nl *route;
	struct gatekeeper gate;
	struct job job;
	bool busy; /* job is under way */

	/* shared */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct orders urgent, bulk;
	struct worker_result results[WORKER_RING];
	size_t results_head, n_results;
	bool stop;
	int fd;
};

static void orders_push(struct orders *orders, const struct worker_order *order)
{
	orders->v[(orders->head + orders->n++) % WORKER_RING] = *order;
}

static void orders_pop(struct orders *orders, struct worker_order *ret)
{
	*ret = orders->v[orders->head];
	orders->head = (orders->head + 1) % WORKER_RING;
	orders->n--;
}

static struct worker_result result_of(const struct worker_order *order, int err)
{
	return (struct worker_result){
		.type = order->type, .id = order->id, .group = order->group, .err = err
	};
}

static void finish(struct worker *w, const struct worker_result *result)
{
	uint64_t one = 1;
	ssize_t written;

	(void)pthread_mutex_lock(&w->lock); /* fails only on our own mistakes */
	assert(w->n_results < WORKER_RING);
	w->results[(w->results_head + w->n_results++) % WORKER_RING] = *result;
	(void)pthread_mutex_unlock(&w->lock);
	written = write(w->fd, &one, sizeof(one));
	(void)written; /* refused when it is full, and then it is readable already */
}

static int write_store(struct worker *w, const struct worker_order *order)
{
	return store_write(w->state_directory, w->conf->groups[order->group].name, &order->store);
}

/* A list of the one kind without the other is none. */
static int look(struct worker *w, struct worker_result *result)
{
	_cleanup_(freep) struct link *links = NULL;
	int r = link_list(w->route, &links, &result->n_links);

	if (r == 0)
		r = addr_list(w->route, &result->addrs, &result->n_addrs);
	if (r == 0)
		result->links = TAKE(links);
	return r;
}

/* Orders that are done in one go. */
static void run_urgent(struct worker *w, const struct worker_order *order)
{
	struct worker_result result = result_of(order, 0);

	if (order->type == WORKER_STORE) {
		result.stored = order->store;
		result.err = write_store(w, order);
	} else if (order->type == WORKER_LOOK) {
		result.err = look(w, &result);
	} else if (order->type == WORKER_NEIGHBOURS) {
		result.ifindex = order->ifindex;
		result.err = neigh_list(w->route, order->ifindex, &result.neighs, &result.n_neighs);
	} else {
		result.err = gatekeeper_run(&w->gate, order, &result.lease_lost);
	}
	/* The steady beat wakes nobody while all is well. */
	if (order->type != WORKER_REFRESH_ARP || result.lease_lost)
		finish(w, &result);
}

static const struct conf_group *job_group(const struct worker *w)
{
	return &w->conf->groups[w->job.order.group];
}

static struct subs job_subs(const struct worker *w)
{
	return (struct subs){ .group = job_group(w), .node = &w->conf->nodes[w->self] };
}

/* What is there, and what is to be done about it? */
static int job_look(struct worker *w)
{
	const struct subs subs = job_subs(w);
	struct job *job = &w->job;
	int r;

	if (job->order.type == WORKER_REMOVE) {
		/* The addresses go, whatever comes of that; reading back tells of it. */
		(void)subs_sink(w->route, &subs, &job->refused);
		return vips_ours(w->route, job_group(w), &job->vips);
	}
	r = subs_make(w->route, &subs, &job->refused);
	if (r < 0)
		return r;
	/* What a stranger took is one of thousands, perhaps, and wanted back at once. */
	if (job->order.type == WORKER_PREPARE && !job->order.ticket)
		return vips_missing(w->route, job_group(w), w->conf->address_lifetime_s,
				    &job->vips);
	return vips_all(w->route, job_group(w), w->conf->address_lifetime_s, &job->vips);
}

/* Which others went along with an address that was removed, only another look tells. */
static int job_relabel(struct worker *w)
{
	int r = vips_relabel(w->route, &w->job.vips);

	if (r <= 0)
		return r < 0 ? r : 1;
	vips_done(&w->job.vips);
	w->job.phase = PHASE_LOOK;
	return 1;
}

/*
 * All addresses are there: now the interfaces that they are on. Who claims waits
 * for their carrier; orders about the gate have their turn in between.
 */
static int job_raise(struct worker *w)
{
	const struct subs subs = job_subs(w);
	struct job *job = &w->job;
	int r;

	if (job->order.type == WORKER_REMOVE)
		return 0;
	r = subs_raise(w->route, &subs, &job->refused);
	if (r != -EAGAIN)
		return r;
	if (!job->order.ticket)
		return 0;
	if (job->looks++ == WORKER_CARRIER_LOOKS)
		return -ENETDOWN;
	(void)poll(NULL, 0, WORKER_CARRIER_MS); /* a signal may end it early */
	return 1;
}

/* Read back. Return: 1 if there is more work, 0 if all is as ordered. */
static int job_check(struct worker *w)
{
	const struct subs subs = job_subs(w);
	struct job *job = &w->job;
	int error = vips_error(&job->vips), r;

	/* The kernel has said so of each, and to read all addresses for each group costs as much.
	 */
	if (job->order.type == WORKER_REFRESH && !error)
		return 0;
	job->refused = vips_refused(&job->vips, job_group(w));
	if (job->order.type == WORKER_PREPARE) {
		/* What was refused will never work, and is not to be waited for. */
		r = addr_wait_local(w->route, job->vips.v, vips_keep_added(&job->vips),
				    WORKER_LOCAL_MS);
		if (r < 0 && !error)
			error = r;
	}
	vips_done(&job->vips);
	if (job->order.type == WORKER_REMOVE)
		r = vips_ours(w->route, job_group(w), &job->vips);
	else
		r = vips_missing(w->route, job_group(w), w->conf->address_lifetime_s, &job->vips);
	if (r < 0)
		return r;
	/* A claim takes all of them; where they are put back, the rest waits for its interface. */
	if (!job->vips.n && job->vips.absent && job->order.ticket) {
		job->refused = job->vips.absent;
		return -ENODEV;
	}
	if (!job->vips.n && job->order.type == WORKER_REMOVE)
		return subs_sink(w->route, &subs, &job->refused);
	if (!job->vips.n)
		return job->order.type == WORKER_PREPARE && job->order.ticket
			       ? gatekeeper_ticket(&w->gate, job->order.group)
			       : 0;
	if (job->again)
		return error ? error : -EADDRNOTAVAIL;
	job->again = true;
	return job->order.type == WORKER_REMOVE ? 1 : job_relabel(w);
}

/* One slice of the job. Return: 1 if there is more to do; 0 or an error: it is over. */
static int job_slice(struct worker *w)
{
	const struct subs subs = job_subs(w);
	struct job *job = &w->job;
	int r = 0;

	switch (job->phase) {
	case PHASE_LOOK:
		if (job->order.type == WORKER_MAKE)
			return subs_make(w->route, &subs, &job->refused);
		if (job->order.type == WORKER_UNMAKE)
			return subs_delete(w->route, &subs);
		job->phase = PHASE_WORK;
		r = job_look(w);
		return r < 0 ? r : 1;
	case PHASE_WORK:
		if (job->vips.next < job->vips.n)
			r = job->order.type == WORKER_REMOVE
				    ? vips_remove_slice(w->route, &job->vips)
				    : vips_add_slice(w->route, &job->vips);
		if (!r)
			job->phase = PHASE_RAISE;
		return r < 0 ? r : 1;
	case PHASE_RAISE:
		r = job_raise(w);
		if (!r)
			job->phase = PHASE_CHECK;
		return r < 0 ? r : 1;
	case PHASE_CHECK:
		job->phase = PHASE_WORK;
		return job_check(w);
	}
	return 0;
}

/* Lengthening lifetimes can wait for the next round when a group is to move. */
static bool is_in_the_way(struct worker *w)
{
	bool waiting = false;

	if (w->job.order.type != WORKER_REFRESH)
		return false;
	(void)pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->bulk.n; i++)
		waiting |= w->bulk.v[(w->bulk.head + i) % WORKER_RING].type != WORKER_REFRESH;
	(void)pthread_mutex_unlock(&w->lock);
	return waiting;
}

/* Nobody waits for this, and no result means that there is nothing to be said. */
static void run_tidy(struct worker *w)
{
	struct worker_result result = result_of(&w->job.order, 0);
	const struct conf_group *group = job_group(w);
	struct left left = { 0 };

	w->busy = false;
	result.err = left_forget(w->route, group);
	if (!result.err && !w->job.order.held)
		result.err = left_look(w->route, group, &left);
	result.vip = left.vip;
	result.ifindex = left.ifindex;
	result.n = left.n;
	if (result.err || result.n)
		finish(w, &result);
}

/* Only those that others of their network are behind: each is away for a moment. */
static void run_step_back(struct worker *w)
{
	struct worker_result result = result_of(&w->job.order, 0);
	_cleanup_(vips_done) struct vips vips = { 0 };

	w->busy = false;
	result.err = vips_ours(w->route, job_group(w), &vips);
	for (size_t i = vips.n_plain; !result.err && i < vips.n; i++) {
		result.err = vips_step_back(w->route, &vips.v[i], w->conf->address_lifetime_s);
		result.n += !result.err;
	}
	if (result.err || result.n)
		finish(w, &result);
}

static void run_job(struct worker *w)
{
	struct worker_result result;
	int r;

	if (w->job.order.type == WORKER_TIDY) {
		run_tidy(w);
		return;
	}
	if (w->job.order.type == WORKER_STEP_BACK) {
		run_step_back(w);
		return;
	}
	r = is_in_the_way(w) ? 0 : job_slice(w);
	if (r > 0)
		return;
	vips_done(&w->job.vips);
	w->busy = false;
	result = result_of(&w->job.order, r);
	result.vip = r < 0 ? w->job.refused : NULL;
	finish(w, &result);
}

/* Wait for work; true: an urgent order is in *ret, false: go on with the job. */
static bool next_order(struct worker *w, struct worker_order *ret, bool *ret_stop)
{
	bool urgent;

	(void)pthread_mutex_lock(&w->lock);
	while (!w->stop && !w->busy && !w->urgent.n && !w->bulk.n)
		(void)pthread_cond_wait(&w->wake, &w->lock);
	*ret_stop = w->stop && !w->busy && !w->urgent.n && !w->bulk.n;
	urgent = w->urgent.n > 0;
	if (urgent) {
		orders_pop(&w->urgent, ret);
	} else if (!w->busy && w->bulk.n) {
		w->job = (struct job){ 0 };
		orders_pop(&w->bulk, &w->job.order);
		w->busy = true;
	}
	(void)pthread_mutex_unlock(&w->lock);
	return urgent;
}

static void *run(void *data)
{
	struct worker *w = data;
	struct worker_order order;
	bool stop = false;

	(void)pthread_setname_np(pthread_self(), "takeoverd-kern"); /* for ps -L only */
	while (!stop) {
		if (next_order(w, &order, &stop))
			run_urgent(w, &order);
		else if (w->busy)
			run_job(w);
	}
	return NULL;
}

/**
 * worker_new() - Start the thread
 * @conf: borrowed for the life of the worker, not changed meanwhile
 * @self: number of our node
 * @state_directory: borrowed likewise
 * @keeper: taken over, also on failure
 *
 * Signals must be blocked already: the thread inherits that.
 *
 * Return: 0; errors of sockets and threads.
 */
int worker_new(const struct conf *conf, uint8_t self, const char *state_directory,
	       struct gatekeeper *keeper, struct worker **ret)
{
	_cleanup_(worker_freep) struct worker *w = calloc(1, sizeof(*w));
	int r;

	if (!w) {
		gatekeeper_done(keeper);
		return -ENOMEM;
	}
	w->gate = *keeper;
	w->gate.config.vips = w->gate.vips;
	*keeper = (struct gatekeeper){ 0 };
	w->conf = conf;
	w->self = self;
	w->state_directory = state_directory;
	(void)pthread_mutex_init(&w->lock, NULL); /* default attributes: cannot fail */
	(void)pthread_cond_init(&w->wake, NULL);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0)
		return -errno;
	r = nl_open(NETLINK_ROUTE, &w->route);
	if (r < 0)
		return r;
	r = -pthread_create(&w->thread, NULL, run, w);
	if (r < 0)
		return r;
	w->running = true;
	*ret = TAKE(w);
	return 0;
}

/**
 * worker_free() - Carry out what has been ordered, then end the thread
 */
struct worker *worker_free(struct worker *w)
{
	if (!w)
		return NULL;
	if (w->running) {
		(void)pthread_mutex_lock(&w->lock);
		w->stop = true;
		(void)pthread_cond_signal(&w->wake);
		(void)pthread_mutex_unlock(&w->lock);
		(void)pthread_join(w->thread, NULL);
	}
	for (; w->n_results; w->n_results--) {
		const struct worker_result *untaken = &w->results[w->results_head++ % WORKER_RING];

		free(untaken->links);
		free(untaken->addrs);
		free(untaken->neighs);
	}
	gatekeeper_done(&w->gate);
	nl_close(w->route);
	close_fdp(&w->fd);
	(void)pthread_cond_destroy(&w->wake);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

static bool is_urgent(enum worker_type type)
{
	return type != WORKER_PREPARE && type != WORKER_REFRESH && type != WORKER_REMOVE &&
	       type != WORKER_TIDY && type != WORKER_STEP_BACK && type != WORKER_MAKE &&
	       type != WORKER_UNMAKE;
}

/**
 * worker_order() - Give an order
 * @order: copied
 *
 * Orders about addresses are carried out in their order, those about the gate
 * and the disk in theirs, which overtakes the other.
 *
 * Return: 0; -EBUSY if far too much is under way.
 */
int worker_order(struct worker *w, const struct worker_order *order)
{
	struct orders *orders = is_urgent(order->type) ? &w->urgent : &w->bulk;
	int r = 0;

	(void)pthread_mutex_lock(&w->lock);
	if (w->urgent.n + w->bulk.n + w->n_results + 2 >= WORKER_RING)
		r = -EBUSY;
	else
		orders_push(orders, order);
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
	return r;
}

/* Under which the kernel tells what has been done to addresses here. */
uint32_t worker_portid(const struct worker *w)
{
	return nl_portid(w->route);
}

/* Readable when there are results. */
int worker_fd(const struct worker *w)
{
	return w->fd;
}

/**
 * worker_next() - Take one result
 *
 * Return: false if there is none.
 */
bool worker_next(struct worker *w, struct worker_result *ret)
{
	uint64_t count;
	ssize_t got;
	bool some;

	(void)pthread_mutex_lock(&w->lock);
	some = w->n_results > 0;
	if (some) {
		*ret = w->results[w->results_head];
		w->results_head = (w->results_head + 1) % WORKER_RING;
		w->n_results--;
	} else {
		got = read(w->fd, &count, sizeof(count));
		(void)got; /* it is read only to be unreadable */
	}
	(void)pthread_mutex_unlock(&w->lock);
	return some;
}

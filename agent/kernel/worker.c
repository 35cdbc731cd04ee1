/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "agent/aside.h"
#include "agent/cleanup.h"
#include "agent/clock.h"
#include "agent/kernel/gatekeeper.h"
#include "agent/kernel/job.h"
#include "agent/kernel/worker.h"

/* Orders and results wait in rings; more than this under way means we are lost anyhow. */
enum { WORKER_RING = CORE_GROUPS_MAX * 8 };

/*
 * Thousands of lifetimes take the kernel a while, at our priority and with a lock that
 * others need. While no order waits, nobody waits for them: after each slice that is worth
 * it, others have three times as long; what takes longer than a slice should has taken
 * others' time, not ours.
 */
enum { WORKER_LONG_US = 500, WORKER_PAUSE = 3, WORKER_PAUSE_MAX_US = 20 * 1000 };

struct orders {
	struct worker_order v[WORKER_RING];
	size_t head, n;
};

/* Does the job go on? */
enum way {
	WAY_ON,
	WAY_LATER, /* it has been ordered again */
	WAY_NEVER, /* as if it were done */
};

struct worker {
	/* the thread's own */
	const struct conf *conf;
	struct nl *route;
	struct gatekeeper gate;
	struct job_means means;
	struct job job;
	bool busy; /* job is under way */
	bool staged[CORE_GROUPS_MAX];

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

static struct worker_order *orders_at(struct orders *orders, size_t i)
{
	return &orders->v[(orders->head + i) % WORKER_RING];
}

/* Back to the front, where it came from. */
static void orders_put_back(struct orders *orders, const struct worker_order *order)
{
	orders->head = (orders->head + WORKER_RING - 1) % WORKER_RING;
	orders->n++;
	*orders_at(orders, 0) = *order;
}

/* Take number i out; the others keep their order. */
static void orders_take(struct orders *orders, size_t i, struct worker_order *ret)
{
	*ret = *orders_at(orders, i);
	for (; i > 0; i--)
		*orders_at(orders, i) = *orders_at(orders, i - 1);
	orders->head = (orders->head + 1) % WORKER_RING;
	orders->n--;
}

static bool speaks_of(struct orders *orders, size_t n, uint8_t group)
{
	for (size_t i = 0; i < n; i++)
		if (orders_at(orders, i)->group == group)
			return true;
	return false;
}

/*
 * The first claim that nothing for its own group goes before; orders->n: none. It goes
 * before what is for other groups: nobody answers for its addresses meanwhile.
 */
static size_t orders_find_claim(struct orders *orders)
{
	for (size_t i = 0; i < orders->n; i++) {
		const struct worker_order *order = orders_at(orders, i);

		if (order->type == WORKER_PREPARE && order->ticket &&
		    !speaks_of(orders, i, order->group))
			return i;
	}
	return orders->n;
}

static struct worker_result result_of(const struct worker_order *order, int err)
{
	return (struct worker_result){
		.type = order->type, .id = order->id, .group = order->group, .err = err
	};
}

static void finish(struct worker *w, const struct worker_result *result)
{
	(void)pthread_mutex_lock(&w->lock); /* fails only on our own mistakes */
	assert(w->n_results < WORKER_RING);
	w->results[(w->results_head + w->n_results++) % WORKER_RING] = *result;
	(void)pthread_mutex_unlock(&w->lock);
	aside_ring(w->fd);
}

/*
 * A list of the one kind without the other is none. Thousands of addresses may be there that
 * are nobody's business: who takes the result has no time for them.
 */
static int look(struct worker *w, struct worker_result *result)
{
	_cleanup_(freep) struct link *links = NULL;
	_cleanup_(freep) struct addr *addrs = NULL;
	size_t n_links, n_addrs, n = 0;
	int r = link_list(w->route, &links, &n_links);

	if (r == 0)
		r = addr_list(w->route, &addrs, &n_addrs);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_addrs; i++)
		if (vips_concern(w->conf, &addrs[i]))
			addrs[n++] = addrs[i];
	result->n_links = n_links;
	result->links = TAKE(links);
	result->n_addrs = n;
	result->addrs = TAKE(addrs);
	return 0;
}

/* Orders that are done in one go. */
static void run_urgent(struct worker *w, const struct worker_order *order)
{
	struct worker_result result = result_of(order, 0);

	if (order->type == WORKER_LOOK) {
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

/*
 * Lengthening lifetimes and making ready can wait when a group is to move: they go to the
 * end. If another order for their group, that they have to be before, is there already, it
 * makes them needless. Nobody waits for either when the agent ends.
 */
static enum way gives_way(struct worker *w)
{
	const struct worker_order *own = &w->job.order;
	bool waiting, needless;

	if (own->type != WORKER_REFRESH && own->type != WORKER_MAKE)
		return WAY_ON;
	(void)pthread_mutex_lock(&w->lock);
	waiting = needless = w->stop;
	for (size_t i = 0; i < w->bulk.n; i++) {
		const struct worker_order *order = orders_at(&w->bulk, i);

		waiting |= order->type == WORKER_PREPARE || order->type == WORKER_REMOVE;
		needless |= order->group == own->group &&
			    (own->type == WORKER_REFRESH || order->type == WORKER_PREPARE ||
			     order->type == WORKER_UNMAKE);
	}
	if (waiting && !needless)
		orders_push(&w->bulk, own);
	(void)pthread_mutex_unlock(&w->lock);
	if (!waiting)
		return WAY_ON;
	return needless ? WAY_NEVER : WAY_LATER;
}

/* A removal begins anew after a claim of another group: it looks what is there. */
static bool is_overtaken(struct worker *w)
{
	struct worker_order order = w->job.order;
	bool overtaken;

	if (order.type != WORKER_REMOVE)
		return false;
	(void)pthread_mutex_lock(&w->lock);
	orders_put_back(&w->bulk, &order);
	overtaken = orders_find_claim(&w->bulk) < w->bulk.n;
	if (!overtaken)
		orders_take(&w->bulk, 0, &order);
	(void)pthread_mutex_unlock(&w->lock);
	return overtaken;
}

/* Where nobody waits, no result means that there is nothing to be said. */
static bool is_awaited(const struct worker_result *result)
{
	return (result->type != WORKER_TIDY && result->type != WORKER_STEP_BACK) || result->err ||
	       result->n;
}

/* After so long a slice, or until there is an order; earlier does no harm. */
static void pause_after(struct worker *w, uint64_t took_us)
{
	const uint64_t us = WORKER_PAUSE * took_us;
	const uint64_t until_us =
		clock_us() + (us < WORKER_PAUSE_MAX_US ? us : WORKER_PAUSE_MAX_US);
	const struct timespec until = { .tv_sec = (time_t)(until_us / USEC_PER_SEC),
					.tv_nsec = (long)(until_us % USEC_PER_SEC) * 1000 };

	(void)pthread_mutex_lock(&w->lock);
	if (!w->stop && !w->urgent.n && !w->bulk.n)
		(void)pthread_cond_clockwait(&w->wake, &w->lock, CLOCK_MONOTONIC, &until);
	(void)pthread_mutex_unlock(&w->lock);
}

/* The job is over, or to be taken up anew. */
static void end_job(struct worker *w)
{
	job_done(&w->job);
	w->busy = false;
}

static void run_job(struct worker *w)
{
	struct worker_result result = result_of(&w->job.order, 0);
	uint64_t began = clock_us(), took;
	enum way way;
	int r = 0;

	/* Also if it gives way: a claim is not to rely on what has gone. */
	if (w->job.order.type == WORKER_MAKE && w->job.order.lost)
		w->staged[w->job.order.group] = false;
	way = is_overtaken(w) ? WAY_LATER : gives_way(w);
	if (way == WAY_LATER) {
		end_job(w);
		return;
	}
	if (way == WAY_ON)
		r = job_run(&w->job, &result);
	took = clock_us() - began;
	if (r > 0 && w->job.order.type == WORKER_REFRESH && took >= WORKER_LONG_US)
		pause_after(w, took);
	if (r > 0)
		return;
	end_job(w);
	result.err = r;
	if (is_awaited(&result))
		finish(w, &result);
}

/* Wait for work; true: an urgent order is in *ret, false: go on with the job. */
static bool next_order(struct worker *w, struct worker_order *ret, bool *ret_stop)
{
	struct worker_order order;
	bool urgent;

	(void)pthread_mutex_lock(&w->lock);
	while (!w->stop && !w->busy && !w->urgent.n && !w->bulk.n)
		(void)pthread_cond_wait(&w->wake, &w->lock);
	*ret_stop = w->stop && !w->busy && !w->urgent.n && !w->bulk.n;
	urgent = w->urgent.n > 0;
	if (urgent) {
		orders_take(&w->urgent, 0, ret);
	} else if (!w->busy && w->bulk.n) {
		size_t claim = orders_find_claim(&w->bulk);

		orders_take(&w->bulk, claim < w->bulk.n ? claim : 0, &order);
		job_begin(&w->job, &w->means, &order);
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

	aside_stand_back("takeoverd-kern", ASIDE_WAITED_FOR);
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
 * @keeper: taken over, also on failure
 *
 * Return: 0; errors of sockets and threads.
 */
int worker_new(const struct conf *conf, uint8_t self, struct gatekeeper *keeper,
	       struct worker **ret)
{
	_cleanup_(worker_freep) struct worker *w = calloc(1, sizeof(*w));
	int r;

	if (!w) {
		gatekeeper_done(keeper);
		return -ENOMEM;
	}
	w->gate = *keeper;
	w->gate.config.vips = w->gate.vips;
	w->gate.config.names = w->gate.names;
	*keeper = (struct gatekeeper){ 0 };
	w->conf = conf;
	(void)pthread_mutex_init(&w->lock, NULL); /* default attributes: cannot fail */
	(void)pthread_cond_init(&w->wake, NULL);
	w->fd = aside_bell();
	if (w->fd < 0)
		return w->fd;
	r = nl_open(NETLINK_ROUTE, &w->route);
	if (r < 0)
		return r;
	w->means = (struct job_means){
		.conf = conf,
		.node = &conf->nodes[self],
		.route = w->route,
		.gate = &w->gate,
		.staged = w->staged,
	};
	r = aside_start(&w->thread, run, w);
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

/* Does an order with nothing in it mean the same if it is given twice? */
static bool is_repeatable(const struct worker_order *order)
{
	return !order->id && (order->type == WORKER_LOOK || order->type == WORKER_REFRESH ||
			      order->type == WORKER_STEP_BACK || order->type == WORKER_MAKE);
}

/* Is nothing left of an order when one that waits has been carried out? */
static bool is_part_of(const struct worker_order *order, const struct worker_order *waiting)
{
	return waiting->type == order->type &&
	       ((order->type != WORKER_REFRESH && order->type != WORKER_MAKE) ||
		((order->ipv4_only || !waiting->ipv4_only) && (!order->lost || waiting->lost)));
}

/* Does the same wait already, with nothing for its group behind it that is about more? */
static bool is_waiting(struct orders *orders, const struct worker_order *order)
{
	for (size_t i = orders->n; i > 0; i--) {
		const struct worker_order *other = orders_at(orders, i - 1);

		if (other->group != order->group)
			continue;
		if (!is_repeatable(other))
			return false;
		if (is_part_of(order, other))
			return true;
	}
	return false;
}

/**
 * worker_order() - Give an order
 * @order: copied
 *
 * Orders about a group's addresses are carried out in their order, those about the
 * gate in theirs, which overtakes the other; a claim overtakes what is
 * about the addresses of other groups, and interrupts their removal. Those that others give reason
 * to, as by adding addresses, wait once: else they would leave no room for a move.
 *
 * Return: 0; -EBUSY if far too much is under way.
 */
int worker_order(struct worker *w, const struct worker_order *order)
{
	struct orders *orders = is_urgent(order->type) ? &w->urgent : &w->bulk;
	int r = 0;

	(void)pthread_mutex_lock(&w->lock);
	if (is_repeatable(order) && is_waiting(orders, order))
		r = 0;
	else if (w->urgent.n + w->bulk.n + w->n_results + 2 >= WORKER_RING)
		r = -EBUSY;
	else
		orders_push(orders, order);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_cond_signal(&w->wake); /* who wakes finds the lock free */
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
	bool some;

	(void)pthread_mutex_lock(&w->lock);
	some = w->n_results > 0;
	if (some) {
		*ret = w->results[w->results_head];
		w->results_head = (w->results_head + 1) % WORKER_RING;
		w->n_results--;
	} else {
		aside_hush(w->fd);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return some;
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/bus/bus.h"
#include "agent/cleanup.h"
#include "agent/clock.h"
#include "agent/drain/drain.h"
#include "agent/drain/tally.h"
#include "agent/log.h"
#include "agent/why.h"

/* So often is told how many are left; and after so many times they are counted anew. */
#define DRAIN_TICK_US USEC_PER_SEC
enum { DRAIN_TICKS_OF_COUNT = 5 };

/* A peer that could not take over may only have been unheard for a moment. */
enum { DRAIN_TICKS_UNABLE = 2 };

enum drain_stage {
	DRAIN_STAGE_LAYING,   /* the kernel is to refuse new connections */
	DRAIN_STAGE_COUNTING, /* it does; waiting for the end of the others */
	DRAIN_STAGE_MOVING,   /* the core has been asked for the switchover */
	DRAIN_STAGE_LIFTING,  /* over, but the kernel has not said yet that it refuses nothing */
};

struct drain {
	struct drain *next;
	struct drains *all;
	uint8_t group;
	enum drain_stage stage;
	uint32_t request; /* who waits for the outcome; 0: has been answered */
	uint32_t order;	  /* id of the order that the worker is at; 0: none */
	instant until;
	sd_event_source *tick;
	unsigned ticks;	     /* up to now */
	unsigned unable;     /* so many of the last ones found nobody who could take over */
	struct tally *tally; /* COUNTING */
	bool counted;	     /* the first time is over */
	uint32_t shown;	     /* connections that are left, as people know it */
};

struct drains {
	struct agent *agent;
	struct drain *first;
	uint32_t last_order;
};

/**
 * drains_new() - Nothing drains
 * @agent: borrowed
 *
 * Return: 0; -ENOMEM.
 */
int drains_new(struct agent *agent, struct drains **ret)
{
	struct drains *drains = calloc(1, sizeof(*drains));

	if (!drains)
		return -ENOMEM;
	drains->agent = agent;
	*ret = drains;
	return 0;
}

static struct drain *drain_free(struct drain *d)
{
	tally_free(d->tally);
	sd_event_source_disable_unref(d->tick);
	free(d);
	return NULL;
}
DEFINE_CLEANUP(struct drain *, drain_free)

/**
 * drains_free() - What is being refused goes with the worker's socket
 */
struct drains *drains_free(struct drains *drains)
{
	while (drains && drains->first) {
		struct drain *first = drains->first;

		drains->first = first->next;
		drain_free(first);
	}
	free(drains);
	return NULL;
}

static void drop(struct drain *d)
{
	struct drain **at = &d->all->first;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	drain_free(d);
}

static struct drain *of_group(const struct drains *drains, uint8_t group)
{
	for (struct drain *d = drains->first; d; d = d->next)
		if (d->group == group)
			return d;
	return NULL;
}

static struct drain *of_request(const struct drains *drains, uint32_t request)
{
	for (struct drain *d = drains->first; d; d = d->next)
		if (request && d->request == request)
			return d;
	return NULL;
}

static const char *name_of(const struct drain *d)
{
	return d->all->agent->conf->groups[d->group].name;
}

/* Refused by the worker: with the next tick it is given again. */
static void give_order(struct drain *d)
{
	struct worker_order order = { .type = WORKER_DRAIN,
				      .group = d->group,
				      .drain = d->stage == DRAIN_STAGE_LAYING };

	if (!++d->all->last_order)
		d->all->last_order = 1;
	order.id = d->all->last_order;
	d->order = worker_order(d->all->agent->worker, &order) < 0 ? 0 : order.id;
}

static void set_tick(struct drain *d)
{
	instant due = instant_add(clock_now(), DRAIN_TICK_US);

	if (d->stage == DRAIN_STAGE_COUNTING && d->counted)
		due = instant_earlier(due, d->until);
	(void)sd_event_source_set_time(d->tick, due.us); /* fails only without a loop */
	(void)sd_event_source_set_enabled(d->tick, SD_EVENT_ONESHOT);
}

/* New connections are taken again. */
static void lift(struct drain *d)
{
	d->tally = tally_free(d->tally);
	d->stage = DRAIN_STAGE_LIFTING;
	d->request = 0;
	give_order(d);
	set_tick(d);
	bus_group_changed(d->all->agent->bus, d->group);
}

/* It ends without a switchover. */
static void end(struct drain *d, const char *error, const char *text)
{
	uint32_t request = d->request;

	log_say(LOG_LEVEL_NOTICE, "group %s drains no more, and takes new connections again: %s",
		name_of(d), text);
	lift(d);
	bus_refuse(d->all->agent->bus, request, error, text);
}

static void end_unable(struct drain *d, enum core_result result)
{
	char why[WHY_TEXT_MAX];

	end(d, core_result_name(result), why_refused(d->all->agent, d->group, result, why));
}

static void end_failed(struct drain *d, const char *what, int r)
{
	log_say(LOG_LEVEL_ERROR, "cannot %s of group %s: %s", what, name_of(d), strerror(-r));
	end(d, "Failed", "The kernel does not let this host drain; its journal says why.");
}

static bool is_late(const struct drain *d)
{
	return instant_is_set(d->until) && instant_reached(clock_now(), d->until);
}

static void show(struct drain *d)
{
	uint32_t left = tally_left(d->tally);

	if (d->shown == left)
		return;
	d->shown = left;
	bus_group_changed(d->all->agent->bus, d->group);
}

/* The core answers whoever waits, perhaps at once. */
static void move(struct drain *d)
{
	struct core_event event = { .type = CORE_EV_SWITCHOVER, .group = d->group };

	show(d);
	if (d->shown)
		log_say(LOG_LEVEL_NOTICE,
			"group %s has not drained in time: switching over; open TCP connections: "
			"%u",
			name_of(d), d->shown);
	else
		log_say(LOG_LEVEL_INFO, "group %s has drained: switching over", name_of(d));
	d->tally = tally_free(d->tally);
	(void)sd_event_source_set_enabled(d->tick, SD_EVENT_OFF); /* the core has its own times */
	d->stage = DRAIN_STAGE_MOVING;
	event.request.request = d->request;
	agent_step(d->all->agent, &event);
}

/* tally_handler */
static void on_count(void *ctx, int r)
{
	struct drain *d = ctx;

	if (r < 0) {
		end_failed(d, "count the TCP connections", r);
		return;
	}
	if (!d->counted) {
		show(d);
		log_say(LOG_LEVEL_NOTICE,
			"group %s drains: new TCP connections are refused; open: %u", name_of(d),
			d->shown);
	}
	d->counted = true;
	if (tally_is_zero(d->tally) || is_late(d))
		move(d);
	else
		set_tick(d);
}

/* Who could not take over for two ticks ends it. Return: false if that is so. */
static bool can_move(struct drain *d)
{
	enum core_result result = core_can_switchover(&d->all->agent->core, d->group);

	d->unable = result == CORE_RESULT_OK ? 0 : d->unable + 1;
	if (d->unable < DRAIN_TICKS_UNABLE)
		return true;
	end_unable(d, result);
	return false;
}

static void wait_on(struct drain *d)
{
	int r = 0;

	if (d->counted && is_late(d)) {
		move(d);
		return;
	}
	if (!can_move(d))
		return;
	show(d);
	if (++d->ticks % DRAIN_TICKS_OF_COUNT == 0)
		r = tally_again(d->tally);
	if (r < 0)
		end_failed(d, "count the TCP connections", r);
	else
		set_tick(d);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *data)
{
	struct drain *d = data;

	(void)source;
	(void)usec;
	switch (d->stage) {
	case DRAIN_STAGE_COUNTING:
		wait_on(d);
		break;
	case DRAIN_STAGE_LAYING:
	case DRAIN_STAGE_LIFTING:
		if (!d->order)
			give_order(d);
		set_tick(d);
		break;
	case DRAIN_STAGE_MOVING:
		break;
	}
	return 0;
}

static int make(struct drains *drains, uint8_t group, struct drain **ret)
{
	_cleanup_(drain_freep) struct drain *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->all = drains;
	d->group = group;
	r = sd_event_add_time_relative(drains->agent->loop, &d->tick, CLOCK_BOOTTIME, DRAIN_TICK_US,
				       USEC_PER_MSEC, on_tick, d);
	if (r < 0)
		return r;
	d->next = drains->first;
	drains->first = d;
	*ret = TAKE(d);
	return 0;
}

/**
 * drain_begin() - Somebody wants a group to be switched over when its connections have ended
 * @timeout_us: or after so long; UINT64_MAX: without limit
 * @request: who waits; is answered by the core or by bus_refuse(), perhaps at once
 *
 * Refused if a switchover would be: nobody shall wait for what cannot be.
 */
void drain_begin(struct drains *drains, uint8_t group, uint64_t timeout_us, uint32_t request)
{
	struct agent *agent = drains->agent;
	enum core_result result = core_can_switchover(&agent->core, group);
	instant now = clock_now();
	char why[WHY_TEXT_MAX];
	struct drain *d;
	int r;

	if (agent->core.groups[group].state != CORE_STATE_PRIMARY && result != CORE_RESULT_BUSY) {
		bus_refuse(agent->bus, request, "NotHeld",
			   "This node is not primary: connections are drained where they are.");
		return;
	}
	if (of_group(drains, group) || agent->core.stopping)
		result = CORE_RESULT_BUSY;
	if (result != CORE_RESULT_OK) {
		bus_refuse(agent->bus, request, core_result_name(result),
			   why_refused(agent, group, result, why));
		return;
	}
	r = make(drains, group, &d);
	if (r < 0) {
		bus_refuse(agent->bus, request, "Failed", strerror(-r));
		return;
	}
	d->request = request;
	if (timeout_us < UINT64_MAX - now.us)
		d->until = instant_add(now, timeout_us);
	give_order(d);
}

/**
 * drain_abandon() - Who wanted it has gone
 *
 * Only what has not come to the switchover is undone, which has no caller to wait for.
 */
void drain_abandon(struct drains *drains, uint32_t request)
{
	struct drain *d = of_request(drains, request);

	if (d && d->stage != DRAIN_STAGE_MOVING)
		end(d, "Failed", "who asked for it has gone");
}

/**
 * drain_answered() - The core is about to answer this one
 * @ret_connections: how many were open when the switchover began
 *
 * Return: false if nobody drains for that request.
 */
bool drain_answered(struct drains *drains, uint32_t request, uint32_t *ret_connections)
{
	struct drain *d = of_request(drains, request);

	if (!d)
		return false;
	*ret_connections = d->shown;
	lift(d);
	return true;
}

/**
 * drain_look() - How does a group drain?
 *
 * Return: false if it does not.
 */
bool drain_look(const struct drains *drains, uint8_t group, struct drain_state *ret)
{
	const struct drain *d = drains ? of_group(drains, group) : NULL;

	if (!d || (d->stage != DRAIN_STAGE_COUNTING && d->stage != DRAIN_STAGE_MOVING))
		return false;
	*ret = (struct drain_state){ .connections = d->shown, .until = d->until };
	return true;
}

/* It is not for us any more to move the group. */
static bool is_overtaken(const struct drain *d)
{
	const struct core *core = &d->all->agent->core;

	return core->groups[d->group].state != CORE_STATE_PRIMARY || core->stopping ||
	       core_can_switchover(core, d->group) == CORE_RESULT_BUSY;
}

/**
 * drains_follow() - End what has come to nothing, as the groups have gone another way
 */
void drains_follow(struct drains *drains)
{
	for (struct drain *d = drains->first; d; d = d->next)
		if ((d->stage == DRAIN_STAGE_LAYING || d->stage == DRAIN_STAGE_COUNTING) &&
		    is_overtaken(d))
			end(d, "Busy",
			    "The group moves, or takeoverd stops, before it has drained.");
}

static void begin_counting(struct drain *d)
{
	struct agent *agent = d->all->agent;
	int r;

	d->stage = DRAIN_STAGE_COUNTING;
	bus_group_changed(agent->bus, d->group);
	r = tally_new(agent->loop, &agent->conf->groups[d->group], on_count, d, &d->tally);
	if (r < 0)
		end_failed(d, "count the TCP connections", r);
}

/**
 * drain_result() - The kernel refuses new connections, or does so no more, or cannot
 * @result: of WORKER_DRAIN
 */
void drain_result(struct drains *drains, const struct worker_result *result)
{
	struct drain *d = of_group(drains, result->group);

	if (!d || d->order != result->id)
		return; /* of an order before the last */
	d->order = 0;
	if (d->stage == DRAIN_STAGE_LAYING && result->err)
		end_failed(d, "refuse new TCP connections", result->err);
	else if (d->stage == DRAIN_STAGE_LAYING)
		begin_counting(d);
	else if (d->stage == DRAIN_STAGE_LIFTING && !result->err)
		drop(d);
}

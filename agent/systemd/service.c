/* SPDX-License-Identifier: MIT */

#include "agent/agent.h"
#include "agent/systemd/service.h"
#include "agent/tell.h"

/* A unit is restarted too often if SERVICE_RESTARTS of them fall into so many times its grace, */
enum { LOOP_GRACES = 10 };
/* or into this: RestartSec= is 100 ms unless somebody has thought about it. */
#define LOOP_MIN_US (10 * USEC_PER_SEC)

/*
 * For so long a node that has let the group go for its unit is no better than the other one, which
 * needs some time to find out. Each time it was in vain doubles it, up to about an hour.
 */
#define REST_US (30 * USEC_PER_SEC)
enum { REST_DOUBLINGS = 7 };

/**
 * service_changed() - Take what systemd says of the unit of a group
 *
 * How often it was restarted before we knew it says nothing.
 */
void service_changed(struct agent *agent, uint8_t group, const struct unit_state *state)
{
	struct service *service = &agent->service[group];
	uint32_t before = service->known ? service->state.restarts : state->restarts;
	instant now = clock_now();

	/* A start by hand begins to count anew. */
	for (uint32_t n = before; n < state->restarts && n < before + SERVICE_RESTARTS; n++) {
		memmove(&service->restarted[1], &service->restarted[0],
			sizeof(service->restarted) - sizeof(service->restarted[0]));
		service->restarted[0] = now;
	}
	service->state = *state;
	service->known = true;
}

/* Restarted again and again: until it has been let alone for as long. */
static bool is_looping(const struct service *service, uint64_t window_us, instant now,
		       instant *ret_due)
{
	instant newest = service->restarted[0], oldest = service->restarted[SERVICE_RESTARTS - 1];
	instant end = instant_add(newest, window_us);

	if (!instant_is_set(oldest) || instant_since(newest, oldest) >= window_us ||
	    instant_reached(now, end))
		return false;
	*ret_due = end;
	return true;
}

/*
 * A service that has the state at both hosts runs at both. Another one belongs to the role, and
 * on its way in and out nobody can tell whether it should run: so what was said of it stands.
 */
static bool is_under_way(const struct core_group *g)
{
	return g->units || g->state == CORE_STATE_CLAIMING || g->state == CORE_STATE_YIELDING;
}

static bool runs(const struct unit_state *state)
{
	return state->active == UNIT_ACTIVE || state->active == UNIT_RELOADING;
}

/* A unit that has run for as long as a loop takes to be one has not started in vain. */
static void note_well(struct service *service, bool well, uint64_t window_us, instant now)
{
	if (well) {
		if (!instant_is_set(service->well_since))
			service->well_since = now;
		service->let_down = false;
		return;
	}
	if (instant_is_set(service->well_since) &&
	    instant_since(now, service->well_since) >= window_us)
		service->in_vain = 0;
	service->well_since = INSTANT_NEVER;
}

/*
 * On a warm backup it need not run. But if it did not on the primary that this node has been, it
 * would be back as soon as the unit does not run at the other node either, and so for ever: each
 * of the two is unfit for a while, and hears that of the other one, so the group stays for as long.
 */
static const char *find_rest(struct service *service, instant now, instant *ret_due)
{
	if (!service->let_down)
		return NULL;
	if (!instant_is_set(service->rests_until)) {
		service->rests_until = instant_add(now, REST_US << service->in_vain);
		service->in_vain += service->in_vain < REST_DOUBLINGS;
	}
	if (instant_reached(now, service->rests_until)) {
		service->let_down = false;
		return NULL;
	}
	*ret_due = service->rests_until;
	return "did not run here";
}

/* What is wrong with it now; *@ret_due: when that may be another thing by time alone. */
static const char *find_fault(struct agent *agent, uint8_t group, instant now, instant *ret_due)
{
	const struct conf_group *conf = &agent->conf->groups[group];
	const struct core_group *g = &agent->core.groups[group];
	struct service *service = &agent->service[group];
	uint64_t window_us = LOOP_GRACES * (uint64_t)conf->unit_grace_us;
	bool primary = g->state == CORE_STATE_PRIMARY;
	instant due;

	if (window_us < LOOP_MIN_US)
		window_us = LOOP_MIN_US;
	note_well(service, primary && runs(&service->state), window_us, now);
	if (service->state.absent)
		return "is masked, or not there";
	if (service->state.active == UNIT_FAILED)
		return "has failed";
	if (is_looping(service, window_us, now, ret_due)) {
		service->let_down |= primary;
		return "is restarted again and again";
	}
	if (!runs(&service->state) && !conf->core.hot && is_under_way(g)) {
		service->since = INSTANT_NEVER;
		return service->fault;
	}
	if (runs(&service->state) || !(conf->core.hot || primary)) {
		service->since = INSTANT_NEVER;
		return runs(&service->state) ? NULL : find_rest(service, now, ret_due);
	}
	service->rests_until = INSTANT_NEVER;
	if (!instant_is_set(service->since))
		service->since = now;
	due = instant_add(service->since, conf->unit_grace_us);
	if (instant_reached(now, due)) {
		service->let_down |= primary;
		return "does not run";
	}
	*ret_due = due;
	return NULL;
}

/**
 * service_look() - Does the unit of a group keep this node from being fit for it?
 *
 * Return: when to look again if nothing happens; never: need not be.
 */
instant service_look(struct agent *agent, uint8_t group, instant now)
{
	struct core_event event = { .type = CORE_EV_FITNESS, .group = group };
	struct service *service = &agent->service[group];
	instant due = INSTANT_NEVER;
	const char *fault;
	bool before = service->fault != NULL;

	if (!service->known || !agent->conf->groups[group].unit)
		return INSTANT_NEVER;
	fault = service->fault = find_fault(agent, group, now, &due);
	if (before == (fault != NULL))
		return due;
	tell_unit(agent, group, fault);
	event.fitness.reason = CORE_UNFIT_UNIT;
	event.fitness.unfit = fault != NULL;
	agent_defer(agent, &event);
	return due;
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>

#include "agent/agent.h"
#include "agent/systemd/steps.h"
#include "agent/systemd/systemd.h"

#define LATE "not done within TimeoutStep="

/* Nobody waits for it any more; systemd goes on with what it has begun. */
static void forget(struct agent *agent, uint8_t group)
{
	struct steps *steps = &agent->steps[group];

	if (!steps->id)
		return;
	systemd_forget(agent->systemd, systemd_id(SYSTEMD_STEP, group, 0));
	steps->id = 0;
	steps->due = INSTANT_NEVER;
}

static void end(struct agent *agent, uint8_t group, int err)
{
	struct core_event event = { .type = CORE_EV_DONE, .group = group };

	event.done.id = agent->steps[group].id;
	event.done.err = err;
	forget(agent, group);
	agent_defer(agent, &event);
}

static void note(struct steps *steps, const char *why)
{
	const struct conf_step *step = &steps->of->v[steps->next - 1];

	(void)snprintf(steps->failed, sizeof(steps->failed), "%s %s: %s",
		       step->stop ? "stop" : "start", step->unit, why);
}

static void fail(struct agent *agent, uint8_t group, int err, const char *why)
{
	note(&agent->steps[group], why);
	end(agent, group, err);
}

/* The target may be one of the units: it is told again which role the node has in the end. */
static void go_on(struct agent *agent, uint8_t group)
{
	struct steps *steps = &agent->steps[group];
	const struct conf_step *step;
	int r;

	if (steps->next == steps->of->n) {
		steps->failed[0] = '\0';
		end(agent, group, 0);
		return;
	}
	step = &steps->of->v[steps->next++];
	note(steps, LATE); /* the core may find that before we do */
	agent->role[group] = ROLE_UNKNOWN;
	steps->due = instant_add(clock_now(), agent->conf->step_us);
	r = systemd_order(agent->systemd, step->stop ? UNIT_STOP : UNIT_START, step->unit,
			  systemd_id(SYSTEMD_STEP, group, 0));
	if (r < 0)
		fail(agent, group, r, r == -ENOTCONN ? "systemd is not here" : strerror(-r));
}

/**
 * steps_begin() - Begin what comes before a release or a claim
 * @action: CORE_DO_UNITS
 */
void steps_begin(struct agent *agent, const struct core_action *action)
{
	const struct conf_group *group = &agent->conf->groups[action->group];
	struct steps *steps = &agent->steps[action->group];

	forget(agent, action->group);
	steps->id = action->id;
	steps->of = action->units == CORE_UNITS_BEFORE_RELEASE ? &group->before_release
							       : &group->before_claim;
	steps->next = 0;
	go_on(agent, action->group);
}

/**
 * steps_done() - A unit has been started or stopped, or not
 */
void steps_done(struct agent *agent, uint32_t id, int err, const char *why)
{
	uint8_t group = systemd_id_group(id);

	if (!agent->steps[group].id)
		return;
	if (err)
		fail(agent, group, err, why);
	else
		go_on(agent, group);
}

/**
 * steps_look() - Does the core wait still, and is what it waits for late?
 *
 * Return: when to look again; never: somebody else will say so.
 */
instant steps_look(struct agent *agent, uint8_t group, instant now)
{
	struct steps *steps = &agent->steps[group];

	if (steps->id && steps->id != agent->core.groups[group].units)
		forget(agent, group);
	if (steps->id && instant_reached(now, steps->due))
		fail(agent, group, -ETIMEDOUT, LATE);
	return steps->id ? steps->due : INSTANT_NEVER;
}

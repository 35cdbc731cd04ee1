/* SPDX-License-Identifier: MIT */

#include <systemd/sd-event.h>

#include "agent/agent.h"
#include "agent/bus/bus.h"
#include "agent/log.h"
#include "agent/publish.h"
#include "agent/systemd/depart.h"
#include "agent/systemd/roles.h"
#include "agent/systemd/systemd.h"

/* PID 1 answers within a millisecond; if it is as busy as this, a stop is what is safe. */
#define ASK_US (100 * USEC_PER_MSEC)

/* For so long an agent that ends waits for systemd to take up what it has been told last. */
#define LAST_WORDS_US (2 * USEC_PER_SEC)

/**
 * depart() - Stop: hand over and release, or for a restart leave the addresses where they are
 *
 * Amid a reload they are being left already: who goes on with them hands them over.
 */
void depart(struct agent *agent, bool restart)
{
	struct core_event event = { .type = CORE_EV_STOP, .restart = restart };

	agent->asking = sd_event_source_disable_unref(agent->asking);
	if (!restart && reload_is_due(agent->reload)) {
		agent->departs_next = true;
		return;
	}
	reload_forget(agent->reload);
	agent_step(agent, &event);
}

static int on_no_answer(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	depart(data, false);
	return 0;
}

static void on_job(void *ctx, const char *type)
{
	struct agent *agent = ctx;

	if (agent->asking) /* else it has been too late */
		depart(agent, !strcmp(type, "restart") || !strcmp(type, "try-restart"));
}

/**
 * depart_or_restart() - SIGTERM: systemd sends it for both, and knows which it is
 */
void depart_or_restart(struct agent *agent)
{
	bool ends = agent->core.stopping && !reload_is_due(agent->reload);

	if (!agent->asking && !ends && systemd_own_job(agent->systemd, on_job, agent) >= 0 &&
	    sd_event_add_time_relative(agent->loop, &agent->asking, CLOCK_BOOTTIME, ASK_US, 1,
				       on_no_answer, agent) >= 0)
		return;
	depart(agent, false); /* nobody can be asked, or somebody has asked twice */
}

static void send_out(struct agent *agent, uint8_t group, bool on)
{
	struct core_event event = { .type = CORE_EV_INHIBIT, .group = group };

	event.request.on = on;
	agent_defer(agent, &event);
}

static bool is_on_its_way(const struct core_group *group)
{
	return group->state == CORE_STATE_CLAIMING || group->state == CORE_STATE_YIELDING ||
	       group->units || instant_is_set(group->provisional);
}

/**
 * depart_host() - The host goes down, or does not after all
 *
 * Hand over while the services still run. Without anybody to hand over to the groups stay until
 * the agent itself is told to stop.
 */
void depart_host(struct agent *agent, bool begins)
{
	if (agent->going_down == begins)
		return;
	agent->going_down = begins;
	if (begins)
		publish_say(agent, EVENT_NO_GROUP, EVENT_HOST_GOES_DOWN,
			    "the host goes down: handing over");
	else
		publish_say(agent, EVENT_NO_GROUP, EVENT_HOST_STAYS,
			    "the host does not go down, after all");
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		agent->sent_out[g] = false;
		if (!begins && !bus_inhibited(agent->bus, g)) /* else it stays out for them */
			send_out(agent, g, false);
	}
	agent_settle(agent); /* which looks at all of them */
}

/**
 * depart_look() - While the host goes down: send out what rests here, let it go when all does
 *
 * What is on its way somewhere gets there first: the core would only answer that it is busy.
 */
void depart_look(struct agent *agent)
{
	bool waits = false;

	for (uint8_t g = 0; agent->going_down && g < agent->conf->n_groups; g++) {
		if (is_on_its_way(&agent->core.groups[g])) {
			waits = true;
		} else if (!agent->sent_out[g]) {
			send_out(agent, g, true);
			waits = agent->sent_out[g] = true;
		}
	}
	if (agent->going_down && !waits)
		systemd_let_go_down(agent->systemd);
}

/**
 * depart_roles() - The core has left everything in order: so are the targets of the roles
 *
 * systemd asks polkit about whoever gives an order, and polkit does not know one who has gone from
 * the bus: so the end waits for answers.
 *
 * Return: true if the loop is going to be ended from here.
 */
bool depart_roles(struct agent *agent)
{
	agent->last_words = roles_leave(agent);
	return agent->last_words &&
	       sd_event_add_time_relative(agent->loop, NULL, CLOCK_BOOTTIME, LAST_WORDS_US, 0, NULL,
					  NULL) >= 0; /* no handler: it ends the loop */
}

/**
 * depart_answered() - systemd has taken up one of the last orders
 */
void depart_answered(struct agent *agent)
{
	if (agent->last_words && --agent->last_words == 0)
		(void)sd_event_exit(agent->loop, 0); /* fails only once the loop is over */
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "agent/act.h"
#include "agent/host/meet.h"

static void on_probed(void *data, uint8_t group, uint32_t id, const struct stranger *answered)
{
	struct core_event event = { .type = CORE_EV_DONE, .group = group };
	struct agent *agent = data;

	if (answered)
		agent->strangers[group] = *answered;
	agent->refused[group] = NULL; /* it is not the kernel that has an answer */
	event.done.id = id;
	event.done.err = answered ? -EADDRINUSE : 0;
	agent_step(agent, &event);
}

static void on_met(void *data, uint8_t group, const struct stranger *stranger)
{
	struct core_event event = { .type = CORE_EV_STRANGER,
				    .group = group,
				    .peer = stranger->node };
	struct agent *agent = data;

	agent->strangers[group] = *stranger;
	event.stranger.vip = stranger->vip;
	agent_step(agent, &event);
}

/**
 * meet_open() - Prepare for others who have our addresses
 *
 * Return: 0; errors of watcher_new().
 */
int meet_open(struct agent *agent)
{
	const struct watcher_calls calls = { .probed = on_probed, .met = on_met, .data = agent };

	return watcher_new(agent->conf, agent->self, &agent->links, agent->loop, &calls,
			   &agent->watcher);
}

/**
 * meet_nodes() - Have it looked up which MACs the other nodes have
 *
 * When one is heard, and from time to time: it may not be heard when that is to be told.
 */
void meet_nodes(struct agent *agent)
{
	for (uint8_t g = 0; g < agent->conf->n_groups; g++)
		announcer_look(agent->announcer, g);
	act_neighbours(agent);
}

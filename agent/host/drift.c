/* SPDX-License-Identifier: MIT */

#include "agent/host/drift.h"

#include "agent/agent.h"
#include "agent/host/raise.h"
#include "agent/kernel/vips.h"
#include "agent/log.h"
#include "agent/tell.h"

static void note(struct agent *agent, uint8_t group, const struct monitor_event *event)
{
	struct drift_note *noted = &agent->drift[group].noted;

	if (!noted->n++) {
		noted->addr = event->addr;
		noted->changed = event->kind != MONITOR_ADDR_GONE;
		noted->by[0] = '\0';
		if (event->kind != MONITOR_OVERRUN)
			requester_name(&event->addr, event->port, noted->by);
		tell_drift(agent, group);
	}
	agent_step_group(agent, CORE_EV_LOST, group);
}

/**
 * drift_gone() - An address has gone: is it one that we hold?
 */
void drift_gone(struct agent *agent, const struct monitor_event *event)
{
	const char *ifname = links_name(&agent->links, event->addr.ifindex);
	const struct link *link = links_find(&agent->links, event->addr.ifindex);

	foreign_forget(&agent->foreign, &event->addr);
	if (event->port && event->port == worker_portid(agent->worker))
		return; /* it has only stepped back */
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		if (!vips_contain(&agent->conf->groups[g], ifname, &event->addr))
			continue;
		if (!agent->held[g])
			raise_lost(agent, g);
		else if (link && link->running)
			note(agent, g, event);
		else
			agent->owed[g] = true; /* it takes its addresses along */
	}
}

static void step_back(struct agent *agent, uint8_t group)
{
	struct worker_order order = { .type = WORKER_STEP_BACK, .group = group };

	(void)worker_order(agent->worker, &order); /* refused: the next one that comes asks again */
}

/* Neither without our tag nor for ever would it end behind us. */
static bool is_as_ours(const struct addr *addr)
{
	return addr->tag == ADDR_TAG && addr->valid_s != UINT32_MAX;
}

/**
 * drift_came() - An address is new, or has been changed: is it one of ours, in other hands?
 *
 * Our own refreshing is not among the news; it is in a list that was read.
 */
void drift_came(struct agent *agent, const struct monitor_event *event)
{
	const char *ifname;

	if (is_as_ours(&event->addr)) {
		foreign_forget(&agent->foreign, &event->addr);
		return;
	}
	ifname = links_name(&agent->links, event->addr.ifindex);
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		const struct conf_group *group = &agent->conf->groups[g];

		if (agent->held[g] && vips_precede(group, ifname, &event->addr))
			step_back(agent, g);
		if (!conf_find_vip(group, &event->addr.ip))
			continue;
		if (agent->held[g] && vips_contain(group, ifname, &event->addr))
			note(agent, g, event);
		else if (event->addr.tag != ADDR_TAG && foreign_note(&agent->foreign, &event->addr))
			tell_foreign(agent, g, &event->addr);
	}
}

/**
 * drift_look() - Take in a complete list of the addresses: the first, or after news were lost
 * @addrs: all that vips_concern(), others or not
 */
void drift_look(struct agent *agent, const struct addr *addrs, size_t n)
{
	struct foreign before = agent->foreign;

	/* Those that have gone are forgotten, those that are still there are not told again. */
	agent->foreign.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct monitor_event event = { .kind = MONITOR_OVERRUN, .addr = addrs[i] };

		if (!foreign_is_known(&before, &addrs[i]))
			drift_came(agent, &event);
		else
			(void)foreign_note(&agent->foreign, &addrs[i]); /* it fitted before */
	}
}

/**
 * drift_ordered() - The kernel is going to be asked for the group's addresses
 * @repair: because some are missing; otherwise for a claim, which is about all of them
 */
void drift_ordered(struct agent *agent, uint8_t group, bool repair)
{
	struct drift *drift = &agent->drift[group];

	if (repair)
		drift->mending = drift->noted;
	drift->noted.n = 0;
}

/**
 * drift_done() - What was ordered last has been done, which the core is going to tell
 */
void drift_done(struct agent *agent, uint8_t group)
{
	struct drift *drift = &agent->drift[group];

	drift->mended = drift->mending;
	drift->mending.n = 0;
}

/* Addresses of this host are before ours again, and keep the route of their network. */
static void note_step_back(struct agent *agent, const struct worker_result *result)
{
	const char *name = agent->conf->groups[result->group].name;

	if (!result->err) {
		log_say(LOG_LEVEL_NOTICE,
			"addresses of this host had come behind those of group %s, in the same "
			"network: put before them",
			name);
		return;
	}
	log_say(LOG_LEVEL_WARNING, "cannot put addresses of group %s behind those of this host: %s",
		name, strerror(-result->err));
	if (agent->held[result->group])
		agent_step_group(agent, CORE_EV_LOST, result->group); /* one may be away */
}

static void note_left(struct agent *agent, const struct worker_result *result)
{
	if (result->err)
		log_say(LOG_LEVEL_WARNING, "cannot tidy up behind group %s: %s",
			agent->conf->groups[result->group].name, strerror(-result->err));
	else if (!agent->held[result->group]) /* it may have come back meanwhile */
		tell_left(agent, result);
}

/**
 * drift_result() - What came of WORKER_STEP_BACK or WORKER_TIDY
 */
void drift_result(struct agent *agent, const struct worker_result *result)
{
	if (result->type == WORKER_STEP_BACK)
		note_step_back(agent, result);
	else
		note_left(agent, result);
}

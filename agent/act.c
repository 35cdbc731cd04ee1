/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "agent/act.h"
#include "agent/bus/bus.h"
#include "agent/host/meet.h"
#include "agent/host/raise.h"
#include "agent/log.h"
#include "agent/systemd/depart.h"
#include "agent/tell.h"

/* Give an order to the worker; one that it cannot even take has failed. */
static void give(struct agent *agent, const struct core_action *action,
		 const struct worker_order *order)
{
	struct core_event event = { .type = CORE_EV_DONE, .group = action->group };

	if (worker_order(agent->worker, order) >= 0 || !action->id)
		return;
	event.done.id = action->id;
	event.done.err = -EBUSY;
	agent_defer(agent, &event);
}

/* The arp family sees no heartbeats: its copy of the lease is refreshed beside them. */
static void refresh_arp(struct agent *agent, instant now)
{
	uint64_t due = agent->conf->lease_us / 2 - agent->conf->interval_us / 2;
	struct worker_order order = { .type = WORKER_REFRESH_ARP, .id = agent->lease_epoch };

	if (instant_since(now, agent->arp_refreshed) < due)
		return;
	agent->arp_refreshed = now;
	(void)worker_order(agent->worker, &order); /* the next heartbeat tries again */
}

static enum beat_mark mark_of(const struct core_action *action)
{
	if (!action->beat.marked)
		return BEAT_UNMARKED;
	return action->beat.alone ? BEAT_MARK_ALONE : BEAT_MARK_ECHOED;
}

static void send_beat(struct agent *agent, const struct core_action *action)
{
	struct core_event event = { .type = CORE_EV_SENT, .sent_seq = action->beat.seq };
	struct core_beat text;
	instant now = clock_now();
	int r;

	core_beat_fill(&agent->core, action, &text);
	r = beat_send(agent->beat, action->peer, &text, mark_of(action), now);
	if (!action->beat.marked)
		return;
	if (r <= 0)
		agent_defer(agent, &event);
	else
		refresh_arp(agent, now);
}

static void set_gate(struct agent *agent, const struct core_action *action)
{
	struct worker_order order = { .type = action->gate.create ? WORKER_CREATE : WORKER_GATE,
				      .id = action->id,
				      .group = action->group };

	switch (action->gate.level) {
	case CORE_GATE_CLOSED:
		order.level = GATE_CLOSED;
		break;
	case CORE_GATE_SERVE:
		order.level = GATE_SERVE;
		break;
	case CORE_GATE_READY:
		order.level = GATE_READY;
		break;
	case CORE_GATE_ANSWER:
		order.level = GATE_ANSWER;
		break;
	case _CORE_GATE_MAX:
		break;
	}
	if (order.level != GATE_ANSWER)
		announcer_cancel(agent->announcer, action->group);
	watcher_hold(agent->watcher, action->group, order.level == GATE_ANSWER);
	if (action->gate.create) {
		agent->lease_epoch++;
		agent->arp_refreshed = agent->core.now;
	}
	give(agent, action, &order);
}

static void shut(struct agent *agent, const struct core_action *action)
{
	struct worker_order order = { .type = WORKER_SHUT, .id = action->id };

	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		announcer_cancel(agent->announcer, g);
		watcher_hold(agent->watcher, g, false);
	}
	give(agent, action, &order);
}

/**
 * act_neighbours() - Have the worker read who is to be told of addresses beside everybody
 *
 * One interface after the other: so orders for the gate never wait for more than one.
 */
void act_neighbours(struct agent *agent)
{
	struct worker_order order = { .type = WORKER_NEIGHBOURS };

	order.ifindex = announcer_unread(agent->announcer);
	if (order.ifindex && worker_order(agent->worker, &order) < 0)
		announcer_neighbours(agent->announcer, order.ifindex, NULL, 0);
}

/* The group has moved: what this host knew of its addresses is not true any more. */
static void tidy(struct agent *agent, uint8_t group)
{
	struct worker_order order = { .type = WORKER_TIDY,
				      .group = group,
				      .held = agent->held[group] };

	(void)worker_order(agent->worker, &order); /* entries grow old by themselves, too */
}

static void keep(struct agent *agent, const struct core_action *action)
{
	agent->kept[action->group] = (struct store_entry){
		.term = action->store.term,
		.maintenance = action->store.maintenance,
	};
	disk_keep(agent->disk, action->group, &agent->kept[action->group], action->id);
}

static void prepare(struct agent *agent, const struct core_action *action)
{
	struct worker_order order = { .type = WORKER_PREPARE,
				      .id = action->id,
				      .group = action->group,
				      .ticket = action->ticket };

	agent->held[action->group] = true;
	drift_ordered(agent, action->group, !action->ticket);
	watcher_cancel(agent->watcher, action->group);
	give(agent, action, &order);
}

static void take_off(struct agent *agent, const struct core_action *action)
{
	struct worker_order order = { .type = WORKER_REMOVE,
				      .id = action->id,
				      .group = action->group };

	agent->held[action->group] = false;
	watcher_hold(agent->watcher, action->group, false);
	raise_over(agent, action->group);
	give(agent, action, &order);
}

/* Who answers may be a node: its MAC is looked up beside. */
static void probe(struct agent *agent, const struct core_action *action)
{
	watcher_probe(agent->watcher, action->group, action->id, action->probe.within_us);
	announcer_look(agent->announcer, action->group);
	act_neighbours(agent);
}

/**
 * act() - Carry out one action of the core
 *
 * Nothing here decides, and nothing waits: what takes time is given to the
 * worker, and its result is sensed again.
 */
void act(struct agent *agent, const struct core_action *action)
{
	struct worker_order order = { .id = action->id, .group = action->group };

	switch (action->type) {
	case CORE_DO_BEAT:
		send_beat(agent, action);
		break;
	case CORE_DO_STORE:
		keep(agent, action);
		break;
	case CORE_DO_PREPARE:
		prepare(agent, action);
		break;
	case CORE_DO_REMOVE:
		take_off(agent, action);
		break;
	case CORE_DO_GATE:
		set_gate(agent, action);
		break;
	case CORE_DO_SHUT:
		shut(agent, action);
		break;
	case CORE_DO_REBUILD:
		order.type = WORKER_REBUILD;
		order.lease_until = agent->core.lease_until;
		give(agent, action, &order);
		break;
	case CORE_DO_LEASE:
		order.type = WORKER_EXTEND;
		order.lease_ms = action->lease_us / 1000;
		give(agent, action, &order);
		break;
	case CORE_DO_ANNOUNCE:
		announcer_start(agent->announcer, action->group);
		act_neighbours(agent);
		break;
	case CORE_DO_PROBE:
		probe(agent, action);
		break;
	case CORE_DO_DEFEND:
		watcher_defend(agent->watcher, action->group, action->defend.vip);
		break;
	case CORE_DO_UNITS:
		steps_begin(agent, action);
		break;
	case CORE_DO_REPLY:
		tell_refused(agent, action);
		bus_reply(agent->bus, action);
		break;
	case CORE_DO_TELL:
		tell_people(agent, action);
		if (action->tell.primary != action->tell.was_primary)
			tidy(agent, action->group);
		if (action->tell.what == CORE_TELL_PEER_UP)
			meet_nodes(agent);
		break;
	case CORE_DO_EXIT:
		raise_exit(agent);
		if (!depart_roles(agent))
			(void)sd_event_exit(agent->loop, 0); /* fails only once the loop is over */
		break;
	case _CORE_DO_MAX:
		break;
	}
}

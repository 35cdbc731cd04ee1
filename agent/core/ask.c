/* SPDX-License-Identifier: MIT */

/* What may be asked of the core between two steps. */

#include "agent/core/internal.h"

/* When the group wants to be looked at next, but @due at the latest. */
static instant group_deadline(const struct core *core, uint8_t group, instant due)
{
	const struct core_group *g = &core->groups[group];

	due = instant_earlier(due, g->due);
	due = instant_earlier(due, g->announce_due);
	due = instant_earlier(due, g->provisional);
	due = instant_earlier(due, g->request_due);
	due = instant_earlier(due, traffic_due(core, group));
	if (g->retry.us > core->now.us)
		due = instant_earlier(due, g->retry);
	if (g->repair_due.us > core->now.us)
		due = instant_earlier(due, g->repair_due);
	if (g->state == CORE_STATE_FAULT && instant_is_set(g->headless)) {
		instant last = instant_add(g->headless, core->config.groups[group].last_resort_us);

		if (last.us > core->now.us)
			due = instant_earlier(due, last);
	}
	return probe_due(core, group, due);
}

/**
 * core_deadline() - When to step the core next with CORE_EV_TIME, if nothing happens before
 */
instant core_deadline(const struct core *core)
{
	instant due = core->beat_due;

	due = instant_earlier(due, core->lease_until);
	if (beats_hurry(core))
		due = instant_earlier(due, instant_add(core->now, core->config.interval_us / 4));
	due = instant_earlier(due, core->rebuild_due);
	if (core->stop_due.us > core->now.us)
		due = instant_earlier(due, core->stop_due);
	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (core->peers[p].up)
			due = instant_earlier(due, instant_add(peer_silent_from(core, p),
							       peer_claim_wait_us(core, p)));
	for (uint8_t g = 0; g < core->config.n_groups; g++)
		due = group_deadline(core, g, due);
	return due;
}

/**
 * core_peer_record() - What a peer said last about a group
 *
 * Return: its record, until the next step; NULL if the peer is not up or does not know the
 * group, and for this node itself.
 */
const struct core_record *core_peer_record(const struct core *core, uint8_t peer, uint8_t group)
{
	return peer_record(core, peer, group);
}

/**
 * core_can_switchover() - What would a switchover that is asked for here be answered with?
 */
enum core_result core_can_switchover(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];
	uint8_t peer;

	if (g->state == CORE_STATE_CLAIMING || g->state == CORE_STATE_YIELDING || g->request ||
	    g->units)
		return CORE_RESULT_BUSY;
	if (g->state == CORE_STATE_PRIMARY)
		return rule_successor(core, group, &peer);
	if (g->unfit)
		return CORE_RESULT_NOT_FIT;
	return rule_holder(core, group) == CORE_NODE_NONE ? CORE_RESULT_NOT_HELD : CORE_RESULT_OK;
}

/**
 * core_primary() - Who is primary, as far as this node knows
 *
 * Return: node; CORE_NODE_NONE if nobody is known to be.
 */
uint8_t core_primary(const struct core *core, uint8_t group)
{
	uint8_t holder = rule_holder(core, group);

	if (core->groups[group].state == CORE_STATE_PRIMARY)
		return core->config.self;
	if (holder == CORE_NODE_NONE && core->groups[group].primary)
		return core->config.self; /* on its way out */
	return holder;
}

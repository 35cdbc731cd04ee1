/* SPDX-License-Identifier: MIT */

/* R7: service traffic, and what it means that there is none. */

#include "agent/core/internal.h"

/* Who comes back has been there in vain: only there and back together double the time-out. */
static uint64_t timeout_us(const struct core *core, uint8_t group)
{
	return (uint64_t)core->config.groups[group].traffic_us << core->groups[group].silences / 2;
}

/**
 * traffic_is_seen() - Has this node seen service traffic within the first time-out?
 */
bool traffic_is_seen(const struct core *core, uint8_t group)
{
	instant traffic = core->groups[group].traffic;

	return instant_is_set(traffic) &&
	       instant_since(core->now, traffic) < core->config.groups[group].traffic_us;
}

/* Who sees traffic itself knows better than anybody who counts switchovers without it. */
static void set_silences(struct core *core, uint8_t group, unsigned silences)
{
	if (traffic_is_seen(core, group))
		silences = 0;
	core->groups[group].silences =
		(uint8_t)(silences < CORE_SILENCES_MAX ? silences : CORE_SILENCES_MAX);
}

/**
 * traffic_seen() - Something of the service has reached this node
 */
void traffic_seen(struct core *core, uint8_t group)
{
	struct core_group *g = &core->groups[group];

	g->traffic = g->quiet_from = core->now;
	g->silences = 0;
	g->silenced = false;
	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (!core->peers[p].up)
			g->split_traffic |= 1 << p;
}

/**
 * traffic_heard() - What a peer's heartbeat says of it
 * @theirs: its record
 *
 * The count is the holder's; the others keep it for the case that it dies. What
 * they contribute is the traffic that they see.
 */
void traffic_heard(struct core *core, uint8_t group, const struct core_record *theirs)
{
	struct core_group *g = &core->groups[group];

	if (g->state == CORE_STATE_PRIMARY || g->state == CORE_STATE_YIELDING) {
		if (theirs->traffic)
			g->silences = 0;
	} else if (record_holds(theirs)) {
		set_silences(core, group, theirs->silences);
	}
}

/**
 * traffic_begin() - This node is primary from now on
 * @offerer: who has handed the group over; NULL: nobody
 *
 * A switchover counts when it has come about, and only if it was silence that
 * asked for it.
 */
void traffic_begin(struct core *core, uint8_t group, const struct core_record *offerer)
{
	struct core_group *g = &core->groups[group];

	g->quiet_from = core->now;
	g->silenced = false;
	if (offerer && offerer->unfit & CORE_UNFIT_SILENT)
		set_silences(core, group, offerer->silences + 1u);
}

/**
 * traffic_end() - This node holds the group no longer, and so is not silent any more
 *
 * It is as fit a backup as before: should the other one see nothing either, it
 * has its turn again. But it will not ask for that by itself (R5).
 */
void traffic_end(struct step *s, uint8_t group)
{
	struct core_group *g = &s->core->groups[group];

	if (!(g->unfit & CORE_UNFIT_SILENT))
		return;
	g->silenced = true;
	set_unfit(s, group, CORE_UNFIT_SILENT, false);
}

/**
 * traffic_thaw() - This process did not run, and could not have seen anything
 */
void traffic_thaw(struct core *core, uint64_t gap_us)
{
	for (uint8_t g = 0; g < core->config.n_groups; g++)
		core->groups[g].quiet_from = instant_add(core->groups[g].quiet_from, gap_us);
}

/**
 * traffic_watch() - Has the primary been without traffic for too long?
 */
void traffic_watch(struct step *s, uint8_t group)
{
	struct core *core = s->core;
	const struct core_group *g = &core->groups[group];

	if (g->state == CORE_STATE_PRIMARY && core->config.groups[group].traffic_us)
		set_unfit(s, group, CORE_UNFIT_SILENT,
			  instant_since(core->now, g->quiet_from) >= timeout_us(core, group));
}

/**
 * traffic_due() - When it will have been
 *
 * Return: INSTANT_NEVER if it has already, or need not.
 */
instant traffic_due(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];
	instant due;

	if (g->state != CORE_STATE_PRIMARY)
		return INSTANT_NEVER;
	due = instant_add(g->quiet_from, timeout_us(core, group));
	if (instant_reached(core->now, due))
		return INSTANT_NEVER; /* which it is at once where nobody listens */
	return due;
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/log.h"
#include "agent/systemd/roles.h"
#include "agent/systemd/systemd.h"
#include "agent/tell.h"

static const char *const prefixes[_ROLE_MAX] = {
	[ROLE_PRIMARY] = "takeover-primary",
	[ROLE_BACKUP] = "takeover-backup",
};

static int target_of(const char *group, enum role role, char ret[static UNIT_NAME_SIZE])
{
	return unit_instance(prefixes[role], group, ".target", ret);
}

static int name_of(const struct agent *agent, uint8_t group, enum role role,
		   char ret[static UNIT_NAME_SIZE])
{
	return target_of(agent->conf->groups[group].name, role, ret);
}

static int order(struct agent *agent, enum systemd_order kind, uint8_t group, enum role role,
		 enum unit_verb verb)
{
	uint8_t what = (uint8_t)((unsigned)role << 1 | (unsigned)verb);
	char name[UNIT_NAME_SIZE];
	int r;

	r = name_of(agent, group, role, name);
	if (r < 0)
		return r;
	return systemd_order(agent->systemd, verb, name, systemd_id(kind, group, what));
}

/* A node that is about to end has no role any more, once it holds nothing. */
static enum role wanted(const struct core *core, uint8_t group)
{
	if (core->groups[group].primary)
		return ROLE_PRIMARY;
	return core->stopping && !core->restarting ? ROLE_NONE : ROLE_BACKUP;
}

/*
 * A step on the way in or out may have stopped the target, or started it: it is not told anything
 * before the way has come to its end. To start one that is active is not nothing: systemd starts
 * with it again what the target wants and has ended.
 */
static bool is_on_the_way(const struct core_group *g)
{
	if (g->primary)
		return g->units || g->state == CORE_STATE_YIELDING;
	return g->state == CORE_STATE_CLAIMING && (g->units || g->through);
}

/**
 * roles_follow() - Bring the targets of a group in line with its role
 *
 * The old one is stopped by name, although the new one conflicts with it: while the host goes
 * down systemd starts nothing any more.
 */
void roles_follow(struct agent *agent, uint8_t group)
{
	enum role role = wanted(&agent->core, group), before = agent->role[group];
	int r = 0;

	if (before == role || is_on_the_way(&agent->core.groups[group]))
		return;
	if (role != ROLE_PRIMARY && before != ROLE_BACKUP)
		r = order(agent, SYSTEMD_ROLE, group, ROLE_PRIMARY, UNIT_STOP);
	if (r >= 0 && role != ROLE_BACKUP && before != ROLE_PRIMARY)
		r = order(agent, SYSTEMD_ROLE, group, ROLE_BACKUP, UNIT_STOP);
	if (r >= 0 && role != ROLE_NONE)
		r = order(agent, SYSTEMD_ROLE, group, role, UNIT_START);
	agent->role[group] = r < 0 ? ROLE_UNKNOWN : role;
}

static bool has_group(const struct conf *conf, const char *name)
{
	for (size_t g = 0; g < conf->n_groups; g++)
		if (!strcmp(conf->groups[g].name, name))
			return true;
	return false;
}

/**
 * roles_remember() - Find the groups that the last agent may have had, and this one has not
 *
 * A restart leaves the targets as they are, and with another configuration nobody would stop
 * those of a group that has gone. systemd knows which targets are active, but not whose they are:
 * another agent of this host has a state directory of its own. Blocks; called before the loop.
 */
void roles_remember(struct agent *agent)
{
	struct former *former = &agent->former;
	size_t n = 0;

	if (store_list(agent->state_directory, &former->names, &former->n) < 0)
		return; /* who cannot read it is told of that when it is written to */
	for (size_t i = 0; i < former->n; i++)
		if (!has_group(agent->conf, former->names[i]))
			memmove(former->names[n++], former->names[i], sizeof(*former->names));
	former->n = n;
}

static void stop_former(struct agent *agent)
{
	char(*names)[CONF_NAME_MAX + 1] = TAKE(agent->former.names);
	char target[UNIT_NAME_SIZE];

	for (size_t i = 0; i < agent->former.n; i++)
		for (enum role role = ROLE_PRIMARY; role <= ROLE_BACKUP; role++)
			if (target_of(names[i], role, target) >= 0)
				(void)systemd_order(agent->systemd, UNIT_STOP, target,
						    systemd_id(SYSTEMD_FORMER, 0, 0));
	agent->former.n = 0;
	free(names);
}

/**
 * roles_renew() - systemd is here, and what it was told before may be lost
 */
void roles_renew(struct agent *agent)
{
	stop_former(agent);
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		agent->role[g] = ROLE_UNKNOWN;
		roles_follow(agent, g);
	}
}

/**
 * roles_done() - A target has been started or stopped, or not
 *
 * The role is what it is, and the addresses answer. An order that was cancelled has been
 * overtaken by another one.
 */
void roles_done(struct agent *agent, uint32_t id, int err, const char *why)
{
	uint8_t what = systemd_id_what(id);
	char name[UNIT_NAME_SIZE];

	if (!err || err == -ECANCELED || agent->core.stopping)
		return;
	if (name_of(agent, systemd_id_group(id), (enum role)(what >> 1), name) >= 0 &&
	    log_is_due(&agent->role_logged, clock_now()))
		tell_target(agent, systemd_id_group(id), name, (what & 1) == UNIT_START, why);
}

/* Is there anybody who goes on with this group when we end? */
static bool is_kept(const struct agent *agent, uint8_t group)
{
	return agent->core.restarting &&
	       !reload_drops(agent->reload, agent->conf->groups[group].name);
}

/**
 * roles_leave() - Everything has been left in order: no target is active any more
 *
 * Those of an agent that comes back stay as they are.
 *
 * Return: how many orders that was.
 */
unsigned roles_leave(struct agent *agent)
{
	unsigned n = 0;

	for (uint8_t g = 0; g < agent->conf->n_groups; g++)
		for (enum role role = ROLE_PRIMARY; role <= ROLE_BACKUP; role++)
			if (!is_kept(agent, g) &&
			    order(agent, SYSTEMD_LEAVE, g, role, UNIT_STOP) >= 0)
				n++;
	return n;
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "agent/agent.h"
#include "agent/log.h"
#include "agent/roles.h"
#include "agent/systemd.h"

static const char *const prefixes[_ROLE_MAX] = {
	[ROLE_PRIMARY] = "takeover-primary",
	[ROLE_BACKUP] = "takeover-backup",
};

static int name_of(const struct agent *agent, uint8_t group, enum role role,
		   char ret[static UNIT_NAME_SIZE])
{
	return unit_instance(prefixes[role], agent->conf->groups[group].name, ".target", ret);
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
 * On the way out the target may have been stopped by what comes before a release: it is not
 * started again, unless the move is undone.
 */
static bool is_leaving(const struct core_group *g)
{
	return g->primary && (g->units || g->state == CORE_STATE_YIELDING);
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

	if (before == role || is_leaving(&agent->core.groups[group]))
		return;
	if (role != ROLE_PRIMARY && before != ROLE_BACKUP)
		r = order(agent, SYSTEMD_ROLE, group, ROLE_PRIMARY, UNIT_STOP);
	if (r >= 0 && role != ROLE_BACKUP && before != ROLE_PRIMARY)
		r = order(agent, SYSTEMD_ROLE, group, ROLE_BACKUP, UNIT_STOP);
	if (r >= 0 && role != ROLE_NONE)
		r = order(agent, SYSTEMD_ROLE, group, role, UNIT_START);
	agent->role[group] = r < 0 ? ROLE_UNKNOWN : role;
}

/**
 * roles_renew() - systemd is here, and what it was told before may be lost
 */
void roles_renew(struct agent *agent)
{
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
	    log_is_due(&agent->role_logged, agent_now()))
		log_say(LOG_LEVEL_WARNING,
			(what & 1) == UNIT_START ? "cannot start %s: %s" : "cannot stop %s: %s",
			name, why);
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

/* SPDX-License-Identifier: MIT */

#include "agent/host/raise.h"
#include "agent/kernel/subs.h"
#include "agent/log.h"
#include "agent/tell.h"

/* That is all that is done for a group that is not staged, or is held: nothing. */
static void stage(struct agent *agent, const struct worker_order *order)
{
	if (agent->conf->groups[order->group].staged && !agent->held[order->group])
		(void)worker_order(agent->worker, order); /* the next round is in time */
}

/**
 * raise_stage() - Have the addresses of a group that is not held made ready, or kept so
 * @ipv4_only: of IPv6 those that are there can wait for their own round
 */
void raise_stage(struct agent *agent, uint8_t group, bool ipv4_only)
{
	stage(agent, &(struct worker_order){
			     .type = WORKER_MAKE, .group = group, .ipv4_only = ipv4_only });
}

/**
 * raise_lost() - The same for one of which something that was ready has gone
 */
void raise_lost(struct agent *agent, uint8_t group)
{
	stage(agent, &(struct worker_order){ .type = WORKER_MAKE, .group = group, .lost = true });
}

/* What was staged has been claimed without a look at each address: that follows now. */
static void read_back(struct agent *agent, uint8_t group)
{
	struct worker_order order = { .type = WORKER_PREPARE, .group = group };

	if (agent->conf->groups[group].staged)
		(void)worker_order(agent->worker, &order); /* the next refreshing adds them, too */
}

/**
 * raise_result() - The worker has set the interfaces of a group up, or has made them ready
 * @result: of any order
 *
 * From now on news of them are of somebody else's doing.
 */
void raise_result(struct agent *agent, const struct worker_result *result)
{
	struct raise *raise = &agent->raise[result->group];
	bool before = raise->done;

	if (result->type == WORKER_MAKE && result->err && result->err != raise->unready)
		log_say(LOG_LEVEL_WARNING,
			"cannot make ready what group %s needs here: %s; a claim tries again",
			agent->conf->groups[result->group].name, strerror(-result->err));
	if (result->type == WORKER_MAKE)
		raise->unready = result->err;
	if (result->type != WORKER_PREPARE || !agent->held[result->group])
		return;
	if (result->err && !result->id)
		agent_step_group(agent, CORE_EV_LOST, result->group); /* it was read back */
	if (result->err)
		return;
	raise->done = true;
	raise->sunk = false;
	if (!before)
		read_back(agent, result->group);
}

/**
 * raise_over() - The interfaces of a group are going to be set down
 */
void raise_over(struct agent *agent, uint8_t group)
{
	struct raise *raise = &agent->raise[group];

	raise->done = raise->settled = raise->sunk = false;
}

static enum links_state state_of(const struct agent *agent, enum subs_flaw flaw, const char *ifname)
{
	return flaw == SUBS_FOREIGN ? LINKS_FOREIGN : links_state(&agent->links, ifname);
}

/**
 * raise_trouble() - The first interface that keeps a group from being held
 * @group: of Mode=subinterface
 * @ret_missing: there is none of this name; untouched if all is well
 *
 * Of one that we make it is the parent.
 *
 * Return: its name, the configuration's; NULL if all is well.
 */
const char *raise_trouble(struct agent *agent, uint8_t group, bool *ret_missing)
{
	const struct conf_group *conf = &agent->conf->groups[group];
	struct raise *raise = &agent->raise[group];

	raise->flaw = (struct flaw){ .state = LINKS_RUNNING };
	for (size_t i = 0; i < conf->n_vips; i++) {
		const struct conf_vip *vip = &conf->vips[i];
		const struct conf_sub *sub = conf_find_sub(conf, vip->ifname);
		enum subs_flaw flaw;
		const char *name;

		if (i && !strcmp(vip->ifname, vip[-1].ifname))
			continue; /* addresses mostly come in runs */
		flaw = subs_flaw(conf, vip, agent->links.v, agent->links.n, raise->settled);
		if (flaw == SUBS_FINE)
			continue;
		*ret_missing = flaw == SUBS_MISSING;
		name = sub && flaw != SUBS_FOREIGN ? sub->parent : vip->ifname;
		raise->flaw = (struct flaw){ name, state_of(agent, flaw, name) };
		return name;
	}
	return NULL;
}

/**
 * raise_tell() - Let people hear of what keeps groups from being held, or does so no more
 *
 * They do not hear that one is down which we have set down.
 */
void raise_tell(struct agent *agent)
{
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		const struct flaw now = agent->raise[g].flaw, told = agent->raise[g].told;

		if (now.name == told.name && now.state == told.state)
			continue;
		agent->raise[g].told = now;
		if (now.name)
			tell_link(agent, g, now.name, now.state);
		else if (told.name && links_state(&agent->links, told.name) == LINKS_RUNNING)
			tell_link(agent, g, told.name, LINKS_RUNNING);
	}
}

/**
 * raise_look() - Has somebody set an interface down, or deleted one, that a held group is on?
 *
 * To be called when all news that waited have been taken in: those of our own doing
 * come after the worker's result, one after the other.
 */
void raise_look(struct agent *agent)
{
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		struct raise *raise = &agent->raise[g];
		bool before = raise->sunk;

		if (!raise->done)
			continue;
		raise->settled = true;
		raise->sunk = subs_sunk(&agent->conf->groups[g], agent->links.v, agent->links.n);
		if (raise->sunk && !before)
			agent_step_group(agent, CORE_EV_LOST, g);
	}
}

/**
 * raise_parent() - An interface is there that was not: make those of ours that belong on it
 * @ifname: its name
 *
 * Those of a group that is held are made when it is put back.
 */
void raise_parent(struct agent *agent, const char *ifname)
{
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		const struct conf_group *group = &agent->conf->groups[g];
		struct worker_order order = { .type = WORKER_MAKE, .group = g };

		for (size_t i = 0; i < group->n_subs && !agent->held[g]; i++) {
			if (strcmp(group->subs[i].parent, ifname) != 0)
				continue;
			(void)worker_order(agent->worker, &order); /* or a claim makes them */
			break;
		}
	}
}

/**
 * raise_changed() - An interface has changed: was it one that keeps addresses ready?
 * @before: as it was known
 * @now: as it is; NULL: it is gone
 *
 * One that a claim or a release changes is held, or has been just now, and has them.
 */
void raise_changed(struct agent *agent, const struct link *before, const struct link *now)
{
	if (!before->up || !before->noarp || (now && now->up && now->noarp))
		return;
	for (uint8_t g = 0; g < agent->conf->n_groups; g++)
		if (conf_find_sub(&agent->conf->groups[g], before->name))
			raise_lost(agent, g);
}

/**
 * raise_exit() - The agent ends: what is not held leaves nothing behind
 *
 * In a planned restart groups are held, and theirs stay.
 */
void raise_exit(struct agent *agent)
{
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		struct worker_order order = { .type = WORKER_UNMAKE, .group = g };

		if (agent->conf->groups[g].n_subs && !agent->held[g])
			(void)worker_order(agent->worker, &order); /* the next start does it */
	}
}

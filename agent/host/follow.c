/* SPDX-License-Identifier: MIT */

#include "agent/conf/self.h"
#include "agent/host/follow.h"
#include "agent/host/raise.h"
#include "agent/log.h"
#include "agent/publish.h"
#include "agent/tell.h"

/* An interface is not what it was: those who have addresses on it are told. */
static void tell_change(struct agent *agent, const char *ifname, enum links_state before)
{
	enum links_state now = links_state(&agent->links, ifname);

	for (uint8_t g = 0; now != before && g < agent->conf->n_groups; g++)
		if (agent->conf->groups[g].mode != CONF_MODE_SUBINTERFACE &&
		    conf_uses(&agent->conf->groups[g], ifname))
			tell_link(agent, g, ifname, now);
}

/* What a group needs and has not got, at the start. */
static void tell_missing(struct agent *agent, uint8_t g)
{
	const struct conf_group *group = &agent->conf->groups[g];

	for (size_t i = 0; group->mode != CONF_MODE_SUBINTERFACE && i < group->n_ifnames; i++) {
		enum links_state state = links_state(&agent->links, group->ifnames[i]);

		if (state != LINKS_RUNNING)
			tell_link(agent, g, group->ifnames[i], state);
	}
}

/*
 * As long as none of our own addresses has come, nobody can be heard, so everybody seems dead.
 * Later on they may go for a while, as when a link is configured anew.
 */
static void look_for_home(struct agent *agent, bool first)
{
	if (agent->at_home)
		return;
	agent->at_home = self_is_here(agent->conf, agent->self) != 0;
	if (!agent->at_home && first)
		publish_say(agent, EVENT_NO_GROUP, EVENT_NOT_AT_HOME,
			    "none of the addresses of node %s is on this host: nothing is claimed "
			    "before one of them comes",
			    agent->conf->nodes[agent->self].name);
	else if (agent->at_home && !first)
		publish_say(agent, EVENT_NO_GROUP, EVENT_AT_HOME, "an address of node %s has come",
			    agent->conf->nodes[agent->self].name);
}

/* Fitness follows the links (R3). */
static void compare_links(struct agent *agent)
{
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		struct core_event event = { .type = CORE_EV_FITNESS, .group = g };
		struct trouble *trouble = &agent->trouble[g];
		bool unfit;

		trouble->missing = false;
		trouble->name = agent->conf->groups[g].mode == CONF_MODE_SUBINTERFACE
					? raise_trouble(agent, g, &trouble->missing)
					: links_trouble(&agent->links, &agent->conf->groups[g],
							&trouble->missing);
		unfit = trouble->name || !agent->at_home;
		if (unfit == !!(agent->core.groups[g].unfit & CORE_UNFIT_LINK))
			continue;
		event.fitness.reason = CORE_UNFIT_LINK;
		event.fitness.unfit = unfit;
		agent_step(agent, &event);
	}
	raise_tell(agent);
}

static void note_link(struct agent *agent, const struct link *link)
{
	int r;

	r = links_note(&agent->links, link);
	if (r < 0)
		log_say(LOG_LEVEL_WARNING, "too many interfaces: %s is not watched", link->name);
	r = announcer_link(agent->announcer, link);
	if (r < 0)
		log_say(LOG_LEVEL_WARNING, "cannot announce on %s: %s", link->name, strerror(-r));
	r = watcher_link(agent->watcher, link);
	if (r < 0)
		log_say(LOG_LEVEL_WARNING, "cannot ask or listen on %s who else has an address: %s",
			link->name, strerror(-r));
}

/* Who holds addresses on an interface that runs again puts back what is missing. */
static void tell_holders(struct agent *agent, const char *ifname, bool is_new)
{
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		bool lost = is_new || agent->owed[g];

		if (!agent->held[g] || !conf_uses(&agent->conf->groups[g], ifname))
			continue;
		agent->owed[g] = false;
		agent_step_group(agent, lost ? CORE_EV_LOST : CORE_EV_ANNOUNCE, g);
	}
}

static void tell_macs(struct agent *agent, const struct link *link)
{
	for (uint8_t g = 0; g < agent->conf->n_groups; g++)
		if (conf_uses(&agent->conf->groups[g], link->name))
			tell_mac(agent, g, link);
}

/**
 * follow_link() - An interface is there, or has changed
 *
 * If it is new, has another name, runs again, or has another MAC, the addresses
 * may be gone, and the network has to learn where they are.
 */
void follow_link(struct agent *agent, const struct link *link)
{
	const struct link *known = links_find(&agent->links, link->index);
	struct link before = known ? *known : (struct link){ 0 };
	bool is_new = strcmp(before.name, link->name) != 0;
	bool new_mac = memcmp(before.mac, link->mac, sizeof(before.mac)) != 0;
	enum links_state was = links_state(&agent->links, link->name);

	note_link(agent, link);
	compare_links(agent);
	if (link->running && (is_new || !before.running || new_mac))
		tell_holders(agent, link->name, is_new);
	if (known && is_new) /* renamed */
		tell_change(agent, before.name, links_state_of(&before));
	tell_change(agent, link->name, was);
	if (!is_new && new_mac)
		tell_macs(agent, link);
	if (is_new)
		raise_parent(agent, link->name);
	raise_changed(agent, &before, link);
}

/**
 * follow_link_gone() - An interface is gone, for good or to another namespace
 */
void follow_link_gone(struct agent *agent, int ifindex)
{
	const struct link *known = links_find(&agent->links, ifindex);
	struct link before = known ? *known : (struct link){ 0 };

	links_forget(&agent->links, ifindex);
	announcer_link_gone(agent->announcer, ifindex);
	watcher_link_gone(agent->watcher, ifindex);
	compare_links(agent);
	if (known)
		tell_change(agent, before.name, links_state_of(&before));
	raise_changed(agent, &before, NULL);
}

static bool is_listed(const struct link *links, size_t n, int ifindex)
{
	for (size_t i = 0; i < n; i++)
		if (links[i].index == ifindex)
			return true;
	return false;
}

/* All that is known of it is as it was. */
static bool is_unchanged(const struct agent *agent, const struct link *link)
{
	const struct link *known = links_find(&agent->links, link->index);

	/* What lies between the fields may differ: then it is looked at once too often. */
	return known && memcmp(known, link, sizeof(*link)) == 0;
}

/**
 * follow_links() - Take in a complete list of the interfaces: the first, or after news were lost
 *
 * There may be a thousand, of containers say, and few of them are other than they were.
 */
void follow_links(struct agent *agent, const struct link *links, size_t n)
{
	bool first = agent->links.n == 0;

	look_for_home(agent, first);
	for (size_t i = 0; i < n; i++) {
		if (first || is_unchanged(agent, &links[i]))
			note_link(agent, &links[i]);
		else
			follow_link(agent, &links[i]);
	}
	/* After those that have come: one that was made anew has not been missing. */
	for (size_t i = agent->links.n; i > 0; i--)
		if (!is_listed(links, n, agent->links.v[i - 1].index))
			follow_link_gone(agent, agent->links.v[i - 1].index);
	for (uint8_t g = 0; first && g < agent->conf->n_groups; g++)
		tell_missing(agent, g);
	compare_links(agent);
}

static bool is_of_node(const struct conf_node *node, const struct ip *ip)
{
	for (size_t i = 0; i < node->n_paths; i++)
		if (ip_equal(&node->paths[i], ip))
			return true;
	return false;
}

/**
 * follow_home() - An address has come: is it one of our own?
 * @came: the address
 *
 * To look at all that the host has takes long where it has thousands, and these come one by one.
 */
void follow_home(struct agent *agent, const struct ip *came)
{
	if (agent->at_home || !is_of_node(&agent->conf->nodes[agent->self], came))
		return;
	look_for_home(agent, false);
	compare_links(agent);
}

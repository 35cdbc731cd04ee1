/* SPDX-License-Identifier: MIT */

#include <stdio.h>

#include "agent/publish.h"
#include "agent/tell.h"
#include "agent/words.h"

/* Which paths are silent is looked at so often, at most. */
#define PATHS_US (1 * USEC_PER_SEC)

static void say_link(struct event *event, const char *ifname, enum links_state state)
{
	switch (state) {
	case LINKS_MISSING:
		event_say(event, EVENT_LINK_LOST, "interface %s is missing: waiting for it",
			  ifname);
		break;
	case LINKS_DOWN:
		event_say(event, EVENT_LINK_LOST, "interface %s is down: waiting for it", ifname);
		break;
	case LINKS_NO_CARRIER:
		event_say(event, EVENT_LINK_LOST, "interface %s has no carrier: waiting for it",
			  ifname);
		break;
	case LINKS_FOREIGN:
		event_say(event, EVENT_LINK_LOST,
			  "interface %s is not the one that takeoverd makes: left alone", ifname);
		break;
	case LINKS_RUNNING:
		event_say(event, EVENT_LINK_RUNS, "interface %s runs", ifname);
		break;
	case _LINKS_STATE_MAX:
		break;
	}
}

/**
 * tell_link() - Say what has become of an interface that a group has addresses on
 * @ifname: its name, there or not
 */
void tell_link(struct agent *agent, uint8_t group, const char *ifname, enum links_state state)
{
	struct event event = { .group = group, .fields = { [EVENT_FIELD_INTERFACE] = ifname } };

	say_link(&event, ifname, state);
	publish(agent, &event);
}

/**
 * tell_mac() - Say that an interface that a group has addresses on has another MAC
 * @link: as it is now
 */
void tell_mac(struct agent *agent, uint8_t group, const struct link *link)
{
	struct event event = { .group = group };
	char mac[WORDS_MAC_MAX];

	event.fields[EVENT_FIELD_INTERFACE] = link->name;
	event.fields[EVENT_FIELD_MAC] = words_mac(link->mac, mac);
	event_say(&event, EVENT_LINK_MAC, "interface %s has the MAC %s now", link->name, mac);
	publish(agent, &event);
}

/* Where it is, for programs; the text has the length of the prefix as well. */
static void set_place(const struct agent *agent, struct event *event, const struct addr *addr,
		      char ip[static WORDS_IP_MAX])
{
	event->fields[EVENT_FIELD_INTERFACE] = links_name(&agent->links, addr->ifindex);
	event->fields[EVENT_FIELD_ADDRESS] = conf_format_ip(&addr->ip, ip, WORDS_IP_MAX);
}

/**
 * tell_drift() - Say that a stranger has taken an address away which is held here
 */
void tell_drift(struct agent *agent, uint8_t group)
{
	const struct drift_note *noted = &agent->drift[group].noted;
	struct event event = { .group = group };
	char name[WORDS_ADDR_MAX], ip[WORDS_IP_MAX];

	set_place(agent, &event, &noted->addr, ip);
	event_say(&event, EVENT_DRIFT, "%s has been %s%s: putting it back",
		  words_addr(&agent->links, &noted->addr, name),
		  noted->changed ? "changed" : "removed", noted->by);
	publish(agent, &event);
}

/**
 * tell_foreign() - Say that one of a group's addresses stands here, and not from us
 * @addr: as the kernel has it
 */
void tell_foreign(struct agent *agent, uint8_t group, const struct addr *addr)
{
	struct event event = { .group = group };
	char name[WORDS_ADDR_MAX], ip[WORDS_IP_MAX];

	set_place(agent, &event, addr, ip);
	event_say(&event, EVENT_FOREIGN_COPY,
		  "%s is not from us: the gate lets it answer only while this node is primary",
		  words_addr(&agent->links, addr, name));
	publish(agent, &event);
}

/**
 * tell_left() - Say what this host still has of what it has released
 * @result: of WORKER_TIDY
 */
void tell_left(struct agent *agent, const struct worker_result *result)
{
	const char *ifname = links_name(&agent->links, result->ifindex);
	struct event event = { .group = result->group };
	char ip[WORDS_IP_MAX];

	event.fields[EVENT_FIELD_INTERFACE] = ifname;
	event.fields[EVENT_FIELD_ADDRESS] = conf_format_ip(&result->vip->ip, ip, sizeof(ip));
	if (result->n > 1)
		event_say(&event, EVENT_LEFT_BEHIND,
			  "%s and %zu more are released, but this host still has them on %s, "
			  "not from us: the gate keeps them silent",
			  ip, result->n - 1, ifname);
	else
		event_say(&event, EVENT_LEFT_BEHIND,
			  "%s is released, but this host still has it on %s, not from us: the gate "
			  "keeps it silent",
			  ip, ifname);
	publish(agent, &event);
}

/**
 * tell_unit() - Say what has become of the unit that a group is for
 * @fault: what is wrong with it; NULL: nothing any more
 */
void tell_unit(struct agent *agent, uint8_t group, const char *fault)
{
	const char *unit = agent->conf->groups[group].unit;
	struct event event = { .group = group, .fields = { [EVENT_FIELD_UNIT] = unit } };

	if (fault)
		event_say(&event, EVENT_UNIT_FAULT, "unit %s %s", unit, fault);
	else
		event_say(&event, EVENT_UNIT_FINE, "unit %s is as it should be", unit);
	publish(agent, &event);
}

/**
 * tell_check() - Say what has become of a check of the service
 * @name: as it is in the configuration
 * @fault: how it failed last; NULL: it is well again
 */
void tell_check(struct agent *agent, uint8_t group, const char *name, const char *fault)
{
	struct event event = { .group = group };

	if (fault)
		event_say(&event, EVENT_CHECK_FAILED, "check %s fails: %s", name, fault);
	else
		event_say(&event, EVENT_CHECK_WELL, "check %s is well again", name);
	publish(agent, &event);
}

/**
 * tell_target() - Say that the target of a role was not started or stopped
 * @name: of the unit
 * @start: it was to be started
 * @why: what systemd says
 */
void tell_target(struct agent *agent, uint8_t group, const char *name, bool start, const char *why)
{
	struct event event = { .group = group, .fields = { [EVENT_FIELD_UNIT] = name } };

	event_say(&event, EVENT_TARGET_FAILED, start ? "cannot start %s: %s" : "cannot stop %s: %s",
		  name, why);
	publish(agent, &event);
}

/**
 * tell_reaction() - Say what has become of a reaction
 * @name: of it; NULL: of several that are lost
 * @what: "reaction page to 00-04563 of alpha"; of those that are lost, how many
 * @why: it failed or was lost; the event that cancelled it
 */
void tell_reaction(struct agent *agent, uint8_t group, enum tell_reaction how, const char *name,
		   const char *what, const char *why)
{
	struct event event = { .group = group, .fields = { [EVENT_FIELD_REACTION] = name } };

	switch (how) {
	case TELL_REACTION_DONE:
		event_say(&event, EVENT_REACTION_DONE, "%s: done", what);
		break;
	case TELL_REACTION_FAILED:
		event_say(&event, EVENT_REACTION_FAILED, "%s failed: %s", what, why);
		break;
	case TELL_REACTION_LATE:
		event_say(&event, EVENT_REACTION_LATE,
			  "%s had not ended within its Timeout=", what);
		break;
	case TELL_REACTION_CANCELLED:
		event_say(&event, EVENT_REACTION_CANCELLED, "%s is not started: %s came soon after",
			  what, why);
		break;
	case TELL_REACTION_LOST:
		event_say(&event, EVENT_REACTIONS_LOST, "reactions lost: %s: %s", what, why);
		break;
	case _TELL_REACTION_MAX:
		return;
	}
	publish(agent, &event);
}

static void tell_path(struct agent *agent, uint8_t peer, const struct beat_path_stats *path,
		      bool lost)
{
	const char *name = agent->conf->nodes[peer].name;
	char local[WORDS_IP_MAX], remote[WORDS_IP_MAX];
	struct event event = { .fields = { [EVENT_FIELD_PEER] = name } };

	(void)conf_format_ip(&path->local, local, sizeof(local));
	event.fields[EVENT_FIELD_ADDRESS] = conf_format_ip(&path->remote, remote, sizeof(remote));
	if (lost)
		event_say(&event, EVENT_PATH_LOST,
			  "path %s to %s of %s is silent: heartbeats go on over the others", local,
			  remote, name);
	else
		event_say(&event, EVENT_PATH_BACK, "path %s to %s of %s is heard again", local,
			  remote, name);
	publish(agent, &event);
}

/* Of a peer that is heard: on some path, that is. */
static void look_at_paths(struct agent *agent, uint8_t peer)
{
	const struct core *core = &agent->core;
	instant known_since = instant_later(core->peers[peer].back, core->awake);

	for (size_t i = 0; i < beat_n_paths(agent->beat, peer); i++) {
		struct beat_path_stats path;
		bool lost, before = agent->lost_paths[peer] & 1 << i;

		beat_path_stats(agent->beat, peer, i, &path);
		lost = instant_since(core->now, instant_later(path.heard, known_since)) >
		       agent->conf->dead_us;
		/* Until its time is over, one that is not heard yet is what it was. */
		if (lost == before || (before && !instant_is_set(path.heard)))
			continue;
		agent->lost_paths[peer] ^= (uint8_t)(1 << i);
		tell_path(agent, peer, &path, lost);
	}
}

/**
 * tell_paths() - Now and then: has a path fallen silent, while the peer is heard on another?
 */
void tell_paths(struct agent *agent)
{
	instant now = agent->core.now;

	if (instant_since(now, agent->paths_looked) < PATHS_US)
		return;
	agent->paths_looked = now;
	for (uint8_t p = 0; p < agent->conf->n_nodes; p++)
		if (agent->core.peers[p].up)
			look_at_paths(agent, p);
}

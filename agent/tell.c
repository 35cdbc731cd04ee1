/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "agent/bus/bus.h"
#include "agent/log.h"
#include "agent/publish.h"
#include "agent/tell.h"
#include "agent/why.h"
#include "agent/words.h"

enum { NAME_MAX_LEN = 64, TERM_TEXT_MAX = 24, STATUS_MAX = 512 };

/* Strangers of a group that are told of, and in which time. */
enum { TELL_STRANGERS = 8 };
#define TELL_STRANGERS_US (10 * USEC_PER_SEC)

/* An event, and what its fields may point to. */
struct notice {
	struct event event;
	char address[WORDS_IP_MAX], mac[WORDS_MAC_MAX], term[TERM_TEXT_MAX], list[WHY_TEXT_MAX];
};

/* The four events of the system whose job this is have the ids and words they have there. */
static void say_role(struct event *event, bool hot, bool primary)
{
	if (primary && hot)
		event_say(event, EVENT_HOT_PRIMARY, "Hot Standby (Primary) mode activated");
	else if (primary)
		event_say(event, EVENT_WARM_PRIMARY, "Warm Standby (Primary) mode activated");
	else if (hot)
		event_say(event, EVENT_HOT_BACKUP, "Hot Standby (backup) mode activated");
	else
		event_say(event, EVENT_WARM_BACKUP, "Warm Standby (backup) mode activated");
}

/* A change of state that is no change of role. */
static void say_state(struct event *event, enum core_state state, const char *from,
		      const char *reason)
{
	switch (state) {
	case CORE_STATE_BACKUP:
		event_say(event, EVENT_BACKUP, "backup, was %s (%s)", from, reason);
		break;
	case CORE_STATE_CLAIMING:
		event_say(event, EVENT_CLAIMING, "claiming, was %s (%s)", from, reason);
		break;
	case CORE_STATE_PRIMARY:
		event_say(event, EVENT_PRIMARY, "primary, was %s (%s)", from, reason);
		break;
	case CORE_STATE_YIELDING:
		event_say(event, EVENT_YIELDING, "yielding, was %s (%s)", from, reason);
		break;
	case CORE_STATE_FAULT:
		event_say(event, EVENT_FAULT, "fault, was %s (%s)", from, reason);
		break;
	case CORE_STATE_MAINTENANCE:
		event_say(event, EVENT_MAINTENANCE, "maintenance, was %s (%s)", from, reason);
		break;
	case _CORE_STATE_MAX:
		break;
	}
}

/* How things stood then: the core may be further by now. */
static void describe_state(const struct agent *agent, const struct core_action *a, struct notice *n)
{
	bool hot = agent->conf->groups[a->group].core.hot;
	const char *reason = core_reason_name(a->tell.reason);

	(void)snprintf(n->term, sizeof(n->term), "%" PRIu64, a->tell.term); /* fits */
	n->event.fields[EVENT_FIELD_ROLE] = a->tell.primary ? "primary" : "backup";
	n->event.fields[EVENT_FIELD_STATE] = core_state_name(a->tell.state);
	n->event.fields[EVENT_FIELD_TERM] = n->term;
	n->event.fields[EVENT_FIELD_REASON] = reason;
	if (a->tell.primary != a->tell.was_primary)
		say_role(&n->event, hot, a->tell.primary);
	else
		say_state(&n->event, a->tell.state, core_state_name(a->tell.from), reason);
}

static void describe_peer(const struct agent *agent, const struct core_action *a, struct notice *n)
{
	bool known = a->peer < agent->conf->n_nodes;
	const char *peer = known ? agent->conf->nodes[a->peer].name : "a peer";
	struct event *event = &n->event;

	event->fields[EVENT_FIELD_PEER] = known ? peer : NULL;
	if (a->tell.what == CORE_TELL_PEER_UP)
		event_say(event, EVENT_PEER_UP, "%s is heard", peer);
	else if (a->tell.what == CORE_TELL_PEER_SILENT)
		event_say(event, EVENT_PEER_SILENT, "%s has not been heard for its dead time",
			  peer);
	else if (a->tell.what == CORE_TELL_PEER_NO_AGENT)
		event_say(event, EVENT_PEER_NO_AGENT, "the host of %s answers, its agent does not",
			  peer);
	else if (a->tell.what == CORE_TELL_DIGEST)
		event_say(event, EVENT_CONFIGURATION_DIFFERS,
			  "the configuration of %s differs from ours: compare the files", peer);
	else if (a->tell.what == CORE_TELL_CONFLICT)
		event_say(event, EVENT_CONFLICT,
			  "%s is primary as well, with us (term %" PRIu64 ")", peer, a->tell.term);
	else
		event_say(event, EVENT_DISOWNED,
			  "the host of %s does not have this node in its configuration: nothing "
			  "may be held here",
			  peer);
}

static void describe_repair(const struct agent *agent, const struct core_action *a,
			    struct notice *n)
{
	const struct drift_note *mended = &agent->drift[a->group].mended;
	bool missing = agent->trouble[a->group].missing;
	const char *done = mended->changed ? "changed" : "removed";
	struct event *event = &n->event;
	char addr[WORDS_ADDR_MAX];

	if (mended->n) {
		event->fields[EVENT_FIELD_INTERFACE] =
			links_name(&agent->links, mended->addr.ifindex);
		event->fields[EVENT_FIELD_ADDRESS] =
			conf_format_ip(&mended->addr.ip, n->address, sizeof(n->address));
	}
	if (missing)
		event_say(event, EVENT_REPAIRED,
			  "addresses of ours had been removed: they are back, but for those on %s",
			  agent->trouble[a->group].name);
	else if (!mended->n)
		event_say(event, EVENT_REPAIRED,
			  "addresses of ours had been removed: they are back");
	else if (mended->n == 1)
		event_say(event, EVENT_REPAIRED, "%s had been %s%s: it is back",
			  words_addr(&agent->links, &mended->addr, addr), done, mended->by);
	else
		event_say(event, EVENT_REPAIRED, "%s and %zu more had been %s%s: they are back",
			  words_addr(&agent->links, &mended->addr, addr), mended->n - 1, done,
			  mended->by);
}

/* What is behind a refusal that concerns an interface which we bring up and down. */
static const char *sub_hint(const struct conf_group *group, const struct conf_vip *vip, int err)
{
	if (group->mode != CONF_MODE_SUBINTERFACE)
		return "";
	if (err == -EBUSY)
		return "; an address of this node is on it, so it stays up";
	if (err == -ENETDOWN)
		return "; it is up, but has no carrier";
	if (!conf_find_sub(group, vip->ifname))
		return "";
	if (err == -EEXIST)
		return "; an interface of that name is there that is not ours";
	if (err == -EADDRINUSE)
		return "; another interface there has its MAC";
	return err == -EOPNOTSUPP ? "; does the kernel have macvlan?" : "";
}

/* Which address, where, and what may be done about it. */
static void describe_failure(const struct agent *agent, const struct core_action *a,
			     struct notice *n)
{
	const struct conf_vip *vip = agent->refused[a->group];
	const char *reason = strerror(-a->tell.err), *hint = "";

	n->event.fields[EVENT_FIELD_ERROR] = strerrorname_np(-a->tell.err);
	if (!vip) {
		event_say(&n->event, EVENT_KERNEL_REFUSES,
			  "the kernel refused what was asked of it: %s", reason);
		return;
	}
	/* The kernel's answer while net.ipv6.conf.IF.disable_ipv6 is 1 */
	if (vip->ip.family == 6 && a->tell.err == -EACCES)
		hint = "; IPv6 is disabled there (sysctl disable_ipv6)";
	else if (a->tell.err == -ENODEV)
		hint = "; is the interface there?";
	else
		hint = sub_hint(&agent->conf->groups[a->group], vip, a->tell.err);
	n->event.fields[EVENT_FIELD_INTERFACE] = vip->ifname;
	n->event.fields[EVENT_FIELD_ADDRESS] =
		conf_format_ip(&vip->ip, n->address, sizeof(n->address));
	event_say(&n->event, EVENT_KERNEL_REFUSES, "the kernel refuses %s/%u on %s: %s%s",
		  n->address, vip->prefix, vip->ifname, reason, hint);
}

/* Which address is it, and who has it, "a stranger (02:00:5e:10:20:30)"? */
static void name_stranger(const struct agent *agent, const struct core_action *a, struct notice *n,
			  char name[static NAME_MAX_LEN])
{
	const struct stranger *who = &agent->strangers[a->group];
	const struct conf_vip *vip = &agent->conf->groups[a->group].vips[who->vip];
	const char **fields = n->event.fields;

	if (who->known)
		fields[EVENT_FIELD_MAC] = words_mac(who->mac, n->mac);
	if (who->node < agent->conf->n_nodes)
		fields[EVENT_FIELD_PEER] = agent->conf->nodes[who->node].name;
	fields[EVENT_FIELD_ADDRESS] = conf_format_ip(&vip->ip, n->address, sizeof(n->address));
	fields[EVENT_FIELD_INTERFACE] = vip->ifname;
	(void)snprintf(name, NAME_MAX_LEN, "%s%s%s%s",
		       fields[EVENT_FIELD_PEER] ? fields[EVENT_FIELD_PEER] : "a stranger",
		       who->known ? " (" : "", n->mac, who->known ? ")" : ""); /* fits */
}

/* Somebody answers for an address that was to be claimed. */
static void describe_answer(const struct agent *agent, const struct core_action *a,
			    struct notice *n)
{
	char name[NAME_MAX_LEN];

	name_stranger(agent, a, n, name);
	event_say(&n->event, EVENT_ADDRESS_ANSWERED,
		  "%s answers for %s on %s: it is not claimed; asked again every 2 s", name,
		  n->address, n->event.fields[EVENT_FIELD_INTERFACE]);
}

/* Somebody else uses an address that is held here. */
static void describe_stranger(const struct agent *agent, const struct core_action *a,
			      struct notice *n)
{
	char name[NAME_MAX_LEN];

	name_stranger(agent, a, n, name);
	event_say(&n->event, EVENT_ADDRESS_USED, "%s uses %s on %s as well, which is held here",
		  name, n->address, n->event.fields[EVENT_FIELD_INTERFACE]);
}

/* Which unit it was, and what systemd says of it; if it says nothing, the core has waited. */
static void describe_step(const struct agent *agent, const struct core_action *a, struct notice *n)
{
	const char *why = agent->steps[a->group].failed;

	if (!*why)
		why = strerror(-a->tell.err);
	if (a->tell.state == CORE_STATE_PRIMARY)
		event_say(&n->event, EVENT_STEP_FAILED, "a step before the release failed: %s",
			  why);
	else
		event_say(&n->event, EVENT_STEP_FAILED, "a step before the claim failed: %s", why);
}

static void describe_fitness(const struct core_action *a, struct notice *n)
{
	why_unfit(a->tell.unfit, n->list);
	n->event.fields[EVENT_FIELD_REASON] = n->list;
	if (a->tell.unfit)
		event_say(&n->event, EVENT_UNFIT, "unfit: %s", n->list);
	else
		event_say(&n->event, EVENT_FIT, "fit");
}

static void describe(const struct agent *agent, const struct core_action *a, struct notice *n)
{
	const char *result = core_result_name(a->tell.result);

	switch (a->tell.what) {
	case CORE_TELL_STATE:
		describe_state(agent, a, n);
		break;
	case CORE_TELL_LAPSED:
		event_say(&n->event, EVENT_LEASE_LAPSED,
			  "the lease ran out: the addresses are silent until the peer agrees");
		break;
	case CORE_TELL_REPAIRED:
		describe_repair(agent, a, n);
		break;
	case CORE_TELL_MOVE_FAILED:
		n->event.fields[EVENT_FIELD_ERROR] = result;
		event_say(&n->event, EVENT_MOVE_FAILED, "the switchover failed (%s) and was undone",
			  result);
		break;
	case CORE_TELL_ACTION_FAILED:
		/* Of two interfaces with one MAC the kernel says the same, but of which it is. */
		if (a->tell.err == -EADDRINUSE && !agent->refused[a->group])
			describe_answer(agent, a, n);
		else
			describe_failure(agent, a, n);
		break;
	case CORE_TELL_UNFIT:
		describe_fitness(a, n);
		break;
	case CORE_TELL_STRANGER:
		describe_stranger(agent, a, n);
		break;
	case CORE_TELL_UNITS_FAILED:
		describe_step(agent, a, n);
		break;
	case CORE_TELL_PEER_UP:
	case CORE_TELL_PEER_SILENT:
	case CORE_TELL_PEER_NO_AGENT:
	case CORE_TELL_DIGEST:
	case CORE_TELL_CONFLICT:
	case CORE_TELL_DISOWNED:
		describe_peer(agent, a, n);
		break;
	case _CORE_TELL_MAX:
		break;
	}
}

/* Of a group with thousands of addresses a few say enough. */
static bool is_enough(struct agent *agent, uint8_t group)
{
	instant now = agent->core.now;

	if (instant_since(now, agent->met[group].since) >= TELL_STRANGERS_US) {
		agent->met[group].since = now;
		agent->met[group].n = 0;
	}
	return agent->met[group].n++ >= TELL_STRANGERS;
}

/**
 * tell_status() - Let systemctl status say in a line how the groups are, "alpha: sip primary"
 *
 * With more groups than a line holds, the first of them. Without systemd nothing is done.
 */
void tell_status(const struct agent *agent)
{
	char line[STATUS_MAX];
	size_t used;

	used = (size_t)snprintf(line, sizeof(line),
				"STATUS=%s:", agent->conf->nodes[agent->self].name);
	for (uint8_t g = 0; g < agent->conf->n_groups && used < sizeof(line); g++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s %s %s", g ? "," : "",
					 agent->conf->groups[g].name,
					 core_state_name(agent->core.groups[g].state));
	(void)sd_notify(false, line); /* who starts us by hand does not listen */
}

/* The core counts how often addresses were taken away; that it was too often is worth a word. */
static void note_drift(struct agent *agent, uint8_t group, bool unfit)
{
	struct drift *drift = &agent->drift[group];

	if (unfit && !drift->given_up)
		publish_say(agent, group, EVENT_DRIFT_GIVEN_UP,
			    "addresses are taken away again and again: this node is unfit until "
			    "that ends");
	drift->given_up = unfit;
}

/* What else follows from what the core tells. */
static void note(struct agent *agent, const struct core_action *action)
{
	if (action->tell.what == CORE_TELL_UNFIT)
		note_drift(agent, action->group, action->tell.unfit & CORE_UNFIT_DRIFT);
	if (action->tell.what == CORE_TELL_CONFLICT) {
		agent->rival[action->group] = action->peer;
		agent->met_rival[action->group] = agent->met_rivals = true;
	}
}

/**
 * tell_people() - Say what the core tells: in the log, and as a signal
 * @action: CORE_DO_TELL
 */
void tell_people(struct agent *agent, const struct core_action *action)
{
	struct notice notice = { .event.group = action->group };

	/* It is told so with each heartbeat. */
	if (action->tell.what == CORE_TELL_DISOWNED &&
	    !log_is_due(&agent->disowned_logged, agent->core.now))
		return;
	if (action->tell.what == CORE_TELL_STRANGER && is_enough(agent, action->group))
		return;
	note(agent, action);
	describe(agent, action, &notice);
	publish(agent, &notice.event);
	if (action->tell.what == CORE_TELL_STATE)
		tell_status(agent);
	if (action->tell.primary != action->tell.was_primary)
		bus_role(agent->bus, action->group, action->tell.primary ? "primary" : "backup",
			 core_reason_name(action->tell.reason));
}

/* A move that was begun and undone is told of as that. */
static bool is_told(const struct agent *agent, uint8_t group)
{
	for (size_t i = 0; i < agent->actions.n; i++) {
		const struct core_action *a = &agent->actions.v[i];

		if (a->type == CORE_DO_TELL && a->group == group &&
		    a->tell.what == CORE_TELL_MOVE_FAILED)
			return true;
	}
	return false;
}

/**
 * tell_refused() - Say that somebody was refused what he has asked for
 * @action: CORE_DO_REPLY, of those that are being carried out
 */
void tell_refused(struct agent *agent, const struct core_action *action)
{
	enum core_result result = action->reply.result;
	struct event event = { .group = action->group };
	char buf[WHY_TEXT_MAX];
	const char *why;
	size_t len;

	if (!action->reply.request || result == CORE_RESULT_OK || is_told(agent, action->group))
		return;
	why = why_refused(agent, action->group, result, buf);
	len = strlen(why);
	len -= len && why[len - 1] == '.'; /* the bus's sentences have one, those of events none */
	event.fields[EVENT_FIELD_ERROR] = core_result_name(result);
	event_say(&event, EVENT_REFUSED, "a request was refused (%s): %.*s",
		  core_result_name(result), (int)len, why);
	publish(agent, &event);
}

/* Of the group that two nodes were primary of there is one, or it has left this one otherwise. */
static void end_conflict(struct agent *agent, uint8_t group)
{
	const struct core_group *g = &agent->core.groups[group];
	const char *peer = agent->conf->nodes[agent->rival[group]].name;
	struct event event = { .group = group, .fields = { [EVENT_FIELD_PEER] = peer } };

	agent->met_rival[group] = false;
	if (g->state == CORE_STATE_PRIMARY)
		event_say(&event, EVENT_CONFLICT_WON, "%s has given way: this node stays primary",
			  peer);
	else if (g->reason == CORE_REASON_CONFLICT || g->reason == CORE_REASON_UNHEARD)
		event_say(&event, EVENT_CONFLICT_LOST,
			  "this node gives way to %s, which is primary as well", peer);
	else
		return;
	publish(agent, &event);
}

/**
 * tell_conflicts() - Say how those have ended in which two nodes were primary
 *
 * To be called after each step in which, or after which, one may have.
 */
void tell_conflicts(struct agent *agent)
{
	bool more = false;

	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		if (agent->met_rival[g] && !instant_is_set(agent->core.groups[g].rival_since))
			end_conflict(agent, g);
		more = more || agent->met_rival[g];
	}
	agent->met_rivals = more;
}

/**
 * tell_frozen() - Say that the agent did not run, for longer than its lease
 */
void tell_frozen(struct agent *agent, uint64_t us)
{
	publish_say(agent, EVENT_NO_GROUP, EVENT_FROZEN, "the agent did not run for %" PRIu64 " ms",
		    us / USEC_PER_MSEC);
}

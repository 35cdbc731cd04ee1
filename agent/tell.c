/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "agent/bus.h"
#include "agent/log.h"
#include "agent/tell.h"
#include "agent/why.h"

enum {
	TELL_TEXT_MAX = 256,
	TELL_ADDR_MAX = 96,
	ADDRESS_SIZE = 64,
	MAC_SIZE = 18,
	TELL_NAME_MAX = 64,
	STATUS_MAX = 512
};

/* Strangers of a group that are told of, and in which time. */
enum { TELL_STRANGERS = 8 };
#define TELL_STRANGERS_US (10 * USEC_PER_SEC)

/* What people hear of it. The ids are on the bus, in the journal and in the manual. */
struct notice {
	const char *id;
	enum log_level level;
	const char *interface;	    /* that it is about; NULL: none */
	char address[ADDRESS_SIZE]; /* on it; "": none in particular */
	char mac[MAC_SIZE];	    /* of who uses that, too; "": not known */
	char text[TELL_TEXT_MAX];
};

static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "Error";
	case LOG_LEVEL_WARNING:
		return "Warning";
	case LOG_LEVEL_NOTICE:
		return "Standard";
	case LOG_LEVEL_INFO:
		return "Info";
	}
	return "Info";
}

#define SAY(n, i, l, ...)                                                                          \
	do {                                                                                       \
		(n)->id = (i);                                                                     \
		(n)->level = (l);                                                                  \
		(void)snprintf((n)->text, sizeof((n)->text), __VA_ARGS__);                         \
	} while (0)

/* The four events of the system whose job this is have the ids and words they have there. */
static bool describe_role(const struct agent *agent, const struct core_action *a, struct notice *n)
{
	bool hot = agent->conf->groups[a->group].core.hot;

	if (a->tell.primary && !a->tell.was_primary) {
		SAY(n, hot ? "00-04563" : "00-04562", LOG_LEVEL_NOTICE,
		    "%s Standby (Primary) mode activated", hot ? "Hot" : "Warm");
		return true;
	}
	if (!a->tell.primary && a->tell.was_primary) {
		SAY(n, hot ? "00-04561" : "00-04560", LOG_LEVEL_NOTICE,
		    "%s Standby (backup) mode activated", hot ? "Hot" : "Warm");
		return true;
	}
	return false;
}

static void describe_peer(const struct agent *agent, const struct core_action *a, struct notice *n)
{
	const char *peer =
		a->peer < agent->conf->n_nodes ? agent->conf->nodes[a->peer].name : "a peer";

	if (a->tell.what == CORE_TELL_PEER_UP)
		SAY(n, "TK-0001", LOG_LEVEL_NOTICE, "%s is heard", peer);
	else if (a->tell.what == CORE_TELL_PEER_SILENT)
		SAY(n, "TK-0002", LOG_LEVEL_WARNING, "%s has not been heard for its dead time",
		    peer);
	else if (a->tell.what == CORE_TELL_PEER_NO_AGENT)
		SAY(n, "TK-0003", LOG_LEVEL_WARNING, "the host of %s answers, its agent does not",
		    peer);
	else if (a->tell.what == CORE_TELL_DIGEST)
		SAY(n, "TK-0004", LOG_LEVEL_WARNING,
		    "the configuration of %s differs from ours: compare the files", peer);
	else if (a->tell.what == CORE_TELL_CONFLICT)
		SAY(n, "TK-0005", LOG_LEVEL_ERROR,
		    "%s is primary as well, with us (term %" PRIu64 ")", peer, a->tell.term);
	else
		SAY(n, "TK-0011", LOG_LEVEL_ERROR,
		    "the host of %s does not have this node in its configuration: nothing may be "
		    "held here",
		    peer);
}

/* "10.77.0.100/16 on eth0" */
static const char *name_addr(const struct agent *agent, const struct addr *addr,
			     char buf[static TELL_ADDR_MAX])
{
	char ip[64];

	(void)snprintf(buf, TELL_ADDR_MAX, "%s/%u on %s", conf_format_ip(&addr->ip, ip, sizeof(ip)),
		       addr->prefix, links_name(&agent->links, addr->ifindex));
	return buf;
}

static void describe_repair(const struct agent *agent, const struct core_action *a,
			    struct notice *n)
{
	const struct drift_note *mended = &agent->drift[a->group].mended;
	bool missing = agent->trouble[a->group].missing;
	const char *done = mended->changed ? "changed" : "removed";
	char addr[TELL_ADDR_MAX];

	if (mended->n)
		n->interface = links_name(&agent->links, mended->addr.ifindex);
	if (missing || !mended->n)
		SAY(n, "TK-0007", LOG_LEVEL_WARNING, "addresses of ours had been removed: %s%s",
		    missing ? "they are back, but for those on " : "they are back",
		    missing ? agent->trouble[a->group].name : "");
	else if (mended->n == 1)
		SAY(n, "TK-0007", LOG_LEVEL_WARNING, "%s had been %s%s: it is back",
		    name_addr(agent, &mended->addr, addr), done, mended->by);
	else
		SAY(n, "TK-0007", LOG_LEVEL_WARNING, "%s and %zu more had been %s%s: they are back",
		    name_addr(agent, &mended->addr, addr), mended->n - 1, done, mended->by);
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
	const char *hint = "";
	char ip[64];

	if (!vip) {
		SAY(n, "TK-0009", LOG_LEVEL_ERROR, "the kernel refused what was asked of it: %s",
		    strerror(-a->tell.err));
		return;
	}
	/* The kernel's answer while net.ipv6.conf.IF.disable_ipv6 is 1 */
	if (vip->ip.family == 6 && a->tell.err == -EACCES)
		hint = "; IPv6 is disabled there (sysctl disable_ipv6)";
	else if (a->tell.err == -ENODEV)
		hint = "; is the interface there?";
	else
		hint = sub_hint(&agent->conf->groups[a->group], vip, a->tell.err);
	SAY(n, "TK-0009", LOG_LEVEL_ERROR, "the kernel refuses %s/%u on %s: %s%s",
	    conf_format_ip(&vip->ip, ip, sizeof(ip)), vip->prefix, vip->ifname,
	    strerror(-a->tell.err), hint);
}

static void format_mac(const uint8_t mac[static 6], char ret[static MAC_SIZE])
{
	(void)snprintf(ret, MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]); /* fits */
}

/* Which address is it, and who has it, "a stranger (02:00:5e:10:20:30)"? */
static void name_stranger(const struct agent *agent, const struct core_action *a, struct notice *n,
			  char *name, size_t size)
{
	const struct stranger *who = &agent->strangers[a->group];
	const struct conf_vip *vip = &agent->conf->groups[a->group].vips[who->vip];

	if (who->known)
		format_mac(who->mac, n->mac);
	(void)conf_format_ip(&vip->ip, n->address, sizeof(n->address));
	n->interface = vip->ifname;
	(void)snprintf(name, size, "%s%s%s%s",
		       who->node < agent->conf->n_nodes ? agent->conf->nodes[who->node].name
							: "a stranger",
		       who->known ? " (" : "", n->mac, who->known ? ")" : ""); /* fits */
}

/* Somebody answers for an address that was to be claimed. */
static void describe_answer(const struct agent *agent, const struct core_action *a,
			    struct notice *n)
{
	char name[TELL_NAME_MAX];

	name_stranger(agent, a, n, name, sizeof(name));
	SAY(n, "TK-0014", LOG_LEVEL_WARNING,
	    "%s answers for %s on %s: it is not claimed; asked again every 2 s", name, n->address,
	    n->interface);
}

/* Somebody else uses an address that is held here. */
static void describe_stranger(const struct agent *agent, const struct core_action *a,
			      struct notice *n)
{
	char name[TELL_NAME_MAX];

	name_stranger(agent, a, n, name, sizeof(name));
	SAY(n, "TK-0013", LOG_LEVEL_ERROR, "%s uses %s on %s as well, which is held here", name,
	    n->address, n->interface);
}

/* Which unit it was, and what systemd says of it; if it says nothing, the core has waited. */
static void describe_step(const struct agent *agent, const struct core_action *a, struct notice *n)
{
	const char *why = agent->steps[a->group].failed;

	SAY(n, "TK-0015", LOG_LEVEL_ERROR, "a step before the %s failed: %s",
	    a->tell.state == CORE_STATE_PRIMARY ? "release" : "claim",
	    *why ? why : strerror(-a->tell.err));
}

static void describe(const struct agent *agent, const struct core_action *a, struct notice *n)
{
	char list[WHY_TEXT_MAX];

	switch (a->tell.what) {
	case CORE_TELL_STATE:
		if (describe_role(agent, a, n))
			break;
		SAY(n, "TK-0012",
		    a->tell.state == CORE_STATE_FAULT ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		    "%s, was %s (%s)", core_state_name(a->tell.state),
		    core_state_name(a->tell.from), core_reason_name(a->tell.reason));
		break;
	case CORE_TELL_LAPSED:
		SAY(n, "TK-0006", LOG_LEVEL_ERROR,
		    "the lease ran out: the addresses are silent until the peer agrees");
		break;
	case CORE_TELL_REPAIRED:
		describe_repair(agent, a, n);
		break;
	case CORE_TELL_MOVE_FAILED:
		SAY(n, "TK-0008", LOG_LEVEL_ERROR, "the switchover failed (%s) and was undone",
		    core_result_name(a->tell.result));
		break;
	case CORE_TELL_ACTION_FAILED:
		/* Of two interfaces with one MAC the kernel says the same, but of which it is. */
		if (a->tell.err == -EADDRINUSE && !agent->refused[a->group])
			describe_answer(agent, a, n);
		else
			describe_failure(agent, a, n);
		break;
	case CORE_TELL_UNFIT:
		why_unfit(a->tell.unfit, list);
		SAY(n, "TK-0010", a->tell.unfit ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		    a->tell.unfit ? "unfit: %s" : "fit%s", list);
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

static bool concerns_the_node(enum core_tell what)
{
	return what == CORE_TELL_PEER_UP || what == CORE_TELL_PEER_SILENT ||
	       what == CORE_TELL_PEER_NO_AGENT || what == CORE_TELL_DIGEST ||
	       what == CORE_TELL_DISOWNED;
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

static void publish(struct agent *agent, uint8_t group, bool node, const struct notice *notice)
{
	const struct api_event event = { .id = notice->id,
					 .level = level_word(notice->level),
					 .text = notice->text,
					 .interface = notice->interface,
					 .address = *notice->address ? notice->address : NULL,
					 .mac = *notice->mac ? notice->mac : NULL };

	log_line(notice->level, notice->id, node ? "" : agent->conf->groups[group].name,
		 notice->text);
	bus_event(agent->bus, group, &event);
}

/**
 * tell_link() - Say what has become of an interface that a group has addresses on
 * @ifname: its name, there or not
 */
void tell_link(struct agent *agent, uint8_t group, const char *ifname, enum links_state state)
{
	static const char *const words[_LINKS_STATE_MAX] = {
		[LINKS_MISSING] = "is missing: waiting for it",
		[LINKS_DOWN] = "is down: waiting for it",
		[LINKS_NO_CARRIER] = "has no carrier: waiting for it",
		[LINKS_RUNNING] = "runs",
		[LINKS_FOREIGN] = "is not the one that takeoverd makes: left alone",
	};
	struct notice notice = { .interface = ifname };

	SAY(&notice, "TK-0020", state == LINKS_RUNNING ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
	    "interface %s %s", ifname, words[state]);
	publish(agent, group, false, &notice);
}

/**
 * tell_mac() - Say that an interface that a group has addresses on has another MAC
 * @link: as it is now
 */
void tell_mac(struct agent *agent, uint8_t group, const struct link *link)
{
	struct notice notice = { .interface = link->name };
	char mac[MAC_SIZE];

	format_mac(link->mac, mac);
	SAY(&notice, "TK-0021", LOG_LEVEL_NOTICE, "interface %s has the MAC %s now", link->name,
	    mac);
	publish(agent, group, false, &notice);
}

/**
 * tell_foreign() - Say that one of a group's addresses stands here, and not from us
 * @addr: as the kernel has it
 */
void tell_foreign(struct agent *agent, uint8_t group, const struct addr *addr)
{
	struct notice notice = { .interface = links_name(&agent->links, addr->ifindex) };
	char name[TELL_ADDR_MAX];

	SAY(&notice, "TK-0030", LOG_LEVEL_WARNING,
	    "%s is not from us: the gate lets it answer only while this node is primary",
	    name_addr(agent, addr, name));
	publish(agent, group, false, &notice);
}

/**
 * tell_left() - Say what this host still has of what it has released
 * @result: of WORKER_TIDY
 */
void tell_left(struct agent *agent, const struct worker_result *result)
{
	const char *ifname = links_name(&agent->links, result->ifindex);
	struct notice notice = { .interface = ifname };
	char more[32] = "";
	char ip[64];

	if (result->n > 1)
		(void)snprintf(more, sizeof(more), " and %zu more", result->n - 1);
	SAY(&notice, "TK-0031", LOG_LEVEL_WARNING,
	    "%s%s %s released, but this host still has %s on %s, not from us: the gate keeps %s "
	    "silent",
	    conf_format_ip(&result->vip->ip, ip, sizeof(ip)), more, *more ? "are" : "is",
	    *more ? "them" : "it", ifname, *more ? "them" : "it");
	publish(agent, result->group, false, &notice);
}

/**
 * tell_unit() - Say what has become of the unit that a group is for
 * @fault: what is wrong with it; NULL: nothing any more
 */
void tell_unit(struct agent *agent, uint8_t group, const char *fault)
{
	struct notice notice = { 0 };

	SAY(&notice, "TK-0040", fault ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "unit %s %s",
	    agent->conf->groups[group].unit, fault ? fault : "is as it should be");
	publish(agent, group, false, &notice);
}

/**
 * tell_people() - Say what the core tells: in the log, and as a signal
 * @action: CORE_DO_TELL
 */
void tell_people(struct agent *agent, const struct core_action *action)
{
	struct notice notice = { .id = "", .level = LOG_LEVEL_INFO };
	bool node = concerns_the_node(action->tell.what);

	/* It is told so with each heartbeat. */
	if (action->tell.what == CORE_TELL_DISOWNED &&
	    !log_is_due(&agent->disowned_logged, agent->core.now))
		return;
	if (action->tell.what == CORE_TELL_STRANGER && is_enough(agent, action->group))
		return;
	describe(agent, action, &notice);
	publish(agent, action->group, node, &notice);
	if (action->tell.what == CORE_TELL_STATE)
		tell_status(agent);
	if (action->tell.primary != action->tell.was_primary)
		bus_role(agent->bus, action->group, action->tell.primary ? "primary" : "backup",
			 core_reason_name(action->tell.reason));
}

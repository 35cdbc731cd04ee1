/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sodium.h>
#include <systemd/sd-daemon.h>

#include "agent/act.h"
#include "agent/agent.h"
#include "agent/bus/bus.h"
#include "agent/check/check.h"
#include "agent/cleanup.h"
#include "agent/drain/drain.h"
#include "agent/host/follow.h"
#include "agent/host/meet.h"
#include "agent/kernel/adopt.h"
#include "agent/kernel/gatekeeper.h"
#include "agent/log.h"
#include "agent/publish.h"
#include "agent/reaction/react.h"
#include "agent/sense.h"
#include "agent/store/store.h"
#include "agent/systemd/systemd.h"
#include "agent/tell.h"
#include "agent/trim.h"

/* A host that is up for no longer than this has just booted (StartWait=). */
#define BOOT_US (120 * USEC_PER_SEC)

/* Nobody gets an answer any sooner by what the disk has, the log, or who asked on the bus. */
static bool can_wait(const struct core_action *action)
{
	return action->type == CORE_DO_STORE || action->type == CORE_DO_TELL ||
	       action->type == CORE_DO_REPLY;
}

/*
 * Kernel and peers first: words to the log and the bus cost more than all the rest, and so may
 * waking the thread that writes to disk, as by an interrupt to an idle CPU of a virtual machine.
 */
static void run_core(struct agent *agent, struct core_event *event)
{
	instant before = agent->core.now, awake = agent->core.awake;

	event->now = clock_now();
	recorder_event(agent->recorder, &agent->core, event);
	core_step(&agent->core, event, &agent->actions);
	for (size_t i = 0; i < agent->actions.n; i++)
		if (!can_wait(&agent->actions.v[i]))
			act(agent, &agent->actions.v[i]);
	for (size_t i = 0; i < agent->actions.n; i++)
		if (can_wait(&agent->actions.v[i]))
			act(agent, &agent->actions.v[i]);
	recorder_actions(agent->recorder, &agent->core, &agent->actions);
	if (agent->met_rivals)
		tell_conflicts(agent);
	if (agent->core.awake.us != awake.us && instant_is_set(before) &&
	    instant_since(event->now, before) >= agent->conf->lease_us)
		tell_frozen(agent, instant_since(event->now, before));
}

static void set_timer(struct agent *agent)
{
	instant deadline = core_deadline(&agent->core);

	/* An echo changes nothing about when the next heartbeat is due; at the end nothing is. */
	if (!agent->timer || deadline.us == agent->timer_at.us || agent->core.exited)
		return;
	agent->timer_at = deadline;
	(void)sd_event_source_set_time(agent->timer, deadline.us);
	(void)sd_event_source_set_enabled(agent->timer, SD_EVENT_ONESHOT);
}

/* What came of acting may be acted upon in turn. */
static void run_deferred(struct agent *agent)
{
	for (size_t i = 0; i < agent->n_deferred; i++) {
		struct core_event deferred = agent->deferred[i];

		run_core(agent, &deferred);
	}
	agent->n_deferred = 0;
}

/**
 * agent_settle() - Let the core decide about what was deferred, and all others hear of it
 */
void agent_settle(struct agent *agent)
{
	do {
		run_deferred(agent);
		systemd_follow(agent->systemd);
		drains_follow(agent->drains);
		react_follow(agent->react);
	} while (agent->n_deferred);
	if (agent->bus)
		bus_refresh(agent->bus);
	set_timer(agent);
}

/**
 * agent_step() - Let the core decide about an event, and carry its decision out
 * @event: its time is set here
 */
void agent_step(struct agent *agent, struct core_event *event)
{
	run_core(agent, event);
	agent_settle(agent);
}

/**
 * agent_defer() - An event that comes of acting, for when the acting is done
 */
void agent_defer(struct agent *agent, const struct core_event *event)
{
	assert(agent->n_deferred < AGENT_DEFERRED_MAX);
	agent->deferred[agent->n_deferred++] = *event;
}

static void start_group(struct agent *agent, uint8_t group, const struct adoption *found)
{
	struct core_event event = { .type = CORE_EV_START, .group = group };
	const char *name = agent->conf->groups[group].name;
	struct store_entry entry = { 0 };
	int r;

	r = store_read(agent->state_directory, name, &entry);
	if (r < 0 && r != -ENOENT)
		log_say(LOG_LEVEL_WARNING,
			"cannot read what was stored of group %s in %s: %s; "
			"its term will be learned from the peer",
			name, agent->state_directory, strerror(-r));
	if (r == -ENOENT) /* the next agent is to know that this one had the group */
		disk_keep(agent->disk, group, &entry, 0);
	event.start.term = entry.term;
	event.start.maintenance = entry.maintenance;
	event.start.adopted = found->adopted[group];
	event.start.lease_left_us = (uint32_t)instant_since(found->lease_until, clock_now());
	event.start.boot = clock_now().us < BOOT_US;
	randombytes_buf(&event.start.salt, sizeof(event.start.salt));
	agent->held[group] = agent->raise[group].done = found->adopted[group];
	watcher_hold(agent->watcher, group, found->adopted[group]);
	agent_step(agent, &event);
	if (found->adopted[group])
		publish_say(agent, group, EVENT_ADOPTED,
			    "its addresses answer still, as the agent before has left them: kept");
}

/* An end that nobody can explain is the worst of all. */
static int said(const char *what, int r)
{
	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "cannot %s: %s", what, strerror(-r));
	return r;
}

/* What a kernel lacks that answers like this, and where to get it; NULL: that is not it. */
static const char *lack(int r)
{
	switch (-r) {
	case EPROTONOSUPPORT: /* no such protocol of netlink */
	case EINVAL:	      /* nobody there for such messages */
		return "nftables: modprobe nf_tables, or a kernel with CONFIG_NF_TABLES";
	case EOPNOTSUPP:
		return "tables of the family inet or arp: a kernel with CONFIG_NF_TABLES_INET and "
		       "CONFIG_NF_TABLES_ARP; or tables with an owner: Linux 5.12";
	case ENOENT:
		return "fib of nftables: modprobe nft_fib_inet, or a kernel with "
		       "CONFIG_NFT_FIB_INET";
	default:
		return NULL;
	}
}

static int gate_said(const char *what, int r)
{
	if (r >= 0 || !lack(r))
		return said(what, r);
	log_say(LOG_LEVEL_ERROR, "cannot lay the gate: %s; the kernel lacks %s", strerror(-r),
		lack(r));
	return r;
}

/* The gate's socket, and news of what others do to the gate. */
static int open_gate(struct agent *agent, struct gatekeeper *keeper)
{
	int r;

	r = gate_said("open the gate's socket", gatekeeper_init(keeper, agent->conf));
	if (r < 0)
		return r;
	r = monitor_open_nft(nl_portid(keeper->nf), &agent->nft);
	if (r < 0)
		log_say(LOG_LEVEL_ERROR,
			"cannot listen to nftables: %s; CAP_NET_ADMIN and the kernel's nf_tables "
			"are needed",
			strerror(-r));
	return r;
}

/* The port is also what tells a second agent on this host from the first. */
static int open_beat(struct agent *agent, const uint8_t *key)
{
	int r;

	r = beat_new(agent->conf, agent->self, key, &agent->beat);
	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "cannot open the heartbeat sockets (port %u): %s",
			agent->conf->port,
			r == -EADDRINUSE ? "another agent or program on this host has the port"
					 : strerror(-r));
	return r;
}

/* What the last life has left of them is good to have, but nothing depends on it. */
static void read_history(struct agent *agent)
{
	unsigned skipped;
	int r;

	r = history_read(agent->history, &skipped);
	if (r < 0)
		log_say(LOG_LEVEL_WARNING, "cannot read the events that are kept in %s: %s",
			agent->state_directory, strerror(-r));
	if (skipped)
		log_say(LOG_LEVEL_WARNING,
			"among the events that are kept in %s lines are damaged: left out, %u of "
			"them",
			agent->state_directory, skipped);
}

static int open_disk(struct agent *agent)
{
	int r;

	r = said("remember events", history_new(agent->state_directory, &agent->history));
	if (r < 0)
		return r;
	read_history(agent);
	r = said("start what writes to disk", disk_new(agent->conf, agent->state_directory,
						       agent->history, *agent->hung, &agent->disk));
	if (r >= 0)
		*agent->hung = NULL;
	return r;
}

static int open_workers(struct agent *agent, struct gatekeeper *keeper)
{
	int r;

	r = said("prepare announcements",
		 announcer_new(agent->conf, agent->loop, &agent->announcer));
	if (r < 0)
		return r;
	r = said("prepare for other users of the addresses", meet_open(agent));
	if (r < 0)
		return r;
	r = open_disk(agent);
	if (r < 0)
		return r;
	return said("start the kernel's worker",
		    worker_new(agent->conf, agent->self, keeper, &agent->worker));
}

static int read_links(struct agent *agent)
{
	_cleanup_(nl_closep) struct nl *route = NULL;
	_cleanup_(freep) struct link *links = NULL;
	_cleanup_(freep) struct addr *addrs = NULL;
	size_t n, n_addrs;
	int r;

	r = nl_open(NETLINK_ROUTE, &route);
	if (r < 0)
		return r;
	r = link_list(route, &links, &n);
	if (r < 0)
		return r;
	r = addr_list(route, &addrs, &n_addrs);
	if (r < 0)
		return r;
	follow_links(agent, links, n);
	drift_look(agent, addrs, n_addrs);
	return 0;
}

/*
 * In this order: nothing in the kernel is touched before it is certain that no other agent works
 * there, and the gate is settled before the first heartbeat says anything about us.
 */
static int start(struct agent *agent, const uint8_t *key, const struct agent_files *files)
{
	_cleanup_(gatekeeper_done) struct gatekeeper keeper = { 0 };
	struct core_config config;
	struct adoption found;
	int r;

	r = said("make an event loop", sd_event_new(&agent->loop));
	if (r < 0)
		return r;
	r = said("listen to rtnetlink", monitor_open_rtnl(&agent->rtnl));
	if (r < 0)
		return r;
	r = open_beat(agent, key);
	if (r < 0)
		return r;
	r = open_gate(agent, &keeper);
	if (r < 0)
		return r;
	r = gate_said("settle addresses and gate in the kernel",
		      adopt(agent->conf, agent->self, &keeper, &found));
	if (r < 0)
		return r;
	r = open_workers(agent, &keeper);
	if (r < 0)
		return r;
	roles_remember(agent);
	r = said("prepare for systemd", systemd_new(agent, &agent->systemd));
	if (r < 0)
		return r;
	r = said("prepare the checks of services", checks_new(agent, &agent->checks));
	if (r < 0)
		return r;
	r = said("prepare for draining", drains_new(agent, &agent->drains));
	if (r < 0)
		return r;
	r = said("prepare to react", react_new(agent, &agent->react));
	if (r < 0)
		return r;
	r = said("prepare for the bus", bus_new(agent, &agent->bus));
	if (r < 0)
		return r;
	r = said("prepare for another configuration",
		 reload_new(agent, &files->reader, &agent->reload));
	if (r < 0)
		return r;
	conf_core(agent->conf, agent->self, &config);
	core_init(&agent->core, &config);
	r = said("start the flight recorder", recorder_new(&agent->core, agent->state_directory,
							   files->trace, &agent->recorder));
	if (r < 0)
		return r;
	for (uint8_t g = 0; g < agent->conf->n_groups; g++)
		start_group(agent, g, &found);
	r = said("read the interfaces", read_links(agent));
	if (r < 0)
		return r;
	for (uint8_t g = 0; g < agent->conf->n_groups; g++)
		if (found.grown[g]) /* nobody knows yet that some of its addresses are here */
			agent_step_group(agent, CORE_EV_ANNOUNCE, g);
	return said("watch sockets, timers and signals", sense_attach(agent));
}

/**
 * agent_new() - Everything that a node needs, ready to run
 * @conf: borrowed
 * @key: CONF_KEY_SIZE bytes, or NULL without authentication; not kept after this
 * @files: where to write; takes the trace
 *
 * Signals that the agent handles must be blocked. What fails is logged here.
 *
 * Return: 0; the error that made it impossible.
 */
int agent_new(const struct conf *conf, uint8_t self, const uint8_t *key,
	      const struct agent_files *files, struct agent **ret)
{
	_cleanup_(agent_freep) struct agent *agent = calloc(1, sizeof(*agent));
	int r;

	if (!agent)
		return said("start", -ENOMEM);
	agent->conf = conf;
	agent->self = self;
	agent->state_directory = files->state_directory;
	agent->hung = files->hung;
	r = start(agent, key, files);
	if (r < 0)
		return r;
	*ret = TAKE(agent);
	return 0;
}

/**
 * agent_free() - The end: orders under way are carried out, sockets closed
 */
struct agent *agent_free(struct agent *agent)
{
	if (!agent)
		return NULL;
	agent->bus = bus_free(agent->bus);
	checks_free(agent->checks);
	drains_free(agent->drains);
	reload_free(agent->reload);
	systemd_free(agent->systemd);
	react_free(agent->react);
	sd_event_source_disable_unref(agent->asking);
	free(agent->former.names);
	worker_free(agent->worker);
	if (agent->disk)
		*agent->hung = disk_end(agent->disk);
	announcer_free(agent->announcer);
	watcher_free(agent->watcher);
	recorder_free(agent->recorder);
	beat_free(agent->beat);
	sd_event_source_disable_unref(agent->terminate);
	sd_event_source_disable_unref(agent->timer);
	sd_event_source_disable_unref(agent->refresh);
	sd_event_unref(agent->loop);
	monitor_close(agent->rtnl);
	monitor_close(agent->nft);
	free(agent);
	return NULL;
}

/**
 * agent_run() - Until told to stop
 *
 * Return: 0; 1 if it ended for another configuration, of which the reader knows; errors of
 * the loop.
 */
int agent_run(struct agent *agent)
{
	int r;

	trim_after_start();
	(void)sd_event_set_watchdog(agent->loop, true); /* without systemd there is none */
	tell_status(agent);
	(void)sd_notify(false, "READY=1");
	publish_say(agent, EVENT_NO_GROUP, EVENT_STARTED,
		    "node %s runs, %zu group%s, heartbeats each %g ms",
		    agent->conf->nodes[agent->self].name, agent->conf->n_groups,
		    agent->conf->n_groups == 1 ? "" : "s", agent->conf->interval_us / 1e3);
	r = said("go on", sd_event_loop(agent->loop));
	if (r < 0)
		recorder_keep(agent->recorder, "the agent ended with an error");
	if (r == 0 && reload_is_due(agent->reload)) {
		if (agent->asking || agent->departs_next)
			(void)raise(SIGTERM); /* blocked: the next one finds it */
		return 1;		      /* the next one says READY=1 */
	}
	if (r == 0 && agent->core.restarting)
		publish_say(agent, EVENT_NO_GROUP, EVENT_STOPPED,
			    "the agent ends for a restart: the addresses stay");
	else if (r == 0)
		publish_say(agent, EVENT_NO_GROUP, EVENT_STOPPED,
			    "the agent ends: nothing is held here any more");
	(void)sd_notify(false, "STOPPING=1");
	return r;
}

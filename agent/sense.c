/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/act.h"
#include "agent/cleanup.h"
#include "agent/drain/drain.h"
#include "agent/hear.h"
#include "agent/host/follow.h"
#include "agent/host/meet.h"
#include "agent/host/mend.h"
#include "agent/host/raise.h"
#include "agent/log.h"
#include "agent/sense.h"
#include "agent/tell.h"
#include "agent/kernel/lifetime.h"
#include "agent/kernel/vips.h"
#include "agent/systemd/depart.h"

/*
 * How long notifications are worked off before the loop looks at anything else. One of a
 * stranger's thousands of addresses costs microseconds, one that a group has lost a hundred.
 */
enum { SENSE_SLICE_US = 1000 };

static size_t index_of_fd(const struct agent *agent, int fd)
{
	size_t i = 0;

	while (beat_fd(agent->beat, i) != fd)
		i++;
	return i;
}

/* One datagram a round: the loop comes back for more, and saves us the call that finds none. */
static int on_beat(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct agent *agent = data;
	struct beat_received received;
	int r;

	(void)source;
	(void)events;
	r = beat_receive(agent->beat, index_of_fd(agent, fd), clock_now(), &received);
	if (r >= 0)
		hear(agent, &received);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct agent *agent = data;

	(void)source;
	(void)usec;
	agent->timer_at = INSTANT_NEVER;
	agent_step_peer(agent, CORE_EV_TIME, CORE_NODE_NONE);
	tell_paths(agent);
	return 0;
}

/* The addresses of a group that are on this host, held or kept ready, go on living. */
static void refresh(struct agent *agent, uint8_t group, bool ipv4_only)
{
	struct worker_order order = { .type = WORKER_REFRESH,
				      .group = group,
				      .ipv4_only = ipv4_only };

	if (agent->held[group])
		(void)worker_order(agent->worker, &order); /* the next round is in time */
	else
		raise_stage(agent, group, ipv4_only);
}

static void reread(struct agent *agent)
{
	struct worker_order look = { .type = WORKER_LOOK };

	(void)worker_order(agent->worker, &look); /* refused: the next overrun asks again */
	for (uint8_t g = 0; g < agent->conf->n_groups; g++)
		refresh(agent, g, false);
}

static void notice(struct agent *agent, const struct monitor_event *event)
{
	switch (event->kind) {
	case MONITOR_LINK:
		follow_link(agent, &event->link);
		break;
	case MONITOR_LINK_GONE:
		follow_link_gone(agent, event->link.index);
		break;
	case MONITOR_ADDR_GONE:
		drift_gone(agent, event);
		break;
	case MONITOR_OVERRUN:
		reread(agent);
		break;
	case MONITOR_ADDR:
		drift_came(agent, event);
		follow_home(agent, &event->addr.ip);
		break;
	case MONITOR_GATE_CHANGED:
	case MONITOR_NOTHING:
		break;
	}
}

static int on_monitor(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct agent *agent = data;
	struct monitor *monitor = fd == monitor_fd(agent->nft) ? agent->nft : agent->rtnl;
	instant end = instant_add(clock_now(), SENSE_SLICE_US);
	struct monitor_event event;
	bool all = false;

	(void)source;
	(void)events; /* whatever it is, reading tells */
	while (!all && !instant_reached(clock_now(), end)) {
		all = monitor_next(monitor, &event) < 0 || event.kind == MONITOR_NOTHING;
		if (!all && monitor == agent->nft)
			mend_gate(agent, &event);
		else if (!all)
			notice(agent, &event);
	}
	if (monitor == agent->rtnl && all)
		raise_look(agent);
	return 0;
}

/* Whom the kernel knows is told of our addresses; if it cannot say, everybody has been told. */
static void note_neighbours(struct agent *agent, const struct worker_result *result)
{
	if (result->err)
		log_say(LOG_LEVEL_WARNING, "cannot read the neighbours on %s: %s",
			links_name(&agent->links, result->ifindex), strerror(-result->err));
	watcher_neighbours(agent->watcher, result->ifindex, result->neighs, result->n_neighs);
	announcer_neighbours(agent->announcer, result->ifindex, result->neighs, result->n_neighs);
	act_neighbours(agent);
}

/* All interfaces and addresses, as they were a moment ago; if it failed there are none. */
static void take_look(struct agent *agent, const struct worker_result *result)
{
	if (!result->err) {
		follow_links(agent, result->links, result->n_links);
		drift_look(agent, result->addrs, result->n_addrs);
	}
	free(result->links);
	free(result->addrs);
}

static void note_lapse(struct agent *agent, const struct worker_result *result)
{
	if (result->lease_lost && result->id == agent->lease_epoch &&
	    instant_is_set(agent->core.lease_until))
		agent_step_peer(agent, CORE_EV_LAPSED, CORE_NODE_NONE);
}

/* An order has been carried out, or has failed; without an id it is none of the core's. */
static void end_order(struct agent *agent, const struct worker_result *result)
{
	struct core_event event = { .type = CORE_EV_DONE, .group = result->group };

	raise_result(agent, result);
	agent->refused[result->group] = result->vip;
	event.done.id = result->id;
	event.done.err = result->err;
	if (result->id)
		agent_step(agent, &event);
}

static void take_result(struct agent *agent, const struct worker_result *result)
{
	switch (result->type) {
	case WORKER_LOOK:
		take_look(agent, result);
		break;
	case WORKER_NEIGHBOURS:
		note_neighbours(agent, result);
		break;
	case WORKER_STEP_BACK:
	case WORKER_TIDY:
		drift_result(agent, result);
		break;
	case WORKER_REFRESH_ARP:
		note_lapse(agent, result);
		break;
	case WORKER_PREPARE:
		if (result->id) /* else it was read back */
			drift_done(agent, result->group);
		end_order(agent, result);
		break;
	case WORKER_DRAIN:
		drain_result(agent->drains, result);
		break;
	case WORKER_REBUILD:
		end_order(agent, result);
		mend_done(agent);
		break;
	case WORKER_REFRESH:
	case WORKER_REMOVE:
	case WORKER_GATE:
	case WORKER_CREATE:
	case WORKER_SHUT:
	case WORKER_EXTEND:
	case WORKER_MAKE:
	case WORKER_UNMAKE:
		end_order(agent, result);
		break;
	case _WORKER_TYPE_MAX:
		break;
	}
}

/* One result a round, as one datagram: those of 128 groups may come at once. */
static int on_worker(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct agent *agent = data;
	struct worker_result result;

	(void)source;
	(void)fd;
	(void)events;
	if (worker_next(agent->worker, &result))
		take_result(agent, &result);
	return 0;
}

/* What the disk refuses is tried again until it takes it. */
static void note_stored(struct agent *agent, const struct disk_result *result)
{
	const char *group = agent->conf->groups[result->group].name;
	bool before = agent->unkept[result->group];

	agent->unkept[result->group] = result->err != 0;
	if (result->err && !before)
		log_say(LOG_LEVEL_WARNING,
			"cannot store the term of group %s in %s: %s; a restart would not know it; "
			"trying again",
			group, agent->state_directory, strerror(-result->err));
	else if (!result->err && before)
		log_say(LOG_LEVEL_INFO, "the term of group %s is stored in %s", group,
			agent->state_directory);
}

/* The same; the last ones are here meanwhile. */
static void note_kept(struct agent *agent, const struct disk_result *result)
{
	if (result->err)
		log_say(LOG_LEVEL_WARNING,
			"cannot keep events in %s: %s; a restart would not know them; trying again",
			agent->state_directory, strerror(-result->err));
	else
		log_say(LOG_LEVEL_INFO, "events are kept in %s again", agent->state_directory);
}

static int on_disk(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct agent *agent = data;
	struct core_event event = { .type = CORE_EV_DONE };
	struct disk_result result;

	(void)source;
	(void)fd;
	(void)events;
	if (!disk_next(agent->disk, &result))
		return 0;
	if (result.history) {
		note_kept(agent, &result);
		return 0;
	}
	note_stored(agent, &result);
	event.group = result.group;
	event.done.id = result.id;
	event.done.err = result.err;
	if (result.id)
		agent_step(agent, &event);
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *si, void *data)
{
	struct agent *agent = data;

	(void)source;
	(void)si;
	reload_begin(agent->reload, 0);
	return 0;
}

/* Without a handler it would end us, and nobody would have released anything. */
static int on_usr1(sd_event_source *source, const struct signalfd_siginfo *si, void *data)
{
	(void)source;
	(void)si;
	(void)data;
	log_say(LOG_LEVEL_NOTICE, "SIGUSR1 means nothing here");
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *data)
{
	(void)source;
	if (si->ssi_signo == SIGTERM)
		depart_or_restart(data);
	else
		depart(data, si->ssi_signo == SIGUSR2);
	return 0;
}

/* The loop may have read a SIGTERM, and what was due before that has ended it. */
static int on_exit_loop(sd_event_source *source, void *data)
{
	struct agent *agent = data;

	(void)source;
	if (sd_event_source_get_pending(agent->terminate) > 0)
		agent->departs_next = true;
	return 0;
}

static int on_refresh(sd_event_source *source, uint64_t usec, void *data)
{
	struct agent *agent = data;
	bool ipv4_only = agent->round++ % lifetime_rounds(agent->conf) != 0;

	(void)usec;
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		refresh(agent, g, ipv4_only);
		if (agent->unkept[g])
			disk_keep(agent->disk, g, &agent->kept[g], 0);
	}
	if (!history_is_saved(agent->history))
		disk_note(agent->disk);
	meet_nodes(agent);
	return sd_event_source_set_time_relative(source, agent->conf->address_lifetime_s *
								 USEC_PER_SEC / 3);
}

/*
 * Heartbeats come before everything else, so a flood of datagrams that fills the
 * socket faster than it is read would leave no time for deadlines: the lease would
 * lapse although the peer is heard. After so many in so short a time the others
 * have their turn. What a node has missed in a freeze of seconds is less.
 */
enum { SENSE_FLOOD_US = 10 * 1000, SENSE_FLOOD = 256 };

static int watch(struct agent *agent, int fd, sd_event_io_handler_t handler, int64_t priority)
{
	_cleanup_(sd_event_source_unrefp) sd_event_source *source = NULL;
	int r;

	r = sd_event_add_io(agent->loop, &source, fd, EPOLLIN, handler, agent);
	if (r < 0)
		return r;
	r = sd_event_source_set_priority(source, priority);
	if (r < 0)
		return r;
	if (handler == on_beat)
		r = sd_event_source_set_ratelimit(source, SENSE_FLOOD_US, SENSE_FLOOD);
	if (r < 0)
		return r;
	return sd_event_source_set_floating(source, true);
}

static int attach_timers(struct agent *agent)
{
	int r;

	/* 1 us: sd-event's own slack of 250 ms would be longer than our lease */
	r = sd_event_add_time(agent->loop, &agent->timer, CLOCK_BOOTTIME,
			      core_deadline(&agent->core).us, 1, on_timer, agent);
	if (r < 0)
		return r;
	r = sd_event_source_set_priority(agent->timer, SD_EVENT_PRIORITY_IMPORTANT + 1);
	if (r < 0)
		return r;
	/* At once: the agent before us, of whom addresses were adopted, may not have come to it. */
	r = sd_event_add_time_relative(agent->loop, &agent->refresh, CLOCK_BOOTTIME, 0, 0,
				       on_refresh, agent);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(agent->refresh, SD_EVENT_ON);
}

static int attach_signals(struct agent *agent)
{
	static const struct {
		int signo;
		sd_event_signal_handler_t handler;
	} signals[] = {
		{ SIGTERM, on_signal }, { SIGINT, on_signal }, { SIGUSR2, on_signal },
		{ SIGHUP, on_hangup },	{ SIGUSR1, on_usr1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		int r = sd_event_add_signal(agent->loop,
					    signals[i].signo == SIGTERM ? &agent->terminate : NULL,
					    signals[i].signo, signals[i].handler, agent);

		if (r < 0)
			return r;
	}
	return sd_event_add_exit(agent->loop, NULL, on_exit_loop, agent);
}

/**
 * sense_attach() - Let the loop hear of everything
 *
 * Heartbeats come first, then the deadline: after a freeze what waits in the
 * sockets has to be known before time is judged.
 *
 * Return: 0; errors of sd-event.
 */
int sense_attach(struct agent *agent)
{
	int r;

	for (size_t i = 0; i < beat_n_fds(agent->beat); i++) {
		r = watch(agent, beat_fd(agent->beat, i), on_beat, SD_EVENT_PRIORITY_IMPORTANT);
		if (r < 0)
			return r;
	}
	r = watch(agent, worker_fd(agent->worker), on_worker, SD_EVENT_PRIORITY_IMPORTANT + 1);
	if (r < 0)
		return r;
	r = watch(agent, disk_fd(agent->disk), on_disk, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		return r;
	r = watch(agent, monitor_fd(agent->rtnl), on_monitor, SD_EVENT_PRIORITY_NORMAL - 1);
	if (r < 0)
		return r;
	r = watch(agent, monitor_fd(agent->nft), on_monitor, SD_EVENT_PRIORITY_NORMAL - 1);
	if (r < 0)
		return r;
	r = attach_timers(agent);
	return r < 0 ? r : attach_signals(agent);
}

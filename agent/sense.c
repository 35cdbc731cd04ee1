/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/log.h"
#include "agent/sense.h"
#include "agent/kernel/vips.h"

/* How many notifications are worked off before the loop looks at anything else. */
enum { SENSE_BURST = 64 };

static void step_type(struct agent *agent, enum core_event_type type, uint8_t peer)
{
	struct core_event event = { .type = type, .peer = peer };

	agent_step(agent, &event);
}

/* Anybody who has the key, or a recorder, can send us as many of these as he likes. */
static void log_outsider(struct agent *agent, const struct beat_received *received)
{
	char buf[64];
	const char *from = conf_format_ip(&received->from, buf, sizeof(buf));

	if (received->outcome == BEAT_STRANGER) {
		if (log_is_due(&agent->stranger_logged, agent_now()))
			log_say(LOG_LEVEL_WARNING,
				"node %s (%s) sends us heartbeats but is not in our configuration: "
				"told it so",
				received->name, from);
	} else if (log_is_due(&agent->misplaced_logged, agent_now())) {
		log_say(LOG_LEVEL_WARNING,
			"%s sends us heartbeats in the name of node %s, but is not the node that "
			"our configuration calls so: ignored",
			from, received->name);
	}
}

static void hear(struct agent *agent, const struct beat_received *received)
{
	struct core_event event = { .type = CORE_EV_BEAT, .peer = received->peer };

	switch (received->outcome) {
	case BEAT_FRESH:
		event.beat = &received->beat;
		agent_step(agent, &event);
		break;
	case BEAT_UNREACHABLE:
		step_type(agent, CORE_EV_UNREACHABLE, received->peer);
		break;
	case BEAT_DISOWNED:
		step_type(agent, CORE_EV_DISOWNED, received->peer);
		break;
	case BEAT_STRANGER:
	case BEAT_MISPLACED:
		log_outsider(agent, received);
		break;
	case BEAT_NOTHING:
	case BEAT_HANDLED:
	case BEAT_REFUSED:
	case _BEAT_OUTCOME_MAX:
		break;
	}
}

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
	r = beat_receive(agent->beat, index_of_fd(agent, fd), agent_now(), &received);
	if (r >= 0)
		hear(agent, &received);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	step_type(data, CORE_EV_TIME, CORE_NODE_NONE);
	return 0;
}

/* Fitness follows the links (R3). */
static void compare_links(struct agent *agent)
{
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		bool unfit = !links_run(&agent->links, &agent->conf->groups[g]);
		struct core_event event = { .type = CORE_EV_FITNESS, .group = g };

		if (unfit == !!(agent->core.groups[g].unfit & CORE_UNFIT_LINK))
			continue;
		event.fitness.reason = CORE_UNFIT_LINK;
		event.fitness.unfit = unfit;
		agent_step(agent, &event);
	}
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
}

/**
 * sense_links() - Take in a complete list of the interfaces
 *
 * Return: 0.
 */
int sense_links(struct agent *agent, const struct link *links, size_t n)
{
	agent->links.n = 0;
	for (size_t i = 0; i < n; i++)
		note_link(agent, &links[i]);
	compare_links(agent);
	return 0;
}

/* An address has gone: is it one that we hold? */
static void note_loss(struct agent *agent, const struct addr *addr)
{
	const char *ifname = links_name(&agent->links, addr->ifindex);

	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		struct core_event event = { .type = CORE_EV_LOST, .group = g };

		if (agent->held[g] && vips_contain(&agent->conf->groups[g], ifname, addr))
			agent_step(agent, &event);
	}
}

static void reread(struct agent *agent)
{
	struct worker_order look = { .type = WORKER_LOOK };

	(void)worker_order(agent->worker, &look); /* refused: the next overrun asks again */
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		struct worker_order refresh = { .type = WORKER_REFRESH, .group = g };

		if (agent->held[g])
			(void)worker_order(agent->worker, &refresh);
	}
}

static void notice(struct agent *agent, const struct monitor_event *event)
{
	switch (event->kind) {
	case MONITOR_LINK:
		note_link(agent, &event->link);
		compare_links(agent);
		break;
	case MONITOR_LINK_GONE:
		links_forget(&agent->links, event->link.index);
		announcer_link_gone(agent->announcer, event->link.index);
		compare_links(agent);
		break;
	case MONITOR_ADDR_GONE:
		note_loss(agent, &event->addr);
		break;
	case MONITOR_GATE_GONE:
		step_type(agent, CORE_EV_FLUSHED, CORE_NODE_NONE);
		break;
	case MONITOR_OVERRUN:
		reread(agent);
		break;
	case MONITOR_ADDR:
	case MONITOR_NOTHING:
		break;
	}
}

static int on_monitor(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct agent *agent = data;
	struct monitor *monitor = fd == monitor_fd(agent->nft) ? agent->nft : agent->rtnl;
	struct monitor_event event;

	(void)source;
	(void)events; /* whatever it is, reading tells */
	for (int i = 0; i < SENSE_BURST; i++) {
		if (monitor_next(monitor, &event) < 0 || event.kind == MONITOR_NOTHING)
			break;
		if (event.kind == MONITOR_OVERRUN && monitor == agent->nft)
			event.kind =
				MONITOR_GATE_GONE; /* it may have: laying it anew does no harm */
		notice(agent, &event);
	}
	return 0;
}

/* What only this file needs to know of a result, and what the core has to hear of. */
static void take_result(struct agent *agent, const struct worker_result *result)
{
	struct core_event event = { .type = CORE_EV_DONE, .group = result->group };

	if (result->type == WORKER_LOOK) {
		if (!result->err)
			(void)sense_links(agent, result->links, result->n_links);
		free(result->links);
		return;
	}
	if (result->type == WORKER_REFRESH_ARP) {
		if (result->lease_lost && result->id == agent->lease_epoch &&
		    instant_is_set(agent->core.lease_until))
			step_type(agent, CORE_EV_LAPSED, CORE_NODE_NONE);
		return;
	}
	if (result->type == WORKER_STORE && result->err)
		log_say(LOG_LEVEL_WARNING,
			"cannot store the term of group %s in %s: %s; a restart may not know it",
			agent->conf->groups[result->group].name, agent->state_directory,
			strerror(-result->err));
	event.done.id = result->id;
	event.done.err = result->err;
	if (result->id)
		agent_step(agent, &event);
}

static int on_worker(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct agent *agent = data;
	struct worker_result result;

	(void)source;
	(void)fd;
	(void)events;
	while (worker_next(agent->worker, &result))
		take_result(agent, &result);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *data)
{
	struct core_event event = { .type = CORE_EV_STOP, .restart = si->ssi_signo == SIGUSR2 };

	(void)source;
	agent_step(data, &event);
	return 0;
}

static int on_refresh(sd_event_source *source, uint64_t usec, void *data)
{
	struct agent *agent = data;

	(void)usec;
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		struct worker_order order = { .type = WORKER_REFRESH, .group = g };

		if (agent->held[g])
			(void)worker_order(agent->worker, &order); /* the next round is in time */
	}
	return sd_event_source_set_time_relative(source, agent->conf->address_lifetime_s *
								 USEC_PER_SEC / 3);
}

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
	r = sd_event_add_time_relative(agent->loop, &agent->refresh, CLOCK_BOOTTIME,
				       agent->conf->address_lifetime_s * USEC_PER_SEC / 3, 0,
				       on_refresh, agent);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(agent->refresh, SD_EVENT_ON);
	if (r < 0)
		return r;
	for (const int *signo = (const int[]){ SIGTERM, SIGINT, SIGUSR2, 0 }; *signo; signo++) {
		r = sd_event_add_signal(agent->loop, NULL, *signo, on_signal, agent);
		if (r < 0)
			return r;
	}
	return 0;
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
	r = watch(agent, monitor_fd(agent->rtnl), on_monitor, SD_EVENT_PRIORITY_NORMAL - 1);
	if (r < 0)
		return r;
	r = watch(agent, monitor_fd(agent->nft), on_monitor, SD_EVENT_PRIORITY_NORMAL - 1);
	if (r < 0)
		return r;
	return attach_timers(agent);
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "agent/agent.h"
#include "agent/check/check.h"
#include "agent/check/tcp.h"
#include "agent/cleanup.h"
#include "agent/tell.h"

/*
 * Behind heartbeats, deadlines and calls, which are at NORMAL and before; and a result before the
 * time-out: after a freeze both are there.
 */
enum {
	INPUT_PRIORITY = SD_EVENT_PRIORITY_NORMAL + 10,
	TIMER_PRIORITY = INPUT_PRIORITY + 1,
};

static const struct conf_group *conf_of(const struct check *check)
{
	return &check->agent->conf->groups[check->group];
}

static void set_timer(struct check *check, instant due)
{
	(void)sd_event_source_set_time(check->timer, due.us);
	(void)sd_event_source_set_enabled(check->timer, SD_EVENT_ONESHOT);
}

static bool is_unfit(const struct agent *agent, uint8_t group)
{
	return agent->conf->groups[group].check_unfit &&
	       checks_find_failed(agent->checks, group) != NULL;
}

/* One that is over begins again an interval after it began: so they stay as far apart as they are.
 */
static void end(struct check *check, const char *fault)
{
	const struct conf_group *conf = conf_of(check);
	struct core_event event = { .type = CORE_EV_FITNESS, .group = check->group };
	bool before = is_unfit(check->agent, check->group);
	enum streak_state state = check->streak.state;
	char name[CONF_CHECK_NAME_MAX];

	check->input = sd_event_source_disable_unref(check->input);
	check->ended = clock_now();
	set_timer(check,
		  instant_later(instant_add(check->began, conf->check_interval_us), check->ended));
	(void)snprintf(check->text, sizeof(check->text), "%s", fault ? fault : "connected");
	if (!streak_note(&check->streak, !fault, conf->check_rise, conf->check_fall))
		return;
	if (fault || state == STREAK_FAILED)
		tell_check(check->agent, check->group, conf_check_name(check->conf, name), fault);
	event.fitness.reason = CORE_UNFIT_CHECK;
	event.fitness.unfit = is_unfit(check->agent, check->group);
	if (event.fitness.unfit != before)
		agent_step(check->agent, &event);
}

static int on_input(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	int r = tcp_result(fd);

	(void)source;
	(void)revents;
	end(data, r < 0 ? strerror(-r) : NULL);
	return 0;
}

static const struct ip *address_of(const struct check *check)
{
	const struct agent *agent = check->agent;

	return check->conf->self ? &agent->conf->nodes[agent->self].paths[0] : &check->conf->ip;
}

/* Takes @fd in any case. */
static int listen_to(struct check *check, int fd)
{
	_cleanup_(close_fdp) int owned = fd;
	int r;

	r = sd_event_add_io(check->agent->loop, &check->input, fd, EPOLLOUT, on_input, check);
	if (r < 0)
		return r;
	r = sd_event_source_set_io_fd_own(check->input, true);
	if (r < 0)
		return r;
	(void)TAKE_FD(owned);
	return sd_event_source_set_priority(check->input, INPUT_PRIORITY);
}

static void begin(struct check *check)
{
	const struct conf_group *conf = conf_of(check);
	const struct ip *ip = address_of(check);
	_cleanup_(close_fdp) int fd = -1;
	int r;

	check->began = clock_now();
	r = tcp_open(ip, &fd);
	if (r < 0)
		goto no_result;
	r = tcp_connect(fd, ip, check->conf->port);
	if (r < 0) {
		end(check, strerror(-r));
		return;
	}
	r = listen_to(check, TAKE_FD(fd));
	if (r < 0)
		goto no_result;
	set_timer(check, instant_add(check->began, conf->check_timeout_us));
	return;
no_result: /* this host lacks something: that says nothing of the service */
	check->input = sd_event_source_disable_unref(check->input);
	set_timer(check, instant_add(check->began, conf->check_interval_us));
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct check *check = data;
	char fault[CHECK_TEXT_MAX];

	(void)source;
	(void)usec;
	if (!check->input) {
		begin(check);
		return 0;
	}
	(void)snprintf(fault, sizeof(fault), "no answer within %" PRIu32 " ms",
		       (uint32_t)(conf_of(check)->check_timeout_us / USEC_PER_MSEC));
	end(check, fault);
	return 0;
}

/* Somewhere within its first interval, so that hundreds do not fall together. */
static int add(struct checks *checks, struct agent *agent, uint8_t group, size_t i)
{
	const struct conf_group *conf = &agent->conf->groups[group];
	struct check *check = &checks->v[checks->n++];
	instant first = instant_add(clock_now(), randombytes_uniform(conf->check_interval_us));
	int r;

	*check = (struct check){ .agent = agent, .conf = &conf->checks[i], .group = group };
	r = sd_event_add_time(agent->loop, &check->timer, CLOCK_BOOTTIME, first.us, USEC_PER_MSEC,
			      on_timer, check);
	return r < 0 ? r : sd_event_source_set_priority(check->timer, TIMER_PRIORITY);
}

/**
 * checks_new() - Have the services of all groups checked as soon as the loop runs
 * @ret: owned by the caller
 *
 * Return: 0; -ENOMEM; errors of sd-event.
 */
int checks_new(struct agent *agent, struct checks **ret)
{
	_cleanup_(checks_freep) struct checks *checks = calloc(1, sizeof(*checks));
	const struct conf *conf = agent->conf;
	size_t n = 0;

	if (!checks)
		return -ENOMEM;
	for (size_t g = 0; g < conf->n_groups; g++)
		n += conf->groups[g].n_checks;
	checks->v = calloc(n ? n : 1, sizeof(*checks->v));
	if (!checks->v)
		return -ENOMEM;
	for (uint8_t g = 0; g < conf->n_groups; g++) {
		for (size_t i = 0; i < conf->groups[g].n_checks; i++) {
			int r = add(checks, agent, g, i);

			if (r < 0)
				return r;
		}
		checks->first[g + 1] = checks->n;
	}
	*ret = TAKE(checks);
	return 0;
}

/**
 * checks_free() - End all checks, also amid one
 */
struct checks *checks_free(struct checks *checks)
{
	if (!checks)
		return NULL;
	for (size_t i = 0; i < checks->n; i++) {
		sd_event_source_disable_unref(checks->v[i].timer);
		sd_event_source_disable_unref(checks->v[i].input);
	}
	free(checks->v);
	free(checks);
	return NULL;
}

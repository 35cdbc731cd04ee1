/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/bus/bus.h"
#include "agent/bus/bus_values.h"
#include "agent/bus/inhibit.h"
#include "agent/cleanup.h"
#include "agent/drain/drain.h"
#include "agent/explain/explain.h"
#include "agent/log.h"
#include "agent/reaction/react.h"
#include "agent/reload.h"
#include "agent/systemd/systemd.h"
#include "agent/why.h"

/* A bus that is not there is looked for soon, as it may only restart, then less and less often. */
#define BUS_RETRY_MIN_US (50 * USEC_PER_MSEC)
#define BUS_RETRY_MAX_US (2 * USEC_PER_SEC)

/* Where a group's role is going. */
enum bus_way {
	BUS_WAY_NONE,
	BUS_WAY_TO_PRIMARY,
	BUS_WAY_TO_BACKUP,
};

struct bus {
	struct agent *agent;
	struct bus_values *values;
	struct inhibitors *inhibitors; /* are there without a bus, too */
	struct api_ops ops;
	sd_bus *connection;
	struct api *api;
	sd_event_source *retry;
	uint64_t retry_us;		    /* how long to wait before the next try */
	enum bus_way ways[CORE_GROUPS_MAX]; /* as signalled */
	bool complained;		    /* the log says already that there is no bus */
	bool nameless;			    /* the same of our name */
	char why[WHY_TEXT_MAX];		    /* what a caller was told last */
	struct explanation explanation;
	struct api_field fields[_EVENT_FIELD_MAX]; /* of the event asked for last */
};

static void get_manager(void *ctx, struct api_manager *ret)
{
	bus_values_manager(((struct bus *)ctx)->values, ret);
}

static void get_group(void *ctx, size_t group, struct api_group *ret)
{
	struct bus *bus = ctx;
	struct drain_state drain;

	bus_values_group(bus->values, group, ret);
	inhibit_list(bus->inhibitors, group, &ret->inhibitors);
	ret->draining = drain_look(bus->agent->drains, (uint8_t)group, &drain);
	ret->connections = ret->draining ? drain.connections : 0;
	ret->drain_until_us = ret->draining ? drain.until.us : 0;
}

static void get_peer(void *ctx, size_t peer, struct api_peer *ret)
{
	bus_values_peer(((struct bus *)ctx)->values, peer, ret);
}

static const char *can_switchover(void *ctx, size_t group)
{
	struct bus *bus = ctx;
	enum core_result result = core_can_switchover(&bus->agent->core, (uint8_t)group);

	return why_refused(bus->agent, (uint8_t)group, result, bus->why);
}

static char **explain_group(void *ctx, size_t group)
{
	struct bus *bus = ctx;
	int r;

	r = explain(bus->agent, (uint8_t)group, clock_now(), &bus->explanation);
	return r < 0 ? NULL : bus->explanation.list;
}

/* In the core's number, from 1 on; 0: there is no such node. */
static uint8_t number_of(const struct conf *conf, const char *name)
{
	for (uint8_t i = 0; i < conf->n_nodes; i++)
		if (strcmp(conf->nodes[i].name, name) == 0)
			return i + 1;
	return 0;
}

static void switchover(void *ctx, size_t group, const struct api_switchover *how,
		       api_request request)
{
	struct core_event event = { .type = CORE_EV_SWITCHOVER, .group = (uint8_t)group };
	struct bus *bus = ctx;

	event.request.request = request;
	event.request.options = (struct core_options){
		.strict = how->strict,
		.force = how->force,
		.to = how->to ? number_of(bus->agent->conf, how->to) : 0,
		/* whoever waits for longer than an hour does not mind */
		.within_us = (uint32_t)(how->within_us < UINT32_MAX ? how->within_us : UINT32_MAX),
	};
	if (how->to && !event.request.options.to)
		(void)api_reply_error(bus->api, request, "NoSuchNode", NULL); /* it may have gone */
	else
		agent_step(bus->agent, &event);
}

static void drain(void *ctx, size_t group, uint64_t timeout_us, api_request request)
{
	drain_begin(((struct bus *)ctx)->agent->drains, (uint8_t)group, timeout_us, request);
}

static void abandon(void *ctx, api_request request)
{
	drain_abandon(((struct bus *)ctx)->agent->drains, request);
}

/* What has become of it goes to the caller, who may have gone: then it ends with the descriptor. */
static void answer_inhibitor(struct bus *bus, api_request request, int answered)
{
	_cleanup_(close_fdp) int fd = answered;

	if (bus->api && fd >= 0)
		(void)api_reply_fd(bus->api, request, fd);
}

static void inhibit(void *ctx, size_t group, const struct api_inhibitor *by, api_request request)
{
	struct bus *bus = ctx;
	int r = inhibit_begin(bus->inhibitors, (uint8_t)group, by, request);

	if (r == 0)
		answer_inhibitor(bus, request, inhibit_answered(bus->inhibitors, request, true));
	else if (r == -EBUSY)
		(void)api_reply_error(bus->api, request, "Busy", NULL); /* it may have gone */
	else if (r < 0)
		(void)api_reply_error(bus->api, request, "Failed", strerror(-r)); /* the same */
}

static void inhibitors_changed(void *ctx, uint8_t group)
{
	struct bus *bus = ctx;

	if (bus->api)
		(void)api_group_changed(bus->api, group); /* see bus_refresh() */
}

static void set_maintenance(void *ctx, size_t group, bool on, api_request request)
{
	struct core_event event = { .type = CORE_EV_MAINTENANCE, .group = (uint8_t)group };

	event.request.request = request;
	event.request.on = on;
	agent_step(((struct bus *)ctx)->agent, &event);
}

static void ask_announce(void *ctx, size_t group)
{
	agent_step_group(((struct bus *)ctx)->agent, CORE_EV_ANNOUNCE, (uint8_t)group);
}

static void ask_test(void *ctx, size_t group, const char *event, api_request request)
{
	struct bus *bus = ctx;

	if (react_test(bus->agent->react, (uint8_t)group, event, request) == 0)
		(void)api_reply_error(bus->api, request, "NoReaction", NULL); /* it may have gone */
}

static int get_trace(void *ctx)
{
	return recorder_read(((struct bus *)ctx)->agent->recorder);
}

static bool next_event(void *ctx, uint64_t since_us, uint64_t after, struct api_event *ret)
{
	struct bus *bus = ctx;
	const struct event *event;

	event = history_find(bus->agent->history, since_us, after);
	if (event)
		bus_values_event(event, bus->fields, ret);
	return event;
}

static void ask_reload(void *ctx, api_request request)
{
	reload_begin(((struct bus *)ctx)->agent->reload, request);
}

static void named(void *ctx, int err)
{
	struct bus *bus = ctx;
	bool was_nameless = bus->nameless, was_away = bus->complained;

	bus->nameless = err != 0;
	if (!err) {
		bus->complained = false;
		bus->retry_us = BUS_RETRY_MIN_US;
	}
	if (!err && was_nameless)
		log_say(LOG_LEVEL_NOTICE, "the name %s on the bus is ours now", API_NAME);
	else if (!err && was_away)
		log_say(LOG_LEVEL_INFO, "on the bus again, as %s", API_NAME);
	else if (err == -EEXIST)
		log_say(LOG_LEVEL_ERROR,
			"another agent has the name %s on this bus: "
			"this one cannot be asked for anything",
			API_NAME);
	else if (err)
		log_say(LOG_LEVEL_ERROR,
			"the bus refuses the name %s: %s; is its policy installed?", API_NAME,
			strerror(-err));
}

static void detach(struct bus *bus)
{
	systemd_detach(bus->agent->systemd);
	bus->api = api_free(bus->api);
	if (bus->connection)
		(void)sd_bus_detach_event(bus->connection); /* of an open or a dead connection */
	bus->connection = sd_bus_close_unref(bus->connection);
}

static int later(struct bus *bus)
{
	int r;

	r = sd_event_source_set_time_relative(bus->retry, bus->retry_us);
	bus->retry_us = bus->retry_us < BUS_RETRY_MAX_US / 2 ? bus->retry_us * 2 : BUS_RETRY_MAX_US;
	return r < 0 ? r : sd_event_source_set_enabled(bus->retry, SD_EVENT_ONESHOT);
}

static int on_disconnected(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct bus *bus = data;

	(void)m;
	(void)error;
	if (!bus->complained)
		log_say(LOG_LEVEL_WARNING,
			"the bus has gone; going on without, and looking for it");
	bus->complained = true;
	return later(bus);
}

/* Connect without waiting: sd-bus finishes it from the loop. */
static int connect_bus(struct bus *bus)
{
	const char *address = getenv("DBUS_SYSTEM_BUS_ADDRESS");
	int r;

	r = sd_bus_new(&bus->connection);
	if (r < 0)
		return r;
	r = sd_bus_set_address(bus->connection,
			       address ? address : "unix:path=/run/dbus/system_bus_socket");
	if (r < 0)
		return r;
	r = sd_bus_set_bus_client(bus->connection, true);
	if (r < 0)
		return r;
	r = sd_bus_start(bus->connection);
	if (r < 0)
		return r;
	return sd_bus_attach_event(bus->connection, bus->agent->loop, SD_EVENT_PRIORITY_NORMAL);
}

static int attach(struct bus *bus)
{
	int r;

	detach(bus);
	r = connect_bus(bus);
	if (r >= 0)
		r = sd_bus_match_signal_async(bus->connection, NULL, "org.freedesktop.DBus.Local",
					      "/org/freedesktop/DBus/Local",
					      "org.freedesktop.DBus.Local", "Disconnected",
					      on_disconnected, NULL, bus);
	if (r >= 0)
		r = api_new(bus->connection, &bus->ops, bus, &bus->api);
	if (r >= 0) {
		systemd_attach(bus->agent->systemd, bus->connection);
		return 0; /* named() hears whether that is so */
	}
	if (!bus->complained)
		log_say(LOG_LEVEL_WARNING, "no bus: %s; going on without, and looking for it",
			strerror(-r));
	bus->complained = true;
	detach(bus);
	systemd_missing(bus->agent->systemd);
	return later(bus);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	return attach(data);
}

/**
 * bus_new() - Offer the agent on the bus, now or as soon as there is one
 *
 * Return: 0, also without a bus; -ENOMEM; errors of sd-event.
 */
int bus_new(struct agent *agent, struct bus **ret)
{
	_cleanup_(bus_freep) struct bus *bus = calloc(1, sizeof(*bus));
	int r;

	if (!bus)
		return -ENOMEM;
	bus->agent = agent;
	bus->retry_us = BUS_RETRY_MIN_US;
	bus->ops = (struct api_ops){ .get_manager = get_manager,
				     .n_groups = agent->conf->n_groups,
				     .n_peers = agent->conf->n_nodes - 1,
				     .get_group = get_group,
				     .get_peer = get_peer,
				     .can_switchover = can_switchover,
				     .explain = explain_group,
				     .switchover = switchover,
				     .drain = drain,
				     .abandon = abandon,
				     .set_maintenance = set_maintenance,
				     .inhibit = inhibit,
				     .announce = ask_announce,
				     .test = ask_test,
				     .get_trace = get_trace,
				     .next_event = next_event,
				     .reload = ask_reload,
				     .named = named };
	r = bus_values_new(agent, &bus->values);
	if (r < 0)
		return r;
	r = inhibitors_new(agent, inhibitors_changed, bus, &bus->inhibitors);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(agent->loop, &bus->retry, CLOCK_BOOTTIME, 0, 0, on_retry,
				       bus);
	if (r < 0)
		return r;
	*ret = TAKE(bus);
	return 0;
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return NULL;
	detach(bus);
	sd_event_source_disable_unref(bus->retry);
	inhibitors_free(bus->inhibitors);
	bus_values_free(bus->values);
	free(bus);
	return NULL;
}

/**
 * bus_inhibited() - Does somebody keep this node out of a group by InhibitTakeover()?
 */
bool bus_inhibited(const struct bus *bus, uint8_t group)
{
	return inhibit_any(bus->inhibitors, group);
}

/* The caller may have gone. */
static void reply_ok(struct bus *bus, const struct core_action *action, const uint32_t *left)
{
	uint8_t primary = action->reply.primary;
	const char *name = primary == CORE_NODE_NONE ? "" : bus->agent->conf->nodes[primary].name;

	if (left)
		(void)api_reply_drained(bus->api, action->reply.request, name,
					action->reply.took_us, *left);
	else
		(void)api_reply_ok(bus->api, action->reply.request, name, action->reply.took_us);
}

/**
 * bus_reply() - Answer a caller
 * @action: CORE_DO_REPLY; a request 0 was nobody's
 */
void bus_reply(struct bus *bus, const struct core_action *action)
{
	bool ok = action->reply.result == CORE_RESULT_OK, drained;
	uint32_t left;
	int inhibitor;

	if (!action->reply.request)
		return;
	inhibitor = inhibit_answered(bus->inhibitors, action->reply.request, ok);
	if (inhibitor >= 0)
		answer_inhibitor(bus, action->reply.request, inhibitor);
	drained = drain_answered(bus->agent->drains, action->reply.request, &left);
	if (inhibitor >= 0 || !bus->api)
		return;
	if (ok)
		reply_ok(bus, action, drained ? &left : NULL);
	else
		(void)api_reply_error(
			bus->api, action->reply.request, core_result_name(action->reply.result),
			why_refused(bus->agent, action->group, action->reply.result, bus->why));
}

/**
 * bus_refuse() - Answer a caller: it has not been done
 * @error: name without its prefix
 * @text: for people
 */
void bus_refuse(struct bus *bus, api_request request, const char *error, const char *text)
{
	if (bus->api)
		(void)api_reply_error(bus->api, request, error, text); /* it may have gone */
}

static enum bus_way way_of(const struct core_group *group)
{
	if (group->state == CORE_STATE_CLAIMING)
		return BUS_WAY_TO_PRIMARY;
	if (group->state == CORE_STATE_YIELDING || group->step == CORE_STEP_PRIMARY_UNITS)
		return BUS_WAY_TO_BACKUP;
	return BUS_WAY_NONE;
}

/* A move begins for people with what comes before it, which the group is primary for still. */
static void signal_way(struct bus *bus, size_t i)
{
	const struct core_group *group = &bus->agent->core.groups[i];
	enum bus_way way = way_of(group);

	if (way != bus->ways[i] && way != BUS_WAY_NONE)
		(void)api_role_changing(
			bus->api, i, way == BUS_WAY_TO_PRIMARY ? "primary" : "backup",
			core_reason_name(group->step == CORE_STEP_PRIMARY_UNITS ? group->leaving
										: group->reason));
	bus->ways[i] = way;
}

/**
 * bus_reload_done() - Answer who wanted the configuration read again: it is good
 */
void bus_reload_done(struct bus *bus, api_request request, bool changes)
{
	if (bus->api)
		(void)api_reply_reload(bus->api, request, changes); /* as in bus_reply() */
}

/**
 * bus_tested() - Answer who has fired an event by hand
 * @reactions: what has become of them
 */
void bus_tested(struct bus *bus, api_request request, const struct api_reaction *reactions,
		size_t n)
{
	if (bus->api)
		(void)api_reply_tested(bus->api, request, reactions, n); /* as in bus_reply() */
}

/**
 * bus_refresh() - Signal what has changed since the last time
 */
void bus_refresh(struct bus *bus)
{
	if (!bus->api)
		return;
	/* a bus that fails is noticed elsewhere */
	for (size_t i = 0; i < bus->ops.n_groups; i++) {
		signal_way(bus, i);
		if (bus_values_group_changed(bus->values, i))
			(void)api_group_changed(bus->api, i);
	}
	for (size_t i = 0; i < bus->ops.n_peers; i++)
		if (bus_values_peer_changed(bus->values, i))
			(void)api_peer_changed(bus->api, i);
}

/**
 * bus_group_changed() - Signal what has changed of a group, and is not the core's
 */
void bus_group_changed(struct bus *bus, uint8_t group)
{
	if (bus->api)
		(void)api_group_changed(bus->api, group); /* see bus_refresh() */
}

void bus_role(struct bus *bus, uint8_t group, const char *role, const char *reason)
{
	if (bus->api)
		(void)api_role_changed(bus->api, group, role, reason); /* see bus_refresh() */
}

void bus_event(struct bus *bus, const struct event *event)
{
	struct api_field fields[_EVENT_FIELD_MAX];
	struct api_event out;

	bus_values_event(event, fields, &out);
	if (bus->api)
		(void)api_event(bus->api,
				event_kind(event->type)->of_group ? event->group : API_NO_GROUP,
				&out); /* see bus_refresh() */
}

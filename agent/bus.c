/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/bus.h"
#include "agent/cleanup.h"
#include "agent/log.h"
#include "agent/why.h"
#include "sdbus/api.h"

/* A bus that is not there is looked for soon, as it may only restart, then less and less often. */
#define BUS_RETRY_MIN_US (50 * USEC_PER_MSEC)
#define BUS_RETRY_MAX_US (2 * USEC_PER_SEC)

enum { UNFIT_BITS = 16, ADDRESS_TEXT_MAX = 96 };

/* What of a group can change, to tell at little cost whether it did. */
struct seen {
	enum core_state state;
	enum core_reason reason;
	uint64_t term, last_switchover_us;
	uint16_t unfit;
	uint8_t primary;
	bool maintenance;
	uint32_t nodes[CORE_NODES_MAX]; /* node_key() */
};

struct seen_peer {
	bool known, up, no_agent, digest_differs;
};

struct bus {
	struct agent *agent;
	struct api_ops ops;
	sd_bus *connection;
	struct api *api;
	sd_event_source *retry;
	uint64_t retry_us;			     /* how long to wait before the next try */
	bool complained;			     /* the log says already that there is no bus */
	bool nameless;				     /* the same of our name */
	char **addresses[CORE_GROUPS_MAX];	     /* texts, NULL-terminated */
	struct api_node nodes[CORE_NODES_MAX];	     /* of the group asked for last */
	char *unfit[CORE_NODES_MAX][UNFIT_BITS + 1]; /* the same */
	char why[WHY_TEXT_MAX];			     /* what a caller was told last */
	struct api_path paths[CONF_PATHS_MAX];
	char path_texts[CONF_PATHS_MAX][2][ADDRESS_TEXT_MAX];
	struct seen seen[CORE_GROUPS_MAX];
	struct seen_peer seen_peers[CORE_NODES_MAX];
};

/* Peers are numbered without ourselves on the bus. */
static uint8_t node_of_peer(const struct agent *agent, size_t peer)
{
	return (uint8_t)(peer < agent->self ? peer : peer + 1);
}

static uint64_t refused(const struct beat_stats *stats)
{
	uint64_t sum = stats->replayed + stats->unproven + stats->misplaced;

	for (size_t i = WIRE_ACCEPTED + 1; i < _WIRE_REFUSAL_MAX; i++)
		sum += stats->refused[i];
	return sum;
}

static void get_manager(void *ctx, struct api_manager *ret)
{
	struct agent *agent = ((struct bus *)ctx)->agent;
	struct beat_stats stats;

	beat_stats(agent->beat, &stats);
	*ret = (struct api_manager){
		.version = API_VERSION,
		.node = agent->conf->nodes[agent->self].name,
		.interval_us = agent->conf->interval_us,
		.lease_us = agent->conf->lease_us,
		.dead_us = agent->conf->dead_us,
		.lease_remaining_us = instant_since(agent->core.lease_until, agent_now()),
		.refused = refused(&stats),
		.strangers = stats.strangers,
	};
}

static char **unfit_words(uint16_t unfit, char *ret[static UNFIT_BITS + 1])
{
	size_t n = 0;

	for (unsigned bit = 1; bit < _CORE_UNFIT_MASK; bit <<= 1)
		if (unfit & bit)
			ret[n++] = (char *)core_unfit_name((enum core_unfit)bit);
	ret[n] = NULL;
	return ret;
}

static const char *peer_state(const struct core_peer *p)
{
	if (p->up)
		return "up";
	if (p->no_agent)
		return "no-agent";
	return p->known ? "silent" : "unknown";
}

/* What a peer says of a group; NULL if it says nothing, or not any more. */
static const struct core_record *heard_of(const struct core *core, uint8_t node, size_t group)
{
	const struct core_peer *p = &core->peers[node];

	return p->up && p->beat.groups[group].present ? &p->beat.groups[group] : NULL;
}

static struct api_node describe_node(struct bus *bus, uint8_t node, size_t group)
{
	const struct agent *agent = bus->agent;
	const struct core_group *ours = &agent->core.groups[group];
	const struct core_record *theirs = heard_of(&agent->core, node, group);
	struct api_node ret = { .name = agent->conf->nodes[node].name };
	uint16_t unfit = 0;

	if (node == agent->self) {
		ret.state = core_state_name(ours->state);
		unfit = ours->unfit;
	} else if (theirs) {
		ret.state = core_state_name(theirs->state);
		unfit = theirs->unfit;
	} else {
		ret.state = agent->core.peers[node].up ? "absent"
						       : peer_state(&agent->core.peers[node]);
	}
	ret.unfit = unfit_words(unfit, bus->unfit[node]);
	return ret;
}

static void get_group(void *ctx, size_t i, struct api_group *ret)
{
	struct bus *bus = ctx;
	const struct agent *agent = bus->agent;
	const struct core_group *g = &agent->core.groups[i];
	const struct conf_group *conf = &agent->conf->groups[i];
	uint8_t primary = core_primary(&agent->core, (uint8_t)i);

	for (uint8_t node = 0; node < agent->conf->n_nodes; node++)
		bus->nodes[node] = describe_node(bus, node, i);
	*ret = (struct api_group){
		.name = conf->name,
		.role = g->primary ? "primary" : "backup",
		.state = core_state_name(g->state),
		.primary = primary == CORE_NODE_NONE ? "" : agent->conf->nodes[primary].name,
		.reason = core_reason_name(g->reason),
		.mode = "alias",
		.redundancy = conf->core.hot ? "hot" : "warm",
		.handover = conf->core.strict ? "strict" : "seamless",
		.term = g->term,
		.role_since_us = g->since.us,
		.last_switchover_us = g->last_switchover_us,
		.fit = !g->unfit,
		.maintenance = g->maintenance,
		.unfit = bus->unfit[agent->self],
		.virtual_addresses = bus->addresses[i],
		.nodes = { bus->nodes, agent->conf->n_nodes },
	};
}

static void get_peer(void *ctx, size_t peer, struct api_peer *ret)
{
	struct bus *bus = ctx;
	struct agent *agent = bus->agent;
	uint8_t node = node_of_peer(agent, peer);
	size_t n = beat_n_paths(agent->beat, node);

	for (size_t i = 0; i < n && i < CONF_PATHS_MAX; i++) {
		struct beat_path_stats stats;

		beat_path_stats(agent->beat, node, i, &stats);
		bus->paths[i] = (struct api_path){
			.local = conf_format_ip(&stats.local, bus->path_texts[i][0],
						ADDRESS_TEXT_MAX),
			.remote = conf_format_ip(&stats.remote, bus->path_texts[i][1],
						 ADDRESS_TEXT_MAX),
			.sent = stats.sent,
			.received = stats.received,
			.lost = stats.lost,
			.rtt_us = stats.rtt_us,
			.rtt_min_us = stats.rtt_min_us,
			.heard_us = stats.heard.us,
		};
	}
	*ret = (struct api_peer){
		.name = agent->conf->nodes[node].name,
		.state = peer_state(&agent->core.peers[node]),
		.same_configuration = !agent->core.peers[node].digest_differs,
		.paths = bus->paths,
		.n_paths = n,
	};
}

static const char *can_switchover(void *ctx, size_t group)
{
	struct bus *bus = ctx;
	enum core_result result = core_can_switchover(&bus->agent->core, (uint8_t)group);

	return why_refused(bus->agent, (uint8_t)group, result, bus->why);
}

static void switchover(void *ctx, size_t group, api_request request)
{
	struct core_event event = { .type = CORE_EV_SWITCHOVER, .group = (uint8_t)group };

	event.request.request = request;
	agent_step(((struct bus *)ctx)->agent, &event);
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
	struct core_event event = { .type = CORE_EV_ANNOUNCE, .group = (uint8_t)group };

	agent_step(((struct bus *)ctx)->agent, &event);
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
	bus->api = api_free(bus->api);
	if (bus->connection)
		(void)sd_bus_detach_event(bus->connection); /* of an open or a dead connection */
	bus->connection = sd_bus_close_unref(bus->connection);
}

static int later(struct bus *bus)
{
	int r;

	r = sd_event_source_set_time_relative(bus->retry, bus->retry_us);
	if (bus->retry_us < BUS_RETRY_MAX_US)
		bus->retry_us *= 2;
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
	if (r >= 0)
		return 0; /* named() hears whether that is so */
	if (!bus->complained)
		log_say(LOG_LEVEL_WARNING, "no bus: %s; going on without, and looking for it",
			strerror(-r));
	bus->complained = true;
	detach(bus);
	return later(bus);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	return attach(data);
}

static int format_addresses(struct bus *bus, size_t g)
{
	const struct conf_group *group = &bus->agent->conf->groups[g];
	char ip[ADDRESS_TEXT_MAX];

	bus->addresses[g] = calloc(group->n_vips + 1, sizeof(char *));
	if (!bus->addresses[g])
		return -ENOMEM;
	for (size_t i = 0; i < group->n_vips; i++) {
		const struct conf_vip *vip = &group->vips[i];

		if (asprintf(&bus->addresses[g][i], "%s/%u %s",
			     conf_format_ip(&vip->ip, ip, sizeof(ip)), vip->prefix,
			     vip->ifname) < 0) {
			bus->addresses[g][i] = NULL;
			return -ENOMEM;
		}
	}
	return 0;
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
				     .switchover = switchover,
				     .set_maintenance = set_maintenance,
				     .announce = ask_announce,
				     .named = named };
	for (size_t g = 0; g < agent->conf->n_groups; g++) {
		r = format_addresses(bus, g);
		if (r < 0)
			return r;
	}
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
	for (size_t g = 0; g < CORE_GROUPS_MAX; g++) {
		for (size_t i = 0; bus->addresses[g] && bus->addresses[g][i]; i++)
			free(bus->addresses[g][i]);
		free(bus->addresses[g]);
	}
	free(bus);
	return NULL;
}

/**
 * bus_reply() - Answer a caller
 * @action: CORE_DO_REPLY; a request 0 was nobody's
 */
void bus_reply(struct bus *bus, const struct core_action *action)
{
	const struct conf *conf = bus->agent->conf;
	uint8_t primary = action->reply.primary;

	if (!bus->api || !action->reply.request)
		return;
	if (action->reply.result == CORE_RESULT_OK)
		(void)api_reply_ok(bus->api, action->reply.request,
				   primary == CORE_NODE_NONE ? "" : conf->nodes[primary].name,
				   action->reply.took_us); /* the caller may have gone */
	else
		(void)api_reply_error(
			bus->api, action->reply.request, core_result_name(action->reply.result),
			why_refused(bus->agent, action->group, action->reply.result, bus->why));
}

/* All that Nodes says of a node other than this one, in a number. */
static uint32_t node_key(const struct core *core, uint8_t node, size_t group)
{
	const struct core_peer *p = &core->peers[node];
	const struct core_record *r = heard_of(core, node, group);

	if (r)
		return 1U << 31 | (uint32_t)r->state << 16 | r->unfit;
	return (uint32_t)p->up << 2 | (uint32_t)p->no_agent << 1 | p->known;
}

/* All bytes of it, padding included: it is compared as a whole. */
static void look_at(const struct core *core, uint8_t group, struct seen *ret)
{
	const struct core_group *g = &core->groups[group];

	memset(ret, 0, sizeof(*ret));
	ret->state = g->state;
	ret->reason = g->reason;
	ret->term = g->term;
	ret->last_switchover_us = g->last_switchover_us;
	ret->unfit = g->unfit;
	ret->primary = core_primary(core, group);
	ret->maintenance = g->maintenance;
	for (uint8_t node = 0; node < core->config.n_nodes; node++)
		ret->nodes[node] = node_key(core, node, group);
}

/**
 * bus_refresh() - Signal what has changed since the last time
 */
void bus_refresh(struct bus *bus)
{
	const struct core *core = &bus->agent->core;

	if (!bus->api)
		return;
	for (uint8_t i = 0; i < bus->agent->conf->n_groups; i++) {
		struct seen now;

		look_at(core, i, &now);
		if (!memcmp(&now, &bus->seen[i], sizeof(now)))
			continue;
		memcpy(&bus->seen[i], &now, sizeof(now));
		(void)api_group_changed(bus->api, i); /* a bus that fails is noticed elsewhere */
	}
	for (size_t i = 0; i < bus->ops.n_peers; i++) {
		const struct core_peer *p = &core->peers[node_of_peer(bus->agent, i)];
		struct seen_peer now = { p->known, p->up, p->no_agent, p->digest_differs };

		if (!memcmp(&now, &bus->seen_peers[i], sizeof(now)))
			continue;
		bus->seen_peers[i] = now;
		(void)api_peer_changed(bus->api, i);
	}
}

void bus_role(struct bus *bus, uint8_t group, const char *role, const char *reason)
{
	if (bus->api)
		(void)api_role_changed(bus->api, group, role, reason); /* see bus_refresh() */
}

void bus_event(struct bus *bus, uint8_t group, const char *id, const char *level, const char *text)
{
	if (bus->api)
		(void)api_event(bus->api, group, id, level, text); /* see bus_refresh() */
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/bus/bus_values.h"
#include "agent/check/check.h"
#include "agent/cleanup.h"
#include "agent/why.h"

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
	bool known, up, no_agent, digest_differs, deaf;
};

struct bus_values {
	const struct agent *agent;		     /* borrowed */
	char **addresses[CORE_GROUPS_MAX];	     /* texts, NULL-terminated */
	char **subs[CORE_GROUPS_MAX];		     /* the same */
	struct api_node nodes[CORE_NODES_MAX];	     /* of the group asked for last */
	char *unfit[CORE_NODES_MAX][UNFIT_BITS + 1]; /* the same */
	struct api_check checks[CONF_CHECKS_MAX];    /* the same */
	char check_names[CONF_CHECKS_MAX][CONF_CHECK_NAME_MAX];
	struct api_path paths[CONF_PATHS_MAX]; /* of the peer asked for last */
	char path_texts[CONF_PATHS_MAX][2][ADDRESS_TEXT_MAX];
	struct seen seen[CORE_GROUPS_MAX];
	struct seen_peer seen_peers[CORE_NODES_MAX];
};

static int format_addresses(struct bus_values *values, size_t g)
{
	const struct conf_group *group = &values->agent->conf->groups[g];
	char ip[ADDRESS_TEXT_MAX];

	values->addresses[g] = calloc(group->n_vips + 1, sizeof(char *));
	if (!values->addresses[g])
		return -ENOMEM;
	for (size_t i = 0; i < group->n_vips; i++) {
		const struct conf_vip *vip = &group->vips[i];

		if (asprintf(&values->addresses[g][i], "%s/%u %s",
			     conf_format_ip(&vip->ip, ip, sizeof(ip)), vip->prefix,
			     conf_vip_place(vip)) < 0) {
			values->addresses[g][i] = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

static int format_subs(struct bus_values *values, size_t g)
{
	const struct conf *conf = values->agent->conf;
	const struct conf_group *group = &conf->groups[g];

	values->subs[g] = calloc(group->n_subs + 1, sizeof(char *));
	if (!values->subs[g])
		return -ENOMEM;
	for (size_t i = 0; i < group->n_subs; i++) {
		const struct conf_sub *sub = &group->subs[i];
		uint8_t m[6];

		conf_sub_mac(&conf->nodes[values->agent->self], group, sub, m);
		if (asprintf(&values->subs[g][i], "%s %s %02x:%02x:%02x:%02x:%02x:%02x", sub->name,
			     sub->parent, m[0], m[1], m[2], m[3], m[4], m[5]) < 0) {
			values->subs[g][i] = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * bus_values_new() - Get ready to describe an agent
 * @agent: borrowed until bus_values_free()
 *
 * Return: 0; -ENOMEM.
 */
int bus_values_new(const struct agent *agent, struct bus_values **ret)
{
	_cleanup_(bus_values_freep) struct bus_values *values = calloc(1, sizeof(*values));
	int r;

	if (!values)
		return -ENOMEM;
	values->agent = agent;
	for (size_t g = 0; g < agent->conf->n_groups; g++) {
		r = format_addresses(values, g);
		if (r == 0)
			r = format_subs(values, g);
		if (r < 0)
			return r;
	}
	*ret = TAKE(values);
	return 0;
}

struct bus_values *bus_values_free(struct bus_values *values)
{
	if (!values)
		return NULL;
	for (size_t g = 0; g < CORE_GROUPS_MAX; g++) {
		strv_free(values->addresses[g]);
		strv_free(values->subs[g]);
	}
	free(values);
	return NULL;
}

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

/**
 * bus_values_manager() - What the node as a whole is like
 * @ret: points into the configuration
 */
void bus_values_manager(const struct bus_values *values, struct api_manager *ret)
{
	const struct agent *agent = values->agent;
	instant now = clock_now();
	struct beat_stats stats;

	beat_stats(agent->beat, &stats);
	*ret = (struct api_manager){
		.version = API_VERSION,
		.node = agent->conf->nodes[agent->self].name,
		.now_us = now.us,
		.interval_us = agent->conf->interval_us,
		.lease_us = agent->conf->lease_us,
		.dead_us = agent->conf->dead_us,
		.lease_remaining_us = instant_since(agent->core.lease_until, now),
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

/* Who holds nothing and claims nothing tells the term of who does. */
static uint64_t term_of(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];
	uint8_t primary = core_primary(core, group);
	const struct core_record *r = NULL;

	if (g->state != CORE_STATE_CLAIMING && primary != CORE_NODE_NONE)
		r = core_peer_record(core, primary, group); /* never of this node itself */
	return r ? r->term : g->term;
}

static struct api_node describe_node(struct bus_values *values, uint8_t node, uint8_t group)
{
	const struct agent *agent = values->agent;
	const struct core_group *ours = &agent->core.groups[group];
	const struct core_record *theirs = core_peer_record(&agent->core, node, group);
	struct api_node ret = { .name = agent->conf->nodes[node].name };
	uint16_t unfit = 0;

	if (node == agent->self) {
		ret.state = core_state_name(ours->state);
		unfit = ours->unfit;
	} else if (theirs) {
		ret.state = core_state_name(theirs->state);
		unfit = theirs->unfit;
	} else {
		ret.state = agent->core.peers[node].up ? "absent" : why_peer_state(agent, node);
	}
	ret.unfit = unfit_words(unfit, values->unfit[node]);
	return ret;
}

static struct api_checks describe_checks(struct bus_values *values, uint8_t group)
{
	size_t n;
	const struct check *checks = checks_of_group(values->agent->checks, group, &n);

	for (size_t i = 0; i < n; i++)
		values->checks[i] = (struct api_check){
			.name = conf_check_name(checks[i].conf, values->check_names[i]),
			.state = streak_state_name(checks[i].streak.state),
			.result = checks[i].text,
			.ended_us = checks[i].ended.us,
			.streak = checks[i].streak.n,
		};
	return (struct api_checks){ values->checks, n };
}

/**
 * bus_values_group() - What a group is like, here and on the other nodes
 * @i: its number
 * @ret: points into @values, until the next call
 */
void bus_values_group(struct bus_values *values, size_t i, struct api_group *ret)
{
	const struct agent *agent = values->agent;
	const struct core_group *g = &agent->core.groups[i];
	const struct conf_group *conf = &agent->conf->groups[i];
	uint8_t primary = core_primary(&agent->core, (uint8_t)i);

	for (uint8_t node = 0; node < agent->conf->n_nodes; node++)
		values->nodes[node] = describe_node(values, node, (uint8_t)i);
	*ret = (struct api_group){
		.name = conf->name,
		.role = g->primary ? "primary" : "backup",
		.state = core_state_name(g->state),
		.primary = primary == CORE_NODE_NONE ? "" : agent->conf->nodes[primary].name,
		.reason = core_reason_name(g->reason),
		.mode = conf_mode_name(conf->mode),
		.redundancy = conf->core.hot ? "hot" : "warm",
		.handover = conf->core.strict ? "strict" : "seamless",
		.term = term_of(&agent->core, (uint8_t)i),
		.role_since_us = g->since.us,
		.last_switchover_us = g->last_switchover_us,
		.fit = !g->unfit,
		.maintenance = g->maintenance,
		.unfit = values->unfit[agent->self],
		.virtual_addresses = values->addresses[i],
		.sub_interfaces = values->subs[i],
		.staged = conf->staged,
		.nodes = { values->nodes, agent->conf->n_nodes },
		.checks = describe_checks(values, (uint8_t)i),
	};
}

/**
 * bus_values_peer() - What a peer is like, and the paths to it
 * @peer: number among the peers
 * @ret: points into @values, until the next call
 */
void bus_values_peer(struct bus_values *values, size_t peer, struct api_peer *ret)
{
	const struct agent *agent = values->agent;
	uint8_t node = node_of_peer(agent, peer);
	size_t n = beat_n_paths(agent->beat, node);

	for (size_t i = 0; i < n && i < CONF_PATHS_MAX; i++) {
		struct beat_path_stats stats;

		beat_path_stats(agent->beat, node, i, &stats);
		values->paths[i] = (struct api_path){
			.local = conf_format_ip(&stats.local, values->path_texts[i][0],
						ADDRESS_TEXT_MAX),
			.remote = conf_format_ip(&stats.remote, values->path_texts[i][1],
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
		.state = why_peer_state(agent, node),
		.same_configuration = !agent->core.peers[node].digest_differs,
		.paths = values->paths,
		.n_paths = n,
	};
}

/* All that Nodes says of a node other than this one, in a number. */
static uint32_t node_key(const struct agent *agent, uint8_t node, uint8_t group)
{
	const struct core_peer *p = &agent->core.peers[node];
	const struct core_record *r = core_peer_record(&agent->core, node, group);

	if (r)
		return 1U << 31 | (uint32_t)r->state << 16 | r->unfit;
	return (uint32_t)why_is_deaf(agent, node) << 3 | (uint32_t)p->up << 2 |
	       (uint32_t)p->no_agent << 1 | p->known;
}

/* All bytes of it, padding included: it is compared as a whole. */
static void look_at(const struct agent *agent, uint8_t group, struct seen *ret)
{
	const struct core *core = &agent->core;
	const struct core_group *g = &core->groups[group];

	memset(ret, 0, sizeof(*ret));
	ret->state = g->state;
	ret->reason = g->reason;
	ret->term = term_of(core, group);
	ret->last_switchover_us = g->last_switchover_us;
	ret->unfit = g->unfit;
	ret->primary = core_primary(core, group);
	ret->maintenance = g->maintenance;
	for (uint8_t node = 0; node < core->config.n_nodes; node++)
		ret->nodes[node] = node_key(agent, node, group);
}

/**
 * bus_values_group_changed() - Is a group other than it was when this was asked last?
 */
bool bus_values_group_changed(struct bus_values *values, size_t group)
{
	struct seen now;

	look_at(values->agent, (uint8_t)group, &now);
	if (!memcmp(&now, &values->seen[group], sizeof(now)))
		return false;
	memcpy(&values->seen[group], &now, sizeof(now));
	return true;
}

/**
 * bus_values_peer_changed() - Is a peer other than it was when this was asked last?
 */
bool bus_values_peer_changed(struct bus_values *values, size_t peer)
{
	uint8_t node = node_of_peer(values->agent, peer);
	const struct core_peer *p = &values->agent->core.peers[node];
	struct seen_peer now = { p->known, p->up, p->no_agent, p->digest_differs,
				 why_is_deaf(values->agent, node) };

	if (!memcmp(&now, &values->seen_peers[peer], sizeof(now)))
		return false;
	values->seen_peers[peer] = now;
	return true;
}

/**
 * bus_values_event() - An event
 * @event: borrowed for as long as @ret is used
 * @fields: where those are that it has; the same
 */
void bus_values_event(const struct event *event, struct api_field fields[static _EVENT_FIELD_MAX],
		      struct api_event *ret)
{
	const struct event_kind *kind = event_kind(event->type);

	*ret = (struct api_event){ .id = kind->id,
				   .level = event_level_word(kind->level),
				   .text = event->text,
				   .category = event_category_word(kind->category),
				   .number = event->number,
				   .time_us = event->time_us,
				   .fields = fields };
	for (enum event_field f = 0; f < _EVENT_FIELD_MAX; f++)
		if (event->fields[f])
			fields[ret->n_fields++] =
				(struct api_field){ event_field_name(f), event->fields[f] };
}

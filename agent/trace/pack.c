/* SPDX-License-Identifier: MIT */

#include "agent/trace/pack.h"

/* What an entry begins with. Nothing is aligned: all is copied in and out. */
struct head {
	uint64_t now_us;
	uint32_t n; /* EVENT: digest; LOST: how many */
	uint8_t what;
	uint8_t type, group, peer; /* EVENT */
};

static_assert(sizeof(struct head) == PACK_LOST_SIZE, "no byte in vain: there is one an event");
static_assert(_CORE_EV_MAX <= UINT8_MAX, "a type of event fits");

/* The record of a group that has changed. */
struct change {
	uint8_t group;
	struct core_record record;
};

/* What events have that are no heartbeats. */
enum {
	DETAIL_AT = offsetof(struct core_event, start),
	DETAIL_SIZE = sizeof(struct core_event) - DETAIL_AT
};

/* Of a heartbeat all but its records; then how many changes, and the changes. */
enum { BEAT_SIZE = offsetof(struct core_beat, groups) };

/* Of a core all but groups and peers; of those as many as are in use. */
enum { CORE_SIZE = offsetof(struct core, groups), PEER_SIZE = offsetof(struct core_peer, beat) };

static_assert(offsetof(struct core, peers) >= CORE_SIZE + sizeof(((struct core *)NULL)->groups),
	      "groups and peers are what a core ends with");
static_assert(sizeof(struct core) - offsetof(struct core, peers) ==
		      sizeof(((struct core *)NULL)->peers),
	      "groups and peers are what a core ends with");
static_assert(PEER_SIZE + sizeof(struct core_beat) == sizeof(struct core_peer),
	      "the heartbeat is what a peer ends with");

static uint8_t *put(uint8_t *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return to + size;
}

static const uint8_t *get(const uint8_t *from, void *to, size_t size)
{
	memcpy(to, from, size);
	return from + size;
}

/**
 * pack_core_size() - What pack_core() needs, in bytes
 */
size_t pack_core_size(const struct core_config *config)
{
	return sizeof(struct head) + CORE_SIZE + config->n_groups * sizeof(struct core_group) +
	       config->n_nodes * (PEER_SIZE + core_beat_size(config->n_groups));
}

/**
 * pack_event_max() - What pack_event() needs at most, in bytes
 */
size_t pack_event_max(const struct core_config *config)
{
	return sizeof(struct head) + DETAIL_SIZE + BEAT_SIZE + 1 +
	       config->n_groups * sizeof(struct change);
}

/**
 * pack_core() - The value of a core
 * @to: pack_core_size() bytes
 *
 * Return: how many they are.
 */
size_t pack_core(uint8_t *to, const struct core *core)
{
	const struct head head = { .what = PACK_CORE };
	uint8_t *at = put(to, &head, sizeof(head));

	at = put(at, core, CORE_SIZE);
	at = put(at, core->groups, core->config.n_groups * sizeof(struct core_group));
	for (uint8_t n = 0; n < core->config.n_nodes; n++) {
		at = put(at, &core->peers[n], PEER_SIZE);
		at = put(at, &core->peers[n].beat, core_beat_size(core->config.n_groups));
	}
	return (size_t)(at - to);
}

static uint8_t *put_beat(uint8_t *at, const struct core *core, uint8_t peer,
			 const struct core_beat *beat)
{
	const struct core_record *known = core->peers[peer].beat.groups;
	uint8_t *n;

	at = put(at, beat, BEAT_SIZE);
	n = at++;
	*n = 0;
	for (uint8_t g = 0; g < core->config.n_groups; g++) {
		struct change change = { .group = g };

		/* padding that differs costs some room and nothing else */
		if (memcmp(&beat->groups[g], &known[g], sizeof(known[g])) == 0)
			continue;
		change.record = beat->groups[g];
		at = put(at, &change, sizeof(change));
		++*n;
	}
	return at;
}

static_assert(CORE_GROUPS_MAX <= UINT8_MAX, "the number of changes fits");

/**
 * pack_event() - An event
 * @to: pack_event_max() bytes
 * @core: as it is before it hears of it
 *
 * Return: how many bytes were needed. pack_digest() completes the entry.
 */
size_t pack_event(uint8_t *to, const struct core *core, const struct core_event *event)
{
	const struct head head = { .now_us = event->now.us,
				   .what = PACK_EVENT,
				   .type = (uint8_t)event->type,
				   .group = event->group,
				   .peer = event->peer };
	uint8_t *at = put(to, &head, sizeof(head));

	if (event->type == CORE_EV_BEAT)
		at = put_beat(at, core, event->peer, event->beat);
	else if (event->type != CORE_EV_TIME)
		at = put(at, (const uint8_t *)event + DETAIL_AT, DETAIL_SIZE);
	return (size_t)(at - to);
}

/**
 * pack_digest() - What came of an event
 * @entry: as pack_event() has left it
 * @digest: of the actions
 */
void pack_digest(uint8_t *entry, uint32_t digest)
{
	memcpy(entry + offsetof(struct head, n), &digest, sizeof(digest));
}

/**
 * pack_lost() - So many events are missing here
 * @to: PACK_LOST_SIZE bytes
 *
 * Return: how many they are.
 */
size_t pack_lost(uint8_t *to, uint32_t n)
{
	const struct head head = { .what = PACK_LOST, .n = n };

	return (size_t)(put(to, &head, sizeof(head)) - to);
}

/* Into the @core that is given, or past it. */
static const uint8_t *get_core(const uint8_t *at, struct core *core)
{
	memset(core, 0, sizeof(*core));
	at = get(at, core, CORE_SIZE);
	at = get(at, core->groups, core->config.n_groups * sizeof(struct core_group));
	for (uint8_t n = 0; n < core->config.n_nodes; n++) {
		at = get(at, &core->peers[n], PEER_SIZE);
		at = get(at, &core->peers[n].beat, core_beat_size(core->config.n_groups));
	}
	return at;
}

static const uint8_t *get_beat(const uint8_t *at, const struct core *core, uint8_t peer,
			       struct core_beat *ret)
{
	memcpy(ret->groups, core->peers[peer].beat.groups,
	       core->config.n_groups * sizeof(ret->groups[0]));
	at = get(at, ret, BEAT_SIZE);
	for (uint8_t n = *at++; n > 0; n--) {
		struct change change;

		at = get(at, &change, sizeof(change));
		ret->groups[change.group] = change.record;
	}
	return at;
}

/**
 * unpack() - The entry at the beginning of some that have been packed in this process
 * @from: borrowed
 * @core: that has lived through all before it. A PACK_CORE goes there if the configuration is all
 *        zero or something was lost before, and is skipped otherwise
 * @ret: what is there
 *
 * Return: the size of the entry.
 */
size_t unpack(const uint8_t *from, struct core *core, struct unpacked *ret)
{
	struct head head;
	const uint8_t *at = get(from, &head, sizeof(head));

	ret->what = head.what;
	ret->n = ret->digest = head.n;
	if (head.what == PACK_CORE && !core->config.n_nodes)
		at = get_core(at, core);
	else if (head.what == PACK_CORE)
		at = from + pack_core_size(&core->config);
	else if (head.what == PACK_LOST)
		core->config.n_nodes = 0;
	if (head.what != PACK_EVENT)
		return (size_t)(at - from);
	ret->event = (struct core_event){
		.type = head.type, .now = { head.now_us }, .group = head.group, .peer = head.peer
	};
	if (head.type == CORE_EV_BEAT) {
		at = get_beat(at, core, head.peer, &ret->beat);
		ret->event.beat = &ret->beat;
	} else if (head.type != CORE_EV_TIME) {
		at = get(at, (uint8_t *)&ret->event + DETAIL_AT, DETAIL_SIZE);
	}
	return (size_t)(at - from);
}

/* SPDX-License-Identifier: MIT */

/* What the peers hear, and when. */

#include "agent/core/internal.h"

/* Is anything held or claimed here, or on its way out? */
bool holds_anything(const struct core *core)
{
	for (uint8_t g = 0; g < core->config.n_groups; g++) {
		enum core_state state = core->groups[g].state;

		if (state == CORE_STATE_PRIMARY || state == CORE_STATE_YIELDING ||
		    state == CORE_STATE_CLAIMING)
			return true;
	}
	return false;
}

static struct core_action *beat(struct step *s, uint8_t peer, bool is_reply)
{
	struct core *core = s->core;
	struct core_action *a = emit(s, CORE_DO_BEAT, 0);

	a->peer = peer;
	a->beat.seq = core->seq;
	a->beat.reply = is_reply;
	a->beat.alone = !peer_echoes(core, peer);
	return a;
}

/* A new sequence number, and from which lease end it would take over. */
static void number(struct core *core)
{
	core->seq++;
	core->sent[core->seq % CORE_SENT_MAX].seq = core->seq;
	core->sent[core->seq % CORE_SENT_MAX].at = core->now;
	core->sent[core->seq % CORE_SENT_MAX].lease_before = core->lease_until;
}

static void beat_all(struct step *s)
{
	struct core *core = s->core;
	bool renews = core_lease_renews(core), holds = holds_anything(core);

	number(core);
	if (renews && !core->restarting)
		core->lease_us = core->config.lease_us; /* who hears it knows that it was renewed */
	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		struct core_action *a;

		if (p == core->config.self)
			continue;
		a = beat(s, p, core->reply_to & (1 << p));
		a->beat.wants_answer = holds;
		a->beat.marked = renews;
	}
	if (renews)
		core->lease_until = lease_end(core);
	core->unrenewed = !renews && instant_is_set(core->lease_until);
	if (core->restarting && !core->hold_seq)
		core->hold_seq = core->seq;
}

static bool replies_to_all(const struct core *core)
{
	uint16_t all = (uint16_t)((1 << core->config.n_nodes) - 1);

	return (core->reply_to | 1 << core->config.self) == all;
}

/* Has the lease not been renewed, and would it be over when the next heartbeat is due? */
bool beats_hurry(const struct core *core)
{
	const instant late = instant_add(core->beat_due, core->config.interval_us / 4);

	return core->unrenewed && instant_is_set(core->lease_until) && !core->lease_frozen &&
	       core->lease_until.us < late.us;
}

/*
 * Heartbeats: at once when something changed or a holder wants its echo, else
 * at the interval. Who holds nothing lets its echoes stand for its own while
 * they reach everybody, and speaks up only when they fail to come.
 *
 * A heartbeat that could not renew the lease is followed by one that may as soon
 * as there is one: a lease that is little longer than two intervals, or most of
 * which has been slept through, does not live to see the next interval.
 */
void send_beats(struct step *s)
{
	struct core *core = s->core;
	uint32_t interval = core->config.interval_us;
	bool at_once = core->beat_now || (beats_hurry(core) && core_lease_renews(core));

	if (at_once || instant_reached(core->now, core->beat_due)) {
		instant next = instant_add(core->beat_due, interval);

		beat_all(s);
		if (at_once || instant_reached(core->now, next))
			next = instant_add(core->now, interval);
		core->beat_due = next;
	} else if (core->reply_to) {
		number(core);
		for (uint8_t p = 0; p < core->config.n_nodes; p++)
			if (core->reply_to & (1 << p))
				(void)beat(s, p, true); /* an echo and no more: unmarked */
		if (!holds_anything(core) && replies_to_all(core))
			core->beat_due = instant_add(core->now, interval + interval / 4);
	}
	core->beat_now = false;
	core->reply_to = 0;
}

/* What is wanted of a move, as far as who hears it has to know. */
static struct core_options options_of(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];
	struct core_options options = g->options;

	if (g->move != CORE_MOVE_ASK)
		return (struct core_options){ .force = g->move != CORE_MOVE_NONE && options.force };
	if (options.within_us) {
		uint64_t left_us = instant_since(g->request_by, core->now);

		options.within_us = left_us ? (uint32_t)left_us : 1;
	}
	return options;
}

/**
 * core_beat_fill() - The text of a heartbeat that core_step() ordered
 * @action: CORE_DO_BEAT
 * @ret: records of groups that the configuration does not have are left as they are
 */
void core_beat_fill(const struct core *core, const struct core_action *action,
		    struct core_beat *ret)
{
	ret->seq = action->beat.seq;
	ret->echo_seq = core->peers[action->peer].heard_seq;
	ret->interval_us = core->config.interval_us;
	ret->lease_us = core->lease_us;
	ret->digest = core->config.digest;
	ret->priority = core->config.priority[core->config.self];
	ret->reply = action->beat.reply;
	ret->wants_answer = action->beat.wants_answer;
	ret->references_answer = rule_references_answer(core);
	ret->marked = action->beat.marked;
	for (uint8_t i = 0; i < core->config.n_groups; i++) {
		const struct core_group *g = &core->groups[i];

		ret->groups[i] = (struct core_record){
			.state = g->state,
			.term = g->term,
			.term_max = g->term_max,
			.move = g->move,
			.why = g->why,
			.move_to = g->move_to,
			.move_id = g->move_id,
			.move_term = g->move_term,
			.unfit = g->unfit,
			.strict = core->config.groups[i].strict,
			.evidence = rule_evidence(core, i, action->peer),
			.present = true,
			.traffic = traffic_is_seen(core, i),
			.silences = g->silences,
			.options = options_of(core, i),
		};
	}
}

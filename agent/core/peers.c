/* SPDX-License-Identifier: MIT */

#include "agent/core/internal.h"

/**
 * peer_claim_wait_us() - How long a peer must have been silent before we claim (R8)
 *
 * Its last heartbeat that we received may have been the one before the two
 * that it still marks without an echo, and the last of those renews its lease
 * for the length that it told us.
 *
 * Return: microseconds from the receipt of its last heartbeat.
 */
uint64_t peer_claim_wait_us(const struct core *core, uint8_t peer)
{
	const struct core_beat *beat = &core->peers[peer].beat;
	uint64_t theirs = 2 * (uint64_t)beat->interval_us + beat->lease_us + CORE_GUARD_US;

	return theirs > core->config.dead_us ? theirs : core->config.dead_us;
}

/**
 * peer_silent_from() - Since when silence of a peer counts
 *
 * After a freeze of our own the socket is full of what we did not read: what
 * looks like the peer's silence was ours, and counting starts anew.
 */
instant peer_silent_from(const struct core *core, uint8_t peer)
{
	return instant_later(core->peers[peer].heard, core->awake);
}

/*
 * Two intervals without a word: the longer ones, if the two configurations do
 * not agree. Who sends seldom and does not hear us says nothing in between.
 */
static bool silent_by(const struct core *core, uint8_t peer, instant when)
{
	uint32_t theirs = core->peers[peer].beat.interval_us;
	uint64_t interval = core->config.interval_us;

	if (interval < theirs)
		interval = theirs;
	return instant_since(when, peer_silent_from(core, peer)) >= 2 * interval;
}

/* Nothing at all from this peer for two intervals: it may be dead, or cut off. */
bool peer_silent(const struct core *core, uint8_t peer)
{
	return silent_by(core, peer, core->now);
}

/*
 * The same, to rely on it (R8): by the time when we looked last. After a freeze,
 * however short, what the peer has said meanwhile waits in the sockets still.
 */
static bool is_surely_silent(const struct core *core, uint8_t peer)
{
	return silent_by(core, peer, core->looked);
}

/* One of our last two heartbeats has been answered by this peer (R8). */
bool peer_echoes(const struct core *core, uint8_t peer)
{
	const struct core_peer *p = &core->peers[peer];

	return p->up && instant_is_set(p->echoed_sent_at) &&
	       instant_since(core->now, p->echoed_sent_at) <=
		       2 * (uint64_t)core->config.interval_us + CORE_LATE_US;
}

/*
 * Is this peer in no state to claim the group? When that changes it says so for
 * a whole dead time before it claims.
 */
bool peer_is_out(const struct core *core, uint8_t peer, uint8_t group)
{
	const struct core_record *r = peer_record(core, peer, group);

	return !r || r->state == CORE_STATE_FAULT || r->state == CORE_STATE_MAINTENANCE;
}

static bool is_out_of_all_we_serve(const struct core *core, uint8_t peer)
{
	for (uint8_t g = 0; g < core->config.n_groups; g++)
		if (core->groups[g].serving && !peer_is_out(core, peer, g))
			return false;
	return true;
}

/* So long after a freeze what the sockets had kept for us has been read. */
static bool is_up_to_date(const struct core *core)
{
	return instant_since(core->now, core->awake) >= 2 * (uint64_t)core->config.interval_us;
}

/* A group that ought to have been closed by now still serves: the lease has to do it. */
static bool closing_late(const struct core *core)
{
	for (uint8_t g = 0; g < core->config.n_groups; g++)
		if (core->groups[g].step == CORE_STEP_YIELD_CLOSE &&
		    instant_reached(core->now, core->groups[g].due))
			return true;
	return false;
}

/**
 * core_consent() - R8: what does this peer have to say against renewing the lease?
 *
 * While it answers, or is not heard at all, or is out of it: nothing. If it is
 * heard and does not answer it may not hear us, and be about to claim.
 */
enum core_consent core_consent(const struct core *core, uint8_t peer)
{
	if (peer_echoes(core, peer))
		return CORE_CONSENT_ECHO;
	if (is_surely_silent(core, peer))
		return CORE_CONSENT_SILENCE;
	if (is_up_to_date(core) && is_out_of_all_we_serve(core, peer))
		return CORE_CONSENT_OUT;
	return CORE_CONSENT_NONE;
}

/**
 * core_all_consent() - R8: has no peer anything to say against renewing the lease?
 */
bool core_all_consent(const struct core *core)
{
	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (p != core->config.self && core_consent(core, p) == CORE_CONSENT_NONE)
			return false;
	return true;
}

/**
 * core_lease_renews() - R8: does the next heartbeat renew the lease?
 */
bool core_lease_renews(const struct core *core)
{
	return instant_is_set(core->lease_until) && !core->lease_frozen && !closing_late(core) &&
	       core_all_consent(core);
}

/* Only a direct answer counts as an echo: it is what the kernel's guard looks at, too. */
static void note_echo(struct core *core, struct core_peer *p, const struct core_beat *beat)
{
	uint64_t seq = beat->echo_seq;

	if (!beat->reply || seq <= p->echoed_seq || core->sent[seq % CORE_SENT_MAX].seq != seq)
		return; /* of long ago, or never sent */
	p->echoed_seq = seq;
	p->echoed_sent_at = core->sent[seq % CORE_SENT_MAX].at;
}

/* Heard since we began to listen: what had waited in the sockets after a freeze is from before. */
static bool heard_since(const struct core *core, uint8_t peer)
{
	return core->peers[peer].heard.us >
	       core->listen_from.us + 2 * (uint64_t)core->config.interval_us;
}

/**
 * peer_heard() - Take in a fresh heartbeat
 */
void peer_heard(struct step *s, uint8_t peer, const struct core_beat *beat)
{
	struct core *core = s->core;
	struct core_peer *p = &core->peers[peer];
	bool was_up = p->up, differed = p->digest_differs;

	memcpy(&p->beat, beat, core_beat_size(core->config.n_groups));
	p->heard = core->now;
	p->heard_seq = beat->seq;
	p->again = p->known && !p->up;
	p->known = p->up = true;
	p->no_agent = false;
	p->digest_differs = beat->digest != core->config.digest;
	if (heard_since(core, peer))
		p->missed = INSTANT_NEVER;
	note_echo(core, p, beat);

	for (uint8_t g = 0; g < core->config.n_groups; g++) {
		const struct core_record *r = peer_record(core, peer, g);

		if (!r)
			continue;
		if (r->term_max > core->groups[g].term_max)
			core->groups[g].term_max = r->term_max;
		traffic_heard(core, g, r);
		probe_heard(core, g, peer, r);
	}
	if (beat->wants_answer)
		core->reply_to |= 1 << peer;
	if (!was_up) {
		p->back = core->now;
		emit(s, CORE_DO_TELL, 0)->tell.what = CORE_TELL_PEER_UP;
		s->out->v[s->out->n - 1].peer = peer;
	}
	if (p->digest_differs && (!differed || !was_up)) {
		struct core_action *a = emit(s, CORE_DO_TELL, 0);

		a->tell.what = CORE_TELL_DIGEST;
		a->peer = peer;
	}
}

/**
 * peers_update() - Notice who has fallen silent by now
 */
void peers_update(struct step *s)
{
	struct core *core = s->core;

	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		struct core_peer *peer = &core->peers[p];
		struct core_action *a;

		if (!peer->up || instant_since(core->now, peer_silent_from(core, p)) <
					 peer_claim_wait_us(core, p))
			continue;
		peer->up = false;
		for (uint8_t g = 0; g < core->config.n_groups; g++)
			core->groups[g].split_traffic &= ~(1 << p);
		a = emit(s, CORE_DO_TELL, 0);
		a->peer = p;
		a->tell.what = CORE_TELL_PEER_SILENT;
	}
}

/* How long a peer that is not heard may hold: its kernel does, in a planned restart (R11). */
static uint64_t hold_us(const struct core *core)
{
	return (uint64_t)core->config.restart_hold_us + core->config.dead_us;
}

/**
 * peers_missed() - We were frozen, for at least the dead time; or we have only just started
 *
 * Whoever was up may have begun a planned restart meanwhile. Who was not held
 * nothing any more; to hold something again, unheard, it must have started and
 * listened for as long as everybody does. Less than that it needs no thought: else
 * a node alone that does not run every so often would listen for ever.
 */
void peers_missed(struct core *core, uint64_t gap_us)
{
	core->listen_from = core->now;
	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (core->peers[p].up || gap_us >= hold_us(core) ||
		    core->now.us == core->started.us)
			core->peers[p].missed = core->now;
}

/**
 * peer_lease_end() - When the lease of a peer is over, if it is not heard any more
 *
 * As in peer_claim_wait_us(). One that has not been heard since we listen may be in a planned
 * restart, or have died just before under a lease like our own.
 */
instant peer_lease_end(const struct core *core, uint8_t peer)
{
	const struct core_beat *beat = &core->peers[peer].beat;
	uint64_t ours = 2 * (uint64_t)core->config.interval_us + core->config.lease_us;
	uint64_t hold = core->config.restart_hold_us;
	instant told = instant_add(peer_silent_from(core, peer),
				   2 * (uint64_t)beat->interval_us + beat->lease_us);

	if (heard_since(core, peer))
		return told;
	return instant_later(told,
			     instant_add(core->peers[peer].missed, hold > ours ? hold : ours));
}

/**
 * listening_until() - When everybody who might hold has had the time to be heard (R6)
 *
 * After a start, and after a freeze, nobody claims before that. A peer that has
 * been heard since told us its lease; one that has not may be in a planned
 * restart, its kernel holding for RestartHold=, if we do not know better. What had
 * waited for us in the sockets comes first after a freeze, and is from before.
 */
instant listening_until(const struct core *core)
{
	instant until = INSTANT_NEVER;
	bool heard = false;

	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		if (p == core->config.self)
			continue;
		until = instant_later(until,
				      instant_add(core->listen_from, peer_claim_wait_us(core, p)));
		if (!heard_since(core, p))
			until = instant_later(until,
					      instant_add(core->peers[p].missed, hold_us(core)));
		heard |= core->peers[p].known;
	}
	if (core->booted && !heard)
		until = instant_later(until,
				      instant_add(core->started, core->config.start_wait_us));
	return until;
}

bool listening(const struct core *core)
{
	return !instant_reached(core->now, listening_until(core));
}

/* SPDX-License-Identifier: MIT */
#include "agent/beat/session.h"

enum {
	BUCKET_SIZE = SESSION_GREETINGS,
	/* As many as the fastest interval in use (5 ms, on two paths) may bring does no harm. */
	BUCKET_REFILL_US = 5000,
	WINDOW_SIZE = 64,
};

/* Takes the answer to our challenge; no other will be taken until session_renew(). */
static bool redeem(struct session *session, const struct wire_packet *packet)
{
	if (packet->peer_session != session->own || session->challenge == 0 ||
	    packet->response != session->challenge)
		return false;
	session->challenge = 0;
	return true;
}

/**
 * session_receive() - Take up what an authentic packet of the peer proves.
 * @session: may learn the peer's session, and then needs session_renew()
 * @packet: HELLO or BEAT with the peer's name
 *
 * Return: what it proves.
 */
enum session_proof session_receive(struct session *session, const struct wire_packet *packet)
{
	if (packet->peer_session == session->own && packet->session == session->peer)
		return SESSION_KNOWN;
	if (!redeem(session, packet))
		return SESSION_FOREIGN;
	session->peer = packet->session;
	session->greetings = 0;
	session->delivered = 0;
	return SESSION_CONFIRMED;
}

/**
 * session_greeting_take() - May an unproven packet be part of a handshake?
 * @session: counts it if so
 *
 * Who knows nobody yet has nothing to prove himself with, so what he says looks like a replay.
 *
 * Return: true, at most SESSION_GREETINGS times from one handshake to the next.
 */
bool session_greeting_take(struct session *session)
{
	if (session->greetings >= SESSION_GREETINGS)
		return false;
	session->greetings++;
	return true;
}

/**
 * session_disowned() - Is this STRANGER packet an answer to what we sent of late?
 * @session: needs session_renew() if so: the packet counts once
 * @packet: STRANGER
 *
 * Return: true if the peer has just said that it does not know us.
 */
bool session_disowned(struct session *session, const struct wire_packet *packet)
{
	return redeem(session, packet);
}

/**
 * session_renew() - Draw the challenge anew.
 * @session: after its challenge was answered
 * @random: not 0, never used before
 */
void session_renew(struct session *session, uint64_t random)
{
	assert(random != 0);
	session->challenge = random;
}

/**
 * session_answer() - Does a packet call for an answer at once?
 * @session: after session_receive(), and session_renew() if that was due
 * @packet: the same packet
 * @ret: HELLO to be sent back, without name; written if one is due
 *
 * We challenge who is unknown to us, and answer the challenge of a peer to which we are
 * unknown. Nothing that both know each other calls for anything, so this ends.
 *
 * Return: true if an answer is due.
 */
bool session_answer(const struct session *session, const struct wire_packet *packet,
		    struct wire_packet *ret)
{
	bool known = packet->session == session->peer;
	bool knows_us = packet->peer_session == session->own;
	bool asks = packet->type == WIRE_HELLO && packet->challenge != 0;

	if (known && knows_us && !asks)
		return false;
	*ret = (struct wire_packet){
		.type = WIRE_HELLO,
		.session = session->own,
		.peer_session = packet->session,
		.challenge = known ? 0 : session->challenge,
		.response = packet->challenge,
	};
	return true;
}

/**
 * session_window_take() - Count a heartbeat that came on a path.
 * @window: of the path
 * @seq: number of the heartbeat, from 1
 * @ret_lost: change of the number of lost ones: the gap it leaves, -1 if it fills one;
 * written unless it was replayed
 *
 * Return: whether it is new on this path.
 */
enum session_order session_window_take(struct session_window *window, uint64_t seq,
				       int64_t *ret_lost)
{
	uint64_t age, step;

	if (seq > window->top) {
		step = seq - window->top;
		*ret_lost = window->top ? (int64_t)(step - 1) : 0;
		/* Before the first one nothing is missing: all older ones count as seen. */
		window->seen = !window->top	    ? UINT64_MAX
			       : step < WINDOW_SIZE ? window->seen << step | 1
						    : 1;
		window->top = seq;
		return SESSION_NEXT;
	}
	age = window->top - seq;
	if (age >= WINDOW_SIZE || window->seen >> age & 1)
		return SESSION_REPLAYED;
	window->seen |= UINT64_C(1) << age;
	*ret_lost = -1;
	return SESSION_LATE;
}

/**
 * session_bucket_take() - May one more answer be sent?
 * @bucket: counts it if so
 * @now: time
 *
 * Return: true, at most BUCKET_SIZE times at once and once per BUCKET_REFILL_US in the long run.
 */
bool session_bucket_take(struct session_bucket *bucket, instant now)
{
	uint64_t refilled = instant_since(now, bucket->since) / BUCKET_REFILL_US;

	if (refilled >= bucket->spent) {
		bucket->spent = 0;
		bucket->since = now;
	} else {
		bucket->spent -= (unsigned)refilled;
		bucket->since = instant_add(bucket->since, refilled * BUCKET_REFILL_US);
	}
	if (bucket->spent >= BUCKET_SIZE)
		return false;
	bucket->spent++;
	return true;
}

/**
 * session_answers_take() - May the answer that a packet calls for be sent?
 * @answers: counts it if so
 * @session: as for session_answer()
 * @packet: the packet
 * @proof: what session_receive() said of it
 * @now: time
 *
 * Who has just answered our challenge cannot have done so twice, and is not made to wait by
 * others: by that answer a peer that restarts in the midst of a flood gets to know us.
 *
 * Return: true if so.
 */
bool session_answers_take(struct session_answers *answers, const struct session *session,
			  const struct wire_packet *packet, enum session_proof proof, instant now)
{
	if (proof == SESSION_CONFIRMED)
		return true;
	return session_bucket_take(
		packet->peer_session == session->own ? &answers->ours : &answers->others, now);
}

/**
 * session_note_unheard() - Does a packet show that its sender has heard us?
 * @unheard: takes note
 * @session: as for session_answer()
 * @packet: the packet
 * @proof: what session_receive() said of it
 * @now: time
 * @dead_us: who has sent nothing for so long has stopped
 *
 * Who quotes our session has heard us, in this life of ours if it is no recording; so only a
 * proof of that is one of hearing, and only what does not quote us one of the contrary.
 */
void session_note_unheard(struct session_unheard *unheard, const struct session *session,
			  const struct wire_packet *packet, enum session_proof proof, instant now,
			  uint64_t dead_us)
{
	if (proof != SESSION_FOREIGN) {
		unheard->since = INSTANT_NEVER;
		return;
	}
	if (packet->peer_session == session->own)
		return;
	if (!instant_is_set(unheard->since) || instant_since(now, unheard->last) > dead_us)
		unheard->since = now;
	unheard->last = now;
}

/**
 * session_is_unheard() - Has the peer sent to us for longer than its greeting may take, and
 * not heard us?
 * @unheard: as noted
 * @now: time
 * @dead_us: so long it may take, and so lately it must have sent
 */
bool session_is_unheard(const struct session_unheard *unheard, instant now, uint64_t dead_us)
{
	return instant_is_set(unheard->since) && instant_since(now, unheard->last) <= dead_us &&
	       instant_since(unheard->last, unheard->since) > dead_us;
}

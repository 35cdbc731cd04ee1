/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who is alive at the other end, without clocks: sessions, challenges and
 * sequence numbers of one peer, as pure values. No sockets.
 */

#include "agent/beat/wire.h"

enum {
	/*
	 * A handshake takes two answers of each node on each of at most four
	 * paths; twice that.
	 */
	SESSION_GREETINGS = 16,
};

/*
 * What one node knows of one peer. Every packet carries our challenge; who
 * sends it back has seen it, so is alive since it was drawn. It is drawn anew
 * once it has been answered: a recorded answer is worth nothing.
 */
struct session {
	uint64_t own;	    /* random per process; not 0 */
	uint64_t challenge; /* random; 0: answered, session_renew() is due */
	uint64_t peer;	    /* the peer's session that has answered; 0: none yet */
	unsigned greetings; /* unproven packets since then, as far as a handshake may have them */
	uint64_t delivered; /* highest heartbeat of that session that was taken */
};

/* What a packet proves. */
enum session_proof {
	SESSION_FOREIGN,   /* nothing: another session, or not meant for ours */
	SESSION_CONFIRMED, /* has just answered our challenge: its session is the peer's now */
	SESSION_KNOWN,	   /* of the peer's session, and meant for ours */
};

/* Heartbeats that came on one path: the highest, and which of the 64 up to it. */
struct session_window {
	uint64_t top;  /* 0: none yet */
	uint64_t seen; /* bit n: top - n */
};

enum session_order {
	SESSION_NEXT,	  /* higher than all before on this path */
	SESSION_LATE,	  /* overtaken, but not seen yet */
	SESSION_REPLAYED, /* seen before, or too old to tell */
};

/* So many answers at once, then one per refill. */
struct session_bucket {
	unsigned spent;
	instant since;
};

/*
 * Answers to a peer. Whoever has recorded packets can send them as fast as he
 * likes; so those that quote our session and those that do not (of lives that
 * have ended, or of a peer that has just started) do not use up each other's.
 */
struct session_answers {
	struct session_bucket ours, others;
};

/* A peer that sends to us, and in nothing of it has heard us. */
struct session_unheard {
	instant since; /* never: it hears us, or does not send */
	instant last;
};

enum session_proof session_receive(struct session *session, const struct wire_packet *packet);
bool session_answer(const struct session *session, const struct wire_packet *packet,
		    struct wire_packet *ret);
bool session_greeting_take(struct session *session);
bool session_disowned(struct session *session, const struct wire_packet *packet);
void session_renew(struct session *session, uint64_t random);
enum session_order session_window_take(struct session_window *window, uint64_t seq,
				       int64_t *ret_lost);
bool session_answers_take(struct session_answers *answers, const struct session *session,
			  const struct wire_packet *packet, enum session_proof proof, instant now);
void session_note_unheard(struct session_unheard *unheard, const struct session *session,
			  const struct wire_packet *packet, enum session_proof proof, instant now,
			  uint64_t dead_us);
bool session_is_unheard(const struct session_unheard *unheard, instant now, uint64_t dead_us);
bool session_bucket_take(struct session_bucket *bucket, instant now);

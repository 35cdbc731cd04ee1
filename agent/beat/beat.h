/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The heartbeat sockets: sessions, paths, round-trip times, counters. UDP over
 * every path; decides nothing about roles.
 */

#include "agent/beat/wire.h"

/* May this heartbeat renew the lease in the kernel (R8)? */
enum beat_mark {
	BEAT_UNMARKED,
	BEAT_MARK_ECHOED, /* yes, while the kernel has seen an echo lately */
	BEAT_MARK_ALONE,  /* yes: nothing at all is heard from the peer */
};

enum beat_outcome {
	BEAT_NOTHING,	  /* no datagram left */
	BEAT_FRESH,	  /* a heartbeat for the core */
	BEAT_HANDLED,	  /* handshake or duplicate; nothing more to do */
	BEAT_DEAF,	  /* handshake again, of a peer that does not hear our part of it */
	BEAT_REFUSED,	  /* counted */
	BEAT_UNREACHABLE, /* the silent peer's host says: nobody listens on that port */
	BEAT_STRANGER,	  /* authentic, but from a node we do not know: has been told so */
	BEAT_MISPLACED,	  /* authentic, but not from the node that we know by that name */
	BEAT_DISOWNED,	  /* an authentic peer does not know us */
	BEAT_NAMESAKE,	  /* another node has our name, and holds what we must leave to it */
	_BEAT_OUTCOME_MAX,
};

struct beat_received {
	enum beat_outcome outcome;
	enum wire_refusal refusal; /* REFUSED; ACCEPTED: it was, but is not new */
	/* FRESH, DEAF, UNREACHABLE, DISOWNED, NAMESAKE; REFUSED: whose address it came from, or
	 * none */
	uint8_t peer;
	char name[CONF_NAME_MAX + 1]; /* STRANGER, MISPLACED, NAMESAKE */
	struct ip from;		      /* the same, DEAF, and REFUSED */
	struct core_beat beat;	      /* FRESH; as of wire_parse() */
};

struct beat_path_stats {
	struct ip local, remote;
	uint64_t sent, send_errors, received, lost;
	uint64_t rtt_us, rtt_min_us; /* smoothed as in RFC 6298, and the least; 0: unknown */
	instant heard;		     /* never: not in this session */
};

struct beat_stats {
	uint64_t refused[_WIRE_REFUSAL_MAX];
	uint64_t replayed;  /* sequence number not new on its path */
	uint64_t greetings; /* of another session: so many as a handshake has at most */
	uint64_t unproven;  /* more of them: replays */
	uint64_t strangers;
	uint64_t misplaced;
};

struct beat;

int beat_new(const struct conf *conf, uint8_t self, const uint8_t *key, struct beat **ret);
struct beat *beat_free(struct beat *beat);
DEFINE_CLEANUP(struct beat *, beat_free)

size_t beat_n_fds(const struct beat *beat);
int beat_fd(const struct beat *beat, size_t i);
int beat_receive(struct beat *beat, size_t i, instant now, struct beat_received *ret);
int beat_send(struct beat *beat, uint8_t peer, const struct core_beat *text, enum beat_mark mark,
	      instant now);

bool beat_is_deaf(const struct beat *beat, uint8_t peer, instant now);
size_t beat_n_paths(const struct beat *beat, uint8_t peer);
void beat_path_stats(const struct beat *beat, uint8_t peer, size_t path,
		     struct beat_path_stats *ret);
void beat_stats(const struct beat *beat, struct beat_stats *ret);

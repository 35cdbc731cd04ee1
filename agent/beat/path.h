/* SPDX-License-Identifier: MIT */
#pragma once

/* What is counted and measured on one path to a peer, as pure values. No sockets. */

#include "agent/beat/beat.h"
#include "agent/beat/session.h"

enum {
	PATH_SENT_MAX = 64, /* heartbeats whose echo can still be timed */
};

/* When the last heartbeats to a peer left. */
struct path_sent {
	struct {
		uint64_t seq;
		instant at;
	} slots[PATH_SENT_MAX];
};

struct path {
	struct session_window window;
	instant top_heard; /* when the highest of the window came */
	uint64_t timed;	   /* highest of ours whose echo was timed */
	struct beat_path_stats stats;
};

void path_begin(struct path *path);
bool path_take(struct path *path, const struct path_sent *sent, const struct wire_packet *packet,
	       instant now);
void path_fill_echo(const struct path *path, instant now, struct wire_packet *packet);
void path_sent_add(struct path_sent *sent, uint64_t seq, instant now);

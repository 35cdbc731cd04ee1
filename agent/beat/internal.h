/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the heartbeat sockets share. Nothing outside of this folder includes it. */

#include "agent/beat/channel.h"
#include "agent/beat/path.h"

enum {
	SOCKETS_MAX = CORE_NODES_MAX * CONF_PATHS_MAX,
};

/* One peer over one path. */
struct route {
	struct channel channel;
	struct path path;
};

struct peer {
	struct session session;
	struct session_answers answers;
	struct session_unheard unheard;
	struct path_sent sent;
	struct route routes[CONF_PATHS_MAX];
};

/* Which socket number i is. */
struct socket {
	uint8_t peer; /* CORE_NODE_NONE: the lobby of the path */
	uint8_t path;
};

struct beat {
	const struct conf *conf; /* borrowed */
	uint8_t self;
	uint64_t session;
	bool holds; /* a group, as our last heartbeat said */
	bool authenticate;
	uint8_t key[CONF_KEY_SIZE];
	size_t n_paths;
	struct peer peers[CORE_NODES_MAX]; /* by node; our own is not used */
	struct channel lobbies[CONF_PATHS_MAX];
	struct channel alone; /* sends to itself and hears nothing */
	struct session_bucket stranger_answers;
	struct socket sockets[SOCKETS_MAX];
	size_t n_sockets;
	struct beat_stats stats;
	struct wire_packet packet;  /* scratch */
	uint8_t buf[WIRE_SIZE_MAX]; /* scratch */
};

static inline const uint8_t *beat_key(const struct beat *beat)
{
	return beat->authenticate ? beat->key : NULL;
}

static inline const struct conf_node *beat_own_node(const struct beat *beat)
{
	return &beat->conf->nodes[beat->self];
}

/* beat.c */
uint64_t beat_random_id(void);

/* sockets.c */
int sockets_open(struct beat *beat);
void sockets_close(struct beat *beat);
struct channel *sockets_channel(struct beat *beat, const struct socket *s);

/* take.c */
void take_packet(struct beat *beat, const struct socket *s, const union channel_address *from,
		 instant now, struct beat_received *ret);

/* SPDX-License-Identifier: MIT */

/*
 * Which sockets there are: on each path one for each peer, and a lobby for everybody else; and
 * the one that only the host itself hears.
 */

#include "agent/beat/internal.h"

/* Nothing is open yet. */
static void clear_channels(struct beat *beat)
{
	beat->alone.fd = -1;
	for (size_t i = 0; i < CONF_PATHS_MAX; i++) {
		beat->lobbies[i].fd = -1;
		for (size_t n = 0; n < CORE_NODES_MAX; n++)
			beat->peers[n].routes[i].channel.fd = -1;
	}
}

static void add_socket(struct beat *beat, uint8_t peer, size_t path)
{
	assert(beat->n_sockets < SOCKETS_MAX);
	beat->sockets[beat->n_sockets++] = (struct socket){ peer, (uint8_t)path };
}

/**
 * sockets_channel() - The channel behind a socket.
 * @beat: keeps it
 * @s: one of its sockets
 *
 * Return: channel.
 */
struct channel *sockets_channel(struct beat *beat, const struct socket *s)
{
	return s->peer == CORE_NODE_NONE ? &beat->lobbies[s->path]
					 : &beat->peers[s->peer].routes[s->path].channel;
}

static int open_peer(struct beat *beat, uint8_t number)
{
	const struct conf_node *self = beat_own_node(beat), *node = &beat->conf->nodes[number];
	struct peer *peer = &beat->peers[number];
	int r;

	peer->session = (struct session){ .own = beat->session, .challenge = beat_random_id() };
	for (size_t i = 0; i < beat->n_paths; i++) {
		struct route *route = &peer->routes[i];

		route->path.stats.local = self->paths[i];
		route->path.stats.remote = node->paths[i];
		r = channel_open(&route->channel, &self->paths[i], &node->paths[i],
				 beat->conf->port);
		if (r < 0)
			return r;
		add_socket(beat, number, i);
	}
	return 0;
}

/*
 * A loopback address: there is a way to it when there is none to anybody else. Which one, the
 * end of the node's own address says, so that nodes in one namespace do not meet there; within
 * 127.64.0.0/10, which has neither the network's nor the broadcast address of 127.0.0.0/8.
 */
static int open_alone(struct beat *beat)
{
	const struct ip *own = &beat_own_node(beat)->paths[0];
	const uint8_t *end = &own->bytes[ip_len(own) - 3];
	const struct ip loopback = { .family = 4,
				     .bytes = { 127, 0x40 | (end[0] & 0x3f), end[1], end[2] } };
	int r;

	r = channel_open(&beat->alone, &loopback, &loopback, beat->conf->port);
	if (r < 0)
		return r;
	return channel_deafen(&beat->alone);
}

/* All of them are bound: from now on nobody else will be beside them. */
static int close_ranks(struct beat *beat)
{
	int r;

	for (size_t i = 0; i < beat->n_sockets; i++) {
		r = channel_share(sockets_channel(beat, &beat->sockets[i]), false);
		if (r < 0)
			return r;
	}
	return channel_share(&beat->alone, false);
}

/**
 * sockets_open() - Open and bind all of them.
 * @beat: with configuration, own number and session; sockets_close() in any case
 *
 * The lobbies first: who has the port already is found by them.
 *
 * Return: 0; -EADDRINUSE; negative errno of socket(), setsockopt() or bind().
 */
int sockets_open(struct beat *beat)
{
	int r;

	clear_channels(beat);
	for (size_t i = 0; i < beat->n_paths; i++) {
		r = channel_open(&beat->lobbies[i], &beat_own_node(beat)->paths[i], NULL,
				 beat->conf->port);
		if (r >= 0)
			r = channel_share(&beat->lobbies[i], true);
		if (r < 0)
			return r;
		add_socket(beat, CORE_NODE_NONE, i);
	}
	for (size_t i = 0; i < beat->conf->n_nodes; i++) {
		if (i == beat->self)
			continue;
		r = open_peer(beat, (uint8_t)i);
		if (r < 0)
			return r;
	}
	r = open_alone(beat);
	return r < 0 ? r : close_ranks(beat);
}

/**
 * sockets_close() - Close what is open.
 * @beat: after sockets_open(), however that ended
 */
void sockets_close(struct beat *beat)
{
	channel_close(&beat->alone);
	for (size_t i = 0; i < CONF_PATHS_MAX; i++) {
		channel_close(&beat->lobbies[i]);
		for (size_t n = 0; n < CORE_NODES_MAX; n++)
			channel_close(&beat->peers[n].routes[i].channel);
	}
}

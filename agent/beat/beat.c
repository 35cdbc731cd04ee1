/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#include "agent/beat/internal.h"
#include "agent/cleanup.h"

/**
 * beat_random_id() - A number that nobody else draws, nor we again.
 *
 * Return: not 0.
 */
uint64_t beat_random_id(void)
{
	uint64_t id;

	do
		randombytes_buf(&id, sizeof(id));
	while (id == 0);
	return id;
}

/**
 * beat_new() - Open the heartbeat sockets and begin a session.
 * @conf: configuration; borrowed until beat_free()
 * @self: number of our node
 * @key: CONF_KEY_SIZE bytes, copied; NULL: Authentication=none
 * @ret: to be freed with beat_free()
 *
 * Return: 0; -ENOMEM; -EADDRINUSE: another agent or program has the port; negative errno of
 * socket(), setsockopt() or bind().
 */
int beat_new(const struct conf *conf, uint8_t self, const uint8_t *key, struct beat **ret)
{
	_cleanup_(beat_freep) struct beat *beat = NULL;
	int r;

	assert(self < conf->n_nodes);
	if (sodium_init() < 0)
		return -EIO;
	beat = calloc(1, sizeof(*beat));
	if (!beat)
		return -ENOMEM;
	beat->conf = conf;
	beat->self = self;
	beat->authenticate = key;
	if (key)
		memcpy(beat->key, key, sizeof(beat->key));
	beat->n_paths = conf->nodes[self].n_paths;
	beat->session = beat_random_id();
	r = sockets_open(beat);
	if (r < 0)
		return r;
	*ret = TAKE(beat);
	return 0;
}

/**
 * beat_free() - Close the sockets and forget the key.
 * @beat: taken; may be NULL or half-built
 *
 * Return: NULL.
 */
struct beat *beat_free(struct beat *beat)
{
	if (!beat)
		return NULL;
	sockets_close(beat);
	sodium_memzero(beat->key, sizeof(beat->key));
	free(beat);
	return NULL;
}

/**
 * beat_n_fds() - How many sockets there are to be watched.
 * @beat: heartbeats
 *
 * Return: their number; it does not change.
 */
size_t beat_n_fds(const struct beat *beat)
{
	return beat->n_sockets;
}

/**
 * beat_fd() - A socket to be watched for input.
 * @beat: heartbeats; keeps the descriptor
 * @i: 0 to beat_n_fds() - 1
 *
 * Return: descriptor.
 */
int beat_fd(const struct beat *beat, size_t i)
{
	assert(i < beat->n_sockets);
	return sockets_channel((struct beat *)beat, &beat->sockets[i])->fd;
}

/* The scratch packet is ready but for what differs from path to path. */
static int send_on_route(struct beat *beat, struct route *route, uint32_t mark, instant now)
{
	size_t len;
	int r;

	path_fill_echo(&route->path, now, &beat->packet);
	len = wire_build(&beat->packet, beat->conf, beat_key(beat), beat->buf, sizeof(beat->buf));
	assert(len > 0);
	r = channel_send(&route->channel, beat->buf, len,
			 &(struct channel_options){ .mark = mark });
	if (r < 0)
		route->path.stats.send_errors++;
	else
		route->path.stats.sent++;
	return r;
}

static bool holds_any(const struct core_beat *text, size_t n_groups)
{
	for (size_t i = 0; i < n_groups; i++)
		if (text->groups[i].state == CORE_STATE_PRIMARY ||
		    text->groups[i].state == CORE_STATE_YIELDING)
			return true;
	return false;
}

/* The mark by which the kernel knows that this may renew the lease; 0: none. */
static uint32_t mark_number(const struct beat *beat, enum beat_mark mark)
{
	switch (mark) {
	case BEAT_UNMARKED:
		return 0;
	case BEAT_MARK_ECHOED:
		return beat->conf->mark;
	case BEAT_MARK_ALONE:
		return beat->conf->mark + 1;
	}
	assert(false);
	return 0;
}

/**
 * beat_send() - Send a heartbeat over every path; a greeting while the peer is not known yet.
 * @beat: heartbeats
 * @peer: number of the node
 * @text: what it says; seq is from 1 and grows
 * @mark: whether it may renew the lease in the kernel; needs CAP_NET_ADMIN
 * @now: time, for round-trip times
 *
 * A heartbeat with BEAT_MARK_ALONE that leaves on no path goes to the host itself: the lease
 * lives on what passes the output hook, and a host without any link has to keep it as well.
 *
 * Return: number of paths on which it left, where that copy counts as one; 0: nothing left,
 * nothing has been renewed.
 */
int beat_send(struct beat *beat, uint8_t peer, const struct core_beat *text, enum beat_mark mark,
	      instant now)
{
	struct peer *to = &beat->peers[peer];
	struct wire_packet *packet = &beat->packet;
	uint32_t number = mark_number(beat, mark);
	int n = 0;

	assert(peer < beat->conf->n_nodes && peer != beat->self);
	beat->holds = holds_any(text, beat->conf->n_groups);
	packet->type = to->session.peer ? WIRE_BEAT : WIRE_HELLO;
	memcpy(packet->name, beat_own_node(beat)->name, sizeof(packet->name));
	packet->session = to->session.own;
	packet->peer_session = to->session.peer;
	packet->challenge = to->session.challenge;
	packet->response = 0;
	memcpy(&packet->beat, text, core_beat_size(beat->conf->n_groups));
	path_sent_add(&to->sent, text->seq, now);
	for (size_t i = 0; i < beat->n_paths; i++)
		n += send_on_route(beat, &to->routes[i], number, now) == 0;
	if (n == 0 && mark == BEAT_MARK_ALONE) {
		size_t len = wire_build(packet, beat->conf, beat_key(beat), beat->buf,
					sizeof(beat->buf));

		n += channel_send(&beat->alone, beat->buf, len,
				  &(struct channel_options){ .mark = number }) == 0;
	}
	return n;
}

/* Was a heartbeat of the peer heard on any path within two intervals? */
static bool is_heard(const struct beat *beat, uint8_t peer, instant now)
{
	for (size_t i = 0; i < beat->n_paths; i++) {
		instant heard = beat->peers[peer].routes[i].path.stats.heard;

		if (instant_is_set(heard) &&
		    instant_since(now, heard) <= 2 * beat->conf->interval_us)
			return true;
	}
	return false;
}

/*
 * A call on a socket that brought no datagram. An ICMP message is easily forged: a peer that is
 * heard has its port open, whatever it says.
 */
static enum beat_outcome take_error(const struct beat *beat, const struct socket *s, int err,
				    instant now)
{
	if (err == -EAGAIN)
		return BEAT_NOTHING;
	if (err == -ECONNREFUSED && s->peer != CORE_NODE_NONE && !is_heard(beat, s->peer, now))
		return BEAT_UNREACHABLE;
	return BEAT_HANDLED;
}

/**
 * beat_receive() - Take one datagram, or the news that the peer's port is closed.
 * @beat: heartbeats
 * @i: number of the socket that is ready, 0 to beat_n_fds() - 1
 * @now: time
 * @ret: what came; of its fields those are set that its outcome names
 *
 * A handshake is answered on the spot. To be called until the outcome is BEAT_NOTHING, or so
 * often as the caller can afford.
 *
 * Return: 0; negative errno of recvmsg() that is not the news of the network, such as -ENOMEM.
 */
int beat_receive(struct beat *beat, size_t i, instant now, struct beat_received *ret)
{
	const struct socket *s = &beat->sockets[i];
	enum wire_refusal refusal = WIRE_MALFORMED;
	union channel_address from;
	size_t len;
	int r;

	assert(i < beat->n_sockets);
	r = channel_receive(sockets_channel(beat, s), beat->buf, sizeof(beat->buf), &len, &from);
	if (r < 0 && r != -EAGAIN && r != -EINTR && !channel_error_is_passing(r))
		return r;
	ret->peer = s->peer;
	if (r < 0) {
		ret->outcome = take_error(beat, s, r, now);
		return 0;
	}
	ret->outcome = BEAT_REFUSED;
	channel_address_ip(&from, &ret->from);
	if (len <= sizeof(beat->buf))
		refusal = wire_parse(beat->buf, len, beat->conf, beat_key(beat), &beat->packet);
	ret->refusal = refusal;
	if (refusal == WIRE_ACCEPTED)
		take_packet(beat, s, &from, now, ret);
	else
		beat->stats.refused[refusal]++;
	return 0;
}

/**
 * beat_is_deaf() - Has a peer sent to us for longer than the dead time, and not heard us?
 * @beat: heartbeats
 * @peer: number of the node
 * @now: time
 */
bool beat_is_deaf(const struct beat *beat, uint8_t peer, instant now)
{
	assert(peer < CORE_NODES_MAX);
	return session_is_unheard(&beat->peers[peer].unheard, now, beat->conf->dead_us);
}

/**
 * beat_n_paths() - How many paths lead to a peer.
 * @beat: heartbeats
 * @peer: number of the node
 *
 * Return: their number; 0 for ourselves.
 */
size_t beat_n_paths(const struct beat *beat, uint8_t peer)
{
	return peer < beat->conf->n_nodes && peer != beat->self ? beat->n_paths : 0;
}

/**
 * beat_path_stats() - What has been counted and measured on a path.
 * @beat: heartbeats
 * @peer: number of the node
 * @path: 0 to beat_n_paths() - 1
 * @ret: numbers
 */
void beat_path_stats(const struct beat *beat, uint8_t peer, size_t path,
		     struct beat_path_stats *ret)
{
	assert(path < beat_n_paths(beat, peer));
	*ret = beat->peers[peer].routes[path].path.stats;
}

/**
 * beat_stats() - What has been refused.
 * @beat: heartbeats
 * @ret: numbers
 */
void beat_stats(const struct beat *beat, struct beat_stats *ret)
{
	*ret = beat->stats;
}

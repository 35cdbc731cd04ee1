/* SPDX-License-Identifier: MIT */
#include "agent/beat/beat.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#include "agent/beat/channel.h"
#include "agent/cleanup.h"
#include "agent/beat/path.h"
#include "agent/beat/session.h"

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

static uint64_t random_id(void)
{
	uint64_t id;

	do
		randombytes_buf(&id, sizeof(id));
	while (id == 0);
	return id;
}

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

static const uint8_t *beat_key(const struct beat *beat)
{
	return beat->authenticate ? beat->key : NULL;
}

static const struct conf_node *own_node(const struct beat *beat)
{
	return &beat->conf->nodes[beat->self];
}

static void add_socket(struct beat *beat, uint8_t peer, size_t path)
{
	assert(beat->n_sockets < SOCKETS_MAX);
	beat->sockets[beat->n_sockets++] = (struct socket){ peer, (uint8_t)path };
}

static struct channel *socket_channel(struct beat *beat, const struct socket *s)
{
	return s->peer == CORE_NODE_NONE ? &beat->lobbies[s->path]
					 : &beat->peers[s->peer].routes[s->path].channel;
}

static int open_peer(struct beat *beat, uint8_t number)
{
	const struct conf_node *self = own_node(beat), *node = &beat->conf->nodes[number];
	struct peer *peer = &beat->peers[number];
	int r;

	peer->session = (struct session){ .own = beat->session, .challenge = random_id() };
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
	const struct ip *own = &own_node(beat)->paths[0];
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
		r = channel_share(socket_channel(beat, &beat->sockets[i]), false);
		if (r < 0)
			return r;
	}
	return channel_share(&beat->alone, false);
}

/* The lobbies first: who has the port already is found by them. */
static int open_all(struct beat *beat)
{
	int r;

	for (size_t i = 0; i < beat->n_paths; i++) {
		r = channel_open(&beat->lobbies[i], &own_node(beat)->paths[i], NULL,
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
	_cleanup_(beat_freep) struct beat *beat = calloc(1, sizeof(*beat));
	int r;

	assert(self < conf->n_nodes);
	if (!beat)
		return -ENOMEM;
	clear_channels(beat);
	if (sodium_init() < 0)
		return -EIO;
	beat->conf = conf;
	beat->self = self;
	beat->authenticate = key;
	if (key)
		memcpy(beat->key, key, sizeof(beat->key));
	beat->n_paths = conf->nodes[self].n_paths;
	beat->session = random_id();
	r = open_all(beat);
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
	channel_close(&beat->alone);
	for (size_t i = 0; i < CONF_PATHS_MAX; i++) {
		channel_close(&beat->lobbies[i]);
		for (size_t n = 0; n < CORE_NODES_MAX; n++)
			channel_close(&beat->peers[n].routes[i].channel);
	}
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
	return socket_channel((struct beat *)beat, &beat->sockets[i])->fd;
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
	memcpy(packet->name, own_node(beat)->name, sizeof(packet->name));
	packet->session = to->session.own;
	packet->peer_session = to->session.peer;
	packet->challenge = to->session.challenge;
	packet->response = 0;
	packet->beat = *text;
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

/*
 * Tell the sender of @packet at @from that our configuration does not name it: not at all, or
 * not there.
 */
static void answer_stranger(struct beat *beat, const struct socket *s,
			    const struct wire_packet *packet, const union channel_address *from,
			    instant now)
{
	struct wire_packet answer = {
		.type = WIRE_STRANGER,
		.session = beat->session,
		.peer_session = packet->session,
		.response = packet->challenge,
	};
	size_t len;

	if (packet->type == WIRE_STRANGER || !session_bucket_take(&beat->stranger_answers, now))
		return;
	memcpy(answer.name, own_node(beat)->name, sizeof(answer.name));
	len = wire_build(&answer, beat->conf, beat_key(beat), beat->buf, sizeof(beat->buf));
	/* It asks again if this is lost. */
	(void)channel_send(&beat->lobbies[s->path], beat->buf, len,
			   &(struct channel_options){ .to = from });
}

/* A heartbeat of the present session. */
static enum beat_outcome take_beat(struct beat *beat, struct peer *peer, struct path *path,
				   const struct wire_packet *packet, instant now)
{
	if (!path_take(path, &peer->sent, packet, now)) {
		beat->stats.replayed++;
		return BEAT_REFUSED;
	}
	if (packet->beat.seq <= peer->session.delivered)
		return BEAT_HANDLED; /* came over another path before */
	peer->session.delivered = packet->beat.seq;
	return BEAT_FRESH;
}

/* An authentic packet of a peer from the peer's address. */
static enum beat_outcome take_peer(struct beat *beat, struct peer *peer, struct route *route,
				   const struct wire_packet *packet, instant now)
{
	struct wire_packet answer;
	enum session_proof proof;
	size_t len;

	proof = session_receive(&peer->session, packet);
	if (proof == SESSION_CONFIRMED) {
		session_renew(&peer->session, random_id());
		for (size_t i = 0; i < beat->n_paths; i++)
			path_begin(&peer->routes[i].path);
	}
	if (session_answer(&peer->session, packet, &answer) &&
	    session_answers_take(&peer->answers, &peer->session, packet, proof, now)) {
		memcpy(answer.name, own_node(beat)->name, sizeof(answer.name));
		len = wire_build(&answer, beat->conf, beat_key(beat), beat->buf, sizeof(beat->buf));
		/* The next heartbeat asks again if this is lost. */
		(void)channel_send(&route->channel, beat->buf, len, &(struct channel_options){ 0 });
	}
	beat->stats.unproven += proof == SESSION_FOREIGN;
	if (proof == SESSION_FOREIGN || packet->type != WIRE_BEAT)
		return BEAT_HANDLED;
	return take_beat(beat, peer, &route->path, packet, now);
}

/* "My configuration does not name you." */
static enum beat_outcome take_stranger(struct beat *beat, struct peer *peer,
				       const struct wire_packet *packet)
{
	if (!session_disowned(&peer->session, packet)) {
		beat->stats.replayed++;
		return BEAT_REFUSED;
	}
	session_renew(&peer->session, random_id());
	return BEAT_DISOWNED;
}

/*
 * An authentic packet in our own name, from a process that is not us: the two configurations
 * call different hosts so. As neither is the other's peer, neither would ever hear that the
 * other one holds a group. So whoever does tells the other, who has to leave it alone; of two
 * that do, the one with the smaller address keeps it.
 */
static void take_namesake(struct beat *beat, const struct socket *s,
			  const union channel_address *from, instant now, struct beat_received *ret)
{
	const struct wire_packet *packet = &beat->packet;
	const struct ip *own = &own_node(beat)->paths[s->path];

	beat->stats.misplaced++;
	ret->outcome = BEAT_MISPLACED;
	if (packet->type != WIRE_STRANGER) {
		if (beat->holds)
			answer_stranger(beat, s, packet, from, now);
		return;
	}
	if (beat->holds && memcmp(own->bytes, ret->from.bytes, ip_len(own)) < 0)
		return;
	for (uint8_t i = 0; i < beat->conf->n_nodes; i++) {
		if (i == beat->self || !session_disowned(&beat->peers[i].session, packet))
			continue;
		session_renew(&beat->peers[i].session, random_id());
		ret->outcome = BEAT_NAMESAKE;
		ret->peer = i;
		return;
	}
}

/* An authentic packet, from whomever. */
static void take_packet(struct beat *beat, const struct socket *s,
			const union channel_address *from, instant now, struct beat_received *ret)
{
	const struct wire_packet *packet = &beat->packet;
	struct peer *peer;
	uint8_t node;

	memcpy(ret->name, packet->name, sizeof(ret->name));
	if (conf_find_node(beat->conf, packet->name, &node) < 0) {
		answer_stranger(beat, s, packet, from, now);
		beat->stats.strangers++;
		ret->outcome = BEAT_STRANGER;
		return;
	}
	if (node == beat->self && packet->session == beat->session) {
		beat->stats.replayed++; /* our own, sent back to us */
		return;
	}
	if (node == beat->self) {
		take_namesake(beat, s, from, now, ret);
		return;
	}
	if (!ip_equal(&ret->from, &beat->conf->nodes[node].paths[s->path])) {
		beat->stats.misplaced++;
		ret->outcome = BEAT_MISPLACED;
		return;
	}
	peer = &beat->peers[node];
	ret->peer = node;
	ret->outcome = packet->type == WIRE_STRANGER
			       ? take_stranger(beat, peer, packet)
			       : take_peer(beat, peer, &peer->routes[s->path], packet, now);
	if (ret->outcome == BEAT_FRESH)
		ret->beat = packet->beat;
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
	r = channel_receive(socket_channel(beat, s), beat->buf, sizeof(beat->buf), &len, &from);
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

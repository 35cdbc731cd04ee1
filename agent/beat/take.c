/* SPDX-License-Identifier: MIT */

/* What an authentic packet is taken for: a heartbeat, a step of the handshake, or an outsider's. */

#include "agent/beat/internal.h"

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
	memcpy(answer.name, beat_own_node(beat)->name, sizeof(answer.name));
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
		session_renew(&peer->session, beat_random_id());
		for (size_t i = 0; i < beat->n_paths; i++)
			path_begin(&peer->routes[i].path);
	}
	if (session_answer(&peer->session, packet, &answer) &&
	    session_answers_take(&peer->answers, &peer->session, packet, proof, now)) {
		memcpy(answer.name, beat_own_node(beat)->name, sizeof(answer.name));
		len = wire_build(&answer, beat->conf, beat_key(beat), beat->buf, sizeof(beat->buf));
		/* The next heartbeat asks again if this is lost. */
		(void)channel_send(&route->channel, beat->buf, len, &(struct channel_options){ 0 });
	}
	session_note_unheard(&peer->unheard, &peer->session, packet, proof, now,
			     beat->conf->dead_us);
	if (proof == SESSION_FOREIGN) {
		if (session_greeting_take(&peer->session))
			beat->stats.greetings++;
		else
			beat->stats.unproven++;
		return session_is_unheard(&peer->unheard, now, beat->conf->dead_us) ? BEAT_DEAF
										    : BEAT_HANDLED;
	}
	if (packet->type != WIRE_BEAT)
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
	session_renew(&peer->session, beat_random_id());
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
	const struct ip *own = &beat_own_node(beat)->paths[s->path];

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
		session_renew(&beat->peers[i].session, beat_random_id());
		ret->outcome = BEAT_NAMESAKE;
		ret->peer = i;
		return;
	}
}

/**
 * take_packet() - Take an authentic packet, from whomever.
 * @beat: the packet is in its scratch
 * @s: socket on which it came
 * @from: its sender
 * @now: time
 * @ret: what it was; from is set, outcome is REFUSED unless it is written
 *
 * A handshake, and who is not known here, is answered on the spot.
 */
void take_packet(struct beat *beat, const struct socket *s, const union channel_address *from,
		 instant now, struct beat_received *ret)
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
		memcpy(&ret->beat, &packet->beat, core_beat_size(beat->conf->n_groups));
}

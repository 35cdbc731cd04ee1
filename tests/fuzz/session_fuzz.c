/* SPDX-License-Identifier: MIT */

/*
 * Two peers, a wire on which everything is recorded, and somebody who plays any of it
 * back to either of them, as often and in whatever order he likes; and they may start
 * anew. Each command is a byte and its argument another.
 *
 * Laws: a packet proves something only to whom it was meant for, and only if it is of
 * the sender's life that answered last; once a life has been followed by another one
 * that was confirmed, nothing of it proves anything any more; a number on a path is
 * taken once.
 */

#include "agent/beat/session.h"
#include "tests/fuzz/fuzz.h"

enum {
	RECORDS_MAX = 256,
	SEQ_MAX = 1024,
};

enum command {
	SAY,	 /* a heartbeat, or a greeting */
	DELIVER, /* one of the records, to whom it was meant for */
	REFLECT, /* the same, to who sent it */
	START,
	DISOWN,
	SKIP, /* numbers are used up elsewhere */
	WAIT,
	_COMMAND_MAX,
};

struct record {
	unsigned from, life;
	uint64_t challenge; /* of the receiver, when this was sent; 0: renewed since */
	struct wire_packet packet;
};

struct node {
	struct session session;
	struct session_window window;
	struct session_answers answers;
	unsigned life;	   /* from 1 */
	unsigned accepted; /* life of the peer that was confirmed last; 0: none */
	uint64_t seq;
	bool taken[SEQ_MAX]; /* of the accepted life */
};

struct world {
	struct node nodes[2];
	struct record records[RECORDS_MAX];
	size_t n;
	uint64_t random, now_us;
	unsigned sent_at_once; /* answers, since time stood still */
};

static uint64_t draw(struct world *w)
{
	return ++w->random * UINT64_C(0x9e3779b97f4a7c15); /* odd: never the same, never 0 */
}

static void start(struct world *w, unsigned i)
{
	struct node *node = &w->nodes[i];
	unsigned life = node->life + 1;

	*node = (struct node){ .life = life };
	node->session = (struct session){ .own = draw(w), .challenge = draw(w) };
}

static void put_on_wire(struct world *w, unsigned from, const struct wire_packet *packet)
{
	if (w->n < RECORDS_MAX)
		w->records[w->n++] = (struct record){
			.from = from,
			.life = w->nodes[from].life,
			.packet = *packet,
		};
}

static void say(struct world *w, unsigned i)
{
	struct node *node = &w->nodes[i];
	struct wire_packet packet = {
		.type = node->session.peer ? WIRE_BEAT : WIRE_HELLO,
		.session = node->session.own,
		.peer_session = node->session.peer,
		.challenge = node->session.challenge,
	};

	packet.beat.seq = ++node->seq;
	put_on_wire(w, i, &packet);
}

/* "I do not know you", as an answer to what the peer said last. */
static void disown(struct world *w, unsigned i)
{
	const struct session *peer = &w->nodes[!i].session;
	const struct wire_packet packet = {
		.type = WIRE_STRANGER,
		.session = w->nodes[i].session.own,
		.peer_session = peer->own,
		.response = peer->challenge,
	};

	put_on_wire(w, i, &packet);
}

static void take_beat(struct node *node, const struct wire_packet *packet)
{
	uint64_t seq = packet->beat.seq;
	int64_t lost;

	if (session_window_take(&node->window, seq, &lost) == SESSION_REPLAYED)
		return;
	assert(seq < SEQ_MAX && !node->taken[seq]);
	assert(lost >= -1);
	node->taken[seq] = true;
}

static void check_proof(struct node *node, const struct record *record, enum session_proof proof)
{
	if (proof == SESSION_FOREIGN)
		return;
	assert(record->packet.peer_session == node->session.own);
	if (proof == SESSION_KNOWN) {
		assert(record->life == node->accepted);
		return;
	}
	assert(record->life > node->accepted);
	node->accepted = record->life;
	node->window = (struct session_window){ 0 };
	memset(node->taken, 0, sizeof(node->taken));
}

static void answer(struct world *w, unsigned i, const struct wire_packet *packet,
		   enum session_proof proof)
{
	struct node *node = &w->nodes[i];
	struct wire_packet reply;

	if (!session_answer(&node->session, packet, &reply))
		return;
	assert(reply.type == WIRE_HELLO && reply.session == node->session.own);
	assert(reply.peer_session == packet->session);
	if (!session_answers_take(&node->answers, &node->session, packet, proof,
				  (instant){ w->now_us }))
		return;
	put_on_wire(w, i, &reply);
}

static void receive(struct world *w, unsigned i, const struct record *record)
{
	struct node *node = &w->nodes[i];
	const struct wire_packet *packet = &record->packet;
	enum session_proof proof;

	if (record->from == i) /* its own, sent back: beat.c drops it by name and session */
		return;
	if (packet->type == WIRE_STRANGER) {
		if (session_disowned(&node->session, packet)) {
			assert(node->session.challenge == 0);
			session_renew(&node->session, draw(w));
		}
		return;
	}
	proof = session_receive(&node->session, packet);
	check_proof(node, record, proof);
	if (proof == SESSION_CONFIRMED)
		session_renew(&node->session, draw(w));
	answer(w, i, packet, proof);
	if (proof != SESSION_FOREIGN && packet->type == WIRE_BEAT)
		take_beat(node, packet);
}

static void obey(struct world *w, enum command command, unsigned i, uint8_t argument)
{
	const struct record copy = w->n ? w->records[argument % w->n] : (struct record){ 0 };

	switch (command) {
	case SAY:
		if (w->nodes[i].seq + 1 < SEQ_MAX)
			say(w, i);
		break;
	case DELIVER:
		if (w->n)
			receive(w, !copy.from, &copy);
		break;
	case REFLECT:
		if (w->n)
			receive(w, copy.from, &copy);
		break;
	case START:
		start(w, i);
		break;
	case DISOWN:
		disown(w, i);
		break;
	case SKIP:
		if (w->nodes[i].seq + argument + 1 < SEQ_MAX)
			w->nodes[i].seq += argument;
		break;
	case WAIT:
		w->now_us += argument * UINT64_C(1000);
		break;
	case _COMMAND_MAX:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct fuzz_bytes bytes = { data, data + size };

	w.n = 0;
	w.random = 0;
	w.now_us = 1;
	w.nodes[0].life = w.nodes[1].life = 0;
	start(&w, 0);
	start(&w, 1);
	while (bytes.p < bytes.end) {
		uint8_t what = fuzz_u8(&bytes);

		obey(&w, (what >> 1) % _COMMAND_MAX, what & 1, fuzz_u8(&bytes));
	}
	return 0;
}

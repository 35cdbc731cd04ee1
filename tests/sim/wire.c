/* SPDX-License-Identifier: MIT */

/* The network, the sockets, and what the kernel does as a heartbeat passes it. */

#include "tests/sim/sim.h"

uint16_t wire_take_beat(struct world *w)
{
	uint16_t beat;

	assert(w->n_free_beats);
	beat = w->free_beats[--w->n_free_beats];
	w->beat_refs[beat] = 1;
	return beat;
}

void wire_drop_beat(struct world *w, uint16_t beat)
{
	if (--w->beat_refs[beat] == 0)
		w->free_beats[w->n_free_beats++] = beat;
}

static bool vanishes(struct world *w, uint8_t from, uint8_t to, unsigned path)
{
	uint32_t drip = w->drip[from][to];

	return w->cut[from][to][path] || (w->loss && between(&w->state, 0, 999) < w->loss) ||
	       (drip && between(&w->state, 0, 999) < drip) ||
	       !w->nodes[from].other_version != !w->nodes[to].other_version;
}

/* @late: what a network adds that has kept a copy. Return: does it come within an interval? */
static bool carry(struct world *w, const struct item *sent, uint8_t from, uint64_t late)
{
	uint64_t takes =
		w->h->lockstep ? between(&w->state, 10, 40) : between(&w->state, 60, SIM_LATENCY);
	uint64_t *arrived = &w->arrived[from][sent->action.peer], at;
	struct item *item;

	if (w->delay_us)
		takes += between(&w->state, 0, w->delay_us);
	at = w->now + takes + late;
	if (at < *arrived && !w->delay_us)
		at = *arrived;
	if (!late)
		*arrived = at;
	item = world_push(w, at, SIM_DELIVER, sent->action.peer);
	item->from = from;
	item->sent = w->now;
	item->life = w->nodes[from].life;
	item->beat = sent->beat;
	w->beat_refs[item->beat]++;
	return at <= w->now + w->interval_max; /* one that is kept back keeps others back */
}

/*
 * Nobody tells when the lease runs out: beside the heartbeats that renew it the
 * worker looks at it now and then, at every fifth refresh of the arp family.
 */
static void look_at_lease(struct world *w, uint8_t node, uint64_t clock)
{
	struct node *n = &w->nodes[node];
	const struct core_config *c = &n->core.config;
	struct item *notice;

	if (clock - n->looked < 5 * (c->lease_us / 2 - c->interval_us / 2))
		return;
	n->looked = clock;
	if (n->flushed || n->lease_until > clock)
		return;
	notice = world_push(w, w->now + between(&w->state, 40, 600), SIM_NOTICE, node);
	notice->event = (struct core_event){ .type = CORE_EV_LAPSED };
	notice->err = (int)n->epoch;
}

/* A heartbeat leaves: the rule in the output hook renews the lease (R8), then the wires. */
void wire_send(struct world *w, uint8_t node, const struct item *item)
{
	struct node *n = &w->nodes[node];
	const struct core_beat *beat = &w->beats[item->beat];
	bool lost = true;

	if (beat->marked) {
		uint64_t clock = node_clock(w, n);

		look_at_lease(w, node, clock);
		if (!n->flushed && n->lease_until > clock &&
		    (item->action.beat.alone || n->echo_until > clock))
			n->lease_until = clock + n->core.config.lease_us;
	}
	for (unsigned path = 0; path < w->h->n_paths; path++) {
		if (vanishes(w, node, item->action.peer, path))
			continue;
		lost &= !carry(w, item, node, 0);
		if (!w->h->exact && chance(&w->state, 1))
			(void)carry(w, item, node, 0); /* twice */
		if (w->twice && between(&w->state, 0, 999) < w->twice)
			(void)carry(w, item, node, between(&w->state, 0, 150000));
	}
	if (lost)
		exposed_lost(w, node, item->action.peer);
}

/* A datagram is at the host: the echo guard sees it, whoever reads it when. */
void wire_hold(struct world *w, struct node *n, const struct item *item)
{
	if (w->beats[item->beat].reply)
		n->echo_until = node_clock(w, n) + 2 * (uint64_t)n->core.config.interval_us + 5000;
	exposed_arrived(w, item->from, item->node, item->sent);
}

/* Sessions and sequence numbers, in short: nothing old, nothing twice. */
static bool is_fresh(struct world *w, const struct item *item)
{
	struct node *n = &w->nodes[item->node];
	uint64_t seq = w->beats[item->beat].seq;

	/* what the dead have said last is heard, but nobody finishes a handshake with them */
	if (item->life != w->nodes[item->from].life && n->heard_life[item->from] != item->life + 1)
		return false;
	if (n->heard_life[item->from] == item->life + 1 && seq <= n->heard_seq[item->from])
		return false;
	n->heard_life[item->from] = item->life + 1;
	n->heard_seq[item->from] = seq;
	return true;
}

/* Nobody listens: the host says so, if it is there (R10). */
static void say_unreachable(struct world *w, const struct item *item)
{
	struct item *notice;

	if (w->nodes[item->node].booted || vanishes(w, item->node, item->from, 0))
		return;
	notice =
		world_push(w, w->now + between(&w->state, 60, SIM_LATENCY), SIM_NOTICE, item->from);
	notice->event = (struct core_event){ .type = CORE_EV_UNREACHABLE, .peer = item->node };
}

void wire_deliver(struct world *w, struct item *item)
{
	struct core_event event = { .type = CORE_EV_BEAT, .peer = item->from };

	if (!w->nodes[item->node].alive) {
		say_unreachable(w, item);
	} else if (!w->nodes[item->node].core.exited && is_fresh(w, item)) {
		event.beat = &w->beats[item->beat];
		w->nodes[item->node].heard_from[item->from] = item->sent;
		world_step(w, item->node, &event);
	}
	wire_drop_beat(w, item->beat);
}

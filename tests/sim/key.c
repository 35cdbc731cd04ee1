/* SPDX-License-Identifier: MIT */

/*
 * What tells the states of a world from each other.
 *
 * Two states are the same if whatever follows in one follows in the other. So the
 * key of a state has no times but ages and times left, no terms but differences of
 * terms, no sequence numbers but distances, no ids but which equals which. An age
 * counts no further than the longest time that anything in the core is waited for
 * by its help: what is older is old. Left out is what is only told (reasons, how
 * long a switchover took) and what nothing asks for in the state that a group is in
 * (the term of one who holds nothing, the id of a move that is over). That this is
 * not too much is tried while exploring: see confirm() in search.c.
 */

#include "tests/sim/key.h"

/* Time left; what has passed is not the same as what never comes. */
static void put_due(struct keying *k, const struct node *n, uint64_t due)
{
	uint64_t now = node_clock(k->w, n);

	put(k, !due ? 0 : due <= now ? 1 : 2 + due - now);
}

/* Ids are compared, and nothing else: which one of those seen so far is it? */
static void put_id(struct keying *k, uint32_t id)
{
	unsigned i = 0;

	while (i < k->n_ids && k->ids[i] != id)
		i++;
	if (i == k->n_ids && k->n_ids < ARRAY_SIZE(k->ids))
		k->ids[k->n_ids++] = id;
	put(k, id ? 1 + i : 0);
}

/* How far behind the newest; further than the core remembers is lost. */
static void put_seq(struct keying *k, const struct core *sender, uint64_t seq)
{
	uint64_t behind = sender->seq - seq;

	if (seq > sender->seq)
		put(k, 2 + CORE_SENT_MAX + seq - sender->seq); /* of its life before */
	else
		put(k, !seq ? 0 : 1 + (behind < CORE_SENT_MAX ? behind : CORE_SENT_MAX));
}

/* A heartbeat whose echo may still come: when did it leave? */
static void put_sent(struct keying *k, const struct node *n, uint8_t peer, uint64_t seq)
{
	const struct core *core = &n->core;

	if (seq > core->peers[peer].echoed_seq && core->sent[seq % CORE_SENT_MAX].seq == seq)
		put_age(k, n, core->sent[seq % CORE_SENT_MAX].at.us, k->long_ago);
	else
		put(k, 0);
}

static bool is_held(enum core_state state)
{
	return state == CORE_STATE_CLAIMING || state == CORE_STATE_PRIMARY ||
	       state == CORE_STATE_YIELDING;
}

static void put_record(struct keying *k, const struct core_record *r)
{
	put(k, r->state | (uint64_t)r->move << 8 | (uint64_t)r->unfit << 16 |
		       (uint64_t)r->present << 32);
	put_term(k, is_held(r->state) ? r->term : 0);
	put_term(k, r->term_max);
	if (r->move == CORE_MOVE_NONE)
		return;
	put(k, r->why | (uint64_t)r->move_to << 8);
	put_id(k, r->move_id);
	put_term(k, r->move_term);
}

static void put_beat(struct keying *k, const struct core_beat *beat, uint8_t from)
{
	const struct node *nodes = k->w->nodes;

	put_seq(k, &nodes[from].core, beat->seq);
	put_sent(k, &nodes[from], !from, beat->seq);
	if (beat->reply && nodes[!from].alive) {
		put_seq(k, &nodes[!from].core, beat->echo_seq);
		put_sent(k, &nodes[!from], from, beat->echo_seq);
	}
	put(k, beat->lease_us | (uint64_t)beat->reply << 32 | (uint64_t)beat->wants_answer << 33);
	put_record(k, &beat->groups[0]);
}

static void put_group(struct keying *k, const struct node *n)
{
	const struct core_group *g = &n->core.groups[0];
	bool moving = g->move != CORE_MOVE_NONE || g->state == CORE_STATE_CLAIMING ||
		      g->state == CORE_STATE_YIELDING || instant_is_set(g->provisional);
	const struct sim_history *h = k->w->h;

	put(k, g->state | (uint64_t)g->step << 8 | (uint64_t)g->unfit << 16 |
		       (uint64_t)g->maintenance << 32 | (uint64_t)g->primary << 33 |
		       (uint64_t)g->serving << 34 | (uint64_t)(moving && g->seamless) << 35 |
		       (uint64_t)g->repairing << 36 | (uint64_t)g->lost << 37 |
		       (uint64_t)(g->pending != 0) << 38 | (uint64_t)(g->request != 0) << 39 |
		       (uint64_t)g->move << 48);
	put_age(k, n, g->since.us, h->config.dead_us);
	put_term(k, is_held(g->state) ? g->term : 0);
	put_term(k, g->term_max);
	put_due(k, n, g->due.us);
	put_due(k, n, g->provisional.us);
	put_due(k, n, g->request_due.us);
	put_due(k, n, g->announce_due.us);
	put(k, instant_is_set(g->announce_due) ? g->announced : 0);
	put_until(k, node_clock(k->w, n), g->retry.us);
	put_until(k, node_clock(k->w, n), g->repair_due.us);
	put_age(k, n, g->headless.us, h->config.groups[0].last_resort_us);
	put_age(k, n, g->rival_since.us, k->long_ago);
	put_age(k, n, g->step == CORE_STEP_CLAIM_WAIT ? g->waiting_since.us : 0, k->long_ago);
	if (g->losses || g->unfit & CORE_UNFIT_DRIFT) {
		put(k, g->losses);
		put_age(k, n, g->loss_window.us, 11 * USEC_PER_SEC);
		put_age(k, n, g->loss_counted.us, 2 * USEC_PER_SEC);
	}
	put_id(k, g->probe);
	put_due(k, n, g->probe_due.us);
	put(k, g->vacant | (uint64_t)(g->probe_err != 0) << 1 | (uint64_t)g->holder << 8);
	put_age(k, n, g->vacant || g->probe ? g->probed.us : 0, k->long_ago);
	put_age(k, n, g->vacant || g->unfit & CORE_UNFIT_OCCUPIED ? g->probe_ended.us : 0,
		2 * USEC_PER_SEC);
	put_age(k, n, g->released.us, h->config.dead_us + 1);
	if (moving) {
		put(k, g->why | (uint64_t)g->move_to << 8);
		put_id(k, g->move_id);
		put_term(k, g->move_term);
	}
}

/* Has anything been heard of the life that the peer lives now? */
static bool knows_life(const struct world *w, const struct node *n, uint8_t peer)
{
	return n->heard_life[peer] == w->nodes[peer].life + 1;
}

static void put_peer(struct keying *k, const struct node *n, uint8_t peer)
{
	const struct core *core = &n->core;
	const struct core_peer *p = &core->peers[peer];
	const struct core_group *g = &core->groups[0];

	put(k, p->known | (uint64_t)p->up << 1 | (uint64_t)p->no_agent << 2 |
		       (uint64_t)(p->heard.us >
				  core->listen_from.us + 2 * (uint64_t)core->config.interval_us)
			       << 3 |
		       (uint64_t)(p->echoed_sent_at.us >= core->awake.us) << 4 |
		       (uint64_t)(p->echoed_sent_at.us < g->rival_since.us) << 5 |
		       (uint64_t)(p->echoed_seq > g->waiting_seq) << 6 |
		       (uint64_t)p->beat.lease_us << 8);
	put_age(k, n, p->heard.us, k->long_ago);
	put_age(k, n, p->missed.us, k->long_ago);
	put_age(k, n, p->echoed_sent_at.us, k->long_ago);
	put_seq(k, core, p->echoed_seq);
	if (knows_life(k->w, n, peer)) { /* else it is not told of before it is another */
		put_seq(k, &k->w->nodes[peer].core, p->heard_seq);
		put_sent(k, &k->w->nodes[peer], !peer, p->heard_seq);
	}
	if (p->up)
		put_record(k, &p->beat.groups[0]);
}

static void put_core(struct keying *k, const struct node *n, uint8_t peer)
{
	const struct core *core = &n->core;
	const struct core_config *c = &core->config;
	bool alone = core->booted && !core->peers[peer].known;

	put(k, core->stopping | (uint64_t)core->restarting << 1 |
		       (uint64_t)core->lease_frozen << 2 | (uint64_t)core->exited << 3 |
		       (uint64_t)alone << 4 | (uint64_t)core->lease_us << 8);
	put_age(k, n, core->now.us, c->dead_us + c->lease_us);
	put_age(k, n, core->awake.us, k->long_ago);
	put_age(k, n, core->listen_from.us, k->long_ago);
	put_age(k, n, core->started.us, alone ? c->start_wait_us : k->long_ago);
	put_due(k, n, core->beat_due.us);
	put_due(k, n, core->lease_until.us);
	put_due(k, n, core->rebuild_due.us);
	put_until(k, node_clock(k->w, n), core->stop_due.us);
	put_seq(k, core, core->hold_seq);
	put_until(k, k->w->now, n->timer_at);
	put_group(k, n);
	put_peer(k, n, peer);
}

static void put_node(struct keying *k, uint8_t node)
{
	struct world *w = k->w;
	const struct node *n = &w->nodes[node];
	uint8_t peer = !node;
	uint64_t clock = node_clock(w, n);
	uint32_t lease_us = w->h->config.lease_us;

	put(k, n->alive | (uint64_t)n->booted << 1 | (uint64_t)n->present[0] << 2 |
		       (uint64_t)n->flushed << 3 | (uint64_t)n->maintenance[0] << 4 |
		       (uint64_t)n->gate[0] << 8 | (uint64_t)n->link_down[0] << 16 |
		       (uint64_t)knows_life(w, n, peer) << 24);
	put_until(k, w->now, n->frozen_until);
	put_until(k, w->now, n->crash_ends);
	put_until(k, clock, n->lease_until);
	put_until(k, clock, n->echo_until);
	put_until(k, clock, n->ticket_until[0]);
	put_until(k, clock, n->flushed ? n->rebuilt_until : 0);
	put_age(k, n, n->looked, 5 * (uint64_t)lease_us);
	put_term(k, n->term[0]);
	if (knows_life(w, n, peer))
		put_seq(k, &w->nodes[peer].core, n->heard_seq[peer]);
	if (n->alive)
		put_core(k, n, peer);
	else
		put(k, n->core.groups[0].seamless ? n->core.groups[0].state : 0);
	put_laws_of(k, n);
}

/* An order, or its answer, and who waits for it. */
static void put_order(struct keying *k, const struct node *n, const struct item *item)
{
	const struct core_action *a = &item->action;
	const struct core *core = &n->core;

	put(k, a->type | (uint64_t)(a->id && a->id == core->groups[0].pending) << 8 |
		       (uint64_t)(a->id && a->id == core->pending_node) << 9 |
		       (uint64_t)(a->id && a->id == core->creating) << 10 |
		       (uint64_t)(a->id && a->id == core->rebuilding) << 11 |
		       (uint64_t)(item->what == SIM_DONE && item->err) << 12 |
		       (uint64_t)(item->what == SIM_DONE && item->err == -2) << 13);
	if (a->type == CORE_DO_GATE)
		put(k, a->gate.level | (uint64_t)a->gate.create << 8);
	else if (a->type == CORE_DO_PROBE)
		put_id(k, a->id);
	else if (a->type == CORE_DO_PREPARE)
		put(k, a->ticket);
	else if (a->type == CORE_DO_STORE && item->what == SIM_PERFORM)
		put_term(k, a->store.term);
	else if (a->type == CORE_DO_BEAT)
		put(k, a->beat.alone | (uint64_t)k->w->beats[item->beat].marked << 1);
}

static void put_notice(struct keying *k, const struct node *n, const struct item *item)
{
	const struct core_event *e = &item->event;

	put(k, e->type);
	if (e->type == CORE_EV_FITNESS)
		put(k, e->fitness.reason | (uint64_t)e->fitness.unfit << 16);
	else if (e->type == CORE_EV_STOP)
		put(k, e->restart);
	else if (e->type == CORE_EV_LAPSED)
		put(k, (uint32_t)item->err == n->epoch);
}

/* What the dead have said last: of the life that is known here, and how much later than that? */
static void put_session(struct keying *k, const struct item *item)
{
	const struct node *n = &k->w->nodes[item->node];

	if (item->life == k->w->nodes[item->from].life)
		return;
	put(k, n->heard_life[item->from] == item->life + 1
		       ? 1 + k->w->beats[item->beat].seq - n->heard_seq[item->from]
		       : 0);
}

static void put_item(struct keying *k, const struct heap_entry *entry)
{
	struct world *w = k->w;
	const struct item *item = &w->items[entry->slot];
	const struct node *n = &w->nodes[item->node];
	const struct sim_fault *f = &w->h->faults[item->fault];

	put(k,
	    item->what | (uint64_t)item->node << 8 | (uint64_t)item->held << 16 |
		    (uint64_t)(item->what == SIM_DELIVER ? item->life == w->nodes[item->from].life
							 : item->life == n->life)
			    << 17);
	switch ((enum sim_item)item->what) {
	case SIM_PERFORM:
	case SIM_DONE:
		put_order(k, n, item);
		break;
	case SIM_NOTICE:
		put_notice(k, n, item);
		break;
	case SIM_END:
		put(k, f->what | (uint64_t)f->node << 8 | (uint64_t)f->arg << 16);
		break;
	case SIM_DELIVER:
		put_session(k, item);
		put_laws_of_beat(k, item);
		break;
	case SIM_BEGIN:
	case SIM_TRAFFIC:
	case SIM_BOOT:
		break;
	}
	if (item_has_beat(item))
		put_beat(k, &w->beats[item->beat],
			 item->what == SIM_DELIVER ? item->from : item->node);
	put(k, entry->at > w->now ? entry->at - w->now : 0);
	put(k, item->what == SIM_NOTICE && entry->at < w->now);
}

/* What waits, in the order in which those of one kind and one node happen. */
static void put_items(struct keying *k)
{
	struct world *w = k->w;
	bool done[EXPLORE_ITEMS_MAX] = { 0 };

	for (size_t round = 0; round < w->n; round++) {
		size_t next = w->n;
		uint64_t rank_next = 0;

		for (size_t i = 0; i < w->n; i++) {
			const struct item *item = &w->items[w->heap[i].slot];
			uint64_t rank = (uint64_t)item->what << 56 | (uint64_t)item->node << 48 |
					w->heap[i].order;

			if (!done[i] && (next == w->n || rank < rank_next)) {
				next = i;
				rank_next = rank;
			}
		}
		done[next] = true;
		put_item(k, &w->heap[next]);
	}
}

/* The longest that anything may be waited for: a lease that is told to others, and then some. */
static uint64_t long_ago(const struct core_config *c)
{
	uint64_t claim_us = 2 * (uint64_t)c->interval_us + c->restart_hold_us + c->lease_us + 10000;
	uint64_t listen_us = (uint64_t)c->restart_hold_us + c->dead_us;

	return claim_us > listen_us ? claim_us : listen_us;
}

/**
 * state_key() - What a state has in common with all that are the same
 * @extra: what the caller has to tell states from each other by
 */
struct state_key state_key(struct world *w, uint64_t extra)
{
	const struct node *a = &w->nodes[0], *b = &w->nodes[1];
	struct keying k = { .w = w, .long_ago = long_ago(&w->h->config) };

	k.term = a->core.groups[0].term_max > b->core.groups[0].term_max
			 ? a->core.groups[0].term_max
			 : b->core.groups[0].term_max;
	put(&k, extra);
	put(&k, w->cut[0][1][0] | (uint64_t)w->cut[1][0][0] << 8 | (uint64_t)w->strangers[0] << 16);
	put_laws(&k);
	for (uint8_t i = 0; i < EXPLORE_NODES; i++)
		put_node(&k, i);
	put_items(&k);
	put_id(&k, a->core.groups[0].asked);
	put_id(&k, b->core.groups[0].asked);
	return k.key;
}

/* SPDX-License-Identifier: MIT */

/*
 * A random walk: two cores, the daemon's own object files, in a virtual world
 * with one seed. Freezes, crashes, losses and requests happen at random; the
 * laws are checked after every step. A failing seed is printed and can be
 * walked again with a trace: walk SEED.
 *
 * walk [--seeds N] [SEED]
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/core/core.h"

enum {
	NODES = 2,
	GROUPS = 2,
	QUEUE_MAX = 4096,
	FAULTS_END = 20 * 1000 * 1000,
	END = 40 * 1000 * 1000,
	QUIET = 34 * 1000 * 1000, /* from here on nothing may change any more */
	INTERVAL = 50 * 1000,
	LEASE = 350 * 1000,
	DEAD = 500 * 1000,
	ECHO = 2 * INTERVAL + 5000,
};

enum what {
	TIMER,	 /* a core's deadline */
	PERFORM, /* an action of a core reaches the kernel or the wire */
	DONE,	 /* the kernel's answer reaches the core */
	DELIVER, /* a heartbeat arrives */
	FAULT,	 /* the world does something bad */
	THAW,
	RESTART,
};

struct item {
	uint64_t at, order;
	enum what what;
	uint8_t node, from;
	uint32_t life; /* of the node: what belongs to a dead process is dropped */
	struct core_action action;
	int err;
	struct core_beat beat;
};

struct node {
	struct core core;
	bool alive, frozen;
	uint32_t life;
	uint64_t timer_at;
	uint64_t busy_until; /* orders are carried out one after the other */
	uint32_t requests, answers;
	uint32_t heard_life[NODES]; /* session and sequence number, as the sockets see them */
	uint64_t heard_seq[NODES];
	/* the kernel, which outlives the process */
	uint64_t lease_until, echo_until, ticket_until;
	enum core_gate gate[GROUPS];
	bool present[GROUPS];
	/* the disk */
	uint64_t term[GROUPS];
	bool maintenance[GROUPS];
};

struct world {
	uint64_t seed, state, now, order, steps;
	bool trace, strict, failed;
	bool with_freeze, with_crash, with_oneway, with_partition, with_requests, with_links;
	bool with_slow; /* orders that take long, or fail */
	bool lockstep;	/* wires faster than timers: both nodes beat in the same instant */
	unsigned loss_percent;
	bool cut[NODES];	/* what this node sends is lost */
	uint64_t excused_until; /* a full partition promises nothing */
	uint64_t both_since[GROUPS];
	uint64_t longest_overlap;
	struct node nodes[NODES];
	struct item *queue[QUEUE_MAX];
	size_t n;
};

/* SplitMix64: small, and the same everywhere. */
static uint64_t roll(struct world *w)
{
	uint64_t z = w->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t between(struct world *w, uint64_t low, uint64_t high)
{
	return low + roll(w) % (high - low + 1);
}

static bool chance(struct world *w, unsigned percent)
{
	return roll(w) % 100 < percent;
}

static void broken(struct world *w, const char *law, unsigned group)
{
	if (!w->failed)
		printf("seed %" PRIu64 ": at %.6f s, group %u: %s\n", w->seed, (double)w->now / 1e6,
		       group, law);
	w->failed = true;
}

static bool earlier(const struct item *a, const struct item *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static struct item *push(struct world *w, uint64_t at, enum what what, uint8_t node)
{
	struct item *item = calloc(1, sizeof(*item));
	size_t i = w->n++;

	if (!item || w->n > QUEUE_MAX)
		abort();
	*item = (struct item){ .at = at,
			       .order = w->order++,
			       .what = what,
			       .node = node,
			       .life = w->nodes[node].life };
	for (; i && earlier(item, w->queue[(i - 1) / 2]); i = (i - 1) / 2)
		w->queue[i] = w->queue[(i - 1) / 2];
	w->queue[i] = item;
	return item;
}

static struct item *pop(struct world *w)
{
	struct item *top = w->queue[0], *last = w->queue[--w->n];
	size_t i = 0;

	for (size_t child = 1; child < w->n; child = 2 * i + 1) {
		if (child + 1 < w->n && earlier(w->queue[child + 1], w->queue[child]))
			child++;
		if (!earlier(w->queue[child], last))
			break;
		w->queue[i] = w->queue[child];
		i = child;
	}
	w->queue[i] = last;
	return top;
}

static bool serves(const struct world *w, unsigned node, unsigned group)
{
	const struct node *n = &w->nodes[node];

	return n->present[group] && n->gate[group] != CORE_GATE_CLOSED && n->lease_until > w->now;
}

/* Is a seamless handover under way, in which two may serve for up to a lease? */
static bool handing_over(const struct world *w, unsigned group)
{
	for (unsigned i = 0; i < NODES; i++) {
		const struct core_group *g = &w->nodes[i].core.groups[group];

		if (g->seamless &&
		    (g->state == CORE_STATE_YIELDING || g->state == CORE_STATE_CLAIMING ||
		     (g->state == CORE_STATE_PRIMARY && g->provisional.us)))
			return true;
	}
	return false;
}

static void check_holders(struct world *w)
{
	for (unsigned g = 0; g < GROUPS; g++) {
		bool both = serves(w, 0, g) && serves(w, 1, g);
		uint64_t since = w->both_since[g];

		if (both && !since)
			since = w->both_since[g] = w->now;
		if (!both)
			w->both_since[g] = 0;
		if (!both || w->now < w->excused_until)
			continue;
		if (w->now - since > w->longest_overlap)
			w->longest_overlap = w->now - since;
		if (w->now == since)
			continue;
		if (!handing_over(w, g))
			broken(w, "two nodes serve", g);
		else if (w->now - since > LEASE + LEASE / 2 + 3 * INTERVAL)
			broken(w, "two nodes serve for longer than a move and a lease", g);
	}
}

static void trace_action(struct world *w, unsigned node, const struct core_action *a)
{
	if (!w->trace || a->type == CORE_DO_BEAT)
		return;
	printf("%12.6f  node %u group %u action %d", (double)w->now / 1e6, node, a->group, a->type);
	if (a->type == CORE_DO_TELL)
		printf(" tell %d %s -> %s (%s) term %" PRIu64 " unfit %x result %d err %d",
		       a->tell.what, core_state_name(a->tell.from), core_state_name(a->tell.state),
		       core_reason_name(a->tell.reason), a->tell.term, a->tell.unfit,
		       a->tell.result, a->tell.err);
	if (a->type == CORE_DO_GATE)
		printf(" level %d create %d id %u", a->gate.level, a->gate.create, a->id);
	if (a->type == CORE_DO_REPLY)
		printf(" request %u result %s", a->reply.request,
		       core_result_name(a->reply.result));
	printf("\n");
}

static void trace_fault(const struct world *w, unsigned node, const char *fault)
{
	if (w->trace)
		printf("%12.6f  node %u %s (cut %d %d)\n", (double)w->now / 1e6, node, fault,
		       w->cut[0], w->cut[1]);
}

static void take_actions(struct world *w, uint8_t node, const struct core_actions *actions)
{
	struct node *n = &w->nodes[node];

	for (size_t i = 0; i < actions->n; i++) {
		const struct core_action *a = &actions->v[i];
		struct item *item;

		trace_action(w, node, a);
		if (a->type == CORE_DO_REPLY && a->reply.request)
			n->answers++;
		if (a->type == CORE_DO_TELL || a->type == CORE_DO_REPLY)
			continue;
		n->busy_until =
			(n->busy_until > w->now ? n->busy_until : w->now) + between(w, 1, 20);
		item = push(w, n->busy_until, PERFORM, node);
		item->action = *a;
		if (a->type == CORE_DO_BEAT)
			core_beat_fill(&n->core, a, &item->beat);
	}
}

static void step(struct world *w, uint8_t node, struct core_event *event)
{
	static struct core_actions actions;
	struct node *n = &w->nodes[node];
	uint64_t terms[GROUPS];
	instant deadline;

	for (unsigned g = 0; g < GROUPS; g++)
		terms[g] = n->core.groups[g].term_max;
	event->now = (instant){ w->now };
	core_step(&n->core, event, &actions);
	w->steps++;
	take_actions(w, node, &actions);
	for (unsigned g = 0; g < GROUPS; g++)
		if (event->type != CORE_EV_START && n->core.groups[g].term_max < terms[g])
			broken(w, "a term went down", g);
	deadline = core_deadline(&n->core);
	if (event->type == CORE_EV_TIME && !n->core.exited && deadline.us <= w->now)
		broken(w, "the deadline has passed, and nothing was done about it", node);
	if (deadline.us <= w->now)
		deadline.us = w->now + 1;
	if (n->timer_at <= w->now || deadline.us < n->timer_at) {
		n->timer_at = deadline.us + (w->lockstep ? 150 : between(w, 0, 200));
		push(w, n->timer_at, TIMER, node);
	}
}

static void start(struct world *w, uint8_t node)
{
	struct node *n = &w->nodes[node];
	struct core_config config = {
		.self = node,
		.n_nodes = NODES,
		.n_groups = GROUPS,
		.n_announce = 2,
		.interval_us = INTERVAL,
		.lease_us = LEASE,
		.dead_us = DEAD,
		.start_wait_us = 5000000,
		.restart_hold_us = 3000000,
		.step_us = 2000000,
		.digest = 1,
		.announce_us = { 10000, 100000 },
		.priority = { 100, 100 },
	};
	bool lives = n->lease_until > w->now;

	for (unsigned g = 0; g < GROUPS; g++)
		config.groups[g] = (struct core_group_config){ .strict = w->strict,
							       .keep_alone = true,
							       .last_resort_us = 3000000,
							       .linger_us = 20000 };
	core_init(&n->core, &config);
	n->alive = true;
	n->frozen = false;
	n->timer_at = 0;
	for (unsigned g = 0; g < GROUPS; g++) {
		struct core_event event = { .type = CORE_EV_START, .group = g };

		event.start.term = n->term[g];
		event.start.maintenance = n->maintenance[g];
		event.start.salt = (uint32_t)roll(w);
		event.start.adopted = lives && n->gate[g] == CORE_GATE_ANSWER && n->present[g];
		event.start.lease_left_us = lives ? (uint32_t)(n->lease_until - w->now) : 0;
		if (!event.start.adopted) {
			n->gate[g] = CORE_GATE_CLOSED;
			n->present[g] = false;
		}
		step(w, node, &event);
	}
}

static void send(struct world *w, struct item *item)
{
	struct node *n = &w->nodes[item->node];
	struct core_beat *beat = &item->beat;

	if (beat->marked && n->lease_until > w->now &&
	    (item->action.beat.alone || n->echo_until > w->now))
		n->lease_until = w->now + LEASE;
	if (w->cut[item->node] || chance(w, w->loss_percent))
		return;
	for (int copies = chance(w, 2) ? 2 : 1; copies; copies--) {
		struct item *copy =
			push(w, w->now + (w->lockstep ? between(w, 10, 40) : between(w, 60, 900)),
			     DELIVER, item->action.peer);

		copy->from = item->node;
		copy->beat = *beat;
		copy->life = n->life;
	}
}

static int set_gate(struct world *w, struct node *n, const struct core_action *a)
{
	if (a->gate.create) {
		if (n->ticket_until <= w->now)
			return -2 /* ENOENT */;
		n->ticket_until = 0;
		memset(n->gate, 0, sizeof(n->gate));
		n->lease_until = w->now + LEASE;
	}
	n->gate[a->group] = a->gate.level;
	return 0;
}

/* The kernel at work; its answer takes a while to be seen. */
static void perform(struct world *w, struct item *item)
{
	struct node *n = &w->nodes[item->node];
	const struct core_action *a = &item->action;
	bool slow = w->with_slow && w->now < FAULTS_END && chance(w, 10);
	uint64_t took =
		slow && a->type == CORE_DO_PREPARE ? between(w, 300, 700000) : between(w, 20, 300);
	struct item *done;
	int err = 0;

	switch (a->type) {
	case CORE_DO_BEAT:
		send(w, item);
		return;
	case CORE_DO_STORE:
		n->term[a->group] = a->store.term;
		n->maintenance[a->group] = a->store.maintenance;
		break;
	case CORE_DO_PREPARE:
		if (w->now < FAULTS_END && chance(w, 2)) {
			err = -12;
			break;
		}
		n->present[a->group] = true;
		break;
	case CORE_DO_REMOVE:
		n->present[a->group] = false;
		break;
	case CORE_DO_GATE:
		err = slow && chance(w, 20) ? -16 : set_gate(w, n, a);
		break;
	case CORE_DO_SHUT:
		memset(n->gate, 0, sizeof(n->gate));
		n->lease_until = 0;
		break;
	case CORE_DO_REBUILD:
		break;
	case CORE_DO_LEASE:
		if (n->lease_until > w->now)
			n->lease_until = w->now + a->lease_us;
		else
			err = -2;
		break;
	case CORE_DO_ANNOUNCE:
		if (n->gate[a->group] != CORE_GATE_ANSWER || !n->present[a->group])
			broken(w, "announced what the kernel does not have", a->group);
		return;
	case CORE_DO_EXIT:
		n->alive = false;
		n->life++;
		push(w, w->now + between(w, 10000, 300000), RESTART, item->node);
		return;
	case CORE_DO_REPLY:
	case CORE_DO_TELL:
	case _CORE_DO_MAX:
		return;
	}
	done = push(w, w->now + took, DONE, item->node);
	done->action = *a;
	done->err = err;
}

static void freeze(struct world *w, uint8_t node)
{
	struct node *n = &w->nodes[node];

	if (!n->alive || n->frozen)
		return;
	n->frozen = true;
	trace_fault(w, node, "freezes");
	push(w, w->now + between(w, 1000, chance(w, 50) ? 600000 : 4000000), THAW, node);
}

static void crash(struct world *w, uint8_t node)
{
	struct node *n = &w->nodes[node];

	if (!n->alive)
		return;
	n->alive = n->frozen = false;
	n->life++;
	trace_fault(w, node, "crashes");
	if (chance(w, 40)) { /* the whole host */
		n->lease_until = n->echo_until = n->ticket_until = 0;
		memset(n->gate, 0, sizeof(n->gate));
		memset(n->present, 0, sizeof(n->present));
	}
	push(w, w->now + between(w, 10000, 3000000), RESTART, node);
}

static void ask(struct world *w, uint8_t node)
{
	struct node *n = &w->nodes[node];
	struct core_event event = { .type = CORE_EV_SWITCHOVER, .group = roll(w) % GROUPS };

	if (!n->alive || n->frozen || n->core.exited)
		return;
	if (chance(w, 10)) {
		event = (struct core_event){ .type = CORE_EV_STOP, .restart = chance(w, 50) };
	} else if (chance(w, 20)) {
		event.type = CORE_EV_MAINTENANCE;
		event.request.on = chance(w, 50);
	}
	if (event.type != CORE_EV_STOP)
		event.request.request = ++n->requests;
	step(w, node, &event);
}

static void flap(struct world *w, uint8_t node)
{
	struct core_event event = { .type = CORE_EV_FITNESS, .group = roll(w) % GROUPS };

	if (!w->nodes[node].alive || w->nodes[node].frozen)
		return;
	event.fitness.reason = CORE_UNFIT_LINK;
	event.fitness.unfit = chance(w, 50);
	step(w, node, &event);
}

/* A stranger deletes the addresses of a group. */
static void steal(struct world *w, uint8_t node)
{
	struct core_event event = { .type = CORE_EV_LOST, .group = roll(w) % GROUPS };
	struct node *n = &w->nodes[node];

	if (!n->alive || n->frozen || !n->present[event.group])
		return;
	n->present[event.group] = false;
	step(w, node, &event);
}

static void misfortune(struct world *w)
{
	uint8_t node = roll(w) % NODES;

	switch (roll(w) % 7) {
	case 0:
		if (w->with_freeze)
			freeze(w, node);
		break;
	case 1:
		if (w->with_crash)
			crash(w, node);
		break;
	case 2:
		if (w->with_oneway && !w->cut[1 - node])
			w->cut[node] = !w->cut[node];
		break;
	case 3:
		if (w->with_partition)
			w->cut[0] = w->cut[1] = !w->cut[0];
		break;
	case 4:
		if (w->with_requests)
			ask(w, node);
		break;
	case 5:
		if (w->with_links)
			flap(w, node);
		break;
	case 6:
		if (w->with_links)
			steal(w, node);
		break;
	}
	trace_fault(w, node, "has had a misfortune");
	if (w->cut[0] && w->cut[1])
		w->excused_until = UINT64_MAX;
	else if (w->excused_until == UINT64_MAX)
		w->excused_until = w->now + 2000000;
	push(w, w->now + between(w, 1000, 600000), FAULT, 0);
}

/* Everything is repaired; from here on the laws of quiet times hold. */
static void mend(struct world *w)
{
	for (uint8_t i = 0; i < NODES; i++) {
		for (uint8_t g = 0; g < GROUPS; g++) {
			struct core_event link = { .type = CORE_EV_FITNESS, .group = g };
			struct core_event request = { .type = CORE_EV_MAINTENANCE, .group = g };

			if (!w->nodes[i].alive || w->nodes[i].frozen)
				continue;
			link.fitness.reason = CORE_UNFIT_LINK;
			step(w, i, &link);
			request.request.request = ++w->nodes[i].requests;
			step(w, i, &request);
		}
		w->cut[i] = false;
	}
	w->loss_percent = 0;
	if (w->excused_until == UINT64_MAX)
		w->excused_until = w->now + 2000000;
	if (w->now < FAULTS_END + 6000000)
		push(w, w->now + 1000000, FAULT, 0);
}

/* Sessions and sequence numbers, in short: nothing old, nothing twice. */
static bool is_fresh(struct world *w, const struct item *item)
{
	struct node *n = &w->nodes[item->node];

	if (!n->alive || item->life != w->nodes[item->from].life)
		return false;
	if (n->heard_life[item->from] == item->life && item->beat.seq <= n->heard_seq[item->from])
		return false;
	n->heard_life[item->from] = item->life;
	n->heard_seq[item->from] = item->beat.seq;
	return true;
}

static void happen(struct world *w, struct item *item)
{
	struct node *n = &w->nodes[item->node];
	struct core_event event = { .group = item->action.group };
	bool of_the_living = n->alive && item->life == n->life;

	switch (item->what) {
	case TIMER:
		event.type = CORE_EV_TIME;
		if (of_the_living && item->at == n->timer_at)
			step(w, item->node, &event);
		break;
	case PERFORM:
		if (of_the_living)
			perform(w, item);
		break;
	case DONE:
		event.type = CORE_EV_DONE;
		event.done.id = item->action.id;
		event.done.err = item->err;
		if (of_the_living && !item->err && item->action.type == CORE_DO_PREPARE &&
		    item->action.ticket)
			n->ticket_until = w->now + ECHO;
		if (of_the_living)
			step(w, item->node, &event);
		break;
	case DELIVER:
		event.type = CORE_EV_BEAT;
		event.peer = item->from;
		event.beat = &item->beat;
		if (is_fresh(w, item))
			step(w, item->node, &event);
		break;
	case FAULT:
		if (w->now < FAULTS_END)
			misfortune(w);
		else
			mend(w);
		break;
	case THAW:
		if (of_the_living) {
			n->frozen = false;
			trace_fault(w, item->node, "thaws");
		}
		break;
	case RESTART:
		trace_fault(w, item->node, "starts");
		start(w, item->node);
		break;
	}
}

/* A process that does not run does nothing; its kernel still receives. */
static bool must_wait(struct world *w, const struct item *item)
{
	struct node *n = &w->nodes[item->node];

	if (item->what == DELIVER && item->beat.reply && w->now == item->at)
		n->echo_until = w->now + ECHO;
	return n->frozen && item->what != THAW && item->what != FAULT && item->what != RESTART;
}

static void wait_for_thaw(struct world *w, struct item *item)
{
	uint64_t thaw = w->now + 100;
	struct item *again;

	for (size_t i = 0; i < w->n; i++)
		if (w->queue[i]->what == THAW && w->queue[i]->node == item->node)
			thaw = w->queue[i]->at + 1;
	again = push(w, thaw, item->what, item->node);
	item->at = thaw;
	item->order = again->order;
	if (item->what == TIMER)
		w->nodes[item->node].timer_at = thaw;
	*again = *item;
}

static void check_end(struct world *w)
{
	for (unsigned g = 0; g < GROUPS; g++) {
		unsigned primaries = 0;

		for (unsigned i = 0; i < NODES; i++) {
			const struct node *n = &w->nodes[i];
			bool primary = n->alive && n->core.groups[g].state == CORE_STATE_PRIMARY;

			primaries += primary;
			if (primary != serves(w, i, g))
				broken(w, "kernel and core disagree when it is quiet", g);
			if (n->alive && n->core.groups[g].since.us > QUIET)
				broken(w, "still changing when it is quiet", g);
		}
		if (primaries != 1)
			broken(w, primaries ? "two primaries at the end" : "no primary at the end",
			       g);
	}
	for (unsigned i = 0; i < NODES; i++)
		if (w->nodes[i].answers > w->nodes[i].requests)
			broken(w, "a request was answered twice", i);
}

static uint64_t walk(uint64_t seed, bool trace, uint64_t *longest, bool *failed)
{
	struct world *w = calloc(1, sizeof(*w));
	uint64_t steps;

	if (!w)
		abort();
	w->seed = w->state = seed;
	w->trace = trace;
	w->strict = chance(w, 30);
	w->with_freeze = chance(w, 60);
	w->with_crash = chance(w, 60);
	w->with_oneway = chance(w, 40);
	w->with_partition = chance(w, 20);
	w->with_requests = chance(w, 70);
	w->with_links = chance(w, 30);
	w->with_slow = chance(w, 30);
	w->lockstep = chance(w, 20);
	if (!w->with_oneway && chance(w, 40)) /* losses both ways promise nothing */
		w->loss_percent = between(w, 1, 10);
	for (uint8_t i = 0; i < NODES; i++)
		push(w, 1000 + between(w, 0, 300000), RESTART, i);
	push(w, 2000000, FAULT, 0);
	while (w->n && !w->failed) {
		struct item *item = pop(w);

		w->now = item->at;
		if (w->now > END) {
			free(item);
			break;
		}
		check_holders(w);
		if (must_wait(w, item))
			wait_for_thaw(w, item);
		else
			happen(w, item);
		check_holders(w);
		free(item);
	}
	if (!w->failed)
		check_end(w);
	while (w->n)
		free(w->queue[--w->n]);
	if (w->longest_overlap > *longest)
		*longest = w->longest_overlap;
	*failed = w->failed;
	steps = w->steps;
	free(w);
	return steps;
}

int main(int argc, char **argv)
{
	uint64_t seeds = 300, steps = 0, longest = 0;
	unsigned failures = 0;
	bool failed;

	if (argc == 2) {
		(void)walk(strtoull(argv[1], NULL, 10), true, &longest, &failed);
		return failed;
	}
	if (argc == 3 && !strcmp(argv[1], "--seeds"))
		seeds = strtoull(argv[2], NULL, 10);
	for (uint64_t seed = 1; seed <= seeds && failures < 10; seed++) {
		steps += walk(seed, false, &longest, &failed);
		failures += failed;
	}
	printf("walk: %" PRIu64 " seeds, %" PRIu64 " steps, longest overlap of a handover %" PRIu64
	       " us, %u failed\n",
	       seeds, steps, longest, failures);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

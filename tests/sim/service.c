/* SPDX-License-Identifier: MIT */

/*
 * The service network, which is not that of the heartbeats: who answers for an
 * address, and law 8: what somebody answers for is not claimed.
 */

#include "tests/sim/sim.h"

enum { UNKNOWN = 1, NET_DOWN = -100, IN_USE = -98 };

/* Questions of one arrive at the other, and its answers come back. */
static bool joins(const struct world *w, unsigned a, unsigned b, unsigned group)
{
	return !w->service_cut[a][b] && !w->service_cut[b][a] && !w->nodes[a].link_down[group] &&
	       !w->nodes[b].link_down[group];
}

static bool answers(const struct world *w, const struct node *n, unsigned group)
{
	return kernel_serves(w, n, group) && (n->flushed || n->gate[group] == CORE_GATE_ANSWER);
}

static bool is_answered(const struct world *w, unsigned node, unsigned group)
{
	if (w->strangers[group])
		return true;
	for (unsigned i = 0; i < w->h->n_nodes; i++)
		if (i != node && joins(w, node, i, group) && answers(w, &w->nodes[i], group))
			return true;
	return false;
}

void service_cut(struct world *w, uint8_t from, uint8_t to, int by)
{
	w->service_cut[from][to] = (uint8_t)(w->service_cut[from][to] + by);
	w->joined[from][to] = w->joined[to][from] = w->now;
}

/* This node's interface has come or gone. */
void service_link(struct world *w, uint8_t node)
{
	for (unsigned i = 0; i < w->h->n_nodes; i++)
		w->joined[node][i] = w->joined[i][node] = w->now;
}

/* Who holds the addresses hears of it. */
void service_stranger(struct world *w, uint8_t group, int by)
{
	w->strangers[group] = (uint8_t)(w->strangers[group] + by);
	for (uint8_t i = 0; i < w->h->n_nodes; i++) {
		struct node *n = &w->nodes[i];
		struct core_event *event;

		if (!n->alive || n->core.exited || group >= n->core.config.n_groups)
			continue;
		event = &world_push(w, w->now + between(&w->state, 20, 400), SIM_NOTICE, i)->event;
		*event = (struct core_event){ .type = CORE_EV_STRANGER,
					      .group = group,
					      .peer = CORE_NODE_NONE };
	}
}

/* A node asks. It hears at once of somebody who answers, and else when the time is over. */
void service_ask(struct world *w, uint8_t node, const struct core_action *a)
{
	struct node *n = &w->nodes[node];
	struct asking *asking = &n->asking[a->group];
	uint64_t takes = a->probe.within_us;
	struct item *done;

	if (a->id != n->ask_id[a->group])
		return; /* nobody waits for it any more */
	*asking = (struct asking){ .runs = true, .id = a->id, .at = w->now };
	asking->answered = is_answered(w, node, a->group);
	if (asking->answered || n->link_down[a->group])
		takes = between(&w->state, 20, 300);
	done = world_push(w, w->now + takes, SIM_DONE, node);
	done->action = *a;
	done->err = n->link_down[a->group] ? NET_DOWN : 0;
}

/* What came of it. */
int service_answer(struct world *w, uint8_t node, const struct core_action *a, int err)
{
	struct node *n = &w->nodes[node];
	struct asking *asking = &n->asking[a->group];

	if (a->type != CORE_DO_PROBE)
		return err;
	if (a->id != n->ask_id[a->group])
		return err; /* another one has been asked since */
	if (!err && asking->answered)
		err = IN_USE;
	asking->runs = false;
	n->found[a->group] = err;
	return err;
}

/* After whatever happens: who answers now? */
void service_listen(struct world *w)
{
	for (unsigned i = 0; i < w->h->n_nodes; i++) {
		struct node *n = &w->nodes[i];

		for (unsigned g = 0; g < w->h->n_groups; g++) {
			if (n->asking[g].runs)
				n->asking[g].answered |= is_answered(w, i, g);
			if (!answers(w, n, g))
				n->answers_since[g] = 0;
			else if (!n->answers_since[g])
				n->answers_since[g] = w->now;
		}
	}
}

/* A gate has been opened: whoever else holds the addresses hears its announcement. */
void service_opened(struct world *w, uint8_t node, unsigned group)
{
	w->nodes[node].answers_since[group] = 0; /* had its lease run out, nothing has seen that */
	for (uint8_t i = 0; i < w->h->n_nodes; i++) {
		const struct node *n = &w->nodes[i];
		struct core_event *event;

		if (i == node || !n->alive || n->core.exited || !joins(w, node, i, group) ||
		    !answers(w, n, group))
			continue;
		event = &world_push(w, w->now + between(&w->state, 20, 400), SIM_NOTICE, i)->event;
		*event = (struct core_event){ .type = CORE_EV_STRANGER,
					      .group = (uint8_t)group,
					      .peer = node };
	}
}

/* A new life knows nothing. */
void service_boot(struct node *n)
{
	memset(n->asking, 0, sizeof(n->asking));
	memset(n->ask_id, 0, sizeof(n->ask_id));
	memset(n->released, 0, sizeof(n->released));
	memset(n->said, 0, sizeof(n->said));
	memset(n->their_lease, 0, sizeof(n->their_lease));
	for (unsigned g = 0; g < SIM_GROUPS_MAX; g++)
		n->found[g] = UNKNOWN;
}

static bool holds(enum core_state state)
{
	return state == CORE_STATE_PRIMARY || state == CORE_STATE_YIELDING;
}

/* What a peer says of what it holds, and under which lease. */
static void note_beat(struct world *w, struct node *n, const struct core_event *event)
{
	const struct core_beat *beat = event->beat;

	n->their_lease[event->peer] =
		event->now.us + 2 * (uint64_t)beat->interval_us + beat->lease_us;
	for (unsigned g = 0; g < n->core.config.n_groups && g < w->h->n_groups; g++) {
		enum core_state *said = &n->said[g][event->peer];

		if (!beat->groups[g].present)
			continue;
		/* who gives up a claim yields, but it has not been primary */
		if (*said == CORE_STATE_PRIMARY && beat->groups[g].state == CORE_STATE_YIELDING)
			continue;
		if (*said == CORE_STATE_PRIMARY && !holds(beat->groups[g].state))
			n->released[g] = event->now.us;
		*said = beat->groups[g].state;
	}
}

/* Who has let go, or whose lease has run out, has answered until then. */
static void note_release(struct node *n, unsigned g, uint64_t clock, const struct before *before)
{
	enum core_step step = n->core.groups[g].step;

	if (step == CORE_STEP_YIELD_RELEASED && before->step[g] != step)
		n->released[g] = clock;
	if (step == CORE_STEP_CLAIM_WAIT && before->state[g] == CORE_STATE_PRIMARY &&
	    (n->flushed || clock <= n->lease_until + n->core.config.dead_us))
		n->released[g] = clock;
}

/* On its own account: what has it asked, and what has it heard? */
static void check_claim(struct world *w, struct node *n, unsigned g)
{
	uint64_t clock = node_clock(w, n);
	const struct core_config *c = &n->core.config;
	bool silent = false;

	n->claim_asked[g] = 0;
	for (unsigned p = 0; p < w->h->n_nodes; p++)
		silent |= p != n->core.config.self && !n->core.peers[p].up;
	if (!c->probe_us || (!silent && n->released[g] && clock - n->released[g] <= c->dead_us))
		return;
	if (n->found[g] == UNKNOWN && (!n->asked[g] || clock < n->ask_over[g]))
		law_broken(w, "claimed without asking whether somebody answers", g);
	if (n->found[g] == IN_USE)
		law_broken(w, "claimed what somebody answers for", g);
	for (unsigned p = 0; p < w->h->n_nodes; p++)
		if (holds(n->said[g][p]) && n->asked[g] < n->their_lease[p])
			law_broken(w, "asked while the lease of the holder lived", g);
	if (n->found[g] == 0)
		n->claim_asked[g] = n->asking[g].at;
}

/*
 * "The primary falls silent": the answer is there when the claim is due, if this machine has
 * done all the time what it had to.
 */
static void check_failover(struct world *w, const struct node *n, unsigned g,
			   const struct before *before)
{
	bool stood = n->woke_at + 3 * (uint64_t)w->dead_max > w->now ||
		     n->asleep_us > w->interval_max || w->kernel_trouble;

	if (stood || w->h->n_nodes > 2 || before->state[g] != CORE_STATE_BACKUP ||
	    n->core.groups[g].step != CORE_STEP_CLAIM_PROBE)
		return;
	for (unsigned p = 0; p < w->h->n_nodes; p++)
		if (holds(n->said[g][p]))
			law_broken(w, "a failover waits for its question", g);
}

void law_probes(struct world *w, uint8_t node, const struct core_event *event,
		const struct core_actions *actions, const struct before *before)
{
	struct node *n = &w->nodes[node];

	if (event->type == CORE_EV_BEAT)
		note_beat(w, n, event);
	for (size_t i = 0; i < actions->n; i++) {
		const struct core_action *a = &actions->v[i];

		if (a->type == CORE_DO_PROBE) {
			n->ask_id[a->group] = a->id;
			n->asked[a->group] = event->now.us;
			n->ask_over[a->group] =
				event->now.us + a->probe.within_us + n->core.config.step_us;
			n->found[a->group] = UNKNOWN;
		}
		if (a->type != CORE_DO_PREPARE || !a->ticket)
			continue;
		if (n->core.groups[a->group].move_to == CORE_NODE_NONE)
			check_claim(w, n, a->group);
		else
			n->claim_asked[a->group] = 0;
	}
	for (unsigned g = 0; g < n->core.config.n_groups; g++) {
		check_failover(w, n, g, before);
		note_release(n, g, event->now.us, before);
	}
}

/*
 * "Two nodes that do not hear each other": if the service network is whole between
 * them, whoever has claimed last has asked, and the other one has answered all the
 * time since before that.
 */
void law_answered(struct world *w, unsigned a, unsigned b, unsigned group)
{
	const struct node *first = &w->nodes[a], *last = &w->nodes[b];

	if (first->answers_since[group] > last->answers_since[group]) {
		first = &w->nodes[b];
		last = &w->nodes[a];
	}
	if (last->claim_asked[group] && first->answers_since[group] &&
	    first->answers_since[group] < last->claim_asked[group] &&
	    last->claim_asked[group] < last->answers_since[group] &&
	    w->joined[a][b] < last->claim_asked[group] && joins(w, a, b, group))
		law_broken(w, "two nodes serve, and could have known", group);
}

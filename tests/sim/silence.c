/* SPDX-License-Identifier: MIT */

/*
 * Service traffic, and law 7: how long a primary has to do without before it
 * gives the group away. The books are kept here from what happens, whatever the
 * cores tell each other of it.
 */

#include "tests/sim/sim.h"

/* What a silence sets in motion has come to its end by then, if nothing else goes wrong. */
#define MOVE_LASTS 1000000u

/* Clocks that drift, and what is under way from one to the other. */
#define SLACK 20000u

static uint64_t some_while(struct world *w, unsigned group)
{
	uint64_t quarter = w->h->config.groups[group].traffic_us / 4;

	return between(&w->state, quarter / 2, quarter + quarter / 2);
}

void silence_begin(struct world *w)
{
	for (uint8_t i = 0; i < w->h->n_nodes; i++)
		for (uint8_t g = 0; g < w->h->n_groups; g++)
			if (w->h->config.groups[g].traffic_us)
				world_push(w, some_while(w, g), SIM_TRAFFIC, i)->event.group = g;
}

/* Whom the addresses lead to, and with probes everybody, hears from the service now and then. */
void silence_arrive(struct world *w, const struct item *item)
{
	uint8_t node = item->node, group = item->event.group;
	struct core_event event = { .type = CORE_EV_TRAFFIC, .group = group };
	struct node *n = &w->nodes[node];

	world_push(w, w->now + some_while(w, group), SIM_TRAFFIC, node)->event.group = group;
	if (n->alive && !n->core.exited && group < n->core.config.n_groups && !n->muted[group] &&
	    !n->link_down[group] && (w->h->probes || kernel_serves(w, n, group)))
		world_step(w, node, &event);
}

/* There and back double it, and there and back again; no more. */
static uint64_t timeout(const struct world *w, unsigned group, unsigned moves)
{
	uint64_t first = w->h->config.groups[group].traffic_us;

	if (moves >= 4)
		return 4 * first;
	return moves >= 2 ? 2 * first : first;
}

/* Does everybody hear everybody alike, and has nobody forgotten anything? */
static bool is_gentle(const struct sim_history *h)
{
	for (size_t i = 0; i < h->n_nodes; i++)
		if (h->differs[i])
			return false;
	for (size_t i = 0; i < h->n_faults; i++)
		if (h->faults[i].what != SIM_MUTE && h->faults[i].what != SIM_SWITCH)
			return false;
	return true;
}

/* How far what two nodes make of the time can lie apart: a machine that stands keeps its own. */
static uint64_t slack(const struct sim_history *h)
{
	uint64_t us = SLACK;

	for (size_t i = 0; i < h->n_faults; i++)
		if (h->faults[i].what == SIM_PAUSE)
			us += h->faults[i].lasts;
	return us;
}

/*
 * Moves in a row that nobody had seen traffic before. At least: those that must
 * have been counted. At most: those that may have been; where a count may linger
 * unheard, any number.
 */
static void count_move(struct world *w, unsigned group)
{
	uint64_t first = w->h->config.groups[group].traffic_us;
	uint64_t quiet = w->now - w->silence[group].traffic;

	if (quiet >= first + slack(w->h))
		w->silence[group].least++;
	if (quiet + slack(w->h) >= first)
		w->silence[group].most++;
}

static void forget_moves(struct world *w, unsigned group)
{
	w->silence[group].least = 0;
	w->silence[group].certain = false;
}

/* Somebody is primary from now on: because silence moved the group there? */
static void note_primary(struct world *w, const struct core_group *g, unsigned group)
{
	if (!instant_is_set(g->provisional))
		forget_moves(w, group); /* it claimed, with what it had heard last */
	else if (w->nodes[g->move_to].core.groups[group].unfit & CORE_UNFIT_SILENT)
		count_move(w, group);
}

static void note_traffic(struct world *w, const struct core_group *g, unsigned group)
{
	w->silence[group].traffic = w->now;
	w->silence[group].least = 0;
	if (g->state == CORE_STATE_PRIMARY)
		w->silence[group].most = 0;
	else
		w->silence[group].told = w->now + 4 * (uint64_t)w->h->config.interval_us;
}

/* How many moves the holder knows of at most. */
static unsigned most_moves(struct world *w, unsigned group)
{
	struct silence *s = &w->silence[group];

	if (!s->certain || !is_gentle(w->h) || w->now < s->told)
		return UINT8_MAX;
	if (s->told) {
		s->told = 0;
		s->most = s->least; /* by now it has heard of the traffic at the backup */
	}
	return s->most;
}

static void check_onset(struct world *w, const struct node *n, unsigned group)
{
	if (n->core.groups[group].state == CORE_STATE_BACKUP)
		law_broken(w, "a backup is unfit for silence", group);
	if (!w->h->config.groups[group].traffic_us)
		law_broken(w, "silent where nobody listens", group);
	if (n->quiet_us[group] < timeout(w, group, w->silence[group].least))
		law_broken(w, "a primary was silent too early", group);
	w->silence[group].onset = w->now;
}

static void check_fitness(struct world *w, const struct node *n, unsigned group,
			  const struct before *before)
{
	const struct core_group *g = &n->core.groups[group];
	bool silent = g->unfit & CORE_UNFIT_SILENT;

	if (silent && !(before->unfit[group] & CORE_UNFIT_SILENT))
		check_onset(w, n, group);
	if (silent && g->state != CORE_STATE_PRIMARY && g->state != CORE_STATE_YIELDING)
		law_broken(w, "silent, and does not hold", group);
	if (g->state == CORE_STATE_FAULT && before->unfit[group] == CORE_UNFIT_SILENT)
		law_broken(w, "silence was held against the old primary", group);
	if (!silent && g->state == CORE_STATE_PRIMARY &&
	    before->state[group] == CORE_STATE_PRIMARY &&
	    n->quiet_us[group] >= timeout(w, group, most_moves(w, group)))
		law_broken(w, "a primary was not silent in time", group);
}

/* A step of a node, whose time counts if it was awake. */
static void keep_books(struct world *w, struct node *n, const struct core_event *event,
		       const struct before *before, unsigned group)
{
	const struct core_group *g = &n->core.groups[group];
	bool was_primary = before->state[group] == CORE_STATE_PRIMARY ||
			   before->state[group] == CORE_STATE_YIELDING;
	bool begins = event->type == CORE_EV_START && event->group == group;

	if (n->asleep_us <= 2 * (uint64_t)n->core.config.interval_us)
		n->quiet_us[group] += n->asleep_us;
	if (event->type == CORE_EV_TRAFFIC && event->group == group) {
		n->quiet_us[group] = 0;
		note_traffic(w, g, group);
	}
	if (begins)
		forget_moves(w, group);
	if (g->state == CORE_STATE_PRIMARY && (begins || !was_primary)) {
		n->quiet_us[group] = 0;
		note_primary(w, g, group);
	}
}

/* Law 3 leaves the moves to this one, but not those that nobody asked for. */
static void note_change(struct world *w, struct node *n, unsigned group,
			const struct before *before)
{
	if (n->core.groups[group].state != before->state[group] &&
	    w->now - w->silence[group].onset > MOVE_LASTS)
		n->changed[group] = w->now;
}

void law_silence(struct world *w, uint8_t node, const struct core_event *event,
		 const struct before *before)
{
	struct node *n = &w->nodes[node];

	for (unsigned g = 0; g < w->h->n_groups; g++) {
		if (!w->h->config.groups[g].traffic_us)
			continue;
		keep_books(w, n, event, before, g);
		check_fitness(w, n, g, before);
		note_change(w, n, g, before);
	}
}

/* At the end: is a move under way that silence has asked for? */
bool silence_moves(const struct world *w, unsigned group)
{
	return w->silence[group].onset && w->now - w->silence[group].onset <= MOVE_LASTS;
}

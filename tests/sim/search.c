/* SPDX-License-Identifier: MIT */

/* Everything that may happen, in every order, each state once. */

#include <stdlib.h>

#include "tests/sim/explore.h"

/* Left alone, one holds after so long and nothing changes any more; see takeover(7). */
#define SETTLES_US (14 * USEC_PER_SEC)

enum {
	WALKED = 0xff,		/* key of a state whose future without faults is known */
	CONFIRMED_MAX = 2048,	/* states that others are held against */
	CONFIRM_EACH = 64,	/* of so many */
	WALK_MAX = 1000 * 1000, /* a future without end is one that is broken */
};

/* --- States that have been seen ------------------------------------------------- */

struct seen {
	struct state_key key;
	uint64_t value; /* 0: free */
};

struct table {
	struct seen *v;
	size_t n, size; /* a power of two */
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static struct seen *find(const struct table *t, struct state_key key)
{
	size_t i = key.a & (t->size - 1);

	while (t->v[i].value && (t->v[i].key.a != key.a || t->v[i].key.b != key.b))
		i = (i + 1) & (t->size - 1);
	return &t->v[i];
}

static void grow(struct table *t)
{
	struct table bigger = { .n = t->n, .size = t->size ? 2 * t->size : 1 << 16 };

	bigger.v = must(calloc(bigger.size, sizeof(*bigger.v)));
	for (size_t i = 0; i < t->size; i++)
		if (t->v[i].value)
			*find(&bigger, t->v[i].key) = t->v[i];
	free(t->v);
	*t = bigger;
}

/* Where the value of this state is; it is 0 if nobody has been here. */
static uint64_t *visit(struct table *t, struct state_key key)
{
	struct seen *s;

	if (2 * t->n >= t->size)
		grow(t);
	s = find(t, key);
	if (!s->value) {
		s->key = key;
		t->n++;
	}
	return &s->value;
}

/* --- The search ------------------------------------------------------------------ */

/* A state on the way, and what has not been tried from there. */
struct frame {
	size_t state, n_left;
	struct choice choices[EXPLORE_CHOICES_MAX];
};

struct past {
	struct state_key key;
	uint64_t now;
	bool settled;
};

struct search {
	struct world *w;
	struct sim_history *h;
	unsigned faults;
	struct table visited, walked;
	uint8_t *states; /* of the frames, one after the other */
	size_t states_len, states_size;
	struct frame *frames;
	size_t n_frames, frames_size;
	struct past *walk;
	size_t walk_len, walk_size;
	/* others are held against these */
	struct state_key confirmed[CONFIRMED_MAX];
	uint8_t *confirmed_state[CONFIRMED_MAX];
	struct explored *found;
};

/* What the laws make of the faults so far is part of the state, and how many may follow. */
static struct state_key key_of(struct search *s)
{
	const struct sim_history *h = s->h;
	uint64_t slowest = 0, sufferer = h->n_faults ? h->faults[0].node : 0;

	for (size_t i = 0; i < h->n_faults; i++)
		if (h->faults[i].what == SIM_SLOW && h->faults[i].arg > slowest)
			slowest = h->faults[i].arg;
	return state_key(s->w, h->n_faults | sufferer << 7 | slowest << 8);
}

static size_t list(struct search *s, struct choice *ret)
{
	return choices_list(s->w, s->h->n_faults < s->faults, ret);
}

static void push(struct search *s)
{
	struct frame *f;

	if (s->n_frames == s->frames_size) {
		s->frames_size = s->frames_size ? 2 * s->frames_size : 1024;
		s->frames = must(realloc(s->frames, s->frames_size * sizeof(*s->frames)));
	}
	if (s->states_size - s->states_len < STATE_LEN_MAX) {
		s->states_size = 2 * s->states_size + 2 * (size_t)STATE_LEN_MAX;
		s->states = must(realloc(s->states, s->states_size));
	}
	f = &s->frames[s->n_frames++];
	f->state = s->states_len;
	f->n_left = list(s, f->choices);
	s->states_len += state_keep(s->w, s->h, s->states + s->states_len);
	if (s->n_frames > s->found->deepest)
		s->found->deepest = s->n_frames;
}

static void pop(struct search *s)
{
	s->states_len = s->frames[--s->n_frames].state;
}

/* One holds, its kernel thinks so too, the other would, and nobody waits for anything. */
static bool is_settled(const struct world *w)
{
	unsigned primaries = 0, backups = 0;

	for (unsigned i = 0; i < EXPLORE_NODES; i++) {
		const struct node *n = &w->nodes[i];
		const struct core_group *g = &n->core.groups[0];
		bool serves = kernel_serves(w, n, 0);

		if (!n->alive || g->unfit || g->request || g->move != CORE_MOVE_NONE)
			return false;
		primaries += g->state == CORE_STATE_PRIMARY && serves;
		backups += g->state == CORE_STATE_BACKUP && !serves;
	}
	return primaries == 1 && backups == 1;
}

static void remember(struct search *s, struct state_key key)
{
	if (s->walk_len == s->walk_size) {
		s->walk_size = s->walk_size ? 2 * s->walk_size : 1024;
		s->walk = must(realloc(s->walk, s->walk_size * sizeof(*s->walk)));
	}
	s->walk[s->walk_len++] = (struct past){ key, s->w->now, is_settled(s->w) };
}

/* The future comes round again at @from: it has to be at rest all the way. */
static bool rests(const struct search *s, size_t from)
{
	for (size_t i = from; i < s->walk_len; i++)
		if (!s->walk[i].settled)
			return false;
	return true;
}

/* How long after each state of the walk it is settled for good; @after: after its last. */
static void settle_walk(struct search *s, uint64_t after)
{
	uint64_t next = s->w->now;

	for (size_t i = s->walk_len; i-- > 0;) {
		const struct past *p = &s->walk[i];

		if (after || !p->settled)
			after += next - p->now + (after == 0);
		next = p->now;
		*visit(&s->walked, p->key) = 1 + after;
		if (after > s->found->longest_us)
			s->found->longest_us = after;
	}
	if (s->found->longest_us > SETTLES_US)
		law_broken(s->w, "left alone it does not settle in time", 0);
}

/*
 * Laws 3 and 6: left alone from here, in the order in which things are due, it
 * comes to rest, and then all is as law_end() wants it. rest.c has the bounds of
 * takeover(7) for how long nobody may hold, on this way as on any other; how long
 * all of it takes is bounded here. Values of the table: 1 + time until then; or, on
 * the way, where in the walk it was.
 */
static void leave_alone(struct search *s)
{
	const uint64_t on_the_way = UINT64_C(1) << 63;
	struct choice choices[EXPLORE_CHOICES_MAX];
	uint64_t *value = NULL, after = 0;

	for (s->walk_len = 0; !s->w->broken && s->walk_len < WALK_MAX;) {
		struct state_key key = state_key(s->w, WALKED);

		value = visit(&s->walked, key);
		if (*value)
			break;
		*value = on_the_way | s->walk_len;
		remember(s, key);
		(void)choices_list(s->w, false, choices);
		choice_make(s->w, s->h, &choices[0]);
	}
	if (s->w->broken)
		return;
	if (s->walk_len == WALK_MAX)
		law_broken(s->w, "left alone it never does the same again", 0);
	else if (!(*value & on_the_way))
		after = *value - 1;
	else if (!rests(s, *value & ~on_the_way))
		law_broken(s->w, "left alone it does not come to rest", 0);
	else
		law_end(s->w);
	if (!s->w->broken)
		settle_walk(s, after);
}

/* What may come next, in sum: the same for states that are the same. */
static struct state_key futures(struct search *s, uint8_t *state)
{
	struct choice choices[EXPLORE_CHOICES_MAX];
	struct state_key sum = { 0 };
	size_t n;

	state_restore(s->w, s->h, state);
	n = list(s, choices);
	for (size_t i = 0; i < n; i++) {
		struct state_key key = { 0 };

		state_restore(s->w, s->h, state);
		choice_make(s->w, s->h, &choices[i]);
		if (!s->w->broken)
			key = key_of(s);
		sum.a += key.a;
		sum.b += key.b;
	}
	return sum;
}

/*
 * Two states with one key are the same if each step leads to states with one key
 * again. Tried with some of them.
 */
static void confirm(struct search *s, struct state_key key, bool is_new)
{
	unsigned place = (key.a / CONFIRM_EACH) % CONFIRMED_MAX;
	uint8_t state[STATE_LEN_MAX];
	struct state_key a, b;
	size_t len;

	if (key.a % CONFIRM_EACH)
		return;
	len = state_keep(s->w, s->h, state);
	if (is_new) {
		s->confirmed[place] = key;
		s->confirmed_state[place] = must(realloc(s->confirmed_state[place], len));
		memcpy(s->confirmed_state[place], state, len);
		return;
	}
	if (s->confirmed[place].a != key.a || s->confirmed[place].b != key.b)
		return;
	a = futures(s, s->confirmed_state[place]);
	b = futures(s, state);
	state_restore(s->w, s->h, state);
	s->found->compared++;
	if (a.a != b.a || a.b != b.b)
		law_broken(s->w, "two states that look the same are not", 0);
}

/* A choice has been made: has anybody been here? */
static void arrive(struct search *s)
{
	struct state_key key = key_of(s);
	uint64_t *value = visit(&s->visited, key);
	bool is_new = !*value;

	*value = 1;
	confirm(s, key, is_new);
	if (!is_new || s->w->broken)
		return;
	s->found->states++;
	push(s);
	leave_alone(s);
}

static void tell_path(struct search *s, const char *broken)
{
	struct choice choices[EXPLORE_CHOICES_MAX];

	s->w->trace = stdout;
	for (size_t i = 0; i < s->n_frames; i++) {
		struct frame *f = &s->frames[i];

		state_restore(s->w, s->h, s->states + f->state);
		if (i + 1 == s->n_frames && s->walk_len)
			break;
		choice_print(s->w, &f->choices[f->n_left], stdout);
		choice_make(s->w, s->h, &f->choices[f->n_left]);
	}
	if (s->walk_len)
		printf("%12.6f  from here on nothing goes wrong\n", (double)s->w->now / 1e6);
	for (size_t i = 0; !s->w->broken && i < s->walk_len; i++) {
		(void)choices_list(s->w, false, choices);
		choice_print(s->w, &choices[0], stdout);
		choice_make(s->w, s->h, &choices[0]);
	}
	s->w->trace = NULL;
	printf("BROKEN: %s\n", broken);
}

static void try_all(struct search *s, uint64_t states_max)
{
	arrive(s);
	while (s->n_frames && s->found->states < states_max && !s->w->broken) {
		struct frame *f = &s->frames[s->n_frames - 1];

		if (f->n_left == 0) {
			pop(s);
			continue;
		}
		state_restore(s->w, s->h, s->states + f->state);
		s->found->transitions++;
		s->walk_len = 0;
		choice_make(s->w, s->h, &f->choices[--f->n_left]);
		if (!s->w->broken)
			arrive(s);
	}
}

/**
 * search() - Whatever may happen from here on
 * @w: in the state to begin with; its history is @h
 * @faults: that may happen on any one path
 * @states_max: give up after so many
 * @ret: what came of it; .broken: the path is told on stdout
 */
void search(struct world *w, struct sim_history *h, unsigned faults, uint64_t states_max,
	    struct explored *ret)
{
	struct search *s = must(calloc(1, sizeof(*s)));
	char why[sizeof(w->why)];

	*ret = (struct explored){ 0 };
	s->w = w;
	s->h = h;
	s->faults = faults;
	s->found = ret;
	try_all(s, states_max);
	ret->complete = s->n_frames == 0;
	ret->broken = w->broken;
	if (w->broken) {
		memcpy(why, w->why, sizeof(why));
		tell_path(s, why);
	}
	for (unsigned i = 0; i < CONFIRMED_MAX; i++)
		free(s->confirmed_state[i]);
	free(s->visited.v);
	free(s->walked.v);
	free(s->states);
	free(s->frames);
	free(s->walk);
	free(s);
}

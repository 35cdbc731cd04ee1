/* SPDX-License-Identifier: MIT */

/*
 * What every event does in every state and step, by running the core: alpha is
 * brought there by what really happens, and beta is a puppet. The whole of it
 * is tests/golden/core-matrix.txt, the transitions are a table in takeover(7).
 * `make golden` writes both anew.
 */

#include "tests/golden.h"
#include "tests/matrix_events.h"

#define GOLDEN "tests/golden/core-matrix.txt"
#define PAGE "man/takeover.7"
#define PAGE_BEGIN ".\\\" matrix: begin\n"
#define PAGE_END ".\\\" matrix: end\n"

enum { HORIZON = 10 * 1000 * 1000 };

static bool has_changed(void)
{
	const struct core_group *g = &core->groups[0], *before = &core_at->groups[0];

	return g->state != before->state || g->step != before->step || core->exited;
}

static void step(struct core_event *event, instant now)
{
	event->now = now;
	core_step(core, event, &rig.actions);
}

/* Who is heard says again what it said last, and answers if it did. */
static void repeat(void)
{
	for (uint8_t p = BETA; p <= GAMMA && !has_changed(); p++) {
		struct core_event event = { .type = CORE_EV_BEAT, .peer = p, .beat = &text };

		if (!core_at->peers[p].up)
			continue;
		text = core_at->peers[p].beat;
		text.seq = core->peers[p].heard_seq + 1;
		text.reply = rig.nodes[p].puppet_echoes;
		text.echo_seq = text.reply ? core->seq : 0;
		step(&event, core->now);
	}
}

/* Time passes until something changes. */
static void wait_for_change(bool heard)
{
	instant end = instant_add(core->now, HORIZON);

	while (!has_changed() && core->now.us < end.us) {
		struct core_event event = { .type = CORE_EV_TIME, .peer = CORE_NODE_NONE };
		instant due = core_deadline(core);

		step(&event, due.us > core->now.us ? due : core->now);
		if (heard)
			repeat();
	}
	if (!has_changed())
		rig.actions.n = 0; /* of a heartbeat like all those before */
}

/* "backup", "claiming/wait" */
static const char *place(enum core_state state, enum core_step name, char buf[static 32])
{
	(void)snprintf(buf, 32, "%s%s%s", core_state_name(state), name ? "/" : "",
		       core_step_name(name));
	return buf;
}

/* In words where the trace of the rig has numbers. */
static void print_action(FILE *to, const struct core_action *a)
{
	const char *gap = " ";

	if (a->type == CORE_DO_REPLY) {
		fprintf(to, "replies %s",
			*core_result_name(a->reply.result) ? core_result_name(a->reply.result)
							   : "OK");
	} else if (a->type == CORE_DO_TELL && a->tell.what == CORE_TELL_UNFIT) {
		fputs(a->tell.unfit ? "tells unfit:" : "tells fit", to);
		for (unsigned bit = 1; bit < _CORE_UNFIT_MASK; bit <<= 1)
			if (a->tell.unfit & bit) {
				fprintf(to, "%s%s", gap, core_unfit_name((enum core_unfit)bit));
				gap = "+";
			}
	} else {
		rig_forget();
		rig_note_action(ALPHA, a);
		fprintf(to, "%.*s", (int)(strcspn(rig.trace, "\n") - strlen("alpha ")),
			rig.trace + strlen("alpha "));
	}
}

/* The actions in their order, without heartbeats and without the change that is told anyway. */
static void print_actions(FILE *to)
{
	static const char *const moves[_CORE_MOVE_MAX] = {
		"nothing", "offer", "ready", "withdrawn", "released", "refused", "ask", "denied",
	};
	const char *gap = "";

	if (core->groups[0].move != core_at->groups[0].move) {
		fprintf(to, "%ssays %s", gap, moves[core->groups[0].move]);
		gap = ", ";
	}
	for (size_t i = 0; i < rig.actions.n; i++) {
		const struct core_action *a = &rig.actions.v[i];

		if (a->type == CORE_DO_BEAT ||
		    (a->type == CORE_DO_TELL && a->tell.what == CORE_TELL_STATE))
			continue;
		fputs(gap, to);
		print_action(to, a);
		gap = ", ";
	}
}

/* Where each event leads from each scene, for the page; "": it stays. */
static char outcomes[ARRAY_SIZE(scenes)][ARRAY_SIZE(variants)][32];

/* "time, beta silent: 500 ms": when it was that the change came */
static const char *event_words(const char *words, char buf[static 64])
{
	uint64_t ms = (core->now.us - core_at->now.us) / 1000;

	(void)snprintf(buf, 64, has_changed() && ms > 1 ? "%s: %" PRIu64 " ms" : "%s", words, ms);
	return buf;
}

/* One line: where, what, and what comes of it. */
static void print_outcome(FILE *to, const char *from, const char *more, const char *words,
			  char ret_there[static 32])
{
	const struct core_group *g = &core->groups[0];
	char here[64], event[64], outcome[96] = "exit", acts[1024] = "";
	FILE *f = fmemopen(acts, sizeof(acts), "w");

	cr_assert(f);
	print_actions(f);
	cr_assert_eq(fclose(f), 0);
	(void)snprintf(here, sizeof(here), "%s, %s", from, more);
	memset(ret_there, 0, 32);
	(void)strcpy(ret_there, "exit");
	if (!core->exited)
		(void)snprintf(outcome, sizeof(outcome), "%s (%s)",
			       place(g->state, g->step, ret_there), core_reason_name(g->reason));
	if (!has_changed())
		memset(ret_there, 0, 32); /* they are compared as a whole */
	fprintf(to, "%-31s %-27s %-*s%s\n", here, event_words(words, event), *acts ? 33 : 0,
		has_changed() ? outcome : "=", acts);
}

/* --- All of it ---------------------------------------------------------------- */

static bool states[_CORE_STATE_MAX], steps[_CORE_STEP_MAX], events[_CORE_EV_MAX];

static void try_start(FILE *to, size_t i)
{
	struct core_event event = { .type = CORE_EV_START };
	char there[32];

	begin(false);
	core_init(core_at, &rig.nodes[ALPHA].config);
	memcpy(core, core_at, sizeof(*core));
	event.start.maintenance = beginnings[i].maintenance;
	event.start.adopted = beginnings[i].adopted;
	event.start.term = 5;
	event.start.lease_left_us = LEASE;
	core_at->groups[0].state = _CORE_STATE_MAX; /* whatever comes is a change */
	step(&event, rig.now);
	core_at->now = core->now;
	events[CORE_EV_START] = true;
	print_outcome(to, "not begun", "no term", beginnings[i].words, there);
}

static void try_event(FILE *to, size_t scene_i, size_t variant_i)
{
	const struct scene *scene = &scenes[scene_i];
	const struct variant *v = &variants[variant_i];
	struct core_event event;
	char from[32];

	if (!applies(v))
		return;
	memcpy(core, core_at, sizeof(*core));
	event = event_of(v);
	events[v->type] = true;
	if (v->type == CORE_EV_TIME && v->time.waits)
		wait_for_change(v->time.heard);
	else
		step(&event, instant_add(core_at->now, 1000));
	print_outcome(to, place(scene->state, scene->step, from), scene->more, v->words,
		      outcomes[scene_i][variant_i]);
}

static void play(const struct scene *scene)
{
	const struct core_group *g = &core_at->groups[0];
	char wanted[32], is[32];

	scene->play();
	memcpy(core_at, &rig.nodes[ALPHA].core, sizeof(*core_at));
	cr_assert(g->state == scene->state && g->step == scene->step, "%s, %s: is %s",
		  place(scene->state, scene->step, wanted), scene->more,
		  place(g->state, g->step, is));
	states[g->state] = steps[g->step] = true;
}

static void print_legend(FILE *to)
{
	fprintf(to,
		"# What every event does in every state and step of a group of alpha, whose\n"
		"# peer is beta: by running the core, tests/core_matrix_test.c. \"=\": the state\n"
		"# and the step stay. Heartbeats are left out but for the moves that they tell.\n"
		"#\n");
	fprintf(to, "%-31s %-27s %-33s%s\n", "# state/step, and how it came", "event",
		"state/step (reason)", "actions");
}

/* The whole matrix; the outcomes are noted on the way. Free it. */
static char *make_matrix(void)
{
	char *made = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&made, &len);

	core = malloc(sizeof(*core));
	core_at = malloc(sizeof(*core_at));
	cr_assert(to && core && core_at);
	print_legend(to);
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		try_start(to, i);
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		fputc('\n', to);
		play(&scenes[i]);
		for (size_t j = 0; j < ARRAY_SIZE(variants); j++)
			try_event(to, i, j);
	}
	cr_assert_eq(fclose(to), 0);
	return made;
}

static bool same_place(size_t a, size_t b)
{
	return scenes[a].state == scenes[b].state && scenes[a].step == scenes[b].step;
}

/* Two ways to come to a place of which nothing of what follows depends. */
static bool same_rows(size_t a, size_t b)
{
	return same_place(a, b) && memcmp(outcomes[a], outcomes[b], sizeof(outcomes[a])) == 0;
}

/* "claiming/prepare", and how it came if that matters. */
static void print_label(FILE *to, size_t scene)
{
	const char *gap = ": ";
	bool matters = false;
	char buf[32];

	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++)
		matters |= same_place(i, scene) && !same_rows(i, scene);
	fprintf(to, ".It Sy %s", place(scenes[scene].state, scenes[scene].step, buf));
	for (size_t i = 0; matters && i < ARRAY_SIZE(scenes); i++) {
		if (!same_rows(i, scene))
			continue;
		fprintf(to, "%s%s", gap, scenes[i].more);
		gap = "; ";
	}
	fputc('\n', to);
}

/* One of beta's heartbeats that there can be everywhere. */
static bool is_of_beta(const struct variant *v)
{
	return v->type == CORE_EV_BEAT && !v->beat.third && v->beat.term != TERM_OFFERED;
}

/* This one only where there is a term on offer. */
static bool is_offered(const struct variant *v)
{
	return v->type == CORE_EV_BEAT && v->beat.term == TERM_OFFERED;
}

/* The words of those heartbeats that lead there, or of those that do not. */
static void print_beats(FILE *to, size_t scene, const char *target, bool lead)
{
	const char *gap = "";

	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		if ((strcmp(outcomes[scene][i], target) == 0) != lead ||
		    !(is_of_beta(&variants[i]) || (lead && is_offered(&variants[i]))))
			continue;
		fprintf(to, "%s%s", gap, variants[i].words + strlen("beta "));
		gap = "; ";
	}
}

/* Heartbeats in short: most may lead to the same. A term on offer is not always there to count. */
static void print_heard(FILE *to, size_t scene, const char *target, const char *gap)
{
	size_t n = 0, all = 0;

	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		if (!is_of_beta(&variants[i]))
			continue;
		all++;
		n += strcmp(outcomes[scene][i], target) == 0;
	}
	if (n == 0)
		return;
	fprintf(to, n > all / 2 ? "%sbeta whatever it says%s" : "%sbeta ", gap,
		n == all ? "" : ", but not: ");
	print_beats(to, scene, target, n <= all / 2);
}

/* In lines of a width that an editor shows. */
static void print_folded(FILE *to, const char *line)
{
	enum { WIDTH = 80 };

	while (strlen(line) > WIDTH) {
		const char *at = line + WIDTH;

		while (*at != ' ')
			at--;
		fprintf(to, "%.*s\n", (int)(at - line), line);
		line = at + 1;
	}
	fprintf(to, "%s\n", line);
}

/* All that leads from a scene to the same. */
static void print_target(FILE *to, size_t scene, const char *target)
{
	char line[1024] = "";
	FILE *f = fmemopen(line, sizeof(line), "w");
	const char *gap = "";

	cr_assert(f);
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		if (is_of_beta(&variants[i]) || is_offered(&variants[i]) ||
		    strcmp(outcomes[scene][i], target) != 0)
			continue;
		fprintf(f, "%s%s", gap, variants[i].words);
		gap = "; ";
	}
	print_heard(f, scene, target, gap);
	cr_assert_eq(fclose(f), 0);
	fprintf(to, ".It Li %s\n", target);
	print_folded(to, line);
}

static bool is_first(size_t scene, size_t variant)
{
	for (size_t i = 0; i < variant; i++)
		if (strcmp(outcomes[scene][i], outcomes[scene][variant]) == 0)
			return false;
	return *outcomes[scene][variant];
}

static void print_scene(FILE *to, size_t scene)
{
	for (size_t i = 0; i < scene; i++)
		if (same_rows(i, scene))
			return;
	print_label(to, scene);
	fputs(".Bl -tag -width \"yielding/withdrawn\" -compact\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
		if (is_first(scene, i))
			print_target(to, scene, outcomes[scene][i]);
	fputs(".El\n", to);
}

/* The transitions as mdoc. Free it. */
static char *make_table(void)
{
	char *made = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&made, &len);

	cr_assert(to);
	fputs(".Bl -tag -width Ds -compact\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++)
		print_scene(to, i);
	fputs(".El\n", to);
	cr_assert_eq(fclose(to), 0);
	return made;
}

/* @page with @table between its markers. Free it. */
static char *put_in(const char *page, const char *table)
{
	const char *begins = strstr(page, PAGE_BEGIN), *ends = strstr(page, PAGE_END);
	char *made = NULL;

	cr_assert(begins && ends && begins < ends, PAGE " has no place for the table");
	begins += strlen(PAGE_BEGIN);
	cr_assert_gt(asprintf(&made, "%.*s%s%s", (int)(begins - page), page, table, ends), 0);
	return made;
}

static void done(void)
{
	free(core);
	free(core_at);
}

Test(core_matrix, every_transition_is_as_it_has_been_read_and_found_right, .timeout = 60)
{
	_cleanup_(freep) char *matrix = make_matrix();
	_cleanup_(freep) char *table = make_table();
	_cleanup_(freep) char *page = golden_read(PAGE);
	_cleanup_(freep) char *wanted = put_in(page, table);

	golden_expect(GOLDEN, matrix);
	golden_expect(PAGE, wanted);
	done();
}

Test(core_matrix, every_state_every_step_and_every_event_is_in_it, .timeout = 60)
{
	free(make_matrix()); /* it notes what there is */
	for (enum core_state i = 0; i < _CORE_STATE_MAX; i++)
		cr_expect(states[i], "no scene with state %s", core_state_name(i));
	for (enum core_step i = 0; i < _CORE_STEP_MAX; i++)
		cr_expect(steps[i], "no scene with step %s", core_step_name(i));
	for (size_t i = 0; i < _CORE_EV_MAX; i++)
		cr_expect(events[i], "no variant of event %zu", i);
	done();
}

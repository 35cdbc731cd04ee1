/* SPDX-License-Identifier: MIT */

/* Tell a core what a trace says, and hold what it does against what it did. */

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/trace/snapshot.h"
#include "agent/trace/trace.h"

#include "tests/sim/sim.h"

struct player {
	const char *path;
	unsigned line;
	struct trace trace;
	bool told; /* an event that the core has not heard yet */
	struct core core;
	struct core_actions actions;
	size_t next; /* of the actions, to be found in the trace */
	unsigned events;
	bool whole;  /* it says itself that nothing has been cut off its end */
	FILE *renew; /* where the trace goes as it would be today; NULL: it is held against it */
	unsigned from, to, seen; /* of its events go there; how many have been seen so far */
	char text[TRACE_LINE_MAX];
};

static int complain(const struct player *p, const char *what, const char *text)
{
	fprintf(stderr, "%s:%u: %s%s%s\n", p->path, p->line, what, text ? ": " : "", text ?: "");
	return -EBADMSG;
}

static const char *text_of(struct player *p, const struct core_action *action)
{
	FILE *f = fmemopen(p->text, sizeof(p->text), "w");

	if (!f)
		return "?";
	trace_action(f, action);
	(void)fclose(f); /* what does not fit does not match */
	p->text[strcspn(p->text, "\n")] = '\0';
	return p->text;
}

static bool is_shown(const struct player *p)
{
	return p->seen >= p->from && p->seen <= p->to;
}

/* The event and its records are complete: what does the core do? */
static void step(struct player *p)
{
	if (!p->told)
		return;
	p->told = false;
	core_step(&p->core, &p->trace.event, &p->actions);
	p->next = 0;
	p->events++;
	if (!p->renew)
		return;
	for (size_t i = 0; i < p->actions.n && is_shown(p); i++)
		trace_action(p->renew, &p->actions.v[i]);
	p->actions.n = 0;
}

/* Everything that the last event has led to has been found in the trace. */
static int expect_nothing(struct player *p)
{
	step(p);
	if (p->next < p->actions.n)
		return complain(p, "the core does something that is not in the trace",
				text_of(p, &p->actions.v[p->next]));
	return 0;
}

static int expect(struct player *p, const char *line)
{
	step(p);
	if (p->renew)
		return 0;
	if (p->next == p->actions.n)
		return complain(p, "the core does not do this", line);
	if (strcmp(text_of(p, &p->actions.v[p->next++]), line) != 0)
		return complain(p, "the core does something else", p->text);
	return 0;
}

/* What has been written of the last event may be less than what happened. */
static void forget(struct player *p)
{
	p->told = false;
	p->actions.n = p->next = 0;
}

static int take_parsed(struct player *p, enum trace_what what, const char *line)
{
	p->whole = what == TRACE_END;
	if (what == TRACE_CONFIG || what == TRACE_GROUP) {
		core_init(&p->core, &p->trace.config);
		p->actions.n = 0;
	} else if (what != TRACE_AGAIN && !p->trace.config.n_nodes) {
		return complain(p, "the trace does not begin with a configuration", NULL);
	}
	if (what == TRACE_CORE && snapshot_parse(&p->core, line) < 0)
		return complain(p, "this is no line of a trace", line);
	if (what == TRACE_EVENT && p->trace.as_known)
		memcpy(p->trace.beat.groups, p->core.peers[p->trace.event.peer].beat.groups,
		       sizeof(p->trace.beat.groups));
	p->told = what == TRACE_EVENT || (what == TRACE_RECORD && p->told);
	return 0;
}

/* What begins in the middle of a life begins with the value that the core had there. */
static void renew_line(struct player *p, const char *line)
{
	if (*line == '@' && ++p->seen == p->from && p->from > 1) {
		trace_config(p->renew, &p->core.config);
		snapshot_print(p->renew, &p->core);
	}
	if (is_shown(p))
		fprintf(p->renew, "%s\n", line);
}

static int take_line(struct player *p, const char *line)
{
	enum trace_what what;
	int r = 0;

	if (*line == '>')
		return expect(p, line);
	if (strcmp(line, "again") == 0)
		forget(p);
	else if (*line && *line != '#' && *line != 'r') /* records belong to the event still */
		r = expect_nothing(p);
	if (r < 0)
		return r;
	if (p->renew)
		renew_line(p, line);
	if (*line == '\0' || *line == '#')
		return 0;
	r = trace_parse(&p->trace, line, &what);
	if (r < 0)
		return complain(p, "this is no line of a trace", line);
	return take_parsed(p, what, line);
}

/*
 * Line by line, one behind: of the last one before "again" or the end of the file only a part
 * may have been written, if the agent was killed.
 */
static int take_all(struct player *p, FILE *from)
{
	_cleanup_(freep) char *line = NULL, *held = NULL;
	size_t size = 0;
	ssize_t len = 0;
	int r = 0;

	while (r >= 0 && (len = getline(&line, &size, from)) > 0) {
		if (held && strcmp(line, "again\n") != 0)
			r = take_line(p, held);
		p->line++;
		free(held);
		held = line[len - 1] == '\n' ? strndup(line, (size_t)len - 1) : NULL;
	}
	return r >= 0 && held ? take_line(p, held) : r;
}

static struct player *player_new(const char *path)
{
	struct player *p = calloc(1, sizeof(*p));

	if (!p)
		abort(); /* without memory there is no test */
	p->path = path;
	return p;
}

static int play(struct player *p)
{
	FILE *f = fopen(p->path, "re");
	int r;

	if (!f) {
		perror(p->path);
		return -EBADMSG;
	}
	r = take_all(p, f);
	(void)fclose(f); /* it was only read */
	if (r >= 0 && !p->events)
		r = complain(p, "there is no event in it", NULL);
	return r;
}

/**
 * replay() - does the core do again what a trace says?
 * @path: the trace
 *
 * Of a trace that has been cut off the last event is compared as far as it goes.
 *
 * Return: the exit status; what differs has been said.
 */
int replay(const char *path)
{
	_cleanup_(freep) struct player *p = player_new(path);

	if (play(p) < 0)
		return EXIT_FAILURE;
	printf("%u events, the same actions%s\n", p->events,
	       p->whole ? "" : "; the end is cut off");
	return EXIT_SUCCESS;
}

/**
 * renew() - a trace with what the core does today
 * @path: the trace
 * @from: the first event to be in it, counted from 1; 0: all, with everything before
 * @to: the last one
 * @out: where to write it
 *
 * Return: the exit status.
 */
int renew(const char *path, unsigned from, unsigned to, FILE *out)
{
	_cleanup_(freep) struct player *p = player_new(path);

	p->renew = out;
	p->from = from;
	p->to = to;
	if (play(p) < 0)
		return EXIT_FAILURE;
	if (p->seen > to || !p->whole)
		fprintf(out, "end\n");
	return fflush(out) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

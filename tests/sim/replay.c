/* SPDX-License-Identifier: MIT */

/* Tell a core what a trace says, and hold what it does against what it did. */

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/trace.h"

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

/* The event and its records are complete: what does the core do? */
static void step(struct player *p)
{
	if (!p->told)
		return;
	p->told = false;
	core_step(&p->core, &p->trace.event, &p->actions);
	p->next = 0;
	p->events++;
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
	if (p->next == p->actions.n)
		return complain(p, "the core does not do this", line);
	if (strcmp(text_of(p, &p->actions.v[p->next++]), line) != 0)
		return complain(p, "the core does something else", p->text);
	return 0;
}

static int take_line(struct player *p, const char *line)
{
	enum trace_what what;
	int r;

	if (*line == '\0' || *line == '#')
		return 0;
	if (*line == '>')
		return expect(p, line);
	if (*line == '@' || *line == 'c') { /* the records of an event belong to it still */
		r = expect_nothing(p);
		if (r < 0)
			return r;
	}
	r = trace_parse(&p->trace, line, &what);
	if (r < 0)
		return complain(p, "this is no line of a trace", line);
	if (what == TRACE_EVENT && !p->trace.config.n_nodes)
		return complain(p, "the trace does not begin with a configuration", NULL);
	if (what == TRACE_CONFIG || what == TRACE_GROUP) {
		core_init(&p->core, &p->trace.config);
		p->actions.n = 0;
	}
	p->told = what == TRACE_EVENT || (what == TRACE_RECORD && p->told);
	return 0;
}

/**
 * replay() - does the core do again what a trace says?
 * @path: the trace
 *
 * Return: the exit status; what differs has been said.
 */
int replay(const char *path)
{
	_cleanup_(freep) struct player *p = calloc(1, sizeof(*p));
	_cleanup_(freep) char *line = NULL;
	FILE *f = fopen(path, "re");
	size_t size = 0;
	int r = 0;

	if (!f || !p) {
		perror(path);
		return EXIT_FAILURE;
	}
	p->path = path;
	while (r >= 0 && getline(&line, &size, f) > 0) {
		p->line++;
		line[strcspn(line, "\n")] = '\0';
		r = take_line(p, line);
	}
	(void)fclose(f); /* it was only read */
	if (r >= 0)
		r = expect_nothing(p);
	if (r >= 0 && !p->events)
		r = complain(p, "there is no event in it", NULL);
	if (r >= 0)
		printf("%u events, the same actions\n", p->events);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

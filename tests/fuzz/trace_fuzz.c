/* SPDX-License-Identifier: MIT */

/* A file that says it is a trace, line by line; what has been taken is printed and read again. */

#include <stdio.h>
#include <stdlib.h>

#include "agent/trace/snapshot.h"
#include "agent/trace/trace.h"
#include "tests/fuzz/fuzz.h"

static struct trace trace;
static struct core core;

static void take(const char *line)
{
	enum trace_what what;

	if (trace_parse(&trace, line, &what) < 0)
		return;
	assert(what < _TRACE_WHAT_MAX);
	if (what == TRACE_CONFIG)
		core_init(&core, &trace.config);
	if (what == TRACE_CORE)
		(void)snapshot_parse(&core, line); /* refused is as good as taken */
}

/* What a core may be told, and may be, has no line that is refused. */
static void print_and_read(void)
{
	struct core_event event = trace.event;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert(f);
	if (core.config.n_nodes) {
		trace_config(f, &core.config);
		snapshot_print(f, &core);
		if (event.peer < core.config.n_nodes &&
		    (!event.group || event.group < core.config.n_groups))
			trace_event(f, &event, core.config.n_groups, NULL);
	}
	(void)fclose(f); /* without memory text ends early */
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		enum trace_what what;

		assert(trace_parse(&trace, line, &what) == 0);
		assert(what != TRACE_CORE || snapshot_parse(&core, line) == 0);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	memset(&trace, 0, sizeof(trace));
	memset(&core, 0, sizeof(core));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		take(line);
	print_and_read();
	free(text);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#pragma once

/* takeoverctl in a process of its own, against the fake agent of bus_rig.h. */

#include <jansson.h>

#include "sdbus/ctl.h"
#include "tests/bus_rig.h"

/* @argv: behind the name of the program, NULL-terminated */
static inline int run_ctl(struct rig *rig, void *argv)
{
	struct ctl ctl = { .out = stdout,
			   .err = stderr,
			   .terminal = rig->terminal,
			   .sbindir = rig->sbindir ?: "/nowhere",
			   .look = rig->look };
	char *arguments[16] = { (char *)"takeoverctl" };
	int argc = 1, r;

	for (char **from = argv; *from; from++)
		arguments[argc++] = *from;
	assert(argc < (int)ARRAY_SIZE(arguments));
	r = ctl_run(&ctl, argc, arguments);
	sd_bus_flush_close_unref(ctl.bus);
	return r;
}

#define RUN(rig, outcome, ...) run_child(rig, run_ctl, (char *[]){ __VA_ARGS__, NULL }, outcome)

/* An agent on a bus that does at once what it is asked. */
static inline void start_bus(struct rig *rig)
{
	rig_init(rig);
	rig->agent.answer_at_once = "beta";
	rig_open_bus(rig);
	rig_start(rig);
}

/* What was printed on stdout, one JSON object on one line; to be released. */
static inline json_t *json_of(struct outcome *outcome)
{
	char *end = strchr(outcome->text, '\n');
	json_error_t error;
	json_t *json;

	cr_assert(end && end[1] == '|', "not one line: %s", outcome->text);
	*end = '\0';
	json = json_loads(outcome->text, 0, &error);
	cr_assert(json, "%s: %s", error.text, outcome->text);
	*end = '\n';
	return json;
}

static inline const char *json_text_at(const json_t *json, const char *member)
{
	return json_string_value(json_object_get(json, member)) ?: "";
}

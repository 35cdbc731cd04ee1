/* SPDX-License-Identifier: MIT */
#pragma once

/* takeoverctl in a process of its own, against the fake agent of bus_rig.h. */

#include <jansson.h>

#include "sdbus/ctl.h"
#include "tests/bus_child.h"

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

static inline int run_ctl_as_nobody(struct rig *rig, void *argv)
{
	return become_nobody() ? run_ctl(rig, argv) : 9;
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

/* The same with two groups, voip-1 and sip. */
static inline void start_bus_with_two(struct rig *rig)
{
	rig_init(rig);
	rig->agent.answer_at_once = "beta";
	rig->agent.groups[0].name = "voip-1";
	rig->ops.n_groups = 2;
	rig_open_bus(rig);
	rig_start(rig);
}

/* A program that is found first in PATH, in a directory of its own. */
struct program {
	char dir[TEMP_MAX], path[TEMP_MAX + 16];
	char called[TEMP_MAX + 16]; /* a file with how it was called: its PID and arguments */
};

/* @does: what it does then, for sh */
static inline void program_make(struct program *program, const char *name, const char *does)
{
	char path[1024];
	FILE *f;

	cr_assert(mkdtemp(temp_template(program->dir, name)));
	(void)snprintf(program->path, sizeof(program->path), "%s/%s", program->dir, name);
	(void)snprintf(program->called, sizeof(program->called), "%s/called", program->dir);
	f = fopen(program->path, "we");
	cr_assert(f);
	fprintf(f, "#!/bin/sh\necho $$ \"$@\" >%s\n%s\n", program->called, does);
	cr_assert_eq(fclose(f), 0);
	cr_assert_eq(chmod(program->path, 0755) | chmod(program->dir, 0777), 0); /* for nobody */
	(void)snprintf(path, sizeof(path), "%s:%s", program->dir, getenv("PATH"));
	cr_assert_eq(setenv("PATH", path, 1), 0);
}

/* The first line of it; "" if it was not called. */
static inline void program_called(const struct program *program, char ret[static 256])
{
	FILE *f = fopen(program->called, "re");

	*ret = '\0';
	if (!f)
		return;
	(void)!fgets(ret, 256, f);
	(void)fclose(f);
}

static inline void program_remove(const struct program *program)
{
	(void)unlink(program->called);
	(void)unlink(program->path);
	(void)rmdir(program->dir);
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

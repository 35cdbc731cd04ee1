/* SPDX-License-Identifier: MIT */

/* `check` with a takeoverd of ours in PATH: a script. */

#include "tests/ctl_rig.h"

struct place {
	char dir[TEMP_MAX], program[TEMP_MAX + 16];
};

/* Only there is a takeoverd, and it does what @script says. */
static void place_init(struct place *place, const char *script)
{
	char path[TEMP_MAX + 32];
	FILE *f;

	cr_assert(mkdtemp(temp_template(place->dir, "check")));
	(void)snprintf(place->program, sizeof(place->program), "%s/takeoverd", place->dir);
	(void)snprintf(path, sizeof(path), "%s:/usr/bin:/bin", place->dir);
	(void)setenv("PATH", path, 1);
	if (!script)
		return;
	f = fopen(place->program, "we");
	cr_assert(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	(void)fclose(f);
	(void)chmod(place->program, 0755);
}

static void place_done(struct place *place)
{
	(void)unlink(place->program);
	(void)rmdir(place->dir);
}

static json_t *problem_at(json_t *json, size_t i)
{
	return json_array_get(json_object_get(json, "problems"), i);
}

Test(takeoverctl_check, options_and_exit_status_are_passed_through)
{
	struct outcome outcome;
	struct place place;
	struct rig rig;

	rig_init(&rig);
	place_init(&place, "echo \"$@\"; echo problem >&2; exit 7");
	RUN(&rig, &outcome, "check", "--config", "/a b", "-n", "beta");
	cr_expect_eq(outcome.code, 7);
	cr_expect_str_eq(outcome.text, "--check --config /a b --node beta\n|problem\n");
	RUN(&rig, &outcome, "check");
	cr_expect_str_eq(outcome.text, "--check\n|problem\n");
	place_done(&place);
}

Test(takeoverctl_check, problems_become_objects)
{
	static const struct {
		const char *file;
		int line;
		bool warning;
		const char *text;
	} problems[] = {
		{ "/etc/takeover.conf", 12, false, "Interval=: 5 is not a time: say 5ms." },
		{ "/etc/takeover.conf", 13, true, "There is no Reference=." },
		{ "/etc/key", 0, false, "The key can be read by others: chmod 0600." },
		{ "", 0, false, "No [Node] has an address of this host." },
		{ "/odd:name:3", 4, false, "What: 5: is this?" },
		{ "/x", 1, false, "??" }, /* not UTF-8 */
	};
	struct outcome outcome;
	struct place place;
	struct rig rig;
	json_t *json;

	rig_init(&rig);
	place_init(&place, "cat >&2 <<'END'\n"
			   "/etc/takeover.conf:12: Interval=: 5 is not a time: say 5ms.\n"
			   "/etc/takeover.conf:13: warning: There is no Reference=.\n"
			   "/etc/key: The key can be read by others: chmod 0600.\n"
			   "takeoverd: No [Node] has an address of this host.\n"
			   "/odd:name:3:4: What: 5: is this?\n"
			   "/x:1: \377\376\n"
			   "END\n"
			   "exit 1");
	RUN(&rig, &outcome, "check", "--json");
	cr_expect_eq(outcome.code, 1);
	json = json_of(&outcome);
	cr_expect(json_is_false(json_object_get(json, "ok")));
	cr_expect_eq(json_array_size(json_object_get(json, "problems")), ARRAY_SIZE(problems));
	for (size_t i = 0; i < ARRAY_SIZE(problems); i++) {
		json_t *problem = problem_at(json, i);

		cr_expect_str_eq(json_text_at(problem, "file"), problems[i].file);
		cr_expect_eq(json_integer_value(json_object_get(problem, "line")),
			     problems[i].line);
		cr_expect_eq(json_is_true(json_object_get(problem, "warning")),
			     problems[i].warning);
		cr_expect_str_eq(json_text_at(problem, "text"), problems[i].text);
	}
	cr_expect(json_is_null(json_object_get(problem_at(json, 2), "line")));
	cr_expect(json_is_null(json_object_get(problem_at(json, 3), "file")));
	json_decref(json);
	place_done(&place);
}

Test(takeoverctl_check, good_configuration_is_ok)
{
	struct outcome outcome;
	struct place place;
	struct rig rig;

	rig_init(&rig);
	place_init(&place, "echo 'x: node alpha, 1 group: no mistakes found'");
	RUN(&rig, &outcome, "check");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "x: node alpha, 1 group: no mistakes found\n|");
	RUN(&rig, &outcome, "check", "--json");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "{\"ok\":true,\"problems\":[]}\n|");
	place_done(&place);
}

Test(takeoverctl_check, missing_takeoverd_is_one_sentence)
{
	struct outcome outcome;
	struct place place;
	struct rig rig;

	rig_init(&rig);
	place_init(&place, NULL);
	(void)setenv("PATH", place.dir, 1);
	RUN(&rig, &outcome, "check");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text,
			 "|takeoverctl: cannot run takeoverd, which does the checking: No such "
			 "file or directory; is it installed?\n");
	RUN(&rig, &outcome, "check", "--json");
	cr_expect_eq(outcome.code, 1);
	cr_expect(strstr(outcome.text, "{\"error\":{"), "%s", outcome.text);
	place_done(&place);
}

Test(takeoverctl_check, takeoverd_that_crashes_is_no_answer)
{
	struct outcome outcome;
	struct place place;
	struct rig rig;

	rig_init(&rig);
	place_init(&place, "kill -KILL $$");
	RUN(&rig, &outcome, "check", "--json");
	cr_expect_eq(outcome.code, 1);
	cr_expect(strstr(outcome.text, "|takeoverctl: takeoverd was ended by a signal: Killed.\n"),
		  "%s", outcome.text);
	place_done(&place);
}

/* SPDX-License-Identifier: MIT */

/* `check` with a takeoverd of ours: a script. */

#include "tests/ctl_rig.h"

struct place {
	char dir[TEMP_MAX], program[TEMP_MAX + 16];
};

/* Where takeoverd is installed: it does what @script says. */
static void place_init(struct rig *rig, struct place *place, const char *script)
{
	FILE *f;

	rig_init(rig);
	cr_assert(mkdtemp(temp_template(place->dir, "check")));
	(void)snprintf(place->program, sizeof(place->program), "%s/takeoverd", place->dir);
	rig->sbindir = place->dir;
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

	place_init(&rig, &place, "echo \"$@\"; echo problem >&2; exit 7");
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

	place_init(&rig, &place,
		   "cat >&2 <<'END'\n"
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

	place_init(&rig, &place, "echo 'x: node alpha, 1 group: no mistakes found'");
	RUN(&rig, &outcome, "check");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "x: node alpha, 1 group: no mistakes found\n|");
	RUN(&rig, &outcome, "check", "--json");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "{\"ok\":true,\"problems\":[]}\n|");
	place_done(&place);
}

/* The third is a file where a directory should be. */
Test(takeoverctl_check, missing_takeoverd_is_one_sentence)
{
	static const char *const places[] = { "/nowhere", "/tmp", "/proc/self/exe" };
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		rig.sbindir = places[i];
		RUN(&rig, &outcome, "check");
		cr_expect_eq(outcome.code, 1);
		cr_expect_str_eq(outcome.text,
				 "|takeoverctl: cannot run takeoverd, which does the checking: No "
				 "such file or directory; is it installed?\n");
		RUN(&rig, &outcome, "check", "--json");
		cr_expect_eq(outcome.code, 1);
		cr_expect(strstr(outcome.text, "{\"error\":{"), "%s", outcome.text);
	}
}

/* It is run as root, and PATH may be anybody's. */
Test(takeoverctl_check, takeoverd_of_path_is_never_run)
{
	struct outcome outcome;
	struct place place;
	struct rig rig;

	place_init(&rig, &place, "echo executed");
	rig.sbindir = NULL;
	(void)setenv("PATH", place.dir, 1);
	RUN(&rig, &outcome, "check");
	cr_expect_eq(outcome.code, 1);
	cr_expect_not(strstr(outcome.text, "executed"));
	place_done(&place);
}

Test(takeoverctl_check, takeoverd_that_may_not_be_run_is_no_missing_one)
{
	struct outcome outcome;
	struct place place;
	struct rig rig;

	place_init(&rig, &place, "exit 0");
	(void)chmod(place.program, 0644);
	RUN(&rig, &outcome, "check", "--json");
	cr_expect_eq(outcome.code, 1);
	cr_expect(strstr(outcome.text, "the checking: Permission denied; is it"), "%s",
		  outcome.text);
	place_done(&place);
}

/* What is quoted in a text, or is the name of a file, may look like a line number. */
Test(takeoverctl_check, numbers_elsewhere_are_no_line_numbers)
{
	static const struct {
		char *config;
		const char *said, *file;
		int line;
		const char *text;
	} lines[] = {
		{ NULL, "takeoverd: There is no [Node foo:9: bar].", "", 0,
		  "There is no [Node foo:9: bar]." },
		{ NULL, "/etc/key: Not a key: 'a:9: b'.", "/etc/key", 0, "Not a key: 'a:9: b'." },
		{ NULL, "/etc/x: 7: what?", "/etc/x", 0, "7: what?" },
		{ NULL, "/etc/x:-7: what?", "/etc/x:-7", 0, "what?" },
		{ NULL, "/etc/x:+7: what?", "/etc/x:+7", 0, "what?" },
		{ (char *)"x:3: y.conf", "x:3: y.conf:12: Interval=: what?", "x:3: y.conf", 12,
		  "Interval=: what?" },
		{ (char *)"x:3: y.conf", "x:3: y.conf.d/1.conf:2: What?", "x:3: y.conf.d/1.conf", 2,
		  "What?" },
		{ (char *)"x:3: y.conf", "x:3: y.conf: What?", "x:3: y.conf", 0, "What?" },
		{ (char *)"x:3: y.conf", "takeoverd: What?", "", 0, "What?" },
		{ NULL, "nothing of all that", "", 0, "nothing of all that" },
		{ NULL, "/x:99999999999999999999: What?", "/x:99999999999999999999", 0, "What?" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char *argv[] = { (char *)"check", (char *)"--json",
				 (char *)(lines[i].config ? "--config" : NULL), lines[i].config,
				 NULL };
		struct outcome outcome;
		json_t *json, *problem;
		struct place place;
		char script[256];
		struct rig rig;

		(void)snprintf(script, sizeof(script), "cat >&2 <<'END'\n%s\nEND\nexit 1",
			       lines[i].said);
		place_init(&rig, &place, script);
		run_child(&rig, run_ctl, argv, &outcome);
		json = json_of(&outcome);
		problem = problem_at(json, 0);
		cr_expect_str_eq(json_text_at(problem, "file"), lines[i].file);
		cr_expect_eq(json_integer_value(json_object_get(problem, "line")), lines[i].line,
			     "%s", lines[i].said);
		cr_expect_str_eq(json_text_at(problem, "text"), lines[i].text);
		json_decref(json);
		place_done(&place);
	}
}

Test(takeoverctl_check, takeoverd_that_crashes_is_no_answer)
{
	struct outcome outcome;
	struct place place;
	struct rig rig;

	place_init(&rig, &place, "kill -KILL $$");
	RUN(&rig, &outcome, "check", "--json");
	cr_expect_eq(outcome.code, 1);
	cr_expect(strstr(outcome.text, "|takeoverctl: takeoverd was ended by a signal: Killed.\n"),
		  "%s", outcome.text);
	place_done(&place);
}

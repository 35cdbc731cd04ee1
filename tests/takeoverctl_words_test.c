/* SPDX-License-Identifier: MIT */

/* Verbs and options: what help says, the manual knows and the shells complete. */

#include <ctype.h>

#include "tests/ctl_rig.h"

enum { WORDS_MAX = 32, WORD_SIZE = 40 };

struct words {
	char v[WORDS_MAX][WORD_SIZE];
	size_t n;
};

static bool has(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->v[i], word) == 0)
			return true;
	return false;
}

static void add(struct words *words, const char *word)
{
	if (has(words, word))
		return;
	cr_assert_lt(words->n, WORDS_MAX);
	cr_assert_lt(strlen(word), WORD_SIZE);
	(void)strcpy(words->v[words->n++], word);
}

static void expect_same(const struct words *a, const struct words *b, const char *what)
{
	cr_assert_gt(a->n, 0);
	for (size_t i = 0; i < a->n; i++)
		cr_expect(has(b, a->v[i]), "%s: no \"%s\"", what, a->v[i]);
	for (size_t i = 0; i < b->n; i++)
		cr_expect(has(a, b->v[i]), "%s: \"%s\" is too much", what, b->v[i]);
}

/* First words of the lines of `help`: verbs, or long options. */
static void words_of_help(bool options, struct words *ret)
{
	struct outcome outcome;
	struct rig rig;
	char *save = NULL;

	*ret = (struct words){ 0 };
	rig_init(&rig);
	RUN(&rig, &outcome, "help");
	for (char *line = strtok_r(outcome.text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char word[WORD_SIZE];

		if (!options && strncmp(line, "  ", 2) == 0 && islower(line[2]) &&
		    sscanf(line, "  %39[a-z-]", word) == 1)
			add(ret, word);
		if (options && sscanf(line, "  -%*c, %39[a-z-]", word) == 1)
			add(ret, word);
	}
}

/* The words that follow @begin in the lines of a file. */
static void words_of_file(const char *file, const char *begin, struct words *ret)
{
	FILE *f = fopen(file, "re");
	char line[512];

	cr_assert(f, "%s: %m", file);
	*ret = (struct words){ 0 };
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, begin);
		char word[WORD_SIZE];

		if (at && sscanf(at + strlen(begin), "%39[a-z-]", word) == 1)
			add(ret, word);
	}
	(void)fclose(f);
}

static void add_dashes(struct words *words)
{
	for (size_t i = 0; i < words->n; i++) {
		memmove(words->v[i] + 2, words->v[i], WORD_SIZE - 2);
		memcpy(words->v[i], "--", 2);
	}
}

Test(takeoverctl_words, manual_has_every_verb)
{
	struct words help, manual;

	words_of_help(false, &help);
	words_of_file("man/takeoverctl.1", ".It Ic ", &manual);
	expect_same(&help, &manual, "man/takeoverctl.1, COMMANDS");
}

Test(takeoverctl_words, manual_has_every_option)
{
	struct words help, manual;

	words_of_help(true, &help);
	words_of_file("man/takeoverctl.1", ", Fl -", &manual);
	add_dashes(&manual);
	expect_same(&help, &manual, "man/takeoverctl.1, OPTIONS");
}

Test(takeoverctl_words, zsh_completes_every_verb_and_option)
{
	struct words help, zsh;

	words_of_help(false, &help);
	words_of_file("units/completions/_takeoverctl", "\t\t'", &zsh);
	expect_same(&help, &zsh, "zsh, verbs");
	words_of_help(true, &help);
	words_of_file("units/completions/_takeoverctl", ",--", &zsh);
	add_dashes(&zsh);
	expect_same(&help, &zsh, "zsh, options");
}

/* A takeoverctl that answers what it is told to, in a directory of its own. */
struct fake_ctl {
	char dir[TEMP_MAX], script[TEMP_MAX + 16];
};

static void fake_ctl_init(struct fake_ctl *fake, const char *answer)
{
	FILE *f;

	cr_assert(mkdtemp(temp_template(fake->dir, "words")));
	(void)snprintf(fake->script, sizeof(fake->script), "%s/takeoverctl", fake->dir);
	f = fopen(fake->script, "we");
	cr_assert(f);
	fprintf(f, "#!/bin/sh\ncat <<'END'\n%s\nEND\n", answer);
	(void)fclose(f);
	(void)chmod(fake->script, 0755);
}

static void fake_ctl_done(struct fake_ctl *fake)
{
	(void)unlink(fake->script);
	(void)rmdir(fake->dir);
}

/* What @shell prints with @fake in its PATH: a word on each line. */
static void words_of_shell(const char *shell, const struct fake_ctl *fake, struct words *ret)
{
	char command[2048], word[WORD_SIZE];
	FILE *f;

	*ret = (struct words){ 0 };
	(void)snprintf(command, sizeof(command), "PATH=%s:$PATH; %s 2>&1", fake->dir, shell);
	f = popen(command, "re");
	cr_assert(f);
	while (fscanf(f, "%39s", word) == 1)
		add(ret, word);
	cr_assert_eq(pclose(f), 0, "%s", command);
}

/*
 * Completion as bash does it: the last of @words is the one to complete. What
 * compopt is told is one of the words, as "-o+filenames". The program that is
 * typed is one that must not be run: it may be of a foreign directory.
 */
static void complete(const char *words, int cword, const struct fake_ctl *fake, struct words *ret)
{
	char shell[1024];

	(void)snprintf(shell, sizeof(shell),
		       "bash --norc -c 'source units/completions/takeoverctl.bash; "
		       "compopt() { local IFS=+; echo \"$*\"; }; "
		       "COMP_WORDS=(false %s); COMP_CWORD=%d; _takeoverctl; "
		       "for word in \"${COMPREPLY[@]}\"; do echo \"$word\"; done'",
		       words, cword);
	words_of_shell(shell, fake, ret);
}

static void expect_list(const struct words *done, const char *list, const char *what)
{
	struct words expected = { 0 };
	char *copy = strdup(list), *save = NULL;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		add(&expected, w);
	cr_expect_eq(done->n, expected.n, "%s: %zu words", what, done->n);
	for (size_t i = 0; i < done->n; i++)
		cr_expect(has(&expected, done->v[i]), "%s: \"%s\"", what, done->v[i]);
	free(copy);
}

static void expect_completion(const char *words, int cword, const struct fake_ctl *fake,
			      const char *list)
{
	struct words done;

	complete(words, cword, fake, &done);
	expect_list(&done, list, words);
}

Test(takeoverctl_words, bash_completes_every_verb_and_option)
{
	struct words help, bash;
	struct fake_ctl fake;

	fake_ctl_init(&fake, "");
	words_of_help(false, &help);
	complete("\"\"", 1, &fake, &bash);
	expect_same(&help, &bash, "bash, verbs");
	words_of_help(true, &help);
	complete("--", 1, &fake, &bash);
	expect_same(&help, &bash, "bash, options");
	fake_ctl_done(&fake);
}

Test(takeoverctl_words, bash_completes_what_follows)
{
	static const struct {
		const char *words;
		int cword;
		const char *list;
	} lines[] = {
		{ "sw", 1, "switchover" },
		{ "--json st", 2, "status" },
		{ "-n alpha ch", 3, "check" },
		{ "maintenance \"\"", 2, "on off" },
		{ "maintenance of", 2, "off" },
		{ "status --j", 2, "--json" },
		{ "status \"\"", 2, "" },
		{ "check --config LICEN", 3, "-o+filenames LICENSE" },
		/* the shell makes three words of --config=LICEN */
		{ "check --config = LICEN", 4, "-o+filenames LICENSE" },
		{ "check --config = unit", 4, "-o+filenames units" },
		{ "--config = LICENSE che", 4, "check" },
		{ "--node = alpha che", 4, "check" },
		{ "check --node = \"\"", 4, "" },
		{ "genkey LICEN", 2, "-o+filenames LICENSE" },
		{ "check --node \"\"", 3, "" },
		/* no agent: nothing, and silence */
		{ "switchover \"\"", 2, "" },
	};
	struct fake_ctl fake;
	struct words files;

	fake_ctl_init(&fake, "");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		expect_completion(lines[i].words, lines[i].cword, &fake, lines[i].list);
	complete("check --config =", 3, &fake, &files);
	cr_expect(has(&files, "LICENSE"));
	fake_ctl_done(&fake);
}

/* The fake answers what the real takeoverctl has just answered of this agent. */
static void fake_ctl_of_agent(struct fake_ctl *fake, const char *first_group)
{
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	rig.agent.groups[0].name = first_group;
	rig.ops.n_groups = 2;
	rig_open_bus(&rig);
	rig_start(&rig);
	RUN(&rig, &outcome, "status", "--json");
	*strchr(outcome.text, '|') = '\0';
	rig_done(&rig);
	fake_ctl_init(fake, outcome.text);
}

Test(takeoverctl_words, bash_completes_groups_of_the_agent, .timeout = 10)
{
	struct fake_ctl fake;

	fake_ctl_of_agent(&fake, "voip-1");
	expect_completion("switchover \"\"", 2, &fake, "sip voip-1");
	expect_completion("explain vo", 2, &fake, "voip-1");
	expect_completion("announce vo", 2, &fake, "voip-1");
	expect_completion("maintenance on \"\"", 3, &fake, "sip voip-1");
	expect_completion("--json switchover s", 3, &fake, "sip");
	expect_completion("switchover sip \"\"", 3, &fake, "");
	expect_completion("inhibit \"\"", 2, &fake, "sip voip-1");
	expect_completion("switchover --to beta s", 4, &fake, "sip");
	expect_completion("inhibit sip takeoverc", 3, &fake, "takeoverctl");
	expect_completion("inhibit sip cat LICEN", 4, &fake, "-o+filenames LICENSE");
	expect_completion("wait \"\"", 2, &fake, "sip voip-1 primary backup");
	expect_completion("-t 5 -H there wait sip p", 7, &fake, "primary");
	fake_ctl_done(&fake);
}

/* Whoever owns the name on the bus may call a group what he likes. */
Test(takeoverctl_words, name_of_a_group_is_never_executed, .timeout = 10)
{
	static const char *const names[] = { "$(echo${IFS}executed)", "`echo executed`", "a b", "*",
					     "x\",\"role" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct fake_ctl fake;

		fake_ctl_of_agent(&fake, names[i]);
		expect_completion("switchover \"\"", 2, &fake, "sip");
		fake_ctl_done(&fake);
	}
}

/* What zsh itself offers, with its own library of completion. */
Test(takeoverctl_words, zsh_completes_what_follows, .timeout = 60)
{
	static const struct {
		const char *line, *list;
	} lines[] = {
		{ "sw", "switchover" },
		{ "--json st", "status" },
		{ "status ", "" },
		{ "maintenance ", "on off" },
		{ "maintenance on ", "sip voip-1" },
		{ "explain ", "sip voip-1" },
		{ "switchover ", "sip voip-1" },
		{ "--json announce vo", "voip-1" },
		{ "switchover sip ", "" },
		{ "check --config LICEN", "LICENSE" },
		{ "check --config=LICEN", "LICENSE" },
		{ "-n alpha ch", "check" },
		{ "genkey LICEN", "LICENSE" },
		{ "inhibit ", "sip voip-1" },
		{ "inhibit sip takeoverc", "takeoverctl" },
		{ "inhibit sip cat LICEN", "LICENSE" },
		{ "--to beta switchover s", "sip" },
		{ "wait ", "sip voip-1 primary backup" },
		{ "-t 5 -H there wait sip p", "primary" },
	};
	struct fake_ctl fake;

	fake_ctl_init(&fake, "{\"name\":\"sip\",\"role\"}{\"name\":\"voip-1\",\"role\"}"
			     "{\"name\":\"$(echo executed)\",\"role\"}");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct words done;
		char shell[128];

		(void)snprintf(shell, sizeof(shell), "zsh -f tests/zsh_words.zsh 'takeoverctl %s'",
			       lines[i].line);
		words_of_shell(shell, &fake, &done);
		expect_list(&done, lines[i].list, lines[i].line);
	}
	fake_ctl_done(&fake);
}

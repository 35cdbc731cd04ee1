/* SPDX-License-Identifier: MIT */

#include "tests/ctl_rig.h"

Test(takeoverctl, only_group_need_not_be_named, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "switchover");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "sip: beta is primary (took 21.4 ms)\n|");
	RUN(&rig, &outcome, "switchover", "sip");
	cr_expect_str_eq(outcome.text, "sip: beta is primary (took 21.4 ms)\n|");
	cr_expect_eq(rig.agent.switchovers, 2);
	rig_done(&rig);
}

Test(takeoverctl, one_of_several_groups_has_to_be_named, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus_with_two(&rig);
	RUN(&rig, &outcome, "switchover");
	cr_expect_eq(outcome.code, 2);
	cr_expect_str_eq(outcome.text, "|takeoverctl: there are 2 groups; say which: sip voip-1\n");
	cr_expect_eq(rig.agent.switchovers, 0);
	RUN(&rig, &outcome, "switchover", "voip-1");
	cr_expect_eq(outcome.code, 0);
	cr_expect_eq(rig.agent.group, 0);
	rig_done(&rig);
}

Test(takeoverctl, maintenance_is_set_and_ended, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "maintenance", "on");
	cr_expect_str_eq(outcome.text, "sip: this node is in maintenance\n|");
	cr_expect(rig.agent.on);
	RUN(&rig, &outcome, "maintenance", "off", "sip");
	cr_expect_str_eq(outcome.text, "sip: this node takes part again\n|");
	cr_expect_not(rig.agent.on);
	RUN(&rig, &outcome, "maintenance", "sip");
	cr_expect_eq(outcome.code, 2);
	cr_expect_str_eq(outcome.text, "|takeoverctl: maintenance needs 'on' or 'off'.\n");
	cr_expect_eq(rig.agent.maintenances, 2);
	rig_done(&rig);
}

Test(takeoverctl, refusal_is_one_sentence_with_what_to_do, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "switchover", "sipp");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: there is no group \"sipp\" here; "
				       "did you mean 'sip'?\n");
	rig_done(&rig);
}

Test(takeoverctl, the_unprivileged_are_sent_to_sudo, .timeout = 10)
{
	char *argv[] = { "switchover", NULL };
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	run_child(&rig, run_ctl_as_nobody, argv, &outcome);
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text,
			 "|takeoverctl: Only root may do this; try it as root, with sudo.\n");
	rig_done(&rig);
}

Test(takeoverctl, missing_daemon_is_one_sentence, .timeout = 10)
{
	static char *const verbs[] = { "status", "switchover" };
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	rig_open_bus(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		RUN(&rig, &outcome, verbs[i]);
		cr_expect_eq(outcome.code, 1);
		cr_expect_str_eq(outcome.text, "|takeoverctl: takeoverd does not run on this host; "
					       "start it with 'systemctl start takeoverd'.\n");
	}
	rig_done(&rig);
}

Test(takeoverctl, missing_bus_is_one_sentence, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	strcpy(rig.address, "unix:path=/nonexistent/bus");
	RUN(&rig, &outcome, "status");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text,
			 "|takeoverctl: cannot reach the system bus: No such file or directory; "
			 "see whether D-Bus runs, 'systemctl status dbus'.\n");
}

Test(takeoverctl, mistyped_verb_gets_a_suggestion, .timeout = 10)
{
	static const struct {
		char *typed;
		const char *meant;
	} verbs[] = {
		{ "swichover", "switchover" }, { "stauts", "status" }, { "maint", "maintenance" },
		{ "versoin", "version" },      { "xyzzy", NULL },      { "", NULL },
	};
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct outcome outcome;
		char text[128];

		RUN(&rig, &outcome, verbs[i].typed);
		if (verbs[i].meant)
			(void)snprintf(
				text, sizeof(text),
				"|takeoverctl: there is no verb \"%s\"; did you mean '%s'?\n",
				verbs[i].typed, verbs[i].meant);
		else
			(void)snprintf(text, sizeof(text),
				       "|takeoverctl: there is no verb \"%s\"; "
				       "'takeoverctl help' shows what there is.\n",
				       verbs[i].typed);
		cr_expect_str_eq(outcome.text, text);
		cr_expect_eq(outcome.code, 2);
	}
}

Test(takeoverctl, wrong_command_line_is_one_sentence, .timeout = 10)
{
	static const struct {
		char *argv[5];
		const char *sentence;
	} lines[] = {
		{ { (char *)"--jsno", (char *)"status" },
		  "\"--jsno\" is not an option; did you mean '--json'?" },
		{ { (char *)"status", (char *)"--frobnicate" },
		  "\"--frobnicate\" is not an option; 'takeoverctl help' shows what there is." },
		{ { (char *)"status", (char *)"-x" },
		  "\"-x\" is not an option; 'takeoverctl help' shows what there is." },
		{ { (char *)"status", (char *)"--json=yes" }, "--json takes no argument." },
		{ { (char *)"check", (char *)"--config" }, "--config needs a FILE." },
		{ { (char *)"check", (char *)"-n" }, "--node needs a NAME." },
		{ { (char *)"genkey", (char *)"--json" }, "genkey does not take --json." },
		{ { (char *)"-c", (char *)"x", (char *)"status" },
		  "status does not take --config." },
		{ { (char *)"switchover", (char *)"--node=alpha" },
		  "switchover does not take --node." },
		{ { (char *)"wait", (char *)"sip" },
		  "wait needs 'primary' or 'backup', at the end." },
		{ { (char *)"-t", (char *)"5", (char *)"status" },
		  "status does not take --timeout." },
		{ { (char *)"-tsoon", (char *)"wait", (char *)"primary" },
		  "\"soon\" is not a duration; what is one: 10 (seconds), 500ms, 2min." },
		{ { (char *)"-Mx", (char *)"-Hy", (char *)"status" },
		  "--host and --machine exclude each other; a container of a host is "
		  "--host HOST/NAME." },
		{ { (char *)"-Hy", (char *)"trace" }, "trace does not take --host." },
		{ { (char *)"-Hy", (char *)"verify" }, "verify does not take --host." },
		{ { (char *)"-f", (char *)"status" }, "status does not take --force." },
		{ { (char *)"-w", (char *)"x", (char *)"switchover" },
		  "switchover does not take --why." },
		{ { (char *)"-Hy", (char *)"inhibit", (char *)"sip", (char *)"true" },
		  "inhibit does not take --host." },
		{ { (char *)"status", (char *)"sip" }, "status takes no argument, not \"sip\"." },
		{ { (char *)"switchover", (char *)"a", (char *)"b" },
		  "switchover takes [GROUP], not \"b\" as well." },
		{ { (char *)"switchover", (char *)"" },
		  "\"\" cannot be the name of a group; 'takeoverctl status' shows the groups." },
		{ { (char *)"announce", (char *)"\377" },
		  "\"?\" cannot be the name of a group; 'takeoverctl status' shows the groups." },
		{ { (char *)"maintenance", (char *)"on", (char *)"a b\033[31m" },
		  "\"a b?[31m\" cannot be the name of a group; 'takeoverctl status' shows the "
		  "groups." },
		{ { (char *)"switchover", (char *)"a23456789b123456789c123456789d123" },
		  "\"a23456789b123456789c123456789d123\" cannot be the name of a group; "
		  "'takeoverctl status' shows the groups." },
	};
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct outcome outcome;
		char text[256];

		run_child(&rig, run_ctl, (void *)lines[i].argv, &outcome);
		(void)snprintf(text, sizeof(text), "|takeoverctl: %s\n", lines[i].sentence);
		cr_expect_str_eq(outcome.text, text);
		cr_expect_eq(outcome.code, 2);
	}
}

Test(takeoverctl, no_verb_is_an_error_and_shows_what_there_is, .timeout = 10)
{
	struct outcome help, nothing;
	struct rig rig;

	rig_init(&rig);
	RUN(&rig, &help, "help");
	cr_expect_eq(help.code, 0);
	run_child(&rig, run_ctl, (char *[]){ NULL }, &nothing);
	cr_expect_eq(nothing.code, 2);
	cr_expect_eq(nothing.text[0], '|');
	cr_expect_eq(strncmp(help.text, nothing.text + 1, strlen(nothing.text + 1)), 0);
	cr_expect_eq(strncmp(help.text, "usage: takeoverctl ", 19), 0);
}

Test(takeoverctl, help_and_version_stand_anywhere, .timeout = 10)
{
	struct outcome outcome, help;
	struct rig rig;

	rig_init(&rig);
	RUN(&rig, &help, "help");
	RUN(&rig, &outcome, "status", "--help");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, help.text);
	RUN(&rig, &outcome, "genkey", "--json", "-h");
	cr_expect_str_eq(outcome.text, help.text);
	RUN(&rig, &outcome, "-h");
	cr_expect_str_eq(outcome.text, help.text);
	RUN(&rig, &outcome, "switchover", "sip", "-V");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "takeoverctl " API_VERSION "\n|");
	RUN(&rig, &outcome, "--version", "--json");
	cr_expect_str_eq(outcome.text, "{\"version\":\"" API_VERSION "\"}\n|");
}

Test(takeoverctl, addresses_are_announced_on_request, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "announce");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "sip: its addresses are being announced\n|");
	cr_expect_eq(rig.agent.announces, 1);
	rig.agent.groups[0].role = "backup";
	RUN(&rig, &outcome, "announce", "sip");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: This node is not primary; 'takeoverctl "
				       "status' shows who is, or why nobody is.\n");
	cr_expect_eq(rig.agent.announces, 1);
	rig_done(&rig);
}

static char *sentences[] = { (char *)"sip: alpha has been primary for 3 h 12 min.",
			     (char *)"beta could take over.", NULL };

Test(takeoverctl, sentences_about_a_group_are_lines, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.sentences = sentences;
	RUN(&rig, &outcome, "explain", "sip");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "sip: alpha has been primary for 3 h 12 min.\n"
				       "beta could take over.\n|");
	RUN(&rig, &outcome, "explain", "sit");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: there is no group \"sit\" here; did you mean "
				       "'sip'?\n");
	RUN(&rig, &outcome, "explain", "\xff");
	cr_expect_eq(outcome.code, 2);
	cr_expect_eq(rig.agent.explanations, 1);
	rig.agent.sentences = NULL;
	RUN(&rig, &outcome, "explain");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: Cannot allocate memory.\n");
	rig_done(&rig);
}

Test(takeoverctl, all_groups_are_explained_if_none_is_named, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus_with_two(&rig);
	rig.agent.sentences = sentences;
	RUN(&rig, &outcome, "explain");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "sip: alpha has been primary for 3 h 12 min.\n"
				       "beta could take over.\n\n"
				       "sip: alpha has been primary for 3 h 12 min.\n"
				       "beta could take over.\n|");
	cr_expect_eq(rig.agent.explanations, 2);
	RUN(&rig, &outcome, "explain", "--json");
	cr_expect_eq(outcome.code, 0);
	cr_expect(
		strstr(outcome.text, "{\"groups\":[{\"group\":\"sip\",\"sentences\":[\"sip: alpha"),
		"%s", outcome.text);
	cr_expect(strstr(outcome.text, "{\"group\":\"voip-1\","), "%s", outcome.text);
	rig_done(&rig);
}

Test(takeoverctl, reload_says_what_came_of_it, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "reload");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "The configuration is the same: nothing changes.\n|");
	RUN(&rig, &outcome, "--json", "reload");
	cr_expect_str_eq(outcome.text, "{\"changes\":false}\n|");
	rig.agent.refusal = "InvalidConfiguration";
	RUN(&rig, &outcome, "reload");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text,
			 "|takeoverctl: takeover.conf:3: no\ntakeover.conf:7: neither.\n");
	cr_expect_eq(rig.agent.reloads, 3);
	rig_done(&rig);
}

Test(takeoverctl, a_trace_is_shown_as_it_comes, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.trace = "config n_nodes=2\n@1 time\nend\n";
	RUN(&rig, &outcome, "trace");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "config n_nodes=2\n@1 time\nend\n|");
	rig.agent.trace = "config n_nodes=2\n@1 time\n";
	RUN(&rig, &outcome, "trace");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text,
			 "config n_nodes=2\n@1 time\n|takeoverctl: takeoverd ended before it "
			 "answered; see 'journalctl -u takeoverd', and 'takeoverctl status' for "
			 "who is primary.\n");
	rig.agent.trace = NULL;
	rig.agent.trace_err = -EBUSY;
	RUN(&rig, &outcome, "trace");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text,
			 "|takeoverctl: Somebody else reads a trace; try again in a moment.\n");
	rig.agent.trace_err = -EMFILE;
	RUN(&rig, &outcome, "trace");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: Too many open files.\n");
	rig_done(&rig);
}

Test(takeoverctl, group_that_is_like_no_other_is_refused, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus_with_two(&rig);
	RUN(&rig, &outcome, "announce", "database");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: There is no group \"database\" here; "
				       "'takeoverctl status' shows the groups.\n");
	rig_done(&rig);
}

/* Every error of the API has something to do for the operator in its sentence. */
Test(takeoverctl, errors_say_what_to_do, .timeout = 10)
{
	static const char *const errors[] = { "NotFit",	 "PeerUnreachable", "Timeout", "Busy",
					      "NotHeld", "OutcomeUnknown",  "Failed" };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		char name[64], *text = NULL;
		size_t len;
		struct ctl ctl = { .err = open_memstream(&text, &len) };

		(void)snprintf(name, sizeof(name), API_ERROR "%s", errors[i]);
		cr_expect_eq(ctl_complain(&ctl, &SD_BUS_ERROR_MAKE_CONST(name, "It is so."), 0), 1);
		(void)fclose(ctl.err);
		cr_expect_eq(strncmp(text, "takeoverctl: It is so; ", 23), 0, "%s: %s", name, text);
		cr_expect(strstr(text, "takeoverctl status") || strstr(text, "journalctl") ||
				  strstr(text, "try again"),
			  "%s: %s", name, text);
		free(text);
	}
}

/* stdout is a disk that is full, or a pipe that nobody reads. */
static int run_on_full_disk(struct rig *rig, void *argv)
{
	if (dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), STDOUT_FILENO) < 0)
		return 9;
	return run_ctl(rig, argv);
}

static int run_without_reader(struct rig *rig, void *argv)
{
	int fds[2];

	(void)signal(SIGPIPE, SIG_IGN);
	if (pipe2(fds, O_CLOEXEC) < 0 || dup2(fds[1], STDOUT_FILENO) < 0)
		return 9;
	(void)close(fds[0]);
	return run_ctl(rig, argv);
}

Test(takeoverctl, output_that_is_lost_is_a_failure, .timeout = 10)
{
	static const char sentence[] = "|takeoverctl: the output could not be written.\n";
	static const struct {
		char *argv[4];
	} lines[] = {
		{ { (char *)"status" } },
		{ { (char *)"status", (char *)"--json" } },
		{ { (char *)"switchover" } },
		{ { (char *)"switchover", (char *)"--json" } },
		{ { (char *)"help" } },
		{ { (char *)"monitor" } },
		{ { (char *)"monitor", (char *)"--json" } },
	};
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.groups[0].primary = ""; /* status would end with 3 */
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		run_child(&rig, run_on_full_disk, (void *)lines[i].argv, &outcome);
		cr_expect_eq(outcome.code, 1, "%s", lines[i].argv[0]);
		cr_expect_str_eq(outcome.text, sentence, "%s", lines[i].argv[0]);
		run_child(&rig, run_without_reader, (void *)lines[i].argv, &outcome);
		cr_expect_eq(outcome.code, 1, "%s", lines[i].argv[0]);
		cr_expect_str_eq(outcome.text, sentence, "%s", lines[i].argv[0]);
	}
	rig_done(&rig);
}

/* Answers a switchover only when it has been asked whether anybody is there. */
static int answer_after_ping(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct rig *rig = userdata;

	(void)error;
	if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Peer", "Ping"))
		(void)api_reply_ok(rig->api, rig->agent.request, "beta", 6000000);
	return 0;
}

Test(takeoverctl, switchover_may_take_longer_than_other_calls, .timeout = 30)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.answer_at_once = NULL;
	MUST(sd_bus_add_filter(rig.server, NULL, answer_after_ping, &rig));
	RUN(&rig, &outcome, "switchover");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "sip: beta is primary (took 6000.0 ms)\n|");
	rig_done(&rig);
}

/* An agent whose loop does not turn: neither that nor a ping is answered. */
static int swallow(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)userdata, (void)error;
	return sd_bus_message_is_method_call(m, NULL, NULL);
}

Test(takeoverctl, agent_that_hangs_is_not_waited_for, .timeout = 60)
{
	static char *const verbs[] = { "status", "switchover" };
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	MUST(sd_bus_add_filter(rig.server, NULL, swallow, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		RUN(&rig, &outcome, verbs[i]);
		cr_expect_eq(outcome.code, 1);
		cr_expect_str_eq(outcome.text,
				 "|takeoverctl: takeoverd runs but does not answer; see 'systemctl "
				 "status takeoverd' (what was asked of it may still be done).\n");
	}
	rig_done(&rig);
}

/* The agent ends while a caller waits. */
static int on_ask(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct rig *rig = userdata;

	(void)error;
	if (sd_bus_message_is_method_call(m, API_GROUP, "Switchover"))
		/* not closed only: the caller was forked with a copy of the descriptor */
		(void)shutdown(sd_bus_get_fd(rig->server), SHUT_RDWR);
	return 0;
}

Test(takeoverctl, agent_that_ends_is_not_waited_for, .timeout = 10)
{
	char *argv[] = { (char *)"switchover", (char *)"sip", NULL };
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	MUST(sd_bus_add_filter(rig.server, NULL, on_ask, &rig));
	run_child(&rig, run_ctl, argv, &outcome);
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: takeoverd ended before it answered; see "
				       "'journalctl -u takeoverd', and 'takeoverctl status' for "
				       "who is primary.\n");
	rig_done(&rig);
}

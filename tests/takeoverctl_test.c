/* SPDX-License-Identifier: MIT */

#include "sdbus/ctl.h"
#include "tests/bus_rig.h"

/* The fake agent's world as `status` prints it 10 s after boot. */
static const char status_text[] =
	"NODE   STATE\n"
	"alpha  this node, takeoverd 0.1.0, heartbeat 50 ms, dead time 500 ms, lease 350 ms "
	"(312 ms left)\n"
	"beta   up\n"
	"\n"
	"GROUP  PRIMARY  HERE     TERM    SINCE         REASON\n"
	"sip    alpha    primary  7       9 s           switchover\n"
	"       10.10.11.103/24 eth0\n"
	"       2001:db8:11::103/64 eth0\n"
	"       alias, hot, seamless\n"
	"\n"
	"PATH  HERE          THERE         RTT        BEST         LOSS    HEARD\n"
	"beta  10.10.11.101  10.10.11.102  0.31 ms    0.22 ms      1.00 %  23 ms ago\n"
	"beta  10.20.0.101   10.20.0.102   -          -            0.00 %  never\n";

static const instant then = { 10 * USEC_PER_SEC };

/* To be freed. */
static char *print(const struct fake *agent, bool colour)
{
	struct api_group groups[RIG_GROUPS_MAX];
	struct api_peer peer = agent->peers[0];
	const struct ctl_model model = {
		.manager = agent->manager,
		.groups = groups,
		.n_groups = 1,
		.peers = &peer,
		.n_peers = 1,
	};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	memcpy(groups, agent->groups, sizeof(groups));
	ctl_print_model(out, &model, then, colour);
	(void)fclose(out);
	return text;
}

Test(takeoverctl, status_is_aligned_and_plain)
{
	struct fake agent;
	char *text;

	fake_init(&agent);
	text = print(&agent, false);
	cr_expect_str_eq(text, status_text);
	free(text);
}

Test(takeoverctl, status_says_what_is_wrong)
{
	struct fake agent;
	char *text;

	fake_init(&agent);
	agent.groups[0].state = "fault";
	agent.groups[0].primary = "";
	agent.groups[0].fit = false;
	agent.unfit[0] = (char *)"link";
	agent.unfit[1] = (char *)"check";
	agent.peers[0].state = "no-agent";
	agent.manager.refused = 12;
	text = print(&agent, false);
	cr_expect(strstr(text, "sip    nobody   fault  7"), "%s", text);
	cr_expect(strstr(text, "\n       unfit here: link, check\n"), "%s", text);
	cr_expect(strstr(text, "beta   its host answers, its takeoverd does not run\n"), "%s",
		  text);
	cr_expect(strstr(text, "\nrefused packets: 12; packets of strangers: 0\n"), "%s", text);
	cr_expect_not(strchr(text, '\033'));
	free(text);
	text = print(&agent, true);
	cr_expect(strstr(text, "\033[31mfault\033[0m"), "%s", text);
	cr_expect(strstr(text, "\033[31mnobody \033[0m"), "%s", text);
	free(text);
}

Test(takeoverctl, differing_configurations_are_shown)
{
	struct fake agent;
	char *text;

	fake_init(&agent);
	agent.peers[0].same_configuration = false;
	text = print(&agent, false);
	cr_expect(strstr(text, "beta   up, its configuration differs\n"), "%s", text);
	free(text);
}

Test(takeoverctl, of_thousands_of_addresses_a_few_are_shown)
{
	char *many[5001];
	struct fake agent;
	int shown = 0;
	char *text;

	fake_init(&agent);
	for (size_t i = 0; i < 5000; i++)
		many[i] = (char *)"10.10.11.103/32 eth0";
	many[5000] = NULL;
	agent.groups[0].virtual_addresses = many;
	text = print(&agent, false);
	cr_expect(strstr(text, "\n       and 4992 more\n"), "%s", text);
	for (const char *at = text; (at = strstr(at, "10.10.11.103/32")); at++)
		shown++;
	cr_expect_eq(shown, 8);
	free(text);
}

Test(takeoverctl, durations_have_the_digits_that_count)
{
	static const struct {
		uint64_t us;
		const char *text;
	} spans[] = {
		{ 40, "0.04 ms" },
		{ 21440, "21.4 ms" },
		{ 999400, "999 ms" },
		{ 999600, "1 s" },
		{ 59000000, "59 s" },
		{ 61000000, "1 min 1 s" },
		{ 11520000000, "3 h 12 min" },
		{ 180000000000, "2 d 2 h" },
	};
	struct fake agent;

	fake_init(&agent);
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		char expected[64], *text;

		agent.groups[0].last_switchover_us = spans[i].us;
		text = print(&agent, false);
		(void)snprintf(expected, sizeof(expected), "last switchover took %s\n",
			       spans[i].text);
		cr_expect(strstr(text, expected), "%s: %s", expected, text);
		free(text);
	}
}

static int run_ctl(struct rig *rig, void *argv)
{
	struct ctl ctl = { .out = stdout, .err = stderr };
	char **arguments = argv;
	int argc = 0;
	int r;

	(void)rig;
	while (arguments[argc])
		argc++;
	r = ctl_run(&ctl, argc, arguments);
	sd_bus_flush_close_unref(ctl.bus);
	return r;
}

#define RUN(rig, outcome, ...) run_child(rig, run_ctl, (char *[]){ __VA_ARGS__, NULL }, outcome)

static void start_bus(struct rig *rig)
{
	rig_init(rig);
	rig->agent.answer_at_once = "beta";
	rig_open_bus(rig);
	rig_start(rig);
}

Test(takeoverctl, status_shows_what_the_agent_says, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;
	const char *end = strstr(status_text, "  TERM"), *at;

	rig_init(&rig);
	rig.ops.n_groups = 2;
	rig.agent.groups[0].name = "voip";
	rig.agent.groups[0].last_switchover_us = 21400;
	rig_open_bus(&rig);
	rig_start(&rig);
	RUN(&rig, &outcome, "status");
	cr_expect_eq(outcome.code, 0);
	cr_expect_eq(strncmp(outcome.text, status_text, (size_t)(end - status_text)), 0, "%s",
		     outcome.text);
	at = strstr(outcome.text, "\nsip    alpha    primary  7 ");
	cr_expect(at && strstr(at, "\nvoip   alpha    primary  7 "), "not sorted: %s",
		  outcome.text);
	cr_expect(strstr(outcome.text,
			 "\n       10.10.11.103/24 eth0\n"
			 "       2001:db8:11::103/64 eth0\n"
			 "       alias, hot, seamless; the last switchover took 21.4 ms\n"),
		  "%s", outcome.text);
	cr_expect(strstr(outcome.text,
			 "\nbeta  10.10.11.101  10.10.11.102  0.31 ms    0.22 ms      1.00 %  "),
		  "%s", outcome.text);
	rig_done(&rig);
}

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

	rig_init(&rig);
	rig.agent.answer_at_once = "beta";
	rig.agent.groups[0].name = "voip-1";
	rig.ops.n_groups = 2;
	rig_open_bus(&rig);
	rig_start(&rig);
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
	cr_expect_str_eq(outcome.text, "|takeoverctl: There is no group \"sipp\" here; "
				       "'takeoverctl status' names the groups.\n");
	rig_done(&rig);
}

static int run_ctl_as_nobody(struct rig *rig, void *argv)
{
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 9;
	return run_ctl(rig, argv);
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

Test(takeoverctl, option_that_does_not_exist_is_called_one, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	RUN(&rig, &outcome, "--json", "status");
	cr_expect_eq(outcome.code, 2);
	cr_expect_str_eq(outcome.text, "|takeoverctl: \"--json\" is not an option; "
				       "'takeoverctl help' shows what there is.\n");
}

Test(takeoverctl, help_names_every_verb_and_no_verb_is_an_error, .timeout = 10)
{
	static const char *const names[] = { "status", "switchover", "maintenance", "version",
					     "help" };
	struct outcome help, nothing;
	struct rig rig;

	rig_init(&rig);
	RUN(&rig, &help, "help");
	cr_expect_eq(help.code, 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char line[32];

		(void)snprintf(line, sizeof(line), "\n  %s ", names[i]);
		cr_expect(strstr(help.text, line), "%s", names[i]);
	}
	run_child(&rig, run_ctl, (char *[]){ NULL }, &nothing);
	cr_expect_eq(nothing.code, 2);
	cr_expect_eq(strncmp(nothing.text, "|usage: takeoverctl VERB", 24), 0);
}

Test(takeoverctl, version_is_shown, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	RUN(&rig, &outcome, "--version");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "takeoverctl " API_VERSION "\n|");
}

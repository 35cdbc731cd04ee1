/* SPDX-License-Identifier: MIT */

#include "tests/ctl_rig.h"

/* The fake agent's world as `status` prints it 10 s after boot. */
static const char status_text[] =
	"  sip: alpha is primary; beta can take over\n"
	"      alpha  primary  this node, for 9 s (switchover)\n"
	"      beta   backup\n"
	"      10.10.11.103/24 eth0\n"
	"      2001:db8:11::103/64 eth0\n"
	"      alias, hot, seamless; term 7\n"
	"\n"
	"  NODE   STATE\n"
	"  alpha  this node, takeoverd 0.1.0, 312 ms of 350 ms lease left\n"
	"  beta   up\n"
	"\n"
	"  PATH  HERE          THERE             RTT     BEST    LOSS  HEARD\n"
	"  beta  10.10.11.101  10.10.11.102  0.31 ms  0.22 ms  1.00 %  23 ms ago\n"
	"! beta  10.20.0.101   10.20.0.102         -        -       -  never\n"
	"  heartbeat 50 ms, dead time 500 ms\n";

static const instant then = { 10 * USEC_PER_SEC };

/* @n_groups of the agent's; to be freed. */
static char *print_groups(const struct fake *agent, size_t n_groups, bool colour)
{
	struct api_group groups[RIG_GROUPS_MAX];
	struct api_peer peer = agent->peers[0];
	const struct ctl_model model = {
		.manager = agent->manager,
		.groups = groups,
		.n_groups = n_groups,
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

static char *print(const struct fake *agent, bool colour)
{
	return print_groups(agent, 1, colour);
}

/* Whether these lines are printed, in this order, one after another. */
static void expect(const struct fake *agent, const char *lines)
{
	char *text = print(agent, false);

	cr_expect(strstr(text, lines), "no\n%s in\n%s", lines, text);
	cr_expect_not(strchr(text, '\033'));
	free(text);
}

Test(takeoverctl_status, page_is_aligned_and_plain)
{
	struct fake agent;
	char *text;

	fake_init(&agent);
	text = print(&agent, false);
	cr_expect_str_eq(text, status_text);
	free(text);
}

Test(takeoverctl_status, group_that_nobody_holds_says_why)
{
	struct fake agent;

	fake_init(&agent);
	agent.groups[0].state = "fault";
	agent.groups[0].primary = "";
	agent.groups[0].reason = "unfit";
	agent.groups[0].fit = false;
	agent.nodes[0].state = "fault";
	agent.nodes[1].state = "no-agent";
	agent.unfit[0] = (char *)"link";
	agent.unfit[1] = (char *)"check";
	agent.peers[0].state = "no-agent";
	agent.manager.refused = 12;
	expect(&agent,
	       "! sip: nobody is primary: alpha is unfit: link, check; takeoverd does not run on "
	       "beta\n"
	       "!     alpha  fault     unfit: link, check  this node, for 9 s (unfit)\n"
	       "!     beta   no-agent\n");
	expect(&agent, "\n! beta   its host answers, its takeoverd does not run; last heard 23 ms "
		       "ago\n");
	expect(&agent, "\n  heartbeat 50 ms, dead time 500 ms; refused packets: 12, packets of "
		       "strangers: 0\n");
}

Test(takeoverctl_status, group_that_nobody_could_take_over_says_why)
{
	static const struct {
		const char *state, *unfit, *lines;
	} peers[] = {
		{ "fault", "link",
		  "! sip: alpha is primary; nobody can take over: beta is unfit: link\n" },
		{ "silent", NULL,
		  "! sip: alpha is primary; nobody can take over: beta is silent\n" },
		{ "deaf", NULL,
		  "! sip: alpha is primary; nobody can take over: beta does not hear this node\n" },
		{ "unknown", NULL,
		  "! sip: alpha is primary; nobody can take over: beta has not been heard yet\n" },
		{ "absent", NULL,
		  "! sip: alpha is primary; nobody can take over: beta does not have this "
		  "group\n" },
		{ "maintenance", "maintenance",
		  "! sip: alpha is primary; nobody can take over: beta is in maintenance\n" },
		{ "primary", NULL,
		  "! sip: alpha is primary; nobody can take over: beta is primary\n" },
		{ "backup", "starting",
		  "! sip: alpha is primary; nobody can take over: beta is unfit: starting\n" },
		/* keeps it from a switchover only */
		{ "backup", "not-synchronized", "  sip: alpha is primary; beta can take over\n" },
	};
	struct fake agent;

	fake_init(&agent);
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		agent.nodes[1].state = peers[i].state;
		agent.unfit_there[0] = (char *)peers[i].unfit;
		expect(&agent, peers[i].lines);
	}
	agent.groups[0].nodes.n = 1;
	expect(&agent, "! sip: alpha is primary; nobody can take over: there is no other node\n");
}

Test(takeoverctl_status, colours_only_repeat_what_the_words_say)
{
	struct fake agent;
	char *text;

	fake_init(&agent);
	agent.nodes[1].state = "silent";
	agent.peers[0].state = "silent";
	text = print(&agent, true);
	cr_expect(strstr(text, "\033[31m!\033[0m \033[1msip\033[0m: \033[33malpha is primary; "
			       "nobody can take over: beta is silent\033[0m\n"),
		  "%s", text);
	cr_expect(strstr(text, "\033[31msilent\033[0m\n"), "%s", text);
	/* without the sequences it is the plain page */
	for (char *from = text, *to = text;; from++) {
		if (*from == '\033')
			from = strchr(from, 'm') + 1;
		while (*from == '\033')
			from = strchr(from, 'm') + 1;
		*to++ = *from;
		if (!*from)
			break;
	}
	expect(&agent, text);
	free(text);
}

Test(takeoverctl_status, peer_that_does_not_hear_this_node_is_said_to_be_deaf)
{
	struct fake agent;

	fake_init(&agent);
	agent.nodes[1].state = "deaf";
	agent.peers[0].state = "deaf";
	agent.paths[0].heard_us = agent.paths[1].heard_us = 0;
	expect(&agent, "\n!     beta   deaf\n");
	expect(&agent, "\n! beta   sends to this node but does not hear it: a firewall?\n");
}

Test(takeoverctl_status, differing_configurations_are_shown)
{
	struct fake agent;

	fake_init(&agent);
	agent.peers[0].same_configuration = false;
	expect(&agent, "! beta   up, its configuration differs\n");
}

Test(takeoverctl_status, path_that_fell_silent_is_marked)
{
	struct fake agent;

	fake_init(&agent);
	agent.paths[0].heard_us = 9500000;
	expect(&agent,
	       "\n  beta  10.10.11.101  10.10.11.102  0.31 ms  0.22 ms  1.00 %  500 ms ago\n");
	agent.paths[0].heard_us = 9499999;
	expect(&agent,
	       "\n! beta  10.10.11.101  10.10.11.102  0.31 ms  0.22 ms  1.00 %  500 ms ago\n");
}

Test(takeoverctl_status, several_groups_are_summed_up_at_the_end)
{
	struct fake agent;
	char *text;

	fake_init(&agent);
	agent.groups[1].primary = "";
	text = print_groups(&agent, 3, false);
	cr_expect(strstr(text, "\n! 3 groups: 1 without a primary, 2 safe\n"), "%s", text);
	free(text);
	agent.nodes[1].state = "fault";
	text = print_groups(&agent, 3, false);
	cr_expect(strstr(text, "\n! 3 groups: 1 without a primary, 2 that nobody could take over, "
			       "0 safe\n"),
		  "%s", text);
	free(text);
}

Test(takeoverctl_status, of_thousands_of_addresses_a_few_are_shown)
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
	cr_expect(strstr(text, "\n      and 4992 more\n"), "%s", text);
	for (const char *at = text; (at = strstr(at, "10.10.11.103/32")); at++)
		shown++;
	cr_expect_eq(shown, 8);
	free(text);
}

Test(takeoverctl_status, durations_have_the_digits_that_count)
{
	static const struct {
		uint64_t us;
		const char *text;
	} spans[] = {
		{ 40, "0.04 ms" },
		{ 21440, "21.4 ms" },
		{ 999400, "999 ms" },
		{ 999600, "1 s" },
		{ 1500000, "1.5 s" },
		{ 9940000, "9.9 s" },
		{ 9960000, "10 s" },
		{ 10900000, "10 s" },
		{ 59000000, "59 s" },
		{ 61000000, "1 min 1 s" },
		{ 11520000000, "3 h 12 min" },
		{ 180000000000, "2 d 2 h" },
	};
	struct fake agent;

	fake_init(&agent);
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		char expected[64];

		agent.groups[0].last_switchover_us = spans[i].us;
		(void)snprintf(expected, sizeof(expected), "last switchover took %s\n",
			       spans[i].text);
		expect(&agent, expected);
	}
}

/* Whose MAC it is can be read only one way. */
Test(takeoverctl_status, interfaces_of_a_group_are_shown_with_their_mac)
{
	char sub[] = "vip0 eth0 02:00:5e:00:01:0a", *subs[] = { sub, NULL };
	struct fake agent;

	fake_init(&agent);
	agent.groups[0].sub_interfaces = subs;
	expect(&agent, "      2001:db8:11::103/64 eth0\n"
		       "      vip0 has MAC 02:00:5e:00:01:0a, on eth0\n"
		       "      alias, hot, seamless; term 7\n");
}

Test(takeoverctl_status, checks_are_shown_with_result_time_and_streak)
{
	struct api_check checks[] = { { "tcp:self:80", "unknown", "", 0, 0 },
				      { "tcp:self:5060", "failed", "Connection refused", 0, 7 } };
	struct fake agent;

	fake_init(&agent);
	checks[1].ended_us = then.us - 300 * USEC_PER_MSEC;
	agent.groups[0].checks = (struct api_checks){ checks, ARRAY_SIZE(checks) };
	expect(&agent,
	       "      check tcp:self:80 here: unknown\n"
	       "!     check tcp:self:5060 here: failed; Connection refused, 7 in a row, the "
	       "last 300 ms ago\n");
}

Test(takeoverctl_status, what_the_agent_says_is_shown_by_name, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;
	const char *sip, *voip;

	rig_init(&rig);
	rig.ops.n_groups = 2;
	rig.agent.groups[0].name = "voip";
	rig.agent.groups[0].last_switchover_us = 21400;
	rig_open_bus(&rig);
	rig_start(&rig);
	RUN(&rig, &outcome, "status");
	cr_expect_eq(outcome.code, 0);
	sip = strstr(outcome.text, "  sip: alpha is primary; beta can take over\n");
	voip = strstr(outcome.text, "\n  voip: alpha is primary; beta can take over\n");
	cr_expect(sip && voip && sip < voip, "not sorted: %s", outcome.text);
	cr_expect(strstr(outcome.text,
			 "\n      10.10.11.103/24 eth0\n"
			 "      2001:db8:11::103/64 eth0\n"
			 "      alias, hot, seamless; term 7; the last switchover took 21.4 ms\n"),
		  "%s", outcome.text);
	cr_expect(strstr(outcome.text,
			 " beta  10.10.11.101  10.10.11.102  0.31 ms  0.22 ms  1.00 %  "),
		  "%s", outcome.text);
	rig_done(&rig);
}

Test(takeoverctl_status, exit_status_tells_of_a_group_without_primary, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.groups[0].primary = "";
	RUN(&rig, &outcome, "status");
	cr_expect_eq(outcome.code, 3);
	RUN(&rig, &outcome, "status", "--json");
	cr_expect_eq(outcome.code, 3);
	rig_done(&rig);
}

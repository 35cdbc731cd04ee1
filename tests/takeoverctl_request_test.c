/* SPDX-License-Identifier: MIT */

/* takeoverctl: a switchover with options, and a command that keeps the node out. */

#include "tests/ctl_rig.h"

Test(takeoverctl_request, options_of_a_switchover_reach_the_agent, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "switchover", "--to=beta", "-s", "-f", "-t", "1500ms");
	cr_expect_str_eq(outcome.text, "sip: beta is primary (took 21.4 ms)\n|");
	cr_expect_str_eq(rig.agent.to, "beta");
	cr_expect(rig.agent.how.strict);
	cr_expect(rig.agent.how.force);
	cr_expect_eq(rig.agent.how.within_us, 1500000);
	RUN(&rig, &outcome, "switchover", "sip", "--strict");
	cr_expect_str_eq(rig.agent.to, "");
	cr_expect_not(rig.agent.how.force);
	cr_expect_eq(rig.agent.how.within_us, 0);
	rig_done(&rig);
}

/* Who says where a group is to be has what he wants if it is there. */
Test(takeoverctl_request, node_that_is_primary_already_is_no_failure, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.refusal = "AlreadyPrimary";
	RUN(&rig, &outcome, "switchover", "--to", "alpha");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "sip: alpha is primary already\n|");
	rig.agent.refusal = "NoSuchNode";
	RUN(&rig, &outcome, "switchover", "--to", "gamma");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: There is no such node here; 'takeoverctl "
				       "status' shows the nodes.\n");
	RUN(&rig, &outcome, "switchover", "--to", "a b");
	cr_expect_eq(outcome.code, 2);
	cr_expect_str_eq(outcome.text, "|takeoverctl: \"a b\" cannot be the name of a node; "
				       "'takeoverctl status' shows the nodes.\n");
	rig_done(&rig);
}

Test(takeoverctl_request, command_keeps_the_node_out_while_it_runs, .timeout = 10)
{
	struct pollfd end = { 0 };
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "inhibit", "sip", "sh", "-c", "echo at work; exit 3");
	cr_expect_eq(outcome.code, 3);
	cr_expect_str_eq(outcome.text, "at work\n|");
	cr_expect_str_eq(rig.agent.who, "sh");
	cr_expect_str_eq(rig.agent.why, "sh -c echo at work; exit 3");
	end.fd = rig.agent.inhibitor;
	cr_expect_eq(poll(&end, 1, 0), 1, "and not for longer");

	RUN(&rig, &outcome, "--why", "a repair", "inhibit", "sip", "--", "true", "--json");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(rig.agent.why, "a repair");
	RUN(&rig, &outcome, "inhibit", "sip", "sh", "-c", "kill -9 $$");
	cr_expect_eq(outcome.code, 128 + 9);
	RUN(&rig, &outcome, "inhibit", "sip", "/no/such/program\n");
	cr_expect_eq(outcome.code, 127);
	cr_expect_str_eq(rig.agent.who, "/no/such/program?");
	rig_done(&rig);
}

/* The descriptor is not handed on: what the command leaves running does not keep it open. */
Test(takeoverctl_request, command_does_not_have_the_descriptor, .timeout = 10)
{
	struct outcome outcome;
	struct pollfd end = { 0 };
	struct rig rig;
	int pid = 0;

	start_bus(&rig);
	RUN(&rig, &outcome, "inhibit", "sip", "sh", "-c", "sleep 60 >&- 2>&- & echo $!");
	cr_assert_eq(sscanf(outcome.text, "%d", &pid), 1);
	end.fd = rig.agent.inhibitor;
	cr_expect_eq(poll(&end, 1, 0), 1);
	cr_expect_eq(kill(pid, SIGKILL), 0);
	rig_done(&rig);
}

Test(takeoverctl_request, command_is_not_run_without_the_inhibition, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.refusal = "NotFit";
	RUN(&rig, &outcome, "inhibit", "sip", "echo", "run");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: No other node is fit to take over; "
				       "'takeoverctl status' shows why.\n");
	RUN(&rig, &outcome, "inhibit", "sip");
	cr_expect_eq(outcome.code, 2);
	cr_expect_str_eq(outcome.text, "|takeoverctl: inhibit needs a group and a command.\n");
	rig_done(&rig);
}

/* An upgrade of takeoverd itself is what people do meanwhile. */
Test(takeoverctl_request, inhibition_that_is_lost_is_asked_for_again, .timeout = 20)
{
	char dir[TEMP_MAX], fifo[TEMP_MAX + 8];
	struct outcome outcome;
	struct rig rig;

	cr_assert(mkdtemp(temp_template(dir, "go")));
	(void)snprintf(fifo, sizeof(fifo), "%s/go", dir);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	start_bus(&rig);
	rig.agent.go = fifo;
	RUN(&rig, &outcome, "inhibit", "sip", "cat", fifo);
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text,
			 "go\n|takeoverctl: takeoverd has ended: nothing keeps this node out of "
			 "sip; trying again.\n"
			 "takeoverctl: this node is kept out of sip again.\n");
	cr_expect_eq(rig.agent.inhibits, 2);
	(void)unlink(fifo);
	(void)rmdir(dir);
	rig_done(&rig);
}

/* On a terminal somebody can be asked for a password: polkit's agent runs meanwhile. */
Test(takeoverctl_request, who_is_not_root_may_be_asked_for_a_password, .timeout = 10)
{
	char *const ask[] = { (char *)"switchover", NULL };
	char *const status[] = { (char *)"status", NULL };
	struct program program;
	struct outcome outcome;
	char called[256];
	int pid, notify;
	struct rig rig;

	program_make(&program, "pkttyagent", "eval \"exec $2>&-\"\nexec sleep 60 >&- 2>&-");
	start_bus(&rig);
	run_child(&rig, run_ctl_as_nobody, (void *)ask, &outcome);
	rig.terminal = true;
	run_child(&rig, run_ctl_as_nobody, (void *)status, &outcome);
	run_child(&rig, run_ctl, (void *)ask, &outcome);
	cr_expect_eq(access(program.called, F_OK), -1, "nobody had to be asked yet");

	run_child(&rig, run_ctl_as_nobody, (void *)ask, &outcome);
	program_called(&program, called);
	cr_assert_eq(sscanf(called, "%d --notify-fd %d --fallback", &pid, &notify), 2);
	cr_expect(kill(pid, 0) < 0 && errno == ESRCH, "it ends with takeoverctl");
	program_remove(&program);
	rig_done(&rig);
}

Test(takeoverctl_request, status_shows_who_keeps_the_node_out, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.inhibitors[0] = (struct api_inhibitor){ "apt", "an upgrade", 1000 };
	rig.agent.groups[0].inhibitors = (struct api_inhibitors){ rig.agent.inhibitors, 1 };
	RUN(&rig, &outcome, "status");
	cr_expect(strstr(outcome.text, "!     inhibited here by apt: an upgrade (user 1000)\n"),
		  "%s", outcome.text);
	rig_done(&rig);
}

Test(takeoverctl_request, reload_waits_for_the_agent_and_nobody_else, .timeout = 20)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.changes = true;
	rig.agent.visits = rig.address;
	RUN(&rig, &outcome, "reload");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: takeoverd has not come back with the other "
				       "configuration; see 'journalctl -u takeoverd'.\n");
	sd_bus_close_unref(rig.agent.visitor);
	rig_done(&rig);
}

Test(takeoverctl_request, what_came_of_a_test_is_shown, .timeout = 20)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.reactions[0] = (struct api_reaction){ "page", "done", "" };
	rig.agent.reactions[1] = (struct api_reaction){ "tell", "failed", "there is no such unit" };
	rig.agent.n_reactions = 1;
	RUN(&rig, &outcome, "test-event", "00-04563");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "sip: page: done\n|");
	cr_expect_str_eq(rig.agent.event, "00-04563");
	rig.agent.n_reactions = 2;
	RUN(&rig, &outcome, "test-event", "00-04561", "sip");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text,
			 "sip: page: done\nsip: tell: failed: there is no such unit\n|");
	RUN(&rig, &outcome, "test-event", "00-04561", "--json");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text,
			 "{\"group\":\"sip\",\"reactions\":[{\"reaction\":\"page\",\"result\":"
			 "\"done\",\"text\":\"\"},{\"reaction\":\"tell\",\"result\":\"failed\","
			 "\"text\":\"there is no such unit\"}]}\n|");
	rig_done(&rig);
}

Test(takeoverctl_request, a_test_of_what_nobody_reacts_to_is_refused, .timeout = 20)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "test-event");
	cr_expect_eq(outcome.code, 2);
	cr_expect_str_eq(outcome.text, "|takeoverctl: test-event needs the id of an event.\n");
	rig.agent.refusal = "NoReaction";
	RUN(&rig, &outcome, "test-event", "01-00120");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(
		outcome.text,
		"|takeoverctl: No reaction here is for that event of this node; see "
		"[Reaction] in 'man takeover.conf', and 'systemctl reload takeoverd' after "
		"a change.\n");
	rig_done(&rig);
}

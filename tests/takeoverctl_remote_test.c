/* SPDX-License-Identifier: MIT */

/* takeoverctl that waits, and that asks elsewhere: over an ssh that is played by the test. */

#include "tests/ctl_rig.h"

/* @does: what ssh does; $BUS is the agent's bus */
static void make_ssh(struct program *ssh, struct rig *rig, const char *does)
{
	program_make(ssh, "ssh", does);
	cr_assert_eq(setenv("BUS", rig->address, 1), 0);
	strcpy(rig->address, "unix:path=/nonexistent/bus"); /* of this host */
}

#define BRIDGE "exec systemd-stdio-bridge --bus-path=\"$BUS\""

/* Its times are of another clock: how long ago something was is told by that one. */
Test(takeoverctl_remote, agent_of_another_host_is_asked_over_ssh, .timeout = 20)
{
	struct outcome outcome;
	struct program ssh;
	char called[256];
	struct rig rig;

	start_bus(&rig);
	rig.agent.groups[0].role_since_us = 1000 * 3600 * USEC_PER_SEC;
	rig.agent.manager.now_us = 1003 * 3600 * USEC_PER_SEC;
	make_ssh(&ssh, &rig, BRIDGE);
	RUN(&rig, &outcome, "-H", "ann@there", "status");
	cr_expect_eq(outcome.code, 0, "%s", outcome.text);
	cr_expect(strstr(outcome.text, "this node, for 3 h 0 min"), "%s", outcome.text);
	program_called(&ssh, called);
	cr_expect(strstr(called, "ann@there"), "%s", called);
	cr_expect(strstr(called, "systemd-stdio-bridge"), "%s", called);

	RUN(&rig, &outcome, "--host=there", "switchover", "sip");
	cr_expect_str_eq(outcome.text, "sip: beta is primary (took 21.4 ms)\n|");
	rig.api = api_free(rig.api);
	RUN(&rig, &outcome, "--host=there", "announce", "sip");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text, "|takeoverctl: takeoverd does not run on there; start it "
				       "there with 'systemctl start takeoverd'.\n");
	program_remove(&ssh);
	rig_done(&rig);
}

Test(takeoverctl_remote, host_that_cannot_be_reached_is_one_sentence, .timeout = 10)
{
	struct outcome outcome;
	struct program ssh;
	struct rig rig;

	rig_init(&rig);
	make_ssh(&ssh, &rig, "exit 255");
	RUN(&rig, &outcome, "-H", "nowhere", "status");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text,
			 "|takeoverctl: cannot reach the system bus of nowhere; see whether "
			 "'ssh nowhere systemd-stdio-bridge' works.\n");
	program_remove(&ssh);
}

Test(takeoverctl_remote, what_cannot_be_the_name_of_a_place_is_refused_here, .timeout = 10)
{
	static char *const names[] = { "", "-oProxyCommand=true", "a host", "host\n" };
	struct outcome outcome;
	char wanted[128];
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		RUN(&rig, &outcome, "-H", names[i], "status");
		cr_expect_eq(outcome.code, 2);
		(void)snprintf(wanted, sizeof(wanted),
			       "|takeoverctl: --host needs the name of a host, not \"%s\".\n",
			       names[i]);
		cr_expect_str_eq(outcome.text, wanted);
		RUN(&rig, &outcome, "-M", names[i], "status");
		cr_expect_eq(outcome.code, 2);
		(void)snprintf(
			wanted, sizeof(wanted),
			"|takeoverctl: --machine needs the name of a container, not \"%s\".\n",
			names[i]);
		cr_expect_str_eq(outcome.text, wanted);
	}
}

Test(takeoverctl_remote, container_that_is_not_there_is_one_sentence, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	strcpy(rig.address, "unix:path=/nonexistent/bus");
	RUN(&rig, &outcome, "-M", "no-such-container", "status");
	cr_expect_eq(outcome.code, 1);
	cr_expect(strstr(outcome.text, "cannot reach the system bus of no-such-container: "), "%s",
		  outcome.text);
}

Test(takeoverctl_remote, role_that_is_there_need_not_be_waited_for, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "wait", "primary");
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "sip: this node is primary\n|");
	RUN(&rig, &outcome, "wait", "sip", "primary", "--timeout=1min");
	cr_expect_str_eq(outcome.text, "sip: this node is primary\n|");
	RUN(&rig, &outcome, "wait", "sipp", "backup");
	cr_expect_str_eq(outcome.text, "|takeoverctl: there is no group \"sipp\" here; "
				       "did you mean 'sip'?\n");
	rig_done(&rig);
}

Test(takeoverctl_remote, waiting_ends_when_the_time_is_over, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "-t20ms", "wait", "sip", "backup");
	cr_expect_eq(outcome.code, 1);
	cr_expect_str_eq(outcome.text,
			 "|takeoverctl: sip: this node is not backup after 0.02 s.\n");
	rig_done(&rig);
}

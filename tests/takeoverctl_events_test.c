/* SPDX-License-Identifier: MIT */

/* `events`: what an agent has told of, as people and programs see it. */

#include <time.h>

#include "tests/ctl_rig.h"

static const struct api_field of_sip[] = { { "Group", "sip" }, { "Node", "alpha" } };
static const struct api_field of_node[] = { { "Node", "alpha" }, { "Peer", "beta" } };

static struct api_event event_of(bool group, uint64_t number, uint64_t s)
{
	return (struct api_event){ .id = group ? "00-04563" : "01-00402",
				   .level = group ? "Standard" : "Warning",
				   .text = group ? "Hot Standby (Primary) mode activated"
						 : "beta has not been heard for its dead time",
				   .category = group ? "role" : "peer",
				   .number = number,
				   .time_us = s * USEC_PER_SEC + 1500,
				   .fields = group ? of_sip : of_node,
				   .n_fields = 2 };
}

/* Two events, of 2026-11-23 21:00 and 21:05 UTC. */
static void start(struct rig *rig)
{
	cr_assert_eq(setenv("TZ", "UTC", 1), 0);
	start_bus(rig);
	rig->agent.events[0] = event_of(false, 7, 1795467600);
	rig->agent.events[1] = event_of(true, 9, 1795467900);
}

Test(takeoverctl_events, are_shown_with_their_time_and_what_they_are_of, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start(&rig);
	RUN(&rig, &outcome, "events");
	cr_expect_str_eq(outcome.text,
			 "Nov 23 21:00:00.001  takeoverd   01-00402 Warning: beta has not been "
			 "heard for its dead time\n"
			 "Nov 23 21:05:00.001  sip         00-04563 Standard: Hot Standby "
			 "(Primary) mode activated\n|");
	cr_expect_eq(outcome.code, 0);
	RUN(&rig, &outcome, "events", "sip");
	cr_expect_eq(strncmp(outcome.text, "Nov 23 21:05:00.001  sip ", 25), 0, "%s", outcome.text);
	RUN(&rig, &outcome, "events", "db");
	cr_expect_str_eq(outcome.text, "|");
	RUN(&rig, &outcome, "events", "s p");
	cr_expect_eq(outcome.code, 2);
	rig_done(&rig);
}

Test(takeoverctl_events, since_is_a_day_a_time_or_a_duration, .timeout = 10)
{
	static const struct {
		const char *since;
		int lines; /* -1: refused */
	} cases[] = {
		{ "2026-11-23", 2 },
		{ "2026-11-23 21:01", 1 },
		{ "2026-11-23T21:05:01", 0 },
		{ "2026-11-23 21:05:00", 1 },
		{ "10000d", 2 },
		{ "-10000d", 2 },
		{ "2026-02-30", -1 },
		{ "2026-11-23 25:00", -1 },
		{ "yesterday", -1 },
		{ "-", -1 },
		{ "", -1 },
		{ "21:00", -1 },
	};
	struct outcome outcome;
	struct rig rig;

	start(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char option[64];
		int lines = 0;

		(void)snprintf(option, sizeof(option), "--since=%s", cases[i].since);
		RUN(&rig, &outcome, "events", option);
		for (const char *c = outcome.text; *c && *c != '|'; c++)
			lines += *c == '\n';
		cr_expect_eq(outcome.code, cases[i].lines < 0 ? 2 : 0, "%s", cases[i].since);
		cr_expect_eq(lines, cases[i].lines < 0 ? 0 : cases[i].lines, "%s: %s",
			     cases[i].since, outcome.text);
	}
	RUN(&rig, &outcome, "events", "--since", "today"); /* these are of another one */
	cr_expect_eq(outcome.code, 0);
	RUN(&rig, &outcome, "status", "--follow");
	cr_expect_eq(outcome.code, 2);
	rig_done(&rig);
}

Test(takeoverctl_events, without_an_agent_it_is_said_so, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	rig_open_bus(&rig);
	RUN(&rig, &outcome, "events");
	cr_expect_eq(outcome.code, 1);
	cr_expect_not_null(strstr(outcome.text, "takeoverd does not run"), "%s", outcome.text);
	RUN(&rig, &outcome, "events", "--follow");
	cr_expect_eq(outcome.code, 1);
	rig_done(&rig);
}

/* Reads the next line that a takeoverctl prints, while the agent works. */
static void expect_line(struct rig *rig, int fd, const char *part)
{
	char line[512] = "";
	size_t n = 0;

	while (n == 0 || line[n - 1] != '\n') {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		while (poll(&p, 1, 0) == 0)
			rig_turn(rig, fd);
		cr_assert_eq(read(fd, line + n, 1), 1, "it ended after \"%s\"", line);
		cr_assert_lt(++n, sizeof(line) - 1);
	}
	cr_expect_not_null(strstr(line, part), "%s", line);
}

/* An agent, and who follows its events and has shown those that were there. */
static pid_t start_following(struct rig *rig, int *ret_fd)
{
	char *argv[] = { (char *)"events", (char *)"-F", NULL };
	int fds[2];
	pid_t pid;

	start(rig);
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)setenv("DBUS_SYSTEM_BUS_ADDRESS", rig->address, 1);
		_exit(run_ctl(rig, argv));
	}
	(void)close(fds[1]);
	*ret_fd = fds[0];
	expect_line(rig, fds[0], "01-00402");
	expect_line(rig, fds[0], "00-04563");
	return pid;
}

Test(takeoverctl_events, follow_goes_on_and_misses_nothing_in_a_restart, .timeout = 20)
{
	struct rig rig;
	pid_t pid;
	int fd;

	pid = start_following(&rig, &fd);
	rig.agent.events[2] = event_of(false, 10, 1795468000);
	MUST(api_event(rig.api, 0, &rig.agent.events[2]));
	expect_line(&rig, fd, "01-00402");
	rig.api = api_free(rig.api);
	rig.agent.events[3] = event_of(true, 11, 1795468001); /* before it was on the bus again */
	rig.agent.name_answered = false;
	rig_start(&rig);
	expect_line(&rig, fd, "00-04563");
	(void)kill(pid, SIGTERM);
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	(void)close(fd);
	rig_done(&rig);
}

/* Anybody may send what looks like an event: only what the agent answers is shown. */
Test(takeoverctl_events, follow_shows_what_the_agent_says_and_nobody_else, .timeout = 20)
{
	static const char forged[] = "forged";
	struct rig rig;
	sd_bus *stranger;
	pid_t pid;
	int fd;

	pid = start_following(&rig, &fd);
	stranger = rig_connect(&rig);
	MUST(sd_bus_emit_signal(stranger, SIP, API_GROUP, "Event", "sssa{sv}", "00-04561", "Error",
				forged, 0));
	MUST(sd_bus_flush(stranger));
	rig.agent.events[2] = event_of(false, 10, 1795468000);
	MUST(api_event(rig.api, 0, &rig.agent.events[2]));
	expect_line(&rig, fd, "01-00402");
	sd_bus_flush_close_unref(stranger);
	(void)kill(pid, SIGTERM);
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	(void)close(fd);
	rig_done(&rig);
}

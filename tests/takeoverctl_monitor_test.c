/* SPDX-License-Identifier: MIT */

/* `monitor` as people see it, line by line as it comes. */

#include "tests/ctl_rig.h"

/* A takeoverctl that goes on, and the end of the pipe it writes to. */
struct watcher {
	pid_t pid;
	int out, err;
};

static void watcher_start(struct rig *rig, struct watcher *ret)
{
	char *argv[] = { (char *)"monitor", NULL };
	int out[2], err[2];

	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(err, O_CLOEXEC), 0);
	ret->pid = fork();
	cr_assert_geq(ret->pid, 0);
	if (ret->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)dup2(err[1], STDERR_FILENO);
		(void)setenv("DBUS_SYSTEM_BUS_ADDRESS", rig->address, 1);
		_exit(run_ctl(rig, argv));
	}
	(void)close(out[1]);
	(void)close(err[1]);
	ret->out = out[0];
	ret->err = err[0];
}

/* How it ended; @complaint: all that it said on stderr. */
static int watcher_done(struct watcher *watcher, char *complaint, size_t size)
{
	ssize_t len;
	int status;

	cr_assert_eq(waitpid(watcher->pid, &status, 0), watcher->pid);
	len = read(watcher->err, complaint, size - 1);
	complaint[len > 0 ? len : 0] = '\0';
	(void)close(watcher->out);
	(void)close(watcher->err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The next line is this, behind "Nov 23 05:37:01.501  ". */
static void expect_line(struct rig *rig, struct watcher *watcher, const char *expected)
{
	enum { TIME_LEN = 21 };
	char line[512] = "";
	size_t n = 0;
	int spaces;

	while (n == 0 || line[n - 1] != '\n') {
		struct pollfd p = { .fd = watcher->out, .events = POLLIN };

		while (poll(&p, 1, 0) == 0)
			rig_turn(rig, watcher->out);
		cr_assert_eq(read(watcher->out, line + n, 1), 1, "it ended after \"%s\"", line);
		cr_assert_lt(++n, sizeof(line));
	}
	line[n - 1] = '\0';
	cr_assert_gt(n, TIME_LEN);
	cr_expect_eq(sscanf(line, "%*3c %*2d %*2d:%*2d:%*2d.%*3d%n", &spaces), 0);
	cr_expect_eq(spaces, TIME_LEN - 2, "%s", line);
	cr_expect_str_eq(line + TIME_LEN, expected);
}

static void expect_beginning(struct rig *rig, struct watcher *watcher)
{
	expect_line(rig, watcher, "takeoverd   runs");
	expect_line(rig, watcher,
		    "sip         role primary; state primary; primary alpha; "
		    "nodes alpha=primary, beta=backup");
	expect_line(rig, watcher, "beta        state up");
}

Test(takeoverctl_monitor, everything_that_is_signalled_is_a_line, .timeout = 10)
{
	struct watcher watcher;
	char complaint[256];
	struct rig rig;

	start_bus(&rig);
	watcher_start(&rig, &watcher);
	expect_beginning(&rig, &watcher);
	rig.agent.nodes[1].state = "fault";
	rig.agent.unfit_there[0] = (char *)"link";
	rig.agent.unfit_there[1] = (char *)"check";
	MUST(api_group_changed(rig.api, 0));
	expect_line(&rig, &watcher,
		    "sip         nodes alpha=primary, beta=fault (unfit: link, check)");
	rig.agent.groups[0].state = "fault";
	rig.agent.groups[0].primary = "";
	rig.agent.groups[0].fit = false;
	rig.agent.groups[0].last_switchover_us = 21400;
	rig.agent.groups[0].role_since_us = 7;
	MUST(api_group_changed(rig.api, 0));
	expect_line(&rig, &watcher,
		    "sip         state fault; primary nobody; fit no; last switchover 21.4 ms");
	MUST(api_role_changed(rig.api, 0, "backup", "unfit"));
	expect_line(&rig, &watcher, "sip         this node is backup now (unfit)");
	MUST(api_event(rig.api, 0, "TK-0010", "Warning", "unfit: link"));
	expect_line(&rig, &watcher, "sip         TK-0010 Warning: unfit: link");
	rig.agent.groups[0].role_since_us = 8; /* says nothing to people: no line at all */
	MUST(api_group_changed(rig.api, 0));
	rig.agent.peers[0].state = "silent";
	MUST(api_peer_changed(rig.api, 0));
	expect_line(&rig, &watcher, "beta        state silent");
	(void)kill(watcher.pid, SIGINT);
	cr_expect_eq(watcher_done(&watcher, complaint, sizeof(complaint)), 0);
	cr_expect_str_eq(complaint, "");
	rig_done(&rig);
}

Test(takeoverctl_monitor, restart_of_the_agent_is_outlived, .timeout = 10)
{
	struct watcher watcher;
	char complaint[256];
	struct rig rig;

	start_bus(&rig);
	watcher_start(&rig, &watcher);
	expect_beginning(&rig, &watcher);
	rig.api = api_free(rig.api);
	expect_line(&rig, &watcher, "takeoverd   does not run");
	rig.agent.name_answered = false;
	rig_start(&rig);
	expect_beginning(&rig, &watcher);
	(void)kill(watcher.pid, SIGTERM);
	cr_expect_eq(watcher_done(&watcher, complaint, sizeof(complaint)), 0);
	rig_done(&rig);
}

Test(takeoverctl_monitor, agent_may_come_later, .timeout = 10)
{
	struct watcher watcher;
	char complaint[256];
	struct rig rig;

	rig_init(&rig);
	rig_open_bus(&rig);
	watcher_start(&rig, &watcher);
	expect_line(&rig, &watcher, "takeoverd   does not run");
	rig_start(&rig);
	expect_beginning(&rig, &watcher);
	(void)kill(watcher.pid, SIGTERM);
	cr_expect_eq(watcher_done(&watcher, complaint, sizeof(complaint)), 0);
	rig_done(&rig);
}

Test(takeoverctl_monitor, end_of_the_bus_is_a_failure, .timeout = 10)
{
	struct watcher watcher;
	char complaint[256];
	struct rig rig;

	start_bus(&rig);
	watcher_start(&rig, &watcher);
	expect_beginning(&rig, &watcher);
	(void)kill(rig.daemon, SIGKILL);
	cr_expect_eq(watcher_done(&watcher, complaint, sizeof(complaint)), 1);
	cr_expect_str_eq(complaint, "takeoverctl: the bus has gone; see whether D-Bus runs, "
				    "'systemctl status dbus'.\n");
	rig_done(&rig);
}

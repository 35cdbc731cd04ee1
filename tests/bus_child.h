/* SPDX-License-Identifier: MIT */
#pragma once

/* A process of its own beside a bus that goes on: who calls it, and what he prints. */

#include "tests/bus_rig.h"

/* What a process printed (stderr after a "|"), and how it ended. */
struct outcome {
	char text[8192];
	int code;
};

static inline size_t slurp(struct rig *rig, int fd, char *to, size_t size)
{
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		while (poll(&p, 1, 0) == 0)
			rig_turn(rig, fd);
		n = read(fd, to + len, size - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	to[len] = '\0';
	(void)close(fd);
	return len;
}

/* In the process of run_child() only: there is no way back. */
static inline bool become_nobody(void)
{
	return setgid(65534) == 0 && setuid(65534) == 0;
}

/* Runs @body in a process of its own, while both ends here go on. */
static inline void run_child(struct rig *rig, int (*body)(struct rig *rig, void *arg), void *arg,
			     struct outcome *ret)
{
	int out[2], err[2], status;
	size_t len;
	pid_t pid;

	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(err, O_CLOEXEC), 0);
	(void)fflush(NULL);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)dup2(err[1], STDERR_FILENO);
		(void)setenv("DBUS_SYSTEM_BUS_ADDRESS", rig->address, 1);
		status = body(rig, arg);
		(void)fflush(stdout);
		(void)fflush(stderr);
		_exit(status);
	}
	(void)close(out[1]);
	(void)close(err[1]);
	len = slurp(rig, out[0], ret->text, sizeof(ret->text) / 2);
	ret->text[len++] = '|';
	(void)slurp(rig, err[0], ret->text + len, sizeof(ret->text) - len);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	ret->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

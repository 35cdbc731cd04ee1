/* SPDX-License-Identifier: MIT */

#include "agent/kernel/requester.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct addr addr_of(uint8_t family, uint32_t valid_s)
{
	return (struct addr){ .ip.family = family, .valid_s = valid_s };
}

static const char *name(const struct addr *addr, uint32_t port)
{
	static char buf[REQUESTER_MAX];

	requester_name(addr, port, buf);
	return buf;
}

/* Somebody else, who calls himself like this. */
static pid_t process(const char *called)
{
	char ready;
	int fds[2];
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NAME, called) < 0 || write(fds[1], "", 1) != 1)
			_exit(1);
		while (true)
			(void)pause(); /* until it is ended */
	}
	cr_assert_eq(read(fds[0], &ready, 1), 1);
	return pid;
}

static void end(pid_t pid)
{
	int status;

	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
}

Test(requester, a_name_can_do_no_harm_to_a_terminal)
{
	const struct addr addr = addr_of(4, 60);
	pid_t pid = process("a\033[2J\nb");
	char wanted[REQUESTER_MAX];

	(void)snprintf(wanted, sizeof(wanted), " by a?[2J (process %d)", pid);
	cr_assert_str_eq(name(&addr, (uint32_t)pid), wanted);
	end(pid);
}

Test(requester, a_process_is_named_while_it_lives)
{
	const struct addr addr = addr_of(4, 60);
	pid_t pid = process("sixteen-bytes-or-more");
	char wanted[REQUESTER_MAX];

	(void)snprintf(wanted, sizeof(wanted), " by sixteen-bytes-o (process %d)", pid);
	cr_assert_str_eq(name(&addr, (uint32_t)pid), wanted);
	end(pid);
	(void)snprintf(wanted, sizeof(wanted), " by process %d", pid);
	cr_assert_str_eq(name(&addr, (uint32_t)pid), wanted);
}

Test(requester, what_cannot_be_told_is_not_guessed)
{
	const struct addr four = addr_of(4, 60), six = addr_of(6, 60);

	cr_assert_str_eq(name(&four, 4294963200U),
			 " by an unknown process (netlink port 4294963200)");
	cr_assert_str_eq(name(&four, 0), " (the kernel does not tell by whom)");
	cr_assert_str_eq(name(&six, 0), " (the kernel does not tell by whom)");
}

Test(requester, the_end_of_a_lifetime_is_nobodys_doing)
{
	const struct addr four = addr_of(4, 0), six = addr_of(6, 0);

	cr_assert_str_eq(name(&four, 0), " by the kernel, at the end of its lifetime");
	cr_assert_str_eq(name(&six, 0), " by the kernel, at the end of its lifetime");
}

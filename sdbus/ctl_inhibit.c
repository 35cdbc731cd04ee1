/* SPDX-License-Identifier: MIT */

/* The verb `inhibit`: a node is kept out for as long as a command runs. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "agent/cleanup.h"
#include "sdbus/ctl.h"

enum {
	TRY_AGAIN_MS = 1000,
	TEXT_MAX = 256, /* the agent takes no more */
	NOT_FOUND = 127,
	KILLED = 128, /* and the number of the signal, as shells say it */
};

struct inhibition {
	struct ctl *ctl;
	const char *group;
	char who[TEXT_MAX + 1], why[TEXT_MAX + 1];
	int fd; /* open: it holds; -1: lost */
};

/* What is not plain text the agent does not take, and so the bus. */
static void append(char to[static TEXT_MAX + 1], const char *text)
{
	size_t len = strlen(to);

	for (; *text && len < TEXT_MAX; text++)
		to[len++] = *text >= ' ' && *text <= '~' ? *text : '?';
	to[len] = '\0';
}

/* The command itself says why, if nobody does. */
static void describe(struct inhibition *in, char **command)
{
	append(in->who, command[0]);
	for (char **word = command; *word; word++) {
		append(in->why, word == command ? "" : " ");
		append(in->why, *word);
	}
}

static int inhibit(struct inhibition *in, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
	int fd, r;

	r = ctl_call_group(in->ctl, in->group, "InhibitTakeover", error, &answer, "ss", in->who,
			   in->ctl->why ?: in->why);
	if (r >= 0)
		r = sd_bus_message_read(answer, "h", &fd);
	if (r < 0)
		return r;
	in->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return in->fd < 0 ? -errno : 0;
}

static const int of_terminal[] = { SIGINT, SIGQUIT };

/* What the terminal sends goes to the command as well, and it is the one to end. */
static pid_t start(struct ctl *ctl, char **command)
{
	void (*before[ARRAY_SIZE(of_terminal)])(int);
	pid_t pid;

	(void)fflush(ctl->out); /* or it would be printed twice */
	(void)fflush(ctl->err);
	for (size_t i = 0; i < ARRAY_SIZE(of_terminal); i++)
		before[i] = signal(of_terminal[i], SIG_IGN);
	pid = fork();
	if (pid != 0)
		return pid;
	for (size_t i = 0; i < ARRAY_SIZE(of_terminal); i++)
		(void)signal(of_terminal[i], before[i]);
	(void)execvp(command[0], command);
	fprintf(ctl->err, "takeoverctl: cannot run \"%s\": %s.\n", command[0], strerror(errno));
	(void)fflush(ctl->err);
	_exit(NOT_FOUND);
}

/* An agent that has been restarted, by an upgrade perhaps, does not know of us any more. */
static void take_again(struct inhibition *in)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

	if (inhibit(in, &error) >= 0)
		fprintf(in->ctl->err, "takeoverctl: this node is kept out of %s again.\n",
			in->group);
}

static void lose(struct inhibition *in)
{
	close_fdp(&in->fd);
	fprintf(in->ctl->err,
		"takeoverctl: takeoverd has ended: nothing keeps this node out of %s; trying "
		"again.\n",
		in->group);
}

/* Until the command has ended. */
static void watch(struct inhibition *in, int pidfd)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN }, { .fd = in->fd } };
		int n = poll(fds, ARRAY_SIZE(fds), in->fd < 0 ? TRY_AGAIN_MS : -1);

		if (n < 0 && errno != EINTR)
			return; /* what is left is to wait for it */
		if (n > 0 && fds[0].revents)
			return;
		if (n > 0 && fds[1].revents) /* nobody has the other end */
			lose(in);
		else if (in->fd < 0)
			take_again(in);
	}
}

static int run(struct inhibition *in, char **command)
{
	_cleanup_(close_fdp) int pidfd = -1;
	pid_t pid = start(in->ctl, command);
	int status;

	if (pid < 0)
		return ctl_complain(in->ctl, &SD_BUS_ERROR_NULL, -errno);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd >= 0)
		watch(in, pidfd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return CTL_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED + WTERMSIG(status);
}

/**
 * ctl_inhibit() - the verb `inhibit`
 * @ctl: the program
 * @argc: 2 or more
 * @argv: the group, and a command with its arguments, ending with NULL
 *
 * Return: the exit code: that of the command, if it was run.
 */
int ctl_inhibit(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct inhibition in = { .ctl = ctl, .fd = -1 };
	int r;

	if (argc < 2) {
		fprintf(ctl->err, "takeoverctl: inhibit needs a group and a command.\n");
		return CTL_USAGE;
	}
	if (!ctl_may_be_name(argv[0]))
		return ctl_refuse_name(ctl, argv[0], "group");
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	in.group = argv[0];
	describe(&in, argv + 1);
	r = inhibit(&in, &error);
	if (r < 0)
		return ctl_complain_of_group(ctl, in.group, &error, r);
	ctl_agent_stop(ctl); /* the terminal is the command's */
	r = run(&in, argv + 1);
	close_fdp(&in.fd);
	return r;
}

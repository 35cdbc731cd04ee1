/* SPDX-License-Identifier: MIT */

/* polkit's own agent on a terminal, which asks for the password: as systemctl has it. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "agent/cleanup.h"
#include "sdbus/ctl.h"

/* Without one that works the agent refuses, which is said. */
enum { READY_MS = 5000 };

static void become_agent(int ready)
{
	char fd[16];

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)fcntl(ready, F_SETFD, 0); /* it is handed on */
	(void)snprintf(fd, sizeof(fd), "%d", ready);
	(void)execlp("pkttyagent", "pkttyagent", "--notify-fd", fd, "--fallback", NULL);
	_exit(EXIT_FAILURE); /* it is not installed */
}

/**
 * ctl_agent_start() - be ready for a question after the password
 * @ctl: the program
 *
 * On a terminal, of a user who is not root; on another host nobody could ask here.
 * Waits until the agent has registered, or has ended.
 */
void ctl_agent_start(struct ctl *ctl)
{
	struct pollfd closed = { .fd = -1 };
	int fds[2];

	if (geteuid() == 0 || !ctl->terminal || ctl->host || ctl->machine)
		return;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	ctl->polkit_agent = fork();
	if (ctl->polkit_agent == 0)
		become_agent(fds[1]);
	(void)close(fds[1]);
	closed.fd = fds[0];
	if (ctl->polkit_agent > 0)
		(void)poll(&closed, 1, READY_MS); /* it is worth a try all the same */
	(void)close(fds[0]);
}

/**
 * ctl_agent_stop() - leave the terminal to others
 * @ctl: the program
 */
void ctl_agent_stop(struct ctl *ctl)
{
	if (ctl->polkit_agent <= 0)
		return;
	(void)kill(ctl->polkit_agent, SIGTERM);
	(void)kill(ctl->polkit_agent, SIGCONT); /* it may have been stopped with the terminal */
	while (waitpid(ctl->polkit_agent, NULL, 0) < 0 && errno == EINTR)
		;
	ctl->polkit_agent = 0;
}

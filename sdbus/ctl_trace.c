/* SPDX-License-Identifier: MIT */

/* The verb `trace`: what the agent's flight recorder has. */

#include <errno.h>
#include <poll.h>

#include "agent/cleanup.h"
#include "sdbus/ctl.h"

static bool is_whole(const char *text, size_t len)
{
	static const char last_line[] = "\nend\n";
	const size_t size = strlen(last_line);

	return len >= size && memcmp(text + len - size, last_line, size) == 0;
}

static int read_all(int fd, FILE *to)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	char text[16384];
	ssize_t n;

	do {
		if (poll(&readable, 1, CTL_PATIENCE_US / USEC_PER_MSEC) == 0)
			return -ETIMEDOUT;
		n = read(fd, text, sizeof(text));
		if (n < 0)
			return -errno;
		(void)fwrite(text, 1, (size_t)n, to); /* what is missing is seen in the end */
	} while (n > 0);
	return 0;
}

/*
 * The agent does not wait for who reads slowly, such as an operator who turns pages. So all is
 * read before any of it is shown. -ETIMEDOUT, -EPIPE: the agent stops, or ends, in the middle.
 */
static int copy(struct ctl *ctl, int fd)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	int r;

	if (!to)
		return -ENOMEM;
	r = read_all(fd, to);
	if (fclose(to) != 0)
		return -ENOMEM;
	(void)fwrite(text, 1, len, ctl->out); /* ctl_run() sees whether it could be */
	return r < 0 || is_whole(text, len) ? r : -EPIPE;
}

/**
 * ctl_trace() - the verb `trace`
 * @ctl: the program
 * @argc: 0
 * @argv: none
 *
 * Return: the exit code.
 */
int ctl_trace(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
	int fd, r;

	(void)argc, (void)argv;
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	r = ctl_call_manager(ctl, "GetTrace", &error, &answer);
	if (r >= 0)
		r = sd_bus_message_read(answer, "h", &fd); /* the message has it */
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	r = copy(ctl, fd);
	if (r == -EPIPE)
		r = sd_bus_error_set(&error, SD_BUS_ERROR_NO_REPLY, NULL);
	else if (r == -ETIMEDOUT)
		r = sd_bus_error_set(&error, SD_BUS_ERROR_TIMEOUT, NULL);
	return r < 0 ? ctl_complain(ctl, &error, r) : CTL_OK;
}

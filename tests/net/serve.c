/* SPDX-License-Identifier: MIT */
/* A service with connections: sends back what it gets, until the client has closed. */
#include "tests/net/probe.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

enum { SERVE_MAX = 64 }; /* connections at a time, and the listener */

static int serve_open(uint16_t port, int *ret_fd)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	_cleanup_(close_fdp) int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int off = 0, on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, SERVE_MAX) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Return: false at the end of the connection. */
static bool serve_one(int fd)
{
	char bytes[256];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	return n > 0 && send(fd, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static int serve(int listener)
{
	struct pollfd fds[SERVE_MAX] = { { .fd = listener, .events = POLLIN } };
	nfds_t n = 1;

	for (;;) {
		if (poll(fds, n, -1) < 0 && errno != EINTR)
			return -errno;
		for (nfds_t i = n - 1; i > 0; i--)
			if (fds[i].revents && !serve_one(fds[i].fd)) {
				(void)close(fds[i].fd);
				fds[i] = fds[--n];
			}
		if (!fds[0].revents)
			continue;
		fds[n].fd = accept(listener, NULL, NULL);
		fds[n].events = POLLIN;
		if (fds[n].fd < 0)
			return -errno;
		if (++n == SERVE_MAX)
			return -EMFILE;
	}
}

int serve_verb(int argc, char **argv)
{
	static const struct option options[] = { { "ready", required_argument, NULL, 'r' }, { 0 } };
	_cleanup_(close_fdp) int fd = -1;
	const char *ready = NULL;
	uint64_t port;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'r')
			return probe_usage("serve PORT [--ready FIFO]");
		ready = optarg;
	}
	if (argc - optind != 1 || probe_number(argv[optind], &port) < 0 || port > UINT16_MAX)
		return probe_usage("serve PORT [--ready FIFO]");
	r = serve_open((uint16_t)port, &fd);
	if (r == 0)
		r = probe_ready(ready);
	if (r == 0)
		r = serve(fd);
	return probe_fail("serve", r);
}

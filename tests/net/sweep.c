/* SPDX-License-Identifier: MIT */
/* One packet to each of many addresses; garbage; the end of a process. */
#include "tests/net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum {
	AGAIN_NS = 200000000, /* when an address that did not answer is asked again */
	GARBAGE_MAX = 1400,
};

/* Send to all that have not answered. */
static void ask(int fd, const struct sockaddr_in *to, const bool *answered, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct probe_request request = { .magic = PROBE_MAGIC, .seq = i };

		if (!answered[i])
			(void)sendto(fd, &request, sizeof(request), 0,
				     (const struct sockaddr *)&to[i],
				     sizeof(to[i])); /* asked again */
	}
}

/* Count what has come. Return: how many answered for the first time. */
static size_t collect(int fd, const struct sockaddr_in *to, bool *answered, size_t n,
		      const char *name)
{
	struct sockaddr_in from;
	struct probe_reply reply;
	size_t fresh = 0;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t got = recvfrom(fd, &reply, sizeof(reply), MSG_DONTWAIT,
				       (struct sockaddr *)&from, &len);
		uint64_t i = reply.request.seq;

		if (got < 0)
			return fresh;
		if (got != sizeof(reply) || i >= n || answered[i] ||
		    from.sin_addr.s_addr != to[i].sin_addr.s_addr ||
		    strncmp(reply.name, name, PROBE_NAME_SIZE) != 0)
			continue;
		answered[i] = true;
		fresh++;
	}
}

static int sweep(int fd, const struct sockaddr_in *to, size_t n, const char *name,
		 uint64_t deadline_ns)
{
	_cleanup_(freep) bool *answered = calloc(n, sizeof(*answered));
	size_t got = 0;

	if (!answered)
		return -ENOMEM;
	while (got < n && probe_now_ns() < deadline_ns) {
		uint64_t again_ns = probe_now_ns() + AGAIN_NS;

		ask(fd, to, answered, n);
		while (got < n && probe_wait(fd, again_ns) > 0)
			got += collect(fd, to, answered, n, name);
	}
	printf("asked=%zu answered=%zu\n", n, got);
	return got == n ? 0 : 1;
}

/* Does NAME answer on every one of these IPv4 addresses? */
int sweep_verb(int argc, char **argv)
{
	_cleanup_(freep) struct sockaddr_in *to = NULL;
	_cleanup_(close_fdp) int fd = -1;
	uint64_t port, deadline_ns;
	int r, n = argc - 4;

	if (argc < 5 || probe_number(argv[2], &port) < 0 ||
	    probe_timeout_ns(argv[3], &deadline_ns) < 0)
		return probe_usage("sweep NAME PORT SECONDS ADDRESS...");
	to = calloc((size_t)n, sizeof(*to));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!to || fd < 0)
		return probe_fail("sweep", errno);
	for (int i = 0; i < n; i++) {
		to[i].sin_family = AF_INET;
		to[i].sin_port = htons((uint16_t)port);
		if (inet_pton(AF_INET, argv[4 + i], &to[i].sin_addr) != 1)
			return probe_fail(argv[4 + i], EINVAL);
	}
	r = sweep(fd, to, (size_t)n, argv[1], deadline_ns);
	return r < 0 ? probe_fail("sweep", r) : r;
}

/* Packets of random length and contents; every second one begins like HEAD. */
int forge_verb(int argc, char **argv)
{
	_cleanup_(close_fdp) int fd = -1;
	uint8_t packet[GARBAGE_MAX];
	size_t head_len = argc == 5 ? strlen(argv[4]) : 0;
	uint64_t count, sent = 0;
	uint16_t len;
	int r;

	if (argc < 4 || argc > 5 || probe_number(argv[3], &count) < 0 || head_len > GARBAGE_MAX)
		return probe_usage("forge ADDRESS PORT COUNT [HEAD]");
	r = probe_connect(argv[1], argv[2], &fd);
	if (r < 0)
		return probe_fail(argv[1], r);
	for (uint64_t i = 0; i < count; i++) {
		if (getrandom(&len, sizeof(len), 0) != sizeof(len) ||
		    getrandom(packet, sizeof(packet), 0) != sizeof(packet))
			return probe_fail("getrandom", errno);
		if (head_len && i % 2)
			memcpy(packet, argv[4], head_len);
		if (send(fd, packet, len % GARBAGE_MAX, 0) >= 0)
			sent++;
	}
	printf("forged=%ju\n", (uintmax_t)sent);
	return 0;
}

int wait_exit_verb(int argc, char **argv)
{
	_cleanup_(close_fdp) int fd = -1;
	uint64_t pid, deadline_ns;
	int r;

	if (argc != 3 || probe_number(argv[1], &pid) < 0 ||
	    probe_timeout_ns(argv[2], &deadline_ns) < 0)
		return probe_usage("wait-exit PID SECONDS");
	fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (fd < 0)
		return errno == ESRCH ? 0 : probe_fail(argv[1], errno);
	r = probe_wait(fd, deadline_ns);
	return r > 0 ? 0 : r < 0 ? probe_fail(argv[1], r) : 1;
}

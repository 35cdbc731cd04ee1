/* SPDX-License-Identifier: MIT */
#include "tests/net/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>

enum {
	/* Some seconds of 10,000 packets/s: a reader that is late loses nothing. */
	SOCKET_BUFFER = 8 << 20,
};

uint64_t probe_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The kernel's time of receipt, moved from CLOCK_REALTIME to ours. */
uint64_t probe_received_ns(struct msghdr *msg)
{
	uint64_t now_ns = probe_now_ns(), stamp_ns, real_ns;
	struct timespec real, stamp;

	(void)clock_gettime(CLOCK_REALTIME, &real); /* cannot fail */
	real_ns = (uint64_t)real.tv_sec * 1000000000 + (uint64_t)real.tv_nsec;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		stamp_ns = (uint64_t)stamp.tv_sec * 1000000000 + (uint64_t)stamp.tv_nsec;
		if (stamp_ns < real_ns)
			return now_ns - (real_ns - stamp_ns);
	}
	return now_ns;
}

/* Realtime priority and exact timers, where they are allowed. */
void probe_realtime(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	(void)sched_setscheduler(0, SCHED_FIFO, &param); /* better figures, not needed */
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
}

int probe_fail(const char *what, int error)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(error < 0 ? -error : error));
	return 2;
}

int probe_usage(const char *usage)
{
	fprintf(stderr, "usage: probe %s\n", usage);
	return 2;
}

int probe_number(const char *text, uint64_t *ret)
{
	unsigned long long n;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end)
		return -EINVAL;
	*ret = n;
	return 0;
}

int probe_timeout_ns(const char *seconds, uint64_t *ret_deadline_ns)
{
	uint64_t n;
	int r = probe_number(seconds, &n);

	if (r < 0)
		return r;
	*ret_deadline_ns = probe_now_ns() + n * 1000000000;
	return 0;
}

/* Say to whoever reads the FIFO that what comes next will be seen. */
int probe_ready(const char *fifo)
{
	_cleanup_(close_fdp) int fd = -1;

	if (!fifo)
		return 0;
	fd = open(fifo, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	return write(fd, "ready\n", 6) == 6 ? 0 : -EIO;
}

/* A connected UDP socket: answers from any other address do not count. */
int probe_connect(const char *address, const char *port, int *ret_fd)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_DGRAM,
	};
	_cleanup_(close_fdp) int fd = -1;
	struct addrinfo *to = NULL;
	int r = 0, size = SOCKET_BUFFER;

	if (getaddrinfo(address, port, &hints, &to) != 0)
		return -EINVAL;
	fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) < 0)
		r = -errno;
	freeaddrinfo(to);
	if (r < 0)
		return r;
	/* beyond the limit of the system needs privilege; without, the limit will do */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* SIGINT and SIGTERM as a descriptor: whoever started us wants the result. */
int probe_signal_fd(void)
{
	sigset_t mask;
	int fd;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* Wait for input. Return: 1, 0 when the deadline has come, or negative errno. */
int probe_wait(int fd, uint64_t deadline_ns)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now = probe_now_ns();
	struct timespec left = { 0 };
	int r;

	if (deadline_ns > now) {
		left.tv_sec = (time_t)((deadline_ns - now) / 1000000000);
		left.tv_nsec = (long)((deadline_ns - now) % 1000000000);
	}
	r = ppoll(&p, 1, &left, NULL);
	return r < 0 ? -errno : r;
}

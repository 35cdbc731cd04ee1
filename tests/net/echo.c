/* SPDX-License-Identifier: MIT */
/* The service: answers every numbered packet from the address it was sent to. */
#include "tests/net/probe.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

enum { ECHO_PRIORITY = 20, ECHO_BUFFER = 8 << 20 };

union control {
	struct cmsghdr align;
	char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static int echo_open(int family, uint16_t port, int *ret_fd)
{
	const struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	const struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	_cleanup_(close_fdp) int fd = -1;
	int on = 1, size = ECHO_BUFFER, r;

	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (family == AF_INET) {
		r = setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
		if (r == 0)
			r = bind(fd, (const struct sockaddr *)&in4, sizeof(in4));
	} else {
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		if (r == 0)
			r = setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
		if (r == 0)
			r = bind(fd, (const struct sockaddr *)&in6, sizeof(in6));
	}
	if (r < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The address asked becomes the source of the answer; routing chooses the link. */
static void echo_from_address_asked(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	struct in6_pktinfo in6;
	struct in_pktinfo in4;

	if (!c)
		return;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		memcpy(&in4, CMSG_DATA(c), sizeof(in4));
		in4.ipi_spec_dst = in4.ipi_addr;
		in4.ipi_ifindex = 0;
		memcpy(CMSG_DATA(c), &in4, sizeof(in4));
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&in6, CMSG_DATA(c), sizeof(in6));
		in6.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(c), &in6, sizeof(in6));
	}
}

/* Return: 1 if there was a packet, 0 if there is none, negative errno. */
static int echo_one(int fd, const char name[static PROBE_NAME_SIZE])
{
	struct probe_reply reply = { 0 };
	struct sockaddr_storage from;
	union control control;
	struct iovec iov = { .iov_base = &reply.request, .iov_len = sizeof(reply.request) };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, 0);

	if (n < 0)
		return errno == EAGAIN ? 0 : errno == EINTR ? 1 : -errno;
	if (n != sizeof(reply.request) || reply.request.magic != PROBE_MAGIC)
		return 1;
	echo_from_address_asked(&msg);
	memcpy(reply.name, name, PROBE_NAME_SIZE);
	iov = (struct iovec){ .iov_base = &reply, .iov_len = sizeof(reply) };
	msg.msg_flags = 0;
	reply.answered_ns = probe_now_ns();
	(void)sendmsg(fd, &msg, 0); /* a gate may refuse it: that is what clients measure */
	return 1;
}

static int echo_serve(const int fds[static 2], const char name[static PROBE_NAME_SIZE])
{
	struct pollfd p[2] = {
		{ .fd = fds[0], .events = POLLIN },
		{ .fd = fds[1], .events = POLLIN },
	};
	int r;

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		for (size_t i = 0; i < 2; i++)
			while ((r = echo_one(p[i].fd, name)) != 0)
				if (r < 0)
					return r;
	}
}

int echo_verb(int argc, char **argv)
{
	static const struct option options[] = { { "ready", required_argument, NULL, 'r' }, { 0 } };
	_cleanup_(close_fdp) int fd4 = -1;
	_cleanup_(close_fdp) int fd6 = -1;
	char name[PROBE_NAME_SIZE] = "";
	const char *ready = NULL;
	uint64_t port;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'r')
			return probe_usage("echo NAME PORT [--ready FIFO]");
		ready = optarg;
	}
	if (argc - optind != 2 || probe_number(argv[optind + 1], &port) < 0 || port > UINT16_MAX)
		return probe_usage("echo NAME PORT [--ready FIFO]");
	(void)snprintf(name, sizeof(name), "%s", argv[optind]); /* cut to size */
	probe_realtime(ECHO_PRIORITY);
	r = echo_open(AF_INET, (uint16_t)port, &fd4);
	if (r == 0)
		r = echo_open(AF_INET6, (uint16_t)port, &fd6);
	if (r == 0)
		r = probe_ready(ready);
	if (r == 0)
		r = echo_serve((const int[]){ fd4, fd6 }, name);
	return probe_fail("echo", r);
}

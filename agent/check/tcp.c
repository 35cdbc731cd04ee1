/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/check/tcp.h"

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t set_address(const struct ip *ip, uint16_t port, union address *ret)
{
	*ret = (union address){ 0 };
	if (ip->family == 4) {
		ret->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
		memcpy(&ret->in.sin_addr, ip->bytes, sizeof(ret->in.sin_addr));
		return sizeof(ret->in);
	}
	ret->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
	memcpy(&ret->in6.sin6_addr, ip->bytes, sizeof(ret->in6.sin6_addr));
	return sizeof(ret->in6);
}

/**
 * tcp_open() - A socket to connect with
 *
 * Return: 0; what socket() says: that is of this host, and nothing is known of the service.
 */
int tcp_open(const struct ip *ip, int *ret_fd)
{
	int fd = socket(ip->family == 4 ? AF_INET : AF_INET6,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/**
 * tcp_connect() - Begin to connect; never waits
 *
 * Return: 0 if the socket becomes writable when there is a result; why there is none to wait for.
 */
int tcp_connect(int fd, const struct ip *ip, uint16_t port)
{
	union address address;
	socklen_t len = set_address(ip, port, &address);

	return connect(fd, &address.sa, len) < 0 && errno != EINPROGRESS ? -errno : 0;
}

/*
 * To a port of this host that nobody has, the kernel may connect a socket with itself if it has
 * taken just that port for it (RFC 9293, section 3.5: simultaneous open).
 */
static bool is_own_end(int fd)
{
	union address here = { 0 }, there = { 0 };
	socklen_t here_len = sizeof(here), there_len = sizeof(there);

	return getsockname(fd, &here.sa, &here_len) == 0 &&
	       getpeername(fd, &there.sa, &there_len) == 0 && here_len == there_len &&
	       !memcmp(&here, &there, here_len);
}

/**
 * tcp_result() - What has come of a socket that is writable
 *
 * Return: 0 if it is connected; why it is not.
 */
int tcp_result(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return -errno;
	return !err && is_own_end(fd) ? -ECONNREFUSED : -err;
}

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A socket at whose other end is not the kernel but a fuzzer. The input is cut into
 * datagrams: two bytes of length, little endian, then the datagram.
 */

#include <fcntl.h>
#include <sys/socket.h>

#include "agent/cleanup.h"
#include "netlink/nl.h"
#include "tests/fuzz/fuzz.h"

/* The descriptor that is opened next (POSIX: the lowest that is free). */
static inline int kernel_next_fd(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	assert(fd >= 0 && close(fd) == 0);
	return fd;
}

/*
 * Put the datagrams into the queue of a new socket that takes the place of @fd. Return:
 * the other end, where what is asked piles up; for as long as it is open the queue only
 * gets empty, and does not end.
 */
static inline int kernel_answers(int fd, struct fuzz_bytes *bytes)
{
	int ends[2];

	assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	assert(dup2(ends[0], fd) == fd && close(ends[0]) == 0);
	while (bytes->p < bytes->end) {
		size_t len = fuzz_u8(bytes), left;

		len |= (size_t)fuzz_u8(bytes) << 8;
		left = (size_t)(bytes->end - bytes->p);
		if (len > left)
			len = left;
		if (len == 0 || send(ends[1], bytes->p, len, 0) < 0)
			break; /* at the end, or the queue is full */
		bytes->p += len;
	}
	return ends[1];
}

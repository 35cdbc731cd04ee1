/* SPDX-License-Identifier: MIT */

#include "netlink/packet.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "agent/cleanup.h"

enum { BURST_MAX = 64 }; /* frames in one sendmmsg() */

/**
 * packet_open() - Open a socket that sends whole Ethernet frames on one link.
 * @ifindex: the link
 *
 * It never receives: it asks for no protocol. Opening costs 5 to 15 ms, as the
 * kernel waits for its own readers; so do it at start.
 *
 * Return: the descriptor, CLOEXEC and NONBLOCK; -EPERM without CAP_NET_RAW;
 * -ENODEV when there is no such link; what socket() or bind() fails with.
 */
int packet_open(int ifindex)
{
	const struct sockaddr_ll self = { .sll_family = AF_PACKET, .sll_ifindex = ifindex };
	_cleanup_(close_fdp) int fd = -1;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* One sendmmsg(): how many frames left, or why the first did not. */
static int send_burst(int fd, const struct frame *frames, size_t n)
{
	struct mmsghdr msgs[BURST_MAX] = { 0 };
	struct iovec iovecs[BURST_MAX];
	int r;

	for (size_t i = 0; i < n; i++) {
		assert(frames[i].len <= FRAME_MAX);
		iovecs[i] = (struct iovec){ (void *)frames[i].bytes, frames[i].len };
		msgs[i].msg_hdr.msg_iov = &iovecs[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	do {
		r = sendmmsg(fd, msgs, (unsigned)n, 0);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/**
 * packet_send() - Send frames, in order, as far as the queue takes them.
 * @fd: socket of packet_open()
 * @frames: the frames; they keep their place if not all leave
 * @n: number of them
 * @ret_sent: number of frames that left; written on failure too, as then the
 *	first of them may have left
 *
 * Return: 0 when all left; why the frame after the last that left did not:
 * -EAGAIN or -ENOBUFS when the queue is full, -ENETDOWN when the link is down,
 * -ENXIO when it is gone, what else sendmmsg() fails with.
 */
int packet_send(int fd, const struct frame *frames, size_t n, size_t *ret_sent)
{
	*ret_sent = 0;
	while (*ret_sent < n) {
		size_t left = n - *ret_sent;
		int r;

		r = send_burst(fd, frames + *ret_sent, left < BURST_MAX ? left : BURST_MAX);
		if (r < 0)
			return r;
		*ret_sent += (size_t)r;
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "agent/beat/channel.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdalign.h>

#include "agent/cleanup.h"

/* CS6, network control (RFC 2474 section 4.2.2.2, RFC 4594 section 3.1), in the TOS byte. */
enum { TOS_CS6 = 0xc0 };

static socklen_t address_len(const union channel_address *address)
{
	return address->sa.sa_family == AF_INET ? sizeof(address->in) : sizeof(address->in6);
}

static void make_address(const struct ip *ip, uint16_t port, union channel_address *ret)
{
	*ret = (union channel_address){ 0 };
	if (ip->family == 4) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
		memcpy(&ret->in.sin_addr, ip->bytes, 4);
	} else {
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = htons(port);
		memcpy(&ret->in6.sin6_addr, ip->bytes, 16);
	}
}

/*
 * FREEBIND: the address may come later, or go for a while. No path MTU
 * discovery: an ICMP message from anywhere must not make heartbeats fail.
 */
static int set_options(int fd, uint8_t family)
{
	static const struct {
		uint8_t family;
		int level, name, value;
	} options[] = {
		{ 4, SOL_IP, IP_FREEBIND, 1 },
		{ 4, SOL_IP, IP_TOS, TOS_CS6 },
		{ 4, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT },
		{ 6, SOL_IPV6, IPV6_V6ONLY, 1 },
		{ 6, SOL_IPV6, IPV6_FREEBIND, 1 },
		{ 6, SOL_IPV6, IPV6_TCLASS, TOS_CS6 },
		{ 6, SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].family != family)
			continue;
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			       sizeof(options[i].value)) < 0)
			return -errno;
	}
	return 0;
}

static int set_shared(int fd, int on)
{
	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 ? -errno : 0;
}

/**
 * channel_share() - Let further sockets of ours in at the same address and port, or no longer.
 * @channel: open
 * @on: false once all are bound: the port is not a privileged one, and whoever could bind and
 * connect a socket beside ours would take our heartbeats away
 *
 * By SO_REUSEPORT, which from the first moment lets in the own user only; SO_REUSEADDR is for
 * everybody (udp_lib_lport_inuse() of the kernel's net/ipv4/udp.c). Both are looked at when a
 * socket is bound and do nothing for the bound ones but, with SO_REUSEPORT, to spread what
 * comes among those that are not connected.
 *
 * Return: 0; negative errno of setsockopt().
 */
int channel_share(struct channel *channel, bool on)
{
	return set_shared(channel->fd, on);
}

/**
 * channel_open() - Make a socket, bound but not connected yet.
 * @channel: empty; channel_close() may be called on it afterwards in any case
 * @local: own address; need not be there yet
 * @remote: address of the other end, to which channel_send() connects as soon as it can;
 * NULL: a lobby
 * @port: of both ends
 *
 * A lobby tolerates nobody at its address and port until channel_share(). A socket with another
 * end is born shared.
 *
 * Return: 0; -EADDRINUSE: somebody has the port; negative errno of socket(), setsockopt() or
 * bind().
 */
int channel_open(struct channel *channel, const struct ip *local, const struct ip *remote,
		 uint16_t port)
{
	int family = local->family == 4 ? AF_INET : AF_INET6;
	_cleanup_(close_fdp) int fd = -1;
	union channel_address address;
	int r;

	*channel = (struct channel){ .fd = -1, .lobby = !remote };
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = set_options(fd, local->family);
	if (r >= 0 && remote)
		r = set_shared(fd, true);
	if (r < 0)
		return r;
	make_address(local, port, &address);
	if (bind(fd, &address.sa, address_len(&address)) < 0)
		return -errno;
	if (remote)
		make_address(remote, port, &channel->remote);
	channel->fd = TAKE_FD(fd);
	return 0;
}

/**
 * channel_close() - Close the socket.
 * @channel: may be closed already
 */
void channel_close(struct channel *channel)
{
	close_fdp(&channel->fd);
}

/**
 * channel_deafen() - Let nothing in any more.
 * @channel: open
 *
 * Return: 0; negative errno of setsockopt().
 */
int channel_deafen(struct channel *channel)
{
	struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct sock_fprog program = { ARRAY_SIZE(nothing), nothing };

	if (setsockopt(channel->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return 0;
}

static int send_once(struct channel *channel, const struct msghdr *message)
{
	if (!channel->connected && !channel->lobby) {
		/* Fails as long as there is no route or the own address is not there. */
		if (connect(channel->fd, &channel->remote.sa, address_len(&channel->remote)) < 0)
			return -errno;
		channel->connected = true;
	}
	return sendmsg(channel->fd, message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/**
 * channel_send() - Send one datagram, connecting first if that is still to be done.
 * @channel: open
 * @buf: datagram
 * @len: its length in bytes
 * @options: a lobby needs .to; a mark needs CAP_NET_ADMIN
 *
 * Return: 0; negative errno of connect() or sendmsg().
 */
int channel_send(struct channel *channel, const uint8_t *buf, size_t len,
		 const struct channel_options *options)
{
	alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(uint32_t))] = { 0 };
	struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	union channel_address to;
	int r;

	if (options->to) {
		to = *options->to;
		message.msg_name = &to;
		message.msg_namelen = address_len(&to);
	}
	if (options->mark) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(uint32_t)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SO_MARK,
		};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &options->mark, sizeof(uint32_t));
	}
	r = send_once(channel, &message);
	/* An ICMP error that an earlier datagram met keeps this one from leaving: once more. */
	if (r < 0 && channel_error_is_passing(r))
		r = send_once(channel, &message);
	return r;
}

/**
 * channel_receive() - Take one datagram.
 * @channel: open
 * @buf: receives it
 * @size: of @buf in bytes
 * @ret_len: its length, which is more than @size if it was cut
 * @ret_from: its sender
 *
 * Return: 0; negative errno of recvmsg(), among them -EAGAIN: there is none, and
 * -ECONNREFUSED: the other end answers that its port is closed.
 */
int channel_receive(struct channel *channel, uint8_t *buf, size_t size, size_t *ret_len,
		    union channel_address *ret_from)
{
	union channel_address from = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	n = recvmsg(channel->fd, &message, MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0)
		return -errno;
	*ret_len = (size_t)n;
	*ret_from = from;
	return 0;
}

/**
 * channel_error_is_passing() - Is this error the news of an ICMP message?
 * @err: negative errno
 *
 * Such an error stands in for one call on the socket and is gone with it: icmp_err_convert[]
 * of the kernel's net/ipv4/icmp.c, and icmpv6_err_convert().
 *
 * Return: true if so.
 */
bool channel_error_is_passing(int err)
{
	switch (-err) {
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENONET:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EMSGSIZE:
	case EPROTO:
	case EACCES:
		return true;
	}
	return false;
}

/**
 * channel_address_ip() - The address of a socket address, without its port.
 * @address: socket address
 * @ret: address; of family 0 if it is neither IPv4 nor IPv6
 */
void channel_address_ip(const union channel_address *address, struct ip *ret)
{
	*ret = (struct ip){ 0 };
	if (address->sa.sa_family == AF_INET) {
		ret->family = 4;
		memcpy(ret->bytes, &address->in.sin_addr, 4);
	} else if (address->sa.sa_family == AF_INET6) {
		ret->family = 6;
		memcpy(ret->bytes, &address->in6.sin6_addr, 16);
	}
}

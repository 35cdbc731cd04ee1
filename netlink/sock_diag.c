/* SPDX-License-Identifier: MIT */

#include "netlink/sock_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/cleanup.h"

enum {
	SOCK_DIAG_GROUPS =
		1 << (SKNLGRP_INET_TCP_DESTROY - 1) | 1 << (SKNLGRP_INET6_TCP_DESTROY - 1),

	/*
	 * Not closed by both sides with all delivered. Half of a handshake is no
	 * connection yet, and TIME_WAIT is none any more.
	 */
	SOCK_DIAG_STATES = 1 << TCP_ESTABLISHED | 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 |
			   1 << TCP_CLOSE_WAIT | 1 << TCP_LAST_ACK | 1 << TCP_CLOSING,
};

/*
 * Two sockets. A list is made while it is read, as far as there is room in the
 * queue: behind ends that nobody has read yet it would not get on.
 */
struct sock_diag {
	int ends, list;
	int both; /* epoll: readable when one of them is */
	uint32_t seq;
	int family;		     /* being listed; AF_UNSPEC: none */
	bool of_list;		     /* the datagram in buf is */
	const struct nlmsghdr *next; /* the message to be looked at next, in buf */
	int left;		     /* bytes from there */
	_Alignas(struct nlmsghdr) uint8_t buf[NL_DATAGRAM_MAX];
};

/* An address of IPv4 inside one of IPv6, RFC 4291, 2.5.5.2. */
static struct ip local_of(const struct inet_diag_msg *msg)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	const uint8_t *bytes = (const uint8_t *)msg->id.idiag_src;
	struct ip ip = { .family = 6 };

	if (msg->idiag_family == AF_INET) {
		ip.family = 4;
	} else if (!memcmp(bytes, mapped, sizeof(mapped))) {
		ip.family = 4;
		bytes += sizeof(mapped);
	}
	memcpy(ip.bytes, bytes, ip_len(&ip));
	return ip;
}

/*
 * Who has no peer listens. Of FIN_WAIT2 only half is closed, but where no process
 * has it any more (no inode) the other half cannot come here.
 */
static bool parse(const struct sock_diag *d, const struct nlmsghdr *nlh,
		  struct sock_diag_event *ret)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*msg) || !msg->id.idiag_dport ||
	    (msg->idiag_family != AF_INET && msg->idiag_family != AF_INET6))
		return false;
	ret->local = local_of(msg);
	if (!d->of_list) {
		ret->kind = SOCK_DIAG_ENDED;
		return true;
	}
	ret->kind = SOCK_DIAG_OPEN;
	return d->family != AF_UNSPEC && nlh->nlmsg_seq == d->seq && msg->idiag_state < 32 &&
	       (uint32_t)SOCK_DIAG_STATES >> msg->idiag_state & 1 &&
	       (msg->idiag_state != TCP_FIN_WAIT2 || msg->idiag_inode);
}

static int ask(struct sock_diag *d, int family)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} request = {
		.nlh = { .nlmsg_len = sizeof(request),
			 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			 .nlmsg_seq = ++d->seq },
		.req = { .sdiag_family = (uint8_t)family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = SOCK_DIAG_STATES },
	};

	if (send(d->list, &request, sizeof(request), 0) < 0)
		return -errno;
	d->family = family;
	return 0;
}

/**
 * sock_diag_open() - Hear of the end of connections from now on.
 * @ret: the caller's, for sock_diag_close()
 *
 * Return: 0; -ENOMEM; -ENOENT where the kernel has no tcp_diag; what nl_socket() returns or
 * epoll fails with.
 */
int sock_diag_open(struct sock_diag **ret)
{
	_cleanup_(sock_diag_closep) struct sock_diag *d = calloc(1, sizeof(*d));
	struct epoll_event readable = { .events = EPOLLIN };

	if (!d)
		return -ENOMEM;
	d->list = d->both = -1;
	d->ends = nl_socket(NETLINK_SOCK_DIAG, SOCK_DIAG_GROUPS);
	if (d->ends < 0)
		return d->ends;
	d->list = nl_socket(NETLINK_SOCK_DIAG, 0);
	if (d->list < 0)
		return d->list;
	d->both = epoll_create1(EPOLL_CLOEXEC);
	if (d->both < 0 || epoll_ctl(d->both, EPOLL_CTL_ADD, d->ends, &readable) < 0 ||
	    epoll_ctl(d->both, EPOLL_CTL_ADD, d->list, &readable) < 0)
		return -errno;
	*ret = TAKE(d);
	return 0;
}

/**
 * sock_diag_close() - The end of it.
 * @d: taken; or NULL
 *
 * Return: NULL.
 */
struct sock_diag *sock_diag_close(struct sock_diag *d)
{
	if (!d)
		return NULL;
	close_fdp(&d->both);
	close_fdp(&d->list);
	close_fdp(&d->ends);
	free(d);
	return NULL;
}

/**
 * sock_diag_fd() - The descriptor to poll for input.
 * @d: whose it stays
 */
int sock_diag_fd(const struct sock_diag *d)
{
	return d->both;
}

/**
 * sock_diag_list() - Ask for a list of all that are open.
 * @d: none is being made; SOCK_DIAG_LISTED says that one is complete
 *
 * The end of a connection that is told from here on may be that of one that the list has,
 * or has not: it was made meanwhile.
 *
 * Return: 0; what send() fails with.
 */
int sock_diag_list(struct sock_diag *d)
{
	assert(d->family == AF_UNSPEC);
	return ask(d, AF_INET);
}

/*
 * IPv4 is complete, or all is. A kernel without IPv6 has nobody to ask for that.
 * Return: 1 when all is; 0; the kernel's negative errno.
 */
static int end_of_list(struct sock_diag *d, const struct nlmsghdr *nlh)
{
	const int family = d->family;
	int error = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	d->family = AF_UNSPEC;
	if (error < 0 && (family != AF_INET6 || error != -ENOENT))
		return error;
	return family == AF_INET6 ? 1 : ask(d, AF_INET6);
}

/* Return: 1 if *ret is something; 0; the kernel's negative errno. */
static int take(struct sock_diag *d, const struct nlmsghdr *nlh, struct sock_diag_event *ret)
{
	int r;

	if (nlh->nlmsg_type >= NLMSG_MIN_TYPE)
		return parse(d, nlh, ret);
	if (!d->of_list || d->family == AF_UNSPEC || nlh->nlmsg_seq != d->seq ||
	    (nlh->nlmsg_type != NLMSG_DONE && nlh->nlmsg_type != NLMSG_ERROR))
		return 0;
	r = end_of_list(d, nlh);
	if (r > 0)
		*ret = (struct sock_diag_event){ .kind = SOCK_DIAG_LISTED };
	return r;
}

/* Ends come first: they are small, and lost when their queue is full. */
static int fetch(struct sock_diag *d)
{
	size_t len = 0;
	int r;

	d->of_list = false;
	r = nl_receive(d->ends, d->buf, sizeof(d->buf), &len);
	if (r == -EAGAIN) {
		d->of_list = true;
		r = nl_receive(d->list, d->buf, sizeof(d->buf), &len);
	}
	d->next = (const void *)d->buf;
	d->left = (int)len;
	return r;
}

/**
 * sock_diag_next() - Take the next piece of news; never blocks.
 * @d: the sockets
 * @ret: what it is: SOCK_DIAG_NOTHING when there is no more for now
 *
 * What is not from the kernel, or malformed, is passed over.
 *
 * Return: 0; errors of the kernel, -ENOENT where it has no tcp_diag; what recvmsg() and
 * send() fail with. After any of them @d is good for sock_diag_close() only.
 */
int sock_diag_next(struct sock_diag *d, struct sock_diag_event *ret)
{
	struct sock_diag_event event = { 0 };
	int r;

	for (;;) {
		while (nl_ok(d->next, d->left)) {
			const struct nlmsghdr *nlh = d->next;

			d->next = mnl_nlmsg_next(nlh, &d->left);
			r = take(d, nlh, &event);
			if (r > 0)
				*ret = event;
			if (r != 0)
				return r < 0 ? r : 0;
		}
		r = fetch(d);
		if (r == 0)
			continue;
		if (r == -ENOBUFS && !d->of_list)
			ret->kind = SOCK_DIAG_OVERRUN;
		else if (r == -EAGAIN)
			ret->kind = SOCK_DIAG_NOTHING;
		else
			return r;
		return 0;
	}
}

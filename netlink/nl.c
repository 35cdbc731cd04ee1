/* SPDX-License-Identifier: MIT */

#include "netlink/nl.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "agent/cleanup.h"

/*
 * The kernel works a request off inside sendto(), and goes on with a dump
 * inside recvmsg(). So whatever the answer is, it is in the socket's queue when
 * we come to read: nothing here waits, and an empty queue means that an answer
 * did not fit into it.
 */

enum {
	BUFFER_BYTES = 4 * 1024 * 1024, /* of the socket, each way; only a bound */
	SEND_BYTES = 64 * 1024,		/* requests that leave in one sendto() */
	ACK_COST = 1024, /* what one acknowledgement takes of the receive buffer; 768 seen */
	ACK_SLOTS = 256, /* acknowledgements read in one recvmmsg() */
	DUMP_TRIES = 16,
};

/* With NETLINK_CAP_ACK an answer is this long, whatever the request was. */
struct ack {
	struct nlmsghdr nlh;
	struct nlmsgerr err;
};

struct nl {
	int fd;
	uint32_t seq;	  /* of the last request sent */
	size_t burst_max; /* requests whose acknowledgements fit into the receive buffer */
	struct mmsghdr slots[ACK_SLOTS];
	struct iovec iovecs[ACK_SLOTS];
	struct sockaddr_nl senders[ACK_SLOTS];
	struct ack acks[ACK_SLOTS];
	_Alignas(struct nlmsghdr) uint8_t out[SEND_BYTES];
};

/* What came back for requests first to first + n - 1. */
struct answers {
	uint32_t first;
	size_t n;
	int *errors; /* one for each request, or NULL */
	size_t n_expected, n_answered;
	int error; /* the first one */
};

/* Datagrams of a dump, one behind the other. */
struct pile {
	uint8_t *bytes;
	size_t len;
	size_t size;
	bool interrupted; /* something changed while the kernel was at it */
};

static void set_buffer(int fd, int forced, int plain)
{
	const int bytes = BUFFER_BYTES;

	/* Without privilege we get what the administrator allows, which is less but works. */
	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));
}

/**
 * nl_socket() - Open a netlink socket, CLOEXEC and NONBLOCK, with large buffers.
 * @bus: NETLINK_ROUTE or NETLINK_NETFILTER
 * @groups: multicast groups to hear, a bit mask (group 1 is bit 0)
 *
 * Return: the descriptor, or what socket() or bind() failed with.
 */
int nl_socket(int bus, uint32_t groups)
{
	const struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = groups };
	_cleanup_(close_fdp) int fd = -1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, bus);
	if (fd < 0)
		return -errno;
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (bind(fd, (const struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/**
 * nl_receive() - Read one datagram that the kernel has sent; others' are skipped.
 * @fd: a netlink socket
 * @buf: where to; NL_DATAGRAM_MAX is enough for everything the kernel sends us
 * @size: bytes of it
 * @ret_len: bytes read
 *
 * Return: 0; -EAGAIN when there is none; -ENOBUFS when some have been lost;
 * -EMSGSIZE when this one was longer than @size, and is lost; what else
 * recvmsg() fails with.
 */
int nl_receive(int fd, void *buf, size_t size, size_t *ret_len)
{
	for (;;) {
		struct sockaddr_nl sender = { 0 };
		struct iovec iov = { .iov_base = buf, .iov_len = size };
		struct msghdr msg = {
			.msg_name = &sender,
			.msg_namelen = sizeof(sender),
			.msg_iov = &iov,
			.msg_iovlen = 1,
		};
		ssize_t len = recvmsg(fd, &msg, 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		if (sender.nl_pid != 0)
			continue;
		if (msg.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		*ret_len = (size_t)len;
		return 0;
	}
}

/**
 * nl_ok() - Is there a whole message at the beginning of these bytes?
 * @nlh: the bytes; need not be there if there are none left
 * @left: how many; what mnl_nlmsg_next() made of it may be negative
 *
 * mnl_nlmsg_ok() of libmnl 1.0.4 takes lengths of 2^31 and more for negative ones, and so
 * for short.
 *
 * Return: true if so.
 */
bool nl_ok(const struct nlmsghdr *nlh, int left)
{
	return mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (uint32_t)left;
}

static int send_all(struct nl *nl, const void *buf, size_t len)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	for (;;) {
		if (sendto(nl->fd, buf, len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) >=
		    0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

/**
 * nl_open() - Open a socket for requests.
 * @bus: NETLINK_ROUTE or NETLINK_NETFILTER
 * @ret: the socket; the caller's, for nl_close()
 *
 * Return: 0; -ENOMEM; what nl_socket() returns.
 */
int nl_open(int bus, struct nl **ret)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	const int on = 1;
	int bytes = 0;
	socklen_t len = sizeof(bytes);

	nl = calloc(1, sizeof(*nl));
	if (!nl)
		return -ENOMEM;
	nl->fd = nl_socket(bus, 0);
	if (nl->fd < 0)
		return nl->fd;
	if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0 ||
	    setsockopt(nl->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0 ||
	    getsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len) < 0)
		return -errno;
	nl->burst_max = bytes > ACK_COST ? (size_t)bytes / ACK_COST : 1;

	for (size_t i = 0; i < ACK_SLOTS; i++) {
		nl->iovecs[i] = (struct iovec){ &nl->acks[i], sizeof(nl->acks[i]) };
		nl->slots[i].msg_hdr.msg_iov = &nl->iovecs[i];
		nl->slots[i].msg_hdr.msg_iovlen = 1;
		nl->slots[i].msg_hdr.msg_name = &nl->senders[i];
		nl->slots[i].msg_hdr.msg_namelen = sizeof(nl->senders[i]);
	}
	*ret = TAKE(nl);
	return 0;
}

/**
 * nl_portid() - The number under which the kernel knows this socket.
 *
 * Notifications of what its requests have changed carry it (nlmsg_pid).
 *
 * Return: the number; 0 if the kernel does not tell, which is nobody's.
 */
uint32_t nl_portid(const struct nl *nl)
{
	struct sockaddr_nl self = { 0 };
	socklen_t len = sizeof(self);

	if (getsockname(nl->fd, (struct sockaddr *)&self, &len) < 0)
		return 0;
	return self.nl_pid;
}

/**
 * nl_close() - Close a socket for requests.
 * @nl: the socket, or NULL; taken
 *
 * Return: NULL.
 */
struct nl *nl_close(struct nl *nl)
{
	if (!nl)
		return NULL;
	close_fdp(&nl->fd);
	free(nl);
	return NULL;
}

static void take_answer(struct answers *a, const struct ack *ack, size_t len)
{
	uint32_t i = ack->nlh.nlmsg_seq - a->first;

	if (len < offsetof(struct ack, err.msg) || ack->nlh.nlmsg_type != NLMSG_ERROR || i >= a->n)
		return;
	a->n_answered++;
	if (a->errors)
		a->errors[i] = ack->err.error;
	if (a->error == 0)
		a->error = ack->err.error;
}

/* Reads the queue until it is empty or all is there, many answers in one call. */
static int drain(struct nl *nl, struct answers *a)
{
	while (a->n_answered < a->n_expected) {
		int n = recvmmsg(nl->fd, nl->slots, ACK_SLOTS, 0, NULL);

		if (n < 0 && errno == EAGAIN)
			return 0;
		/* Answers have been lost: those that miss theirs will be told. */
		if (n < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (n < 0)
			return -errno;
		for (int i = 0; i < n; i++) {
			if (nl->senders[i].nl_pid == 0)
				take_answer(a, &nl->acks[i], nl->slots[i].msg_len);
			nl->slots[i].msg_hdr.msg_namelen = sizeof(nl->senders[i]);
		}
	}
	return 0;
}

/* Fills the send buffer with requests from number i on. */
static size_t fill(struct nl *nl, size_t i, size_t n, nl_build build, const void *data,
		   size_t *ret_len)
{
	size_t len = 0, filled = 0;

	while (i + filled < n && filled < nl->burst_max && len + NL_REQUEST_MAX <= SEND_BYTES) {
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->out + len);

		build(nlh, i + filled, data);
		assert(nlh->nlmsg_len <= NL_REQUEST_MAX);
		nlh->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
		nlh->nlmsg_seq = ++nl->seq;
		len += MNL_ALIGN(nlh->nlmsg_len);
		filled++;
	}
	*ret_len = len;
	return filled;
}

/**
 * nl_each() - Have the kernel work off many requests, with one answer for each.
 * @nl: the socket
 * @n: number of requests
 * @build: writes request number i
 * @data: for @build
 * @ret_errors: array of @n: 0 or the kernel's negative errno for each request;
 *	-ENOBUFS where the answer was lost (read back what was done). Written
 *	on failure too, as part of the requests may have been worked off by
 *	then: -ECANCELED for those that were not sent.
 *
 * Blocks for as long as the kernel takes: 0.1 ms for one address, 0.4 s for
 * 5,000 on one link. A thread that must not be away for long asks in slices.
 *
 * Return: 0 when every request was sent; what sendto() or recvmmsg() failed with.
 */
int nl_each(struct nl *nl, size_t n, nl_build build, const void *data, int *ret_errors)
{
	for (size_t i = 0; i < n; i++)
		ret_errors[i] = -ECANCELED;

	for (size_t i = 0; i < n;) {
		struct answers a = { .first = nl->seq + 1, .errors = ret_errors + i };
		size_t len;
		int r;

		a.n = a.n_expected = fill(nl, i, n, build, data, &len);
		r = send_all(nl, nl->out, len);
		if (r < 0)
			return r;
		for (size_t k = 0; k < a.n; k++)
			a.errors[k] = -ENOBUFS;
		r = drain(nl, &a);
		if (r < 0)
			return r;
		i += a.n;
	}
	return 0;
}

/**
 * nl_transact() - Send one buffer of messages that stand or fall together.
 * @nl: the socket
 * @batch: messages one behind the other, as for nftables: from
 *	NFNL_MSG_BATCH_BEGIN to NFNL_MSG_BATCH_END; borrowed. Sequence numbers
 *	are filled in here. At least one message between the two must carry
 *	NLM_F_ACK; set it on each whose failure is to be told from that of others.
 * @len: bytes of it, at most 4 MiB (fewer without CAP_NET_ADMIN on the host)
 *
 * Return: 0 when every answer asked for came and was good; else the first
 * error that the kernel gave, in the order of messages; -ENOBUFS when an answer
 * was lost (read back what was done); what sendto() or recvmmsg() failed with.
 */
int nl_transact(struct nl *nl, void *batch, size_t len)
{
	struct answers a = { .first = nl->seq + 1 };
	struct nlmsghdr *nlh = batch;
	int left = (int)len, r;

	for (; nl_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		nlh->nlmsg_seq = ++nl->seq;
		a.n_expected += (nlh->nlmsg_flags & NLM_F_ACK) != 0;
		a.n++;
	}
	assert(left == 0 && a.n_expected > 0);

	r = send_all(nl, batch, len);
	if (r < 0)
		return r;
	r = drain(nl, &a);
	if (r < 0)
		return r;
	if (a.error < 0)
		return a.error;
	return a.n_answered < a.n_expected ? -ENOBUFS : 0;
}

static void pile_done(struct pile *p)
{
	free(p->bytes);
}

static int pile_reserve(struct pile *p, size_t room)
{
	size_t size = p->size ? p->size : 2 * room;
	uint8_t *bytes;

	while (size - p->len < room)
		size *= 2;
	if (size == p->size)
		return 0;
	bytes = realloc(p->bytes, size);
	if (!bytes)
		return -ENOMEM;
	p->bytes = bytes;
	p->size = size;
	return 0;
}

/* The error that ends what was asked for, in one of two forms: 0 when it is complete. */
static int end_of_dump(const struct nlmsghdr *nlh)
{
	int error;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(error))
		return nlh->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	return error < 0 ? error : 0;
}

/* Looks through one datagram for the end of it all: 1 when it is there, 0 when not yet. */
static int pile_scan(struct pile *p, size_t len, uint32_t seq)
{
	const struct nlmsghdr *nlh = (const void *)(p->bytes + p->len);
	int left = (int)len;

	for (; nl_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			p->interrupted = true;
		if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
			int r = end_of_dump(nlh);

			return r < 0 ? r : 1;
		}
	}
	return 0;
}

static int pile_fetch(struct pile *p, struct nl *nl, struct nlmsghdr *request, uint16_t flags)
{
	int r;

	p->len = 0;
	p->interrupted = false;
	request->nlmsg_flags |= NLM_F_REQUEST | flags;
	request->nlmsg_seq = ++nl->seq;
	r = send_all(nl, request, request->nlmsg_len);
	while (r == 0) {
		size_t len;

		r = pile_reserve(p, NL_DATAGRAM_MAX);
		if (r < 0)
			return r;
		r = nl_receive(nl->fd, p->bytes + p->len, p->size - p->len, &len);
		if (r < 0)
			return r;
		r = pile_scan(p, len, nl->seq);
		p->len += MNL_ALIGN(len);
	}
	return r < 0 ? r : 0;
}

static int pile_visit(const struct pile *p, uint32_t seq, nl_visit visit, void *data)
{
	const struct nlmsghdr *nlh = (const void *)p->bytes;
	int left = (int)p->len, r = 0;

	for (; r == 0 && nl_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		if (nlh->nlmsg_seq == seq && nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			r = visit(nlh, data);
	return r;
}

/**
 * nl_dump() - Ask for a whole table of the kernel, and look at every entry.
 * @nl: the socket
 * @request: the question; flags and sequence number are filled in here
 * @visit: called for each entry, after the whole table has come in: it never
 *	sees half of one, and may use @nl
 * @data: for @visit
 *
 * A dump that a change ran into may lack entries, and is asked for again.
 *
 * Return: 0; what @visit ended it with; the kernel's negative errno; -EAGAIN
 * when the table changed under each of 16 tries; -ENOMEM; what sendto() or
 * recvmsg() failed with.
 */
int nl_dump(struct nl *nl, struct nlmsghdr *request, nl_visit visit, void *data)
{
	_cleanup_(pile_done) struct pile p = { 0 };
	int tries = 0, r;

	do {
		r = pile_fetch(&p, nl, request, NLM_F_DUMP);
	} while (r == 0 && p.interrupted && ++tries < DUMP_TRIES);
	if (r < 0)
		return r;
	if (p.interrupted)
		return -EAGAIN;
	return pile_visit(&p, nl->seq, visit, data);
}

/**
 * nl_get() - Ask for one entry of a table of the kernel.
 * @nl: the socket
 * @request: the question; flags and sequence number are filled in here
 * @visit: called for the entry
 * @data: for @visit
 *
 * Return: 0; what @visit returned; the kernel's negative errno; -ENOMEM; what sendto() or
 * recvmsg() failed with.
 */
int nl_get(struct nl *nl, struct nlmsghdr *request, nl_visit visit, void *data)
{
	_cleanup_(pile_done) struct pile p = { 0 };
	int r;

	r = pile_fetch(&p, nl, request, NLM_F_ACK);
	return r < 0 ? r : pile_visit(&p, nl->seq, visit, data);
}

/**
 * nl_more() - Make room for one more in an array that a dump fills.
 * @v: the array, heap; NULL while it is empty
 * @n: number of entries that are there
 * @size: number of entries that there is room for; doubled when that is used up
 * @each: bytes of an entry
 *
 * Return: the array, which may have moved; NULL when there is no memory: @v is
 * as it was then.
 */
void *nl_more(void *v, size_t n, size_t *size, size_t each)
{
	const size_t larger = *size ? 2 * *size : 32;
	void *more;

	if (n < *size)
		return v;
	more = reallocarray(v, larger, each);
	if (more)
		*size = larger;
	return more;
}

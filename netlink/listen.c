/* SPDX-License-Identifier: MIT */

#include "netlink/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include "agent/cleanup.h"
#include "netlink/arp.h"
#include "netlink/nd.h"

enum {
	ARP_SENDER_AT = 14, /* the sender's address in an ARP packet */
	NA_TARGET_AT = 20,  /* the last 32 bits of the target in an advertisement */
	/* Ethernet's largest payload: what is longer is no message of theirs. */
	MESSAGE_MAX = 1500,
};

/**
 * listen_key() - What the kernel's filter knows of an address: its last 32 bits
 */
uint32_t listen_key(const struct ip *ip)
{
	const uint8_t *last = ip->bytes + ip_len(ip) - 4;

	return (uint32_t)last[0] << 24 | (uint32_t)last[1] << 16 | (uint32_t)last[2] << 8 | last[3];
}

/* The two ranges with the least between them become one. */
static void join_nearest(struct listen_set *set)
{
	size_t nearest = 0;

	for (size_t i = 1; i + 1 < set->n; i++)
		if (set->v[i + 1].first - set->v[i].last <
		    set->v[nearest + 1].first - set->v[nearest].last)
			nearest = i;
	set->v[nearest].last = set->v[nearest + 1].last;
	set->n--;
	memmove(&set->v[nearest + 1], &set->v[nearest + 2],
		(set->n - nearest - 1) * sizeof(set->v[0]));
}

/**
 * listen_add() - One more address
 * @set: begins as zeros
 * @key: of listen_key(); not less than any that has been added before
 *
 * The set is exact until it falls apart into more than LISTEN_RANGES_MAX
 * ranges. Then those with the least between them become one, and it has
 * addresses in it that were never added.
 */
void listen_add(struct listen_set *set, uint32_t key)
{
	struct listen_range *last = set->n ? &set->v[set->n - 1] : NULL;

	assert(!last || key >= last->last);
	if (last && key - last->last <= 1) {
		last->last = key;
		return;
	}
	set->v[set->n++] = (struct listen_range){ key, key };
	if (set->n > LISTEN_RANGES_MAX)
		join_nearest(set);
}

/**
 * listen_for() - Hear from now on of these addresses, and of no others
 * @fd: socket of listen_arp() or listen_nd()
 * @family: 4 or 6, as the socket's
 * @set: the addresses; none: nothing is heard
 *
 * What has come before still waits in the socket.
 *
 * Return: 0; -ENOMEM when the kernel has no room for the filter.
 */
int listen_for(int fd, uint8_t family, const struct listen_set *set)
{
	struct sock_filter code[2 * LISTEN_RANGES_MAX + 3];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	assert(set->n <= LISTEN_RANGES_MAX);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 family == 4 ? ARP_SENDER_AT : NA_TARGET_AT);
	for (size_t i = 0; i < set->n; i++) {
		const struct listen_range *r = &set->v[i];
		const uint8_t far = (uint8_t)(2 * (set->n - i) - 1);

		/* Below this range, and above all before it: rejected. Not above it: accepted. */
		code[n++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, r->first, 0, far);
		code[n++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, r->last, 0, far);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, MESSAGE_MAX);
	program.len = n;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return 0;
}

/**
 * listen_arp() - Open a socket that hears ARP on one link, and nothing before listen_for().
 * @ifindex: the link
 *
 * It is for listen_next(). Closing it costs 5 to 15 ms, as the kernel waits
 * for its own readers.
 *
 * Return: the descriptor, CLOEXEC and NONBLOCK; -EPERM without CAP_NET_RAW;
 * -ENODEV when there is no such link; what else the kernel refuses.
 */
int listen_arp(int ifindex)
{
	const struct sockaddr_ll self = { .sll_family = AF_PACKET,
					  .sll_protocol = htons(ETHERTYPE_ARP),
					  .sll_ifindex = ifindex };
	const struct listen_set nothing = { 0 };
	_cleanup_(close_fdp) int fd = -1;
	int r;

	/* Without Ethernet's header: what the filter looks at is where it is, tagged or not. */
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = listen_for(fd, 4, &nothing);
	if (r < 0)
		return r;
	if (bind(fd, (const struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* What has come from elsewhere before the socket was bound */
static void drain(int fd)
{
	uint8_t byte;

	while (recv(fd, &byte, sizeof(byte), 0) >= 0)
		;
}

/**
 * listen_nd() - Open a socket that hears neighbour advertisements on one link, and nothing
 *	before listen_for().
 * @ifindex: the link
 *
 * A raw socket, which only ICMPv6 messages come by that this host takes for
 * its own. A packet socket would look at each packet of IPv6; and what says to
 * somebody else alone that an address is elsewhere, it would not hear either.
 *
 * Return: the descriptor, CLOEXEC and NONBLOCK, for listen_next(); -EPERM
 * without CAP_NET_RAW; -EAFNOSUPPORT without IPv6; what else the kernel
 * refuses. A link that is not there is none of that: it is silent.
 */
int listen_nd(int ifindex)
{
	const struct listen_set nothing = { 0 };
	_cleanup_(close_fdp) int fd = -1;
	struct icmp6_filter types;
	const int on = 1;
	int r;

	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (fd < 0)
		return -errno;
	r = listen_for(fd, 6, &nothing);
	if (r < 0)
		return r;
	ICMP6_FILTER_SETBLOCKALL(&types);
	ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &types);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &types, sizeof(types)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, sizeof(ifindex)) < 0)
		return -errno;
	drain(fd);
	return TAKE_FD(fd);
}

/* 0 if the kernel did not say */
static uint8_t hop_limit_of(struct msghdr *msg)
{
	int limit = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&limit, CMSG_DATA(c), sizeof(limit));
	return (uint8_t)limit;
}

/**
 * listen_next() - The next who says of an address that he has it
 * @fd: socket of listen_arp() or listen_nd()
 * @family: 4 or 6, as the socket's
 * @ret: he; without the interface
 *
 * Return: 1; 0 when nothing waits; -EBADMSG when what came is not valid, or
 * what else recvmsg() fails with once: there may be more.
 */
int listen_next(int fd, uint8_t family, struct neigh *ret)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control;
	uint8_t bytes[MESSAGE_MAX];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len;
	int r;

	len = recvmsg(fd, &msg, 0);
	if (len < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (family == 4)
		r = arp_parse(bytes, (size_t)len, ret);
	else
		r = nd_parse_advertisement(bytes, (size_t)len, hop_limit_of(&msg), ret);
	return r < 0 ? r : 1;
}

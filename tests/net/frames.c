/* SPDX-License-Identifier: MIT */
/* Frames on the wire: announcements counted, heartbeats captured and replayed. */
#include "tests/net/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { SOCKET_BUFFER = 32 << 20 };

int packet_open(const char *ifname, int *ret_fd)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	_cleanup_(close_fdp) int fd = -1;
	int on = 1, size = SOCKET_BUFFER;

	to.sll_ifindex = (int)if_nametoindex(ifname);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (to.sll_ifindex == 0 || fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The next frame. Return: its length, 0 when the time is over, negative errno. */
ssize_t packet_receive(int fd, uint64_t deadline_ns, uint8_t frame[static FRAME_SIZE],
		       uint64_t *ret_ns, bool *ret_outgoing)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct timespec))];
	} control;
	struct sockaddr_ll from;
	struct iovec iov = { .iov_base = frame, .iov_len = FRAME_SIZE };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;
	int r = probe_wait(fd, deadline_ns);

	if (r <= 0)
		return r;
	n = recvmsg(fd, &msg, 0);
	if (n < 0)
		return -errno;
	*ret_ns = probe_received_ns(&msg);
	*ret_outgoing = from.sll_pkttype == PACKET_OUTGOING;
	return n;
}

/* The address that a gratuitous ARP or a neighbour advertisement speaks of */
static bool announced_address(const uint8_t *frame, size_t len, uint8_t ret[static 16])
{
	const uint8_t *arp = frame + ETH_LEN, *icmp6 = frame + ICMP6_AT;

	if (len >= ETH_LEN + ARP_LEN && frame[12] == 0x08 && frame[13] == 0x06) {
		if (memcmp(arp + 14, arp + 24, 4) != 0) /* sender and target address */
			return false;
		memset(ret, 0, 16);
		memcpy(ret, arp + 14, 4);
		return true;
	}
	if (len < ICMP6_AT + NA_LEN || frame[12] != 0x86 || frame[13] != 0xdd ||
	    frame[ETH_LEN + 6] != IPPROTO_ICMPV6 || icmp6[0] != NA_TYPE)
		return false;
	memcpy(ret, icmp6 + 8, 16);
	return true;
}

struct announced {
	uint8_t (*addresses)[16]; /* owned; those seen, in order of their first frame */
	uint64_t n, wanted, frames, first_ns, last_ns;
};

static void announced_done(struct announced *a)
{
	free(a->addresses);
}

static void announced_add(struct announced *a, const uint8_t address[static 16], uint64_t at_ns)
{
	a->frames++;
	for (uint64_t i = 0; i < a->n; i++)
		if (memcmp(a->addresses[i], address, 16) == 0)
			return;
	memcpy(a->addresses[a->n++], address, 16);
	if (a->n == 1)
		a->first_ns = at_ns;
	a->last_ns = at_ns;
}

/* Wait until so many addresses have been announced on a link. */
int announced_verb(int argc, char **argv)
{
	_cleanup_(announced_done) struct announced a = { 0 };
	_cleanup_(close_fdp) int fd = -1;
	uint8_t frame[FRAME_SIZE], address[16];
	uint64_t deadline_ns, at_ns;
	bool outgoing;
	ssize_t n = 1;
	int r;

	if (argc < 4 || argc > 5 || probe_number(argv[2], &a.wanted) < 0 ||
	    probe_timeout_ns(argv[3], &deadline_ns) < 0)
		return probe_usage("announced LINK COUNT SECONDS [FIFO]");
	a.addresses = calloc(a.wanted + 1, sizeof(*a.addresses));
	r = a.addresses ? packet_open(argv[1], &fd) : -ENOMEM;
	if (r >= 0)
		r = probe_ready(argc == 5 ? argv[4] : NULL);
	if (r < 0)
		return probe_fail(argv[1], r);
	while (a.n < a.wanted && n > 0) {
		n = packet_receive(fd, deadline_ns, frame, &at_ns, &outgoing);
		if (n > 0 && !outgoing && announced_address(frame, (size_t)n, address))
			announced_add(&a, address, at_ns);
	}
	if (n < 0)
		return probe_fail("announced", (int)n);
	printf("announced=%ju frames=%ju first_us=%ju last_us=%ju\n", (uintmax_t)a.n,
	       (uintmax_t)a.frames, (uintmax_t)(a.first_ns / 1000), (uintmax_t)(a.last_ns / 1000));
	return a.n == a.wanted ? 0 : 1;
}

bool is_udp_to(const uint8_t *frame, size_t len, uint16_t port)
{
	return len > UDP_AT + 8 && frame[12] == 0x08 && frame[13] == 0x00 &&
	       frame[ETH_LEN + 9] == IPPROTO_UDP && frame[UDP_AT + 2] == port >> 8 &&
	       frame[UDP_AT + 3] == (port & 0xff);
}

/*
 * Stand between two nodes: what comes in on the bridge port FROM for a UDP
 * port goes out on the port TO once more, as it was or with one bit flipped.
 */
int replay_verb(int argc, char **argv)
{
	_cleanup_(close_fdp) int from = -1;
	_cleanup_(close_fdp) int to = -1;
	uint8_t frame[FRAME_SIZE];
	uint64_t port, count, done = 0, at_ns, deadline_ns = probe_now_ns() + 10 * 1000000000ULL;
	bool outgoing, flip = argc == 6 && strcmp(argv[5], "flip") == 0;
	ssize_t n = 1;
	int r;

	if (argc < 5 || argc > 6 || probe_number(argv[3], &port) < 0 ||
	    probe_number(argv[4], &count) < 0)
		return probe_usage("replay FROM TO PORT COUNT [flip]");
	r = packet_open(argv[1], &from);
	if (r >= 0)
		r = packet_open(argv[2], &to);
	if (r < 0)
		return probe_fail("replay", r);
	while (done < count && n > 0) {
		n = packet_receive(from, deadline_ns, frame, &at_ns, &outgoing);
		if (n <= 0 || outgoing || !is_udp_to(frame, (size_t)n, (uint16_t)port))
			continue;
		if (flip) /* not in the headers; the checksum 0 means none (RFC 768) */
			frame[UDP_AT + 8 + done % ((size_t)n - UDP_AT - 8)] ^= 1 << done % 8;
		frame[UDP_AT + 6] = frame[UDP_AT + 7] = 0;
		if (send(to, frame, (size_t)n, 0) == n)
			done++;
	}
	if (n < 0)
		return probe_fail("replay", (int)n);
	printf("replayed=%ju\n", (uintmax_t)done);
	return done == count ? 0 : 1;
}

/* Keep the payload of so many heartbeats that come in on a link, for `flood`. */
int record_verb(int argc, char **argv)
{
	struct probe_record record = { 0 };
	_cleanup_(close_fdp) int from = -1;
	_cleanup_(close_fdp) int out = -1;
	uint8_t frame[FRAME_SIZE];
	uint64_t port, count, at_ns, deadline_ns = probe_now_ns() + 20 * 1000000000ULL;
	bool outgoing;
	ssize_t n = 1;
	int r;

	if (argc != 5 || probe_number(argv[2], &port) < 0 || probe_number(argv[3], &count) < 0)
		return probe_usage("record FROM PORT COUNT FILE");
	r = packet_open(argv[1], &from);
	out = open(argv[4], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (r < 0 || out < 0)
		return probe_fail("record", r < 0 ? r : errno);
	while (count > 0 && n > 0) {
		n = packet_receive(from, deadline_ns, frame, &at_ns, &outgoing);
		if (n <= 0 || outgoing || !is_udp_to(frame, (size_t)n, (uint16_t)port))
			continue;
		record.len = (size_t)n - UDP_AT - 8;
		memcpy(record.bytes, frame + UDP_AT + 8, record.len);
		if (write(out, &record, sizeof(record)) != sizeof(record))
			return probe_fail(argv[4], EIO);
		count--;
	}
	return count == 0 ? 0 : 1;
}

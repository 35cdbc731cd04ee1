/* SPDX-License-Identifier: MIT */
/* Who claims an address on the wire: what is asked and said is told, and a stranger plays his part.
 */
#include "tests/net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/signalfd.h>
#include <time.h>

enum { HEARTBEAT_PORT = 7373, TEXT_MAX = 128 };

/* What one frame says: "probe 10.77.0.100 02:...", or nothing that is told of here. */
static bool describe(const char *kind, int family, const void *ip, const uint8_t *mac,
		     char ret[static TEXT_MAX])
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(family, ip, text, sizeof(text)))
		return false;
	(void)snprintf(ret, TEXT_MAX, "%s %s %02x:%02x:%02x:%02x:%02x:%02x", kind, text, mac[0],
		       mac[1], mac[2], mac[3], mac[4], mac[5]);
	return true;
}

static bool describe_arp(const uint8_t *arp, char ret[static TEXT_MAX])
{
	const uint8_t *mac = arp + 8, *sender = arp + 14, *target = arp + 24;
	static const uint8_t nobody[4];

	if (memcmp(sender, target, 4) == 0)
		return describe("announce", AF_INET, sender, mac, ret);
	if (arp[7] == 2)
		return describe("reply", AF_INET, sender, mac, ret);
	return describe(memcmp(sender, nobody, 4) ? "request" : "probe", AF_INET, target, mac, ret);
}

static bool describe_nd(const uint8_t *frame, char ret[static TEXT_MAX])
{
	const uint8_t *icmp6 = frame + ICMP6_AT, *source = frame + ETH_LEN + 8;
	static const uint8_t nobody[16];

	if (icmp6[0] == NA_TYPE)
		return describe("announce", AF_INET6, icmp6 + 8, frame + 6, ret);
	return icmp6[0] == NS_TYPE && memcmp(source, nobody, 16) == 0 &&
	       describe("probe", AF_INET6, icmp6 + 8, frame + 6, ret);
}

static bool describe_frame(const uint8_t *frame, size_t len, char ret[static TEXT_MAX])
{
	if (len >= ETH_LEN + ARP_LEN && frame[12] == 0x08 && frame[13] == 0x06)
		return describe_arp(frame + ETH_LEN, ret);
	if (len >= ICMP6_AT + NA_LEN && frame[12] == 0x86 && frame[13] == 0xdd &&
	    frame[ETH_LEN + 6] == IPPROTO_ICMPV6)
		return describe_nd(frame, ret);
	return is_udp_to(frame, len, HEARTBEAT_PORT) &&
	       describe("beat", AF_INET, frame + ETH_LEN + 12, frame + 6, ret);
}

static int print_frames(int fd)
{
	uint64_t until_ns = probe_now_ns(), at_ns;
	uint8_t frame[FRAME_SIZE];
	char text[TEXT_MAX];
	bool outgoing;
	ssize_t n;

	do { /* what waits */
		n = packet_receive(fd, until_ns, frame, &at_ns, &outgoing);
		if (n > 0 && describe_frame(frame, (size_t)n, text))
			printf("%ju %s\n", (uintmax_t)(at_ns / 1000), text);
	} while (n > 0);
	return (int)n;
}

/* Tell of the frames on a link, both directions, until a signal comes: "US KIND ADDRESS MAC". */
int frames_verb(int argc, char **argv)
{
	_cleanup_(close_fdp) int fd = -1;
	_cleanup_(close_fdp) int signals = -1;
	int r;

	if (argc < 2 || argc > 3)
		return probe_usage("frames LINK [FIFO]");
	signals = probe_signal_fd();
	r = signals < 0 ? signals : packet_open(argv[1], &fd);
	if (r >= 0)
		r = probe_ready(argc == 3 ? argv[2] : NULL);
	while (r >= 0 && probe_wait(signals, probe_now_ns() + 10 * 1000000) == 0)
		r = print_frames(fd);
	if (r >= 0)
		r = print_frames(fd);
	return r < 0 ? probe_fail(argv[1], r) : 0;
}

/* Wait for one frame, coming in or going out. */
int wait_frame_verb(int argc, char **argv)
{
	_cleanup_(close_fdp) int fd = -1;
	char wanted[TEXT_MAX], text[TEXT_MAX];
	uint64_t deadline_ns, at_ns;
	uint8_t frame[FRAME_SIZE];
	bool outgoing;
	ssize_t n = 1;
	int r;

	if (argc < 6 || argc > 7 || probe_timeout_ns(argv[5], &deadline_ns) < 0)
		return probe_usage("wait-frame LINK KIND ADDRESS MAC SECONDS [FIFO]");
	(void)snprintf(wanted, sizeof(wanted), "%s %s %s", argv[2], argv[3], argv[4]);
	r = packet_open(argv[1], &fd);
	if (r >= 0)
		r = probe_ready(argc == 7 ? argv[6] : NULL);
	if (r < 0)
		return probe_fail(argv[1], r);
	while (n > 0) {
		n = packet_receive(fd, deadline_ns, frame, &at_ns, &outgoing);
		if (n > 0 && describe_frame(frame, (size_t)n, text) && !strcmp(text, wanted))
			return 0;
	}
	return n < 0 ? probe_fail("wait-frame", (int)n) : 1;
}

/* RFC 826: a reply to everybody */
static size_t usurp_ipv4(const uint8_t *ip, const uint8_t *mac, uint8_t ret[static FRAME_SIZE])
{
	static const uint8_t head[] = { 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 2 };

	memset(ret, 0, 60);
	memset(ret, 0xff, 6);
	memcpy(ret + 6, mac, 6);
	memcpy(ret + 12, head, sizeof(head));
	memcpy(ret + 22, mac, 6);
	memcpy(ret + 28, ip, 4);
	memcpy(ret + 32, mac, 6);
	memcpy(ret + 38, ip, 4);
	return 60;
}

/* RFC 4861: an advertisement to all nodes, from the address itself */
static size_t usurp_ipv6(const uint8_t *ip, const uint8_t *mac, uint8_t ret[static FRAME_SIZE])
{
	enum { LEN = ICMP6_AT + NA_LEN + 8 };
	static const uint8_t head[] = { 0x86, 0xdd,	  0x60,		  0,  0, 0,
					0,    NA_LEN + 8, IPPROTO_ICMPV6, 255 };
	uint32_t sum = NA_LEN + 8 + IPPROTO_ICMPV6;

	memset(ret, 0, LEN);
	memcpy(ret, (const uint8_t[6]){ 0x33, 0x33, [5] = 1 }, 6);
	memcpy(ret + 6, mac, 6);
	memcpy(ret + 12, head, sizeof(head));
	memcpy(ret + 22, ip, 16);
	memcpy(ret + 38, (const uint8_t[16]){ 0xff, 2, [15] = 1 }, 16);
	ret[54] = NA_TYPE;
	ret[58] = 0x20; /* override */
	memcpy(ret + 62, ip, 16);
	ret[78] = 2;
	ret[79] = 1;
	memcpy(ret + 80, mac, 6);
	for (size_t i = 22; i < LEN; i += 2)
		sum += (uint32_t)(ret[i] << 8 | ret[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ret[56] = (uint8_t)(~sum >> 8);
	ret[57] = (uint8_t)~sum;
	return LEN;
}

/* Say so often that an address is at a MAC. */
int usurp_verb(int argc, char **argv)
{
	_cleanup_(close_fdp) int fd = -1;
	const struct timespec ms = { .tv_nsec = 1000000 };
	uint8_t frame[FRAME_SIZE], ip[16];
	struct ether_addr mac;
	uint64_t count;
	size_t len;
	int r;

	if (argc != 5 || !ether_aton_r(argv[3], &mac) || probe_number(argv[4], &count) < 0)
		return probe_usage("usurp LINK ADDRESS MAC COUNT");
	if (inet_pton(AF_INET, argv[2], ip) == 1)
		len = usurp_ipv4(ip, mac.ether_addr_octet, frame);
	else if (inet_pton(AF_INET6, argv[2], ip) == 1)
		len = usurp_ipv6(ip, mac.ether_addr_octet, frame);
	else
		return probe_usage("usurp: ADDRESS is none");
	r = packet_open(argv[1], &fd);
	for (uint64_t i = 0; i < count && r >= 0; i++) {
		if (send(fd, frame, len, 0) < 0)
			r = -errno;
		if (i % 100 == 99) /* the bridge keeps up */
			(void)nanosleep(&ms, NULL);
	}
	return r < 0 ? probe_fail(argv[1], r) : 0;
}

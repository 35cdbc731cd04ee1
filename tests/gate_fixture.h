/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the tests of the gate share. Each test is a process of its own and takes
 * network namespaces of its own. Time-outs are long where their end is not the
 * subject, so that a busy machine changes nothing.
 */

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/cleanup.h"
#include "netlink/gate.h"

enum {
	PORT = 7373,
	MARK = 0x7a6b0001,
	MARK_SILENT = MARK + 1,
	LEASE_MS = 20000,
	LONG_MS = 60000,
	SHORT_MS = 40,
	BOUND_MS = 10000, /* of waiting for what must come */
};

static const struct gate_vip vips[] = {
	{ .group = 1, .ip = { .family = 4, .bytes = { 10, 77, 0, 100 } } },
	{ .group = 1, .ip = { .family = 6, .bytes = { 0xfd, 0x77, [14] = 1 } } },
	{ .group = 2, .ip = { .family = 4, .bytes = { 10, 77, 0, 101 } } },
};

static const char *const names[] = { "sip", "db", "web", [3 ... 254] = "another" };

static const struct gate_config config = {
	.port = PORT,
	.mark = MARK,
	.lease_ms = LEASE_MS,
	.echo_ms = LONG_MS,
	.n_groups = 3,
	.names = names,
	.vips = vips,
	.n_vips = ARRAY_SIZE(vips),
};

static inline uint64_t now_ms(void)
{
	struct timespec ts;

	cr_assert_eq(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static inline int run(const char *command)
{
	return system(command);
}

static inline int new_namespace(void)
{
	int fd;

	cr_assert_eq(unshare(CLONE_NEWNET), 0, "needs root");
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(run("ip link set lo up"), 0);
	return fd;
}

/* A cable from n0, here, to c0 in the namespace of a client. */
static inline void plug_in(int client)
{
	char command[256];

	(void)snprintf(command, sizeof(command),
		       "ip link add n0 address 02:00:00:00:00:01 type veth "
		       "peer name c0 address 02:00:00:00:00:02 netns /proc/%d/fd/%d",
		       getpid(), client);
	cr_assert_eq(run(command), 0);
}

static inline struct nl *open_nf(void)
{
	struct nl *nf;

	cr_assert_eq(nl_open(NETLINK_NETFILTER, &nf), 0);
	return nf;
}

/* A node on its own, for what needs no client. */
static inline struct nl *enter_node(void)
{
	close(new_namespace());
	return open_nf();
}

static inline socklen_t parse_address(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in4 = (void *)ret;
	struct sockaddr_in6 *in6 = (void *)ret;

	*ret = (struct sockaddr_storage){ 0 };
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		return sizeof(*in4);
	}
	cr_assert_eq(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return sizeof(*in6);
}

static inline int open_socket(int type, int protocol, const char *address, uint16_t port)
{
	struct sockaddr_storage self;
	socklen_t len = parse_address(address, port, &self);
	int fd = socket(self.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&self, len), 0, "%s: %s", address,
		     strerror(errno));
	return fd;
}

static inline void send_text(int fd, const char *address, uint16_t port, const void *data,
			     size_t len, int want)
{
	struct sockaddr_storage to;
	socklen_t to_len = parse_address(address, port, &to);
	ssize_t r = sendto(fd, data, len, 0, (struct sockaddr *)&to, to_len);

	cr_assert_eq(r < 0 ? -errno : 0, want, "to %s: %s", address, strerror(errno));
}

/* A raw ICMPv6 socket that may ask for neighbours on an interface. */
static inline int open_solicitor(const char *address, int ifindex)
{
	const int hops = 255; /* RFC 4861, 7.1.1 */
	int fd = open_socket(SOCK_RAW, IPPROTO_ICMPV6, address, 0);

	cr_assert_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)), 0);
	cr_assert_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &ifindex, sizeof(ifindex)), 0);
	return fd;
}

/* To the group of the target's last three bytes, as RFC 4861 has it. */
static inline void solicit(int fd, const char *target)
{
	struct nd_neighbor_solicit ns = { .nd_ns_hdr.icmp6_type = ND_NEIGHBOR_SOLICIT };
	char group[INET6_ADDRSTRLEN];

	inet_pton(AF_INET6, target, &ns.nd_ns_target);
	(void)snprintf(group, sizeof(group), "ff02::1:ff%02x:%02x%02x", ns.nd_ns_target.s6_addr[13],
		       ns.nd_ns_target.s6_addr[14], ns.nd_ns_target.s6_addr[15]);
	send_text(fd, group, 0, &ns, sizeof(ns), 0);
}

/* By a raw socket of the address's family. */
static inline void ping(int fd, const char *target)
{
	/* Type, code, checksum, identifier and number; for IPv6 the kernel does the sum. */
	static const uint8_t echo4[8] = { 8, 0, 0xf7, 0xff };
	static const uint8_t echo6[8] = { ICMP6_ECHO_REQUEST };

	send_text(fd, target, 0, strchr(target, ':') ? echo6 : echo4, sizeof(echo4), 0);
}

static inline struct gate_state read_gate(struct nl *nf)
{
	struct gate_state state;

	cr_assert_eq(gate_read(nf, &config, &state), 0);
	return state;
}

/* What a set holds. */
struct dump {
	size_t n;
	uint64_t expires_ms; /* of the last one */
};

static inline int count_element(struct nftnl_set_elem *elem, void *data)
{
	struct dump *dump = data;

	dump->n++;
	if (nftnl_set_elem_is_set(elem, NFTNL_SET_ELEM_EXPIRATION))
		dump->expires_ms = nftnl_set_elem_get_u64(elem, NFTNL_SET_ELEM_EXPIRATION);
	return 0;
}

static inline int visit_set(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_set *set = nftnl_set_alloc();

	cr_assert_eq(nftnl_set_elems_nlmsg_parse(nlh, set), 0);
	nftnl_set_elem_foreach(set, count_element, data);
	nftnl_set_free(set);
	return 0;
}

static inline struct dump dump_set_of(struct nl *nf, const char *table, uint16_t family,
				      const char *name)
{
	_Alignas(struct nlmsghdr) char buf[256];
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETSETELEM, family, 0, 0);
	struct nftnl_set *set = nftnl_set_alloc();
	struct dump dump = { 0 };

	nftnl_set_set_str(set, NFTNL_SET_TABLE, table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_elems_nlmsg_build_payload(nlh, set);
	nftnl_set_free(set);
	cr_assert_eq(nl_dump(nf, nlh, visit_set, &dump), 0);
	return dump;
}

static inline struct dump dump_set(struct nl *nf, uint16_t family, const char *name)
{
	return dump_set_of(nf, "takeover", family, name);
}

static inline uint64_t left_ms(struct nl *nf, uint16_t family, const char *set)
{
	struct dump dump = dump_set(nf, family, set);

	cr_assert_eq(dump.n, 1);
	return dump.expires_ms;
}

static inline uint64_t lease_left_ms(struct nl *nf, uint16_t family)
{
	return left_ms(nf, family, "lease");
}

/* Polls, since nobody is told when an element runs out. */
static inline void wait_run_out(struct nl *nf, uint16_t family, const char *set)
{
	uint64_t end = now_ms() + BOUND_MS;

	while (dump_set(nf, family, set).n > 0) {
		cr_assert_lt(now_ms(), end, "%s does not run out", set);
		(void)poll(NULL, 0, 1);
	}
}

static inline void install(struct nl *nf)
{
	cr_assert_eq(gate_install(nf, &config, NULL), 0);
}

static inline void create(struct nl *nf, uint32_t lease_ms, uint32_t group, enum gate_level level)
{
	struct gate_config c = config;

	c.lease_ms = lease_ms;
	cr_assert_eq(gate_ticket(nf, group, LONG_MS), 0);
	cr_assert_eq(gate_create(nf, &c, group, level), 0);
}

/* A heartbeat to this host itself, once the input hook has seen it. */
static inline void beat_to(const char *address, uint16_t port, uint32_t mark, uint8_t flag)
{
	const uint8_t beat[16] = { [7] = flag };
	_cleanup_(close_fdp) int receiver = open_socket(SOCK_DGRAM, 0, address, port);
	_cleanup_(close_fdp) int sender = open_socket(SOCK_DGRAM, 0, address, 0);
	struct pollfd pollfd = { .fd = receiver, .events = POLLIN };

	cr_assert_eq(setsockopt(sender, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	send_text(sender, address, port, beat, sizeof(beat), 0);
	cr_assert_eq(poll(&pollfd, 1, BOUND_MS), 1);
}

static inline void beat(uint32_t mark)
{
	beat_to("127.0.0.1", PORT, mark, 0);
}

static inline void hear_echo(void)
{
	beat_to("127.0.0.1", PORT, 0, 1);
}

/* A lease of LONG_MS, which a renewal would cut to LEASE_MS. */
static inline struct nl *enter_leased(void)
{
	struct nl *nf = enter_node();

	install(nf);
	create(nf, LONG_MS, 1, GATE_ANSWER);
	return nf;
}

static inline bool renewed(struct nl *nf)
{
	return lease_left_ms(nf, NFPROTO_INET) <= LEASE_MS;
}

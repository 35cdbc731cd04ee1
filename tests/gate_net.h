/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>

#include "tests/gate_fixture.h"

/*
 * A node with the macvlan vip0 on n0, for addresses on an interface of their own, and
 * a client that sees every frame. To show that something does *not* leave, something
 * else is sent behind it.
 */

#define VIP4 "10.77.0.100"
#define VIP6 "fd77::100"
#define OWN4 "10.77.0.1"
#define CLIENT4 "10.77.0.2"

enum { FRAME_MAX = 512 };

static const uint8_t vip_mac[6] = { 2, 0, 0, 0, 0x57, 1 }, own_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t client_mac[6] = { 2, 0, 0, 0, 0, 2 };

struct net {
	int node; /* namespaces */
	int client;
	struct nl *nf;
	int wire; /* every frame that comes to the client; and a way to send one */
};

static inline void leave_net(struct net *net)
{
	(void)nl_close(net->nf); /* the process ends now, and takes the rest */
}

/* Until the kernel has noticed the carrier, in a work queue, it drops what is sent. */
static inline void await_up(const char *device)
{
	char command[128];

	(void)snprintf(command, sizeof(command),
		       "for i in $(seq 1 1000); do"
		       " ip link show %s | grep -q ' state UP ' && exit 0; done; exit 1",
		       device);
	cr_assert_eq(run(command), 0);
}

static inline void enter_net(struct net *net)
{
	struct sockaddr_ll any = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

	net->client = new_namespace();
	net->node = new_namespace();
	net->nf = open_nf();
	plug_in(net->client);
	cr_assert_eq(setns(net->client, CLONE_NEWNET), 0);
	cr_assert_eq(run("ip link set c0 up && ip addr add " CLIENT4 "/24 dev c0"), 0);
	net->wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
	cr_assert_geq(net->wire, 0);
	any.sll_ifindex = (int)if_nametoindex("c0");
	cr_assert_eq(bind(net->wire, (struct sockaddr *)&any, sizeof(any)), 0);
	cr_assert_eq(setns(net->node, CLONE_NEWNET), 0);
	cr_assert_eq(run("ip -batch - <<'END'\n"
			 "link set n0 up\n"
			 "addr add " OWN4 "/24 dev n0\n"
			 "link add vip0 link n0 address 02:00:00:00:57:01 type macvlan mode "
			 "private\n"
			 "link set vip0 addrgenmode none\n"
			 "END\n"
			 "echo 1 >/proc/sys/net/ipv4/conf/vip0/arp_ignore\n"),
		     0);
	await_up("n0");
}

static inline void bring_up(void)
{
	cr_assert_eq(run("ip link set vip0 up && ip addr replace " VIP4 "/32 dev vip0 && "
			 "ip addr replace " VIP6 "/128 dev vip0 nodad"),
		     0);
}

static inline void send_frame(const struct net *net, const void *frame, size_t len)
{
	cr_assert_eq(send(net->wire, frame, len, 0), (ssize_t)len);
}

/* The next frame that the node has sent; false if none comes for that long. */
static inline bool next_frame(const struct net *net, uint8_t frame[static FRAME_MAX],
			      int timeout_ms)
{
	for (;;) {
		struct pollfd ready = { .fd = net->wire, .events = POLLIN };

		if (poll(&ready, 1, timeout_ms) <= 0)
			return false;
		memset(frame, 0, FRAME_MAX);
		cr_assert_gt(recv(net->wire, frame, FRAME_MAX, 0), 0);
		if (memcmp(frame + 6, client_mac, 6) != 0)
			return true;
	}
}

static inline const struct ether_arp *arp_of(const uint8_t *frame, uint16_t op)
{
	const struct ether_header *eth = (const void *)frame;
	const struct ether_arp *arp = (const void *)(eth + 1);

	return eth->ether_type == htons(ETHERTYPE_ARP) && arp->arp_op == htons(op) ? arp : NULL;
}

static inline void ask(const struct net *net, const char *target)
{
	struct {
		struct ether_header eth;
		struct ether_arp arp;
	} __attribute__((packed)) f = {
		.eth = { { 255, 255, 255, 255, 255, 255 },
			 { 2, 0, 0, 0, 0, 2 },
			 htons(ETHERTYPE_ARP) },
		.arp = { .ea_hdr = { htons(ARPHRD_ETHER), htons(ETH_P_IP), 6, 4,
				     htons(ARPOP_REQUEST) },
			 .arp_sha = { 2, 0, 0, 0, 0, 2 } },
	};

	inet_pton(AF_INET, CLIENT4, f.arp.arp_spa);
	inet_pton(AF_INET, target, f.arp.arp_tpa);
	send_frame(net, &f, sizeof(f));
}

/* A router that has everybody make addresses in fd99::/64. */
static inline void advertise(const struct net *net)
{
	struct {
		struct ether_header eth;
		struct ip6_hdr ip;
		struct nd_router_advert ra;
		struct nd_opt_prefix_info prefix;
	} __attribute__((packed)) f = {
		.eth = { { 0x33, 0x33, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 }, htons(ETHERTYPE_IPV6) },
		.ip = { .ip6_plen = htons(sizeof(f.ra) + sizeof(f.prefix)),
			.ip6_nxt = IPPROTO_ICMPV6,
			.ip6_hlim = 255 },
		.ra = { .nd_ra_type = ND_ROUTER_ADVERT },
		.prefix = { .nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION,
			    .nd_opt_pi_len = 4,
			    .nd_opt_pi_prefix_len = 64,
			    .nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO,
			    .nd_opt_pi_valid_time = htonl(3600),
			    .nd_opt_pi_preferred_time = htonl(3600) },
	};
	uint32_t sum = htons(sizeof(f.ra) + sizeof(f.prefix)) + htons(IPPROTO_ICMPV6);
	uint16_t words[(32 + sizeof(f.ra) + sizeof(f.prefix)) / 2];

	f.ip.ip6_flow = htonl(6U << 28);
	inet_pton(AF_INET6, "fe80::99", &f.ip.ip6_src);
	inet_pton(AF_INET6, "ff02::1", &f.ip.ip6_dst);
	inet_pton(AF_INET6, "fd99::", &f.prefix.nd_opt_pi_prefix);
	memcpy(words, &f.ip.ip6_src, sizeof(words));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	f.ra.nd_ra_cksum = (uint16_t)~sum;
	send_frame(net, &f, sizeof(f));
}

static inline bool has_prefix(const char *device)
{
	char command[128];

	(void)snprintf(command, sizeof(command),
		       "ip -6 address show dev %s | grep -q fd99: ||"
		       " ip -6 route show dev %s | grep -q fd99:",
		       device, device);
	return run(command) == 0;
}

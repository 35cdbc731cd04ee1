/* SPDX-License-Identifier: MIT */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>

#include "tests/gate_fixture.h"

/*
 * What the gate does for addresses on an interface of their own: a node with the
 * macvlan vip0 on n0, and a client that sees every frame. To show that something does
 * *not* leave, something else is sent behind it.
 */

#define VIP4 "10.77.0.100"
#define VIP6 "fd77::100"
#define OWN4 "10.77.0.1"
#define CLIENT4 "10.77.0.2"

enum { SERVICE = 9000, FRAME_MAX = 512 };

static const uint8_t vip_mac[6] = { 2, 0, 0, 0, 0x57, 1 }, own_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t client_mac[6] = { 2, 0, 0, 0, 0, 2 };

static const struct gate_vip device_vips[] = {
	{ .group = 1, .device = 1, .ip = { .family = 4, .bytes = { 10, 77, 0, 100 } } },
	{ .group = 1, .device = 1, .ip = { .family = 6, .bytes = { 0xfd, 0x77, [14] = 1 } } },
};

static const struct gate_device devices[] = {
	{ .group = 1, .name = "vip0", .quiet = true },
	{ .group = 2, .name = "eth7" },
};

struct net {
	int client; /* namespace */
	struct nl *nf;
	int wire; /* every frame that comes to the client; and a way to send one */
};

static void leave_net(struct net *net)
{
	(void)nl_close(net->nf); /* the process ends now, and takes the rest */
}

static struct gate_config device_config(void)
{
	struct gate_config c = config;

	c.vips = device_vips;
	c.n_vips = ARRAY_SIZE(device_vips);
	c.devices = devices;
	c.n_devices = ARRAY_SIZE(devices);
	return c;
}

/* Until the kernel has noticed the carrier, in a work queue, it drops what is sent. */
static void await_up(const char *device)
{
	char command[128];

	(void)snprintf(command, sizeof(command),
		       "for i in $(seq 1 1000); do"
		       " ip link show %s | grep -q ' state UP ' && exit 0; done; exit 1",
		       device);
	cr_assert_eq(run(command), 0);
}

static void enter_net(struct net *net)
{
	struct sockaddr_ll any = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	char command[256];
	int node;

	net->client = new_namespace();
	node = new_namespace();
	net->nf = open_nf();
	(void)snprintf(command, sizeof(command),
		       "ip link add n0 address 02:00:00:00:00:01 type veth "
		       "peer name c0 address 02:00:00:00:00:02 netns /proc/%d/fd/%d",
		       getpid(), net->client);
	cr_assert_eq(run(command), 0);
	cr_assert_eq(setns(net->client, CLONE_NEWNET), 0);
	cr_assert_eq(run("ip link set c0 up && ip addr add " CLIENT4 "/24 dev c0"), 0);
	net->wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
	cr_assert_geq(net->wire, 0);
	any.sll_ifindex = (int)if_nametoindex("c0");
	cr_assert_eq(bind(net->wire, (struct sockaddr *)&any, sizeof(any)), 0);
	cr_assert_eq(setns(node, CLONE_NEWNET), 0);
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

static void bring_up(void)
{
	cr_assert_eq(run("ip link set vip0 up && ip addr replace " VIP4 "/32 dev vip0 && "
			 "ip addr replace " VIP6 "/128 dev vip0 nodad"),
		     0);
}

static void install_at(struct net *net, enum gate_level level)
{
	struct gate_config c = device_config();

	cr_assert_eq(gate_install(net->nf, &c, NULL), 0);
	if (level == GATE_CLOSED)
		return;
	cr_assert_eq(gate_ticket(net->nf, 1, LONG_MS), 0);
	cr_assert_eq(gate_create(net->nf, &c, 1, level), 0);
}

static void send_frame(const struct net *net, const void *frame, size_t len)
{
	cr_assert_eq(send(net->wire, frame, len, 0), (ssize_t)len);
}

/* The next frame that the node has sent; false if none comes for that long. */
static bool next_frame(const struct net *net, uint8_t frame[static FRAME_MAX], int timeout_ms)
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

static const struct ether_arp *arp_of(const uint8_t *frame, uint16_t op)
{
	const struct ether_header *eth = (const void *)frame;
	const struct ether_arp *arp = (const void *)(eth + 1);

	return eth->ether_type == htons(ETHERTYPE_ARP) && arp->arp_op == htons(op) ? arp : NULL;
}

static void ask(const struct net *net, const char *target)
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

/* Who answers for the address on the wire; both may. */
static void who_has(const struct net *net, const char *target, bool *ret_vip_mac, bool *ret_own_mac)
{
	uint8_t frame[FRAME_MAX], ip[4], own[4];
	const struct ether_arp *arp;

	*ret_vip_mac = *ret_own_mac = false;
	inet_pton(AF_INET, target, ip);
	inet_pton(AF_INET, OWN4, own);
	ask(net, target);
	/* What is for all comes to a macvlan by a queue of its own: it answers last. */
	for (int i = 0; i < 2; i++) {
		ask(net, i == 0 ? OWN4 : VIP4);
		do {
			cr_assert(next_frame(net, frame, BOUND_MS));
			arp = arp_of(frame, ARPOP_REPLY);
			if (!arp || memcmp(arp->arp_spa, ip, 4) != 0)
				continue;
			*ret_vip_mac |= !memcmp(arp->arp_sha, vip_mac, 6);
			*ret_own_mac |= !memcmp(arp->arp_sha, own_mac, 6);
		} while (i == 0 ? !arp || memcmp(arp->arp_spa, own, 4) != 0 : !*ret_vip_mac);
	}
}

Test(gate_devices, without_a_gate_each_device_answers)
{
	_cleanup_(leave_net) struct net net = { 0 };
	bool by_vip, by_own;

	enter_net(&net);
	bring_up();
	who_has(&net, VIP4, &by_vip, &by_own);
	cr_assert(by_vip && by_own);
}

Test(gate_devices, only_the_device_of_an_address_answers_for_it)
{
	_cleanup_(leave_net) struct net net = { 0 };
	bool by_vip, by_own;

	enter_net(&net);
	bring_up();
	install_at(&net, GATE_ANSWER);
	who_has(&net, VIP4, &by_vip, &by_own);
	cr_assert(by_vip);
	cr_assert_not(by_own);
}

/* The first ARP request that the node sends after a datagram from the address. */
static struct ether_arp question(const struct net *net)
{
	_cleanup_(close_fdp) int fd = open_socket(SOCK_DGRAM, 0, VIP4, SERVICE);
	uint8_t frame[FRAME_MAX];

	send_text(fd, CLIENT4, SERVICE, "!", 1, 0);
	do {
		cr_assert(next_frame(net, frame, BOUND_MS));
	} while (!arp_of(frame, ARPOP_REQUEST));
	return *arp_of(frame, ARPOP_REQUEST);
}

Test(gate_devices, other_devices_ask_in_nobodys_name_and_are_answered)
{
	static const uint8_t nobody[4];
	_cleanup_(leave_net) struct net net = { 0 };
	struct ether_arp arp;

	enter_net(&net);
	bring_up();
	install_at(&net, GATE_READY);
	arp = question(&net);
	cr_assert_arr_eq(arp.arp_sha, own_mac, 6);
	cr_assert_arr_eq(arp.arp_spa, nobody, 4);
	cr_assert_eq(run("for i in $(seq 1 1000); do"
			 " ip neigh show " CLIENT4 " dev n0 | grep -q REACHABLE && exit 0;"
			 " done; exit 1"),
		     0);
}

/* Has anything been sent with the MAC of the device, until the node sends something else? */
static bool chatters(const struct net *net)
{
	uint8_t frame[FRAME_MAX];
	bool heard = false;

	ask(net, OWN4);
	do {
		cr_assert(next_frame(net, frame, BOUND_MS));
		heard |= !memcmp(frame + 6, vip_mac, 6);
	} while (!arp_of(frame, ARPOP_REPLY));
	return heard;
}

Test(gate_devices, one_that_is_quiet_reports_no_multicast_groups_until_it_may_answer)
{
	static const enum gate_level levels[] = { GATE_CLOSED, GATE_SERVE, GATE_READY };
	_cleanup_(leave_net) struct net net = { 0 };
	uint8_t frame[FRAME_MAX];

	enter_net(&net);
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		install_at(&net, levels[i]);
		bring_up();
		cr_assert_not(chatters(&net), "level %d, up", (int)levels[i]);
		cr_assert_eq(run("ip link set vip0 down"), 0);
		cr_assert_not(chatters(&net), "level %d, down", (int)levels[i]);
	}
	install_at(&net, GATE_ANSWER);
	bring_up();
	do {
		cr_assert(next_frame(&net, frame, BOUND_MS), "it is the gate that keeps it quiet");
	} while (memcmp(frame + 6, vip_mac, 6) != 0);
}

/* A router that has everybody make addresses in fd99::/64. */
static void advertise(const struct net *net)
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

static bool has_prefix(const char *device)
{
	char command[128];

	(void)snprintf(command, sizeof(command),
		       "ip -6 address show dev %s | grep -q fd99: ||"
		       " ip -6 route show dev %s | grep -q fd99:",
		       device, device);
	return run(command) == 0;
}

Test(gate_devices, one_that_is_quiet_does_not_follow_a_router)
{
	_cleanup_(leave_net) struct net net = { 0 };
	bool by_vip, by_own;

	enter_net(&net);
	bring_up();
	install_at(&net, GATE_ANSWER);
	advertise(&net);
	who_has(&net, VIP4, &by_vip, &by_own); /* it came after the advertisement, to both */
	cr_assert(has_prefix("n0"));
	cr_assert_not(has_prefix("vip0"));
	cr_assert_eq(gate_remove(net.nf), 0);
	advertise(&net);
	who_has(&net, VIP4, &by_vip, &by_own);
	cr_assert(has_prefix("vip0"), "it is the gate that keeps it from that");
}

Test(gate_devices, are_part_of_what_the_gate_was_laid_for)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_config same = device_config(), c[] = { same, same, same, same, same };
	struct gate_device other[4][ARRAY_SIZE(devices)];
	struct gate_vip elsewhere[] = { device_vips[0], device_vips[1] };
	struct gate_state state;

	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		memcpy(other[i], devices, sizeof(devices));
		c[i].devices = other[i];
	}
	other[0][1].group++;
	other[1][0].name[3]++;
	other[2][1].quiet = true;
	c[3].n_devices--;
	elsewhere[0].device = 2;
	c[4].vips = elsewhere;
	cr_assert_eq(gate_install(nf, &same, NULL), 0);
	cr_assert_eq(gate_read(nf, &same, &state), 0);
	cr_assert(state.installed);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		cr_assert_eq(gate_read(nf, &c[i], &state), 0);
		cr_assert_not(state.installed, "configuration %zu", i);
	}
}

Test(gate_devices, listing_can_be_loaded_again)
{
	_cleanup_(leave_net) struct net net = { 0 };
	bool by_vip, by_own;

	enter_net(&net);
	bring_up();
	install_at(&net, GATE_ANSWER);
	cr_assert_eq(run("set -e; all=$(nft list ruleset); nft flush ruleset; "
			 "echo \"$all\" | nft -f -"),
		     0);
	who_has(&net, VIP4, &by_vip, &by_own);
	cr_assert(by_vip);
	cr_assert_not(by_own);
}

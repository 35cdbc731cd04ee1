/* SPDX-License-Identifier: MIT */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>

#include "tests/gate_fixture.h"

/*
 * What the gate does to traffic: a node, and a client on a veth. To show that
 * something is *not* answered, the same is asked of an address that the gate
 * does not know, after it on the same way: once that one has answered, an
 * answer of the other would be there.
 */

enum { SERVICE = 9000 };

#define VIP4 "10.77.0.100"
#define VIP6 "fd77::100"
#define OWN4 "10.77.0.1"
#define OWN6 "fd77::1"
#define CLIENT4 "10.77.0.2"
#define CLIENT6 "fd77::2"

/* A question of a client. */
enum probe {
	PROBE_ARP,
	PROBE_ND,
	PROBE_PING4,
	PROBE_PING6,
	PROBE_UDP4,
	PROBE_UDP6,
	_PROBE_MAX,
};

/* Where the service listens. */
static const char *const service_addresses[] = { VIP4, VIP6, OWN4, OWN6 };

struct net {
	int node; /* namespaces */
	int client;
	struct nl *nf;
	int ifindex;		/* of the client */
	int probes[_PROBE_MAX]; /* sockets of the client */
	int services[ARRAY_SIZE(service_addresses)];
	unsigned n_served[ARRAY_SIZE(service_addresses)]; /* datagrams that came in */
};

static void leave_net(struct net *net)
{
	(void)nl_close(net->nf); /* the process ends now, and takes the rest */
}

static bool is_from(const struct sockaddr_storage *from, const char *text)
{
	char name[INET6_ADDRSTRLEN] = "";

	if (from->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, name,
			  sizeof(name));
	else
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)from)->sin6_addr, name,
			  sizeof(name));
	return strcmp(name, text) == 0;
}

static void send_arp(const struct net *net, const char *target)
{
	const struct sockaddr_ll to = { .sll_family = AF_PACKET,
					.sll_protocol = htons(ETH_P_ARP),
					.sll_ifindex = net->ifindex,
					.sll_halen = 6,
					.sll_addr = { 255, 255, 255, 255, 255, 255 } };
	struct ether_arp arp = { .ea_hdr = { .ar_hrd = htons(ARPHRD_ETHER),
					     .ar_pro = htons(ETH_P_IP),
					     .ar_hln = 6,
					     .ar_pln = 4,
					     .ar_op = htons(ARPOP_REQUEST) },
				 .arp_sha = { 2, 0, 0, 0, 0, 2 } };

	inet_pton(AF_INET, CLIENT4, arp.arp_spa);
	inet_pton(AF_INET, target, arp.arp_tpa);
	cr_assert_eq(sendto(net->probes[PROBE_ARP], &arp, sizeof(arp), 0,
			    (const struct sockaddr *)&to, sizeof(to)),
		     sizeof(arp));
}

static void ask(const struct net *net, enum probe probe, const char *target)
{
	switch (probe) {
	case PROBE_ARP:
		send_arp(net, target);
		break;
	case PROBE_ND:
		solicit(net->probes[probe], target);
		break;
	case PROBE_PING4:
	case PROBE_PING6:
		ping(net->probes[probe], target);
		break;
	case PROBE_UDP4:
	case PROBE_UDP6:
		send_text(net->probes[probe], target, SERVICE, "?", 1, 0);
		break;
	case _PROBE_MAX:
		cr_assert_fail();
	}
}

static bool is_answer(enum probe probe, const uint8_t *data, size_t len)
{
	switch (probe) {
	case PROBE_ARP:
		return len >= sizeof(struct ether_arp) && data[7] == ARPOP_REPLY;
	case PROBE_ND:
		return len > 0 && data[0] == ND_NEIGHBOR_ADVERT;
	case PROBE_PING4:
		return len > 20 && data[20] == 0; /* behind the IP header: echo reply */
	case PROBE_PING6:
		return len > 0 && data[0] == ICMP6_ECHO_REPLY;
	case PROBE_UDP4:
	case PROBE_UDP6:
		return len == 1;
	case _PROBE_MAX:
		break;
	}
	return false;
}

/* Reads all that is there, and notes which of the two have answered. */
static void hear(const struct net *net, enum probe probe, const char *vip, const char *own,
		 bool *vip_answered, bool *own_answered)
{
	for (;;) {
		struct sockaddr_storage from = { 0 };
		socklen_t from_len = sizeof(from);
		uint8_t buf[256];
		ssize_t len = recvfrom(net->probes[probe], buf, sizeof(buf), 0,
				       (struct sockaddr *)&from, &from_len);

		if (len < 0)
			return;
		if (!is_answer(probe, buf, (size_t)len))
			continue;
		if (probe == PROBE_ARP) {
			struct sockaddr_in *in4 = (void *)&from;

			from = (struct sockaddr_storage){ .ss_family = AF_INET };
			memcpy(&in4->sin_addr, ((struct ether_arp *)buf)->arp_spa, 4);
		}
		*vip_answered |= is_from(&from, vip);
		*own_answered |= is_from(&from, own);
	}
}

/* The service sends back what it gets. */
static void serve(struct net *net)
{
	for (size_t i = 0; i < ARRAY_SIZE(net->services); i++) {
		for (;;) {
			struct sockaddr_storage from;
			socklen_t from_len = sizeof(from);
			char buf[16];
			ssize_t len = recvfrom(net->services[i], buf, sizeof(buf), 0,
					       (struct sockaddr *)&from, &from_len);

			if (len < 0)
				break;
			net->n_served[i]++;
			(void)sendto(net->services[i], buf, (size_t)len, 0,
				     (struct sockaddr *)&from, from_len); /* may be gated */
		}
	}
}

/* 1 if the virtual address answers, 0 if only the other does, -1 if neither does in time. */
static int try_probe(struct net *net, enum probe probe, unsigned timeout_ms)
{
	bool v6 = probe == PROBE_ND || probe == PROBE_PING6 || probe == PROBE_UDP6;
	const char *vip = v6 ? VIP6 : VIP4, *own = v6 ? OWN6 : OWN4;
	bool vip_answered = false, own_answered = false;
	uint64_t end = now_ms() + timeout_ms;

	hear(net, probe, "", "", &vip_answered, &own_answered); /* of earlier questions */
	ask(net, probe, vip);
	ask(net, probe, own);
	while (now_ms() < end) {
		struct pollfd fds[ARRAY_SIZE(net->services) + 1];

		for (size_t i = 0; i < ARRAY_SIZE(net->services); i++)
			fds[i] = (struct pollfd){ .fd = net->services[i], .events = POLLIN };
		fds[ARRAY_SIZE(net->services)] =
			(struct pollfd){ .fd = net->probes[probe], .events = POLLIN };
		(void)poll(fds, ARRAY_SIZE(fds), 20);
		serve(net);
		hear(net, probe, vip, own, &vip_answered, &own_answered);
		if (own_answered)
			return vip_answered;
	}
	return -1;
}

static bool answers(struct net *net, enum probe probe)
{
	int r = try_probe(net, probe, BOUND_MS);

	cr_assert_geq(r, 0, "probe %d: the address without a gate does not answer", probe);
	return r;
}

static void open_client(struct net *net)
{
	const struct sockaddr_ll any = { .sll_family = AF_PACKET,
					 .sll_protocol = htons(ETH_P_ARP),
					 .sll_ifindex = (int)if_nametoindex("c0") };
	int arp = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ARP));

	cr_assert_geq(arp, 0);
	cr_assert_eq(bind(arp, (const struct sockaddr *)&any, sizeof(any)), 0);
	net->ifindex = any.sll_ifindex;
	net->probes[PROBE_ARP] = arp;
	net->probes[PROBE_ND] = open_solicitor(CLIENT6, net->ifindex);
	net->probes[PROBE_PING4] = open_socket(SOCK_RAW, IPPROTO_ICMP, CLIENT4, 0);
	net->probes[PROBE_PING6] = open_socket(SOCK_RAW, IPPROTO_ICMPV6, CLIENT6, 0);
	net->probes[PROBE_UDP4] = open_socket(SOCK_DGRAM, 0, CLIENT4, SERVICE);
	net->probes[PROBE_UDP6] = open_socket(SOCK_DGRAM, 0, CLIENT6, SERVICE);
}

/* Node and client, all addresses on; entries that never age, so that only probes ask. */
static void enter_net(struct net *net)
{
	net->client = new_namespace();
	net->node = new_namespace();
	net->nf = open_nf();
	plug_in(net->client);
	cr_assert_eq(run("ip -batch - <<'END'\n"
			 "link set n0 up\n"
			 "addr add " OWN4 "/24 dev n0\n"
			 "addr add " VIP4 "/32 dev n0\n"
			 "addr add " OWN6 "/64 dev n0 nodad\n"
			 "addr add " VIP6 "/128 dev n0 nodad\n"
			 "neigh add " CLIENT4 " lladdr 02:00:00:00:00:02 dev n0 nud permanent\n"
			 "neigh add " CLIENT6 " lladdr 02:00:00:00:00:02 dev n0 nud permanent\n"
			 "END"),
		     0);
	cr_assert_eq(setns(net->client, CLONE_NEWNET), 0);
	cr_assert_eq(run("ip -batch - <<'END'\n"
			 "link set c0 up\n"
			 "addr add " CLIENT4 "/24 dev c0\n"
			 "addr add " CLIENT6 "/64 dev c0 nodad\n"
			 "neigh add " OWN4 " lladdr 02:00:00:00:00:01 dev c0 nud permanent\n"
			 "neigh add " VIP4 " lladdr 02:00:00:00:00:01 dev c0 nud permanent\n"
			 "neigh add " OWN6 " lladdr 02:00:00:00:00:01 dev c0 nud permanent\n"
			 "neigh add " VIP6 " lladdr 02:00:00:00:00:01 dev c0 nud permanent\n"
			 "END"),
		     0);
	open_client(net);
	cr_assert_eq(setns(net->node, CLONE_NEWNET), 0);
	for (size_t i = 0; i < ARRAY_SIZE(service_addresses); i++)
		net->services[i] = open_socket(SOCK_DGRAM, 0, service_addresses[i], SERVICE);

	/* IPv6 addresses work some time after they were acknowledged. */
	for (enum probe probe = 0; probe < _PROBE_MAX; probe++) {
		uint64_t end = now_ms() + BOUND_MS;

		while (try_probe(net, probe, 100) != 1)
			cr_assert_lt(now_ms(), end, "probe %d without a gate", probe);
	}
}

static void check_answers(struct net *net, bool traffic, bool discovery)
{
	memset(net->n_served, 0, sizeof(net->n_served));
	for (enum probe probe = 0; probe < _PROBE_MAX; probe++) {
		bool want = probe == PROBE_ARP || probe == PROBE_ND ? discovery : traffic;

		cr_assert_eq(answers(net, probe), want, "probe %d", probe);
	}
	cr_assert_eq(net->n_served[0], traffic, "IPv4: let in");
	cr_assert_eq(net->n_served[1], traffic, "IPv6: let in");
}

/* What local processes send from the address. */
static void check_sending(const struct net *net, int want)
{
	send_text(net->services[0], CLIENT4, SERVICE, "!", 1, want);
	send_text(net->services[1], CLIENT6, SERVICE, "!", 1, want);
}

Test(gate_traffic, closed_lets_nothing_in_or_out_and_answers_nobody)
{
	_cleanup_(leave_net) struct net net = { 0 };

	enter_net(&net);
	install(net.nf);
	check_answers(&net, false, false);
	check_sending(&net, -EPERM);
}

Test(gate_traffic, lease_alone_opens_no_group)
{
	_cleanup_(leave_net) struct net net = { 0 };

	enter_net(&net);
	install(net.nf);
	create(net.nf, LEASE_MS, 2, GATE_ANSWER);
	check_answers(&net, false, false);
	check_sending(&net, -EPERM);
}

Test(gate_traffic, serve_lets_traffic_through_but_answers_nobody)
{
	_cleanup_(leave_net) struct net net = { 0 };

	enter_net(&net);
	install(net.nf);
	create(net.nf, LEASE_MS, 1, GATE_SERVE);
	check_answers(&net, true, false);
	check_sending(&net, 0);
}

Test(gate_traffic, ready_lets_traffic_through_but_answers_nobody)
{
	_cleanup_(leave_net) struct net net = { 0 };

	enter_net(&net);
	install(net.nf);
	create(net.nf, LEASE_MS, 1, GATE_READY);
	check_answers(&net, true, false);
	check_sending(&net, 0);
}

/* The one who leaves must not teach anybody its MAC again, who comes may. */
Test(gate_traffic, ready_asks_for_neighbours_and_serve_does_not)
{
	_cleanup_(leave_net) struct net net = { 0 };

	enter_net(&net);
	install(net.nf);
	create(net.nf, LEASE_MS, 1, GATE_READY);
	cr_assert_eq(run("ip neigh del " CLIENT4 " dev n0"), 0);
	check_sending(&net, 0);
	cr_assert_eq(run("nft list chain arp takeover arp_1 | grep -q 'packets 0 '"), 0);
	cr_assert(answers(&net, PROBE_UDP4));

	cr_assert_eq(gate_set(net.nf, &config, 1, GATE_SERVE), 0);
	cr_assert_eq(run("ip neigh del " CLIENT4 " dev n0"), 0);
	check_sending(&net, 0);
	cr_assert_neq(run("nft list chain arp takeover arp_1 | grep -q 'packets 0 '"), 0);
}

Test(gate_traffic, answer_lets_everything_through)
{
	_cleanup_(leave_net) struct net net = { 0 };

	enter_net(&net);
	install(net.nf);
	create(net.nf, LEASE_MS, 1, GATE_ANSWER);
	check_answers(&net, true, true);
	check_sending(&net, 0);
}

Test(gate_traffic, announcing_ends_before_serving)
{
	_cleanup_(leave_net) struct net net = { 0 };

	enter_net(&net);
	install(net.nf);
	create(net.nf, LEASE_MS, 1, GATE_ANSWER);
	cr_assert_eq(gate_set(net.nf, &config, 1, GATE_SERVE), 0);
	check_answers(&net, true, false);
	cr_assert_eq(gate_set(net.nf, &config, 1, GATE_CLOSED), 0);
	check_answers(&net, false, false);
}

Test(gate_traffic, lease_that_ran_out_closes_open_groups)
{
	_cleanup_(leave_net) struct net net = { 0 };
	struct gate_state state;

	enter_net(&net);
	install(net.nf);
	create(net.nf, SHORT_MS, 1, GATE_ANSWER);
	wait_run_out(net.nf, NFPROTO_INET, "lease");
	wait_run_out(net.nf, NFPROTO_ARP, "lease");
	state = read_gate(net.nf);
	cr_assert_not(state.lease_alive);
	cr_assert_eq(state.levels[1], GATE_ANSWER);
	check_answers(&net, false, false);
	check_sending(&net, -EPERM);
}

Test(gate_traffic, shut_closes_open_groups)
{
	_cleanup_(leave_net) struct net net = { 0 };

	enter_net(&net);
	install(net.nf);
	create(net.nf, LEASE_MS, 1, GATE_ANSWER);
	cr_assert_eq(gate_shut(net.nf, &config), 0);
	check_answers(&net, false, false);
}

/* IPv6 goes on sending from an address that the host does not have any more. */
Test(gate_traffic, closed_stops_sockets_that_outlive_their_address)
{
	_cleanup_(leave_net) struct net net = { 0 };

	enter_net(&net);
	install(net.nf);
	create(net.nf, LEASE_MS, 1, GATE_ANSWER);
	cr_assert_eq(run("ip addr del " VIP6 "/128 dev n0"), 0);
	send_text(net.services[1], CLIENT6, SERVICE, "!", 1, 0);
	cr_assert_eq(gate_set(net.nf, &config, 1, GATE_CLOSED), 0);
	send_text(net.services[1], CLIENT6, SERVICE, "!", 1, -EPERM);
}

/* A backup that is the router between the client and the primary. */
static void move_vip_behind_node(struct net *net)
{
	int other = new_namespace();
	char command[256];

	(void)snprintf(command, sizeof(command),
		       "ip link add s0 address 02:00:00:00:00:04 type veth "
		       "peer name n1 address 02:00:00:00:00:03 netns /proc/%d/fd/%d",
		       getpid(), net->node);
	cr_assert_eq(run(command), 0);
	cr_assert_eq(run("ip -batch - <<'END'\n"
			 "link set s0 up\n"
			 "addr add " VIP4 "/32 dev s0\n"
			 "route add " CLIENT4 " dev s0\n"
			 "neigh add " CLIENT4 " lladdr 02:00:00:00:00:03 dev s0 nud permanent\n"
			 "END"),
		     0);
	close(net->services[0]);
	net->services[0] = open_socket(SOCK_DGRAM, 0, VIP4, SERVICE);
	cr_assert_eq(setns(net->node, CLONE_NEWNET), 0);
	cr_assert_eq(run("ip -batch - <<'END'\n"
			 "addr del " VIP4 "/32 dev n0\n"
			 "link set n1 up\n"
			 "route add " VIP4 " dev n1\n"
			 "neigh add " VIP4 " lladdr 02:00:00:00:00:04 dev n1 nud permanent\n"
			 "END"),
		     0);
	cr_assert_eq(run("sysctl -qw net.ipv4.ip_forward=1"), 0);
	close(other);
}

Test(gate_traffic, closed_forwards_to_the_node_that_has_the_address)
{
	_cleanup_(leave_net) struct net net = { 0 };
	uint64_t end = now_ms() + BOUND_MS;

	enter_net(&net);
	install(net.nf);
	move_vip_behind_node(&net);
	while (!answers(&net, PROBE_UDP4)) /* which may come after the node's own answer */
		cr_assert_lt(now_ms(), end);
	cr_assert_not(answers(&net, PROBE_UDP6));
}

/* SPDX-License-Identifier: MIT */
#include "tests/gate_net.h"

/* What the moat does where a stranger has flushed the gate. */

#define CLIENT6 "fd77::2"
#define MOAT "takeover_moat"

static const struct gate_device devices[] = {
	{ .group = 1, .name = "vip0", .quiet = true, .staged = true },
	{ .group = 2, .name = "eth7", .staged = true },
	{ .group = 3, .name = "eth8", .quiet = true },
};

static const struct gate_vip moat_vips[] = {
	{ .group = 1, .device = 1, .ip = { .family = 4, .bytes = { 10, 77, 0, 100 } } },
	{ .group = 1, .device = 1, .ip = { .family = 6, .bytes = { 0xfd, 0x77, [14] = 1 } } },
	{ .group = 3, .device = 3, .ip = { .family = 4, .bytes = { 10, 77, 0, 101 } } },
	{ .group = 3, .ip = { .family = 4, .bytes = { 10, 77, 0, 102 } } },
};

/* Of the groups, 1 and 2 are staged, and 3 is not. */
static struct gate_config moat_config(void)
{
	struct gate_config c = config;

	c.vips = moat_vips;
	c.n_vips = ARRAY_SIZE(moat_vips);
	c.devices = devices;
	c.n_devices = ARRAY_SIZE(devices);
	return c;
}

/* What the node has sent. */
enum sent {
	SENT_ARP = 1,
	SENT_ND = 2,
	SENT_PING4 = 4,
	SENT_PING6 = 8,
	SENT_ALL = 15,	/* of what answers a client */
	SENT_MORE = 16, /* whatever else is by an address or by the MAC of the device */
};

struct client {
	struct net net;
	struct gate_config config;
	int solicitor, ping4, ping6; /* sockets */
};

static void leave(struct client *c)
{
	leave_net(&c->net);
}

static void at_client(const struct client *c, const char *command)
{
	cr_assert_eq(setns(c->net.client, CLONE_NEWNET), 0);
	cr_assert_eq(run(command), 0);
	cr_assert_eq(setns(c->net.node, CLONE_NEWNET), 0);
}

/* The client leads nowhere but to the node, and the node knows it without asking. */
static void enter(struct client *c)
{
	enter_net(&c->net);
	c->config = moat_config();
	cr_assert_eq(run("ip addr add fd77::1/64 dev n0 nodad && ip -batch - <<'END'\n"
			 "neigh add " CLIENT4 " lladdr 02:00:00:00:00:02 dev n0 nud permanent\n"
			 "neigh add " CLIENT6 " lladdr 02:00:00:00:00:02 dev n0 nud permanent\n"
			 "END"),
		     0);
	cr_assert_eq(setns(c->net.client, CLONE_NEWNET), 0);
	cr_assert_eq(run("ip addr add " CLIENT6 "/64 dev c0 nodad"), 0);
	c->solicitor = open_solicitor(CLIENT6, (int)if_nametoindex("c0"));
	c->ping4 = open_socket(SOCK_RAW, IPPROTO_ICMP, CLIENT4, 0);
	c->ping6 = open_socket(SOCK_RAW, IPPROTO_ICMPV6, CLIENT6, 0);
	cr_assert_eq(setns(c->net.node, CLONE_NEWNET), 0);
	cr_assert_eq(gate_install(c->net.nf, &c->config, NULL), 0);
}

/* With its addresses; it knows the client, too. */
static void raise_device(void)
{
	bring_up();
	cr_assert_eq(
		run("ip neigh replace " CLIENT6 " lladdr 02:00:00:00:00:02 dev vip0 nud permanent"),
		0);
}

static void open_group(struct client *c, uint32_t group, enum gate_level level)
{
	cr_assert_eq(gate_ticket(c->net.nf, group, LONG_MS), 0);
	cr_assert_eq(gate_create(c->net.nf, &c->config, group, level), 0);
}

static unsigned sent_ipv6(const uint8_t *frame)
{
	struct {
		struct ip6_hdr ip;
		struct nd_neighbor_advert icmp;
	} sent; /* in the frame it is not where such structs may be */

	memcpy(&sent, frame + sizeof(struct ether_header), sizeof(sent));
	if (sent.ip.ip6_nxt == IPPROTO_ICMPV6 && sent.icmp.nd_na_type == ND_NEIGHBOR_ADVERT &&
	    !memcmp(&sent.icmp.nd_na_target, moat_vips[1].ip.bytes, 16))
		return SENT_ND;
	if (memcmp(&sent.ip.ip6_src, moat_vips[1].ip.bytes, 16) != 0)
		return 0;
	return sent.ip.ip6_nxt == IPPROTO_ICMPV6 && sent.icmp.nd_na_type == ICMP6_ECHO_REPLY
		       ? SENT_PING6
		       : SENT_MORE;
}

static unsigned sent_ipv4(const uint8_t *frame)
{
	const uint8_t *ip = frame + sizeof(struct ether_header);

	if (memcmp(ip + 12, moat_vips[0].ip.bytes, 4) != 0) /* RFC 791: source */
		return 0;
	return ip[9] == IPPROTO_ICMP && ip[20] == 0 ? SENT_PING4 : SENT_MORE; /* echo reply */
}

static unsigned what_is(const uint8_t *frame)
{
	const struct ether_header *eth = (const void *)frame;
	const struct ether_arp *arp = (const void *)(eth + 1);
	unsigned sent = 0;

	if (eth->ether_type == htons(ETHERTYPE_ARP) &&
	    !memcmp(arp->arp_spa, moat_vips[0].ip.bytes, 4))
		sent = arp_of(frame, ARPOP_REPLY) ? SENT_ARP : SENT_MORE;
	else if (eth->ether_type == htons(ETHERTYPE_IP))
		sent = sent_ipv4(frame);
	else if (eth->ether_type == htons(ETHERTYPE_IPV6))
		sent = sent_ipv6(frame);
	return sent || memcmp(frame + 6, vip_mac, 6) != 0 ? sent : SENT_MORE;
}

/* What has been sent until the node answers for an address of its own. */
static unsigned listen_on(const struct client *c)
{
	uint8_t frame[FRAME_MAX], own[4];
	const struct ether_arp *arp;
	unsigned sent = 0;

	inet_pton(AF_INET, OWN4, own);
	ask(&c->net, OWN4);
	do {
		cr_assert(next_frame(&c->net, frame, BOUND_MS));
		sent |= what_is(frame);
		arp = arp_of(frame, ARPOP_REPLY);
	} while (!arp || memcmp(arp->arp_spa, own, 4) != 0);
	return sent;
}

/* By each way to the node; what is for all comes to a macvlan by a queue of its own. */
static void ask_all(const struct client *c)
{
	static const char *const macs[] = { "02:00:00:00:57:01", "02:00:00:00:00:01" };

	solicit(c->solicitor, VIP6);
	ask(&c->net, VIP4);
	for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
		char command[256];

		(void)snprintf(command, sizeof(command),
			       "ip neigh replace " VIP4 " lladdr %s dev c0 nud permanent && "
			       "ip neigh replace " VIP6 " lladdr %s dev c0 nud permanent",
			       macs[i], macs[i]);
		at_client(c, command);
		ping(c->ping4, VIP4);
		ping(c->ping6, VIP6);
	}
}

/* How much the rules of the moat have dropped that have this word in them. */
static unsigned dropped(const char *family, const char *chain, const char *word)
{
	unsigned sum = 0, n;
	char command[128];
	FILE *list;

	(void)snprintf(command, sizeof(command),
		       "nft list chain %s " MOAT
		       " %s | sed -n '/%s/s/.*counter packets \\([0-9]*\\).*/\\1/p'",
		       family, chain, word);
	list = popen(command, "r");
	cr_assert(list);
	while (fscanf(list, "%u", &n) == 1)
		sum += n;
	cr_assert_eq(pclose(list), 0);
	return sum;
}

static void await_dropped(const char *family, const char *chain, const char *word, unsigned n)
{
	uint64_t end = now_ms() + BOUND_MS;

	while (dropped(family, chain, word) < n)
		cr_assert_lt(now_ms(), end, "%s %s %s: not %u", family, chain, word, n);
}

static void flush_gate(void)
{
	cr_assert_eq(run("nft flush ruleset && [ \"$(nft list tables | sort)\" = "
			 "\"table arp " MOAT "\ntable inet " MOAT "\" ]"),
		     0);
}

/* A program of the node, from the addresses. */
static void check_sending(int want)
{
	_cleanup_(close_fdp) int by4 = open_socket(SOCK_DGRAM, 0, VIP4, 0);
	_cleanup_(close_fdp) int by6 = open_socket(SOCK_DGRAM, 0, VIP6, 0);

	send_text(by4, CLIENT4, PORT, "!", 1, want);
	send_text(by6, CLIENT6, PORT, "!", 1, want);
}

static void check_silent(const struct client *c)
{
	unsigned arp = dropped("arp", "moat_1", "drop"), inet = dropped("inet", "moat_1", "daddr");
	unsigned quiet = dropped("inet", "quiet_1", "drop");

	flush_gate();
	(void)listen_on(c);
	cr_assert_eq(run("ip link set vip0 down"), 0);
	raise_device();
	ask_all(c);
	/* Both interfaces answer: arp_ignore is 0 at one. */
	await_dropped("arp", "moat_1", "drop", arp + 2);
	await_dropped("inet", "moat_1", "daddr", inet + 4);
	await_dropped("inet", "quiet_1", "drop", quiet + 1);
	check_sending(-EPERM);
	cr_assert_eq(listen_on(c), 0);
}

Test(gate_moat, flush_does_not_open_a_group_that_never_was_open)
{
	_cleanup_(leave) struct client c = { 0 };

	enter(&c);
	check_silent(&c);
}

Test(gate_moat, flush_does_not_open_a_group_that_was_closed)
{
	_cleanup_(leave) struct client c = { 0 };

	enter(&c);
	raise_device();
	open_group(&c, 1, GATE_ANSWER);
	cr_assert_eq(gate_set(c.net.nf, &c.config, 1, GATE_CLOSED), 0);
	check_silent(&c);
}

static void check_answers(const struct client *c)
{
	uint64_t end = now_ms() + BOUND_MS;
	unsigned sent = 0;

	/* An IPv6 address works some time after it was acknowledged. */
	while ((sent & SENT_ALL) != SENT_ALL) {
		cr_assert_lt(now_ms(), end, "sent: %u", sent);
		ask_all(c);
		sent |= listen_on(c);
	}
}

Test(gate_moat, group_that_is_open_works_with_the_gate_and_without)
{
	_cleanup_(leave) struct client c = { 0 };

	enter(&c);
	raise_device();
	open_group(&c, 1, GATE_ANSWER);
	check_answers(&c);
	flush_gate();
	check_answers(&c);
	check_sending(0);
	cr_assert_eq(dropped("arp", "moat_1", "drop"), 0);
	cr_assert_eq(dropped("inet", "moat_1", "drop"), 0);
}

Test(gate_moat, it_is_the_moat_that_keeps_a_flushed_group_silent)
{
	_cleanup_(leave) struct client c = { 0 };

	enter(&c);
	raise_device();
	flush_gate();
	c.net.nf = nl_close(c.net.nf);
	cr_assert_eq(run("[ -z \"$(nft list tables)\" ]"), 0, "it ends with its socket");
	check_answers(&c);
}

/* A backup that is a router goes on forwarding to the primary. */
Test(gate_moat, packets_to_an_address_that_is_not_here_are_let_through)
{
	_cleanup_(leave) struct client c = { 0 };

	enter(&c);
	flush_gate();
	ask_all(&c);
	(void)listen_on(&c);
	cr_assert_eq(dropped("inet", "moat_1", "drop"), 0);
}

Test(gate_moat, device_of_a_closed_group_does_not_follow_a_router)
{
	_cleanup_(leave) struct client c = { 0 };

	enter(&c);
	raise_device();
	flush_gate();
	advertise(&c.net);
	ask(&c.net, VIP4); /* it comes behind the advertisement, to both */
	await_dropped("arp", "moat_1", "drop", 2);
	cr_assert(has_prefix("n0"));
	cr_assert_not(has_prefix("vip0"));
}

/* How many groups may work; both tables agree. */
static size_t n_open(struct nl *nf)
{
	size_t n = dump_set_of(nf, MOAT, NFPROTO_INET, "open").n;

	cr_assert_eq(dump_set_of(nf, MOAT, NFPROTO_ARP, "open").n, n);
	return n;
}

Test(gate_moat, knows_staged_groups_only)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_config c = moat_config();

	cr_assert_eq(gate_install(nf, &c, NULL), 0);
	cr_assert_eq(dump_set_of(nf, MOAT, NFPROTO_INET, "vip4").n, 1);
	cr_assert_eq(dump_set_of(nf, MOAT, NFPROTO_INET, "vip6").n, 1);
	cr_assert_eq(dump_set_of(nf, MOAT, NFPROTO_ARP, "vip4").n, 1);
	cr_assert_eq(dump_set_of(nf, MOAT, NFPROTO_INET, "quiet").n, 2);
}

Test(gate_moat, moves_with_the_gate)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_config c = moat_config();
	struct gate_state keep = { .lease_alive = true,
				   .levels = { [1] = GATE_SERVE, [3] = GATE_ANSWER } };

	cr_assert_eq(gate_install(nf, &c, NULL), 0);
	cr_assert_eq(n_open(nf), 0);
	for (enum gate_level from = GATE_CLOSED; from <= GATE_ANSWER; from++) {
		for (enum gate_level to = GATE_CLOSED; to <= GATE_ANSWER; to++) {
			cr_assert_eq(gate_set(nf, &c, 1, from), 0);
			cr_assert_eq(n_open(nf), from >= GATE_SERVE);
			cr_assert_eq(gate_set(nf, &c, 1, to), 0);
			cr_assert_eq(n_open(nf), to >= GATE_SERVE);
		}
	}
	cr_assert_eq(gate_set(nf, &c, 3, GATE_ANSWER), 0);
	cr_assert_eq(gate_set(nf, &c, 2, GATE_SERVE), 0);
	cr_assert_eq(n_open(nf), 2, "but for the one that is not staged");
	cr_assert_eq(gate_ticket(nf, 2, LONG_MS), 0);
	cr_assert_eq(gate_create(nf, &c, 2, GATE_ANSWER), 0);
	cr_assert_eq(n_open(nf), 1);
	cr_assert_eq(gate_create(nf, &c, 1, GATE_ANSWER), -ENOENT, "without a ticket");
	cr_assert_eq(n_open(nf), 1);
	cr_assert_eq(gate_shut(nf, &c), 0);
	cr_assert_eq(n_open(nf), 0);
	cr_assert_eq(gate_install(nf, &c, &keep), 0);
	cr_assert_eq(n_open(nf), 1);
	cr_assert_eq(gate_install(nf, &c, NULL), 0);
	cr_assert_eq(n_open(nf), 0);
}

Test(gate_moat, repair_lays_both_anew_as_they_were)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_config c = moat_config();
	struct gate_state keep = { .lease_alive = true, .levels = { [1] = GATE_ANSWER } }, state;

	cr_assert_eq(gate_install(nf, &c, &keep), 0);
	flush_gate();
	cr_assert_eq(n_open(nf), 1);
	cr_assert_eq(gate_set(nf, &c, 1, GATE_CLOSED), -ENOENT, "both or neither");
	cr_assert_eq(n_open(nf), 1);
	cr_assert_eq(gate_install(nf, &c, &keep), 0);
	cr_assert_eq(gate_read(nf, &c, &state), 0);
	cr_assert(state.installed);
	cr_assert_eq(state.levels[1], GATE_ANSWER);
	cr_assert_eq(n_open(nf), 1);
}

Test(gate_moat, stands_only_where_groups_are_staged)
{
	static const char none[] = "! nft list tables | grep -q " MOAT;
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_config c = moat_config();
	const struct gate_state closed = { 0 };

	install(nf);
	cr_assert_eq(run(none), 0);
	cr_assert_eq(gate_install(nf, &c, NULL), 0);
	cr_assert_neq(run(none), 0);
	install(nf);
	cr_assert_eq(run(none), 0);
	cr_assert_eq(gate_guard(nf, &config, &closed), 0);
	cr_assert_eq(run(none), 0);
	cr_assert_eq(gate_install(nf, &c, NULL), 0);
	cr_assert_eq(gate_remove(nf), 0);
	cr_assert_eq(run(none), 0);
}

Test(gate_moat, nobody_else_can_change_it)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node(), *other = open_nf();
	struct gate_config c = moat_config();

	cr_assert_eq(gate_install(nf, &c, NULL), 0);
	cr_assert_neq(run("nft delete table inet " MOAT " 2>/dev/null"), 0);
	cr_assert_neq(run("nft flush chain arp " MOAT " out 2>/dev/null"), 0);
	cr_assert_neq(run("nft add element inet " MOAT " open { 1 } 2>/dev/null"), 0);
	cr_assert_eq(gate_install(other, &c, NULL), -EPERM);
	cr_assert_eq(gate_remove(other), -EPERM);
	cr_assert_eq(gate_set(other, &c, 1, GATE_ANSWER), -EPERM);
	cr_assert_eq(n_open(other), 0);
}

Test(gate_moat, next_process_lays_it_round_the_gate_that_stands)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node(), *next = open_nf();
	struct gate_config c = moat_config();
	struct gate_state keep = { .lease_alive = true, .levels = { [1] = GATE_ANSWER } }, state;

	cr_assert_eq(gate_install(nf, &c, &keep), 0);
	nf = nl_close(nf);
	cr_assert_neq(run("nft list tables | grep -q " MOAT), 0);
	cr_assert_eq(gate_read(next, &c, &state), 0);
	cr_assert(state.installed);
	cr_assert_eq(gate_set(next, &c, 1, GATE_CLOSED), -ENOENT);
	cr_assert_eq(gate_guard(next, &c, &state), 0);
	cr_assert_eq(n_open(next), 1);
	cr_assert_eq(gate_set(next, &c, 1, GATE_CLOSED), 0);
	cr_assert_eq(n_open(next), 0);
	cr_assert(lease_left_ms(next, NFPROTO_INET) > 0, "the gate is left alone");
}

/* As a rule set that was saved with them leaves them, if it was loaded before the agent runs. */
Test(gate_moat, tables_of_its_name_that_nobody_owns_are_replaced)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_config c = moat_config();

	cr_assert_eq(
		run("nft 'table inet " MOAT " { set open { type mark; elements = { 1 }; }; }'"), 0);
	cr_assert_eq(gate_install(nf, &c, NULL), 0);
	cr_assert_eq(n_open(nf), 0);
	cr_assert_neq(run("nft delete table inet " MOAT " 2>/dev/null"), 0);
}

Test(gate_moat, as_many_groups_and_addresses_as_there_may_be_fit)
{
	enum { N = 8192, GROUPS = 128 };
	static struct gate_device each[GROUPS];
	static struct gate_vip many[N];
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_config c = config;
	struct gate_state keep = { .lease_alive = true };

	for (uint32_t i = 0; i < GROUPS; i++) {
		each[i] = (struct gate_device){ .group = i + 1, .quiet = true, .staged = true };
		(void)snprintf(each[i].name, sizeof(each[i].name), "vip%u", i);
		keep.levels[i + 1] = GATE_ANSWER;
	}
	for (uint32_t i = 0; i < N; i++)
		many[i] = (struct gate_vip){ .group = i % GROUPS + 1,
					     .device = i % GROUPS + 1,
					     .ip = { .family = i / GROUPS % 2 ? 4 : 6,
						     .bytes = { 0xfd, 0x78, i >> 8, i & 255 } } };
	c.n_groups = GROUPS;
	c.vips = many;
	c.n_vips = N;
	c.devices = each;
	c.n_devices = GROUPS;
	cr_assert_eq(gate_install(nf, &c, &keep), 0);
	cr_assert_eq(n_open(nf), GROUPS);
	cr_assert_eq(dump_set_of(nf, MOAT, NFPROTO_INET, "vip4").n, N / 2);
	cr_assert_eq(dump_set_of(nf, MOAT, NFPROTO_INET, "vip6").n, N / 2);
	cr_assert_eq(dump_set_of(nf, MOAT, NFPROTO_INET, "quiet").n, GROUPS);
	cr_assert_eq(dump_set_of(nf, MOAT, NFPROTO_ARP, "vip4").n, N / 2);
	cr_assert_eq(run("nft list ruleset >/dev/null"), 0);
}

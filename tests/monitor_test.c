/* SPDX-License-Identifier: MIT */

#include "netlink/monitor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlink/gate.h"
#include "tests/netns.h"

static struct monitor *open_rtnl(void)
{
	struct monitor *m = NULL;

	cr_assert_eq(monitor_open_rtnl(&m), 0);
	return m;
}

static struct monitor *open_nft(void)
{
	struct monitor *m = NULL;

	cr_assert_eq(monitor_open_nft(0, &m), 0);
	return m;
}

static struct monitor_event next(struct monitor *m)
{
	struct monitor_event event;

	cr_assert_eq(monitor_next(m, &event), 0);
	return event;
}

/* Waits for news of this kind about this link, passing over other news. */
static struct monitor_event await(struct monitor *m, enum monitor_kind kind, int ifindex)
{
	for (;;) {
		struct monitor_event event = next(m);
		bool link = kind == MONITOR_LINK || kind == MONITOR_LINK_GONE;

		if (event.kind == kind && (link ? event.link.index : event.addr.ifindex) == ifindex)
			return event;
		if (event.kind == MONITOR_NOTHING)
			netns_await(monitor_fd(m));
	}
}

static struct monitor_event await_addr(struct monitor *m, enum monitor_kind kind, uint8_t family)
{
	struct monitor_event event;

	do {
		event = await(m, kind, netns_index("va"));
	} while (event.addr.ip.family != family);
	return event;
}

/* Reads until there is nothing more: how often it was this. */
static unsigned count(struct monitor *m, enum monitor_kind kind)
{
	struct monitor_event event;
	unsigned n = 0;

	do {
		event = next(m);
		n += event.kind == kind;
	} while (event.kind != MONITOR_NOTHING);
	return n;
}

Test(monitor, descriptor_never_blocks_and_is_not_inherited)
{
	_cleanup_(monitor_closep) struct monitor *m = open_rtnl();

	cr_assert(fcntl(monitor_fd(m), F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(monitor_fd(m), F_GETFD) & FD_CLOEXEC);
}

Test(monitor, quiet_means_nothing)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;

	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	m = open_rtnl();
	cr_assert_eq(next(m).kind, MONITOR_NOTHING);
}

Test(monitor, links_come_stop_and_go)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	struct monitor_event event;
	int index;

	netns_enter();
	m = open_rtnl();
	sh("ip link add other type bridge");
	index = netns_index("other");
	event = await(m, MONITOR_LINK, index);
	cr_assert_str_eq(event.link.name, "other");
	cr_assert_not(event.link.running);

	/* The peer's state is the carrier. */
	sh("ip link set vb down");
	do {
		event = await(m, MONITOR_LINK, netns_index("va"));
	} while (event.link.running);
	sh("ip link set vb up");
	do {
		event = await(m, MONITOR_LINK, netns_index("va"));
	} while (!event.link.running);

	sh("ip link del other");
	event = await(m, MONITOR_LINK_GONE, index);
	cr_assert_str_eq(event.link.name, "other");
}

Test(monitor, leaving_a_bridge_is_not_the_end_of_a_link)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;

	netns_enter();
	sh("ip link add br0 type bridge && ip link set va master br0");
	m = open_rtnl();
	sh("ip link set va nomaster");
	cr_assert_eq(count(m, MONITOR_LINK_GONE), 0);
	sh("ip link del va");
	cr_assert_eq(count(m, MONITOR_LINK_GONE), 2);
}

Test(monitor, addresses_of_both_families_come_and_go)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	static const uint8_t ipv4[4] = { 10, 1, 0, 1 };
	struct monitor_event event;

	netns_enter();
	m = open_rtnl();
	sh("ip addr add 10.1.0.1/24 dev va && ip addr del 10.1.0.1/24 dev va");
	event = await_addr(m, MONITOR_ADDR, 4);
	cr_assert_arr_eq(event.addr.ip.bytes, ipv4, sizeof(ipv4));
	cr_assert_eq(event.addr.prefix, 24);
	event = await_addr(m, MONITOR_ADDR_GONE, 4);
	cr_assert_arr_eq(event.addr.ip.bytes, ipv4, sizeof(ipv4));

	sh("ip addr add fd00::1/64 dev va nodad");
	do {
		event = await_addr(m, MONITOR_ADDR, 6);
	} while (event.addr.ip.bytes[0] != 0xfd);
	cr_assert_eq(event.addr.prefix, 64);
	sh("ip addr del fd00::1/64 dev va");
	event = await_addr(m, MONITOR_ADDR_GONE, 6);
	cr_assert_eq(event.addr.ip.bytes[0], 0xfd);
}

static void add_ours(struct nl *nl, uint32_t valid_s)
{
	const struct addr a = {
		.ip = { .family = 4, .bytes = { 10, 1, 0, 1 } },
		.prefix = 32,
		.ifindex = netns_index("va"),
		.valid_s = valid_s,
	};
	int error = 1;

	cr_assert_eq(addr_add(nl, &a, 1, &error), 0);
	cr_assert_eq(error, 0);
}

Test(monitor, who_asked_is_told_for_ipv4, .init = netns_enter)
{
	_cleanup_(monitor_closep) struct monitor *m = open_rtnl();
	_cleanup_(nl_closep) struct nl *nl = NULL;
	struct addr addr = { .ip = { .family = 4, .bytes = { 10, 9, 0, 3 } },
			     .prefix = 24,
			     .ifindex = netns_index("va"),
			     .valid_s = 60,
			     .tag = ADDR_TAG };
	int error;

	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(addr_add(nl, &addr, 1, &error), 0);
	cr_assert_eq(addr_remove(nl, &addr, 1, &error), 0);
	cr_assert_eq(await_addr(m, MONITOR_ADDR_GONE, 4).port, nl_portid(nl));
	sh("ip address add fd09::3/64 dev va nodad");
	cr_assert_eq(await_addr(m, MONITOR_ADDR, 6).port, 0, "the kernel keeps it to itself");
}

Test(monitor, an_ipv4_address_behind_another_one_is_told_as_such, .init = netns_enter)
{
	_cleanup_(monitor_closep) struct monitor *m = open_rtnl();

	sh("ip address add 10.9.0.3/24 dev va");
	cr_assert_not(await_addr(m, MONITOR_ADDR, 4).addr.secondary);
	sh("ip address add 10.9.0.4/24 dev va");
	cr_assert(await_addr(m, MONITOR_ADDR, 4).addr.secondary);
	sh("ip address add 10.9.0.5/25 dev va");
	cr_assert_not(await_addr(m, MONITOR_ADDR, 4).addr.secondary);
}

Test(monitor, of_our_own_addresses_only_the_end_reaches_the_queue)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	_cleanup_(nl_closep) struct nl *nl = NULL;
	struct monitor_event event;
	struct pollfd ready;

	netns_enter();
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	m = open_rtnl();
	add_ours(nl, 100);
	add_ours(nl, 1);
	ready = (struct pollfd){ .fd = monitor_fd(m), .events = POLLIN };
	cr_assert_eq(poll(&ready, 1, 0), 0);
	event = await_addr(m, MONITOR_ADDR_GONE, 4);
	cr_assert_eq(event.addr.tag, ADDR_TAG);
}

/* As a stranger takes it over, or lengthens its life: ip(8) leaves no tag, or another one. */
Test(monitor, an_address_with_no_or_another_tag_is_told)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	_cleanup_(nl_closep) struct nl *nl = NULL;
	struct monitor_event event;

	netns_enter();
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	add_ours(nl, 100);
	m = open_rtnl();
	sh("ip addr change 10.1.0.1/32 dev va valid_lft 200 preferred_lft 200");
	event = await_addr(m, MONITOR_ADDR, 4);
	cr_assert_neq(event.addr.tag, ADDR_TAG);
	cr_assert_gt(event.addr.valid_s, 100);
	sh("ip addr add fd00::7/128 dev va nodad");
	do {
		event = await_addr(m, MONITOR_ADDR, 6);
	} while (event.addr.ip.bytes[15] != 7);
}

/* Things happen while nobody reads, more than fit in. */
static void overflow(struct monitor *m)
{
	const int small = 4096;

	cr_assert_eq(setsockopt(monitor_fd(m), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	sh("for i in $(seq 1 50); do echo addr add 10.1.0.$i/32 dev va; done | ip -batch -");
}

Test(monitor, lost_messages_are_an_overrun_told_once)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;

	netns_enter();
	m = open_rtnl();
	overflow(m);
	cr_assert_eq(next(m).kind, MONITOR_OVERRUN);
	cr_assert_eq(next(m).kind, MONITOR_NOTHING);
}

Test(monitor, what_is_older_than_an_overrun_is_not_told_after_it)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	struct monitor_event event;

	netns_enter();
	m = open_rtnl();
	sh("ip addr add 10.9.9.9/32 dev va");
	overflow(m);
	cr_assert_eq(next(m).kind, MONITOR_OVERRUN);
	sh("ip addr del 10.1.0.7/32 dev va");
	event = await(m, MONITOR_ADDR_GONE, netns_index("va"));
	cr_assert_eq(event.addr.ip.bytes[3], 7);
}

/* Sends what a root process can: a datagram of its own to the monitor's port. */
static void forge(const struct monitor *m, int bus, const void *buf, size_t len)
{
	_cleanup_(close_fdp) int fd = nl_socket(bus, 0);
	struct sockaddr_nl address;
	socklen_t address_len = sizeof(address);

	cr_assert_eq(getsockname(monitor_fd(m), (struct sockaddr *)&address, &address_len), 0);
	cr_assert_eq(sendto(fd, buf, len, 0, (struct sockaddr *)&address, sizeof(address)),
		     (ssize_t)len);
}

Test(monitor, only_the_kernel_is_believed)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	netns_enter();
	m = open_nft();
	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE;
	nlh->nlmsg_pid = 1;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_INET;
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, "takeover");
	forge(m, NETLINK_NETFILTER, buf, nlh->nlmsg_len);
	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN;
	forge(m, NETLINK_NETFILTER, buf, nlh->nlmsg_len);
	netns_await(monitor_fd(m));
	cr_assert_eq(next(m).kind, MONITOR_NOTHING);
}

/* What one transaction does is told once, with who it was. */
static void changes(struct monitor *m, const char *commands)
{
	struct monitor_event event;
	char line[512];

	(void)snprintf(line, sizeof(line), "nft '%s'", commands);
	sh(line);
	event = next(m);
	cr_assert_eq(event.kind, MONITOR_GATE_CHANGED, "%s", commands);
	cr_assert_str_eq(event.process.name, "nft");
	cr_assert_gt(event.process.pid, 1);
	cr_assert_eq(next(m).kind, MONITOR_NOTHING, "%s", commands);
}

Test(monitor, whatever_is_done_to_the_gate_is_told)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;

	netns_enter();
	m = open_nft();
	changes(m, "add table inet takeover; add table arp takeover");
	changes(m, "table inet takeover { map v { type ipv4_addr : verdict; }; "
		   "set s { type mark; flags timeout; }; chain a { counter drop; accept; }; }");
	changes(m, "table arp takeover { set s { type mark; }; chain c { accept; }; }");
	changes(m, "add element inet takeover s { 7 timeout 1h }");
	changes(m, "delete element inet takeover s { 7 }");
	changes(m, "add element inet takeover v { 10.1.0.1 : goto a }");
	changes(m, "delete element inet takeover v { 10.1.0.1 }");
	changes(m, "add element arp takeover s { 1 }");
	changes(m, "flush set arp takeover s");
	changes(m, "insert rule inet takeover a accept");
	changes(m, "flush chain arp takeover c");
	changes(m, "delete chain arp takeover c");
	changes(m, "add table ip other; add chain inet takeover b");
	changes(m, "flush table inet takeover");
	changes(m, "delete table arp takeover");
	changes(m, "flush ruleset");
}

Test(monitor, what_others_do_elsewhere_is_nothing_to_us)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;

	netns_enter();
	m = open_nft();
	sh("for t in 'inet t' 'inet take' 'inet takeover2' 'inet takeaway' 'ip takeover'; do "
	   "echo \"table $t { set s { type mark; elements = { 1 }; }; "
	   "chain a { counter drop; jump b; }; chain b { drop; }; }\"; done | nft -f -");
	sh("nft 'flush table inet takeover2; delete table ip takeover'");
	sh("nft flush ruleset");
	cr_assert_eq(count(m, MONITOR_GATE_CHANGED), 0);
}

/* The gate is the last of what a long datagram tells of. */
Test(monitor, gate_behind_many_messages_is_found)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;

	netns_enter();
	sh("nft add table inet takeover");
	m = open_nft();
	sh("(for i in $(seq 1 500); do echo add table inet t$i; done; "
	   "echo add chain inet takeover a) | nft -f -");
	cr_assert_eq(count(m, MONITOR_GATE_CHANGED), 1);
}

/* A socket of ours does what the worker does several times a second. */
static void renew(struct nl *nf)
{
	cr_assert_eq(gate_ticket(nf, 1, 60000), 0);
}

Test(monitor, changes_of_our_own_do_not_even_reach_the_queue)
{
	const struct gate_device staged = { .group = 1, .name = "vip0", .staged = true };
	const struct gate_config config = { .lease_ms = 1000,
					    .echo_ms = 1000,
					    .n_groups = 1,
					    .names = (const char *const[]){ "sip" },
					    .devices = &staged,
					    .n_devices = 1 };
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	_cleanup_(nl_closep) struct nl *nf = NULL, *other = NULL;
	struct pollfd ready;

	netns_enter();
	cr_assert_eq(nl_open(NETLINK_NETFILTER, &nf), 0);
	cr_assert_eq(nl_open(NETLINK_NETFILTER, &other), 0);
	cr_assert_eq(monitor_open_nft(nl_portid(nf), &m), 0);
	cr_assert_eq(gate_install(nf, &config, NULL), 0);
	cr_assert_eq(gate_set(nf, &config, 1, GATE_ANSWER), 0);
	renew(nf);
	ready = (struct pollfd){ .fd = monitor_fd(m), .events = POLLIN };
	cr_assert_eq(poll(&ready, 1, 0), 0);
	renew(other);
	cr_assert_eq(count(m, MONITOR_GATE_CHANGED), 1);
}

/* Of 5,000 elements nothing but the end of the transaction comes. */
Test(monitor, a_flood_of_elements_does_not_reach_the_queue)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	const int small = 4096;

	netns_enter();
	sh("nft 'add table inet takeover; table inet other { set s { type mark; }; }'");
	m = open_nft();
	cr_assert_eq(setsockopt(monitor_fd(m), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	sh("(echo 'add element inet other s { 0'; seq -f ', %.0f' 1 5000; echo '}') | nft -f -");
	sh("nft flush set inet other s");
	cr_assert_eq(next(m).kind, MONITOR_NOTHING);
	changes(m, "delete table inet takeover");
}

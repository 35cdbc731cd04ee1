/* SPDX-License-Identifier: MIT */
#include "tests/gate_fixture.h"
#include "tests/netns.h"

/* Who gets into a group that drains. */

#define SIP4 "10.77.0.100"
#define SIP6 "fd77::100"
#define DB4 "10.77.0.101"

enum { SERVICE = 7000 };

static const bool none[GATE_GROUPS_MAX + 1],
	sip[] = { [1] = true, [GATE_GROUPS_MAX] = false },
	sip_and_db[] = { [1] = true, [2] = true, [GATE_GROUPS_MAX] = false };

/* All addresses are on one host, with a service that listens on each. */
struct host {
	struct nl *nf;
	int listener;
};

static struct host enter_host(void)
{
	static const int on = 1, off;
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(SERVICE) };
	struct host host = { .nf = enter_node() };

	cr_assert_eq(run("ip addr add " SIP4 "/32 dev lo && ip addr add " DB4 "/32 dev lo && "
			 "ip addr add " SIP6 "/128 dev lo nodad"),
		     0);
	netns_await_ipv6(SIP6);
	host.listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_geq(host.listener, 0);
	(void)setsockopt(host.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	cr_assert_eq(setsockopt(host.listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	cr_assert_eq(bind(host.listener, (const struct sockaddr *)&any, sizeof(any)), 0);
	cr_assert_eq(listen(host.listener, 16), 0);
	return host;
}

static void leave_host(struct host *host)
{
	(void)close(host->listener);
	(void)nl_close(host->nf);
}

/* Return: a connection, or negative errno */
static int enter(const char *address)
{
	struct sockaddr_storage to;
	socklen_t len = parse_address(address, SERVICE, &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	cr_assert_geq(fd, 0);
	if (connect(fd, (struct sockaddr *)&to, len) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	return -error;
}

static int try(const char *address)
{
	int fd = enter(address);

	if (fd < 0)
		return fd;
	(void)close(fd);
	return 0;
}

static void drain(const struct host *host, const bool *draining)
{
	cr_assert_eq(gate_drain(host->nf, &config, draining), 0);
}

Test(gate_drain, new_connections_are_refused_at_once, .timeout = 20)
{
	struct host host = enter_host();

	drain(&host, sip);
	cr_expect_eq(try(SIP4), -ECONNREFUSED);
	cr_expect_eq(try(SIP6), -ECONNREFUSED);
	cr_expect_eq(try(DB4), 0, "another group");
	cr_expect_eq(try("127.0.0.1"), 0, "an address of the host's own");

	drain(&host, sip_and_db);
	cr_expect_eq(try(SIP4), -ECONNREFUSED);
	cr_expect_eq(try(DB4), -ECONNREFUSED);

	drain(&host, none);
	cr_expect_eq(try(SIP4), 0);
	cr_expect_eq(try(SIP6), 0);
	cr_expect_eq(try(DB4), 0);
	cr_expect_eq(run("! nft list table inet takeover_drain 2>/dev/null"), 0);
	leave_host(&host);
}

Test(gate_drain, open_connections_go_on, .timeout = 20)
{
	struct host host = enter_host();
	int client = enter(SIP4), service = accept(host.listener, NULL, NULL);
	char byte = 0;

	cr_assert_geq(client, 0);
	cr_assert_geq(service, 0);
	drain(&host, sip);
	cr_assert_eq(write(client, "a", 1), 1);
	cr_assert_eq(read(service, &byte, 1), 1);
	cr_assert_eq(write(service, "b", 1), 1);
	cr_assert_eq(read(client, &byte, 1), 1);
	cr_expect_eq(byte, 'b');
	cr_assert_eq(close(client), 0);
	cr_expect_eq(read(service, &byte, 1), 0, "it ends in order, too");
	(void)close(service);
	leave_host(&host);
}

/* What has no connections is served on. */
Test(gate_drain, datagrams_pass, .timeout = 20)
{
	struct host host = enter_host();
	int service = open_socket(SOCK_DGRAM, 0, SIP4, SERVICE);
	int client = open_socket(SOCK_DGRAM, 0, "127.0.0.1", 0);
	struct pollfd ready = { .fd = service, .events = POLLIN };

	drain(&host, sip);
	send_text(client, SIP4, SERVICE, "a", 1, 0);
	cr_expect_eq(poll(&ready, 1, BOUND_MS), 1);
	(void)close(service);
	(void)close(client);
	leave_host(&host);
}

/* An agent that has been killed refuses nothing. */
Test(gate_drain, ends_with_its_socket, .timeout = 20)
{
	struct host host = enter_host();

	drain(&host, sip);
	cr_assert_eq(try(SIP4), -ECONNREFUSED);
	host.nf = nl_close(host.nf);
	cr_expect_eq(try(SIP4), 0);
	leave_host(&host);
}

Test(gate_drain, is_not_for_another_process_to_end, .timeout = 20)
{
	struct host host = enter_host();

	drain(&host, sip);
	cr_expect_eq(run("nft flush ruleset"), 0);
	cr_expect_eq(try(SIP4), -ECONNREFUSED);
	cr_expect_eq(run("nft delete table inet takeover_drain 2>/dev/null") != 0, true);
	leave_host(&host);
}

/* The gate knows its own tables by what is in them: it still does. */
Test(gate_drain, gate_is_as_it_was, .timeout = 20)
{
	struct host host = enter_host();
	struct gate_state state;

	install(host.nf);
	create(host.nf, LONG_MS, 1, GATE_ANSWER);
	drain(&host, sip);
	state = read_gate(host.nf);
	cr_expect(state.installed);
	cr_expect_eq(state.levels[1], GATE_ANSWER);
	cr_expect_eq(try(SIP4), -ECONNREFUSED, "which the gate lets out");
	cr_assert_eq(gate_install(host.nf, &config, &state), 0);
	cr_expect_eq(try(SIP4), -ECONNREFUSED, "laying the gate anew is no reason to stop");
	leave_host(&host);
}

/* As it is described, and an administrator can look at it. */
Test(gate_drain, is_listed_by_nft, .timeout = 20)
{
	struct host host = enter_host();

	drain(&host, sip);
	cr_assert_eq(try(SIP4), -ECONNREFUSED);
	cr_expect_eq(run("nft list table inet takeover_drain | tr -d '\\t' | grep -qx "
			 "'tcp flags syn / fin,syn,rst,ack goto new\\|"
			 "tcp flags & (fin | syn | rst | ack) == syn goto new'"),
		     0);
	cr_expect_eq(run("nft list chain inet takeover_drain drain_1 | grep -q "
			 "'counter packets 1 .* reject with tcp reset'"),
		     0);
	leave_host(&host);
}

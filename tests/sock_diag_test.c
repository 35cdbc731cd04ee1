/* SPDX-License-Identifier: MIT */
#include "netlink/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "tests/netns.h"

#define SIP4 "10.77.0.100"
#define SIP6 "fd77::100"

/* A listener for both families, on any address: that of IPv4 is mapped then. */
struct host {
	int listener;
	uint16_t port;
	struct sock_diag *diag;
};

static struct host enter_host(void)
{
	static const int off;
	struct sockaddr_in6 self = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(self);
	struct host host = { 0 };

	cr_assert_eq(unshare(CLONE_NEWNET), 0, "needs root");
	sh("ip link set lo up && ip addr add " SIP4 "/32 dev lo && ip addr add " SIP6
	   "/128 dev lo nodad");
	netns_await_ipv6(SIP6);
	host.listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(setsockopt(host.listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	cr_assert_eq(bind(host.listener, (struct sockaddr *)&self, len), 0);
	cr_assert_eq(listen(host.listener, 64), 0);
	cr_assert_eq(getsockname(host.listener, (struct sockaddr *)&self, &len), 0);
	host.port = ntohs(self.sin6_port);
	cr_assert_eq(sock_diag_open(&host.diag), 0);
	return host;
}

static void leave_host(struct host *host)
{
	host->diag = sock_diag_close(host->diag);
	(void)close(host->listener);
}

/* Both ends of a connection; the client's has an address of the loopback. */
struct pair {
	int client, service;
};

static struct pair join(const struct host *host, const char *address)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(host->port) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(host->port) };
	const struct sockaddr_in from4 = { .sin_family = AF_INET,
					   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 from6 = { .sin6_family = AF_INET6,
					    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool v4 = inet_pton(AF_INET, address, &to4.sin_addr) == 1;
	const void *from = v4 ? (const void *)&from4 : &from6, *to = &to6;
	socklen_t len = v4 ? sizeof(to4) : sizeof(to6);
	struct pair pair;

	if (v4)
		to = &to4;
	else
		cr_assert_eq(inet_pton(AF_INET6, address, &to6.sin6_addr), 1);
	pair.client = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(pair.client, from, len), 0);
	cr_assert_eq(connect(pair.client, to, len), 0);
	pair.service = accept(host->listener, NULL, NULL);
	cr_assert_geq(pair.service, 0);
	return pair;
}

static void part(const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		(void)close(pairs[i].client);
		(void)close(pairs[i].service);
	}
}

static struct ip ip(const char *text)
{
	struct ip ip = { .family = strchr(text, ':') ? 6 : 4 };

	cr_assert_eq(inet_pton(ip.family == 4 ? AF_INET : AF_INET6, text, ip.bytes), 1);
	return ip;
}

/* The next that there is to be told, which has to come. */
static struct sock_diag_event next(struct sock_diag *d)
{
	struct sock_diag_event event;

	for (;;) {
		cr_assert_eq(sock_diag_next(d, &event), 0);
		if (event.kind != SOCK_DIAG_NOTHING)
			return event;
		netns_await(sock_diag_fd(d));
	}
}

/* How many are open with an address of ours, by a list. */
static unsigned count(const struct host *host, const char *address)
{
	const struct ip wanted = ip(address);
	struct sock_diag_event event;
	unsigned n = 0;

	cr_assert_eq(sock_diag_list(host->diag), 0);
	while ((event = next(host->diag)).kind != SOCK_DIAG_LISTED)
		n += event.kind == SOCK_DIAG_OPEN && ip_equal(&event.local, &wanted);
	return n;
}

/* The next end of one that was ours. */
static void await_end(const struct host *host, const char *address)
{
	const struct ip wanted = ip(address);
	struct sock_diag_event event;

	do {
		event = next(host->diag);
		cr_assert_eq(event.kind, SOCK_DIAG_ENDED);
	} while (!ip_equal(&event.local, &wanted));
}

Test(sock_diag, open_connections_are_listed_by_our_address, .timeout = 20)
{
	struct host host = enter_host();
	struct pair pairs[3];

	cr_expect_eq(count(&host, SIP4), 0, "who listens is no connection");
	pairs[0] = join(&host, SIP4);
	pairs[1] = join(&host, SIP4);
	pairs[2] = join(&host, SIP6);
	cr_expect_eq(count(&host, SIP4), 2);
	cr_expect_eq(count(&host, SIP6), 1);
	cr_expect_eq(count(&host, "127.0.0.1"), 2);
	part(pairs, ARRAY_SIZE(pairs));
	leave_host(&host);
}

Test(sock_diag, end_is_told, .timeout = 20)
{
	static const char *const addresses[] = { SIP4, SIP6 };
	struct host host = enter_host();

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct pair pair = join(&host, addresses[i]);

		cr_assert_eq(count(&host, addresses[i]), 1);
		(void)close(pair.client);
		cr_expect_eq(count(&host, addresses[i]), 1, "we may have something to say still");
		(void)close(pair.service);
		await_end(&host, addresses[i]);
		cr_expect_eq(count(&host, addresses[i]), 0);
	}
	leave_host(&host);
}

/* Who has closed first is in TIME_WAIT then: that is none any more. */
Test(sock_diag, end_is_told_where_we_closed_first, .timeout = 20)
{
	struct host host = enter_host();
	struct pair pair = join(&host, SIP4);

	(void)close(pair.service);
	(void)close(pair.client);
	await_end(&host, SIP4);
	cr_expect_eq(count(&host, SIP4), 0);
	leave_host(&host);
}

/* Half closed: with a process that waits for the rest, or without. */
Test(sock_diag, half_of_a_connection_counts_while_somebody_reads, .timeout = 20)
{
	struct host host = enter_host();
	struct pair pair = join(&host, SIP4);

	cr_assert_eq(shutdown(pair.service, SHUT_WR), 0);
	cr_expect_eq(count(&host, SIP4), 1);
	(void)close(pair.service);
	await_end(&host, SIP4);
	cr_expect_eq(count(&host, SIP4), 0, "what the peer sends now, nobody takes");
	(void)close(pair.client);
	leave_host(&host);
}

/* More than a datagram holds. */
Test(sock_diag, many_are_listed, .timeout = 60)
{
	enum { MANY = 400 };
	static struct pair pairs[MANY];
	struct host host = enter_host();

	for (size_t i = 0; i < MANY; i++)
		pairs[i] = join(&host, i % 2 ? SIP4 : SIP6);
	cr_expect_eq(count(&host, SIP4), MANY / 2);
	cr_expect_eq(count(&host, SIP6), MANY / 2);
	cr_expect_eq(count(&host, SIP4), MANY / 2, "and again");
	part(pairs, MANY);
	leave_host(&host);
}

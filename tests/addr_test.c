/* SPDX-License-Identifier: MIT */

#include "netlink/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tests/netns.h"

enum { NO_LINK = 9999 };

/* What the code under test asked the kernel for. */
static struct {
	unsigned sends;
	unsigned reads;
	unsigned waits;
	unsigned sockets;
} calls;

/* Done in front of the first poll(). */
static void (*at_poll)(void);

/* If set, this poll() leads to a read that fails with ENOBUFS, the queue lost. */
static bool lose_after_poll;

/* These stand in front of the C library's. */

int socket(int domain, int type, int protocol)
{
	calls.sockets++;
	return (int)syscall(SYS_socket, domain, type, protocol);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_len)
{
	calls.sends++;
	return syscall(SYS_sendto, fd, buf, len, flags, to, to_len);
}

int recvmmsg(int fd, struct mmsghdr *v, unsigned n, int flags, struct timespec *timeout)
{
	calls.reads++;
	return (int)syscall(SYS_recvmmsg, fd, v, n, flags, timeout);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	calls.reads++;
	if (lose_after_poll && calls.waits > 0) {
		lose_after_poll = false;
		while (syscall(SYS_recvmsg, fd, msg, flags) >= 0)
			;
		errno = ENOBUFS;
		return -1;
	}
	return syscall(SYS_recvmsg, fd, msg, flags);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	const struct timespec t = { timeout / 1000, timeout % 1000 * 1000000L };

	if (calls.waits++ == 0 && at_poll)
		at_poll();
	return (int)syscall(SYS_ppoll, fds, n, timeout < 0 ? NULL : &t, NULL, 0);
}

static struct addr address(const char *text, uint8_t prefix, const char *link)
{
	struct addr a = {
		.ip.family = strchr(text, ':') ? 6 : 4,
		.prefix = prefix,
		.ifindex = netns_index(link),
		.tag = ADDR_TAG,
		.valid_s = 100,
	};

	cr_assert_eq(inet_pton(a.ip.family == 4 ? AF_INET : AF_INET6, text, a.ip.bytes), 1);
	return a;
}

static struct nl *enter(void)
{
	struct nl *nl = NULL;

	netns_enter();
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	return nl;
}

static void add(struct nl *nl, const struct addr *a)
{
	int error = 1;

	cr_assert_eq(addr_add(nl, a, 1, &error), 0);
	cr_assert_eq(error, 0, "%d", error);
}

/* How many entries there are with this address; the last one of them. */
static size_t look_up(struct nl *nl, const struct addr *a, struct addr *ret)
{
	_cleanup_(freep) struct addr *list = NULL;
	size_t n, n_found = 0;

	cr_assert_eq(addr_list(nl, &list, &n), 0);
	for (size_t i = 0; i < n; i++) {
		if (!ip_equal(&list[i].ip, &a->ip) || list[i].ifindex != a->ifindex)
			continue;
		*ret = list[i];
		n_found++;
	}
	return n_found;
}

static size_t count_ours(struct nl *nl)
{
	_cleanup_(freep) struct addr *list = NULL;
	size_t n, n_ours = 0;

	cr_assert_eq(addr_list(nl, &list, &n), 0);
	for (size_t i = 0; i < n; i++)
		n_ours += list[i].tag == ADDR_TAG;
	return n_ours;
}

Test(addr, label_is_read_back_and_stays_what_it_was)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	struct addr a = address("10.1.0.1", 24, "va"), found;

	(void)strcpy(a.label, "va:label-of-15b");
	add(nl, &a);
	cr_assert_eq(look_up(nl, &a, &found), 1);
	cr_expect_str_eq(found.label, "va:label-of-15b");
	(void)strcpy(a.label, "va:1");
	add(nl, &a);
	cr_assert_eq(look_up(nl, &a, &found), 1);
	cr_expect_str_eq(found.label, "va:label-of-15b");
	a = address("10.1.0.2", 24, "va");
	add(nl, &a);
	cr_assert_eq(look_up(nl, &a, &found), 1);
	cr_expect_str_eq(found.label, "va");
	a = address("fd00::1", 64, "va");
	add(nl, &a);
	cr_assert_eq(look_up(nl, &a, &found), 1);
	cr_expect_str_eq(found.label, "");
}

Test(addr, tag_prefix_and_lifetime_are_read_back)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr v[] = { address("10.1.0.1", 24, "va"), address("fd00::1", 64, "va") };

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct addr found;

		add(nl, &v[i]);
		cr_assert_eq(look_up(nl, &v[i], &found), 1);
		cr_assert_eq(found.prefix, v[i].prefix);
		cr_assert_eq(found.tag, ADDR_TAG);
		cr_assert(found.valid_s <= 100 && found.valid_s >= 90, "%u", found.valid_s);
	}
}

Test(addr, an_address_for_ever_is_read_back_as_such)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	struct addr v[] = { address("10.1.0.1", 32, "va"), address("fd00::1", 128, "va") };

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct addr found;

		v[i].valid_s = UINT32_MAX;
		add(nl, &v[i]);
		cr_assert_eq(look_up(nl, &v[i], &found), 1);
		cr_assert_eq(found.valid_s, UINT32_MAX);
	}
}

Test(addr, others_addresses_bear_no_tag_of_ours)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr a = address("10.1.0.1", 24, "va");
	struct addr found;

	sh("ip addr add 10.1.0.1/24 dev va");
	cr_assert_eq(look_up(nl, &a, &found), 1);
	cr_assert_neq(found.tag, ADDR_TAG);
	cr_assert_eq(found.valid_s, UINT32_MAX);
	cr_assert_eq(count_ours(nl), 0);
}

Test(addr, adding_again_refreshes_the_lifetime)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	struct addr v[] = { address("10.1.0.1", 32, "va"), address("fd00::1", 128, "va") };

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct addr found;

		add(nl, &v[i]);
		v[i].valid_s = 500;
		add(nl, &v[i]);
		cr_assert_eq(look_up(nl, &v[i], &found), 1);
		cr_assert(found.valid_s <= 500 && found.valid_s >= 490, "%u", found.valid_s);
	}
}

struct details {
	uint32_t flags;
	uint32_t preferred_s;
};

static int read_details(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attrs[IFA_PROTO + 1];
	struct details *details = data;

	cr_assert_eq(nl_attrs(nlh, sizeof(struct ifaddrmsg), attrs, ARRAY_SIZE(attrs)), 0);
	if (!attrs[IFA_PROTO] || mnl_attr_get_u8(attrs[IFA_PROTO]) != ADDR_TAG)
		return 0;
	details->flags = mnl_attr_get_u32(attrs[IFA_FLAGS]);
	details->preferred_s =
		((struct ifa_cacheinfo *)mnl_attr_get_payload(attrs[IFA_CACHEINFO]))->ifa_prefered;
	return 0;
}

static struct details details_of(struct nl *nl, uint8_t family)
{
	struct details details = { 0 };
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa;

	nlh->nlmsg_type = RTM_GETADDR;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = family;
	cr_assert_eq(nl_dump(nl, nlh, read_details, &details), 0);
	return details;
}

Test(addr, ipv6_is_no_source_by_accident_and_detects_no_duplicates)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr a = address("fd00::1", 64, "va");
	struct details details;

	add(nl, &a);
	details = details_of(nl, AF_INET6);
	cr_assert(details.flags & IFA_F_NODAD);
	cr_assert(details.flags & IFA_F_NOPREFIXROUTE);
	cr_assert_eq(details.preferred_s, 0);
}

Test(addr, ipv4_is_preferred_as_long_as_valid)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr a = address("10.1.0.1", 24, "va");
	struct details details;

	add(nl, &a);
	details = details_of(nl, AF_INET);
	cr_assert(details.flags & IFA_F_NOPREFIXROUTE);
	cr_assert(details.preferred_s <= 100 && details.preferred_s >= 90);
}

Test(addr, each_address_gets_its_own_error)
{
	enum { N = 50 };
	_cleanup_(nl_closep) struct nl *nl = enter();
	struct addr v[N];
	int errors[N];

	for (size_t i = 0; i < N; i++) {
		v[i] = address(i % 2 ? "fd00::1" : "10.1.0.1", 32, "va");
		v[i].ip.bytes[3] = (uint8_t)i;
	}
	v[20].ifindex = NO_LINK;
	v[30].prefix = 77;
	v[33].valid_s = 0;
	cr_assert_eq(addr_add(nl, v, N, errors), 0);
	for (size_t i = 0; i < N; i++)
		if (i != 20 && i != 30 && i != 33)
			cr_assert_eq(errors[i], 0, "address %zu: %d", i, errors[i]);
	cr_assert_eq(errors[20], -ENODEV);
	cr_assert_eq(errors[30], -EINVAL);
	cr_assert_eq(errors[33], -EINVAL);
	cr_assert_eq(count_ours(nl), N - 3);
}

Test(addr, a_thousand_addresses_take_few_system_calls)
{
	enum { N = 1000 };
	_cleanup_(nl_closep) struct nl *nl = enter();
	static struct addr v[N];
	static int errors[N];

	for (size_t i = 0; i < N; i++) {
		v[i] = address("10.1.0.0", 32, "va");
		v[i].ip.bytes[2] = (uint8_t)(i >> 8);
		v[i].ip.bytes[3] = (uint8_t)i;
	}
	memset(&calls, 0, sizeof(calls));
	cr_assert_eq(addr_add(nl, v, N, errors), 0);
	cr_assert_leq(calls.sends, 2);
	cr_assert_leq(calls.reads, 8);
	for (size_t i = 0; i < N; i++)
		cr_assert_eq(errors[i], 0);
	cr_assert_eq(count_ours(nl), N);

	memset(&calls, 0, sizeof(calls));
	cr_assert_eq(addr_remove(nl, v, N, errors), 0);
	cr_assert_leq(calls.sends, 2);
	cr_assert_leq(calls.reads, 8);
	for (size_t i = 0; i < N; i++)
		cr_assert_eq(errors[i], 0);
	cr_assert_eq(count_ours(nl), 0);
}

Test(addr, removal_leaves_other_prefix_alone)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr narrow = address("10.1.0.1", 32, "va");
	struct addr found;
	int error = 1;

	sh("ip addr add 10.1.0.1/24 dev va");
	add(nl, &narrow);
	cr_assert_eq(look_up(nl, &narrow, &found), 2);

	cr_assert_eq(addr_remove(nl, &narrow, 1, &error), 0);
	cr_assert_eq(error, 0);
	cr_assert_eq(look_up(nl, &narrow, &found), 1);
	cr_assert_eq(found.prefix, 24);
	cr_assert_eq(addr_remove(nl, &narrow, 1, &error), 0);
	cr_assert_eq(error, -EADDRNOTAVAIL);
	cr_assert_eq(look_up(nl, &narrow, &found), 1);
}

Test(addr, removal_leaves_other_links_alone)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr v[] = { address("10.1.0.1", 32, "va"), address("10.1.0.1", 32, "vb") };
	struct addr found;
	int error = 1;

	add(nl, &v[0]);
	add(nl, &v[1]);
	cr_assert_eq(addr_remove(nl, &v[0], 1, &error), 0);
	cr_assert_eq(error, 0);
	cr_assert_eq(look_up(nl, &v[0], &found), 0);
	cr_assert_eq(look_up(nl, &v[1], &found), 1);
}

Test(addr, removing_what_is_not_there_says_so)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr v[] = { address("10.1.0.1", 32, "va"), address("fd00::1", 64, "va") };
	int errors[2] = { 1, 1 };

	sh("ip addr add fd00::1/128 dev va");
	cr_assert_eq(addr_remove(nl, v, 2, errors), 0);
	cr_assert_eq(errors[0], -EADDRNOTAVAIL);
	cr_assert_eq(errors[1], -EADDRNOTAVAIL);
}

Test(addr, nothing_without_our_tag_is_removed)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	struct addr v[] = { address("10.1.0.1", 32, "va"), address("10.1.0.2", 32, "va") };
	int errors[2] = { 1, 1 };
	struct addr found;

	add(nl, &v[0]);
	sh("ip addr add 10.1.0.2/32 dev va");
	cr_assert_eq(look_up(nl, &v[1], &v[1]), 1);

	cr_assert_eq(addr_remove(nl, v, 2, errors), -EPERM);
	cr_assert(errors[0] == 1 && errors[1] == 1);
	cr_assert_eq(look_up(nl, &v[0], &found), 1);
	cr_assert_eq(look_up(nl, &v[1], &found), 1);
}

Test(addr, the_hosts_own_address_of_a_peer_link_is_the_local_one)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr v[] = { address("10.1.0.1", 32, "va"), address("fd00::1", 128, "va") };
	struct addr found;

	sh("ip addr add 10.1.0.1 peer 10.1.0.2/32 dev va");
	sh("ip addr add fd00::1 peer fd00::2/128 dev va");
	cr_assert_eq(look_up(nl, &v[0], &found), 1);
	cr_assert_eq(look_up(nl, &v[1], &found), 1);
}

Test(addr, waiting_for_ipv4_asks_the_kernel_nothing)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr a = address("10.1.0.1", 32, "va");

	memset(&calls, 0, sizeof(calls));
	cr_assert_eq(addr_wait_local(nl, &a, 1, PATIENCE_MS), 0);
	cr_assert_eq(addr_wait_local(nl, NULL, 0, PATIENCE_MS), 0);
	cr_assert_eq(calls.sends + calls.reads + calls.waits + calls.sockets, 0);
}

/* A datagram to oneself gets there only by the local route. */
static bool reaches_itself(const struct addr *a)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(4000) };
	_cleanup_(close_fdp) int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	char byte = 0;

	memcpy(&to.sin6_addr, a->ip.bytes, sizeof(to.sin6_addr));
	cr_assert_eq(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return sendto(fd, &byte, 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1 &&
	       recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

static void fill_ipv6(struct addr *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		v[i] = address("fd00::", 128, "va");
		v[i].ip.bytes[14] = (uint8_t)(i >> 8);
		v[i].ip.bytes[15] = (uint8_t)i;
	}
}

Test(addr, after_the_wait_every_ipv6_address_works)
{
	enum { N = 300 };
	_cleanup_(nl_closep) struct nl *nl = enter();
	struct addr v[N];
	int errors[N];

	fill_ipv6(v, N);
	cr_assert_eq(addr_add(nl, v, N, errors), 0);
	memset(&calls, 0, sizeof(calls));
	cr_assert_eq(addr_wait_local(nl, v, N, PATIENCE_MS), 0);
	/* One dump or two, not a question for each. */
	cr_assert_leq(calls.sends, 2);
	for (size_t i = 0; i < N; i++)
		cr_assert(reaches_itself(&v[i]), "address %zu", i);
}

Test(addr, without_its_route_an_ipv6_address_works_no_more_and_can_be_removed)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr v[] = { address("fd00::1", 64, "va"), address("10.1.0.1", 24, "va"),
				  address("fd00::2", 64, "va"), address("fd00::1", 64, "vb") };
	int errors[ARRAY_SIZE(v)] = { 1, 1, 1, 1 };
	struct addr found;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		add(nl, &v[i]);
	cr_assert_eq(addr_wait_local(nl, v, ARRAY_SIZE(v), PATIENCE_MS), 0);
	cr_assert_eq(addr_unroute(nl, v, 3, errors), 0);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(errors[i], 0, "%zu: %d", i, errors[i]);
	cr_assert_eq(errors[3], 1, "not asked for");
	cr_assert_eq(addr_wait_local(nl, v, 1, 0), -ETIME);
	cr_assert_eq(addr_wait_local(nl, &v[2], 1, 0), -ETIME);
	cr_assert_eq(addr_wait_local(nl, &v[3], 1, PATIENCE_MS), 0, "another link's stays");
	cr_assert_eq(look_up(nl, &v[0], &found), 1);
	cr_assert_eq(addr_unroute(nl, v, 1, errors), 0);
	cr_assert_eq(errors[0], -ESRCH);
	cr_assert_eq(addr_remove(nl, v, ARRAY_SIZE(v), errors), 0);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		cr_assert_eq(errors[i], 0, "%zu: %d", i, errors[i]);
	cr_assert_eq(count_ours(nl), 0);
}

Test(addr, no_route_of_an_address_without_our_tag_is_removed)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	struct addr v[] = { address("fd00::1", 64, "va"), address("fd00::2", 64, "va") };
	int errors[] = { 1, 1 };

	add(nl, &v[0]);
	v[1].tag = 0;
	cr_assert_eq(addr_unroute(nl, v, ARRAY_SIZE(v), errors), -EPERM);
	cr_assert_eq(errors[0], 1);
	cr_assert_eq(addr_wait_local(nl, v, 1, PATIENCE_MS), 0);
}

/* In a process of its own, whose calls are not counted: fd00::0 to fd00::63. */
static void add_hundred(void)
{
	sh("for i in $(seq 0 99); do printf 'addr add fd00::%x/128 dev va nodad\\n' $i; done | "
	   "ip -batch -");
}

Test(addr, waiting_in_vain_ends_in_time)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr v[] = { address("fd00::1", 128, "va"), address("fd00::1", 128, "vb") };

	add(nl, &v[1]);
	cr_assert_eq(addr_wait_local(nl, &v[1], 1, PATIENCE_MS), 0);
	cr_assert_eq(addr_wait_local(nl, v, 2, 20), -ETIME, "another link's route is not enough");
}

Test(addr, the_wait_ends_with_the_notification_of_the_route)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	struct addr v[100];

	fill_ipv6(v, ARRAY_SIZE(v));
	v[1] = v[0]; /* twice, as it may be asked for */
	memset(&calls, 0, sizeof(calls));
	at_poll = add_hundred;
	cr_assert_eq(addr_wait_local(nl, v, ARRAY_SIZE(v), PATIENCE_MS), 0);
	cr_assert_eq(calls.sends, 1, "one dump, the rest was heard");
	cr_assert(reaches_itself(&v[99]));
}

Test(addr, routes_that_went_unheard_are_looked_up)
{
	_cleanup_(nl_closep) struct nl *nl = enter();
	const struct addr a = address("fd00::63", 128, "va");

	memset(&calls, 0, sizeof(calls));
	at_poll = add_hundred;
	lose_after_poll = true;
	cr_assert_eq(addr_wait_local(nl, &a, 1, PATIENCE_MS), 0);
	cr_assert_eq(calls.sends, 2, "two dumps");
	cr_assert(reaches_itself(&a));
}

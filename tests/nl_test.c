/* SPDX-License-Identifier: MIT */

#include "netlink/nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tests/netns.h"

enum { LOOPBACK = 1, NO_LINK = 9999 };

/* Called in front of the read with this number, counted from 1; 0: never. */
static int hook_at;
static int n_reads;
static void (*hook)(void);

/* Stands in front of the C library's. */
ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	if (hook_at > 0 && ++n_reads == hook_at)
		hook();
	return syscall(SYS_recvmsg, fd, msg, flags);
}

struct request {
	uint32_t host; /* last bits of 10.0.0.0/8 */
	int ifindex;
};

static void build_address(struct nlmsghdr *nlh, size_t i, const void *data)
{
	const struct request *request = (const struct request *)data + i;
	struct ifaddrmsg *ifa;

	nlh->nlmsg_type = RTM_NEWADDR;
	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 32;
	ifa->ifa_index = (uint32_t)request->ifindex;
	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(10U << 24 | request->host));
}

static int count(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	++*(size_t *)data;
	return 0;
}

static int stop_at_third(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	return ++*(size_t *)data == 3 ? 42 : 0;
}

static struct nl *open_bus(int bus)
{
	struct nl *nl = NULL;

	cr_assert_eq(nl_open(bus, &nl), 0);
	return nl;
}

static struct nlmsghdr *addresses_request(uint8_t buf[static NL_REQUEST_MAX])
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = RTM_GETADDR;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg));
	return nlh;
}

static size_t count_addresses(struct nl *nl)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	size_t n = 0;

	cr_assert_eq(nl_dump(nl, addresses_request(buf), count, &n), 0);
	return n;
}

static void add_addresses(struct nl *nl, uint32_t first, size_t n)
{
	_cleanup_(freep) struct request *requests = calloc(n, sizeof(*requests));
	_cleanup_(freep) int *errors = calloc(n, sizeof(*errors));

	for (size_t i = 0; i < n; i++)
		requests[i] = (struct request){ first + (uint32_t)i, LOOPBACK };
	cr_assert_eq(nl_each(nl, n, build_address, requests, errors), 0);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(errors[i], 0);
}

static void add_one_more(void)
{
	_cleanup_(nl_closep) struct nl *nl = open_bus(NETLINK_ROUTE);

	add_addresses(nl, 1U << 20, 1);
}

Test(nl, sockets_are_close_on_exec_and_non_blocking)
{
	_cleanup_(close_fdp) int fd = nl_socket(NETLINK_ROUTE, 0);

	cr_assert_geq(fd, 0);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

Test(nl, each_request_gets_its_own_error)
{
	enum { N = 2000 };
	_cleanup_(nl_closep) struct nl *nl = NULL;
	static struct request requests[N];
	static int errors[N];

	netns_enter();
	nl = open_bus(NETLINK_ROUTE);
	for (uint32_t i = 0; i < N; i++)
		requests[i] = (struct request){ i + 1, i % 777 == 1 ? NO_LINK : LOOPBACK };

	cr_assert_eq(nl_each(nl, N, build_address, requests, errors), 0);
	for (size_t i = 0; i < N; i++)
		cr_assert_eq(errors[i], i % 777 == 1 ? -ENODEV : 0, "request %zu: %d", i,
			     errors[i]);
}

Test(nl, lost_answers_are_told_and_the_socket_lives_on)
{
	enum { N = 200 };
	const int small = 2048, large = 1024 * 1024;
	_cleanup_(nl_closep) struct nl *nl = NULL;
	struct request requests[N];
	int errors[N], fd, n_lost = 0;

	netns_enter();
	/* The descriptor that it is going to have. */
	fd = dup(STDERR_FILENO);
	cr_assert_eq(close(fd), 0);
	nl = open_bus(NETLINK_ROUTE);
	for (uint32_t i = 0; i < N; i++)
		requests[i] = (struct request){ i + 1, LOOPBACK };

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	cr_assert_eq(nl_each(nl, N, build_address, requests, errors), 0);
	for (size_t i = 0; i < N; i++) {
		cr_assert(errors[i] == 0 || errors[i] == -ENOBUFS);
		n_lost += errors[i] != 0;
	}
	cr_assert_gt(n_lost, 0);
	cr_assert_lt(n_lost, N);

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof(large)), 0);
	add_addresses(nl, N + 1, 1);
}

Test(nl, a_dump_is_whole_although_the_table_changes_under_it)
{
	enum { N = 2000 };
	_cleanup_(nl_closep) struct nl *nl = NULL;
	size_t before;

	netns_enter();
	nl = open_bus(NETLINK_ROUTE);
	add_addresses(nl, 1, N);
	before = count_addresses(nl);
	cr_assert_geq(before, N);

	hook = add_one_more;
	hook_at = 2;
	cr_assert_eq(count_addresses(nl), before + 1);
	cr_assert_gt(n_reads, hook_at);
}

Test(nl, a_visitor_ends_the_dump_and_the_socket_lives_on)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	size_t n = 0;

	netns_enter();
	nl = open_bus(NETLINK_ROUTE);
	add_addresses(nl, 1, 1000);
	cr_assert_eq(nl_dump(nl, addresses_request(buf), stop_at_third, &n), 42);
	cr_assert_eq(n, 3);
	cr_assert_geq(count_addresses(nl), 1000);
}

Test(nl, a_refused_dump_returns_the_kernels_errno)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;
	size_t n = 0;

	netns_enter();
	nl = open_bus(NETLINK_NETFILTER);
	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_INET;
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, "absent");
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, "absent");
	cr_assert_eq(nl_dump(nl, nlh, count, &n), -ENOENT);
	cr_assert_eq(n, 0);
}

static size_t put_nft(uint8_t *buf, uint16_t type, uint16_t flags, const char *table)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	if (table) {
		nfg->nfgen_family = NFPROTO_INET;
		mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, table);
	} else {
		nfg->res_id = htons(NFNL_SUBSYS_NFTABLES);
	}
	return nlh->nlmsg_len;
}

/* A batch that makes a table and deletes another one. */
static size_t put_batch(uint8_t *buf, const char *made, const char *deleted)
{
	const uint16_t nft = NFNL_SUBSYS_NFTABLES << 8;
	size_t len = put_nft(buf, NFNL_MSG_BATCH_BEGIN, 0, NULL);

	len += put_nft(buf + len, nft | NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK, made);
	if (deleted)
		len += put_nft(buf + len, nft | NFT_MSG_DELTABLE, 0, deleted);
	return len + put_nft(buf + len, NFNL_MSG_BATCH_END, 0, NULL);
}

static size_t count_tables(struct nl *nl)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX] = { 0 };
	size_t n = 0;

	put_nft(buf, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0, NULL);
	cr_assert_eq(nl_dump(nl, (struct nlmsghdr *)buf, count, &n), 0);
	return n;
}

Test(nl, a_batch_is_done_as_a_whole_or_not_at_all)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_Alignas(struct nlmsghdr) uint8_t buf[1024] = { 0 };

	netns_enter();
	nl = open_bus(NETLINK_NETFILTER);
	cr_assert_eq(nl_transact(nl, buf, put_batch(buf, "one", NULL)), 0);
	cr_assert_eq(count_tables(nl), 1);

	/* The bad message has not asked for an answer, the good one has. */
	memset(buf, 0, sizeof(buf));
	cr_assert_eq(nl_transact(nl, buf, put_batch(buf, "two", "absent")), -ENOENT);
	cr_assert_eq(count_tables(nl), 1);

	memset(buf, 0, sizeof(buf));
	cr_assert_eq(nl_transact(nl, buf, put_batch(buf, "two", "one")), 0);
	cr_assert_eq(count_tables(nl), 1);
}

Test(nl, messages_of_other_processes_are_skipped)
{
	_cleanup_(close_fdp) int victim = -1, forger = -1;
	struct sockaddr_nl address;
	socklen_t address_len = sizeof(address);
	struct nlmsghdr forged = { .nlmsg_len = sizeof(forged), .nlmsg_type = RTM_NEWADDR };
	_Alignas(struct nlmsghdr) uint8_t buf[NL_DATAGRAM_MAX];
	size_t len = 0;

	netns_enter();
	victim = nl_socket(NETLINK_ROUTE, 0);
	forger = nl_socket(NETLINK_ROUTE, 0);
	cr_assert_eq(getsockname(victim, (struct sockaddr *)&address, &address_len), 0);
	cr_assert_eq(sendto(forger, &forged, sizeof(forged), 0, (struct sockaddr *)&address,
			    sizeof(address)),
		     sizeof(forged));
	netns_await(victim);
	cr_assert_eq(nl_receive(victim, buf, sizeof(buf), &len), -EAGAIN);
	cr_assert_eq(len, 0);
}

/* The smallest message that can carry attributes, on the heap for the sanitizer to guard. */
static struct nlmsghdr *message(size_t payload_len)
{
	struct nlmsghdr *nlh = calloc(1, sizeof(*nlh) + payload_len);

	nlh->nlmsg_len = (uint32_t)(sizeof(*nlh) + payload_len);
	return nlh;
}

Test(nl, attributes_that_lie_about_their_length_are_refused)
{
	/* Too short for itself, longer than the message, not even a header. */
	static const uint16_t lengths[] = { 0, 3, 13, UINT16_MAX };
	const struct nlattr *attrs[4];

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		_cleanup_(freep) struct nlmsghdr *nlh = message(8 + 12);
		struct nlattr *attr = mnl_nlmsg_get_payload_offset(nlh, 8);

		*attr = (struct nlattr){ .nla_len = 12, .nla_type = 2 };
		cr_assert_eq(nl_attrs(nlh, 8, attrs, ARRAY_SIZE(attrs)), 0);
		cr_assert(attrs[2] == attr && !attrs[0] && !attrs[1] && !attrs[3]);
		attr->nla_len = lengths[i];
		cr_assert_eq(nl_attrs(nlh, 8, attrs, ARRAY_SIZE(attrs)), -EBADMSG, "%u",
			     lengths[i]);
	}
}

Test(nl, a_message_shorter_than_its_header_is_refused)
{
	_cleanup_(freep) struct nlmsghdr *nlh = message(8);
	const struct nlattr *attrs[4];

	cr_assert_eq(nl_attrs(nlh, 8, attrs, ARRAY_SIZE(attrs)), 0);
	cr_assert_eq(nl_attrs(nlh, 12, attrs, ARRAY_SIZE(attrs)), -EBADMSG);
}

Test(nl, attributes_beyond_the_table_are_left_out)
{
	_cleanup_(freep) struct nlmsghdr *nlh = message(8);
	struct nlattr *attr = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attrs[4];

	*attr = (struct nlattr){ .nla_len = 8, .nla_type = ARRAY_SIZE(attrs) };
	cr_assert_eq(nl_attrs(nlh, 0, attrs, ARRAY_SIZE(attrs)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		cr_assert_null(attrs[i]);
}

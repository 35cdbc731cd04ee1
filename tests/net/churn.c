/* SPDX-License-Identifier: MIT */
/* Another program on the host, which adds and deletes addresses and routes all the time. */
#include "tests/net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

enum {
	ADDRESSES_FROM = 0x0a5a0000, /* 10.90.0.0, nobody else's in these networks */
	ROUTES_FROM = 0x0a5b0000,    /* 10.91.0.0 */
	REQUEST_SIZE = 64,	     /* no request here is longer */
};

struct churn {
	struct mnl_socket *nl; /* owned */
	uint8_t *buf;	       /* owned; one batch */
	int signals;
	unsigned int ifindex, seq;
	uint64_t addresses, routes, batch, rounds; /* rounds 0: until a signal comes */
	uint64_t changed, worst_ns;
};

static void churn_done(struct churn *c)
{
	if (c->nl)
		(void)mnl_socket_close(c->nl); /* nothing can be done about it */
	free(c->buf);
	close_fdp(&c->signals);
}

static void put_address(const struct churn *c, struct nlmsghdr *nlh, bool add, uint32_t i)
{
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	uint32_t address = htonl(ADDRESSES_FROM + i);

	nlh->nlmsg_type = add ? RTM_NEWADDR : RTM_DELADDR;
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 32;
	ifa->ifa_index = c->ifindex;
	mnl_attr_put_u32(nlh, IFA_LOCAL, address);
	mnl_attr_put_u32(nlh, IFA_ADDRESS, address);
}

static void put_route(const struct churn *c, struct nlmsghdr *nlh, bool add, uint32_t i)
{
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	nlh->nlmsg_type = add ? RTM_NEWROUTE : RTM_DELROUTE;
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 32;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_scope = RT_SCOPE_LINK;
	rtm->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(nlh, RTA_DST, htonl(ROUTES_FROM + i));
	mnl_attr_put_u32(nlh, RTA_OIF, c->ifindex);
}

typedef void put_one(const struct churn *c, struct nlmsghdr *nlh, bool add, uint32_t i);

/* Wait for the acknowledgement of the last request of a batch; the first refusal before it counts.
 */
static int acknowledged(struct churn *c, unsigned int last)
{
	_Alignas(struct nlmsghdr) uint8_t buf[8192];
	int error = 0;

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(c->nl, buf, sizeof(buf));
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		int len = (int)n;

		if (n < 0)
			return -errno;
		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_type != NLMSG_ERROR)
				continue;
			if (error == 0)
				error = e->error;
			if (nlh->nlmsg_seq == last)
				return error;
		}
	}
}

/* Requests number from to from + n - 1 in one sendmsg(). */
static int request(struct churn *c, put_one *put, bool add, uint64_t from, uint64_t n)
{
	uint64_t began_ns = probe_now_ns();
	size_t len = 0;
	int r;

	for (uint64_t i = 0; i < n; i++) {
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(c->buf + len);

		nlh->nlmsg_seq = ++c->seq;
		nlh->nlmsg_flags = NLM_F_REQUEST | (i + 1 == n ? NLM_F_ACK : 0) |
				   (add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
		put(c, nlh, add, (uint32_t)(from + i));
		len += nlh->nlmsg_len;
	}
	if (mnl_socket_sendto(c->nl, c->buf, len) < 0)
		return -errno;
	r = acknowledged(c, c->seq);
	c->changed += n;
	if (probe_now_ns() - began_ns > c->worst_ns)
		c->worst_ns = probe_now_ns() - began_ns;
	/* what is to be deleted may have gone before */
	return !add && (r == -EADDRNOTAVAIL || r == -ESRCH) ? 0 : r;
}

/* Until all are changed or a signal comes. Return: 1 for the signal. */
static int change(struct churn *c, put_one *put, bool add, uint64_t count)
{
	int r = 0;

	for (uint64_t from = 0; r == 0 && from < count; from += c->batch) {
		r = request(c, put, add, from, count - from < c->batch ? count - from : c->batch);
		if (r == 0)
			r = probe_wait(c->signals, 0);
	}
	return r;
}

static int turn(struct churn *c)
{
	int r = change(c, put_address, true, c->addresses);

	if (r == 0)
		r = change(c, put_route, true, c->routes);
	if (r == 0)
		r = change(c, put_route, false, c->routes);
	if (r == 0)
		r = change(c, put_address, false, c->addresses);
	return r;
}

static int churn_open(struct churn *c, const char *ifname)
{
	int size;

	c->ifindex = if_nametoindex(ifname);
	if (c->ifindex == 0)
		return -errno;
	c->signals = probe_signal_fd();
	if (c->signals < 0)
		return c->signals;
	c->buf = calloc(c->batch, REQUEST_SIZE);
	if (!c->buf)
		return -ENOMEM;
	c->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!c->nl || mnl_socket_bind(c->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	size = (int)(c->batch * REQUEST_SIZE * 2);
	if (setsockopt(mnl_socket_get_fd(c->nl), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) <
	    0)
		return -errno;
	return 0;
}

static int parse(struct churn *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "addresses", required_argument, NULL, 'a' },
		{ "routes", required_argument, NULL, 'r' },
		{ "batch", required_argument, NULL, 'b' },
		{ "rounds", required_argument, NULL, 'n' },
		{ 0 },
	};
	int o, r = 0;

	while (r == 0 && (o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'a')
			r = probe_number(optarg, &c->addresses);
		else if (o == 'r')
			r = probe_number(optarg, &c->routes);
		else if (o == 'b')
			r = probe_number(optarg, &c->batch);
		else if (o == 'n')
			r = probe_number(optarg, &c->rounds);
		else
			r = -EINVAL;
	}
	return r == 0 && argc - optind == 1 && c->addresses <= 65535 && c->routes <= 65535 &&
			       c->batch > 0 && c->batch <= 65535
		       ? 0
		       : -EINVAL;
}

/*
 * Add and delete addresses and routes on a link, until a signal comes, which leaves what is there;
 * --batch requests at a time, one by default, as ip(8) does.
 */
int churn_verb(int argc, char **argv)
{
	_cleanup_(churn_done) struct churn c = { .signals = -1, .batch = 1 };
	int r;

	if (parse(&c, argc, argv) < 0)
		return probe_usage(
			"churn LINK [--addresses N] [--routes N] [--batch N] [--rounds N]");
	r = churn_open(&c, argv[optind]);
	for (uint64_t i = 0; r == 0 && (c.rounds == 0 || i < c.rounds); i++)
		r = turn(&c);
	if (r < 0)
		return probe_fail(argv[optind], r);
	printf("changed=%ju worst_us=%ju\n", (uintmax_t)c.changed, (uintmax_t)(c.worst_ns / 1000));
	return 0;
}

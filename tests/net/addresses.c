/* SPDX-License-Identifier: MIT */
/* Addresses as the kernel has them, with the tag that iproute2 does not show. */
#include "tests/net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	SOCKET_BUFFER = 8 << 20,
	MESSAGE_SIZE = 32768, /* what the kernel fills a dump's packets to */
};

struct address {
	char text[INET6_ADDRSTRLEN];
	int ifindex;
	uint8_t prefix, tag;
	uint32_t valid_s;
};

static bool address_parse(const struct nlmsghdr *nlh, struct address *ret)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const void *local = NULL, *address = NULL;
	const struct nlattr *attr;

	*ret = (struct address){ .ifindex = (int)ifa->ifa_index, .prefix = ifa->ifa_prefixlen };
	mnl_attr_for_each(attr, nlh, sizeof(*ifa))
	{
		const struct ifa_cacheinfo *cache = mnl_attr_get_payload(attr);

		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL:
			local = mnl_attr_get_payload(attr);
			break;
		case IFA_ADDRESS:
			address = mnl_attr_get_payload(attr);
			break;
		case IFA_PROTO:
			ret->tag = mnl_attr_get_u8(attr);
			break;
		case IFA_CACHEINFO:
			ret->valid_s = cache->ifa_valid;
			break;
		}
	}
	if (!local)
		local = address;
	return local && inet_ntop(ifa->ifa_family, local, ret->text, sizeof(ret->text));
}

/* What `ifconfig LABEL down` does: the kernel deletes the address: alias-down LABEL */
int alias_down_verb(int argc, char **argv)
{
	_cleanup_(close_fdp) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	if (argc != 2 || strlen(argv[1]) >= sizeof(request.ifr_name))
		return probe_usage("alias-down LABEL");
	memcpy(request.ifr_name, argv[1], strlen(argv[1]));
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return probe_fail(argv[1], -errno);
	request.ifr_flags = (short)(request.ifr_flags & ~IFF_UP);
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? probe_fail(argv[1], -errno) : 0;
}

static void mnl_closep(struct mnl_socket **nl)
{
	if (*nl)
		(void)mnl_socket_close(*nl); /* nothing can be done about it */
}

static int rtnl_open(unsigned groups, struct mnl_socket **ret)
{
	_cleanup_(mnl_closep) struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int size = SOCKET_BUFFER;

	if (!nl || mnl_socket_bind(nl, groups, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	(void)setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			 sizeof(size)); /* the default will do for fewer */
	*ret = TAKE(nl);
	return 0;
}

static int dump(mnl_cb_t visit, void *data)
{
	_cleanup_(mnl_closep) struct mnl_socket *nl = NULL;
	_cleanup_(freep) char *buf = malloc(MESSAGE_SIZE);
	struct nlmsghdr *nlh;
	struct ifaddrmsg *ifa;
	ssize_t n;
	int r = rtnl_open(0, &nl);

	if (r < 0 || !buf)
		return r < 0 ? r : -ENOMEM;
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = AF_UNSPEC;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(nl, buf, MESSAGE_SIZE);
		r = n < 0 ? -1 : mnl_cb_run(buf, (size_t)n, 0, 0, visit, data);
	} while (r > 0);
	return r < 0 ? -errno : 0;
}

static int print_address(const struct nlmsghdr *nlh, void *data)
{
	char name[IF_NAMESIZE] = "?";
	const uint64_t *tag = data;
	struct address a;

	if (!address_parse(nlh, &a) || (*tag != UINT64_MAX && a.tag != *tag))
		return MNL_CB_OK;
	(void)if_indextoname((unsigned)a.ifindex, name); /* it may be gone: "?" */
	if (*tag != UINT64_MAX)
		printf("%s/%u %s\n", a.text, a.prefix, name);
	else
		printf("%s/%u %s tag=%u valid_s=%u\n", a.text, a.prefix, name, a.tag, a.valid_s);
	return MNL_CB_OK;
}

/* The addresses of this namespace: all, or those with a tag */
int addresses_verb(int argc, char **argv)
{
	uint64_t tag = UINT64_MAX;
	int r;

	if (argc > 2 || (argc == 2 && probe_number(argv[1], &tag) < 0))
		return probe_usage("addresses [TAG]");
	r = dump(print_address, &tag);
	return r < 0 ? probe_fail("addresses", errno) : 0;
}

/* As takeoverd adds an address, with its tag, which iproute2 cannot set. */
static int add_tagged(const char *text, uint8_t prefix, unsigned ifindex, uint8_t tag)
{
	_cleanup_(mnl_closep) struct mnl_socket *nl = NULL;
	const int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	_Alignas(struct nlmsghdr) uint8_t buf[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa;
	uint8_t ip[16];
	ssize_t n;
	int r = rtnl_open(0, &nl);

	if (r < 0)
		return r;
	if (inet_pton(family, text, ip) != 1)
		return -EINVAL;
	nlh->nlmsg_type = RTM_NEWADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	*ifa = (struct ifaddrmsg){ .ifa_family = (uint8_t)family,
				   .ifa_prefixlen = prefix,
				   .ifa_index = ifindex };
	mnl_attr_put(nlh, IFA_LOCAL, family == AF_INET ? 4 : 16, ip);
	mnl_attr_put(nlh, IFA_ADDRESS, family == AF_INET ? 4 : 16, ip);
	mnl_attr_put_u8(nlh, IFA_PROTO, tag);
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	return n < 0 || mnl_cb_run(buf, (size_t)n, 0, 0, NULL, NULL) < 0 ? -errno : 0;
}

int add_tagged_verb(int argc, char **argv)
{
	uint64_t prefix, tag;
	unsigned ifindex;
	int r;

	ifindex = argc == 5 ? if_nametoindex(argv[3]) : 0;
	if (!ifindex || probe_number(argv[2], &prefix) < 0 || probe_number(argv[4], &tag) < 0)
		return probe_usage("add-tagged ADDRESS PREFIX-LENGTH INTERFACE TAG");
	r = add_tagged(argv[1], (uint8_t)prefix, ifindex, (uint8_t)tag);
	return r < 0 ? probe_fail("add-tagged", r) : 0;
}

/* One address in one namespace, followed through notifications. */
struct watch {
	const char *address;
	struct mnl_socket *nl; /* owned */
	bool present;
	unsigned came, went;
};

static void watch_done(struct watch *w)
{
	mnl_closep(&w->nl);
}

static int watch_message(const struct nlmsghdr *nlh, void *data)
{
	struct watch *w = data;
	struct address a;

	if (nlh->nlmsg_type != RTM_NEWADDR && nlh->nlmsg_type != RTM_DELADDR)
		return MNL_CB_OK;
	if (!address_parse(nlh, &a) || strcmp(a.text, w->address) != 0)
		return MNL_CB_OK;
	if (nlh->nlmsg_type == RTM_NEWADDR && !w->present)
		w->came++;
	if (nlh->nlmsg_type == RTM_DELADDR && w->present)
		w->went++;
	w->present = nlh->nlmsg_type == RTM_NEWADDR;
	return MNL_CB_OK;
}

static int watch_open(struct watch *w)
{
	int r = rtnl_open(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, &w->nl);

	if (r >= 0)
		while ((r = dump(watch_message, w)) == -EINTR)
			; /* others came or went in the middle of it */
	w->came = w->went = 0;
	return r;
}

static int watch_receive(struct watch *w)
{
	_cleanup_(freep) char *buf = malloc(MESSAGE_SIZE);
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	n = mnl_socket_recvfrom(w->nl, buf, MESSAGE_SIZE);
	if (n < 0)
		return -errno;
	return mnl_cb_run(buf, (size_t)n, 0, 0, watch_message, w);
}

int wait_address_verb(int argc, char **argv)
{
	_cleanup_(watch_done) struct watch w = { 0 };
	uint64_t deadline_ns;
	bool wanted;
	int r;

	if (argc != 4 || probe_timeout_ns(argv[3], &deadline_ns) < 0)
		return probe_usage("wait-address ADDRESS present|absent SECONDS");
	w.address = argv[1];
	wanted = strcmp(argv[2], "present") == 0;
	r = watch_open(&w);
	while (r >= 0 && w.present != wanted) {
		r = probe_wait(mnl_socket_get_fd(w.nl), deadline_ns);
		if (r == 0)
			return 1;
		if (r > 0)
			r = watch_receive(&w);
	}
	return r < 0 ? probe_fail("wait-address", r) : 0;
}

/* Open a watch in the namespace @file; leaves the process in it. */
static int watch_open_in(struct watch *w, const char *file)
{
	_cleanup_(close_fdp) int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		return -errno;
	return watch_open(w);
}

/*
 * Follow an arrival: was the address still on the other node? What happened
 * there before is in its queue already, so that is emptied first.
 */
static int follow(struct watch *w, struct watch *other, unsigned *both)
{
	unsigned before = w->came;
	int r = watch_receive(w);

	if (r < 0 || w->came == before)
		return r;
	while (r >= 0 && probe_wait(mnl_socket_get_fd(other->nl), 0) > 0)
		r = watch_receive(other);
	if (other->present)
		(*both)++;
	return r;
}

/* How often an address came to one node while the other one still had it. */
int hold_verb(int argc, char **argv)
{
	_cleanup_(watch_done) struct watch a = { 0 };
	_cleanup_(watch_done) struct watch b = { 0 };
	_cleanup_(close_fdp) int signals = -1;
	struct pollfd p[3];
	unsigned both = 0;
	int r;

	if (argc < 4 || argc > 5)
		return probe_usage("hold ADDRESS NETNS-A NETNS-B [FIFO]");
	a.address = b.address = argv[1];
	signals = probe_signal_fd();
	r = signals < 0 ? signals : watch_open_in(&a, argv[2]);
	if (r >= 0)
		r = watch_open_in(&b, argv[3]);
	if (r >= 0)
		r = probe_ready(argc == 5 ? argv[4] : NULL);
	if (r < 0)
		return probe_fail("hold", r);
	probe_realtime(30);
	p[0] = (struct pollfd){ .fd = mnl_socket_get_fd(a.nl), .events = POLLIN };
	p[1] = (struct pollfd){ .fd = mnl_socket_get_fd(b.nl), .events = POLLIN };
	p[2] = (struct pollfd){ .fd = signals, .events = POLLIN };
	while (r >= 0 && poll(p, 3, -1) >= 0 && !p[2].revents) {
		if (p[0].revents)
			r = follow(&a, &b, &both);
		else if (p[1].revents)
			r = follow(&b, &a, &both);
	}
	if (r < 0)
		return probe_fail("hold", errno);
	printf("came=%u went=%u both=%u\n", a.came + b.came, a.went + b.went, both);
	return 0;
}

/* How often an address was away, and for how long at most: until told to end. */
int away_verb(int argc, char **argv)
{
	uint64_t went_ns = 0, longest_ns = 0;
	_cleanup_(watch_done) struct watch w = { 0 };
	_cleanup_(close_fdp) int signals = -1;
	unsigned times = 0;
	struct pollfd p[2];
	int r;

	if (argc < 2 || argc > 3)
		return probe_usage("away ADDRESS [FIFO]");
	w.address = argv[1];
	signals = probe_signal_fd();
	r = signals < 0 ? signals : watch_open(&w);
	if (r >= 0)
		r = probe_ready(argc == 3 ? argv[2] : NULL);
	if (r < 0)
		return probe_fail("away", r);
	probe_realtime(30);
	p[0] = (struct pollfd){ .fd = mnl_socket_get_fd(w.nl), .events = POLLIN };
	p[1] = (struct pollfd){ .fd = signals, .events = POLLIN };
	while (r >= 0 && poll(p, 2, -1) >= 0 && !p[1].revents) {
		const bool before = w.present;

		r = watch_receive(&w);
		if (before && !w.present)
			went_ns = probe_now_ns();
		if (before || !w.present || !went_ns)
			continue;
		times++;
		if (probe_now_ns() - went_ns > longest_ns)
			longest_ns = probe_now_ns() - went_ns;
	}
	if (r < 0)
		return probe_fail("away", r);
	printf("times=%u longest_us=%llu\n", times, (unsigned long long)longest_ns / 1000);
	return 0;
}

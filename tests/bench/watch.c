/* SPDX-License-Identifier: MIT */
/*
 * Sees many addresses move: when the last one works on the new node and the last one has
 * ceased to work on the old one, by what their kernels tell; and when the last one has been
 * announced for the first time, by what comes in at the bridge's port of the new node: the
 * old one may announce, too, and may have the same MAC. An address works while it is on an
 * interface that is up and has ARP.
 *
 * A listener costs those who are listened to, as it wants to run with each message: so
 * this one lets them gather, for a small part of the time that has gone by since the first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libmnl/libmnl.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/net/probe.h"

enum {
	COUNT_MAX = 60000,
	LINKS_MAX = 64,
	BUFFER_BYTES = 64 << 20, /* 5,000 messages of 1 KiB each, and again */
	FRAMES = 64,		 /* read in one call */
	FRAME_HEAD = 96,
	GATHER_PART = 64, /* what an answer may be late by, as a part of the whole */
	GATHER_MAX_NS = 1000000,
	WATCH_PRIORITY = 30,
};

struct range {
	int family;
	uint8_t first[16];
	unsigned count;
};

struct device {
	int ifindex;
	bool works;
};

/* One node, through its kernel. */
struct node {
	struct mnl_socket *nl; /* owned */
	const struct range *range;
	int *on; /* owned; of each address, the interface; 0: none */
	struct device devices[LINKS_MAX];
	size_t n_devices;
	unsigned working;
	uint64_t now_ns, first_ns, all_ns, none_ns;
};

/* What comes from the new node. */
struct wire {
	int fd;
	const struct range *range;
	bool *heard; /* owned */
	unsigned announced, wanted;
	uint64_t frames, first_ns, last_ns;
};

struct watch {
	struct range range;
	struct node new, old;
	struct wire wire;
	int signals;
	const char *names[3]; /* namespaces: new, old, bridge */
	const char *port;
	const char *ready;
	uint64_t deadline_ns;
};

static void mnl_closep(struct mnl_socket **nl)
{
	if (*nl)
		(void)mnl_socket_close(*nl); /* nothing can be done about an error of it */
}

static void watch_done(struct watch *w)
{
	mnl_closep(&w->new.nl);
	mnl_closep(&w->old.nl);
	free(w->new.on);
	free(w->old.on);
	close_fdp(&w->wire.fd);
	free(w->wire.heard);
	close_fdp(&w->signals);
}

/* Which one of them is it? Return: its number; -1 if it is none. */
static int number(const struct range *range, int family, const void *address)
{
	size_t low = family == AF_INET ? 0 : 12;
	uint32_t a, first;

	if (family != range->family || memcmp(address, range->first, low) != 0)
		return -1;
	memcpy(&a, (const uint8_t *)address + low, 4);
	memcpy(&first, range->first + low, 4);
	a = ntohl(a) - ntohl(first);
	return a < range->count ? (int)a : -1;
}

static struct device *device(struct node *node, int ifindex)
{
	for (size_t i = 0; i < node->n_devices; i++)
		if (node->devices[i].ifindex == ifindex)
			return &node->devices[i];
	if (node->n_devices == LINKS_MAX)
		return NULL;
	node->devices[node->n_devices] = (struct device){ .ifindex = ifindex };
	return &node->devices[node->n_devices++];
}

static bool works(struct node *node, int ifindex)
{
	const struct device *d = ifindex ? device(node, ifindex) : NULL;

	return d && d->works;
}

static void count(struct node *node, unsigned before)
{
	if (node->working == before)
		return;
	if (!node->first_ns)
		node->first_ns = node->now_ns;
	if (node->working == node->range->count)
		node->all_ns = node->now_ns;
	if (node->working == 0)
		node->none_ns = node->now_ns;
}

static void take_link(struct node *node, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(nlh);
	struct device *d = device(node, link->ifi_index);
	unsigned before = node->working;

	if (!d)
		return;
	d->works = nlh->nlmsg_type == RTM_NEWLINK && (link->ifi_flags & IFF_UP) &&
		   !(link->ifi_flags & IFF_NOARP);
	node->working = 0;
	for (unsigned i = 0; i < node->range->count; i++)
		node->working += works(node, node->on[i]);
	count(node, before);
}

static void take_address(struct node *node, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	unsigned before = node->working;
	const struct nlattr *attr;
	int i = -1, on;

	mnl_attr_for_each(attr, nlh,
			  sizeof(*ifa)) if (mnl_attr_get_type(attr) ==
					    (ifa->ifa_family == AF_INET ? IFA_LOCAL : IFA_ADDRESS))
		i = number(node->range, ifa->ifa_family, mnl_attr_get_payload(attr));
	if (i < 0)
		return;
	on = node->on[i];
	if (nlh->nlmsg_type == RTM_NEWADDR)
		node->on[i] = (int)ifa->ifa_index;
	else if (on == (int)ifa->ifa_index)
		node->on[i] = 0;
	if (works(node, on))
		node->working--;
	if (works(node, node->on[i]))
		node->working++;
	count(node, before);
}

static int take_message(const struct nlmsghdr *nlh, void *data)
{
	struct node *node = data;

	if (nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK)
		take_link(node, nlh);
	if (nlh->nlmsg_type == RTM_NEWADDR || nlh->nlmsg_type == RTM_DELADDR)
		take_address(node, nlh);
	return MNL_CB_OK;
}

/* Take all that has been told. */
static int node_take(struct node *node)
{
	_Alignas(struct nlmsghdr) static uint8_t buf[65536];
	ssize_t n;

	node->now_ns = probe_now_ns();
	for (;;) {
		n = recv(mnl_socket_get_fd(node->nl), buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (mnl_cb_run(buf, (size_t)n, 0, 0, take_message, node) < 0)
			return -errno;
	}
}

/* What is there now, links or addresses. */
static int node_dump(struct node *node, uint16_t type)
{
	_Alignas(struct nlmsghdr) uint8_t buf[65536] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int r = 1;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg)); /* the longer of the two */
	if (!nl || mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		r = -1;
	while (r > 0) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		r = n < 0 ? -1 : mnl_cb_run(buf, (size_t)n, 0, 0, take_message, node);
	}
	r = r < 0 ? -errno : 0;
	mnl_closep(&nl);
	return r;
}

/* In the namespace that this process is in. */
static int node_open(struct node *node, const struct range *range)
{
	const int size = BUFFER_BYTES;
	int r;

	node->range = range;
	node->on = calloc(range->count, sizeof(*node->on));
	if (!node->on)
		return -ENOMEM;
	node->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!node->nl ||
	    mnl_socket_bind(node->nl,
			    RTMGRP_LINK | (range->family == AF_INET ? RTMGRP_IPV4_IFADDR
								    : RTMGRP_IPV6_IFADDR),
			    MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(node->nl), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) < 0)
		return -errno;
	r = node_dump(node, RTM_GETLINK);
	while (r >= 0 && (r = node_dump(node, RTM_GETADDR)) == -EINTR)
		r = 0; /* others came or went in the middle of it */
	node->first_ns = node->all_ns = node->none_ns = 0;
	return r;
}

static int wire_open(struct wire *wire, const struct range *range, const char *port,
		     unsigned wanted)
{
	const int size = BUFFER_BYTES;

	wire->range = range;
	wire->wanted = wanted;
	wire->heard = calloc(range->count, sizeof(*wire->heard));
	if (!wire->heard)
		return -ENOMEM;
	return packet_open(port, &wire->fd) < 0 || setsockopt(wire->fd, SOL_SOCKET, SO_RCVBUFFORCE,
							      &size, sizeof(size)) < 0
		       ? -errno
		       : 0;
}

/* The address that a gratuitous ARP or a neighbour advertisement speaks of; -1: none of them. */
static int announced(const struct range *range, const uint8_t *frame, size_t len)
{
	const uint8_t *arp = frame + ETH_LEN, *icmp6 = frame + ICMP6_AT;

	if (len >= ETH_LEN + ARP_LEN && frame[12] == 0x08 && frame[13] == 0x06)
		return memcmp(arp + 14, arp + 24, 4) ? -1 : number(range, AF_INET, arp + 14);
	if (len < ICMP6_AT + NA_LEN || frame[12] != 0x86 || frame[13] != 0xdd ||
	    frame[ETH_LEN + 6] != IPPROTO_ICMPV6 || icmp6[0] != NA_TYPE)
		return -1;
	return number(range, AF_INET6, icmp6 + 8);
}

static void take_frame(struct wire *wire, const uint8_t *frame, size_t len, uint64_t at_ns)
{
	int i = announced(wire->range, frame, len);

	if (i < 0)
		return;
	wire->frames++;
	if (wire->heard[i] || wire->announced == wire->wanted)
		return;
	wire->heard[i] = true;
	wire->announced++;
	if (!wire->first_ns)
		wire->first_ns = at_ns;
	wire->last_ns = at_ns;
}

/* Take some of the frames that have come. Return: how many, or negative errno. */
static int wire_take(struct wire *wire)
{
	struct mmsghdr messages[FRAMES] = { 0 };
	struct iovec iovecs[FRAMES];
	uint8_t frames[FRAMES][FRAME_HEAD] = { 0 };
	uint8_t control[FRAMES][CMSG_SPACE(sizeof(struct timespec))];
	struct sockaddr_ll from[FRAMES];
	int n;

	for (size_t i = 0; i < FRAMES; i++) {
		iovecs[i] = (struct iovec){ frames[i], FRAME_HEAD };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &iovecs[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = sizeof(control[i]),
		};
	}
	n = recvmmsg(wire->fd, messages, FRAMES, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (int i = 0; i < n; i++)
		if (from[i].sll_pkttype != PACKET_OUTGOING)
			take_frame(wire, frames[i], messages[i].msg_len,
				   probe_received_ns(&messages[i].msg_hdr));
	return n;
}

static int enter(const char *name)
{
	_cleanup_(close_fdp) int fd = open(name, O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static int watch_open(struct watch *w, unsigned wanted)
{
	int r = enter(w->names[0]);

	if (r >= 0)
		r = node_open(&w->new, &w->range);
	if (r >= 0)
		r = enter(w->names[1]);
	if (r >= 0)
		r = node_open(&w->old, &w->range);
	if (r >= 0)
		r = enter(w->names[2]);
	if (r >= 0)
		r = wire_open(&w->wire, &w->range, w->port, wanted);
	if (r >= 0)
		r = w->signals = probe_signal_fd();
	return r < 0 ? r : probe_ready(w->ready);
}

static bool is_over(const struct watch *w)
{
	return w->new.working == w->range.count && w->old.working == 0 &&
	       w->wire.announced >= w->wire.wanted;
}

static int take_all(struct watch *w)
{
	int r = node_take(&w->new);

	if (r >= 0)
		r = node_take(&w->old);
	while (r >= 0 && (r = wire_take(&w->wire)) > 0)
		;
	return r;
}

/* Let more come together. */
static void gather(const struct watch *w)
{
	uint64_t since_ns = w->new.first_ns, nap_ns;

	if (!since_ns || (w->old.first_ns && w->old.first_ns < since_ns))
		since_ns = w->old.first_ns;
	nap_ns = since_ns ? (probe_now_ns() - since_ns) / GATHER_PART : 0;
	if (nap_ns > GATHER_MAX_NS)
		nap_ns = GATHER_MAX_NS;
	if (nap_ns)
		(void)nanosleep(&(struct timespec){ .tv_nsec = (long)nap_ns }, NULL);
}

/* Return: 0 when all have moved, 1 if that did not come to be in time. */
static int watch_run(struct watch *w)
{
	struct pollfd p[] = {
		{ .fd = mnl_socket_get_fd(w->new.nl), .events = POLLIN },
		{ .fd = mnl_socket_get_fd(w->old.nl), .events = POLLIN },
		{ .fd = w->wire.fd, .events = POLLIN },
		{ .fd = w->signals, .events = POLLIN },
	};

	while (!is_over(w)) {
		uint64_t now_ns = probe_now_ns();
		int r;

		if (now_ns >= w->deadline_ns || p[3].revents)
			return 1;
		r = poll(p, ARRAY_SIZE(p), (int)((w->deadline_ns - now_ns) / 1000000) + 1);
		if (r < 0)
			return -errno;
		r = take_all(w);
		if (r < 0)
			return r;
		gather(w);
	}
	return 0;
}

static void report(const struct watch *w)
{
	printf("new=%u new_first_us=%ju new_last_us=%ju old=%u old_first_us=%ju old_last_us=%ju "
	       "announced=%u frames=%ju announced_first_us=%ju announced_last_us=%ju\n",
	       w->new.working, (uintmax_t)w->new.first_ns / 1000, (uintmax_t)w->new.all_ns / 1000,
	       w->old.working, (uintmax_t)w->old.first_ns / 1000, (uintmax_t)w->old.none_ns / 1000,
	       w->wire.announced, (uintmax_t)w->wire.frames, (uintmax_t)w->wire.first_ns / 1000,
	       (uintmax_t)w->wire.last_ns / 1000);
}

static int parse(struct watch *w, int argc, char **argv, unsigned *ret_wanted)
{
	static const struct option options[] = {
		{ "announced", required_argument, NULL, 'a' },
		{ "ready", required_argument, NULL, 'r' },
		{ 0 },
	};
	uint64_t n, wanted = UINT64_MAX;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			w->ready = optarg;
		else if (c != 'a' || probe_number(optarg, &wanted) < 0)
			return -EINVAL;
	}
	argv += optind;
	if (argc - optind != 7 || probe_number(argv[1], &n) < 0 || n < 1 || n > COUNT_MAX ||
	    probe_timeout_ns(argv[2], &w->deadline_ns) < 0)
		return -EINVAL;
	w->range.family = strchr(argv[0], ':') ? AF_INET6 : AF_INET;
	w->range.count = (unsigned)n;
	*ret_wanted = wanted < n ? (unsigned)wanted : (unsigned)n;
	memcpy(w->names, argv + 3, sizeof(w->names));
	w->port = argv[6];
	return inet_pton(w->range.family, argv[0], w->range.first) == 1 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	_cleanup_(watch_done) struct watch w = { .signals = -1, .wire.fd = -1 };
	unsigned wanted;
	int r;

	if (parse(&w, argc, argv, &wanted) < 0) {
		fprintf(stderr, "usage: watch FIRST-ADDRESS COUNT SECONDS NEW OLD BRIDGE PORT "
				"[--announced COUNT] [--ready FIFO]\n"
				"NEW, OLD and BRIDGE are files of network namespaces\n");
		return 2;
	}
	r = watch_open(&w, wanted);
	if (r < 0)
		return probe_fail("watch", r);
	probe_realtime(WATCH_PRIORITY);
	r = watch_run(&w);
	if (r < 0)
		return probe_fail("watch", r);
	report(&w);
	return r;
}

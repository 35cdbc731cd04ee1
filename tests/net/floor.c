/* SPDX-License-Identifier: MIT */
/*
 * The floor of a planned move: one process that does to both nodes what has to be done,
 * and nothing else. Nobody is asked, told or waited for but the kernel.
 */
#include "tests/net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	FLOOR_PRIORITY = 5, /* as the agent has it, and keepalived at its best */
	ARP_FRAME_LEN = ETH_LEN + ARP_LEN,
};

/* What has been opened on a node before the time runs. */
struct floor_node {
	int rtnl, packet;
	unsigned ifindex;
	uint8_t mac[ETH_ALEN];
};

static void floor_node_done(struct floor_node *n)
{
	close_fdp(&n->rtnl);
	close_fdp(&n->packet);
}

/* Leaves the process in the namespace @file. */
static int floor_node_open(struct floor_node *n, const char *file, const char *ifname)
{
	_cleanup_(close_fdp) int ns = open(file, O_RDONLY | O_CLOEXEC);
	struct ifreq request = { 0 };

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname); /* then none */
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		return -errno;
	n->rtnl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	n->ifindex = if_nametoindex(ifname);
	if (n->rtnl < 0 || n->ifindex == 0 || ioctl(n->rtnl, SIOCGIFHWADDR, &request) < 0)
		return -errno;
	memcpy(n->mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	return packet_open(ifname, &n->packet);
}

/* One request, and the kernel's answer to it. */
static int change(const struct floor_node *n, uint16_t type, struct in_addr ip)
{
	_Alignas(struct nlmsghdr) uint8_t buf[512];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa;
	ssize_t len;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (type == RTM_NEWADDR)
		nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	*ifa = (struct ifaddrmsg){ .ifa_family = AF_INET,
				   .ifa_prefixlen = 32,
				   .ifa_index = n->ifindex };
	mnl_attr_put(nlh, IFA_LOCAL, sizeof(ip), &ip);
	if (send(n->rtnl, nlh, nlh->nlmsg_len, 0) < 0)
		return -errno;
	len = recv(n->rtnl, buf, sizeof(buf), 0);
	return len < 0 || mnl_cb_run(buf, (size_t)len, 0, 0, NULL, NULL) < 0 ? -errno : 0;
}

/* As a request and as a reply, RFC 5227 section 3. */
static int announce(const struct floor_node *n, struct in_addr ip)
{
	static const uint16_t forms[] = { ARPOP_REQUEST, ARPOP_REPLY };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		uint8_t frame[ARP_FRAME_LEN] = { 0 };
		uint8_t *arp = frame + ETH_LEN;

		memset(frame, 0xff, ETH_ALEN);
		memcpy(frame + ETH_ALEN, n->mac, ETH_ALEN);
		frame[12] = ETHERTYPE_ARP >> 8;
		frame[13] = ETHERTYPE_ARP & 0xff;
		memcpy(arp, (const uint8_t[]){ 0, 1, 8, 0, ETH_ALEN, 4, 0, (uint8_t)forms[i] }, 8);
		memcpy(arp + 8, n->mac, ETH_ALEN);
		memcpy(arp + 14, &ip, 4);
		memcpy(arp + 18, n->mac, ETH_ALEN); /* a reply to oneself is gratuitous, too */
		memcpy(arp + 24, &ip, 4);
		if (send(n->packet, frame, sizeof(frame), 0) < 0)
			return -errno;
	}
	return 0;
}

/* Move ADDRESS: "strict" is delete, add, announce; "seamless" add, announce, delete. */
int floor_verb(int argc, char **argv)
{
	_cleanup_(floor_node_done) struct floor_node from = { .rtnl = -1, .packet = -1 };
	_cleanup_(floor_node_done) struct floor_node to = { .rtnl = -1, .packet = -1 };
	struct in_addr ip;
	uint64_t start_ns;
	bool strict;
	int r;

	if (argc != 6 || inet_pton(AF_INET, argv[4], &ip) != 1)
		return probe_usage("floor FROM-NETNS TO-NETNS INTERFACE ADDRESS strict|seamless");
	strict = strcmp(argv[5], "strict") == 0;
	r = floor_node_open(&from, argv[1], argv[3]);
	if (r == 0)
		r = floor_node_open(&to, argv[2], argv[3]);
	if (r < 0)
		return probe_fail("floor", r);
	probe_realtime(FLOOR_PRIORITY);
	start_ns = probe_now_ns();
	if (strict)
		r = change(&from, RTM_DELADDR, ip);
	if (r == 0)
		r = change(&to, RTM_NEWADDR, ip);
	if (r == 0)
		r = announce(&to, ip);
	if (r == 0 && !strict)
		r = change(&from, RTM_DELADDR, ip);
	if (r < 0)
		return probe_fail("floor", r);
	printf("start_us=%ju call_us=%ju\n", (uintmax_t)(start_ns / 1000),
	       (uintmax_t)((probe_now_ns() - start_ns) / 1000));
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The neighbour table of a host: where it believes an address to be. */
#include "tests/net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/ether.h>

enum { MESSAGE_SIZE = 32768 }; /* what the kernel fills a dump's packets to */

struct belief {
	const char *address; /* as inet_ntop() writes it */
	struct ether_addr wanted;
	bool holds;
};

static void mnl_closep(struct mnl_socket **nl)
{
	if (*nl)
		(void)mnl_socket_close(*nl); /* nothing can be done about it */
}

/* The last word on the address counts. */
static int visit(const struct nlmsghdr *nlh, void *data)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const void *ip = NULL, *mac = NULL;
	char text[INET6_ADDRSTRLEN];
	struct belief *b = data;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWNEIGH ||
	    (ndm->ndm_family != AF_INET && ndm->ndm_family != AF_INET6))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*ndm))
	{
		if (mnl_attr_get_type(attr) == NDA_DST)
			ip = mnl_attr_get_payload(attr);
		if (mnl_attr_get_type(attr) == NDA_LLADDR &&
		    mnl_attr_get_payload_len(attr) == sizeof(b->wanted))
			mac = mnl_attr_get_payload(attr);
	}
	if (ip && inet_ntop(ndm->ndm_family, ip, text, sizeof(text)) &&
	    strcmp(text, b->address) == 0)
		b->holds = mac && memcmp(mac, &b->wanted, sizeof(b->wanted)) == 0;
	return MNL_CB_OK;
}

static int receive(struct mnl_socket *nl, struct belief *belief)
{
	_cleanup_(freep) char *buf = malloc(MESSAGE_SIZE);
	ssize_t n = buf ? mnl_socket_recvfrom(nl, buf, MESSAGE_SIZE) : -1;

	return n < 0 ? -errno : mnl_cb_run(buf, (size_t)n, 0, 0, visit, belief);
}

/* Listen first, look then: so nothing comes unseen between the two. */
static int look(struct mnl_socket **ret, struct belief *belief)
{
	_cleanup_(mnl_closep) struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	_Alignas(struct nlmsghdr) char buf[64] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int r;

	nlh->nlmsg_type = RTM_GETNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	if (!nl || mnl_socket_bind(nl, RTMGRP_NEIGH, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		r = receive(nl, belief);
	} while (r > 0);
	*ret = TAKE(nl);
	return r;
}

/* Wait until this host believes an address to be at a MAC. */
int wait_neighbour_verb(int argc, char **argv)
{
	_cleanup_(mnl_closep) struct mnl_socket *nl = NULL;
	struct belief belief = { 0 };
	uint64_t deadline_ns;
	int r;

	if (argc != 4 || !ether_aton_r(argv[2], &belief.wanted) ||
	    probe_timeout_ns(argv[3], &deadline_ns) < 0)
		return probe_usage("wait-neighbour ADDRESS MAC SECONDS");
	belief.address = argv[1];
	r = look(&nl, &belief);
	while (r >= 0 && !belief.holds) {
		r = probe_wait(mnl_socket_get_fd(nl), deadline_ns);
		if (r == 0)
			return 1;
		if (r > 0)
			r = receive(nl, &belief);
	}
	return r < 0 ? probe_fail("wait-neighbour", r) : 0;
}

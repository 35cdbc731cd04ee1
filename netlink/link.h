/* SPDX-License-Identifier: MIT */
#pragma once

#include <net/if.h>

#include "netlink/nl.h"

struct link {
	int index;
	char name[IF_NAMESIZE];
	uint8_t mac[6]; /* zero where the link has none of six bytes */
	bool up;	/* IFF_UP: by an administrator's will */
	bool carrier;	/* and something to send to; the kernel's word, without delay */
	bool running;	/* IFF_UP and IFF_RUNNING: carrier, and operational */
	bool noarp;	/* IFF_NOARP: asks nobody, and answers nobody, who has an IPv4 address */
	bool router;	/* forwards IPv6 */
	bool marked; /* a macvlan that macvlan_create() made; the kernel tells late of one made now
		      */
	int parent;  /* index of the link that it is on, if it is a macvlan; else 0 */
};

/* A sysctl of a link, below net.ipv4.conf. */
struct link_setting {
	uint16_t type; /* IPV4_DEVCONF_* */
	uint32_t value;
};

int link_dump(struct nl *nl, nl_visit visit, void *data);
int link_list(struct nl *nl, struct link **ret, size_t *ret_n);
int link_index(struct nl *nl, const char *name, int *ret);
const struct link *link_find(const struct link *v, size_t n, const char *name);
int link_parse(const struct nlmsghdr *nlh, struct link *ret);
int link_set_up(struct nl *nl, int ifindex, bool up);
int link_set_flags(struct nl *nl, int ifindex, unsigned flags, unsigned change);
void link_put_ipv4(struct nlmsghdr *nlh, const struct link_setting *v, size_t n);

/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/nl.h"

/* Another host on a link, as the kernel's tables have it. */
struct neigh {
	struct ip ip;
	int ifindex;
	uint8_t mac[6];
	bool known;   /* the MAC is, and the kernel would use it */
	bool gateway; /* the way out of the link leads through it */
	uint32_t age; /* since the kernel last had it confirmed, in its clock ticks */
};

int neigh_list(struct nl *nl, int ifindex, struct neigh **ret, size_t *ret_n);
int neigh_forget(struct nl *nl, const struct ip *ips, size_t n);
int neigh_gateway(uint8_t family, int ifindex, struct ip *ret);
int neigh_parse(const struct nlmsghdr *nlh, struct neigh *ret);

/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/neigh.h"

/*
 * Hears who else says that he has one of a set of addresses. The kernel sorts
 * out: nothing wakes us that is about no address of the set.
 */

/* What the kernel's filter compares in one step each; more are sorted out here. */
enum { LISTEN_RANGES_MAX = 64 };

/* Of the last 32 bits of an address, in host order; both ends belong to it. */
struct listen_range {
	uint32_t first, last;
};

/* Ascending, with a gap between any two. */
struct listen_set {
	struct listen_range v[LISTEN_RANGES_MAX + 1];
	size_t n;
};

void listen_add(struct listen_set *set, uint32_t key);
uint32_t listen_key(const struct ip *ip);

int listen_arp(int ifindex);
int listen_nd(int ifindex);
int listen_for(int fd, uint8_t family, const struct listen_set *set);
int listen_next(int fd, uint8_t family, struct neigh *ret);

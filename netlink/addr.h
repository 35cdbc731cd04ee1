/* SPDX-License-Identifier: MIT */
#pragma once

#include <net/if.h>

#include "netlink/nl.h"

/* IFA_PROTO of the addresses that are ours; kernel values are 1 to 3. */
enum { ADDR_TAG = 0x74 };

struct addr {
	struct ip ip;
	uint8_t prefix; /* length in bits */
	int ifindex;
	uint8_t tag;		 /* IFA_PROTO; 0: none */
	uint32_t valid_s;	 /* remaining lifetime; UINT32_MAX: for ever */
	bool secondary;		 /* IPv4: behind another one of its network, and goes with that */
	char label[IF_NAMESIZE]; /* of IPv4, to be added: "" for the link's name */
};

int addr_add(struct nl *nl, const struct addr *v, size_t n, int *ret_errors);
int addr_remove(struct nl *nl, const struct addr *v, size_t n, int *ret_errors);
int addr_unroute(struct nl *nl, const struct addr *v, size_t n, int *ret_errors);
int addr_list(struct nl *nl, struct addr **ret, size_t *ret_n);
int addr_wait_local(struct nl *nl, const struct addr *v, size_t n, unsigned timeout_ms);
int addr_parse(const struct nlmsghdr *nlh, struct addr *ret);

/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/nl.h"

/* What this host takes in as its own: one address, or with a shorter prefix a whole network. */
struct local {
	struct ip ip;
	uint8_t prefix; /* length in bits */
	int ifindex;	/* of the link that has it */
};

int local_list(struct nl *nl, struct local **ret, size_t *ret_n);
bool local_covers(const struct local *local, const struct ip *ip);

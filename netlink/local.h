/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/nl.h"

/* What this host takes in as its own: one address, or with a shorter prefix a whole network. */
struct local {
	struct ip ip;
	uint8_t prefix; /* length in bits */
	int ifindex;	/* of the link that has it */
};

int local_parse(const struct nlmsghdr *nlh, struct local *ret);
int local_dump(struct nl *nl, uint8_t family, nl_visit visit, void *data);
int local_list(struct nl *nl, struct local **ret, size_t *ret_n);
bool local_covers(const struct local *local, const struct ip *ip);

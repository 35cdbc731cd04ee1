/* SPDX-License-Identifier: MIT */
#pragma once

#include <net/if.h>

#include "netlink/nl.h"

struct link {
	int index;
	char name[IF_NAMESIZE];
	uint8_t mac[6]; /* zero where the link has none of six bytes */
	bool up;	/* IFF_UP: administratively */
	bool running;	/* up, and IFF_RUNNING: carrier, and operational */
};

int link_list(struct nl *nl, struct link **ret, size_t *ret_n);
int link_parse(const struct nlmsghdr *nlh, struct link *ret);

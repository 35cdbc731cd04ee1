/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/link.h"

/* IFLA_IFALIAS of the links that are ours: `ip link` shows it. */
#define MACVLAN_MARK "takeoverd"

/* A link of its own on another one, with a MAC of its own. */
struct macvlan {
	char name[IF_NAMESIZE];
	int parent; /* index of the other one */
	uint8_t mac[6];
};

int macvlan_create(struct nl *nl, const struct macvlan *macvlan);
int macvlan_delete(struct nl *nl, int ifindex);

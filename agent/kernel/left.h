/* SPDX-License-Identifier: MIT */
#pragma once

/* What else on this host has to do with a group's addresses, once they have moved. */

#include "agent/conf/conf.h"
#include "netlink/nl.h"

/* Addresses of a group that this host takes in although they have been released. */
struct left {
	const struct conf_vip *vip; /* the first; NULL: none */
	int ifindex;		    /* that has it */
	size_t n;
};

int left_look(struct nl *nl, const struct conf_group *group, struct left *ret);
int left_forget(struct nl *nl, const struct conf_group *group);

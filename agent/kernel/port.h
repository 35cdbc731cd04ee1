/* SPDX-License-Identifier: MIT */
#pragma once

/* What announcements leave by: an interface, its socket, and who is known there. */

#include "agent/conf/conf.h"
#include "netlink/neigh.h"

/* An interface that some group has addresses on. */
struct port {
	char name[CONF_IFNAME_SIZE];
	int ifindex; /* 0: not there now */
	int parent;  /* of a macvlan, on which the kernel knows the neighbours; else the same */
	uint8_t mac[6];
	bool router; /* forwards IPv6 */
	int fd;
	size_t n_vips4, n_vips6;      /* of all groups */
	const struct conf_vip *first; /* of the first group; borrowed */
	struct neigh *neighbours;     /* owned; those to be told */
	size_t n_neighbours;
	bool unread; /* they have to be read again */
};

void port_close(struct port *port);
void port_learn(struct port *port, struct neigh *v, size_t n);

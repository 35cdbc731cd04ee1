/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the kernel has, read through libnl and nothing else of ours: it shares no
 * mistake with the code that it is held against. Only `takeoverctl verify` and
 * tests know it; the daemon must not, it has a budget of memory. The values
 * below are plain, so that who compares them can be tested with made-up ones.
 */

#include "agent/base.h"

/* IFA_PROTO of takeoverd's addresses, said again from takeoverd(8): see above. */
enum { WITNESS_TAG = 0x74 };

#define WITNESS_FOR_EVER UINT32_MAX

/* Whatever is about an address begins with it, and is sorted by it. */
struct witness_addr {
	struct ip ip;
	uint8_t prefix; /* length in bits */
	uint8_t tag;	/* IFA_PROTO; 0: none */
	int ifindex;
	uint32_t valid_s, preferred_s; /* WITNESS_FOR_EVER: no end */
	bool secondary;		       /* goes when the first one of its network goes */
	char label[16];		       /* of IPv4 */
	bool nodad, tentative, dad_failed;
};

struct witness_neigh {
	struct ip ip;
	int ifindex;
	bool proxy;	/* this host answers for it; no MAC */
	bool permanent; /* set by hand: what the network says does not change it */
	uint8_t mac[6];
};

/* A route of type local to this very address: without one it does not work. */
struct witness_route {
	struct ip ip;
	int ifindex;
};

/* What of an address the gate lets through, or does not. */
enum witness_gate_kind {
	WITNESS_GATE_TRAFFIC, /* packets to and from it */
	WITNESS_GATE_ANSWERS, /* of ARP or neighbour discovery */
	WITNESS_GATE_NEW,     /* TCP connections; told of only where they are refused */
	_WITNESS_GATE_MAX,
};

/* An address that the gate, or what drains, knows; one of them for each kind. */
struct witness_gate_vip {
	struct ip ip;
	enum witness_gate_kind kind;
	bool open;
};

struct witness_gate {
	int err;      /* 0; or negative errno: it could not be read, -EPERM without CAP_NET_ADMIN */
	bool missing; /* it is not there, or not all of it */
	struct witness_gate_vip *v;
	size_t n;
};

/* Of a sysctl that cannot be read. */
enum { WITNESS_UNREADABLE = -1 };

struct witness_link {
	int index;
	char name[16];
	bool up, running;
	bool noarp; /* IFF_NOARP: nothing is resolved on it */
	uint8_t mac[6];
	bool macvlan;
	int parent;  /* of a macvlan */
	bool marked; /* its alias is takeoverd */
	/* As they count for the link: its own and those of "all" together. */
	int arp_ignore, promote_secondaries, disable_ipv6;
};

struct witness {
	struct witness_addr *addrs;
	struct witness_neigh *neighs;
	struct witness_route *routes;
	struct witness_link *links;
	size_t n_addrs, n_neighs, n_routes, n_links;
	struct witness_gate gate;
};

int witness_look(struct witness *ret);
void witness_done(struct witness *witness);

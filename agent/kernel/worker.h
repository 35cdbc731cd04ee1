/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The thread that makes requests of the kernel: rtnetlink and nftables work a
 * request off inside sendmsg(), and wait there for whoever else holds their
 * locks. It owns its sockets and nothing else, decides nothing, and answers
 * every order with a result. Gate orders overtake addresses between slices, and
 * a claim overtakes the removal of another group's.
 */

#include "agent/conf/conf.h"
#include "netlink/addr.h"
#include "netlink/gate.h"
#include "netlink/link.h"
#include "netlink/neigh.h"

enum worker_type {
	WORKER_PREPARE,	    /* add the group's addresses, read back, lay a ticket if asked to */
	WORKER_REFRESH,	    /* lengthen the lifetimes of the group's addresses */
	WORKER_REMOVE,	    /* remove the group's addresses that are ours, read back */
	WORKER_GATE,	    /* set the group's level */
	WORKER_CREATE,	    /* the same, with a new lease, against the ticket */
	WORKER_SHUT,	    /* empty all switches, end the lease */
	WORKER_REBUILD,	    /* lay the tables anew, with the levels as ordered */
	WORKER_EXTEND,	    /* lengthen the lease once */
	WORKER_REFRESH_ARP, /* renew the copy of the lease in the arp family */
	WORKER_DRAIN,	    /* refuse the group new connections, or do so no more */
	WORKER_LOOK,	    /* read all interfaces, and the addresses that concern us */
	WORKER_NEIGHBOURS,  /* read who is on an interface */
	WORKER_TIDY,	    /* forget where the group's addresses were; what else has them here? */
	WORKER_STEP_BACK,   /* put the group's addresses behind others of their networks */
	WORKER_MAKE,	    /* make the group's interfaces, down; stage its addresses on them */
	WORKER_UNMAKE,	    /* delete them */
	_WORKER_TYPE_MAX,
};

struct worker_order {
	enum worker_type type;
	uint32_t id; /* comes back in the result */
	uint8_t group;
	union {
		enum gate_level level; /* GATE, CREATE */
		uint32_t lease_ms;     /* EXTEND */
		instant lease_until;   /* REBUILD: no lease after that */
		bool ticket;	       /* PREPARE: lay one in the end */
		struct {
			bool ipv4_only; /* REFRESH, MAKE: it is not the turn of IPv6 */
			bool lost;	/* MAKE: what was ready is known not to be */
		};
		bool drain;  /* DRAIN */
		int ifindex; /* NEIGHBOURS */
		bool held;   /* TIDY: that the host has them is as it should be */
	};
};

struct worker_result {
	enum worker_type type;
	uint32_t id;
	uint8_t group;
	int err;		    /* 0 or negative errno */
	const struct conf_vip *vip; /* that it was about; NULL: none in particular */
	bool lease_lost;	    /* REFRESH_ARP: the lease element of the gate is gone */
	struct link *links;	    /* LOOK: owned by who takes the result */
	size_t n_links;
	struct addr *addrs; /* LOOK: likewise */
	size_t n_addrs;
	struct neigh *neighs; /* NEIGHBOURS: likewise */
	size_t n_neighs;
	int ifindex; /* NEIGHBOURS; TIDY: has vip */
	size_t n;    /* TIDY: of the group's addresses on this host, vip first; STEP_BACK: moved */
};

struct gatekeeper;
struct worker;

int worker_new(const struct conf *conf, uint8_t self, struct gatekeeper *keeper,
	       struct worker **ret);
struct worker *worker_free(struct worker *worker);
DEFINE_CLEANUP(struct worker *, worker_free)

int worker_order(struct worker *worker, const struct worker_order *order);
uint32_t worker_portid(const struct worker *worker);
int worker_fd(const struct worker *worker);
bool worker_next(struct worker *worker, struct worker_result *ret);

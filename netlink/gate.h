/* SPDX-License-Identifier: MIT */
#pragma once

#include <net/if.h>

#include "netlink/nl.h"

/* The kernel filter that lets a group's addresses answer: the first layer of the lease. */

struct gate_vip {
	uint32_t group; /* number of the group, 1 to n_groups */
	struct ip ip;
	uint32_t device; /* number, from 1, of that by which alone ARP speaks of it; 0: any */
};

/* An interface of a group's own. */
struct gate_device {
	uint32_t group;
	char name[IF_NAMESIZE]; /* zeros behind it */
	bool quiet;		/* nothing leaves by it but what GATE_ANSWER lets answer */
	bool staged;		/* its addresses are there while the group is closed, too */
};

struct gate_config {
	uint16_t port; /* UDP port of heartbeats, host order */
	/*
	 * SO_MARK of heartbeats that renew the lease if an echo was heard lately;
	 * mark + 1 of those that need none, as the peer is silent.
	 */
	uint32_t mark;
	uint32_t lease_ms;	     /* for how long they renew it */
	uint32_t echo_ms;	     /* how long an echo counts: 2 x interval + 5 */
	uint32_t n_groups;	     /* at most GATE_GROUPS_MAX */
	const char *const *names;    /* of the groups, number 1 first; borrowed for the call */
	const struct gate_vip *vips; /* borrowed for the call */
	size_t n_vips;
	const struct gate_device *devices; /* borrowed for the call */
	size_t n_devices;
};

enum { GATE_GROUPS_MAX = 255 };

enum { GATE_TIMEOUT_MIN_MS = 10 }; /* one tick at 100 Hz; what is less than a tick may never end */

enum gate_level {
	GATE_CLOSED, /* nothing for or from the addresses, no ARP, no ND */
	GATE_SERVE,  /* traffic, but no ARP: what is in flight gets its answer */
	GATE_READY,  /* traffic, and ARP requests of our own, but no ARP or ND answers */
	GATE_ANSWER, /* traffic and answers */
};

/* What stands in the kernel. */
struct gate_state {
	bool installed; /* both tables are there and were laid for this configuration */
	bool other;	/* they were laid for another one: levels are of groups with these names */
	bool lease_alive;		     /* the inet lease element has not run out */
	uint32_t lease_ms;		     /* gate_install(): for how long; 0: as configured */
	uint8_t levels[GATE_GROUPS_MAX + 1]; /* enum gate_level by group number */
};

int gate_install(struct nl *nf, const struct gate_config *config, const struct gate_state *keep);
int gate_guard(struct nl *nf, const struct gate_config *config, const struct gate_state *state);
int gate_remove(struct nl *nf);
int gate_read(struct nl *nf, const struct gate_config *config, struct gate_state *ret);
int gate_lease_left(struct nl *nf, uint32_t *ret_ms);

int gate_ticket(struct nl *nf, uint32_t group, uint32_t valid_ms);
int gate_create(struct nl *nf, const struct gate_config *config, uint32_t group,
		enum gate_level level);
int gate_set(struct nl *nf, const struct gate_config *config, uint32_t group,
	     enum gate_level level);
int gate_shut(struct nl *nf, const struct gate_config *config);
int gate_refresh_arp(struct nl *nf, uint32_t lease_ms);
int gate_revive_arp(struct nl *nf, uint32_t lease_ms);
int gate_extend(struct nl *nf, uint32_t lease_ms);

/* gate_drain.c */
int gate_drain(struct nl *nf, const struct gate_config *config,
	       const bool draining[static GATE_GROUPS_MAX + 1]);

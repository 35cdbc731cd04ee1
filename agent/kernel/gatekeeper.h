/* SPDX-License-Identifier: MIT */
#pragma once

/* The gate as the worker drives it: its socket, its layout, and what was ordered last. */

#include "agent/conf/conf.h"
#include "netlink/gate.h"

struct worker_order;

struct gatekeeper {
	struct nl *nf;
	struct gate_vip *vips;		    /* owned */
	struct gate_device *devices;	    /* owned; of groups that have interfaces of their own */
	const char *names[CORE_GROUPS_MAX]; /* of the groups, the configuration's */
	struct gate_config config;
	struct gate_state ordered;	    /* the levels as ordered last */
	bool draining[GATE_GROUPS_MAX + 1]; /* by number of group */
	unsigned refreshes;		    /* of the copy in the arp family, counted */
};

int gatekeeper_init(struct gatekeeper *keeper, const struct conf *conf);
void gatekeeper_done(struct gatekeeper *keeper);
uint32_t gatekeeper_ms_until(instant end);
int gatekeeper_run(struct gatekeeper *keeper, const struct worker_order *order,
		   bool *ret_lease_lost);
int gatekeeper_ticket(struct gatekeeper *keeper, uint8_t group);

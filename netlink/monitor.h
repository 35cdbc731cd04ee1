/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/addr.h"
#include "netlink/link.h"

/* What the kernel tells about links, addresses and the gate's table. */
enum monitor_kind {
	MONITOR_NOTHING, /* no more for now */
	MONITOR_LINK,
	MONITOR_LINK_GONE,
	MONITOR_ADDR,
	MONITOR_ADDR_GONE,
	MONITOR_GATE_GONE, /* the table `takeover` of some family, or a rule of it, was deleted */
	MONITOR_OVERRUN,   /* messages were lost (ENOBUFS): read everything again */
};

struct monitor_event {
	enum monitor_kind kind;
	union {
		struct link link;
		struct addr addr;
	};
};

struct monitor;

int monitor_open_rtnl(struct monitor **ret);
int monitor_open_nft(struct monitor **ret);
struct monitor *monitor_close(struct monitor *m);
DEFINE_CLEANUP(struct monitor *, monitor_close)

void monitor_ignore(struct monitor *m, uint32_t portid);
int monitor_fd(const struct monitor *m);
int monitor_next(struct monitor *m, struct monitor_event *ret);

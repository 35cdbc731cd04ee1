/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/addr.h"
#include "netlink/link.h"

/* What the kernel tells about links, addresses and the gate's tables. */
enum monitor_kind {
	MONITOR_NOTHING, /* no more for now */
	MONITOR_LINK,
	MONITOR_LINK_GONE,
	MONITOR_ADDR,
	MONITOR_ADDR_GONE,
	MONITOR_GATE_CHANGED, /* a table of the gate, or something in it, came, went or changed */
	MONITOR_OVERRUN,      /* messages were lost (ENOBUFS): read everything again */
};

/* Who did it, as the kernel tells; it may have ended by now. */
struct monitor_process {
	uint32_t pid; /* 0: not told */
	char name[16];
};

struct monitor_event {
	enum monitor_kind kind;
	/*
	 * The netlink port from which this was asked for. 0: the kernel did it by
	 * itself, or does not tell, as never for IPv6 addresses.
	 */
	uint32_t port;
	union {
		struct link link;
		struct addr addr;
		struct monitor_process process; /* GATE_CHANGED */
	};
};

struct monitor;

int monitor_open_rtnl(struct monitor **ret);
int monitor_open_nft(uint32_t ignored, struct monitor **ret);
struct monitor *monitor_close(struct monitor *m);
DEFINE_CLEANUP(struct monitor *, monitor_close)

int monitor_fd(const struct monitor *m);
int monitor_next(struct monitor *m, struct monitor_event *ret);

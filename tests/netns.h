/* SPDX-License-Identifier: MIT */
#pragma once

/* A network namespace for one test, with a veth pair in it. Needs root. */

#include <criterion/criterion.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/cleanup.h"

enum { PATIENCE_MS = 5000 }; /* for what happens within ms, on a busy machine */

static inline void sh(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

/* Looks until it is so, where no event can be waited for; a thousand looks take far longer. */
static inline void sh_until(const char *condition)
{
	char command[512];

	(void)snprintf(command, sizeof(command),
		       "for i in $(seq 1 1000); do %s && exit 0; done; exit 1", condition);
	sh(command);
}

/*
 * Waits until va and vb are operational: until the kernel has noticed the carrier,
 * which it does in a work queue, it drops what is sent.
 */
static inline void netns_await_up(void)
{
	sh_until("[ $(ip -o link | grep -c ' state UP ') -eq 2 ]");
}

/* Two ends, va and vb, both up and operational. */
static inline void netns_enter(void)
{
	cr_assert_eq(unshare(CLONE_NEWNET), 0, "needs root");
	sh("ip link set lo up && "
	   "ip link add va address 02:00:00:00:00:0a type veth "
	   "peer name vb address 02:00:00:00:00:0b && "
	   "ip link set va up && ip link set vb up");
	netns_await_up();
}

static inline int netns_index(const char *name)
{
	int index = (int)if_nametoindex(name);

	cr_assert_gt(index, 0);
	return index;
}

/* An IPv6 address works when it has its local route, a moment after it has been added. */
static inline void netns_await_ipv6(const char *address)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "ip -6 route show table local | grep -q '%s '",
		       address);
	sh_until(command);
}

static inline void netns_add_ipv6(const char *address)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "ip addr add %s/64 dev vb nodad", address);
	sh(command);
	netns_await_ipv6(address);
}

/* Waits until there is something to read. */
static inline void netns_await(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	cr_assert_eq(poll(&ready, 1, PATIENCE_MS), 1, "nothing came");
}

/* Waits until the neighbour table of vb has the address at this MAC. */
static inline void netns_await_neighbour(const char *ip, const char *mac)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "ip neigh show %s dev vb | grep -q 'lladdr %s '",
		       ip, mac);
	sh_until(command);
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/clock.h"
#include "agent/kernel/gatekeeper.h"
#include "agent/kernel/worker.h"

/* One refresh in so many also looks at the lease: about once a second. */
enum { GATEKEEPER_LOOK = 5 };

static uint32_t ms(uint64_t us)
{
	return (uint32_t)((us + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

/* The number of the interface of a group's address; 0: there is none yet. */
static uint32_t number_of(const struct gatekeeper *keeper, size_t first, const char *ifname)
{
	for (size_t i = first; i < keeper->config.n_devices; i++)
		if (!strcmp(keeper->devices[i].name, ifname))
			return (uint32_t)i + 1;
	return 0;
}

/* Each address of a group that has interfaces of its own answers by its one only. */
static int lay_devices(struct gatekeeper *keeper, const struct conf *conf)
{
	struct gate_vip *vip = keeper->vips;

	keeper->devices = calloc(keeper->config.n_vips + 1, sizeof(*keeper->devices));
	if (!keeper->devices)
		return -ENOMEM;
	keeper->config.devices = keeper->devices;
	for (size_t g = 0; g < conf->n_groups; g++) {
		const struct conf_group *group = &conf->groups[g];
		const size_t first = keeper->config.n_devices;

		for (size_t i = 0; i < group->n_vips; i++, vip++) {
			const char *ifname = group->vips[i].ifname;
			struct gate_device *device = &keeper->devices[keeper->config.n_devices];

			if (group->mode != CONF_MODE_SUBINTERFACE)
				continue;
			vip->device = number_of(keeper, first, ifname);
			if (vip->device)
				continue;
			device->group = (uint32_t)g + 1;
			device->quiet = conf_find_sub(group, ifname);
			device->staged = group->staged;
			memcpy(device->name, ifname, sizeof(device->name));
			vip->device = (uint32_t)++keeper->config.n_devices;
		}
	}
	return 0;
}

/**
 * gatekeeper_init() - Open the socket and lay out the gate for a configuration
 * @conf: names of groups are borrowed from it
 *
 * Return: 0; -ENOMEM; errors of the socket.
 */
int gatekeeper_init(struct gatekeeper *keeper, const struct conf *conf)
{
	size_t n = 0;
	int r;

	for (size_t g = 0; g < conf->n_groups; g++)
		n += conf->groups[g].n_vips;
	*keeper = (struct gatekeeper){ .config = { .port = conf->port,
						   .mark = conf->mark,
						   .lease_ms = ms(conf->lease_us),
						   .echo_ms = ms(2 * (uint64_t)conf->interval_us +
								 5 * USEC_PER_MSEC),
						   .n_groups = (uint32_t)conf->n_groups } };
	keeper->vips = calloc(n ? n : 1, sizeof(*keeper->vips));
	if (!keeper->vips)
		return -ENOMEM;
	keeper->config.vips = keeper->vips;
	keeper->config.names = keeper->names;
	for (size_t g = 0; g < conf->n_groups; g++)
		keeper->names[g] = conf->groups[g].name;
	for (size_t g = 0; g < conf->n_groups; g++)
		for (size_t i = 0; i < conf->groups[g].n_vips; i++)
			keeper->vips[keeper->config.n_vips++] =
				(struct gate_vip){ .group = (uint32_t)g + 1,
						   .ip = conf->groups[g].vips[i].ip };
	r = lay_devices(keeper, conf);
	if (r < 0)
		return r;
	return nl_open(NETLINK_NETFILTER, &keeper->nf);
}

void gatekeeper_done(struct gatekeeper *keeper)
{
	nl_close(keeper->nf);
	free(keeper->vips);
	free(keeper->devices);
	*keeper = (struct gatekeeper){ 0 };
}

/**
 * gatekeeper_ticket() - Leave to open the gate for a group, for as long as an echo counts
 *
 * Laid at the end of a preparation and handed in when the gate is opened: an
 * order that a freeze has delayed finds it run out.
 */
int gatekeeper_ticket(struct gatekeeper *keeper, uint8_t group)
{
	return gate_ticket(keeper->nf, group + 1u, keeper->config.echo_ms);
}

static int create(struct gatekeeper *keeper, const struct worker_order *order)
{
	int r = gate_create(keeper->nf, &keeper->config, order->group + 1u, order->level);

	if (r < 0)
		return r;
	memset(keeper->ordered.levels, GATE_CLOSED, sizeof(keeper->ordered.levels));
	keeper->ordered.levels[order->group + 1] = (uint8_t)order->level;
	return 0;
}

static int set(struct gatekeeper *keeper, const struct worker_order *order)
{
	int r = gate_set(keeper->nf, &keeper->config, order->group + 1u, order->level);

	/* Opening counts when it is done, closing from the moment it is wanted. */
	if (r >= 0 || order->level == GATE_CLOSED)
		keeper->ordered.levels[order->group + 1] = (uint8_t)order->level;
	return r;
}

static int drain(struct gatekeeper *keeper, const struct worker_order *order)
{
	bool *draining = &keeper->draining[order->group + 1];
	bool before = *draining;
	int r;

	*draining = order->drain;
	r = gate_drain(keeper->nf, &keeper->config, keeper->draining);
	if (r < 0)
		*draining = before;
	return r;
}

/*
 * The copy in the arp family. Now and then, and when the copy has gone, a look
 * whether the lease itself is as we think: nobody tells when it runs out. Where
 * there is no gate, because it has been flushed, there is nothing to be seen:
 * that is told by others, and laying it anew brings what is left of the lease.
 */
static int refresh_arp(struct gatekeeper *keeper, bool *ret_lease_lost)
{
	uint32_t left_ms;
	int r = gate_refresh_arp(keeper->nf, keeper->config.lease_ms);

	if (r != -ENOENT && ++keeper->refreshes % GATEKEEPER_LOOK)
		return r;
	if (gate_lease_left(keeper->nf, &left_ms) < 0)
		return r;
	*ret_lease_lost = left_ms == 0;
	if (r != -ENOENT || !left_ms)
		return r;
	/* Only the copy ran out: this thread was held up. All switches stay as they are. */
	return gate_revive_arp(keeper->nf, keeper->config.lease_ms);
}

/**
 * gatekeeper_ms_until() - What is left of a lease
 * @end: of the lease
 *
 * Laying the gate anew must not lengthen it, and an order that a freeze has kept
 * back creates none (R9).
 *
 * Return: 0: too little to begin.
 */
uint32_t gatekeeper_ms_until(instant end)
{
	uint64_t left_us = instant_since(end, clock_now());

	return left_us < GATE_TIMEOUT_MIN_MS * USEC_PER_MSEC ? 0
							     : (uint32_t)(left_us / USEC_PER_MSEC);
}

/**
 * gatekeeper_run() - Carry out an order about the gate
 * @ret_lease_lost: set if a look at the lease showed that it has gone
 *
 * Return: 0; errors of the kernel; -ENOENT from CREATE and EXTEND: too late.
 */
int gatekeeper_run(struct gatekeeper *keeper, const struct worker_order *order,
		   bool *ret_lease_lost)
{
	switch (order->type) {
	case WORKER_GATE:
		return set(keeper, order);
	case WORKER_CREATE:
		return create(keeper, order);
	case WORKER_SHUT:
		memset(keeper->ordered.levels, GATE_CLOSED, sizeof(keeper->ordered.levels));
		return gate_shut(keeper->nf, &keeper->config);
	case WORKER_REBUILD:
		keeper->ordered.lease_ms = gatekeeper_ms_until(order->lease_until);
		keeper->ordered.lease_alive = keeper->ordered.lease_ms > 0;
		return gate_install(keeper->nf, &keeper->config, &keeper->ordered);
	case WORKER_EXTEND:
		return gate_extend(keeper->nf, order->lease_ms);
	case WORKER_REFRESH_ARP:
		return refresh_arp(keeper, ret_lease_lost);
	case WORKER_DRAIN:
		return drain(keeper, order);
	case WORKER_PREPARE:
	case WORKER_REFRESH:
	case WORKER_REMOVE:
	case WORKER_LOOK:
	case WORKER_NEIGHBOURS:
	case WORKER_TIDY:
	case WORKER_STEP_BACK:
	case WORKER_MAKE:
	case WORKER_UNMAKE:
	case _WORKER_TYPE_MAX:
		break;
	}
	return -EINVAL;
}

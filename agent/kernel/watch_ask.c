/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "agent/clock.h"
#include "agent/kernel/watch_private.h"
#include "netlink/arp.h"
#include "netlink/nd.h"

enum {
	/* As announcements: 128,000 frames a second, and a heartbeat waits for 1 ms and a batch. */
	WATCH_BATCH = 32,
	WATCH_SLICE = 128,
	WATCH_SLICE_US = 1000,
	/* More frames than a socket's buffer holds (net.core.rmem_default). */
	WATCH_WAITING = 1024,
};

/* The next thing to do, or none. */
void watch_set_timer(const struct watcher *w)
{
	uint64_t next = UINT64_MAX;

	for (uint8_t g = 0; g < w->conf->n_groups; g++) {
		const struct probe *p = &w->probes[g];
		uint64_t due = p->end_us;

		if (!p->active)
			continue;
		if (p->left && w->slice_us < due)
			due = w->slice_us;
		if (!p->left && p->again_us && p->again_us < due)
			due = p->again_us;
		if (due < next)
			next = due;
	}
	/* These fail only in a fork. */
	(void)sd_event_source_set_time(w->timer, next);
	(void)sd_event_source_set_enabled(w->timer,
					  next < UINT64_MAX ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* Ask for the next addresses on one interface. What it refuses is not asked there in this round. */
static void ask_some(struct watcher *w, uint8_t g, size_t *room)
{
	const struct conf_group *group = &w->conf->groups[g];
	struct probe *p = &w->probes[g];
	const struct conf_vip *vip = &group->vips[group->n_vips - p->left];
	const struct port *port = watch_port(w, watch_place(group, vip));
	struct frame frames[WATCH_BATCH];
	size_t n = 0, sent = 0;
	int r;

	for (; n < WATCH_BATCH && n < *room && n < p->left; n++) {
		if (strcmp(vip[n].ifname, vip->ifname) != 0)
			break;
		if (vip[n].ip.family == 4)
			arp_build_probe(&frames[n], port->mac, &vip[n].ip);
		else
			nd_build_probe(&frames[n], port->mac, &vip[n].ip);
	}
	r = port->fd < 0 ? -ENETDOWN : packet_send(port->fd, frames, n, &sent);
	if (r == -EAGAIN || r == -ENOBUFS) {
		p->left -= sent;
		*room = 0;
		return;
	}
	p->left -= n;
	*room -= n;
}

/**
 * watcher_defend() - Announce one address once, to everybody: somebody else uses it
 * @vip: which of the group's
 */
void watcher_defend(struct watcher *w, uint8_t group, uint16_t vip)
{
	const struct conf_vip *v = &w->conf->groups[group].vips[vip];
	const struct port *port = watch_port(w, v->ifname);
	struct frame frames[2];
	size_t n = 1, sent;

	if (port->fd < 0)
		return;
	if (v->ip.family == 4) {
		arp_build_announcement(&frames[0], port->mac, &v->ip, ARP_FORM_REQUEST);
		arp_build_announcement(&frames[n++], port->mac, &v->ip, ARP_FORM_REPLY);
	} else {
		nd_build_advertisement(&frames[0], port->mac, &v->ip, port->router);
	}
	(void)packet_send(port->fd, frames, n, &sent); /* who goes on is met again */
}

/* The probe that has the least left, so that a small one does not wait for a large one. */
static bool pick(const struct watcher *w, uint8_t *ret_group)
{
	size_t least = SIZE_MAX;

	for (uint8_t g = 0; g < w->conf->n_groups; g++) {
		const struct probe *p = &w->probes[g];

		if (!p->active || !p->left || p->left >= least)
			continue;
		least = p->left;
		*ret_group = g;
	}
	return least < SIZE_MAX;
}

/* Use the slice, unless it is too early for it. */
void watch_ask(struct watcher *w, uint64_t now)
{
	size_t room = WATCH_SLICE;
	uint8_t g;

	if (now < w->slice_us || !pick(w, &g))
		return;
	watch_tune(w); /* before anybody can answer */
	w->slice_us = now + WATCH_SLICE_US;
	while (room && pick(w, &g)) {
		ask_some(w, g, &room);
		if (clock_us() >= w->slice_us)
			break;
	}
}

/*
 * Whose time is over hears first what waits: we may have been frozen, with an answer in the
 * socket.
 */
static void end_due(struct watcher *w, uint64_t now)
{
	for (uint8_t g = 0; g < w->conf->n_groups; g++) {
		const struct probe *p = &w->probes[g];

		if (!p->active || now < p->end_us)
			continue;
		for (size_t i = 0; i < w->n_ports && p->active; i++)
			for (size_t e = 0; w->ports[i].groups[g] && e < _EARS; e++)
				watch_hear(w, &w->ports[i].ears[e], WATCH_WAITING);
		if (p->active && now >= p->end_us)
			watch_end_probe(w, g, NULL);
	}
}

int watch_on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct watcher *w = data;
	uint64_t now = clock_us();

	(void)source;
	(void)usec;
	end_due(w, now);
	for (uint8_t g = 0; g < w->conf->n_groups; g++) {
		struct probe *p = &w->probes[g];

		if (!p->active || p->left || !p->again_us || now < p->again_us)
			continue;
		p->again_us = 0;
		p->left = w->conf->groups[g].n_vips;
	}
	watch_ask(w, now);
	watch_set_timer(w);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who else has our addresses: asked before a claim, noticed while they are
 * held. Frames of others come by a filter in the kernel that passes what is
 * about addresses which are asked for or held now, and nothing else.
 */

#include <systemd/sd-event.h>

#include "agent/conf/conf.h"
#include "agent/kernel/links.h"
#include "netlink/neigh.h"

/* Somebody who says that one of our addresses is his. */
struct stranger {
	uint16_t vip; /* which of the group's */
	uint8_t node; /* whose MAC it is; CORE_NODE_NONE: nobody's that is known */
	bool known;   /* he has said what his MAC is */
	uint8_t mac[6];
};

/* What the watcher calls, from the loop only; neither is NULL. */
struct watcher_calls {
	/* A probe has ended; @answered: by whom, NULL: nobody within its time */
	void (*probed)(void *data, uint8_t group, uint32_t id, const struct stranger *answered);
	/* An address of a group that is held is used by somebody else: once in 10 s for each */
	void (*met)(void *data, uint8_t group, const struct stranger *stranger);
	void *data;
};

struct watcher;

int watcher_new(const struct conf *conf, uint8_t self, const struct links *links, sd_event *loop,
		const struct watcher_calls *calls, struct watcher **ret);
struct watcher *watcher_free(struct watcher *w);
DEFINE_CLEANUP(struct watcher *, watcher_free)

int watcher_link(struct watcher *w, const struct link *link);
void watcher_link_gone(struct watcher *w, int ifindex);
void watcher_neighbours(struct watcher *w, int ifindex, const struct neigh *v, size_t n);
void watcher_probe(struct watcher *w, uint8_t group, uint32_t id, uint64_t within_us);
void watcher_cancel(struct watcher *w, uint8_t group);
void watcher_hold(struct watcher *w, uint8_t group, bool held);
void watcher_defend(struct watcher *w, uint8_t group, uint16_t vip);

/* SPDX-License-Identifier: MIT */
#pragma once

/* The watcher from inside: watch.c has interfaces and listens, watch_ask.c asks. */

#include "agent/kernel/watch.h"

struct port;

/* What hears one family on an interface. */
struct ear {
	struct watcher *watcher;
	struct port *port;
	uint8_t family;
	bool wanted; /* there are addresses of this family */
	bool stale;  /* it does not hear what it should */
	int fd;
	sd_event_source *source;
};

enum { EAR_ARP, EAR_ND, _EARS };

/* An interface that some group has addresses on, or that one of ours is on. */
struct port {
	char name[CONF_IFNAME_SIZE];
	int ifindex; /* 0: not there now */
	uint8_t mac[6];
	bool router; /* forwards IPv6 */
	int fd;	     /* sends */
	struct ear ears[_EARS];
	bool groups[CORE_GROUPS_MAX];	  /* that are asked for and listened to here */
	uint8_t nodes[CORE_NODES_MAX][6]; /* their MACs here; zero: not known */
};

/* One of our addresses. */
struct watched {
	const struct conf_vip *vip;
	const struct port *port; /* watch_place() */
	/*
	 * The interface that it is on, often the same. One of ours that is up, and so also
	 * has its MAC at the other node, takes from the one below what that says to everybody.
	 */
	const struct port *own;
	uint64_t met_us; /* when somebody else was reported to use it; 0: never */
	uint8_t group;
};

struct probe {
	bool active;
	uint32_t id;
	uint64_t again_us; /* when everything is asked once more; 0: it has been */
	uint64_t end_us;
	size_t left; /* addresses still to ask for, in this round */
};

struct watcher {
	const struct conf *conf;
	uint8_t self;
	const struct links *links;
	struct watcher_calls calls;
	sd_event *loop;
	sd_event_source *timer;
	sd_event_source *tune; /* runs while an ear is stale */
	uint64_t slice_us;     /* when the next slice may begin */
	struct port *ports;
	size_t n_ports;
	struct watched *watched; /* sorted as the kernel's filter wants them */
	size_t n_watched;
	struct probe probes[CORE_GROUPS_MAX];
	bool held[CORE_GROUPS_MAX];
};

/* watch.c */
const char *watch_place(const struct conf_group *group, const struct conf_vip *vip);
struct port *watch_port(struct watcher *w, const char *name);
void watch_tune(struct watcher *w);
void watch_hear(struct watcher *w, const struct ear *ear, size_t n);
void watch_end_probe(struct watcher *w, uint8_t group, const struct stranger *answered);

/* watch_ask.c */
void watch_set_timer(const struct watcher *w);
void watch_ask(struct watcher *w, uint64_t now);
int watch_on_timer(sd_event_source *source, uint64_t usec, void *data);

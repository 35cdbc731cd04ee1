/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/clock.h"
#include "agent/kernel/watch_private.h"
#include "netlink/listen.h"
#include "netlink/packet.h"

/*
 * Frames that are read before others have their turn, and how often: 12,800 a second,
 * a twentieth of a core. What a flood has beyond that is lost in the socket.
 */
enum {
	WATCH_BURST = 16,
	WATCH_FLOOD = 8,
	WATCH_FLOOD_US = 10 * 1000,
};

/* RFC 5227 section 2.4: an address is defended no more often. */
#define WATCH_DEFEND_INTERVAL_US (10 * USEC_PER_SEC)

/*
 * The interface by which an address is asked for and others are heard. One that we make is
 * down on a backup; the one below it always runs, and hears all that is said to everybody.
 */
const char *watch_place(const struct conf_group *group, const struct conf_vip *vip)
{
	const struct conf_sub *sub = conf_find_sub(group, vip->ifname);

	return sub ? sub->parent : vip->ifname;
}

struct port *watch_port(struct watcher *w, const char *name)
{
	for (size_t i = 0; i < w->n_ports; i++)
		if (!strcmp(w->ports[i].name, name))
			return &w->ports[i];
	return NULL;
}

static int by_ip(const struct ip *a, const struct ip *b)
{
	uint32_t x = listen_key(a), y = listen_key(b);

	if (a->family != b->family)
		return a->family - b->family;
	return x != y ? (x > y) - (x < y) : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int by_address(const void *a, const void *b)
{
	return by_ip(&((const struct watched *)a)->vip->ip, &((const struct watched *)b)->vip->ip);
}

static int is_address(const void *ip, const void *watched)
{
	return by_ip(ip, &((const struct watched *)watched)->vip->ip);
}

/*
 * Of no address that is neither asked for nor held: a backup need not hear the primary. What
 * only an interface of ours hears has the MAC that is ours while we hold the group.
 */
static bool is_wanted(const struct watcher *w, const struct watched *x, const struct port *port)
{
	if (x->port != port)
		return x->own == port && w->probes[x->group].active;
	return w->held[x->group] || w->probes[x->group].active;
}

static void listen_to(const struct watcher *w, const struct ear *ear)
{
	struct listen_set set = { 0 };

	if (ear->fd < 0)
		return;
	for (size_t i = 0; i < w->n_watched; i++) {
		const struct watched *x = &w->watched[i];

		if (x->vip->ip.family == ear->family && is_wanted(w, x, ear->port))
			listen_add(&set, listen_key(&x->vip->ip));
	}
	(void)listen_for(ear->fd, ear->family, &set); /* without memory: as before */
}

/* Let each ear hear what it should, now. */
void watch_tune(struct watcher *w)
{
	for (size_t i = 0; i < w->n_ports; i++)
		for (size_t e = 0; e < _EARS; e++)
			if (w->ports[i].ears[e].stale) {
				w->ports[i].ears[e].stale = false;
				listen_to(w, &w->ports[i].ears[e]);
			}
}

static int on_tune(sd_event_source *source, void *data)
{
	(void)source;
	watch_tune(data);
	return 0;
}

/*
 * A group is to be listened to, or no more. The kernel translates a filter anew in a millisecond
 * or two, and a hundred groups may move in one step: each ear gets it once, after that, or
 * before it has to hear answers.
 */
static void listen_anew(struct watcher *w, uint8_t group)
{
	for (size_t i = 0; i < w->n_ports; i++)
		for (size_t e = 0; w->ports[i].groups[group] && e < _EARS; e++)
			w->ports[i].ears[e].stale = true;
	/* It fails only in a fork. */
	(void)sd_event_source_set_enabled(w->tune, SD_EVENT_ONESHOT);
}

void watch_end_probe(struct watcher *w, uint8_t group, const struct stranger *answered)
{
	struct probe *p = &w->probes[group];

	p->active = false;
	if (!w->held[group])
		listen_anew(w, group);
	watch_set_timer(w);
	w->calls.probed(w->calls.data, group, p->id, answered);
}

/* The other node that has this MAC on the interface it makes for an address. */
static uint8_t maker_of(const struct watcher *w, const struct watched *x, const uint8_t *mac)
{
	const struct conf_group *group = &w->conf->groups[x->group];
	const struct conf_sub *sub = conf_find_sub(group, x->vip->ifname);
	uint8_t theirs[6];

	for (uint8_t i = 0; sub && i < w->conf->n_nodes; i++) {
		if (i == w->self)
			continue;
		conf_sub_mac(&w->conf->nodes[i], group, sub, theirs);
		if (!memcmp(theirs, mac, sizeof(theirs)))
			return i;
	}
	return CORE_NODE_NONE;
}

static uint8_t node_of(const struct watcher *w, const struct watched *x, const struct neigh *who)
{
	if (!who->known)
		return CORE_NODE_NONE;
	for (uint8_t i = 0; i < CORE_NODES_MAX; i++)
		if (!memcmp(x->port->nodes[i], who->mac, sizeof(who->mac)))
			return i;
	return maker_of(w, x, who->mac);
}

/*
 * What we have said ourselves may come back through a bridge, and any of our interfaces may
 * have said it (weak host model). A MAC that moves with the addresses is ours while they are,
 * and else the other node's.
 */
static bool is_own(const struct watcher *w, const struct watched *x, const struct neigh *who)
{
	if (!who->known || !links_have_mac(w->links, who->mac))
		return false;
	return w->held[x->group] || maker_of(w, x, who->mac) == CORE_NODE_NONE;
}

/*
 * Somebody says that an address is his.
 *
 * Whoever asks like us is not heard, although RFC 5227 (section 2.1.1) counts a probe for the
 * same address as a conflict: two nodes that start at the same time would both give way.
 */
static void take(struct watcher *w, const struct port *port, const struct neigh *who)
{
	struct watched *x = bsearch(&who->ip, w->watched, w->n_watched, sizeof(*x), is_address);
	struct stranger stranger = { .known = who->known };
	uint64_t now = clock_us();

	if (!x || (x->port != port && x->own != port) || is_own(w, x, who))
		return;
	stranger.vip = (uint16_t)(x->vip - w->conf->groups[x->group].vips);
	stranger.node = node_of(w, x, who);
	memcpy(stranger.mac, who->mac, sizeof(stranger.mac));
	if (w->probes[x->group].active)
		watch_end_probe(w, x->group, &stranger);
	else if (w->held[x->group] && (!x->met_us || now - x->met_us >= WATCH_DEFEND_INTERVAL_US)) {
		x->met_us = now;
		w->calls.met(w->calls.data, x->group, &stranger);
	}
}

/* What is not valid takes its turn like the rest. */
void watch_hear(struct watcher *w, const struct ear *ear, size_t n)
{
	struct neigh who;
	int r;

	for (size_t i = 0; i < n && ear->fd >= 0; i++) {
		r = listen_next(ear->fd, ear->family, &who);
		if (r == 0)
			break;
		if (r > 0)
			take(w, ear->port, &who);
	}
}

static int on_frame(sd_event_source *source, int fd, uint32_t events, void *data)
{
	const struct ear *ear = data;

	(void)source;
	(void)fd;
	(void)events;
	watch_hear(ear->watcher, ear, WATCH_BURST);
	return 0;
}

static struct port *add_port(struct watcher *w, const char *name)
{
	struct port *port = &w->ports[w->n_ports++];

	memcpy(port->name, name, sizeof(port->name));
	port->fd = -1;
	for (size_t e = 0; e < _EARS; e++)
		port->ears[e] = (struct ear){
			.watcher = w, .port = port, .family = e == EAR_ARP ? 4 : 6, .fd = -1
		};
	return port;
}

static struct port *need_port(struct watcher *w, const char *name)
{
	struct port *port = watch_port(w, name);

	return port ? port : add_port(w, name);
}

static void note_vip(struct watcher *w, uint8_t group, const struct conf_vip *vip)
{
	struct port *ports[] = { need_port(w, watch_place(&w->conf->groups[group], vip)),
				 need_port(w, vip->ifname) };

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		ports[i]->groups[group] = true;
		ports[i]->ears[vip->ip.family == 4 ? EAR_ARP : EAR_ND].wanted = true;
	}
	w->watched[w->n_watched++] =
		(struct watched){ .vip = vip, .port = ports[0], .own = ports[1], .group = group };
}

/**
 * watcher_new() - Prepare for asking and listening
 * @conf: borrowed for the life of the watcher
 * @self: this node
 * @links: all that there are, so that it knows what is ours; borrowed likewise
 * @calls: copied
 *
 * Return: 0; -ENOMEM; errors of sd-event.
 */
int watcher_new(const struct conf *conf, uint8_t self, const struct links *links, sd_event *loop,
		const struct watcher_calls *calls, struct watcher **ret)
{
	_cleanup_(watcher_freep) struct watcher *w = calloc(1, sizeof(*w));
	size_t n = 1; /* none is not an error */
	int r;

	if (!w)
		return -ENOMEM;
	w->conf = conf;
	w->self = self;
	w->links = links;
	w->calls = *calls;
	w->loop = sd_event_ref(loop);
	for (size_t g = 0; g < conf->n_groups; g++)
		n += conf->groups[g].n_vips + conf->groups[g].n_subs;
	w->ports = calloc(n, sizeof(*w->ports));
	w->watched = calloc(n, sizeof(*w->watched));
	if (!w->ports || !w->watched)
		return -ENOMEM;
	for (uint8_t g = 0; g < conf->n_groups; g++)
		for (size_t i = 0; i < conf->groups[g].n_vips; i++)
			note_vip(w, g, &conf->groups[g].vips[i]);
	qsort(w->watched, w->n_watched, sizeof(*w->watched), by_address);
	r = sd_event_add_time(loop, &w->timer, CLOCK_MONOTONIC, UINT64_MAX, 1, watch_on_timer, w);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	r = sd_event_add_defer(loop, &w->tune, on_tune, w);
	if (r < 0)
		return r;
	*ret = TAKE(w);
	return 0;
}

static void close_port(struct port *port)
{
	port->ifindex = 0;
	close_fdp(&port->fd);
	memset(port->nodes, 0, sizeof(port->nodes));
	for (size_t e = 0; e < _EARS; e++) {
		port->ears[e].source = sd_event_source_disable_unref(port->ears[e].source);
		close_fdp(&port->ears[e].fd);
	}
}

struct watcher *watcher_free(struct watcher *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < w->n_ports; i++)
		close_port(&w->ports[i]);
	sd_event_source_disable_unref(w->timer);
	sd_event_source_disable_unref(w->tune);
	sd_event_unref(w->loop);
	free(w->ports);
	free(w->watched);
	free(w);
	return NULL;
}

static int open_ear(struct watcher *w, struct ear *ear)
{
	int r;

	if (!ear->wanted)
		return 0;
	ear->fd = ear->family == 4 ? listen_arp(ear->port->ifindex) : listen_nd(ear->port->ifindex);
	if (ear->fd < 0)
		return ear->fd;
	listen_to(w, ear);
	r = sd_event_add_io(w->loop, &ear->source, ear->fd, EPOLLIN, on_frame, ear);
	if (r < 0)
		return r;
	return sd_event_source_set_ratelimit(ear->source, WATCH_FLOOD_US, WATCH_FLOOD);
}

/**
 * watcher_link() - An interface is there, or has changed
 *
 * The sockets are opened now, because that costs milliseconds.
 *
 * Return: 0, also if the interface is none of ours; the first error of the
 * sockets: the others work.
 */
int watcher_link(struct watcher *w, const struct link *link)
{
	struct port *port = watch_port(w, link->name);
	int r;

	for (size_t i = 0; i < w->n_ports; i++)
		if (w->ports[i].ifindex == link->index && &w->ports[i] != port)
			close_port(&w->ports[i]); /* it has another name now */
	if (!port)
		return 0;
	memcpy(port->mac, link->mac, sizeof(port->mac));
	port->router = link->router;
	if (port->ifindex == link->index)
		return 0;
	close_port(port);
	port->ifindex = link->index;
	port->fd = packet_open(link->index);
	r = port->fd < 0 ? port->fd : 0;
	for (size_t e = 0; e < _EARS; e++) {
		int error = open_ear(w, &port->ears[e]);

		r = r < 0 ? r : error;
	}
	return r;
}

void watcher_link_gone(struct watcher *w, int ifindex)
{
	for (size_t i = 0; i < w->n_ports; i++)
		if (w->ports[i].ifindex == ifindex)
			close_port(&w->ports[i]);
}

/* Which node has this as one of its own addresses? */
static uint8_t node_with(const struct conf *conf, const struct ip *ip)
{
	for (uint8_t i = 0; i < conf->n_nodes; i++)
		for (size_t j = 0; j < conf->nodes[i].n_paths; j++)
			if (ip_equal(&conf->nodes[i].paths[j], ip))
				return i;
	return CORE_NODE_NONE;
}

/**
 * watcher_neighbours() - The kernel's neighbours on an interface have been read
 * @v: as neigh_list() has them; NULL if they could not be read
 * @n: number of them
 *
 * Among them are the nodes, of which we know their addresses only.
 */
void watcher_neighbours(struct watcher *w, int ifindex, const struct neigh *v, size_t n)
{
	struct port *port = NULL;

	for (size_t i = 0; i < w->n_ports; i++)
		if (w->ports[i].ifindex == ifindex)
			port = &w->ports[i];
	for (size_t i = 0; port && v && i < n; i++) {
		uint8_t node = v[i].known ? node_with(w->conf, &v[i].ip) : CORE_NODE_NONE;

		if (node != CORE_NODE_NONE)
			memcpy(port->nodes[node], v[i].mac, sizeof(v[i].mac));
	}
}

/**
 * watcher_probe() - Does anybody answer for an address of a group?
 * @id: comes back
 * @within_us: who has not answered by then does not
 *
 * All addresses are asked for at once, and again when half of the time is over,
 * as a frame may be lost; of thousands as many as leave in the time. The first
 * answer ends it. Another probe of the group takes the place of this one, which
 * then says nothing. An interface that is not there, or is down, gives no
 * answer: what is claimed on it does not come into being either, unless it is
 * one that is there already and is brought up for the claim.
 */
void watcher_probe(struct watcher *w, uint8_t group, uint32_t id, uint64_t within_us)
{
	uint64_t now = clock_us();

	w->probes[group] = (struct probe){
		.active = true,
		.id = id,
		.again_us = now + within_us / 2,
		.end_us = now + (w->conf->groups[group].n_vips ? within_us : 0),
		.left = w->conf->groups[group].n_vips,
	};
	listen_anew(w, group);
	watch_ask(w, now); /* now: what comes while we are kept from running waits in the socket */
	watch_set_timer(w);
}

/**
 * watcher_cancel() - Nobody wants to know any more
 */
void watcher_cancel(struct watcher *w, uint8_t group)
{
	if (!w->probes[group].active)
		return;
	w->probes[group].active = false;
	if (!w->held[group])
		listen_anew(w, group);
	watch_set_timer(w);
}

/**
 * watcher_hold() - The addresses of a group are answered for here from now on, or no more
 */
void watcher_hold(struct watcher *w, uint8_t group, bool held)
{
	if (w->held[group] == held)
		return;
	w->held[group] = held;
	if (!w->probes[group].active)
		listen_anew(w, group);
}

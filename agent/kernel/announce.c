/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/clock.h"
#include "agent/kernel/announce.h"
#include "agent/kernel/port.h"
#include "netlink/arp.h"
#include "netlink/nd.h"

enum {
	/* Frames in one call of the kernel: one costs up to 10 us, more on a busy host. */
	ANNOUNCE_BATCH = 32,
	ANNOUNCE_LOOKS = 8 * ANNOUNCE_BATCH, /* for them: of many pairs no frame comes */
	/*
	 * A slice ends after so long, so that a heartbeat waits for 1 ms and a batch, or so many
	 * frames: 128,000 a second, less than a tenth of gigabit Ethernet with 84 bytes each;
	 * who does not look for 7 ms loses none (netdev_max_backlog is 1,000).
	 */
	ANNOUNCE_SLICE_US = 1000,
	ANNOUNCE_SLICE = 128,
	/* Who is asked takes the address down, new or not; Linux has room for 1,024. */
	ANNOUNCE_ASKED = 64,
	/*
	 * A MAC that both nodes have is what clients know already; only the switches have to
	 * learn, from one frame. For so long after a claim that is all; then everything is said,
	 * for those who know another MAC, a stranger's or one of another configuration.
	 */
	ANNOUNCE_BRIEF_US = 500 * 1000,
};

/* What is sent of each address; in this order, so that nobody waits for the last ones. */
enum pass {
	PASS_REQUEST, /* to everybody: an ARP request, an advertisement */
	PASS_REPLY,   /* to everybody: an ARP reply */
	PASS_ASK,     /* to each neighbour alone: a question */
	PASS_TELL,    /* to each neighbour alone: an answer */
	_PASS_MAX,
};

/* Where a pass stands. It goes round, so that starting anew delays no address. */
struct cursor {
	size_t vip, neighbour; /* next */
	size_t left;	       /* addresses still to do */
};

struct announcer {
	const struct conf *conf;
	sd_event_source *more; /* the end of the slice */
	bool armed;
	uint64_t began_us; /* the slice */
	size_t room;	   /* frames that it has left */
	struct port *ports;
	size_t n_ports;
	int reading; /* the interface of ours whose neighbours are being read; 0: none */
	struct cursor cursors[_PASS_MAX][CORE_GROUPS_MAX];
	bool untold[CORE_GROUPS_MAX];	    /* waits until its neighbours have been read */
	uint64_t since_us[CORE_GROUPS_MAX]; /* announced for the first time; 0: not yet */
};

static struct port *find_port(struct announcer *a, const char *name)
{
	for (size_t i = 0; i < a->n_ports; i++)
		if (!strcmp(a->ports[i].name, name))
			return &a->ports[i];
	return NULL;
}

/* The frame for one address and, if that is what the pass is for, one neighbour: 0 if none. */
static size_t build(const struct port *port, const struct ip *ip, enum pass pass,
		    const struct neigh *to, struct frame *ret)
{
	const bool ipv4 = ip->family == 4;

	switch (pass) {
	case PASS_REQUEST:
		if (ipv4)
			arp_build_announcement(ret, port->mac, ip, ARP_FORM_REQUEST);
		else
			nd_build_advertisement(ret, port->mac, ip, port->router);
		return 1;
	case PASS_REPLY:
		if (ipv4)
			arp_build_announcement(ret, port->mac, ip, ARP_FORM_REPLY);
		return ipv4;
	case PASS_ASK:
		if ((ipv4 ? port->n_vips4 : port->n_vips6) > ANNOUNCE_ASKED)
			return 0;
		if (ipv4)
			arp_build_unicast(ret, port->mac, ip, ARP_FORM_REQUEST, to);
		else
			nd_build_solicitation(ret, port->mac, ip, to);
		return 1;
	case PASS_TELL:
		if (to->known && ipv4)
			arp_build_unicast(ret, port->mac, ip, ARP_FORM_REPLY, to);
		else if (to->known)
			nd_build_unicast(ret, port->mac, ip, port->router, to);
		return to->known;
	case _PASS_MAX:
		break;
	}
	return 0;
}

static void next_vip(struct cursor *c, const struct conf_group *group)
{
	c->vip = (c->vip + 1) % group->n_vips;
	c->neighbour = 0;
	c->left--;
}

/* Who is to be told of this address next; NULL: that was all. */
static const struct neigh *next_neighbour(struct cursor *c, const struct port *port,
					  const struct ip *ip)
{
	while (c->neighbour < port->n_neighbours) {
		const struct neigh *to = &port->neighbours[c->neighbour++];

		/* The last holder may be known by the address itself. */
		if (to->ip.family == ip->family && !ip_equal(&to->ip, ip))
			return to;
	}
	return NULL;
}

/* Frames for addresses on one interface, as far as they go in a row. */
static size_t fill(struct cursor *c, const struct conf_group *group, const struct port *port,
		   enum pass pass, struct frame *frames, size_t room)
{
	const char *name = group->vips[c->vip].ifname;
	const bool to_all = pass == PASS_REQUEST || pass == PASS_REPLY;
	size_t n = 0, looks = 0;

	while (c->left && n < room && looks++ < ANNOUNCE_LOOKS &&
	       !strcmp(group->vips[c->vip].ifname, name)) {
		const struct ip *ip = &group->vips[c->vip].ip;
		const struct neigh *to = NULL;

		if (port && port->fd >= 0 && !to_all)
			to = next_neighbour(c, port, ip);
		if (port && port->fd >= 0 && (to || to_all))
			n += build(port, ip, pass, to, &frames[n]);
		if (!to)
			next_vip(c, group);
	}
	return n;
}

/*
 * Send what goes out on one interface in a row. A full queue is tried again in the next
 * slice; what an interface refuses is left to the schedule, which has rounds for that reason.
 */
static void send_run(struct announcer *a, uint8_t g, enum pass pass)
{
	const struct conf_group *group = &a->conf->groups[g];
	struct cursor *c = &a->cursors[pass][g], before = *c;
	const struct port *port = find_port(a, group->vips[c->vip].ifname);
	struct frame frames[ANNOUNCE_BATCH];
	size_t room = a->room < ANNOUNCE_BATCH ? a->room : ANNOUNCE_BATCH, sent;
	size_t n = fill(c, group, port, pass, frames, room);
	int r;

	if (!n)
		return;
	r = packet_send(port->fd, frames, n, &sent);
	a->room -= n;
	if (r != -EAGAIN && r != -ENOBUFS)
		return;
	*c = before;
	(void)fill(c, group, port, pass, frames, sent); /* up to what has left */
	a->room = 0;
}

/*
 * What goes out next: to everybody before to anybody, and of the group that has
 * the least left, so that a small one does not wait for a large one.
 */
static bool pick(const struct announcer *a, enum pass *ret_pass, uint8_t *ret_group)
{
	size_t least = SIZE_MAX;

	for (enum pass pass = 0; pass < _PASS_MAX; pass++) {
		if (pass == PASS_ASK && least < SIZE_MAX)
			break;
		for (uint8_t g = 0; g < a->conf->n_groups; g++) {
			size_t left = a->cursors[pass][g].left;

			if (!left || left >= least)
				continue;
			least = left;
			*ret_pass = pass;
			*ret_group = g;
		}
	}
	return least < SIZE_MAX;
}

/* Use what room the slice has, which lasts its time, however little is sent. */
static void send_slice(struct announcer *a)
{
	enum pass pass;
	uint8_t g;

	if (!a->armed) {
		a->armed = true;
		a->began_us = clock_us();
		/* These fail only in a fork. */
		(void)sd_event_source_set_time(a->more, a->began_us + ANNOUNCE_SLICE_US);
		(void)sd_event_source_set_enabled(a->more, SD_EVENT_ONESHOT);
	}
	while (a->room && pick(a, &pass, &g)) {
		send_run(a, g, pass);
		if (clock_us() - a->began_us >= ANNOUNCE_SLICE_US)
			a->room = 0;
	}
}

/* A slice is over, and whatever else waited has had its turn. */
static int on_more(sd_event_source *source, uint64_t usec, void *data)
{
	struct announcer *a = data;
	enum pass pass;
	uint8_t g;

	(void)source;
	(void)usec;
	a->armed = false;
	a->room = ANNOUNCE_SLICE;
	if (pick(a, &pass, &g))
		send_slice(a);
	return 0;
}

static int attach(struct announcer *a, sd_event *loop)
{
	int r;

	r = sd_event_add_time(loop, &a->more, CLOCK_MONOTONIC, 0, 1, on_more, a);
	if (r < 0)
		return r;
	r = sd_event_source_set_priority(a->more, SD_EVENT_PRIORITY_IDLE);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(a->more, SD_EVENT_OFF);
}

static void note_vip(struct announcer *a, const struct conf_vip *vip)
{
	struct port *port = find_port(a, vip->ifname);

	if (!port) {
		port = &a->ports[a->n_ports++];
		port->first = vip;
		memcpy(port->name, vip->ifname, sizeof(port->name));
		port->fd = -1;
	}
	port->n_vips4 += vip->ip.family == 4;
	port->n_vips6 += vip->ip.family == 6;
}

/**
 * announcer_new() - Prepare for announcing
 * @conf: borrowed for the life of the announcer
 *
 * Return: 0; -ENOMEM; errors of sd-event.
 */
int announcer_new(const struct conf *conf, sd_event *loop, struct announcer **ret)
{
	_cleanup_(announcer_freep) struct announcer *a = calloc(1, sizeof(*a));
	size_t n = 0;
	int r;

	if (!a)
		return -ENOMEM;
	a->conf = conf;
	a->room = ANNOUNCE_SLICE;
	for (size_t g = 0; g < conf->n_groups; g++)
		n += conf->groups[g].n_vips;
	a->ports = calloc(n ? n : 1, sizeof(*a->ports));
	if (!a->ports)
		return -ENOMEM;
	for (size_t g = 0; g < conf->n_groups; g++)
		for (size_t i = 0; i < conf->groups[g].n_vips; i++)
			note_vip(a, &conf->groups[g].vips[i]);
	r = attach(a, loop);
	if (r < 0)
		return r;
	*ret = TAKE(a);
	return 0;
}

struct announcer *announcer_free(struct announcer *a)
{
	if (!a)
		return NULL;
	for (size_t i = 0; i < a->n_ports; i++)
		port_close(&a->ports[i]);
	sd_event_source_disable_unref(a->more);
	free(a->ports);
	free(a);
	return NULL;
}

/* Does the group wait for the neighbours of one of its interfaces? */
static bool waits(const struct announcer *a, const struct conf_group *group)
{
	for (size_t i = 0; i < a->n_ports; i++) {
		const struct port *port = &a->ports[i];

		if (port->ifindex && (port->unread || port->ifindex == a->reading) &&
		    conf_uses(group, port->name))
			return true;
	}
	return false;
}

/* Those who have waited for their neighbours and now know them all begin to tell them. */
static void begin_telling(struct announcer *a)
{
	bool any = false;

	for (uint8_t g = 0; g < a->conf->n_groups; g++) {
		const struct conf_group *group = &a->conf->groups[g];

		if (!a->untold[g] || waits(a, group))
			continue;
		a->untold[g] = false;
		a->cursors[PASS_ASK][g].left = group->n_vips;
		a->cursors[PASS_TELL][g].left = group->n_vips;
		any = true;
	}
	if (any)
		send_slice(a);
}

/**
 * announcer_link() - An interface is there, or has changed
 *
 * The socket is opened now, because that costs milliseconds.
 *
 * Return: 0, also if the interface is none of ours; errors of the socket.
 */
int announcer_link(struct announcer *a, const struct link *link)
{
	struct port *port = find_port(a, link->name);

	for (size_t i = 0; i < a->n_ports; i++)
		if (a->ports[i].ifindex == link->index && &a->ports[i] != port)
			port_close(&a->ports[i]); /* it has another name now */
	if (!port)
		return 0;
	memcpy(port->mac, link->mac, sizeof(port->mac));
	port->router = link->router;
	port->parent = link->parent ? link->parent : link->index;
	if (port->ifindex == link->index && port->fd >= 0)
		return 0;
	port_close(port);
	port->ifindex = link->index;
	port->fd = packet_open(link->index);
	return port->fd < 0 ? port->fd : 0;
}

void announcer_link_gone(struct announcer *a, int ifindex)
{
	for (size_t i = 0; i < a->n_ports; i++)
		if (a->ports[i].ifindex == ifindex)
			port_close(&a->ports[i]);
	begin_telling(a); /* who waited for these waits no more */
}

/**
 * announcer_look() - Have the neighbours on a group's interfaces read, by announcer_unread()
 */
void announcer_look(struct announcer *a, uint8_t group)
{
	for (size_t i = 0; i < a->n_ports; i++)
		if (a->ports[i].ifindex != a->reading &&
		    conf_uses(&a->conf->groups[group], a->ports[i].name))
			a->ports[i].unread = true;
}

/* Has every interface of the group a MAC that goes with it, and is everything said later? */
static bool may_be_brief(const struct conf *conf, const struct conf_group *group)
{
	if (!conf->n_announce || conf->announce_us[conf->n_announce - 1] < ANNOUNCE_BRIEF_US)
		return false;
	for (size_t i = 0; i < group->n_subs; i++)
		if (group->subs[i].mac == CONF_MAC_OWN)
			return false;
	return group->staged; /* else some addresses may be on other interfaces */
}

/* One frame on each interface of a group; what is refused is left to the next round. */
static void say_briefly(const struct announcer *a, const struct conf_group *group)
{
	for (size_t i = 0; i < a->n_ports; i++) {
		const struct port *port = &a->ports[i];
		struct frame frame;
		size_t sent;

		if (port->fd < 0 || !conf_find_sub(group, port->name))
			continue;
		(void)build(port, &port->first->ip, PASS_REQUEST, NULL, &frame);
		(void)packet_send(port->fd, &frame, 1, &sent);
	}
}

/**
 * announcer_start() - Announce every address of a group; at first, if that is enough, only one
 *
 * What the slice has room for leaves before this returns, the rest between
 * other events; what is left of an earlier start is part of it. Those whom
 * announcer_neighbours() says are told once everybody has been.
 */
void announcer_start(struct announcer *a, uint8_t group)
{
	const struct conf_group *conf = &a->conf->groups[group];
	const uint64_t now = clock_us();

	if (!a->since_us[group])
		a->since_us[group] = now;
	if (may_be_brief(a->conf, conf) && now - a->since_us[group] < ANNOUNCE_BRIEF_US) {
		say_briefly(a, conf);
		return;
	}
	a->cursors[PASS_REQUEST][group].left = conf->n_vips;
	a->cursors[PASS_REPLY][group].left = conf->n_vips;
	a->untold[group] = true;
	announcer_look(a, group);
	send_slice(a);
}

/**
 * announcer_cancel() - What has not been announced yet will not be
 */
void announcer_cancel(struct announcer *a, uint8_t group)
{
	for (enum pass pass = 0; pass < _PASS_MAX; pass++)
		a->cursors[pass][group].left = 0;
	a->untold[group] = false;
	a->since_us[group] = 0;
}

/**
 * announcer_unread() - Whose neighbours have to be read now?
 *
 * It counts as being read from then on.
 *
 * Return: an interface; 0 if there is none, or while one is being read.
 */
int announcer_unread(struct announcer *a)
{
	for (size_t i = 0; i < a->n_ports && !a->reading; i++) {
		struct port *port = &a->ports[i];

		if (!port->unread || !port->ifindex)
			continue;
		port->unread = false;
		a->reading = port->ifindex;
		return port->parent;
	}
	return 0;
}

/**
 * announcer_neighbours() - The neighbours of the interface of announcer_unread() have been read
 * @v: as neigh_list() has them; taken; NULL if they could not be read
 * @n: number of them
 *
 * The gateways are told of every address, of the others as many as the bounds allow.
 */
void announcer_neighbours(struct announcer *a, int ifindex, struct neigh *v, size_t n)
{
	_cleanup_(freep) struct neigh *untaken = v;
	const int reading = a->reading;

	a->reading = 0;
	for (size_t i = 0; i < a->n_ports; i++) {
		struct port *port = &a->ports[i];

		if (!port->ifindex || port->ifindex != reading || port->parent != ifindex)
			continue;
		port_learn(port, TAKE(untaken), n);
		break;
	}
	/* Who is being told is told anew: the places of his neighbours have changed. */
	for (uint8_t g = 0; g < a->conf->n_groups; g++)
		a->cursors[PASS_ASK][g].neighbour = a->cursors[PASS_TELL][g].neighbour = 0;
	begin_telling(a);
}

/* Is anything still to be sent, or a slice not over? */
bool announcer_busy(const struct announcer *a)
{
	return a->armed;
}

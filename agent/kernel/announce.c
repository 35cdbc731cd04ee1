/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/kernel/announce.h"
#include "agent/cleanup.h"
#include "netlink/arp.h"
#include "netlink/nd.h"

/*
 * So many addresses between two looks at the loop: a frame costs some 10 us, so
 * a heartbeat waits for 1 ms at most.
 */
enum { ANNOUNCE_SLICE = 64 };

/* An interface that some group has addresses on. */
struct port {
	char name[CONF_IFNAME_SIZE];
	int ifindex; /* 0: not there now */
	uint8_t mac[6];
	int fd;
};

struct announcer {
	const struct conf *conf;
	sd_event_source *more; /* runs while anything is queued */
	struct port *ports;
	size_t n_ports;
	size_t next[CORE_GROUPS_MAX]; /* address to announce next */
	bool queued[CORE_GROUPS_MAX];
};

static struct port *find_port(struct announcer *a, const char *name)
{
	for (size_t i = 0; i < a->n_ports; i++)
		if (!strcmp(a->ports[i].name, name))
			return &a->ports[i];
	return NULL;
}

static void close_port(struct port *port)
{
	port->ifindex = 0;
	close_fdp(&port->fd);
}

/* The frames for one address: both forms of ARP, or an advertisement. */
static size_t build(const struct port *port, const struct conf_vip *vip, struct frame *frames)
{
	if (vip->ip.family == 6) {
		nd_build_advertisement(&frames[0], port->mac, &vip->ip, false);
		return 1;
	}
	arp_build_announcement(&frames[0], port->mac, &vip->ip, ARP_FORM_REQUEST);
	arp_build_announcement(&frames[1], port->mac, &vip->ip, ARP_FORM_REPLY);
	return 2;
}

/* How many of the frames for how many of the addresses have left? */
static size_t addresses_sent(const struct conf_group *group, size_t from, size_t frames)
{
	size_t i = from;

	while (i < group->n_vips) {
		size_t need = group->vips[i].ip.family == 6 ? 1 : 2;

		if (frames < need)
			break;
		frames -= need;
		i++;
	}
	return i;
}

/*
 * Send a run of addresses on the same interface. A full queue is tried again
 * in the next round; what an interface refuses is left to the schedule, which
 * has several rounds for that reason.
 *
 * Return: the address to go on with.
 */
static size_t send_run(struct announcer *a, const struct conf_group *group, size_t from)
{
	struct frame frames[2 * ANNOUNCE_SLICE];
	const char *name = group->vips[from].ifname;
	struct port *port = find_port(a, name);
	size_t n = 0, sent = 0, i = from;
	int r = 0;

	for (; i < group->n_vips && i < from + ANNOUNCE_SLICE; i++) {
		if (strcmp(group->vips[i].ifname, name))
			break;
		if (port && port->fd >= 0)
			n += build(port, &group->vips[i], frames + n);
	}
	if (n)
		r = packet_send(port->fd, frames, n, &sent);
	return r == -EAGAIN || r == -ENOBUFS ? addresses_sent(group, from, sent) : i;
}

/* One slice of one group, then the loop again. */
static int on_more(sd_event_source *source, void *data)
{
	struct announcer *a = data;

	for (uint8_t g = 0; g < a->conf->n_groups; g++) {
		if (!a->queued[g])
			continue;
		a->next[g] = send_run(a, &a->conf->groups[g], a->next[g]);
		if (a->next[g] >= a->conf->groups[g].n_vips)
			a->queued[g] = false;
		return 0;
	}
	return sd_event_source_set_enabled(source, SD_EVENT_OFF);
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
	for (size_t g = 0; g < conf->n_groups; g++)
		n += conf->groups[g].n_vips;
	a->ports = calloc(n ? n : 1, sizeof(*a->ports));
	if (!a->ports)
		return -ENOMEM;
	for (size_t g = 0; g < conf->n_groups; g++) {
		for (size_t i = 0; i < conf->groups[g].n_vips; i++) {
			const char *name = conf->groups[g].vips[i].ifname;

			if (find_port(a, name))
				continue;
			memcpy(a->ports[a->n_ports].name, name, CONF_IFNAME_SIZE);
			a->ports[a->n_ports++].fd = -1;
		}
	}
	r = sd_event_add_defer(loop, &a->more, on_more, a);
	if (r < 0)
		return r;
	r = sd_event_source_set_priority(a->more, SD_EVENT_PRIORITY_IDLE);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(a->more, SD_EVENT_OFF);
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
		close_fdp(&a->ports[i].fd);
	sd_event_source_disable_unref(a->more);
	free(a->ports);
	free(a);
	return NULL;
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
			close_port(&a->ports[i]); /* it has another name now */
	if (!port)
		return 0;
	memcpy(port->mac, link->mac, sizeof(port->mac));
	if (port->ifindex == link->index && port->fd >= 0)
		return 0;
	close_fdp(&port->fd);
	port->ifindex = link->index;
	port->fd = packet_open(link->index);
	return port->fd < 0 ? port->fd : 0;
}

void announcer_link_gone(struct announcer *a, int ifindex)
{
	for (size_t i = 0; i < a->n_ports; i++)
		if (a->ports[i].ifindex == ifindex)
			close_port(&a->ports[i]);
}

/**
 * announcer_start() - Announce every address of a group
 *
 * The first slice leaves before this returns, the rest between other events.
 */
void announcer_start(struct announcer *a, uint8_t group)
{
	const struct conf_group *conf = &a->conf->groups[group];

	a->next[group] = send_run(a, conf, 0);
	a->queued[group] = a->next[group] < conf->n_vips;
	if (a->queued[group])
		(void)sd_event_source_set_enabled(a->more, SD_EVENT_ON); /* only fails in a fork */
}

/**
 * announcer_cancel() - What has not been announced yet will not be
 */
void announcer_cancel(struct announcer *a, uint8_t group)
{
	a->queued[group] = false;
}

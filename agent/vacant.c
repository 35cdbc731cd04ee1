/* SPDX-License-Identifier: MIT */

#include "agent/vacant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/kernel/watch.h"
#include "netlink/nl.h"

struct asking {
	const struct vacant *of;
	struct links links;
	sd_event *loop;
	struct watcher *watcher; /* of the other configuration */
	unsigned n;		 /* groups of which nothing is known yet */
	char *taken;		 /* lines; NULL: nobody has answered */
};

static struct asking *asking_free(struct asking *asking)
{
	if (!asking)
		return NULL;
	watcher_free(asking->watcher);
	sd_event_unref(asking->loop);
	free(asking->taken);
	free(asking);
	return NULL;
}
DEFINE_CLEANUP(struct asking *, asking_free)

static bool is_held(const struct vacant *v, const struct ip *ip)
{
	for (size_t g = 0; g < v->now->n_groups; g++)
		if (v->primary[g] && conf_find_vip(&v->now->groups[g], ip))
			return true;
	return false;
}

static bool is_primary(const struct vacant *v, const char *name)
{
	for (size_t g = 0; g < v->now->n_groups; g++)
		if (!strcmp(v->now->groups[g].name, name))
			return v->primary[g];
	return false;
}

/* It is adopted with more addresses than it has; what is not held is asked for by its claim. */
static bool grows(const struct vacant *v, const struct conf_group *group)
{
	bool more = false;

	for (size_t i = 0; i < group->n_vips; i++)
		more |= !is_held(v, &group->vips[i].ip);
	return more && is_primary(v, group->name);
}

static void on_probed(void *data, uint8_t group, uint32_t id, const struct stranger *answered)
{
	struct asking *asking = data;
	const struct conf_group *g = &asking->of->next->groups[group];
	char ip[64], *line = NULL;

	(void)id;
	asking->n--;
	if (!answered)
		return;
	(void)conf_format_ip(&g->vips[answered->vip].ip, ip, sizeof(ip));
	if (asprintf(&line, "%sgroup %s: somebody on %s answers for %s\n",
		     asking->taken ? asking->taken : "", g->name, g->vips[answered->vip].ifname,
		     ip) < 0)
		return; /* without memory a reload fails anyway */
	free(asking->taken);
	asking->taken = line;
}

static void on_met(void *data, uint8_t group, const struct stranger *stranger)
{
	(void)data, (void)group, (void)stranger; /* the agent's own watcher tells of it */
}

static int read_links(struct asking *asking)
{
	_cleanup_(nl_closep) struct nl *route = NULL;
	_cleanup_(freep) struct link *links = NULL;
	size_t n;
	int r;

	r = nl_open(NETLINK_ROUTE, &route);
	if (r >= 0)
		r = link_list(route, &links, &n);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		(void)links_note(&asking->links,
				 &links[i]); /* more than we know are not asked on */
		(void)watcher_link(asking->watcher, &links[i]); /* nor where there is no socket */
	}
	return r;
}

static int begin(struct asking *asking, uint8_t self)
{
	const struct watcher_calls calls = { .probed = on_probed, .met = on_met, .data = asking };
	const struct conf *next = asking->of->next;
	int r;

	r = sd_event_new(&asking->loop);
	if (r >= 0)
		r = watcher_new(next, self, &asking->links, asking->loop, &calls, &asking->watcher);
	if (r >= 0)
		r = read_links(asking);
	for (uint8_t g = 0; r >= 0 && g < next->n_groups; g++) {
		if (!grows(asking->of, &next->groups[g]))
			continue;
		asking->n++;
		watcher_hold(asking->watcher, g, true); /* a MAC that moves with them is ours */
		watcher_probe(asking->watcher, g, 1, next->probe_us);
	}
	return r;
}

/**
 * vacant_ask() - Does anybody answer for addresses that another configuration adds here?
 * @ret_why: heap: who answers for what, a line each
 *
 * Of a group that has more, all addresses are asked for: who answers for one that is held already
 * is as wrong. Blocks for Probe=, and for the time that it takes to open sockets: not for the loop.
 *
 * Return: 0; -EADDRINUSE; -ENOMEM; errors of netlink and sd-event.
 */
int vacant_ask(const struct vacant *vacant, char **ret_why)
{
	_cleanup_(asking_freep) struct asking *asking = NULL;
	const struct conf *next = vacant->next;
	bool any = false;
	uint8_t self;
	int r;

	for (size_t g = 0; next->probe_us && g < next->n_groups; g++)
		any |= grows(vacant, &next->groups[g]);
	if (!any || conf_find_node(next, vacant->now->nodes[vacant->self].name, &self) < 0)
		return 0;
	asking = calloc(1, sizeof(*asking));
	if (!asking)
		return -ENOMEM;
	asking->of = vacant;
	r = begin(asking, self);
	while (r >= 0 && asking->n)
		r = sd_event_run(asking->loop, UINT64_MAX);
	if (r < 0 || !asking->taken)
		return r < 0 ? r : 0;
	*ret_why = TAKE(asking->taken);
	return -EADDRINUSE;
}

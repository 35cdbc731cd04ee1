/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "agent/bus/inhibit.h"
#include "agent/cleanup.h"

enum { INHIBITORS_MAX = 64 }; /* of all groups: two descriptors each while one is asked for */

struct inhibitor {
	struct inhibitor *next;
	struct inhibitors *all;
	uint8_t group;
	char *who, *why;
	uint32_t uid;
	int ours, theirs;     /* ends of the pipe; theirs is -1 once they have it */
	api_request request;  /* who waits until the core has agreed; 0: it has */
	sd_event_source *end; /* hears when nobody has their end any more */
};

struct inhibitors {
	struct agent *agent;
	inhibit_changed changed;
	void *ctx;
	struct inhibitor *first;
	size_t n;
	struct api_inhibitor listed[INHIBITORS_MAX]; /* of the group asked for last */
};

static struct inhibitor *inhibitor_free(struct inhibitor *inhibitor)
{
	sd_event_source_disable_unref(inhibitor->end);
	close_fdp(&inhibitor->ours);
	close_fdp(&inhibitor->theirs);
	free(inhibitor->who);
	free(inhibitor->why);
	free(inhibitor);
	return NULL;
}
DEFINE_CLEANUP(struct inhibitor *, inhibitor_free)

/**
 * inhibitors_new() - Get ready for those who want this node out
 * @agent: borrowed until inhibitors_free(), which lets the core be
 * @changed: called with @ctx
 *
 * Return: 0; -ENOMEM.
 */
int inhibitors_new(struct agent *agent, inhibit_changed changed, void *ctx, struct inhibitors **ret)
{
	struct inhibitors *inhibitors = calloc(1, sizeof(*inhibitors));

	if (!inhibitors)
		return -ENOMEM;
	inhibitors->agent = agent;
	inhibitors->changed = changed;
	inhibitors->ctx = ctx;
	*ret = inhibitors;
	return 0;
}

struct inhibitors *inhibitors_free(struct inhibitors *inhibitors)
{
	while (inhibitors && inhibitors->first) {
		struct inhibitor *first = inhibitors->first;

		inhibitors->first = first->next;
		inhibitor_free(first);
	}
	free(inhibitors);
	return NULL;
}

static void add(struct inhibitor *inhibitor)
{
	struct inhibitor **at = &inhibitor->all->first;

	while (*at)
		at = &(*at)->next; /* in the order in which they came */
	*at = inhibitor;
	inhibitor->all->n++;
}

static void drop(struct inhibitor *inhibitor)
{
	struct inhibitor **at = &inhibitor->all->first;

	while (*at != inhibitor)
		at = &(*at)->next;
	*at = inhibitor->next;
	inhibitor->all->n--;
	inhibitor_free(inhibitor);
}

static struct inhibitor *of_group(const struct inhibitors *inhibitors, uint8_t group)
{
	for (struct inhibitor *i = inhibitors->first; i; i = i->next)
		if (i->group == group)
			return i;
	return NULL;
}

static void tell_core(struct agent *agent, uint8_t group, bool on, api_request request)
{
	struct core_event event = { .type = CORE_EV_INHIBIT, .group = group };

	event.request.request = request;
	event.request.on = on;
	agent_step(agent, &event);
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct inhibitor *inhibitor = data;
	struct inhibitors *all = inhibitor->all;
	uint8_t group = inhibitor->group;

	(void)source, (void)fd, (void)events;
	drop(inhibitor);
	/* A host that goes down keeps it out by itself, and lets it in if it does not (depart.c).
	 */
	if (!of_group(all, group) && !all->agent->going_down)
		tell_core(all->agent, group, false, 0);
	all->changed(all->ctx, group);
	return 0;
}

static int make(struct inhibitors *all, uint8_t group, const struct api_inhibitor *by,
		struct inhibitor **ret)
{
	_cleanup_(inhibitor_freep) struct inhibitor *inhibitor = calloc(1, sizeof(*inhibitor));
	int fds[2], r;

	if (!inhibitor)
		return -ENOMEM;
	inhibitor->ours = inhibitor->theirs = -1;
	inhibitor->all = all;
	inhibitor->group = group;
	inhibitor->uid = by->uid;
	inhibitor->who = strdup(by->who);
	inhibitor->why = strdup(by->why);
	if (!inhibitor->who || !inhibitor->why)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	inhibitor->ours = fds[0];
	inhibitor->theirs = fds[1];
	/* no events: what they write does not wake us, and their end always does */
	r = sd_event_add_io(all->agent->loop, &inhibitor->end, inhibitor->ours, 0, on_end,
			    inhibitor);
	if (r < 0)
		return r;
	*ret = TAKE(inhibitor);
	return 0;
}

/**
 * inhibit_begin() - Somebody wants this node out of a group
 * @by: who; copied
 * @request: who waits; inhibit_answered() is to be called when the core answers, which may
 *           happen before this returns
 *
 * Return: 1 if the core is asked; 0 if the node is out already: call inhibit_answered() with
 * @request; -EBUSY if there are too many, or if the first of the group still waits; -ENOMEM;
 * errors of pipe() and sd-event.
 */
int inhibit_begin(struct inhibitors *inhibitors, uint8_t group, const struct api_inhibitor *by,
		  api_request request)
{
	const struct inhibitor *other = of_group(inhibitors, group);
	struct inhibitor *inhibitor = NULL;
	int r;

	if (inhibitors->n >= INHIBITORS_MAX || (other && other->request))
		return -EBUSY;
	r = make(inhibitors, group, by, &inhibitor);
	if (r < 0)
		return r;
	inhibitor->request = request;
	add(inhibitor);
	if (other)
		return 0;
	tell_core(inhibitors->agent, group, true, request);
	return 1;
}

/**
 * inhibit_answered() - The core has answered one who waits
 * @ok: this node is out
 *
 * Who has no use for the descriptor closes it: that ends the inhibition.
 *
 * Return: with @ok the descriptor that is for the caller, to be closed when it has been sent;
 * -ENOENT if @request is not that of an inhibitor; else -ECANCELED, and it has been forgotten.
 */
int inhibit_answered(struct inhibitors *inhibitors, api_request request, bool ok)
{
	for (struct inhibitor *i = inhibitors->first; i; i = i->next) {
		if (!request || i->request != request)
			continue;
		i->request = 0;
		if (!ok) {
			drop(i);
			return -ECANCELED;
		}
		inhibitors->changed(inhibitors->ctx, i->group);
		return TAKE_FD(i->theirs);
	}
	return -ENOENT;
}

/**
 * inhibit_any() - Does somebody keep this node out of a group, or is about to?
 */
bool inhibit_any(const struct inhibitors *inhibitors, uint8_t group)
{
	return of_group(inhibitors, group);
}

/**
 * inhibit_list() - Who keeps this node out of a group, in the order in which they came
 * @ret: until the next call
 */
void inhibit_list(struct inhibitors *inhibitors, size_t group, struct api_inhibitors *ret)
{
	*ret = (struct api_inhibitors){ .v = inhibitors->listed };
	for (const struct inhibitor *i = inhibitors->first; i; i = i->next)
		if (i->group == group && !i->request)
			inhibitors->listed[ret->n++] =
				(struct api_inhibitor){ i->who, i->why, i->uid };
}

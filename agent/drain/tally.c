/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/clock.h"
#include "agent/drain/tally.h"
#include "netlink/sock_diag.h"

/* How long news of connections are worked off before the loop looks at anything else. */
enum { TALLY_SLICE_US = 1000 };

struct tally {
	const struct conf_group *group;
	tally_handler handler;
	void *ctx;
	struct sock_diag *diag;
	sd_event_source *input;
	uint32_t left;	 /* once they have been counted never more than there are */
	bool zero;	 /* the last list was empty */
	bool listing;	 /* a list is being made */
	bool again;	 /* it will not do, make another one */
	uint32_t listed; /* are in it up to now */
	uint32_t ended;	 /* have ended since it was begun, before or after they got into it */
};

/* Return: 0; what sock_diag_list() returns. */
static int begin_list(struct tally *t)
{
	t->again = t->listing;
	if (t->listing)
		return 0;
	t->listing = true;
	t->listed = t->ended = 0;
	return sock_diag_list(t->diag);
}

/* Who ended meanwhile may not have got into the list, but is taken off: then more are left. */
static int end_list(struct tally *t)
{
	const bool again = t->again;

	t->listing = t->again = false;
	t->zero = !t->listed;
	t->left = t->listed > t->ended ? t->listed - t->ended : 0;
	return again || (!t->left && !t->zero) ? begin_list(t) : 0;
}

/* For the same reason only a list says that it was the last. */
static int take_end(struct tally *t)
{
	t->ended++;
	if (!t->left || --t->left || t->listing)
		return 0;
	return begin_list(t);
}

/* Return: 0; what sock_diag_list() returns. */
static int take(struct tally *t, const struct sock_diag_event *event)
{
	switch (event->kind) {
	case SOCK_DIAG_OPEN:
		t->listed += conf_find_vip(t->group, &event->local) != NULL;
		return 0;
	case SOCK_DIAG_ENDED:
		return conf_find_vip(t->group, &event->local) ? take_end(t) : 0;
	case SOCK_DIAG_LISTED:
		return end_list(t);
	case SOCK_DIAG_OVERRUN:
		return begin_list(t);
	case SOCK_DIAG_NOTHING:
		break;
	}
	return 0;
}

static int on_input(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct sock_diag_event event = { .kind = SOCK_DIAG_NOTHING };
	const uint64_t slice_end = clock_us() + TALLY_SLICE_US;
	struct tally *t = data;
	int r;

	(void)source;
	(void)fd;
	(void)events; /* whatever it is, reading tells */
	do {
		r = sock_diag_next(t->diag, &event);
		if (r == 0)
			r = take(t, &event);
	} while (r == 0 && event.kind != SOCK_DIAG_NOTHING && event.kind != SOCK_DIAG_LISTED &&
		 clock_us() < slice_end);
	if (r < 0)
		t->input = sd_event_source_disable_unref(t->input);
	if (r < 0 || event.kind == SOCK_DIAG_LISTED)
		t->handler(t->ctx, r);
	return 0;
}

/**
 * tally_new() - Begin to count
 * @group: borrowed
 * @handler: called with @ctx from @loop
 *
 * Thousands take a while: heartbeats and whatever else there is to do are not delayed by that.
 *
 * Return: 0; -ENOMEM; -ENOENT where the kernel has no tcp_diag; errors of sockets and sd-event.
 */
int tally_new(sd_event *loop, const struct conf_group *group, tally_handler handler, void *ctx,
	      struct tally **ret)
{
	_cleanup_(tally_freep) struct tally *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->group = group;
	t->handler = handler;
	t->ctx = ctx;
	r = sock_diag_open(&t->diag);
	if (r < 0)
		return r;
	r = sd_event_add_io(loop, &t->input, sock_diag_fd(t->diag), EPOLLIN, on_input, t);
	if (r < 0)
		return r;
	r = sd_event_source_set_priority(t->input, SD_EVENT_PRIORITY_NORMAL + 1);
	if (r < 0)
		return r;
	r = begin_list(t);
	if (r < 0)
		return r;
	*ret = TAKE(t);
	return 0;
}

struct tally *tally_free(struct tally *t)
{
	if (!t)
		return NULL;
	sd_event_source_disable_unref(t->input);
	sock_diag_close(t->diag);
	free(t);
	return NULL;
}

/**
 * tally_again() - Count anew, if that is not being done
 *
 * The kernel does not tell of each way in which a connection may end: one that was reset goes
 * only with the descriptor that a process still has of it.
 *
 * Return: 0; what send() fails with.
 */
int tally_again(struct tally *t)
{
	return t->listing ? 0 : begin_list(t);
}

/**
 * tally_left() - How many are open, as far as is known
 */
uint32_t tally_left(const struct tally *t)
{
	return t->left;
}

/**
 * tally_is_zero() - Was none there when they were counted last?
 */
bool tally_is_zero(const struct tally *t)
{
	return t->zero;
}

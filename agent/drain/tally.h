/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many TCP connections a group has open on this host. They are counted once, and then
 * the kernel says when one ends.
 */

#include <systemd/sd-event.h>

#include "agent/conf/conf.h"

struct tally;

/* Called after each count, with 0; or with the error that ends it. May free the tally. */
typedef void (*tally_handler)(void *ctx, int r);

int tally_new(sd_event *loop, const struct conf_group *group, tally_handler handler, void *ctx,
	      struct tally **ret);
struct tally *tally_free(struct tally *tally);
DEFINE_CLEANUP(struct tally *, tally_free)

int tally_again(struct tally *tally);
uint32_t tally_left(const struct tally *tally);
bool tally_is_zero(const struct tally *tally);

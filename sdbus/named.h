/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A service on the bus by its well-known name, of which we are a client. Any user may send us
 * what looks like a signal of its: what counts is who has the name, and of an answer to a call
 * of ours the bus vouches for the sender.
 */

#include <systemd/sd-bus.h>

#include "agent/base.h"

struct named {
	const char *name;     /* borrowed */
	sd_bus *bus;	      /* borrowed */
	char *owner;	      /* the unique name that it answered with; NULL: not known */
	sd_bus_slot *changes; /* news of who has the name */
	void (*appeared)(void *ctx);
	void *ctx; /* borrowed */
};

/* What a call and a signal are about, "PATH INTERFACE.MEMBER" in parts. */
struct named_member {
	const char *path, *interface, *member;
};

int named_init(struct named *named, sd_bus *bus, const char *name, void (*appeared)(void *ctx),
	       void *ctx);
void named_done(struct named *named);
int named_owned(struct named *named, sd_bus_message *answer);
bool named_sent(const struct named *named, sd_bus_message *signal);

int named_match(const struct named *named, sd_bus_slot **ret, const struct named_member *what,
		sd_bus_message_handler_t handler, void *userdata);
int named_call(const struct named *named, sd_bus_slot **ret, const struct named_member *what,
	       sd_bus_message_handler_t handler, void *userdata, const char *types, ...);
int named_refusal(sd_bus_message *answer, const char **ret_why);

/* Any name, a unique one as well. */
int named_watch(sd_bus *bus, sd_bus_slot **ret, const char *name, sd_bus_message_handler_t changed,
		sd_bus_message_handler_t watching, void *userdata);
const char *named_now(sd_bus_message *change);

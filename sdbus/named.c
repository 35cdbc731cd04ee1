/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sdbus/named.h"

enum {
	RULE_SIZE = 512, /* a name has at most 255 bytes */
};

/* sd-bus closes the connection over a match that is refused, unless somebody hears of it. */
static int on_matching(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)m, (void)userdata, (void)error;
	return 0;
}

static bool is_from(sd_bus_message *m, const char *sender)
{
	const char *is = sd_bus_message_get_sender(m);

	return is && sender && !strcmp(is, sender);
}

/**
 * named_watch() - Hear of each change of who has a name
 * @ret: the slot that ends it
 * @name: well-known or unique
 * @changed: hears what looks like one, and has to ask named_now()
 * @watching: hears whether the bus lets us; NULL: it is good enough if it does
 *
 * Return: 0 or more; -ENOMEM; errors of a connection.
 */
int named_watch(sd_bus *bus, sd_bus_slot **ret, const char *name, sd_bus_message_handler_t changed,
		sd_bus_message_handler_t watching, void *userdata)
{
	char rule[RULE_SIZE];

	(void)snprintf(rule, sizeof(rule),
		       "type='signal',sender='org.freedesktop.DBus',"
		       "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
		       "member='NameOwnerChanged',arg0='%s'",
		       name); /* fits */
	return sd_bus_add_match_async(bus, ret, rule, changed, watching ? watching : on_matching,
				      userdata);
}

/**
 * named_now() - Who has the name now?
 * @change: of named_watch()
 *
 * A match by a well-known name lets through what anybody sends to us alone: sd-bus knows senders by
 * their unique names only.
 *
 * Return: a unique name, borrowed; "" if nobody has it; NULL if this is not the word of the bus.
 */
const char *named_now(sd_bus_message *change)
{
	const char *name, *before, *now;

	if (!is_from(change, "org.freedesktop.DBus") ||
	    sd_bus_message_read(change, "sss", &name, &before, &now) < 0)
		return NULL;
	return now;
}

/* A name that has gone may come back, with somebody else behind it. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct named *named = userdata;
	const char *now = named_now(m);

	(void)error;
	if (now && *now && (!named->owner || strcmp(now, named->owner) != 0))
		named->appeared(named->ctx);
	return 0;
}

/**
 * named_init() - Begin to follow who has a name
 * @named: filled; stays where it is until named_done()
 * @bus: borrowed, as @name is
 * @appeared: somebody new has the name
 * @ctx: for @appeared
 *
 * Return: 0 or more; -ENOMEM; errors of a connection.
 */
int named_init(struct named *named, sd_bus *bus, const char *name, void (*appeared)(void *ctx),
	       void *ctx)
{
	*named = (struct named){ .name = name, .bus = bus, .appeared = appeared, .ctx = ctx };
	return named_watch(bus, &named->changes, name, on_owner, NULL, named);
}

void named_done(struct named *named)
{
	named->changes = sd_bus_slot_unref(named->changes);
	free(TAKE(named->owner));
}

/**
 * named_owned() - Take from an answer who has the name
 *
 * Return: 0; -ENOMEM; -ENOMSG if it does not say.
 */
int named_owned(struct named *named, sd_bus_message *answer)
{
	const char *sender = sd_bus_message_get_sender(answer);
	char *owner = sender ? strdup(sender) : NULL;

	if (!owner)
		return sender ? -ENOMEM : -ENOMSG;
	free(named->owner);
	named->owner = owner;
	return 0;
}

/**
 * named_sent() - Is this from who has the name?
 */
bool named_sent(const struct named *named, sd_bus_message *signal)
{
	return is_from(signal, named->owner);
}

/**
 * named_match() - Hear a signal of the service
 * @ret: the slot that ends it
 * @handler: has to ask named_sent() first
 *
 * Return: 0; -ENOMEM; errors of a connection.
 */
int named_match(const struct named *named, sd_bus_slot **ret, const struct named_member *what,
		sd_bus_message_handler_t handler, void *userdata)
{
	return sd_bus_match_signal_async(named->bus, ret, named->name, what->path, what->interface,
					 what->member, handler, on_matching, userdata);
}

/**
 * named_call() - Call the service if it runs: it is not started for us
 * @ret: the slot that gives the call up
 * @types: of the arguments that follow
 *
 * Return: 0; -ENOMEM; errors of a connection.
 */
int named_call(const struct named *named, sd_bus_slot **ret, const struct named_member *what,
	       sd_bus_message_handler_t handler, void *userdata, const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	va_list ap;
	int r;

	r = sd_bus_message_new_method_call(named->bus, &m, named->name, what->path, what->interface,
					   what->member);
	if (r < 0)
		return r;
	va_start(ap, types);
	r = sd_bus_message_appendv(m, types, ap);
	va_end(ap);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, false);
	if (r >= 0)
		r = sd_bus_call_async(named->bus, ret, m, handler, userdata, 0);
	return r < 0 ? r : 0;
}

/**
 * named_refusal() - Was a call refused, or not answered?
 * @ret_why: the sentence that came with it, or the error's name; borrowed from @answer
 *
 * Return: 0 if not, and @ret_why is untouched; else the error as negative errno.
 */
int named_refusal(sd_bus_message *answer, const char **ret_why)
{
	const sd_bus_error *e = sd_bus_message_get_error(answer);

	if (!e)
		return 0;
	*ret_why = e->message ? e->message : e->name;
	return -sd_bus_message_get_errno(answer);
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sdbus/named.h"

enum {
	RULE_SIZE = 384, /* two names of at most 255 bytes would not fit; ours are short */
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
 * named_init() - Begin to follow who has a name
 * @named: filled
 * @bus: borrowed, as @name is
 * @changed: hears what named_appeared() judges, with @userdata
 *
 * Return: 0; -ENOMEM; errors of a connection.
 */
int named_init(struct named *named, sd_bus *bus, const char *name, sd_bus_message_handler_t changed,
	       void *userdata)
{
	char rule[RULE_SIZE];

	*named = (struct named){ .name = name, .bus = bus };
	(void)snprintf(rule, sizeof(rule),
		       "type='signal',sender='org.freedesktop.DBus',"
		       "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
		       "member='NameOwnerChanged',arg0='%s'",
		       name); /* fits */
	return sd_bus_add_match_async(bus, &named->changes, rule, changed, on_matching, userdata);
}

void named_done(struct named *named)
{
	named->changes = sd_bus_slot_unref(named->changes);
	free(TAKE(named->owner));
}

/**
 * named_appeared() - Has somebody new the name?
 * @change: NameOwnerChanged, perhaps
 *
 * Return: false also if the name is nobody's now, or this is not from the bus.
 */
bool named_appeared(const struct named *named, sd_bus_message *change)
{
	const char *name, *before, *now;

	return is_from(change, "org.freedesktop.DBus") &&
	       sd_bus_message_read(change, "sss", &name, &before, &now) >= 0 && *now &&
	       (!named->owner || strcmp(now, named->owner) != 0);
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
	sd_bus_message *m = NULL;
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
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

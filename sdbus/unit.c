/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "sdbus/unit_private.h"

/* Whoever subscribes twice is told so, and hears everything all the same. */
#define ALREADY_SUBSCRIBED "org.freedesktop.systemd1.AlreadySubscribed"

/*
 * We hear of changes from here on. What happened before is read: the unit that is ours, and
 * those that are watched.
 */
static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct units *units = userdata;
	int r = 0;

	(void)error;
	units->subscribe = sd_bus_slot_unref(units->subscribe);
	if (sd_bus_message_is_method_error(m, NULL) &&
	    !sd_bus_message_is_method_error(m, ALREADY_SUBSCRIBED))
		r = -sd_bus_message_get_errno(m);
	if (r >= 0)
		r = named_owned(&units->systemd, m);
	if (r >= 0)
		r = unit_own_find(units);
	units->here = r >= 0;
	if (units->here)
		unit_watch_all(units);
	units->ops->here(units->ctx, r);
	return 0;
}

static int subscribe(struct units *units)
{
	static const struct named_member what = { SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe" };

	units->subscribe = sd_bus_slot_unref(units->subscribe);
	return named_call(&units->systemd, &units->subscribe, &what, on_subscribed, units, "");
}

/* It has come, or come back: after daemon-reexec, or when the bus was restarted below it. */
static void on_appeared(void *ctx)
{
	(void)subscribe(ctx); /* a connection that fails is noticed by its owner */
}

/* daemon-reload: a unit may be another one behind its name, masked, or there at last. */
static int on_reloading(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct units *units = userdata;
	int active;

	(void)error;
	if (named_sent(&units->systemd, m) && sd_bus_message_read(m, "b", &active) >= 0 && !active)
		unit_watch_all(units);
	return 0;
}

static int begin(struct units *units)
{
	static const struct named_member reloading = { SYSTEMD_PATH, SYSTEMD_MANAGER, "Reloading" };
	static const struct named_member removed = { SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved" };
	int r;

	r = named_init(&units->systemd, units->bus, "org.freedesktop.systemd1", on_appeared, units);
	if (r < 0)
		return r;
	r = named_match(&units->systemd, &units->reloading, &reloading, on_reloading, units);
	if (r < 0)
		return r;
	r = named_match(&units->systemd, &units->removed, &removed, unit_job_removed, units);
	return r < 0 ? r : subscribe(units);
}

/**
 * units_new() - Become a client of systemd, now or as soon as it is on the bus
 * @bus: connection, perhaps not finished yet; referenced
 * @ops: what is heard, never from within a call of ours; borrowed, as @ctx is
 *
 * Return: 0; -ENOMEM; errors of the connection.
 */
int units_new(sd_bus *bus, const struct unit_ops *ops, void *ctx, struct units **ret)
{
	_cleanup_(units_freep) struct units *units = calloc(1, sizeof(*units));
	int r;

	if (!units)
		return -ENOMEM;
	units->ops = ops;
	units->ctx = ctx;
	units->bus = sd_bus_ref(bus);
	r = begin(units);
	if (r < 0)
		return r;
	*ret = TAKE(units);
	return 0;
}

/**
 * units_free() - The end: nothing more is heard, orders under way are carried out unseen
 */
struct units *units_free(struct units *units)
{
	if (!units)
		return NULL;
	unit_watches_done(units);
	unit_jobs_done(units);
	sd_bus_slot_unref(units->own);
	sd_bus_slot_unref(units->subscribe);
	sd_bus_slot_unref(units->reloading);
	sd_bus_slot_unref(units->removed);
	named_done(&units->systemd);
	sd_bus_unref(units->bus);
	free(units->own_path);
	free(units);
	return NULL;
}

/* These stand for themselves in the name of a unit; '-' would be a '/'. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == ':' || c == '_' || c == '.';
}

/**
 * unit_instance() - The name of an instance of a template, as systemd-escape makes it
 * @prefix: "takeover-primary"
 * @instance: any text
 * @suffix: ".target"
 * @ret: "takeover-primary@sip.target"
 *
 * Return: 0; -ENAMETOOLONG.
 */
int unit_instance(const char *prefix, const char *instance, const char *suffix,
		  char ret[static UNIT_NAME_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	char name[UNIT_NAME_SIZE];
	size_t n = strlen(prefix);

	if (n + 1 >= sizeof(name))
		return -ENAMETOOLONG;
	memcpy(name, prefix, n);
	name[n++] = '@';
	for (const char *p = instance; *p; p++) {
		if (n + 4 + strlen(suffix) >= sizeof(name))
			return -ENAMETOOLONG;
		if (is_plain(*p) && (*p != '.' || p > instance)) {
			name[n++] = *p;
			continue;
		}
		name[n++] = '\\';
		name[n++] = 'x';
		name[n++] = hex[(uint8_t)*p >> 4];
		name[n++] = hex[(uint8_t)*p & 15];
	}
	if (n + strlen(suffix) >= sizeof(name))
		return -ENAMETOOLONG;
	memcpy(ret, name, n);
	memcpy(ret + n, suffix, strlen(suffix) + 1);
	return 0;
}

/* SPDX-License-Identifier: MIT */

/*
 * How the units are that somebody wants to know of. There is no Ref(): it takes the right to
 * manage the unit. A unit that systemd unloads in between is loaded again by being read.
 */

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "sdbus/dict.h"
#include "sdbus/unit_private.h"

static enum unit_active active_of(const char *word)
{
	static const char *const words[_UNIT_ACTIVE_MAX] = {
		[UNIT_UNKNOWN] = "",
		[UNIT_ACTIVE] = "active",
		[UNIT_RELOADING] = "reloading",
		[UNIT_INACTIVE] = "inactive",
		[UNIT_FAILED] = "failed",
		[UNIT_ACTIVATING] = "activating",
		[UNIT_DEACTIVATING] = "deactivating",
	};

	for (enum unit_active active = 0; active < _UNIT_ACTIVE_MAX; active++)
		if (!strcmp(word, words[active]))
			return active;
	return UNIT_ACTIVE; /* "maintenance" (of mounts) and what later versions may have */
}

/* One entry of a{sv}, of the interface Unit or Service. */
static int take_property(sd_bus_message *m, void *ctx)
{
	struct unit_state *state = ctx;
	const char *name, *word;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	if (!strcmp(name, "NRestarts"))
		return sd_bus_message_read(m, "v", "u", &state->restarts);
	if (strcmp(name, "ActiveState") != 0 && strcmp(name, "LoadState") != 0)
		return sd_bus_message_skip(m, "v");
	r = sd_bus_message_read(m, "v", "s", &word);
	if (r < 0)
		return r;
	if (name[0] == 'A')
		state->active = active_of(word);
	else
		state->absent = strcmp(word, "loaded") != 0 && strcmp(word, "merged") != 0;
	return 0;
}

/* What is known all of a sudden is news, whatever it is. */
static void note(struct unit_watch *watch, const struct unit_state *state)
{
	struct units *units = watch->units;

	if (watch->state.active == state->active && watch->state.absent == state->absent &&
	    watch->state.restarts == state->restarts)
		return;
	watch->state = *state;
	if (state->active != UNIT_UNKNOWN)
		units->ops->changed(units->ctx, (size_t)(watch - units->watches), state);
}

static int on_changes(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct unit_watch *watch = userdata;
	struct unit_state state = watch->state;
	const char *interface;

	(void)error;
	/* Until it has been read as a whole, parts of it would be told as if they were all. */
	if (watch->read || !named_sent(&watch->units->systemd, m))
		return 0;
	if (sd_bus_message_read(m, "s", &interface) >= 0 &&
	    dict_each(m, "sv", take_property, &state) >= 0)
		note(watch, &state);
	return 0;
}

static int on_count(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct unit_watch *watch = userdata;
	struct unit_state state = watch->state;

	(void)error;
	watch->count = sd_bus_slot_unref(watch->count);
	/* A unit that is no service has none. */
	if (!sd_bus_message_is_method_error(m, NULL) &&
	    sd_bus_message_read(m, "v", "u", &state.restarts) >= 0)
		watch->state.restarts = state.restarts;
	return 0;
}

static int load(struct unit_watch *watch);

static int on_read(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct unit_watch *watch = userdata;
	struct unit_state state = watch->state;

	(void)error;
	watch->read = sd_bus_slot_unref(watch->read);
	if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_NO_REPLY))
		(void)load(watch); /* as in unit_watch_all() */
	else if (!sd_bus_message_is_method_error(m, NULL) &&
		 dict_each(m, "sv", take_property, &state) >= 0)
		note(watch, &state);
	return 0;
}

/* The count first: it is known when the unit is. */
static int read_unit(struct unit_watch *watch)
{
	const struct named_member get = { watch->path, DBUS_PROPERTIES, "Get" };
	const struct named_member get_all = { watch->path, DBUS_PROPERTIES, "GetAll" };
	const struct named *systemd = &watch->units->systemd;
	int r;

	r = named_call(systemd, &watch->count, &get, on_count, watch, "ss", SYSTEMD_SERVICE,
		       "NRestarts");
	if (r < 0)
		return r;
	return named_call(systemd, &watch->read, &get_all, on_read, watch, "s", SYSTEMD_UNIT);
}

/* From here on we hear of its changes; what was before, we read. */
static int follow(struct unit_watch *watch, const char *path)
{
	struct named_member what = { NULL, DBUS_PROPERTIES, "PropertiesChanged" };
	char *copy = strdup(path);
	int r;

	if (!copy)
		return -ENOMEM;
	watch->changes = sd_bus_slot_unref(watch->changes);
	free(watch->path);
	what.path = watch->path = copy;
	r = named_match(&watch->units->systemd, &watch->changes, &what, on_changes, watch);
	return r < 0 ? r : read_unit(watch);
}

/*
 * A unit that cannot be loaded has an object nevertheless; of one that has not we know enough, if
 * systemd says so. That nobody has answered is the word of the bus or of sd-bus, and tells nothing
 * of the unit: a systemd that re-executes appears again, one that was too busy has to be asked
 * again.
 */
static int on_loaded(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct unit_watch *watch = userdata;
	struct unit_state state = { .active = UNIT_INACTIVE, .absent = true };
	const char *path;

	(void)error;
	watch->load = sd_bus_slot_unref(watch->load);
	if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_NO_REPLY)) {
		(void)load(watch); /* as in unit_watch_all() */
	} else if (!sd_bus_message_is_method_error(m, NULL)) {
		if (sd_bus_message_read(m, "o", &path) >= 0)
			(void)follow(watch, path);
	} else if (named_sent(&watch->units->systemd, m)) {
		note(watch, &state);
	}
	return 0;
}

static int load(struct unit_watch *watch)
{
	static const struct named_member what = { SYSTEMD_PATH, SYSTEMD_MANAGER, "LoadUnit" };

	watch->load = sd_bus_slot_unref(watch->load);
	watch->read = sd_bus_slot_unref(watch->read);
	watch->count = sd_bus_slot_unref(watch->count);
	return named_call(&watch->units->systemd, &watch->load, &what, on_loaded, watch, "s",
			  watch->name);
}

/**
 * unit_watch_all() - Look anew at every unit that is watched
 */
void unit_watch_all(struct units *units)
{
	for (size_t i = 0; i < units->n_watches; i++)
		(void)load(
			&units->watches[i]); /* a connection that fails is noticed by its owner */
}

static void watch_done(struct unit_watch *watch)
{
	sd_bus_slot_unref(watch->changes);
	sd_bus_slot_unref(watch->load);
	sd_bus_slot_unref(watch->read);
	sd_bus_slot_unref(watch->count);
	free(watch->name);
	free(watch->path);
}

/**
 * unit_watches_done() - Watch nothing any more
 */
void unit_watches_done(struct units *units)
{
	for (size_t i = 0; i < units->n_watches; i++)
		watch_done(&units->watches[i]);
	free(TAKE(units->watches));
	units->n_watches = 0;
}

/**
 * units_watch() - Hear how these units are, and of each change of that
 * @names: @n of them, instead of those before; copied. changed() has their index.
 *
 * Return: 0; -ENOMEM, and then none is watched.
 */
int units_watch(struct units *units, const char *const *names, size_t n)
{
	unit_watches_done(units);
	if (n == 0)
		return 0;
	units->watches = calloc(n, sizeof(*units->watches));
	if (!units->watches)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		units->watches[i].units = units;
		units->watches[i].name = strdup(names[i]);
		if (!units->watches[i].name) {
			unit_watches_done(units);
			return -ENOMEM;
		}
		units->n_watches++;
	}
	if (units->here)
		unit_watch_all(units);
	return 0;
}

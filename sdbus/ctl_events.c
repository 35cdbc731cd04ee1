/* SPDX-License-Identifier: MIT */

/*
 * The verb `events`: what the agent has told of, and, with --follow, goes on telling of. All that
 * is shown is an answer to a call. Signals only say that it is time to ask: anybody may send
 * some, and one may be missed while the agent restarts.
 */

#include <ctype.h>
#include <errno.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_line.h"
#include "sdbus/dict.h"
#include "sdbus/named.h"

/* An agent that is asked too often says so, and is asked again then. */
#define AGAIN_US (100 * USEC_PER_MSEC)

struct events {
	struct ctl *ctl;
	const char *group; /* NULL: all, and those of the node */
	uint64_t last;	   /* number of the last that was shown, or passed over */
	bool stale;	   /* there may be more */
};

/* A value of an event's, {sv}. */
static int read_value(sd_bus_message *m, void *ctx)
{
	struct ctl_event *event = ctx;
	const char *key, *value;
	int r;

	r = sd_bus_message_read(m, "s", &key);
	if (r < 0)
		return r;
	if (strcmp(key, "Number") == 0)
		return sd_bus_message_read(m, "v", "t", &event->number);
	if (strcmp(key, "TimeUSec") == 0)
		return sd_bus_message_read(m, "v", "t", &event->time_us);
	r = sd_bus_message_verify_type(m, SD_BUS_TYPE_VARIANT, "s");
	if (r <= 0) /* of a later version */
		return r < 0 ? r : sd_bus_message_skip(m, "v");
	r = sd_bus_message_read(m, "v", "s", &value);
	if (r < 0)
		return r;
	if (strcmp(key, "Group") == 0)
		event->group = value;
	if (event->n_fields < ARRAY_SIZE(event->fields))
		event->fields[event->n_fields++] = (struct api_field){ key, value };
	return 0;
}

static void show(struct events *events, const struct ctl_event *event)
{
	events->last = event->number;
	if (!events->group || (event->group && strcmp(event->group, events->group) == 0))
		ctl_line_past(events->ctl, event);
}

/* Of one answer; 0: it had none. */
static int read_answer(struct events *events, sd_bus_message *answer)
{
	int n = 0, r;

	r = sd_bus_message_enter_container(answer, SD_BUS_TYPE_ARRAY, "(sssa{sv})");
	while (r >= 0 &&
	       (r = sd_bus_message_enter_container(answer, SD_BUS_TYPE_STRUCT, "sssa{sv}")) > 0) {
		struct ctl_event event = { 0 };

		r = sd_bus_message_read(answer, "sss", &event.id, &event.level, &event.text);
		if (r >= 0)
			r = dict_each(answer, "sv", read_value, &event);
		if (r >= 0)
			r = sd_bus_message_exit_container(answer);
		if (r >= 0 && event.number <= events->last)
			r = -EBADMSG; /* it would go on for ever */
		if (r < 0)
			break;
		show(events, &event);
		n++;
	}
	return r < 0 ? r : n;
}

/* All that there is behind the last one. */
static int list(struct events *events, sd_bus_error *error)
{
	struct ctl *ctl = events->ctl;
	int r;

	events->stale = false;
	do {
		_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *answer = NULL;

		r = sd_bus_message_new_method_call(ctl->bus, &m, API_NAME, API_PATH, API_MANAGER,
						   "ListEvents");
		if (r >= 0)
			r = sd_bus_message_append(m, "tt", ctl->since_us, events->last);
		if (r >= 0)
			r = ctl_call_with(ctl, m, error, &answer);
		if (r >= 0)
			r = read_answer(events, answer);
	} while (r > 0 && !ferror(ctl->out));
	return r;
}

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)m, (void)error;
	((struct events *)userdata)->stale = true;
	return 0;
}

/* It has come back, and may have told of something before we could hear it. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *now = named_now(m);

	(void)error;
	if (now && *now)
		((struct events *)userdata)->stale = true;
	return 0;
}

static int watch(struct events *events)
{
	static const char rule[] = "type='signal',sender='" API_NAME "',member='Event',"
				   "path_namespace='" API_PATH "'";
	int r;

	r = named_watch(events->ctl->bus, NULL, API_NAME, on_owner, NULL, events);
	return r < 0 ? r : sd_bus_add_match(events->ctl->bus, NULL, rule, on_signal, events);
}

/* What passes by itself: who restarts is back soon, and on_owner() hears of it. */
static bool is_passing(struct events *events, const sd_bus_error *error)
{
	if (sd_bus_error_has_name(error, API_ERROR "Busy"))
		events->stale = true;
	return events->stale || sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY);
}

/* Until the bus goes, or nobody can read any more what is printed. */
static int follow(struct events *events)
{
	sd_bus *bus = events->ctl->bus;
	int r;

	while (!ferror(events->ctl->out)) {
		_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

		r = sd_bus_process(bus, NULL);
		if (r > 0)
			continue;
		if (r >= 0 && events->stale)
			r = list(events, &error);
		if (r < 0 && !is_passing(events, &error))
			return r;
		r = sd_bus_wait(bus, events->stale ? AGAIN_US : UINT64_MAX);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

/**
 * ctl_events() - the verb `events`
 * @ctl: the program; its follow, its since_us
 * @argc: 0 or 1
 * @argv: the group; without it all, and those of the node
 *
 * With --follow it goes on until it is interrupted, or the bus goes.
 *
 * Return: the exit code.
 */
int ctl_events(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct events events = { .ctl = ctl, .group = argc ? argv[0] : NULL };
	int r;

	if (argc && !ctl_may_be_name(argv[0]))
		return ctl_refuse_name(ctl, argv[0], "group");
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	r = ctl->follow ? watch(&events) : 0;
	if (r >= 0)
		r = list(&events, &error);
	if (r >= 0 && ctl->follow)
		r = follow(&events);
	if (r == -ENOTCONN || r == -ECONNRESET)
		return ctl_complain(ctl, &SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_DISCONNECTED, NULL),
				    r);
	return r < 0 ? ctl_complain(ctl, &error, r) : CTL_OK;
}

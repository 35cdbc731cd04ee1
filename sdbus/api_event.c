/* SPDX-License-Identifier: MIT */

/* Events: as a signal when they happen, and as a list of those that have. */

#include <errno.h>

#include "agent/cleanup.h"
#include "sdbus/api_private.h"

/* Of one answer: it takes the loop less than a millisecond. In org.takeover1(5). */
enum {
	LIST_MAX = 100,
};

static int append_fields(sd_bus_message *m, const struct api_event *event)
{
	int r;

	r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "{sv}{sv}{sv}", "Number", "t", event->number, "TimeUSec", "t",
				  event->time_us, "Category", "s", event->category);
	for (size_t i = 0; r >= 0 && i < event->n_fields; i++)
		r = sd_bus_message_append(m, "{sv}", event->fields[i].name, "s",
					  event->fields[i].value);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_event(sd_bus_message *m, const struct api_event *event)
{
	int r;

	r = sd_bus_message_append(m, "sss", event->id, event->level, event->text);
	return r < 0 ? r : append_fields(m, event);
}

/**
 * api_event() - the signal Event
 * @api: the API
 * @group: its number; API_NO_GROUP: it comes from the manager
 * @event: what it says
 *
 * Return: 0 or negative errno of sending.
 */
int api_event(struct api *api, size_t group, const struct api_event *event)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	bool of_group = group != API_NO_GROUP;
	int r;

	r = sd_bus_message_new_signal(api->bus, &m,
				      of_group ? api->manager.groups[group] : API_PATH,
				      of_group ? API_GROUP : API_MANAGER, "Event");
	if (r >= 0)
		r = append_event(m, event);
	if (r >= 0)
		r = sd_bus_send(api->bus, m, NULL);
	return r < 0 ? r : 0;
}

static int append_events(sd_bus_message *m, struct api *api, uint64_t since_us, uint64_t after)
{
	struct api_event event;
	int r;

	r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "(sssa{sv})");
	for (unsigned n = 0; r >= 0 && n < LIST_MAX; n++) {
		if (!api->ops->next_event(api->ctx, since_us, after, &event))
			break;
		after = event.number;
		r = sd_bus_message_open_container(m, SD_BUS_TYPE_STRUCT, "sssa{sv}");
		if (r >= 0)
			r = append_event(m, &event);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/**
 * api_event_list() - the method ListEvents
 *
 * The parameters are those of sd_bus_message_handler_t.
 */
int api_event_list(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct api *api = ((struct api_manager_object *)userdata)->api;
	uint64_t since_us, after;
	int r;

	r = sd_bus_message_read(m, "tt", &since_us, &after);
	if (r < 0)
		return r;
	if (!api_may_spend(api))
		return sd_bus_error_set(error, api_error_name("Busy"),
					"Too many lists have been asked for.");
	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = append_events(reply, api, since_us, after);
	return r < 0 ? r : sd_bus_message_send(reply);
}

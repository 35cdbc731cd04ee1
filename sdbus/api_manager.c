/* SPDX-License-Identifier: MIT */

#include "sdbus/api_private.h"

#define CONST SD_BUS_VTABLE_PROPERTY_CONST

static int get_paths(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	char **paths = *(char ***)userdata;
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "o");
	if (r < 0)
		return r;
	for (; *paths; paths++) {
		r = sd_bus_message_append(reply, "o", *paths);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(reply);
}

static int get_trace(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct api_order order = { .verb = API_VERB_TRACE };

	return api_call_begin(((struct api_manager_object *)userdata)->api, m, &order, error);
}

static int reload(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct api_order order = { .verb = API_VERB_RELOAD };

	return api_call_begin(((struct api_manager_object *)userdata)->api, m, &order, error);
}

#define AT(field) offsetof(struct api_manager_object, field)

/*
 * The properties without flags move all the time: they send no change
 * signal (EmitsChangedSignal=false), ask for them.
 */
const sd_bus_vtable api_manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	/* UNPRIVILEGED: as for groups, api_call_begin() looks who asks, without waiting */
	SD_BUS_METHOD_WITH_ARGS("GetTrace", SD_BUS_NO_ARGS, SD_BUS_RESULT("h", trace), get_trace,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_RESULT("b", changes), reload,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListEvents", SD_BUS_ARGS("t", since_usec, "t", after),
				SD_BUS_RESULT("a(sssa{sv})", events), api_event_list,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("Event",
				SD_BUS_ARGS("s", id, "s", level, "s", text, "a{sv}", fields), 0),
	SD_BUS_PROPERTY("Version", "s", NULL, AT(now.version), CONST),
	SD_BUS_PROPERTY("NodeName", "s", NULL, AT(now.node), CONST),
	SD_BUS_PROPERTY("IntervalUSec", "t", NULL, AT(now.interval_us), CONST),
	SD_BUS_PROPERTY("LeaseUSec", "t", NULL, AT(now.lease_us), CONST),
	SD_BUS_PROPERTY("DeadTimeUSec", "t", NULL, AT(now.dead_us), CONST),
	SD_BUS_PROPERTY("Groups", "ao", get_paths, AT(groups), CONST),
	SD_BUS_PROPERTY("Peers", "ao", get_paths, AT(peers), CONST),
	SD_BUS_PROPERTY("NowUSec", "t", NULL, AT(now.now_us), 0),
	SD_BUS_PROPERTY("LeaseRemainingUSec", "t", NULL, AT(now.lease_remaining_us), 0),
	SD_BUS_PROPERTY("RefusedPackets", "t", NULL, AT(now.refused), 0),
	SD_BUS_PROPERTY("Strangers", "t", NULL, AT(now.strangers), 0),
	SD_BUS_VTABLE_END,
};

/**
 * api_manager_find() - the object behind a path: there is one manager
 *
 * The parameters are those of sd_bus_object_find_t; @userdata is the API.
 *
 * Return: 1, or 0 if @path is not that of the manager.
 */
int api_manager_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
		     void **ret_found, sd_bus_error *error)
{
	struct api *api = userdata;

	(void)bus, (void)interface, (void)error;
	if (strcmp(path, API_PATH) != 0)
		return 0;
	api->ops->get_manager(api->ctx, &api->manager.now);
	api->manager.api = api;
	*ret_found = &api->manager;
	return 1;
}

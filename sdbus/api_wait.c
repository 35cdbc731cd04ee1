/* SPDX-License-Identifier: MIT */

/*
 * Callers who may wait for long: until a group has a role, or has drained. When they go, so
 * does what they wait for.
 */

#include "sdbus/api_private.h"
#include "sdbus/named.h"

enum {
	/* Each is a match, and dbus-daemon gives a connection 512: leave some for the agent. */
	WAITERS_MAX = 256,
	/* Of one user: anybody may wait. Root may for each group that there can be. */
	WAITERS_OF_USER_MAX = 16,
};

static bool has_role(const struct api *api, const struct api_order *order)
{
	struct api_group now;

	api->ops->get_group(api->ctx, order->group, &now);
	return (strcmp(now.role, "primary") == 0) == order->on;
}

static void answer(struct api_call *call)
{
	(void)sd_bus_reply_method_return(call->message, NULL); /* as in api_call_refuse() */
	api_call_drop(call);
}

/**
 * api_wait_abandon() - forget a caller who has gone; the agent need not go on for it
 * @call: the caller; ends with this call
 */
void api_wait_abandon(struct api_call *call)
{
	const struct api *api = call->api;
	const bool drains = call->order.verb == API_VERB_DRAIN;
	const api_request request = call->request;

	api_call_drop(call);
	if (drains && request)
		api->ops->abandon(api->ctx, request);
}

/* A unique name changes once only: the caller has gone, if it is the bus that says so. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	if (named_now(m))
		api_wait_abandon(userdata);
	return 0;
}

static int on_watching(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	static const sd_bus_error busy =
		SD_BUS_ERROR_MAKE_CONST(API_ERROR "Busy", "Too many callers are waiting.");
	struct api_call *call = userdata;

	(void)error;
	if (!sd_bus_message_is_method_error(m, NULL))
		return 0;
	(void)sd_bus_reply_method_error(call->message, &busy); /* as in api_call_refuse() */
	api_wait_abandon(call);
	return 0;
}

/**
 * api_wait_is_full() - can nobody wait any more?
 * @api: the API
 */
bool api_wait_is_full(const struct api *api)
{
	return api->n_watched >= WAITERS_MAX;
}

/**
 * api_wait_is_long() - may a caller have to wait for longer than for a step of a handover?
 * @call: the caller
 */
bool api_wait_is_long(const struct api_call *call)
{
	return call->order.verb == API_VERB_WAIT || call->order.verb == API_VERB_DRAIN;
}

/**
 * api_wait_watch() - hear when a caller goes away: nobody else would end its waiting
 * @call: the caller; is dropped then
 *
 * Before the bus is asked who the caller is: so one that has gone already is
 * not missed.
 *
 * Return: 0 or more; or negative errno of sd-bus.
 */
int api_wait_watch(struct api_call *call)
{
	call->watched = true;
	call->api->n_watched++;
	if (sd_bus_is_bus_client(call->api->bus) <= 0)
		return 0; /* without a bus between all ends with the connection */
	return named_watch(call->api->bus, &call->gone, sd_bus_message_get_sender(call->message),
			   on_owner, on_watching, call);
}

/**
 * api_wait_unwatch() - the end of that
 * @call: any caller
 */
void api_wait_unwatch(struct api_call *call)
{
	call->api->n_watched -= call->watched;
	call->watched = false;
	call->gone = sd_bus_slot_unref(call->gone);
}

static size_t waiters_of(const struct api *api, uid_t uid)
{
	size_t n = 0;

	for (const struct api_call *call = api->calls; call; call = call->next)
		n += call->stage == API_STAGE_ROLE && call->uid == uid;
	return n;
}

/**
 * api_wait_begin() - let a caller wait for a role, or answer it if the group has it
 * @call: the caller; the order's @on: for primary
 */
void api_wait_begin(struct api_call *call)
{
	const struct api *api = call->api;

	if (has_role(api, &call->order))
		answer(call);
	else if (call->uid && waiters_of(api, call->uid) >= WAITERS_OF_USER_MAX)
		api_call_refuse(call, api_error_name("Busy"), "Too many callers are waiting.");
	else
		api_call_stage(call, API_STAGE_ROLE);
}

/**
 * api_wait_role() - answer those who have waited for the role that a group has now
 * @api: the API
 * @group: its number
 */
void api_wait_role(struct api *api, size_t group)
{
	struct api_call *next;

	for (struct api_call *call = api->calls; call; call = next) {
		next = call->next;
		if (call->stage == API_STAGE_ROLE && call->order.group == group &&
		    has_role(api, &call->order))
			answer(call);
	}
}

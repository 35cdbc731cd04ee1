/* SPDX-License-Identifier: MIT */

/*
 * Callers who want something done. First the bus is asked who they are; while
 * it answers they are *asking*. Those who may are handed to the agent and are
 * *waiting* until it answers them. Who goes away meanwhile is not looked for:
 * the bus drops an answer to nobody.
 */

#include <errno.h>

#include "agent/cleanup.h"
#include "sdbus/api_private.h"

enum {
	/* More than the operators of a pair can be; each waits for a step of a handover. */
	WAITING_MAX = 64,
	/* A round trip each. Anybody may ask, so there has to be room for the operator beside. */
	ASKING_MAX = 1024,
};

struct api_call {
	struct api_call *next;
	struct api *api;
	api_request request; /* 0: asking */
	struct api_order order;
	sd_bus_message *message;
	sd_bus_slot *who; /* the question to the bus */
};

static void call_free(struct api_call *call)
{
	sd_bus_slot_unref(call->who);
	sd_bus_message_unref(call->message);
	free(call);
}

static void call_drop(struct api_call *call)
{
	struct api *api = call->api;
	struct api_call **at = &api->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	if (call->request)
		api->n_waiting--;
	else
		api->n_asking--;
	call_free(call);
}

static void call_refuse(struct api_call *call, const char *error, const char *text)
{
	const sd_bus_error e = SD_BUS_ERROR_MAKE_CONST(error, text);

	/* An answer that cannot be sent has nobody to be told to. */
	(void)sd_bus_reply_method_error(call->message, &e);
	call_drop(call);
}

static void call_trace(struct api_call *call)
{
	_cleanup_(close_fdp) int fd = call->api->ops->get_trace(call->api->ctx);

	if (fd == -EBUSY) {
		call_refuse(call, api_error_name("Busy"), "Somebody else reads a trace.");
	} else if (fd < 0) {
		(void)sd_bus_reply_method_errno(call->message, fd, NULL); /* as in call_refuse() */
		call_drop(call);
	} else {
		(void)sd_bus_reply_method_return(call->message, "h", fd); /* the same */
		call_drop(call);
	}
}

static bool is_primary(struct api *api, size_t group)
{
	struct api_group now;

	api->ops->get_group(api->ctx, group, &now);
	return strcmp(now.role, "primary") == 0;
}

/* The caller may: what it wants goes to the agent, which may answer at once. */
static void call_grant(struct api_call *call)
{
	struct api *api = call->api;
	const struct api_order order = call->order;

	if (order.verb == API_VERB_TRACE) {
		call_trace(call);
		return;
	}
	if (order.verb == API_VERB_ANNOUNCE && !is_primary(api, order.group)) {
		call_refuse(call, api_error_name("NotHeld"), "This node is not primary.");
		return;
	}
	if (order.verb == API_VERB_ANNOUNCE) {
		api->ops->announce(api->ctx, order.group);
		(void)sd_bus_reply_method_return(call->message, NULL); /* as in call_refuse() */
		call_drop(call);
		return;
	}
	if (api->n_waiting >= WAITING_MAX) {
		call_refuse(call, api_error_name("Busy"), "Too many callers are waiting.");
		return;
	}

	if (++api->last_request == 0)
		api->last_request = 1;
	call->request = api->last_request;
	api->n_asking--;
	api->n_waiting++;
	if (order.verb == API_VERB_SWITCHOVER)
		api->ops->switchover(api->ctx, order.group, call->request);
	else
		api->ops->set_maintenance(api->ctx, order.group, order.on, call->request);
}

/*
 * Root and our own user. Not CAP_NET_ADMIN: dbus-daemon does not tell a
 * caller's capabilities, and what /proc tells is what the process has *now*;
 * by then it may have replaced itself with a privileged program.
 */
static void call_decide(struct api_call *call, uid_t uid)
{
	if (uid == 0 || uid == geteuid())
		call_grant(call);
	else
		call_refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "Only root may do this.");
}

/* The "UnixUserID" of GetConnectionCredentials(), an a{sv}. */
static int read_uid(sd_bus_message *m, uid_t *ret_uid)
{
	int r;

	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
		const char *key;

		r = sd_bus_message_read(m, "s", &key);
		if (r < 0)
			return r;
		if (strcmp(key, "UnixUserID") == 0) {
			uint32_t uid;

			r = sd_bus_message_read(m, "v", "u", &uid);
			if (r < 0)
				return r;
			*ret_uid = uid;
			return 0;
		}
		r = sd_bus_message_skip(m, "v");
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : -ENODATA;
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_call *call = userdata;
	uid_t uid;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL) || read_uid(m, &uid) < 0)
		call_refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "The bus does not say who asks.");
	else
		call_decide(call, uid);
	return 0;
}

/* A connection without a bus between has one caller: the process at its other end. */
static int decide_directly(struct api_call *call)
{
	sd_bus_creds *creds;
	uid_t uid;
	int r;

	r = sd_bus_get_owner_creds(call->api->bus, SD_BUS_CREDS_EUID, &creds);
	if (r < 0)
		return r;
	r = sd_bus_creds_get_euid(creds, &uid);
	sd_bus_creds_unref(creds);
	if (r < 0)
		return r;
	call_decide(call, uid);
	return 0;
}

/**
 * api_call_begin() - take up what a caller wants done
 * @api: the API
 * @m: its call; a reference is kept until it has been answered
 * @order: what it wants; copied
 * @error: set to Busy if too many callers have not been identified yet
 *
 * Does not wait for the bus: sd_bus_query_sender_privilege() would.
 *
 * Return: 1, the call will be answered; -ENOMEM, -EBUSY with @error set, or
 * negative errno of sd-bus: it is for the caller of this function to answer.
 */
int api_call_begin(struct api *api, sd_bus_message *m, const struct api_order *order,
		   sd_bus_error *error)
{
	struct api_call *call;
	int r;

	if (api->n_asking >= ASKING_MAX)
		return sd_bus_error_set(error, api_error_name("Busy"), "Too many callers.");
	call = calloc(1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	call->api = api;
	call->order = *order;
	call->message = sd_bus_message_ref(m);
	call->next = api->calls;
	api->calls = call;
	api->n_asking++;

	if (sd_bus_is_bus_client(api->bus) > 0)
		r = sd_bus_call_method_async(api->bus, &call->who, "org.freedesktop.DBus",
					     "/org/freedesktop/DBus", "org.freedesktop.DBus",
					     "GetConnectionCredentials", on_credentials, call, "s",
					     sd_bus_message_get_sender(m));
	else
		r = decide_directly(call);
	if (r < 0) {
		call_drop(call);
		return r;
	}
	return 1;
}

static struct api_call *call_waiting(struct api *api, api_request request)
{
	for (struct api_call *call = api->calls; call; call = call->next)
		if (request && call->request == request)
			return call;
	return NULL;
}

/**
 * api_reply_ok() - answer a waiting caller: it has been done
 * @api: the API
 * @request: who; ends with this call, whatever it returns
 * @primary: the node that holds the group now; sent for a switchover only
 * @took_us: how long it took; the same
 *
 * Return: 0, -ENOENT if nobody waits under that number, or negative errno of
 * sending.
 */
int api_reply_ok(struct api *api, api_request request, const char *primary, uint64_t took_us)
{
	struct api_call *call = call_waiting(api, request);
	int r;

	if (!call)
		return -ENOENT;
	if (call->order.verb == API_VERB_SWITCHOVER)
		r = sd_bus_reply_method_return(call->message, "st", primary, took_us);
	else
		r = sd_bus_reply_method_return(call->message, NULL);
	call_drop(call);
	return r < 0 ? r : 0;
}

/**
 * api_reply_error() - answer a waiting caller: it has not been done
 * @api: the API
 * @request: who; ends with this call, whatever it returns
 * @error: name of the error without its prefix; an unknown one is sent as Failed
 * @text: what happened, in one sentence; NULL or "": the error's own
 *
 * Return: 0, -ENOENT if nobody waits under that number, or negative errno of
 * sending.
 */
int api_reply_error(struct api *api, api_request request, const char *error, const char *text)
{
	struct api_call *call = call_waiting(api, request);
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r;

	if (!call)
		return -ENOENT;
	e = SD_BUS_ERROR_MAKE_CONST(api_error_name(error),
				    text && *text ? text : api_error_text(error));
	r = sd_bus_reply_method_error(call->message, &e);
	call_drop(call);
	return r < 0 ? r : 0;
}

/**
 * api_calls_done() - answer everybody who is left: the agent goes away
 * @api: the API
 */
void api_calls_done(struct api *api)
{
	while (api->calls) {
		struct api_call *call = api->calls;

		if (call->request)
			call_refuse(call, api_error_name("OutcomeUnknown"),
				    "The agent stopped before it was done.");
		else
			call_refuse(call, api_error_name("Failed"),
				    "The agent stopped; nothing was done.");
	}
}

/* SPDX-License-Identifier: MIT */

/*
 * Callers who want something done. First it is found out who they are, and
 * whether they may: api_auth.c. Those who may are handed to the agent and wait
 * until it answers them. Who goes away meanwhile is not looked for, but for those
 * of api_wait.c: the bus drops an answer to nobody.
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

static void call_free(struct api_call *call)
{
	sd_bus_slot_unref(call->question);
	api_wait_unwatch(call);
	sd_bus_message_unref(call->message);
	free(call);
}

/**
 * api_call_drop() - forget a caller, who has been answered or has gone
 * @call: the caller; ends with this call
 */
void api_call_drop(struct api_call *call)
{
	struct api *api = call->api;
	struct api_call **at = &api->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	api->n_calls[call->stage]--;
	call_free(call);
}

/**
 * api_call_stage() - a caller is one step further
 * @call: the caller
 * @stage: where it is now
 */
void api_call_stage(struct api_call *call, enum api_stage stage)
{
	call->api->n_calls[call->stage]--;
	call->stage = stage;
	call->api->n_calls[stage]++;
}

/**
 * api_call_refuse() - answer a caller with an error, and forget it
 * @call: the caller; ends with this call
 * @error: the full name
 * @text: for people
 */
void api_call_refuse(struct api_call *call, const char *error, const char *text)
{
	const sd_bus_error e = SD_BUS_ERROR_MAKE_CONST(error, text);

	/* An answer that cannot be sent has nobody to be told to. */
	(void)sd_bus_reply_method_error(call->message, &e);
	api_call_drop(call);
}

static void call_trace(struct api_call *call)
{
	_cleanup_(close_fdp) int fd = call->api->ops->get_trace(call->api->ctx);

	if (fd == -EBUSY) {
		api_call_refuse(call, api_error_name("Busy"), "Somebody else reads a trace.");
	} else if (fd < 0) {
		(void)sd_bus_reply_method_errno(call->message, fd,
						NULL); /* as in api_call_refuse() */
		api_call_drop(call);
	} else {
		(void)sd_bus_reply_method_return(call->message, "h", fd); /* the same */
		api_call_drop(call);
	}
}

static bool is_primary(struct api *api, size_t group)
{
	struct api_group now;

	api->ops->get_group(api->ctx, group, &now);
	return strcmp(now.role, "primary") == 0;
}

/* The agent may answer at once, and end the call. */
static void call_ask(const struct api_call *call)
{
	const struct api_ops *ops = call->api->ops;
	const struct api_order order = call->order;
	const struct api_inhibitor by = { order.by.who, order.by.why, call->uid };
	void *ctx = call->api->ctx;

	switch (order.verb) {
	case API_VERB_SWITCHOVER:
		ops->switchover(ctx, order.group, &order.how, call->request);
		break;
	case API_VERB_DRAIN:
		ops->drain(ctx, order.group, order.timeout_us, call->request);
		break;
	case API_VERB_MAINTENANCE:
		ops->set_maintenance(ctx, order.group, order.on, call->request);
		break;
	case API_VERB_INHIBIT:
		ops->inhibit(ctx, order.group, &by, call->request);
		break;
	case API_VERB_TEST:
		ops->test(ctx, order.group, order.event, call->request);
		break;
	case API_VERB_RELOAD:
		ops->reload(ctx, call->request);
		break;
	case API_VERB_ANNOUNCE:
	case API_VERB_WAIT:
	case API_VERB_TRACE:
	case _API_VERB_MAX:
		assert(false); /* done without waiting for the agent */
	}
}

/**
 * api_call_grant() - the caller may: what it wants goes to the agent
 * @call: the caller; the agent may answer at once, and end it
 */
void api_call_grant(struct api_call *call)
{
	struct api *api = call->api;
	const struct api_order order = call->order;

	if (order.verb == API_VERB_TRACE) {
		call_trace(call);
		return;
	}
	if (order.verb == API_VERB_WAIT) {
		api_wait_begin(call);
		return;
	}
	if (order.verb == API_VERB_ANNOUNCE && !is_primary(api, order.group)) {
		api_call_refuse(call, api_error_name("NotHeld"), "This node is not primary.");
		return;
	}
	if (order.verb == API_VERB_ANNOUNCE) {
		api->ops->announce(api->ctx, order.group);
		(void)sd_bus_reply_method_return(call->message, NULL); /* as in api_call_refuse() */
		api_call_drop(call);
		return;
	}
	if (order.verb != API_VERB_DRAIN && api->n_calls[API_STAGE_WAITING] >= WAITING_MAX) {
		api_call_refuse(call, api_error_name("Busy"), "Too many callers are waiting.");
		return;
	}

	if (++api->last_request == 0)
		api->last_request = 1;
	call->request = api->last_request;
	api_call_stage(call, order.verb == API_VERB_DRAIN ? API_STAGE_DRAINING : API_STAGE_WAITING);
	call_ask(call);
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

	if (api->n_calls[API_STAGE_ASKING] >= ASKING_MAX)
		return sd_bus_error_set(error, api_error_name("Busy"), "Too many callers.");
	call = calloc(1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	call->api = api;
	call->order = *order;
	call->message = sd_bus_message_ref(m);
	call->next = api->calls;
	api->calls = call;
	api->n_calls[call->stage]++;

	r = api_wait_is_long(call) ? api_wait_watch(call) : 0;
	if (r >= 0)
		r = api_auth_begin(call);
	if (r < 0) {
		api_call_drop(call);
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
	api_call_drop(call);
	return r < 0 ? r : 0;
}

/**
 * api_reply_drained() - answer a waiting caller: the group has drained, and moved
 * @api: the API
 * @request: who; ends with this call, whatever it returns
 * @primary: the node that holds the group now
 * @took_us: how long the switchover took
 * @connections: how many were open when it began
 *
 * Return: as api_reply_ok().
 */
int api_reply_drained(struct api *api, api_request request, const char *primary, uint64_t took_us,
		      uint64_t connections)
{
	struct api_call *call = call_waiting(api, request);
	int r;

	if (!call)
		return -ENOENT;
	r = sd_bus_reply_method_return(call->message, "stt", primary, took_us, connections);
	api_call_drop(call);
	return r < 0 ? r : 0;
}

/**
 * api_reply_fd() - answer a waiting caller with a file descriptor
 * @api: the API
 * @request: who; ends with this call, whatever it returns
 * @fd: the descriptor; a copy of it is sent
 *
 * Return: 0, -ENOENT if nobody waits under that number, or negative errno of
 * sending.
 */
int api_reply_fd(struct api *api, api_request request, int fd)
{
	struct api_call *call = call_waiting(api, request);
	int r;

	if (!call)
		return -ENOENT;
	r = sd_bus_reply_method_return(call->message, "h", fd);
	api_call_drop(call);
	return r < 0 ? r : 0;
}

/**
 * api_reply_reload() - answer a waiting caller: the configuration is good
 * @api: the API
 * @request: who; ends with this call, whatever it returns
 * @changes: it is another one, and the agent goes on with it
 *
 * Return: as api_reply_ok().
 */
int api_reply_reload(struct api *api, api_request request, bool changes)
{
	struct api_call *call = call_waiting(api, request);
	int r;

	if (!call)
		return -ENOENT;
	r = sd_bus_reply_method_return(call->message, "b", changes);
	api_call_drop(call);
	return r < 0 ? r : 0;
}

static int append_reactions(sd_bus_message *m, const struct api_reaction *reactions, size_t n)
{
	int r;

	r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "(sss)");
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(m, "(sss)", reactions[i].name, reactions[i].result,
					  reactions[i].text);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/**
 * api_reply_tested() - answer a waiting caller: all reactions have ended
 * @api: the API
 * @request: who; ends with this call, whatever it returns
 * @reactions: what has become of each, in the order in which they ended
 * @n: their number
 *
 * Return: as api_reply_ok().
 */
int api_reply_tested(struct api *api, api_request request, const struct api_reaction *reactions,
		     size_t n)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	struct api_call *call = call_waiting(api, request);
	int r;

	if (!call)
		return -ENOENT;
	r = sd_bus_message_new_method_return(call->message, &m);
	if (r >= 0)
		r = append_reactions(m, reactions, n);
	if (r >= 0)
		r = sd_bus_send(api->bus, m, NULL);
	api_call_drop(call);
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
	api_call_drop(call);
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
		const api_request drains = call->order.verb == API_VERB_DRAIN ? call->request : 0;

		if (call->stage == API_STAGE_WAITING || call->stage == API_STAGE_DRAINING)
			api_call_refuse(call, api_error_name("OutcomeUnknown"),
					"The agent stopped before it was done.");
		else
			api_call_refuse(call, api_error_name("Failed"),
					"The agent stopped; nothing was done.");
		if (drains)
			api->ops->abandon(api->ctx, drains);
	}
}

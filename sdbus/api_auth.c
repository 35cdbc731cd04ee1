/* SPDX-License-Identifier: MIT */

/*
 * Who may have something done: root and our own user; and whom polkit lets. The
 * bus is asked who the caller is, then polkit, and neither is waited for. Not
 * CAP_NET_ADMIN: dbus-daemon does not tell a caller's capabilities, and what
 * /proc tells is what the process has *now*; by then it may have replaced itself
 * with a privileged program.
 */

#include "agent/cleanup.h"
#include "sdbus/api_private.h"
#include "sdbus/dict.h"

#define POLKIT "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

enum {
	/* A check lasts for as long as somebody types a password. */
	CHECKING_MAX = 64,
	/* Of one user: another one's flood must not use up the checks. */
	CHECKING_OF_USER_MAX = 8,
	POLKIT_INTERACTIVE = 1, /* CheckAuthorization() may ask the user */
};

#define POLKIT_PATIENCE_US (120 * USEC_PER_SEC)

/* NULL: anybody may. */
static const char *action_of(enum api_verb verb)
{
	switch (verb) {
	case API_VERB_SWITCHOVER:
	case API_VERB_DRAIN:
		return API_NAME ".switchover";
	case API_VERB_MAINTENANCE:
	case API_VERB_INHIBIT:
		return API_NAME ".maintenance";
	case API_VERB_ANNOUNCE:
		return API_NAME ".announce";
	case API_VERB_TRACE:
		return API_NAME ".trace";
	case API_VERB_RELOAD:
		return API_NAME ".reload";
	case API_VERB_TEST:
		return API_NAME ".test-reaction";
	case API_VERB_WAIT:
		return NULL;
	case _API_VERB_MAX:
		break;
	}
	assert(false);
	return "";
}

static size_t checking_of(const struct api *api, uid_t uid)
{
	size_t n = 0;

	for (const struct api_call *call = api->calls; call; call = call->next)
		n += call->stage == API_STAGE_CHECKING && call->uid == uid;
	return n;
}

static bool may_without_polkit(const struct api_call *call)
{
	return call->uid == 0 || call->uid == geteuid() || !action_of(call->order.verb);
}

/* Without polkit, or if it does not know our actions, there is only root. */
static int on_authorization(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_call *call = userdata;
	int authorized, challenge;

	(void)error;
	if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_NO_REPLY))
		api_call_refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "polkit does not answer.");
	else if (sd_bus_message_is_method_error(m, NULL) ||
		 sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT, "bba{ss}") < 0 ||
		 sd_bus_message_read(m, "bb", &authorized, &challenge) < 0)
		api_call_refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "Only root may do this.");
	else if (authorized)
		api_call_grant(call);
	else if (challenge)
		api_call_refuse(call, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
				"Authentication is required.");
	else
		api_call_refuse(call, SD_BUS_ERROR_ACCESS_DENIED,
				"polkit does not let this user do it.");
	return 0;
}

/* The group goes along, so that a rule may tell them apart: action.lookup("group"). */
static int append_details(sd_bus_message *m, const struct api_call *call)
{
	struct api_group group;

	if (call->order.verb == API_VERB_TRACE || call->order.verb == API_VERB_RELOAD)
		return sd_bus_message_append(m, "a{ss}", 0);
	call->api->ops->get_group(call->api->ctx, call->order.group, &group);
	return sd_bus_message_append(m, "a{ss}", 1, "group", group.name);
}

static int ask_polkit(struct api_call *call)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	const bool interactive = sd_bus_message_get_allow_interactive_authorization(call->message);
	int r;

	r = sd_bus_message_new_method_call(call->api->bus, &m, POLKIT, POLKIT_PATH,
					   POLKIT_INTERFACE, "CheckAuthorization");
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "(sa{sv})s", "system-bus-name", 1, "name", "s",
				  sd_bus_message_get_sender(call->message),
				  action_of(call->order.verb));
	if (r < 0)
		return r;
	r = append_details(m, call);
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "us", interactive ? POLKIT_INTERACTIVE : 0, "");
	if (r < 0)
		return r;
	call->question = sd_bus_slot_unref(call->question);
	return sd_bus_call_async(call->api->bus, &call->question, m, on_authorization, call,
				 POLKIT_PATIENCE_US);
}

static void check(struct api_call *call)
{
	const struct api *api = call->api;

	if (api->n_calls[API_STAGE_CHECKING] >= CHECKING_MAX ||
	    checking_of(api, call->uid) >= CHECKING_OF_USER_MAX) {
		api_call_refuse(call, api_error_name("Busy"),
				"Too many callers are being looked at.");
		return;
	}
	api_call_stage(call, API_STAGE_CHECKING);
	if (ask_polkit(call) < 0)
		api_call_refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "Only root may do this.");
}

static void decide(struct api_call *call, uid_t uid)
{
	call->uid = uid;
	if (may_without_polkit(call))
		api_call_grant(call);
	else
		check(call);
}

/* What the bus says of a caller. */
struct credentials {
	uint32_t uid;
	bool known;
};

static int take_credential(sd_bus_message *m, void *ctx)
{
	struct credentials *credentials = ctx;
	const char *key;
	int r;

	r = sd_bus_message_read(m, "s", &key);
	if (r < 0)
		return r;
	if (strcmp(key, "UnixUserID") != 0)
		return sd_bus_message_skip(m, "v");
	credentials->known = true;
	return sd_bus_message_read(m, "v", "u", &credentials->uid);
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct credentials credentials = { 0 };
	struct api_call *call = userdata;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL) ||
	    dict_each(m, "sv", take_credential, &credentials) < 0 || !credentials.known)
		api_call_refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "The bus does not say who asks.");
	else
		decide(call, credentials.uid);
	return 0;
}

/* Without a bus between there is one caller, the process at the other end, and no polkit. */
static int decide_directly(struct api_call *call)
{
	_cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
	int r;

	r = sd_bus_get_owner_creds(call->api->bus, SD_BUS_CREDS_EUID, &creds);
	if (r < 0)
		return r;
	r = sd_bus_creds_get_euid(creds, &call->uid);
	if (r < 0)
		return r;
	if (may_without_polkit(call))
		api_call_grant(call);
	else
		api_call_refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "Only root may do this.");
	return 0;
}

/**
 * api_auth_begin() - find out whether a caller may have done what it wants
 * @call: the caller, asking; it will be granted or refused, perhaps at once
 *
 * Does not wait for the bus: sd_bus_query_sender_privilege() would.
 *
 * Return: 0 or more; or negative errno of sd-bus, and nothing has come of @call.
 */
int api_auth_begin(struct api_call *call)
{
	sd_bus *bus = call->api->bus;

	if (sd_bus_is_bus_client(bus) <= 0)
		return decide_directly(call);
	return sd_bus_call_method_async(bus, &call->question, "org.freedesktop.DBus",
					"/org/freedesktop/DBus", "org.freedesktop.DBus",
					"GetConnectionCredentials", on_credentials, call, "s",
					sd_bus_message_get_sender(call->message));
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <time.h>

#include "agent/cleanup.h"
#include "sdbus/api_private.h"

/*
 * An explanation takes the loop some ms, a list of events less, and anybody may ask for
 * them. Without a bound a loop in real time would come to what the kernel leaves to all of
 * those (sched_rt_runtime_us), and be stopped for 50 ms then: longer than a short DeadTime=.
 */
enum {
	SPEND_AT_ONCE = 128, /* takeoverctl asks for each group */
	SPEND_PACE_US = 10 * 1000,
};

enum { INHIBITOR_TEXT_MAX = 256 };

#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static int can_switchover(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_group_object *group = userdata;
	struct api *api = group->api;
	const char *why = api->ops->can_switchover(api->ctx, group->index);

	(void)error;
	if (*why == '\0')
		return sd_bus_reply_method_return(m, "ss", "yes", "");
	return sd_bus_reply_method_return(m, "ss", "no", why);
}

/**
 * api_may_spend() - has the time passed that this costs, or is it among those that may come at
 * once?
 * @api: the API
 *
 * Asked before what anybody may ask for, and takes the loop more than a moment.
 */
bool api_may_spend(struct api *api)
{
	struct timespec ts;
	uint64_t now_us;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
	now_us = (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
	if (api->paid_us < now_us)
		api->paid_us = now_us;
	if (api->paid_us - now_us > (SPEND_AT_ONCE - 1) * SPEND_PACE_US)
		return false;
	api->paid_us += SPEND_PACE_US;
	return true;
}

static int explain(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct api_group_object *group = userdata;
	char **sentences;
	int r;

	if (!api_may_spend(group->api))
		return sd_bus_error_set(error, api_error_name("Busy"),
					"Too many explanations have been asked for.");
	sentences = group->api->ops->explain(group->api->ctx, group->index);
	if (!sentences)
		return -ENOMEM;
	r = sd_bus_message_new_method_return(m, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_append_strv(reply, sentences);
	return r < 0 ? r : sd_bus_message_send(reply);
}

static int append_node(sd_bus_message *reply, const struct api_node *node)
{
	int r;

	r = sd_bus_message_open_container(reply, SD_BUS_TYPE_STRUCT, "ssas");
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "ss", node->name, node->state);
	if (r < 0)
		return r;
	r = sd_bus_message_append_strv(reply, node->unfit);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_nodes(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct api_nodes *nodes = userdata;
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "(ssas)");
	for (size_t i = 0; r >= 0 && i < nodes->n; i++)
		r = append_node(reply, &nodes->v[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_inhibitors(sd_bus *bus, const char *path, const char *interface,
			  const char *property, sd_bus_message *reply, void *userdata,
			  sd_bus_error *error)
{
	const struct api_inhibitors *inhibitors = userdata;
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "(ssu)");
	for (size_t i = 0; r >= 0 && i < inhibitors->n; i++)
		r = sd_bus_message_append(reply, "(ssu)", inhibitors->v[i].who,
					  inhibitors->v[i].why, inhibitors->v[i].uid);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_checks(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct api_checks *checks = userdata;
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "(ssstu)");
	for (size_t i = 0; r >= 0 && i < checks->n; i++) {
		const struct api_check *one = &checks->v[i];

		r = sd_bus_message_append(reply, "(ssstu)", one->name, one->state, one->result,
					  one->ended_us, one->streak);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int switchover(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_group_object *group = userdata;
	const struct api_order order = { .verb = API_VERB_SWITCHOVER, .group = group->index };

	return api_call_begin(group->api, m, &order, error);
}

static int switchover_with_options(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_group_object *group = userdata;
	struct api_order order = { .verb = API_VERB_SWITCHOVER, .group = group->index };
	int r;

	r = api_switchover_read(m, &order.how, error);
	return r < 0 ? r : api_call_begin(group->api, m, &order, error);
}

static int drain(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_group_object *group = userdata;
	struct api_order order = { .verb = API_VERB_DRAIN, .group = group->index };
	int r;

	r = sd_bus_message_read(m, "t", &order.timeout_us);
	if (r < 0)
		return r;
	if (!order.timeout_us)
		return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
					"To wait for nothing is a switchover; for as long as it "
					"takes is 18446744073709551615.");
	if (!group->now.virtual_addresses || !*group->now.virtual_addresses)
		return sd_bus_error_set(error, SD_BUS_ERROR_NOT_SUPPORTED,
					"The group has no addresses, and so no connections.");
	if (api_wait_is_full(group->api))
		return sd_bus_error_set(error, api_error_name("Busy"),
					"Too many callers are waiting.");
	return api_call_begin(group->api, m, &order, error);
}

static int set_maintenance(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_group_object *group = userdata;
	struct api_order order = { .verb = API_VERB_MAINTENANCE, .group = group->index };
	int on, r;

	r = sd_bus_message_read(m, "b", &on);
	if (r < 0)
		return r;
	order.on = on;
	return api_call_begin(group->api, m, &order, error);
}

/* People see it on terminals. */
static bool is_presentable(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((*c >= 0 && *c < 0x20) || *c == 0x7f)
			return false;
	return *text && strlen(text) <= INHIBITOR_TEXT_MAX;
}

static int inhibit_takeover(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_group_object *group = userdata;
	struct api_order order = { .verb = API_VERB_INHIBIT, .group = group->index };
	int r;

	r = sd_bus_message_read(m, "ss", &order.by.who, &order.by.why);
	if (r < 0)
		return r;
	if (!is_presentable(order.by.who) || !is_presentable(order.by.why))
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "Who and why are a line each, of at most %d bytes.",
					 INHIBITOR_TEXT_MAX);
	return api_call_begin(group->api, m, &order, error);
}

static int wait_for_role(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_group_object *group = userdata;
	struct api_order order = { .verb = API_VERB_WAIT, .group = group->index };
	const char *role;
	int r;

	r = sd_bus_message_read(m, "s", &role);
	if (r < 0)
		return r;
	order.on = strcmp(role, "primary") == 0;
	if (!order.on && strcmp(role, "backup") != 0)
		return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
					"A role is \"primary\" or \"backup\".");
	if (strcmp(role, group->now.role) == 0)
		return sd_bus_reply_method_return(m, NULL);
	if (api_wait_is_full(group->api))
		return sd_bus_error_set(error, api_error_name("Busy"),
					"Too many callers are waiting.");
	return api_call_begin(group->api, m, &order, error);
}

static int test_reaction(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_group_object *group = userdata;
	struct api_order order = { .verb = API_VERB_TEST, .group = group->index };
	int r;

	r = sd_bus_message_read(m, "s", &order.event);
	return r < 0 ? r : api_call_begin(group->api, m, &order, error);
}

static int announce(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_group_object *group = userdata;
	const struct api_order order = { .verb = API_VERB_ANNOUNCE, .group = group->index };

	return api_call_begin(group->api, m, &order, error);
}

#define AT(field) offsetof(struct api_group_object, field)

/*
 * UNPRIVILEGED: sd-bus's own check of the caller would wait for the bus; ours,
 * in api_call_begin(), does not.
 */
const sd_bus_vtable api_group_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Switchover", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("s", primary, "t", took_us), switchover,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SwitchoverWithOptions", SD_BUS_ARGS("a{sv}", options),
				SD_BUS_RESULT("s", primary, "t", took_us), switchover_with_options,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Drain", SD_BUS_ARGS("t", timeout_us),
				SD_BUS_RESULT("s", primary, "t", took_us, "t", connections), drain,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("CanSwitchover", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("s", answer, "s", why), can_switchover,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Explain", SD_BUS_NO_ARGS, SD_BUS_RESULT("as", sentences), explain,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetMaintenance", SD_BUS_ARGS("b", on), SD_BUS_NO_RESULT,
				set_maintenance, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("InhibitTakeover", SD_BUS_ARGS("s", who, "s", why),
				SD_BUS_RESULT("h", inhibitor), inhibit_takeover,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Announce", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, announce,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("TestReaction", SD_BUS_ARGS("s", event),
				SD_BUS_RESULT("a(sss)", reactions), test_reaction,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("WaitForRole", SD_BUS_ARGS("s", role), SD_BUS_NO_RESULT,
				wait_for_role, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("RoleChanging", SD_BUS_ARGS("s", role, "s", reason), 0),
	SD_BUS_SIGNAL_WITH_ARGS("RoleChanged", SD_BUS_ARGS("s", role, "s", reason), 0),
	SD_BUS_SIGNAL_WITH_ARGS("Event",
				SD_BUS_ARGS("s", id, "s", level, "s", text, "a{sv}", fields), 0),
	SD_BUS_PROPERTY("Name", "s", NULL, AT(now.name), CONST),
	SD_BUS_PROPERTY("Role", "s", NULL, AT(now.role), CHANGES),
	SD_BUS_PROPERTY("State", "s", NULL, AT(now.state), CHANGES),
	SD_BUS_PROPERTY("Term", "t", NULL, AT(now.term), CHANGES),
	SD_BUS_PROPERTY("Primary", "s", NULL, AT(now.primary), CHANGES),
	SD_BUS_PROPERTY("Reason", "s", NULL, AT(now.reason), CHANGES),
	SD_BUS_PROPERTY("Fit", "b", api_property_bool, AT(now.fit), CHANGES),
	SD_BUS_PROPERTY("Unfit", "as", NULL, AT(now.unfit), CHANGES),
	SD_BUS_PROPERTY("Maintenance", "b", api_property_bool, AT(now.maintenance), CHANGES),
	SD_BUS_PROPERTY("Inhibitors", API_INHIBITORS, get_inhibitors, AT(now.inhibitors), CHANGES),
	SD_BUS_PROPERTY("Checks", API_CHECKS, get_checks, AT(now.checks), 0),
	SD_BUS_PROPERTY("Draining", "b", api_property_bool, AT(now.draining), CHANGES),
	SD_BUS_PROPERTY("Connections", "t", NULL, AT(now.connections), CHANGES),
	SD_BUS_PROPERTY("DrainUntilUSec", "t", NULL, AT(now.drain_until_us), CHANGES),
	SD_BUS_PROPERTY("RoleSinceUSec", "t", NULL, AT(now.role_since_us), CHANGES),
	SD_BUS_PROPERTY("LastSwitchoverUSec", "t", NULL, AT(now.last_switchover_us), CHANGES),
	SD_BUS_PROPERTY("VirtualAddresses", "as", NULL, AT(now.virtual_addresses), CHANGES),
	SD_BUS_PROPERTY("SubInterfaces", "as", NULL, AT(now.sub_interfaces), CHANGES),
	SD_BUS_PROPERTY("Staged", "b", api_property_bool, AT(now.staged), CHANGES),
	SD_BUS_PROPERTY("Nodes", API_NODES, get_nodes, AT(now.nodes), CHANGES),
	SD_BUS_PROPERTY("Mode", "s", NULL, AT(now.mode), CHANGES),
	SD_BUS_PROPERTY("Redundancy", "s", NULL, AT(now.redundancy), CHANGES),
	SD_BUS_PROPERTY("Handover", "s", NULL, AT(now.handover), CHANGES),
	SD_BUS_VTABLE_END,
};

/**
 * api_group_load() - make a group's values those of api->group
 * @api: the API
 * @group: its number
 */
void api_group_load(struct api *api, size_t group)
{
	api->group.api = api;
	api->group.index = group;
	api->ops->get_group(api->ctx, group, &api->group.now);
}

/* A path may stand for any bytes; a message with a text that is not UTF-8 is never sent. */
static bool is_printable(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	return true;
}

/**
 * api_group_find() - the group behind a path
 *
 * The parameters are those of sd_bus_object_find_t; @userdata is the API. A
 * group that does not exist is named in the error: a misspelt name in a busctl
 * line is more likely than anything else.
 *
 * Return: 1; 0 if @path is not below that of the groups; else negative errno,
 * and @error says NoSuchGroup.
 */
int api_group_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
		   void **ret_found, sd_bus_error *error)
{
	_cleanup_(freep) char *name = NULL;
	struct api *api = userdata;
	int r;

	(void)bus, (void)interface;
	for (size_t i = 0; i < api->ops->n_groups; i++) {
		if (strcmp(path, api->manager.groups[i]) != 0)
			continue;
		api_group_load(api, i);
		*ret_found = &api->group;
		return 1;
	}

	r = sd_bus_path_decode(path, API_GROUP_PREFIX, &name);
	if (r < 0)
		return r;
	if (r == 0 || *name == '\0') /* "" is the folder itself */
		return 0;
	if (!is_printable(name))
		return sd_bus_error_set(error, api_error_name("NoSuchGroup"),
					"There is no group of this name here.");
	return sd_bus_error_setf(error, api_error_name("NoSuchGroup"),
				 "There is no group \"%s\" here.", name);
}

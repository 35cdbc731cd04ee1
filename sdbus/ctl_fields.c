/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_fields.h"
#include "sdbus/dict.h"

#define MANAGER(property, kind, field, member)                                                     \
	{                                                                                          \
		property, member, offsetof(struct api_manager, field), CTL_KIND_##kind, false      \
	}
#define GROUP(property, kind, field, member, nullable)                                             \
	{                                                                                          \
		property, member, offsetof(struct api_group, field), CTL_KIND_##kind, nullable     \
	}
#define PEER(property, kind, field, member)                                                        \
	{                                                                                          \
		property, member, offsetof(struct api_peer, field), CTL_KIND_##kind, false         \
	}

const struct ctl_field ctl_manager_fields[] = {
	MANAGER("NodeName", TEXT, node, "node"),
	MANAGER("Version", TEXT, version, "version"),
	MANAGER("IntervalUSec", SPAN, interval_us, "interval_us"),
	MANAGER("DeadTimeUSec", SPAN, dead_us, "dead_time_us"),
	MANAGER("LeaseUSec", SPAN, lease_us, "lease_us"),
	MANAGER("LeaseRemainingUSec", SPAN, lease_remaining_us, "lease_remaining_us"),
	MANAGER("RefusedPackets", COUNT, refused, "refused_packets"),
	MANAGER("Strangers", COUNT, strangers, "strangers"),
	{ 0 },
};

/* The completions look for `"name":"...","role"`. */
const struct ctl_field ctl_group_fields[] = {
	GROUP("Name", TEXT, name, "name", false),
	GROUP("Role", TEXT, role, "role", false),
	GROUP("State", TEXT, state, "state", false),
	GROUP("Primary", TEXT, primary, "primary", true),
	GROUP("Reason", TEXT, reason, "reason", false),
	GROUP("Term", COUNT, term, "term", false),
	GROUP("Fit", BOOL, fit, "fit", false),
	GROUP("Unfit", LIST, unfit, "unfit", false),
	GROUP("Maintenance", BOOL, maintenance, "maintenance", false),
	GROUP("Inhibitors", INHIBITORS, inhibitors, "inhibitors", false),
	GROUP("Checks", CHECKS, checks, "checks", false),
	GROUP("Draining", BOOL, draining, "draining", false),
	GROUP("Connections", COUNT, connections, "connections", false),
	GROUP("DrainUntilUSec", TIME, drain_until_us, "drain_until_us", true),
	GROUP("Nodes", NODES, nodes, "nodes", false),
	GROUP("RoleSinceUSec", TIME, role_since_us, "role_since_us", true),
	GROUP("LastSwitchoverUSec", SPAN, last_switchover_us, "last_switchover_us", true),
	GROUP("Mode", TEXT, mode, "mode", false),
	GROUP("Redundancy", TEXT, redundancy, "redundancy", false),
	GROUP("Handover", TEXT, handover, "handover", false),
	GROUP("VirtualAddresses", LIST, virtual_addresses, "virtual_addresses", false),
	GROUP("SubInterfaces", LIST, sub_interfaces, "sub_interfaces", false),
	GROUP("Staged", BOOL, staged, "staged", false),
	{ 0 },
};

const struct ctl_field ctl_peer_fields[] = {
	PEER("Name", TEXT, name, "name"),
	PEER("State", TEXT, state, "state"),
	PEER("SameConfiguration", BOOL, same_configuration, "same_configuration"),
	PEER("Paths", PATHS, paths, "paths"),
	{ 0 },
};

static const char *const signatures[_CTL_KIND_MAX] = {
	[CTL_KIND_TEXT] = "s",
	[CTL_KIND_COUNT] = "t",
	[CTL_KIND_SPAN] = "t",
	[CTL_KIND_TIME] = "t",
	[CTL_KIND_BOOL] = "b",
	[CTL_KIND_LIST] = "as",
	[CTL_KIND_NODES] = API_NODES,
	[CTL_KIND_PATHS] = API_PATHS,
	[CTL_KIND_INHIBITORS] = API_INHIBITORS,
	[CTL_KIND_CHECKS] = API_CHECKS,
};

static void *at(const struct ctl_field *field, void *object)
{
	return (uint8_t *)object + field->offset;
}

static void nodes_done(struct api_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++)
		strv_free(nodes->v[i].unfit);
	free((void *)nodes->v);
	*nodes = (struct api_nodes){ 0 };
}

static int read_nodes(sd_bus_message *m, struct api_nodes *nodes)
{
	int r;

	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(ssas)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT, "ssas")) > 0) {
		struct api_node *more = reallocarray((void *)nodes->v, nodes->n + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		nodes->v = more;
		more += nodes->n++;
		*more = (struct api_node){ .name = "", .state = "" };
		r = sd_bus_message_read(m, "ss", &more->name, &more->state);
		if (r < 0)
			return r;
		r = sd_bus_message_read_strv(m, &more->unfit);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_paths(sd_bus_message *m, struct api_peer *peer)
{
	struct api_path path;
	int r;

	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(sstttttt)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "(sstttttt)", &path.local, &path.remote, &path.sent,
					&path.received, &path.lost, &path.rtt_us, &path.rtt_min_us,
					&path.heard_us)) > 0) {
		struct api_path *more =
			reallocarray((void *)peer->paths, peer->n_paths + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		more[peer->n_paths++] = path;
		peer->paths = more;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_inhibitors(sd_bus_message *m, struct api_inhibitors *inhibitors)
{
	struct api_inhibitor one;
	int r;

	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(ssu)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "(ssu)", &one.who, &one.why, &one.uid)) > 0) {
		struct api_inhibitor *more =
			reallocarray((void *)inhibitors->v, inhibitors->n + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		more[inhibitors->n++] = one;
		inhibitors->v = more;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_checks(sd_bus_message *m, struct api_checks *checks)
{
	struct api_check one;
	int r;

	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(ssstu)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "(ssstu)", &one.name, &one.state, &one.result,
					&one.ended_us, &one.streak)) > 0) {
		struct api_check *more =
			reallocarray((void *)checks->v, checks->n + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		more[checks->n++] = one;
		checks->v = more;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_bool(sd_bus_message *m, bool *ret)
{
	int on, r;

	r = sd_bus_message_read(m, "b", &on);
	if (r >= 0)
		*ret = on;
	return r;
}

static int read_contents(sd_bus_message *m, const struct ctl_field *field, void *object)
{
	switch (field->kind) {
	case CTL_KIND_TEXT:
	case CTL_KIND_COUNT:
	case CTL_KIND_SPAN:
	case CTL_KIND_TIME:
		return sd_bus_message_read(m, signatures[field->kind], at(field, object));
	case CTL_KIND_BOOL:
		return read_bool(m, at(field, object));
	case CTL_KIND_LIST:
		return sd_bus_message_read_strv(m, at(field, object));
	case CTL_KIND_NODES:
		return read_nodes(m, at(field, object));
	case CTL_KIND_PATHS:
		return read_paths(m, object);
	case CTL_KIND_INHIBITORS:
		return read_inhibitors(m, at(field, object));
	case CTL_KIND_CHECKS:
		return read_checks(m, at(field, object));
	case _CTL_KIND_MAX:
		break;
	}
	return -EINVAL;
}

static int read_value(sd_bus_message *m, const struct ctl_field *field, void *object)
{
	int r;

	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, signatures[field->kind]);
	if (r < 0)
		return r;
	r = read_contents(m, field, object);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

struct reading {
	const struct ctl_field *fields;
	void *object;
	uint32_t present;
};

/* A property that we do not know is of a newer agent, and skipped; one that comes twice, too. */
static int read_property(sd_bus_message *m, void *ctx)
{
	struct reading *reading = ctx;
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	for (unsigned i = 0; reading->fields[i].property; i++) {
		if (strcmp(reading->fields[i].property, name) != 0 || reading->present & 1U << i)
			continue;
		reading->present |= 1U << i;
		return read_value(m, &reading->fields[i], reading->object);
	}
	return sd_bus_message_skip(m, "v");
}

/**
 * ctl_fields_read() - read an a{sv} of properties into an object
 * @m: the message; strings are borrowed from it
 * @fields: the properties
 * @object: all zero; what is missing becomes "" or stays zero. The caller ends
 *          it with ctl_fields_done(), whatever comes of reading.
 * @ret_present: which were there, a bit for each of @fields; may be NULL
 *
 * Return: 0 or more; or negative errno.
 */
int ctl_fields_read(sd_bus_message *m, const struct ctl_field *fields, void *object,
		    uint32_t *ret_present)
{
	struct reading reading = { .fields = fields, .object = object };
	int r;

	for (const struct ctl_field *f = fields; f->property; f++)
		if (f->kind == CTL_KIND_TEXT)
			*(const char **)at(f, object) = "";
	r = dict_each(m, "sv", read_property, &reading);
	if (r >= 0 && ret_present)
		*ret_present = reading.present;
	return r;
}

/**
 * ctl_fields_done() - free what reading has allocated
 * @fields: the properties
 * @object: the object; may be all zero
 */
void ctl_fields_done(const struct ctl_field *fields, void *object)
{
	for (const struct ctl_field *f = fields; f->property; f++) {
		if (f->kind == CTL_KIND_LIST)
			strv_free(*(char ***)at(f, object));
		else if (f->kind == CTL_KIND_NODES)
			nodes_done(at(f, object));
		else if (f->kind == CTL_KIND_PATHS)
			free(*(void **)at(f, object));
		else if (f->kind == CTL_KIND_INHIBITORS)
			free((void *)((struct api_inhibitors *)at(f, object))->v);
		else if (f->kind == CTL_KIND_CHECKS)
			free((void *)((struct api_checks *)at(f, object))->v);
	}
}

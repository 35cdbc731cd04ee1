/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "agent/cleanup.h"
#include "sdbus/ctl.h"

#define PATHS "a(sstttttt)"

/* A property and where its value goes. Signatures: s, t, b, as and PATHS. */
struct field {
	const char *name, *signature;
	size_t offset;
};

#define MANAGER(property, signature, field)                                                        \
	{                                                                                          \
		property, signature, offsetof(struct api_manager, field)                           \
	}
#define GROUP(property, signature, field)                                                          \
	{                                                                                          \
		property, signature, offsetof(struct api_group, field)                             \
	}
#define PEER(property, signature, field)                                                           \
	{                                                                                          \
		property, signature, offsetof(struct api_peer, field)                              \
	}

static const struct field manager_fields[] = {
	MANAGER("Version", "s", version),
	MANAGER("NodeName", "s", node),
	MANAGER("IntervalUSec", "t", interval_us),
	MANAGER("LeaseUSec", "t", lease_us),
	MANAGER("DeadTimeUSec", "t", dead_us),
	MANAGER("LeaseRemainingUSec", "t", lease_remaining_us),
	MANAGER("RefusedPackets", "t", refused),
	MANAGER("Strangers", "t", strangers),
	{ 0 },
};

static const struct field group_fields[] = {
	GROUP("Name", "s", name),
	GROUP("Role", "s", role),
	GROUP("State", "s", state),
	GROUP("Primary", "s", primary),
	GROUP("Reason", "s", reason),
	GROUP("Mode", "s", mode),
	GROUP("Redundancy", "s", redundancy),
	GROUP("Handover", "s", handover),
	GROUP("Term", "t", term),
	GROUP("RoleSinceUSec", "t", role_since_us),
	GROUP("LastSwitchoverUSec", "t", last_switchover_us),
	GROUP("Fit", "b", fit),
	GROUP("Maintenance", "b", maintenance),
	GROUP("Unfit", "as", unfit),
	GROUP("VirtualAddresses", "as", virtual_addresses),
	{ 0 },
};

static const struct field peer_fields[] = {
	PEER("Name", "s", name),
	PEER("State", "s", state),
	PEER("SameConfiguration", "b", same_configuration),
	PEER("Paths", PATHS, paths),
	{ 0 },
};

static int read_paths(sd_bus_message *m, struct api_peer *peer)
{
	_cleanup_(freep) struct api_path *paths = NULL;
	size_t n = 0;
	int r;

	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(sstttttt)");
	if (r < 0)
		return r;
	for (;;) {
		struct api_path *more = reallocarray(paths, n + 1, sizeof(*paths));
		struct api_path *p;

		if (!more)
			return -ENOMEM;
		paths = more;
		p = &paths[n];
		r = sd_bus_message_read(m, "(sstttttt)", &p->local, &p->remote, &p->sent,
					&p->received, &p->lost, &p->rtt_us, &p->rtt_min_us,
					&p->heard_us);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		n++;
	}
	peer->paths = TAKE(paths);
	peer->n_paths = n;
	return sd_bus_message_exit_container(m);
}

static int read_value(sd_bus_message *m, const struct field *field, void *object)
{
	void *at = (uint8_t *)object + field->offset;
	int on, r;

	if (strcmp(field->signature, PATHS) == 0)
		return read_paths(m, object);
	if (strcmp(field->signature, "as") == 0)
		return sd_bus_message_read_strv(m, at);
	if (strcmp(field->signature, "b") != 0)
		return sd_bus_message_read(m, field->signature, at);
	r = sd_bus_message_read(m, "b", &on);
	if (r >= 0)
		*(bool *)at = on;
	return r;
}

/* One {sv}; a property that we do not know is of a newer agent, and skipped. */
static int read_property(sd_bus_message *m, const struct field *fields, void *object)
{
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	for (const struct field *f = fields; f->name; f++) {
		if (strcmp(f->name, name) != 0)
			continue;
		r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, f->signature);
		if (r < 0)
			return r;
		r = read_value(m, f, object);
		if (r < 0)
			return r;
		return sd_bus_message_exit_container(m);
	}
	return sd_bus_message_skip(m, "v");
}

/* An a{sv}. */
static int read_properties(sd_bus_message *m, const struct field *fields, void *object)
{
	int r;

	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
		r = read_property(m, fields, object);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int add_group(struct ctl_model *model, sd_bus_message *m)
{
	struct api_group *more =
		reallocarray(model->groups, model->n_groups + 1, sizeof(*model->groups));

	if (!more)
		return -ENOMEM;
	model->groups = more;
	more += model->n_groups++;
	*more = (struct api_group){
		.name = "",
		.role = "",
		.state = "",
		.primary = "",
		.reason = "",
		.mode = "",
		.redundancy = "",
		.handover = "",
	};
	return read_properties(m, group_fields, more);
}

static int add_peer(struct ctl_model *model, sd_bus_message *m)
{
	struct api_peer *more =
		reallocarray(model->peers, model->n_peers + 1, sizeof(*model->peers));

	if (!more)
		return -ENOMEM;
	model->peers = more;
	more += model->n_peers++;
	*more = (struct api_peer){ .name = "", .state = "" };
	return read_properties(m, peer_fields, more);
}

/* One {sa{sv}} of an object: an interface with its properties. */
static int read_interface(struct ctl_model *model, sd_bus_message *m)
{
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	if (strcmp(name, API_GROUP) == 0)
		return add_group(model, m);
	if (strcmp(name, API_PEER) == 0)
		return add_peer(model, m);
	return sd_bus_message_skip(m, "a{sv}");
}

/* One {oa{sa{sv}}}, already entered. */
static int read_object(struct ctl_model *model, sd_bus_message *m)
{
	int r;

	r = sd_bus_message_skip(m, "o");
	if (r < 0)
		return r;
	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sa{sv}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sa{sv}")) > 0) {
		r = read_interface(model, m);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_objects(struct ctl_model *model, sd_bus_message *m)
{
	int r;

	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{oa{sa{sv}}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "oa{sa{sv}}")) > 0) {
		r = read_object(model, m);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r;
}

static int compare_groups(const void *a, const void *b)
{
	return strcmp(((const struct api_group *)a)->name, ((const struct api_group *)b)->name);
}

static int compare_peers(const void *a, const void *b)
{
	return strcmp(((const struct api_peer *)a)->name, ((const struct api_peer *)b)->name);
}

/**
 * ctl_model_load() - ask the agent for everything there is to show
 * @bus: the bus
 * @ret: what it says; the caller ends it with ctl_model_done()
 * @error: what the bus or the agent refused with
 *
 * Waits for the answers.
 *
 * Return: 0 or negative errno of the calls or of reading the answers.
 */
int ctl_model_load(sd_bus *bus, struct ctl_model *ret, sd_bus_error *error)
{
	_cleanup_(ctl_model_done) struct ctl_model model = {
		.manager = { .version = "", .node = "" },
	};
	int r;

	r = sd_bus_call_method(bus, API_NAME, API_PATH, "org.freedesktop.DBus.Properties", "GetAll",
			       error, &model.messages[0], "s", API_MANAGER);
	if (r < 0)
		return r;
	r = read_properties(model.messages[0], manager_fields, &model.manager);
	if (r < 0)
		return r;
	r = sd_bus_call_method(bus, API_NAME, API_PATH, "org.freedesktop.DBus.ObjectManager",
			       "GetManagedObjects", error, &model.messages[1], NULL);
	if (r < 0)
		return r;
	r = read_objects(&model, model.messages[1]);
	if (r < 0)
		return r;
	if (model.n_groups)
		qsort(model.groups, model.n_groups, sizeof(*model.groups), compare_groups);
	if (model.n_peers)
		qsort(model.peers, model.n_peers, sizeof(*model.peers), compare_peers);
	*ret = model;
	model = (struct ctl_model){ 0 };
	return 0;
}

static void strv_free(char **strv)
{
	for (char **s = strv; s && *s; s++)
		free(*s);
	free(strv);
}

/**
 * ctl_model_done() - free what a model holds
 * @model: the model; may be all zero
 */
void ctl_model_done(struct ctl_model *model)
{
	for (size_t i = 0; i < model->n_groups; i++) {
		strv_free(model->groups[i].unfit);
		strv_free(model->groups[i].virtual_addresses);
	}
	for (size_t i = 0; i < model->n_peers; i++)
		free((void *)model->peers[i].paths);
	free(model->groups);
	free(model->peers);
	for (size_t i = 0; i < ARRAY_SIZE(model->messages); i++)
		sd_bus_message_unref(model->messages[i]);
	*model = (struct ctl_model){ 0 };
}

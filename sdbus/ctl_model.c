/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "sdbus/ctl.h"
#include "sdbus/dict.h"
#include "sdbus/ctl_fields.h"

/* One more element of @size bytes, all zero, behind @n; NULL: no memory. */
static void *grow(void *array, size_t n, size_t size)
{
	uint8_t *more = reallocarray(array, n + 1, size);

	if (more)
		memset(more + n * size, 0, size);
	return more;
}

static int add_group(struct ctl_model *model, sd_bus_message *m)
{
	struct api_group *more = grow(model->groups, model->n_groups, sizeof(*more));

	if (!more)
		return -ENOMEM;
	model->groups = more;
	return ctl_fields_read(m, ctl_group_fields, &more[model->n_groups++], NULL);
}

static int add_peer(struct ctl_model *model, sd_bus_message *m)
{
	struct api_peer *more = grow(model->peers, model->n_peers, sizeof(*more));

	if (!more)
		return -ENOMEM;
	model->peers = more;
	return ctl_fields_read(m, ctl_peer_fields, &more[model->n_peers++], NULL);
}

/* An interface with its properties, {sa{sv}}. */
static int read_interface(sd_bus_message *m, void *ctx)
{
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	if (strcmp(name, API_GROUP) == 0)
		return add_group(ctx, m);
	if (strcmp(name, API_PEER) == 0)
		return add_peer(ctx, m);
	return sd_bus_message_skip(m, "a{sv}");
}

/* An object with its interfaces, {oa{sa{sv}}}. */
static int read_object(sd_bus_message *m, void *ctx)
{
	int r;

	r = sd_bus_message_skip(m, "o");
	return r < 0 ? r : dict_each(m, "sa{sv}", read_interface, ctx);
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
 * ctl_model_read() - the groups and peers out of an answer of GetManagedObjects()
 * @model: gets them; the caller ends it with ctl_model_done(), also upon failure
 * @objects: the answer; strings are borrowed from it
 *
 * Return: 0 or negative errno of reading.
 */
int ctl_model_read(struct ctl_model *model, sd_bus_message *objects)
{
	int r;

	r = dict_each(objects, "oa{sa{sv}}", read_object, model);
	if (r < 0)
		return r;
	if (model->n_groups)
		qsort(model->groups, model->n_groups, sizeof(*model->groups), compare_groups);
	if (model->n_peers)
		qsort(model->peers, model->n_peers, sizeof(*model->peers), compare_peers);
	return 0;
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
	_cleanup_(ctl_model_done) struct ctl_model model = { 0 };
	int r;

	r = sd_bus_call_method(bus, API_NAME, API_PATH, "org.freedesktop.DBus.Properties", "GetAll",
			       error, &model.messages[0], "s", API_MANAGER);
	if (r < 0)
		return r;
	r = ctl_fields_read(model.messages[0], ctl_manager_fields, &model.manager, NULL);
	if (r < 0)
		return r;
	r = sd_bus_call_method(bus, API_NAME, API_PATH, "org.freedesktop.DBus.ObjectManager",
			       "GetManagedObjects", error, &model.messages[1], NULL);
	if (r < 0)
		return r;
	r = ctl_model_read(&model, model.messages[1]);
	if (r < 0)
		return r;
	*ret = model;
	model = (struct ctl_model){ 0 };
	return 0;
}

/**
 * ctl_model_done() - free what a model holds
 * @model: the model; may be all zero
 */
void ctl_model_done(struct ctl_model *model)
{
	for (size_t i = 0; i < model->n_groups; i++)
		ctl_fields_done(ctl_group_fields, &model->groups[i]);
	for (size_t i = 0; i < model->n_peers; i++)
		ctl_fields_done(ctl_peer_fields, &model->peers[i]);
	free(model->groups);
	free(model->peers);
	for (size_t i = 0; i < ARRAY_SIZE(model->messages); i++)
		sd_bus_message_unref(model->messages[i]);
	*model = (struct ctl_model){ 0 };
}

/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "agent/cleanup.h"
#include "sdbus/api_private.h"
#include "sdbus/named.h"

/* What RequestName() answers when the name is ours (D-Bus specification). */
enum {
	NAME_PRIMARY_OWNER = 1,
	NAME_ALREADY_OWNER = 4,
};

static int strv_copy(char *const *strv, char ***ret)
{
	_cleanup_(strv_freep) char **copy = NULL;
	size_t n = 0;

	while (strv[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		copy[i] = strdup(strv[i]);
		if (!copy[i])
			return -ENOMEM;
	}
	*ret = TAKE(copy);
	return 0;
}

static int list_groups(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
		       sd_bus_error *error)
{
	struct api *api = userdata;

	(void)bus, (void)prefix, (void)error;
	return strv_copy(api->manager.groups, ret_nodes);
}

static int list_peers(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
		      sd_bus_error *error)
{
	struct api *api = userdata;

	(void)bus, (void)prefix, (void)error;
	return strv_copy(api->manager.peers, ret_nodes);
}

/* Names of groups and peers do not change: their paths are made once. */
static int make_paths(struct api *api)
{
	const size_t n_groups = api->ops->n_groups, n_peers = api->ops->n_peers;
	int r;

	api->manager.groups = calloc(n_groups + 1, sizeof(char *));
	api->manager.peers = calloc(n_peers + 1, sizeof(char *));
	if (!api->manager.groups || !api->manager.peers)
		return -ENOMEM;
	for (size_t i = 0; i < n_groups; i++) {
		api_group_load(api, i);
		r = sd_bus_path_encode(API_GROUP_PREFIX, api->group.now.name,
				       &api->manager.groups[i]);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < n_peers; i++) {
		api_peer_load(api, i);
		r = sd_bus_path_encode(API_PEER_PREFIX, api->peer.now.name, &api->manager.peers[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Who reads the properties from here on reads these values: they count as sent. */
static int take_snapshots(struct api *api)
{
	const size_t n_groups = api->ops->n_groups, n_peers = api->ops->n_peers;
	char *names[API_PROPERTIES_MAX + 1];

	api->groups_sent = calloc(n_groups + 1, sizeof(*api->groups_sent));
	api->peers_sent = calloc(n_peers + 1, sizeof(*api->peers_sent));
	if (!api->groups_sent || !api->peers_sent)
		return -ENOMEM;
	for (size_t i = 0; i < n_groups; i++) {
		api_group_load(api, i);
		(void)api_property_changes(api_group_vtable, &api->group, &api->groups_sent[i],
					   names); /* everything is new */
	}
	for (size_t i = 0; i < n_peers; i++) {
		api_peer_load(api, i);
		(void)api_property_changes(api_peer_vtable, &api->peer, &api->peers_sent[i], names);
	}
	return 0;
}

static sd_bus_slot **next_slot(struct api *api)
{
	assert(api->n_slots < API_SLOTS_MAX);
	return &api->slots[api->n_slots++];
}

/* Fallbacks, all three: their look-up gives sd-bus fresh values for each access. */
static int export_objects(struct api *api)
{
	sd_bus *bus = api->bus;
	int r;

	r = sd_bus_add_fallback_vtable(bus, next_slot(api), API_PATH, API_MANAGER,
				       api_manager_vtable, api_manager_find, api);
	if (r < 0)
		return r;
	r = sd_bus_add_fallback_vtable(bus, next_slot(api), API_GROUP_PREFIX, API_GROUP,
				       api_group_vtable, api_group_find, api);
	if (r < 0)
		return r;
	r = sd_bus_add_fallback_vtable(bus, next_slot(api), API_PEER_PREFIX, API_PEER,
				       api_peer_vtable, api_peer_find, api);
	if (r < 0)
		return r;
	r = sd_bus_add_node_enumerator(bus, next_slot(api), API_GROUP_PREFIX, list_groups, api);
	if (r < 0)
		return r;
	r = sd_bus_add_node_enumerator(bus, next_slot(api), API_PEER_PREFIX, list_peers, api);
	if (r < 0)
		return r;
	return sd_bus_add_object_manager(bus, next_slot(api), API_PATH);
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api *api = userdata;
	uint32_t answer = 0;
	int r;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL))
		r = -sd_bus_message_get_errno(m);
	else
		r = sd_bus_message_read(m, "u", &answer);
	if (r >= 0)
		r = answer == NAME_PRIMARY_OWNER || answer == NAME_ALREADY_OWNER ? 0 : -EEXIST;
	api->name = r < 0 ? API_NAME_REFUSED : API_NAME_OURS;
	if (api->ops->named)
		api->ops->named(api->ctx, r);
	return 0;
}

static int ask_for_name(struct api *api)
{
	api->name = API_NAME_ASKED;
	api->name_slot = sd_bus_slot_unref(api->name_slot);
	return sd_bus_request_name_async(api->bus, &api->name_slot, API_NAME, 0, on_name, api);
}

/* Whoever had our name has gone: it is worth another try. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *now = named_now(m);
	struct api *api = userdata;
	int r;

	(void)error;
	if (!now || *now || api->name != API_NAME_REFUSED)
		return 0;
	r = ask_for_name(api);
	if (r < 0 && api->ops->named)
		api->ops->named(api->ctx, r);
	return 0;
}

/* The watch first: what happens between the two is not missed. */
static int begin_name(struct api *api)
{
	int r;

	r = named_watch(api->bus, &api->owner_slot, API_NAME, on_owner, NULL, api);
	return r < 0 ? r : ask_for_name(api);
}

/**
 * api_new() - put the agent's objects on the bus and ask for our name
 * @bus: the bus, attached to the caller's event loop by the caller; referenced.
 *       May still be connecting. Without a bus daemon behind it (a socket pair)
 *       there is no name to ask for.
 * @ops: what the agent can tell and do; borrowed until api_free()
 * @ctx: handed to @ops; borrowed
 * @ret: the API; to be freed with api_free()
 *
 * Does not wait for the bus: whether the name is ours comes to @ops->named, and
 * again each time that it was refused and has become free. The agent is asked for
 * the names and values of everything during this call.
 *
 * Return: 0, -ENOMEM, or negative errno of sd-bus: -EEXIST if there is an API
 * on @bus already, -ENOTCONN if it is closed.
 */
int api_new(sd_bus *bus, const struct api_ops *ops, void *ctx, struct api **ret)
{
	_cleanup_(api_freep) struct api *api = NULL;
	sd_id128_t salt;
	int r;

	api = calloc(1, sizeof(*api));
	if (!api)
		return -ENOMEM;
	api->bus = sd_bus_ref(bus);
	api->ops = ops;
	api->ctx = ctx;
	/* An answer to a caller of an API before this one must not find one of ours. */
	r = sd_id128_randomize(&salt);
	if (r < 0)
		return r;
	memcpy(&api->last_request, &salt, sizeof(api->last_request));

	ops->get_manager(ctx, &api->manager.now);
	api->node = strdup(api->manager.now.node);
	if (!api->node)
		return -ENOMEM;
	r = make_paths(api);
	if (r < 0)
		return r;
	r = take_snapshots(api);
	if (r < 0)
		return r;
	r = export_objects(api);
	if (r < 0)
		return r;
	if (sd_bus_is_bus_client(bus) > 0) {
		r = begin_name(api);
		if (r < 0)
			return r;
	}
	*ret = TAKE(api);
	return 0;
}

/**
 * api_free() - take the objects off the bus and give the name back
 * @api: takes it; NULL is fine
 *
 * Callers who still wait are answered OutcomeUnknown. Nothing is waited for:
 * what is left to send goes out with the next sd_bus_flush() or turn of the
 * loop.
 *
 * Return: NULL
 */
struct api *api_free(struct api *api)
{
	if (!api)
		return NULL;
	api_calls_done(api);
	for (size_t i = 0; i < api->n_slots; i++)
		sd_bus_slot_unref(api->slots[i]);
	if (api->name_slot)
		/* Nobody waits for the answer; without a connection the name is gone anyway. */
		(void)sd_bus_call_method_async(api->bus, NULL, "org.freedesktop.DBus",
					       "/org/freedesktop/DBus", "org.freedesktop.DBus",
					       "ReleaseName", NULL, NULL, "s", API_NAME);
	sd_bus_slot_unref(api->name_slot);
	sd_bus_slot_unref(api->owner_slot);
	sd_bus_unref(api->bus);
	strv_free(api->manager.groups);
	strv_free(api->manager.peers);
	free(api->groups_sent);
	free(api->peers_sent);
	free(api->node);
	free(api);
	return NULL;
}

/**
 * api_group_changed() - tell the bus which properties of a group have changed
 * @api: the API
 * @group: its number
 *
 * Return: 0, also if none has; or negative errno of sending.
 */
int api_group_changed(struct api *api, size_t group)
{
	char *names[API_PROPERTIES_MAX + 1];
	int r;

	api_group_load(api, group);
	if (!api_property_changes(api_group_vtable, &api->group, &api->groups_sent[group], names))
		return 0;
	r = sd_bus_emit_properties_changed_strv(api->bus, api->manager.groups[group], API_GROUP,
						names);
	return r < 0 ? r : 0;
}

/**
 * api_peer_changed() - tell the bus which properties of a peer have changed
 * @api: the API
 * @peer: its number
 *
 * Return: 0, also if none has; or negative errno of sending.
 */
int api_peer_changed(struct api *api, size_t peer)
{
	char *names[API_PROPERTIES_MAX + 1];
	int r;

	api_peer_load(api, peer);
	if (!api_property_changes(api_peer_vtable, &api->peer, &api->peers_sent[peer], names))
		return 0;
	r = sd_bus_emit_properties_changed_strv(api->bus, api->manager.peers[peer], API_PEER,
						names);
	return r < 0 ? r : 0;
}

/**
 * api_role_changing() - the signal RoleChanging: a move begins
 * @api: the API
 * @group: its number
 * @role: primary or backup: what this node is going to be, if nothing comes between
 * @reason: why
 *
 * Return: 0 or negative errno of sending.
 */
int api_role_changing(struct api *api, size_t group, const char *role, const char *reason)
{
	int r = sd_bus_emit_signal(api->bus, api->manager.groups[group], API_GROUP, "RoleChanging",
				   "ss", role, reason);

	return r < 0 ? r : 0;
}

/**
 * api_role_changed() - the signal RoleChanged, and an answer to who has waited for it
 * @api: the API
 * @group: its number
 * @role: primary or backup: what this node is now
 * @reason: why
 *
 * Return: 0 or negative errno of sending.
 */
int api_role_changed(struct api *api, size_t group, const char *role, const char *reason)
{
	int r = sd_bus_emit_signal(api->bus, api->manager.groups[group], API_GROUP, "RoleChanged",
				   "ss", role, reason);

	api_wait_role(api, group);
	return r < 0 ? r : 0;
}

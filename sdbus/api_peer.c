/* SPDX-License-Identifier: MIT */

#include "sdbus/api_private.h"

#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static int get_paths(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct api_peer *peer = userdata;
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "(sstttttt)");
	if (r < 0)
		return r;
	for (size_t i = 0; i < peer->n_paths; i++) {
		const struct api_path *p = &peer->paths[i];

		r = sd_bus_message_append(reply, "(sstttttt)", p->local, p->remote, p->sent,
					  p->received, p->lost, p->rtt_us, p->rtt_min_us,
					  p->heard_us);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(reply);
}

#define AT(field) offsetof(struct api_peer_object, field)

/* Paths moves with every heartbeat: no change signal, ask for it. */
const sd_bus_vtable api_peer_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", NULL, AT(now.name), CONST),
	SD_BUS_PROPERTY("State", "s", NULL, AT(now.state), CHANGES),
	SD_BUS_PROPERTY("SameConfiguration", "b", api_property_bool, AT(now.same_configuration),
			CHANGES),
	SD_BUS_PROPERTY("Paths", API_PATHS, get_paths, AT(now), 0),
	SD_BUS_VTABLE_END,
};

/**
 * api_peer_load() - make a peer's values those of api->peer
 * @api: the API
 * @peer: its number
 */
void api_peer_load(struct api *api, size_t peer)
{
	api->ops->get_peer(api->ctx, peer, &api->peer.now);
}

/**
 * api_peer_find() - the peer behind a path
 *
 * The parameters are those of sd_bus_object_find_t; @userdata is the API.
 *
 * Return: 1, or 0 if there is none: the caller hears UnknownObject.
 */
int api_peer_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
		  void **ret_found, sd_bus_error *error)
{
	struct api *api = userdata;

	(void)bus, (void)interface, (void)error;
	for (size_t i = 0; i < api->ops->n_peers; i++) {
		if (strcmp(path, api->manager.peers[i]) != 0)
			continue;
		api_peer_load(api, i);
		*ret_found = &api->peer;
		return 1;
	}
	return 0;
}

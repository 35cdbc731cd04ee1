/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files api*.c share with each other and nobody else. */

#include <systemd/sd-bus.h>

#include "agent/base.h"
#include "sdbus/api.h"

#define API_GROUP_PREFIX API_PATH "/group"
#define API_PEER_PREFIX API_PATH "/peer"

enum {
	API_PROPERTIES_MAX = 24, /* of one interface */
	API_SLOTS_MAX = 6,
};

/* What a caller wants of a group. */
enum api_verb {
	API_VERB_SWITCHOVER,
	API_VERB_DRAIN,
	API_VERB_MAINTENANCE,
	API_VERB_INHIBIT,
	API_VERB_ANNOUNCE,
	API_VERB_WAIT,
	API_VERB_TEST,
	API_VERB_TRACE,	 /* of no group */
	API_VERB_RELOAD, /* the same */
	_API_VERB_MAX,
};

struct api_order {
	enum api_verb verb;
	size_t group;
	bool on;		   /* maintenance; wait: for primary */
	uint64_t timeout_us;	   /* drain */
	struct api_switchover how; /* its strings, and those of the next, are the message's */
	const char *event;	   /* to be tested */
	struct api_inhibitor by;   /* who asks for inhibition; its uid is not known yet */
};

enum api_name {
	API_NAME_ASKED,
	API_NAME_OURS,
	API_NAME_REFUSED, /* asked for again when its owner goes */
};

/* How far a caller is. */
enum api_stage {
	API_STAGE_ASKING,   /* the bus is asked who it is */
	API_STAGE_CHECKING, /* polkit is asked whether it may */
	API_STAGE_WAITING,  /* the agent has been asked */
	API_STAGE_DRAINING, /* the same, and connections have to end: one for each group */
	API_STAGE_ROLE,	    /* waits for a role */
	_API_STAGE_MAX,
};

/* A caller who has not been answered yet. */
struct api_call {
	struct api_call *next;
	struct api *api;
	enum api_stage stage;
	api_request request; /* while waiting; else 0 */
	struct api_order order;
	uid_t uid; /* once the bus has told it */
	sd_bus_message *message;
	sd_bus_slot *question; /* to the bus, or to polkit */
	sd_bus_slot *gone;     /* hears when the caller goes; of one who may wait for long */
	bool watched;	       /* counts as such an one */
};

/* Hashes of the values of an object's properties that were last sent. */
struct api_sent {
	uint64_t value[API_PROPERTIES_MAX];
};

/*
 * The userdata of our vtables: the look-up of an object's path fills one of
 * these in, and sd-bus finds the property at its offset.
 */
struct api_manager_object {
	struct api_manager now;
	char **groups, **peers; /* paths of the objects; owned */
	struct api *api;
};

struct api_group_object {
	struct api_group now;
	struct api *api;
	size_t index;
};

struct api_peer_object {
	struct api_peer now;
};

struct api {
	sd_bus *bus;
	const struct api_ops *ops;
	void *ctx;
	char *node; /* our own name */
	sd_bus_slot *slots[API_SLOTS_MAX];
	size_t n_slots;
	sd_bus_slot *name_slot, *owner_slot;
	enum api_name name;

	struct api_manager_object manager;
	struct api_group_object group; /* the one looked up last */
	struct api_peer_object peer;
	struct api_sent *groups_sent, *peers_sent;

	struct api_call *calls;
	size_t n_calls[_API_STAGE_MAX];
	size_t n_watched; /* of these, callers of whom the bus is to say when they go */
	api_request last_request;
	uint64_t paid_us; /* CLOCK_MONOTONIC: until then time has been spent in advance */
};

extern const sd_bus_vtable api_manager_vtable[];
extern const sd_bus_vtable api_group_vtable[];
extern const sd_bus_vtable api_peer_vtable[];

int api_manager_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
		     void **ret_found, sd_bus_error *error);
int api_group_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
		   void **ret_found, sd_bus_error *error);
int api_peer_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
		  void **ret_found, sd_bus_error *error);

void api_group_load(struct api *api, size_t group);
void api_peer_load(struct api *api, size_t peer);

int api_switchover_read(sd_bus_message *m, struct api_switchover *ret, sd_bus_error *error);

int api_property_bool(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *userdata, sd_bus_error *error);

size_t api_property_changes(const sd_bus_vtable *vtable, const void *object, struct api_sent *sent,
			    char *ret_names[static API_PROPERTIES_MAX + 1]);

int api_call_begin(struct api *api, sd_bus_message *m, const struct api_order *order,
		   sd_bus_error *error);
void api_call_grant(struct api_call *call);
void api_call_refuse(struct api_call *call, const char *error, const char *text);
void api_call_drop(struct api_call *call);
void api_call_stage(struct api_call *call, enum api_stage stage);
void api_calls_done(struct api *api);

bool api_may_spend(struct api *api);
int api_event_list(sd_bus_message *m, void *userdata, sd_bus_error *error);

int api_auth_begin(struct api_call *call);

bool api_wait_is_full(const struct api *api);
bool api_wait_is_long(const struct api_call *call);
int api_wait_watch(struct api_call *call);
void api_wait_unwatch(struct api_call *call);
void api_wait_begin(struct api_call *call);
void api_wait_abandon(struct api_call *call);
void api_wait_role(struct api *api, size_t group);

const char *api_error_name(const char *error);

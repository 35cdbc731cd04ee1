/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the bus is told of the agent, as plain values in the API's own words, and which of it has
 * changed. No connection.
 */

#include "agent/agent.h"
#include "agent/event.h"
#include "sdbus/api.h"

struct bus_values;

int bus_values_new(const struct agent *agent, struct bus_values **ret);
struct bus_values *bus_values_free(struct bus_values *values);
DEFINE_CLEANUP(struct bus_values *, bus_values_free)

void bus_values_manager(const struct bus_values *values, struct api_manager *ret);
void bus_values_group(struct bus_values *values, size_t group, struct api_group *ret);
void bus_values_peer(struct bus_values *values, size_t peer, struct api_peer *ret);
void bus_values_event(const struct event *event, struct api_field fields[static _EVENT_FIELD_MAX],
		      struct api_event *ret);
bool bus_values_group_changed(struct bus_values *values, size_t group);
bool bus_values_peer_changed(struct bus_values *values, size_t peer);

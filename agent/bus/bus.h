/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Between the core and the D-Bus API: plain values one way, requests the other.
 * The agent works without a bus, and comes back to one that was away.
 */

#include "agent/agent.h"
#include "agent/event.h"
#include "sdbus/api.h"

int bus_new(struct agent *agent, struct bus **ret);
struct bus *bus_free(struct bus *bus);
DEFINE_CLEANUP(struct bus *, bus_free)

bool bus_inhibited(const struct bus *bus, uint8_t group);
void bus_reply(struct bus *bus, const struct core_action *action);
void bus_refuse(struct bus *bus, api_request request, const char *error, const char *text);
void bus_group_changed(struct bus *bus, uint8_t group);
void bus_reload_done(struct bus *bus, api_request request, bool changes);
void bus_tested(struct bus *bus, api_request request, const struct api_reaction *reactions,
		size_t n);
void bus_refresh(struct bus *bus);
void bus_role(struct bus *bus, uint8_t group, const char *role, const char *reason);
void bus_event(struct bus *bus, const struct event *event);

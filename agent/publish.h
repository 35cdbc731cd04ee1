/* SPDX-License-Identifier: MIT */
#pragma once

/* The one way of an event to everybody who hears of it. */

#include "agent/agent.h"
#include "agent/event.h"

void publish(struct agent *agent, struct event *event);
void publish_say(struct agent *agent, uint8_t group, enum event_type type, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

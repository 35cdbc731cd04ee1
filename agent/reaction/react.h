/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is started when something happens: [Reaction NAME]. Each group has its queue, of which one
 * at a time is with systemd; nothing here waits, and nothing is lost without a word.
 */

#include "sdbus/api.h"

struct agent;
struct react;

/* Something that has happened, to a group or to a node as such. */
struct react_cause {
	const char *event; /* its id; borrowed for the call */
	uint8_t group;
	bool of_group; /* else the group is only where it is queued */
	uint8_t from;  /* the node that it happened to */
};

int react_new(struct agent *agent, struct react **ret);
struct react *react_free(struct react *react);
DEFINE_CLEANUP(struct react *, react_free)

void react_to(struct react *react, const struct react_cause *cause);
void react_follow(struct react *react);
size_t react_test(struct react *react, uint8_t group, const char *event, api_request request);

void react_here(struct react *react);
void react_done(struct react *react, uint32_t id, int err, const char *why);
instant react_look(struct react *react, uint8_t group, instant now);

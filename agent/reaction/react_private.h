/* SPDX-License-Identifier: MIT */
#pragma once

/* What react.c, the queues, and react_cause.c, what goes into them, share. */

#include "agent/agent.h"
#include "agent/reaction/react.h"
#include "agent/reaction/reaction.h"

enum {
	REACT_WAITING_MAX = 64, /* of a group; of what repeats one waits */
};

enum react_result {
	REACT_DONE,
	REACT_FAILED,
	REACT_LATE,
	REACT_CANCELLED,
	REACT_LOST,
	_REACT_RESULT_MAX,
};

/* What is fired by hand, and who waits for it. */
struct react_test {
	struct react_test *next;
	api_request request;
	size_t n, left; /* results; and those that lack */
	struct api_reaction results[CONF_REACTIONS_MAX];
	char texts[CONF_REACTIONS_MAX][128];
};

/* A reaction that is to run, or runs. */
struct firing {
	struct firing *next;
	const struct conf_reaction *reaction; /* the configuration's, as the event is */
	const char *event;
	uint8_t from;
	bool of_group;
	enum reaction_state state; /* of this node, when it happened */
	instant at;
	unsigned n;		 /* events that it is for */
	struct react_test *test; /* that wants to know what becomes of it; NULL */
};

/* The reactions of a group, one after the other. */
struct lane {
	struct firing *first; /* of those that wait */
	size_t n;
	unsigned lost; /* there were too many, and nobody has been told yet */
	struct firing *running;
	instant started, due;
};

struct react {
	struct agent *agent;
	struct lane *lanes; /* of each group */
	uint8_t *seen;	    /* of each group and node: 0, or 1 + whether it was primary last */
	bool heeds_peers;
	bool complained; /* the log says that there is no systemd */
	uint64_t last_us;
	struct react_test *tests;
};

void react_cancel(struct react *react, const struct react_cause *cause);
void react_enqueue(struct react *react, uint8_t group, struct firing *firing);
void react_go_on(struct react *react, uint8_t group);
void react_test_note(struct react *react, const struct firing *firing, enum react_result result,
		     const char *text);
bool react_heeds_peers(const struct conf *conf, const char *node);

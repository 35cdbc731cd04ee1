/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of an explanation share. Nothing outside of this folder includes this. */

#include "agent/explain/ahead.h"
#include "agent/explain/explain.h"

enum { SPAN_MAX = 32 };

/* One explanation in the making. */
struct talk {
	const struct agent *agent;
	const struct core *core;
	const struct core_group *g;
	uint8_t group;
	instant now;
	const char *self, *name; /* of this node, of the group */
	const char *others;	 /* who would have to fall silent: "beta is", "the others are" */
	struct ahead steady, silent, unfit;
	struct explanation *ret;
};

/* talk.c */
__attribute__((format(printf, 2, 3))) void say(struct talk *t, const char *format, ...);
const char *span(uint64_t us, char buf[static SPAN_MAX]);
const char *age(const struct talk *t, instant then, char buf[static SPAN_MAX]);
const char *left(const struct talk *t, instant until, char buf[static SPAN_MAX]);
const char *node_name(const struct talk *t, uint8_t node);
const char *partner(const struct talk *t);

/* talk_step.c: what it waits for */
void say_claim_step(struct talk *t);
void say_yield_step(struct talk *t);
void say_primary_step(struct talk *t);

/* talk_unfit.c, talk_peer.c: what it knows of itself and of the others */
void say_unfit(struct talk *t);
void say_peer(struct talk *t, uint8_t node);
void say_lease(struct talk *t);

/* talk_next.c: what would change it */
void say_headless(struct talk *t);
void say_successor(struct talk *t);
void say_retry(struct talk *t);
void say_next(struct talk *t);

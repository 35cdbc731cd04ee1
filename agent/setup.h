/* SPDX-License-Identifier: MIT */
#pragma once

/* What an agent is started with: read as a whole, or not at all. */

#include <stdio.h>

#include "agent/cleanup.h"
#include "agent/conf/conf.h"

struct setup {
	struct conf *conf; /* owned */
	uint8_t self;	   /* CORE_NODE_NONE while no address of this host says which node it is */
	uint8_t key[CONF_KEY_SIZE]; /* not kept longer than it is needed */
};

int setup_read(const char *file, const char *node, struct setup *ret,
	       struct conf_problems *problems);
void setup_done(struct setup *setup);
bool setup_same(const struct setup *a, const struct setup *b);
void setup_print_problems(const struct conf_problems *problems, FILE *to);

/* SPDX-License-Identifier: MIT */
#pragma once

/* Which of the configured nodes this host is. */

#include "agent/conf/conf.h"

int self_is_here(const struct conf *conf, uint8_t self);
int self_find(const struct conf *conf, const char *name, uint8_t *ret_node,
	      struct conf_problems *problems);

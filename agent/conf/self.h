/* SPDX-License-Identifier: MIT */
#pragma once

/* Which of the configured nodes this host is. */

#include "agent/conf/conf.h"

int self_find(const struct conf *conf, const char *name, uint8_t *ret_node,
	      struct conf_problems *problems);

/* SPDX-License-Identifier: MIT */
#pragma once

#include "agent/conf/conf.h"

/* What a node remembers of a group over restarts. */
struct store_entry {
	uint64_t term;
	bool maintenance;
};

int store_lock(const char *directory, int *ret_fd);
int store_read(const char *directory, const char *group, struct store_entry *ret);
int store_list(const char *directory, char (**ret)[CONF_NAME_MAX + 1], size_t *ret_n);
int store_write(const char *directory, const char *group, const struct store_entry *entry);

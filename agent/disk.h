/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The thread that keeps terms on disk. A disk may take as long as it likes, and
 * nobody waits for it: neither the loop nor who makes requests of the kernel.
 */

#include "agent/conf/conf.h"
#include "agent/store.h"

struct disk;

struct disk_result {
	uint8_t group;
	uint32_t id; /* of the newest order that it answers */
	int err;     /* 0 or negative errno */
};

int disk_new(const struct conf *conf, const char *state_directory, struct disk **ret);
struct disk *disk_free(struct disk *disk);
DEFINE_CLEANUP(struct disk *, disk_free)

void disk_keep(struct disk *disk, uint8_t group, const struct store_entry *entry, uint32_t id);
int disk_fd(const struct disk *disk);
bool disk_next(struct disk *disk, struct disk_result *ret);

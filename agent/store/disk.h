/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The thread that keeps terms, and the history of events, on disk. A disk may take as
 * long as it likes, and nobody waits for it: neither the loop nor who makes requests of
 * the kernel. There is one writer at a time in a process: who comes after waits for who
 * was before.
 */

#include "agent/conf/conf.h"
#include "agent/store/history.h"
#include "agent/store/store.h"

struct disk;

struct disk_result {
	bool history; /* of disk_note(), and of no group: whether it can be kept has changed */
	uint8_t group;
	uint32_t id; /* of the newest order that it answers */
	int err;     /* 0 or negative errno */
};

int disk_new(const struct conf *conf, const char *state_directory, struct history *history,
	     struct disk *before, struct disk **ret);
struct disk *disk_end(struct disk *disk);

void disk_keep(struct disk *disk, uint8_t group, const struct store_entry *entry, uint32_t id);
void disk_note(struct disk *disk);
int disk_fd(const struct disk *disk);
bool disk_next(struct disk *disk, struct disk_result *ret);

/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/aside.h"
#include "agent/cleanup.h"
#include "agent/disk.h"

/* At the end; a disk that takes longer than this may take for ever. */
enum { DISK_END_S = 2 };

struct disk {
	const struct conf *conf;
	const char *state_directory;
	pthread_t thread;
	bool running;

	/* shared */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct slot {
		struct store_entry entry; /* the newest */
		uint32_t id;
		bool ordered, done;
		struct disk_result result; /* if done and not taken yet */
	} slots[CORE_GROUPS_MAX];
	bool stop, abandoned;
	int fd;
};

/* The first group of which something is to be written; NULL: none. */
static struct slot *next_slot(struct disk *disk)
{
	for (size_t g = 0; g < disk->conf->n_groups; g++)
		if (disk->slots[g].ordered)
			return &disk->slots[g];
	return NULL;
}

/* Write one; locked on entry and on return, but not meanwhile. */
static void write_slot(struct disk *disk, struct slot *slot)
{
	const struct slot order = *slot;
	const uint8_t group = (uint8_t)(slot - disk->slots);
	uint64_t one = 1;
	ssize_t written;
	int r;

	slot->ordered = false;
	(void)pthread_mutex_unlock(&disk->lock); /* fails only on our own mistakes */
	r = store_write(disk->state_directory, disk->conf->groups[group].name, &order.entry);
	(void)pthread_mutex_lock(&disk->lock);
	slot->done = true;
	slot->result = (struct disk_result){ .group = group, .id = order.id, .err = r };
	written = write(disk->fd, &one, sizeof(one));
	(void)written; /* refused when it is full, and then it is readable already */
}

static void *run(void *data)
{
	struct disk *disk = data;
	struct slot *slot;

	aside_stand_back("takeoverd-disk"); /* a term should be stored before it is announced */
	(void)pthread_mutex_lock(&disk->lock);
	while (!disk->abandoned && ((slot = next_slot(disk)) || !disk->stop)) {
		if (slot)
			write_slot(disk, slot);
		else
			(void)pthread_cond_wait(&disk->wake, &disk->lock);
	}
	(void)pthread_mutex_unlock(&disk->lock);
	return NULL;
}

/**
 * disk_new() - Start the thread
 * @conf: borrowed for its life, not changed meanwhile
 * @state_directory: borrowed likewise
 *
 * Return: 0; errors of descriptors and threads.
 */
int disk_new(const struct conf *conf, const char *state_directory, struct disk **ret)
{
	_cleanup_(disk_freep) struct disk *disk = calloc(1, sizeof(*disk));
	int r;

	if (!disk)
		return -ENOMEM;
	disk->conf = conf;
	disk->state_directory = state_directory;
	(void)pthread_mutex_init(&disk->lock, NULL); /* default attributes: cannot fail */
	(void)pthread_cond_init(&disk->wake, NULL);
	disk->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (disk->fd < 0)
		return -errno;
	r = aside_start(&disk->thread, run, disk);
	if (r < 0)
		return r;
	disk->running = true;
	*ret = TAKE(disk);
	return 0;
}

/* Should it come back after all, it finds that what it was told to borrow may be gone. */
static void abandon(struct disk *disk)
{
	(void)pthread_mutex_lock(&disk->lock);
	disk->abandoned = true;
	(void)pthread_mutex_unlock(&disk->lock);
}

/**
 * disk_free() - Write what has been ordered, then end
 *
 * A disk that does not come back is left to itself, with what it uses: nothing
 * can be done about a thread that the kernel keeps.
 */
struct disk *disk_free(struct disk *disk)
{
	if (!disk)
		return NULL;
	if (disk->running) {
		(void)pthread_mutex_lock(&disk->lock);
		disk->stop = true;
		(void)pthread_cond_signal(&disk->wake);
		(void)pthread_mutex_unlock(&disk->lock);
		if (!aside_join(disk->thread, DISK_END_S)) {
			abandon(disk);
			return NULL;
		}
	}
	close_fdp(&disk->fd);
	(void)pthread_cond_destroy(&disk->wake);
	(void)pthread_mutex_destroy(&disk->lock);
	free(disk);
	return NULL;
}

/**
 * disk_keep() - Have a group's term and maintenance written
 * @entry: copied; replaces what waits to be written of this group
 * @id: comes back in the result, unless a newer order has taken its place
 */
void disk_keep(struct disk *disk, uint8_t group, const struct store_entry *entry, uint32_t id)
{
	struct slot *slot = &disk->slots[group];

	assert(group < disk->conf->n_groups);
	(void)pthread_mutex_lock(&disk->lock);
	slot->entry = *entry;
	slot->id = id;
	slot->ordered = true;
	(void)pthread_mutex_unlock(&disk->lock);
	(void)pthread_cond_signal(&disk->wake);
}

/* Readable when there are results. */
int disk_fd(const struct disk *disk)
{
	return disk->fd;
}

/**
 * disk_next() - Take one result
 *
 * What has been ordered since is not answered yet: only the last word on a group is one.
 *
 * Return: false if there is none.
 */
bool disk_next(struct disk *disk, struct disk_result *ret)
{
	uint64_t count;
	ssize_t got;
	size_t g = 0;

	(void)pthread_mutex_lock(&disk->lock);
	while (g < disk->conf->n_groups && (!disk->slots[g].done || disk->slots[g].ordered))
		g++;
	if (g < disk->conf->n_groups) {
		disk->slots[g].done = false;
		*ret = disk->slots[g].result;
	} else {
		got = read(disk->fd, &count, sizeof(count));
		(void)got; /* it is read only to be unreadable */
	}
	(void)pthread_mutex_unlock(&disk->lock);
	return g < disk->conf->n_groups;
}

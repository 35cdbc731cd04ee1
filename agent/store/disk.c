/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/aside.h"
#include "agent/cleanup.h"
#include "agent/store/disk.h"

/* At the end; a disk that takes longer than this may take for ever. */
enum { DISK_END_S = 2 };

struct disk {
	const char *state_directory;
	size_t n_groups;
	struct disk *before; /* has to end first; the thread's */
	struct history *history;
	pthread_t thread;

	/* shared */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct slot {
		char name[CONF_NAME_MAX + 1]; /* who hangs outlives the configuration */
		uint64_t term_min;	      /* what was ordered before is not undone */
		struct store_entry entry;     /* the newest */
		uint32_t id;
		bool ordered, done;
		struct disk_result result; /* if done and not taken yet */
	} slots[CORE_GROUPS_MAX];
	bool noted;	      /* something is in the history that may be in no file */
	int history_err;      /* of the last time that it was written */
	bool history_changed; /* and nobody has heard of that */
	bool stop;
	int fd;
};

/* The first group of which something is to be written; NULL: none. */
static struct slot *next_slot(struct disk *disk)
{
	for (size_t g = 0; g < disk->n_groups; g++)
		if (disk->slots[g].ordered)
			return &disk->slots[g];
	return NULL;
}

/* With the lock held, which the loop finds free: else it would wake only to wait for us. */
static void call_loop(struct disk *disk)
{
	(void)pthread_mutex_unlock(&disk->lock); /* as in write_slot() */
	aside_ring(disk->fd);
	(void)pthread_mutex_lock(&disk->lock);
}

/* Write one; locked on entry and on return, but not meanwhile. */
static void write_slot(struct disk *disk, struct slot *slot)
{
	const uint8_t group = (uint8_t)(slot - disk->slots);
	struct slot order = *slot;
	int r;

	slot->ordered = false;
	(void)pthread_mutex_unlock(&disk->lock); /* fails only on our own mistakes */
	if (order.entry.term < order.term_min)
		order.entry.term = order.term_min;
	r = store_write(disk->state_directory, order.name, &order.entry);
	(void)pthread_mutex_lock(&disk->lock);
	slot->done = true;
	slot->result = (struct disk_result){ .group = group, .id = order.id, .err = r };
	call_loop(disk);
}

/* The same for the history. */
static void write_history(struct disk *disk)
{
	int r;

	disk->noted = false;
	(void)pthread_mutex_unlock(&disk->lock); /* as above */
	r = history_save(disk->history);
	(void)pthread_mutex_lock(&disk->lock);
	if (r == disk->history_err)
		return;
	disk->history_err = r;
	disk->history_changed = true;
	call_loop(disk);
}

static struct disk *disk_free(struct disk *disk)
{
	if (!disk)
		return NULL;
	close_fdp(&disk->fd);
	history_free(disk->history);
	(void)pthread_cond_destroy(&disk->wake);
	(void)pthread_mutex_destroy(&disk->lock);
	free(disk);
	return NULL;
}
DEFINE_CLEANUP(struct disk *, disk_free)

/* This life may have begun with what stood on the disk before that one's last words. */
static void learn_terms(struct disk *disk, const struct disk *before)
{
	for (size_t g = 0; g < disk->n_groups; g++)
		for (size_t i = 0; i < before->n_groups; i++) {
			const struct slot *slot = &before->slots[i];

			if (strcmp(disk->slots[g].name, slot->name) != 0)
				continue;
			disk->slots[g].term_min = slot->entry.term > slot->term_min
							  ? slot->entry.term
							  : slot->term_min;
		}
}

/* However long that takes: what it writes must not come over what we write. */
static void await_before(struct disk *disk)
{
	_cleanup_(disk_freep) struct disk *before = disk->before;

	if (!before)
		return;
	(void)pthread_join(before->thread, NULL);
	learn_terms(disk, before);
}

static void *run(void *data)
{
	struct disk *disk = data;
	struct slot *slot;

	aside_stand_back("takeoverd-disk", ASIDE_RECORDS);
	await_before(disk);
	(void)pthread_mutex_lock(&disk->lock);
	while ((slot = next_slot(disk)) || disk->noted || !disk->stop) {
		if (slot)
			write_slot(disk, slot);
		else if (disk->noted)
			write_history(disk);
		else
			(void)pthread_cond_wait(&disk->wake, &disk->lock);
	}
	(void)pthread_mutex_unlock(&disk->lock);
	return NULL;
}

/**
 * disk_new() - Start the thread
 * @conf: its groups; not needed after this
 * @state_directory: borrowed until the process ends
 * @history: takes it, whatever this returns
 * @before: of disk_end(), or NULL; taken if this succeeds
 *
 * Return: 0; errors of descriptors and threads.
 */
int disk_new(const struct conf *conf, const char *state_directory, struct history *history,
	     struct disk *before, struct disk **ret)
{
	_cleanup_(disk_freep) struct disk *disk = calloc(1, sizeof(*disk));
	int r;

	if (!disk) {
		history_free(history);
		return -ENOMEM;
	}
	disk->fd = -1;
	disk->before = before;
	disk->state_directory = state_directory;
	disk->history = history;
	disk->n_groups = conf->n_groups;
	for (size_t g = 0; g < conf->n_groups; g++)
		memcpy(disk->slots[g].name, conf->groups[g].name, sizeof(disk->slots[g].name));
	aside_init_lock(&disk->lock);
	(void)pthread_cond_init(&disk->wake, NULL);
	disk->fd = aside_bell();
	if (disk->fd < 0)
		return disk->fd;
	r = aside_start(&disk->thread, run, disk);
	if (r < 0)
		return r;
	*ret = TAKE(disk);
	return 0;
}

/**
 * disk_end() - Write what has been ordered, then end
 *
 * Nothing can be done about a thread that the kernel keeps: it goes on when it can.
 *
 * Return: NULL; or @disk if it does not end, for disk_new() of who comes after.
 */
struct disk *disk_end(struct disk *disk)
{
	if (!disk)
		return NULL;
	(void)pthread_mutex_lock(&disk->lock);
	disk->stop = true;
	(void)pthread_cond_signal(&disk->wake);
	(void)pthread_mutex_unlock(&disk->lock);
	return aside_await(disk->thread, DISK_END_S) ? disk_free(disk) : disk;
}

/**
 * disk_keep() - Have a group's term and maintenance written
 * @entry: copied; replaces what waits to be written of this group
 * @id: comes back in the result, unless a newer order has taken its place
 */
void disk_keep(struct disk *disk, uint8_t group, const struct store_entry *entry, uint32_t id)
{
	struct slot *slot = &disk->slots[group];

	assert(group < disk->n_groups);
	(void)pthread_mutex_lock(&disk->lock);
	slot->entry = *entry;
	slot->id = id;
	slot->ordered = true;
	(void)pthread_mutex_unlock(&disk->lock);
	(void)pthread_cond_signal(&disk->wake);
}

/**
 * disk_note() - Have the history written, as far as it is in no file
 *
 * What is ordered by disk_keep() comes before it.
 */
void disk_note(struct disk *disk)
{
	(void)pthread_mutex_lock(&disk->lock);
	disk->noted = true;
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
	size_t g = 0;
	bool found;

	(void)pthread_mutex_lock(&disk->lock);
	while (g < disk->n_groups && (!disk->slots[g].done || disk->slots[g].ordered))
		g++;
	found = g < disk->n_groups || disk->history_changed;
	if (g < disk->n_groups) {
		disk->slots[g].done = false;
		*ret = disk->slots[g].result;
	} else if (found) {
		disk->history_changed = false;
		*ret = (struct disk_result){ .history = true, .err = disk->history_err };
	} else {
		aside_hush(disk->fd);
	}
	(void)pthread_mutex_unlock(&disk->lock);
	return found;
}

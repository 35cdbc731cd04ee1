/* SPDX-License-Identifier: MIT */

#include "agent/recorder/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "agent/cleanup.h"
#include "agent/log.h"
#include "agent/aside.h"
#include "agent/recorder/outlet.h"
#include "agent/trace/player.h"

enum {
	DUMP_FILES = 4,		 /* of the last failures, in the state directory */
	DUMP_PATIENCE_MS = 3000, /* with a reader who does not read */
	DUMP_JOIN_S = 1,	 /* with a thread, at the end */
	DUMP_PATH_MAX = 4096,
};

struct dump {
	pthread_t thread;
	atomic_bool done, abandoned;
	int fd;		       /* -1: into a file */
	const char *directory; /* borrowed */
	const char *why;       /* static */
	struct player *player;
	size_t size;
	uint8_t data[];
};

static bool write_text(struct dump *dump, int *fd)
{
	FILE *to;
	bool good;

	if (outlet_open(*fd, DUMP_PATIENCE_MS, &dump->abandoned, &to) < 0)
		return false;
	*fd = -1;
	if (dump->why)
		(void)fprintf(to, "# %s\n", dump->why);
	good = player_play(dump->player, dump->data, dump->size, to);
	player_end(to);
	good = good && !ferror(to);
	return fclose(to) == 0 && good;
}

/* The one that is missing, or the oldest. */
static int choose_file(const char *directory, char ret[static DUMP_PATH_MAX])
{
	struct timespec oldest = { 0 };
	char path[DUMP_PATH_MAX];
	struct stat st;

	*ret = '\0';
	for (int i = 1; i <= DUMP_FILES; i++) {
		int n = snprintf(path, sizeof(path), "%s/trace-%d", directory, i);

		if (n < 0 || n + strlen(".new") >= sizeof(path))
			return -ENAMETOOLONG;
		if (lstat(path, &st) < 0)
			st.st_mtim = (struct timespec){ -1, 0 };
		if (*ret &&
		    (st.st_mtim.tv_sec > oldest.tv_sec ||
		     (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec >= oldest.tv_nsec)))
			continue;
		oldest = st.st_mtim;
		(void)snprintf(ret, DUMP_PATH_MAX, "%s", path); /* fits */
	}
	return 0;
}

/* As a whole or not at all. */
static int write_file(struct dump *dump, char path[static DUMP_PATH_MAX])
{
	_cleanup_(close_fdp) int fd = -1;
	char new_path[DUMP_PATH_MAX];
	int r;

	r = choose_file(dump->directory, path);
	if (r < 0)
		return r;
	(void)snprintf(new_path, sizeof(new_path), "%s.new", path); /* fits */
	fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	errno = 0;
	if (write_text(dump, &fd) && rename(new_path, path) == 0)
		return 0;
	r = errno ? -errno : -EIO;
	(void)unlink(new_path); /* half of it is of no use */
	return r;
}

static void *run(void *data)
{
	struct dump *dump = data;
	char path[DUMP_PATH_MAX];
	int r;

	aside_be_ordinary("takeoverd-trace");
	if (dump->fd >= 0) {
		(void)write_text(dump, &dump->fd); /* who does not read misses the last line */
	} else {
		r = write_file(dump, path);
		if (r < 0)
			log_say(LOG_LEVEL_WARNING, "cannot keep a trace (%s) in %s: %s", dump->why,
				dump->directory, strerror(-r));
		else
			log_say(LOG_LEVEL_NOTICE, "what led to this (%s) is in %s", dump->why,
				path);
	}
	atomic_store(&dump->done, true);
	return NULL;
}

static void drop(struct dump *dump)
{
	if (dump->fd >= 0)
		(void)close(dump->fd);
	player_free(dump->player);
	free(dump);
}

/* Takes @fd if it succeeds. */
static int start(const struct ring *ring, int fd, const char *directory, const char *why,
		 struct dump **ret)
{
	size_t size = ring_used(ring);
	struct dump *dump = malloc(sizeof(*dump) + size);
	int r;

	if (!dump)
		return -ENOMEM;
	*dump = (struct dump){ .fd = fd, .directory = directory, .why = why, .size = size };
	ring_copy(ring, dump->data);
	r = player_new(&dump->player);
	if (r >= 0)
		r = aside_start(&dump->thread, run, dump);
	if (r < 0) {
		dump->fd = -1;
		drop(dump);
		return r;
	}
	*ret = dump;
	return 0;
}

/**
 * dump_to_fd() - Begin to write what is in a recorder
 * @ring: copied
 * @fd: non-blocking; taken if this succeeds. Closed at the end, or when nobody reads
 * @ret: under way
 *
 * Return: 0; -ENOMEM; the error of pthread_create().
 */
int dump_to_fd(const struct ring *ring, int fd, struct dump **ret)
{
	return start(ring, fd, NULL, NULL, ret);
}

/**
 * dump_to_file() - Begin to keep what is in a recorder, in place of the oldest that is kept
 * @ring: copied
 * @directory: borrowed for as long as the process lives
 * @why: what happened, a static text
 * @ret: under way
 *
 * What comes of it is logged.
 *
 * Return: as of dump_to_fd().
 */
int dump_to_file(const struct ring *ring, const char *directory, const char *why, struct dump **ret)
{
	return start(ring, -1, directory, why, ret);
}

/**
 * dump_is_done() - Would dump_free() have nothing to wait for?
 */
bool dump_is_done(struct dump *dump)
{
	return atomic_load(&dump->done);
}

/**
 * dump_free() - The end, after DUMP_JOIN_S at most
 * @dump: NULL is fine; if it takes longer the thread is left to itself
 */
struct dump *dump_free(struct dump *dump)
{
	if (dump && aside_join(dump->thread, DUMP_JOIN_S))
		drop(dump);
	else if (dump)
		atomic_store(&dump->abandoned, true);
	return NULL;
}

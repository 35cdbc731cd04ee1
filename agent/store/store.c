/* SPDX-License-Identifier: MIT */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

#include "agent/cleanup.h"
#include "agent/core/core.h"
#include "agent/store/store.h"

#define ENDING ".group"

enum { STORE_SIZE_MAX = 128 };

static void dir_closep(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir); /* it was only read */
}

/**
 * store_lock() - Claim the state directory, so that no second agent works from it
 * @directory: $STATE_DIRECTORY
 * @ret_fd: holds the claim until it is closed, at the latest by the kernel
 *
 * Return: 0; -EWOULDBLOCK if another process has claimed it; other errors of
 * the file system.
 */
int store_lock(const char *directory, int *ret_fd)
{
	_cleanup_(close_fdp) int fd = -1;
	char name[4096];
	int n;

	n = snprintf(name, sizeof(name), "%s/lock", directory);
	if (n < 0 || n >= (int)sizeof(name))
		return -ENAMETOOLONG;
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int file_name(const char *directory, const char *group, const char *ending,
		     char ret[static 4096])
{
	int n = snprintf(ret, 4096, "%s/%s" ENDING "%s", directory, group, ending);

	return n < 0 || n >= 4096 ? -ENAMETOOLONG : 0;
}

/* The group that a file is about. Return: false if it is none that we write. */
static bool group_of(const char *file, char ret[static CONF_NAME_MAX + 1])
{
	size_t len = strlen(file), ending = strlen(ENDING);

	if (len <= ending || len - ending > CONF_NAME_MAX ||
	    strcmp(file + len - ending, ENDING) != 0)
		return false;
	memcpy(ret, file, len - ending);
	ret[len - ending] = '\0';
	return true;
}

/**
 * store_list() - The groups of which something is stored
 * @directory: $STATE_DIRECTORY
 * @ret: heap; in no order
 *
 * Return: 0; -ENOMEM; other errors of the file system.
 */
int store_list(const char *directory, char (**ret)[CONF_NAME_MAX + 1], size_t *ret_n)
{
	_cleanup_(dir_closep) DIR *dir = opendir(directory);
	_cleanup_(freep) char(*names)[CONF_NAME_MAX + 1] = NULL;
	char name[CONF_NAME_MAX + 1];
	const struct dirent *entry;
	size_t n = 0;
	void *more;

	if (!dir)
		return -errno;
	while ((errno = 0, entry = readdir(dir))) {
		if (!group_of(entry->d_name, name))
			continue;
		more = realloc(names, (n + 1) * sizeof(*names));
		if (!more)
			return -ENOMEM;
		names = more;
		memcpy(names[n++], name, sizeof(name));
	}
	if (errno)
		return -errno;
	*ret = TAKE(names);
	*ret_n = n;
	return 0;
}

static int format(const struct store_entry *entry, char ret[static STORE_SIZE_MAX])
{
	return snprintf(ret, STORE_SIZE_MAX, "term=%" PRIu64 "\nmaintenance=%d\n", entry->term,
			entry->maintenance);
}

/**
 * store_read() - What the last life of this agent knew of a group
 * @directory: $STATE_DIRECTORY
 * @group: name, as the configuration allows it: no slash
 *
 * Return: 0; -ENOENT if nothing was stored; -EBADMSG if the file is not ours;
 * other errors of the file system.
 */
int store_read(const char *directory, const char *group, struct store_entry *ret)
{
	_cleanup_(close_fdp) int fd = -1;
	char name[4096], text[STORE_SIZE_MAX + 1], as_written[STORE_SIZE_MAX];
	struct store_entry entry;
	int maintenance, r;
	ssize_t len;

	r = file_name(directory, group, "", name);
	if (r < 0)
		return r;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	len = read(fd, text, STORE_SIZE_MAX);
	if (len < 0)
		return -errno;
	text[len] = '\0';
	if (sscanf(text, "term=%20" SCNu64 "\nmaintenance=%1d", &entry.term, &maintenance) != 2)
		return -EBADMSG;
	entry.maintenance = maintenance;
	/* scanf is generous with signs, spaces and overflows; a term must not be a guess */
	if (format(&entry, as_written) != len || strcmp(text, as_written) != 0 ||
	    entry.term > CORE_TERM_MAX)
		return -EBADMSG;
	*ret = entry;
	return 0;
}

/**
 * store_write() - Remember a group's term and maintenance
 *
 * The file is replaced as a whole. It is not forced to the disk: a crash of the
 * agent loses nothing, and after a loss of power this node holds nothing, so
 * the peer's memory is what counts (R2: highest ever seen).
 *
 * Return: 0; errors of the file system.
 */
int store_write(const char *directory, const char *group, const struct store_entry *entry)
{
	_cleanup_(close_fdp) int fd = -1;
	char name[4096], new_name[4096], text[STORE_SIZE_MAX];
	ssize_t written;
	int len, r;

	r = file_name(directory, group, "", name);
	if (r < 0)
		return r;
	r = file_name(directory, group, ".new", new_name);
	if (r < 0)
		return r;
	len = format(entry, text);
	fd = open(new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	written = write(fd, text, (size_t)len);
	if (written < 0)
		return -errno;
	if (written != len)
		return -ENOSPC;
	return rename(new_name, name) < 0 ? -errno : 0;
}

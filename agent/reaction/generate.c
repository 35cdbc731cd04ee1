/* SPDX-License-Identifier: MIT */

/* From the configuration to units, for systemd's generator. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "agent/cleanup.h"
#include "agent/reaction/reaction.h"

static int complain(FILE *err, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int complain(FILE *err, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("takeover-generator: ", err);
	(void)vfprintf(err, format, args);
	(void)fputs("; no reactions\n", err);
	va_end(args);
	return r;
}

/*
 * What others can write is not run as root, nor as any user that it names. They could rename
 * what is in a directory of theirs.
 */
static int check_owner(const char *path, FILE *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return complain(err, -errno, "cannot look at %s: %s", path, strerror(errno));
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return complain(err, -EPERM, "%s belongs to uid %u, not to root", path, st.st_uid);
	if (st.st_mode & 022)
		return complain(err, -EPERM, "%s can be written by others than root (mode %04o)",
				path, st.st_mode & 07777);
	return 0;
}

/* The directory that @file is in */
static int check_parent(const char *file, FILE *err)
{
	_cleanup_(freep) char *parent = strdup(file);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!parent)
		return -ENOMEM;
	if (!slash)
		return check_owner(".", err);
	slash[slash == parent] = '\0';
	return check_owner(parent, err);
}

/* And what is in it; there need not be one. */
static int check_drop_ins(const char *file, FILE *err)
{
	_cleanup_(freep) char *directory = NULL;
	struct dirent *entry;
	DIR *dir;
	int r;

	if (asprintf(&directory, "%s.d", file) < 0) {
		directory = NULL; /* asprintf() leaves it undefined */
		return -ENOMEM;
	}
	dir = opendir(directory);
	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	r = check_owner(directory, err);
	while (r == 0 && (entry = readdir(dir))) {
		_cleanup_(freep) char *path = NULL;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&path, "%s/%s", directory, entry->d_name) < 0) {
			path = NULL;
			r = -ENOMEM;
		} else {
			r = check_owner(path, err);
		}
	}
	(void)closedir(dir); /* it was only read */
	return r;
}

/* Each as a compiler says it. Return: -EINVAL, if that is what @r is. */
static int complain_of(const struct conf_problems *problems, const char *file, int r, FILE *err)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct conf_problem *p = &problems->v[i];

		if (!p->warning)
			(void)fprintf(err, "takeover-generator: %s:%u: %s\n",
				      p->file ? p->file : file, p->line, p->text);
	}
	return complain(err, r, "%s is not taken", file);
}

static int write_unit(int directory, const struct conf_reaction *reaction)
{
	char name[CONF_NAME_MAX + 64];
	_cleanup_(close_fdp) int fd = -1;
	FILE *to;
	int r;

	reaction_file(reaction, name);
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	to = fdopen(fd, "w");
	if (!to)
		return -ENOMEM;
	(void)TAKE_FD(fd); /* the stream's */
	r = reaction_print_unit(reaction, to);
	return fclose(to) != 0 && r == 0 ? -errno : r;
}

static int write_units(const struct conf *conf, const char *path, FILE *err)
{
	_cleanup_(close_fdp) int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = directory < 0 ? -errno : 0;

	for (size_t i = 0; r == 0 && i < conf->n_reactions; i++)
		if (conf->reactions[i].command)
			r = write_unit(directory, &conf->reactions[i]);
	if (r < 0)
		return complain(err, r, "cannot write to %s: %s", path, strerror(-r));
	return 0;
}

/**
 * reaction_generate() - Make units of the reactions that have a command
 * @file: configuration; nothing is done if there is none
 * @directory: where the units go, and nothing else
 * @err: receives what is wrong
 *
 * Return: 0; -EINVAL if the configuration has mistakes, -EPERM if others than root can write it,
 * and then there are no units; errors of files; -ENOMEM.
 */
int reaction_generate(const char *file, const char *directory, FILE *err)
{
	_cleanup_(conf_freep) struct conf *conf = NULL;
	struct conf_problems problems = { 0 };
	int r;

	if (access(file, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = check_parent(file, err);
	if (r == 0)
		r = check_owner(file, err);
	if (r == 0)
		r = check_drop_ins(file, err);
	if (r < 0)
		return r;
	r = conf_load(file, &conf, &problems);
	if (r < 0)
		r = complain_of(&problems, file, r, err);
	conf_problems_done(&problems);
	return r < 0 ? r : write_units(conf, directory, err);
}

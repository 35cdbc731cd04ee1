/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf_load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "agent/cleanup.h"

static void load_done(struct conf_load *load)
{
	for (size_t i = 0; i < CORE_NODES_MAX; i++)
		conf_object_done(&load->nodes[i]);
	for (size_t i = 0; i < CORE_GROUPS_MAX; i++)
		conf_object_done(&load->groups[i]);
	for (size_t i = 0; i < CONF_REACTIONS_MAX; i++)
		conf_object_done(&load->reactions[i]);
	conf_object_done(&load->spare);
	for (size_t i = 0; i < load->n_files; i++)
		free(load->files[i]);
	free(load->files);
	(void)conf_free(load->spare_conf);
	(void)conf_free(load->conf);
}

static void load_freep(struct conf_load **load)
{
	if (*load)
		load_done(*load);
	free(*load);
}

/**
 * conf_load_complain() - Record a mistake of the files.
 * @load: load under way
 * @at: where it was made; file 0: in the configuration as a whole
 * @format: a whole sentence, printf style
 *
 * Return: 0; -ENOMEM.
 */
int conf_load_complain(struct conf_load *load, struct conf_origin at, const char *format, ...)
{
	struct conf_problem where = { .line = at.line };
	va_list args;
	int r;

	if (at.file)
		where.file = load->files[at.file - 1];
	va_start(args, format);
	r = conf_problems_addv(load->problems, &where, format, args);
	va_end(args);
	return r;
}

static int read_all(int fd, char *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

/* Read load's newest file. Return: 1; 0 after a complaint that it cannot be read; -ENOMEM. */
static int read_newest(struct conf_load *load)
{
	const struct conf_origin at = { (uint32_t)load->n_files, 0 };
	_cleanup_(freep) char *text = NULL;
	_cleanup_(close_fdp) int fd = -1;
	struct stat st;
	size_t len = 0;
	int r;

	/* O_NONBLOCK: a FIFO must not hold us until it is seen to be one */
	fd = open(load->files[load->n_files - 1], O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return conf_load_complain(load, at, "The file cannot be opened: %s.",
					  strerror(errno));
	if (!S_ISREG(st.st_mode))
		return conf_load_complain(load, at, "This is not a regular file.");
	text = malloc(CONF_FILE_MAX + 1);
	if (!text)
		return -ENOMEM;
	r = read_all(fd, text, CONF_FILE_MAX + 1, &len);
	if (r < 0)
		return conf_load_complain(load, at, "The file cannot be read: %s.", strerror(-r));
	if (len > CONF_FILE_MAX)
		return conf_load_complain(load, at, "The file is larger than %d bytes.",
					  CONF_FILE_MAX);
	r = conf_text_read(load, text, len);
	return r < 0 ? r : 1;
}

/* Takes @path. Return: as read_newest(). */
static int load_file(struct conf_load *load, char *path)
{
	_cleanup_(freep) char *owned = path;
	char **files;

	files = reallocarray(load->files, load->n_files + 1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	load->files = files;
	files[load->n_files++] = TAKE(owned);
	return read_newest(load);
}

static int is_drop_in(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && !strcmp(dot, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_drop_ins(struct conf_load *load, const char *file)
{
	_cleanup_(freep) struct dirent **entries = NULL;
	_cleanup_(freep) char *dir = NULL;
	int n, r = 0;

	if (asprintf(&dir, "%s.d", file) < 0) {
		dir = NULL; /* asprintf() leaves it undefined */
		return -ENOMEM;
	}
	n = scandir(dir, &entries, is_drop_in, by_name);
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (n < 0)
		return errno == ENOMEM
			       ? -ENOMEM
			       : conf_load_complain(load, (struct conf_origin){ 1, 0 },
						    "The drop-ins in %s cannot be read: %s.", dir,
						    strerror(errno));
	for (int i = 0; i < n; i++) {
		char *path;

		if (r >= 0)
			r = asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0
				    ? -ENOMEM
				    : load_file(load, path);
		free(entries[i]);
	}
	return r < 0 ? r : 0;
}

struct rank {
	size_t file, line, index;
};

static int by_rank(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

/* Bring the problems from @first on into the order of the files. */
static int sort_problems(const struct conf_load *load, size_t first)
{
	size_t n = load->problems->n - first;
	struct conf_problem *v = n ? &load->problems->v[first] : NULL;
	_cleanup_(freep) struct conf_problem *old = calloc(n + 1, sizeof(*old));
	_cleanup_(freep) struct rank *ranks = calloc(n + 1, sizeof(*ranks));

	if (!old || !ranks)
		return -ENOMEM;
	if (!n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct rank *rank = &ranks[i];

		old[i] = v[i];
		rank->line = v[i].line;
		rank->index = i;
		while (rank->file < load->n_files &&
		       !(v[i].file && !strcmp(load->files[rank->file], v[i].file)))
			rank->file++;
	}
	qsort(ranks, n, sizeof(*ranks), by_rank);
	for (size_t i = 0; i < n; i++)
		v[i] = old[ranks[i].index];
	return 0;
}

static int load_everything(struct conf_load *load, const char *file)
{
	char *path;
	int r;

	load->conf = calloc(1, sizeof(*load->conf));
	path = strdup(file);
	if (!load->conf || !path) {
		free(path);
		return -ENOMEM;
	}
	load->agent = (struct conf_object){ .target = load->conf };
	r = conf_object_defaults(&load->agent);
	if (r < 0) {
		free(path);
		return r;
	}
	r = load_file(load, path);
	if (r <= 0)
		return r; /* what a file lacks that cannot be read is nobody's mistake */
	r = load_drop_ins(load, file);
	if (r < 0)
		return r;
	/* What an unread file says is not missing. */
	return load->n_read < load->n_files ? 0 : conf_check(load);
}

/**
 * conf_load() - Read a configuration and its drop-ins, and check it.
 * @file: path; drop-ins are @file.d/\*.conf, sorted by name
 * @ret: configuration, to be freed with conf_free()
 * @problems: list that all mistakes and warnings are added to, in the order of the files
 *
 * Return: 0, perhaps with warnings; -EINVAL if there are mistakes, all of which are in
 * @problems; -ENOMEM.
 */
int conf_load(const char *file, struct conf **ret, struct conf_problems *problems)
{
	_cleanup_(load_freep) struct conf_load *load = calloc(1, sizeof(*load));
	size_t first = problems->n;
	int r;

	if (!load)
		return -ENOMEM;
	load->problems = problems;
	r = load_everything(load, file);
	if (r < 0)
		return r;
	r = sort_problems(load, first);
	if (r < 0)
		return r;
	for (size_t i = first; i < problems->n; i++)
		if (!problems->v[i].warning)
			return -EINVAL;
	*ret = TAKE(load->conf);
	return 0;
}

/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/cleanup.h"
#include "agent/store/history.h"

/*
 * A line of a file: NUMBER TIME ID, the text, and the fields as NAME=value, with tabs between.
 * What has another shape, or other characters, is none of ours.
 */
enum { LINE_SIZE = 1024 };

/* New ones go to the first; when it is full it becomes the second. */
static const char *const file_names[] = { "events", "events-1" };

/* More than two full ones can have. Of a file that is larger only the end is looked at. */
enum { FILE_READ_MAX = HISTORY_MAX * LINE_SIZE };

struct entry {
	uint64_t number;
	char *line; /* without its end */
};

struct history {
	const char *directory; /* borrowed */

	/* Of the loop only: what was asked for last */
	char found_line[LINE_SIZE];
	struct event found;

	/* Of who saves only, once history_read() is through */
	unsigned n_in_file;

	/* Shared */
	pthread_mutex_t lock;
	struct entry entries[HISTORY_MAX]; /* a ring, in the order of their numbers */
	size_t first, n;
	uint64_t last;	/* number of the newest; 0: there was none ever */
	uint64_t saved; /* the same, of those that are in the files */
};

/**
 * history_new() - Nothing has happened yet
 * @directory: $STATE_DIRECTORY; borrowed
 *
 * Return: 0; -ENOMEM.
 */
int history_new(const char *directory, struct history **ret)
{
	struct history *history = calloc(1, sizeof(*history));

	if (!history)
		return -ENOMEM;
	history->directory = directory;
	(void)pthread_mutex_init(&history->lock, NULL); /* default attributes: cannot fail */
	*ret = history;
	return 0;
}

struct history *history_free(struct history *history)
{
	if (!history)
		return NULL;
	for (size_t i = 0; i < history->n; i++)
		free(history->entries[(history->first + i) % HISTORY_MAX].line);
	(void)pthread_mutex_destroy(&history->lock);
	free(history);
	return NULL;
}

static int file_path(const struct history *history, size_t file, char ret[static 4096])
{
	int n = snprintf(ret, 4096, "%s/%s", history->directory, file_names[file]);

	return n < 0 || n >= 4096 ? -ENAMETOOLONG : 0;
}

/* A number at *at with @end behind it; *at is what follows that. */
static bool take_number(char **at, char end, uint64_t *ret)
{
	char *behind;

	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	*ret = strtoull(*at, &behind, 10);
	if (errno || *behind != end)
		return false;
	*at = behind + 1;
	return true;
}

/* NAME=value; a name that is not known is one of another version. */
static bool take_field(char *text, struct event *event)
{
	char *value = strchr(text, '=');
	enum event_field field;

	if (!value)
		return false;
	*value++ = '\0';
	if (event_field_find(text, &field))
		event->fields[field] = value;
	return true;
}

static bool is_printable(const char *line)
{
	for (; *line; line++)
		if (*line != '\t' && (*line < 0x20 || *line > 0x7e))
			return false;
	return true;
}

/* @line: taken apart, the event points into it. False: that is none. */
static bool parse(char *line, struct event *ret)
{
	struct event event = { .group = EVENT_NO_GROUP };
	char *rest = line, *id, *text, *field;

	if (!is_printable(line) || !take_number(&rest, ' ', &event.number) ||
	    !take_number(&rest, ' ', &event.time_us))
		return false;
	id = strsep(&rest, "\t");
	text = strsep(&rest, "\t");
	if (!text || strlen(text) >= sizeof(event.text) || !event_find(id, &event.type))
		return false;
	memcpy(event.text, text, strlen(text) + 1);
	while ((field = strsep(&rest, "\t")))
		if (!take_field(field, &event))
			return false;
	if (event_kind(event.type)->of_group && !event.fields[EVENT_FIELD_GROUP])
		return false;
	*ret = event;
	return true;
}

/* Return: its length without the end of the line. Fields that have no room are left out. */
static size_t format(const struct event *event, char ret[static LINE_SIZE])
{
	size_t len;

	len = (size_t)snprintf(ret, LINE_SIZE, "%" PRIu64 " %" PRIu64 " %s\t%s", event->number,
			       event->time_us, event_kind(event->type)->id, event->text);
	for (enum event_field f = 0; f < _EVENT_FIELD_MAX; f++) {
		const char *name = event_field_name(f), *value = event->fields[f];

		if (!value || len + strlen(name) + strlen(value) + sizeof("\t=\n") > LINE_SIZE)
			continue;
		len += (size_t)snprintf(ret + len, LINE_SIZE - len, "\t%s=%s", name, value);
	}
	return len;
}

/* Locked. Without memory it is not kept: the log and the bus have it. */
static void keep(struct history *history, uint64_t number, const char *line)
{
	char *copy = strdup(line);
	size_t at = (history->first + history->n) % HISTORY_MAX;

	history->last = number;
	if (!copy)
		return;
	if (history->n == HISTORY_MAX) {
		free(history->entries[at].line);
		history->first = (history->first + 1) % HISTORY_MAX;
	} else {
		history->n++;
	}
	history->entries[at] = (struct entry){ number, copy };
}

/* Only a file, and one that does not make us wait: it may have been put there by somebody. */
static int open_file(const char *path, int flags, struct stat *ret)
{
	_cleanup_(close_fdp) int fd = -1;

	fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	if (fd < 0)
		return -errno;
	if (fstat(fd, ret) < 0)
		return -errno;
	if (!S_ISREG(ret->st_mode))
		return -EINVAL;
	return TAKE_FD(fd);
}

/* Its last lines, whole ones as far as can be told. Return: 1 if there are others before them. */
static int open_lines(const char *path, FILE **ret)
{
	_cleanup_(close_fdp) int fd = -1;
	struct stat st;
	int c = 0;

	fd = open_file(path, O_RDONLY, &st);
	if (fd < 0)
		return fd;
	*ret = fdopen(fd, "r");
	if (!*ret)
		return -errno;
	(void)TAKE_FD(fd);
	if (st.st_size <= FILE_READ_MAX)
		return 0;
	(void)fseeko(*ret, -FILE_READ_MAX, SEEK_END); /* else it is read from the start */
	while (c != '\n' && c != EOF)
		c = fgetc(*ret);
	return 1;
}

static void fclosep(FILE **f)
{
	if (*f)
		(void)fclose(*f); /* it was only read */
}

static int read_file(struct history *history, size_t file, unsigned *skipped)
{
	_cleanup_(fclosep) FILE *f = NULL;
	char path[4096], line[LINE_SIZE + 1], copy[LINE_SIZE + 1];
	struct event event;
	unsigned n = 0;
	int r;

	r = file_path(history, file, path);
	if (r < 0)
		return r;
	r = open_lines(path, &f);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*skipped += (unsigned)r;
	for (; fgets(line, sizeof(line), f); n++) {
		size_t len = strlen(line);
		bool whole = len && line[len - 1] == '\n';

		if (whole)
			line[len - 1] = '\0';
		memcpy(copy, line, sizeof(copy));
		if (whole && len <= LINE_SIZE && parse(copy, &event) &&
		    event.number > history->last)
			keep(history, event.number, line);
		else
			(*skipped)++;
	}
	history->n_in_file = n; /* of the last file that is read, which is written to */
	return ferror(f) ? -EIO : 0;
}

/**
 * history_read() - Take up what the last life of the agent has left
 * @ret_skipped: how many lines were none of ours, or cut off
 *
 * Before anybody else knows the history. What cannot be read is not there, and numbers begin
 * behind what could be.
 *
 * Return: 0; errors of the file system.
 */
int history_read(struct history *history, unsigned *ret_skipped)
{
	int older, newer;

	*ret_skipped = 0;
	older = read_file(history, 1, ret_skipped);
	newer = read_file(history, 0, ret_skipped);
	history->saved = history->last;
	return older < 0 ? older : newer;
}

/**
 * history_add() - Something has happened
 * @event: gets its number
 */
void history_add(struct history *history, struct event *event)
{
	char line[LINE_SIZE];

	(void)pthread_mutex_lock(&history->lock); /* fails only on our own mistakes */
	event->number = history->last + 1;
	(void)format(event, line);
	keep(history, event->number, line);
	(void)pthread_mutex_unlock(&history->lock);
}

/* Locked. The first behind a number; n: there is none. */
static size_t behind(const struct history *history, uint64_t number)
{
	size_t low = 0, high = history->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (history->entries[(history->first + middle) % HISTORY_MAX].number > number)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/**
 * history_find() - The first event that is not older than a time, behind another one
 * @since_us: microseconds since 1970
 * @after: number of the other one; 0: from the start
 *
 * Return: the event, until the next call; NULL: there is none.
 */
const struct event *history_find(struct history *history, uint64_t since_us, uint64_t after)
{
	bool found = false;

	(void)pthread_mutex_lock(&history->lock); /* the loop alone changes it, */
	for (size_t i = behind(history, after); i < history->n && !found; i++) {
		const char *line = history->entries[(history->first + i) % HISTORY_MAX].line;

		(void)snprintf(history->found_line, LINE_SIZE, "%s", line); /* fits */
		found = parse(history->found_line, &history->found) &&
			history->found.time_us >= since_us;
	}
	(void)pthread_mutex_unlock(&history->lock); /* and who saves reads it */
	return found ? &history->found : NULL;
}

/**
 * history_is_saved() - Is everything in the files that is here?
 */
bool history_is_saved(struct history *history)
{
	bool saved;

	(void)pthread_mutex_lock(&history->lock);
	saved = history->saved == history->last;
	(void)pthread_mutex_unlock(&history->lock);
	return saved;
}

/* What is to be written, as one text; to be freed. */
struct unsaved {
	char *text;
	size_t len;
	unsigned n;
	uint64_t last;
};

static int collect(struct history *history, struct unsaved *ret)
{
	struct unsaved unsaved = { 0 };
	FILE *f = open_memstream(&unsaved.text, &unsaved.len);

	if (!f)
		return -ENOMEM;
	(void)pthread_mutex_lock(&history->lock);
	for (size_t i = behind(history, history->saved); i < history->n; i++) {
		const struct entry *entry = &history->entries[(history->first + i) % HISTORY_MAX];

		(void)fprintf(f, "%s\n", entry->line); /* fclose() says whether there was room */
		unsaved.n++;
	}
	unsaved.last = history->last;
	(void)pthread_mutex_unlock(&history->lock);
	if (fclose(f) != 0) {
		free(unsaved.text);
		return -ENOMEM;
	}
	*ret = unsaved;
	return 0;
}

/* What a crash has cut off is no line, and the next one must not be joined to it. */
static int cut_torn(int fd, off_t *size)
{
	char tail[LINE_SIZE];
	off_t from = *size > LINE_SIZE ? *size - LINE_SIZE : 0;
	ssize_t n;

	n = pread(fd, tail, sizeof(tail), from);
	if (n < 0)
		return -errno;
	if (!n || tail[n - 1] == '\n')
		return 0;
	while (n && tail[n - 1] != '\n')
		n--;
	*size = from + n;
	return ftruncate(fd, *size) < 0 ? -errno : 0;
}

/* All of it or nothing. */
static int append(const char *path, const struct unsaved *unsaved)
{
	_cleanup_(close_fdp) int fd = -1;
	struct stat st;
	ssize_t written;
	int r;

	fd = open_file(path, O_RDWR | O_CREAT | O_APPEND, &st);
	if (fd < 0)
		return fd;
	r = cut_torn(fd, &st.st_size);
	if (r < 0)
		return r;
	written = write(fd, unsaved->text, unsaved->len);
	if (written == (ssize_t)unsaved->len)
		return 0;
	r = written < 0 ? -errno : -ENOSPC;
	if (ftruncate(fd, st.st_size) < 0)
		return -errno; /* a line may be there twice: who reads it finds that */
	return r;
}

/* Make room for so many more lines. */
static int turn(struct history *history, const char *path, unsigned n)
{
	char older[4096];
	int r;

	if (history->n_in_file + n <= HISTORY_MAX)
		return 0;
	r = file_path(history, 1, older);
	if (r < 0)
		return r;
	if (rename(path, older) < 0 && errno != ENOENT)
		return -errno;
	history->n_in_file = 0;
	return 0;
}

/**
 * history_save() - Write what is in no file yet
 *
 * By one thread, which waits for the disk. Not forced to it: a crash of the agent loses nothing,
 * a loss of power the last seconds. What could not be written is tried again with the next call,
 * unless so much has happened meanwhile that it has gone from memory as well.
 *
 * Return: 0; -ENOMEM; errors of the file system.
 */
int history_save(struct history *history)
{
	_cleanup_(freep) char *text = NULL;
	struct unsaved unsaved;
	char path[4096];
	int r;

	r = file_path(history, 0, path);
	if (r < 0)
		return r;
	r = collect(history, &unsaved);
	if (r < 0)
		return r;
	text = unsaved.text;
	if (unsaved.n) {
		r = turn(history, path, unsaved.n);
		if (r >= 0)
			r = append(path, &unsaved);
		if (r < 0)
			return r;
		history->n_in_file += unsaved.n;
	}
	(void)pthread_mutex_lock(&history->lock);
	history->saved = unsaved.last;
	(void)pthread_mutex_unlock(&history->lock);
	return 0;
}

/* SPDX-License-Identifier: MIT */

/*
 * The only file that logs. A terminal that is stopped, a pipe nobody reads and
 * a journal that hangs make the writer wait, and the loop must not: from
 * log_start() on a thread writes what was put into a ring.
 */

#include "agent/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "agent/aside.h"

enum {
	LOG_LINES_MAX = 256,
	LOG_ID_MAX = 16,    /* "00-04563" and the like */
	LOG_GROUP_MAX = 64, /* twice what the configuration allows */
	LOG_TEXT_MAX = 512,
	LOG_FLUSH_S = 1,    /* how long the end waits for a reader */
	LOG_IOVEC_MAX = 24, /* fields of a line in the journal */
};

struct line {
	enum log_level level;
	char id[LOG_ID_MAX];
	char group[LOG_GROUP_MAX];
	char text[LOG_TEXT_MAX];
	char fields[LOG_FIELDS_MAX]; /* "NAME=value\n", one after the other */
};

enum log_mode {
	LOG_MODE_DIRECT, /* no thread: who logs writes */
	LOG_MODE_QUEUED,
	LOG_MODE_ENDING, /* the thread ends when the ring is empty */
	LOG_MODE_STUCK,	 /* the thread could not be waited for: nothing is taken any more */
};

/*
 * The one state that no struct of the agent holds: there is one stderr and one
 * journal in a process, and whoever has something to say anywhere would have to
 * be handed this on the way.
 */
static struct {
	pthread_mutex_t lock; /* held to copy a line, never to write one */
	pthread_cond_t wake;
	pthread_t thread;
	enum log_mode mode;
	struct line ring[LOG_LINES_MAX];
	size_t first, n;
	unsigned long lost; /* since the ring was full */
} log_state = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.wake = PTHREAD_COND_INITIALIZER,
};

static bool journal_listens(void)
{
	return getenv("JOURNAL_STREAM") != NULL;
}

/* In one write(), past stdio: exit() would wait for a stream whose lock a stuck thread has. */
static void write_terminal(const struct line *line)
{
	static const char *const words[] = { [LOG_LEVEL_ERROR] = "error: ",
					     [LOG_LEVEL_WARNING] = "warning: ",
					     [LOG_LEVEL_NOTICE] = "",
					     [LOG_LEVEL_INFO] = "" };
	char shown[sizeof(*line) + 32];
	int len;

	len = snprintf(shown, sizeof(shown), "%s%s%s%s%s%s\n", words[line->level], line->group,
		       *line->group ? ": " : "", line->text, *line->id ? "  " : "", line->id);
	if (len > 0 && write(STDERR_FILENO, shown, (size_t)len) < 0)
		return; /* nobody to be told */
}

static void write_journal(struct line *line)
{
	char message[LOG_GROUP_MAX + LOG_TEXT_MAX + 16], priority[16], *rest = line->fields;
	struct iovec fields[LOG_IOVEC_MAX];
	int n = 0;

	(void)snprintf(message, sizeof(message), "MESSAGE=%s%s%s", line->group,
		       *line->group ? ": " : "", line->text); /* fits */
	(void)snprintf(priority, sizeof(priority), "PRIORITY=%d", line->level);
	fields[n++] = (struct iovec){ message, strlen(message) };
	fields[n++] = (struct iovec){ priority, strlen(priority) };
	while (n < LOG_IOVEC_MAX && rest && *rest) {
		char *field = strsep(&rest, "\n");

		fields[n++] = (struct iovec){ field, strlen(field) };
	}
	(void)sd_journal_sendv(fields, n); /* no journal: no log */
}

/* It is taken apart. */
static void write_line(struct line *line)
{
	if (journal_listens())
		write_journal(line);
	else
		write_terminal(line);
}

static void make_lost(unsigned long n, struct line *ret)
{
	*ret = (struct line){ .level = LOG_LEVEL_WARNING };
	(void)snprintf(ret->text, sizeof(ret->text), "%lu line%s lost here: the log was not read",
		       n, n == 1 ? "" : "s");
}

static struct line *ring_add(void)
{
	assert(log_state.n < LOG_LINES_MAX);
	return &log_state.ring[(log_state.first + log_state.n++) % LOG_LINES_MAX];
}

/* How many were lost is said where they would have been; both need room. */
static void enqueue(const struct line *line)
{
	size_t room = LOG_LINES_MAX - log_state.n;

	if (room < (log_state.lost ? 2 : 1)) {
		log_state.lost++;
		return;
	}
	if (log_state.lost)
		make_lost(log_state.lost, ring_add());
	log_state.lost = 0;
	*ring_add() = *line;
	(void)pthread_cond_signal(&log_state.wake);
}

/* Waits for a line to be written; false at the end. */
static bool dequeue(struct line *ret)
{
	bool found = true;

	(void)pthread_mutex_lock(&log_state.lock); /* fails only on our own mistakes */
	while (!log_state.n && !log_state.lost && log_state.mode == LOG_MODE_QUEUED)
		(void)pthread_cond_wait(&log_state.wake, &log_state.lock);
	if (log_state.n) {
		*ret = log_state.ring[log_state.first];
		log_state.n--;
		/* Begun anew when it is empty, it mostly needs the memory of a line or two. */
		log_state.first = log_state.n ? (log_state.first + 1) % LOG_LINES_MAX : 0;
	} else if (log_state.lost) {
		make_lost(log_state.lost, ret);
		log_state.lost = 0;
	} else {
		found = false;
	}
	(void)pthread_mutex_unlock(&log_state.lock);
	return found;
}

static void *run(void *unused)
{
	struct line line;

	(void)unused;
	aside_be_ordinary("takeoverd-log");
	while (dequeue(&line))
		write_line(&line);
	return NULL;
}

/**
 * log_start() - From now on a thread does the writing, an ordinary one
 *
 * Lines that find the ring full are counted, and the number is logged when there is room.
 *
 * Return: 0; the error of pthread_create(): lines go out directly, as before.
 */
int log_start(void)
{
	int r;

	assert(log_state.mode == LOG_MODE_DIRECT);
	/* No thread sees either yet. */
	aside_init_lock(&log_state.lock);
	log_state.mode = LOG_MODE_QUEUED;
	r = aside_start(&log_state.thread, run, NULL);
	if (r < 0)
		log_state.mode = LOG_MODE_DIRECT;
	return r;
}

static void set_mode(enum log_mode mode)
{
	(void)pthread_mutex_lock(&log_state.lock);
	log_state.mode = mode;
	(void)pthread_cond_signal(&log_state.wake);
	(void)pthread_mutex_unlock(&log_state.lock);
}

/**
 * log_stop() - Write what is left, for LOG_FLUSH_S at most
 *
 * To be called when no other thread logs any more; nothing to do without log_start(). If the
 * reader is stuck, the thread is left to the end of the process, and nothing is logged any more.
 */
void log_stop(void)
{
	if (log_state.mode != LOG_MODE_QUEUED)
		return;
	set_mode(LOG_MODE_ENDING);
	set_mode(aside_join(log_state.thread, LOG_FLUSH_S) ? LOG_MODE_DIRECT : LOG_MODE_STUCK);
}

static void copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from); /* cut is better than nothing */
}

/**
 * log_line() - Log something that has an id
 * @level: how bad it is
 * @id: as on D-Bus, such as "00-04563"; "" for none
 * @group: name; "" if it concerns the node
 * @text: one sentence without line end; cut if it is longer than LOG_TEXT_MAX
 * @fields: for the journal, "NAME=value\n" each; fewer than LOG_FIELDS_MAX bytes
 *
 * To the journal with the fields, to a terminal in plain words. Between
 * log_start() and log_stop() it does not wait for either. From any thread.
 */
void log_line(enum log_level level, const char *id, const char *group, const char *text,
	      const char *fields)
{
	struct line line = { .level = level };
	enum log_mode mode;

	copy(line.id, sizeof(line.id), id);
	copy(line.group, sizeof(line.group), group);
	copy(line.text, sizeof(line.text), text);
	copy(line.fields, sizeof(line.fields), fields);
	(void)pthread_mutex_lock(&log_state.lock);
	mode = log_state.mode;
	if (mode == LOG_MODE_QUEUED || mode == LOG_MODE_ENDING)
		enqueue(&line);
	(void)pthread_mutex_unlock(&log_state.lock);
	if (mode == LOG_MODE_DIRECT)
		write_line(&line);
}

/**
 * log_say() - Log a sentence about the node that needs no id
 */
void log_say(enum log_level level, const char *format, ...)
{
	char text[LOG_TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap); /* cut is better than nothing */
	va_end(ap);
	log_line(level, "", "", text, "");
}

/**
 * log_is_due() - Keep what anybody can cause from filling the log
 * @last: when it was logged last; INSTANT_NEVER at first; set to @now if it is due
 * @now: time
 *
 * Return: true, at most once in LOG_REPEAT_US.
 */
bool log_is_due(instant *last, instant now)
{
	if (instant_is_set(*last) && instant_since(now, *last) < LOG_REPEAT_US)
		return false;
	*last = now;
	return true;
}

/* SPDX-License-Identifier: MIT */

#include "agent/recorder/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "agent/cleanup.h"
#include "agent/log.h"
#include "agent/aside.h"
#include "agent/recorder/outlet.h"
#include "agent/trace/pack.h"
#include "agent/trace/player.h"

enum {
	STREAM_ROOM = 256 * 1024, /* a minute at the default interval */
	STREAM_FLUSH_S = 1,	  /* how long the end waits for the disk */
};

struct stream {
	pthread_mutex_t lock; /* held to copy an entry or to swap, never to write */
	pthread_cond_t wake;
	pthread_t thread;
	bool ending, broken;

	/* The loop fills the one, the thread empties the other. */
	uint8_t *filling, *emptying;
	size_t used, room;
	uint32_t lost; /* since it was full; of the loop only */
	size_t core_size;

	struct player *player;
	FILE *to;
	atomic_bool abandoned; /* the thread, by the end */
};

/**
 * stream_open() - The file that a trace goes to
 * @path: made if it is not there; otherwise the trace goes on behind what it has
 *
 * Return: the descriptor, for stream_new(); errors of open().
 */
int stream_open(const char *path)
{
	int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);

	return fd < 0 ? -errno : fd;
}

/* Waits for something to write; 0 at the end. */
static size_t take(struct stream *s, const uint8_t **ret)
{
	uint8_t *full;
	size_t size;

	(void)pthread_mutex_lock(&s->lock); /* fails only on our own mistakes */
	while (!s->used && !s->ending)
		(void)pthread_cond_wait(&s->wake, &s->lock);
	full = s->filling;
	s->filling = s->emptying;
	s->emptying = full;
	size = s->used;
	s->used = 0;
	(void)pthread_mutex_unlock(&s->lock);
	*ret = full;
	return size;
}

static void give_up(struct stream *s, int err)
{
	log_say(LOG_LEVEL_WARNING, "cannot write the trace: %s; no more of it", strerror(err));
	(void)pthread_mutex_lock(&s->lock);
	s->broken = true;
	(void)pthread_mutex_unlock(&s->lock);
}

static void *run(void *data)
{
	struct stream *s = data;
	const uint8_t *full;
	size_t size;

	aside_be_ordinary("takeoverd-trace");
	while ((size = take(s, &full)) > 0) {
		(void)player_play(s->player, full, size, s->to);
		if (fflush(s->to) == 0 && !ferror(s->to))
			continue;
		give_up(s, errno);
		return NULL;
	}
	player_end(s->to);
	if (ferror(s->to))
		give_up(s, errno);
	return NULL;
}

/* What an agent before this one has left there may end in the middle of a line. */
static void go_on(struct stream *s, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size > 0)
		(void)fputs("\nagain\n", s->to); /* an error is kept */
}

static struct stream *drop(struct stream *s)
{
	if (s->to)
		(void)fclose(s->to); /* everything was flushed, or an error was told */
	player_free(s->player);
	free(s->filling);
	free(s->emptying);
	free(s);
	return NULL;
}
DEFINE_CLEANUP(struct stream *, drop)

/**
 * stream_new() - Begin to write
 * @core: as it is now
 * @fd: of stream_open(); takes it, also if this fails
 *
 * Return: 0; -ENOMEM; the error of pthread_create().
 */
int stream_new(const struct core *core, int fd, struct stream **ret)
{
	_cleanup_(close_fdp) int own = fd;
	_cleanup_(dropp) struct stream *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	aside_init_lock(&s->lock);
	(void)pthread_cond_init(&s->wake, NULL); /* default attributes: cannot fail */
	s->core_size = pack_core_size(&core->config);
	s->room = STREAM_ROOM + s->core_size + PACK_LOST_SIZE;
	s->filling = malloc(s->room);
	s->emptying = malloc(s->room);
	if (!s->filling || !s->emptying)
		return -ENOMEM;
	r = player_new(&s->player);
	if (r < 0)
		return r;
	s->used = pack_core(s->filling, core);
	r = outlet_open(own, OUTLET_FOREVER, &s->abandoned, &s->to);
	if (r < 0)
		return r;
	go_on(s, TAKE_FD(own));
	r = aside_start(&s->thread, run, s);
	if (r < 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

/**
 * stream_free() - Write what is left, for STREAM_FLUSH_S at most
 * @stream: NULL is fine
 */
struct stream *stream_free(struct stream *stream)
{
	if (!stream)
		return NULL;
	(void)pthread_mutex_lock(&stream->lock);
	if (stream->lost)
		stream->used += pack_lost(stream->filling + stream->used, stream->lost);
	stream->ending = true;
	(void)pthread_cond_signal(&stream->wake);
	(void)pthread_mutex_unlock(&stream->lock);
	if (aside_join(stream->thread, STREAM_FLUSH_S))
		return drop(stream);
	atomic_store(&stream->abandoned, true);
	return NULL;
}

/* With the lock held. Behind a gap the core's value stands for what is missing. */
static void append(struct stream *s, const struct core *core, const uint8_t *entry, size_t size)
{
	if (s->lost)
		size += PACK_LOST_SIZE + s->core_size; /* at most what is needed */
	/* there is always room to say in the end how many are missing */
	if (s->broken || s->used + size + PACK_LOST_SIZE > s->room) {
		s->lost++;
		return;
	}
	if (s->lost) {
		s->used += pack_lost(s->filling + s->used, s->lost + 1);
		s->used += pack_core(s->filling + s->used, core);
		s->lost = 0;
	} else {
		memcpy(s->filling + s->used, entry, size);
		s->used += size;
	}
	(void)pthread_cond_signal(&s->wake);
}

/**
 * stream_note() - Another event is to be written
 * @core: as it is after the event
 * @entry: packed, with the digest of what came of it
 * @size: of it
 *
 * Waits for nothing: what finds no room is counted, and the number is written when there is room.
 */
void stream_note(struct stream *stream, const struct core *core, const uint8_t *entry, size_t size)
{
	(void)pthread_mutex_lock(&stream->lock);
	append(stream, core, entry, size);
	(void)pthread_mutex_unlock(&stream->lock);
}

/* SPDX-License-Identifier: MIT */

#include "agent/recorder/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/recorder/dump.h"
#include "agent/recorder/stream.h"

/*
 * For events in each half. A primary hears some 60 a second at the default interval, of
 * 16 to 65 bytes: together the halves hold the last half minute to minute.
 */
enum { RECORDER_ROOM = 96 * 1024 };

/* What came of a failure belongs to its trace. */
#define RECORDER_AFTERMATH_US (1 * USEC_PER_SEC)

/* A failure that lasts comes again and again: of interest is how it began. */
#define RECORDER_QUIET_US (10 * 60 * USEC_PER_SEC)

/* What is worth an inquiry, and rare. The words are in the manual. */
enum failure {
	FAILURE_LAPSED,
	FAILURE_CONFLICT,
	FAILURE_MOVE,
	FAILURE_ACTION,
	FAILURE_OCCUPIED,
	FAILURE_FAILOVER,
	_FAILURE_MAX,
};

static const char *const failures[_FAILURE_MAX] = {
	[FAILURE_LAPSED] = "the lease ran out",
	[FAILURE_CONFLICT] = "two were primary",
	[FAILURE_MOVE] = "a switchover failed",
	[FAILURE_ACTION] = "the kernel refused an order",
	[FAILURE_OCCUPIED] = "somebody else had an address",
	[FAILURE_FAILOVER] = "taken over from a node that fell silent",
};

struct recorder {
	struct ring *ring;
	struct stream *stream; /* NULL: not asked for */
	struct dump *dump;     /* NULL: none under way */
	const char *directory; /* borrowed */

	const char *why; /* a failure that is to be kept; NULL: none */
	instant due;
	instant seen[_FAILURE_MAX]; /* the last time */
};

/**
 * recorder_new() - A recorder for a core that has not been told anything
 * @core: by core_init()
 * @state_directory: where traces of failures are kept; borrowed for as long as the process lives
 * @trace_fd: takes it; where everything goes, of stream_open(); -1: nowhere
 *
 * Return: 0; -ENOMEM; the error of pthread_create().
 */
int recorder_new(const struct core *core, const char *state_directory, int trace_fd,
		 struct recorder **ret)
{
	_cleanup_(close_fdp) int fd = trace_fd;
	_cleanup_(recorder_freep) struct recorder *recorder = calloc(1, sizeof(*recorder));
	int r;

	if (!recorder)
		return -ENOMEM;
	recorder->directory = state_directory;
	r = ring_new(&core->config, RECORDER_ROOM, &recorder->ring);
	if (r >= 0 && fd >= 0)
		r = stream_new(core, TAKE_FD(fd), &recorder->stream);
	if (r < 0)
		return r;
	*ret = TAKE(recorder);
	return 0;
}

/**
 * recorder_free() - Finish what is under way, for some seconds at most
 */
struct recorder *recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return NULL;
	stream_free(recorder->stream);
	if (recorder->why) /* its aftermath is this end */
		recorder_keep(recorder, recorder->why);
	dump_free(recorder->dump);
	ring_free(recorder->ring);
	free(recorder);
	return NULL;
}

/**
 * recorder_event() - Keep what the core is about to be told
 * @recorder: NULL is fine
 * @core: as it is before
 * @event: borrowed
 */
void recorder_event(struct recorder *recorder, const struct core *core,
		    const struct core_event *event)
{
	if (recorder)
		ring_event(recorder->ring, core, event);
}

/* _FAILURE_MAX: it is none */
static enum failure failure_of(const struct core_action *action)
{
	if (action->type != CORE_DO_TELL)
		return _FAILURE_MAX;
	switch (action->tell.what) {
	case CORE_TELL_LAPSED:
		return FAILURE_LAPSED;
	case CORE_TELL_CONFLICT:
		return FAILURE_CONFLICT;
	case CORE_TELL_MOVE_FAILED:
		return FAILURE_MOVE;
	case CORE_TELL_ACTION_FAILED:
		return action->tell.err == -EADDRINUSE ? FAILURE_OCCUPIED : FAILURE_ACTION;
	case CORE_TELL_STATE:
		if (action->tell.state == CORE_STATE_CLAIMING &&
		    action->tell.reason == CORE_REASON_PEER_DEAD)
			return FAILURE_FAILOVER;
		return _FAILURE_MAX;
	case CORE_TELL_PEER_UP:
	case CORE_TELL_PEER_SILENT:
	case CORE_TELL_PEER_NO_AGENT:
	case CORE_TELL_DIGEST:
	case CORE_TELL_REPAIRED:
	case CORE_TELL_UNFIT:
	case CORE_TELL_STRANGER:
	case CORE_TELL_UNITS_FAILED: /* if it has come to anything, the move has failed as well */
	case CORE_TELL_DISOWNED:     /* with each heartbeat of a peer that says so */
	case _CORE_TELL_MAX:
		break;
	}
	return _FAILURE_MAX;
}

static void note_failure(struct recorder *recorder, enum failure failure, instant now)
{
	instant before = recorder->seen[failure];

	recorder->seen[failure] = now;
	if (recorder->why ||
	    (instant_is_set(before) && instant_since(now, before) < RECORDER_QUIET_US))
		return;
	recorder->why = failures[failure];
	recorder->due = instant_add(now, RECORDER_AFTERMATH_US);
}

static bool is_writing(struct recorder *recorder)
{
	if (recorder->dump && dump_is_done(recorder->dump))
		recorder->dump = dump_free(recorder->dump);
	return recorder->dump;
}

/* Memory or threads may be short at such a time: then there is another try with the next event. */
static void keep_if_due(struct recorder *recorder, instant now)
{
	if (recorder->why && instant_reached(now, recorder->due) && !is_writing(recorder) &&
	    dump_to_file(recorder->ring, recorder->directory, recorder->why, &recorder->dump) >= 0)
		recorder->why = NULL;
}

/**
 * recorder_actions() - Keep what the core has decided
 * @recorder: NULL is fine
 * @core: as it is now
 * @actions: what has come of the last event
 */
void recorder_actions(struct recorder *recorder, const struct core *core,
		      const struct core_actions *actions)
{
	const uint8_t *entry;
	size_t size;

	if (!recorder)
		return;
	size = ring_actions(recorder->ring, actions, &entry);
	if (recorder->stream)
		stream_note(recorder->stream, core, entry, size);
	for (size_t i = 0; i < actions->n; i++) {
		enum failure failure = failure_of(&actions->v[i]);

		if (failure != _FAILURE_MAX)
			note_failure(recorder, failure, core->now);
	}
	keep_if_due(recorder, core->now);
}

/**
 * recorder_read() - The text of what is in memory, for whoever reads it
 *
 * Return: a descriptor, the caller's, at whose other end a thread writes: blocking, as it is for
 * others; the last line is "end" if it is complete. -EBUSY: one is being written already;
 * -ENOMEM; errors of pipe2() and pthread_create().
 */
int recorder_read(struct recorder *recorder)
{
	_cleanup_(close_fdp) int reader = -1;
	_cleanup_(close_fdp) int writer = -1;
	int fds[2], r;

	if (is_writing(recorder))
		return -EBUSY;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	reader = fds[0];
	writer = fds[1];
	if (fcntl(writer, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	r = dump_to_fd(recorder->ring, writer, &recorder->dump);
	if (r < 0)
		return r;
	(void)TAKE_FD(writer);
	return TAKE_FD(reader);
}

/**
 * recorder_keep() - Keep what is in memory in the state directory: the agent ends with an error
 * @recorder: NULL is fine
 * @why: a static text
 */
void recorder_keep(struct recorder *recorder, const char *why)
{
	if (!recorder)
		return;
	recorder->dump = dump_free(recorder->dump);
	(void)dump_to_file(recorder->ring, recorder->directory, why, &recorder->dump);
	recorder->dump = dump_free(recorder->dump);
}

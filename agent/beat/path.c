/* SPDX-License-Identifier: MIT */
#include "agent/beat/path.h"

/**
 * path_begin() - A new session of the peer: its numbers start anew.
 * @path: keeps its counters and times
 */
void path_begin(struct path *path)
{
	path->window = (struct session_window){ 0 };
	path->timed = 0;
	path->stats.heard = INSTANT_NEVER;
}

/* Round-trip time of the heartbeat that @packet echoes (RFC 6298 section 2). */
static void time_echo(struct path *path, const struct path_sent *sent,
		      const struct wire_packet *packet, instant now)
{
	uint64_t seq = packet->path_echo_seq, us;
	size_t slot = seq % PATH_SENT_MAX;

	if (seq <= path->timed || sent->slots[slot].seq != seq)
		return;
	path->timed = seq;
	us = instant_since(now, instant_add(sent->slots[slot].at, packet->path_echo_age_us));
	if (us == 0)
		us = 1; /* 0 means unknown */
	path->stats.rtt_us = path->stats.rtt_us ? (7 * path->stats.rtt_us + us) / 8 : us;
	if (!path->stats.rtt_min_us || us < path->stats.rtt_min_us)
		path->stats.rtt_min_us = us;
}

/**
 * path_take() - Count a heartbeat that came on this path in the present session.
 * @path: path
 * @sent: our heartbeats, one of which it echoes
 * @packet: BEAT
 * @now: time; the echo is timed with it
 *
 * Return: false if it came on this path before, or is too old to tell.
 */
bool path_take(struct path *path, const struct path_sent *sent, const struct wire_packet *packet,
	       instant now)
{
	int64_t lost = 0;

	switch (session_window_take(&path->window, packet->beat.seq, &lost)) {
	case SESSION_REPLAYED:
		return false;
	case SESSION_NEXT:
		path->top_heard = now;
		break;
	case SESSION_LATE:
		break;
	}
	path->stats.received++;
	path->stats.lost += (uint64_t)lost; /* -1 only fills a gap that was counted */
	path->stats.heard = now;
	time_echo(path, sent, packet, now);
	return true;
}

/**
 * path_fill_echo() - Say which heartbeat was heard last on this path, and how long ago.
 * @path: path
 * @now: time
 * @packet: gets path_echo_seq and path_echo_age_us
 */
void path_fill_echo(const struct path *path, instant now, struct wire_packet *packet)
{
	uint64_t age_us = path->window.top ? instant_since(now, path->top_heard) : 0;

	packet->path_echo_seq = path->window.top;
	packet->path_echo_age_us = age_us < UINT32_MAX ? (uint32_t)age_us : UINT32_MAX;
}

/**
 * path_sent_add() - Remember when a heartbeat left.
 * @sent: forgets the one before the last PATH_SENT_MAX
 * @seq: its number
 * @now: time
 */
void path_sent_add(struct path_sent *sent, uint64_t seq, instant now)
{
	sent->slots[seq % PATH_SENT_MAX].seq = seq;
	sent->slots[seq % PATH_SENT_MAX].at = now;
}

/* SPDX-License-Identifier: MIT */

#include "agent/trace/player.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/trace/pack.h"
#include "agent/trace/snapshot.h"
#include "agent/trace/trace.h"

struct player {
	struct core core;
	struct core_actions actions;
	struct unpacked entry;
};

/**
 * player_new() - A player that has not played anything
 *
 * Return: 0; -ENOMEM.
 */
int player_new(struct player **ret)
{
	struct player *player = calloc(1, sizeof(*player));

	if (!player)
		return -ENOMEM;
	*ret = player;
	return 0;
}

struct player *player_free(struct player *player)
{
	free(player);
	return NULL;
}

static void begin(const struct core *core, FILE *to)
{
	trace_config(to, &core->config);
	if (instant_is_set(core->now)) /* else it is as core_init() has left it */
		snapshot_print(to, core);
}

static void play_event(struct player *p, FILE *to)
{
	const struct core_event *event = &p->entry.event;

	trace_event(to, event, p->core.config.n_groups,
		    event->type == CORE_EV_BEAT ? &p->core.peers[event->peer].beat : NULL);
	core_step(&p->core, &p->entry.event, &p->actions);
	for (size_t i = 0; i < p->actions.n; i++)
		trace_action(to, &p->actions.v[i]);
	if (trace_digest(&p->actions) != p->entry.digest)
		(void)fputs(
			"# here the agent did something else: its memory is not to be trusted\n",
			to);
}

/**
 * player_play() - Go on with the text
 * @player: has played what comes before, if anything does
 * @data: whole entries; the first of all is the value of the core
 * @to: a failure to write ends it
 *
 * Return: whether all of it has been written.
 */
bool player_play(struct player *player, const uint8_t *data, size_t size, FILE *to)
{
	const uint8_t *end = data + size;

	while (data < end && !ferror(to)) {
		bool fresh = !player->core.config.n_nodes;

		data += unpack(data, &player->core, &player->entry);
		switch (player->entry.what) {
		case PACK_EVENT:
			play_event(player, to);
			break;
		case PACK_CORE:
			if (fresh)
				begin(&player->core, to);
			break;
		case PACK_LOST:
			(void)fprintf(to, "# %u events are missing here\n", player->entry.n);
			break;
		case _PACK_WHAT_MAX:
			break;
		}
	}
	return !ferror(to);
}

/**
 * player_end() - Say that this is the end, and not where something was cut off
 * @to: flushed
 */
void player_end(FILE *to)
{
	(void)fputs("end\n", to);
	(void)fflush(to); /* seen by ferror() */
}

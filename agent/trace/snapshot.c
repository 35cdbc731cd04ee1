/* SPDX-License-Identifier: MIT */

#include "agent/trace/snapshot.h"

#include <errno.h>

#include "agent/trace/fields.h"
#include "agent/trace/trace.h"

/* trace_snapshot_test.c fails if a field of these structs is missing here. */
#define CORE(label) FIELD(core, #label, label)
#define GROUP(label) FIELD(core_group, #label, label)
#define PEER(label) FIELD(core_peer, #label, label)
#define SENT(label)                                                                                \
	{                                                                                          \
#label, offsetof(struct core, sent[0].label) - offsetof(struct core, sent),        \
			sizeof(((struct core *)NULL)->sent[0].label), false                        \
	}

/* clang-format off */
static const struct field core_fields[] = {
	CORE(now), CORE(looked), CORE(awake), CORE(started), CORE(listen_from), CORE(booted),
	CORE(seq), CORE(beat_due), CORE(beat_now), CORE(unrenewed), CORE(lease_us), CORE(lease_until),
	CORE(next_id), CORE(salt), CORE(reply_to), CORE(references_known),
	CORE(references_silent), CORE(references_since), CORE(disowned_at), CORE(rebuild_due),
	CORE(rebuilding), CORE(creating), CORE(stopping), CORE(restarting), CORE(lease_frozen), CORE(exited),
	CORE(pending_node), CORE(hold_seq), CORE(stop_due), { 0 },
};

static const struct field sent_fields[] = {
	SENT(seq), SENT(at), SENT(lease_before), { 0 },
};

static const struct field group_fields[] = {
	GROUP(state), GROUP(step), GROUP(reason), GROUP(since), GROUP(term), GROUP(term_max),
	GROUP(unfit), GROUP(maintenance), GROUP(primary), GROUP(serving), GROUP(seamless),
	GROUP(pending), GROUP(due), GROUP(move), GROUP(why), GROUP(move_to), GROUP(move_id),
	GROUP(move_term), GROUP(asked), GROUP(provisional), GROUP(request), GROUP(request_at),
	GROUP(request_due), GROUP(last_switchover_us), GROUP(announced), GROUP(announce_due),
	GROUP(headless), GROUP(retry), GROUP(losses), GROUP(loss_window), GROUP(loss_counted),
	GROUP(rival_since),
	GROUP(waiting_since), GROUP(waiting_seq), GROUP(repairing), GROUP(lost), GROUP(repair_due),
	GROUP(quiet_from), GROUP(silenced), GROUP(silences), GROUP(split_traffic),
	GROUP(traffic), GROUP(probe), GROUP(probe_due), GROUP(probed), GROUP(probe_ended),
	GROUP(vacant), GROUP(probe_err), GROUP(holder), GROUP(released),
	GROUP(condoned), GROUP(inhibited), GROUP(units), GROUP(through), GROUP(leaving), GROUP(alone),
	GROUP(request_by), GROUP(options.strict), GROUP(options.force), GROUP(options.to),
	GROUP(options.within_us), { 0 },
};

static const struct field peer_fields[] = {
	PEER(known), PEER(up), PEER(no_agent), PEER(digest_differs), PEER(heard),
	PEER(echoed_seq), PEER(echoed_sent_at), PEER(heard_seq), PEER(back), PEER(again), PEER(missed),
	{ 0 },
};
/* clang-format on */

static void print_peer(FILE *to, const struct core *core, unsigned n)
{
	const struct core_peer *p = &core->peers[n];

	(void)fprintf(to, "core-peer %u", n);
	fields_print(to, p, peer_fields);
	(void)fprintf(to, "core-beat %u", n);
	trace_beat(to, &p->beat);
	for (unsigned g = 0; g < core->config.n_groups; g++) {
		if (!p->beat.groups[g].present)
			continue;
		(void)fprintf(to, "core-record %u %u", n, g);
		trace_record(to, &p->beat.groups[g]);
	}
}

/**
 * snapshot_print() - Everything that a core knows, but for its configuration
 * @to: a failure to write is kept in it, for ferror()
 * @core: borrowed
 *
 * To be printed behind trace_config().
 */
void snapshot_print(FILE *to, const struct core *core)
{
	(void)fputs("core", to);
	fields_print(to, core, core_fields);
	for (unsigned i = 0; i < CORE_SENT_MAX; i++) {
		(void)fprintf(to, "core-sent %u", i);
		fields_print(to, &core->sent[i], sent_fields);
	}
	for (unsigned g = 0; g < core->config.n_groups; g++) {
		(void)fprintf(to, "core-group %u", g);
		fields_print(to, &core->groups[g], group_fields);
	}
	for (unsigned n = 0; n < core->config.n_nodes; n++)
		if (n != core->config.self)
			print_peer(to, core, n);
}

static int parse_group(struct core *core, const char *at)
{
	struct core_group group = { 0 };
	uint8_t g;
	int r;

	r = fields_index(&at, core->config.n_groups, &g);
	if (r < 0)
		return r;
	r = fields_parse(at, &group, group_fields);
	if (r < 0)
		return r;
	if (group.state >= _CORE_STATE_MAX || group.step >= _CORE_STEP_MAX ||
	    group.reason >= _CORE_REASON_MAX || group.leaving >= _CORE_REASON_MAX ||
	    group.move >= _CORE_MOVE_MAX || group.why >= _CORE_RESULT_MAX ||
	    group.announced > core->config.n_announce || group.silences > CORE_SILENCES_MAX ||
	    (group.move_to >= core->config.n_nodes && group.move_to != CORE_NODE_NONE) ||
	    (group.holder >= core->config.n_nodes && group.holder != CORE_NODE_NONE) ||
	    (group.holder == CORE_NODE_NONE && instant_is_set(group.released)))
		return -ERANGE;
	core->groups[g] = group;
	return 0;
}

static int parse_sent(struct core *core, const char *at)
{
	uint8_t i;
	int r;

	r = fields_index(&at, CORE_SENT_MAX, &i);
	if (r < 0)
		return r;
	fields_clear(&core->sent[i], sent_fields);
	return fields_parse(at, &core->sent[i], sent_fields);
}

static int parse_peer(struct core *core, const char *at)
{
	uint8_t n;
	int r;

	r = fields_index(&at, core->config.n_nodes, &n);
	if (r < 0)
		return r;
	fields_clear(&core->peers[n], peer_fields);
	return fields_parse(at, &core->peers[n], peer_fields);
}

static int parse_beat(struct core *core, const char *at)
{
	uint8_t n;
	int r;

	r = fields_index(&at, core->config.n_nodes, &n);
	return r < 0 ? r : trace_parse_beat(at, &core->peers[n].beat);
}

static int parse_record(struct core *core, const char *at)
{
	uint8_t n, g;
	int r;

	r = fields_index(&at, core->config.n_nodes, &n);
	if (r < 0)
		return r;
	r = fields_index(&at, core->config.n_groups, &g);
	return r < 0 ? r : trace_parse_record(at, &core->peers[n].beat.groups[g]);
}

/**
 * snapshot_parse() - Take in one line of what snapshot_print() has printed
 * @core: with its configuration, by core_init()
 * @line: without its newline
 *
 * Each number is one that the core can have. That they fit together is not looked at: a core
 * that has been told nonsense may stop at one of its assertions, and does nothing worse.
 *
 * Return: 0; -EINVAL: this is no such line; -ERANGE: a number is too large.
 */
int snapshot_parse(struct core *core, const char *line)
{
	if (fields_word(&line, "core")) {
		fields_clear(core, core_fields);
		return fields_parse(line, core, core_fields);
	}
	if (fields_word(&line, "core-sent"))
		return parse_sent(core, line);
	if (fields_word(&line, "core-group"))
		return parse_group(core, line);
	if (fields_word(&line, "core-peer"))
		return parse_peer(core, line);
	if (fields_word(&line, "core-beat"))
		return parse_beat(core, line);
	if (fields_word(&line, "core-record"))
		return parse_record(core, line);
	return -EINVAL;
}

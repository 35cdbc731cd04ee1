/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <inttypes.h>

#include "agent/trace/fields.h"
#include "agent/trace/trace.h"

/*
 * A line is a word, a number that says which group or peer where there is one,
 * and the fields. Enums and sets are numbers: those of core.h, which are those of
 * the wire and only ever added to.
 */
#define EVENT(label, member) FIELD(core_event, label, member)
#define ACTION(label, member) FIELD(core_action, label, member)
#define CONFIG(label) FIELD(core_config, #label, label)
#define GROUP(label) FIELD(core_group_config, #label, label)
#define BEAT(label) FIELD(core_beat, #label, label)
#define RECORD(label) FIELD(core_record, #label, label)
#define OPTION(label) FIELD(core_record, "ask_" #label, options.label)

/* clang-format off */
static const struct field config_fields[] = {
	CONFIG(self), CONFIG(n_nodes), CONFIG(n_groups), CONFIG(n_announce), CONFIG(interval_us),
	CONFIG(lease_us), CONFIG(dead_us), CONFIG(start_wait_us), CONFIG(restart_hold_us),
	CONFIG(step_us), CONFIG(refresh_us), CONFIG(probe_us), CONFIG(digest), CONFIG(announce_us[0]),
	CONFIG(announce_us[1]), CONFIG(announce_us[2]), CONFIG(announce_us[3]),
	CONFIG(announce_us[4]), CONFIG(announce_us[5]), CONFIG(announce_us[6]),
	CONFIG(announce_us[7]),
	CONFIG(priority[0]), CONFIG(priority[1]), CONFIG(priority[2]), CONFIG(priority[3]),
	CONFIG(priority[4]), CONFIG(priority[5]), CONFIG(priority[6]), CONFIG(priority[7]), { 0 },
};

static_assert(CORE_ANNOUNCE_MAX == 8 && CORE_NODES_MAX == 8, "as many as are in the list above");

static const struct field group_fields[] = {
	GROUP(strict), GROUP(hot), GROUP(preempt), GROUP(keep_alone), GROUP(last_resort_us),
	GROUP(linger_us), GROUP(traffic_us), GROUP(before_release), GROUP(before_claim), { 0 },
};

static const struct field beat_fields[] = {
	BEAT(seq), BEAT(echo_seq), BEAT(interval_us), BEAT(lease_us), BEAT(digest), BEAT(priority),
	BEAT(reply), BEAT(wants_answer), BEAT(references_answer), BEAT(marked), { 0 },
};

static const struct field record_fields[] = {
	RECORD(state), RECORD(term), RECORD(term_max), RECORD(move), RECORD(why), RECORD(move_to),
	RECORD(move_id), RECORD(move_term), RECORD(unfit), RECORD(strict), RECORD(evidence),
	RECORD(traffic), RECORD(silences), OPTION(strict), OPTION(force), OPTION(to),
	OPTION(within_us), { 0 },
};

struct kind {
	const char *word;
	const struct field *fields;
};

static const struct kind events[_CORE_EV_MAX] = {
	[CORE_EV_TIME] = { "time", NOTHING },
	[CORE_EV_START] = { "start", LIST(EVENT("group", group), EVENT("term", start.term),
		EVENT("salt", start.salt), EVENT("maintenance", start.maintenance),
		EVENT("adopted", start.adopted), EVENT("boot", start.boot),
		EVENT("lease_left_us", start.lease_left_us)) },
	[CORE_EV_BEAT] = { "beat", LIST(EVENT("peer", peer)) },
	[CORE_EV_UNREACHABLE] = { "unreachable", LIST(EVENT("peer", peer)) },
	[CORE_EV_FITNESS] = { "fitness", LIST(EVENT("group", group),
		EVENT("reason", fitness.reason), EVENT("unfit", fitness.unfit)) },
	[CORE_EV_REFERENCES] = { "references", LIST(EVENT("silent", references_silent)) },
	[CORE_EV_SWITCHOVER] = { "switchover", LIST(EVENT("group", group),
		EVENT("request", request.request), EVENT("strict", request.options.strict),
		EVENT("force", request.options.force), EVENT("to", request.options.to),
		EVENT("within_us", request.options.within_us)) },
	[CORE_EV_MAINTENANCE] = { "maintenance", LIST(EVENT("group", group),
		EVENT("request", request.request), EVENT("on", request.on),
		EVENT("force", request.force)) },
	[CORE_EV_ANNOUNCE] = { "announce", LIST(EVENT("group", group)) },
	[CORE_EV_STOP] = { "stop", LIST(EVENT("restart", restart)) },
	[CORE_EV_DONE] = { "done", LIST(EVENT("group", group), EVENT("id", done.id),
		EVENT("err", done.err)) },
	[CORE_EV_SENT] = { "unsent", LIST(EVENT("seq", sent_seq)) },
	[CORE_EV_LOST] = { "lost", LIST(EVENT("group", group)) },
	[CORE_EV_FLUSHED] = { "flushed", NOTHING },
	[CORE_EV_LAPSED] = { "lapsed", NOTHING },
	[CORE_EV_DISOWNED] = { "disowned", LIST(EVENT("peer", peer)) },
	[CORE_EV_TRAFFIC] = { "traffic", LIST(EVENT("group", group)) },
	[CORE_EV_STRANGER] = { "stranger", LIST(EVENT("group", group), EVENT("peer", peer),
		EVENT("vip", stranger.vip)) },
	[CORE_EV_INHIBIT] = { "inhibit", LIST(EVENT("group", group),
		EVENT("request", request.request), EVENT("on", request.on)) },
};

static const struct kind actions[_CORE_DO_MAX] = {
	[CORE_DO_BEAT] = { "beat", LIST(ACTION("peer", peer), ACTION("seq", beat.seq),
		ACTION("marked", beat.marked), ACTION("alone", beat.alone),
		ACTION("reply", beat.reply), ACTION("wants_answer", beat.wants_answer)) },
	[CORE_DO_STORE] = { "store", LIST(ACTION("id", id), ACTION("group", group),
		ACTION("term", store.term), ACTION("maintenance", store.maintenance)) },
	[CORE_DO_PREPARE] = { "prepare", LIST(ACTION("id", id), ACTION("group", group),
		ACTION("ticket", ticket)) },
	[CORE_DO_REMOVE] = { "remove", LIST(ACTION("id", id), ACTION("group", group)) },
	[CORE_DO_GATE] = { "gate", LIST(ACTION("id", id), ACTION("group", group),
		ACTION("level", gate.level), ACTION("create", gate.create)) },
	[CORE_DO_SHUT] = { "shut", LIST(ACTION("id", id)) },
	[CORE_DO_REBUILD] = { "rebuild", LIST(ACTION("id", id)) },
	[CORE_DO_LEASE] = { "lease", LIST(ACTION("id", id), ACTION("lease_us", lease_us)) },
	[CORE_DO_ANNOUNCE] = { "announce", LIST(ACTION("group", group)) },
	[CORE_DO_REPLY] = { "reply", LIST(ACTION("group", group),
		ACTION("request", reply.request), ACTION("result", reply.result),
		ACTION("took_us", reply.took_us), ACTION("primary", reply.primary)) },
	[CORE_DO_TELL] = { "tell", LIST(ACTION("group", group), ACTION("peer", peer),
		ACTION("what", tell.what), ACTION("reason", tell.reason), ACTION("from", tell.from),
		ACTION("state", tell.state), ACTION("was_primary", tell.was_primary),
		ACTION("primary", tell.primary), ACTION("result", tell.result),
		ACTION("term", tell.term), ACTION("unfit", tell.unfit), ACTION("vip", tell.vip), ACTION("err", tell.err)) },
	[CORE_DO_EXIT] = { "exit", NOTHING },
	[CORE_DO_PROBE] = { "probe", LIST(ACTION("id", id), ACTION("group", group),
		ACTION("within_us", probe.within_us)) },
	[CORE_DO_DEFEND] = { "defend", LIST(ACTION("group", group), ACTION("vip", defend.vip)) },
	[CORE_DO_UNITS] = { "units", LIST(ACTION("id", id), ACTION("group", group),
		ACTION("before", units)) },
};
/* clang-format on */

/**
 * trace_config() - Begin a trace: what the core is told of itself
 * @to: a failure to write is kept in it, for ferror()
 * @config: borrowed
 */
void trace_config(FILE *to, const struct core_config *config)
{
	(void)fputs("config", to);
	fields_print(to, config, config_fields);
	for (unsigned g = 0; g < config->n_groups; g++) {
		(void)fprintf(to, "group %u", g);
		fields_print(to, &config->groups[g], group_fields);
	}
}

/**
 * trace_record() - What a heartbeat says of a group: the rest of a line
 * @to: as for trace_config()
 * @record: borrowed
 */
void trace_record(FILE *to, const struct core_record *record)
{
	fields_print(to, record, record_fields);
}

/**
 * trace_beat() - What else a heartbeat says: the rest of a line
 * @to: as for trace_config()
 * @beat: borrowed
 */
void trace_beat(FILE *to, const struct core_beat *beat)
{
	fields_print(to, beat, beat_fields);
}

/* "All groups are as in the heartbeat before this, but": a group that has gone it cannot tell. */
static const char beat_but[] = "beat-but";

static bool is_like(const struct core_beat *known, const struct core_beat *beat, uint8_t n_groups)
{
	for (unsigned g = 0; known && g < n_groups; g++)
		if (known->groups[g].present && !beat->groups[g].present)
			return false;
	return known;
}

/**
 * trace_event() - What a core is told, with a line for each group of a heartbeat
 * @to: as for trace_config()
 * @event: borrowed
 * @n_groups: of the configuration
 * @known: the heartbeat that the core has of that peer, of which the groups are not said again
 *         that are the same; NULL: say all
 */
void trace_event(FILE *to, const struct core_event *event, uint8_t n_groups,
		 const struct core_beat *known)
{
	bool as_known;

	(void)fprintf(to, "@%" PRIu64 " ", event->now.us);
	if (event->type != CORE_EV_BEAT) {
		(void)fputs(events[event->type].word, to);
		fields_print(to, event, events[event->type].fields);
		return;
	}
	as_known = is_like(known, event->beat, n_groups);
	(void)fprintf(to, "%s peer=%u", as_known ? beat_but : events[CORE_EV_BEAT].word,
		      event->peer);
	trace_beat(to, event->beat);
	for (unsigned g = 0; g < n_groups; g++) {
		const struct core_record *record = &event->beat->groups[g];

		if (!record->present || (as_known && known->groups[g].present &&
					 fields_equal(record, &known->groups[g], record_fields)))
			continue;
		(void)fprintf(to, "record %u", g);
		trace_record(to, record);
	}
}

/**
 * trace_action() - What a core has decided
 * @to: as for trace_config()
 * @action: borrowed
 */
void trace_action(FILE *to, const struct core_action *action)
{
	(void)fprintf(to, "> %s", actions[action->type].word);
	fields_print(to, action, actions[action->type].fields);
}

/**
 * trace_digest() - A few bytes that tell these actions from others
 * @list: borrowed
 *
 * Return: the digest of everything that trace_action() prints of them.
 */
uint32_t trace_digest(const struct core_actions *list)
{
	uint32_t digest = 1;

	for (size_t i = 0; i < list->n; i++)
		digest = fields_digest(digest + list->v[i].type, &list->v[i],
				       actions[list->v[i].type].fields);
	return digest;
}

/**
 * trace_parse_record() - What trace_record() has printed
 * @ret: set as a whole
 *
 * Return: 0; -EINVAL: it is not that; -ERANGE: a number is too large.
 */
int trace_parse_record(const char *at, struct core_record *ret)
{
	struct core_record record = { .present = true };
	int r;

	r = fields_parse(at, &record, record_fields);
	if (r < 0)
		return r;
	if (record.state >= _CORE_STATE_MAX || record.move >= _CORE_MOVE_MAX ||
	    record.why >= _CORE_RESULT_MAX)
		return -ERANGE;
	*ret = record;
	return 0;
}

/**
 * trace_parse_beat() - What trace_beat() has printed
 * @ret: the records in it are left as they are
 *
 * Return: as of trace_parse_record().
 */
int trace_parse_beat(const char *at, struct core_beat *ret)
{
	fields_clear(ret, beat_fields);
	return fields_parse(at, ret, beat_fields);
}

/* Bounds are checked here, as core_init() asserts them. */
static int parse_config(struct trace *trace, const char *at)
{
	struct core_config config = { 0 };
	int r;

	r = fields_parse(at, &config, config_fields);
	if (r < 0)
		return r;
	if (config.n_nodes < 1 || config.n_nodes > CORE_NODES_MAX ||
	    config.self >= config.n_nodes || config.n_groups > CORE_GROUPS_MAX ||
	    config.n_announce > CORE_ANNOUNCE_MAX)
		return -ERANGE;
	trace->config = config;
	return 0;
}

/* _CORE_EV_MAX: there is no such word */
static enum core_event_type event_of(const char **at)
{
	enum core_event_type type = 0;

	while (type < _CORE_EV_MAX && !fields_word(at, events[type].word))
		type++;
	return type;
}

static int parse_event(struct trace *trace, const char *at)
{
	struct core_event event = { 0 };
	bool as_known, nobody;
	uint64_t now;
	int r;

	r = fields_number(&at, &now);
	if (r < 0 || *at != ' ')
		return r < 0 ? r : -EINVAL;
	at++;
	as_known = fields_word(&at, beat_but);
	event.type = as_known ? CORE_EV_BEAT : event_of(&at);
	if (event.type == _CORE_EV_MAX)
		return -EINVAL;
	memset(&trace->beat, 0, sizeof(trace->beat));
	r = fields_parse_two(at, &event, events[event.type].fields, &trace->beat,
			     event.type == CORE_EV_BEAT ? beat_fields : NULL);
	if (r < 0)
		return r;
	nobody = event.type == CORE_EV_STRANGER && event.peer == CORE_NODE_NONE;
	if ((event.peer >= trace->config.n_nodes && !nobody) ||
	    (event.group && event.group >= trace->config.n_groups))
		return -ERANGE;
	event.now = (instant){ now };
	if (event.type == CORE_EV_BEAT)
		event.beat = &trace->beat;
	trace->event = event;
	trace->as_known = as_known;
	return 0;
}

static int parse_record(struct trace *trace, const char *at)
{
	uint8_t group;
	int r;

	r = fields_index(&at, trace->config.n_groups, &group);
	return r < 0 ? r : trace_parse_record(at, &trace->beat.groups[group]);
}

static int parse_group(struct trace *trace, const char *at)
{
	struct core_group_config config = { 0 };
	uint8_t group;
	int r;

	r = fields_index(&at, trace->config.n_groups, &group);
	if (r >= 0)
		r = fields_parse(at, &config, group_fields);
	if (r >= 0)
		trace->config.groups[group] = config;
	return r;
}

/**
 * trace_parse() - Take in one line of a trace
 * @trace: what the lines before have said; all zero at first
 * @line: without its newline; actions are known by their mark only: they are compared as text
 * @ret_what: what it was
 *
 * The records of a heartbeat follow its line. The others, if it is ->as_known, are those of the
 * heartbeat that the core has of that peer: the caller puts them in before. Of the value of a core
 * only that it is: what it is snapshot_parse() knows.
 *
 * Return: 0; -EINVAL: this is no line of a trace; -ERANGE: a number is too large.
 */
int trace_parse(struct trace *trace, const char *line, enum trace_what *ret_what)
{
	enum trace_what what;
	int r = 0;

	if (*line == '>') {
		what = TRACE_ACTION;
	} else if (*line == '@') {
		what = TRACE_EVENT;
		r = parse_event(trace, line + 1);
	} else if (fields_word(&line, "record")) {
		what = TRACE_RECORD;
		r = parse_record(trace, line);
	} else if (fields_word(&line, "group")) {
		what = TRACE_GROUP;
		r = parse_group(trace, line);
	} else if (fields_word(&line, "config")) {
		what = TRACE_CONFIG;
		r = parse_config(trace, line);
	} else if (strncmp(line, "core", strlen("core")) == 0) {
		what = TRACE_CORE;
	} else if (strcmp(line, "again") == 0) {
		what = TRACE_AGAIN;
	} else if (strcmp(line, "end") == 0) {
		what = TRACE_END;
	} else {
		return -EINVAL;
	}
	if (r < 0)
		return r;
	*ret_what = what;
	return 0;
}

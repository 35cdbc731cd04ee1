/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "agent/trace.h"

/*
 * A line is a word, a number that says which group or peer where there is one,
 * and "name=value" for every field that is not zero. Enums and sets are numbers:
 * those of core.h, which are those of the wire and only ever added to.
 */
struct field {
	const char *name; /* NULL ends a list */
	size_t offset, size;
	bool is_bool;
};

#define FIELD(type, label, member)                                                                 \
	{                                                                                          \
		label, offsetof(struct type, member), sizeof(((struct type *)NULL)->member),       \
			_Generic(((struct type *)NULL)->member, bool                               \
				 : true, default                                                   \
				 : false)                                                          \
	}
#define EVENT(label, member) FIELD(core_event, label, member)
#define ACTION(label, member) FIELD(core_action, label, member)
#define CONFIG(label) FIELD(core_config, #label, label)
#define GROUP(label) FIELD(core_group_config, #label, label)
#define BEAT(label) FIELD(core_beat, #label, label)
#define RECORD(label) FIELD(core_record, #label, label)
#define LIST(...)                                                                                  \
	(const struct field[])                                                                     \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define NOTHING                                                                                    \
	(const struct field[])                                                                     \
	{                                                                                          \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

/* clang-format off */
static const struct field config_fields[] = {
	CONFIG(self), CONFIG(n_nodes), CONFIG(n_groups), CONFIG(n_announce), CONFIG(interval_us),
	CONFIG(lease_us), CONFIG(dead_us), CONFIG(start_wait_us), CONFIG(restart_hold_us),
	CONFIG(step_us), CONFIG(digest), CONFIG(announce_us[0]), CONFIG(announce_us[1]),
	CONFIG(announce_us[2]), CONFIG(announce_us[3]), CONFIG(announce_us[4]),
	CONFIG(announce_us[5]), CONFIG(announce_us[6]), CONFIG(announce_us[7]),
	CONFIG(priority[0]), CONFIG(priority[1]), CONFIG(priority[2]), CONFIG(priority[3]),
	CONFIG(priority[4]), CONFIG(priority[5]), CONFIG(priority[6]), CONFIG(priority[7]), { 0 },
};

static_assert(CORE_ANNOUNCE_MAX == 8 && CORE_NODES_MAX == 8, "as many as are in the list above");

static const struct field group_fields[] = {
	GROUP(strict), GROUP(hot), GROUP(preempt), GROUP(keep_alone), GROUP(last_resort_us),
	GROUP(linger_us), GROUP(traffic_us), { 0 },
};

static const struct field beat_fields[] = {
	BEAT(seq), BEAT(echo_seq), BEAT(interval_us), BEAT(lease_us), BEAT(digest), BEAT(priority),
	BEAT(reply), BEAT(wants_answer), BEAT(references_answer), BEAT(marked), { 0 },
};

static const struct field record_fields[] = {
	RECORD(state), RECORD(term), RECORD(term_max), RECORD(move), RECORD(why), RECORD(move_to),
	RECORD(move_id), RECORD(move_term), RECORD(unfit), RECORD(strict), RECORD(evidence),
	RECORD(traffic), RECORD(silences), { 0 },
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
		EVENT("request", request.request)) },
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
		ACTION("term", tell.term), ACTION("unfit", tell.unfit), ACTION("err", tell.err)) },
	[CORE_DO_EXIT] = { "exit", NOTHING },
};
/* clang-format on */

static bool is_signed(const struct field *f)
{
	return strcmp(f->name, "err") == 0;
}

static uint64_t get(const void *object, const struct field *f)
{
	const void *at = (const uint8_t *)object + f->offset;

	switch (f->size) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		return *(const uint16_t *)at;
	case 4:
		return *(const uint32_t *)at;
	}
	return *(const uint64_t *)at;
}

/* What does not fit is refused. */
static int set(void *object, const struct field *f, uint64_t value)
{
	void *at = (uint8_t *)object + f->offset;

	if ((f->size < sizeof(value) && value >> (8 * f->size)) || (f->is_bool && value > 1))
		return -ERANGE;
	switch (f->size) {
	case 1:
		*(uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)at = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)at = (uint32_t)value;
		break;
	default:
		*(uint64_t *)at = value;
		break;
	}
	return 0;
}

static void print_fields(FILE *to, const void *object, const struct field *fields)
{
	for (const struct field *f = fields; f->name; f++) {
		uint64_t value = get(object, f);

		if (value && is_signed(f))
			(void)fprintf(to, " %s=%" PRId32, f->name, (int32_t)value);
		else if (value)
			(void)fprintf(to, " %s=%" PRIu64, f->name, value);
	}
	(void)fputc('\n', to);
}

/**
 * trace_config() - Begin a trace: what the core is told of itself
 * @to: a failure to write is kept in it, for ferror()
 * @config: borrowed
 */
void trace_config(FILE *to, const struct core_config *config)
{
	(void)fputs("config", to);
	print_fields(to, config, config_fields);
	for (unsigned g = 0; g < config->n_groups; g++) {
		(void)fprintf(to, "group %u", g);
		print_fields(to, &config->groups[g], group_fields);
	}
}

/**
 * trace_event() - What a core is told, with a line for each group of a heartbeat
 * @to: as for trace_config()
 * @event: borrowed
 * @n_groups: of the configuration
 */
void trace_event(FILE *to, const struct core_event *event, uint8_t n_groups)
{
	(void)fprintf(to, "@%" PRIu64 " %s", event->now.us, events[event->type].word);
	if (event->type != CORE_EV_BEAT) {
		print_fields(to, event, events[event->type].fields);
		return;
	}
	(void)fprintf(to, " peer=%u", event->peer);
	print_fields(to, event->beat, beat_fields);
	for (unsigned g = 0; g < n_groups; g++) {
		if (!event->beat->groups[g].present)
			continue;
		(void)fprintf(to, "record %u", g);
		print_fields(to, &event->beat->groups[g], record_fields);
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
	print_fields(to, action, actions[action->type].fields);
}

/* A decimal number, perhaps negative; moves on behind it. */
static int parse_number(const char **at, bool with_sign, uint64_t *ret)
{
	bool negative = with_sign && **at == '-';
	char *end;

	if (!isdigit((unsigned char)(*at)[negative]))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(*at + negative, &end, 10);
	if (errno || (negative && *ret > INT32_MAX))
		return -ERANGE;
	if (negative)
		*ret = (uint32_t) - (int32_t)*ret;
	*at = end;
	return 0;
}

static const struct field *find_field(const struct field *fields, const char *name, size_t len)
{
	for (const struct field *f = fields; f->name; f++)
		if (strlen(f->name) == len && memcmp(f->name, name, len) == 0)
			return f;
	return NULL;
}

/* " name=value" again and again, of one of two objects. */
static int parse_fields(const char *at, void *object, const struct field *fields, void *other,
			const struct field *more)
{
	while (*at == ' ') {
		size_t len = strcspn(++at, "= ");
		const struct field *f = find_field(fields, at, len);
		void *of = object;
		uint64_t value;
		int r;

		if (!f && more) {
			f = find_field(more, at, len);
			of = other;
		}
		if (!f || at[len] != '=')
			return -EINVAL;
		at += len + 1;
		r = parse_number(&at, is_signed(f), &value);
		if (r < 0)
			return r;
		r = set(of, f, value);
		if (r < 0)
			return r;
	}
	return *at ? -EINVAL : 0;
}

static bool skip_word(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0 || ((*at)[len] != ' ' && (*at)[len]))
		return false;
	*at += len;
	return true;
}

/* "config" and "group 0": bounds are checked here, as core_init() asserts them. */
static int parse_config(struct trace *trace, const char *at)
{
	struct core_config config = { 0 };
	int r;

	r = parse_fields(at, &config, config_fields, NULL, NULL);
	if (r < 0)
		return r;
	if (config.n_nodes < 1 || config.n_nodes > CORE_NODES_MAX ||
	    config.self >= config.n_nodes || config.n_groups > CORE_GROUPS_MAX ||
	    config.n_announce > CORE_ANNOUNCE_MAX)
		return -ERANGE;
	trace->config = config;
	return 0;
}

static int parse_index(const char **at, uint8_t n, uint8_t *ret)
{
	uint64_t value;
	int r;

	if (**at != ' ')
		return -EINVAL;
	(*at)++;
	r = parse_number(at, false, &value);
	if (r < 0)
		return r;
	if (value >= n)
		return -ERANGE;
	*ret = (uint8_t)value;
	return 0;
}

static int parse_event(struct trace *trace, const char *at)
{
	struct core_event event = { 0 };
	uint64_t now;
	int r;

	r = parse_number(&at, false, &now);
	if (r < 0 || *at != ' ')
		return r < 0 ? r : -EINVAL;
	at++;
	while (event.type < _CORE_EV_MAX && !skip_word(&at, events[event.type].word))
		event.type++;
	if (event.type == _CORE_EV_MAX)
		return -EINVAL;
	memset(&trace->beat, 0, sizeof(trace->beat));
	r = parse_fields(at, &event, events[event.type].fields, &trace->beat,
			 event.type == CORE_EV_BEAT ? beat_fields : NULL);
	if (r < 0)
		return r;
	if (event.peer >= trace->config.n_nodes ||
	    (event.group && event.group >= trace->config.n_groups))
		return -ERANGE;
	event.now = (instant){ now };
	if (event.type == CORE_EV_BEAT)
		event.beat = &trace->beat;
	trace->event = event;
	return 0;
}

static int parse_record(struct trace *trace, const char *at)
{
	struct core_record record = { .present = true };
	uint8_t group;
	int r;

	r = parse_index(&at, trace->config.n_groups, &group);
	if (r < 0)
		return r;
	r = parse_fields(at, &record, record_fields, NULL, NULL);
	if (r < 0)
		return r;
	if (record.state >= _CORE_STATE_MAX || record.move >= _CORE_MOVE_MAX ||
	    record.why >= _CORE_RESULT_MAX)
		return -ERANGE;
	trace->beat.groups[group] = record;
	return 0;
}

static int parse_group(struct trace *trace, const char *at)
{
	struct core_group_config config = { 0 };
	uint8_t group;
	int r;

	r = parse_index(&at, trace->config.n_groups, &group);
	if (r >= 0)
		r = parse_fields(at, &config, group_fields, NULL, NULL);
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
 * The records of a heartbeat follow its line.
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
	} else if (skip_word(&line, "record")) {
		what = TRACE_RECORD;
		r = parse_record(trace, line);
	} else if (skip_word(&line, "group")) {
		what = TRACE_GROUP;
		r = parse_group(trace, line);
	} else if (skip_word(&line, "config")) {
		what = TRACE_CONFIG;
		r = parse_config(trace, line);
	} else {
		return -EINVAL;
	}
	if (r < 0)
		return r;
	*ret_what = what;
	return 0;
}

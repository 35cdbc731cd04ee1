/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <inttypes.h>
#include <time.h>

#include "sdbus/ctl_line.h"
#include "sdbus/ctl_page.h"

static struct timespec wall_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail: the clock exists */
	return now;
}

/* The clock on the wall, as journalctl shows it. */
static void local_time(struct timespec at, char *buf, size_t size)
{
	struct tm tm;
	size_t len;

	(void)localtime_r(&at.tv_sec, &tm);
	len = strftime(buf, size, "%b %d %H:%M:%S", &tm);
	(void)snprintf(buf + len, size - len, ".%03ld", at.tv_nsec / 1000000); /* fits */
}

/* The same for programs: RFC 3339, UTC. */
static void universal_time(struct timespec at, char *buf, size_t size)
{
	struct tm tm;
	size_t len;

	(void)gmtime_r(&at.tv_sec, &tm);
	len = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + len, size - len, ".%03ldZ", at.tv_nsec / 1000000); /* fits */
}

/* @json: takes it; what kind of line it is, and when, goes in front */
static void print_json(struct ctl *ctl, const char *type, json_t *json)
{
	json_t *line;
	char when[64];

	universal_time(wall_now(), when, sizeof(when));
	line = json_pack("{s:s, s:I, s:s}", "time", when, "now_us", (json_int_t)ctl_now(ctl).us,
			 "type", type);
	(void)json_object_update(line, json);
	json_decref(json);
	(void)ctl_json_print(ctl, line); /* it has complained itself */
}

/* The beginning of a line for people: when, and about what. */
static FILE *begin_line(struct ctl *ctl, const char *about)
{
	char when[64];

	local_time(wall_now(), when, sizeof(when));
	fprintf(ctl->out, "%s  %-10s  ", when, about);
	return ctl->out;
}

static void end_line(struct ctl *ctl)
{
	fputc('\n', ctl->out);
	(void)fflush(ctl->out); /* the stream remembers a failure */
}

static void print_list(FILE *out, char *const *list)
{
	fputs(list && *list ? "" : "none", out);
	for (const char *between = ""; list && *list; list++, between = ", ")
		fprintf(out, "%s%s", between, *list);
}

static void print_nodes(FILE *out, const struct api_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		fprintf(out, "%s%s=%s", i ? ", " : "", nodes->v[i].name, nodes->v[i].state);
		if (nodes->v[i].unfit && *nodes->v[i].unfit) {
			fputs(" (unfit: ", out);
			print_list(out, nodes->v[i].unfit);
			fputc(')', out);
		}
	}
}

static void print_inhibitors(FILE *out, const struct api_inhibitors *inhibitors)
{
	fputs(inhibitors->n ? "" : "none", out);
	for (size_t i = 0; i < inhibitors->n; i++)
		fprintf(out, "%s%s (%s)", i ? ", " : "", inhibitors->v[i].who,
			inhibitors->v[i].why);
}

static void print_value(FILE *out, const struct ctl_field *field, const void *object)
{
	const void *at = (const uint8_t *)object + field->offset;

	switch (field->kind) {
	case CTL_KIND_TEXT:
		fputs(**(const char *const *)at ? *(const char *const *)at : "nobody", out);
		break;
	case CTL_KIND_COUNT:
		fprintf(out, "%" PRIu64, *(const uint64_t *)at);
		break;
	case CTL_KIND_SPAN:
		fputs(page_span(*(const uint64_t *)at).text, out);
		break;
	case CTL_KIND_BOOL:
		fputs(*(const bool *)at ? "yes" : "no", out);
		break;
	case CTL_KIND_LIST:
		print_list(out, *(char *const *const *)at);
		break;
	case CTL_KIND_NODES:
		print_nodes(out, at);
		break;
	case CTL_KIND_INHIBITORS:
		print_inhibitors(out, at);
		break;
	case CTL_KIND_TIME:
	case CTL_KIND_PATHS:
	case CTL_KIND_CHECKS: /* never among what has changed */
	case _CTL_KIND_MAX:
		break; /* not for people */
	}
}

/* A point in time since boot says nothing to people; the line has its own. */
static uint32_t for_people(const struct ctl_field *fields, uint32_t changed)
{
	for (unsigned i = 0; fields[i].property; i++)
		if (fields[i].kind == CTL_KIND_TIME || fields[i].kind == CTL_KIND_PATHS)
			changed &= ~(1U << i);
	return changed;
}

/* "last_switchover_us" is "last switchover" to people. */
static void print_label(FILE *out, const struct ctl_field *field)
{
	const char *end = field->member + strlen(field->member);

	if (field->kind == CTL_KIND_SPAN)
		end -= strlen("_us");
	for (const char *c = field->member; c < end; c++)
		fputc(*c == '_' ? ' ' : *c, out);
	fputc(' ', out);
}

static void print_changes(struct ctl *ctl, const char *name, const struct ctl_field *fields,
			  const void *object, uint32_t changed)
{
	const char *between = "";
	FILE *out;

	changed = for_people(fields, changed);
	if (!changed)
		return;
	out = begin_line(ctl, name);
	for (unsigned i = 0; fields[i].property; i++) {
		if (!(changed & 1U << i))
			continue;
		fputs(between, out);
		print_label(out, &fields[i]);
		print_value(out, &fields[i], object);
		between = "; ";
	}
	end_line(ctl);
}

/**
 * ctl_line_changes() - properties of a group or peer that have changed
 * @ctl: the program
 * @type: "group" or "peer"
 * @name: its name
 * @fields: its properties
 * @object: the object
 * @changed: which of them, a bit for each; if none says anything to people they get no line
 */
void ctl_line_changes(struct ctl *ctl, const char *type, const char *name,
		      const struct ctl_field *fields, const void *object, uint32_t changed)
{
	if (!changed)
		return;
	if (ctl->json)
		print_json(ctl, type,
			   json_pack("{s:o, s:o}", type, ctl_json_text(name), "changed",
				     ctl_json_fields(fields, object, changed)));
	else
		print_changes(ctl, name, fields, object, changed);
}

/**
 * ctl_line_daemon() - whether takeoverd runs
 * @ctl: the program
 * @runs: it has its name on the bus
 * @hangs: and does not answer
 */
void ctl_line_daemon(struct ctl *ctl, bool runs, bool hangs)
{
	FILE *out;

	if (ctl->json) {
		print_json(ctl, "daemon", json_pack("{s:b, s:b}", "runs", runs, "hangs", hangs));
		return;
	}
	out = begin_line(ctl, "takeoverd");
	fputs(!runs ? "does not run" : hangs ? "runs but does not answer" : "runs", out);
	end_line(ctl);
}

/**
 * ctl_line_role() - this node has another role
 * @ctl: the program
 * @group: in this group
 * @role: what it is now
 * @reason: why
 */
void ctl_line_role(struct ctl *ctl, const char *group, const char *role, const char *reason)
{
	if (ctl->json) {
		print_json(ctl, "role",
			   json_pack("{s:o, s:o, s:o}", "group", ctl_json_text(group), "role",
				     ctl_json_text(role), "reason", ctl_json_text(reason)));
		return;
	}
	fprintf(begin_line(ctl, group), "this node is %s now (%s)", role, reason);
	end_line(ctl);
}

/**
 * ctl_line_event() - what the agent has logged
 * @ctl: the program
 * @group: of this group; NULL: of the node
 * @id: its number
 * @level: how grave it is
 * @text: what happened
 */
void ctl_line_event(struct ctl *ctl, const char *group, const char *id, const char *level,
		    const char *text)
{
	if (ctl->json) {
		print_json(ctl, "event",
			   json_pack("{s:o, s:o, s:o, s:o}", "group",
				     group ? ctl_json_text(group) : json_null(), "id",
				     ctl_json_text(id), "level", ctl_json_text(level), "text",
				     ctl_json_text(text)));
		return;
	}
	fprintf(begin_line(ctl, group ?: "takeoverd"), "%s %s: %s", id, level, text);
	end_line(ctl);
}

static struct timespec time_of(const struct ctl_event *event)
{
	return (struct timespec){ (time_t)(event->time_us / USEC_PER_SEC),
				  (long)(event->time_us % USEC_PER_SEC * 1000) };
}

static void past_json(struct ctl *ctl, const struct ctl_event *event)
{
	json_t *json;
	char when[64], member[64];

	universal_time(time_of(event), when, sizeof(when));
	json = json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "time", when, "time_us",
			 (json_int_t)event->time_us, "number", (json_int_t)event->number, "id",
			 ctl_json_text(event->id), "level", ctl_json_text(event->level), "text",
			 ctl_json_text(event->text));
	for (size_t i = 0; i < event->n_fields; i++) {
		(void)snprintf(member, sizeof(member), "%s", event->fields[i].name);
		for (char *c = member; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		(void)json_object_set_new(json, member, ctl_json_text(event->fields[i].value));
	}
	(void)ctl_json_print(ctl, json); /* it has complained itself */
}

/**
 * ctl_line_past() - an event that has happened, with its time
 * @ctl: the program
 * @event: the event
 */
void ctl_line_past(struct ctl *ctl, const struct ctl_event *event)
{
	char when[64];

	if (ctl->json) {
		past_json(ctl, event);
		return;
	}
	local_time(time_of(event), when, sizeof(when));
	fprintf(ctl->out, "%s  %-10s  %s %s: %s", when, event->group ?: "takeoverd", event->id,
		event->level, event->text);
	end_line(ctl);
}

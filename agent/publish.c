/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "agent/bus/bus.h"
#include "agent/reaction/react.h"
#include "agent/store/history.h"
#include "agent/publish.h"

enum { TERM_TEXT_MAX = 24 };

/* The only look at the clock on the wall: people want to know when something was. */
static uint64_t wall_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail with this clock */
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static void set(struct event *event, enum event_field field, const char *value)
{
	if (!event->fields[field])
		event->fields[field] = value;
}

/* Where it was, and how things stood, unless the event is about another moment. */
static void add_context(const struct agent *agent, struct event *event,
			char term[static TERM_TEXT_MAX])
{
	const struct core_group *group;

	set(event, EVENT_FIELD_NODE, agent->conf->nodes[agent->self].name);
	if (event_kind(event->type)->of_group) {
		group = &agent->core.groups[event->group];
		(void)snprintf(term, TERM_TEXT_MAX, "%" PRIu64, group->term); /* fits */
		set(event, EVENT_FIELD_GROUP, agent->conf->groups[event->group].name);
		set(event, EVENT_FIELD_ROLE, group->primary ? "primary" : "backup");
		set(event, EVENT_FIELD_STATE, core_state_name(group->state));
		set(event, EVENT_FIELD_TERM, term);
	}
	for (size_t f = 0; f < _EVENT_FIELD_MAX; f++) {
		const char *value = event->fields[f];

		if (value && (!*value || !event_is_plain(value)))
			event->fields[f] = NULL; /* the bus would refuse all of it */
	}
}

/* "TAKEOVER_GROUP=sip\n", as far as there is room for whole ones. */
static void add_field(char fields[static LOG_FIELDS_MAX], const char *name, const char *value)
{
	size_t used = strlen(fields), name_len = strlen(name);

	if (used + name_len + strlen(value) + sizeof("TAKEOVER_=\n") > LOG_FIELDS_MAX)
		return;
	used += (size_t)snprintf(fields + used, LOG_FIELDS_MAX - used, "TAKEOVER_"); /* fits */
	for (size_t i = 0; i < name_len; i++)
		fields[used++] = (char)toupper(name[i]);
	(void)snprintf(fields + used, LOG_FIELDS_MAX - used, "=%s\n", value); /* the same */
}

static void log_event(const struct event *event)
{
	const struct event_kind *kind = event_kind(event->type);
	const char *group = event->fields[EVENT_FIELD_GROUP];
	char fields[LOG_FIELDS_MAX];

	(void)snprintf(fields, sizeof(fields), "MESSAGE_ID=%s\n", kind->message_id); /* fits */
	add_field(fields, "Event", kind->id);
	add_field(fields, "Level", event_level_word(kind->level));
	add_field(fields, "Category", event_category_word(kind->category));
	for (enum event_field f = 0; f < _EVENT_FIELD_MAX; f++)
		if (event->fields[f])
			add_field(fields, event_field_name(f), event->fields[f]);
	log_line(kind->level, kind->id, group ? group : "", event->text, fields);
}

/* The last to hear of it: what is started then may be told of in turn. */
static void start_reactions(struct agent *agent, const struct event *event)
{
	const struct event_kind *kind = event_kind(event->type);
	const struct react_cause cause = { .event = kind->id,
					   .group = kind->of_group ? event->group : 0,
					   .of_group = kind->of_group,
					   .from = agent->self };

	react_to(agent->react, &cause);
}

/**
 * publish() - Let everybody hear of an event
 * @event: of event_say(), with the fields that it is about; the others are set here
 *
 * Nothing of it waits: who keeps it on disk and who logs it are threads, and the bus is sent to
 * from the loop.
 */
void publish(struct agent *agent, struct event *event)
{
	char term[TERM_TEXT_MAX];

	add_context(agent, event, term);
	event->time_us = wall_us();
	history_add(agent->history, event);
	disk_note(agent->disk);
	log_event(event);
	bus_event(agent->bus, event);
	start_reactions(agent, event);
}

/**
 * publish_say() - The same, for one without fields of its own
 * @group: EVENT_NO_GROUP if it concerns the node
 */
void publish_say(struct agent *agent, uint8_t group, enum event_type type, const char *format, ...)
{
	struct event event = { .group = group };
	char text[EVENT_TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap); /* cut is enough */
	va_end(ap);
	event_say(&event, type, "%s", text);
	publish(agent, &event);
}

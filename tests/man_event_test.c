/* SPDX-License-Identifier: MIT */

/*
 * The manual against the events that the agent tells of, and the messages it logs: both are read
 * from the sources, where each has its sentence as a format. The catalog of the journal against
 * the same table.
 */

#include <ctype.h>
#include <errno.h>
#include <glob.h>

#include "agent/bus/bus.h"
#include "agent/event.h"
#include "agent/log.h"
#include "tests/man_page.h"

#define MESSAGES_PAGE "man/takeoverd.8"
#define EVENTS_PAGE "man/takeover-events.7"
#define CATALOG "units/takeover.catalog"

enum { TEXT_MAX = 512 };

/* The first @what in @text becomes @with. */
static void replace(char text[static TEXT_MAX], const char *what, const char *with)
{
	char *at = strstr(text, what);
	char rest[TEXT_MAX];

	cr_assert(at, "no \"%s\" in \"%s\"", what, text);
	(void)snprintf(rest, sizeof(rest), "%s", at + strlen(what));
	(void)snprintf(at, TEXT_MAX - (size_t)(at - text), "%s%s", with, rest);
}

/* Free it. */
static char *read_source(const char *path)
{
	char *text = NULL;
	FILE *f = fopen(path, "re");
	size_t size = 0;

	cr_assert(f, "%s", path);
	cr_assert_gt(getdelim(&text, &size, '\0', f), 0);
	cr_assert_eq(fclose(f), 0);
	return text;
}

/*
 * The items ".It @macro ..." of a section as lines "REST-OF-IT TEXT", the text being
 * what stands up to .Pp. Free it.
 */
static struct page *items(const char *file, const char *header, const char *macro)
{
	_cleanup_(freep) struct page *page = page_read(file);
	_cleanup_(freep) struct page *section = page_section(page, header);
	struct page *found = calloc(1, sizeof(*found));
	char begin[32];

	cr_assert(found);
	(void)snprintf(begin, sizeof(begin), ".It %s ", macro);
	for (size_t i = 0; i < section->n; i++) {
		char line[TEXT_MAX];

		if (!begins(section->lines[i], begin))
			continue;
		(void)snprintf(line, sizeof(line), "%s", section->lines[i] + strlen(begin));
		while (++i < section->n && strcmp(section->lines[i], ".Pp") != 0) {
			const char *text = section->lines[i];

			text += begins(text, "\\&") ? 2 : 0;
			(void)snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s",
				       text);
		}
		if (strstr(line, " No "))
			replace(line, " No ", " ");
		page_add(found, line);
	}
	return found;
}

/*
 * From @p, behind what comes before a format: its strings, of which there may be a choice, each
 * with @level before it.
 */
static void note_formats(struct page *messages, const char *level, const char *p)
{
	char line[TEXT_MAX];
	bool inside = false;
	int depth = 0;
	size_t len = 0;

	for (;; p++) {
		if (inside && *p == '%') {
			p += strcspn(p, "diouxXeEfFgGsc\"");
			inside = *p != '"'; /* the rest is in a macro: PRIu64 */
			len += (size_t)snprintf(line + len, sizeof(line) - len, "...");
		} else if (*p == '"') {
			inside = !inside;
		} else if (inside) {
			line[len++] = *p;
			cr_assert_lt(len, sizeof(line) - 4);
		} else if (*p == ':' || (depth == 0 && (*p == ',' || *p == ')'))) {
			char whole[TEXT_MAX + 16];

			line[len] = '\0';
			len = 0;
			(void)snprintf(whole, sizeof(whole), "%s %s", level, line);
			if (!page_count(messages, whole))
				page_add(messages, whole);
			if (*p != ':')
				return;
		} else {
			depth += (*p == '(') - (*p == ')');
		}
	}
}

static void note_messages(struct page *messages, const char *path)
{
	_cleanup_(freep) char *text = read_source(path);

	for (const char *at = text; (at = strstr(at, "log_say(LOG_LEVEL_")); at++) {
		char level[16];
		size_t len = 0;

		for (const char *p = at + strlen("log_say(LOG_LEVEL_"); isupper(*p); p++)
			level[len++] = (char)tolower(*p);
		level[len] = '\0';
		note_formats(messages, level, strchr(at, ',') + 1);
	}
}

/* EVENT_PEER_UP is peer-up in the table. */
static const struct event_kind *kind_of(const char *token, size_t len)
{
	char name[64];

	len -= strlen("EVENT_");
	cr_assert_lt(len, sizeof(name));
	for (size_t i = 0; i < len; i++)
		name[i] = token[i + strlen("EVENT_")] == '_'
				  ? '-'
				  : (char)tolower(token[i + strlen("EVENT_")]);
	name[len] = '\0';
	for (enum event_type type = 0; type < _EVENT_MAX; type++)
		if (!strcmp(event_kind(type)->name, name))
			return event_kind(type);
	cr_assert_fail("no event %s in the table", name);
	return NULL;
}

/* Each "..._say(..., EVENT_X, format" of a file, as "ID LEVEL TEXT" */
static void note_events(struct page *events, const char *path)
{
	_cleanup_(freep) char *text = read_source(path);

	for (const char *at = text; (at = strstr(at, "_say(")); at++) {
		const char *token = strstr(at, "EVENT_"), *end = strpbrk(at, "\")");
		const struct event_kind *kind;
		char begin[64];

		if (!token || !end || token > end)
			continue;
		if (!strncmp(token, "EVENT_NO_GROUP", strlen("EVENT_NO_GROUP")))
			token = strstr(token + 1, "EVENT_");
		kind = kind_of(token, strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"));
		(void)snprintf(begin, sizeof(begin), "%s %s", kind->id,
			       event_level_word(kind->level));
		note_formats(events, begin, strchr(token, ',') + 1);
	}
}

/* How many bytes of @at stand for something that differs: "..." or a word in capitals. */
static size_t placeholder(const char *at)
{
	size_t len = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	if (!strncmp(at, "...", 3))
		return 3;
	return len > 1 && !isalnum((unsigned char)at[len]) ? len : 0;
}

/* The manual has words in capitals where a format has conversions: several are one. */
static void generalise_line(char line[static PAGE_LINE_MAX])
{
	char from[PAGE_LINE_MAX];
	const char *at = from;
	bool between = true; /* words */
	char *to = line;

	(void)snprintf(from, sizeof(from), "%s", line);
	while (*at) {
		size_t len = between || *at == '.' ? placeholder(at) : 0;

		between = len || !isalnum((unsigned char)*at);
		if (!len) {
			*to++ = *at++;
			continue;
		}
		at += len;
		if (to - line >= 4 && !strncmp(to - 4, "... ", 4))
			to--;
		else if (to - line < 3 || strncmp(to - 3, "...", 3) != 0)
			to = stpcpy(to, "...");
	}
	*to = '\0';
}

static void generalise(struct page *page)
{
	for (size_t i = 0; i < page->n; i++)
		generalise_line(page->lines[i]);
}

/* Without those that are the same when generalised. */
static void unite(struct page *page)
{
	size_t n = 0;

	for (size_t i = 0; i < page->n; i++) {
		bool again = false;

		for (size_t k = 0; k < n; k++)
			again = again || !strcmp(page->lines[k], page->lines[i]);
		if (!again)
			memmove(page->lines[n++], page->lines[i], sizeof(page->lines[0]));
	}
	page->n = n;
}

/* What tell_unit() says of a unit: each fault that service.c has a word for. */
static void note_units(struct page *events)
{
	_cleanup_(freep) char *text = read_source("agent/systemd/service.c");
	const struct event_kind *kind = event_kind(EVENT_UNIT_FAULT);
	char line[TEXT_MAX];

	for (size_t i = 0; i < events->n; i++)
		if (begins(events->lines[i], kind->id))
			memmove(events->lines[i], events->lines[--events->n], PAGE_LINE_MAX);
	for (const char *at = text; (at = strstr(at, "return \"")); at++) {
		at += strlen("return \"");
		(void)snprintf(line, sizeof(line), "%s %s unit ... %.*s", kind->id,
			       event_level_word(kind->level), (int)strcspn(at, "\""), at);
		page_add(events, line);
	}
}

static void each_source(struct page *page, void (*note)(struct page *page, const char *path))
{
	glob_t files;

	cr_assert_eq(glob("agent/*.c", 0, NULL, &files), 0);
	cr_assert_eq(glob("agent/*/*.c", GLOB_APPEND, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		note(page, files.gl_pathv[i]);
	globfree(&files);
}

Test(man, every_event_is_in_the_manual_with_level_and_text_and_no_other)
{
	_cleanup_(freep) struct page *page = items(EVENTS_PAGE, ".Sh EVENTS", "Sy");
	_cleanup_(freep) struct page *events = calloc(1, sizeof(*events));

	cr_assert(events);
	each_source(events, note_events);
	note_units(events);
	generalise(page);
	generalise(events);
	unite(events);
	page_same(page, "", events);
	for (enum event_type type = 0; type < _EVENT_MAX; type++) {
		size_t n = 0;

		for (size_t i = 0; i < events->n; i++)
			n += begins(events->lines[i], event_kind(type)->id);
		cr_expect_gt(n, 0, "nobody says %s", event_kind(type)->name);
	}
}

/* "-- MESSAGE_ID", "Subject: ID: ...", ..., an empty line, and what it means. */
static void check_entry(const struct page *catalog, size_t at, const struct event_kind *kind)
{
	char subject[32];
	size_t i = at + 1;

	(void)snprintf(subject, sizeof(subject), "Subject: %s: ", kind->id);
	cr_expect(begins(catalog->lines[i], subject), "%s: %s", kind->id, catalog->lines[i]);
	while (i < catalog->n && *catalog->lines[i])
		i++;
	cr_expect(i + 1 < catalog->n && strlen(catalog->lines[i + 1]) > 20, "%s means nothing",
		  kind->id);
}

Test(man, every_event_is_in_the_catalog_and_no_other)
{
	_cleanup_(freep) struct page *catalog = page_read(CATALOG);
	size_t n = 0;

	for (size_t i = 0; i < catalog->n; i++)
		n += begins(catalog->lines[i], "-- ");
	cr_expect_eq(n, _EVENT_MAX);
	for (enum event_type type = 0; type < _EVENT_MAX; type++) {
		char line[64];
		size_t at = 0;

		(void)snprintf(line, sizeof(line), "-- %s", event_kind(type)->message_id);
		cr_expect_eq(page_count(catalog, line), 1, "%s is not in " CATALOG,
			     event_kind(type)->id);
		while (at < catalog->n && strcmp(catalog->lines[at], line) != 0)
			at++;
		if (at < catalog->n)
			check_entry(catalog, at, event_kind(type));
	}
}

/* A field that the catalog names in a sentence is one that there is. */
Test(man, the_catalog_and_the_manual_know_the_fields)
{
	_cleanup_(freep) struct page *page = page_read(EVENTS_PAGE);
	_cleanup_(freep) char *catalog = read_source(CATALOG);
	static const char at_field[] = "@TAKEOVER_";

	for (const char *at = catalog; (at = strstr(at, at_field)); at++) {
		bool known = false;

		for (enum event_field f = 0; f < _EVENT_FIELD_MAX; f++)
			known = known || !strncasecmp(at + strlen(at_field), event_field_name(f),
						      strlen(event_field_name(f)));
		cr_expect(known, "%.30s", at);
	}
	for (enum event_field f = 0; f < _EVENT_FIELD_MAX; f++) {
		char line[64] = ".It Li TAKEOVER_";
		size_t n = 0, len = strlen(line);

		for (const char *c = event_field_name(f); *c; c++)
			line[len++] = (char)toupper(*c);
		(void)snprintf(line + len, sizeof(line) - len, "= Ta ");
		for (size_t i = 0; i < page->n; i++)
			n += begins(page->lines[i], line);
		cr_expect_eq(n, 1, "%s", line);
	}
}

/* What said() says "cannot ...: ..." of, in the agent itself. */
Test(man, all_that_the_start_can_fail_at_is_in_the_manual_and_nothing_else)
{
	_cleanup_(freep) struct page *page = page_read(MESSAGES_PAGE);
	_cleanup_(freep) struct page *section = page_section(page, ".Sh MESSAGES");
	_cleanup_(freep) struct page *wanted = calloc(1, sizeof(*wanted));
	_cleanup_(freep) char *text = read_source("agent/agent.c");

	cr_assert(wanted);
	for (const char *at = text; (at = strstr(at, "said(\""));) {
		char line[PAGE_LINE_MAX];

		at += strlen("said(\"");
		(void)snprintf(line, sizeof(line), ".It Dq %.*s", (int)strcspn(at, "\""), at);
		page_add(wanted, line);
	}
	cr_expect_gt(wanted->n, 5, "only %zu found: is the shape still the same?", wanted->n);
	page_same(section, ".It Dq ", wanted);
}

Test(man, every_message_is_in_the_manual_with_its_level_and_no_other)
{
	_cleanup_(freep) struct page *page = items(MESSAGES_PAGE, ".Sh MESSAGES", "Em");
	_cleanup_(freep) struct page *messages = calloc(1, sizeof(*messages));

	cr_assert(messages);
	each_source(messages, note_messages);
	page_same(page, "", messages);
}

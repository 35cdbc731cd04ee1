/* SPDX-License-Identifier: MIT */

/* takeoverd(8) against the events that the agent tells of, and the messages it logs. */

#include "agent/tell.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>

#include "agent/bus.h"
#include "agent/log.h"
#include "tests/man_page.h"
#include "tests/with_conf.h"

#define PAGE "man/takeoverd.8"

enum { TEXT_MAX = 512 };

static const char *const levels[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
};

/* What was said last: these stand in front of the library's. */
static struct {
	enum log_level level;
	char id[16], text[TEXT_MAX];
} said;

void log_line(enum log_level level, const char *id, const char *group, const char *text)
{
	(void)group;
	said.level = level;
	(void)snprintf(said.id, sizeof(said.id), "%s", id);
	(void)snprintf(said.text, sizeof(said.text), "%s", text);
}

bool log_is_due(instant *last, instant now)
{
	(void)last, (void)now;
	return true;
}

void bus_event(struct bus *bus, uint8_t group, const struct api_event *event)
{
	(void)bus, (void)group, (void)event;
}

void bus_role(struct bus *bus, uint8_t group, const char *role, const char *reason)
{
	(void)bus, (void)group, (void)role, (void)reason;
}

static struct agent agent; /* too large for a stack */

/* The first @what in @text, from @from on, becomes @with. */
static void replace(char text[static TEXT_MAX], size_t from, const char *what, const char *with)
{
	char *at = strstr(text + from, what);
	char rest[TEXT_MAX];

	cr_assert(at, "no \"%s\" in \"%s\"", what, text);
	(void)snprintf(rest, sizeof(rest), "%s", at + strlen(what));
	(void)snprintf(at, TEXT_MAX - (size_t)(at - text), "%s%s", with, rest);
}

/* What the manual has in the place of what differs. */
static void generalise(const struct core_action *a)
{
	const char *role = "activated", *state = core_state_name(a->tell.state);
	bool fault = a->tell.state == CORE_STATE_FAULT;

	if (strstr(said.text, "NODE") && a->tell.what == CORE_TELL_CONFLICT)
		replace(said.text, 0, "4242", "TERM");
	if (strstr(said.text, "192.0.2.3")) {
		replace(said.text, 0, "00:00:5e:00:53:01", "MAC");
		replace(said.text, 0, "192.0.2.3", "ADDRESS");
		replace(said.text, 0, "eth0", "INTERFACE");
	}
	if (a->tell.what == CORE_TELL_MOVE_FAILED)
		replace(said.text, 0, core_result_name(a->tell.result), "ERROR");
	if ((a->tell.what == CORE_TELL_ACTION_FAILED || a->tell.what == CORE_TELL_UNITS_FAILED) &&
	    a->tell.err == -EPERM)
		replace(said.text, 0, strerror(-a->tell.err), "REASON");
	if (a->tell.what == CORE_TELL_UNFIT && a->tell.unfit)
		replace(said.text, 0, "link, drift", "REASONS");
	if (a->tell.what != CORE_TELL_STATE || strstr(said.text, role))
		return;
	replace(said.text, strlen(state), core_state_name(a->tell.from), "STATE");
	replace(said.text, strlen(state), core_reason_name(a->tell.reason), "REASON");
	if (!fault) /* which has a level of its own */
		replace(said.text, 0, state, "STATE");
}

/* Lines of the form "ID LEVEL TEXT", each once. */
static void note_said(struct page *events)
{
	char line[PAGE_LINE_MAX];

	(void)snprintf(line, sizeof(line), "%s %s %.200s", said.id, levels[said.level], said.text);
	if (!page_count(events, line))
		page_add(events, line);
}

static void note_event(struct page *events, const struct core_action *action)
{
	memset(&said, 0, sizeof(said));
	memset(&agent.met, 0, sizeof(agent.met)); /* none is too many */
	agent.strangers[0] = (struct stranger){ .node = action->peer,
						.known = true,
						.mac = { 0, 0, 0x5e, 0, 0x53, 1 } };
	tell_people(&agent, action);
	cr_assert(*said.id, "no id for what %d tells", action->tell.what);
	generalise(action);
	note_said(events);
}

/* Everything that can be told, from a group that is @redundancy. */
static void tell_all(struct page *events, const char *redundancy)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof(text),
		       "[Node HERE]\nAddress=192.0.2.1\n[Node NODE]\nAddress=192.0.2.2\n"
		       "[Group sip]\nVirtualAddress=192.0.2.3 eth0\nRedundancy=%s\n",
		       redundancy);
	agent.conf = conf_from_text(text);
	for (enum core_tell what = 0; what < _CORE_TELL_MAX; what++) {
		/* to each state without, and with a change of role */
		for (unsigned i = 0; i < _CORE_STATE_MAX + 2; i++) {
			struct core_action a = { .type = CORE_DO_TELL, .peer = 1 };

			a.tell.what = what;
			a.tell.from = CORE_STATE_CLAIMING;
			a.tell.state = i < _CORE_STATE_MAX ? i : CORE_STATE_PRIMARY;
			a.tell.primary = i == _CORE_STATE_MAX;
			a.tell.was_primary = i == _CORE_STATE_MAX + 1;
			a.tell.reason = CORE_REASON_LAST_RESORT;
			a.tell.result = CORE_RESULT_TIMEOUT;
			a.tell.term = 4242;
			a.tell.err = -EPERM;
			a.tell.unfit = i % 2 ? CORE_UNFIT_LINK | CORE_UNFIT_DRIFT : 0;
			if (what == CORE_TELL_STRANGER && i % 2)
				a.peer = CORE_NODE_NONE;
			note_event(events, &a);
			if (what != CORE_TELL_ACTION_FAILED)
				continue;
			a.tell.err = -EADDRINUSE;
			note_event(events, &a);
			a.peer = CORE_NODE_NONE;
			note_event(events, &a);
		}
	}
	for (enum links_state state = 0; state < _LINKS_STATE_MAX; state++) {
		tell_link(&agent, 0, "INTERFACE", state);
		note_said(events);
	}
	tell_mac(&agent, 0, &(const struct link){ .name = "INTERFACE" });
	replace(said.text, 0, "00:00:00:00:00:00", "MAC");
	note_said(events);
	agent.conf = conf_free((struct conf *)agent.conf);
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

/* Each fault that service.c has a word for, read from there. */
static void note_units(struct page *events)
{
	_cleanup_(freep) char *text = read_source("agent/service.c");

	for (const char *at = text; (at = strstr(at, "return \"")); at++) {
		char fault[TEXT_MAX];

		at += strlen("return \"");
		(void)snprintf(fault, sizeof(fault), "%.*s", (int)strcspn(at, "\""), at);
		tell_unit(&agent, 0, fault);
		replace(said.text, 0, "a.service", "UNIT");
		note_said(events);
	}
	tell_unit(&agent, 0, NULL);
	replace(said.text, 0, "a.service", "UNIT");
	note_said(events);
}

/* What is told without the core */
static void tell_others(struct page *events)
{
	const struct addr addr = { .ip = { .family = 4, .bytes = { 192, 0, 2, 3 } }, .prefix = 32 };
	struct worker_result result = { .type = WORKER_TIDY, .n = 1 };
	struct conf *conf =
		conf_from_text("[Node HERE]\nAddress=192.0.2.1\n[Node NODE]\nAddress=192.0.2.2\n"
			       "[Group sip]\nVirtualAddress=192.0.2.3 INTERFACE\nUnit=a.service\n");

	agent.conf = conf;
	agent.links.v[0] = (struct link){ .name = "INTERFACE" };
	agent.links.n = 1;
	result.vip = &conf->groups[0].vips[0];
	tell_foreign(&agent, 0, &addr);
	replace(said.text, 0, "192.0.2.3/32", "ADDRESS");
	note_said(events);
	tell_left(&agent, &result);
	replace(said.text, 0, "192.0.2.3", "ADDRESS");
	note_said(events);
	agent.links.n = 0;
	note_units(events);
	agent.conf = conf_free(conf);
}

/*
 * The items ".It @macro ..." of a section as lines "REST-OF-IT TEXT", the text being
 * what stands up to .Pp. Free it.
 */
static struct page *items(const char *header, const char *macro)
{
	_cleanup_(freep) struct page *page = page_read(PAGE);
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
			replace(line, 0, " No ", " ");
		page_add(found, line);
	}
	return found;
}

Test(man, every_event_is_in_the_manual_with_level_and_text_and_no_other)
{
	_cleanup_(freep) struct page *page = items(".Sh EVENTS", "Sy");
	_cleanup_(freep) struct page *events = calloc(1, sizeof(*events));

	cr_assert(events);
	tell_all(events, "warm");
	tell_all(events, "hot");
	tell_others(events);
	page_same(page, "", events);
}

/* From @p, behind the level of a log_say(): the strings of its format, which may be a choice. */
static void note_formats(struct page *messages, const char *level, const char *p)
{
	char line[TEXT_MAX];
	bool inside = false;
	int depth = 0;
	size_t len = 0;

	for (;; p++) {
		if (inside && *p == '%') {
			p += strcspn(p, "diouxXeEfFgGsc");
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

/* What said() says "cannot ...: ..." of, in the agent itself. */
Test(man, all_that_the_start_can_fail_at_is_in_the_manual_and_nothing_else)
{
	_cleanup_(freep) struct page *page = page_read(PAGE);
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
	_cleanup_(freep) struct page *page = items(".Sh MESSAGES", "Em");
	_cleanup_(freep) struct page *messages = calloc(1, sizeof(*messages));
	glob_t files;

	cr_assert(messages);
	cr_assert_eq(glob("agent/*.c", 0, NULL, &files), 0);
	cr_assert_eq(glob("agent/*/*.c", GLOB_APPEND, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		note_messages(messages, files.gl_pathv[i]);
	globfree(&files);
	page_same(page, "", messages);
}

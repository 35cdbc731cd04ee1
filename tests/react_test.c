/* SPDX-License-Identifier: MIT */

/* The queues of reactions, with a systemd that notes down what it is told. */

#include "agent/reaction/react.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <systemd/sd-daemon.h>

#include "agent/bus/bus.h"
#include "agent/clock.h"
#include "agent/log.h"
#include "agent/reaction/reaction.h"
#include "agent/systemd/systemd.h"
#include "agent/tell.h"
#include "tests/with_conf.h"

/* What stands here stands in front of the library's. */

static struct agent agent; /* too large for a stack */
static instant now;
static int refusal; /* of every order; 0: none */
static unsigned n_ordered;
static char ordered[8192], told[8192], logged[512], answered[1024];

instant clock_now(void)
{
	return now;
}

static void append(char *to, size_t size, const char *a, const char *b)
{
	size_t used = strlen(to);

	(void)snprintf(to + used, size - used, "%s%s%s", used ? "\n" : "", a, b);
}

int systemd_order(struct systemd *systemd, enum unit_verb verb, const char *name, uint32_t id)
{
	(void)systemd;
	cr_expect_eq(verb, UNIT_START);
	cr_expect_eq(systemd_id_kind(id), SYSTEMD_REACTION);
	if (refusal)
		return refusal;
	n_ordered++;
	append(ordered, sizeof(ordered), name, "");
	return 0;
}

void systemd_forget(struct systemd *systemd, uint32_t id)
{
	(void)systemd, (void)id;
	append(ordered, sizeof(ordered), "forget", "");
}

void systemd_look(struct systemd *systemd)
{
	(void)systemd;
}

void tell_reaction(struct agent *a, uint8_t group, enum tell_reaction how, const char *name,
		   const char *what, const char *why)
{
	static const char *const words[_TELL_REACTION_MAX] = {
		[TELL_REACTION_DONE] = "done: ", [TELL_REACTION_FAILED] = "failed: ",
		[TELL_REACTION_LATE] = "late: ", [TELL_REACTION_CANCELLED] = "cancelled: ",
		[TELL_REACTION_LOST] = "lost: ",
	};
	char text[256];

	cr_expect_eq(a, &agent);
	cr_expect_eq(name == NULL, how == TELL_REACTION_LOST);
	(void)group;
	(void)snprintf(text, sizeof(text), "%s%s%s", what, *why ? ": " : "", why);
	append(told, sizeof(told), words[how], text);
}

void log_say(enum log_level level, const char *format, ...)
{
	va_list args;

	(void)level;
	va_start(args, format);
	(void)vsnprintf(logged, sizeof(logged), format, args);
	va_end(args);
}

void bus_tested(struct bus *bus, api_request request, const struct api_reaction *reactions,
		size_t n)
{
	(void)bus;
	cr_expect_eq(request, 41);
	for (size_t i = 0; i < n; i++) {
		char text[256];

		(void)snprintf(text, sizeof(text), "%s %s", reactions[i].name, reactions[i].result);
		append(answered, sizeof(answered), text, "");
	}
}

int sd_booted(void)
{
	return 0;
}

static struct core_record record; /* what the other node says of the first group */
static bool heard;

const struct core_record *core_peer_record(const struct core *core, uint8_t peer, uint8_t group)
{
	(void)core;
	cr_expect_eq(peer, 1);
	return heard && group == 0 ? &record : NULL;
}

#define CONF(reactions)                                                                            \
	"[Agent]\nAuthentication=none\n[Node alpha]\nAddress=10.0.0.1\n"                           \
	"[Node beta]\nAddress=10.0.0.2\n[Group sip]\nMode=none\nRedundancy=hot\n"                  \
	"[Group web]\nMode=none\n" reactions

#define UP "00-04563"
#define DOWN "00-04561"

static struct react *start(const char *text)
{
	struct react *react = NULL;

	memset(&agent, 0, sizeof(agent));
	agent.conf = conf_from_text(text);
	now = (instant){ 1000 * USEC_PER_SEC };
	cr_assert_eq(react_new(&agent, &react), 0);
	return react;
}

static void finish(struct react *react)
{
	react_free(react);
	agent.conf = conf_free((struct conf *)agent.conf);
}

static void happens(struct react *react, const char *event, uint8_t group, uint8_t from)
{
	const struct react_cause cause = { event, group, true, from };

	react_to(react, &cause);
}

static void ends(struct react *react, uint8_t group, int err, const char *why)
{
	react_done(react, systemd_id(SYSTEMD_REACTION, group, 0), err, why);
}

/* And from here on a new list. */
#define expect(list, wanted)                                                                       \
	do {                                                                                       \
		cr_expect_str_eq(list, wanted);                                                    \
		(list)[0] = '\0';                                                                  \
	} while (0)

#define ONE "[Reaction page]\nEvent=" UP "\nRun=/bin/page\n"
#define PAGE(node, group, role, at)                                                                \
	"takeover-reaction-page@00\\x2d04563:" group ":" node ":alpha:" role ":" at ".service"

Test(react, an_event_starts_what_is_for_it_and_what_comes_of_it_is_told)
{
	struct react *react = start(CONF(ONE));

	agent.core.groups[0].primary = true;
	happens(react, DOWN, 0, 0);
	expect(ordered, "");
	happens(react, UP, 0, 0);
	expect(ordered, PAGE("alpha", "sip", "primary", "1000000000"));
	expect(told, "");
	ends(react, 0, 0, "done");
	expect(told, "done: reaction page to 00-04563 of alpha");
	ends(react, 0, 0, "done");
	expect(told, "");
	happens(react, UP, 0, 0);
	ends(react, 0, -EIO, "failed");
	expect(told, "failed: reaction page to 00-04563 of alpha: failed");
	finish(react);
}

Test(react, without_reactions_there_is_nothing)
{
	struct react *react = start(CONF(""));

	cr_expect_null(react);
	happens(react, UP, 0, 0);
	react_follow(react);
	react_here(react);
	ends(react, 0, 0, "done");
	cr_expect_eq(react_test(react, 0, UP, 41), 0);
	cr_expect_not(instant_is_set(react_look(react, 0, now)));
	finish(react);
}

#define CHOOSY                                                                                     \
	"[Reaction a]\nEvent=" UP "\nUnit=takeover-any.service\n"                                  \
	"[Reaction b]\nEvent=" UP "\nGroup=web\nUnit=takeover-web.service\n"                       \
	"[Reaction c]\nEvent=" UP "\nFrom=peer\nUnit=takeover-peer.service\n"                      \
	"[Reaction d]\nEvent=" UP "\nFrom=alpha\nUnit=takeover-alpha.service\n"                    \
	"[Reaction e]\nEvent=" UP "\nFrom=beta\nUnit=takeover-beta.service\n"                      \
	"[Reaction f]\nEvent=" UP "\nNode=beta\nUnit=takeover-there.service\n"                     \
	"[Reaction g]\nEvent=" UP "\nNode=alpha\nUnit=takeover-here.service\n"                     \
	"[Reaction h]\nEvent=" UP "\nRole=primary\nUnit=takeover-primary.service\n"                \
	"[Reaction i]\nEvent=" UP "\nRole=backup\nUnit=takeover-backup.service\n"                  \
	"[Reaction j]\nEvent=01-00402 " UP "\nUnit=takeover-two.service\n"

static void all_end(struct react *react, uint8_t group)
{
	unsigned before;

	do {
		before = n_ordered;
		ends(react, group, 0, "done");
	} while (n_ordered != before);
}

Test(react, each_is_for_what_it_says)
{
	const struct react_cause silent = { "01-00402", 0, false, 0 };
	struct react *react = start(CONF(CHOOSY));

	agent.core.groups[0].primary = true;
	happens(react, UP, 0, 0);
	all_end(react, 0);
	expect(ordered, "takeover-any.service\ntakeover-alpha.service\ntakeover-here.service\n"
			"takeover-primary.service\ntakeover-two.service");
	happens(react, UP, 1, 0);
	all_end(react, 1);
	expect(ordered, "takeover-any.service\ntakeover-web.service\ntakeover-alpha.service\n"
			"takeover-here.service\ntakeover-backup.service\ntakeover-two.service");
	happens(react, UP, 1, 1);
	all_end(react, 1);
	expect(ordered, "takeover-peer.service\ntakeover-beta.service");
	react_to(react, &silent);
	all_end(react, 0);
	expect(ordered, "takeover-two.service");
	finish(react);
}

Test(react, an_event_of_no_group_is_for_none)
{
	const struct react_cause silent = { "01-00402", 0, false, 0 };
	struct react *react = start(CONF("[Reaction a]\nEvent=01-00402\nGroup=sip\nRun=/bin/a\n"
					 "[Reaction b]\nEvent=01-00402\nRole=backup\nRun=/bin/b\n"
					 "[Reaction c]\nEvent=01-00402\nRun=/bin/c\n"));

	react_to(react, &silent);
	all_end(react, 0);
	expect(ordered, "takeover-reaction-c@01\\x2d00402::alpha:alpha:none:1000000000.service");
	finish(react);
}

Test(react, one_after_the_other_in_a_group_and_side_by_side_in_two)
{
	struct react *react = start(CONF("[Reaction z]\nEvent=" UP "\nUnit=takeover-1.service\n"
					 "[Reaction a]\nEvent=" UP "\nUnit=takeover-2.service\n"));

	happens(react, UP, 0, 0);
	expect(ordered, "takeover-1.service");
	happens(react, UP, 1, 0);
	expect(ordered, "takeover-1.service");
	ends(react, 0, -EIO, "failed");
	expect(ordered, "takeover-2.service");
	ends(react, 1, 0, "done");
	expect(ordered, "takeover-2.service");
	ends(react, 0, 0, "done");
	ends(react, 1, 0, "done");
	expect(ordered, "");
	finish(react);
}

Test(react, an_instance_is_never_the_same_twice)
{
	struct react *react = start(CONF(ONE));

	happens(react, UP, 0, 0);
	happens(react, UP, 1, 0);
	expect(ordered, PAGE("alpha", "sip", "backup",
			     "1000000000") "\n" PAGE("alpha", "web", "backup", "1000000001"));
	finish(react);
}

Test(react, who_cannot_be_primary_is_in_a_fault)
{
	struct react *react = start(CONF(ONE));

	agent.core.groups[0].state = CORE_STATE_FAULT;
	happens(react, UP, 0, 0);
	expect(ordered, PAGE("alpha", "sip", "fault", "1000000000"));
	finish(react);
}

/* A hundred in a second: one runs, one waits, and it is said how many it is for. */
Test(react, what_repeats_is_done_once_more)
{
	struct react *react = start(CONF("[Reaction page]\nEvent=01-00402\nRun=/bin/page\n"));

	for (unsigned i = 0; i < 100; i++) {
		happens(react, "01-00402", 0, 0);
		now.us += 10 * USEC_PER_MSEC;
	}
	cr_expect_eq(n_ordered, 1);
	ends(react, 0, 0, "done");
	cr_expect_eq(n_ordered, 2);
	ends(react, 0, 0, "done");
	cr_expect_eq(n_ordered, 2);
	expect(told, "done: reaction page to 01-00402 of alpha\n"
		     "done: reaction page to 01-00402 of alpha (99 times)");
	finish(react);
}

#define UP_DOWN                                                                                    \
	"[Reaction up]\nEvent=" UP "\nUnit=takeover-up.service\nCancelTimeout=0\n"                 \
	"[Reaction down]\nEvent=" DOWN "\nUnit=takeover-down.service\nCancelTimeout=0\n"

Test(react, what_has_happened_last_is_done_last)
{
	struct react *react = start(CONF(UP_DOWN));

	happens(react, DOWN, 0, 0);
	happens(react, UP, 0, 0);
	happens(react, DOWN, 0, 0);
	happens(react, UP, 0, 0);
	all_end(react, 0);
	expect(ordered, "takeover-down.service\ntakeover-down.service\ntakeover-up.service");
	finish(react);
}

#define SOON                                                                                       \
	"[Reaction up]\nEvent=" UP "\nUnit=takeover-up.service\n"                                  \
	"[Reaction down]\nEvent=" DOWN "\nUnit=takeover-down.service\n"                            \
	"[Reaction busy]\nEvent=01-00402\nUnit=takeover-busy.service\n"

Test(react, what_is_undone_soon_is_not_done)
{
	struct react *react = start(CONF(SOON));

	happens(react, "01-00402", 0, 0);
	happens(react, UP, 0, 0);
	now.us += USEC_PER_SEC - 1;
	happens(react, DOWN, 0, 0);
	expect(told, "cancelled: reaction up to 00-04563 of alpha: 00-04561");
	all_end(react, 0);
	expect(ordered, "takeover-busy.service\ntakeover-down.service");
	finish(react);
}

Test(react, what_is_undone_late_or_elsewhere_or_runs_is_done)
{
	struct react *react = start(CONF(SOON));

	happens(react, UP, 0, 0);
	happens(react, DOWN, 0, 0);
	now.us += USEC_PER_SEC + 1;
	happens(react, UP, 0, 0);
	happens(react, DOWN, 0, 1);
	happens(react, DOWN, 1, 0);
	cr_expect_str_eq(told, "");
	all_end(react, 0);
	expect(ordered, "takeover-up.service\ntakeover-down.service\ntakeover-down.service\n"
			"takeover-up.service");
	finish(react);
}

#define R4(n) "[Reaction " n "]\nEvent=01-00101 01-00102 01-00103 01-00104\nRun=/bin/r\n"
#define R16(n) R4(n "0") R4(n "1") R4(n "2") R4(n "3")

Test(react, what_is_too_much_is_told_and_the_oldest_goes)
{
	static const char *const events[] = { "01-00101", "01-00102", "01-00103", "01-00104" };
	struct react *react = start(CONF("[Reaction a]\nEvent=01-00402 01-00401\nRun=/bin/a\n" R16(
		"1") R16("2") R16("3") R16("4")));

	happens(react, "01-00402", 0, 0);
	happens(react, "01-00401", 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		happens(react, events[i], 0, 0);
	cr_expect_str_eq(told, "");
	cr_expect_eq(n_ordered, 1);
	ends(react, 0, 0, "done");
	expect(told, "done: reaction a to 01-00402 of alpha\nlost: 1: too many were waiting");
	all_end(react, 0);
	cr_expect_eq(n_ordered, 1 + 64);
	finish(react);
}

Test(react, what_hangs_is_not_waited_for)
{
	struct react *react = start(CONF("[Reaction a]\nEvent=" UP "\nRun=/bin/a\nTimeout=3s\n"
					 "[Reaction b]\nEvent=" UP "\nUnit=takeover-b.service\n"));
	instant due;

	happens(react, UP, 0, 0);
	due = react_look(react, 0, now);
	cr_expect_eq(due.us, now.us + 3 * USEC_PER_SEC + REACTION_STOP_US + USEC_PER_SEC);
	now.us = due.us - 1;
	cr_expect_eq(react_look(react, 0, now).us, due.us);
	expect(told, "");
	now = due;
	ordered[0] = '\0';
	cr_expect_eq(react_look(react, 0, now).us, now.us + 8 * USEC_PER_SEC);
	expect(told, "late: reaction a to 00-04563 of alpha");
	expect(ordered, "forget\ntakeover-b.service");
	finish(react);
}

/* systemd has stopped it, and says nothing but that it failed. */
Test(react, what_fails_after_its_time_was_late)
{
	struct react *react = start(CONF(ONE));

	happens(react, UP, 0, 0);
	now.us += 8 * USEC_PER_SEC;
	ends(react, 0, -EIO, "failed");
	expect(told, "late: reaction page to 00-04563 of alpha");
	finish(react);
}

Test(react, at_the_start_systemd_is_waited_for)
{
	struct react *react = start(CONF(ONE));

	refusal = -ENOTCONN;
	happens(react, UP, 0, 0);
	now.us += 4 * USEC_PER_SEC;
	cr_expect_eq(react_look(react, 0, now).us, now.us + USEC_PER_SEC);
	refusal = 0;
	react_here(react);
	cr_expect_eq(n_ordered, 1);
	ends(react, 0, 0, "done");
	expect(told, "done: reaction page to 00-04563 of alpha");
	finish(react);
	refusal = 0;
}

Test(react, without_systemd_that_is_said_once)
{
	struct react *react = start(CONF(ONE));

	refusal = -ENOTCONN;
	happens(react, UP, 0, 0);
	happens(react, UP, 1, 0);
	now.us += 5 * USEC_PER_SEC;
	cr_expect_not(instant_is_set(react_look(react, 0, now)));
	expect(told, "lost: 1: there is no systemd on the bus");
	cr_expect_not(instant_is_set(react_look(react, 1, now)));
	happens(react, UP, 0, 0);
	cr_expect_not(instant_is_set(react_look(react, 0, now)));
	expect(told, "");
	refusal = 0;
	react_here(react);
	cr_expect_eq(n_ordered, 0);
	happens(react, UP, 0, 0);
	cr_expect_eq(n_ordered, 1);
	finish(react);
}

Test(react, what_systemd_refuses_has_failed_and_the_next_comes)
{
	struct react *react = start(CONF(ONE));

	refusal = -ENOMEM;
	happens(react, UP, 0, 0);
	expect(told, "failed: reaction page to 00-04563 of alpha: Cannot allocate memory");
	cr_expect_not(instant_is_set(react_look(react, 0, now)));
	finish(react);
}

Test(react, a_new_role_of_the_other_node_is_seen)
{
	struct react *react = start(
		CONF("[Reaction a]\nEvent=" UP "\nFrom=peer\nUnit=takeover-up.service\n"
		     "[Reaction b]\nEvent=" DOWN "\nFrom=beta\nUnit=takeover-down.service\n"));

	react_follow(react);
	heard = true;
	record.state = CORE_STATE_PRIMARY;
	react_follow(react);
	expect(ordered, "");
	record.state = CORE_STATE_YIELDING;
	react_follow(react);
	expect(ordered, "");
	record.state = CORE_STATE_BACKUP;
	react_follow(react);
	react_follow(react);
	expect(ordered, "takeover-down.service");
	ends(react, 0, 0, "done");
	heard = false;
	react_follow(react);
	heard = true;
	record.state = CORE_STATE_CLAIMING;
	react_follow(react);
	expect(ordered, "");
	record.state = CORE_STATE_PRIMARY;
	react_follow(react);
	expect(ordered, "takeover-up.service");
	finish(react);
}

Test(react, a_test_runs_all_and_is_answered_when_they_have_ended)
{
	struct react *react = start(CONF(CHOOSY));

	cr_expect_eq(react_test(react, 0, "01-00999", 41), 0);
	happens(react, "01-00402", 0, 0);
	expect(ordered, "takeover-two.service");
	cr_expect_eq(react_test(react, 0, UP, 41), 6);
	ends(react, 0, 0, "done");
	expect(answered, "");
	ends(react, 0, 0, "done");
	ends(react, 0, -EIO, "failed");
	now.us += 9 * USEC_PER_SEC;
	ends(react, 0, -EIO, "failed");
	ends(react, 0, 0, "done");
	ends(react, 0, 0, "done");
	expect(answered, "");
	ends(react, 0, 0, "done");
	expect(ordered, "takeover-any.service\ntakeover-alpha.service\ntakeover-here.service\n"
			"takeover-primary.service\ntakeover-backup.service\ntakeover-two.service");
	expect(answered, "a done\nd failed\ng timed-out\nh done\ni done\nj done");
	finish(react);
}

Test(react, a_test_is_answered_without_systemd_too)
{
	struct react *react = start(CONF(ONE));

	refusal = -ENOTCONN;
	cr_expect_eq(react_test(react, 0, UP, 41), 1);
	expect(answered, "");
	now.us += 5 * USEC_PER_SEC;
	(void)react_look(react, 0, now);
	expect(answered, "page lost");
	finish(react);
}

Test(react, a_test_is_neither_merged_nor_called_off)
{
	struct react *react = start(CONF(SOON));

	happens(react, "01-00402", 0, 0);
	cr_expect_eq(react_test(react, 0, UP, 41), 1);
	happens(react, UP, 0, 0);
	happens(react, DOWN, 0, 0);
	all_end(react, 0);
	expect(answered, "up done");
	expect(ordered, "takeover-busy.service\ntakeover-up.service\ntakeover-down.service");
	finish(react);
}

Test(react, the_end_says_how_many_waited)
{
	struct react *react = start(CONF(SOON));

	happens(react, UP, 0, 0);
	happens(react, "01-00402", 0, 0);
	happens(react, "01-00402", 0, 0);
	cr_expect_eq(react_test(react, 0, UP, 41), 1);
	finish(react);
	expect(logged, "3 reactions waited still, and will not run");
	react = start(CONF(ONE));
	happens(react, UP, 0, 0);
	finish(react);
	expect(logged, "");
}

/* SPDX-License-Identifier: MIT */
#include "agent/tell.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent/bus/bus.h"
#include "agent/log.h"
#include "agent/publish.h"
#include "tests/with_conf.h"

/* What was said: these stand in front of the library's. */
static struct {
	unsigned events, roles;
	enum event_type type;
	enum log_level level;
	char id[16], group[64], text[512];
	char role[16], reason[32];
	char fields[_EVENT_FIELD_MAX][96]; /* "": none */
} said;

#define FIELD(name) (said.fields[EVENT_FIELD_##name])

void publish(struct agent *a, struct event *event)
{
	const struct event_kind *kind = event_kind(event->type);

	said.events++;
	said.type = event->type;
	said.level = kind->level;
	(void)snprintf(said.id, sizeof(said.id), "%s", kind->id);
	(void)snprintf(said.group, sizeof(said.group), "%s",
		       kind->of_group ? a->conf->groups[event->group].name : "");
	(void)snprintf(said.text, sizeof(said.text), "%s", event->text);
	for (size_t f = 0; f < _EVENT_FIELD_MAX; f++)
		(void)snprintf(said.fields[f], sizeof(said.fields[f]), "%s",
			       event->fields[f] ?: "");
}

void publish_say(struct agent *a, uint8_t group, enum event_type type, const char *format, ...)
{
	struct event event = { .type = type, .group = group };
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(event.text, sizeof(event.text), format, ap);
	va_end(ap);
	publish(a, &event);
}

static bool repeated; /* it was said less than a minute ago */

bool log_is_due(instant *last, instant now)
{
	(void)last;
	(void)now;
	return !repeated;
}

void bus_role(struct bus *bus, uint8_t group, const char *role, const char *reason)
{
	(void)bus;
	(void)group;
	said.roles++;
	(void)snprintf(said.role, sizeof(said.role), "%s", role);
	(void)snprintf(said.reason, sizeof(said.reason), "%s", reason);
}

static struct agent agent; /* too large for a stack */

static struct core_action telling(enum core_tell what)
{
	struct core_action action = { .type = CORE_DO_TELL, .peer = CORE_NODE_NONE };

	action.tell.what = what;
	return action;
}

static void tell(const struct core_action *action, const char *redundancy)
{
	_cleanup_(conf_freep) struct conf *conf = NULL;
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "[Agent]\nAuthentication=none\n[Node alpha]\nAddress=10.0.0.1\n"
		       "[Node beta]\nAddress=10.0.0.2\n[Group sip]\nVirtualAddress=10.0.0.3 eth0\n"
		       "Redundancy=%s\n",
		       redundancy);
	conf = conf_from_text(text);
	agent.conf = conf;
	memset(&said, 0, sizeof(said));
	tell_people(&agent, action);
	cr_assert_eq(said.events, 1);
	cr_assert_eq(!*FIELD(ADDRESS), !*FIELD(INTERFACE));
	agent.conf = NULL;
}

static struct core_action change(enum core_state from, enum core_state to, bool was_primary,
				 bool primary)
{
	struct core_action action = telling(CORE_TELL_STATE);

	action.tell.from = from;
	action.tell.state = to;
	action.tell.was_primary = was_primary;
	action.tell.primary = primary;
	action.tell.reason = CORE_REASON_SWITCHOVER;
	return action;
}

Test(tell, becoming_primary_and_backup_have_the_ids_and_words_of_old)
{
	static const struct {
		const char *redundancy, *id, *text;
		bool primary;
	} cases[] = {
		{ "hot", "00-04563", "Hot Standby (Primary) mode activated", true },
		{ "hot", "00-04561", "Hot Standby (backup) mode activated", false },
		{ "warm", "00-04562", "Warm Standby (Primary) mode activated", true },
		{ "warm", "00-04560", "Warm Standby (backup) mode activated", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct core_action action =
			cases[i].primary
				? change(CORE_STATE_CLAIMING, CORE_STATE_PRIMARY, false, true)
				: change(CORE_STATE_YIELDING, CORE_STATE_BACKUP, true, false);

		tell(&action, cases[i].redundancy);
		cr_assert_str_eq(said.id, cases[i].id);
		cr_assert_str_eq(said.text, cases[i].text);
		cr_assert_str_eq(said.group, "sip");
		cr_assert_eq(said.level, LOG_LEVEL_NOTICE);
		cr_assert_str_eq(FIELD(ROLE), cases[i].primary ? "primary" : "backup");
		cr_assert_str_eq(FIELD(REASON), "switchover");
		cr_assert_eq(said.roles, 1);
		cr_assert_str_eq(said.role, cases[i].primary ? "primary" : "backup");
		cr_assert_str_eq(said.reason, "switchover");
	}
}

Test(tell, other_changes_of_state_are_no_change_of_role)
{
	struct core_action action = change(CORE_STATE_PRIMARY, CORE_STATE_YIELDING, true, true);

	tell(&action, "hot");
	cr_assert_eq(said.roles, 0);
	cr_assert_str_eq(said.id, "01-00104");
	cr_assert_str_eq(said.text, "yielding, was primary (switchover)");
	cr_assert_str_eq(FIELD(STATE), "yielding");
	cr_assert_str_eq(FIELD(ROLE), "primary");

	action = change(CORE_STATE_BACKUP, CORE_STATE_FAULT, false, false);
	tell(&action, "hot");
	cr_assert_eq(said.roles, 0);
	cr_assert_eq(said.level, LOG_LEVEL_WARNING);
}

Test(tell, what_concerns_a_peer_names_it_and_what_concerns_the_node_names_no_group)
{
	static const enum core_tell what[] = { CORE_TELL_PEER_UP,	CORE_TELL_PEER_SILENT,
					       CORE_TELL_PEER_NO_AGENT, CORE_TELL_DIGEST,
					       CORE_TELL_DISOWNED,	CORE_TELL_CONFLICT };

	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
		struct core_action action = telling(what[i]);

		action.peer = 1;
		tell(&action, "hot");
		cr_assert_not_null(strstr(said.text, "beta"), "%s", said.text);
		cr_assert_str_eq(FIELD(PEER), "beta");
		cr_assert_str_eq(said.group, what[i] == CORE_TELL_CONFLICT ? "sip" : "");
		action.peer = CORE_NODE_NONE;
		tell(&action, "hot");
		cr_assert_not_null(strstr(said.text, "a peer"), "%s", said.text);
	}
}

Test(tell, what_a_peer_says_with_each_heartbeat_is_not_said_each_time)
{
	_cleanup_(conf_freep) struct conf *conf =
		conf_from_text("[Node alpha]\nAddress=10.0.0.1\n[Node beta]\nAddress=10.0.0.2\n"
			       "[Group sip]\nVirtualAddress=10.0.0.3 eth0\n");
	struct core_action action = telling(CORE_TELL_DISOWNED);

	agent.conf = conf;
	repeated = true;
	tell_people(&agent, &action);
	cr_assert_eq(said.events, 0);
	action = telling(CORE_TELL_PEER_UP);
	tell(&action, "hot");
}

Test(tell, each_kind_has_an_id_of_its_own)
{
	char ids[_CORE_TELL_MAX][16];

	for (int i = 0; i < _CORE_TELL_MAX; i++) {
		struct core_action action = telling((enum core_tell)i);

		tell(&action, "warm");
		cr_assert_str_not_empty(said.id);
		cr_assert_str_not_empty(said.text);
		memcpy(ids[i], said.id, sizeof(ids[i]));
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(ids[i], ids[j]);
	}
}

Test(tell, every_reason_to_be_unfit_is_named)
{
	struct core_action action = telling(CORE_TELL_UNFIT);

	action.tell.unfit = CORE_UNFIT_LINK | CORE_UNFIT_SYNC;
	tell(&action, "hot");
	cr_assert_str_eq(said.text, "unfit: link, not-synchronized");
	cr_assert_eq(said.level, LOG_LEVEL_WARNING);
	action.tell.unfit = _CORE_UNFIT_MASK;
	agent.drift[0].given_up = true; /* which is an event of its own */
	tell(&action, "hot");
	cr_assert_not_null(strstr(said.text, "link, check, isolated, "));
	cr_assert_not_null(strstr(said.text, "stopping"));
	action.tell.unfit = 0;
	tell(&action, "hot");
	cr_assert_str_eq(said.text, "fit");
	cr_assert_eq(said.level, LOG_LEVEL_INFO);
}

Test(tell, what_failed_is_said_with_its_cause)
{
	struct core_action action = telling(CORE_TELL_ACTION_FAILED);

	action.tell.err = -ENODEV;
	tell(&action, "hot");
	cr_assert_not_null(strstr(said.text, "No such device"));
	cr_assert_eq(said.level, LOG_LEVEL_ERROR);
	agent.refused[0] = &(const struct conf_vip){
		.ip = { .family = 6, .bytes = { 0xfd, [15] = 1 } },
		.prefix = 64,
		.ifname = "eth7",
	};
	action.tell.err = -EACCES;
	tell(&action, "hot");
	cr_assert_str_eq(said.text, "the kernel refuses fd00::1/64 on eth7: Permission denied; "
				    "IPv6 is disabled there (sysctl disable_ipv6)");
	agent.refused[0] = NULL;
	action = telling(CORE_TELL_MOVE_FAILED);
	action.tell.result = CORE_RESULT_NOT_FIT;
	tell(&action, "hot");
	cr_assert_not_null(strstr(said.text, "NotFit"));
}

static const struct stranger stranger = { .node = CORE_NODE_NONE,
					  .known = true,
					  .mac = { 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30 } };

Test(tell, who_answers_for_an_address_is_named_with_his_mac)
{
	struct core_action action = telling(CORE_TELL_ACTION_FAILED);

	action.tell.err = -EADDRINUSE;
	agent.strangers[0] = stranger;
	tell(&action, "hot");
	cr_assert_str_eq(said.id, "01-00305");
	cr_assert_eq(said.level, LOG_LEVEL_WARNING);
	cr_assert_str_eq(said.text, "a stranger (02:00:5e:10:20:30) answers for 10.0.0.3 on eth0: "
				    "it is not claimed; asked again every 2 s");
	cr_assert_str_eq(FIELD(INTERFACE), "eth0");
	cr_assert_str_eq(FIELD(ADDRESS), "10.0.0.3");
	cr_assert_str_eq(FIELD(MAC), "02:00:5e:10:20:30");
	agent.strangers[0].node = 1;
	agent.strangers[0].known = false;
	tell(&action, "hot");
	cr_assert_str_eq(said.text, "beta answers for 10.0.0.3 on eth0: it is not claimed; asked "
				    "again every 2 s");
	cr_assert_str_empty(FIELD(MAC));
}

Test(tell, two_interfaces_with_one_mac_are_no_stranger)
{
	struct core_action action = telling(CORE_TELL_ACTION_FAILED);

	action.tell.err = -EADDRINUSE;
	agent.strangers[0] = stranger;
	agent.refused[0] = &(const struct conf_vip){
		.ip = { .family = 4, .bytes = { 10, 0, 0, 3 } },
		.prefix = 32,
		.ifname = "vip0",
	};
	tell(&action, "hot");
	cr_assert_str_eq(said.id, "01-00304");
	cr_assert_not_null(strstr(said.text, "the kernel refuses 10.0.0.3/32 on vip0: "));
	agent.refused[0] = NULL;
}

Test(tell, who_uses_what_is_held_is_named_with_his_mac)
{
	const struct core_action action = telling(CORE_TELL_STRANGER);

	agent.strangers[0] = stranger;
	tell(&action, "hot");
	cr_assert_str_eq(said.id, "01-00306");
	cr_assert_eq(said.level, LOG_LEVEL_ERROR);
	cr_assert_str_eq(said.text, "a stranger (02:00:5e:10:20:30) uses 10.0.0.3 on eth0 as well, "
				    "which is held here");
	agent.strangers[0].node = 1;
	tell(&action, "hot");
	cr_assert_str_eq(said.text, "beta (02:00:5e:10:20:30) uses 10.0.0.3 on eth0 as well, which "
				    "is held here");
}

/* Of thousands of addresses a few say enough, until some time has passed. */
Test(tell, of_many_strangers_a_few_are_told_of)
{
	const struct core_action action = telling(CORE_TELL_STRANGER);

	agent.strangers[0] = stranger;
	agent.core.now.us = 1000 * USEC_PER_SEC;
	for (int i = 0; i < 8; i++)
		tell(&action, "hot");
	agent.conf = conf_from_text("[Agent]\nAuthentication=none\n[Node alpha]\nAddress=10.0.0.1\n"
				    "[Group sip]\nVirtualAddress=10.0.0.3 eth0\n");
	memset(&said, 0, sizeof(said));
	tell_people(&agent, &action);
	conf_free((struct conf *)agent.conf);
	cr_assert_eq(said.events, 0);
	agent.core.now.us += 10 * USEC_PER_SEC;
	tell(&action, "hot");
}

Test(tell, an_interface_is_named_with_what_has_become_of_it)
{
	static const struct {
		enum links_state state;
		enum log_level level;
		const char *text;
	} cases[] = {
		{ LINKS_MISSING, LOG_LEVEL_WARNING, "interface eth7 is missing: waiting for it" },
		{ LINKS_DOWN, LOG_LEVEL_WARNING, "interface eth7 is down: waiting for it" },
		{ LINKS_NO_CARRIER, LOG_LEVEL_WARNING,
		  "interface eth7 has no carrier: waiting for it" },
		{ LINKS_RUNNING, LOG_LEVEL_INFO, "interface eth7 runs" },
		{ LINKS_FOREIGN, LOG_LEVEL_WARNING,
		  "interface eth7 is not the one that takeoverd makes: left alone" },
	};
	_cleanup_(conf_freep) struct conf *conf =
		conf_from_text("[Node alpha]\nAddress=10.0.0.1\n[Node beta]\nAddress=10.0.0.2\n"
			       "[Group sip]\nVirtualAddress=10.0.0.3 eth7\n");
	const struct link link = { .name = "eth7", .mac = { 2, 0, 0x5e, 0, 0xaa, 0xff } };

	agent.conf = conf;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tell_link(&agent, 0, "eth7", cases[i].state);
		cr_expect_str_eq(said.text, cases[i].text);
		cr_expect_eq(said.level, cases[i].level);
		cr_expect_str_eq(said.id,
				 cases[i].state == LINKS_RUNNING ? "01-00511" : "01-00510");
		cr_expect_str_eq(FIELD(INTERFACE), "eth7");
		cr_expect_str_eq(said.group, "sip");
	}
	tell_mac(&agent, 0, &link);
	cr_expect_str_eq(said.text, "interface eth7 has the MAC 02:00:5e:00:aa:ff now");
	cr_expect_eq(said.level, LOG_LEVEL_NOTICE);
	cr_expect_str_eq(FIELD(INTERFACE), "eth7");
	agent.conf = NULL;
}

static struct conf *with_group(void)
{
	struct conf *conf = conf_from_text("[Node alpha]\nAddress=10.0.0.1\n"
					   "[Node beta]\nAddress=10.0.0.2\n[Group sip]\n"
					   "VirtualAddress=10.0.0.3/24 eth0\n");

	agent.conf = conf;
	agent.links.v[0] = (struct link){ .index = 7, .name = "eth0" };
	agent.links.n = 1;
	memset(&said, 0, sizeof(said));
	return conf;
}

static const struct addr on_eth0 = { .ip = { .family = 4, .bytes = { 10, 0, 0, 3 } },
				     .prefix = 24,
				     .ifindex = 7 };

Test(tell, a_repair_says_what_of_and_who_made_it_necessary)
{
	_cleanup_(conf_freep) struct conf *conf = with_group();
	struct core_action action = telling(CORE_TELL_REPAIRED);
	struct drift_note *mended = &agent.drift[0].mended;

	cr_assert_eq(agent.conf, conf);
	*mended = (struct drift_note){ .addr = on_eth0, .n = 1, .by = " by ip (process 12)" };
	tell_people(&agent, &action);
	cr_assert_str_eq(said.text,
			 "10.0.0.3/24 on eth0 had been removed by ip (process 12): it is back");
	cr_assert_str_eq(said.id, "01-00302");
	cr_assert_str_eq(FIELD(INTERFACE), "eth0");
	mended->n = 3;
	tell_people(&agent, &action);
	cr_assert_str_eq(said.text, "10.0.0.3/24 on eth0 and 2 more had been removed by ip "
				    "(process 12): they are back");
	*mended = (struct drift_note){ .addr = on_eth0, .n = 1, .changed = true };
	tell_people(&agent, &action);
	cr_assert_str_eq(said.text, "10.0.0.3/24 on eth0 had been changed: it is back");
}

Test(tell, a_copy_that_is_not_from_us_is_told_with_its_place)
{
	_cleanup_(conf_freep) struct conf *conf = with_group();

	cr_assert_eq(agent.conf, conf);
	tell_foreign(&agent, 0, &on_eth0);
	cr_assert_str_eq(said.text, "10.0.0.3/24 on eth0 is not from us: the gate lets it answer "
				    "only while this node is primary");
	cr_assert_str_eq(said.id, "01-00307");
	cr_assert_eq(said.level, LOG_LEVEL_WARNING);
	cr_assert_str_eq(FIELD(INTERFACE), "eth0");
	cr_assert_str_eq(said.group, "sip");
}

Test(tell, what_is_left_after_a_release_is_told)
{
	_cleanup_(conf_freep) struct conf *conf = with_group();
	struct worker_result result = { .vip = &conf->groups[0].vips[0], .ifindex = 7, .n = 1 };

	tell_left(&agent, &result);
	cr_assert_str_eq(said.text, "10.0.0.3 is released, but this host still has it on eth0, "
				    "not from us: the gate keeps it silent");
	cr_assert_str_eq(said.id, "01-00308");
	cr_assert_str_eq(FIELD(INTERFACE), "eth0");
	result.n = 3;
	tell_left(&agent, &result);
	cr_assert_str_eq(said.text, "10.0.0.3 and 2 more are released, but this host still has "
				    "them on eth0, not from us: the gate keeps them silent");
}

Test(tell, what_waits_for_its_interface_is_not_said_to_be_back)
{
	struct core_action action = telling(CORE_TELL_REPAIRED);

	tell(&action, "hot");
	cr_assert_str_eq(said.text, "addresses of ours had been removed: they are back");
	agent.trouble[0].name = "eth7";
	agent.trouble[0].missing = true;
	tell(&action, "hot");
	cr_assert_str_eq(said.text, "addresses of ours had been removed: they are back, but for "
				    "those on eth7");
	agent.trouble[0].missing = false;
}

static struct core_action answer(enum core_result result)
{
	struct core_action action = { .type = CORE_DO_REPLY };

	action.reply.request = 7;
	action.reply.result = result;
	return action;
}

Test(tell, who_is_refused_is_told_of_unless_a_move_was_undone_for_him)
{
	_cleanup_(conf_freep) struct conf *conf = with_group();
	struct core_action action = answer(CORE_RESULT_OK);

	cr_assert_eq(agent.conf, conf);
	agent.actions.n = 0;
	tell_refused(&agent, &action);
	action = answer(CORE_RESULT_BUSY);
	action.reply.request = 0;
	tell_refused(&agent, &action);
	cr_expect_eq(said.events, 0);
	action = answer(CORE_RESULT_BUSY);
	tell_refused(&agent, &action);
	cr_expect_str_eq(said.id, "01-00202");
	cr_expect_str_eq(said.text, "a request was refused (Busy): Another request is under way");
	cr_expect_str_eq(FIELD(ERROR), "Busy");
	agent.core.peers[1].up = false;
	action = answer(CORE_RESULT_NOT_FIT);
	tell_refused(&agent, &action);
	cr_expect_str_eq(said.text, "a request was refused (NotFit): beta does not answer");
	cr_expect_eq(said.events, 2);
	agent.actions.v[0] = telling(CORE_TELL_MOVE_FAILED);
	agent.actions.n = 1;
	tell_refused(&agent, &action);
	cr_expect_eq(said.events, 2);
	agent.actions.n = 0;
}

Test(tell, the_end_of_a_conflict_is_told)
{
	_cleanup_(conf_freep) struct conf *conf = with_group();
	struct core_action action = telling(CORE_TELL_CONFLICT);
	struct core_group *g = &agent.core.groups[0];

	cr_assert_eq(agent.conf, conf);
	action.peer = 1;
	g->state = CORE_STATE_PRIMARY;
	g->rival_since.us = 5;
	tell_people(&agent, &action);
	cr_expect_eq(said.type, EVENT_CONFLICT);
	cr_expect(agent.met_rivals);
	tell_conflicts(&agent);
	cr_expect_eq(said.events, 1, "it goes on");
	g->rival_since = INSTANT_NEVER;
	tell_conflicts(&agent);
	cr_expect_eq(said.type, EVENT_CONFLICT_WON);
	cr_expect_str_eq(FIELD(PEER), "beta");
	cr_expect_not(agent.met_rivals);
	tell_people(&agent, &action);
	g->state = CORE_STATE_YIELDING;
	g->reason = CORE_REASON_CONFLICT;
	tell_conflicts(&agent);
	cr_expect_eq(said.type, EVENT_CONFLICT_LOST);
	tell_people(&agent, &action);
	g->reason = CORE_REASON_STOP;
	tell_conflicts(&agent);
	cr_expect_eq(said.type, EVENT_CONFLICT, "it has left for another reason");
	cr_expect_not(agent.met_rivals);
	memset(g, 0, sizeof(*g));
}

Test(tell, that_drift_is_given_up_is_told_once)
{
	struct core_action action = telling(CORE_TELL_UNFIT);
	_cleanup_(conf_freep) struct conf *conf = with_group();

	cr_assert_eq(agent.conf, conf);
	action.tell.unfit = CORE_UNFIT_DRIFT;
	tell_people(&agent, &action);
	cr_expect_eq(said.events, 2);
	cr_expect_eq(said.type, EVENT_UNFIT);
	cr_expect_str_eq(FIELD(REASON), "drift");
	action.tell.unfit = CORE_UNFIT_DRIFT | CORE_UNFIT_LINK;
	tell_people(&agent, &action);
	cr_expect_eq(said.events, 3);
	action.tell.unfit = 0;
	tell_people(&agent, &action);
	action.tell.unfit = CORE_UNFIT_DRIFT;
	tell_people(&agent, &action);
	cr_expect_eq(said.events, 6);
	agent.drift[0].given_up = false;
}

/* How the paths to beta are: these stand in front of the library's, too. */
static struct beat_path_stats paths[2];

size_t beat_n_paths(const struct beat *beat, uint8_t peer)
{
	(void)beat, (void)peer;
	return ARRAY_SIZE(paths);
}

void beat_path_stats(const struct beat *beat, uint8_t peer, size_t path,
		     struct beat_path_stats *ret)
{
	(void)beat, (void)peer;
	*ret = paths[path];
}

bool beat_is_deaf(const struct beat *beat, uint8_t peer, instant now)
{
	(void)beat, (void)peer, (void)now;
	return false;
}

static void at_second(uint64_t s)
{
	agent.core.now.us = s * USEC_PER_SEC;
	tell_paths(&agent);
}

Test(tell, a_path_that_falls_silent_while_others_work_is_told_and_its_return)
{
	_cleanup_(conf_freep) struct conf *conf = with_group();

	paths[0] = (struct beat_path_stats){ .local = { 4, { 10, 0, 0, 1 } },
					     .remote = { 4, { 10, 0, 0, 2 } } };
	paths[1] = (struct beat_path_stats){ .local = { 4, { 10, 1, 0, 1 } },
					     .remote = { 4, { 10, 1, 0, 2 } } };
	cr_assert_eq(agent.conf, conf);
	agent.core.peers[1].up = true;
	agent.core.peers[1].back = agent.core.awake = (instant){ 100 * USEC_PER_SEC };
	at_second(100);
	cr_expect_eq(said.events, 0, "there was no time to be heard");
	paths[0].heard.us = 101 * USEC_PER_SEC;
	at_second(101);
	cr_expect_str_eq(said.text, "path 10.1.0.1 to 10.1.0.2 of beta is silent: heartbeats go on "
				    "over the others");
	cr_expect_str_eq(said.id, "01-00406");
	cr_expect_str_eq(FIELD(PEER), "beta");
	paths[0].heard.us = 102 * USEC_PER_SEC;
	at_second(102);
	cr_expect_eq(said.events, 1, "once");
	paths[0].heard.us = paths[1].heard.us = 103 * USEC_PER_SEC;
	at_second(103);
	cr_expect_str_eq(said.text, "path 10.1.0.1 to 10.1.0.2 of beta is heard again");
	agent.core.peers[1].up = false;
	at_second(110);
	cr_expect_eq(said.events, 2, "that is told of the node");
	agent.lost_paths[1] = 0;
}

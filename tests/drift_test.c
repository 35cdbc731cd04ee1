/* SPDX-License-Identifier: MIT */

/* What the core and people hear of what others do to addresses; see 52-hold.sh for the rest. */

#include "agent/host/drift.h"

#include "agent/agent.h"
#include "agent/host/raise.h"
#include "agent/log.h"
#include "agent/tell.h"
#include "tests/held.h"

enum { OURS = 77 }; /* the worker's port */

static struct agent agent; /* too large for a stack */
static struct {
	unsigned losses, drifts, foreign, left, lines, orders, staged;
	struct worker_order order;
} heard;

/* These stand in front of the library's. */
void agent_step(struct agent *a, struct core_event *event)
{
	(void)a;
	heard.losses += event->type == CORE_EV_LOST;
}

void tell_foreign(struct agent *a, uint8_t group, const struct addr *addr)
{
	(void)a, (void)group, (void)addr;
	heard.foreign++;
}

void tell_drift(struct agent *a, uint8_t group)
{
	cr_assert_eq(a->drift[group].noted.n, 1);
	heard.drifts++;
}

void tell_left(struct agent *a, const struct worker_result *result)
{
	(void)a, (void)result;
	heard.left++;
}

void log_say(enum log_level level, const char *format, ...)
{
	(void)level, (void)format;
	heard.lines++;
}

int worker_order(struct worker *worker, const struct worker_order *order)
{
	(void)worker;
	heard.order = *order;
	heard.orders++;
	return 0;
}

uint32_t worker_portid(const struct worker *worker)
{
	(void)worker;
	return OURS;
}

void raise_lost(struct agent *a, uint8_t group)
{
	cr_expect_not(a->held[group]);
	heard.staged++;
}

static void enter(void)
{
	agent.conf = conf_from_text(HELD_CONF);
	agent.links.v[0] = (struct link){ .index = 1, .name = "va", .running = true };
	agent.links.v[1] = (struct link){ .index = 2, .name = "vb", .running = true };
	agent.links.n = 2;
	agent.held[SIP] = true;
}

static void leave(void)
{
	conf_free((struct conf *)agent.conf);
}

TestSuite(drift, .init = enter, .fini = leave);

static struct monitor_event news(enum monitor_kind kind, const char *ip, uint8_t prefix,
				 uint8_t tag)
{
	struct monitor_event event = { .kind = kind, .port = 4294963200U };

	event.addr = (struct addr){ .prefix = prefix, .ifindex = 1, .tag = tag, .valid_s = 60 };
	cr_assert_eq(conf_parse_ip(ip, &event.addr.ip), 0);
	return event;
}

static void gone(const char *ip, uint8_t prefix)
{
	const struct monitor_event event = news(MONITOR_ADDR_GONE, ip, prefix, ADDR_TAG);

	drift_gone(&agent, &event);
}

static void came(const char *ip, uint8_t prefix, uint8_t tag)
{
	const struct monitor_event event = news(MONITOR_ADDR, ip, prefix, tag);

	drift_came(&agent, &event);
}

Test(drift, what_is_held_and_gone_is_lost)
{
	gone("10.9.0.3", 24);
	cr_assert_eq(heard.losses, 1);
	gone("10.9.0.3", 32); /* another one */
	gone("10.9.0.4", 32); /* of a group that is not held */
	cr_assert_eq(heard.losses, 1);
	gone("fd09::3", 64);
	cr_assert_eq(heard.losses, 2);
	cr_assert_eq(agent.drift[SIP].noted.n, 2);
}

Test(drift, what_a_backup_keeps_ready_and_is_gone_is_made_ready_anew)
{
	agent.held[SIP] = false;
	gone("10.9.0.3", 24);
	cr_assert_eq(heard.losses, 0);
	cr_assert_eq(heard.staged, 1);
	gone("10.9.0.99", 24);
	cr_assert_eq(heard.staged, 1);
}

Test(drift, what_a_link_takes_along_is_owed_when_it_runs_again)
{
	agent.links.v[0].running = false;
	gone("10.9.0.3", 24);
	cr_assert_eq(heard.losses, 0);
	cr_assert(agent.owed[SIP]);
}

Test(drift, what_our_own_worker_removes_is_not_lost)
{
	struct monitor_event event = news(MONITOR_ADDR_GONE, "10.9.0.3", 24, ADDR_TAG);

	event.port = OURS;
	drift_gone(&agent, &event);
	cr_assert_eq(heard.losses, 0);
}

Test(drift, held_without_the_tag_or_for_ever_is_lost)
{
	struct monitor_event event = news(MONITOR_ADDR, "10.9.0.3", 24, ADDR_TAG);

	drift_came(&agent, &event); /* our own refresh */
	cr_assert_eq(heard.losses, 0);
	event.addr.valid_s = UINT32_MAX;
	drift_came(&agent, &event);
	cr_assert_eq(heard.losses, 1);
	came("10.9.0.3", 24, 0);
	cr_assert_eq(heard.losses, 2);
	cr_assert(agent.drift[SIP].noted.changed);
	cr_assert_eq(heard.foreign, 0);
}

Test(drift, copies_are_told_once_while_they_stand)
{
	came("10.9.0.3", 25, 0);
	came("10.9.0.3", 25, 0);
	came("10.9.0.4", 32, 0); /* where ours would be, were it held */
	came("10.9.0.5", 32, 0); /* nobody's */
	cr_assert_eq(heard.foreign, 2);
	cr_assert_eq(heard.losses, 0);
	gone("10.9.0.3", 25);
	came("10.9.0.3", 25, 0);
	cr_assert_eq(heard.foreign, 3);
	agent.held[DB] = true;
	came("10.9.0.4", 32, ADDR_TAG); /* it has become ours */
	agent.held[DB] = false;
	came("10.9.0.4", 32, 0);
	cr_assert_eq(heard.foreign, 4);
}

/* After news have been lost, or at the start */
Test(drift, a_whole_list_tells_what_is_new)
{
	const struct addr list[] = {
		news(MONITOR_ADDR, "10.9.0.3", 25, 0).addr,
		news(MONITOR_ADDR, "fd09::3", 128, 0).addr,
		news(MONITOR_ADDR, "10.9.0.1", 24, 0).addr,
		news(MONITOR_ADDR, "10.9.0.3", 24, 0).addr,
	};

	drift_look(&agent, list, 1);
	cr_assert_eq(heard.foreign, 1);
	drift_look(&agent, list, 3);
	cr_assert_eq(heard.foreign, 2, "the first is known");
	drift_look(&agent, list + 1, 1);
	drift_look(&agent, list, 2);
	cr_assert_eq(heard.foreign, 3, "the first had gone");
	cr_assert_eq(heard.losses, 0);
	drift_look(&agent, list + 3, 1);
	cr_assert_eq(heard.losses, 1);
	cr_assert_str_empty(agent.drift[SIP].noted.by, "nobody has told us who");
}

Test(drift, a_repair_is_told_with_what_was_lost_before_it)
{
	struct drift *drift = &agent.drift[SIP];

	gone("10.9.0.3", 24);
	drift_ordered(&agent, SIP, true);
	gone("fd09::3", 64); /* while the repair is under way */
	drift_done(&agent, SIP);
	drift_ordered(&agent, SIP, true); /* the core orders first, and tells then */
	cr_assert_eq(drift->mended.n, 1);
	cr_assert_eq(drift->mended.addr.ip.family, 4);
	drift_done(&agent, SIP);
	cr_assert_eq(drift->mended.n, 1);
	cr_assert_eq(drift->mended.addr.ip.family, 6);
	drift_done(&agent, SIP);
	cr_assert_eq(drift->mended.n, 0);
	gone("10.9.0.3", 24);
	drift_ordered(&agent, SIP, false); /* a claim, which is not about that */
	drift_ordered(&agent, SIP, true);
	drift_done(&agent, SIP);
	cr_assert_eq(drift->mended.n, 0);
}

Test(drift, an_address_of_the_host_that_comes_behind_ours_is_let_past)
{
	struct monitor_event event = news(MONITOR_ADDR, "10.9.0.1", 24, 0);

	drift_came(&agent, &event); /* before ours */
	event.addr.secondary = true;
	event.addr.prefix = 25; /* of another network */
	drift_came(&agent, &event);
	event.addr.prefix = 24;
	event.addr.ifindex = 2;
	drift_came(&agent, &event);
	cr_assert_eq(heard.orders, 0);
	event.addr.ifindex = 1;
	drift_came(&agent, &event);
	cr_assert_eq(heard.orders, 1);
	cr_assert_eq(heard.order.type, WORKER_STEP_BACK);
	cr_assert_eq(heard.order.group, SIP);
	agent.held[SIP] = false;
	drift_came(&agent, &event);
	cr_assert_eq(heard.orders, 1);
}

Test(drift, results_are_said_and_a_failure_is_mended)
{
	struct worker_result result = { .type = WORKER_STEP_BACK, .group = SIP, .n = 1 };

	drift_result(&agent, &result);
	cr_assert_eq(heard.lines, 1);
	cr_assert_eq(heard.losses, 0);
	result.err = -1;
	drift_result(&agent, &result);
	cr_assert_eq(heard.lines, 2);
	cr_assert_eq(heard.losses, 1);
	result = (struct worker_result){ .type = WORKER_TIDY, .group = DB, .n = 1 };
	drift_result(&agent, &result);
	cr_assert_eq(heard.left, 1);
	result.group = SIP; /* which is held again */
	drift_result(&agent, &result);
	cr_assert_eq(heard.left, 1);
	result.err = -1;
	drift_result(&agent, &result);
	cr_assert_eq(heard.lines, 3);
}

/* SPDX-License-Identifier: MIT */

#include "agent/reload.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>

#include "agent/agent.h"
#include "agent/bus/bus.h"
#include "agent/log.h"
#include "agent/publish.h"
#include "agent/vacant.h"
#include "tests/conf_good.h"
#include "tests/with_conf.h"

/* What reads, core and bus are played here. */

enum { REQUEST = 7 };

static struct agent agent; /* too large for a stack */
static struct conf *conf;
static struct reload *reload;
static atomic_bool busy;
static int found; /* what reading comes to */
static char said[64], logged[128];
static unsigned n_stops;

void bus_refuse(struct bus *bus, api_request request, const char *error, const char *text)
{
	(void)bus;
	cr_assert_eq(request, REQUEST);
	(void)snprintf(said, sizeof(said), "%s: %s", error, text);
}

void bus_reload_done(struct bus *bus, api_request request, bool changes)
{
	(void)bus;
	cr_assert_eq(request, REQUEST);
	(void)snprintf(said, sizeof(said), "%s", changes ? "changes" : "the same");
}

void agent_step(struct agent *of, struct core_event *event)
{
	cr_assert_eq(event->type, CORE_EV_STOP);
	cr_assert(event->restart);
	n_stops++;
	of->core.stopping = true;
}

void publish_say(struct agent *of, uint8_t group, enum event_type type, const char *format, ...)
{
	(void)of, (void)group, (void)type, (void)format;
}

void log_say(enum log_level level, const char *format, ...)
{
	va_list args;

	(void)level;
	va_start(args, format);
	(void)vsnprintf(logged, sizeof(logged), format, args);
	va_end(args);
}

int vacant_ask(const struct vacant *vacant, char **ret_why)
{
	(void)vacant, (void)ret_why;
	return 0;
}

static int read_it(void *data, char **ret_why)
{
	(void)data, (void)ret_why;
	return found;
}

static const struct conf *next(const void *data)
{
	(void)data;
	return agent.conf;
}

static void begin(void)
{
	const struct reload_reader reader = { .read = read_it, .next = next, .busy = &busy };

	conf = conf_from_text(GOOD);
	agent.conf = conf;
	cr_assert_geq(sd_event_new(&agent.loop), 0);
	cr_assert_eq(reload_new(&agent, &reader, &reload), 0);
}

static void end(void)
{
	reload = reload_free(reload);
	agent.loop = sd_event_unref(agent.loop);
	conf_free(conf);
}

static void run_to_the_end(void)
{
	cr_assert_gt(sd_event_run(agent.loop, UINT64_MAX), 0);
	cr_assert_not(busy);
}

TestSuite(reload, .init = begin, .fini = end, .timeout = 20);

Test(reload, another_configuration_ends_the_agent_and_the_same_does_not)
{
	reload_begin(reload, REQUEST);
	run_to_the_end();
	cr_expect_str_eq(said, "the same");
	cr_expect_not(reload_is_due(reload));
	found = 1;
	reload_begin(reload, REQUEST);
	run_to_the_end();
	cr_expect_str_eq(said, "changes");
	cr_expect(reload_is_due(reload));
	cr_expect_eq(n_stops, 1);
}

Test(reload, what_cannot_be_read_changes_nothing)
{
	found = -ENOENT;
	reload_begin(reload, REQUEST);
	run_to_the_end();
	cr_expect_str_eq(said, "InvalidConfiguration: No such file or directory");
	cr_expect_eq(n_stops, 0);
}

/* The next agent would get no lock of logind any more, and the host not wait for it. */
Test(reload, host_that_goes_down_gets_no_other_agent)
{
	found = 1;
	agent.going_down = true;
	reload_begin(reload, REQUEST);
	cr_expect_str_eq(said, "Busy: The host goes down.");
	agent.going_down = false;
	reload_begin(reload, REQUEST);
	agent.going_down = true; /* while it is read */
	said[0] = '\0';
	run_to_the_end();
	cr_expect_str_eq(said, "Busy: The host goes down.");
	cr_expect_not(reload_is_due(reload));
	cr_expect_eq(n_stops, 0);
}

Test(reload, signal_that_comes_too_early_is_told_to_the_log)
{
	found = 1;
	reload_begin(reload, 0);
	reload_begin(reload, REQUEST);
	cr_expect_str_eq(said, "Busy: The configuration is being read already.");
	cr_expect_str_empty(logged);
	reload_begin(reload, 0);
	cr_expect_str_eq(logged, "SIGHUP has no effect: The configuration is being read already.");
	run_to_the_end();
	cr_expect_eq(n_stops, 1);
}

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An agent with two groups and a systemd that only notes down what it is told: what stands here
 * stands in front of the library's.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent/agent.h"
#include "agent/log.h"
#include "agent/publish.h"
#include "agent/systemd/systemd.h"
#include "agent/tell.h"
#include "tests/with_conf.h"

static struct agent agent; /* too large for a stack */
static struct core_event deferred[8];
static size_t n_deferred;
static instant now = { 1000000000 };
static int refusal; /* of every order; 0: none */
static char ordered[1024], logged[256];

void agent_defer(struct agent *a, const struct core_event *event)
{
	cr_assert_eq(a, &agent);
	cr_assert_lt(n_deferred, ARRAY_SIZE(deferred));
	deferred[n_deferred++] = *event;
}

instant clock_now(void)
{
	return now;
}

int systemd_order(struct systemd *systemd, enum unit_verb verb, const char *name, uint32_t id)
{
	size_t used = strlen(ordered);

	(void)systemd;
	(void)snprintf(ordered + used, sizeof(ordered) - used, "%s%s %s", used ? ", " : "",
		       verb == UNIT_START ? "start" : "stop", name);
	(void)id;
	return refusal;
}

void systemd_forget(struct systemd *systemd, uint32_t id)
{
	size_t used = strlen(ordered);

	(void)systemd;
	(void)snprintf(ordered + used, sizeof(ordered) - used, "%sforget %x", used ? ", " : "", id);
}

static const char *dropped; /* the group that the next configuration does not have; NULL */

bool reload_drops(const struct reload *reload, const char *group)
{
	(void)reload;
	return dropped && !strcmp(group, dropped);
}

void publish_say(struct agent *a, uint8_t group, enum event_type type, const char *format, ...)
{
	va_list args;

	(void)a, (void)group, (void)type;
	va_start(args, format);
	(void)vsnprintf(logged, sizeof(logged), format, args);
	va_end(args);
}

void tell_target(struct agent *a, uint8_t group, const char *name, bool start, const char *why)
{
	(void)a, (void)group;
	(void)snprintf(logged, sizeof(logged), "cannot %s %s: %s", start ? "start" : "stop", name,
		       why);
}

bool log_is_due(instant *last, instant at)
{
	(void)last, (void)at;
	return true;
}

#define NODES                                                                                      \
	"[Agent]\nAuthentication=none\n[Node alpha]\nAddress=10.0.0.1\n"                           \
	"[Node beta]\nAddress=10.0.0.2\n"

static inline const struct conf *rig_start(const char *text)
{
	struct conf *conf = conf_from_text(text);

	conf_free((struct conf *)agent.conf); /* of the case before */
	memset(&agent, 0, sizeof(agent));
	agent.conf = conf;
	n_deferred = 0;
	refusal = 0;
	ordered[0] = logged[0] = '\0';
	return conf;
}

/* What was ordered since, and from here on a new list. */
#define expect_orders(wanted)                                                                      \
	do {                                                                                       \
		cr_expect_str_eq(ordered, wanted);                                                 \
		ordered[0] = '\0';                                                                 \
	} while (0)

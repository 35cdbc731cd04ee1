/* SPDX-License-Identifier: MIT */

/* What is said when there is no systemd. */

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent/agent.h"
#include "agent/log.h"
#include "agent/systemd/systemd.h"
#include "tests/with_conf.h"

static struct agent agent; /* too large for a stack */
static char warned[1024];
static unsigned n_infos;

void log_say(enum log_level level, const char *format, ...)
{
	size_t used = strlen(warned);
	va_list args;

	if (level == LOG_LEVEL_INFO) {
		n_infos++;
		return;
	}
	cr_assert_eq(level, LOG_LEVEL_WARNING);
	va_start(args, format);
	(void)vsnprintf(warned + used, sizeof(warned) - used, format, args);
	va_end(args);
	(void)strncat(warned, "\n", sizeof(warned) - strlen(warned) - 1);
}

void log_line(enum log_level level, const char *id, const char *group, const char *text,
	      const char *fields)
{
	(void)level, (void)id, (void)group, (void)text, (void)fields;
}

bool log_is_due(instant *last, instant now)
{
	(void)last, (void)now;
	return true;
}

static void expect_warnings(const char *groups, const char *wanted)
{
	_cleanup_(systemd_freep) struct systemd *systemd = NULL;
	_cleanup_(conf_freep) struct conf *conf = NULL;
	char text[1024];

	(void)snprintf(text, sizeof(text),
		       "[Agent]\nAuthentication=none\n[Node alpha]\nAddress=10.0.0.1\n"
		       "[Node beta]\nAddress=10.0.0.2\n%s",
		       groups);
	agent.conf = conf = conf_from_text(text);
	cr_assert_geq(sd_event_new(&agent.loop), 0);
	cr_assert_eq(systemd_new(&agent, &systemd), 0);
	warned[0] = '\0';
	n_infos = 0;
	systemd_missing(systemd);
	cr_expect_str_eq(warned, wanted);
	systemd_missing(systemd);
	cr_expect_str_eq(warned, wanted, "once");
	cr_expect_eq(n_infos, 1);
	agent.loop = sd_event_unref(agent.loop);
}

Test(systemd, who_does_not_count_on_it_is_not_warned)
{
	expect_warnings("[Group sip]\nVirtualAddress=10.0.0.3 eth0\n", "");
}

Test(systemd, what_does_not_work_without_it_is_named)
{
	expect_warnings("[Group db]\nVirtualAddress=10.0.0.4 eth0\nUnit=pg.service\n"
			"BeforeRelease=stop takeover-a.service\n"
			"BeforeClaim=start takeover-b.service\n"
			"[Group sip]\nVirtualAddress=10.0.0.3 eth0\n"
			"BeforeClaim=start takeover-b.service\n"
			"[Group web]\nVirtualAddress=10.0.0.5 eth0\n"
			"BeforeRelease=stop takeover-a.service\n",
			"group db: without systemd nobody watches whether pg.service runs (Unit=)\n"
			"group db: without systemd no unit of BeforeRelease= and BeforeClaim= is "
			"started or stopped, and a switchover fails\n"
			"group sip: without systemd no unit of BeforeClaim= is "
			"started or stopped, and a switchover fails\n"
			"group web: without systemd no unit of BeforeRelease= is "
			"started or stopped, and a switchover fails\n");
}

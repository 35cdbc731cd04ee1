/* SPDX-License-Identifier: MIT */

/* Points in time as people type them, and journalctl takes them. */

#include <time.h>

#include "sdbus/ctl.h"

/* A day and a time of it in this host's zone; false: there is none such. */
static bool parse_date(const char *text, time_t *ret)
{
	static const char *const formats[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
					       "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S" };

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct tm typed = { .tm_isdst = -1 }, tm;
		const char *end = strptime(text, formats[i], &typed);

		if (!end || *end)
			continue;
		tm = typed;
		*ret = mktime(&tm);
		return *ret > 0 && tm.tm_mday == typed.tm_mday; /* there is no 30 February */
	}
	return false;
}

/* The beginning of this day */
static time_t today(void)
{
	time_t now = time(NULL);
	struct tm tm;

	(void)localtime_r(&now, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

/**
 * ctl_parse_since() - a point in time, such as 2026-11-23 21:00, today, or -5min
 * @ctl: the program
 * @text: as it was typed; a duration is one before the present, with or without a sign
 * @ret_us: CLOCK_REALTIME
 *
 * Return: CTL_OK, or the exit code when it has been said what is wrong.
 */
int ctl_parse_since(struct ctl *ctl, const char *text, uint64_t *ret_us)
{
	uint64_t now_us = (uint64_t)time(NULL) * USEC_PER_SEC, ago_us;
	time_t at;

	if (strcmp(text, "today") == 0) {
		*ret_us = (uint64_t)today() * USEC_PER_SEC;
	} else if (ctl_read_span(text + (*text == '-'), &ago_us)) {
		*ret_us = ago_us < now_us ? now_us - ago_us : 0;
	} else if (parse_date(text, &at)) {
		*ret_us = (uint64_t)at * USEC_PER_SEC;
	} else {
		fprintf(ctl->err,
			"takeoverctl: \"%s\" is not a point in time; what is one: \"2026-11-23 "
			"21:00\", today, -5min.\n",
			text);
		return CTL_USAGE;
	}
	return CTL_OK;
}

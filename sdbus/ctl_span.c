/* SPDX-License-Identifier: MIT */

/* Durations as people type them. */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "sdbus/ctl.h"

/**
 * ctl_read_span() - a duration, such as 10, 500ms, 2min or 3d
 * @text: as it was typed; a number alone is in seconds
 * @ret_us: more than 0
 *
 * Return: false if it is none.
 */
bool ctl_read_span(const char *text, uint64_t *ret_us)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {
		{ "", USEC_PER_SEC },	       { "us", 1 },
		{ "ms", USEC_PER_MSEC },       { "s", USEC_PER_SEC },
		{ "min", 60 * USEC_PER_SEC },  { "h", 3600 * USEC_PER_SEC },
		{ "d", 86400 * USEC_PER_SEC },
	};
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	for (size_t i = 0; isdigit((unsigned char)*text) && i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name) != 0 || errno || n == 0 ||
		    n > INT64_MAX / units[i].us)
			continue;
		*ret_us = n * units[i].us;
		return true;
	}
	return false;
}

/**
 * ctl_parse_span() - the same, for an option
 * @ctl: the program
 * @text: as it was typed
 * @ret_us: more than 0
 *
 * Return: CTL_OK, or the exit code when it has been said what is wrong.
 */
int ctl_parse_span(struct ctl *ctl, const char *text, uint64_t *ret_us)
{
	if (ctl_read_span(text, ret_us))
		return CTL_OK;
	fprintf(ctl->err,
		"takeoverctl: \"%s\" is not a duration; what is one: 10 (seconds), 500ms, 2min.\n",
		text);
	return CTL_USAGE;
}

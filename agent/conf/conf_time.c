/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf_keys.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

static const struct {
	const char *name;
	uint64_t us;
} time_units[] = {
	{ "us", 1 },
	{ "usec", 1 },
	{ "µs", 1 },
	{ "ms", USEC_PER_MSEC },
	{ "msec", USEC_PER_MSEC },
	{ "s", USEC_PER_SEC },
	{ "sec", USEC_PER_SEC },
	{ "second", USEC_PER_SEC },
	{ "seconds", USEC_PER_SEC },
	{ "", USEC_PER_SEC },
	{ "m", 60 * USEC_PER_SEC },
	{ "min", 60 * USEC_PER_SEC },
	{ "minute", 60 * USEC_PER_SEC },
	{ "minutes", 60 * USEC_PER_SEC },
	{ "h", 3600 * USEC_PER_SEC },
	{ "hr", 3600 * USEC_PER_SEC },
	{ "hour", 3600 * USEC_PER_SEC },
	{ "hours", 3600 * USEC_PER_SEC },
};

static int find_unit(const char *name, size_t len, uint64_t *ret_us)
{
	for (size_t i = 0; i < ARRAY_SIZE(time_units); i++) {
		if (strlen(time_units[i].name) != len || memcmp(time_units[i].name, name, len) != 0)
			continue;
		*ret_us = time_units[i].us;
		return 0;
	}
	return -EINVAL;
}

/* One number with its unit from *@text on, which moves behind it. */
static int parse_span(const char **text, uint64_t *ret_us)
{
	const char *p = *text, *fraction = NULL;
	uint64_t whole = 0, unit, us;
	size_t len;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++) {
		whole = whole * 10 + (uint64_t)(*p - '0');
		if (whole > UINT32_MAX)
			return -ERANGE;
	}
	if (*p == '.') {
		fraction = ++p;
		p += strspn(p, "0123456789");
		if (p == fraction)
			return -EINVAL;
	}
	p += strspn(p, " \t");
	len = strcspn(p, " \t0123456789");
	if (find_unit(p, len, &unit) < 0)
		return -EINVAL;
	us = whole * unit;
	for (; fraction && isdigit((unsigned char)*fraction); fraction++) {
		unit /= 10;
		us += (uint64_t)(*fraction - '0') * unit;
	}
	p += len;
	*text = p + strspn(p, " \t");
	*ret_us = us;
	return 0;
}

/**
 * conf_parse_time() - Read a time as systemd writes it.
 * @text: such as "50ms", "1.5s" or "1min 30s"; without unit: seconds
 * @ret_us: time in µs
 *
 * Return: 0; -EINVAL if @text is not a time; -ERANGE beyond 2^32 of a unit.
 */
int conf_parse_time(const char *text, uint64_t *ret_us)
{
	uint64_t sum = 0, us;
	int r;

	do {
		r = parse_span(&text, &us);
		if (r < 0)
			return r;
		sum += us;
		if (sum > UINT64_MAX / 4)
			return -ERANGE;
	} while (*text);
	*ret_us = sum;
	return 0;
}

/**
 * conf_print_time() - Write a time as systemd writes it.
 * @us: time in µs
 * @to: receives, for example, "1s 500ms"; conf_parse_time() reads it back
 */
void conf_print_time(uint64_t us, FILE *to)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {
		{ "h", 3600 * USEC_PER_SEC },
		{ "min", 60 * USEC_PER_SEC },
		{ "s", USEC_PER_SEC },
		{ "ms", USEC_PER_MSEC },
		{ "us", 1 },
	};
	const char *gap = "";

	if (us == 0)
		fputc('0', to);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (us < units[i].us)
			continue;
		fprintf(to, "%s%" PRIu64 "%s", gap, us / units[i].us, units[i].name);
		us %= units[i].us;
		gap = " ";
	}
}

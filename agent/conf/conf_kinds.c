/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf_keys.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "agent/cleanup.h"

/* "yes" and "no" in all the ways that systemd knows. */
static int parse_bool(const char *text, bool *ret)
{
	static const char *const words[2][6] = {
		{ "no", "false", "0", "off", "n", "f" },
		{ "yes", "true", "1", "on", "y", "t" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words) * ARRAY_SIZE(words[0]); i++) {
		bool value = i >= ARRAY_SIZE(words[0]);

		if (strcasecmp(text, words[value][i % ARRAY_SIZE(words[0])]) != 0)
			continue;
		*ret = value;
		return 0;
	}
	return -EINVAL;
}

/* A decimal or hexadecimal number below 2^32. */
static int parse_number(const char *text, uint64_t *ret)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*text) || strlen(text) > 10)
		return -EINVAL;
	n = strtoull(text, &end, hex ? 16 : 10);
	if (*end)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int refuse(const struct conf_key *key, const char *text, const struct conf_place *place)
{
	if (key->kind->takes)
		return conf_complain(place, "%s= takes %s, not \"%s\".", key->name,
				     key->kind->takes, text);
	return conf_complain(place, "%s= takes %s or %s, not \"%s\".", key->name, key->words[1],
			     key->words[0], text);
}

/* A time or several that are none, too short or too long: one sentence says what is right. */
static int refuse_time(const struct conf_key *key, const char *text, const struct conf_place *place)
{
	size_t size, len = strlen(text);
	_cleanup_(freep) char *range = NULL;
	FILE *f;

	f = open_memstream(&range, &size);
	if (!f)
		return -ENOMEM;
	conf_print_time(key->min, f);
	fputs(" to ", f);
	conf_print_time(key->max, f);
	if (fclose(f) != 0)
		return -ENOMEM;
	return conf_complain(place, "%s= takes %s from %s, not \"%s\"%s.", key->name,
			     key->kind->takes, range, text,
			     len && isdigit((unsigned char)text[len - 1])
				     ? ": without a unit it is seconds"
				     : "");
}

static int time_parse(const struct conf_key *key, const char *text, void *object,
		      const struct conf_place *place)
{
	uint64_t us;

	if (conf_parse_time(text, &us) < 0 || us < key->min || us > key->max)
		return refuse_time(key, text, place);
	*(uint32_t *)((char *)object + key->offset) = (uint32_t)us;
	return 0;
}

static void time_print(const struct conf_key *key, const void *object, FILE *to)
{
	fprintf(to, "%s=", key->name);
	conf_print_time(*(const uint32_t *)((const char *)object + key->offset), to);
	fputc('\n', to);
}

static int seconds_parse(const struct conf_key *key, const char *text, void *object,
			 const struct conf_place *place)
{
	uint64_t us;

	if (conf_parse_time(text, &us) < 0 || us % USEC_PER_SEC != 0 || us < key->min ||
	    us > key->max)
		return refuse_time(key, text, place);
	*(uint32_t *)((char *)object + key->offset) = (uint32_t)(us / USEC_PER_SEC);
	return 0;
}

static void seconds_print(const struct conf_key *key, const void *object, FILE *to)
{
	fprintf(to, "%s=", key->name);
	conf_print_time(*(const uint32_t *)((const char *)object + key->offset) * USEC_PER_SEC, to);
	fputc('\n', to);
}

static int u16_parse(const struct conf_key *key, const char *text, void *object,
		     const struct conf_place *place)
{
	uint64_t n;

	if (parse_number(text, &n) < 0 || n < key->min || n > key->max)
		return conf_complain(
			place, "%s= takes a number from %" PRIu64 " to %" PRIu64 ", not \"%s\".",
			key->name, key->min, key->max, text);
	*(uint16_t *)((char *)object + key->offset) = (uint16_t)n;
	return 0;
}

static void u16_print(const struct conf_key *key, const void *object, FILE *to)
{
	fprintf(to, "%s=%u\n", key->name, *(const uint16_t *)((const char *)object + key->offset));
}

static int mark_parse(const struct conf_key *key, const char *text, void *object,
		      const struct conf_place *place)
{
	uint64_t n;

	if (parse_number(text, &n) < 0 || n < key->min || n > key->max)
		return conf_complain(place,
				     "%s= takes a number from 0x%" PRIx64 " to 0x%" PRIx64
				     ", not \"%s\".",
				     key->name, key->min, key->max, text);
	*(uint32_t *)((char *)object + key->offset) = (uint32_t)n;
	return 0;
}

static void mark_print(const struct conf_key *key, const void *object, FILE *to)
{
	fprintf(to, "%s=0x%08" PRIx32 "\n", key->name,
		*(const uint32_t *)((const char *)object + key->offset));
}

static int bool_parse(const struct conf_key *key, const char *text, void *object,
		      const struct conf_place *place)
{
	bool value;

	if (parse_bool(text, &value) < 0)
		return refuse(key, text, place);
	*(bool *)((char *)object + key->offset) = value;
	return 0;
}

static int choice_parse(const struct conf_key *key, const char *text, void *object,
			const struct conf_place *place)
{
	for (size_t i = 0; i < ARRAY_SIZE(key->words); i++) {
		if (strcmp(text, key->words[i]) != 0)
			continue;
		*(bool *)((char *)object + key->offset) = i == 1;
		return 0;
	}
	return refuse(key, text, place);
}

static void choice_print(const struct conf_key *key, const void *object, FILE *to)
{
	fprintf(to, "%s=%s\n", key->name,
		key->words[*(const bool *)((const char *)object + key->offset)]);
}

static int mode_parse(const struct conf_key *key, const char *text, void *object,
		      const struct conf_place *place)
{
	static const enum conf_mode works[] = { CONF_MODE_ALIAS, CONF_MODE_SUBINTERFACE,
						CONF_MODE_NONE };
	static const char *const later[] = { "port" };

	for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
		if (strcmp(text, conf_mode_name(works[i])) != 0)
			continue;
		*(enum conf_mode *)((char *)object + key->offset) = works[i];
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (!strcmp(text, later[i]))
			return conf_complain(place,
					     "%s=%s is not done by this version yet; it takes %s.",
					     key->name, text, key->kind->takes);
	return refuse(key, text, place);
}

static void mode_print(const struct conf_key *key, const void *object, FILE *to)
{
	const enum conf_mode *mode = (const void *)((const char *)object + key->offset);

	fprintf(to, "%s=%s\n", key->name, conf_mode_name(*mode));
}

static int path_parse(const struct conf_key *key, const char *text, void *object,
		      const struct conf_place *place)
{
	char **field = (char **)((char *)object + key->offset);
	char *path;

	if (text[0] != '/')
		return refuse(key, text, place);
	path = strdup(text);
	if (!path)
		return -ENOMEM;
	free(*field);
	*field = path;
	return 0;
}

static void path_print(const struct conf_key *key, const void *object, FILE *to)
{
	fprintf(to, "%s=%s\n", key->name, *(char *const *)((const char *)object + key->offset));
}

/* Cut the next word off *@text, into @buf. false if there is none, or it is too long. */
static bool next_word(const char **text, char *buf, size_t size)
{
	const char *start = *text + strspn(*text, " \t");
	size_t len = strcspn(start, " \t");

	if (len == 0 || len >= size)
		return false;
	memcpy(buf, start, len);
	buf[len] = '\0';
	*text = start + len;
	return true;
}

static int times_parse(const struct conf_key *key, const char *text, void *object,
		       const struct conf_place *place)
{
	uint32_t times[CORE_ANNOUNCE_MAX] = { 0 };
	struct conf *conf = object;
	const char *rest = text;
	char word[32];
	size_t n = 0;
	uint64_t us;

	while (next_word(&rest, word, sizeof(word))) {
		if (conf_parse_time(word, &us) < 0 || us < key->min || us > key->max)
			return refuse_time(key, word, place);
		if (n == CORE_ANNOUNCE_MAX)
			return conf_complain(place, "%s= takes at most %d times.", key->name,
					     CORE_ANNOUNCE_MAX);
		if (n > 0 && us <= times[n - 1])
			return conf_complain(place,
					     "%s= takes times that grow, but %s is not "
					     "later than the one before it.",
					     key->name, word);
		times[n++] = (uint32_t)us;
	}
	if (rest[strspn(rest, " \t")])
		return refuse_time(key, text, place);
	memcpy(conf->announce_us, times, sizeof(times));
	conf->n_announce = n;
	return 0;
}

/* In one unit each: a space would begin the next time. */
static void times_print(const struct conf_key *key, const void *object, FILE *to)
{
	const struct conf *conf = object;

	fprintf(to, "%s=", key->name);
	for (size_t i = 0; i < conf->n_announce; i++) {
		uint32_t us = conf->announce_us[i];
		bool s = us % USEC_PER_SEC == 0, ms = us % USEC_PER_MSEC == 0;
		uint64_t unit = s ? USEC_PER_SEC : ms ? USEC_PER_MSEC : 1;

		fprintf(to, "%s%" PRIu64 "%s", i ? " " : "", us / unit, s ? "s" : ms ? "ms" : "us");
	}
	fputc('\n', to);
}

const struct conf_kind conf_kind_time = {
	.takes = "a time",
	.parse = time_parse,
	.print = time_print,
};

const struct conf_kind conf_kind_seconds = {
	.takes = "a time in whole seconds",
	.parse = seconds_parse,
	.print = seconds_print,
};

const struct conf_kind conf_kind_times = {
	.takes = "times",
	.parse = times_parse,
	.print = times_print,
};

const struct conf_kind conf_kind_u16 = {
	.parse = u16_parse,
	.print = u16_print,
};

const struct conf_kind conf_kind_mark = {
	.parse = mark_parse,
	.print = mark_print,
};

const struct conf_kind conf_kind_bool = {
	.takes = "yes or no",
	.parse = bool_parse,
	.print = choice_print,
};

const struct conf_kind conf_kind_choice = {
	.parse = choice_parse,
	.print = choice_print,
};

const struct conf_kind conf_kind_mode = {
	.takes = "alias, subinterface or none",
	.parse = mode_parse,
	.print = mode_print,
};

const struct conf_kind conf_kind_path = {
	.takes = "an absolute path such as /etc/takeover/key",
	.parse = path_parse,
	.print = path_print,
};

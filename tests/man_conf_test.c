/* SPDX-License-Identifier: MIT */

/* takeover.conf(5) against the table of keys and the limits. */

#include <inttypes.h>

#include "agent/conf/conf_keys.h"
#include "tests/man_page.h"

#define PAGE "man/takeover.conf.5"

static void print_range(const struct conf_key *key, FILE *to)
{
	const struct conf_kind *kind = key->kind;

	if (kind == &conf_kind_time || kind == &conf_kind_seconds || kind == &conf_kind_times) {
		fputs(kind == &conf_kind_times ? ", each from " : ", from ", to);
		conf_print_time(key->min, to);
		fputs(" to ", to);
		conf_print_time(key->max, to);
	} else if (kind == &conf_kind_mark) {
		fprintf(to, ", from 0x%" PRIx64 " to 0x%" PRIx64, key->min, key->max);
	} else if (key->max) {
		fprintf(to, ", from %" PRIu64 " to %" PRIu64, key->min, key->max);
	}
}

/* Times as they are printed, not as the table happens to write them. */
static void print_fallback(const struct conf_key *key, FILE *to)
{
	const struct conf_kind *kind = key->kind;
	uint64_t us;

	if (!key->fallback) {
		fputs("No default.\n", to);
		return;
	}
	fputs("Default ", to);
	if (kind == &conf_kind_time || kind == &conf_kind_seconds) {
		cr_assert_eq(conf_parse_time(key->fallback, &us), 0);
		conf_print_time(us, to);
	} else {
		fputs(key->fallback, to);
	}
	fputs(".\n", to);
}

/* Without the example that a complaint has, "such as 50ms": there is a default to look at. */
static void print_takes(const struct conf_key *key, FILE *to)
{
	const char *takes = key->kind->takes, *example = takes ? strstr(takes, " such as ") : NULL;

	if (takes)
		fprintf(to, "Takes %.*s", (int)(example ? example - takes : (int)strlen(takes)),
			takes);
	else if (key->words[0])
		fprintf(to, "Takes %s or %s", key->words[1], key->words[0]);
	else
		fputs("Takes a number", to);
}

/* What the page has to say of a key, line by line. */
static void print_key(const struct conf_key *key, FILE *to)
{
	fprintf(to, ".It Cm %s Ns =\n", key->name);
	print_takes(key, to);
	print_range(key, to);
	fputs(".\n", to);
	print_fallback(key, to);
	if (key->kind->list)
		fputs("May be given more than once.\n", to);
	if (key->local)
		fputs("The hosts may differ.\n", to);
	fputs(".Pp\n", to); /* nothing else is said in between */
}

/* The lines of the page from where a key's item begins, as many as @wanted has. */
static void expect_item(const struct page *section, const char *wanted, const char *name)
{
	_cleanup_(freep) char *item = NULL;
	char header[PAGE_LINE_MAX];
	size_t len = 0, size, i = 0;
	FILE *f = open_memstream(&item, &size);

	cr_assert(f);
	(void)snprintf(header, sizeof(header), ".It Cm %s Ns =", name);
	while (i < section->n && strcmp(section->lines[i], header) != 0)
		i++;
	for (; i < section->n && len < strlen(wanted); i++)
		len += (size_t)fprintf(f, "%s\n", section->lines[i]);
	cr_assert_eq(fclose(f), 0);
	cr_expect_str_eq(item, wanted, PAGE " should say of %s=\n%sand says\n%s", name, wanted,
			 item);
}

static const char *const headers[_CONF_SECTION_MAX] = {
	[CONF_SECTION_AGENT] = ".Sh AGENT SECTION",
	[CONF_SECTION_NODE] = ".Sh NODE SECTION",
	[CONF_SECTION_GROUP] = ".Sh GROUP SECTION",
	[CONF_SECTION_REACTION] = ".Sh REACTION SECTION",
};

Test(man, every_key_is_in_the_manual_with_range_and_default)
{
	_cleanup_(freep) struct page *page = page_read(PAGE);
	const struct conf_key *keys;
	size_t n;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) struct page *section =
			page_section(page, headers[keys[i].section]);
		_cleanup_(freep) char *wanted = NULL;
		size_t size;
		FILE *f = open_memstream(&wanted, &size);

		cr_assert(f);
		print_key(&keys[i], f);
		cr_assert_eq(fclose(f), 0);
		expect_item(section, wanted, keys[i].name);
	}
}

Test(man, no_other_key_is_in_the_manual)
{
	_cleanup_(freep) struct page *page = page_read(PAGE);
	const struct conf_key *keys;
	size_t n;

	keys = conf_keys(&n);
	for (size_t s = 0; s < ARRAY_SIZE(headers); s++) {
		_cleanup_(freep) struct page *section = page_section(page, headers[s]);
		_cleanup_(freep) struct page *wanted = calloc(1, sizeof(*wanted));

		cr_assert(wanted);
		for (size_t i = 0; i < n; i++) {
			char line[PAGE_LINE_MAX];

			if (keys[i].section != s)
				continue;
			(void)snprintf(line, sizeof(line), ".It Cm %s Ns =", keys[i].name);
			page_add(wanted, line);
		}
		page_same(section, ".It Cm ", wanted);
	}
}

static bool is_key(const char *name, size_t len)
{
	const struct conf_key *keys;
	size_t n;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (strlen(keys[i].name) == len && memcmp(keys[i].name, name, len) == 0)
			return true;
	return false;
}

/* A key is written "Cm NAME Ns =" wherever the pages speak of one. */
Test(man, every_key_that_a_page_names_exists)
{
	static const char *const paths[] = { PAGE, "man/takeover.7", "man/takeoverd.8",
					     "man/org.takeover1.5" };
	size_t named = 0;

	for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
		_cleanup_(freep) struct page *page = page_read(paths[p]);

		for (size_t i = 0; i < page->n; i++) {
			const char *at = page->lines[i];

			while ((at = strstr(at, "Cm "))) {
				size_t len = strcspn(at += 3, " ");

				if (!begins(at + len, " Ns ="))
					continue;
				named++;
				cr_expect(is_key(at, len), "%s:%zu: %.*s= is no key", paths[p],
					  i + 1, (int)len, at);
			}
		}
	}
	cr_expect_gt(named, 50, "only %zu keys found: is the shape still the same?", named);
}

Test(man, the_limits_are_those_of_the_program)
{
	static const struct {
		const char *what;
		unsigned limit;
	} limits[] = {
		{ "addresses of a node (paths)", CONF_PATHS_MAX },
		{ "groups", CORE_GROUPS_MAX },
		{ "virtual addresses of all groups together", CONF_VIPS_MAX },
		{ "times of Cm Announce Ns =", CORE_ANNOUNCE_MAX },
		{ "units before a release, or a claim, of a group", CONF_STEPS_MAX },
		{ "reactions", CONF_REACTIONS_MAX },
		{ "events, groups, arguments, variables of a reaction, each", CONF_WORDS_MAX },
		{ "bytes of a name", CONF_NAME_MAX },
		{ "bytes of a file", CONF_FILE_MAX },
	};
	_cleanup_(freep) struct page *page = page_read(PAGE);
	_cleanup_(freep) struct page *section = page_section(page, ".Sh LIMITS");

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		char line[PAGE_LINE_MAX];

		(void)snprintf(line, sizeof(line), ".It %s Ta %u", limits[i].what, limits[i].limit);
		cr_expect_eq(page_count(section, line), 1, "the page has no \"%s\"", line);
	}
}

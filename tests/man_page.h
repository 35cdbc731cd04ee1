/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A page of the manual as lines of mdoc, for the tests that hold it against the
 * program's own tables: what the page says there has a regular shape, and the
 * test makes the same lines out of the table.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base.h"
#include "agent/cleanup.h"

enum {
	PAGE_LINES_MAX = 3000,
	PAGE_LINE_MAX = 256,
};

struct page {
	char lines[PAGE_LINES_MAX][PAGE_LINE_MAX];
	size_t n;
};

static inline void page_add(struct page *page, const char *line)
{
	cr_assert_lt(page->n, PAGE_LINES_MAX);
	cr_assert_lt(strlen(line), PAGE_LINE_MAX, "a long line: %s", line);
	(void)snprintf(page->lines[page->n], PAGE_LINE_MAX, "%.*s", (int)strcspn(line, "\n"), line);
	page->n++;
}

/* Run in the top directory of the project, as all tests are. Free it. */
static inline struct page *page_read(const char *path)
{
	struct page *page = calloc(1, sizeof(*page));
	_cleanup_(freep) char *line = NULL;
	FILE *f = fopen(path, "re");
	size_t size = 0;

	cr_assert(page);
	cr_assert(f, "no page %s", path);
	while (getline(&line, &size, f) >= 0)
		page_add(page, line);
	cr_assert_eq(fclose(f), 0);
	return page;
}

static inline bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/*
 * The lines from behind @header (".Sh NAME", ".Ss NAME") to the next header of its
 * kind or a higher one. Free it.
 */
static inline struct page *page_section(const struct page *page, const char *header)
{
	struct page *section = calloc(1, sizeof(*section));
	bool inside = false, found = false;

	cr_assert(section);
	for (size_t i = 0; i < page->n; i++) {
		const char *line = page->lines[i];

		if (begins(line, ".Sh ") || (begins(line, ".Ss ") && begins(header, ".Ss "))) {
			inside = strcmp(line, header) == 0;
			found = found || inside;
		} else if (inside) {
			page_add(section, line);
		}
	}
	cr_assert(found, "the page has no \"%s\"", header);
	return section;
}

/* How often a line is there, exactly. */
static inline size_t page_count(const struct page *page, const char *line)
{
	size_t n = 0;

	for (size_t i = 0; i < page->n; i++)
		n += strcmp(page->lines[i], line) == 0;
	return n;
}

/* Of the lines of @page that begin with @with, each is one of @wanted, once, and the reverse. */
static inline void page_same(const struct page *page, const char *with, const struct page *wanted)
{
	for (size_t i = 0; i < page->n; i++)
		if (begins(page->lines[i], with))
			cr_expect_eq(page_count(wanted, page->lines[i]), 1,
				     "the program has no \"%s\"", page->lines[i]);
	for (size_t i = 0; i < wanted->n; i++)
		cr_expect_eq(page_count(page, wanted->lines[i]), 1, "the page has \"%s\" %zu times",
			     wanted->lines[i], page_count(page, wanted->lines[i]));
}

/* SPDX-License-Identifier: MIT */

#include <inttypes.h>

#include "sdbus/ctl_page.h"

/**
 * page_span() - a duration as people say it, with the digits that count
 * @us: how long
 */
struct span page_span(uint64_t us)
{
	const uint64_t s = us / USEC_PER_SEC, min = s / 60, h = min / 60;
	const double ms = (double)us / (double)USEC_PER_MSEC;
	struct span span;

	if (ms < 999.5)
		(void)snprintf(span.text, sizeof(span.text), "%.3g ms", ms);
	else if (s < 10)
		(void)snprintf(span.text, sizeof(span.text), "%.2g s", ms / 1000);
	else if (min < 1)
		(void)snprintf(span.text, sizeof(span.text), "%" PRIu64 " s", s);
	else if (h < 1)
		(void)snprintf(span.text, sizeof(span.text), "%" PRIu64 " min %" PRIu64 " s", min,
			       s % 60);
	else if (h < 24)
		(void)snprintf(span.text, sizeof(span.text), "%" PRIu64 " h %" PRIu64 " min", h,
			       min % 60);
	else
		(void)snprintf(span.text, sizeof(span.text), "%" PRIu64 " d %" PRIu64 " h", h / 24,
			       h % 24);
	return span;
}

/**
 * page_age() - how long ago something was
 * @page: knows what time it is
 * @then_us: when it was, CLOCK_BOOTTIME; 0: never
 */
struct span page_age(const struct page *page, uint64_t then_us)
{
	struct span ago;

	if (then_us == 0)
		return (struct span){ "never" };
	(void)snprintf(ago.text, sizeof(ago.text), "%.24s ago",
		       page_span(instant_since(page->now, (instant){ then_us })).text);
	return ago;
}

/**
 * page_wider() - the width of a column that has to take one more text
 * @width: so far
 * @text: the text
 */
int page_wider(int width, const char *text)
{
	const int len = (int)strlen(text);

	return len > width ? len : width;
}

/**
 * page_colour() - what begins or ends a colour, if there are colours
 * @page: the page
 * @colour: the sequence; NULL: none
 */
const char *page_colour(const struct page *page, const char *colour)
{
	return page->colour && colour ? colour : "";
}

/**
 * page_margin() - begin a line
 * @page: the page
 * @wrong: whether the line is about something that is wrong
 */
void page_margin(const struct page *page, bool wrong)
{
	if (wrong)
		fprintf(page->out, "%s!%s ", page_colour(page, RED), page_colour(page, PLAIN));
	else
		fputs("  ", page->out);
}

/**
 * page_cell() - one cell of a line with another after it
 * @page: the page
 * @width: of the column; negative: to its right
 * @text: the text
 * @colour: of the text; NULL: none
 */
void page_cell(const struct page *page, int width, const char *text, const char *colour)
{
	fprintf(page->out, "%s%*s%s  ", page_colour(page, colour), -width, text,
		colour ? page_colour(page, PLAIN) : "");
}

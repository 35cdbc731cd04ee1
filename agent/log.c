/* SPDX-License-Identifier: MIT */

/* The only file that logs. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-journal.h>

#include "agent/log.h"

static bool journal_listens(void)
{
	return getenv("JOURNAL_STREAM") != NULL;
}

/**
 * log_line() - Log something that has an id
 * @id: as on D-Bus, such as "00-04563"; "" for none
 * @group: name; "" if it concerns the node
 * @text: one sentence without line end
 *
 * To the journal with the fields TAKEOVER_EVENT= and TAKEOVER_GROUP=, to a
 * terminal in plain words.
 */
void log_line(enum log_level level, const char *id, const char *group, const char *text)
{
	static const char *const words[] = { [LOG_LEVEL_ERROR] = "error: ",
					     [LOG_LEVEL_WARNING] = "warning: ",
					     [LOG_LEVEL_NOTICE] = "",
					     [LOG_LEVEL_INFO] = "" };

	if (journal_listens())
		(void)sd_journal_send("MESSAGE=%s%s%s", group, *group ? ": " : "", text,
				      "PRIORITY=%d", level, "TAKEOVER_EVENT=%s", id,
				      "TAKEOVER_GROUP=%s", group, NULL); /* no journal: no log */
	else
		(void)fprintf(stderr, "%s%s%s%s%s%s\n", words[level], group, *group ? ": " : "",
			      text, *id ? "  " : "", id);
}

/**
 * log_say() - Log a sentence about the node that needs no id
 */
void log_say(enum log_level level, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap); /* cut is better than nothing */
	va_end(ap);
	log_line(level, "", "", text);
}

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A text that a program makes of itself, against the one that has been read and
 * found right. `make golden` writes it anew; git diff shows what that changes.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/cleanup.h"
#include "tests/temp.h"

static inline char *golden_read(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (f && getdelim(&text, &size, '\0', f) < 0)
		text[0] = '\0';
	if (f)
		cr_assert_eq(fclose(f), 0);
	return text ?: strdup("");
}

static inline void golden_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	cr_assert(f, "cannot write %s", path);
	cr_assert_geq(fputs(text, f), 0);
	cr_assert_eq(fclose(f), 0);
}

/* What would have to be done to the file, as diff says it; for the reader of a failure. */
static inline void golden_show(const char *path, const char *text)
{
	char made[TEMP_MAX], command[2 * TEMP_MAX + 64];
	int fd = mkstemp(temp_template(made, "golden"));

	cr_assert_geq(fd, 0);
	(void)close(fd);
	golden_write(made, text);
	(void)fflush(NULL);
	(void)snprintf(command, sizeof(command), "diff -u %s %s | head -n 100 >&2", path, made);
	(void)!system(command); /* there is a difference: it says so itself */
	(void)unlink(made);
}

static inline void golden_expect(const char *path, const char *text)
{
	_cleanup_(freep) char *wanted = NULL;

	if (getenv("GOLDEN_RENEW"))
		golden_write(path, text);
	wanted = golden_read(path);
	if (strcmp(wanted, text) == 0)
		return;
	golden_show(path, text);
	cr_assert_fail("%s is not what comes out now; if that is right, say 'make golden' and "
		       "look at 'git diff'",
		       path);
}

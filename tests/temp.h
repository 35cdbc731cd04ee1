/* SPDX-License-Identifier: MIT */
#pragma once

/* Where tests keep what they write: in $TMPDIR, which check.sh removes. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEMP_MAX = 96 }; /* the path of a socket in it may have 107 */

/* A template for mkstemp() or mkdtemp(). */
static inline char *temp_template(char ret[static TEMP_MAX], const char *name)
{
	const char *in = getenv("TMPDIR");
	int len;

	len = snprintf(ret, TEMP_MAX, "%s/takeover-%s-XXXXXX", in && *in ? in : "/tmp", name);
	assert(len > 0 && len < TEMP_MAX);
	return ret;
}

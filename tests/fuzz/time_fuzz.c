/* SPDX-License-Identifier: MIT */

/* Times. Law: what was read is printed so that it is read as the same. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/conf/conf_keys.h"
#include "tests/fuzz/fuzz.h"

/* The printer's largest unit is the minute, of which the parser takes 2^32 - 1. */
#define PRINTABLE_US (UINT32_MAX * 60 * USEC_PER_SEC)

static uint64_t print_and_parse(uint64_t us)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert(f);
	conf_print_time(us, f);
	assert(fclose(f) == 0);
	assert(conf_parse_time(text, &us) == 0);
	return us;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = strndup((const char *)data, size);
	uint64_t us = 77;
	int r;

	assert(text);
	r = conf_parse_time(text, &us);
	assert(r == 0 || ((r == -EINVAL || r == -ERANGE) && us == 77));
	if (r == 0 && us < PRINTABLE_US)
		assert(print_and_parse(us) == us);
	return 0;
}

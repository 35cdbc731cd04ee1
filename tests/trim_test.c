/* SPDX-License-Identifier: MIT */

#include "agent/trim.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* What is resident of files, in KiB. */
static unsigned long resident(void)
{
	unsigned long kib = 0;
	char line[256];
	FILE *status = fopen("/proc/self/status", "re");

	cr_assert_not_null(status);
	while (fgets(line, sizeof(line), status))
		(void)sscanf(line, "RssFile: %lu", &kib);
	cr_assert_eq(fclose(status), 0);
	cr_assert_gt(kib, 0);
	return kib;
}

static int written = 1; /* not as the file has it */

Test(trim, what_is_mapped_of_files_is_given_back_and_nothing_that_has_been_written)
{
	unsigned long before = resident();

	written = 2;
	trim_after_start();
	cr_assert_lt(resident(), before);
	cr_assert_eq(written, 2);
}

/* SPDX-License-Identifier: MIT */

/* takeoverd --check on a file with every kind of mistake, as an operator reads it. */

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/cleanup.h"

enum { TEXT_MAX = 65536 };

static char *read_stream(FILE *f)
{
	char *text = calloc(1, TEXT_MAX);

	cr_assert_not_null(f);
	cr_assert_not_null(text);
	cr_assert_lt(fread(text, 1, TEXT_MAX, f), TEXT_MAX);
	return text;
}

/* What the program beside this one says, and its exit status. */
static char *check(const char *file, int *ret_status)
{
	_cleanup_(freep) char *command = NULL;
	char self[PATH_MAX] = "";
	char *said;
	FILE *f;

	cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	*strrchr(self, '/') = '\0';
	cr_assert_gt(asprintf(&command,
			      "cd tests/golden/conf && %s/../takeoverd --check --config %s "
			      "2>&1",
			      self, file),
		     0);
	f = popen(command, "r");
	said = read_stream(f);
	*ret_status = pclose(f);
	return said;
}

Test(conf_golden, every_kind_of_mistake_is_told_at_once_in_the_order_of_the_files)
{
	_cleanup_(freep) char *said = NULL;
	_cleanup_(freep) char *golden = NULL;
	FILE *f = fopen("tests/golden/conf/horrible.txt", "re");
	int status;

	golden = read_stream(f);
	(void)fclose(f);
	said = check("horrible.conf", &status);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	cr_expect_str_eq(said, golden);
}

/* SPDX-License-Identifier: MIT */

/* What lies in a directory beside the configuration, and changes it. */

#include "agent/conf/conf.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>

#include "tests/conf_good.h"
#include "tests/temp.h"

static char directory[TEMP_MAX];
static char file[TEMP_MAX + 8]; /* in it, with its drop-ins */

static void make_directory(void)
{
	char drop_ins[sizeof(file) + 2];

	cr_assert_not_null(mkdtemp(temp_template(directory, "conf-drop-in")));
	(void)snprintf(file, sizeof(file), "%s/a.conf", directory);
	(void)snprintf(drop_ins, sizeof(drop_ins), "%s.d", file);
	cr_assert_eq(mkdir(drop_ins, 0755), 0);
}

static void remove_directory(void)
{
	char command[TEMP_MAX + 16];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(conf_drop_in, .init = make_directory, .fini = remove_directory);

/* @name: behind the directory */
static void write_text(const char *name, const char *text)
{
	char path[2 * TEMP_MAX];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "we");
	cr_assert(f);
	cr_assert_geq(fputs(text, f), 0);
	cr_assert_eq(fclose(f), 0);
}

Test(conf_drop_in, values_are_overridden_and_lists_go_on_in_the_order_of_the_names)
{
	_cleanup_(conf_freep) struct conf *conf = NULL;
	struct conf_problems problems = { 0 };

	write_text("a.conf", "[Agent]\nPort=1\nMark=5\n" GOOD);
	write_text("a.conf.d/20-b.conf", "[Agent]\nPort=3\n");
	write_text("a.conf.d/10-a.conf",
		   "[Agent]\nPort=2\n[Group sip]\nVirtualAddress=10.0.0.4 eth0\n"
		   "[Node alpha]\nAddress=\nAddress=10.0.0.77\n");
	write_text("a.conf.d/30-c.conf.bak", "nonsense");
	write_text("a.conf.d/.hidden.conf", "nonsense");

	cr_assert_eq(conf_load(file, &conf, &problems), 0);
	cr_expect_eq(problems.n, 0);
	cr_expect_eq(conf->port, 3);
	cr_expect_eq(conf->mark, 5);
	cr_expect_eq(conf->groups[0].n_vips, 2);
	cr_assert_eq(conf->nodes[0].n_paths, 1);
	cr_expect_eq(conf->nodes[0].paths[0].bytes[3], 77);
}

Test(conf_drop_in, a_mistake_is_told_with_the_file_that_it_is_in)
{
	struct conf_problems problems = { 0 };
	struct conf *conf = NULL;

	write_text("a.conf", GOOD "Linger=never\n");
	write_text("a.conf.d/10.conf", "[Agent]\n\nPort=none\n");
	write_text("a.conf.d/20.conf", "[Group web]\nVirtualAddress=10.0.0.3 eth0\n");

	cr_assert_eq(conf_load(file, &conf, &problems), -EINVAL);
	cr_assert_eq(problems.n, 3);
	cr_expect_str_eq(problems.v[0].file, file);
	cr_expect_eq(problems.v[0].line, 7);
	cr_expect_not_null(strstr(problems.v[1].file, "/a.conf.d/10.conf"));
	cr_expect_eq(problems.v[1].line, 3);
	cr_expect_not_null(strstr(problems.v[2].file, "/a.conf.d/20.conf"));
	cr_expect_not_null(strstr(problems.v[2].text, "a.conf:6 already"));
	conf_problems_done(&problems);
}

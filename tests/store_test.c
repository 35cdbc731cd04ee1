/* SPDX-License-Identifier: MIT */
#include "agent/core/core.h"
#include "agent/store/store.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "agent/cleanup.h"
#include "tests/temp.h"

/* A state directory of its own for each test, gone when the test is. */
static char directory[TEMP_MAX];

static void make_directory(void)
{
	cr_assert_not_null(mkdtemp(temp_template(directory, "store")));
}

static void remove_directory(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(store, .init = make_directory, .fini = remove_directory);

static const char *in_directory(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void write_file(const char *name, const void *text, size_t len)
{
	_cleanup_(close_fdp) int fd = open(in_directory(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_eq(write(fd, text, len), (ssize_t)len);
}

static struct store_entry read_back(const char *group)
{
	struct store_entry entry = { 0 };

	cr_assert_eq(store_read(directory, group, &entry), 0);
	return entry;
}

Test(store, what_was_written_is_read_back)
{
	static const struct store_entry entries[] = {
		{ .term = 0 },
		{ .term = 1, .maintenance = true },
		{ .term = CORE_TERM_MAX },
		{ .term = CORE_TERM_MAX, .maintenance = true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		struct store_entry entry;

		cr_assert_eq(store_write(directory, "sip", &entries[i]), 0);
		entry = read_back("sip");
		cr_assert_eq(entry.term, entries[i].term);
		cr_assert_eq(entry.maintenance, entries[i].maintenance);
	}
}

Test(store, groups_do_not_mix)
{
	cr_assert_eq(store_write(directory, "sip", &(struct store_entry){ .term = 3 }), 0);
	cr_assert_eq(store_write(directory, "db", &(struct store_entry){ .term = 4 }), 0);
	cr_assert_eq(read_back("sip").term, 3);
	cr_assert_eq(read_back("db").term, 4);
}

Test(store, what_was_never_written_is_not_there)
{
	struct store_entry entry = { .term = 42 };

	cr_assert_eq(store_read(directory, "sip", &entry), -ENOENT);
	cr_assert_eq(entry.term, 42);
}

/* Whoever has damaged it: a term read from half a file could lose an election. */
Test(store, a_damaged_file_is_refused_whole)
{
	static const char *const texts[] = {
		"",
		"term=",
		"term=5",
		"term=5\n",
		"term=5\nmaintenance=",
		"term=5\nmaintenance=0",
		"term=5\nmaintenance=2\n",
		"term=5\nmaintenance=-\n",
		"term=5\nmaintenance=10\n",
		"term=x\nmaintenance=0\n",
		"term=5\nmaintenance=0\nmore",
		"Term=5\nmaintenance=0\n",
		"term=-1\nmaintenance=0\n",
		"term= 5\nmaintenance=0\n",
		"term=05\nmaintenance=0\n",
		"term=18446744073709551616\nmaintenance=0\n",
		"term=9223372036854775808\nmaintenance=0\n",
	};
	struct store_entry entry = { .term = 42 };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		write_file("sip.group", texts[i], strlen(texts[i]));
		cr_assert_eq(store_read(directory, "sip", &entry), -EBADMSG, "%s", texts[i]);
		cr_assert_eq(entry.term, 42);
	}
}

Test(store, a_file_far_too_long_or_full_of_zeros_is_refused)
{
	struct store_entry entry;
	char text[4096];

	memset(text, '\n', sizeof(text));
	memcpy(text, "term=5\nmaintenance=0\n", 21);
	write_file("sip.group", text, sizeof(text));
	cr_assert_eq(store_read(directory, "sip", &entry), -EBADMSG);
	memset(text, 0, sizeof(text));
	write_file("sip.group", text, 64);
	cr_assert_eq(store_read(directory, "sip", &entry), -EBADMSG);
}

Test(store, the_file_is_replaced_as_a_whole)
{
	struct stat before, after;

	cr_assert_eq(store_write(directory, "sip", &(struct store_entry){ .term = 1 }), 0);
	cr_assert_eq(stat(in_directory("sip.group"), &before), 0);
	/* as a crash in the middle leaves it: the old file counts, and is replaced in the end */
	write_file("sip.group.new", "term=99999999999\nmaint", 22);
	cr_assert_eq(read_back("sip").term, 1);
	cr_assert_eq(store_write(directory, "sip", &(struct store_entry){ .term = 2 }), 0);
	cr_assert_eq(read_back("sip").term, 2);
	cr_assert_eq(stat(in_directory("sip.group"), &after), 0);
	cr_assert_neq(before.st_ino, after.st_ino);
	cr_assert_eq(access(in_directory("sip.group.new"), F_OK), -1);
}

Test(store, nobody_else_may_read_or_write_it)
{
	struct stat st;

	umask(0);
	cr_assert_eq(store_write(directory, "sip", &(struct store_entry){ .term = 1 }), 0);
	cr_assert_eq(stat(in_directory("sip.group"), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(store, a_symbolic_link_is_not_followed)
{
	struct store_entry entry;

	write_file("elsewhere", "term=5\nmaintenance=0\n", 21);
	cr_assert_eq(symlink("elsewhere", in_directory("sip.group")), 0);
	cr_assert_eq(store_read(directory, "sip", &entry), -ELOOP);
	cr_assert_eq(symlink("elsewhere", in_directory("db.group.new")), 0);
	cr_assert_eq(store_write(directory, "db", &(struct store_entry){ .term = 1 }), -ELOOP);
}

Test(store, without_a_directory_it_says_so)
{
	struct store_entry entry = { .term = 1 };

	cr_assert_eq(store_write("/nowhere/at/all", "sip", &entry), -ENOENT);
	cr_assert_eq(store_read("/nowhere/at/all", "sip", &entry), -ENOENT);
}

Test(store, a_write_that_fails_leaves_the_old_entry)
{
	struct store_entry entry = { .term = 2 };

	cr_assert_eq(store_write(directory, "sip", &(struct store_entry){ .term = 1 }), 0);
	/* a directory in the way of the new file: it cannot be opened */
	cr_assert_eq(mkdir(in_directory("sip.group.new"), 0700), 0);
	cr_assert_lt(store_write(directory, "sip", &entry), 0);
	cr_assert_eq(read_back("sip").term, 1);
}

Test(store, a_name_that_does_not_fit_into_a_path_is_refused)
{
	static char deep[5000];
	struct store_entry entry = { .term = 1 };

	memset(deep, '/', sizeof(deep) - 1);
	cr_assert_eq(store_write(deep, "sip", &entry), -ENAMETOOLONG);
	cr_assert_eq(store_read(deep, "sip", &entry), -ENAMETOOLONG);
}

Test(store, one_agent_at_a_time_works_from_a_directory)
{
	int fd = -1, second = -1;
	struct stat st;

	umask(0);
	cr_assert_eq(store_lock(directory, &fd), 0);
	cr_assert_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	cr_assert_eq(stat(in_directory("lock"), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(store_lock(directory, &second), -EWOULDBLOCK);
	cr_assert_eq(second, -1);
	close_fdp(&fd);
	cr_assert_eq(store_lock(directory, &second), 0);
	close_fdp(&second);
}

Test(store, a_directory_that_cannot_be_claimed_says_why)
{
	int fd = -1;

	cr_assert_eq(store_lock("/nowhere/at/all", &fd), -ENOENT);
	cr_assert_eq(symlink("elsewhere", in_directory("lock")), 0);
	cr_assert_eq(store_lock(directory, &fd), -ELOOP);
	cr_assert_eq(fd, -1);
}

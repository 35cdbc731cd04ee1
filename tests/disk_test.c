/* SPDX-License-Identifier: MIT */
#include "agent/store/disk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "agent/cleanup.h"
#include "tests/temp.h"
#include "tests/with_conf.h"

enum { DB, SIP }; /* by name */

static char directory[TEMP_MAX];
static struct conf *conf;
static struct disk *disk;
static struct history *history; /* the disk's */

static void enter(void)
{
	cr_assert_not_null(mkdtemp(temp_template(directory, "disk")));
	conf = conf_from_text("[Agent]\nAuthentication=none\n[Node alpha]\nAddress=10.9.0.1\n"
			      "[Node beta]\nAddress=10.9.0.2\n"
			      "[Group sip]\nVirtualAddress=10.9.0.3 va\n"
			      "[Group db]\nVirtualAddress=10.9.0.4 va\n");
	cr_assert_eq(history_new(directory, &history), 0);
	cr_assert_eq(disk_new(conf, directory, history, NULL, &disk), 0);
}

static void leave(void)
{
	char command[128];

	cr_assert_null(disk_end(disk));
	conf_free(conf);
	(void)snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(disk, .init = enter, .fini = leave);

static void keep(uint8_t group, uint64_t term, uint32_t id)
{
	const struct store_entry entry = { .term = term, .maintenance = true };

	disk_keep(disk, group, &entry, id);
}

static struct disk_result next(void)
{
	struct pollfd ready = { .fd = disk_fd(disk), .events = POLLIN };
	struct disk_result result;

	while (!disk_next(disk, &result))
		cr_assert_eq(poll(&ready, 1, 10 * 1000), 1, "no result");
	return result;
}

static uint64_t stored(const char *group)
{
	struct store_entry entry;

	cr_assert_eq(store_read(directory, group, &entry), 0);
	cr_assert(entry.maintenance);
	return entry.term;
}

/* A disk that does not come back: what opens this to write waits until somebody reads. */
static void hang(const char *group, char ret_path[static 128])
{
	(void)snprintf(ret_path, 128, "%s/%s.group.new", directory, group);
	cr_assert_eq(mkfifo(ret_path, 0600), 0);
}

Test(disk, what_is_kept_is_stored_and_answered)
{
	struct disk_result result;

	keep(DB, 7, 5);
	result = next();
	cr_assert_eq(result.group, DB);
	cr_assert_eq(result.id, 5);
	cr_assert_eq(result.err, 0);
	cr_assert_eq(stored("db"), 7);
	cr_assert_not(disk_next(disk, &result), "once");
}

Test(disk, what_the_disk_refuses_is_said)
{
	cr_assert_eq(chmod(directory, 0700), 0);
	cr_assert_eq(rmdir(directory), 0);
	keep(SIP, 7, 5);
	cr_assert_eq(next().err, -ENOENT);
	cr_assert_eq(mkdir(directory, 0700), 0);
	keep(SIP, 7, 6);
	cr_assert_eq(next().err, 0);
	cr_assert_eq(stored("sip"), 7);
}

Test(disk, nobody_waits_for_a_disk_that_hangs_and_the_last_word_is_stored)
{
	struct disk_result result;
	char path[128];
	_cleanup_(close_fdp) int fd = -1;
	unsigned n;

	hang("sip", path);
	for (uint32_t i = 1; i <= 1000; i++)
		keep(SIP, i, i);
	cr_assert_not(disk_next(disk, &result));
	fd = open(path, O_RDONLY);
	cr_assert_geq(fd, 0);
	for (result = next(), n = 1; result.id != 1000; n++)
		result = next();
	cr_assert_leq(n, 2, "what hung, and the last");
	keep(SIP, 1001, 1001); /* no pipe stands there any more, whichever of them it was for */
	result = next();
	cr_assert_eq(result.id, 1001);
	cr_assert_eq(result.err, 0);
	cr_assert_eq(stored("sip"), 1001);
}

Test(disk, the_end_comes_after_what_was_kept)
{
	for (uint32_t i = 1; i <= 100; i++) {
		keep(SIP, i, 0);
		keep(DB, i + 1, 0);
	}
	disk = disk_end(disk);
	cr_assert_null(disk);
	cr_assert_eq(stored("sip"), 100);
	cr_assert_eq(stored("db"), 101);
}

/*
 * The next agent of this process has not read what hangs, and orders something older; or has
 * heard of something newer.
 */
Test(disk, who_comes_after_one_that_hangs_writes_after_it_and_nothing_older)
{
	_cleanup_(close_fdp) int fd = -1;
	struct disk_result result;
	struct disk *hung;
	char path[128];

	hang("sip", path);
	keep(SIP, 9, 1);
	keep(DB, 3, 2);
	hung = disk_end(disk);
	cr_assert_eq(hung, disk, "nobody waits for it");
	cr_assert_eq(history_new(directory, &history), 0);
	cr_assert_eq(disk_new(conf, directory, history, hung, &disk), 0);
	keep(SIP, 5, 6);
	keep(DB, 4, 7);
	cr_assert_not(disk_next(disk, &result));
	fd = open(path, O_RDONLY);
	cr_assert_geq(fd, 0);
	cr_expect_eq(next().err, 0);
	cr_expect_eq(next().err, 0);
	cr_expect_eq(stored("sip"), 9);
	cr_expect_eq(stored("db"), 4);
}

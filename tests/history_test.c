/* SPDX-License-Identifier: MIT */

/* What is remembered of events: in memory, over restarts, and beside files that are not ours. */

#include "agent/store/history.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "agent/cleanup.h"
#include "tests/temp.h"

static char directory[TEMP_MAX], file[TEMP_MAX + 16], older[TEMP_MAX + 16];
static struct history *history;

static void begin(void)
{
	cr_assert_eq(history_new(directory, &history), 0);
}

static void enter(void)
{
	cr_assert_not_null(mkdtemp(temp_template(directory, "history")));
	(void)snprintf(file, sizeof(file), "%s/events", directory);
	(void)snprintf(older, sizeof(older), "%s/events-1", directory);
	begin();
}

static void leave(void)
{
	char command[128];

	history_free(history);
	(void)snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(history, .init = enter, .fini = leave);

static void add(const char *text)
{
	struct event event = { .fields = { [EVENT_FIELD_GROUP] = "sip" } };

	event_say(&event, EVENT_UNFIT, "%s", text);
	event.time_us = 1000 + (uint64_t)strlen(text);
	history_add(history, &event);
}

static void add_many(unsigned n)
{
	char text[32];

	for (unsigned i = 1; i <= n; i++) {
		(void)snprintf(text, sizeof(text), "event %u", i);
		add(text);
	}
}

/* A new life; how many lines were left out. */
static unsigned restart(int wanted)
{
	unsigned skipped;

	history_free(history);
	begin();
	cr_expect_eq(history_read(history, &skipped), wanted);
	return skipped;
}

static unsigned count(void)
{
	const struct event *event;
	uint64_t after = 0;
	unsigned n = 0;

	while ((event = history_find(history, 0, after))) {
		cr_assert_gt(event->number, after);
		after = event->number;
		n++;
	}
	return n;
}

static void append(const char *path, const char *text)
{
	FILE *f = fopen(path, "ae");

	cr_assert_not_null(f);
	cr_assert_geq(fputs(text, f), 0);
	cr_assert_eq(fclose(f), 0);
}

Test(history, what_has_happened_is_found_with_everything_that_was_said)
{
	struct event event = { .fields = {
				       [EVENT_FIELD_PEER] = "beta", [EVENT_FIELD_ERROR] = "=" } };
	const struct event *found;

	cr_expect_null(history_find(history, 0, 0));
	event_say(&event, EVENT_PEER_SILENT, "beta has\tnot\nbeen heard \xff");
	event.time_us = 5000;
	history_add(history, &event);
	cr_expect_eq(event.number, 1);
	found = history_find(history, 0, 0);
	cr_assert_not_null(found);
	cr_expect_eq(found->type, EVENT_PEER_SILENT);
	cr_expect_eq(found->number, 1);
	cr_expect_eq(found->time_us, 5000);
	cr_expect_str_eq(found->text, "beta has?not?been heard ?");
	cr_expect_str_eq(found->fields[EVENT_FIELD_PEER], "beta");
	cr_expect_str_eq(found->fields[EVENT_FIELD_ERROR], "=");
	cr_expect_null(found->fields[EVENT_FIELD_GROUP]);
	cr_expect_null(history_find(history, 0, 1));
	cr_expect_null(history_find(history, 5001, 0));
	cr_expect_not_null(history_find(history, 5000, 0));
}

Test(history, what_was_saved_is_there_in_the_next_life_and_numbers_go_on)
{
	const struct event *found;

	cr_expect(history_is_saved(history));
	add("one");
	add("twenty");
	cr_expect_not(history_is_saved(history));
	cr_expect_eq(history_save(history), 0);
	cr_expect(history_is_saved(history));
	cr_expect_eq(history_save(history), 0, "once is enough");
	cr_expect_eq(restart(0), 0);
	cr_expect_eq(count(), 2);
	found = history_find(history, 0, 1);
	cr_assert_not_null(found);
	cr_expect_str_eq(found->text, "twenty");
	cr_expect_str_eq(found->fields[EVENT_FIELD_GROUP], "sip");
	add("three");
	cr_expect_not_null(history_find(history, 0, 2));
	cr_expect_eq(history_save(history), 0);
	cr_expect_eq(restart(0), 0);
	cr_expect_eq(count(), 3);
}

Test(history, the_last_thousand_are_kept_and_the_files_do_not_grow)
{
	for (unsigned i = 0; i < 25; i++) {
		add_many(100);
		cr_assert_eq(history_save(history), 0);
	}
	cr_expect_eq(count(), HISTORY_MAX);
	cr_expect_eq(history_find(history, 0, 0)->number, 1501);
	cr_expect_eq(restart(0), 0);
	cr_expect_eq(count(), HISTORY_MAX, "one file is not full, the other one is");
	cr_expect_eq(history_find(history, 0, 0)->number, 1501);
	add_many(1600); /* more than there is room for, while the disk does not come back */
	cr_assert_eq(history_save(history), 0);
	cr_expect_eq(restart(0), 0);
	cr_expect_eq(count(), HISTORY_MAX);
	cr_expect_eq(history_find(history, 0, 0)->number, 3101);
}

Test(history, a_line_that_was_cut_off_is_left_out_and_the_next_one_is_whole)
{
	add("one");
	add("two");
	cr_assert_eq(history_save(history), 0);
	append(file, "3 1003 01-00501\tcut o");
	cr_expect_eq(restart(0), 1);
	cr_expect_eq(count(), 2);
	add("four");
	cr_assert_eq(history_save(history), 0);
	cr_expect_eq(restart(0), 0, "it has been removed");
	cr_expect_eq(count(), 3);
	cr_expect_str_eq(history_find(history, 0, 2)->text, "four");
}

Test(history, rubbish_is_left_out_and_counted)
{
	static const char *const rubbish[] = {
		"\n",
		"hello\n",
		"10 1 01-00501\n",
		"10 1 01-00501\tno group\n",
		"10 1 99-99999\tnobody knows it\tGroup=sip\n",
		"x10 1 01-00501\tx\tGroup=sip\n",
		" 10 1 01-00501\tx\tGroup=sip\n",
		"+10 1 01-00501\tx\tGroup=sip\n",
		"99999999999999999999999 1 01-00501\tx\tGroup=sip\n",
		"10 1 01-00501\tx\tGroup\n",
		"10 1 01-00501\tx\x01\tGroup=sip\n",
		"10 1 01-00501\t\xc3\xa4\tGroup=sip\n",
		"1 1 01-00501\ttoo early\tGroup=sip\n",
	};
	char text[4096];

	add("one");
	add("two");
	cr_assert_eq(history_save(history), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rubbish); i++)
		append(file, rubbish[i]);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = '\0';
	append(file, text);
	append(file, "10 2000 01-00501\tgood\tGroup=sip\tOfAnotherVersion=1\n");
	cr_expect_geq(restart(0), ARRAY_SIZE(rubbish) + 1);
	cr_expect_eq(count(), 3);
	cr_expect_str_eq(history_find(history, 0, 2)->text, "good");
	add("next");
	cr_expect_str_eq(history_find(history, 0, 10)->text, "next");
}

Test(history, of_a_file_that_is_too_large_the_end_is_read, .timeout = 20)
{
	add("one");
	cr_assert_eq(history_save(history), 0);
	cr_assert_eq(truncate(file, 1L << 32), 0); /* a hole takes no room */
	append(file, "\n7 2000 01-00501\tthe last\tGroup=sip\n");
	cr_expect_gt(restart(0), 0);
	cr_expect_eq(count(), 1);
	cr_expect_str_eq(history_find(history, 0, 0)->text, "the last");
}

Test(history, what_is_no_file_is_refused_and_nobody_waits, .timeout = 20)
{
	cr_assert_eq(mkfifo(file, 0600), 0);
	cr_expect_eq(restart(-EINVAL), 0);
	add("one");
	cr_expect_eq(history_save(history), -EINVAL);
	cr_expect_eq(count(), 1);
	cr_assert_eq(unlink(file), 0);
	cr_assert_eq(symlink("/dev/null", file), 0);
	cr_expect_eq(restart(-ELOOP), 0);
	add("two");
	cr_expect_eq(history_save(history), -ELOOP);
	cr_assert_eq(unlink(file), 0);
	cr_expect_eq(history_save(history), 0, "as soon as it can be");
	cr_expect_eq(restart(0), 0);
	cr_expect_eq(count(), 1);
}

Test(history, a_directory_that_is_not_there_is_an_error_and_what_waits_is_written_later)
{
	char away[TEMP_MAX + 8];

	(void)snprintf(away, sizeof(away), "%s.away", directory);
	add("one");
	cr_assert_eq(rename(directory, away), 0);
	cr_expect_eq(history_save(history), -ENOENT);
	cr_expect_not(history_is_saved(history));
	add("two");
	cr_assert_eq(rename(away, directory), 0);
	cr_expect_eq(history_save(history), 0);
	cr_expect_eq(restart(0), 0);
	cr_expect_eq(count(), 2);
}

/* A limit on the size of files is a disk that is full in the middle of a line. */
Test(history, of_what_has_no_room_nothing_is_written_and_it_is_tried_again)
{
	struct rlimit limit, before;
	struct stat st;

	cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	add("one");
	cr_assert_eq(history_save(history), 0);
	cr_assert_eq(stat(file, &st), 0);
	limit = (struct rlimit){ (rlim_t)st.st_size + 40, before.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	add("two");
	add("three");
	cr_expect_lt(history_save(history), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	limit.rlim_cur = (rlim_t)st.st_size;
	cr_assert_eq(stat(file, &st), 0);
	cr_expect_eq((rlim_t)st.st_size, limit.rlim_cur, "it is as it was");
	cr_expect_eq(history_save(history), 0);
	cr_expect_eq(restart(0), 0);
	cr_expect_eq(count(), 3);
}

Test(history, the_older_file_is_read_first)
{
	add("one");
	cr_assert_eq(history_save(history), 0);
	cr_assert_eq(rename(file, older), 0);
	append(file, "2 2000 01-00501\ttwo\tGroup=sip\n");
	cr_expect_eq(restart(0), 0);
	cr_expect_eq(count(), 2);
	cr_expect_str_eq(history_find(history, 0, 1)->text, "two");
}

/* All fields at their longest: what has no room in a line is left out, and the line is good. */
Test(history, a_line_has_room_for_what_fits)
{
	struct event event = { .time_us = UINT64_MAX };
	char value[300], text[EVENT_TEXT_MAX + 10];

	memset(value, 'v', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	memset(text, 't', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (size_t f = 0; f < _EVENT_FIELD_MAX; f++)
		event.fields[f] = value;
	event_say(&event, EVENT_UNFIT, "%s", text);
	history_add(history, &event);
	cr_assert_eq(history_save(history), 0);
	cr_expect_eq(restart(0), 0);
	cr_expect_eq(count(), 1);
	cr_expect_eq(strlen(history_find(history, 0, 0)->text), EVENT_TEXT_MAX - 1);
}

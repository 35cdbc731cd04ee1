/* SPDX-License-Identifier: MIT */
#include "agent/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "agent/cleanup.h"

static char text[1024];

/* What a terminal shows of it. */
static const char *shown(void (*say)(void))
{
	_cleanup_(close_fdp) int fd = memfd_create("stderr", MFD_CLOEXEC);
	_cleanup_(close_fdp) int before = dup(STDERR_FILENO);
	ssize_t len;

	cr_assert_geq(fd, 0);
	cr_assert_eq(unsetenv("JOURNAL_STREAM"), 0);
	cr_assert_geq(dup2(fd, STDERR_FILENO), 0);
	say();
	fflush(stderr);
	cr_assert_geq(dup2(before, STDERR_FILENO), 0);
	len = pread(fd, text, sizeof(text) - 1, 0);
	cr_assert_geq(len, 0);
	text[len] = '\0';
	return text;
}

static void say_all(void)
{
	log_line(LOG_LEVEL_ERROR, "01-00304", "sip", "it broke", "");
	log_line(LOG_LEVEL_WARNING, "", "", "look here", "");
	log_line(LOG_LEVEL_NOTICE, "00-04563", "sip", "mode activated", "");
	log_line(LOG_LEVEL_INFO, "", "db", "by the way", "");
}

Test(log, a_terminal_shows_level_group_text_and_id)
{
	cr_assert_str_eq(shown(say_all), "error: sip: it broke  01-00304\n"
					 "warning: look here\n"
					 "sip: mode activated  00-04563\n"
					 "db: by the way\n");
}

static void say_number(void)
{
	log_say(LOG_LEVEL_INFO, "node %s has %d groups", "alpha", 3);
}

Test(log, a_sentence_is_put_together)
{
	cr_assert_str_eq(shown(say_number), "node alpha has 3 groups\n");
}

static void say_much(void)
{
	log_say(LOG_LEVEL_INFO, "%0*d", 2000, 1);
}

Test(log, what_is_too_long_is_cut_and_stays_one_line)
{
	const char *line = shown(say_much);

	cr_assert_lt(strlen(line), 600);
	cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1);
}

static void say_percent(void)
{
	log_line(LOG_LEVEL_INFO, "", "", "100 %s and %n", "");
}

Test(log, text_from_elsewhere_is_no_format)
{
	cr_assert_str_eq(shown(say_percent), "100 %s and %n\n");
}

/* A pipe as stderr that takes nothing any more; the end to read from. */
static int fill_stderr(void)
{
	static const char zeros[4096];
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(fds[1], zeros, sizeof(zeros)) > 0)
		;
	cr_assert_eq(errno, EAGAIN);
	cr_assert_eq(fcntl(fds[1], F_SETFL, 0), 0);
	cr_assert_eq(fcntl(fds[0], F_SETFL, 0), 0);
	cr_assert_geq(dup2(fds[1], STDERR_FILENO), 0);
	cr_assert_eq(close(fds[1]), 0);
	cr_assert_eq(unsetenv("JOURNAL_STREAM"), 0);
	return fds[0];
}

static void fclosep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

/* The next line without its end, and without the zeros before it. */
static bool next_line(FILE *f, char *line, size_t size)
{
	size_t len = 0;
	int c;

	while ((c = fgetc(f)) != EOF && c != '\n')
		if (c && len < size - 1)
			line[len++] = (char)c;
	line[len] = '\0';
	return c != EOF;
}

static void say_in_order(void)
{
	cr_assert_eq(log_start(), 0);
	log_line(LOG_LEVEL_ERROR, "01-00304", "sip", "one", "");
	log_say(LOG_LEVEL_INFO, "two");
	log_stop();
	log_say(LOG_LEVEL_INFO, "three");
	cr_assert_eq(log_start(), 0);
	log_say(LOG_LEVEL_INFO, "four");
	log_stop();
	log_stop();
}

Test(log, what_the_thread_has_is_written_before_it_ends)
{
	cr_assert_str_eq(shown(say_in_order), "error: sip: one  01-00304\ntwo\nthree\nfour\n");
}

/* Without the thread this waits for ever. */
Test(log, who_logs_does_not_wait_for_a_reader_and_what_is_lost_is_counted, .timeout = 20)
{
	_cleanup_(close_fdp) int reader = fill_stderr();
	_cleanup_(fclosep) FILE *f = fdopen(dup(reader), "r");
	unsigned shown = 0, said, lost = 0, last = 0;
	char line[1024];

	cr_assert_not_null(f);
	cr_assert_eq(log_start(), 0);
	for (unsigned i = 1; i <= 2000; i++)
		log_say(LOG_LEVEL_INFO, "line %u", i);
	/* The first lines are the oldest, and those that are missing are missed where they were. */
	while (!lost && next_line(f, line, sizeof(line))) {
		if (sscanf(line, "line %u", &said) == 1) {
			cr_assert_eq(said, last + 1);
			last = said;
			shown++;
		}
		(void)sscanf(line, "warning: %u lines lost", &lost);
	}
	cr_assert_geq(shown, 200);
	cr_assert_eq(shown + lost, 2000);
	log_say(LOG_LEVEL_INFO, "after");
	cr_assert(next_line(f, line, sizeof(line)));
	cr_assert_str_eq(line, "after");
	log_stop();
}

Test(log, a_stuck_reader_does_not_hold_up_the_end, .timeout = 20)
{
	_cleanup_(close_fdp) int reader = fill_stderr();

	cr_assert_eq(log_start(), 0);
	for (unsigned i = 0; i < 2000; i++)
		log_say(LOG_LEVEL_INFO, "line %u", i);
	log_stop();
	log_say(LOG_LEVEL_INFO, "nor does this wait");
	log_stop();
	cr_assert_geq(reader, 0);
}

/* Else a signal that the agent waits for could end the process here. */
Test(log, the_thread_takes_no_signals)
{
	static const char command[] =
		"for t in /proc/%d/task/*; do [ ${t##*/} = %d ] || "
		"grep -q '^SigBlk:.*fffffffe7ffbfeff' $t/status || exit 1; done";
	char text_of_it[256];

	cr_assert_eq(log_start(), 0);
	(void)snprintf(text_of_it, sizeof(text_of_it), command, getpid(), getpid());
	cr_assert_eq(system(text_of_it), 0);
	log_stop();
}

Test(log, what_others_cause_is_said_once_a_minute)
{
	instant last = INSTANT_NEVER;
	unsigned n = 0;

	for (uint64_t s = 1; s <= 600; s++)
		n += log_is_due(&last, (instant){ s * USEC_PER_SEC });
	cr_assert_eq(n, 10);
	cr_assert_not(log_is_due(&last, last));
}

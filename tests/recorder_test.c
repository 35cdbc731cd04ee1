/* SPDX-License-Identifier: MIT */

#include "agent/recorder/recorder.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/cleanup.h"
#include "agent/recorder/stream.h"
#include "tests/sim/replay.c" /* what the simulator says of a file */
#include "tests/temp.h"

/* A core that is alone in the world of two nodes, as its recorder sees it. */
static struct {
	struct core core;
	struct core_actions actions;
	struct recorder *recorder;
	instant now;
	char directory[TEMP_MAX];
	unsigned events;
} life;

/* The kernel does at once as it is told. */
static void tell(const struct core_event *event)
{
	struct core_event copy = *event, done[CORE_GROUPS_MAX];
	size_t n = 0;

	copy.now = life.now;
	recorder_event(life.recorder, &life.core, &copy);
	core_step(&life.core, &copy, &life.actions);
	recorder_actions(life.recorder, &life.core, &life.actions);
	life.events++;
	for (size_t i = 0; i < life.actions.n; i++)
		if (life.actions.v[i].id)
			done[n++] = (struct core_event){ .type = CORE_EV_DONE,
							 .done.id = life.actions.v[i].id };
	for (size_t i = 0; i < n; i++)
		tell(&done[i]);
}

/* Time passes. */
static void live_us(uint64_t us)
{
	instant end = instant_add(life.now, us);

	while (life.now.us < end.us) {
		life.now = instant_add(life.now, 10 * USEC_PER_MSEC);
		tell(&(struct core_event){ .type = CORE_EV_TIME });
	}
}

static void begin_with(int trace_fd)
{
	struct core_config config = { .n_nodes = 2,
				      .n_groups = 1,
				      .interval_us = 50000,
				      .lease_us = 350000,
				      .dead_us = 500000,
				      .start_wait_us = 1000000,
				      .restart_hold_us = 1000000,
				      .step_us = 2000000,
				      .groups = { { .keep_alone = true } } };

	life.now.us = 1000 * USEC_PER_SEC;
	core_init(&life.core, &config);
	cr_assert_eq(recorder_new(&life.core, life.directory, trace_fd, &life.recorder), 0);
	tell(&(struct core_event){ .type = CORE_EV_START });
}

static void begin(void)
{
	begin_with(-1);
}

static void enter(void)
{
	(void)signal(SIGPIPE, SIG_IGN); /* as takeoverd has it */
	cr_assert_not_null(mkdtemp(temp_template(life.directory, "recorder")));
}

static void leave(void)
{
	char command[TEMP_MAX + 16];

	recorder_free(life.recorder);
	(void)snprintf(command, sizeof(command), "rm -r %s", life.directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(recorder, .init = enter, .fini = leave, .timeout = 60);

static const char *path_of(const char *name)
{
	static char path[TEMP_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/%s", life.directory, name);
	return path;
}

static bool is_there(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

/* All that comes, as the file @name. */
static void save(int fd, const char *name)
{
	FILE *to = fopen(path_of(name), "w");
	char text[4096];
	ssize_t n;

	cr_assert(to);
	setbuf(to, NULL);
	while ((n = read(fd, text, sizeof(text))) > 0)
		cr_assert_eq(fwrite(text, 1, (size_t)n, to), (size_t)n);
	cr_assert_eq(n, 0);
	cr_assert_eq(fclose(to), 0);
	(void)close(fd);
}

static char *text_in(const char *name)
{
	FILE *f = fopen(path_of(name), "r");
	char *text = NULL;
	size_t size = 0;

	cr_assert(f, "%s is not there", name);
	if (getdelim(&text, &size, '\0', f) < 0)
		text[0] = '\0';
	(void)fclose(f);
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		n++;
	return n;
}

Test(recorder, what_is_read_replays)
{
	_cleanup_(freep) char *text = NULL;
	int fd;

	begin();
	live_us(5 * USEC_PER_SEC);
	cr_assert_eq(life.core.groups[0].state, CORE_STATE_PRIMARY);
	fd = recorder_read(life.recorder);
	cr_assert_geq(fd, 0);
	cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_assert_not(fcntl(fd, F_GETFL) & O_NONBLOCK, "who reads it may not expect that");
	save(fd, "read");
	cr_assert_eq(replay(path_of("read")), EXIT_SUCCESS);
	text = text_in("read");
	cr_assert_eq(count(text, "\n@"), life.events);
	cr_assert_str_eq(text + strlen(text) - strlen("\nend\n"), "\nend\n");
}

/* The recorder is full, and begins with a core that has lived. */
Test(recorder, what_is_read_of_a_long_life_replays)
{
	_cleanup_(freep) char *text = NULL;

	begin();
	live_us(300 * USEC_PER_SEC);
	save(recorder_read(life.recorder), "read");
	cr_assert_eq(replay(path_of("read")), EXIT_SUCCESS);
	text = text_in("read");
	cr_assert(strstr(text, "\ncore now="));
	cr_assert_gt(count(text, "\n@"), 3000);
	cr_assert_lt(count(text, "\n@"), life.events);
}

Test(recorder, who_does_not_read_is_dropped)
{
	struct pollfd gone;
	int fd, again;

	begin();
	live_us(120 * USEC_PER_SEC); /* more than a pipe takes */
	fd = recorder_read(life.recorder);
	cr_assert_geq(fd, 0);
	cr_assert_eq(recorder_read(life.recorder), -EBUSY);
	live_us(USEC_PER_SEC); /* nobody waits for him */
	gone = (struct pollfd){ .fd = fd };
	cr_assert_eq(poll(&gone, 1, 30 * 1000), 1);
	cr_assert(gone.revents & POLLHUP);
	do /* the thread is about to end */
		again = recorder_read(life.recorder);
	while (again == -EBUSY);
	save(again, "read");
	cr_assert_eq(replay(path_of("read")), EXIT_SUCCESS);
	save(fd, "cut");
	cr_assert_eq(replay(path_of("cut")), EXIT_SUCCESS, "as far as it goes");
}

Test(recorder, who_goes_away_is_no_trouble)
{
	int fd;

	begin();
	live_us(120 * USEC_PER_SEC);
	(void)close(recorder_read(life.recorder));
	do
		fd = recorder_read(life.recorder);
	while (fd == -EBUSY);
	save(fd, "read");
	cr_assert_eq(replay(path_of("read")), EXIT_SUCCESS);
}

static void lapse(void)
{
	tell(&(struct core_event){ .type = CORE_EV_LAPSED });
	live_us(5 * USEC_PER_SEC);
	cr_assert_eq(life.core.groups[0].state, CORE_STATE_PRIMARY);
}

/* A thread writes it, and is begun by an event. */
static void wait_for(const char *name)
{
	for (unsigned i = 0; i < 30000 && !is_there(name); i++) {
		live_us(10 * USEC_PER_MSEC);
		(void)poll(NULL, 0, 1);
	}
	cr_assert(is_there(name), "%s", name);
}

Test(recorder, a_failure_is_kept_with_what_came_of_it)
{
	_cleanup_(freep) char *text = NULL;
	struct stat st;

	begin();
	live_us(5 * USEC_PER_SEC);
	lapse();
	wait_for("trace-1");
	text = text_in("trace-1");
	cr_assert_eq(strncmp(text, "# the lease ran out\n", 20), 0, "%s", text);
	cr_assert(strstr(strstr(text, " lapsed\n"), " level=3 create=1\n"), "open again");
	cr_assert_eq(replay(path_of("trace-1")), EXIT_SUCCESS);
	cr_assert_eq(stat(path_of("trace-1"), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_not(is_there("trace-1.new"));
}

/* Two words, as the one is looked for in the network and the other one on this host. */
Test(recorder, an_address_in_use_is_no_refusal_of_the_kernel)
{
	const int errs[] = { -EADDRINUSE, -ENODEV };
	const char *const why[] = { "# somebody else had an address\n",
				    "# the kernel refused an order\n" };

	for (int i = 0; i < 2; i++) {
		struct core_actions *told = &life.actions;
		_cleanup_(freep) char *text = NULL;
		char name[] = "trace-1";

		name[6] += (char)i;
		if (i == 0)
			begin();
		live_us(2 * USEC_PER_SEC);
		told->n = 1;
		told->v[0] = (struct core_action){ .type = CORE_DO_TELL,
						   .tell.what = CORE_TELL_ACTION_FAILED,
						   .tell.err = errs[i] };
		recorder_actions(life.recorder, &life.core, told);
		live_us(5 * USEC_PER_SEC);
		wait_for(name);
		text = text_in(name);
		cr_assert_eq(strncmp(text, why[i], strlen(why[i])), 0, "%s", text);
	}
}

Test(recorder, a_failure_that_comes_again_and_again_is_kept_once)
{
	begin();
	live_us(5 * USEC_PER_SEC);
	lapse();
	for (unsigned i = 0; i < 20; i++) {
		live_us(55 * USEC_PER_SEC);
		lapse();
	}
	life.recorder = recorder_free(life.recorder);
	cr_assert(is_there("trace-1"));
	cr_assert_not(is_there("trace-2"));
}

Test(recorder, after_ten_quiet_minutes_it_is_news_and_replaces_the_oldest)
{
	_cleanup_(freep) char *text = NULL;
	char name[] = "trace-1";

	begin();
	live_us(5 * USEC_PER_SEC);
	for (unsigned i = 0; i < 4; i++) {
		lapse();
		name[strlen(name) - 1] = (char)('1' + i);
		wait_for(name);
		live_us(601 * USEC_PER_SEC);
	}
	/* which of them is the oldest is not left to the grain of a clock */
	cr_assert_eq(utimensat(AT_FDCWD, path_of("trace-3"), (struct timespec[2]){ 0 }, 0), 0);
	tell(&(struct core_event){ .type = CORE_EV_LAPSED });
	life.recorder = recorder_free(life.recorder); /* the end comes before its time */
	text = text_in("trace-3");
	cr_assert(strstr(text, " lapsed\n"));
	cr_assert_not(is_there("trace-5"));
	cr_assert_eq(replay(path_of("trace-3")), EXIT_SUCCESS);
}

Test(recorder, a_directory_that_takes_nothing_does_no_harm)
{
	begin();
	live_us(5 * USEC_PER_SEC);
	cr_assert_eq(rmdir(life.directory), 0);
	lapse();
	life.recorder = recorder_free(life.recorder);
	cr_assert_eq(mkdir(life.directory, 0700), 0);
}

Test(recorder, everything_goes_into_a_file)
{
	_cleanup_(freep) char *text = NULL;

	begin_with(stream_open(path_of("all")));
	live_us(300 * USEC_PER_SEC);
	life.recorder = recorder_free(life.recorder);
	cr_assert_eq(replay(path_of("all")), EXIT_SUCCESS);
	text = text_in("all");
	/* however slow the disk is: what is not there has been counted */
	if (!strstr(text, "are missing here"))
		cr_assert_eq(count(text, "\n@"), life.events);
	free(text);
	begin_with(stream_open(path_of("all")));
	life.recorder = recorder_free(life.recorder);
	cr_assert_eq(replay(path_of("all")), EXIT_SUCCESS);
	text = text_in("all");
	cr_assert_eq(count(text, "\nend\n\nagain\nconfig "), 1);
}

/*
 * The end of the process flushes every stream of stdio, also one that a thread is stuck with:
 * that must not wait for the reader as the thread does.
 */
Test(recorder, the_end_waits_for_no_reader)
{
	int fds[2], status;
	pid_t child;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		(void)alarm(30); /* ends who hangs */
		begin_with(fds[1]);
		live_us(1000 * USEC_PER_SEC); /* far more than a pipe takes */
		(void)recorder_read(life.recorder);
		life.recorder = recorder_free(life.recorder);
		exit(EXIT_SUCCESS);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS, "status %#x", status);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void *read_all(void *fd)
{
	save(*(int *)fd, "slow");
	return NULL;
}

/* The disk is a pipe that is not read at first. */
Test(recorder, what_a_slow_disk_misses_is_counted_and_the_rest_replays)
{
	_cleanup_(freep) char *text = NULL;
	unsigned missing = 0;
	pthread_t reader;
	char *gap = NULL;
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	begin_with(fds[1]);
	live_us(1000 * USEC_PER_SEC);
	cr_assert_eq(pthread_create(&reader, NULL, read_all, &fds[0]), 0);
	for (unsigned i = 0; i < 30000 && !gap; i++) {
		live_us(100 * USEC_PER_MSEC);
		(void)poll(NULL, 0, 1);
		free(text);
		text = is_there("slow") ? text_in("slow") : NULL;
		gap = text ? strstr(text, " events are missing here\nconfig ") : NULL;
	}
	cr_assert(gap);
	life.recorder = recorder_free(life.recorder);
	cr_assert_eq(pthread_join(reader, NULL), 0);
	cr_assert_eq(replay(path_of("slow")), EXIT_SUCCESS);
	free(text);
	text = text_in("slow");
	for (const char *at = text; (at = strstr(at, "\n# ")); at++)
		missing += (unsigned)strtoul(at + strlen("\n# "), NULL, 10);
	cr_assert_gt(missing, 0);
	cr_assert_eq(count(text, "\n@") + missing, life.events);
}

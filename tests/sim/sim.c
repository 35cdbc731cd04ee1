/* SPDX-License-Identifier: MIT */

/*
 * sim [--seeds N] [--from SEED] [--jobs N]   live through so many histories
 * sim [--shrink] SEED                        live through one, and tell it
 * sim [--shrink] --trace NODE SEED           the same, as a trace of that node
 * sim --explore [--faults N] [--states MAX] [--jobs N]
 *                                            everything that may happen, with so many faults
 * sim --replay FILE                          does the core do again what a trace says?
 * sim --renew FILE [FROM TO]                 the trace with what the core does today, or a
 *                                            part of it: from one event to another
 */

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/explore.h"

enum { FAILURES_MAX = 10, TWICE = 64 };

static double seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); /* cannot fail with this clock */
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void make(struct world *w, uint64_t seed, bool shrunk, struct sim_history *ret)
{
	struct sim_outcome outcome;

	plan_make(seed, ret);
	world_live(w, ret, NULL, &outcome);
	if (shrunk && *outcome.broken)
		shrink(w, ret, w->broken);
}

static int trace_one(uint64_t seed, bool shrunk, uint64_t node)
{
	struct world *w = world_new();
	struct sim_history h;

	make(w, seed, shrunk, &h);
	if (node < h.n_nodes)
		world_record(w, &h, (uint8_t)node, stdout);
	(void)puts("end");
	world_free(w);
	return node < h.n_nodes && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int tell_one(uint64_t seed, bool shrunk)
{
	struct world *w = world_new();
	struct sim_history h;
	struct sim_outcome outcome;

	make(w, seed, shrunk, &h);
	plan_print(&h, stdout);
	world_live(w, &h, stdout, &outcome);
	printf("%s\n", *outcome.broken ? outcome.broken : "no law is broken");
	world_free(w);
	return *outcome.broken ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* What one process has lived through; the parent adds up. */
struct sum {
	uint64_t seeds, steps, longest, longest_excused, settled;
	uint64_t hash; /* of all that happened, whoever lived through it */
	double seconds;
	unsigned failures;
	bool complete;
};

static void live(struct world *w, uint64_t seed, struct sum *sum)
{
	struct sim_history h;
	struct sim_outcome outcome, again;

	plan_make(seed, &h);
	world_live(w, &h, NULL, &outcome);
	if (seed % TWICE == 0) {
		world_live(w, &h, NULL, &again);
		if (memcmp(&outcome, &again, sizeof(outcome)) != 0)
			(void)snprintf(outcome.broken, sizeof(outcome.broken),
				       "the same seed went another way");
		sum->steps += again.steps;
	}
	sum->seeds++;
	sum->steps += outcome.steps;
	sum->hash ^= outcome.hash;
	if (outcome.longest > sum->longest)
		sum->longest = outcome.longest;
	if (outcome.longest_excused > sum->longest_excused)
		sum->longest_excused = outcome.longest_excused;
	if (outcome.settled > sum->settled)
		sum->settled = outcome.settled;
	if (!*outcome.broken)
		return;
	sum->failures++;
	printf("seed %" PRIu64 ": %s\n", seed, outcome.broken);
}

static void live_share(uint64_t from, uint64_t to, unsigned stride, struct sum *sum)
{
	struct world *w = world_new();
	double began = seconds();

	for (uint64_t seed = from; seed < to && sum->failures < FAILURES_MAX; seed += stride)
		live(w, seed, sum);
	world_free(w);
	sum->seconds = seconds() - began;
	sum->complete = true;
}

/* A process for each share; what dies of an assertion has not lived through its own. */
static void live_apart(uint64_t from, uint64_t to, unsigned jobs, struct sum *sums)
{
	for (unsigned i = 0; i < jobs; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("sim: fork");
			exit(EXIT_FAILURE);
		}
		if (pid == 0) {
			live_share(from + i, to, jobs, &sums[i]);
			exit(EXIT_SUCCESS);
		}
	}
	while (wait(NULL) > 0)
		;
}

static int add_up(const struct sum *sums, unsigned jobs)
{
	struct sum all = { .complete = true };

	for (unsigned i = 0; i < jobs; i++) {
		all.seeds += sums[i].seeds;
		all.steps += sums[i].steps;
		all.hash ^= sums[i].hash;
		all.seconds += sums[i].seconds;
		all.failures += sums[i].failures;
		all.complete &= sums[i].complete;
		if (sums[i].longest > all.longest)
			all.longest = sums[i].longest;
		if (sums[i].longest_excused > all.longest_excused)
			all.longest_excused = sums[i].longest_excused;
		if (sums[i].settled > all.settled)
			all.settled = sums[i].settled;
	}
	printf("%" PRIu64 " histories, %" PRIu64 " steps, %.1f million a second and core; longest "
	       "overlap %" PRIu64 " us in a handover, %" PRIu64
	       " us where it is excused; at rest %" PRIu64 " ms after the last fault; "
	       "hash %016" PRIx64 "; %u failed%s\n",
	       all.seeds, all.steps, (double)all.steps / 1e6 / (all.seconds + 1e-9), all.longest,
	       all.longest_excused, all.settled / 1000, all.hash, all.failures,
	       all.complete ? "" : ", and it crashed");
	return all.failures || !all.complete ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int live_many(uint64_t from, uint64_t n, unsigned jobs)
{
	struct sum *sums = mmap(NULL, jobs * sizeof(*sums), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (sums == MAP_FAILED) {
		perror("sim: mmap");
		return EXIT_FAILURE;
	}
	(void)fflush(stdout); /* nothing of ours may be printed twice */
	live_apart(from, from + n, jobs, sums);
	return add_up(sums, jobs);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*end || !*text) {
		fprintf(stderr, "sim: \"%s\" is not a number\n", text);
		exit(2);
	}
	return n;
}

static int renew_part(int argc, char **argv)
{
	if (argc < 3)
		return renew(argv[0], 0, UINT_MAX, stdout);
	return renew(argv[0], (unsigned)number(argv[1]), (unsigned)number(argv[2]), stdout);
}

int main(int argc, char **argv)
{
	uint64_t seeds = 10000, from = 1, jobs = 1, traced = UINT64_MAX;
	struct explore_options options = { .faults = 1, .states_max = UINT64_MAX };
	bool shrunk = false, explores = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--seeds") && i + 1 < argc)
			seeds = number(argv[++i]);
		else if (!strcmp(argv[i], "--from") && i + 1 < argc)
			from = number(argv[++i]);
		else if (!strcmp(argv[i], "--jobs") && i + 1 < argc)
			jobs = number(argv[++i]);
		else if (!strcmp(argv[i], "--trace") && i + 1 < argc)
			traced = number(argv[++i]);
		else if (!strcmp(argv[i], "--replay") && i + 1 < argc)
			return replay(argv[++i]);
		else if (!strcmp(argv[i], "--renew") && i + 1 < argc)
			return renew_part(argc - i - 1, argv + i + 1);
		else if (!strcmp(argv[i], "--explore"))
			explores = true;
		else if (!strcmp(argv[i], "--faults") && i + 1 < argc)
			options.faults = (unsigned)number(argv[++i]);
		else if (!strcmp(argv[i], "--states") && i + 1 < argc)
			options.states_max = number(argv[++i]);
		else if (!strcmp(argv[i], "--shrink"))
			shrunk = true;
		else if (traced != UINT64_MAX)
			return trace_one(number(argv[i]), shrunk, traced);
		else
			return tell_one(number(argv[i]), shrunk);
	}
	options.jobs = jobs ? (unsigned)jobs : 1;
	if (explores)
		return explore(&options);
	return live_many(from, seeds, jobs ? (unsigned)jobs : 1);
}

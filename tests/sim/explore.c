/* SPDX-License-Identifier: MIT */

/* Where the exhaustive search begins, and what came of it. */

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/explore.h"

enum root { ROOT_COLD, ROOT_SETTLED, ROOT_MOVE, ROOT_ASKED, _ROOT_MAX };

/* Each root in groups of both kinds. */
enum { ROOTS = 2 * _ROOT_MAX };

static const char *const root_words[_ROOT_MAX] = {
	[ROOT_COLD] = "both start",
	[ROOT_SETTLED] = "one holds",
	[ROOT_MOVE] = "a switchover begins",
	[ROOT_ASKED] = "the backup asks for a switchover",
};

/*
 * All times are multiples of the heartbeat where they can be, so that there are
 * few moments, and as short as R8 allows, so that there are few heartbeats.
 */
static void configure(struct sim_history *h, bool strict)
{
	*h = (struct sim_history){ .n_nodes = 2, .n_groups = 1, .n_paths = 1, .exact = true };
	h->config = (struct core_config){
		.n_nodes = 2,
		.n_groups = 1,
		.n_announce = 1,
		.interval_us = MS(50),
		.lease_us = MS(150),
		.dead_us = MS(300),
		.start_wait_us = MS(500),
		.restart_hold_us = MS(300),
		.step_us = MS(500),
		.probe_us = MS(50),
		.announce_us = { MS(50) },
		.priority = { 100, 100 },
	};
	h->config.groups[0] = (struct core_group_config){
		.strict = strict,
		.keep_alone = true,
		.last_resort_us = MS(500),
		.linger_us = MS(50),
	};
	explore_bounds(h);
}

static void start(struct world *w, struct sim_history *h)
{
	world_begin(w, h, NULL);
	w->now = USEC_PER_SEC;
	for (unsigned i = 0; i < EXPLORE_NODES; i++) {
		w->nodes[i].clock_was = 1000 * USEC_PER_SEC;
		w->nodes[i].clock_at = 0;
		w->nodes[i].booted = true;
		w->heap[i].at = w->now;
	}
}

/* As if nothing ever went wrong, until long after. */
static void settle(struct world *w, struct sim_history *h)
{
	struct choice choices[EXPLORE_CHOICES_MAX];
	uint64_t until = w->now + 5 * USEC_PER_SEC;

	while (w->now < until && !w->broken) {
		(void)choices_list(w, false, choices);
		choice_make(w, h, &choices[0]);
	}
}

static void begin(struct world *w, struct sim_history *h, enum root root, bool strict)
{
	struct sim_fault f = { .what = SIM_SWITCH };

	configure(h, strict);
	start(w, h);
	if (root == ROOT_COLD)
		return;
	settle(w, h);
	if (root == ROOT_SETTLED)
		return;
	for (uint8_t i = 0; i < EXPLORE_NODES; i++)
		if ((w->nodes[i].core.groups[0].state == CORE_STATE_PRIMARY) == (root == ROOT_MOVE))
			f.node = i;
	h->faults[0] = f;
	fault_begin(w, 0);
}

static void explore_root(const struct explore_options *options, unsigned number,
			 struct explored *ret)
{
	enum root root = (enum root)(number / 2);
	struct world *w = world_new();
	bool strict = number % 2;
	struct sim_history h;

	begin(w, &h, root, strict);
	search(w, &h, options->faults, options->states_max, ret);
	world_free(w);
	printf("%s, %s: %" PRIu64 " states, %" PRIu64 " transitions, %" PRIu64
	       " deep, settled within %.3f s%s\n",
	       root_words[root], strict ? "strict" : "seamless", ret->states, ret->transitions,
	       ret->deepest, (double)ret->longest_us / 1e6,
	       ret->broken     ? ": BROKEN"
	       : ret->complete ? ", all there are"
			       : "");
}

/* A process for each root, so many at a time. */
static void explore_apart(const struct explore_options *options, struct explored *found)
{
	unsigned running = 0;

	for (unsigned i = 0; i < ROOTS; i++) {
		pid_t pid;

		if (running == options->jobs && wait(NULL) > 0)
			running--;
		pid = fork();
		if (pid < 0) {
			perror("sim: fork");
			exit(EXIT_FAILURE);
		}
		if (pid == 0) {
			explore_root(options, i, &found[i]);
			found[i].ended = true;
			exit(EXIT_SUCCESS);
		}
		running++;
	}
	while (wait(NULL) > 0)
		;
}

/**
 * explore() - From every root, whatever may happen
 *
 * Return: EXIT_SUCCESS, or EXIT_FAILURE if a law was broken; then the path is told.
 */
int explore(const struct explore_options *options)
{
	struct explored *found = mmap(NULL, ROOTS * sizeof(*found), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct explored all = { 0 };
	unsigned complete = 0, failed = 0;

	if (found == MAP_FAILED) {
		perror("sim: mmap");
		return EXIT_FAILURE;
	}
	(void)fflush(stdout); /* nothing of ours may be printed twice */
	explore_apart(options, found);
	for (unsigned i = 0; i < ROOTS; i++) {
		all.states += found[i].states;
		all.transitions += found[i].transitions;
		all.compared += found[i].compared;
		complete += found[i].complete;
		failed += found[i].broken || !found[i].ended;
	}
	printf("up to %u faults: %" PRIu64 " states, %" PRIu64 " transitions, %" PRIu64
	       " compared; %u of %u roots to the end; %u failed\n",
	       options->faults, all.states, all.transitions, all.compared, complete, ROOTS, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */

#include "agent/life.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "agent/agent.h"
#include "agent/host/home.h"
#include "agent/log.h"
#include "agent/recorder/stream.h"
#include "agent/store/store.h"

/* The state directory, made if it is missing and we may. */
static const char *state_directory(void)
{
	const char *directory = getenv("STATE_DIRECTORY");

	if (!directory)
		directory = "/var/lib/takeover";
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		log_say(LOG_LEVEL_WARNING, "cannot make %s: %s; terms will not survive a restart",
			directory, strerror(errno));
	return directory;
}

/**
 * life_claim() - Claim the state directory: no second agent, or --release, works beside us
 * @ret_directory: $STATE_DIRECTORY or the default
 * @ret_fd: holds the claim until it is closed; untouched if it could not be locked
 *
 * Without a directory to lock the heartbeats' port still tells a second agent from the first.
 *
 * Return: 0, also without a claim; -EWOULDBLOCK, which has been logged.
 */
int life_claim(const char **ret_directory, int *ret_fd)
{
	const char *directory = state_directory();
	int r;

	*ret_directory = directory;
	r = store_lock(directory, ret_fd);
	if (r == -EWOULDBLOCK) {
		log_say(LOG_LEVEL_ERROR,
			"takeoverd already runs here (state directory %s is locked)", directory);
		return r;
	}
	if (r < 0)
		log_say(LOG_LEVEL_WARNING, "cannot lock the state directory %s: %s; going on",
			directory, strerror(-r));
	return 0;
}

static int block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGUSR2);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGUSR1);
	(void)signal(SIGPIPE, SIG_IGN);
	return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Signals are blocked, the log does not wait for its readers. */
static int prepare(void)
{
	int r;

	r = block_signals();
	if (r < 0)
		return r;
	r = log_start();
	if (r < 0)
		log_say(LOG_LEVEL_WARNING,
			"no thread for the log: %s; who reads it slowly slows us", strerror(-r));
	return 0;
}

/* The file of --trace, or -1 */
static int open_trace(const char *path, int *ret_fd)
{
	int fd = path ? stream_open(path) : -1;

	if (path && fd < 0) {
		log_say(LOG_LEVEL_ERROR, "cannot write a trace to %s: %s", path, strerror(-fd));
		return fd;
	}
	*ret_fd = fd;
	return 0;
}

/*
 * reload_reader.read: beside the loop, which reads only now, and next only after this.
 * Without an address of its own the agent would wait, and not serve meanwhile.
 */
static int read_next(void *data, char **ret_why)
{
	struct life *life = data;
	struct conf_problems problems = { 0 };
	size_t size;
	FILE *to = open_memstream(ret_why, &size);
	int r;

	if (!to)
		return -ENOMEM;
	setup_done(&life->next);
	r = setup_read(life->config, life->node, &life->next, &problems);
	setup_print_problems(&problems, to);
	if (conf_problems_fatal(&problems))
		r = -EINVAL;
	conf_problems_done(&problems);
	if (fclose(to) != 0 && r >= 0)
		r = -ENOMEM;
	r = r < 0 ? r : !setup_same(&life->now, &life->next);
	if (r <= 0)
		setup_done(&life->next);
	return r;
}

/* reload_reader.next */
static const struct conf *next_conf(const void *data)
{
	return ((const struct life *)data)->next.conf;
}

/* One agent, from its start to its end. Return: 1 if the next one is to be started. */
static int run_one(struct life *life, const char *directory)
{
	_cleanup_(agent_freep) struct agent *agent = NULL;
	struct agent_files files = { .state_directory = directory,
				     .trace = -1,
				     .hung = &life->hung,
				     .reader = { .read = read_next,
						 .next = next_conf,
						 .busy = &life->reading,
						 .data = life } };
	struct setup *now = &life->now;
	int r;

	r = open_trace(life->trace, &files.trace);
	if (r < 0)
		return r;
	r = agent_new(now->conf, now->self, now->conf->authenticate ? now->key : NULL, &files,
		      &agent);
	sodium_memzero(now->key, sizeof(now->key));
	return r < 0 ? r : agent_run(agent);
}

/**
 * life_run() - Be the node's agent, until told to stop
 * @life: with the first setup
 *
 * What fails is logged.
 *
 * Return: 0; the error that ended it.
 */
int life_run(struct life *life)
{
	_cleanup_(close_fdp) int lock = -1;
	const char *directory;
	int r;

	r = prepare();
	if (r < 0)
		return r;
	r = life_claim(&directory, &lock);
	if (r < 0)
		return r;
	if (life->now.self == CORE_NODE_NONE) {
		r = home_wait(life->now.conf, &life->now.self);
		if (r <= 0)
			return r;
	}
	while ((r = run_one(life, directory)) > 0) {
		setup_done(&life->now);
		life->now = life->next;
		life->next = (struct setup){ 0 };
	}
	return r;
}

void life_done(struct life *life)
{
	setup_done(&life->now);
	setup_done(&life->next);
}

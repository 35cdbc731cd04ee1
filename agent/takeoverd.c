/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/cleanup.h"
#include "agent/home.h"
#include "agent/kernel/adopt.h"
#include "agent/log.h"
#include "agent/recorder/stream.h"
#include "agent/setup.h"
#include "agent/store.h"

enum { LARGE_SIZE = 32 * 1024 };

struct options {
	const char *config, *node, *trace;
	bool check, release;
};

static const char usage[] =
	"Usage: takeoverd [--config FILE] [--node NAME] [--trace FILE] [--check]\n"
	"       takeoverd --release\n"
	"\n"
	"  -c, --config FILE  configuration (default /etc/takeover/takeover.conf)\n"
	"  -n, --node NAME    which of its nodes this is (default: found by address or host name)\n"
	"  -t, --trace FILE   keep everything that the agent is told and decides, as text\n"
	"      --check        say everything that is wrong with the configuration, and exit\n"
	"      --release      remove what an agent that ended without order has left, and exit\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"\n"
	"Stays in the foreground. SIGTERM hands over and releases; SIGHUP reads the configuration\n"
	"again; SIGUSR2 keeps the addresses for a restart. The bus is found by\n"
	"DBUS_SYSTEM_BUS_ADDRESS; terms are kept in STATE_DIRECTORY (default /var/lib/takeover).\n"
	"The key, the same on both hosts, is made with: takeoverctl genkey /etc/takeover/key\n";

/* Return: -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "node", required_argument, NULL, 'n' },
		{ "trace", required_argument, NULL, 't' },
		{ "check", no_argument, NULL, 'k' },
		{ "release", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:n:t:hV", longs, NULL)) >= 0) {
		switch (c) {
		case 'c':
			ret->config = optarg;
			break;
		case 'n':
			ret->node = optarg;
			break;
		case 't':
			ret->trace = optarg;
			break;
		case 'k':
			ret->check = true;
			break;
		case 'r':
			ret->release = true;
			break;
		case 'h':
			(void)fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'V':
			(void)puts("takeoverd " AGENT_VERSION);
			return EXIT_SUCCESS;
		default:
			/* getopt_long() has said what is wrong */
			(void)fputs("takeoverd: see --help\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "takeoverd: \"%s\" is not an option; see --help\n",
			      argv[optind]);
		return 2;
	}
	return -1;
}

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

/* Without a directory to lock the heartbeats' port still tells a second agent from the first. */
static int lock_state(const char *directory, int *ret_fd)
{
	int r;

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

/* What runs, and what shall run next. */
struct life {
	const struct options *options;
	struct setup now, next;
	atomic_bool reading; /* at the end: a file hangs, and who reads it needs all this */
};

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
	life->reading = true;
	r = setup_read(life->options->config, life->options->node, &life->next, &problems);
	setup_print_problems(&problems, to);
	if (conf_problems_fatal(&problems))
		r = -EINVAL;
	conf_problems_done(&problems);
	if (fclose(to) != 0 && r >= 0)
		r = -ENOMEM;
	r = r < 0 ? r : !setup_same(&life->now, &life->next);
	if (r <= 0)
		setup_done(&life->next);
	life->reading = false;
	return r;
}

/* reload_reader.keeps */
static bool keeps_group(const void *data, const char *group)
{
	const struct conf *next = ((const struct life *)data)->next.conf;

	for (size_t g = 0; g < next->n_groups; g++)
		if (!strcmp(next->groups[g].name, group))
			return true;
	return false;
}

/* One agent, from its start to its end. Return: 1 if the next one is to be started. */
static int run_one(struct life *life, const char *directory)
{
	_cleanup_(agent_freep) struct agent *agent = NULL;
	struct agent_files files = {
		.state_directory = directory,
		.trace = -1,
		.reader = { .read = read_next, .keeps = keeps_group, .data = life }
	};
	struct setup *now = &life->now;
	int r;

	r = open_trace(life->options->trace, &files.trace);
	if (r < 0)
		return r;
	r = agent_new(now->conf, now->self, now->conf->authenticate ? now->key : NULL, &files,
		      &agent);
	sodium_memzero(now->key, sizeof(now->key));
	return r < 0 ? r : agent_run(agent);
}

static int run(struct life *life)
{
	_cleanup_(close_fdp) int lock = -1;
	const char *directory;
	int r;

	r = prepare();
	if (r < 0)
		return r;
	directory = state_directory();
	r = lock_state(directory, &lock);
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

/* Needs no configuration: what is ours is known by its marks. */
static int release(void)
{
	_cleanup_(close_fdp) int lock = -1;
	int r;

	r = lock_state(state_directory(), &lock);
	if (r < 0)
		return r;
	r = adopt_nothing();
	if (r == -EBUSY)
		log_say(LOG_LEVEL_ERROR,
			"nothing is released: an agent runs here, which renews the "
			"lease");
	else if (r < 0)
		log_say(LOG_LEVEL_ERROR, "cannot release: %s", strerror(-r));
	else
		log_say(LOG_LEVEL_NOTICE, "released: nothing of an agent is left here");
	return r;
}

/* What is closed at the start must not become a socket that somebody prints to. */
static int open_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

static void life_done(struct life *life)
{
	setup_done(&life->now);
	setup_done(&life->next);
}

/* Return: the exit status, or -1 to go on. */
static int read_first(struct life *life)
{
	const struct options *options = life->options;
	const struct setup *now = &life->now;
	struct conf_problems problems = { 0 };
	int r;

	r = setup_read(options->config, options->node, &life->now, &problems);
	setup_print_problems(&problems, stderr);
	if (r < 0 && !conf_problems_fatal(&problems))
		(void)fprintf(stderr, "takeoverd: cannot read %s: %s\n", options->config,
			      strerror(-r));
	conf_problems_done(&problems);
	if (r == -EADDRNOTAVAIL && !options->check)
		r = 0;
	if (r < 0) /* the unit does not try again what only an operator can mend */
		return r == -EINVAL && !options->check ? EX_CONFIG : EXIT_FAILURE;
	if (!options->check)
		return -1;
	(void)printf("%s: node %s, %zu group%s: no mistakes found\n", options->config,
		     now->conf->nodes[now->self].name, now->conf->n_groups,
		     now->conf->n_groups == 1 ? "" : "s");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options = { .config = "/etc/takeover/takeover.conf" };
	_cleanup_(life_done) struct life life = { .options = &options };
	int r;

	if (open_standard_fds() < 0)
		return EXIT_FAILURE; /* there may be nothing to say it on */
	/*
	 * What is large comes from the system, zero without having been touched, and goes back
	 * there. As it is, glibc begins to take it from the heap once something large has been
	 * freed, a file that has been read, and zeroes there what nobody is going to use.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_SIZE);
	r = parse_options(argc, argv, &options);
	if (r >= 0)
		return r;
	if (options.release)
		return release() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (sodium_init() < 0) {
		(void)fputs("takeoverd: libsodium does not work here\n", stderr);
		return EXIT_FAILURE;
	}
	r = read_first(&life);
	if (r >= 0)
		return r;
	r = run(&life) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	log_stop();
	if (life.reading)
		_exit(r);
	return r;
}

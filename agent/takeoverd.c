/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/cleanup.h"
#include "agent/kernel/adopt.h"
#include "agent/life.h"
#include "agent/log.h"

enum { LARGE_SIZE = 32 * 1024 };

/* What is wanted instead of an agent. */
struct options {
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
static int parse_options(int argc, char **argv, struct options *ret, struct life *life)
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
			life->config = optarg;
			break;
		case 'n':
			life->node = optarg;
			break;
		case 't':
			life->trace = optarg;
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

/* Needs no configuration: what is ours is known by its marks. */
static int release(void)
{
	_cleanup_(close_fdp) int lock = -1;
	const char *directory;
	int r;

	r = life_claim(&directory, &lock);
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

/* Return: the exit status, or -1 to go on. */
static int read_first(struct life *life, bool check)
{
	const struct setup *now = &life->now;
	struct conf_problems problems = { 0 };
	int r;

	r = setup_read(life->config, life->node, &life->now, &problems);
	setup_print_problems(&problems, stderr);
	if (r < 0 && !conf_problems_fatal(&problems))
		(void)fprintf(stderr, "takeoverd: cannot read %s: %s\n", life->config,
			      strerror(-r));
	conf_problems_done(&problems);
	if (r == -EADDRNOTAVAIL && !check)
		r = 0;
	if (r < 0) /* the unit does not try again what only an operator can mend */
		return r == -EINVAL && !check ? EX_CONFIG : EXIT_FAILURE;
	if (!check)
		return -1;
	(void)printf("%s: node %s, %zu group%s: no mistakes found\n", life->config,
		     now->conf->nodes[now->self].name, now->conf->n_groups,
		     now->conf->n_groups == 1 ? "" : "s");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	_cleanup_(life_done) struct life life = { .config = "/etc/takeover/takeover.conf" };
	struct options options = { 0 };
	int r;

	if (open_standard_fds() < 0)
		return EXIT_FAILURE; /* there may be nothing to say it on */
	/*
	 * What is large comes from the system, zero without having been touched, and goes back
	 * there. As it is, glibc begins to take it from the heap once something large has been
	 * freed, a file that has been read, and zeroes there what nobody is going to use.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_SIZE);
	r = parse_options(argc, argv, &options, &life);
	if (r >= 0)
		return r;
	if (options.release)
		return release() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (sodium_init() < 0) {
		(void)fputs("takeoverd: libsodium does not work here\n", stderr);
		return EXIT_FAILURE;
	}
	r = read_first(&life, options.check);
	if (r >= 0)
		return r;
	r = life_run(&life) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	log_stop();
	if (life.reading)
		_exit(r);
	return r;
}

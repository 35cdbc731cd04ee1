/* SPDX-License-Identifier: MIT */
/* How evenly heartbeats leave a node, and how evenly a program could send them. */
#include "tests/net/probe.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

enum {
	VRRP = 112,	    /* the IP protocol of RFC 5798 */
	REPLY_AT = 7,	    /* the byte of our heartbeats that says: an echo */
	PAUSE_US = 2000000, /* by then it is no delay: the node has stopped sending */
};

struct gaps {
	uint32_t *us; /* owned */
	size_t n, allocated;
	uint64_t last_ns, worst_at_ns, over_us, over, pauses;
	uint64_t port; /* 0: VRRP */
};

static void gaps_done(struct gaps *g)
{
	free(g->us);
}

static bool is_heartbeat(const struct gaps *g, const uint8_t *frame, size_t len)
{
	if (g->port == 0)
		return len > UDP_AT && frame[12] == 0x08 && frame[13] == 0x00 &&
		       frame[ETH_LEN + 9] == VRRP;
	return is_udp_to(frame, len, (uint16_t)g->port) && len > UDP_AT + 8 + REPLY_AT &&
	       frame[UDP_AT + 8 + REPLY_AT] == 0;
}

static int gaps_add(struct gaps *g, uint64_t at_ns)
{
	uint64_t us = (at_ns - g->last_ns) / 1000, last_ns = g->last_ns;

	g->last_ns = at_ns;
	if (last_ns == 0 || at_ns < last_ns)
		return 0;
	if (us > PAUSE_US) {
		g->pauses++;
		return 0;
	}
	if (g->n == g->allocated) {
		size_t more = g->allocated ? g->allocated * 2 : 65536;
		void *v = reallocarray(g->us, more, sizeof(*g->us));

		if (!v)
			return -ENOMEM;
		g->us = v;
		g->allocated = more;
	}
	g->us[g->n++] = (uint32_t)us;
	if (g->over_us && us > g->over_us) {
		g->over++;
		/* when, to be looked up in a trace */
		fprintf(stderr, "%ju us until %ju us\n", (uintmax_t)us, (uintmax_t)(at_ns / 1000));
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t quantile(const struct gaps *g, double share)
{
	return g->n ? g->us[(size_t)((double)(g->n - 1) * share)] : 0;
}

static void report(struct gaps *g)
{
	qsort(g->us, g->n, sizeof(*g->us), compare);
	printf("gaps=%zu median_us=%u p99_us=%u p999_us=%u max_us=%u over=%ju pauses=%ju\n", g->n,
	       quantile(g, 0.5), quantile(g, 0.99), quantile(g, 0.999), quantile(g, 1),
	       (uintmax_t)g->over, (uintmax_t)g->pauses);
}

/* Until a signal comes, which is looked for with every frame and every tenth of a second. */
static int observe(struct gaps *g, int fd, int signals)
{
	uint8_t frame[FRAME_SIZE];
	uint64_t at_ns;
	bool outgoing;
	int r = 0;

	while (r == 0 && probe_wait(signals, 0) == 0) {
		ssize_t n =
			packet_receive(fd, probe_now_ns() + 100000000, frame, &at_ns, &outgoing);

		if (n < 0 && n != -EINTR)
			return (int)n;
		if (n > 0 && !outgoing && is_heartbeat(g, frame, (size_t)n))
			r = gaps_add(g, at_ns);
	}
	return r;
}

static int parse(struct gaps *g, const char **ready, int argc, char **argv)
{
	static const struct option options[] = {
		{ "over-us", required_argument, NULL, 'o' },
		{ "ready", required_argument, NULL, 'r' },
		{ 0 },
	};
	int c, r = 0;

	while (r == 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'o')
			r = probe_number(optarg, &g->over_us);
		else if (c == 'r')
			*ready = optarg;
		else
			r = -EINVAL;
	}
	if (r < 0 || argc - optind != 2)
		return -EINVAL;
	if (strcmp(argv[optind + 1], "vrrp") == 0)
		return 0;
	return probe_number(argv[optind + 1], &g->port);
}

/*
 * The gaps between the heartbeats that come in on a link, by the time that the kernel received
 * them; those above --over-us are told when they are over.
 */
int gaps_verb(int argc, char **argv)
{
	_cleanup_(gaps_done) struct gaps g = { 0 };
	_cleanup_(close_fdp) int signals = -1;
	_cleanup_(close_fdp) int fd = -1;
	const char *ready = NULL;
	int r;

	if (parse(&g, &ready, argc, argv) < 0)
		return probe_usage("gaps LINK PORT|vrrp [--over-us N] [--ready FIFO]");
	signals = probe_signal_fd();
	r = signals < 0 ? signals : packet_open(argv[optind], &fd);
	if (r >= 0)
		r = probe_ready(ready);
	if (r >= 0)
		r = observe(&g, fd, signals);
	if (r < 0)
		return probe_fail(argv[optind], r);
	report(&g);
	return 0;
}

/*
 * The floor: a program that only wakes up at each interval, and how late it does. As the service
 * it is SCHED_RR with a low priority. No heartbeat is more punctual.
 */
int tick_verb(int argc, char **argv)
{
	const struct sched_param param = { .sched_priority = 5 };
	_cleanup_(gaps_done) struct gaps g = { 0 };
	_cleanup_(close_fdp) int signals = -1;
	uint64_t interval_us;
	struct timespec due;
	int r = 0;

	if (argc != 2 || probe_number(argv[1], &interval_us) < 0 || interval_us == 0)
		return probe_usage("tick INTERVAL-US");
	signals = probe_signal_fd();
	if (signals < 0 || sched_setscheduler(0, SCHED_RR, &param) < 0)
		return probe_fail("tick", errno);
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	for (uint64_t at_ns = probe_now_ns(); r == 0 && probe_wait(signals, 0) == 0;) {
		r = gaps_add(&g, probe_now_ns());
		at_ns += interval_us * 1000;
		if (at_ns < probe_now_ns())
			at_ns = probe_now_ns();
		due = (struct timespec){ .tv_sec = (time_t)(at_ns / 1000000000),
					 .tv_nsec = (long)(at_ns % 1000000000) };
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL); /* or sooner */
	}
	if (r < 0)
		return probe_fail("tick", r);
	report(&g);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The client: numbered packets at a steady pace, and who answered when. */
#include "tests/net/probe.h"

#include <errno.h>
#include <getopt.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

enum {
	SEND_PRIORITY = 10,
	SEND_NODES_MAX = 4,
	BURST_MAX = 16,		  /* packets sent between two looks for answers */
	STRAGGLER_NS = 300000000, /* silence after which nothing more is to be expected */
};

struct node_stats {
	char name[PROBE_NAME_SIZE];
	uint64_t answers, first_ns, last_ns;
};

struct sender {
	int fd, signals;
	uint32_t run;
	uint64_t interval_ns, count; /* count 0: until a signal comes */
	uint64_t start_ns, stop_ns, sent, refused, answered, repeated;
	uint64_t last_ns, silence_ns;
	uint64_t late_ns; /* by which a packet was sent after its time, at most */
	uint8_t *seen;	  /* by seq; owned */
	size_t seen_allocated;
	struct node_stats nodes[SEND_NODES_MAX];
	size_t n_nodes;
	const char *ready;
	const char *log;
	struct probe_answers answers;
};

static void sender_done(struct sender *s)
{
	close_fdp(&s->fd);
	close_fdp(&s->signals);
	free(s->seen);
	answers_done(&s->answers);
}

static int send_packet(struct sender *s)
{
	const struct probe_request request = {
		.magic = PROBE_MAGIC,
		.run = s->run,
		.seq = s->sent,
	};

	if (s->sent == s->seen_allocated) {
		size_t more = s->seen_allocated ? s->seen_allocated * 2 : 65536;
		void *v = realloc(s->seen, more);

		if (!v)
			return -ENOMEM;
		s->seen = v;
		s->seen_allocated = more;
	}
	s->seen[s->sent++] = 0;
	/* An ICMP error for an earlier packet comes first, once. */
	for (int i = 0; i < 2; i++)
		if (send(s->fd, &request, sizeof(request), 0) >= 0)
			return 0;
	s->refused++; /* full socket, no route, ...: a lost packet like any other */
	return 0;
}

static void count_node(struct sender *s, const char *name, uint64_t at_ns)
{
	struct node_stats *node = NULL;

	for (size_t i = 0; i < s->n_nodes; i++)
		if (memcmp(s->nodes[i].name, name, PROBE_NAME_SIZE) == 0)
			node = &s->nodes[i];
	if (!node) {
		if (s->n_nodes == SEND_NODES_MAX)
			return;
		node = &s->nodes[s->n_nodes++];
		memcpy(node->name, name, PROBE_NAME_SIZE);
		node->first_ns = at_ns;
	}
	node->answers++;
	node->last_ns = at_ns;
}

static int count_answer(struct sender *s, const struct probe_reply *reply, uint64_t at_ns)
{
	struct probe_answer answer = {
		.seq = reply->request.seq,
		.answered_ns = reply->answered_ns,
		.received_ns = at_ns,
	};
	int r;

	if (s->seen[reply->request.seq]) {
		s->repeated++;
	} else {
		s->seen[reply->request.seq] = 1;
		s->answered++;
	}
	if (at_ns > s->last_ns + s->silence_ns)
		s->silence_ns = at_ns - s->last_ns;
	if (at_ns > s->last_ns)
		s->last_ns = at_ns;
	count_node(s, reply->name, at_ns);
	if (s->ready) {
		r = probe_ready(s->ready);
		if (r < 0)
			return r;
		s->ready = NULL;
	}
	memcpy(answer.name, reply->name, PROBE_NAME_SIZE);
	return s->log ? answers_add(&s->answers, &answer) : 0;
}

/* Take all answers that are there. Return: how many, or negative errno. */
static int receive(struct sender *s)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct timespec))];
	} control;
	struct probe_reply reply = { 0 };
	struct iovec iov = { .iov_base = &reply, .iov_len = sizeof(reply) };
	int n = 0, r;

	for (;;) {
		struct msghdr msg = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t len = recvmsg(s->fd, &msg, 0);

		if (len < 0 && errno == EAGAIN)
			return n;
		if (len != sizeof(reply) || reply.request.magic != PROBE_MAGIC ||
		    reply.request.run != s->run || reply.request.seq >= s->sent)
			continue; /* an ICMP error, or a packet that is not ours */
		r = count_answer(s, &reply, probe_received_ns(&msg));
		if (r < 0)
			return r;
		n++;
	}
}

/*
 * What is due by now. A client that was kept from running does not make up for
 * it: a burst would overflow its own receive buffer and look like a loss.
 */
static int send_due(struct sender *s, uint64_t *due_ns)
{
	uint64_t now_ns = probe_now_ns();
	int r = 0;

	if (now_ns > *due_ns + s->late_ns)
		s->late_ns = now_ns - *due_ns;
	for (int i = 0; i < BURST_MAX && r >= 0 && *due_ns <= probe_now_ns(); i++) {
		if (s->count && s->sent == s->count)
			return 0;
		r = send_packet(s);
		*due_ns += s->interval_ns;
	}
	if (*due_ns + BURST_MAX * s->interval_ns < probe_now_ns())
		*due_ns = probe_now_ns();
	return r;
}

static int send_paced(struct sender *s)
{
	uint64_t due_ns = s->start_ns;
	struct timespec until;
	int r;

	for (;;) {
		r = send_due(s, &due_ns);
		if (r < 0)
			return r;
		r = receive(s);
		if (r < 0)
			return r;
		if ((s->count && s->sent == s->count) || probe_wait(s->signals, 0) != 0)
			return 0;
		until.tv_sec = (time_t)(due_ns / 1000000000);
		until.tv_nsec = (long)(due_ns % 1000000000);
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL); /* or sooner */
	}
}

static int send_and_wait(struct sender *s)
{
	uint64_t last_ns;
	int r;

	s->start_ns = s->last_ns = probe_now_ns();
	r = send_paced(s);
	s->stop_ns = probe_now_ns();
	last_ns = s->last_ns;
	for (uint64_t until = s->stop_ns + STRAGGLER_NS; r >= 0 && s->answered < s->sent;) {
		if (probe_wait(s->fd, until) <= 0)
			break;
		r = receive(s);
		if (r > 0)
			until = probe_now_ns() + STRAGGLER_NS;
	}
	/* Silence at the end lasts as long as we went on asking. */
	if (last_ns == s->last_ns && s->stop_ns > last_ns + s->silence_ns)
		s->silence_ns = s->stop_ns - last_ns;
	return r;
}

static uint64_t longest_run_lost(const struct sender *s)
{
	uint64_t run = 0, longest = 0;

	for (uint64_t i = 0; i < s->sent; i++) {
		run = s->seen[i] ? 0 : run + 1;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static void report(const struct sender *s)
{
	printf("sent=%ju answered=%ju lost=%ju lost_run=%ju repeated=%ju refused=%ju "
	       "silence_us=%ju late_us=%ju start_us=%ju stop_us=%ju",
	       (uintmax_t)s->sent, (uintmax_t)s->answered, (uintmax_t)(s->sent - s->answered),
	       (uintmax_t)longest_run_lost(s), (uintmax_t)s->repeated, (uintmax_t)s->refused,
	       (uintmax_t)(s->silence_ns / 1000), (uintmax_t)(s->late_ns / 1000),
	       (uintmax_t)(s->start_ns / 1000), (uintmax_t)(s->stop_ns / 1000));
	for (size_t i = 0; i < s->n_nodes; i++) {
		const struct node_stats *node = &s->nodes[i];

		printf(" %s=%ju %s_first_us=%ju %s_last_us=%ju", node->name,
		       (uintmax_t)node->answers, node->name, (uintmax_t)(node->first_ns / 1000),
		       node->name, (uintmax_t)(node->last_ns / 1000));
	}
	printf("\n");
}

static int parse(struct sender *s, int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval-us", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'c' },
		{ "log", required_argument, NULL, 'l' },
		{ "ready", required_argument, NULL, 'r' },
		{ 0 },
	};
	uint64_t us = 1000;
	int c, r = 0;

	while (r == 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'i')
			r = probe_number(optarg, &us);
		else if (c == 'c')
			r = probe_number(optarg, &s->count);
		else if (c == 'l')
			s->log = optarg;
		else if (c == 'r')
			s->ready = optarg;
		else
			r = -EINVAL;
	}
	s->interval_ns = us * 1000;
	return r == 0 && us > 0 && argc - optind == 2 ? 0 : -EINVAL;
}

int send_verb(int argc, char **argv)
{
	_cleanup_(sender_done) struct sender s = { .fd = -1, .signals = -1 };
	int on = 1, r;

	if (parse(&s, argc, argv) < 0)
		return probe_usage("send ADDRESS PORT [--interval-us N] [--count N] [--log FILE] "
				   "[--ready FIFO]");
	if (getrandom(&s.run, sizeof(s.run), 0) != sizeof(s.run))
		return probe_fail("getrandom", errno);
	s.signals = probe_signal_fd();
	r = s.signals < 0 ? s.signals : probe_connect(argv[optind], argv[optind + 1], &s.fd);
	if (r < 0)
		return probe_fail(argv[optind], r);
	if (setsockopt(s.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		return probe_fail("SO_TIMESTAMPNS", errno);
	probe_realtime(SEND_PRIORITY);
	r = send_and_wait(&s);
	if (r >= 0 && s.log)
		r = answers_save(&s.answers, s.log);
	if (r < 0)
		return probe_fail("send", r);
	report(&s);
	return 0;
}

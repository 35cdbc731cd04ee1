/* SPDX-License-Identifier: MIT */
#pragma once

/* Two agents' heartbeat sockets in one namespace, and somebody who listens and replays. */

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/beat/beat.h"
#include "agent/beat/session.h"
#include "tests/netns.h"
#include "tests/with_conf.h"

enum {
	ALPHA = 0,
	BETA = 1,
	QUIET_MS = 50,	  /* so long nothing may come before it counts as nothing */
	RECORDS_MAX = 64, /* datagrams that a recorder keeps */
};

#define GROUP "[Group sip]\nVirtualAddress=10.9.9.9 eth0\n"
#define ONE_PATH "[Node alpha]\nAddress=10.9.0.1\n[Node beta]\nAddress=10.9.0.2\n" GROUP
#define TWO_PATHS                                                                                  \
	"[Node alpha]\nAddress=10.9.0.1\nAddress=10.9.1.1\n"                                       \
	"[Node beta]\nAddress=10.9.0.2\nAddress=10.9.1.2\n" GROUP

static const uint8_t key[CONF_KEY_SIZE] = { 1, 2, 3 };
static const uint8_t other_key[CONF_KEY_SIZE] = { 3, 2, 1 };

/* One agent's sockets, and how many times each outcome has come. */
struct agent {
	struct conf *conf;
	struct beat *beat;
	uint8_t self, peer;
	uint64_t seq;
	unsigned outcomes[_BEAT_OUTCOME_MAX];
	struct beat_received last; /* with an outcome other than NOTHING and HANDLED */
};

/* Both agents live on the loopback device of a namespace of their own. */
static inline void world_enter(void)
{
	cr_assert_eq(unshare(CLONE_NEWNET), 0, "needs root");
	sh("ip link set lo up && for a in 10.9.0.1 10.9.0.2 10.9.0.3 10.9.1.1 10.9.1.2; do"
	   " ip address add $a/32 dev lo; done && ip address add fd09::1/128 dev lo nodad &&"
	   " ip address add fd09::2/128 dev lo nodad");
}

static inline void agent_start_with(struct agent *agent, const char *text, uint8_t self,
				    const uint8_t *its_key)
{
	*agent = (struct agent){ .conf = conf_from_text(text), .self = self, .peer = !self };
	cr_assert_eq(beat_new(agent->conf, self, its_key, &agent->beat), 0);
}

static inline void agent_start(struct agent *agent, const char *text, uint8_t self)
{
	agent_start_with(agent, text, self, key);
}

static inline void agent_stop(struct agent *agent)
{
	agent->beat = beat_free(agent->beat);
	agent->conf = conf_free(agent->conf);
}

/* Alpha and beta, with the same configuration, in a network of their own. */
static inline void both_start(struct agent *a, struct agent *b, const char *text)
{
	world_enter();
	agent_start(a, text, 0);
	agent_start(b, text, 1);
}

static inline void both_stop(struct agent *a, struct agent *b)
{
	agent_stop(a);
	agent_stop(b);
}

static inline int say_at(struct agent *agent, enum beat_mark mark, uint64_t us)
{
	struct core_beat text = { .seq = ++agent->seq, .interval_us = 50000, .lease_us = 350000 };

	text.groups[0].present = true;
	return beat_send(agent->beat, agent->peer, &text, mark, (instant){ us });
}

static inline int say(struct agent *agent)
{
	return say_at(agent, BEAT_UNMARKED, 1000000);
}

/* Take all that has come to socket @i. */
static inline void drain(struct agent *agent, size_t i, uint64_t us)
{
	struct beat_received received;

	for (;;) {
		cr_assert_eq(beat_receive(agent->beat, i, (instant){ us }, &received), 0);
		agent->outcomes[received.outcome]++;
		if (received.outcome == BEAT_NOTHING)
			return;
		if (received.outcome != BEAT_HANDLED)
			agent->last = received;
	}
}

/* Let both take what comes, until nothing comes any more. @b may be NULL. */
static inline void settle_at(struct agent *a, struct agent *b, uint64_t us)
{
	struct agent *agents[] = { a, b };
	struct pollfd fds[32];
	size_t n;

	do {
		n = 0;
		for (size_t i = 0; i < 2 && agents[i]; i++)
			for (size_t f = 0; f < beat_n_fds(agents[i]->beat); f++)
				fds[n++] = (struct pollfd){ .fd = beat_fd(agents[i]->beat, f),
							    .events = POLLIN };
		if (poll(fds, n, QUIET_MS) == 0)
			return;
		for (size_t i = 0; i < 2 && agents[i]; i++)
			for (size_t f = 0; f < beat_n_fds(agents[i]->beat); f++)
				drain(agents[i], f, us);
	} while (true);
}

static inline void settle(struct agent *a, struct agent *b)
{
	settle_at(a, b, 1000000);
}

/* The same, until an outcome has come: some take the kernel a while on a busy machine. */
static inline void settle_for(struct agent *a, struct agent *b, const unsigned *outcome)
{
	for (int i = 0; i < 100 && !*outcome; i++)
		settle(a, b);
}

static inline void forget(struct agent *agent)
{
	memset(agent->outcomes, 0, sizeof(agent->outcomes));
}

static inline struct beat_path_stats path_of(const struct agent *agent, size_t path)
{
	struct beat_path_stats stats;

	beat_path_stats(agent->beat, agent->peer, path, &stats);
	return stats;
}

static inline struct beat_stats stats_of(const struct agent *agent)
{
	struct beat_stats stats;

	beat_stats(agent->beat, &stats);
	return stats;
}

/* Both have been through the handshake. */
static inline void meet(struct agent *a, struct agent *b)
{
	say(a);
	settle(a, b);
	forget(a);
	forget(b);
}

/* Every IPv4 datagram that arrives, with its header. */
struct recorder {
	int fd;
	size_t n;
	struct {
		uint8_t bytes[2048];
		size_t len;
	} v[RECORDS_MAX];
};

static inline void recorder_start(struct recorder *recorder)
{
	recorder->n = 0;
	recorder->fd =
		socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_IP));
	cr_assert_geq(recorder->fd, 0);
}

/* What has been recorded since the start stays; each is seen once. */
static inline void recorder_take(struct recorder *recorder)
{
	struct sockaddr_ll from;
	socklen_t size;
	ssize_t len;

	for (;;) {
		size = sizeof(from);
		cr_assert_lt(recorder->n, RECORDS_MAX);
		len = recvfrom(recorder->fd, recorder->v[recorder->n].bytes,
			       sizeof(recorder->v[0].bytes), 0, (struct sockaddr *)&from, &size);
		if (len < 0)
			return;
		if (from.sll_pkttype == PACKET_OUTGOING)
			continue; /* comes as an incoming one again */
		if (recorder->v[recorder->n].bytes[9] == IPPROTO_UDP)
			recorder->v[recorder->n++].len = (size_t)len;
	}
}

static inline void recorder_stop(struct recorder *recorder)
{
	recorder_take(recorder);
	cr_assert_eq(close(recorder->fd), 0);
}

/* Put those from @source on the wire again, just as they were. */
static inline size_t replay(const struct recorder *recorder, const char *source)
{
	_cleanup_(close_fdp) int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct sockaddr_in to = { .sin_family = AF_INET };
	in_addr_t wanted = inet_addr(source);
	uint8_t bytes[2048];
	size_t sent = 0;

	cr_assert_geq(fd, 0);
	for (size_t i = 0; i < recorder->n; i++) {
		memcpy(bytes, recorder->v[i].bytes, recorder->v[i].len);
		if (memcmp(bytes + 12, &wanted, 4) != 0)
			continue;
		memcpy(&to.sin_addr, bytes + 16, 4);
		memset(bytes + 26, 0, 2); /* UDP checksum: not computed on lo; 0 is "none" */
		cr_assert_eq(sendto(fd, bytes, recorder->v[i].len, 0, (struct sockaddr *)&to,
				    sizeof(to)),
			     (ssize_t)recorder->v[i].len);
		sent++;
	}
	return sent;
}

/* SPDX-License-Identifier: MIT */
/*
 * Heartbeats with nothing in them: what it costs at least to send one on every path
 * at an interval, and to have it answered there. One end leads, the other echoes.
 */
#include "tests/net/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum {
	PULSE_PATHS_MAX = 4,
	PULSE_SIZE = 138, /* of the agent's heartbeat with one group */
	PULSE_TIMER = PULSE_PATHS_MAX,
};

struct pulse {
	int epoll;
	size_t n;
	int paths[PULSE_PATHS_MAX];
	uint64_t seq;
};

static int watch(const struct pulse *p, int fd, uint32_t number)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };

	return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_path(struct pulse *p, uint16_t port, const char *local, const char *remote)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(port) }, to = from;
	_cleanup_(close_fdp) int fd = -1;

	if (p->n == PULSE_PATHS_MAX || inet_pton(AF_INET, local, &from.sin_addr) != 1 ||
	    inet_pton(AF_INET, remote, &to.sin_addr) != 1)
		return -EINVAL;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	p->paths[p->n] = TAKE_FD(fd);
	p->n++;
	return watch(p, p->paths[p->n - 1], (uint32_t)p->n - 1);
}

static void send_all(const struct pulse *p)
{
	uint8_t packet[PULSE_SIZE] = { 0 };

	memcpy(packet, &p->seq, sizeof(p->seq));
	for (size_t i = 0; i < p->n; i++)
		(void)send(p->paths[i], packet, sizeof(packet), 0); /* the other end may be late */
}

/* Answer what is new, if this end is the one that echoes. */
static void take(struct pulse *p, int fd, bool leads)
{
	uint8_t packet[PULSE_SIZE];
	uint64_t seq;

	if (recv(fd, packet, sizeof(packet), 0) != sizeof(packet))
		return;
	memcpy(&seq, packet, sizeof(seq));
	if (leads || seq <= p->seq)
		return;
	p->seq = seq;
	send_all(p);
}

static int run(struct pulse *p, int timer)
{
	struct epoll_event events[PULSE_PATHS_MAX + 1];
	uint64_t ticks;

	for (;;) {
		int n = epoll_wait(p->epoll, events, ARRAY_SIZE(events), -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++) {
			uint32_t number = events[i].data.u32;

			if (number != PULSE_TIMER) {
				take(p, p->paths[number], timer >= 0);
			} else if (read(timer, &ticks, sizeof(ticks)) == sizeof(ticks)) {
				p->seq++;
				send_all(p);
			}
		}
	}
}

static int open_timer(const struct pulse *p, uint64_t interval_us, int *ret)
{
	const struct timespec interval = { (time_t)(interval_us / USEC_PER_SEC),
					   (long)(interval_us % USEC_PER_SEC) * 1000 };
	_cleanup_(close_fdp) int fd = -1;
	int r;

	fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &(struct itimerspec){ interval, interval }, NULL) < 0)
		return -errno;
	r = watch(p, fd, PULSE_TIMER);
	if (r == 0)
		*ret = TAKE_FD(fd);
	return r;
}

int pulse_verb(int argc, char **argv)
{
	_cleanup_(close_fdp) int epoll = -1;
	_cleanup_(close_fdp) int timer = -1;
	struct pulse p = { 0 };
	uint64_t port, interval_us;
	int r = 0;

	if (argc < 5 || argc % 2 == 0 || probe_number(argv[1], &port) < 0 || port > UINT16_MAX ||
	    probe_number(argv[2], &interval_us) < 0)
		return probe_usage("pulse PORT INTERVAL-US|0 LOCAL REMOTE [LOCAL REMOTE]...");
	p.epoll = epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return probe_fail("pulse", -errno);
	for (int i = 3; i < argc && r == 0; i += 2)
		r = open_path(&p, (uint16_t)port, argv[i], argv[i + 1]);
	if (r == 0 && interval_us)
		r = open_timer(&p, interval_us, &timer);
	return probe_fail("pulse", r ? r : run(&p, timer));
}

/* SPDX-License-Identifier: MIT */

/* What goes first, and who waits: thousands of addresses, and orders beside them. */

#include "tests/worker_rig.h"

#include <dirent.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum { BIG = 0, BIG_VIPS = 3000 }; /* the first group of start_big() */

static atomic_uint pauses; /* that the worker has made */

TestSuite(worker_big, .fini = leave);
TestSuite(worker_rank, .fini = leave);

/* Stands in front of the C library's. */
int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
			   const struct timespec *until)
{
	struct timespec now, end;
	int64_t left_ns;

	pauses++;
	cr_assert_eq(clock_gettime(clock, &now), 0);
	left_ns = (until->tv_sec - now.tv_sec) * 1000000000LL + until->tv_nsec - now.tv_nsec;
	cr_assert_eq(clock_gettime(CLOCK_REALTIME, &end), 0);
	left_ns += end.tv_nsec;
	end.tv_sec += left_ns / 1000000000;
	end.tv_nsec = left_ns % 1000000000;
	return pthread_cond_timedwait(cond, mutex, &end);
}

static void write_vip(FILE *f, int i)
{
	fprintf(f, "VirtualAddress=10.%d.%d.9 va\n", 20 + i / 250, i % 250);
}

static void write_vip6(FILE *f, int i)
{
	fprintf(f, "VirtualAddress=fd09::%x va\n", i + 1);
}

static void start_with(int n, void (*add_line)(FILE *f, int i))
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs(LONG_TIMES "[Group sip]\nVirtualAddress=10.9.0.3 va\n[Group big]\n", f);
	for (int i = 0; i < n; i++)
		add_line(f, i);
	fclose(f);
	start(text);
}

/* The group big has so many addresses that orders come while it is worked on. */
static void start_big(void)
{
	start_with(BIG_VIPS, write_vip);
}

Test(worker_big, the_gate_overtakes_addresses_between_slices)
{
	uint32_t big, gates[8];

	start_big();
	big = prepare(BIG);
	for (size_t i = 0; i < ARRAY_SIZE(gates); i++)
		gates[i] = order_gate(WORKER_GATE, SIP, GATE_CLOSED);
	all_done(gates, ARRAY_SIZE(gates));
	cr_assert_eq(outcome(big), 0);
	cr_assert_eq(held_count(), BIG_VIPS);
	cr_assert_eq(outcome(order(WORKER_REMOVE, BIG)), 0);
	cr_assert_eq(held_count(), 0);
}

Test(worker_big, a_claim_overtakes_the_removal_of_another_group)
{
	_cleanup_(close_fdp) int fd = -1;
	uint32_t removal, claim, again, repair;

	start_big();
	cr_assert_eq(outcome(prepare(BIG)), 0);
	removal = order(WORKER_REMOVE, BIG);
	repair = order(WORKER_PREPARE, SIP);
	again = prepare(BIG);
	cr_assert_eq(outcome(removal), 0, "before what comes for the same group, and a repair");
	cr_assert_eq(outcome(again), 0, "a claim");
	cr_assert_eq(outcome(repair), 0);
	cr_assert_eq(held_count(), BIG_VIPS + 1);
	fd = nl_socket(NETLINK_ROUTE, 1U << (RTNLGRP_IPV4_IFADDR - 1));
	cr_assert_geq(fd, 0);
	removal = order(WORKER_REMOVE, BIG);
	netns_await(fd); /* it has begun */
	claim = prepare(SIP);
	cr_assert_eq(outcome(claim), 0);
	cr_assert_eq(outcome(removal), 0);
	cr_assert_eq(held_count(), 1);
}

Test(worker_big, lengthening_thousands_of_lifetimes_pauses)
{
	unsigned before;

	start_big();
	cr_assert_eq(outcome(prepare(BIG)), 0);
	before = pauses;
	cr_assert_eq(outcome(order(WORKER_REFRESH, BIG)), 0);
	cr_assert_geq(pauses - before, 2, "3000 in slices of at most 1024");
	before = pauses;
	(void)order(WORKER_REFRESH, BIG);
	(void)order(WORKER_REFRESH, SIP);
	cr_assert_eq(next().group, BIG);
	cr_assert_leq(pauses - before, 1, "the other group's run out");
	cr_assert_eq(next().group, SIP);
	before = pauses;
	cr_assert_eq(outcome(order(WORKER_REMOVE, BIG)), 0);
	cr_assert_eq(pauses, before, "somebody waits for that");
}

/* The first keeps the worker busy while the others wait. */
Test(worker_big, those_of_ipv4_alone_do_not_stand_for_all)
{
	struct worker_order o = { .type = WORKER_REFRESH, .group = SIP, .ipv4_only = true };

	start_big();
	(void)prepare(BIG);
	cr_assert_eq(worker_order(worker, &o), 0);
	o.ipv4_only = false;
	cr_assert_eq(worker_order(worker, &o), 0);
	o.ipv4_only = true;
	cr_assert_eq(worker_order(worker, &o), 0, "that one stands for");
	cr_assert_eq(next().group, BIG);
	cr_assert_eq(next().group, SIP);
	cr_assert_eq(next().group, SIP);
	cr_assert_eq(outcome(order(WORKER_REMOVE, SIP)), 0, "nothing else waited");
}

/* What the kernel has said since: how many of a type before the first of another? */
static size_t count_before(int fd, uint16_t type, uint16_t other)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_DATAGRAM_MAX];
	size_t len, n = 0;

	while (nl_receive(fd, buf, sizeof(buf), &len) == 0) {
		const struct nlmsghdr *nlh = (const void *)buf;

		if (nlh->nlmsg_type == other)
			return n;
		n += nlh->nlmsg_type == type;
	}
	return 0;
}

Test(worker_big, local_routes_go_before_the_first_address)
{
	_cleanup_(close_fdp) int fd = -1;
	enum { N = 100 };

	start_with(N, write_vip6);
	cr_assert_eq(outcome(prepare(BIG)), 0);
	fd = nl_socket(NETLINK_ROUTE,
		       1U << (RTNLGRP_IPV6_ROUTE - 1) | 1U << (RTNLGRP_IPV6_IFADDR - 1));
	cr_assert_geq(fd, 0);
	cr_assert_eq(outcome(order(WORKER_REMOVE, BIG)), 0);
	cr_assert_eq(held_count(), 0);
	cr_assert_eq(count_before(fd, RTM_DELROUTE, RTM_DELADDR), N);
}

Test(worker_big, lengthening_lifetimes_makes_way_for_a_move)
{
	uint32_t ids[3];

	start_big();
	ids[0] = prepare(BIG);
	ids[2] = order(WORKER_REFRESH, SIP); /* and is done then */
	ids[1] = order(WORKER_REMOVE, BIG);
	all_done(ids, ARRAY_SIZE(ids));
	cr_assert_eq(held_count(), 1);
}

/* The removal that waits makes the lengthening needless: it is over at once. */
Test(worker_big, lifetimes_of_what_is_to_go_are_not_lengthened)
{
	uint32_t ids[3];

	start_big();
	ids[0] = prepare(BIG);
	ids[1] = order(WORKER_REFRESH, SIP);
	ids[2] = order(WORKER_REMOVE, SIP);
	all_done(ids, ARRAY_SIZE(ids));
	cr_assert_eq(held_count(), BIG_VIPS);
}

Test(worker_big, lengthening_lifetimes_makes_no_way_for_small_things)
{
	struct worker_order o = { .type = WORKER_TIDY, .group = SIP, .held = true };

	start_big();
	cr_assert_eq(outcome(prepare(BIG)), 0);
	(void)order(WORKER_REFRESH, BIG);
	cr_assert_eq(worker_order(worker, &o), 0);
	o.type = WORKER_MAKE;
	cr_assert_eq(worker_order(worker, &o), 0);
	cr_assert_eq(next().type, WORKER_REFRESH);
	cr_assert_eq(held_count(), BIG_VIPS);
	cr_assert_eq(next().type, WORKER_MAKE);
}

/* Realtime priority of the worker's thread, which does something */
static int priority_of_worker(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct sched_param param = { .sched_priority = -1 };

	cr_assert_not_null(tasks);
	for (struct dirent *task = readdir(tasks); task; task = readdir(tasks)) {
		char path[300], name[16] = "";
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strncmp(name, "takeoverd-kern", 14))
			cr_assert_eq(sched_getparam(atoi(task->d_name), &param), 0);
		(void)fclose(f);
	}
	(void)closedir(tasks);
	return param.sched_priority;
}

/* It may work for half a second on end, and a heartbeat must not wait for that. */
static void assert_rank(int loop, int expected)
{
	const struct sched_param param = { .sched_priority = loop };

	cr_assert_eq(sched_setscheduler(0, loop ? SCHED_RR : SCHED_OTHER, &param), 0);
	start(LONG_TIMES HELD_GROUPS);
	hold(SIP);
	cr_assert_eq(priority_of_worker(), expected);
}

Test(worker_rank, in_real_time_it_is_below_the_loop)
{
	assert_rank(5, 4);
}

Test(worker_rank, below_the_lowest_there_is_nothing)
{
	assert_rank(1, 1);
}

Test(worker_rank, an_ordinary_one_stays_so)
{
	assert_rank(0, 0);
}

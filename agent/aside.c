/* SPDX-License-Identifier: MIT */

#include "agent/aside.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/**
 * aside_start() - Begin a thread that hears no signals
 * @ret: the thread; to be joined
 * @run: what it does, beginning with aside_stand_back() or aside_be_ordinary()
 * @arg: handed to it
 *
 * Return: 0; the error of pthread_create().
 */
int aside_start(pthread_t *ret, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int r;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* fails only on our own mistakes */
	r = -pthread_create(ret, NULL, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

/**
 * aside_await() - Wait for the end of a thread, but not for ever
 * @thread: not to be used any more if it has ended
 * @seconds: at most
 *
 * Return: false if it has not ended.
 */
bool aside_await(pthread_t thread, unsigned seconds)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until); /* cannot fail with this clock */
	until.tv_sec += seconds;
	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

/**
 * aside_join() - The same, and nobody is going to wait again
 * @thread: not to be used any more
 *
 * Return: false if it has not ended: it is left to itself, and with it what it uses.
 */
bool aside_join(pthread_t thread, unsigned seconds)
{
	if (aside_await(thread, seconds))
		return true;
	(void)pthread_detach(thread);
	return false;
}

/**
 * aside_stand_back() - This thread goes below the loop, in the realtime class as well
 * @name: for ps -L only; up to 15 characters
 * @steps: how far
 *
 * Thousands of addresses keep the kernel busy for half a second and more; with the same
 * priority, which is inherited, SCHED_RR would let a heartbeat on the same CPU wait for 100 ms
 * of that. To go down is always allowed.
 */
void aside_stand_back(const char *name, enum aside_steps steps)
{
	struct sched_param param;
	int policy, lower;

	if (pthread_getschedparam(pthread_self(), &policy, &param) == 0 &&
	    param.sched_priority > 1) {
		lower = param.sched_priority - (int)steps;
		(void)pthread_setschedprio(pthread_self(), lower > 1 ? lower : 1);
	}
	(void)pthread_setname_np(pthread_self(), name);
}

/**
 * aside_be_ordinary() - This thread leaves the realtime class that the loop runs in
 * @name: for ps -L only; up to 15 characters
 *
 * On one CPU it would otherwise take it from the loop for up to 100 ms, the slice of SCHED_RR.
 */
void aside_be_ordinary(const char *name)
{
	const struct sched_param none = { 0 };

	/* To go down is always allowed; where a filter forbids the call, yielding has to do. */
	if (sched_setscheduler(0, SCHED_OTHER, &none) < 0)
		(void)sched_yield();
	(void)pthread_setname_np(pthread_self(), name);
}

/**
 * aside_init_lock() - Make a lock that the loop shares with a thread that is not waited for
 *
 * Who holds it runs as what waits for it: else whatever runs in real time, above that thread,
 * could keep it from letting go, and the loop with it.
 */
void aside_init_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	/* None of these fails with values that exist. */
	(void)pthread_mutexattr_init(&attr);
	(void)pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	(void)pthread_mutex_init(lock, &attr);
	(void)pthread_mutexattr_destroy(&attr);
}

/**
 * aside_bell() - What a thread calls the loop with: readable from aside_ring() to aside_hush()
 *
 * Return: a descriptor, the caller's; the error of eventfd().
 */
int aside_bell(void)
{
	int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return bell < 0 ? -errno : bell;
}

void aside_ring(int bell)
{
	uint64_t one = 1;
	ssize_t written = write(bell, &one, sizeof(one));

	(void)written; /* refused when it is full, and then it is readable already */
}

void aside_hush(int bell)
{
	uint64_t count;
	ssize_t got = read(bell, &count, sizeof(count));

	(void)got; /* it is read only to be unreadable */
}

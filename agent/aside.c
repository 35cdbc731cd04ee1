/* SPDX-License-Identifier: MIT */

#include "agent/aside.h"

#include <sched.h>
#include <signal.h>
#include <time.h>

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
 * aside_join() - Wait for the end of a thread, but not for ever
 * @thread: not to be used any more
 * @seconds: at most
 *
 * Return: false if it has not ended: it is left to itself, and with it what it uses.
 */
bool aside_join(pthread_t thread, unsigned seconds)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until); /* cannot fail with this clock */
	until.tv_sec += seconds;
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0)
		return true;
	(void)pthread_detach(thread);
	return false;
}

/**
 * aside_stand_back() - This thread goes one step below the loop, in the realtime class as well
 * @name: for ps -L only; up to 15 characters
 *
 * Thousands of addresses keep the kernel busy for half a second and more; with the same
 * priority, which is inherited, SCHED_RR would let a heartbeat on the same CPU wait for 100 ms
 * of that. To go down is always allowed.
 */
void aside_stand_back(const char *name)
{
	struct sched_param param;
	int policy;

	if (pthread_getschedparam(pthread_self(), &policy, &param) == 0 && param.sched_priority > 1)
		(void)pthread_setschedprio(pthread_self(), param.sched_priority - 1);
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

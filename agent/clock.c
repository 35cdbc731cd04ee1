/* SPDX-License-Identifier: MIT */

#include "agent/clock.h"

#include <time.h>

static uint64_t read_us(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts); /* cannot fail with those below */
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

/**
 * clock_now() - The time that everything here is measured in: it goes on during suspend
 */
instant clock_now(void)
{
	return (instant){ read_us(CLOCK_BOOTTIME) };
}

/**
 * clock_us() - For durations that a suspend is no part of; not an instant
 */
uint64_t clock_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

/* SPDX-License-Identifier: MIT */
#pragma once

/* For how long something goes on: not an instant, and not to be kept over a suspend. */

#include <time.h>

#include "agent/base.h"

static inline uint64_t clock_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

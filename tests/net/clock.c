/* SPDX-License-Identifier: MIT */
/* What time it is: for shells, which know only the time of day. */
#include "tests/net/probe.h"

#include <time.h>

/* Prints CLOCK_MONOTONIC and the time of day of the same moment, in µs. */
int clock_verb(int argc, char **argv)
{
	struct timespec real;
	uint64_t now_ns;

	(void)argv;
	if (argc != 1)
		return probe_usage("clock");
	now_ns = probe_now_ns();
	(void)clock_gettime(CLOCK_REALTIME, &real); /* cannot fail */
	printf("%ju %jd%06ld\n", (uintmax_t)(now_ns / 1000), (intmax_t)real.tv_sec,
	       real.tv_nsec / 1000);
	return 0;
}

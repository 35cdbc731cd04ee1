/* SPDX-License-Identifier: MIT */
/*
 * A wall clock that can be stepped, for one process: LD_PRELOADed, it adds the
 * seconds that stand as text at the front of $CLOCK_FILE to whatever tells the
 * time of day. Behind them, at CLOCK_SEEN, it leaves the last offset that
 * somebody was given, so that a test knows that there is somebody.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { CLOCK_SIZE = 64, CLOCK_SEEN = 32 };

typedef int (*clock_gettime_fn)(clockid_t clock, struct timespec *ret);

static clock_gettime_fn real;
static char *text;

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("CLOCK_FILE");
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;

	real = (clock_gettime_fn)dlsym(RTLD_NEXT, "clock_gettime");
	text = mmap(NULL, CLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!real || text == MAP_FAILED)
		abort();
	(void)close(fd);
}

static long offset_s(void)
{
	long s = strtol(text, NULL, 10);

	(void)snprintf(text + CLOCK_SEEN, CLOCK_SIZE - CLOCK_SEEN, "%ld\n", s); /* fits */
	return s;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = real(clock, ret);

	if (r == 0 &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI))
		ret->tv_sec += offset_s();
	return r;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail with this clock */
	*ret = (struct timeval){ .tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000 };
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail with this clock */
	if (ret)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}

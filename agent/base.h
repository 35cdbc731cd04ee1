/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The one header that every folder may know, the pure core included: plain
 * values, no system calls, no libraries.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Hand an owning pointer over: its value, leaving NULL for the destructor. */
#define TAKE(p)                                                                                    \
	({                                                                                         \
		__auto_type _taken = (p);                                                          \
		(p) = NULL;                                                                        \
		_taken;                                                                            \
	})

/* The cleanup function x_freep() for a destructor x_free() that takes NULL. */
#define DEFINE_CLEANUP(type, destroy)                                                              \
	static inline void destroy##p(type *p)                                                     \
	{                                                                                          \
		if (*p)                                                                            \
			destroy(*p);                                                               \
	}

/*
 * A point in time: CLOCK_BOOTTIME in µs, which goes on during suspend. A type
 * of its own, so that it cannot be mixed with durations. us == 0 is "never".
 */
typedef struct {
	uint64_t us;
} instant;

#define INSTANT_NEVER ((instant){ 0 })
#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

static inline instant instant_add(instant t, uint64_t us)
{
	return (instant){ t.us + us };
}

/* Microseconds from @then to @now; 0 if @now is not after @then. */
static inline uint64_t instant_since(instant now, instant then)
{
	return now.us > then.us ? now.us - then.us : 0;
}

static inline bool instant_reached(instant now, instant due)
{
	return now.us >= due.us;
}

static inline bool instant_is_set(instant t)
{
	return t.us != 0;
}

/* The earlier of two deadlines. One less than "never" is later than everything. */
static inline instant instant_earlier(instant a, instant b)
{
	return a.us - 1 < b.us - 1 ? a : b;
}

static inline instant instant_later(instant a, instant b)
{
	return a.us > b.us ? a : b;
}

/* An IP address; bytes in network order, unused ones zero. */
struct ip {
	uint8_t family; /* 4 or 6; 0: none */
	uint8_t bytes[16];
};

static inline size_t ip_len(const struct ip *ip)
{
	return ip->family == 4 ? 4 : 16;
}

static inline bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, ip_len(a)) == 0;
}

/* For qsort() and bsearch() of struct ip. */
static inline int ip_compare(const void *a, const void *b)
{
	const struct ip *x = (const struct ip *)a, *y = (const struct ip *)b;

	return x->family != y->family ? x->family - y->family
				      : memcmp(x->bytes, y->bytes, sizeof(x->bytes));
}

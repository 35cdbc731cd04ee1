/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Threads for what must not delay the loop: they run below it, or not in real time at all.
 */

#include <pthread.h>

#include "agent/base.h"

/* How far below the loop a thread runs. */
enum aside_steps {
	ASIDE_WAITED_FOR = 1, /* a claim does not go on without it */
	ASIDE_RECORDS = 2,    /* writes down what has been decided, while that goes on */
};

int aside_start(pthread_t *ret, void *(*run)(void *), void *arg);
bool aside_await(pthread_t thread, unsigned seconds);
bool aside_join(pthread_t thread, unsigned seconds);
void aside_stand_back(const char *name, enum aside_steps steps);
void aside_be_ordinary(const char *name);
void aside_init_lock(pthread_mutex_t *lock);

int aside_bell(void);
void aside_ring(int bell);
void aside_hush(int bell);

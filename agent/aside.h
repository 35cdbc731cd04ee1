/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Threads for what must not delay the loop and may wait itself: they hear no
 * signals and do not run in real time.
 */

#include <pthread.h>

#include "agent/base.h"

int aside_start(pthread_t *ret, void *(*run)(void *), void *arg);
bool aside_join(pthread_t thread, unsigned seconds);
void aside_be_ordinary(void);

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Threads for what must not delay the loop: they run below it, or not in real time at all.
 */

#include <pthread.h>

#include "agent/base.h"

int aside_start(pthread_t *ret, void *(*run)(void *), void *arg);
bool aside_join(pthread_t thread, unsigned seconds);
void aside_stand_back(const char *name);
void aside_be_ordinary(const char *name);

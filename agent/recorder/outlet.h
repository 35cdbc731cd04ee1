/* SPDX-License-Identifier: MIT */
#pragma once

/* A stream to whatever may be slow to take what is written. */

#include <stdatomic.h>
#include <stdio.h>

#include "agent/base.h"

#define OUTLET_FOREVER (-1)

int outlet_open(int fd, int patience_ms, const atomic_bool *abandoned, FILE **ret);

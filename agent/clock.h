/* SPDX-License-Identifier: MIT */
#pragma once

/* What time it is, and for how long something goes on. */

#include "agent/base.h"

instant clock_now(void);
uint64_t clock_us(void);

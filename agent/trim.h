/* SPDX-License-Identifier: MIT */
#pragma once

/* Memory that has been needed, and is not any more. */

#include "agent/base.h"

void trim_after_start(void);

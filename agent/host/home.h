/* SPDX-License-Identifier: MIT */
#pragma once

/* A host whose addresses come late: until then nobody knows which node it is. */

#include "agent/conf/conf.h"

int home_wait(const struct conf *conf, uint8_t *ret_self);

/* SPDX-License-Identifier: MIT */
#pragma once

/* How long the kernel keeps addresses that nobody refreshes any more. */

#include "agent/conf/conf.h"
#include "netlink/addr.h"

unsigned lifetime_rounds(const struct conf *conf);
void lifetime_set(const struct conf *conf, struct addr *v, size_t n);

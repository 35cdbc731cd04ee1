/* SPDX-License-Identifier: MIT */
#pragma once

/* Who had the kernel change an address. */

#include "netlink/addr.h"

enum { REQUESTER_MAX = 96 };

void requester_name(const struct addr *addr, uint32_t port, char buf[static REQUESTER_MAX]);

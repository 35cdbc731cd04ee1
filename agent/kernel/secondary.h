/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel has the first IPv4 address of a network on a link, and others
 * secondary to it, which go with it unless they are promoted.
 */

#include "netlink/addr.h"

bool secondary_same_network(const struct addr *a, const struct addr *b);
bool secondary_with(const struct addr *a, const struct addr *others, size_t n);
size_t secondary_put_last(struct addr *ours, size_t n, const struct addr *others, size_t n_others);

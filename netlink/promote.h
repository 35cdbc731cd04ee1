/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/addr.h"

int promote_remove(struct nl *nl, const struct addr *first);

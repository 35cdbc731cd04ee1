/* SPDX-License-Identifier: MIT */
#pragma once

/* Virtual addresses that somebody else has put on this host. */

#include "netlink/addr.h"

/* More of them at a time are a way of configuring hosts, not a mistake to be told one by one. */
enum { FOREIGN_MAX = 64 };

struct foreign {
	struct addr v[FOREIGN_MAX];
	size_t n;
};

bool foreign_is_known(const struct foreign *foreign, const struct addr *addr);
bool foreign_note(struct foreign *foreign, const struct addr *addr);
void foreign_forget(struct foreign *foreign, const struct addr *addr);

/* SPDX-License-Identifier: MIT */
#pragma once

/* One of the links that the kernel lists. */

#include <criterion/criterion.h>

#include "agent/cleanup.h"
#include "netlink/link.h"

/* All zero if there is none of this name. */
static inline struct link link_look(struct nl *nl, const char *name)
{
	_cleanup_(freep) struct link *links = NULL;
	size_t n;

	cr_assert_eq(link_list(nl, &links, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(links[i].name, name))
			return links[i];
	return (struct link){ 0 };
}

/* SPDX-License-Identifier: MIT */
#pragma once

/* A message of the kernel that ends too early, at each of its bytes. */

#include <criterion/criterion.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/cleanup.h"

/*
 * Whoever reads behind the end of one dies: in a page that nobody may read, and, where a
 * sanitizer watches, even of the bytes that would fill up the last word.
 */
static inline void cut_short(const struct nlmsghdr *whole,
			     void (*parse)(const struct nlmsghdr *cut))
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(pages, MAP_FAILED);
	cr_assert_eq(mprotect(pages + page, page, PROT_NONE), 0);
	for (uint32_t len = sizeof(*whole); len < whole->nlmsg_len; len++) {
		struct nlmsghdr *cut = (void *)(pages + page - NLMSG_ALIGN(len));
		_cleanup_(freep) struct nlmsghdr *exact = malloc(len);

		memcpy(cut, whole, len);
		cut->nlmsg_len = len;
		parse(cut);
		memcpy(exact, cut, len);
		parse(exact);
	}
	(void)munmap(pages, 2 * page);
}

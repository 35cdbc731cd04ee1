/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Owning locals of what the system hands out: file descriptors and heap
 * memory. Beside base.h the only header of agent/ that netlink/ and sdbus/
 * may know; the core may not.
 */

#include <stdlib.h>
#include <unistd.h>

#include "agent/base.h"

/* Closes *fd if it is one; keeps errno. */
static inline void close_fdp(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* nothing can be done about an error of close() */
	*fd = -1;
}

static inline void freep(void *p)
{
	free(*(void **)p);
}

/* Frees a list of strings, which ends with NULL, and the strings in it. */
static inline char **strv_free(char **strv)
{
	for (char **s = strv; s && *s; s++)
		free(*s);
	free(strv);
	return NULL;
}
DEFINE_CLEANUP(char **, strv_free)

/* Hand a descriptor over, leaving -1 for the destructor. */
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int _taken_fd = (fd);                                                              \
		(fd) = -1;                                                                         \
		_taken_fd;                                                                         \
	})

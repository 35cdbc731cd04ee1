/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was recorded, as text, to a descriptor or into the state directory. A thread
 * does it: the text of a minute takes many milliseconds, a reader takes his time.
 */

#include "agent/trace/ring.h"

struct dump;

int dump_to_fd(const struct ring *ring, int fd, struct dump **ret);
int dump_to_file(const struct ring *ring, const char *directory, const char *why,
		 struct dump **ret);
bool dump_is_done(struct dump *dump);
struct dump *dump_free(struct dump *dump);
DEFINE_CLEANUP(struct dump *, dump_free)

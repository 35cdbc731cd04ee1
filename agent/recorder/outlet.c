/* SPDX-License-Identifier: MIT */

#include "agent/recorder/outlet.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "agent/cleanup.h"

struct outlet {
	int fd, patience_ms;
	const atomic_bool *abandoned; /* borrowed */
};

/* All of it, or 0: that is how fopencookie(3) is told of an error. */
static ssize_t write_all(void *cookie, const char *text, size_t len)
{
	const struct outlet *outlet = cookie;
	struct pollfd writable = { .fd = outlet->fd, .events = POLLOUT };
	size_t done = 0;

	while (done < len) {
		ssize_t n;

		if (atomic_load(outlet->abandoned)) {
			errno = ECANCELED;
			return 0;
		}
		n = write(outlet->fd, text + done, len - done);
		if (n >= 0) {
			done += (size_t)n;
		} else if (errno != EAGAIN) {
			return 0;
		} else if (poll(&writable, 1, outlet->patience_ms) <= 0) {
			errno = ETIMEDOUT;
			return 0;
		}
	}
	return (ssize_t)done;
}

static int end(void *cookie)
{
	struct outlet *outlet = cookie;
	int r = close(outlet->fd);

	free(outlet);
	return r;
}

/**
 * outlet_open() - A stream that waits for its reader, within bounds
 * @fd: non-blocking; taken if this succeeds, closed by fclose()
 * @patience_ms: how long to wait each time that it takes nothing; OUTLET_FOREVER
 * @abandoned: borrowed for the life of the stream; set for a thread that is not waited for any
 *             more: exit() flushes every stream, and would wait in its place
 * @ret: the stream; who does not read for that long is an error of it, ETIMEDOUT
 *
 * Return: 0; -ENOMEM.
 */
int outlet_open(int fd, int patience_ms, const atomic_bool *abandoned, FILE **ret)
{
	static const cookie_io_functions_t functions = { .write = write_all, .close = end };
	_cleanup_(freep) struct outlet *outlet = malloc(sizeof(*outlet));

	if (!outlet)
		return -ENOMEM;
	*outlet = (struct outlet){ .fd = fd, .patience_ms = patience_ms, .abandoned = abandoned };
	*ret = fopencookie(outlet, "w", functions);
	if (!*ret)
		return -ENOMEM;
	(void)TAKE(outlet);
	return 0;
}

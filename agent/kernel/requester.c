/* SPDX-License-Identifier: MIT */

#include "agent/kernel/requester.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/cleanup.h"

/* The kernel's own bound of process ids on 64 bits, PID_MAX_LIMIT. */
enum { PROCESS_MAX = 1 << 22 };

enum { NAME_MAX_LEN = 16 }; /* TASK_COMM_LEN, with the line's end in the place of the zero */

/* A process may call itself whatever it likes. */
static void make_plain(char *name)
{
	name[strcspn(name, "\n")] = '\0';
	for (; *name; name++)
		if (*name < ' ' || *name > '~')
			*name = '?';
}

/* Not if it has ended since, or belongs to another user and /proc hides that. */
static bool read_name(uint32_t process, char name[static NAME_MAX_LEN + 1])
{
	_cleanup_(close_fdp) int fd = -1;
	char path[32];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%u/comm", process); /* fits */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, name, NAME_MAX_LEN);
	if (n <= 0)
		return false;
	name[n] = '\0';
	make_plain(name);
	return true;
}

/**
 * requester_name() - Say who had an address removed or changed, as far as the kernel tells
 * @addr: the address as the notification has it
 * @port: of struct monitor_event
 * @buf: words that go behind "had been removed": " by ip (process 123)"
 *
 * The kernel tells the netlink port of the socket. A process gets its own id for
 * the first one that it opens, and other numbers, above all ids, for more. So a
 * number that may be an id is taken for one. Who wants to mislead can: a program
 * may choose its port, and be in another namespace of process ids. To be called
 * at once: most who do this by hand have ended a millisecond later.
 */
void requester_name(const struct addr *addr, uint32_t port, char buf[static REQUESTER_MAX])
{
	char name[NAME_MAX_LEN + 1];

	if (!port && !addr->valid_s)
		(void)snprintf(buf, REQUESTER_MAX, " by the kernel, at the end of its lifetime");
	else if (!port) /* never for IPv6, nor of an ioctl as of ifconfig(8) */
		(void)snprintf(buf, REQUESTER_MAX, " (the kernel does not tell by whom)");
	else if (port > PROCESS_MAX)
		(void)snprintf(buf, REQUESTER_MAX, " by an unknown process (netlink port %u)",
			       port);
	else if (read_name(port, name))
		(void)snprintf(buf, REQUESTER_MAX, " by %s (process %u)", name, port);
	else
		(void)snprintf(buf, REQUESTER_MAX, " by process %u", port);
}

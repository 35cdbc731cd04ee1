/* SPDX-License-Identifier: MIT */

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "netlink/witness.h"
#include "sdbus/ctl.h"

/*
 * What we open (a key, a pipe) must not become one of the three. They are there to
 * be read only: what is written to one that was closed is lost still, and seen to be.
 */
static bool open_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
}

int main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR"); /* no-color.org: present and not empty */
	struct ctl ctl = {
		.out = stdout,
		.err = stderr,
		.sbindir = SBINDIR,
		.look = witness_look,
	};
	int r;

	if (!open_standard_fds())
		return CTL_FAILED; /* there may be nothing to say it on */
	ctl.terminal = isatty(STDIN_FILENO);
	ctl.colour = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	r = ctl_run(&ctl, argc, argv);
	sd_bus_flush_close_unref(ctl.bus);
	return r;
}

/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <unistd.h>

#include "sdbus/ctl.h"

int main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR"); /* no-color.org: present and not empty */
	struct ctl ctl = {
		.out = stdout,
		.err = stderr,
		.colour = isatty(STDOUT_FILENO) && !(no_color && *no_color),
	};
	int r;

	r = ctl_run(&ctl, argc, argv);
	sd_bus_flush_close_unref(ctl.bus);
	return r;
}

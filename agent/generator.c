/* SPDX-License-Identifier: MIT */

/*
 * takeover-generator: run by systemd at boot and at each daemon-reload (systemd.generator(7)),
 * before there is a journal or a bus.
 */

#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/reaction/reaction.h"

/* At boot nobody reads stderr; in a container there is no /dev/kmsg. */
static FILE *open_log(void)
{
	FILE *log = isatty(STDERR_FILENO) ? NULL : fopen("/dev/kmsg", "we");

	if (!log)
		return stderr;
	(void)setvbuf(log, NULL, _IOLBF, 0); /* a line is a message */
	return log;
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 4) {
		(void)fputs("Usage: takeover-generator DIRECTORY [EARLY LATE]\n"
			    "Makes units of the reactions in " CONF_FILE ".\n",
			    stderr);
		return 2;
	}
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	return reaction_generate(CONF_FILE, argv[1], open_log()) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

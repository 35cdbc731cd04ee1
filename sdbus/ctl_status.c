/* SPDX-License-Identifier: MIT */

#include <time.h>

#include "sdbus/ctl.h"

static instant now_boottime(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts); /* cannot fail: the clock exists */
	return (instant){ (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000 };
}

/**
 * ctl_status() - the verb `status`
 * @ctl: the program
 * @argc: number of arguments after the verb; none are known
 * @argv: the arguments
 *
 * Return: the exit code.
 */
int ctl_status(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(ctl_model_done) struct ctl_model model = { 0 };
	int r;

	if (argc > 0) {
		fprintf(ctl->err, "takeoverctl: status takes no \"%s\".\n", argv[0]);
		return CTL_USAGE;
	}
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	r = ctl_model_load(ctl->bus, &model, &error);
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	ctl_print_model(ctl->out, &model, now_boottime(), ctl->colour);
	return CTL_OK;
}

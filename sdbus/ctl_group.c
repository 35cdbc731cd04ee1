/* SPDX-License-Identifier: MIT */

/* Verbs that act on one group. */

#include <errno.h>

#include "agent/cleanup.h"
#include "sdbus/ctl.h"

/* The only group there is; said on stderr if it is not the only one. */
static int only_group(struct ctl *ctl, char **ret_name)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(ctl_model_done) struct ctl_model model = { 0 };
	int r;

	r = ctl_model_load(ctl->bus, &model, &error);
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	if (model.n_groups == 0) {
		fprintf(ctl->err, "takeoverctl: takeoverd has no groups; add a [Group] to its "
				  "configuration.\n");
		return CTL_FAILED;
	}
	if (model.n_groups > 1) {
		fprintf(ctl->err, "takeoverctl: there are %zu groups; say which:", model.n_groups);
		for (size_t i = 0; i < model.n_groups; i++)
			fprintf(ctl->err, " %s", model.groups[i].name);
		fprintf(ctl->err, "\n");
		return CTL_USAGE;
	}
	*ret_name = strdup(model.groups[0].name);
	return *ret_name ? CTL_OK : ctl_complain(ctl, &error, -ENOMEM);
}

/* Connects, and settles which group is meant: @argv[0], or the only one. */
static int choose_group(struct ctl *ctl, int argc, char **argv, char **ret_name)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

	if (argc > 1) {
		fprintf(ctl->err, "takeoverctl: one group at a time, not \"%s\" as well.\n",
			argv[1]);
		return CTL_USAGE;
	}
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	if (argc == 0)
		return only_group(ctl, ret_name);
	*ret_name = strdup(argv[0]);
	return *ret_name ? CTL_OK : ctl_complain(ctl, &error, -ENOMEM);
}

/**
 * ctl_switchover() - the verb `switchover`
 * @ctl: the program
 * @argc: 0 or 1
 * @argv: the group; may be left out if there is only one
 *
 * Waits until it is done.
 *
 * Return: the exit code.
 */
int ctl_switchover(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
	_cleanup_(freep) char *group = NULL, *path = NULL;
	const char *primary;
	uint64_t took_us;
	int r;

	r = choose_group(ctl, argc, argv, &group);
	if (r != CTL_OK)
		return r;
	r = sd_bus_path_encode(API_PATH "/group", group, &path);
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	r = sd_bus_call_method(ctl->bus, API_NAME, path, API_GROUP, "Switchover", &error, &answer,
			       NULL);
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	r = sd_bus_message_read(answer, "st", &primary, &took_us);
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	fprintf(ctl->out, "%s: %s is primary (took %.1f ms)\n", group, primary,
		(double)took_us / (double)USEC_PER_MSEC);
	return CTL_OK;
}

/**
 * ctl_maintenance() - the verb `maintenance`
 * @ctl: the program
 * @argc: 1 or 2
 * @argv: on or off, and the group, which may be left out if there is only one
 *
 * Waits until it is done: a primary switches over first.
 *
 * Return: the exit code.
 */
int ctl_maintenance(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(freep) char *group = NULL, *path = NULL;
	bool on;
	int r;

	on = argc > 0 && strcmp(argv[0], "on") == 0;
	if (!on && (argc == 0 || strcmp(argv[0], "off") != 0)) {
		fprintf(ctl->err, "takeoverctl: maintenance needs 'on' or 'off'.\n");
		return CTL_USAGE;
	}
	r = choose_group(ctl, argc - 1, argv + 1, &group);
	if (r != CTL_OK)
		return r;
	r = sd_bus_path_encode(API_PATH "/group", group, &path);
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	r = sd_bus_call_method(ctl->bus, API_NAME, path, API_GROUP, "SetMaintenance", &error, NULL,
			       "b", on);
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	fprintf(ctl->out, "%s: this node %s\n", group,
		on ? "is in maintenance" : "takes part again");
	return CTL_OK;
}

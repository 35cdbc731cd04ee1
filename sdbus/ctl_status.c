/* SPDX-License-Identifier: MIT */

#include "sdbus/ctl_json.h"

/**
 * ctl_status() - the verb `status`
 * @ctl: the program
 * @argc: 0
 * @argv: none
 *
 * Return: the exit code; CTL_UNHELD if a group has no primary.
 */
int ctl_status(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(ctl_model_done) struct ctl_model model = { 0 };
	int r;

	(void)argc, (void)argv;
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	r = ctl_model_load(ctl->bus, &model, &error);
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	if (ctl->json)
		r = ctl_json_print(ctl, ctl_json_model(&model, ctl_now(ctl)));
	else
		ctl_print_model(ctl->out, &model, ctl_now(ctl), ctl->colour);
	if (ctl->json && r != CTL_OK)
		return r;
	for (size_t i = 0; i < model.n_groups; i++)
		if (!*model.groups[i].primary)
			return CTL_UNHELD;
	return CTL_OK;
}

/* SPDX-License-Identifier: MIT */

/* The verb `reload`. */

#include <errno.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_json.h"
#include "sdbus/named.h"

/* The agent goes from the bus, and comes back with the other configuration. */
static int on_owner(sd_bus_message *m, void *data, sd_bus_error *error)
{
	const char *now = named_now(m);
	bool *back = data;

	(void)error;
	if (now)
		*back = *now != '\0';
	return 0;
}

static int wait_back(struct ctl *ctl, const bool *back)
{
	const instant until = instant_add(ctl_now(ctl), CTL_PATIENCE_US);
	uint64_t left_us;
	int r;

	while (!*back) {
		r = sd_bus_process(ctl->bus, NULL);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		left_us = instant_since(until, ctl_now(ctl));
		if (left_us == 0)
			return -ETIMEDOUT;
		r = sd_bus_wait(ctl->bus, left_us);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

static int show(struct ctl *ctl, bool changes)
{
	if (ctl->json)
		return ctl_json_print(ctl, json_pack("{s:b}", "changes", changes));
	fputs(changes ? "takeoverd goes on with another configuration.\n"
		      : "The configuration is the same: nothing changes.\n",
	      ctl->out);
	return CTL_OK;
}

/**
 * ctl_reload() - the verb `reload`
 * @ctl: the program
 * @argc: 0
 * @argv: none
 *
 * Return: the exit code.
 */
int ctl_reload(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	bool back = false;
	int changes = 0, r;

	(void)argc, (void)argv;
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	r = named_watch(ctl->bus, &slot, API_NAME, on_owner, NULL, &back);
	if (r >= 0)
		r = ctl_call_manager(ctl, "Reload", &error, &answer);
	if (r >= 0)
		r = sd_bus_message_read(answer, "b", &changes);
	if (r >= 0 && changes)
		r = wait_back(ctl, &back);
	if (r == -ETIMEDOUT && changes)
		return ctl_fail(ctl, SD_BUS_ERROR_TIMEOUT,
				"takeoverd has not come back with the other configuration; see "
				"'journalctl -u takeoverd'.");
	return r < 0 ? ctl_complain(ctl, &error, r) : show(ctl, changes);
}

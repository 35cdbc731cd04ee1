/* SPDX-License-Identifier: MIT */

/* The verb `reload`. */

#include <errno.h>
#include <time.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_json.h"

/* The agent goes from the bus, and comes back with the other configuration. */
static int on_owner(sd_bus_message *m, void *data, sd_bus_error *error)
{
	const char *name, *before, *now;
	bool *back = data;

	(void)error;
	if (sd_bus_message_read(m, "sss", &name, &before, &now) >= 0 && !strcmp(name, API_NAME))
		*back = *now != '\0';
	return 0;
}

static uint64_t clock_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock */
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static int wait_back(struct ctl *ctl, const bool *back)
{
	const uint64_t until = clock_us() + CTL_PATIENCE_US;
	int r;

	while (!*back) {
		r = sd_bus_process(ctl->bus, NULL);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		if (clock_us() >= until)
			return -ETIMEDOUT;
		r = sd_bus_wait(ctl->bus, until - clock_us());
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
	r = sd_bus_match_signal(ctl->bus, &slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
				"org.freedesktop.DBus", "NameOwnerChanged", on_owner, &back);
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

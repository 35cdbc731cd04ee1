/* SPDX-License-Identifier: MIT */

/* The verb `drain`. */

#include <inttypes.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_fields.h"
#include "sdbus/ctl_json.h"

struct progress {
	struct ctl *ctl;
	const char *group;
};

/* PropertiesChanged: the agent tells once a second how many are left. */
static int on_change(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct api_group now = { 0 };
	const struct progress *progress = userdata;
	const char *interface;

	(void)error;
	if (sd_bus_message_read(m, "s", &interface) >= 0 && !strcmp(interface, API_GROUP) &&
	    ctl_fields_read(m, ctl_group_fields, &now, NULL) >= 0 && now.connections) {
		fprintf(progress->ctl->out, "%s: %" PRIu64 " connection%s left\n", progress->group,
			now.connections, now.connections == 1 ? " is" : "s are");
		(void)fflush(progress->ctl->out); /* ctl_run() sees what is wrong with it */
	}
	ctl_fields_done(ctl_group_fields, &now);
	return 0;
}

static int watch(struct progress *progress, sd_bus_slot **ret)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	r = sd_bus_path_encode(API_PATH "/group", progress->group, &path);
	if (r < 0)
		return r;
	return sd_bus_match_signal(progress->ctl->bus, ret, API_NAME, path,
				   "org.freedesktop.DBus.Properties", "PropertiesChanged",
				   on_change, progress);
}

static int say(struct ctl *ctl, const char *group, sd_bus_message *answer)
{
	uint64_t took_us, connections;
	const char *primary;
	int r;

	r = sd_bus_message_read(answer, "stt", &primary, &took_us, &connections);
	if (r < 0)
		return ctl_complain(ctl, &SD_BUS_ERROR_NULL, r);
	if (ctl->json)
		return ctl_json_print(ctl, json_pack("{s:o, s:o, s:I, s:I}", "group",
						     ctl_json_text(group), "primary",
						     ctl_json_text(primary), "took_us",
						     (json_int_t)took_us, "connections",
						     (json_int_t)connections));
	fprintf(ctl->out, "%s: %s is primary (took %.1f ms)", group, primary,
		(double)took_us / (double)USEC_PER_MSEC);
	if (connections)
		fprintf(ctl->out, "; %" PRIu64 " connection%s not ended in time", connections,
			connections == 1 ? " had" : "s had");
	fputc('\n', ctl->out);
	return CTL_OK;
}

/**
 * ctl_drain() - the verb `drain`
 * @ctl: the program
 * @argc: 0 or 1
 * @argv: the group; may be left out if there is only one
 *
 * Waits until the connections of the group have ended and it has moved. If it is
 * interrupted, nothing moves, and the group takes new connections again.
 *
 * Return: the exit code.
 */
int ctl_drain(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	_cleanup_(freep) char *group = NULL;
	struct progress progress = { .ctl = ctl };
	int r;

	r = ctl_choose_group(ctl, argc, argv, &group);
	if (r != CTL_OK)
		return r;
	progress.group = group;
	r = ctl->json ? 0 : watch(&progress, &slot);
	if (r >= 0)
		r = ctl_call_group(ctl, group, "Drain", &error, &answer, "t",
				   ctl->timeout_us ?: UINT64_MAX);
	return r < 0 ? ctl_complain_of_group(ctl, group, &error, r) : say(ctl, group, answer);
}

/* SPDX-License-Identifier: MIT */

/* The verb `switchover`. */

#include "agent/cleanup.h"
#include "sdbus/ctl_json.h"

static int append_options(const struct ctl *ctl, sd_bus_message *m)
{
	int r;

	r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
	if (r >= 0 && ctl->to)
		r = sd_bus_message_append(m, "{sv}", "to", "s", ctl->to);
	if (r >= 0 && ctl->strict)
		r = sd_bus_message_append(m, "{sv}", "strict", "b", 1);
	if (r >= 0 && ctl->force)
		r = sd_bus_message_append(m, "{sv}", "force", "b", 1);
	if (r >= 0 && ctl->timeout_us)
		r = sd_bus_message_append(m, "{sv}", "deadline_usec", "t", ctl->timeout_us);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Without options the method that every agent has. */
static int ask(struct ctl *ctl, const char *group, sd_bus_error *error, sd_bus_message **ret)
{
	const bool plain = !ctl->to && !ctl->strict && !ctl->force && !ctl->timeout_us;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = ctl_new_call(ctl, group, plain ? "Switchover" : "SwitchoverWithOptions", &m);
	if (r >= 0 && !plain)
		r = append_options(ctl, m);
	return r < 0 ? r : ctl_call_with(ctl, m, error, ret);
}

static int say(struct ctl *ctl, const char *group, const char *primary, uint64_t took_us,
	       bool already)
{
	if (ctl->json)
		return ctl_json_print(
			ctl, json_pack("{s:o, s:o, s:I}", "group", ctl_json_text(group), "primary",
				       ctl_json_text(primary), "took_us", (json_int_t)took_us));
	if (already)
		fprintf(ctl->out, "%s: %s is primary already\n", group, primary);
	else
		fprintf(ctl->out, "%s: %s is primary (took %.1f ms)\n", group, primary,
			(double)took_us / (double)USEC_PER_MSEC);
	return CTL_OK;
}

/**
 * ctl_switchover() - the verb `switchover`
 * @ctl: the program
 * @argc: 0 or 1
 * @argv: the group; may be left out if there is only one
 *
 * Waits until it is done. Who says which node is to have the group has what he
 * wants if it has it already.
 *
 * Return: the exit code.
 */
int ctl_switchover(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
	_cleanup_(freep) char *group = NULL;
	const char *primary;
	uint64_t took_us;
	int r;

	if (ctl->to && !ctl_may_be_name(ctl->to))
		return ctl_refuse_name(ctl, ctl->to, "node");
	r = ctl_choose_group(ctl, argc, argv, &group);
	if (r != CTL_OK)
		return r;
	r = ask(ctl, group, &error, &answer);
	if (ctl->to && sd_bus_error_has_name(&error, API_ERROR "AlreadyPrimary"))
		return say(ctl, group, ctl->to, 0, true);
	if (r >= 0)
		r = sd_bus_message_read(answer, "st", &primary, &took_us);
	if (r < 0)
		return ctl_complain_of_group(ctl, group, &error, r);
	return say(ctl, group, primary, took_us, false);
}

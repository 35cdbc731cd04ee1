/* SPDX-License-Identifier: MIT */

/* The verb `test-event`. */

#include "agent/cleanup.h"
#include "sdbus/ctl_json.h"

/* Each on a line, or into @list. Return: CTL_OK if all have been done; or negative errno. */
static int show(struct ctl *ctl, const char *group, sd_bus_message *answer, json_t *list)
{
	const char *name, *result, *text;
	int r, status = CTL_OK;

	r = sd_bus_message_enter_container(answer, SD_BUS_TYPE_ARRAY, "(sss)");
	while (r >= 0 && (r = sd_bus_message_read(answer, "(sss)", &name, &result, &text)) > 0) {
		if (strcmp(result, "done") != 0)
			status = CTL_FAILED;
		if (ctl->json)
			(void)json_array_append_new(
				list, json_pack("{s:o, s:o, s:o}", "reaction", ctl_json_text(name),
						"result", ctl_json_text(result), "text",
						ctl_json_text(text))); /* seen when printed */
		else
			fprintf(ctl->out, "%s: %s: %s%s%s\n", group, name, result,
				*text ? ": " : "", text);
	}
	return r < 0 ? r : status;
}

/**
 * ctl_test_event() - the verb `test-event`
 * @ctl: the program
 * @argc: 1 or 2
 * @argv: the event, and the group, which may be left out if there is only one
 *
 * Waits until all reactions have ended.
 *
 * Return: the exit code.
 */
int ctl_test_event(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
	_cleanup_(freep) char *group = NULL;
	json_t *list;
	int r, status;

	if (argc == 0) {
		fprintf(ctl->err, "takeoverctl: test-event needs the id of an event.\n");
		return CTL_USAGE;
	}
	r = ctl_choose_group(ctl, argc - 1, argv + 1, &group);
	if (r != CTL_OK)
		return r;
	r = ctl_call_group(ctl, group, "TestReaction", &error, &answer, "s", argv[0]);
	if (r < 0)
		return ctl_complain_of_group(ctl, group, &error, r);
	list = json_array();
	status = show(ctl, group, answer, list);
	if (status < 0 || !ctl->json)
		json_decref(list);
	if (status < 0)
		return ctl_complain(ctl, &error, status);
	r = ctl->json ? ctl_json_print(ctl, json_pack("{s:o, s:o}", "group", ctl_json_text(group),
						      "reactions", list))
		      : CTL_OK;
	return r == CTL_OK ? status : r;
}

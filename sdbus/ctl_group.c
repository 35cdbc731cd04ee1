/* SPDX-License-Identifier: MIT */

/* Verbs that are about one group. */

#include <errno.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_json.h"

enum { NAME_LENGTH_MAX = 32 }; /* takeover.conf(5) */

/* The only group there is; said on stderr if it is not the only one. */
static int only_group(struct ctl *ctl, char **ret_name)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(ctl_model_done) struct ctl_model model = { 0 };
	int r;

	r = ctl_model_load(ctl->bus, &model, &error);
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	if (model.n_groups == 0)
		return ctl_fail(ctl, API_ERROR "NoSuchGroup",
				"takeoverd has no groups; add a [Group] to its configuration.");
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

/**
 * ctl_may_be_name() - may a group, or a node, be called so?
 * @name: as the configuration takes it: what is not UTF-8 must not get on the bus
 */
bool ctl_may_be_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const size_t len = strlen(name);

	return len >= 1 && len <= NAME_LENGTH_MAX && strspn(name, allowed) == len;
}

/**
 * ctl_refuse_name() - say that nothing can be called so
 * @ctl: the program
 * @name: what was typed
 * @kind: what it should have been, "group" or "node"
 *
 * Return: the exit code.
 */
int ctl_refuse_name(struct ctl *ctl, const char *name, const char *kind)
{
	fputs("takeoverctl: \"", ctl->err);
	for (const char *c = name; *c; c++)
		fputc(*c >= ' ' && *c <= '~' ? *c : '?', ctl->err);
	fprintf(ctl->err, "\" cannot be the name of a %s; 'takeoverctl status' shows the %ss.\n",
		kind, kind);
	return CTL_USAGE;
}

/**
 * ctl_choose_group() - connect, and settle which group is meant
 * @ctl: the program
 * @argc: 0 or more
 * @argv: the first is the group; without any it is the only one that there is
 * @ret_name: its name, to be freed
 *
 * Return: CTL_OK, or the exit code when it has been said why.
 */
int ctl_choose_group(struct ctl *ctl, int argc, char **argv, char **ret_name)
{
	if (argc && !ctl_may_be_name(argv[0]))
		return ctl_refuse_name(ctl, argv[0], "group");
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	if (argc == 0)
		return only_group(ctl, ret_name);
	*ret_name = strdup(argv[0]);
	return *ret_name ? CTL_OK : ctl_complain(ctl, &SD_BUS_ERROR_NULL, -ENOMEM);
}

/* A name that is not there: what was meant, or what there is. */
static int guess_group(struct ctl *ctl, const char *name, const sd_bus_error *error)
{
	_cleanup_(sd_bus_error_free) sd_bus_error ignored = SD_BUS_ERROR_NULL;
	_cleanup_(ctl_model_done) struct ctl_model model = { 0 };
	const char *meant;

	if (ctl_model_load(ctl->bus, &model, &ignored) < 0 || model.n_groups == 0)
		return ctl_complain(ctl, error, 0);
	meant = ctl_guess(name, model.groups, model.n_groups, sizeof(*model.groups));
	if (!meant && model.n_groups == 1)
		meant = model.groups[0].name;
	if (!meant)
		return ctl_complain(ctl, error, 0);
	return ctl_fail(ctl, error->name, "there is no group \"%s\" here; did you mean '%s'?", name,
			meant);
}

/**
 * ctl_complain_of_group() - as ctl_complain(); of a name that is not there, what was meant
 * @ctl: the program
 * @group: the name of the group
 * @error: what was answered; may be unset
 * @err: negative errno, for an @error that says nothing
 *
 * Return: the exit code.
 */
int ctl_complain_of_group(struct ctl *ctl, const char *group, const sd_bus_error *error, int err)
{
	if (sd_bus_error_has_name(error, API_ERROR "NoSuchGroup"))
		return guess_group(ctl, group, error);
	return ctl_complain(ctl, error, err);
}

/* Prints the sentences about a group; with --json adds them to @list. */
static int explain_group(struct ctl *ctl, const char *group, json_t *list)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
	json_t *sentences = json_array();
	const char *sentence;
	int r;

	r = ctl_call_group(ctl, group, "Explain", &error, &answer, NULL);
	if (r >= 0)
		r = sd_bus_message_enter_container(answer, SD_BUS_TYPE_ARRAY, "s");
	while (r >= 0 && (r = sd_bus_message_read(answer, "s", &sentence)) > 0) {
		(void)json_array_append_new(sentences, ctl_json_text(sentence));
		if (!ctl->json)
			fprintf(ctl->out, "%s\n", sentence);
	}
	(void)json_array_append_new(list, json_pack("{s:o, s:o}", "group", ctl_json_text(group),
						    "sentences", sentences));
	return r < 0 ? ctl_complain_of_group(ctl, group, &error, r) : CTL_OK;
}

/* Of one group, or of all, with an empty line between. */
static int explain_groups(struct ctl *ctl, const char *only, json_t *list)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(ctl_model_done) struct ctl_model model = { 0 };
	int r;

	if (only)
		return explain_group(ctl, only, list);
	r = ctl_model_load(ctl->bus, &model, &error);
	if (r < 0)
		return ctl_complain(ctl, &error, r);
	r = CTL_OK;
	for (size_t i = 0; r == CTL_OK && i < model.n_groups; i++) {
		if (i && !ctl->json)
			fputc('\n', ctl->out);
		r = explain_group(ctl, model.groups[i].name, list);
	}
	return r;
}

/**
 * ctl_explain() - the verb `explain`
 * @ctl: the program
 * @argc: 0 or 1
 * @argv: the group; all if it is left out
 *
 * Return: the exit code.
 */
int ctl_explain(struct ctl *ctl, int argc, char **argv)
{
	json_t *list;
	int r;

	if (argc && !ctl_may_be_name(argv[0]))
		return ctl_refuse_name(ctl, argv[0], "group");
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	list = json_array();
	r = explain_groups(ctl, argc ? argv[0] : NULL, list);
	if (r == CTL_OK && ctl->json)
		return ctl_json_print(ctl, json_pack("{s:o}", "groups", list));
	json_decref(list);
	return r;
}

/**
 * ctl_maintenance() - the verb `maintenance`
 * @ctl: the program
 * @argc: 0 to 2
 * @argv: on or off, and the group, which may be left out if there is only one
 *
 * Waits until it is done: a primary switches over first.
 *
 * Return: the exit code.
 */
int ctl_maintenance(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(freep) char *group = NULL;
	bool on;
	int r;

	on = argc > 0 && strcmp(argv[0], "on") == 0;
	if (!on && (argc == 0 || strcmp(argv[0], "off") != 0)) {
		fprintf(ctl->err, "takeoverctl: maintenance needs 'on' or 'off'.\n");
		return CTL_USAGE;
	}
	r = ctl_choose_group(ctl, argc - 1, argv + 1, &group);
	if (r != CTL_OK)
		return r;
	r = ctl_call_group(ctl, group, "SetMaintenance", &error, NULL, "b", on);
	if (r < 0)
		return ctl_complain_of_group(ctl, group, &error, r);
	if (ctl->json)
		return ctl_json_print(ctl, json_pack("{s:o, s:b}", "group", ctl_json_text(group),
						     "maintenance", on));
	fprintf(ctl->out, "%s: this node %s\n", group,
		on ? "is in maintenance" : "takes part again");
	return CTL_OK;
}

/**
 * ctl_announce() - the verb `announce`
 * @ctl: the program
 * @argc: 0 or 1
 * @argv: the group; may be left out if there is only one
 *
 * Return: the exit code.
 */
int ctl_announce(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(freep) char *group = NULL;
	int r;

	r = ctl_choose_group(ctl, argc, argv, &group);
	if (r != CTL_OK)
		return r;
	r = ctl_call_group(ctl, group, "Announce", &error, NULL, NULL);
	if (r < 0)
		return ctl_complain_of_group(ctl, group, &error, r);
	if (ctl->json)
		return ctl_json_print(ctl, json_pack("{s:o}", "group", ctl_json_text(group)));
	fprintf(ctl->out, "%s: its addresses are being announced\n", group);
	return CTL_OK;
}

/**
 * ctl_wait() - the verb `wait`
 * @ctl: the program
 * @argc: 0 to 2
 * @argv: the group, which may be left out if there is only one, and the role
 *
 * Return: the exit code.
 */
int ctl_wait(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *role = argc ? argv[argc - 1] : "";
	_cleanup_(freep) char *group = NULL;
	int r;

	if (strcmp(role, "primary") != 0 && strcmp(role, "backup") != 0) {
		fprintf(ctl->err, "takeoverctl: wait needs 'primary' or 'backup', at the end.\n");
		return CTL_USAGE;
	}
	r = ctl_choose_group(ctl, argc - 1, argv, &group);
	if (r != CTL_OK)
		return r;
	if (ctl->timeout_us)
		ctl->until = instant_add(ctl_now(ctl), ctl->timeout_us);
	r = ctl_call_group(ctl, group, "WaitForRole", &error, NULL, "s", role);
	if (sd_bus_error_has_name(&error, API_ERROR "Timeout"))
		return ctl_fail(ctl, error.name, "%s: this node is not %s after %.3g s.", group,
				role, (double)ctl->timeout_us / (double)USEC_PER_SEC);
	if (r < 0)
		return ctl_complain_of_group(ctl, group, &error, r);
	if (ctl->json)
		return ctl_json_print(
			ctl, json_pack("{s:o, s:s}", "group", ctl_json_text(group), "role", role));
	fprintf(ctl->out, "%s: this node is %s\n", group, role);
	return CTL_OK;
}

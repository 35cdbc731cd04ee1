/* SPDX-License-Identifier: MIT */

/* What --json prints against the tables of takeoverctl(1), in both directions. */

#include "netlink/witness.h"
#include "tests/ctl_rig.h"

enum { MEMBERS_MAX = 64, PATH_SIZE = 96 };

/* A row of a table: ".It Va groups[].name Ta string Ta ..." */
struct member {
	char path[PATH_SIZE], type[32];
	int printed, nulls;
};

struct table {
	struct member members[MEMBERS_MAX];
	size_t n;
};

/* The table below ".Ss title" in the JSON section. */
static void load_table(const char *title, struct table *ret)
{
	FILE *f = fopen("man/takeoverctl.1", "re");
	char line[512], heading[64];
	bool here = false;

	cr_assert(f, "tests run in the top directory of the project");
	(void)snprintf(heading, sizeof(heading), ".Ss %s\n", title);
	*ret = (struct table){ 0 };
	while (fgets(line, sizeof(line), f)) {
		struct member *member = &ret->members[ret->n];

		if (strncmp(line, ".S", 2) == 0)
			here = strcmp(line, heading) == 0;
		if (!here || strncmp(line, ".It ", 4) != 0)
			continue;
		cr_assert_lt(ret->n, MEMBERS_MAX);
		cr_assert_eq(
			sscanf(line, ".It Va %95s Ta %31[a-z ] Ta", member->path, member->type), 2,
			"%s", line);
		member->type[strcspn(member->type, "T")] = '\0';
		while (member->type[strlen(member->type) - 1] == ' ')
			member->type[strlen(member->type) - 1] = '\0';
		ret->n++;
	}
	(void)fclose(f);
	cr_assert_gt(ret->n, 0, "no table of %s", title);
}

static struct member *find(struct table *table, const char *path)
{
	for (size_t i = 0; i < table->n; i++)
		if (strcmp(table->members[i].path, path) == 0)
			return &table->members[i];
	return NULL;
}

static const char *type_of(const json_t *value)
{
	if (json_is_object(value))
		return "object";
	if (json_is_boolean(value))
		return "boolean";
	if (json_is_integer(value))
		return "integer";
	return json_is_string(value) ? "string" : "null";
}

/* The printed @value is documented at @path, and of the type that is said there. */
static void check_value(struct table *table, const char *path, const json_t *value)
{
	struct member *member = find(table, path);
	const char *type = type_of(value);

	cr_assert(member, "%s is not documented", path);
	member->printed++;
	member->nulls += json_is_null(value);
	if (json_is_array(value)) {
		const char *element =
			json_is_string(json_array_get(value, 0)) ? "strings" : "objects";

		if (json_array_size(value))
			cr_expect_str_eq(member->type, element, "%s", path);
		return;
	}
	if (json_is_null(value))
		cr_expect(strstr(member->type, " or null"), "%s may not be null", path);
	else
		cr_expect(strncmp(member->type, type, strlen(type)) == 0, "%s is not: %s", path,
			  type);
}

static void check_object(struct table *table, const char *prefix, json_t *object);

static void check_member(struct table *table, const char *path, json_t *value)
{
	json_t *element;
	size_t i;

	check_value(table, path, value);
	json_array_foreach(value, i, element)
	{
		char prefix[PATH_SIZE];

		(void)snprintf(prefix, sizeof(prefix), "%s.", path);
		if (json_is_object(element))
			check_object(table, prefix, element);
		else
			cr_expect(json_is_string(element), "%s", path);
	}
	/* what has changed is in another table */
	if (json_is_object(value) && strcmp(path, "changed") != 0) {
		char prefix[PATH_SIZE];

		(void)snprintf(prefix, sizeof(prefix), "%s.", path);
		check_object(table, prefix, value);
	}
}

static void check_object(struct table *table, const char *prefix, json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		char path[PATH_SIZE];

		(void)snprintf(path, sizeof(path), "%s%s%s", prefix, name,
			       json_is_array(value) ? "[]" : "");
		check_member(table, path, value);
	}
}

static void every_member_was_printed(const struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		cr_expect(table->members[i].printed, "%s is documented, not printed",
			  table->members[i].path);
}

/* What a verb prints is the table of that name. */
static void check_verb(struct rig *rig, struct table *table, int code, char **argv)
{
	struct outcome outcome;
	json_t *json;

	run_child(rig, run_ctl, argv, &outcome);
	cr_expect_eq(outcome.code, code, "%s", outcome.text);
	json = json_of(&outcome);
	check_object(table, "", json);
	json_decref(json);
}

#define CHECK(rig, table, code, ...)                                                               \
	check_verb(rig, table, code, (char *[]){ __VA_ARGS__, (char *)"--json", NULL })

Test(takeoverctl_json, status_is_as_documented, .timeout = 10)
{
	struct api_check check = { "tcp:self:5060", "well", "connected", 1000000, 5 };
	struct table table;
	struct rig rig;

	start_bus(&rig);
	load_table("status", &table);
	rig.agent.unfit[0] = (char *)"sync";
	rig.agent.unfit_there[0] = (char *)"link";
	rig.agent.groups[0].last_switchover_us = 21400;
	rig.agent.inhibitors[0] = (struct api_inhibitor){ "apt", "an upgrade", 1000 };
	rig.agent.groups[0].inhibitors = (struct api_inhibitors){ rig.agent.inhibitors, 1 };
	rig.agent.groups[0].checks = (struct api_checks){ &check, 1 };
	CHECK(&rig, &table, 0, (char *)"status");
	every_member_was_printed(&table);

	rig.agent.groups[0].primary = "";
	rig.agent.groups[0].role_since_us = 0;
	rig.agent.groups[0].last_switchover_us = 0;
	check = (struct api_check){ "tcp:self:5060", "unknown", "", 0, 0 };
	CHECK(&rig, &table, 3, (char *)"status");
	for (size_t i = 0; i < table.n; i++)
		if (strstr(table.members[i].type, "or null"))
			cr_expect(table.members[i].nulls, "%s is never null",
				  table.members[i].path);
	rig_done(&rig);
}

Test(takeoverctl_json, values_are_those_of_the_agent, .timeout = 10)
{
	json_t *json, *group, *path;
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	RUN(&rig, &outcome, "--json", "status");
	json = json_of(&outcome);
	cr_expect_str_eq(json_text_at(json, "node"), "alpha");
	cr_expect_eq(json_integer_value(json_object_get(json, "dead_time_us")), 500000);
	group = json_array_get(json_object_get(json, "groups"), 0);
	cr_expect_str_eq(json_text_at(group, "name"), "sip");
	cr_expect_str_eq(json_text_at(group, "primary"), "alpha");
	cr_expect_str_eq(json_text_at(group, "successor"), "beta");
	cr_expect_eq(json_integer_value(json_object_get(group, "term")), 7);
	cr_expect(json_is_true(json_object_get(group, "fit")));
	cr_expect_eq(json_array_size(json_object_get(group, "virtual_addresses")), 2);
	cr_expect_str_eq(json_text_at(json_array_get(json_object_get(group, "nodes"), 1), "state"),
			 "backup");
	path = json_array_get(
		json_object_get(json_array_get(json_object_get(json, "peers"), 0), "paths"), 0);
	cr_expect_str_eq(json_text_at(path, "remote"), "10.10.11.102");
	cr_expect_eq(json_integer_value(json_object_get(path, "rtt_us")), 310);
	cr_expect_eq(json_integer_value(json_object_get(path, "rtt_best_us")), 220);
	cr_expect_eq(json_integer_value(json_object_get(path, "heard_age_us")),
		     json_integer_value(json_object_get(json, "now_us")) - 9977000);
	json_decref(json);
	rig_done(&rig);
}

/* A newer agent, or another program, may say any number. */
Test(takeoverctl_json, number_that_is_too_large_is_never_negative, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;
	json_t *json;

	start_bus(&rig);
	rig.agent.manager.refused = UINT64_MAX;
	rig.agent.manager.strangers = INT64_MAX;
	RUN(&rig, &outcome, "--json", "status");
	json = json_of(&outcome);
	cr_expect_eq(json_integer_value(json_object_get(json, "refused_packets")), INT64_MAX);
	cr_expect_eq(json_integer_value(json_object_get(json, "strangers")), INT64_MAX);
	json_decref(json);
	rig_done(&rig);
}

Test(takeoverctl_json, requests_are_as_documented, .timeout = 10)
{
	static const struct {
		char *argv[4];
	} verbs[] = {
		{ { (char *)"explain", (char *)"--json" } },
		{ { (char *)"switchover", (char *)"--json" } },
		{ { (char *)"announce", (char *)"--json" } },
		{ { (char *)"maintenance", (char *)"on", (char *)"--json" } },
		{ { (char *)"wait", (char *)"primary", (char *)"--json" } },
		{ { (char *)"version", (char *)"--json" } },
	};
	static char *sentences[] = { (char *)"So it is.", NULL };
	struct table table;
	struct rig rig;

	start_bus(&rig);
	rig.agent.sentences = sentences;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		load_table(verbs[i].argv[0], &table);
		check_verb(&rig, &table, 0, (char **)verbs[i].argv);
		every_member_was_printed(&table);
	}
	rig_done(&rig);
}

/* A kernel that has nothing at all: differences of the group and of the host. */
static int look_at_nothing(struct witness *ret)
{
	*ret = (struct witness){ .gate.err = -EPERM };
	return 0;
}

Test(takeoverctl_json, verify_is_as_documented, .timeout = 10)
{
	struct table table;
	struct rig rig;

	start_bus(&rig);
	rig.look = look_at_nothing;
	load_table("verify", &table);
	CHECK(&rig, &table, 1, (char *)"verify");
	every_member_was_printed(&table);
	cr_expect(find(&table, "findings[].group")->nulls);
	rig_done(&rig);
}

Test(takeoverctl_json, refusal_is_an_object_and_a_sentence, .timeout = 10)
{
	struct outcome outcome;
	struct table table;
	json_t *json, *error;
	struct rig rig;

	start_bus(&rig);
	load_table("Any verb that failed", &table);
	RUN(&rig, &outcome, "switchover", "voip", "-j");
	cr_expect_eq(outcome.code, 1);
	cr_expect(strstr(outcome.text, "\n|takeoverctl: there is no group \"voip\" here; did you "
				       "mean 'sip'?\n"),
		  "%s", outcome.text);
	json = json_of(&outcome);
	check_object(&table, "", json);
	every_member_was_printed(&table);
	error = json_object_get(json, "error");
	cr_expect_str_eq(json_text_at(error, "name"), API_ERROR "NoSuchGroup");
	cr_expect_str_eq(json_text_at(error, "message"),
			 "there is no group \"voip\" here; did you mean 'sip'?");
	json_decref(json);
	rig_done(&rig);
}

/* What is signalled while takeoverctl is watching; each line is one of the table's kinds. */
static int watch(struct rig *rig, struct table *table, struct table *status, int fd)
{
	char line[4096], rest[PATH_SIZE];
	static FILE *f;
	json_t *json, *value;
	const char *name;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	f = f ?: fdopen(fd, "r");
	setvbuf(f, NULL, _IONBF, 0);
	while (poll(&p, 1, 0) == 0)
		rig_turn(rig, fd);
	cr_assert(fgets(line, sizeof(line), f));
	json = json_loads(line, 0, NULL);
	cr_assert(json, "%s", line);
	check_object(table, "", json);
	json_object_foreach(json_object_get(json, "changed"), name, value)
	{
		(void)snprintf(rest, sizeof(rest), "%ss[].%s%s", json_text_at(json, "type"), name,
			       json_is_array(value) ? "[]" : "");
		check_member(status, rest, value);
	}
	(void)snprintf(rest, sizeof(rest), "%s", json_text_at(json, "type"));
	json_decref(json);
	return *rest;
}

Test(takeoverctl_json, monitor_is_as_documented, .timeout = 10)
{
	char *argv[] = { (char *)"monitor", (char *)"--json", NULL };
	struct table table, status;
	int fds[2], state;
	struct rig rig;
	pid_t pid;

	start_bus(&rig);
	load_table("monitor", &table);
	load_table("status", &status);
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)setenv("DBUS_SYSTEM_BUS_ADDRESS", rig.address, 1);
		_exit(run_ctl(&rig, argv));
	}
	(void)close(fds[1]);
	cr_expect_eq(watch(&rig, &table, &status, fds[0]), 'd'); /* the agent runs, */
	cr_expect_eq(watch(&rig, &table, &status, fds[0]), 'g'); /* this is its group, */
	cr_expect_eq(watch(&rig, &table, &status, fds[0]), 'p'); /* and its peer */
	rig.agent.groups[0].state = "yielding";
	MUST(api_group_changed(rig.api, 0));
	cr_expect_eq(watch(&rig, &table, &status, fds[0]), 'g');
	MUST(api_role_changed(rig.api, 0, "backup", "switchover"));
	cr_expect_eq(watch(&rig, &table, &status, fds[0]), 'r');
	MUST(api_event(rig.api, API_NO_GROUP,
		       &(struct api_event){ .id = "01-00401",
					    .level = "Standard",
					    .text = "beta is heard",
					    .category = "peer" }));
	cr_expect_eq(watch(&rig, &table, &status, fds[0]), 'e');
	rig.agent.peers[0].state = "silent";
	MUST(api_peer_changed(rig.api, 0));
	cr_expect_eq(watch(&rig, &table, &status, fds[0]), 'p');
	every_member_was_printed(&table);
	(void)kill(pid, SIGTERM);
	cr_expect_eq(waitpid(pid, &state, 0), pid);
	cr_expect(WIFEXITED(state) && WEXITSTATUS(state) == 0, "SIGTERM ends it well");
	rig_done(&rig);
}

Test(takeoverctl_json, events_are_as_documented, .timeout = 10)
{
	static const char *const names[] = { "Group",  "Node",	"Role",	     "State",	"Term",
					     "Reason", "Peer",	"Interface", "Address", "MAC",
					     "Unit",   "Error", "Reaction" };
	struct api_field fields[ARRAY_SIZE(names)];
	struct outcome outcome;
	struct table table;
	struct rig rig;
	json_t *json;

	start_bus(&rig);
	load_table("events", &table);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fields[i] = (struct api_field){ names[i], "x" };
	rig.agent.events[0] = (struct api_event){
		"01-00501", "Warning",	      "unfit: link", "fitness",
		3,	    1795467600000000, fields,	     ARRAY_SIZE(fields)
	};
	RUN(&rig, &outcome, "--json", "events");
	json = json_of(&outcome);
	check_object(&table, "", json);
	every_member_was_printed(&table);
	cr_expect_str_eq(json_text_at(json, "time"), "2026-11-23T21:00:00.000Z");
	json_decref(json);
	rig_done(&rig);
}

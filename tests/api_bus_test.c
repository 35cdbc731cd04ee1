/* SPDX-License-Identifier: MIT */

/* The API behind a bus daemon: who may do what, the name, busctl. */

#include "tests/bus_child.h"
#include "tests/driver_rig.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECTS "org.freedesktop.DBus.ObjectManager"

enum { ASKING_MAX = 1024 };

Test(api_bus, caller_whom_the_bus_does_not_name_is_refused, .timeout = 10)
{
	struct driver driver = { .answers = true };
	struct answer answer = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	switchover_from(&rig, &answer, ":1.7");
	arrive(&rig, answer.times == 1);
	cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_ACCESS_DENIED);
	driver.key = "ProcessID";
	switchover_from(&rig, &answer, ":1.7");
	arrive(&rig, answer.times == 2);
	cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_ACCESS_DENIED);
	cr_expect_eq(rig.agent.switchovers, 0);

	driver.key = "UnixUserID";
	switchover_from(&rig, &answer, ":1.7");
	arrive(&rig, rig.agent.switchovers);
	cr_expect_eq(driver.asked, 3);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api_bus, callers_not_yet_identified_are_bounded, .timeout = 20)
{
	struct driver driver = { 0 };
	struct answer held = { 0 }, refused = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	for (int i = 0; i < ASKING_MAX; i++) {
		switchover_from(&rig, &held, ":1.7");
		arrive(&rig, driver.asked == i + 1);
	}
	cr_expect_eq(api_reply_ok(rig.api, 0, "beta", 1), -ENOENT, "0 is nobody's number");
	switchover_from(&rig, &refused, ":1.8");
	arrive(&rig, refused.times);
	cr_expect_str_eq(error_of(&refused), API_ERROR "Busy");
	cr_expect_eq(held.times, 0);
	rig.api = api_free(rig.api);
	arrive(&rig, held.times == ASKING_MAX);
	cr_expect_str_eq(error_of(&held), API_ERROR "Failed");
	answer_done(&held);
	answer_done(&refused);
	rig_done(&rig);
}

/* From here on with a real dbus-daemon. */

static int change_as_nobody(struct rig *rig, void *member)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const bool maintenance = strcmp(member, "SetMaintenance") == 0;
	const bool of_all = strcmp(member, "GetTrace") == 0 || strcmp(member, "Reload") == 0;
	sd_bus *bus;

	(void)rig;
	if (!become_nobody() || sd_bus_open_system(&bus) < 0)
		return 1;
	if (maintenance)
		(void)sd_bus_call_method(bus, API_NAME, SIP, API_GROUP, member, &error, NULL, "b",
					 1);
	else
		(void)sd_bus_call_method(bus, API_NAME, of_all ? API_PATH : SIP,
					 of_all ? API_MANAGER : API_GROUP, member, &error, NULL,
					 NULL);
	printf("%s", error.name ?: "done");
	return 0;
}

Test(api_bus, only_the_privileged_may_change, .timeout = 20)
{
	static const char *const members[] = { "Switchover", "SetMaintenance", "Announce",
					       "GetTrace", "Reload" };
	struct rig rig;

	rig_start_bus(&rig);
	rig.agent.answer_at_once = "beta";
	rig.agent.trace = "end\n";
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct outcome outcome;

		run_child(&rig, change_as_nobody, (void *)members[i], &outcome);
		cr_expect_str_eq(outcome.text, SD_BUS_ERROR_ACCESS_DENIED "|", "%s: %s", members[i],
				 outcome.text);
	}
	cr_expect_eq(rig.agent.switchovers, 0);
	cr_expect_eq(rig.agent.maintenances, 0);
	cr_expect_eq(rig.agent.announces, 0);
	cr_expect_eq(rig.agent.reloads, 0);
	rig_done(&rig);
}

static int read_as_nobody(struct rig *rig, void *arg)
{
	sd_bus_message *m = NULL;
	const char *answer, *why, *xml;
	char *role = NULL;
	sd_bus *bus;

	(void)rig, (void)arg;
	if (!become_nobody() || sd_bus_open_system(&bus) < 0)
		return 1;
	if (sd_bus_get_property_string(bus, API_NAME, SIP, API_GROUP, "Role", NULL, &role) < 0)
		return 2;
	if (sd_bus_call_method(bus, API_NAME, SIP, PROPERTIES, "GetAll", NULL, NULL, "s",
			       API_GROUP) < 0)
		return 3;
	if (sd_bus_call_method(bus, API_NAME, API_PATH, OBJECTS, "GetManagedObjects", NULL, NULL,
			       NULL) < 0)
		return 4;
	if (sd_bus_call_method(bus, API_NAME, SIP, API_GROUP, "CanSwitchover", NULL, &m, NULL) < 0)
		return 5;
	if (sd_bus_message_read(m, "ss", &answer, &why) < 0)
		return 6;
	if (sd_bus_call_method(bus, API_NAME, SIP, "org.freedesktop.DBus.Introspectable",
			       "Introspect", NULL, &m, NULL) < 0)
		return 7;
	if (sd_bus_message_read(m, "s", &xml) < 0)
		return 8;
	if (sd_bus_call_method(bus, API_NAME, SIP, API_GROUP, "Explain", NULL, NULL, NULL) < 0)
		return 9;
	if (sd_bus_call_method(bus, API_NAME, SIP, API_GROUP, "WaitForRole", NULL, NULL, "s",
			       "primary") < 0)
		return 10;
	if (sd_bus_call_method(bus, API_NAME, API_PATH, API_MANAGER, "ListEvents", NULL, NULL, "tt",
			       (uint64_t)0, (uint64_t)0) < 0)
		return 11;
	printf("%s %s", role, answer);
	return 0;
}

Test(api_bus, anybody_may_read, .timeout = 10)
{
	static char *sentences[] = { NULL };
	struct outcome outcome;
	struct rig rig;

	rig_start_bus(&rig);
	rig.agent.sentences = sentences;
	run_child(&rig, read_as_nobody, NULL, &outcome);
	cr_expect_eq(outcome.code, 0, "%d", outcome.code);
	cr_expect_str_eq(outcome.text, "primary yes|");
	rig_done(&rig);
}

static int exec_busctl(struct rig *rig, void *argv)
{
	(void)rig;
	(void)execvp("busctl", argv);
	return 127;
}

Test(api_bus, shortest_busctl_call_works_as_documented, .timeout = 10)
{
	const char *argv[] = { "busctl",
			       "call",
			       "org.takeover1",
			       "/org/takeover1/group/sip",
			       "org.takeover1.Group",
			       "Switchover",
			       NULL };
	struct outcome outcome;
	struct rig rig;

	rig_start_bus(&rig);
	rig.agent.answer_at_once = "beta";
	run_child(&rig, exec_busctl, argv, &outcome);
	cr_expect_eq(outcome.code, 0);
	cr_expect_str_eq(outcome.text, "st \"beta\" 21400\n|");
	rig_done(&rig);
}

Test(api_bus, busctl_tree_shows_every_object, .timeout = 10)
{
	const char *argv[] = { "busctl", "tree", "--list", "org.takeover1", NULL };
	struct outcome outcome;
	struct rig rig;

	rig_start_bus(&rig);
	run_child(&rig, exec_busctl, argv, &outcome);
	cr_expect_eq(outcome.code, 0);
	cr_expect(strstr(outcome.text, "\n" SIP "\n"), "%s", outcome.text);
	cr_expect(strstr(outcome.text, "\n" API_PATH "/peer/beta\n"), "%s", outcome.text);
	rig_done(&rig);
}

static int exec_busctl_as_nobody(struct rig *rig, void *argv)
{
	return become_nobody() ? exec_busctl(rig, argv) : 1;
}

/* Root may call what he wants, and hears from the agent that there is nothing to be set. */
Test(api_bus, nobody_sets_a_property, .timeout = 10)
{
	const char *argv[] = { "busctl", "set-property", "org.takeover1",
			       SIP,	 API_GROUP,	 "Role",
			       "s",	 "backup",	 NULL };
	struct outcome outcome;
	struct rig rig;

	rig_start_bus(&rig);
	run_child(&rig, exec_busctl_as_nobody, argv, &outcome);
	cr_expect_neq(outcome.code, 0);
	cr_expect(strstr(outcome.text, "Access denied"), "%s", outcome.text);
	run_child(&rig, exec_busctl, argv, &outcome);
	cr_expect_neq(outcome.code, 0);
	cr_expect(strstr(outcome.text, "is not writable"), "%s", outcome.text);
	rig_done(&rig);
}

Test(api_bus, caller_gone_before_the_answer_does_no_harm, .timeout = 10)
{
	struct answer lost = { 0 }, answer = { 0 };
	struct rig rig;

	rig_start_bus(&rig);
	switchover(&rig, &lost);
	arrive(&rig, rig.agent.switchovers);
	rig.client = sd_bus_close_unref(rig.client);
	cr_expect_eq(api_reply_ok(rig.api, rig.agent.request, "beta", 1), 0);
	cr_expect_eq(api_reply_ok(rig.api, rig.agent.request, "beta", 1), -ENOENT);

	rig.client = rig_connect(&rig);
	rig.agent.answer_at_once = "beta";
	switchover(&rig, &answer);
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), "");
	answer_done(&lost);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api_bus, frozen_bus_does_not_hold_the_agent_up, .timeout = 10)
{
	struct answer answer = { 0 };
	struct pollfd readable;
	struct rig rig;
	int status;

	rig_start_bus(&rig);
	rig.agent.answer_at_once = "beta";
	settle(&rig);
	switchover(&rig, &answer);
	MUST(sd_bus_flush(rig.client));
	readable = (struct pollfd){ .fd = sd_bus_get_fd(rig.server), .events = POLLIN };
	cr_assert_eq(poll(&readable, 1, -1), 1);
	cr_assert_eq(kill(rig.daemon, SIGSTOP), 0);
	cr_assert_eq(waitpid(rig.daemon, &status, WUNTRACED), rig.daemon);

	/* The call is taken up; asking the bus who calls must not wait for it. */
	while (sd_bus_process(rig.server, NULL) > 0)
		;
	MUST(api_group_changed(rig.api, 0));
	cr_expect_eq(rig.agent.switchovers, 0);

	cr_assert_eq(kill(rig.daemon, SIGCONT), 0);
	arrive(&rig, answer.times);
	cr_expect_eq(rig.agent.switchovers, 1);
	answer_done(&answer);
	rig_done(&rig);
}

/* What an agent is told of the name next. */
static int await_name(struct rig *rig)
{
	while (!rig->agent.name_answered)
		rig_turn(rig, -1);
	rig->agent.name_answered = false;
	return rig->agent.name_err;
}

/* Another agent comes to the bus of the first, and is told of the name. */
static int start_second(struct rig *second, const struct rig *first)
{
	rig_init(second);
	second->server = rig_connect(first);
	MUST(api_new(second->server, &second->ops, &second->agent, &second->api));
	return await_name(second);
}

Test(api_bus, second_agent_is_told_that_the_name_is_taken, .timeout = 10)
{
	struct rig rig, second;

	rig_start_bus(&rig);
	cr_expect_eq(start_second(&second, &rig), -EEXIST);
	rig_done(&second);
	rig_done(&rig);
}

Test(api_bus, name_that_was_taken_is_asked_for_when_it_is_free, .timeout = 10)
{
	struct rig rig, second;

	rig_start_bus(&rig);
	cr_assert_eq(start_second(&second, &rig), -EEXIST);
	rig.server = sd_bus_flush_close_unref(rig.server); /* as when its agent is killed */
	cr_expect_eq(await_name(&second), 0);
	rig_done(&second);
	rig_done(&rig);
}

Test(api_bus, end_of_the_api_gives_the_name_back, .timeout = 10)
{
	struct rig rig, second;

	rig_start_bus(&rig);
	rig.api = api_free(rig.api);
	MUST(sd_bus_flush(rig.server));
	settle(&rig);
	cr_expect_eq(start_second(&second, &rig), 0);
	rig_done(&second);
	rig_done(&rig);
}

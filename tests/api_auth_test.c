/* SPDX-License-Identifier: MIT */

/* Who may: what polkit is asked, and what its answers become. */

#include "tests/driver_rig.h"

enum { CHECKS_OF_USER_MAX = 8, ANN = 1000, BOB = 1001 };

static struct driver user(uint32_t uid)
{
	return (struct driver){ .answers = true, .key = "UnixUserID", .uid = uid };
}

Test(api_auth, whom_polkit_lets_may, .timeout = 10)
{
	struct driver driver = user(ANN);
	struct answer answer = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	rig.agent.answer_at_once = "beta";
	driver.authorized = true;
	switchover_from(&rig, &answer, ":1.7");
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), "");
	cr_expect_eq(rig.agent.switchovers, 1);
	cr_expect_str_eq(driver.subject, "system-bus-name :1.7");
	cr_expect_str_eq(driver.action, "org.takeover1.switchover");
	cr_expect_str_eq(driver.details, "group=sip");
	cr_expect_eq(driver.flags, 0, "the caller does not want its user to be asked");
	answer_done(&answer);
	driver_done(&driver);
	rig_done(&rig);
}

Test(api_auth, whom_polkit_does_not_let_is_refused_by_name, .timeout = 10)
{
	static const struct {
		bool challenge, absent;
		const char *error, *text;
	} cases[] = {
		{ false, false, SD_BUS_ERROR_ACCESS_DENIED,
		  "polkit does not let this user do it." },
		{ true, false, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
		  "Authentication is required." },
		{ false, true, SD_BUS_ERROR_ACCESS_DENIED, "Only root may do this." },
	};
	struct driver driver = user(ANN);
	struct rig rig;

	start_driver(&rig, &driver);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct answer answer = { 0 };

		driver.challenge = cases[i].challenge;
		driver.absent = cases[i].absent;
		switchover_from(&rig, &answer, ":1.7");
		arrive(&rig, answer.times);
		cr_expect_str_eq(error_of(&answer), cases[i].error);
		cr_expect_str_eq(text_of(&answer), cases[i].text);
		answer_done(&answer);
	}
	cr_expect_eq(driver.checks, (int)ARRAY_SIZE(cases));
	cr_expect_eq(rig.agent.switchovers, 0);
	driver_done(&driver);
	rig_done(&rig);
}

Test(api_auth, answer_of_polkit_that_cannot_be_read_is_a_no, .timeout = 10)
{
	struct driver driver = user(ANN);
	struct answer answer = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	driver.undecided = true;
	switchover_from(&rig, &answer, ":1.7");
	arrive(&rig, driver.checks);
	MUST(sd_bus_reply_method_return(driver.undecided_call, "bb", 1, 1));
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_ACCESS_DENIED);
	cr_expect_eq(rig.agent.switchovers, 0);
	answer_done(&answer);
	driver_done(&driver);
	rig_done(&rig);
}

Test(api_auth, user_is_asked_only_if_the_caller_wants_it, .timeout = 10)
{
	struct driver driver = user(ANN);
	struct answer answer = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	driver.authorized = true;
	rig.agent.answer_at_once = "beta";
	MUST(sd_bus_set_allow_interactive_authorization(rig.client, 1));
	switchover_from(&rig, &answer, ":1.7");
	arrive(&rig, answer.times);
	cr_expect_eq(driver.flags, 1);
	answer_done(&answer);
	driver_done(&driver);
	rig_done(&rig);
}

Test(api_auth, every_method_has_its_action, .timeout = 10)
{
	static const struct {
		const char *path, *interface, *member, *types, *action, *details;
	} methods[] = {
		{ SIP, API_GROUP, "Switchover", "", "switchover", "group=sip" },
		{ SIP, API_GROUP, "SetMaintenance", "b", "maintenance", "group=sip" },
		{ SIP, API_GROUP, "SwitchoverWithOptions", "a{sv}", "switchover", "group=sip" },
		{ SIP, API_GROUP, "InhibitTakeover", "ss", "maintenance", "group=sip" },
		{ SIP, API_GROUP, "Announce", "", "announce", "group=sip" },
		{ SIP, API_GROUP, "TestReaction", "s", "test-reaction", "group=sip" },
		{ API_PATH, API_MANAGER, "GetTrace", "", "trace", "=" },
		{ API_PATH, API_MANAGER, "Reload", "", "reload", "=" },
	};
	struct driver driver = user(ANN);
	struct rig rig;

	start_driver(&rig, &driver);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct answer answer = { 0 };
		char action[64];

		if (strcmp(methods[i].types, "ss") == 0)
			call_from(&rig, &answer, ":1.7", methods[i].path, methods[i].interface,
				  methods[i].member, "ss", "who", "why");
		else if (strcmp(methods[i].types, "s") == 0)
			call_from(&rig, &answer, ":1.7", methods[i].path, methods[i].interface,
				  methods[i].member, "s", "00-04563");
		else /* a bool, or no options */
			call_from(&rig, &answer, ":1.7", methods[i].path, methods[i].interface,
				  methods[i].member, methods[i].types,
				  strcmp(methods[i].types, "b") == 0);
		arrive(&rig, answer.times);
		(void)snprintf(action, sizeof(action), "%s.%s", API_NAME, methods[i].action);
		cr_expect_str_eq(driver.action, action, "%s: %s", methods[i].member, driver.action);
		cr_expect_str_eq(driver.details, methods[i].details);
		cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_ACCESS_DENIED);
		answer_done(&answer);
	}
	driver_done(&driver);
	rig_done(&rig);
}

/* One who floods does not keep others from being checked, and root from being heard. */
Test(api_auth, checks_of_a_user_are_bounded, .timeout = 10)
{
	struct answer held = { 0 }, refused = { 0 }, other = { 0 }, root = { 0 };
	struct driver driver = user(ANN);
	struct rig rig;

	start_driver(&rig, &driver);
	driver.undecided = true;
	for (int i = 0; i < CHECKS_OF_USER_MAX; i++)
		switchover_from(&rig, &held, ":1.7");
	arrive(&rig, driver.checks == CHECKS_OF_USER_MAX);
	switchover_from(&rig, &refused, ":1.8");
	arrive(&rig, refused.times);
	cr_expect_str_eq(error_of(&refused), API_ERROR "Busy");

	driver.uid = BOB;
	driver.undecided = false;
	driver.authorized = true;
	rig.agent.answer_at_once = "beta";
	switchover_from(&rig, &other, ":1.9");
	arrive(&rig, other.times);
	cr_expect_str_eq(error_of(&other), "");
	driver.uid = 0;
	switchover_from(&rig, &root, ":1.10");
	arrive(&rig, root.times);
	cr_expect_str_eq(error_of(&root), "");
	cr_expect_eq(driver.checks, CHECKS_OF_USER_MAX + 1, "root is not checked");

	cr_expect_eq(held.times, 0);
	rig.api = api_free(rig.api);
	arrive(&rig, held.times == CHECKS_OF_USER_MAX);
	cr_expect_str_eq(error_of(&held), API_ERROR "Failed");
	answer_done(&held);
	answer_done(&refused);
	answer_done(&other);
	answer_done(&root);
	driver_done(&driver);
	rig_done(&rig);
}

/* SPDX-License-Identifier: MIT */

/* WaitForRole(): who is answered, when, and who is let wait. */

#include "tests/driver_rig.h"

enum { WAITERS_MAX = 256, WAITERS_OF_USER_MAX = 16, ANN = 1000, BOB = 1001 };

static void wait_from(struct rig *rig, struct answer *answer, const char *sender, const char *role)
{
	call_from(rig, answer, sender, SIP, API_GROUP, "WaitForRole", "s", role);
}

static void become(struct rig *rig, const char *role)
{
	rig->agent.groups[0].role = role;
	MUST(api_role_changed(rig->api, 0, role, "switchover"));
}

/* As the bus tells it of a connection that has ended; or somebody who would like to be the bus. */
static void tell_gone(struct rig *rig, const char *teller, const char *sender)
{
	sd_bus_message *m;

	MUST(sd_bus_message_new_signal(rig->client, &m, "/org/freedesktop/DBus",
				       "org.freedesktop.DBus", "NameOwnerChanged"));
	MUST(sd_bus_message_append(m, "sss", sender, sender, ""));
	MUST(sd_bus_message_set_sender(m, teller));
	MUST(sd_bus_send(rig->client, m, NULL));
	sd_bus_message_unref(m);
	settle(rig);
}

static void go(struct rig *rig, const char *sender)
{
	tell_gone(rig, "org.freedesktop.DBus", sender);
}

Test(api_wait, role_that_is_there_is_answered_at_once, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &answer, SIP, API_GROUP, "WaitForRole", "s", "primary");
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), "");
	answer_done(&answer);
	rig_done(&rig);
}

Test(api_wait, role_is_answered_when_it_comes, .timeout = 10)
{
	struct answer backup = { 0 }, primary = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &backup, SIP, API_GROUP, "WaitForRole", "s", "backup");
	settle(&rig);
	MUST(api_role_changed(rig.api, 0, "primary", "switchover")); /* as it was */
	settle(&rig);
	cr_expect_eq(backup.times, 0);

	become(&rig, "backup");
	arrive(&rig, backup.times);
	cr_expect_str_eq(error_of(&backup), "");
	call(&rig, &primary, SIP, API_GROUP, "WaitForRole", "s", "primary");
	settle(&rig);
	cr_expect_eq(primary.times, 0);
	become(&rig, "primary");
	arrive(&rig, primary.times);
	cr_expect_eq(backup.times, 1);
	answer_done(&backup);
	answer_done(&primary);
	rig_done(&rig);
}

/* Each group for itself. */
Test(api_wait, role_of_another_group_is_no_answer, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_init(&rig);
	rig.ops.n_groups = 2;
	rig.agent.groups[1].name = "web";
	rig_open_pair(&rig);
	rig_start(&rig);
	call(&rig, &answer, API_PATH "/group/web", API_GROUP, "WaitForRole", "s", "backup");
	settle(&rig);
	rig.agent.groups[1].role = "backup"; /* not told yet */
	become(&rig, "backup");
	settle(&rig);
	cr_expect_eq(answer.times, 0);
	MUST(api_role_changed(rig.api, 1, "backup", "switchover"));
	arrive(&rig, answer.times);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api_wait, other_words_are_no_role, .timeout = 10)
{
	static const char *const words[] = { "", "Primary", "claiming", "primary backup" };
	struct rig rig;

	rig_start_pair(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct answer answer = { 0 };

		call(&rig, &answer, SIP, API_GROUP, "WaitForRole", "s", words[i]);
		arrive(&rig, answer.times);
		cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_INVALID_ARGS);
		answer_done(&answer);
	}
	rig_done(&rig);
}

Test(api_wait, anybody_may_wait_but_not_everybody_at_once, .timeout = 10)
{
	struct driver driver = { .answers = true, .key = "UnixUserID", .uid = ANN };
	struct answer held = { 0 }, refused = { 0 }, others = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	for (int i = 0; i < WAITERS_OF_USER_MAX; i++)
		wait_from(&rig, &held, ":1.7", "backup");
	settle(&rig);
	wait_from(&rig, &refused, ":1.8", "backup");
	arrive(&rig, refused.times);
	cr_expect_str_eq(error_of(&refused), API_ERROR "Busy");

	driver.uid = BOB;
	wait_from(&rig, &others, ":1.9", "backup");
	settle(&rig);
	driver.uid = 0;
	for (int i = 0; i <= WAITERS_OF_USER_MAX; i++)
		wait_from(&rig, &others, ":1.10", "backup");
	settle(&rig);
	cr_expect_eq(others.times, 0);
	cr_expect_eq(driver.checks, 0, "polkit has nothing to say to who looks");

	become(&rig, "backup");
	arrive(&rig, held.times == WAITERS_OF_USER_MAX);
	arrive(&rig, others.times == WAITERS_OF_USER_MAX + 2);
	cr_expect_str_eq(error_of(&held), "");
	answer_done(&held);
	answer_done(&refused);
	answer_done(&others);
	driver_done(&driver);
	rig_done(&rig);
}

/* Each costs a match of the bus, which has few: also one of whom it is not known yet who it is. */
Test(api_wait, waiters_are_bounded_before_they_are_known, .timeout = 20)
{
	struct answer held = { 0 }, refused = { 0 }, root = { 0 };
	struct driver driver = { .key = "UnixUserID" };
	struct rig rig;

	start_driver(&rig, &driver);
	for (int i = 0; i < WAITERS_MAX; i++)
		wait_from(&rig, &held, ":1.7", "backup");
	settle(&rig);
	wait_from(&rig, &refused, ":1.8", "backup");
	arrive(&rig, refused.times);
	cr_expect_str_eq(error_of(&refused), API_ERROR "Busy");
	cr_expect_eq(driver.asked, WAITERS_MAX, "nobody is asked about who is refused");

	go(&rig, ":1.7");
	driver.answers = true;
	for (int i = 0; i < WAITERS_MAX; i++)
		wait_from(&rig, &root, ":1.9", "backup");
	settle(&rig);
	cr_expect_eq(root.times, 0, "%s", error_of(&root));
	become(&rig, "backup");
	arrive(&rig, root.times == WAITERS_MAX);
	cr_expect_eq(held.times, 0);
	answer_done(&refused);
	answer_done(&root);
	driver_done(&driver);
	rig_done(&rig);
}

Test(api_wait, who_has_gone_does_not_wait, .timeout = 10)
{
	struct driver driver = { .answers = true, .key = "UnixUserID", .uid = ANN };
	struct answer gone = { 0 }, here = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	for (int i = 0; i < WAITERS_OF_USER_MAX; i++)
		wait_from(&rig, &gone, ":1.7", "backup");
	settle(&rig);
	go(&rig, ":1.7");
	for (int i = 0; i < WAITERS_OF_USER_MAX; i++)
		wait_from(&rig, &here, ":1.8", "backup");
	settle(&rig);
	cr_expect_eq(here.times, 0, "%s", error_of(&here));
	become(&rig, "backup");
	arrive(&rig, here.times == WAITERS_OF_USER_MAX);
	cr_expect_eq(gone.times, 0);
	answer_done(&here);
	driver_done(&driver);
	rig_done(&rig);
}

/* sd-bus lets the news through, whoever sends it: anybody may send signals to us alone. */
Test(api_wait, nobody_but_the_bus_says_who_has_gone, .timeout = 10)
{
	struct driver driver = { .answers = true, .key = "UnixUserID", .uid = ANN };
	struct answer answer = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	wait_from(&rig, &answer, ":1.7", "backup");
	settle(&rig);
	tell_gone(&rig, ":1.66", ":1.7");
	become(&rig, "backup");
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), "");
	answer_done(&answer);
	driver_done(&driver);
	rig_done(&rig);
}

/* Nobody waits whose end would not be noticed. */
Test(api_wait, caller_who_cannot_be_watched_is_refused, .timeout = 10)
{
	struct driver driver = { .answers = true, .key = "UnixUserID", .unwatchable = true };
	struct answer answer = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	wait_from(&rig, &answer, ":1.7", "backup");
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), API_ERROR "Busy");
	answer_done(&answer);
	driver_done(&driver);
	rig_done(&rig);
}

Test(api_wait, end_of_the_api_ends_waiting, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &answer, SIP, API_GROUP, "WaitForRole", "s", "backup");
	settle(&rig);
	rig.api = api_free(rig.api);
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), API_ERROR "Failed");
	answer_done(&answer);
	rig_done(&rig);
}

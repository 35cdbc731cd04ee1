/* SPDX-License-Identifier: MIT */

/* Drain(): what is handed to the agent, and what becomes of a caller who goes. */

#include "tests/driver_rig.h"

static void drain_from(struct rig *rig, struct answer *answer, const char *sender)
{
	call_from(rig, answer, sender, SIP, API_GROUP, "Drain", "t", UINT64_C(5000000));
}

/* As the bus tells it of a connection that has ended. */
static void go(struct rig *rig, const char *sender)
{
	sd_bus_message *m;

	MUST(sd_bus_message_new_signal(rig->client, &m, "/org/freedesktop/DBus",
				       "org.freedesktop.DBus", "NameOwnerChanged"));
	MUST(sd_bus_message_append(m, "sss", sender, sender, ""));
	MUST(sd_bus_message_set_sender(m, "org.freedesktop.DBus"));
	MUST(sd_bus_send(rig->client, m, NULL));
	sd_bus_message_unref(m);
	settle(rig);
}

Test(api_drain, answer_says_how_many_were_left, .timeout = 10)
{
	struct answer answer = { 0 };
	uint64_t took_us, left;
	const char *primary;
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &answer, SIP, API_GROUP, "Drain", "t", UINT64_MAX);
	arrive(&rig, rig.agent.drains);
	cr_expect_eq(rig.agent.timeout_us, UINT64_MAX);
	cr_expect_eq(answer.times, 0);
	MUST(api_reply_drained(rig.api, rig.agent.request, "beta", 21400, 3));
	arrive(&rig, answer.times);
	MUST(sd_bus_message_read(answer.message, "stt", &primary, &took_us, &left));
	cr_expect_str_eq(primary, "beta");
	cr_expect_eq(took_us, 21400);
	cr_expect_eq(left, 3);
	cr_expect_eq(api_reply_drained(rig.api, rig.agent.request, "beta", 0, 0), -ENOENT);
	answer_done(&answer);
	rig_done(&rig);
}

static void expect_refused(struct rig *rig, uint64_t timeout_us, const char *error)
{
	struct answer answer = { 0 };

	call(rig, &answer, SIP, API_GROUP, "Drain", "t", timeout_us);
	arrive(rig, answer.times);
	cr_expect_str_eq(error_of(&answer), error);
	cr_expect_eq(rig->agent.drains, 0);
	answer_done(&answer);
}

Test(api_drain, no_time_is_no_draining, .timeout = 10)
{
	struct rig rig;

	rig_start_pair(&rig);
	expect_refused(&rig, 0, SD_BUS_ERROR_INVALID_ARGS);
	rig_done(&rig);
}

Test(api_drain, role_without_addresses_has_no_connections, .timeout = 10)
{
	struct rig rig;

	rig_start_pair(&rig);
	rig.agent.addresses[0] = NULL;
	expect_refused(&rig, 1, SD_BUS_ERROR_NOT_SUPPORTED);
	rig_done(&rig);
}

Test(api_drain, is_for_who_may_switch_over, .timeout = 10)
{
	struct driver driver = { .answers = true, .key = "UnixUserID", .uid = 1000 };
	struct answer answer = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	drain_from(&rig, &answer, ":1.7");
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_ACCESS_DENIED);
	cr_expect_str_eq(driver.action, "org.takeover1.switchover");
	cr_expect_str_eq(driver.details, "group=sip");
	cr_expect_eq(rig.agent.drains, 0);
	answer_done(&answer);
	driver_done(&driver);
	rig_done(&rig);
}

Test(api_drain, agent_hears_that_the_caller_has_gone, .timeout = 10)
{
	struct driver driver = { .answers = true, .key = "UnixUserID" };
	struct answer answer = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	drain_from(&rig, &answer, ":1.7");
	arrive(&rig, rig.agent.drains);
	go(&rig, ":1.8");
	cr_expect_eq(rig.agent.abandoned, 0);
	go(&rig, ":1.7");
	cr_expect_eq(rig.agent.abandoned, rig.agent.request);
	cr_expect_eq(api_reply_drained(rig.api, rig.agent.request, "beta", 0, 0), -ENOENT);
	driver_done(&driver);
	rig_done(&rig);
}

/* Before the bus has said who it is. */
Test(api_drain, who_goes_early_begins_nothing, .timeout = 10)
{
	struct driver driver = { .key = "UnixUserID" };
	struct answer answer = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	drain_from(&rig, &answer, ":1.7");
	settle(&rig);
	go(&rig, ":1.7");
	cr_expect_eq(rig.agent.drains, 0);
	cr_expect_eq(rig.agent.abandoned, 0);
	driver_done(&driver);
	rig_done(&rig);
}

/* Nobody drains whose end would not be noticed. */
Test(api_drain, caller_who_cannot_be_watched_is_refused, .timeout = 10)
{
	struct driver driver = { .answers = true, .key = "UnixUserID", .unwatchable = true };
	struct answer answer = { 0 };
	struct rig rig;

	start_driver(&rig, &driver);
	drain_from(&rig, &answer, ":1.7");
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), API_ERROR "Busy");
	settle(&rig);
	cr_expect_eq(rig.agent.abandoned, rig.agent.request, "if it was told to begin at all");
	answer_done(&answer);
	driver_done(&driver);
	rig_done(&rig);
}

Test(api_drain, end_of_the_api_is_the_end_of_it, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &answer, SIP, API_GROUP, "Drain", "t", UINT64_C(1));
	arrive(&rig, rig.agent.drains);
	rig.api = api_free(rig.api);
	cr_expect_eq(rig.agent.abandoned, rig.agent.request);
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), API_ERROR "OutcomeUnknown");
	answer_done(&answer);
	rig_done(&rig);
}

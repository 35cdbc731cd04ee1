/* SPDX-License-Identifier: MIT */

/* Requests with more to say: the options of a switchover, inhibition. */

#include "tests/bus_rig.h"

Test(api_request, options_of_a_switchover_reach_the_agent, .timeout = 10)
{
	struct answer answer = { 0 };
	const char *primary;
	uint64_t took_us;
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &answer, SIP, API_GROUP, "SwitchoverWithOptions", "a{sv}", 4, "to", "s", "beta",
	     "strict", "b", 1, "force", "b", 1, "deadline_usec", "t", UINT64_C(5000000));
	arrive(&rig, rig.agent.switchovers);
	cr_expect_str_eq(rig.agent.to, "beta");
	cr_expect(rig.agent.how.strict);
	cr_expect(rig.agent.how.force);
	cr_expect_eq(rig.agent.how.within_us, 5000000);
	cr_expect_eq(answer.times, 0);
	cr_expect_eq(api_reply_ok(rig.api, rig.agent.request, "beta", 123), 0);
	arrive(&rig, answer.times);
	MUST(sd_bus_message_read(answer.message, "st", &primary, &took_us));
	cr_expect_str_eq(primary, "beta");
	cr_expect_eq(took_us, 123);

	call(&rig, &answer, SIP, API_GROUP, "SwitchoverWithOptions", "a{sv}", 1, "strict", "b", 0);
	arrive(&rig, rig.agent.switchovers == 2);
	cr_expect_str_eq(rig.agent.to, "");
	cr_expect_not(rig.agent.how.strict);
	cr_expect_not(rig.agent.how.force);
	cr_expect_eq(rig.agent.how.within_us, 0);
	switchover(&rig, &answer);
	arrive(&rig, rig.agent.switchovers == 3);
	cr_expect_null(rig.agent.how.to);
	rig.api = api_free(rig.api);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api_request, options_that_are_not_understood_are_named, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &answer, SIP, API_GROUP, "SwitchoverWithOptions", "a{sv}", 2, "strict", "b", 1,
	     "fast", "b", 1);
	arrive(&rig, answer.times == 1);
	cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_INVALID_ARGS);
	cr_expect_str_eq(text_of(&answer), "There is no option \"fast\".");
	call(&rig, &answer, SIP, API_GROUP, "SwitchoverWithOptions", "a{sv}", 1, "deadline_usec",
	     "u", 5);
	arrive(&rig, answer.times == 2);
	cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_INVALID_ARGS);
	cr_expect_str_eq(text_of(&answer), "The option \"deadline_usec\" is of type t, not u.");
	call(&rig, &answer, SIP, API_GROUP, "SwitchoverWithOptions", "a{sv}", 1, "to", "as", 1,
	     "beta");
	arrive(&rig, answer.times == 3);
	cr_expect_str_eq(text_of(&answer), "The option \"to\" is of type s, not as.");
	cr_expect_eq(rig.agent.switchovers, 0);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api_request, inhibitor_gets_a_descriptor, .timeout = 10)
{
	struct answer answer = { 0 };
	struct pollfd other = { 0 };
	struct rig rig;
	int fd;

	rig_init(&rig);
	rig.agent.answer_at_once = "";
	rig_open_pair(&rig);
	rig_start(&rig);
	call(&rig, &answer, SIP, API_GROUP, "InhibitTakeover", "ss", "ann", "a repair");
	arrive(&rig, answer.times);
	MUST(sd_bus_message_read(answer.message, "h", &fd));
	cr_expect_str_eq(rig.agent.who, "ann");
	cr_expect_str_eq(rig.agent.why, "a repair");
	cr_expect_eq(rig.agent.uid, geteuid());

	other.fd = rig.agent.inhibitor;
	cr_expect_eq(poll(&other, 1, 0), 0, "it is open");
	answer_done(&answer); /* the message has it */
	cr_expect_eq(poll(&other, 1, 0), 1, "and nobody else has it");
	cr_expect_eq(api_reply_fd(rig.api, rig.agent.request, 0), -ENOENT);
	rig_done(&rig);
}

Test(api_request, inhibitor_says_who_and_why_in_a_line, .timeout = 10)
{
	char long_text[300];
	const char *const texts[] = { "", "two\nlines", "\033[31m", "\177", long_text };
	struct rig rig;

	memset(long_text, 'x', sizeof(long_text));
	long_text[257] = '\0';
	rig_start_pair(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct answer answer = { 0 };

		call(&rig, &answer, SIP, API_GROUP, "InhibitTakeover", "ss", texts[i], "why");
		arrive(&rig, answer.times == 1);
		cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_INVALID_ARGS);
		call(&rig, &answer, SIP, API_GROUP, "InhibitTakeover", "ss", "who", texts[i]);
		arrive(&rig, answer.times == 2);
		cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_INVALID_ARGS);
		answer_done(&answer);
	}
	cr_expect_eq(rig.agent.inhibits, 0);
	rig_done(&rig);
}

Test(api_request, inhibitors_are_a_property, .timeout = 10)
{
	struct answer answer = { 0 };
	const char *who, *why;
	struct rig rig;
	uint32_t uid;

	rig_start_pair(&rig);
	rig.agent.inhibitors[0] = (struct api_inhibitor){ "ann", "a repair", 1000 };
	rig.agent.groups[0].inhibitors = (struct api_inhibitors){ rig.agent.inhibitors, 1 };
	call(&rig, &answer, SIP, "org.freedesktop.DBus.Properties", "Get", "ss", API_GROUP,
	     "Inhibitors");
	arrive(&rig, answer.times);
	MUST(sd_bus_message_enter_container(answer.message, 'v', "a(ssu)"));
	MUST(sd_bus_message_read(answer.message, "a(ssu)", 1, &who, &why, &uid));
	cr_expect_str_eq(who, "ann");
	cr_expect_str_eq(why, "a repair");
	cr_expect_eq(uid, 1000);
	answer_done(&answer);
	rig_done(&rig);
}

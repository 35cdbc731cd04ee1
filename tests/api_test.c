/* SPDX-License-Identifier: MIT */

#include "tests/bus_rig.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECTS "org.freedesktop.DBus.ObjectManager"

enum { WAITING_MAX = 64 };

/* Without blanks at the start of lines and without their ends: one line. */
static char *squeeze(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (*from != '\n' && !(*from == ' ' && (from[1] == ' ' || from[1] == '<')))
			*to++ = *from;
	*to = '\0';
	return text;
}

Test(api, introspection_shows_every_member_with_its_signature, .timeout = 10)
{
	static const char *const members[] = {
		"<method name=\"Switchover\"><arg type=\"s\" name=\"primary\" direction=\"out\"/>"
		"<arg type=\"t\" name=\"took_us\" direction=\"out\"/></method>",
		"<method name=\"CanSwitchover\"><arg type=\"s\" name=\"answer\" direction=\"out\"/>"
		"<arg type=\"s\" name=\"why\" direction=\"out\"/></method>",
		"<method name=\"Explain\"><arg type=\"as\" name=\"sentences\" "
		"direction=\"out\"/></method>",
		"<method name=\"SetMaintenance\"><arg type=\"b\" name=\"on\" direction=\"in\"/>",
		"<method name=\"Announce\"></method>",
		"<signal name=\"RoleChanged\"><arg type=\"s\" name=\"role\"/>"
		"<arg type=\"s\" name=\"reason\"/></signal>",
		"<signal name=\"Event\"><arg type=\"s\" name=\"id\"/><arg type=\"s\" "
		"name=\"level\"/>"
		"<arg type=\"s\" name=\"text\"/><arg type=\"a{sv}\" name=\"fields\"/></signal>",
		"<property name=\"Name\" type=\"s\" access=\"read\">",
		"<property name=\"Role\" type=\"s\" access=\"read\">",
		"<property name=\"State\" type=\"s\" access=\"read\">",
		"<property name=\"Term\" type=\"t\" access=\"read\">",
		"<property name=\"Primary\" type=\"s\" access=\"read\">",
		"<property name=\"Reason\" type=\"s\" access=\"read\">",
		"<property name=\"Fit\" type=\"b\" access=\"read\">",
		"<property name=\"Unfit\" type=\"as\" access=\"read\">",
		"<property name=\"Maintenance\" type=\"b\" access=\"read\">",
		"<property name=\"RoleSinceUSec\" type=\"t\" access=\"read\">",
		"<property name=\"LastSwitchoverUSec\" type=\"t\" access=\"read\">",
		"<property name=\"VirtualAddresses\" type=\"as\" access=\"read\">",
		"<property name=\"SubInterfaces\" type=\"as\" access=\"read\">",
		"<property name=\"Checks\" type=\"a(ssstu)\" access=\"read\">",
		"<property name=\"Staged\" type=\"b\" access=\"read\">",
		"<property name=\"Nodes\" type=\"a(ssas)\" access=\"read\">",
		"<property name=\"Mode\" type=\"s\" access=\"read\">",
		"<property name=\"Redundancy\" type=\"s\" access=\"read\">",
		"<property name=\"Handover\" type=\"s\" access=\"read\">",
	};
	struct rig rig;
	char *xml;

	rig_start_pair(&rig);
	xml = squeeze(introspect(&rig, SIP));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		cr_expect(strstr(xml, members[i]), "no %s in\n%s", members[i], xml);
	free(xml);
	rig_done(&rig);
}

Test(api, only_counters_neither_stay_nor_announce_their_changes, .timeout = 10)
{
	static const struct {
		const char *path;
		int silent;
	} objects[] = { { API_PATH, 4 }, { SIP, 1 }, { API_PATH "/peer/beta", 1 } };
	struct rig rig;

	rig_start_pair(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		char *xml = introspect(&rig, objects[i].path);
		int silent = 0;

		for (char *at = xml; (at = strstr(at, "EmitsChangedSignal\" value=\"false\""));
		     at++)
			silent++;
		cr_expect_eq(silent, objects[i].silent, "%s: %d", objects[i].path, silent);
		free(xml);
	}
	rig_done(&rig);
}

Test(api, every_group_and_peer_is_a_managed_object, .timeout = 10)
{
	struct answer answer = { 0 };
	bool group = false, peer = false;
	struct rig rig;
	const char *path;

	rig_start_pair(&rig);
	call(&rig, &answer, API_PATH, OBJECTS, "GetManagedObjects", "");
	arrive(&rig, answer.times);
	MUST(sd_bus_message_enter_container(answer.message, 'a', "{oa{sa{sv}}}"));
	while (sd_bus_message_enter_container(answer.message, 'e', "oa{sa{sv}}") > 0) {
		MUST(sd_bus_message_read(answer.message, "o", &path));
		group = group || strcmp(path, SIP) == 0;
		peer = peer || strcmp(path, API_PATH "/peer/beta") == 0;
		MUST(sd_bus_message_skip(answer.message, "a{sa{sv}}"));
		MUST(sd_bus_message_exit_container(answer.message));
	}
	cr_expect(group);
	cr_expect(peer);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, manager_lists_groups_and_peers, .timeout = 10)
{
	struct answer groups = { 0 }, peers = { 0 };
	const char *path;
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &groups, API_PATH, PROPERTIES, "Get", "ss", API_MANAGER, "Groups");
	call(&rig, &peers, API_PATH, PROPERTIES, "Get", "ss", API_MANAGER, "Peers");
	arrive(&rig, groups.times && peers.times);
	MUST(sd_bus_message_read(groups.message, "v", "ao", 1, &path));
	cr_expect_str_eq(path, SIP);
	MUST(sd_bus_message_read(peers.message, "v", "ao", 1, &path));
	cr_expect_str_eq(path, API_PATH "/peer/beta");
	answer_done(&groups);
	answer_done(&peers);
	rig_done(&rig);
}

Test(api, properties_tell_what_the_agent_says_now, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;
	uint64_t term;
	int fit;

	rig_start_pair(&rig);
	rig.agent.groups[0].term = 8;
	rig.agent.groups[0].fit = false;
	rig.agent.groups[0].maintenance = true;
	call(&rig, &answer, SIP, PROPERTIES, "Get", "ss", API_GROUP, "Term");
	arrive(&rig, answer.times == 1);
	MUST(sd_bus_message_read(answer.message, "v", "t", &term));
	cr_expect_eq(term, 8);
	call(&rig, &answer, SIP, PROPERTIES, "Get", "ss", API_GROUP, "Fit");
	arrive(&rig, answer.times == 2);
	MUST(sd_bus_message_read(answer.message, "v", "b", &fit));
	cr_expect_eq(fit, 0);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, group_tells_what_each_node_is_to_it, .timeout = 10)
{
	const char *name[2], *state[2], *unfit;
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	rig.agent.nodes[1].state = "fault";
	rig.agent.unfit_there[0] = (char *)"link";
	call(&rig, &answer, SIP, PROPERTIES, "Get", "ss", API_GROUP, "Nodes");
	arrive(&rig, answer.times == 1);
	MUST(sd_bus_message_read(answer.message, "v", "a(ssas)", 2, &name[0], &state[0], 0,
				 &name[1], &state[1], 1, &unfit));
	cr_expect_str_eq(name[0], "alpha");
	cr_expect_str_eq(state[0], "primary");
	cr_expect_str_eq(name[1], "beta");
	cr_expect_str_eq(state[1], "fault");
	cr_expect_str_eq(unfit, "link");
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, switchover_is_answered_when_the_agent_answers_and_once, .timeout = 10)
{
	struct answer answer = { 0 };
	const char *primary;
	struct rig rig;
	uint64_t took;

	rig_start_pair(&rig);
	switchover(&rig, &answer);
	arrive(&rig, rig.agent.switchovers);
	settle(&rig);
	cr_expect_eq(answer.times, 0, "answered before it was done");
	cr_expect_eq(rig.agent.group, 0);
	cr_expect_neq(rig.agent.request, 0);

	cr_expect_eq(api_reply_ok(rig.api, rig.agent.request, "beta", 21400), 0);
	cr_expect_eq(api_reply_ok(rig.api, rig.agent.request, "beta", 21400), -ENOENT);
	cr_expect_eq(api_reply_error(rig.api, rig.agent.request, "Failed", NULL), -ENOENT);
	settle(&rig);
	cr_assert_eq(answer.times, 1);
	MUST(sd_bus_message_read(answer.message, "st", &primary, &took));
	cr_expect_str_eq(primary, "beta");
	cr_expect_eq(took, 21400);
	cr_expect_eq(rig.agent.switchovers, 1);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, agent_may_answer_while_it_is_asked, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	rig.agent.answer_at_once = "beta";
	switchover(&rig, &answer);
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), "");
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, two_callers_get_their_own_answers, .timeout = 10)
{
	struct answer first = { 0 }, second = { 0 };
	api_request request;
	struct rig rig;

	rig_start_pair(&rig);
	switchover(&rig, &first);
	arrive(&rig, rig.agent.switchovers == 1);
	request = rig.agent.request;
	switchover(&rig, &second);
	arrive(&rig, rig.agent.switchovers == 2);
	cr_assert_neq(request, rig.agent.request);

	MUST(api_reply_error(rig.api, rig.agent.request, "Busy", NULL));
	MUST(api_reply_ok(rig.api, request, "beta", 1));
	arrive(&rig, first.times && second.times);
	cr_expect_str_eq(error_of(&first), "");
	cr_expect_str_eq(error_of(&second), API_ERROR "Busy");
	answer_done(&first);
	answer_done(&second);
	rig_done(&rig);
}

Test(api, maintenance_is_handed_on_and_answered_without_a_value, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &answer, SIP, API_GROUP, "SetMaintenance", "b", 1);
	arrive(&rig, rig.agent.maintenances);
	cr_expect(rig.agent.on);
	settle(&rig);
	cr_expect_eq(answer.times, 0);
	MUST(api_reply_ok(rig.api, rig.agent.request, "beta", 1));
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), "");
	cr_expect_eq(sd_bus_message_is_empty(answer.message), 1);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, announce_is_answered_at_once, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &answer, SIP, API_GROUP, "Announce", "");
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), "");
	cr_expect_eq(rig.agent.announces, 1);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, announce_is_for_the_primary, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	rig.agent.groups[0].role = "backup";
	call(&rig, &answer, SIP, API_GROUP, "Announce", "");
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), API_ERROR "NotHeld");
	cr_expect_str_eq(text_of(&answer), "This node is not primary.");
	cr_expect_eq(rig.agent.announces, 0);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, late_answer_to_a_caller_of_before_finds_nobody, .timeout = 10)
{
	struct answer before = { 0 }, answer = { 0 };
	struct rig rig;
	api_request old;

	rig_start_pair(&rig);
	switchover(&rig, &before);
	arrive(&rig, rig.agent.switchovers == 1);
	old = rig.agent.request;
	rig.api = api_free(rig.api);
	arrive(&rig, before.times);

	MUST(api_new(rig.server, &rig.ops, &rig.agent, &rig.api));
	switchover(&rig, &answer);
	arrive(&rig, rig.agent.switchovers == 2);
	cr_expect_eq(api_reply_ok(rig.api, old, "beta", 1), -ENOENT);
	settle(&rig);
	cr_expect_eq(answer.times, 0);
	answer_done(&before);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, can_switchover_says_yes_or_no_and_why, .timeout = 10)
{
	struct answer answer = { 0 };
	const char *yes, *why;
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &answer, SIP, API_GROUP, "CanSwitchover", "");
	arrive(&rig, answer.times == 1);
	MUST(sd_bus_message_read(answer.message, "ss", &yes, &why));
	cr_expect_str_eq(yes, "yes");
	cr_expect_str_eq(why, "");
	rig.agent.cannot = "beta is unfit: link";
	call(&rig, &answer, SIP, API_GROUP, "CanSwitchover", "");
	arrive(&rig, answer.times == 2);
	MUST(sd_bus_message_read(answer.message, "ss", &yes, &why));
	cr_expect_str_eq(yes, "no");
	cr_expect_str_eq(why, "beta is unfit: link");
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, explain_hands_on_the_sentences_of_the_agent, .timeout = 10)
{
	static char *sentences[] = { (char *)"sip: alpha has been primary.", (char *)"So it is.",
				     NULL };
	struct answer answer = { 0 };
	const char *first, *second;
	struct rig rig;

	rig_start_pair(&rig);
	rig.agent.sentences = sentences;
	call(&rig, &answer, SIP, API_GROUP, "Explain", "");
	arrive(&rig, answer.times == 1);
	MUST(sd_bus_message_read(answer.message, "as", 2, &first, &second));
	cr_expect_str_eq(first, sentences[0]);
	cr_expect_str_eq(second, sentences[1]);
	rig.agent.sentences = NULL; /* no memory for them: an answer all the same */
	call(&rig, &answer, SIP, API_GROUP, "Explain", "");
	arrive(&rig, answer.times == 2);
	cr_expect(sd_bus_message_is_method_error(answer.message, SD_BUS_ERROR_NO_MEMORY));
	cr_expect_eq(rig.agent.explanations, 2);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, each_error_has_our_name_and_a_sentence, .timeout = 10)
{
	static const char *const errors[] = { "NotFit",		"PeerUnreachable", "Timeout",
					      "Busy",		"NotHeld",	   "Failed",
					      "OutcomeUnknown", "NoSuchGroup" };
	struct rig rig;

	rig_start_pair(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct answer answer = { 0 };
		char name[64];

		switchover(&rig, &answer);
		arrive(&rig, rig.agent.switchovers == (int)i + 1);
		MUST(api_reply_error(rig.api, rig.agent.request, errors[i], NULL));
		arrive(&rig, answer.times);
		(void)snprintf(name, sizeof(name), "%s%s", API_ERROR, errors[i]);
		cr_expect_str_eq(error_of(&answer), name);
		cr_expect_eq(text_of(&answer)[strlen(text_of(&answer)) - 1], '.');
		answer_done(&answer);
	}
	rig_done(&rig);
}

Test(api, agents_own_sentence_wins_and_an_unknown_error_is_a_failure, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	switchover(&rig, &answer);
	arrive(&rig, rig.agent.switchovers);
	MUST(api_reply_error(rig.api, rig.agent.request, "no such name!", "eth0 is gone."));
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), API_ERROR "Failed");
	cr_expect_str_eq(text_of(&answer), "eth0 is gone.");
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, unknown_group_is_named, .timeout = 10)
{
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	call(&rig, &answer, API_PATH "/group/sipp", API_GROUP, "Switchover", "");
	arrive(&rig, answer.times == 1);
	cr_expect_str_eq(error_of(&answer), API_ERROR "NoSuchGroup");
	cr_expect_str_eq(text_of(&answer), "There is no group \"sipp\" here.");
	call(&rig, &answer, API_PATH "/group/sipp", PROPERTIES, "Get", "ss", API_GROUP, "Role");
	arrive(&rig, answer.times == 2);
	cr_expect_str_eq(error_of(&answer), API_ERROR "NoSuchGroup");
	call(&rig, &answer, SIP "/sip", API_GROUP, "Switchover", "");
	arrive(&rig, answer.times == 3);
	cr_expect_str_eq(error_of(&answer), API_ERROR "NoSuchGroup");
	call(&rig, &answer, API_PATH "/group/_ff", API_GROUP, "Switchover", "");
	arrive(&rig, answer.times == 4);
	cr_expect_str_eq(error_of(&answer), API_ERROR "NoSuchGroup");
	cr_expect_str_eq(text_of(&answer), "There is no group of this name here.");
	call(&rig, &answer, API_PATH "/peer/gamma", PROPERTIES, "Get", "ss", API_PEER, "State");
	arrive(&rig, answer.times == 5);
	cr_expect_str_eq(error_of(&answer), SD_BUS_ERROR_UNKNOWN_OBJECT);
	cr_expect_eq(rig.agent.switchovers, 0);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, any_name_makes_an_object, .timeout = 10)
{
	static const char *const names[] = { "sip-eu/1", "0", "Büro", "a b" };
	struct rig rig;

	rig_init(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		rig.agent.groups[i].name = names[i];
	rig.ops.n_groups = ARRAY_SIZE(names);
	rig.agent.peers[0].name = "node-1.example.org";
	rig_open_pair(&rig);
	rig_start(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct answer answer = { 0 };
		const char *name;
		char *path;

		MUST(sd_bus_path_encode(API_PATH "/group", names[i], &path));
		call(&rig, &answer, path, PROPERTIES, "Get", "ss", API_GROUP, "Name");
		arrive(&rig, answer.times == 1);
		cr_assert_str_eq(error_of(&answer), "");
		MUST(sd_bus_message_read(answer.message, "v", "s", &name));
		cr_expect_str_eq(name, names[i]);
		call(&rig, &answer, path, API_GROUP, "Announce", "");
		arrive(&rig, answer.times == 2);
		cr_expect_eq(rig.agent.group, i);
		answer_done(&answer);
		free(path);
	}
	free(introspect(&rig, API_PATH "/peer/node_2d1_2eexample_2eorg"));
	rig_done(&rig);
}

Test(api, end_of_the_api_answers_who_still_waits, .timeout = 10)
{
	struct answer answer = { 0 }, after = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	switchover(&rig, &answer);
	arrive(&rig, rig.agent.switchovers);
	rig.api = api_free(rig.api);
	arrive(&rig, answer.times);
	cr_expect_str_eq(error_of(&answer), API_ERROR "OutcomeUnknown");

	switchover(&rig, &after);
	arrive(&rig, after.times);
	cr_expect_str_eq(error_of(&after), SD_BUS_ERROR_UNKNOWN_OBJECT);
	answer_done(&answer);
	answer_done(&after);
	rig_done(&rig);
}

/* Each takes the loop some ms, and anybody may ask. takeoverctl asks once for each group. */
Test(api, explain_is_not_done_all_day_long, .timeout = 30)
{
	enum { AT_ONCE = 128, MANY = 1000 };
	static char *sentences[] = { NULL };
	struct answer answer = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	rig.agent.sentences = sentences;
	for (int i = 0; i < AT_ONCE; i++)
		call(&rig, &answer, SIP, API_GROUP, "Explain", "");
	arrive(&rig, answer.times == AT_ONCE);
	cr_expect_eq(rig.agent.explanations, AT_ONCE);
	for (int i = 0; i < MANY; i++)
		call(&rig, &answer, SIP, API_GROUP, "Explain", "");
	arrive(&rig, answer.times == AT_ONCE + MANY);
	cr_expect_str_eq(error_of(&answer), API_ERROR "Busy");
	cr_expect_lt(rig.agent.explanations, AT_ONCE + MANY);
	answer_done(&answer);
	rig_done(&rig);
}

Test(api, one_caller_too_many_hears_busy_until_another_is_answered, .timeout = 10)
{
	struct answer waiting = { 0 }, refused = { 0 }, again = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	for (int i = 0; i < WAITING_MAX; i++)
		switchover(&rig, &waiting);
	arrive(&rig, rig.agent.switchovers == WAITING_MAX);
	switchover(&rig, &refused);
	arrive(&rig, refused.times);
	cr_expect_str_eq(error_of(&refused), API_ERROR "Busy");
	cr_expect_eq(rig.agent.switchovers, WAITING_MAX);

	MUST(api_reply_ok(rig.api, rig.agent.request, "beta", 1));
	switchover(&rig, &again);
	arrive(&rig, rig.agent.switchovers == WAITING_MAX + 1);
	rig.api = api_free(rig.api);
	arrive(&rig, waiting.times == WAITING_MAX && again.times);
	answer_done(&waiting);
	answer_done(&refused);
	answer_done(&again);
	rig_done(&rig);
}

/* SPDX-License-Identifier: MIT */

#include "tests/bus_rig.h"

/* Signals that have come, each as "Member name name ..." for changed properties. */
struct heard {
	int times;
	char text[512];
};

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct heard *heard = userdata;
	const char *name;

	(void)error;
	if (strcmp(sd_bus_message_get_member(m) ?: "", "PropertiesChanged") != 0)
		return 0;
	heard->times++;
	(void)snprintf(heard->text, sizeof(heard->text), "%s", sd_bus_message_get_path(m));
	MUST(sd_bus_message_skip(m, "s"));
	MUST(sd_bus_message_enter_container(m, 'a', "{sv}"));
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
		MUST(sd_bus_message_read(m, "s", &name));
		strcat(strcat(heard->text, " "), name);
		MUST(sd_bus_message_skip(m, "v"));
		MUST(sd_bus_message_exit_container(m));
	}
	return 0;
}

Test(api_signal, only_what_differs_is_announced, .timeout = 10)
{
	struct heard heard = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	MUST(sd_bus_add_filter(rig.client, NULL, on_signal, &heard));
	MUST(api_group_changed(rig.api, 0));
	MUST(api_peer_changed(rig.api, 0));
	settle(&rig);
	cr_expect_eq(heard.times, 0, "nothing has changed, but: %s", heard.text);

	rig.agent.groups[0].state = "yielding";
	rig.agent.groups[0].term = 8;
	MUST(api_group_changed(rig.api, 0));
	settle(&rig);
	cr_expect_eq(heard.times, 1);
	cr_expect_str_eq(heard.text, SIP " State Term");

	rig.agent.groups[0].fit = false;
	rig.agent.unfit[0] = (char *)"link";
	MUST(api_group_changed(rig.api, 0));
	settle(&rig);
	cr_expect_eq(heard.times, 2);
	cr_expect_str_eq(heard.text, SIP " Fit Unfit Nodes");

	rig.agent.inhibitors[0] = (struct api_inhibitor){ "ann", "a repair", 0 };
	rig.agent.groups[0].inhibitors = (struct api_inhibitors){ rig.agent.inhibitors, 1 };
	MUST(api_group_changed(rig.api, 0));
	settle(&rig);
	cr_expect_eq(heard.times, 3);
	cr_expect_str_eq(heard.text, SIP " Inhibitors");
	rig.agent.inhibitors[0].uid = 1000;
	MUST(api_group_changed(rig.api, 0));
	settle(&rig);
	cr_expect_eq(heard.times, 4);
	heard.times = 2;

	rig.agent.unfit[0] = (char *)"link", rig.agent.unfit[1] = (char *)"sync";
	MUST(api_group_changed(rig.api, 0));
	rig.agent.unfit[0] = (char *)"links", rig.agent.unfit[1] = (char *)"ync";
	MUST(api_group_changed(rig.api, 0));
	settle(&rig);
	cr_expect_eq(heard.times, 4);
	cr_expect_str_eq(heard.text, SIP " Unfit Nodes");

	rig.agent.paths[0].sent++; /* a counter: nobody is told */
	MUST(api_peer_changed(rig.api, 0));
	settle(&rig);
	cr_expect_eq(heard.times, 4);
	rig.agent.peers[0].state = "silent";
	MUST(api_peer_changed(rig.api, 0));
	MUST(api_peer_changed(rig.api, 0));
	settle(&rig);
	cr_expect_eq(heard.times, 5);
	cr_expect_str_eq(heard.text, API_PATH "/peer/beta State");
	rig_done(&rig);
}

Test(api_signal, other_nodes_are_announced_when_they_change, .timeout = 10)
{
	struct heard heard = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	MUST(sd_bus_add_filter(rig.client, NULL, on_signal, &heard));
	rig.agent.nodes[1].state = "fault";
	rig.agent.unfit_there[0] = (char *)"link";
	MUST(api_group_changed(rig.api, 0));
	MUST(api_group_changed(rig.api, 0));
	settle(&rig);
	cr_expect_eq(heard.times, 1);
	cr_expect_str_eq(heard.text, SIP " Nodes");
	rig.agent.unfit_there[1] = (char *)"check";
	MUST(api_group_changed(rig.api, 0));
	settle(&rig);
	cr_expect_eq(heard.times, 2);
	rig_done(&rig);
}

static int keep_signal(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *interface = sd_bus_message_get_interface(m) ?: "";

	if (strcmp(interface, API_GROUP) != 0 && strcmp(interface, API_MANAGER) != 0)
		return 0;
	return on_answer(m, userdata, error);
}

Test(api_signal, role_and_event_signals_carry_their_values, .timeout = 10)
{
	static const struct api_field fields[] = { { "Group", "sip" }, { "Node", "alpha" } };
	static const struct api_event role = { .id = "00-04561",
					       .level = "Standard",
					       .text = "Hot Standby (backup) mode activated",
					       .category = "role",
					       .number = 7,
					       .time_us = 1234567,
					       .fields = fields,
					       .n_fields = ARRAY_SIZE(fields) };
	static const struct api_event node = {
		.id = "01-00401", .level = "Standard", .text = "beta is heard", .category = "peer"
	};
	const char *s[3], *key[5], *value[5];
	uint64_t number, time_us;
	struct answer signals = { 0 };
	struct rig rig;

	rig_start_pair(&rig);
	MUST(sd_bus_add_filter(rig.client, NULL, keep_signal, &signals));
	MUST(api_role_changed(rig.api, 0, "backup", "switchover"));
	arrive(&rig, signals.times == 1);
	cr_expect_str_eq(sd_bus_message_get_path(signals.message), SIP);
	cr_expect_str_eq(sd_bus_message_get_member(signals.message), "RoleChanged");
	MUST(sd_bus_message_read(signals.message, "ss", &s[0], &s[1]));
	cr_expect_str_eq(s[0], "backup");
	cr_expect_str_eq(s[1], "switchover");

	MUST(api_role_changing(rig.api, 0, "primary", "peer-dead"));
	arrive(&rig, signals.times == 2);
	cr_expect_str_eq(sd_bus_message_get_member(signals.message), "RoleChanging");
	MUST(sd_bus_message_read(signals.message, "ss", &s[0], &s[1]));
	cr_expect_str_eq(s[0], "primary");
	cr_expect_str_eq(s[1], "peer-dead");

	MUST(api_event(rig.api, 0, &role));
	arrive(&rig, signals.times == 3);
	cr_expect_str_eq(sd_bus_message_get_member(signals.message), "Event");
	cr_expect_str_eq(sd_bus_message_get_path(signals.message), SIP);
	MUST(sd_bus_message_read(signals.message, "sssa{sv}", &s[0], &s[1], &s[2], 5, &key[0], "t",
				 &number, &key[1], "t", &time_us, &key[2], "s", &value[2], &key[3],
				 "s", &value[3], &key[4], "s", &value[4]));
	cr_expect_str_eq(s[0], "00-04561");
	cr_expect_str_eq(s[1], "Standard");
	cr_expect_str_eq(s[2], "Hot Standby (backup) mode activated");
	cr_expect_str_eq(key[0], "Number");
	cr_expect_eq(number, 7);
	cr_expect_str_eq(key[1], "TimeUSec");
	cr_expect_eq(time_us, 1234567);
	cr_expect_str_eq(key[2], "Category");
	cr_expect_str_eq(value[2], "role");
	cr_expect_str_eq(key[3], "Group");
	cr_expect_str_eq(value[3], "sip");
	cr_expect_str_eq(key[4], "Node");
	cr_expect_str_eq(value[4], "alpha");

	MUST(api_event(rig.api, API_NO_GROUP, &node));
	arrive(&rig, signals.times == 4);
	cr_expect_str_eq(sd_bus_message_get_path(signals.message), API_PATH);
	cr_expect_str_eq(sd_bus_message_get_interface(signals.message), API_MANAGER);
	answer_done(&signals);
	rig_done(&rig);
}

/* What one answer of ListEvents() has, as "NUMBER id; ". */
static const char *list_events(struct rig *rig, uint64_t since_us, uint64_t after)
{
	struct answer answer = { 0 };
	static char text[256];
	const char *id, *level, *sentence, *key;
	uint64_t number;

	call(rig, &answer, API_PATH, API_MANAGER, "ListEvents", "tt", since_us, after);
	arrive(rig, answer.times);
	cr_assert_str_eq(error_of(&answer), "");
	*text = '\0';
	MUST(sd_bus_message_enter_container(answer.message, 'a', "(sssa{sv})"));
	while (sd_bus_message_enter_container(answer.message, 'r', "sssa{sv}") > 0) {
		MUST(sd_bus_message_read(answer.message, "sss", &id, &level, &sentence));
		MUST(sd_bus_message_enter_container(answer.message, 'a', "{sv}"));
		MUST(sd_bus_message_read(answer.message, "{sv}", &key, "t", &number));
		cr_expect_str_eq(key, "Number");
		while (sd_bus_message_skip(answer.message, "{sv}") > 0)
			;
		MUST(sd_bus_message_exit_container(answer.message));
		MUST(sd_bus_message_exit_container(answer.message));
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d %s; ",
			       (int)number, id);
	}
	answer_done(&answer);
	return text;
}

Test(api_signal, events_are_listed_by_time_and_number, .timeout = 10)
{
	struct rig rig;

	rig_start_pair(&rig);
	cr_expect_str_eq(list_events(&rig, 0, 0), "");
	for (size_t i = 0; i < 3; i++)
		rig.agent.events[i] = (struct api_event){ .id = i == 1 ? "01-00402" : "01-00401",
							  .level = "Standard",
							  .text = "x",
							  .category = "peer",
							  .number = 5 + i,
							  .time_us = 100 * i };
	cr_expect_str_eq(list_events(&rig, 0, 0), "5 01-00401; 6 01-00402; 7 01-00401; ");
	cr_expect_str_eq(list_events(&rig, 100, 0), "6 01-00402; 7 01-00401; ");
	cr_expect_str_eq(list_events(&rig, 0, 6), "7 01-00401; ");
	cr_expect_str_eq(list_events(&rig, 0, 7), "");
	rig_done(&rig);
}

static bool endless_events(void *ctx, uint64_t since_us, uint64_t after, struct api_event *ret)
{
	(void)ctx, (void)since_us;
	*ret = (struct api_event){ "01-00401", "Standard", "x", "peer", after + 1, 0, NULL, 0 };
	return true;
}

Test(api_signal, one_answer_has_a_hundred_events_and_too_many_are_refused, .timeout = 30)
{
	struct answer answer = { 0 };
	unsigned n = 0;
	struct rig rig;

	rig_start_pair(&rig);
	rig.ops.next_event = endless_events;
	call(&rig, &answer, API_PATH, API_MANAGER, "ListEvents", "tt", (uint64_t)0, (uint64_t)0);
	arrive(&rig, answer.times);
	MUST(sd_bus_message_enter_container(answer.message, 'a', "(sssa{sv})"));
	while (sd_bus_message_skip(answer.message, "(sssa{sv})") > 0)
		n++;
	cr_expect_eq(n, 100);
	answer_done(&answer);
	for (n = 0; n < 1000 && !*error_of(&answer); n++) {
		answer_done(&answer);
		call(&rig, &answer, API_PATH, API_MANAGER, "ListEvents", "tt", (uint64_t)0,
		     (uint64_t)0);
		pump(&rig, answer.times == (int)n + 2);
	}
	cr_expect_str_eq(error_of(&answer), API_ERROR "Busy");
	answer_done(&answer);
	rig_done(&rig);
}

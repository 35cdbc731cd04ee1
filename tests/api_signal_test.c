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
	if (strcmp(sd_bus_message_get_interface(m) ?: "", API_GROUP) != 0)
		return 0;
	return on_answer(m, userdata, error);
}

Test(api_signal, role_and_event_signals_carry_their_values, .timeout = 10)
{
	static const struct api_event role = { .id = "00-04561",
					       .level = "Standard",
					       .text = "Hot Standby (backup) mode activated" };
	static const struct api_event link = {
		.id = "TK-0020", .level = "Info", .text = "interface eth7 runs", .interface = "eth7"
	};
	static const struct api_event stranger = { "TK-0013", "Error",	   "x",
						   "eth7",    "192.0.2.3", "02:00:5e:10:20:30" };
	const char *s[3], *key[5], *value[5];
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
	MUST(sd_bus_message_read(signals.message, "sssa{sv}", &s[0], &s[1], &s[2], 2, &key[0], "s",
				 &value[0], &key[1], "s", &value[1]));
	cr_expect_str_eq(s[0], "00-04561");
	cr_expect_str_eq(s[1], "Standard");
	cr_expect_str_eq(s[2], "Hot Standby (backup) mode activated");
	cr_expect_str_eq(key[0], "Group");
	cr_expect_str_eq(value[0], "sip");
	cr_expect_str_eq(key[1], "Node");
	cr_expect_str_eq(value[1], "alpha");

	MUST(api_event(rig.api, 0, &link));
	arrive(&rig, signals.times == 4);
	MUST(sd_bus_message_read(signals.message, "sssa{sv}", &s[0], &s[1], &s[2], 3, &key[0], "s",
				 &value[0], &key[1], "s", &value[1], &key[2], "s", &value[2]));
	cr_expect_str_eq(s[2], "interface eth7 runs");
	cr_expect_str_eq(value[1], "alpha");
	cr_expect_str_eq(key[2], "Interface");
	cr_expect_str_eq(value[2], "eth7");

	MUST(api_event(rig.api, 0, &stranger));
	arrive(&rig, signals.times == 5);
	MUST(sd_bus_message_read(signals.message, "sssa{sv}", &s[0], &s[1], &s[2], 5, &key[0], "s",
				 &value[0], &key[1], "s", &value[1], &key[2], "s", &value[2],
				 &key[3], "s", &value[3], &key[4], "s", &value[4]));
	cr_expect_str_eq(value[2], "eth7");
	cr_expect_str_eq(key[3], "Address");
	cr_expect_str_eq(value[3], "192.0.2.3");
	cr_expect_str_eq(key[4], "MAC");
	cr_expect_str_eq(value[4], "02:00:5e:10:20:30");
	answer_done(&signals);
	rig_done(&rig);
}

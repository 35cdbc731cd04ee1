/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf_keys.h"

#define MS(n) ((n)*USEC_PER_MSEC)
#define SEC(n) ((n)*USEC_PER_SEC)
#define RANGE(least, most) .min = (least), .max = (most)
#define WORDS(no, yes) .words = { no, yes }
#define KEY(s, n, d, k, o) .section = (s), .name = (n), .fallback = (d), .kind = &(k), .offset = (o)
#define AGENT(n, d, k, f) KEY(CONF_SECTION_AGENT, n, d, k, offsetof(struct conf, f))
#define NODE(n, d, k, f) KEY(CONF_SECTION_NODE, n, d, k, offsetof(struct conf_node, f))
#define REACTION(n, d, k, f) KEY(CONF_SECTION_REACTION, n, d, k, offsetof(struct conf_reaction, f))
#define GROUP(n, d, k, f) KEY(CONF_SECTION_GROUP, n, d, k, offsetof(struct conf_group, f))

/*
 * Interval= and DeadTime= reach from far below what DESIGN section 7 promises
 * (5 ms, 30 ms) to far above what a LAN needs; Mark= + 1 has to be a mark too.
 */
/* clang-format off */
static const struct conf_key table[] = {
	{ AGENT("KeyFile", CONF_KEY_FILE, conf_kind_path, key_file), .local = true },
	{ AGENT("Authentication", "yes", conf_kind_choice, authenticate), WORDS("none", "yes") },
	{ AGENT("Port", "7373", conf_kind_u16, port), RANGE(1, UINT16_MAX) },
	{ AGENT("Mark", "0x7a6b0001", conf_kind_mark, mark), RANGE(1, UINT32_MAX - 1) },
	{ AGENT("Interval", "50ms", conf_kind_time, interval_us), RANGE(MS(1), SEC(10)) },
	{ AGENT("Lease", "350ms", conf_kind_time, lease_us), RANGE(MS(10), SEC(60)) },
	{ AGENT("DeadTime", "500ms", conf_kind_time, dead_us), RANGE(MS(10), SEC(120)) },
	{ AGENT("StartWait", "5s", conf_kind_time, start_wait_us), RANGE(0, SEC(600)) },
	{ AGENT("RestartHold", "3s", conf_kind_time, restart_hold_us), RANGE(0, SEC(60)) },
	{ AGENT("TimeoutStep", "8s", conf_kind_time, step_us), RANGE(MS(10), SEC(600)) },
	{ AGENT("Probe", "200ms", conf_kind_time, probe_us), RANGE(0, SEC(10)) },
	{ AGENT("AddressLifetime", "60s", conf_kind_seconds, address_lifetime_s),
	  RANGE(SEC(2), SEC(86400)) },
	{ AGENT("Announce", "10ms 100ms 1s 3s", conf_kind_times, announce_us),
	  RANGE(MS(1), SEC(60)) },
	{ AGENT("AnnounceRefresh", "0", conf_kind_seconds, announce_refresh_s),
	  RANGE(0, SEC(3600)) },

	{ NODE("Address", NULL, conf_kind_address, paths) },
	{ NODE("Priority", "100", conf_kind_u16, priority), RANGE(1, UINT16_MAX) },

	{ GROUP("VirtualAddress", NULL, conf_kind_vip, vips) },
	{ GROUP("Mode", "alias", conf_kind_mode, mode) },
	{ GROUP("SubInterface", NULL, conf_kind_sub, subs) },
	{ GROUP("Stage", "auto", conf_kind_stage, stage) },
	{ GROUP("Handover", "seamless", conf_kind_choice, core.strict),
	  WORDS("seamless", "strict") },
	{ GROUP("Redundancy", "warm", conf_kind_choice, core.hot), WORDS("warm", "hot") },
	{ GROUP("Unit", NULL, conf_kind_unit, unit) },
	{ GROUP("UnitGrace", "5s", conf_kind_time, unit_grace_us), RANGE(0, SEC(600)) },
	{ GROUP("Check", NULL, conf_kind_checks, checks) },
	{ GROUP("Interval", "1s", conf_kind_time, check_interval_us), RANGE(MS(100), SEC(3600)) },
	{ GROUP("Timeout", "500ms", conf_kind_time, check_timeout_us), RANGE(MS(10), SEC(60)) },
	{ GROUP("Rise", "2", conf_kind_u16, check_rise), RANGE(1, 100) },
	{ GROUP("Fall", "3", conf_kind_u16, check_fall), RANGE(1, 100) },
	{ GROUP("OnFail", "unfit", conf_kind_choice, check_unfit), WORDS("event", "unfit") },
	{ GROUP("BeforeRelease", NULL, conf_kind_steps, before_release) },
	{ GROUP("BeforeClaim", NULL, conf_kind_steps, before_claim) },
	{ GROUP("Preempt", "no", conf_kind_bool, core.preempt), WORDS("no", "yes") },
	{ GROUP("WhenAlone", "keep", conf_kind_choice, core.keep_alone), WORDS("release", "keep") },
	{ GROUP("LastResort", "3s", conf_kind_time, core.last_resort_us), RANGE(MS(10), SEC(600)) },
	{ GROUP("Linger", "20ms", conf_kind_time, core.linger_us), RANGE(0, SEC(10)) },

	{ REACTION("Event", NULL, conf_kind_events, events) },
	{ REACTION("Group", NULL, conf_kind_groups, groups) },
	{ REACTION("From", "self", conf_kind_from, from) },
	{ REACTION("Role", "any", conf_kind_role, role) },
	{ REACTION("Node", NULL, conf_kind_where, node) },
	{ REACTION("Unit", NULL, conf_kind_own_unit, unit) },
	{ REACTION("Run", NULL, conf_kind_command, command) },
	{ REACTION("WorkingDirectory", NULL, conf_kind_directory, directory) },
	{ REACTION("User", NULL, conf_kind_user, user) },
	{ REACTION("Environment", NULL, conf_kind_environment, environment) },
	{ REACTION("Timeout", "8s", conf_kind_time, timeout_us), RANGE(MS(100), SEC(3600)) },
	{ REACTION("CancelTimeout", "1s", conf_kind_time, cancel_us), RANGE(0, SEC(60)) },
};
/* clang-format on */

static_assert(ARRAY_SIZE(table) <= CONF_KEYS_MAX, "origins have room for every key");

/**
 * conf_keys() - The table of keys.
 * @ret_n: number of keys
 *
 * Return: the first key; those of a section stand together.
 */
const struct conf_key *conf_keys(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(table);
	return table;
}

/**
 * conf_section_name() - The word that opens a section.
 * @section: which
 *
 * Return: "Agent", "Node", "Group" or "Reaction".
 */
const char *conf_section_name(enum conf_section section)
{
	static const char *const names[_CONF_SECTION_MAX] = {
		[CONF_SECTION_AGENT] = "Agent",
		[CONF_SECTION_NODE] = "Node",
		[CONF_SECTION_GROUP] = "Group",
		[CONF_SECTION_REACTION] = "Reaction",
	};

	assert(section < _CONF_SECTION_MAX);
	return names[section];
}

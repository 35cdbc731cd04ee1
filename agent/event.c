/* SPDX-License-Identifier: MIT */

#include <stdarg.h>
#include <stdio.h>

#include "agent/event.h"

/*
 * The first four have the ids and words of the system whose job this is. Ours are numbered in the
 * same shape; within a category there is room for more.
 */
static const struct event_kind kinds[_EVENT_MAX] = {
	[EVENT_WARM_BACKUP] = { "00-04560", "warm-backup", "f864b73ec08b4450a1848e9028a56ebe",
				LOG_LEVEL_NOTICE, EVENT_CATEGORY_ROLE, true },
	[EVENT_HOT_BACKUP] = { "00-04561", "hot-backup", "08376a74125b4c6989dcd52b0ea421bf",
			       LOG_LEVEL_NOTICE, EVENT_CATEGORY_ROLE, true },
	[EVENT_WARM_PRIMARY] = { "00-04562", "warm-primary", "17f465eeacd94f579d89af2cdca0eb46",
				 LOG_LEVEL_NOTICE, EVENT_CATEGORY_ROLE, true },
	[EVENT_HOT_PRIMARY] = { "00-04563", "hot-primary", "e1cf2035058e44f0bc410a56bf277642",
				LOG_LEVEL_NOTICE, EVENT_CATEGORY_ROLE, true },
	[EVENT_BACKUP] = { "01-00101", "backup", "60c44e8b9bdf4d64954664fbb9aaaea2", LOG_LEVEL_INFO,
			   EVENT_CATEGORY_ROLE, true },
	[EVENT_CLAIMING] = { "01-00102", "claiming", "6984ed968f014696b6ec8a1a2da4d233",
			     LOG_LEVEL_INFO, EVENT_CATEGORY_ROLE, true },
	[EVENT_PRIMARY] = { "01-00103", "primary", "ded01bb4deca4a3480a1e18202c8a60c",
			    LOG_LEVEL_INFO, EVENT_CATEGORY_ROLE, true },
	[EVENT_YIELDING] = { "01-00104", "yielding", "17040837d6e746778948c11453031f43",
			     LOG_LEVEL_INFO, EVENT_CATEGORY_ROLE, true },
	[EVENT_FAULT] = { "01-00105", "fault", "9c9cf5bde6344819b067c82aa25ad626",
			  LOG_LEVEL_WARNING, EVENT_CATEGORY_ROLE, true },
	[EVENT_MAINTENANCE] = { "01-00106", "maintenance", "2356d5b654b54a618381e920ccd993ec",
				LOG_LEVEL_INFO, EVENT_CATEGORY_ROLE, true },
	[EVENT_ADOPTED] = { "01-00107", "adopted", "74911a40aead4457a75b59a9df01c7e1",
			    LOG_LEVEL_NOTICE, EVENT_CATEGORY_ROLE, true },
	[EVENT_CONFLICT] = { "01-00110", "conflict", "4ecc7e69b0e54df08f43f87bdaf34c5d",
			     LOG_LEVEL_ERROR, EVENT_CATEGORY_ROLE, true },
	[EVENT_CONFLICT_WON] = { "01-00111", "conflict-won", "261b5219a26746878b815a3763d5a05f",
				 LOG_LEVEL_NOTICE, EVENT_CATEGORY_ROLE, true },
	[EVENT_CONFLICT_LOST] = { "01-00112", "conflict-lost", "b89f1de039af40e4bff107ed72ad56c1",
				  LOG_LEVEL_WARNING, EVENT_CATEGORY_ROLE, true },
	[EVENT_LEASE_LAPSED] = { "01-00120", "lease-lapsed", "77da215c43d449eba61f676d1eac5e82",
				 LOG_LEVEL_ERROR, EVENT_CATEGORY_ROLE, true },
	[EVENT_MOVE_FAILED] = { "01-00201", "move-failed", "2cd152a289e546c5bf661c855bfce0c1",
				LOG_LEVEL_ERROR, EVENT_CATEGORY_MOVE, true },
	[EVENT_REFUSED] = { "01-00202", "refused", "f124d1a92fc5423a924ffc3eb72c297e",
			    LOG_LEVEL_WARNING, EVENT_CATEGORY_MOVE, true },
	[EVENT_DRIFT] = { "01-00301", "drift", "ad4997d35cc74e9d91cdf1bb503ebc3d",
			  LOG_LEVEL_WARNING, EVENT_CATEGORY_ADDRESS, true },
	[EVENT_REPAIRED] = { "01-00302", "repaired", "5fc2b045a11a4f2898fafed223314d21",
			     LOG_LEVEL_NOTICE, EVENT_CATEGORY_ADDRESS, true },
	[EVENT_DRIFT_GIVEN_UP] = { "01-00303", "drift-given-up", "9633e61855514f9b8240f45a39077f82",
				   LOG_LEVEL_ERROR, EVENT_CATEGORY_ADDRESS, true },
	[EVENT_KERNEL_REFUSES] = { "01-00304", "kernel-refuses", "d843a696ae63433394f1e995a19d3c79",
				   LOG_LEVEL_ERROR, EVENT_CATEGORY_ADDRESS, true },
	[EVENT_ADDRESS_ANSWERED] = { "01-00305", "address-answered",
				     "f71624dbbef94ece9d0b02fbe012ceaa", LOG_LEVEL_WARNING,
				     EVENT_CATEGORY_ADDRESS, true },
	[EVENT_ADDRESS_USED] = { "01-00306", "address-used", "4aec4467eedc4a2391bce6431b3ae135",
				 LOG_LEVEL_ERROR, EVENT_CATEGORY_ADDRESS, true },
	[EVENT_FOREIGN_COPY] = { "01-00307", "foreign-copy", "b6044469e9934367b5d70b005414705e",
				 LOG_LEVEL_WARNING, EVENT_CATEGORY_ADDRESS, true },
	[EVENT_LEFT_BEHIND] = { "01-00308", "left-behind", "5563a60b26e24be1bfbd37d020bc5d76",
				LOG_LEVEL_WARNING, EVENT_CATEGORY_ADDRESS, true },
	[EVENT_GATE_CHANGED] = { "01-00309", "gate-changed", "e7bfe3d4fa4b44a59b8b94a5d630ffb8",
				 LOG_LEVEL_WARNING, EVENT_CATEGORY_ADDRESS, false },
	[EVENT_PEER_UP] = { "01-00401", "peer-up", "0c3298d11b5d4f189da49cc4ac37f90f",
			    LOG_LEVEL_NOTICE, EVENT_CATEGORY_PEER, false },
	[EVENT_PEER_SILENT] = { "01-00402", "peer-silent", "6a0716cf85b04cfbaae4e8ce16e512d4",
				LOG_LEVEL_WARNING, EVENT_CATEGORY_PEER, false },
	[EVENT_PEER_NO_AGENT] = { "01-00403", "peer-no-agent", "1a35b0ac835a432ba524636cc27784b1",
				  LOG_LEVEL_WARNING, EVENT_CATEGORY_PEER, false },
	[EVENT_CONFIGURATION_DIFFERS] = { "01-00404", "configuration-differs",
					  "bcef3a815f2745919bf7b89acec6c2d5", LOG_LEVEL_WARNING,
					  EVENT_CATEGORY_PEER, false },
	[EVENT_DISOWNED] = { "01-00405", "disowned", "0cf72946c3b546b08bd0d87e4508164c",
			     LOG_LEVEL_ERROR, EVENT_CATEGORY_PEER, false },
	[EVENT_PATH_LOST] = { "01-00406", "path-lost", "011eca071182471c8690e50edd4a8218",
			      LOG_LEVEL_WARNING, EVENT_CATEGORY_PEER, false },
	[EVENT_PATH_BACK] = { "01-00407", "path-back", "0792de45477f4be1b413d984f86bf29f",
			      LOG_LEVEL_NOTICE, EVENT_CATEGORY_PEER, false },
	[EVENT_STRANGER] = { "01-00410", "stranger", "bc19dbeb4d6440be87107d536eb7841b",
			     LOG_LEVEL_WARNING, EVENT_CATEGORY_PEER, false },
	[EVENT_MISPLACED] = { "01-00411", "misplaced", "cd1326ac87084b4eb4883a03e7b32e7f",
			      LOG_LEVEL_WARNING, EVENT_CATEGORY_PEER, false },
	[EVENT_NAMESAKE] = { "01-00412", "namesake", "e8ae2d39bc7d4ca5acbade6c583221b7",
			     LOG_LEVEL_ERROR, EVENT_CATEGORY_PEER, false },
	[EVENT_PACKETS_REFUSED] = { "01-00413", "packets-refused",
				    "848e06904a1648dab65d68695ce071d6", LOG_LEVEL_WARNING,
				    EVENT_CATEGORY_PEER, false },
	[EVENT_PEER_DEAF] = { "01-00414", "peer-deaf", "7869188f27764179883a76e9ccdbc18c",
			      LOG_LEVEL_WARNING, EVENT_CATEGORY_PEER, false },
	[EVENT_UNFIT] = { "01-00501", "unfit", "3041af26a4004f539185ebd749458c01",
			  LOG_LEVEL_WARNING, EVENT_CATEGORY_FITNESS, true },
	[EVENT_FIT] = { "01-00502", "fit", "214f132afbf44ce2822202cf454a9c29", LOG_LEVEL_INFO,
			EVENT_CATEGORY_FITNESS, true },
	[EVENT_LINK_LOST] = { "01-00510", "link-lost", "eabb722845364f6db12134ca4429380d",
			      LOG_LEVEL_WARNING, EVENT_CATEGORY_FITNESS, true },
	[EVENT_LINK_RUNS] = { "01-00511", "link-runs", "2491971772aa40b3a5a6312331194dee",
			      LOG_LEVEL_INFO, EVENT_CATEGORY_FITNESS, true },
	[EVENT_LINK_MAC] = { "01-00512", "link-mac", "6b84fb72a7e44ecfa577416e94afcf28",
			     LOG_LEVEL_NOTICE, EVENT_CATEGORY_FITNESS, true },
	[EVENT_UNIT_FAULT] = { "01-00520", "unit-fault", "e11a42cf9292489da0d5ca5f7e327f35",
			       LOG_LEVEL_WARNING, EVENT_CATEGORY_FITNESS, true },
	[EVENT_UNIT_FINE] = { "01-00521", "unit-fine", "aad396b2b2d54c8fb756e1225f38095f",
			      LOG_LEVEL_INFO, EVENT_CATEGORY_FITNESS, true },
	[EVENT_NOT_AT_HOME] = { "01-00530", "not-at-home", "a619bbbdcb5e4623b99ef2cabfb45b8e",
				LOG_LEVEL_ERROR, EVENT_CATEGORY_FITNESS, false },
	[EVENT_AT_HOME] = { "01-00531", "at-home", "e842fc2e17144e3cad3e820da8c91679",
			    LOG_LEVEL_NOTICE, EVENT_CATEGORY_FITNESS, false },
	[EVENT_CHECK_FAILED] = { "01-00540", "check-failed", "fb3be4259ff6432abaf5ff8389f71c5c",
				 LOG_LEVEL_WARNING, EVENT_CATEGORY_FITNESS, true },
	[EVENT_CHECK_WELL] = { "01-00541", "check-well", "cad8e0a08e954cac881e9aed93119b7b",
			       LOG_LEVEL_NOTICE, EVENT_CATEGORY_FITNESS, true },
	[EVENT_STEP_FAILED] = { "01-00601", "step-failed", "1fe2432d2b504d289906bf16887b76bd",
				LOG_LEVEL_ERROR, EVENT_CATEGORY_UNIT, true },
	[EVENT_TARGET_FAILED] = { "01-00602", "target-failed", "a0875456cd474a7cbfa0ddd46c200161",
				  LOG_LEVEL_WARNING, EVENT_CATEGORY_UNIT, true },
	[EVENT_REACTION_DONE] = { "01-00610", "reaction-done", "814f1ae91e824dc98c2bc6fb0c4e9e2c",
				  LOG_LEVEL_INFO, EVENT_CATEGORY_UNIT, true },
	[EVENT_REACTION_FAILED] = { "01-00611", "reaction-failed",
				    "e4061321bb2a4af99cc259c7e6dece2a", LOG_LEVEL_WARNING,
				    EVENT_CATEGORY_UNIT, true },
	[EVENT_REACTION_LATE] = { "01-00612", "reaction-late", "61580497166244e0b7f1a5dd5ace46a1",
				  LOG_LEVEL_WARNING, EVENT_CATEGORY_UNIT, true },
	[EVENT_REACTION_CANCELLED] = { "01-00613", "reaction-cancelled",
				       "7cb703783691463c8e01a623ac583061", LOG_LEVEL_INFO,
				       EVENT_CATEGORY_UNIT, true },
	[EVENT_REACTIONS_LOST] = { "01-00614", "reactions-lost", "d9421bc842b6469e90ca1c3e0f555fa4",
				   LOG_LEVEL_WARNING, EVENT_CATEGORY_UNIT, true },
	[EVENT_STARTED] = { "01-00701", "started", "4e903c94f07945069fffd6144ae14174",
			    LOG_LEVEL_NOTICE, EVENT_CATEGORY_AGENT, false },
	[EVENT_STOPPED] = { "01-00702", "stopped", "e185290b7dcf4b879a4714e3d6fdc2fa",
			    LOG_LEVEL_NOTICE, EVENT_CATEGORY_AGENT, false },
	[EVENT_FROZEN] = { "01-00703", "frozen", "570004071ec64f7888a9be23d16249c2",
			   LOG_LEVEL_WARNING, EVENT_CATEGORY_AGENT, false },
	[EVENT_RELOADED] = { "01-00704", "reloaded", "cb4b19df130b4206a54a05939518a0c8",
			     LOG_LEVEL_NOTICE, EVENT_CATEGORY_AGENT, false },
	[EVENT_CONFIGURATION_FAULTY] = { "01-00705", "configuration-faulty",
					 "e7f1de6835df4199aab2efa9e579729c", LOG_LEVEL_WARNING,
					 EVENT_CATEGORY_AGENT, false },
	[EVENT_HOST_GOES_DOWN] = { "01-00706", "host-goes-down", "51949c04f6d243ab817a9b30be17128e",
				   LOG_LEVEL_NOTICE, EVENT_CATEGORY_AGENT, false },
	[EVENT_HOST_STAYS] = { "01-00707", "host-stays", "63b99496987c4833a2f1bb3e12457461",
			       LOG_LEVEL_NOTICE, EVENT_CATEGORY_AGENT, false },
};

/**
 * event_kind() - The row of the table
 */
const struct event_kind *event_kind(enum event_type type)
{
	assert(type < _EVENT_MAX);
	return &kinds[type];
}

/**
 * event_find() - The event with this id
 * @ret: untouched if there is none
 *
 * Return: false if there is none.
 */
bool event_find(const char *id, enum event_type *ret)
{
	for (enum event_type type = 0; type < _EVENT_MAX; type++) {
		if (strcmp(kinds[type].id, id) != 0)
			continue;
		*ret = type;
		return true;
	}
	return false;
}

/**
 * event_level_word() - The level as it is on the bus
 */
const char *event_level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "Error";
	case LOG_LEVEL_WARNING:
		return "Warning";
	case LOG_LEVEL_NOTICE:
		return "Standard";
	case LOG_LEVEL_INFO:
		return "Info";
	}
	return "Info";
}

/**
 * event_category_word() - The category as it is on the bus
 */
const char *event_category_word(enum event_category category)
{
	static const char *const words[_EVENT_CATEGORY_MAX] = {
		[EVENT_CATEGORY_ROLE] = "role",	      [EVENT_CATEGORY_MOVE] = "move",
		[EVENT_CATEGORY_ADDRESS] = "address", [EVENT_CATEGORY_PEER] = "peer",
		[EVENT_CATEGORY_FITNESS] = "fitness", [EVENT_CATEGORY_UNIT] = "unit",
		[EVENT_CATEGORY_AGENT] = "agent",
	};

	assert(category < _EVENT_CATEGORY_MAX);
	return words[category];
}

/* In the journal they are in capitals, behind TAKEOVER_. */
static const char *const field_names[_EVENT_FIELD_MAX] = {
	[EVENT_FIELD_GROUP] = "Group",	     [EVENT_FIELD_NODE] = "Node",
	[EVENT_FIELD_ROLE] = "Role",	     [EVENT_FIELD_STATE] = "State",
	[EVENT_FIELD_TERM] = "Term",	     [EVENT_FIELD_REASON] = "Reason",
	[EVENT_FIELD_PEER] = "Peer",	     [EVENT_FIELD_INTERFACE] = "Interface",
	[EVENT_FIELD_ADDRESS] = "Address",   [EVENT_FIELD_MAC] = "MAC",
	[EVENT_FIELD_UNIT] = "Unit",	     [EVENT_FIELD_ERROR] = "Error",
	[EVENT_FIELD_REACTION] = "Reaction",
};

/**
 * event_field_name() - The name of a field on the bus
 */
const char *event_field_name(enum event_field field)
{
	assert(field < _EVENT_FIELD_MAX);
	return field_names[field];
}

/**
 * event_field_find() - The field of this name
 * @ret: untouched if there is none
 *
 * Return: false if there is none.
 */
bool event_field_find(const char *name, enum event_field *ret)
{
	for (enum event_field field = 0; field < _EVENT_FIELD_MAX; field++) {
		if (strcmp(field_names[field], name) != 0)
			continue;
		*ret = field;
		return true;
	}
	return false;
}

static bool is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e;
}

/**
 * event_say() - Make an event of a kind and a sentence
 * @event: what else is in it stays
 * @format: cut if it is longer than EVENT_TEXT_MAX
 *
 * Programs and interfaces of the host may be called whatever somebody likes: what is no
 * character of ASCII is shown as one, so that a line stays a line, and the bus takes it.
 */
void event_say(struct event *event, enum event_type type, const char *format, ...)
{
	va_list ap;

	event->type = type;
	va_start(ap, format);
	(void)vsnprintf(event->text, sizeof(event->text), format, ap); /* cut is enough */
	va_end(ap);
	for (char *c = event->text; *c; c++)
		if (!is_plain(*c))
			*c = '?';
}

/**
 * event_is_plain() - May this be the value of a field?
 */
bool event_is_plain(const char *text)
{
	while (is_plain(*text))
		text++;
	return !*text;
}

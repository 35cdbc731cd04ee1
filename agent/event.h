/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What people hear of: one table of all events, each with an id, a level and a
 * category, and the shape in which one is handed on. Decides nothing, knows
 * nobody and logs nothing; publish.c sends them out.
 */

#include "agent/base.h"
#include "agent/log.h"

enum {
	EVENT_TEXT_MAX = 256,
	EVENT_NO_GROUP = UINT8_MAX, /* it concerns the node */
};

/*
 * In the order of their ids. Each has its name in the table: of EVENT_PEER_UP it is peer-up. To
 * add one takes a row there, an item in takeover-events(7), and an entry in units/takeover.catalog.
 */
enum event_type {
	EVENT_WARM_BACKUP,
	EVENT_HOT_BACKUP,
	EVENT_WARM_PRIMARY,
	EVENT_HOT_PRIMARY,
	EVENT_BACKUP,
	EVENT_CLAIMING,
	EVENT_PRIMARY,
	EVENT_YIELDING,
	EVENT_FAULT,
	EVENT_MAINTENANCE,
	EVENT_ADOPTED,
	EVENT_CONFLICT,
	EVENT_CONFLICT_WON,
	EVENT_CONFLICT_LOST,
	EVENT_LEASE_LAPSED,
	EVENT_MOVE_FAILED,
	EVENT_REFUSED,
	EVENT_DRIFT,
	EVENT_REPAIRED,
	EVENT_DRIFT_GIVEN_UP,
	EVENT_KERNEL_REFUSES,
	EVENT_ADDRESS_ANSWERED,
	EVENT_ADDRESS_USED,
	EVENT_FOREIGN_COPY,
	EVENT_LEFT_BEHIND,
	EVENT_GATE_CHANGED,
	EVENT_PEER_UP,
	EVENT_PEER_SILENT,
	EVENT_PEER_NO_AGENT,
	EVENT_CONFIGURATION_DIFFERS,
	EVENT_DISOWNED,
	EVENT_PATH_LOST,
	EVENT_PATH_BACK,
	EVENT_STRANGER,
	EVENT_MISPLACED,
	EVENT_NAMESAKE,
	EVENT_PACKETS_REFUSED,
	EVENT_PEER_DEAF,
	EVENT_UNFIT,
	EVENT_FIT,
	EVENT_LINK_LOST,
	EVENT_LINK_RUNS,
	EVENT_LINK_MAC,
	EVENT_UNIT_FAULT,
	EVENT_UNIT_FINE,
	EVENT_NOT_AT_HOME,
	EVENT_AT_HOME,
	EVENT_CHECK_FAILED,
	EVENT_CHECK_WELL,
	EVENT_STEP_FAILED,
	EVENT_TARGET_FAILED,
	EVENT_REACTION_DONE,
	EVENT_REACTION_FAILED,
	EVENT_REACTION_LATE,
	EVENT_REACTION_CANCELLED,
	EVENT_REACTIONS_LOST,
	EVENT_STARTED,
	EVENT_STOPPED,
	EVENT_FROZEN,
	EVENT_RELOADED,
	EVENT_CONFIGURATION_FAULTY,
	EVENT_HOST_GOES_DOWN,
	EVENT_HOST_STAYS,
	_EVENT_MAX,
};

enum event_category {
	EVENT_CATEGORY_ROLE,
	EVENT_CATEGORY_MOVE,
	EVENT_CATEGORY_ADDRESS,
	EVENT_CATEGORY_PEER,
	EVENT_CATEGORY_FITNESS,
	EVENT_CATEGORY_UNIT,
	EVENT_CATEGORY_AGENT,
	_EVENT_CATEGORY_MAX,
};

/* What an event is about, beside its text; texts themselves. */
enum event_field {
	EVENT_FIELD_GROUP,
	EVENT_FIELD_NODE,  /* this one */
	EVENT_FIELD_ROLE,  /* of this node in the group: primary, backup */
	EVENT_FIELD_STATE, /* the same: claiming, ... */
	EVENT_FIELD_TERM,
	EVENT_FIELD_REASON,
	EVENT_FIELD_PEER, /* the other node that it is about */
	EVENT_FIELD_INTERFACE,
	EVENT_FIELD_ADDRESS,
	EVENT_FIELD_MAC,
	EVENT_FIELD_UNIT,
	EVENT_FIELD_ERROR, /* the last part of an error's name on the bus, or of errno */
	EVENT_FIELD_REACTION,
	_EVENT_FIELD_MAX,
};

struct event_kind {
	const char *id;		/* such as 00-04563 */
	const char *name;	/* such as hot-primary */
	const char *message_id; /* MESSAGE_ID= in the journal: it never changes */
	enum log_level level;
	enum event_category category;
	bool of_group; /* else of the node */
};

/* Something that has happened. */
struct event {
	enum event_type type;
	uint8_t group; /* of a kind that is of a group */
	char text[EVENT_TEXT_MAX];
	const char *fields[_EVENT_FIELD_MAX]; /* borrowed; NULL: none */

	/* publish() sets these. */
	uint64_t number;  /* from 1 on, over restarts */
	uint64_t time_us; /* CLOCK_REALTIME, for people: nothing is decided by it */
};

const struct event_kind *event_kind(enum event_type type);
bool event_find(const char *id, enum event_type *ret);
const char *event_level_word(enum log_level level);
const char *event_category_word(enum event_category category);
const char *event_field_name(enum event_field field);
bool event_field_find(const char *name, enum event_field *ret);

void event_say(struct event *event, enum event_type type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool event_is_plain(const char *text);

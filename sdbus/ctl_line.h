/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The lines that `monitor` prints, for people or for programs, each written out
 * at once; whether it could be is in the stream.
 */

#include "sdbus/ctl_json.h"

/* One that has happened; borrowed from a message. */
struct ctl_event {
	const char *id, *level, *text;
	const char *group; /* NULL: it is of the node */
	uint64_t number, time_us;
	struct api_field fields[24]; /* the group's among them */
	size_t n_fields;
};

void ctl_line_changes(struct ctl *ctl, const char *type, const char *name,
		      const struct ctl_field *fields, const void *object, uint32_t changed);
void ctl_line_daemon(struct ctl *ctl, bool runs, bool hangs);
void ctl_line_role(struct ctl *ctl, const char *group, const char *role, const char *reason);
void ctl_line_event(struct ctl *ctl, const char *group, const char *id, const char *level,
		    const char *text);
void ctl_line_past(struct ctl *ctl, const struct ctl_event *event);

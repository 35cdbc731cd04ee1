/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The lines that `monitor` prints, for people or for programs, each written out
 * at once; whether it could be is in the stream.
 */

#include "sdbus/ctl_json.h"

void ctl_line_changes(struct ctl *ctl, const char *type, const char *name,
		      const struct ctl_field *fields, const void *object, uint32_t changed);
void ctl_line_daemon(struct ctl *ctl, bool runs, bool hangs);
void ctl_line_role(struct ctl *ctl, const char *group, const char *role, const char *reason);
void ctl_line_event(struct ctl *ctl, const char *group, const char *id, const char *level,
		    const char *text);

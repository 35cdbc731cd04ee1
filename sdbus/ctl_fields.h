/* SPDX-License-Identifier: MIT */
#pragma once

/* The properties of our objects: where they come from and where they go. */

#include <systemd/sd-bus.h>

#include "sdbus/api.h"

/* What a property is; its signature on the bus follows from that. */
enum ctl_kind {
	CTL_KIND_TEXT,
	CTL_KIND_COUNT,
	CTL_KIND_SPAN, /* in us; so is the next, since boot. The member ends in "_us". */
	CTL_KIND_TIME,
	CTL_KIND_BOOL,
	CTL_KIND_LIST,
	CTL_KIND_NODES,
	CTL_KIND_PATHS,
	CTL_KIND_INHIBITORS,
	CTL_KIND_CHECKS,
	_CTL_KIND_MAX,
};

struct ctl_field {
	const char *property; /* on the bus */
	const char *member;   /* in JSON */
	size_t offset;	      /* in the object */
	enum ctl_kind kind;
	bool nullable; /* "" or 0 says that there is none */
};

/* Each ends with one without property; fewer than 32. */
extern const struct ctl_field ctl_manager_fields[];
extern const struct ctl_field ctl_group_fields[];
extern const struct ctl_field ctl_peer_fields[];

int ctl_fields_read(sd_bus_message *m, const struct ctl_field *fields, void *object,
		    uint32_t *ret_present);
void ctl_fields_done(const struct ctl_field *fields, void *object);

/* SPDX-License-Identifier: MIT */
#pragma once

/* The properties of our objects: where they come from and where they go. */

#include <systemd/sd-bus.h>

#include "sdbus/api.h"

/* Signatures: s, t, b, as, API_NODES and API_PATHS. */
struct ctl_field {
	const char *property, *signature; /* on the bus */
	const char *member;		  /* in JSON */
	size_t offset;			  /* in the object */
	bool nullable;			  /* "" or 0 says that there is none */
};

/* Each ends with one without property; fewer than 32. */
extern const struct ctl_field ctl_manager_fields[];
extern const struct ctl_field ctl_group_fields[];
extern const struct ctl_field ctl_peer_fields[];

int ctl_each_entry(sd_bus_message *m, const char *contents,
		   int (*read)(sd_bus_message *m, void *ctx), void *ctx);

int ctl_fields_read(sd_bus_message *m, const struct ctl_field *fields, void *object,
		    uint32_t *ret_present);
void ctl_fields_done(const struct ctl_field *fields, void *object);

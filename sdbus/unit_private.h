/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the client of systemd share. */

#include "sdbus/named.h"
#include "sdbus/unit.h"

#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_UNITS SYSTEMD_PATH "/unit"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT "org.freedesktop.systemd1.Unit"
#define SYSTEMD_SERVICE "org.freedesktop.systemd1.Service"
#define SYSTEMD_JOB "org.freedesktop.systemd1.Job"
#define DBUS_PROPERTIES "org.freedesktop.DBus.Properties"

/* One order: a call under way, then a job. */
struct unit_job {
	struct unit_job *next;
	struct units *units;
	uint32_t id;
	enum unit_verb verb;
	sd_bus_slot *call; /* NULL: answered */
	char *path;	   /* the job's; NULL: not known yet */
};

/* One unit that is watched. */
struct unit_watch {
	struct units *units;
	char *name;
	char *path;			  /* its object; NULL: not known yet */
	sd_bus_slot *changes;		  /* news of its properties */
	sd_bus_slot *load, *read, *count; /* calls under way */
	struct unit_state state;
};

struct units {
	const struct unit_ops *ops; /* borrowed, as ctx is */
	void *ctx;
	sd_bus *bus; /* a reference */
	struct named systemd;
	sd_bus_slot *subscribe, *reloading, *removed;
	bool here;

	struct unit_watch *watches;
	size_t n_watches;
	struct unit_job *jobs;

	char *own_path;	  /* of the unit that we run in; NULL: not known */
	sd_bus_slot *own; /* the question under way */
	unit_job_handler own_handler;
	void *own_ctx;
};

void unit_watch_all(struct units *units);
void unit_watches_done(struct units *units);

int unit_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error);
void unit_jobs_done(struct units *units);

int unit_own_find(struct units *units);

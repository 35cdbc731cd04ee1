/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * takeoverctl: the API seen from the operator's side. Asks the agent, prints
 * for people; decides nothing.
 */

#include <stdio.h>

#include <systemd/sd-bus.h>

#include "agent/base.h"
#include "sdbus/api.h"

/* What a verb, and so the program, ends with. */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
};

struct ctl {
	FILE *out, *err;
	bool colour;
	sd_bus *bus; /* NULL until a verb needs it; owned */
};

struct ctl_model {
	struct api_manager manager;
	struct api_group *groups; /* in the order of their names */
	struct api_peer *peers;	  /* the same */
	size_t n_groups, n_peers;
	sd_bus_message *messages[2]; /* where the strings are */
};

int ctl_run(struct ctl *ctl, int argc, char **argv);

int ctl_connect(struct ctl *ctl);
int ctl_complain(struct ctl *ctl, const sd_bus_error *error, int err);

int ctl_model_load(sd_bus *bus, struct ctl_model *ret, sd_bus_error *error);
void ctl_model_done(struct ctl_model *model);

void ctl_print_model(FILE *out, const struct ctl_model *model, instant now, bool colour);

/* Verbs: print what they have to say and give the exit code. */
int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_switchover(struct ctl *ctl, int argc, char **argv);
int ctl_maintenance(struct ctl *ctl, int argc, char **argv);

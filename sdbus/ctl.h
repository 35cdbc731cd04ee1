/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * takeoverctl: the API seen from the operator's side. Asks the agent, prints
 * for people or, with --json, for programs; decides nothing.
 */

#include <stdio.h>

#include <systemd/sd-bus.h>

#include "agent/base.h"
#include "sdbus/api.h"

/* What a verb, and so the program, ends with. In the manual. */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_UNHELD = 3, /* status: a group has no primary */
};

/* An agent answers at once what it can answer at once. One that does not, hangs. */
#define CTL_PATIENCE_US (5 * USEC_PER_SEC)

struct witness; /* what the kernel has: see ctl_verify.h */

struct ctl {
	FILE *out, *err;
	bool colour;
	bool terminal;		    /* somebody can type a password */
	pid_t polkit_agent;	    /* who asks for it; 0: nobody */
	bool json;		    /* --json */
	const char *config, *node;  /* --config, --node of `check`; NULL: not given */
	const char *host, *machine; /* --host, --machine; NULL: here */
	const char *to;		    /* --to, --strict, --force of `switchover` */
	bool strict, force;
	const char *why;     /* --why of `inhibit` */
	bool follow;	     /* --follow of `events` */
	uint64_t since_us;   /* --since of it: CLOCK_REALTIME; 0: not given */
	uint64_t timeout_us; /* --timeout; 0: not given */
	instant until;	     /* give up a call then; never: it takes what it takes */
	uint64_t ahead_us;   /* of our clock since boot is that of the host; may wrap */
	const char *sbindir; /* where takeoverd is installed */
	int (*look)(struct witness *ret); /* of `verify`: how to ask the kernel */
	sd_bus *bus;			  /* NULL until a verb needs it; owned */
};

struct ctl_model {
	struct api_manager manager;
	struct api_group *groups; /* in the order of their names */
	struct api_peer *peers;	  /* the same */
	size_t n_groups, n_peers;
	sd_bus_message *messages[2]; /* where the strings are */
};

int ctl_run(struct ctl *ctl, int argc, char **argv);

/* ctl_connect.c */
int ctl_connect(struct ctl *ctl);

/* ctl_agent.c */
void ctl_agent_start(struct ctl *ctl);
void ctl_agent_stop(struct ctl *ctl);

/* ctl.c */
int ctl_call_manager(struct ctl *ctl, const char *method, sd_bus_error *error,
		     sd_bus_message **ret);
int ctl_call_with(struct ctl *ctl, sd_bus_message *m, sd_bus_error *error, sd_bus_message **ret);
int ctl_new_call(struct ctl *ctl, const char *group, const char *method, sd_bus_message **ret);
int ctl_call_group(struct ctl *ctl, const char *group, const char *method, sd_bus_error *error,
		   sd_bus_message **ret, const char *types, ...);
int ctl_complain(struct ctl *ctl, const sd_bus_error *error, int err);
int ctl_fail(struct ctl *ctl, const char *error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ctl_group.c */
bool ctl_may_be_name(const char *name);
int ctl_choose_group(struct ctl *ctl, int argc, char **argv, char **ret_name);
int ctl_refuse_name(struct ctl *ctl, const char *name, const char *kind);
int ctl_complain_of_group(struct ctl *ctl, const char *group, const sd_bus_error *error, int err);

/* ctl_span.c */
bool ctl_read_span(const char *text, uint64_t *ret_us);
int ctl_parse_span(struct ctl *ctl, const char *text, uint64_t *ret_us);

/* ctl_since.c */
int ctl_parse_since(struct ctl *ctl, const char *text, uint64_t *ret_us);

/* ctl_guess.c */
const char *ctl_guess(const char *typed, const void *named, size_t n, size_t size);

/* ctl_model.c */
int ctl_model_load(sd_bus *bus, struct ctl_model *ret, sd_bus_error *error);
int ctl_model_read(struct ctl_model *model, sd_bus_message *objects);
void ctl_model_done(struct ctl_model *model);

/* ctl_verdict.c */
const char *ctl_successor(const struct api_group *group);
bool ctl_node_troubled(const struct api_node *node);
void ctl_print_verdict(FILE *out, const struct api_group *group);

/* ctl_print.c, ctl_page_group.c */
void ctl_print_model(FILE *out, const struct ctl_model *model, instant now, bool colour);

instant ctl_now(const struct ctl *ctl);

/* Verbs: print what they have to say and give the exit code. */
int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_explain(struct ctl *ctl, int argc, char **argv);
int ctl_switchover(struct ctl *ctl, int argc, char **argv);
int ctl_drain(struct ctl *ctl, int argc, char **argv);
int ctl_maintenance(struct ctl *ctl, int argc, char **argv);
int ctl_inhibit(struct ctl *ctl, int argc, char **argv);
int ctl_announce(struct ctl *ctl, int argc, char **argv);
int ctl_wait(struct ctl *ctl, int argc, char **argv);
int ctl_test_event(struct ctl *ctl, int argc, char **argv);
int ctl_reload(struct ctl *ctl, int argc, char **argv);
int ctl_monitor(struct ctl *ctl, int argc, char **argv);
int ctl_events(struct ctl *ctl, int argc, char **argv);
int ctl_trace(struct ctl *ctl, int argc, char **argv);
int ctl_verify(struct ctl *ctl, int argc, char **argv);
int ctl_check(struct ctl *ctl, int argc, char **argv);
int ctl_genkey(struct ctl *ctl, int argc, char **argv);

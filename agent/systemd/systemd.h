/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The agent and the service manager: what becomes of a group is followed by its units, and what
 * becomes of units and of the host is sensed. Without systemd, or without a bus, none of it.
 */

#include "sdbus/login.h"
#include "sdbus/unit.h"

struct agent;
struct systemd;

/* Whose order it is, kept in its id. */
enum systemd_order {
	SYSTEMD_ROLE = 1,
	SYSTEMD_STEP,
	SYSTEMD_LEAVE,
	SYSTEMD_FORMER,
	SYSTEMD_REACTION,
};

static inline uint32_t systemd_id(enum systemd_order kind, uint8_t group, uint8_t what)
{
	return (uint32_t)kind << 16 | (uint32_t)group << 8 | what;
}

static inline enum systemd_order systemd_id_kind(uint32_t id)
{
	return (enum systemd_order)(id >> 16);
}

static inline uint8_t systemd_id_group(uint32_t id)
{
	return (uint8_t)(id >> 8);
}

static inline uint8_t systemd_id_what(uint32_t id)
{
	return (uint8_t)id;
}

int systemd_new(struct agent *agent, struct systemd **ret);
struct systemd *systemd_free(struct systemd *systemd);
DEFINE_CLEANUP(struct systemd *, systemd_free)

void systemd_attach(struct systemd *systemd, sd_bus *bus);
void systemd_detach(struct systemd *systemd);
void systemd_missing(struct systemd *systemd);
void systemd_follow(struct systemd *systemd);
void systemd_look(struct systemd *systemd);

int systemd_order(struct systemd *systemd, enum unit_verb verb, const char *name, uint32_t id);
void systemd_forget(struct systemd *systemd, uint32_t id);
int systemd_own_job(struct systemd *systemd, unit_job_handler handler, void *ctx);
void systemd_let_go_down(struct systemd *systemd);

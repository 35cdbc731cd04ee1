/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What happens, in words: events for publish(), and the line of systemctl status.
 * tell.c has what the core tells, tell_host.c what others do to this host.
 */

#include "agent/agent.h"

void tell_status(const struct agent *agent);
void tell_people(struct agent *agent, const struct core_action *action);
void tell_refused(struct agent *agent, const struct core_action *action);
void tell_conflicts(struct agent *agent);
void tell_frozen(struct agent *agent, uint64_t us);

void tell_link(struct agent *agent, uint8_t group, const char *ifname, enum links_state state);
void tell_mac(struct agent *agent, uint8_t group, const struct link *link);
void tell_drift(struct agent *agent, uint8_t group);
void tell_foreign(struct agent *agent, uint8_t group, const struct addr *addr);
void tell_left(struct agent *agent, const struct worker_result *result);
void tell_unit(struct agent *agent, uint8_t group, const char *fault);
void tell_check(struct agent *agent, uint8_t group, const char *name, const char *fault);
void tell_target(struct agent *agent, uint8_t group, const char *name, bool start, const char *why);
void tell_paths(struct agent *agent);

/* How a reaction ended. */
enum tell_reaction {
	TELL_REACTION_DONE,
	TELL_REACTION_FAILED,
	TELL_REACTION_LATE,
	TELL_REACTION_CANCELLED,
	TELL_REACTION_LOST,
	_TELL_REACTION_MAX,
};

void tell_reaction(struct agent *agent, uint8_t group, enum tell_reaction how, const char *name,
		   const char *what, const char *why);

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Check= of the groups: is the service of this node well, whoever is primary? All of them run on
 * the loop, behind everything else on it; each by itself, never twice at once.
 */

#include <systemd/sd-event.h>

#include "agent/check/streak.h"
#include "agent/conf/conf.h"

struct agent;

enum { CHECK_TEXT_MAX = 64 };

struct check {
	struct agent *agent;
	const struct conf_check *conf; /* borrowed */
	uint8_t group;
	sd_event_source *timer; /* it begins, or it is too late for a result */
	sd_event_source *input; /* it is under way; owns its socket; NULL */
	instant began;
	struct streak streak;
	char text[CHECK_TEXT_MAX]; /* the last result; "": none yet */
	instant ended;		   /* and when that came */
};

struct checks {
	struct check *v; /* owned: of all groups, those of one together */
	size_t n;
	size_t first[CORE_GROUPS_MAX + 1]; /* of each group; behind the last: n */
};

int checks_new(struct agent *agent, struct checks **ret);
struct checks *checks_free(struct checks *checks);
DEFINE_CLEANUP(struct checks *, checks_free)

const struct check *checks_of_group(const struct checks *checks, uint8_t group, size_t *ret_n);
const struct check *checks_find_failed(const struct checks *checks, uint8_t group);

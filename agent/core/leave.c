/* SPDX-License-Identifier: MIT */

/*
 * A primary that lets the group go in good order: planned, or unfit. What comes
 * before that is done while it is primary still, in every respect: so it delays
 * nothing, and whoever has the better right to the group does not wait for it.
 */

#include "agent/core/internal.h"

/**
 * let_go() - Hand the group over; if there is something to be done before, after that
 * @alone: if nobody can take it, release it
 *
 * Return: CORE_RESULT_OK: it is on its way; else why it stays.
 */
enum core_result let_go(struct step *s, uint8_t group, enum core_reason reason, bool alone)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];
	unsigned n = core->config.groups[group].before_release;
	enum core_result result;
	uint8_t peer;

	result = rule_successor(core, group, &peer);
	if (result != CORE_RESULT_OK && !alone)
		return result;
	if (n && !g->through) {
		g->leaving = reason;
		g->alone = alone;
		g->step = CORE_STEP_PRIMARY_UNITS;
		order_units(s, group, CORE_UNITS_BEFORE_RELEASE, n);
		g->due = instant_earlier(g->due, g->request_by);
	} else if (result == CORE_RESULT_OK) {
		yield(s, group, peer, reason);
	} else {
		if (g->maintenance)
			store(s, group);
		release(s, group, reason);
	}
	return CORE_RESULT_OK;
}

/*
 * It must not stay for what a unit has failed: it is unfit, or about to exit, or was
 * forced. That the service does not run may be what was ordered a moment ago.
 */
static bool goes_anyway(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];
	unsigned excused = CORE_UNFIT_SYNC | CORE_UNFIT_KEPT_OUT | CORE_UNFIT_UNIT | g->condoned;

	return core->stopping || g->alone || g->leaving == CORE_REASON_UNFIT ||
	       (g->unfit & ~excused);
}

/**
 * let_go_on() - What comes before a release has been done, or has failed
 * @err: 0 or negative errno
 *
 * A switchover that was asked for is undone then. Nobody has heard of it yet, but a
 * unit that was stopped may have to be started again: people are told.
 */
void let_go_on(struct step *s, uint8_t group, int err)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];
	bool late = instant_is_set(g->request_by) && instant_reached(core->now, g->request_by);
	enum core_reason reason = core->stopping ? CORE_REASON_STOP : g->leaving;
	enum core_result result;

	g->step = CORE_STEP_NONE; /* an order of a repair may be pending */
	g->due = INSTANT_NEVER;
	g->units = 0;
	if (err)
		tell(s, group, CORE_TELL_UNITS_FAILED, CORE_RESULT_STEP_FAILED, err);
	if (core->stopping && (g->options.to || instant_is_set(g->request_by)))
		answer(s, group,
		       CORE_RESULT_BUSY); /* it goes to whoever can take it, in any time */
	if (core->restarting) {
		result = CORE_RESULT_BUSY; /* and the addresses stay */
	} else if (late && !core->stopping) {
		result = CORE_RESULT_TIMEOUT;
	} else if (err && !goes_anyway(core, group)) {
		result = CORE_RESULT_STEP_FAILED;
	} else {
		g->through = true;
		result = let_go(s, group, reason, g->alone || core->stopping);
		g->through &= g->state != CORE_STATE_PRIMARY;
	}
	if (result != CORE_RESULT_OK)
		move_failed(s, group, result);
}

/**
 * leave_watch() - Does what comes before a release take too long?
 */
void leave_watch(struct step *s, uint8_t group)
{
	const struct core_group *g = &s->core->groups[group];

	if (g->step == CORE_STEP_PRIMARY_UNITS && instant_reached(s->core->now, g->due))
		let_go_on(s, group, -CORE_ETIMEDOUT);
}

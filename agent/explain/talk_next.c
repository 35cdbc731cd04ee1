/* SPDX-License-Identifier: MIT */

/* What would change it: the rules are asked, by looking ahead. */

#include <stdio.h>

#include "agent/explain/talk.h"
#include "agent/why.h"

enum { PHRASE_MAX = 64 };

static bool anybody_is_heard(const struct core *core)
{
	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (core->peers[p].up && core_consent(core, p) != CORE_CONSENT_SILENCE)
			return true;
	return false;
}

static const char *claiming_phrase(const struct talk *t, const struct ahead *next)
{
	if (t->g->state == CORE_STATE_PRIMARY)
		return "loses its lease: its addresses fall silent, and it asks for leave to open "
		       "them again";
	if (t->g->state == CORE_STATE_YIELDING)
		return "takes it back";
	if (t->g->state == CORE_STATE_CLAIMING)
		return next->step == CORE_STEP_CLAIM_WAIT ? "asks for leave again"
							  : "goes on with its claim";
	return "claims it";
}

static const char *yielding_phrase(const struct talk *t, const struct ahead *next)
{
	if (t->g->state == CORE_STATE_CLAIMING)
		return "gives its claim up";
	if (t->g->state == CORE_STATE_PRIMARY && next->move_to == CORE_NODE_NONE)
		return "lets it go";
	if (t->g->state == CORE_STATE_PRIMARY)
		return "hands it over";
	if (next->step == CORE_STEP_YIELD_CLOSE)
		return "closes the gate";
	if (next->step == CORE_STEP_YIELD_LEASE)
		return "leaves it to the lease to silence the addresses";
	return next->step == CORE_STEP_YIELD_REMOVE ? "removes the addresses" : "goes on";
}

/* What this node does when the change comes. */
static const char *deed(const struct talk *t, const struct ahead *next)
{
	if (next->exits)
		return "ends";
	switch (next->state) {
	case CORE_STATE_BACKUP:
		return next->move == CORE_MOVE_ASK	  ? "asks for it (Preempt=yes)"
		       : t->g->state == CORE_STATE_BACKUP ? "asks for it no more"
							  : "is backup";
	case CORE_STATE_CLAIMING:
		return claiming_phrase(t, next);
	case CORE_STATE_PRIMARY:
		if (t->g->state != CORE_STATE_PRIMARY)
			return "is primary again";
		return next->step == CORE_STEP_PRIMARY_UNITS ? "begins to let it go"
							     : "keeps it after all";
	case CORE_STATE_YIELDING:
		return yielding_phrase(t, next);
	case CORE_STATE_FAULT:
		return "is in fault";
	case CORE_STATE_MAINTENANCE:
		return "is in maintenance";
	case _CORE_STATE_MAX:
		break;
	}
	return "";
}

/* " (reason)" if the change has one. */
static const char *cause(const struct talk *t, const struct ahead *next,
			 char buf[static PHRASE_MAX])
{
	bool same = next->state == t->g->state || next->exits;

	if (same)
		return "";
	(void)snprintf(buf, PHRASE_MAX, " (%s)", core_reason_name(next->reason)); /* fits */
	return buf;
}

static void say_steady(struct talk *t)
{
	char in[SPAN_MAX], why[PHRASE_MAX];

	if (t->steady.any)
		say(t, "If nothing else happens, %s %s in %s%s.", t->self, deed(t, &t->steady),
		    left(t, t->steady.at, in), cause(t, &t->steady, why));
}

/* With the others or without them, the same comes. */
static bool is_same(const struct ahead *a, const struct ahead *b)
{
	return a->any && b->any && a->at.us == b->at.us && a->state == b->state &&
	       a->step == b->step;
}

/* How it would be without the others, if that is any different. */
static void say_silent(struct talk *t)
{
	char in[SPAN_MAX], why[PHRASE_MAX];
	bool moves = t->g->state == CORE_STATE_CLAIMING || t->g->state == CORE_STATE_YIELDING;

	if (!anybody_is_heard(t->core) || is_same(&t->steady, &t->silent))
		return;
	if (t->silent.any)
		say(t, "If %s not heard from now on, %s %s in %s%s.", t->others, t->self,
		    deed(t, &t->silent), left(t, t->silent.at, in), cause(t, &t->silent, why));
	else if (t->silent.complete && !t->steady.any && !moves)
		say(t, "If %s not heard from now on, %s %s.", t->others, t->self,
		    t->g->state == CORE_STATE_PRIMARY ? "stays primary" : "does not claim it");
}

/* Who holds it not: is anybody there who does? */
void say_headless(struct talk *t)
{
	char since[SPAN_MAX];

	if (core_primary(t->core, t->group) != CORE_NODE_NONE)
		return;
	if (instant_is_set(t->g->headless))
		say(t, "No node has been heard to hold %s for %s.", t->name,
		    age(t, t->g->headless, since));
	if (!t->steady.any && t->silent.any)
		say(t, "While %s heard, %s leaves the claim to others.", t->others, t->self);
	else if (!t->steady.any && t->steady.complete)
		say(t, "%s does not claim it by itself as things are.", t->self);
}

void say_retry(struct talk *t)
{
	char in[SPAN_MAX];

	if (t->g->retry.us <= t->now.us)
		return;
	if (t->g->state == CORE_STATE_PRIMARY || t->g->state == CORE_STATE_BACKUP)
		say(t, "A move has failed; %s tries none of its own accord for another %s%s.",
		    t->self, left(t, t->g->retry, in),
		    t->g->state == CORE_STATE_PRIMARY ? ", unless its link fails" : "");
}

static void say_trial(struct talk *t)
{
	char in[SPAN_MAX];

	if (instant_is_set(t->g->provisional))
		say(t,
		    "%s is primary on trial: %s, which handed it over, has %s left to "
		    "acknowledge that.",
		    t->self, partner(t), left(t, t->g->provisional, in));
}

/* Could another node have it? */
void say_successor(struct talk *t)
{
	enum core_result result = core_can_switchover(t->core, t->group);
	uint8_t to = t->unfit.any ? t->unfit.move_to : CORE_NODE_NONE;
	char buf[WHY_TEXT_MAX];
	const char *why = why_refused(t->agent, t->group, result, buf);

	say_trial(t);
	if (result == CORE_RESULT_OK && to != CORE_NODE_NONE)
		say(t, "%s could take over, and would if %s became unfit.", node_name(t, to),
		    t->self);
	else if (result == CORE_RESULT_OK)
		say(t, "Another node could take over.");
	else
		say(t, "No other node could take over now (%s%s%s).", core_result_name(result),
		    why == buf ? ": " : "", why == buf ? why : "");
	if (result == CORE_RESULT_OK)
		return;
	if (t->g->unfit)
		say(t, "Unfit as it is, %s keeps what still works (WhenAlone=).", t->self);
	else if (t->unfit.any)
		say(t, "If it became unfit, %s would let go (WhenAlone=).", t->self);
	else if (!instant_is_set(t->g->provisional))
		say(t, "If it became unfit, %s would keep what still works (WhenAlone=).", t->self);
}

void say_next(struct talk *t)
{
	if (t->core->restarting)
		return; /* the kernel goes on alone: what is to come is said already */
	say_steady(t);
	say_silent(t);
}

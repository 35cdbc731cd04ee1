/* SPDX-License-Identifier: MIT */

#include <inttypes.h>
#include <stdio.h>

#include "agent/drain/drain.h"
#include "agent/explain/talk.h"

static const char *state_phrase(enum core_state state)
{
	static const char *const phrases[_CORE_STATE_MAX] = {
		[CORE_STATE_BACKUP] = "backup",	  [CORE_STATE_CLAIMING] = "claiming",
		[CORE_STATE_PRIMARY] = "primary", [CORE_STATE_YIELDING] = "yielding",
		[CORE_STATE_FAULT] = "in fault",  [CORE_STATE_MAINTENANCE] = "in maintenance",
	};

	assert(state < _CORE_STATE_MAX);
	return phrases[state];
}

static const char *reason_phrase(enum core_reason reason)
{
	static const char *const phrases[_CORE_REASON_MAX] = {
		[CORE_REASON_NONE] = "nothing has happened yet",
		[CORE_REASON_START] = "takeoverd started",
		[CORE_REASON_ADOPTED] = "takeoverd started and found its addresses still answering",
		[CORE_REASON_PEER_DEAD] = "a node fell silent, and no primary was heard any more",
		[CORE_REASON_NO_PRIMARY] = "no node was primary, and it was the best one",
		[CORE_REASON_SWITCHOVER] = "a switchover was asked for",
		[CORE_REASON_UNFIT] = "it had become unfit",
		[CORE_REASON_FIT] = "nothing made it unfit any more",
		[CORE_REASON_CONFLICT] = "another node held or claimed it with the better right",
		[CORE_REASON_UNHEARD] = "another primary was heard that did not hear this one",
		[CORE_REASON_LAPSED] = "its lease ran out: it was frozen, or not answered",
		[CORE_REASON_ROLLED_BACK] = "a switchover failed and was undone",
		[CORE_REASON_MAINTENANCE] = "maintenance was asked for",
		[CORE_REASON_STOP] = "takeoverd was told to stop",
		[CORE_REASON_FAILED] = "the kernel refused what was asked of it, or did not answer",
		[CORE_REASON_LAST_RESORT] = "no fit node was there to hold it",
		[CORE_REASON_DISOWNED] = "the configuration of another node does not name it",
		[CORE_REASON_INHIBITED] = "somebody keeps it out for a while",
	};

	assert(reason < _CORE_REASON_MAX);
	return phrases[reason];
}

static void say_state(struct talk *t)
{
	const char *reason = core_reason_name(t->g->reason);
	char since[SPAN_MAX];

	say(t, "%s: %s has been %s for %s, because %s%s%s%s.", t->name, t->self,
	    state_phrase(t->g->state), age(t, t->g->since, since), reason_phrase(t->g->reason),
	    *reason ? " (" : "", reason, *reason ? ")" : "");
}

static void say_request(struct talk *t)
{
	char since[SPAN_MAX];

	if (t->g->request)
		say(t, "A caller on the bus has been waiting for %s for %s to move.",
		    age(t, t->g->request_at, since), t->name);
	else if (t->g->move == CORE_MOVE_ASK)
		say(t, "It asks %s for %s, since it comes first (Preempt=yes).", partner(t),
		    t->name);
}

static void say_drain(struct talk *t)
{
	struct drain_state drain;
	char in[SPAN_MAX];
	bool limited;

	if (!drain_look(t->agent->drains, t->group, &drain))
		return;
	limited = instant_is_set(drain.until);
	say(t,
	    "It drains: new TCP connections are refused, %" PRIu32
	    " open one%s left; when they have ended%s%s%s it switches over.",
	    drain.connections, drain.connections == 1 ? " is" : "s are", limited ? ", or in " : "",
	    limited ? left(t, drain.until, in) : "", limited ? "," : "");
}

static void say_addresses(struct talk *t)
{
	char in[SPAN_MAX];

	if (t->g->repairing)
		say(t, "A stranger has taken addresses of %s; the kernel is putting them back.",
		    t->name);
	else if (t->g->lost && t->g->state == CORE_STATE_PRIMARY)
		say(t,
		    "A stranger has taken addresses of %s, and the kernel refuses to put them "
		    "back; that is tried again in %s.",
		    t->name, left(t, t->g->repair_due, in));
	if (instant_is_set(t->core->rebuild_due))
		say(t,
		    "The gate is not there, and the kernel refuses to lay it; that is tried "
		    "again in %s.",
		    left(t, t->core->rebuild_due, in));
}

static void say_stop(struct talk *t)
{
	char hold[SPAN_MAX];

	if (t->core->restarting)
		say(t,
		    "takeoverd is restarting on %s: it ends when the other nodes know that, and "
		    "the kernel keeps what is held here for another %s (RestartHold=).",
		    t->self, span(t->core->config.restart_hold_us, hold));
	else if (t->core->stopping)
		say(t, "takeoverd is stopping on %s, which claims nothing any more.", t->self);
}

/* The sentences are those of any other group; one says how to read them. */
static void say_mode(struct talk *t)
{
	if (t->agent->conf->groups[t->group].mode == CONF_MODE_NONE)
		say(t,
		    "%s is a role without addresses (Mode=none): where they are spoken of there "
		    "are none, and the kernel silences nobody.",
		    t->name);
}

static void say_what_it_waits_for(struct talk *t)
{
	switch (t->g->state) {
	case CORE_STATE_BACKUP:
	case CORE_STATE_FAULT:
	case CORE_STATE_MAINTENANCE:
		say_headless(t);
		break;
	case CORE_STATE_CLAIMING:
		say_claim_step(t);
		break;
	case CORE_STATE_PRIMARY:
		if (t->g->step == CORE_STEP_PRIMARY_UNITS)
			say_primary_step(t);
		else
			say_successor(t);
		break;
	case CORE_STATE_YIELDING:
		say_yield_step(t);
		break;
	case _CORE_STATE_MAX:
		break;
	}
}

static int look_ahead(struct talk *t)
{
	int r;

	r = ahead_look(t->core, t->group, AHEAD_STEADY, &t->steady);
	if (r < 0)
		return r;
	r = ahead_look(t->core, t->group, AHEAD_SILENT, &t->silent);
	return r < 0 ? r : ahead_look(t->core, t->group, AHEAD_UNFIT, &t->unfit);
}

/**
 * explain() - Say why a group is here what it is, what it waits for, what would change it
 * @agent: agent
 * @group: its number
 * @now: CLOCK_BOOTTIME, for how long ago and how long still
 * @ret: overwritten
 *
 * Return: 0; -ENOMEM.
 */
int explain(const struct agent *agent, uint8_t group, instant now, struct explanation *ret)
{
	const struct conf *conf = agent->conf;
	char others[CONF_NAME_MAX + 8];
	struct talk t = { .agent = agent,
			  .core = &agent->core,
			  .g = &agent->core.groups[group],
			  .group = group,
			  .now = now,
			  .self = conf->nodes[agent->self].name,
			  .name = conf->groups[group].name,
			  .others = others,
			  .ret = ret };
	int r;

	(void)snprintf(others, sizeof(others), "%s %s",
		       conf->n_nodes == 2 ? conf->nodes[!agent->self].name : "the others",
		       conf->n_nodes == 2 ? "is" : "are"); /* fits */
	ret->n = 0;
	r = look_ahead(&t);
	if (r < 0)
		return r;
	say_state(&t);
	say_mode(&t);
	say_what_it_waits_for(&t);
	say_unfit(&t);
	say_stop(&t);
	say_drain(&t);
	say_request(&t);
	for (uint8_t p = 0; p < conf->n_nodes; p++)
		if (p != agent->self)
			say_peer(&t, p);
	say_lease(&t);
	say_addresses(&t);
	say_retry(&t);
	say_next(&t);
	ret->list[ret->n] = NULL;
	return 0;
}

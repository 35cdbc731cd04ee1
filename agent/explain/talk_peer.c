/* SPDX-License-Identifier: MIT */

/* The other nodes, and what they mean for the lease. */

#include <inttypes.h>

#include "agent/explain/talk.h"
#include "agent/why.h"

static void say_unheard(struct talk *t, uint8_t node)
{
	static const struct {
		const char *state, *sentence;
	} words[] = {
		{ "deaf",
		  "sends, but does not hear this node: look for a firewall on the way to it" },
		{ "no-agent", "does not run takeoverd, though its host answers; start it there" },
		{ "unknown", "has not been heard since takeoverd started here; see whether it runs "
			     "there, and to the network" },
	};
	const char *state = why_peer_state(t->agent, node);
	char since[SPAN_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].state, state) == 0) {
			say(t, "%s %s (%s).", node_name(t, node), words[i].sentence, state);
			return;
		}
	say(t, "%s has not been heard for %s (%s); see whether its host runs, and to the network.",
	    node_name(t, node), age(t, t->core->peers[node].heard, since), state);
}

void say_peer(struct talk *t, uint8_t node)
{
	const struct core_peer *p = &t->core->peers[node];
	const struct core_record *r = core_peer_record(t->core, node, t->group);
	char unfit[WHY_TEXT_MAX], since[SPAN_MAX];

	if (!p->up) {
		say_unheard(t, node);
		return;
	}
	(void)age(t, p->heard, since);
	if (!r) {
		say(t, "%s was heard %s ago, but its configuration does not have %s (absent).",
		    node_name(t, node), since, t->name);
	} else {
		why_unfit(r->unfit, unfit);
		say(t, "%s was heard %s ago: its state is %s%s%s.", node_name(t, node), since,
		    core_state_name(r->state), r->unfit ? ", and it is unfit: " : "", unfit);
	}
	if (p->digest_differs)
		say(t, "The configuration of %s differs; compare the files.", node_name(t, node));
	if (instant_is_set(t->g->rival_since) && r && r->state == CORE_STATE_PRIMARY)
		say(t, "Both %s and %s have been primary for %s: one of them has to give way.",
		    t->self, node_name(t, node), age(t, t->g->rival_since, since));
}

static const char *consent_phrase(enum core_consent consent)
{
	static const char *const phrases[_CORE_CONSENT_MAX] = {
		[CORE_CONSENT_ECHO] = "answers its heartbeats",
		[CORE_CONSENT_SILENCE] = "is not heard at all",
		[CORE_CONSENT_OUT] = "is heard, and in no state to claim",
		[CORE_CONSENT_NONE] = "is heard and does not answer, so it may be about to claim",
	};

	assert(consent < _CORE_CONSENT_MAX);
	return phrases[consent];
}

void say_lease(struct talk *t)
{
	const struct core *core = t->core;
	bool renews = core_lease_renews(core);
	char until[SPAN_MAX];

	if (!t->g->serving || !instant_is_set(core->lease_until))
		return;
	(void)left(t, core->lease_until, until);
	if (core->lease_frozen) {
		say(t,
		    "The lease has been lengthened for a restart of takeoverd and has %s left; "
		    "if takeoverd is not back by then, the kernel silences the addresses.",
		    until);
		return;
	}
	if (!renews && core_all_consent(core)) {
		say(t,
		    "The lease has %s left and is not renewed: it has to silence what the "
		    "kernel did not close.",
		    until);
		return;
	}
	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		enum core_consent consent = core_consent(core, p);

		if (p == core->config.self || (!renews && consent != CORE_CONSENT_NONE))
			continue;
		say(t, "The lease has %s left and is %s: %s %s.", until,
		    renews ? "renewed with each heartbeat" : "not renewed", node_name(t, p),
		    consent_phrase(consent));
	}
}

/* SPDX-License-Identifier: MIT */

/* claiming and yielding: what every step waits for. */

#include <inttypes.h>

#include "agent/explain/talk.h"

/* What keeps a node from agreeing, by what is heard of it. */
static void say_objection(struct talk *t, uint8_t node)
{
	const struct core_peer *peer = &t->core->peers[node];
	char since[SPAN_MAX];

	if (!peer->up)
		say(t, "%s is not heard, and may hold %s still.", node_name(t, node), t->name);
	else if (core_consent(t->core, node) == CORE_CONSENT_SILENCE)
		say(t, "%s has not been heard for %s, which is not long enough yet.",
		    node_name(t, node), age(t, peer->heard, since));
	else
		say(t,
		    "%s is heard, but has not answered a heartbeat that was sent since; see to "
		    "the network and the firewalls from %s to %s.",
		    node_name(t, node), t->self, node_name(t, node));
}

static void say_leave(struct talk *t)
{
	say(t,
	    "Its addresses are silent until the other nodes agree: by answering, or by not being "
	    "heard for long enough (step wait).");
	for (uint8_t p = 0; p < t->core->config.n_nodes; p++)
		if (p != t->core->config.self && !core_gives_leave(t->core, t->group, p))
			say_objection(t, p);
}

/* The addresses are there; who does not let it open them yet? */
static void say_prepared(struct talk *t)
{
	say(t, "The addresses are there; every other node that is heard has to answer before they "
	       "are opened (step prepared).");
	for (uint8_t p = 0; p < t->core->config.n_nodes; p++)
		if (p != t->core->config.self && !core_lets_open(t->core, t->group, p))
			say(t,
			    "%s is heard, but does not answer; see to the network and the "
			    "firewalls from %s to %s.",
			    node_name(t, p), t->self, node_name(t, p));
}

static void say_claim(struct talk *t)
{
	if (t->g->move_to != CORE_NODE_NONE)
		say(t, "%s hands it over to %s under term %" PRIu64 ", %s.", partner(t), t->self,
		    t->g->term, t->g->seamless ? "seamless" : "strict");
	else
		say(t, "It claims on its own account, under term %" PRIu64 ".", t->g->term);
}

static void say_units(struct talk *t, const char *key)
{
	char in[SPAN_MAX];

	say(t, "It waits for the units of %s=, for %s at most (step %s).", key,
	    left(t, t->g->due, in), core_step_name(t->g->step));
}

/* About to let go, but primary still. */
void say_primary_step(struct talk *t)
{
	say(t, "It is about to let go, and serves as before.");
	say_units(t, "BeforeRelease");
}

void say_claim_step(struct talk *t)
{
	switch (t->g->step) {
	case CORE_STEP_CLAIM_WAIT:
		say_leave(t);
		break;
	case CORE_STEP_CLAIM_PROBE:
		say(t,
		    "It asks the network whether somebody answers for an address of %s, and "
		    "claims it if nobody does (step probe).",
		    t->name);
		break;
	case CORE_STEP_CLAIM_UNITS:
		say_units(t, "BeforeClaim");
		break;
	case CORE_STEP_CLAIM_PREPARE:
		say_claim(t);
		say(t, "It waits for the kernel to add the addresses (step prepare).");
		break;
	case CORE_STEP_CLAIM_PREPARED:
		say_claim(t);
		say_prepared(t);
		break;
	case CORE_STEP_CLAIM_OPEN:
		say_claim(t);
		say(t,
		    "The addresses are there; it waits for the kernel to open the gate%s (step "
		    "open).",
		    t->g->seamless ? ", not for ARP and neighbour discovery yet" : "");
		break;
	case CORE_STEP_CLAIM_READY:
		say_claim(t);
		say(t,
		    "Its addresses are there and open; it waits for %s to stop answering ARP "
		    "and neighbour discovery (step ready).",
		    partner(t));
		break;
	case CORE_STEP_CLAIM_ANSWER:
		say_claim(t);
		say(t, "It waits for the kernel to let its addresses answer ARP and neighbour "
		       "discovery; then it is primary (step answer).");
		break;
	case CORE_STEP_NONE:
	case CORE_STEP_YIELD_OFFER:
	case CORE_STEP_YIELD_WITHDRAW:
	case CORE_STEP_YIELD_WITHDRAWN:
	case CORE_STEP_YIELD_LINGER:
	case CORE_STEP_YIELD_CLOSE:
	case CORE_STEP_YIELD_LEASE:
	case CORE_STEP_YIELD_REMOVE:
	case CORE_STEP_YIELD_RELEASED:
	case CORE_STEP_PRIMARY_UNITS:
	case _CORE_STEP_MAX:
		break;
	}
}

void say_yield_step(struct talk *t)
{
	const char *to = partner(t);

	if (t->g->move_to != CORE_NODE_NONE)
		say(t, "It is a %s handover between %s and %s.",
		    t->g->seamless ? "seamless" : "strict", t->self, to);
	else
		say(t, "It lets go; no other node is part of that.");
	switch (t->g->step) {
	case CORE_STEP_YIELD_OFFER:
		say(t,
		    "It serves as before and waits for %s to have the addresses ready (step "
		    "offer).",
		    to);
		break;
	case CORE_STEP_YIELD_WITHDRAW:
		say(t, "It serves, and waits for the kernel to stop answering ARP and neighbour "
		       "discovery (step withdraw).");
		break;
	case CORE_STEP_YIELD_WITHDRAWN:
		say(t,
		    "It serves, does not answer ARP and neighbour discovery any more, and waits "
		    "for %s to be primary (step withdrawn).",
		    to);
		break;
	case CORE_STEP_YIELD_LINGER:
		say(t,
		    "%s is primary; %s serves what is still under way, for Linger= (step "
		    "linger).",
		    to, t->self);
		break;
	case CORE_STEP_YIELD_CLOSE:
		say(t, "It waits for the kernel to close the gate (step close).");
		break;
	case CORE_STEP_YIELD_LEASE:
		say(t, "The kernel did not close the gate, so it waits for the lease to run out "
		       "(step lease); look for 01-00304 in 'journalctl -u takeoverd'.");
		break;
	case CORE_STEP_YIELD_REMOVE:
		say(t, "Nothing answers any more; it waits for the kernel to remove the addresses "
		       "(step remove).");
		break;
	case CORE_STEP_YIELD_RELEASED:
		say(t, "Its addresses are gone, and it waits for %s to be primary (step released).",
		    to);
		break;
	case CORE_STEP_NONE:
	case CORE_STEP_CLAIM_WAIT:
	case CORE_STEP_CLAIM_PROBE:
	case CORE_STEP_CLAIM_PREPARE:
	case CORE_STEP_CLAIM_PREPARED:
	case CORE_STEP_CLAIM_OPEN:
	case CORE_STEP_CLAIM_READY:
	case CORE_STEP_CLAIM_ANSWER:
	case CORE_STEP_CLAIM_UNITS:
	case CORE_STEP_PRIMARY_UNITS:
	case _CORE_STEP_MAX:
		break;
	}
}

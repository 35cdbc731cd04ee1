/* SPDX-License-Identifier: MIT */

#include "agent/hear.h"
#include "agent/log.h"
#include "agent/publish.h"

/* Anybody who has the key, or a recorder, can send us as many of these as he likes. */
static bool is_due(struct agent *agent, enum beat_outcome outcome)
{
	instant now = clock_now();

	if (outcome == BEAT_STRANGER)
		return log_is_due(&agent->stranger_logged, now);
	if (outcome == BEAT_NAMESAKE)
		return log_is_due(&agent->namesake_logged, now);
	return log_is_due(&agent->misplaced_logged, now);
}

static void tell_outsider(struct agent *agent, const struct beat_received *received)
{
	struct event event = { .fields = { [EVENT_FIELD_PEER] = received->name } };
	char buf[64];
	const char *from = conf_format_ip(&received->from, buf, sizeof(buf));

	if (!is_due(agent, received->outcome))
		return;
	event.fields[EVENT_FIELD_ADDRESS] = from;
	if (received->outcome == BEAT_STRANGER)
		event_say(&event, EVENT_STRANGER,
			  "node %s (%s) sends us heartbeats but is not in our configuration: told "
			  "it so",
			  received->name, from);
	else if (received->outcome == BEAT_NAMESAKE)
		event_say(&event, EVENT_NAMESAKE,
			  "%s is node %s as well, and has the group: left to it; let both hosts "
			  "have the same configuration",
			  from, received->name);
	else
		event_say(&event, EVENT_MISPLACED,
			  "%s sends us heartbeats in the name of node %s, but is not the node that "
			  "our configuration calls so: ignored",
			  from, received->name);
	publish(agent, &event);
}

/*
 * What comes from the peer's own address and is not its heartbeat: a mistake at one of the two,
 * or a forgery, of which there may be any number.
 */
static void tell_refused_packet(struct agent *agent, const struct beat_received *received)
{
	static const char *const why[_WIRE_REFUSAL_MAX] = {
		[WIRE_BAD_VERSION] = "another version of the protocol",
		[WIRE_BAD_TAG] = "not made with our key; is it the same on both hosts?",
		[WIRE_MALFORMED] = "made with our key, yet not a heartbeat",
	};
	struct event event = { 0 };
	const char *name;
	char from[64];

	if (received->peer == CORE_NODE_NONE || !why[received->refusal] ||
	    !log_is_due(&agent->refused_logged, clock_now()))
		return;
	name = agent->conf->nodes[received->peer].name;
	event.fields[EVENT_FIELD_PEER] = name;
	event.fields[EVENT_FIELD_ADDRESS] = conf_format_ip(&received->from, from, sizeof(from));
	event_say(&event, EVENT_PACKETS_REFUSED,
		  "refused what comes from the address of %s, %s: %s", name, from,
		  why[received->refusal]);
	publish(agent, &event);
}

/* What is dropped on the way to the peer leaves both of us primary, and nobody knows why. */
static void tell_deaf(struct agent *agent, const struct beat_received *received)
{
	const char *name = agent->conf->nodes[received->peer].name;
	struct event event = { .fields = { [EVENT_FIELD_PEER] = name } };
	char from[64];

	if (!log_is_due(&agent->deaf_logged, clock_now()))
		return;
	event.fields[EVENT_FIELD_ADDRESS] = conf_format_ip(&received->from, from, sizeof(from));
	event_say(&event, EVENT_PEER_DEAF,
		  "%s (%s) sends to us but does not hear us: does a firewall let UDP port %u "
		  "through from here?",
		  name, from, agent->conf->port);
	publish(agent, &event);
}

/**
 * hear() - Let the core hear what has come for it, and people what has not
 * @received: as beat_receive() says
 */
void hear(struct agent *agent, const struct beat_received *received)
{
	struct core_event event = { .type = CORE_EV_BEAT, .peer = received->peer };

	switch (received->outcome) {
	case BEAT_FRESH:
		event.beat = &received->beat;
		agent_step(agent, &event);
		break;
	case BEAT_UNREACHABLE:
		agent_step_peer(agent, CORE_EV_UNREACHABLE, received->peer);
		break;
	case BEAT_DISOWNED:
		agent_step_peer(agent, CORE_EV_DISOWNED, received->peer);
		break;
	case BEAT_STRANGER:
	case BEAT_MISPLACED:
		tell_outsider(agent, received);
		break;
	case BEAT_NAMESAKE:
		tell_outsider(agent, received);
		agent_step_peer(agent, CORE_EV_DISOWNED, received->peer);
		break;
	case BEAT_REFUSED:
		tell_refused_packet(agent, received);
		break;
	case BEAT_DEAF:
		tell_deaf(agent, received);
		break;
	case BEAT_NOTHING:
	case BEAT_HANDLED:
	case _BEAT_OUTCOME_MAX:
		break;
	}
}

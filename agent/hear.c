/* SPDX-License-Identifier: MIT */

#include "agent/hear.h"
#include "agent/log.h"

/* Anybody who has the key, or a recorder, can send us as many of these as he likes. */
static void log_outsider(struct agent *agent, const struct beat_received *received)
{
	char buf[64];
	const char *from = conf_format_ip(&received->from, buf, sizeof(buf));

	if (received->outcome == BEAT_STRANGER) {
		if (log_is_due(&agent->stranger_logged, agent_now()))
			log_say(LOG_LEVEL_WARNING,
				"node %s (%s) sends us heartbeats but is not in our configuration: "
				"told it so",
				received->name, from);
	} else if (received->outcome == BEAT_NAMESAKE) {
		if (log_is_due(&agent->namesake_logged, agent_now()))
			log_say(LOG_LEVEL_ERROR,
				"%s is node %s as well, and has the group: left to it; let both "
				"hosts have the same configuration",
				from, received->name);
	} else if (log_is_due(&agent->misplaced_logged, agent_now())) {
		log_say(LOG_LEVEL_WARNING,
			"%s sends us heartbeats in the name of node %s, but is not the node that "
			"our configuration calls so: ignored",
			from, received->name);
	}
}

/*
 * What comes from the peer's own address and is not its heartbeat: a mistake at one of the two,
 * or a forgery, of which there may be any number.
 */
static void log_refused(struct agent *agent, const struct beat_received *received)
{
	static const char *const why[_WIRE_REFUSAL_MAX] = {
		[WIRE_BAD_VERSION] = "another version of the protocol",
		[WIRE_BAD_TAG] = "not made with our key; is it the same on both hosts?",
		[WIRE_MALFORMED] = "made with our key, yet not a heartbeat",
	};
	char buf[64];

	if (received->peer == CORE_NODE_NONE || !why[received->refusal] ||
	    !log_is_due(&agent->refused_logged, agent_now()))
		return;
	log_say(LOG_LEVEL_WARNING, "refused what comes from the address of %s, %s: %s",
		agent->conf->nodes[received->peer].name,
		conf_format_ip(&received->from, buf, sizeof(buf)), why[received->refusal]);
}

/* What is dropped on the way to the peer leaves both of us primary, and nobody knows why. */
static void log_deaf(struct agent *agent, const struct beat_received *received)
{
	char buf[64];

	if (log_is_due(&agent->deaf_logged, agent_now()))
		log_say(LOG_LEVEL_WARNING,
			"%s (%s) sends to us but does not hear us: does a firewall let UDP port %u "
			"through from here?",
			agent->conf->nodes[received->peer].name,
			conf_format_ip(&received->from, buf, sizeof(buf)), agent->conf->port);
}

static void step(struct agent *agent, enum core_event_type type, uint8_t peer)
{
	struct core_event event = { .type = type, .peer = peer };

	agent_step(agent, &event);
}

/**
 * hear() - Let the core hear what has come for it, and the log what has not
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
		step(agent, CORE_EV_UNREACHABLE, received->peer);
		break;
	case BEAT_DISOWNED:
		step(agent, CORE_EV_DISOWNED, received->peer);
		break;
	case BEAT_STRANGER:
	case BEAT_MISPLACED:
		log_outsider(agent, received);
		break;
	case BEAT_NAMESAKE:
		log_outsider(agent, received);
		step(agent, CORE_EV_DISOWNED, received->peer);
		break;
	case BEAT_REFUSED:
		log_refused(agent, received);
		break;
	case BEAT_DEAF:
		log_deaf(agent, received);
		break;
	case BEAT_NOTHING:
	case BEAT_HANDLED:
	case _BEAT_OUTCOME_MAX:
		break;
	}
}

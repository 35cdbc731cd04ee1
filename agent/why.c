/* SPDX-License-Identifier: MIT */

#include <stdarg.h>
#include <stdio.h>

#include "agent/why.h"
#include "sdbus/api.h"

/* As much as there is room for. */
__attribute__((format(printf, 2, 3))) static void add(char buf[static WHY_TEXT_MAX],
						      const char *format, ...)
{
	size_t used = strlen(buf);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(buf + used, WHY_TEXT_MAX - used, format, args);
	va_end(args);
}

static void add_unfit(uint16_t unfit, char buf[static WHY_TEXT_MAX])
{
	const char *gap = "";

	for (unsigned bit = 1; bit < _CORE_UNFIT_MASK; bit <<= 1) {
		if (!(unfit & bit))
			continue;
		add(buf, "%s%s", gap, core_unfit_name((enum core_unfit)bit));
		gap = ", ";
	}
}

/**
 * why_unfit() - The reasons in a set, one after the other
 */
void why_unfit(uint16_t unfit, char buf[static WHY_TEXT_MAX])
{
	buf[0] = '\0';
	add_unfit(unfit, buf);
}

/**
 * why_is_deaf() - Is a peer that does not count as heard one that sends, but does not hear us?
 */
bool why_is_deaf(const struct agent *agent, uint8_t node)
{
	return !agent->core.peers[node].up && beat_is_deaf(agent->beat, node, agent->core.now);
}

/**
 * why_peer_state() - How a peer is: up, deaf, no-agent, silent or unknown
 *
 * Deaf comes before no-agent: a firewall may answer as a host without agent does.
 */
const char *why_peer_state(const struct agent *agent, uint8_t node)
{
	const struct core_peer *p = &agent->core.peers[node];

	if (p->up)
		return "up";
	if (why_is_deaf(agent, node))
		return "deaf";
	if (p->no_agent)
		return "no-agent";
	return p->known ? "silent" : "unknown";
}

/* What keeps a node from taking the group over, as far as is known here. */
static void add_node(const struct agent *agent, uint8_t node, uint8_t group,
		     char buf[static WHY_TEXT_MAX])
{
	const struct core_peer *peer = &agent->core.peers[node];
	const struct core_record *r = &peer->beat.groups[group];
	const struct core_group *own = &agent->core.groups[group];
	const char *name = agent->conf->nodes[node].name, *gap = *buf ? "; " : "";
	bool self = node == agent->self;
	enum core_state state = self ? own->state : r->state;
	uint16_t unfit = self ? own->unfit : r->unfit;

	if (!self && !peer->up) {
		add(buf, "%s%s does not answer", gap, name);
	} else if (!self && !r->present) {
		add(buf, "%s%s does not have this group", gap, name);
	} else if (unfit) {
		add(buf, "%s%s is unfit: ", gap, name);
		add_unfit(unfit, buf);
	} else if (state != CORE_STATE_BACKUP && state != CORE_STATE_PRIMARY) {
		add(buf, "%s%s is in state %s", gap, name, core_state_name(state));
	}
}

/**
 * why_refused() - What a caller is told who asked for a switchover or for maintenance
 * @agent: agent
 * @group: its number
 * @result: what the core answers
 * @buf: room for a sentence that names the nodes
 *
 * Return: a sentence, in @buf or constant; "" if the result is that it is done.
 */
const char *why_refused(const struct agent *agent, uint8_t group, enum core_result result,
			char buf[static WHY_TEXT_MAX])
{
	uint8_t primary = core_primary(&agent->core, group);

	buf[0] = '\0';
	if (result == CORE_RESULT_OK)
		return "";
	if (result == CORE_RESULT_NOT_FIT || result == CORE_RESULT_PEER_UNREACHABLE)
		for (uint8_t node = 0; node < agent->conf->n_nodes; node++)
			if (node != primary)
				add_node(agent, node, group, buf);
	return *buf ? buf : api_error_text(core_result_name(result));
}

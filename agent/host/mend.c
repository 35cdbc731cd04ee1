/* SPDX-License-Identifier: MIT */

#include "agent/host/mend.h"
#include "agent/log.h"
#include "agent/publish.h"

/* One at a time, however busy the stranger is: what he does meanwhile is mended after it. */
static void lay_anew(struct agent *agent)
{
	agent->gate_changed = agent->gate_laying;
	if (agent->gate_laying)
		return;
	agent->gate_laying = true;
	agent_step_peer(agent, CORE_EV_FLUSHED, CORE_NODE_NONE);
}

/**
 * mend_gate() - Somebody has changed the gate: lay it anew as it should be
 * @event: MONITOR_GATE_CHANGED; or MONITOR_OVERRUN: lost news may have been of
 *	the gate, and laying it anew does no harm
 */
void mend_gate(struct agent *agent, const struct monitor_event *event)
{
	if (event->kind == MONITOR_GATE_CHANGED && log_is_due(&agent->gate_logged, clock_now()))
		publish_say(agent, EVENT_NO_GROUP, EVENT_GATE_CHANGED,
			    "%s (process %u) has changed the gate: laying it anew",
			    event->process.name, event->process.pid);
	lay_anew(agent);
}

/**
 * mend_done() - The gate has been laid, or the kernel refuses, which the core knows
 */
void mend_done(struct agent *agent)
{
	agent->gate_laying = false;
	if (agent->gate_changed)
		lay_anew(agent);
}

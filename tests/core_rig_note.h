/* SPDX-License-Identifier: MIT */
#pragma once

/* What happens in the world of core_rig.h, as text: an order, or what is told, a line. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/core_rig_state.h"

__attribute__((format(printf, 1, 2))) static inline void rig_note(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	rig.trace_len += (size_t)vsnprintf(rig.trace + rig.trace_len,
					   sizeof(rig.trace) - rig.trace_len, format, ap);
	va_end(ap);
	cr_assert_lt(rig.trace_len, sizeof(rig.trace));
}

static inline void rig_forget(void)
{
	rig.trace_len = 0;
	rig.trace[0] = '\0';
}

/* What has happened since the last rig_forget(), a line each; and forgets it. */
#define rig_expect(expected)                                                                       \
	do {                                                                                       \
		cr_assert_str_eq(rig.trace, (expected), "this happened:\n%s", rig.trace);          \
		rig_forget();                                                                      \
	} while (0)

static inline unsigned rig_count(const char *line)
{
	unsigned n = 0;

	for (const char *at = rig.trace; (at = strstr(at, line)); at++)
		n++;
	return n;
}

static inline void rig_note_group(uint8_t node, uint8_t group)
{
	if (group)
		rig_note("%s/%u ", rig_names[node], group);
	else
		rig_note("%s ", rig_names[node]);
}

static inline const char *rig_told(enum core_tell what)
{
	static const char *const words[_CORE_TELL_MAX] = {
		[CORE_TELL_STATE] = "state",
		[CORE_TELL_PEER_UP] = "peer-up",
		[CORE_TELL_PEER_SILENT] = "peer-silent",
		[CORE_TELL_PEER_NO_AGENT] = "peer-no-agent",
		[CORE_TELL_DIGEST] = "digest",
		[CORE_TELL_CONFLICT] = "conflict",
		[CORE_TELL_LAPSED] = "lapsed",
		[CORE_TELL_REPAIRED] = "repaired",
		[CORE_TELL_MOVE_FAILED] = "move-failed",
		[CORE_TELL_ACTION_FAILED] = "action-failed",
		[CORE_TELL_UNFIT] = "unfit",
		[CORE_TELL_DISOWNED] = "disowned",
		[CORE_TELL_STRANGER] = "stranger",
		[CORE_TELL_UNITS_FAILED] = "units-failed",
	};

	return words[what];
}

static inline void rig_note_tell(const struct core_action *a)
{
	if (a->tell.what == CORE_TELL_ACTION_FAILED)
		rig.failure = a->tell.err;
	if (a->tell.what == CORE_TELL_STATE)
		rig_note("is %s (%s)\n", core_state_name(a->tell.state),
			 core_reason_name(a->tell.reason));
	else if (a->peer != CORE_NODE_NONE)
		rig_note("tells %s %s\n", rig_told(a->tell.what), rig_names[a->peer]);
	else if (a->tell.what == CORE_TELL_UNFIT)
		rig_note("tells unfit %x\n", a->tell.unfit);
	else if (a->tell.what == CORE_TELL_MOVE_FAILED)
		rig_note("tells move-failed %s\n", core_result_name(a->tell.result));
	else
		rig_note("tells %s\n", rig_told(a->tell.what));
}

static inline void rig_note_action(uint8_t node, const struct core_action *a)
{
	static const char *const levels[_CORE_GATE_MAX] = {
		[CORE_GATE_CLOSED] = "closed",
		[CORE_GATE_SERVE] = "serve",
		[CORE_GATE_READY] = "ready",
		[CORE_GATE_ANSWER] = "answer",
	};

	rig_note_group(node, a->group);
	switch (a->type) {
	case CORE_DO_STORE:
		rig_note("stores %" PRIu64 "%s\n", a->store.term,
			 a->store.maintenance ? " maintenance" : "");
		break;
	case CORE_DO_PREPARE:
		rig_note(a->ticket ? "prepares\n" : "repairs\n");
		break;
	case CORE_DO_REMOVE:
		rig_note("removes\n");
		break;
	case CORE_DO_GATE:
		rig_note("gate %s%s\n", levels[a->gate.level], a->gate.create ? " new" : "");
		break;
	case CORE_DO_SHUT:
		rig_note("shuts\n");
		break;
	case CORE_DO_REBUILD:
		rig_note("rebuilds\n");
		break;
	case CORE_DO_LEASE:
		rig_note("lease %u\n", a->lease_us);
		break;
	case CORE_DO_ANNOUNCE:
		rig_note("announces\n");
		break;
	case CORE_DO_REPLY:
		rig_note("replies %u %s %s\n", a->reply.request, core_result_name(a->reply.result),
			 a->reply.primary < RIG_NODES ? rig_names[a->reply.primary] : "nobody");
		break;
	case CORE_DO_TELL:
		rig_note_tell(a);
		break;
	case CORE_DO_EXIT:
		rig_note("exits\n");
		break;
	case CORE_DO_PROBE:
		rig_note("probes %u\n", a->probe.within_us);
		break;
	case CORE_DO_DEFEND:
		rig_note("defends %u\n", a->defend.vip);
		break;
	case CORE_DO_UNITS:
		rig_note(a->units == CORE_UNITS_BEFORE_CLAIM ? "units before claim\n"
							     : "units before release\n");
		break;
	case CORE_DO_BEAT:
	case _CORE_DO_MAX:
		break;
	}
}

/* What holds of every heartbeat, and what people can see of it. */
static inline void rig_check_beat(uint8_t node, const struct core_beat *beat)
{
	static const char *const moves[_CORE_MOVE_MAX] = {
		"nothing", "offer", "ready", "withdrawn", "released", "refused", "ask", "denied",
	};
	struct rig_node *n = &rig.nodes[node];

	for (uint8_t g = 0; g < n->config.n_groups; g++) {
		const struct core_record *r = &beat->groups[g];

		cr_assert_leq(r->term, n->stored[g], "a term is announced that is not on disk");
		cr_assert_leq(r->term, r->term_max);
		cr_assert(r->present);
		if (r->move == n->said[g])
			continue;
		n->said[g] = r->move;
		rig_note_group(node, g);
		rig_note("says %s\n", moves[r->move]);
	}
}

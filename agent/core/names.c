/* SPDX-License-Identifier: MIT */

/* The words for what the core's numbers mean: those of the bus, the log and the manual. */

#include "agent/core/core.h"

const char *core_state_name(enum core_state state)
{
	static const char *const names[_CORE_STATE_MAX] = {
		[CORE_STATE_BACKUP] = "backup",	  [CORE_STATE_CLAIMING] = "claiming",
		[CORE_STATE_PRIMARY] = "primary", [CORE_STATE_YIELDING] = "yielding",
		[CORE_STATE_FAULT] = "fault",	  [CORE_STATE_MAINTENANCE] = "maintenance",
	};

	assert(state < _CORE_STATE_MAX);
	return names[state];
}

const char *core_step_name(enum core_step step)
{
	static const char *const names[_CORE_STEP_MAX] = {
		[CORE_STEP_NONE] = "",
		[CORE_STEP_CLAIM_WAIT] = "wait",
		[CORE_STEP_CLAIM_PROBE] = "probe",
		[CORE_STEP_CLAIM_PREPARE] = "prepare",
		[CORE_STEP_CLAIM_PREPARED] = "prepared",
		[CORE_STEP_CLAIM_OPEN] = "open",
		[CORE_STEP_CLAIM_READY] = "ready",
		[CORE_STEP_CLAIM_ANSWER] = "answer",
		[CORE_STEP_YIELD_OFFER] = "offer",
		[CORE_STEP_YIELD_WITHDRAW] = "withdraw",
		[CORE_STEP_YIELD_WITHDRAWN] = "withdrawn",
		[CORE_STEP_YIELD_LINGER] = "linger",
		[CORE_STEP_YIELD_CLOSE] = "close",
		[CORE_STEP_YIELD_LEASE] = "lease",
		[CORE_STEP_YIELD_REMOVE] = "remove",
		[CORE_STEP_YIELD_RELEASED] = "released",
		[CORE_STEP_CLAIM_UNITS] = "before-claim",
		[CORE_STEP_PRIMARY_UNITS] = "before-release",
	};

	assert(step < _CORE_STEP_MAX);
	return names[step];
}

const char *core_reason_name(enum core_reason reason)
{
	static const char *const names[_CORE_REASON_MAX] = {
		[CORE_REASON_NONE] = "",
		[CORE_REASON_START] = "start",
		[CORE_REASON_ADOPTED] = "adopted",
		[CORE_REASON_PEER_DEAD] = "peer-dead",
		[CORE_REASON_NO_PRIMARY] = "no-primary",
		[CORE_REASON_SWITCHOVER] = "switchover",
		[CORE_REASON_UNFIT] = "unfit",
		[CORE_REASON_FIT] = "fit",
		[CORE_REASON_CONFLICT] = "conflict",
		[CORE_REASON_UNHEARD] = "unheard",
		[CORE_REASON_LAPSED] = "lease-lapsed",
		[CORE_REASON_ROLLED_BACK] = "rolled-back",
		[CORE_REASON_MAINTENANCE] = "maintenance",
		[CORE_REASON_STOP] = "stop",
		[CORE_REASON_FAILED] = "failed",
		[CORE_REASON_LAST_RESORT] = "last-resort",
		[CORE_REASON_DISOWNED] = "disowned",
		[CORE_REASON_INHIBITED] = "inhibited",
	};

	assert(reason < _CORE_REASON_MAX);
	return names[reason];
}

/* These are also the last parts of the D-Bus error names. */
const char *core_result_name(enum core_result result)
{
	static const char *const names[_CORE_RESULT_MAX] = {
		[CORE_RESULT_OK] = "",
		[CORE_RESULT_NOT_FIT] = "NotFit",
		[CORE_RESULT_PEER_UNREACHABLE] = "PeerUnreachable",
		[CORE_RESULT_TIMEOUT] = "Timeout",
		[CORE_RESULT_BUSY] = "Busy",
		[CORE_RESULT_NOT_HELD] = "NotHeld",
		[CORE_RESULT_FAILED] = "Failed",
		[CORE_RESULT_OUTCOME_UNKNOWN] = "OutcomeUnknown",
		[CORE_RESULT_STEP_FAILED] = "StepFailed",
		[CORE_RESULT_ALREADY_PRIMARY] = "AlreadyPrimary",
	};

	assert(result < _CORE_RESULT_MAX);
	return names[result];
}

/**
 * core_unfit_name() - The word for one reason to be unfit
 * @bit: one of enum core_unfit
 */
const char *core_unfit_name(enum core_unfit bit)
{
	switch (bit) {
	case CORE_UNFIT_LINK:
		return "link";
	case CORE_UNFIT_CHECK:
		return "check";
	case CORE_UNFIT_ISOLATED:
		return "isolated";
	case CORE_UNFIT_CLAIM:
		return "claim-failed";
	case CORE_UNFIT_DRIFT:
		return "drift";
	case CORE_UNFIT_DISOWNED:
		return "disowned";
	case CORE_UNFIT_STARTING:
		return "starting";
	case CORE_UNFIT_MAINTENANCE:
		return "maintenance";
	case CORE_UNFIT_SYNC:
		return "not-synchronized";
	case CORE_UNFIT_STOPPING:
		return "stopping";
	case CORE_UNFIT_SILENT:
		return "silent";
	case CORE_UNFIT_OCCUPIED:
		return "occupied";
	case CORE_UNFIT_INHIBITED:
		return "inhibited";
	case CORE_UNFIT_UNIT:
		return "unit";
	case _CORE_UNFIT_MASK:
		break;
	}
	return "";
}

/* SPDX-License-Identifier: MIT */
#pragma once

/* What nodes say to each other about the groups: the words of a heartbeat. */

#include "agent/base.h"

enum {
	CORE_NODES_MAX = 8,
	CORE_GROUPS_MAX = 128,
	CORE_NODE_NONE = 0xff,
	CORE_SILENCES_MAX = 4, /* R7: there and back, twice: four times the first time-out */
};

/*
 * Terms are ordered, so they must not wrap: a heartbeat with a higher one is refused, whoever has
 * the key, and so is a file. No pair of hosts gets there: a term a second would take 10^11 years.
 */
#define CORE_TERM_MAX ((UINT64_C(1) << 63) - 1)

/* What a node is to a group. The order is that of the wire: append only. */
enum core_state {
	CORE_STATE_BACKUP,	/* ready to claim */
	CORE_STATE_CLAIMING,	/* on the way to primary, or waiting for leave to re-open */
	CORE_STATE_PRIMARY,	/* holds the addresses */
	CORE_STATE_YIELDING,	/* on the way from primary to something else */
	CORE_STATE_FAULT,	/* unfit: does not claim */
	CORE_STATE_MAINTENANCE, /* the operator keeps it out */
	_CORE_STATE_MAX,
};

/* Why a node is unfit for a group (R3); a set of bits. */
enum core_unfit {
	CORE_UNFIT_LINK = 1 << 0,     /* a link of the group's addresses is not running */
	CORE_UNFIT_CHECK = 1 << 1,    /* a check of the service fails */
	CORE_UNFIT_ISOLATED = 1 << 2, /* every reference is silent */
	CORE_UNFIT_CLAIM = 1 << 3,    /* the last claim failed here; tried again later */
	CORE_UNFIT_DRIFT = 1 << 4,    /* strangers delete the addresses again and again */
	CORE_UNFIT_DISOWNED = 1 << 5, /* a peer's configuration does not name this node */
	CORE_UNFIT_STARTING = 1 << 6, /* still listening after the start (R6) */
	CORE_UNFIT_MAINTENANCE = 1 << 7,
	CORE_UNFIT_SYNC = 1 << 8,	/* hot group, not synchronised: no switchover to here */
	CORE_UNFIT_STOPPING = 1 << 9,	/* the agent is about to exit */
	CORE_UNFIT_SILENT = 1 << 10,	/* primary, and no service traffic comes in (R7) */
	CORE_UNFIT_OCCUPIED = 1 << 11,	/* somebody answers for an address of the group (R6) */
	CORE_UNFIT_INHIBITED = 1 << 12, /* as maintenance, for as long as somebody holds it */
	CORE_UNFIT_UNIT = 1 << 13,	/* the unit of the group does not run */
	_CORE_UNFIT_MASK = (1 << 14) - 1,
};

/*
 * The progress of a move between two nodes (DESIGN section 5), published with
 * every heartbeat and so repeated until it has been answered. Wire order.
 */
enum core_move {
	CORE_MOVE_NONE,
	CORE_MOVE_OFFER,     /* holder: get ready, open, tell me (seamless) */
	CORE_MOVE_READY,     /* successor: addresses are here and open */
	CORE_MOVE_WITHDRAWN, /* holder: does not answer ARP and ND any more, still serves */
	CORE_MOVE_RELEASED,  /* holder: the kernel has confirmed the release (strict) */
	CORE_MOVE_REFUSED,   /* successor: cannot */
	CORE_MOVE_ASK,	     /* backup: my caller wants the group here */
	CORE_MOVE_DENIED,    /* holder: answer to an ASK */
	_CORE_MOVE_MAX,
};

/* The outcome of a request, and why a move was refused. Wire order. */
enum core_result {
	CORE_RESULT_OK,
	CORE_RESULT_NOT_FIT,
	CORE_RESULT_PEER_UNREACHABLE,
	CORE_RESULT_TIMEOUT,
	CORE_RESULT_BUSY,
	CORE_RESULT_NOT_HELD, /* no node is primary: nothing to switch over */
	CORE_RESULT_FAILED,   /* the kernel of the new primary refused */
	CORE_RESULT_OUTCOME_UNKNOWN,
	CORE_RESULT_STEP_FAILED,     /* a unit that comes before release or claim */
	CORE_RESULT_ALREADY_PRIMARY, /* the node that was asked for */
	_CORE_RESULT_MAX,
};

/* How a switchover is wanted by who asks for it; all zero: as the configuration has it. */
struct core_options {
	bool strict;	    /* this one, whatever Handover= says */
	bool force;	    /* also to a node that is unfit, if it can hold the group at all */
	uint8_t to;	    /* 1 + the node that is to have it; 0: any will do */
	uint32_t within_us; /* undone if it is not on its way by then; 0: no such wish */
};

/* What one node says about one group in a heartbeat. */
struct core_record {
	enum core_state state;
	uint64_t term;	   /* held, or the last one seen held; 0: none yet */
	uint64_t term_max; /* highest ever seen or offered */
	enum core_move move;
	enum core_result why; /* with REFUSED and DENIED */
	uint8_t move_to;      /* node that the move speaks to; CORE_NODE_NONE: nobody */
	uint32_t move_id;
	uint64_t move_term; /* term on offer */
	uint16_t unfit;	    /* set of enum core_unfit; 0: fit */
	bool strict;	    /* this node's configuration of the group */
	bool evidence;	    /* saw service traffic or a reference since the peer fell silent (R1) */
	bool present;	    /* the sender's configuration has this group */
	bool traffic;	    /* the sender has seen service traffic lately */
	uint8_t silences;   /* switchovers for want of traffic in a row, none seen anywhere (R7) */
	struct core_options options; /* of an ASK, with what is left of the time; else force only */
};

/* A heartbeat without what authenticates and routes it. */
struct core_beat {
	uint64_t seq;	      /* of the sender's core, from 1 */
	uint64_t echo_seq;    /* highest of ours that it had heard; 0: none */
	uint32_t interval_us; /* the sender's */
	uint32_t lease_us;    /* the sender's, as it stands now */
	uint64_t digest;      /* of its configuration (R12) */
	uint16_t priority;
	bool reply;		/* answers a heartbeat that has just been received: an echo */
	bool wants_answer;	/* the sender holds or claims something, and needs an echo */
	bool references_answer; /* R3 */
	bool marked;		/* renewed the sender's lease; informational */
	struct core_record groups[CORE_GROUPS_MAX];
};

/* The bytes of a heartbeat about so many groups: most of its records are not in use. */
static inline size_t core_beat_size(size_t n_groups)
{
	return offsetof(struct core_beat, groups) + n_groups * sizeof(struct core_record);
}

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The decision, and nothing else: a plain value that takes events and gives
 * actions. No pointers, allocation, clock, randomness, sockets, addresses or
 * strings; small integers name nodes and groups. The only place in the program
 * that decides who holds a group.
 */

#include "agent/core/beat.h"

enum {
	CORE_ANNOUNCE_MAX = 8,
	CORE_SENT_MAX = 16,
	CORE_ACTIONS_MAX = CORE_GROUPS_MAX * 12 + CORE_NODES_MAX * 4,
};

/* How far the gate lets a group's addresses work. */
enum core_gate {
	CORE_GATE_CLOSED, /* nothing in, nothing out */
	CORE_GATE_SERVE,  /* traffic, but no ARP: of one who is about to leave */
	CORE_GATE_READY,  /* the same, asking for neighbours: of one who is about to take over */
	CORE_GATE_ANSWER, /* traffic and answers */
	_CORE_GATE_MAX,
};

enum core_event_type {
	CORE_EV_TIME,	     /* the deadline has come; nothing else happened */
	CORE_EV_START,	     /* once per group, before any other event of it */
	CORE_EV_BEAT,	     /* a fresh heartbeat of a peer, finished handshake */
	CORE_EV_UNREACHABLE, /* a peer's host answers "port unreachable" (R10) */
	CORE_EV_FITNESS,     /* a reason to be unfit came or went */
	CORE_EV_REFERENCES,  /* all references silent, or not */
	CORE_EV_SWITCHOVER,  /* somebody asks for it here */
	CORE_EV_MAINTENANCE, /* somebody sets or ends it here */
	CORE_EV_ANNOUNCE,    /* somebody asks for announcements */
	CORE_EV_STOP,	     /* the agent has been told to stop */
	CORE_EV_DONE,	     /* an action has been carried out, or has failed */
	CORE_EV_SENT,	     /* the result of a heartbeat that could not be sent at all */
	CORE_EV_LOST,	     /* addresses of the group have been removed by a stranger */
	CORE_EV_FLUSHED,     /* the gate has been removed by a stranger */
	CORE_EV_LAPSED,	     /* the lease element is gone although we thought it alive */
	CORE_EV_DISOWNED,    /* a peer's configuration does not name us */
	CORE_EV_TRAFFIC,     /* service traffic of the group has reached this node */
	CORE_EV_STRANGER,    /* somebody else uses an address that is held here; peer, or nobody */
	CORE_EV_INHIBIT,     /* the first one keeps it out for a while, or the last one ends that */
	_CORE_EV_MAX,
};

struct core_event {
	enum core_event_type type;
	instant now;
	uint8_t group;
	uint8_t peer;
	union {
		struct {
			uint64_t term;		/* stored by the last life, 0: none */
			uint32_t salt;		/* random: makes this life's move ids its own */
			bool maintenance;	/* stored */
			bool adopted;		/* addresses with our tag, gate open, lease alive */
			bool boot;		/* the host has just booted (StartWait=) */
			uint32_t lease_left_us; /* adopted: the element lives that long */
		} start;
		const struct core_beat *beat; /* BEAT; borrowed for the call */
		struct {
			uint16_t reason; /* one of enum core_unfit */
			bool unfit;
		} fitness;
		bool references_silent;
		struct {
			uint32_t request; /* names the caller in CORE_DO_REPLY; 0: nobody waits */
			bool on;	  /* maintenance, inhibition */
			bool force;	  /* maintenance without a fit peer: release */
			struct core_options options; /* switchover */
		} request;
		bool restart; /* STOP: we are coming back (R11) */
		struct {
			uint32_t id;
			int err; /* 0 or negative errno */
		} done;
		uint64_t sent_seq; /* SENT: this one left on no path */
		struct {
			uint16_t vip; /* which of the group's addresses */
		} stranger;
	};
};

enum core_action_type {
	CORE_DO_BEAT,	  /* send a heartbeat to peer: core_beat_fill() has its text */
	CORE_DO_STORE,	  /* keep term and maintenance on disk; DONE */
	CORE_DO_PREPARE,  /* add the addresses, read them back, lay a ticket if asked to; DONE */
	CORE_DO_REMOVE,	  /* remove the addresses, read back; DONE */
	CORE_DO_GATE,	  /* set the group's level, creating the lease if asked to; DONE */
	CORE_DO_SHUT,	  /* node: empty the switches, end the lease; DONE */
	CORE_DO_REBUILD,  /* node: lay the gate anew as it was; DONE */
	CORE_DO_LEASE,	  /* node: lengthen the lease for a restart; DONE */
	CORE_DO_ANNOUNCE, /* send ARP and ND announcements for every address */
	CORE_DO_REPLY,	  /* answer a caller, once */
	CORE_DO_TELL,	  /* something that people want to hear of */
	CORE_DO_EXIT,	  /* everything has been left in order */
	CORE_DO_PROBE,	  /* ask who answers for the group's addresses: nobody, EADDRINUSE; DONE */
	CORE_DO_DEFEND,	  /* announce one address once: somebody else uses it */
	CORE_DO_UNITS,	  /* start and stop the units that come before; DONE, see below */
	_CORE_DO_MAX,
};

/*
 * Before what the units of CORE_DO_UNITS come. They are worked through in their order, TimeoutStep=
 * for each; the first that fails ends it. Nobody waits for them any more, and the rest is not to be
 * begun, once the group's ->units is another number than the order's.
 */
enum core_units {
	CORE_UNITS_BEFORE_RELEASE,
	CORE_UNITS_BEFORE_CLAIM,
	_CORE_UNITS_MAX,
};

/* What CORE_DO_TELL tells. */
enum core_tell {
	CORE_TELL_STATE,	 /* state changed: from, state, reason */
	CORE_TELL_PEER_UP,	 /* peer is heard */
	CORE_TELL_PEER_SILENT,	 /* peer has not been heard for its dead time */
	CORE_TELL_PEER_NO_AGENT, /* its host answers, its agent does not */
	CORE_TELL_DIGEST,	 /* configurations differ */
	CORE_TELL_CONFLICT,	 /* two primaries met */
	CORE_TELL_LAPSED,	 /* our lease ran out: we were frozen or unheard */
	CORE_TELL_REPAIRED,	 /* a stranger's deletion has been mended */
	CORE_TELL_MOVE_FAILED,	 /* a switchover was rolled back: result */
	CORE_TELL_ACTION_FAILED, /* an order failed: err */
	CORE_TELL_UNFIT,	 /* the set of reasons changed */
	CORE_TELL_DISOWNED,
	CORE_TELL_STRANGER,	/* somebody else uses an address that is held here: peer, vip */
	CORE_TELL_UNITS_FAILED, /* one that comes before a release (if primary) or a claim: err */
	_CORE_TELL_MAX,
};

/* Why the state changed. */
enum core_reason {
	CORE_REASON_NONE,
	CORE_REASON_START,
	CORE_REASON_ADOPTED,	 /* found our own addresses, still answering */
	CORE_REASON_PEER_DEAD,	 /* no primary heard for the dead time */
	CORE_REASON_NO_PRIMARY,	 /* nobody holds it and we are the best */
	CORE_REASON_SWITCHOVER,	 /* asked for */
	CORE_REASON_UNFIT,	 /* fitness lost */
	CORE_REASON_FIT,	 /* fitness back */
	CORE_REASON_CONFLICT,	 /* lost against another primary */
	CORE_REASON_UNHEARD,	 /* another primary does not hear us */
	CORE_REASON_LAPSED,	 /* the lease ran out */
	CORE_REASON_ROLLED_BACK, /* the switchover failed */
	CORE_REASON_MAINTENANCE,
	CORE_REASON_STOP,
	CORE_REASON_FAILED, /* the kernel refused */
	CORE_REASON_LAST_RESORT,
	CORE_REASON_DISOWNED,
	CORE_REASON_INHIBITED,
	_CORE_REASON_MAX,
};

struct core_action {
	enum core_action_type type;
	uint32_t id; /* comes back with DONE; 0: nothing comes back */
	uint8_t group;
	uint8_t peer;
	union {
		struct {
			uint64_t seq;
			bool marked;	   /* may renew the lease (R8) */
			bool alone;	   /* no echo is to be expected from this peer */
			bool reply;	   /* answers a heartbeat of the peer's */
			bool wants_answer; /* both at once, when the one is due as the other comes
					    */
		} beat;
		struct {
			uint64_t term;
			bool maintenance;
		} store;
		struct {
			enum core_gate level;
			bool create; /* a claim: empty all switches, create the lease */
		} gate;
		bool ticket;	   /* PREPARE: the gate is going to be opened */
		uint32_t lease_us; /* LEASE */
		struct {
			uint32_t within_us; /* who has not answered by then does not */
		} probe;
		struct {
			uint16_t vip;
		} defend;
		enum core_units units;
		struct {
			uint32_t request;
			enum core_result result;
			uint64_t took_us;
			uint8_t primary; /* node, or CORE_NODE_NONE */
		} reply;
		struct {
			enum core_tell what;
			enum core_reason reason;
			enum core_state from, state;
			bool was_primary, primary; /* role before and after */
			enum core_result result;
			uint64_t term;
			uint16_t unfit;
			uint16_t vip;
			int err;
		} tell;
	};
};

struct core_actions {
	size_t n;
	struct core_action v[CORE_ACTIONS_MAX];
};

struct core_group_config {
	bool strict;		 /* Handover=strict */
	bool hot;		 /* Redundancy=hot */
	bool preempt;		 /* Preempt=yes */
	bool keep_alone;	 /* WhenAlone=keep */
	uint32_t last_resort_us; /* LastResort= */
	uint32_t linger_us;	 /* Linger= */
	uint32_t traffic_us;	 /* R7: the first effective time-out; 0: not monitored */
	uint8_t before_release;	 /* so many units come before it: BeforeRelease= */
	uint8_t before_claim;	 /* BeforeClaim= */
};

struct core_config {
	uint8_t self;	 /* nodes are numbered in the order of their names */
	uint8_t n_nodes; /* 1 to CORE_NODES_MAX */
	uint8_t n_groups;
	uint8_t n_announce;
	uint32_t interval_us, lease_us, dead_us;
	uint32_t start_wait_us;	  /* StartWait= */
	uint32_t restart_hold_us; /* RestartHold= */
	uint32_t step_us;	  /* TimeoutStep=: how long a step of a handover may take */
	uint32_t refresh_us;	  /* AnnounceRefresh=; 0: never */
	uint32_t probe_us; /* Probe=: how long a claim asks the network first; 0: not at all */
	uint64_t digest;
	uint32_t announce_us[CORE_ANNOUNCE_MAX]; /* after the claim, ascending */
	uint16_t priority[CORE_NODES_MAX];
	struct core_group_config groups[CORE_GROUPS_MAX];
};

/* Where a group is inside `claiming` and `yielding`, and a primary that is about to let go. */
enum core_step {
	CORE_STEP_NONE,
	CORE_STEP_CLAIM_WAIT,	   /* closed; needs leave of the peer that lives (R9) */
	CORE_STEP_CLAIM_PROBE,	   /* asking the network whether somebody answers (R6) */
	CORE_STEP_CLAIM_PREPARE,   /* addresses under way */
	CORE_STEP_CLAIM_PREPARED,  /* handed over: a third node has to hear us first */
	CORE_STEP_CLAIM_OPEN,	   /* gate under way */
	CORE_STEP_CLAIM_READY,	   /* seamless: open, the old holder still answers ARP */
	CORE_STEP_CLAIM_ANSWER,	   /* seamless: gate for answers under way */
	CORE_STEP_YIELD_OFFER,	   /* seamless: waiting for the successor to be ready */
	CORE_STEP_YIELD_WITHDRAW,  /* gate for answers closing */
	CORE_STEP_YIELD_WITHDRAWN, /* waiting for the successor to be primary */
	CORE_STEP_YIELD_LINGER,	   /* successor is primary: serving what is in flight */
	CORE_STEP_YIELD_CLOSE,	   /* gate closing */
	CORE_STEP_YIELD_LEASE,	   /* the kernel did not close: waiting for the lease to end */
	CORE_STEP_YIELD_REMOVE,	   /* addresses going */
	CORE_STEP_YIELD_RELEASED,  /* strict: waiting for the successor to be primary */
	CORE_STEP_CLAIM_UNITS,	   /* what comes before a claim is under way */
	CORE_STEP_PRIMARY_UNITS,   /* what comes before a release is; nothing else has changed */
	_CORE_STEP_MAX,
};

/* One group on this node. Read it, never write it: core_step() does. */
struct core_group {
	enum core_state state;
	enum core_step step;
	enum core_reason reason; /* of the last change of state */
	instant since;		 /* of the state */
	uint64_t term, term_max;
	uint16_t unfit;
	uint16_t condoned; /* of these: a forced switchover came here in spite of them */
	bool maintenance;  /* wanted by the operator */
	bool inhibited;	   /* the same, but only for as long as somebody is there who wants it */
	bool primary;	   /* the role that people see: from primary until nothing is held */
	bool serving;	   /* our gate is open, or an order to open it is under way */
	bool seamless;	   /* the move under way is: the successor opens before the holder closes */

	uint32_t pending; /* id of the order whose DONE we wait for */
	uint32_t units;	  /* the same of CORE_DO_UNITS; 0: none is under way */
	instant due;	  /* of the step */

	bool through;		  /* the units of this release, or claim, need not be done again */
	enum core_reason leaving; /* PRIMARY_UNITS: why it lets go afterwards */
	bool alone;		  /* PRIMARY_UNITS: if need be to nobody */

	enum core_move move;
	enum core_result why;
	uint8_t move_to;
	uint32_t move_id;
	uint64_t move_term;
	uint32_t asked;	     /* the last ASK of a peer that was taken up or denied */
	instant provisional; /* new holder: release if not acknowledged by then */

	uint32_t request; /* caller who waits for the outcome; 0: nobody */
	instant request_at;
	instant request_due;
	instant request_by; /* who asked, here or there, wants it undone then; never: does not */
	struct core_options options; /* of who asked */
	uint64_t last_switchover_us; /* how long the last one took; 0: none yet */

	uint8_t announced; /* how many of announce_us are behind us */
	instant announce_due;
	instant headless; /* since when nobody is heard to hold it */
	instant retry;	  /* when a failed claim may be tried again */
	uint8_t losses;	  /* drifts in the present window, which began when the first was seen */
	instant loss_window;
	instant loss_counted;  /* when the last of them was seen */
	instant rival_since;   /* since when another primary is heard */
	instant waiting_since; /* CLAIM_WAIT */
	uint64_t waiting_seq;  /* the same: a later heartbeat has to be echoed (R9) */
	bool repairing;	       /* PREPARE is under way for addresses that a stranger took */
	bool lost;	       /* a stranger took some that have not been put back yet */
	instant repair_due;    /* when putting them back may be tried again */

	uint32_t probe;	     /* id of the probe under way; 0: none */
	instant probe_due;   /* when it counts as one that could not be made */
	instant probed;	     /* when the last one began */
	instant probe_ended; /* and when it ended */
	bool vacant;	     /* it found nobody, or could not be made */
	uint16_t probe_err;  /* what was told of it, a positive errno; 0: it found nobody */
	uint8_t holder;	     /* who was heard to be primary last; CORE_NODE_NONE: nobody */
	instant released;    /* when that one was heard to have let go; or we had ourselves */

	instant traffic;       /* when service traffic was seen here last */
	instant quiet_from;    /* the silence that a primary counts began then */
	uint8_t silences;      /* as in struct core_record; a backup has the holder's */
	bool silenced;	       /* gave the group away for silence, and has seen no traffic since */
	uint8_t split_traffic; /* set of peers: some was seen since that one fell silent (R1) */
};

struct core_peer {
	bool known; /* has been heard in this life */
	bool up;    /* as told last */
	bool again; /* its last heartbeat ended a silence, and was not the first one */
	bool no_agent;
	bool digest_differs;
	instant heard;	/* the last fresh heartbeat */
	instant back;	/* since when it is up */
	instant missed; /* R6: until then it may have done anything, unheard; never: heard since */
	uint64_t echoed_seq;	/* highest of our beats that it echoed */
	instant echoed_sent_at; /* when that one left */
	uint64_t heard_seq;	/* what we echo */
	struct core_beat beat;	/* the last one */
};

struct core {
	struct core_config config;
	instant now;	/* of the last event */
	instant looked; /* of the one before: what had come by then has been heard */
	instant awake;	/* the last time we found that we had been frozen, or the start */
	instant started;
	instant listen_from; /* R6: who has not been heard since may hold under a long lease */
	bool booted;	     /* the host has only just started (StartWait=) */
	uint64_t seq;
	struct {
		uint64_t seq;
		instant at;
		instant lease_before; /* to fall back to if it did not leave */
	} sent[CORE_SENT_MAX];
	instant beat_due;
	bool beat_now;	     /* something changed that peers should hear at once */
	bool unrenewed;	     /* there is a lease, and our last heartbeat left it as it was */
	uint32_t lease_us;   /* as advertised now */
	instant lease_until; /* the kernel's element lives at least until then; never: none */
	uint32_t next_id;
	uint32_t salt;	       /* of our move ids */
	uint16_t reply_to;     /* set of peers whose heartbeat wants an answer */
	bool references_known; /* references are configured and have been tried */
	bool references_silent;
	instant references_since; /* they have been so since then */
	instant disowned_at;	  /* when a peer said last that it does not know us */
	instant rebuild_due;	  /* the gate could not be laid anew: when to try again */
	uint32_t rebuilding;	  /* id of the order that lays the gate anew */
	uint32_t creating;	  /* id of the order that creates the lease */
	bool stopping;		  /* told to stop: no claim any more */
	bool restarting;	  /* the same, but coming back: the addresses stay (R11) */
	bool lease_frozen;	  /* R11: lengthened; a marked heartbeat would shorten it */
	bool exited;
	uint32_t pending_node; /* id of the order for the whole node */
	uint64_t hold_seq;     /* R11: this one has to be echoed */
	instant stop_due;
	struct core_group groups[CORE_GROUPS_MAX];
	struct core_peer peers[CORE_NODES_MAX];
};

void core_init(struct core *core, const struct core_config *config);
void core_step(struct core *core, const struct core_event *event, struct core_actions *ret);
instant core_deadline(const struct core *core);

void core_beat_fill(const struct core *core, const struct core_action *action,
		    struct core_beat *ret);
enum core_result core_can_switchover(const struct core *core, uint8_t group);
uint8_t core_primary(const struct core *core, uint8_t group);

/* What people want to know of the rules, beside what they decide. */

const struct core_record *core_peer_record(const struct core *core, uint8_t peer, uint8_t group);

/* What a peer says, with or without a word, to our renewing the lease (R8). */
enum core_consent {
	CORE_CONSENT_ECHO,    /* it answers */
	CORE_CONSENT_SILENCE, /* it is not heard at all: dead, or cut off */
	CORE_CONSENT_OUT,     /* it is heard, and in no state to claim */
	CORE_CONSENT_NONE,    /* it is heard and does not answer */
	_CORE_CONSENT_MAX,
};

enum core_consent core_consent(const struct core *core, uint8_t peer);
bool core_all_consent(const struct core *core);
bool core_lease_renews(const struct core *core);
bool core_gives_leave(const struct core *core, uint8_t group, uint8_t peer);
bool core_lets_open(const struct core *core, uint8_t group, uint8_t peer);

const char *core_state_name(enum core_state state);
const char *core_step_name(enum core_step step);
const char *core_reason_name(enum core_reason reason);
const char *core_result_name(enum core_result result);
const char *core_unfit_name(enum core_unfit bit);

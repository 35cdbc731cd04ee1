/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The simulator: cores in the daemon's own object files, in a virtual world
 * with one seed. A *history* is what was configured and what goes wrong when;
 * a *world* lives through one. The laws are looked at after every step.
 */

#include <stdio.h>

#include "agent/core/core.h"

enum {
	SIM_NODES_MAX = 5,
	SIM_GROUPS_MAX = 2,
	SIM_PATHS_MAX = 2,
	SIM_FAULTS_MAX = 40,
	SIM_ITEMS_MAX = 16384,
	SIM_REQUESTS_MAX = 256, /* of a node, in all its lives */
	SIM_FAILED_MAX = 16,	/* moves that are remembered to have failed */

	SIM_FAULTS_FROM = 6 * 1000 * 1000, /* everybody has started, somebody holds */
	SIM_LATENCY = 900,		   /* µs; a LAN that is not idle */
};

#define SIM_FOREVER UINT64_MAX

/* Times of a world are in µs. */
#define MS(n) ((n)*1000u)
#define SEC(n) ((n)*1000000u)

/* What can go wrong, or be asked for. */
enum sim_what {
	SIM_FREEZE,   /* SIGSTOP: the process stands, its kernel goes on */
	SIM_PAUSE,    /* the whole machine stands: its clock and its leases, too */
	SIM_CRASH,    /* the process dies; .arg: enum sim_crash */
	SIM_CUT,      /* nothing arrives from .node at .peer; .arg: on this path, or all */
	SIM_SPLIT,    /* .node and everybody else do not hear each other */
	SIM_LOSS,     /* .arg of 1,000 datagrams vanish, everywhere */
	SIM_DELAY,    /* datagrams take up to .arg µs: they overtake each other */
	SIM_SWITCH,   /* switchover asked for at .node; .arg: at every node at once */
	SIM_MAINT,    /* maintenance of .node, for so long */
	SIM_STOP,     /* the agent is told to stop; .arg: for a restart */
	SIM_LINK,     /* the group's link is down */
	SIM_CHECK,    /* a check of the service fails */
	SIM_STEAL,    /* a stranger deletes the addresses */
	SIM_FLUSH,    /* a stranger removes the gate */
	SIM_SLOW,     /* orders to the kernel take up to .arg µs */
	SIM_REFUSE,   /* orders to the kernel fail, .arg of 100 */
	SIM_DEAFREF,  /* the references do not answer this node; .arg: nobody */
	SIM_DRIP,     /* .arg of 1,000 datagrams from .node to .peer vanish */
	SIM_TWICE,    /* .arg of 1,000 datagrams come again, up to 150 ms later */
	SIM_VERSION,  /* .node speaks another version: nobody understands anybody */
	SIM_MUTE,     /* no service traffic reaches .node; .arg: nobody. Dealt by deal_silence() */
	SIM_SERVICE,  /* of the service network nothing of .node arrives at .peer; .arg: nor back */
	SIM_STRANGER, /* somebody else answers for the addresses. Both dealt by deal_probes() */
	SIM_UNITS,    /* units of .node do not do as they should; .arg: enum sim_units */
	SIM_INHIBIT,  /* somebody keeps .node out for so long. Both dealt by units_deal() */
	_SIM_WHAT_MAX,
};

enum sim_units {
	SIM_UNITS_NEVER,
	SIM_UNITS_WELL,
	SIM_UNITS_FAIL,
	SIM_UNITS_SLOW,
	SIM_UNITS_HANG,
};

enum sim_crash {
	SIM_CRASH_AGENT, /* the kernel goes on */
	SIM_CRASH_HOST,	 /* and what was on disk is there again */
	SIM_CRASH_DISK,	 /* and nothing is */
};

struct sim_fault {
	uint64_t at, lasts; /* µs; SIM_FOREVER */
	uint32_t arg;
	uint8_t what, node, peer, group;
};

/* How the configuration of a node differs from that of the others. */
enum sim_differs {
	SIM_DIFFERS_HANDOVER = 1 << 0,
	SIM_DIFFERS_PREEMPT = 1 << 1,
	SIM_DIFFERS_ALONE = 1 << 2,
	SIM_DIFFERS_PRIORITY = 1 << 3,
	SIM_DIFFERS_RHYTHM = 1 << 4, /* interval, lease and dead time */
	SIM_DIFFERS_GROUP = 1 << 5,  /* it has not the last one */
};

struct sim_history {
	uint64_t seed; /* also of what is no fault: latencies, lateness */
	uint8_t n_nodes, n_groups, n_paths;
	bool lockstep;	 /* wires faster than timers: nodes beat in the same instant */
	bool exact;	 /* explored: nothing takes time but by choice, and no instant is short */
	bool references; /* configured */
	bool probes;	 /* the service is polled, and answers backups, too */
	int16_t drift_ppm[SIM_NODES_MAX];
	uint8_t differs[SIM_NODES_MAX]; /* set of enum sim_differs */
	uint8_t other_rhythm;
	bool promised; /* one freeze or crash, and loss in one direction: never two who answer */
	struct core_config config; /* plan_config() has that of a node */
	size_t n_faults;
	struct sim_fault faults[SIM_FAULTS_MAX]; /* in the order of their time */
	uint64_t last;				 /* when the last fault is over */
	uint64_t holds_us; /* after a change of the world somebody holds again within this time */
	uint64_t quiet;	   /* from here on nothing may change any more */
	uint64_t end;
};

enum sim_item {
	SIM_PERFORM, /* an action reaches the kernel or the wire */
	SIM_DONE,    /* the kernel's answer reaches the core */
	SIM_DELIVER, /* a datagram arrives */
	SIM_NOTICE,  /* something about the host reaches the core: .event */
	SIM_BEGIN,   /* a fault begins */
	SIM_END,     /* a fault ends */
	SIM_BOOT,    /* an agent starts */
	SIM_TRAFFIC, /* something of the service arrives, or would */
};

struct item {
	uint8_t what, node, from;
	bool held;     /* by the socket, while nobody reads it */
	uint32_t life; /* of the node, or of the sender: the dead say nothing more */
	int err;
	uint16_t beat, fault; /* numbers */
	uint64_t sent;	      /* when a datagram left */
	union {
		struct core_action action;
		struct core_event event;
	};
};

/* A question that is being asked on the service network. */
struct asking {
	bool runs, answered;
	uint32_t id;
	uint64_t at; /* world time */
};

struct request {
	uint64_t at; /* 0: nobody waits any more */
	uint8_t group;
	bool maintenance, inhibits, on;
	bool heard; /* by the core */
	struct core_options options;
};

struct node {
	struct core core;
	bool alive, lateness; /* lateness: a thaw lets the deadline come before the sockets */
	bool booted;	      /* the host has just started */
	uint32_t life;
	uint64_t timer_at;	       /* world time; 0: none */
	uint64_t loop_busy, work_busy; /* orders are carried out one after the other */
	uint64_t frozen_until;	       /* world time; 0: runs */
	uint64_t asleep_us;	       /* how long it was frozen when it stepped first after it */
	uint64_t last_step;
	/* the machine: its clock, and whether it stands */
	uint64_t clock_at, clock_was; /* at this world time it showed this */
	uint64_t paused_until;	      /* world time; 0: runs */
	/* sockets */
	uint32_t heard_life[SIM_NODES_MAX];
	uint64_t heard_seq[SIM_NODES_MAX];
	/* the kernel, which outlives the process; in the machine's time */
	uint64_t lease_until, echo_until, ticket_until[SIM_GROUPS_MAX];
	enum core_gate gate[SIM_GROUPS_MAX];
	bool present[SIM_GROUPS_MAX];
	bool flushed;
	uint64_t rebuilt_until; /* the lease that the gate is to be laid anew with */
	uint64_t looked;	/* when the worker had a look at the lease */
	uint32_t epoch;		/* counts creations, so that old looks are known */
	/* the disk */
	uint64_t term[SIM_GROUPS_MAX];
	bool maintenance[SIM_GROUPS_MAX];
	/* what is wrong with it now */
	uint8_t link_down[SIM_GROUPS_MAX], check_fails[SIM_GROUPS_MAX];
	uint8_t muted[SIM_GROUPS_MAX];
	uint8_t references_deaf;
	uint32_t slow_us, refuse;
	enum sim_units units_fault;
	uint8_t inhibitors[SIM_GROUPS_MAX];
	uint64_t crash_ends; /* of what is crashed now */
	uint64_t away_us;    /* how long an agent that stops stays away */
	uint64_t held_until; /* its clock; the lease of a restart that a peer has not heard of */
	uint8_t other_version;
	/* callers */
	struct request requests[SIM_REQUESTS_MAX];
	size_t n_requests;
	/* what the laws remember; in world time */
	uint64_t heard_from[SIM_NODES_MAX];		   /* when what was heard last was sent */
	uint64_t knew_from[SIM_GROUPS_MAX][SIM_NODES_MAX]; /* the same, as a term was chosen */
	uint64_t last_primary[SIM_GROUPS_MAX], became_primary[SIM_GROUPS_MAX];
	uint64_t fit_since[SIM_GROUPS_MAX], let_go_at[SIM_GROUPS_MAX];
	uint64_t primary_term[SIM_GROUPS_MAX]; /* highest held since the disk was new */
	uint64_t thawed_at, thawed_clock;      /* after a freeze as long as the lease */
	bool heard_since;		       /* somebody, since then */
	/* law 8, in the machine's time */
	struct asking asking[SIM_GROUPS_MAX];
	uint32_t ask_id[SIM_GROUPS_MAX];
	uint64_t asked[SIM_GROUPS_MAX];	   /* when the core asked last */
	uint64_t ask_over[SIM_GROUPS_MAX]; /* when it need not wait for the answer any more */
	int found[SIM_GROUPS_MAX];	   /* 1: it does not know yet */
	uint64_t released[SIM_GROUPS_MAX]; /* when the last holder was heard to have let go */
	enum core_state said[SIM_GROUPS_MAX][SIM_NODES_MAX];
	uint64_t their_lease[SIM_NODES_MAX];
	/* and in the world's */
	uint64_t claim_asked[SIM_GROUPS_MAX];	/* what it claimed last with, if it did with any */
	uint64_t answers_since[SIM_GROUPS_MAX]; /* without a break; 0: it does not */
	uint64_t flushed_at, woke_at;
	/* what the kernel has told this process: DONE, LOST, or what it found at its start */
	bool confirmed_here[SIM_GROUPS_MAX];
	enum core_gate confirmed[SIM_GROUPS_MAX];
	/* law 9 */
	enum sim_units units_done[SIM_GROUPS_MAX]; /* of this claim */
	/* law 7 */
	uint64_t quiet_us[SIM_GROUPS_MAX]; /* awake and without traffic, since primary at most */
	uint64_t changed[SIM_GROUPS_MAX];  /* state, last, for another reason; world time */
};

/* What the world knows of the silence in a group; times are the world's. */
struct silence {
	uint64_t traffic;     /* somebody saw some last */
	uint64_t told;	      /* by then the holder has heard of what a backup saw; 0: has */
	uint64_t onset;	      /* a primary became unfit for it last */
	unsigned least, most; /* switchovers for it in a row */
	bool certain;	      /* nobody has forgotten any */
};

/* What a step is held against. */
struct before {
	uint64_t term_max[SIM_GROUPS_MAX];
	enum core_state state[SIM_GROUPS_MAX];
	enum core_step step[SIM_GROUPS_MAX];
	uint16_t unfit[SIM_GROUPS_MAX];
	uint32_t units[SIM_GROUPS_MAX];
	bool primary[SIM_GROUPS_MAX], serving[SIM_GROUPS_MAX];
	instant lease_until;
};

/* What is sent from one node to another, over all paths. */
struct wire {
	uint64_t lost_from; /* since when nothing of it has arrived; 0: the last one did */
	uint64_t last_lost;
};

/* A move that a caller has been told has failed. */
struct failed {
	uint64_t term;
	uint8_t by;
};

struct heap_entry {
	uint64_t at;
	uint32_t order, slot;
};

struct world {
	const struct sim_history *h;
	uint64_t state, now, steps, hash;
	FILE *trace;	  /* NULL: none */
	FILE *record;	  /* where the steps of a node go, to be replayed; NULL: nowhere */
	uint8_t recorded; /* that node */
	const char *broken;
	char why[160];
	struct node nodes[SIM_NODES_MAX];
	/* the network */
	uint8_t cut[SIM_NODES_MAX][SIM_NODES_MAX][SIM_PATHS_MAX];
	uint64_t arrived[SIM_NODES_MAX][SIM_NODES_MAX]; /* a wire keeps the order */
	uint32_t loss, delay_us, twice;
	uint16_t drip[SIM_NODES_MAX][SIM_NODES_MAX];
	uint8_t service_cut[SIM_NODES_MAX][SIM_NODES_MAX], strangers[SIM_GROUPS_MAX];
	uint64_t joined[SIM_NODES_MAX][SIM_NODES_MAX]; /* since when it is not; both ways alike */
	struct wire wires[SIM_NODES_MAX][SIM_NODES_MAX];
	uint64_t opened_at[SIM_NODES_MAX][SIM_NODES_MAX];     /* two can hear each other again */
	uint32_t interval_max, lease_max, dead_min, dead_max; /* of all nodes */
	uint64_t kinds;					      /* of faults, in this history: bits */
	bool kernel_trouble; /* a kernel is slow, or refuses, in this history */
	/* laws */
	uint64_t both_since[SIM_GROUPS_MAX], excused_since[SIM_GROUPS_MAX];
	uint8_t n_present[SIM_GROUPS_MAX]; /* nodes that have the addresses */
	bool in_handover[SIM_GROUPS_MAX];  /* it began there */
	uint64_t longest, longest_excused; /* overlaps */
	struct silence silence[SIM_GROUPS_MAX];
	uint64_t top_term[SIM_GROUPS_MAX], top_at[SIM_GROUPS_MAX]; /* of all primaries ever */
	uint8_t top_node[SIM_GROUPS_MAX];
	struct failed failed[SIM_GROUPS_MAX][SIM_FAILED_MAX];
	size_t n_failed[SIM_GROUPS_MAX];
	uint64_t disturbed_at; /* a fault began or ended, an agent started or left */
	uint64_t changed_at[SIM_GROUPS_MAX], held_at[SIM_GROUPS_MAX];
	/* what will happen */
	uint8_t next_node; /* whose deadline comes first, unless something has changed */
	bool timers_moved; /* something has */
	struct heap_entry heap[SIM_ITEMS_MAX];
	size_t n, n_free, n_free_beats;
	uint32_t order;
	struct item items[SIM_ITEMS_MAX];
	uint32_t free[SIM_ITEMS_MAX];
	uint16_t free_beats[SIM_ITEMS_MAX], beat_refs[SIM_ITEMS_MAX];
	struct core_beat *beats; /* SIM_ITEMS_MAX */
};

/* What came of it. */
struct sim_outcome {
	uint64_t steps, hash, longest, longest_excused;
	uint64_t settled; /* how long after the last fault */
	char broken[240]; /* "": no law */
};

/* SplitMix64: small, and the same everywhere. */
static inline uint64_t roll(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

#define SIM_KIND(what) (UINT64_C(1) << (what))

/* Without a division: the high half of the product. */
static inline uint64_t between(uint64_t *state, uint64_t low, uint64_t high)
{
	return low + (uint64_t)(((unsigned __int128)roll(state) * (high - low + 1)) >> 64);
}

static inline bool chance(uint64_t *state, unsigned percent)
{
	return between(state, 0, 99) < percent;
}

/* plan.c, plan_bounds.c */
void plan_make(uint64_t seed, struct sim_history *ret);
void plan_bounds(struct sim_history *h);
void plan_config(const struct sim_history *h, uint8_t node, struct core_config *ret);
void plan_print(const struct sim_history *h, FILE *to);
void fault_print(const struct sim_fault *fault, FILE *to);

/* world.c */
struct world *world_new(void);
void world_begin(struct world *w, const struct sim_history *h, FILE *trace);
void world_happen(struct world *w, struct item *item);
void world_free(struct world *w);
void world_live(struct world *w, const struct sim_history *h, FILE *trace, struct sim_outcome *ret);
void world_record(struct world *w, const struct sim_history *h, uint8_t node, FILE *record);
struct item *world_push(struct world *w, uint64_t at, enum sim_item what, uint8_t node);
void world_step(struct world *w, uint8_t node, struct core_event *event);
void world_boot(struct world *w, uint8_t node);
uint64_t node_clock(const struct world *w, const struct node *n);
bool node_runs(const struct node *n);

/* kernel.c */
void kernel_perform(struct world *w, uint8_t node, const struct core_action *a);
void kernel_place(struct world *w, struct node *n, unsigned group, bool here);
void kernel_lose(struct world *w, struct node *n, enum sim_crash how);
bool kernel_serves(const struct world *w, const struct node *n, unsigned group);

/* wire.c */
void wire_send(struct world *w, uint8_t node, const struct item *item);
void wire_deliver(struct world *w, struct item *item);
void wire_hold(struct world *w, struct node *n, const struct item *item);
uint16_t wire_take_beat(struct world *w);
void wire_drop_beat(struct world *w, uint16_t beat);

/* exposed.c */
void exposed_lost(struct world *w, unsigned from, unsigned to);
void exposed_arrived(struct world *w, unsigned from, unsigned to, uint64_t sent);
void exposed_resumed(struct world *w, unsigned node);
void exposed_held(struct world *w, unsigned node);
bool exposed(struct world *w, unsigned a, unsigned b);

/* faults.c */
void fault_begin(struct world *w, uint16_t number);
void fault_end(struct world *w, uint16_t number);

/* silence.c */
void silence_begin(struct world *w);
void silence_arrive(struct world *w, const struct item *item);
bool silence_moves(const struct world *w, unsigned group);
void law_silence(struct world *w, uint8_t node, const struct core_event *event,
		 const struct before *before);

/* service.c: law 8 */
void service_cut(struct world *w, uint8_t from, uint8_t to, int by);
void service_link(struct world *w, uint8_t node);
void service_stranger(struct world *w, uint8_t group, int by);
void service_ask(struct world *w, uint8_t node, const struct core_action *a);
int service_answer(struct world *w, uint8_t node, const struct core_action *a, int err);
void service_listen(struct world *w);
void service_opened(struct world *w, uint8_t node, unsigned group);
void service_boot(struct node *n);
void law_probes(struct world *w, uint8_t node, const struct core_event *event,
		const struct core_actions *actions, const struct before *before);
void law_answered(struct world *w, unsigned a, unsigned b, unsigned group);

/* units.c: law 9 */
void units_deal(struct sim_history *h);
uint64_t units_longest(const struct sim_history *h);
struct core_options units_options(const struct sim_fault *f);
void units_begin(struct world *w, uint8_t node, const struct core_action *a);
void law_units(struct world *w, uint8_t node, const struct core_event *event,
	       const struct core_actions *actions, const struct before *before);

/* laws.c */
void law_broken(struct world *w, const char *law, unsigned group);
void law_step(struct world *w, uint8_t node, const struct core_event *event,
	      const struct core_actions *actions, const struct before *before);

/* overlap.c: laws 1 and 2 */
void law_holders(struct world *w);

/* rest.c: law 3, and law 6 at the end */
void law_held(struct world *w, uint8_t node, const struct before *before);
void law_end(struct world *w);

/* replies.c: law 4 */
void law_replies(struct world *w, uint8_t node, const struct core_event *event,
		 const struct core_actions *actions, const struct before *before);

/* orders.c: laws 5 and 6 */
void law_confirm(struct world *w, uint8_t node, const struct core_event *event);
void law_done(struct world *w, uint8_t node, const struct core_action *a, int err);
void law_orders(struct world *w, uint8_t node, const struct core_event *event,
		const struct core_actions *actions, const struct before *before);

/* replay.c */
int replay(const char *path);
int renew(const char *path, unsigned from, unsigned to, FILE *out);

/* shrink.c */
void shrink(struct world *w, struct sim_history *h, const char *law);

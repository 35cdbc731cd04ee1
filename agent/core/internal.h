/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the core share. Nothing outside of it includes this. */

#include "agent/core/core.h"

/* Slack that R8 allows for the lateness of a timer, and for a clock's grain. */
#define CORE_LATE_US (5 * USEC_PER_MSEC)
#define CORE_GUARD_US (10 * USEC_PER_MSEC)

/* How long a failed claim or yield rests before it is tried again. */
#define CORE_RETRY_US (2 * USEC_PER_SEC)

/* The same of a move that a unit has failed: each try takes the service down and up again. */
#define CORE_RETRY_UNITS_US (30 * USEC_PER_SEC)

/*
 * For so long it counts that nobody answered: for the time that it takes to be
 * given leave beside the probe. RFC 5227 lets twice as long pass between the last
 * probe and the use of an address (ANNOUNCE_WAIT).
 */
#define CORE_PROBE_FRESH_US (1 * USEC_PER_SEC)

/* errno.h is not for the core; these are Linux' numbers. */
#define CORE_ENOENT 2
#define CORE_EADDRINUSE 98
#define CORE_ETIMEDOUT 110

/* So many removals by strangers in so long a time make a node unfit: a single
 * `networkctl reconfigure` must not, a fight must. */
#define CORE_LOSSES_MAX 5
/* Who takes a link's addresses one by one needs some time for thousands: that is one loss. */
#define CORE_LOSS_BURST_US USEC_PER_SEC
#define CORE_LOSS_WINDOW_US (10 * USEC_PER_SEC)

/* Reasons that make a node unfit without being a fault of it. */
#define CORE_UNFIT_PASSING                                                                         \
	(CORE_UNFIT_STARTING | CORE_UNFIT_STOPPING | CORE_UNFIT_SYNC | CORE_UNFIT_SILENT)

/* The operator, or somebody on his behalf, keeps the node out. */
#define CORE_UNFIT_KEPT_OUT (CORE_UNFIT_MAINTENANCE | CORE_UNFIT_INHIBITED)

/* One step of the core: its value, and where its actions go. */
struct step {
	struct core *core;
	struct core_actions *out;
};

/* core_peer_record(), without the cost of a call: the rules ask for it all the time. */
static inline const struct core_record *peer_record(const struct core *core, uint8_t peer,
						    uint8_t group)
{
	const struct core_peer *p = &core->peers[peer];

	if (peer == core->config.self || !p->up || !p->beat.groups[group].present)
		return NULL;
	return &p->beat.groups[group];
}

/* Does the node that says this hold the group: may it answer for its addresses? */
static inline bool record_holds(const struct core_record *record)
{
	return record->state == CORE_STATE_PRIMARY || record->state == CORE_STATE_YIELDING;
}

/* peers.c: what is known of the others, and what R8 makes of it */
uint64_t peer_claim_wait_us(const struct core *core, uint8_t peer);
instant peer_silent_from(const struct core *core, uint8_t peer);
bool peer_silent(const struct core *core, uint8_t peer);
bool peer_echoes(const struct core *core, uint8_t peer);
bool peer_is_out(const struct core *core, uint8_t peer, uint8_t group);
void peer_heard(struct step *s, uint8_t peer, const struct core_beat *beat);
void peers_update(struct step *s);
void peers_missed(struct core *core, uint64_t gap_us);
instant peer_lease_end(const struct core *core, uint8_t peer);
instant listening_until(const struct core *core);
bool listening(const struct core *core);

/* rules.c: the election, R1 to R5 */
bool rule_is_beaten(const struct core *core, uint8_t group, uint8_t peer);
bool rule_loses(const struct core *core, uint8_t group, uint8_t peer);
bool rule_usable(uint16_t unfit);
bool rule_takes(const struct core *core, uint8_t group, const struct core_record *theirs);
uint8_t rule_asker(const struct core *core, uint8_t group);
enum core_reason rule_claim(const struct core *core, uint8_t group);
enum core_result rule_successor(const struct core *core, uint8_t group, uint8_t *ret_peer);
bool rule_preempts(const struct core *core, uint8_t group);
uint8_t rule_holder(const struct core *core, uint8_t group);
bool rule_third_holds(const struct core *core, uint8_t group, uint8_t peer, uint64_t term);
bool rule_isolated(const struct core *core);
bool rule_references_answer(const struct core *core);
bool rule_evidence(const struct core *core, uint8_t group, uint8_t peer);

/* group.c: actions and transitions, used by all states */
struct core_action *emit(struct step *s, enum core_action_type type, uint8_t group);
struct core_action *order(struct step *s, enum core_action_type type, uint8_t group);
void tell(struct step *s, uint8_t group, enum core_tell what, enum core_result result, int err);
void enter(struct step *s, uint8_t group, enum core_state state, enum core_step step,
	   enum core_reason reason);
void change_unfit(struct step *s, uint8_t group, uint16_t bits, bool on);
void store(struct step *s, uint8_t group);
void set_step(struct core_group *g, enum core_step step);
void prepare_again(struct step *s, uint8_t group);
instant lease_end(const struct core *core);
void set_gate(struct step *s, uint8_t group, enum core_gate level);
void set_move(struct step *s, uint8_t group, enum core_move move);
void announce(struct step *s, uint8_t group);
void schedule_announcement(struct step *s, uint8_t group);
void reply(struct step *s, uint8_t group, uint32_t request, enum core_result result);
void answer(struct step *s, uint8_t group, enum core_result result);
void close_gate(struct step *s, uint8_t group);
void release(struct step *s, uint8_t group, enum core_reason reason);
void rest(struct step *s, uint8_t group, enum core_reason reason);
void wait_for_leave(struct step *s, uint8_t group, enum core_reason reason);
void prepare(struct step *s, uint8_t group);
void claim(struct step *s, uint8_t group, enum core_reason reason);
void accept_offer(struct step *s, uint8_t group, uint8_t peer, const struct core_record *theirs);
void give_up(struct step *s, uint8_t group, enum core_reason reason, enum core_result result);
void abandon(struct step *s, uint8_t group, enum core_reason reason);
void yield(struct step *s, uint8_t group, uint8_t peer, enum core_reason reason);
uint32_t new_id(struct core *core);
instant successor_due(const struct core *core, uint8_t group);
void order_units(struct step *s, uint8_t group, enum core_units units, unsigned n);
void inhibit_on_the_way(struct step *s, uint8_t group, const struct core_event *event);
void keep_out(struct step *s, uint8_t group, enum core_event_type why, bool on);

/* Reasons come or go: asked for each group in each step, and hardly ever a change. */
static inline void set_unfit(struct step *s, uint8_t group, uint16_t bits, bool on)
{
	if ((s->core->groups[group].unfit & bits) != (on ? bits : 0))
		change_unfit(s, group, bits, on);
}

/* probe.c: R6, does somebody answer for the addresses? */
void probe_heard(struct core *core, uint8_t group, uint8_t peer, const struct core_record *theirs);
void probe_released(struct core *core, uint8_t group);
void probe_lapsed(struct core *core, uint8_t group, instant end);
void probe_end(struct step *s, uint8_t group, int err);
void probe_over(struct core *core, uint8_t group);
void probe_refresh(struct step *s, uint8_t group);
void probe_ahead(struct step *s, uint8_t group);
bool probe_lets_claim(const struct core *core, uint8_t group);
void probe_first(struct step *s, uint8_t group, enum core_reason reason);
instant probe_due(const struct core *core, uint8_t group, instant by);

/* traffic.c: R7 */
bool traffic_is_seen(const struct core *core, uint8_t group);
void traffic_seen(struct core *core, uint8_t group);
void traffic_heard(struct core *core, uint8_t group, const struct core_record *theirs);
void traffic_begin(struct core *core, uint8_t group, const struct core_record *offerer);
void traffic_end(struct step *s, uint8_t group);
void traffic_thaw(struct core *core, uint64_t gap_us);
void traffic_watch(struct step *s, uint8_t group);
instant traffic_due(const struct core *core, uint8_t group);

/* core.c: what concerns the node as a whole */
void lapse(struct step *s);
void rebuild(struct step *s);

/* hold.c, for who has just become primary */
void repair(struct step *s, uint8_t group);

/* yield.c, for who has not got that far */
void move_failed(struct step *s, uint8_t group, enum core_result result);

/* leave.c: a primary that lets go in good order, with what comes before */
enum core_result let_go(struct step *s, uint8_t group, enum core_reason reason, bool alone);
void let_go_on(struct step *s, uint8_t group, int err);
void leave_watch(struct step *s, uint8_t group);

/* beats.c: what the peers hear */
void send_beats(struct step *s);
bool holds_anything(const struct core *core);
bool beats_hurry(const struct core *core);

/* idle.c, claim.c, hold.c, yield.c: one function per state */
void backup_step(struct step *s, uint8_t group, const struct core_event *event);
void fault_step(struct step *s, uint8_t group, const struct core_event *event);
void maintenance_step(struct step *s, uint8_t group, const struct core_event *event);
void claiming_step(struct step *s, uint8_t group, const struct core_event *event);
void primary_step(struct step *s, uint8_t group, const struct core_event *event);
void yielding_step(struct step *s, uint8_t group, const struct core_event *event);

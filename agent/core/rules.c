/* SPDX-License-Identifier: MIT */

/* The election: every rule of it is a predicate over what is known now. */

#include "agent/core/internal.h"

/*
 * Each node says what its own is: two whose configurations differ would else
 * both be the better one, and take the group from each other for ever, or
 * neither, and leave it.
 */
static uint16_t priority(const struct core *core, uint8_t node)
{
	return node == core->config.self ? core->config.priority[node]
					 : core->peers[node].beat.priority;
}

/* Higher priority first, then the smaller name, which is the smaller number. */
static bool outranks(const struct core *core, uint8_t a, uint8_t b)
{
	uint16_t pa = priority(core, a), pb = priority(core, b);

	return pa != pb ? pa > pb : a < b;
}

bool rule_references_answer(const struct core *core)
{
	return core->references_known && !core->references_silent;
}

/**
 * rule_evidence() - R1: has the split left this node with the world, rather than @peer?
 *
 * It has if service traffic was seen while the peer was silent, or a reference
 * answered. One that answers only since the peer is back, or just before, tells
 * of the moment in which everything was joined again, and nothing of the split.
 * Once the peer has been back for the dead time there is no split to speak of.
 */
bool rule_evidence(const struct core *core, uint8_t group, uint8_t peer)
{
	const struct core_peer *p = &core->peers[peer];
	instant end = p->up ? p->back : core->now;

	if (p->up && instant_since(core->now, p->back) >= core->config.dead_us)
		return rule_references_answer(core);
	return core->groups[group].split_traffic & 1 << peer ||
	       (rule_references_answer(core) &&
		instant_since(end, core->references_since) >= core->config.dead_us);
}

/**
 * rule_is_beaten() - R1: of two that claim the same group, is it we who give way?
 *
 * They hear each other and neither serves, so there is no split to have seen
 * anything in. Both have to come to the same end, of what does not change on
 * the way: what is seen of the world does.
 */
bool rule_is_beaten(const struct core *core, uint8_t group, uint8_t peer)
{
	const struct core_record *theirs = &core->peers[peer].beat.groups[group];
	const struct core_group *ours = &core->groups[group];

	if (ours->term != theirs->term)
		return theirs->term > ours->term;
	return outranks(core, peer, core->config.self);
}

/**
 * rule_loses() - R1: of two primaries, is it we who give way?
 */
bool rule_loses(const struct core *core, uint8_t group, uint8_t peer)
{
	bool theirs = core->peers[peer].beat.groups[group].evidence;

	if (rule_evidence(core, group, peer) != theirs)
		return theirs;
	return rule_is_beaten(core, group, peer);
}

/* R3: cut off ourselves, rather than everybody else. */
bool rule_isolated(const struct core *core)
{
	if (!core->references_silent)
		return false;
	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (core->peers[p].up && !core->peers[p].beat.references_answer)
			return false; /* the references are dead for everybody */
	return true;
}

/* R4: who may hold a group that no fit node is there for? */
bool rule_usable(uint16_t unfit)
{
	return !(unfit & (CORE_UNFIT_LINK | CORE_UNFIT_ISOLATED | CORE_UNFIT_KEPT_OUT |
			  CORE_UNFIT_STARTING | CORE_UNFIT_STOPPING | CORE_UNFIT_DISOWNED |
			  CORE_UNFIT_CLAIM | CORE_UNFIT_OCCUPIED));
}

/**
 * rule_takes() - Section 5: does this node take the group from who hands it over so?
 * @theirs: what that one says
 */
bool rule_takes(const struct core *core, uint8_t group, const struct core_record *theirs)
{
	uint16_t unfit = core->groups[group].unfit & ~CORE_UNFIT_SYNC;

	return !unfit || (theirs->options.force && rule_usable(unfit));
}

/**
 * rule_asker() - Whose caller wants the move that was taken up last?
 *
 * Return: node; CORE_NODE_NONE if nobody asks for it, or not any more.
 */
uint8_t rule_asker(const struct core *core, uint8_t group)
{
	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		const struct core_record *r = peer_record(core, p, group);

		if (r && r->move == CORE_MOVE_ASK && r->move_to == core->config.self &&
		    r->move_id == core->groups[group].asked)
			return p;
	}
	return CORE_NODE_NONE;
}

/* Synchronisation gates moves that were asked for, never a claim after a death (R3). */
static bool fit_to_claim(uint16_t unfit)
{
	return !(unfit & ~CORE_UNFIT_SYNC);
}

/**
 * rule_claim() - R2, R4, R6: may this node claim the group now?
 *
 * Return: why; CORE_REASON_NONE if it may not.
 */
enum core_reason rule_claim(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];
	uint8_t self = core->config.self;
	bool somebody_fit = fit_to_claim(g->unfit), lost = false;
	bool best_fit = somebody_fit, best_usable = rule_usable(g->unfit);

	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		const struct core_record *r = peer_record(core, p, group);

		lost |= core->peers[p].known && !core->peers[p].up;
		if (!r)
			continue;
		if (record_holds(r) || r->state == CORE_STATE_CLAIMING)
			return CORE_REASON_NONE;
		somebody_fit |= fit_to_claim(r->unfit);
		best_fit &= !(fit_to_claim(r->unfit) && outranks(core, p, self));
		best_usable &= !(rule_usable(r->unfit) && outranks(core, p, self));
	}
	if (listening(core))
		return CORE_REASON_NONE;
	if (best_fit)
		return lost ? CORE_REASON_PEER_DEAD : CORE_REASON_NO_PRIMARY;
	/* Who releases when alone would only let go again. */
	if (!somebody_fit && best_usable && core->config.groups[group].keep_alone &&
	    instant_since(core->now, g->headless) >= core->config.groups[group].last_resort_us)
		return CORE_REASON_LAST_RESORT;
	return CORE_REASON_NONE;
}

/* A backup that is fit, or one that can hold the group if nothing else is asked for. */
static bool may_succeed(const struct core_record *r, const struct core_options *options)
{
	bool idle =
		r->state == CORE_STATE_BACKUP || (r->state == CORE_STATE_FAULT && options->force);

	if (!idle || (r->move != CORE_MOVE_NONE && r->move != CORE_MOVE_ASK))
		return false;
	return !r->unfit || (options->force && rule_usable(r->unfit));
}

/**
 * rule_successor() - Section 5: to whom could this group be moved now?
 * @ret_peer: the node, if the result is OK
 *
 * With a switchover under way it is one that who asked for that wants.
 *
 * Return: OK, PEER_UNREACHABLE if nobody answers, NOT_FIT if who answers cannot.
 */
enum core_result rule_successor(const struct core *core, uint8_t group, uint8_t *ret_peer)
{
	const struct core_options *options = &core->groups[group].options;
	enum core_result result = CORE_RESULT_PEER_UNREACHABLE;
	uint8_t best = CORE_NODE_NONE;

	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		const struct core_record *r = peer_record(core, p, group);

		if (!r || !peer_echoes(core, p) || (options->to && options->to != p + 1))
			continue;
		if (!may_succeed(r, options)) {
			result = CORE_RESULT_NOT_FIT;
			continue;
		}
		if (best == CORE_NODE_NONE || outranks(core, p, best))
			best = p;
	}
	if (best == CORE_NODE_NONE)
		return result;
	*ret_peer = best;
	return CORE_RESULT_OK;
}

/* Of two that say to hold it: who is on its way out, or has the lower term, is of yesterday. */
static bool outdates(const struct core_record *a, const struct core_record *b)
{
	return a->state != b->state ? a->state == CORE_STATE_PRIMARY : a->term > b->term;
}

/**
 * rule_holder() - Who holds the group, as far as is known here?
 *
 * Return: node; CORE_NODE_NONE if nobody does.
 */
uint8_t rule_holder(const struct core *core, uint8_t group)
{
	const struct core_record *held = NULL;
	uint8_t holder = CORE_NODE_NONE;

	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		const struct core_record *r = peer_record(core, p, group);

		if (!r || !record_holds(r) || (held && !outdates(r, held)))
			continue;
		held = r;
		holder = p;
	}
	return holder;
}

/**
 * rule_third_holds() - Is somebody else primary as well, under a later term?
 * @peer: not this one
 * @term: later than this; 0: under any
 *
 * Whoever was frozen or paused as it handed over does not know. And of three nodes two may not
 * hear each other, but both be heard here.
 */
bool rule_third_holds(const struct core *core, uint8_t group, uint8_t peer, uint64_t term)
{
	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		const struct core_record *r = peer_record(core, p, group);

		if (p != peer && r && r->state == CORE_STATE_PRIMARY && r->term > term)
			return true;
	}
	return false;
}

/*
 * R5: Preempt=yes, and a worse node than we are holds the group. Who gave it
 * away because the service was not to be seen from here has nothing to offer yet.
 */
bool rule_preempts(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];
	uint8_t holder;

	if (!core->config.groups[group].preempt || g->unfit || g->silenced ||
	    !instant_reached(core->now, g->retry))
		return false;
	holder = rule_holder(core, group);
	return holder != CORE_NODE_NONE && outranks(core, core->config.self, holder) &&
	       !rule_third_holds(core, group, holder, 0) &&
	       peer_record(core, holder, group)->state == CORE_STATE_PRIMARY;
}

/* SPDX-License-Identifier: MIT */

/*
 * R6: an address that somebody answers for is not claimed. The network is asked
 * when every lease of which is known is over, so that who answers then is a
 * stranger, or a holder that lives without being heard.
 */

#include "agent/core/internal.h"

static bool holds_by_its_word(const struct core *core, uint8_t group, uint8_t peer)
{
	const struct core_record *r = peer_record(core, peer, group);

	return r && record_holds(r);
}

/* A peer that is heard, and says that it does not hold the group, does not. */
static bool may_hold(const struct core *core, uint8_t group, uint8_t peer)
{
	return peer != core->config.self &&
	       (!core->peers[peer].up || holds_by_its_word(core, group, peer));
}

static bool somebody_may_hold(const struct core *core, uint8_t group)
{
	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (may_hold(core, group, p))
			return true;
	return false;
}

/* A probe that began before this says nothing: a lease lived still, or we were frozen since. */
static instant leases_end(const struct core *core, uint8_t group)
{
	instant end = core->awake;

	for (uint8_t p = 0; p < core->config.n_nodes; p++)
		if (may_hold(core, group, p))
			end = instant_later(end, peer_lease_end(core, p));
	return end;
}

/*
 * When a claim will be made, if those who are silent stay so: at once, if leave of
 * those who live is all that it waits for.
 */
static instant claim_at(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];
	instant at = core->awake;

	if (g->step != CORE_STEP_CLAIM_WAIT || somebody_may_hold(core, group))
		at = listening_until(core);
	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		instant from = peer_silent_from(core, p);

		if (!may_hold(core, group, p))
			continue;
		if (g->step == CORE_STEP_CLAIM_WAIT)
			from = instant_later(from, g->waiting_since);
		at = instant_later(at, instant_add(from, peer_claim_wait_us(core, p)));
	}
	return at;
}

/*
 * The last holder is heard to hold the group no more, or it was us, and nobody
 * else can: its kernel has held the addresses until then, and whoever were to use
 * them would have met it.
 */
static bool has_just_let_go(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];

	return instant_is_set(g->released) && g->released.us >= core->awake.us &&
	       instant_since(core->now, g->released) <= core->config.dead_us &&
	       !somebody_may_hold(core, group);
}

/* A peer is primary and was heard since we asked: the answers are its own. */
static bool is_held(const struct core *core, uint8_t group)
{
	for (uint8_t p = 0; p < core->config.n_nodes; p++) {
		const struct core_record *r = peer_record(core, p, group);

		if (r && r->state == CORE_STATE_PRIMARY &&
		    core->peers[p].heard.us > core->groups[group].probed.us)
			return true;
	}
	return false;
}

/**
 * probe_heard() - What a peer's heartbeat says of who holds the group
 * @theirs: its record
 *
 * Who gives up a claim says that it yields, too; but it has not been primary.
 */
void probe_heard(struct core *core, uint8_t group, uint8_t peer, const struct core_record *theirs)
{
	struct core_group *g = &core->groups[group];

	if (theirs->state == CORE_STATE_PRIMARY) {
		g->holder = peer;
		g->released = INSTANT_NEVER;
	} else if (g->holder == peer && !record_holds(theirs) && !instant_is_set(g->released)) {
		g->released = core->now;
	}
}

/**
 * probe_over() - This node is primary: what was found, and who held it before, is of yesterday
 */
void probe_over(struct core *core, uint8_t group)
{
	struct core_group *g = &core->groups[group];

	g->vacant = false;
	g->holder = core->config.self;
	g->released = INSTANT_NEVER;
}

/**
 * probe_released() - Our own kernel has confirmed that nothing is held here any more
 */
void probe_released(struct core *core, uint8_t group)
{
	core->groups[group].holder = core->config.self;
	core->groups[group].released = core->now;
}

/**
 * probe_lapsed() - Our own lease has run out while we were primary
 * @end: when
 *
 * If that has only just been, our kernel has let go like one that is told to.
 */
void probe_lapsed(struct core *core, uint8_t group, instant end)
{
	if (instant_since(core->now, end) <= core->config.dead_us)
		probe_released(core, group);
}

static void begin(struct step *s, uint8_t group, uint64_t within_us)
{
	struct core *core = s->core;
	struct core_group *g = &core->groups[group];
	struct core_action *a = order(s, CORE_DO_PROBE, group);

	if (within_us > core->config.probe_us)
		within_us = core->config.probe_us;
	a->probe.within_us = (uint32_t)within_us;
	g->probe = a->id;
	g->probed = core->now;
	g->probe_due = instant_add(core->now, within_us + core->config.step_us);
	g->vacant = false;
}

/**
 * probe_end() - The probe that was under way has come to an end
 * @err: 0: nobody answers; -CORE_EADDRINUSE: somebody does; else nobody could be asked, and the
 *       service comes first: that counts as nobody
 */
void probe_end(struct step *s, uint8_t group, int err)
{
	struct core_group *g = &s->core->groups[group];
	bool answered = err == -CORE_EADDRINUSE;

	g->probe = 0;
	g->probe_due = INSTANT_NEVER;
	g->probe_ended = s->core->now;
	if (answered && is_held(s->core, group))
		return;
	if (err && g->probe_err != -err)
		tell(s, group, CORE_TELL_ACTION_FAILED, CORE_RESULT_FAILED, err);
	g->probe_err = (uint16_t)-err;
	g->vacant = !answered;
	set_unfit(s, group, CORE_UNFIT_OCCUPIED, answered);
}

/**
 * probe_refresh() - What time and the peers have made of a probe
 */
void probe_refresh(struct step *s, uint8_t group)
{
	const struct core_group *g = &s->core->groups[group];

	if (g->probe && instant_reached(s->core->now, g->probe_due))
		probe_end(s, group, -CORE_ETIMEDOUT);
	if (g->unfit & CORE_UNFIT_OCCUPIED && is_held(s->core, group))
		set_unfit(s, group, CORE_UNFIT_OCCUPIED, false);
}

/* Might this node have to ask at all, as the group is now? */
static bool may_ask(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];

	return core->config.probe_us &&
	       (g->state == CORE_STATE_BACKUP || g->step == CORE_STEP_CLAIM_WAIT ||
		g->unfit & CORE_UNFIT_OCCUPIED);
}

/*
 * When to ask, ahead of a claim, if it may have to: late enough to know what is
 * then, early enough not to delay it. Never, if no claim is in sight, or it is known
 * or asked already; or if it would be after @by: for a backup beside a holder that
 * lives that is to be seen at once.
 */
static instant ask_at(const struct core *core, uint8_t group, instant by)
{
	const struct core_group *g = &core->groups[group];
	uint32_t probe_us = core->config.probe_us;
	instant from, claim;

	if (g->unfit & CORE_UNFIT_OCCUPIED)
		return g->probe ? INSTANT_NEVER : instant_add(g->probe_ended, CORE_RETRY_US);
	from = leases_end(core, group);
	if (instant_earlier(from, by).us != from.us)
		return INSTANT_NEVER;
	if (((g->vacant || g->probe) && g->probed.us >= from.us) || has_just_let_go(core, group))
		return INSTANT_NEVER;
	claim = claim_at(core, group);
	if (g->step != CORE_STEP_CLAIM_WAIT && instant_reached(core->now, claim))
		return INSTANT_NEVER;
	if (claim.us <= from.us + probe_us)
		return from;
	return (instant){ claim.us - probe_us };
}

/**
 * probe_ahead() - Ask before the answer is needed
 *
 * A failover waits for no probe: between the end of the holder's lease and the
 * claim there is CORE_GUARD_US at least (R8). Its answer is to be there in time.
 */
void probe_ahead(struct step *s, uint8_t group)
{
	struct core *core = s->core;
	instant at, claim;
	uint64_t left_us;

	if (!may_ask(core, group))
		return;
	at = ask_at(core, group, core->now);
	if (!instant_is_set(at) || !instant_reached(core->now, at))
		return;
	claim = claim_at(core, group);
	left_us = instant_since(claim, core->now);
	if (!left_us)
		left_us = core->config.probe_us;
	else if (left_us > CORE_GUARD_US)
		left_us -= CORE_LATE_US;
	else
		left_us = CORE_LATE_US;
	begin(s, group, left_us);
}

/**
 * probe_lets_claim() - Is it known that nobody answers, as far as that has to be known?
 */
bool probe_lets_claim(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];

	if (!core->config.probe_us || has_just_let_go(core, group))
		return true;
	return g->vacant && g->probed.us >= leases_end(core, group).us &&
	       instant_since(core->now, g->probe_ended) <= CORE_PROBE_FRESH_US;
}

/**
 * probe_first() - Wait with a claim until the network has been asked
 *
 * If we have been frozen while we did, leave to claim is asked for again as well.
 */
void probe_first(struct step *s, uint8_t group, enum core_reason reason)
{
	struct core_group *g = &s->core->groups[group];
	instant from = leases_end(s->core, group);

	if (!instant_reached(s->core->now, from)) {
		wait_for_leave(s, group, reason);
		return;
	}
	if (g->step != CORE_STEP_CLAIM_PROBE) {
		g->move = CORE_MOVE_NONE;
		g->move_to = CORE_NODE_NONE;
		g->seamless = false;
		enter(s, group, CORE_STATE_CLAIMING, CORE_STEP_CLAIM_PROBE, reason);
	}
	if (!g->probe || g->probed.us < from.us)
		begin(s, group, s->core->config.probe_us);
}

/**
 * probe_due() - When the next probe begins, or the one under way is given up
 * @by: what is due anyhow
 *
 * Return: @by, if that is not later.
 */
instant probe_due(const struct core *core, uint8_t group, instant by)
{
	by = instant_earlier(by, core->groups[group].probe_due);
	return may_ask(core, group) ? instant_earlier(by, ask_at(core, group, by)) : by;
}

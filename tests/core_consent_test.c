/* SPDX-License-Identifier: MIT */

/* R8: who has a say in whether the lease is renewed, and until when. */

#include "agent/core/core.h"

#include "tests/core_rig.h"

static enum core_consent consent(void)
{
	return core_consent(&rig.nodes[ALPHA].core, BETA);
}

/* The clock of a host that has just booted has hardly begun. */
Test(core_consent, who_has_never_answered_does_not)
{
	rig_begin();
	rig.now.us = 1;
	rig_deafen(BETA);
	rig_adopted(ALPHA, 5);
	rig_say(BETA, ALPHA);
	cr_assert_eq(consent(), CORE_CONSENT_NONE);
}

/* What the sockets had kept for us has been read by then. */
Test(core_consent, who_cannot_claim_has_no_say_two_intervals_after_a_start_or_freeze)
{
	rig_begin();
	rig.now.us = 1;
	rig_deafen(BETA);
	rig_puppet(BETA)->state = CORE_STATE_FAULT;
	rig_adopted(ALPHA, 5);
	rig_skip_us(INTERVAL);
	rig_say(BETA, ALPHA);
	rig_skip_us(INTERVAL - 1);
	rig_say(BETA, ALPHA);
	cr_assert_eq(consent(), CORE_CONSENT_NONE);
	rig_skip_us(1);
	rig_say(BETA, ALPHA);
	cr_assert_eq(consent(), CORE_CONSENT_OUT);
	rig_skip_us(2 * INTERVAL + 1);
	rig_say(BETA, ALPHA);
	cr_assert_eq(consent(), CORE_CONSENT_NONE);
	rig_skip_us(2 * INTERVAL);
	rig_say(BETA, ALPHA);
	cr_assert_eq(consent(), CORE_CONSENT_OUT);
}

Test(core_consent, who_could_claim_what_we_do_not_serve_has_no_say)
{
	rig_begin();
	rig_configure(n_groups, 2);
	rig_deafen(BETA);
	rig_puppet(BETA)->state = CORE_STATE_MAINTENANCE;
	rig_adopted(ALPHA, 5);
	cr_assert_not(rig.nodes[ALPHA].core.groups[1].serving);
	rig_skip_us(2 * INTERVAL);
	rig_say(BETA, ALPHA);
	cr_assert_eq(consent(), CORE_CONSENT_OUT);
	rig_puppet(BETA)->state = CORE_STATE_BACKUP;
	rig_say(BETA, ALPHA);
	cr_assert_eq(consent(), CORE_CONSENT_NONE);
}

/* Two intervals: the longer ones of the two, to the microsecond. */
Test(core_consent, who_is_not_heard_for_two_intervals_has_no_say)
{
	static const uint32_t theirs[] = { INTERVAL / 2, INTERVAL, INTERVAL + 1, 3 * INTERVAL };

	for (size_t i = 0; i < ARRAY_SIZE(theirs); i++) {
		uint64_t silence = 2 * (uint64_t)(theirs[i] > INTERVAL ? theirs[i] : INTERVAL);

		rig_begin();
		rig_deafen(BETA);
		rig_configure(dead_us, 2 * DEAD);
		rig.nodes[BETA].puppet.interval_us = theirs[i];
		rig_adopted(ALPHA, 5);
		rig_say(BETA, ALPHA);
		for (uint64_t us = 0; us < silence - INTERVAL; us += INTERVAL) {
			rig_skip_us(INTERVAL);
			rig_event(ALPHA, CORE_EV_TIME);
		}
		rig_skip_us(silence - 1 -
			    instant_since(rig.now, rig.nodes[ALPHA].core.peers[BETA].heard));
		rig_event(ALPHA, CORE_EV_TIME);
		rig_event(ALPHA, CORE_EV_TIME);
		cr_assert_eq(consent(), CORE_CONSENT_NONE);
		rig_skip_us(1);
		rig_event(ALPHA, CORE_EV_TIME);
		cr_assert_eq(consent(), CORE_CONSENT_NONE,
			     "what it has said may be in the sockets");
		rig_event(ALPHA, CORE_EV_TIME);
		cr_assert_eq(consent(), CORE_CONSENT_SILENCE);
	}
}

/* One peer that has a say and gives nothing is enough, be it the first or the last of them. */
Test(core_consent, everybody_has_to_agree)
{
	for (uint8_t deaf = 0; deaf < RIG_NODES; deaf++) {
		uint8_t self = (deaf + 1) % RIG_NODES, third = (deaf + 2) % RIG_NODES;

		rig_begin();
		rig_configure(n_nodes, 3);
		rig_deafen(deaf);
		rig_adopted(self, 5);
		for (int i = 0; i < 6; i++) {
			rig_advance_us(INTERVAL);
			rig_say(deaf, self);
			rig_say(third, self);
		}
		cr_assert_not(core_lease_renews(&rig.nodes[self].core));
		rig_undeafen(deaf);
		rig_say(deaf, self);
		cr_assert(core_lease_renews(&rig.nodes[self].core));
		cr_assert_eq(core_consent(&rig.nodes[self].core, deaf), CORE_CONSENT_ECHO);
	}
}

Test(core_consent, with_all_groups_served_all_of_them_count)
{
	rig_begin();
	rig_configure(n_groups, CORE_GROUPS_MAX);
	rig_deafen(ALPHA);
	for (int g = 0; g < CORE_GROUPS_MAX; g++) {
		rig.nodes[BETA].start[g].start.adopted = true;
		rig.nodes[BETA].start[g].start.lease_left_us = LEASE;
		rig.nodes[ALPHA].puppet.groups[g].state = CORE_STATE_FAULT;
	}
	rig.nodes[ALPHA].puppet.seq = UINT64_MAX / 2; /* who looks too far sees something */
	rig_start(BETA);
	rig_skip_us(2 * INTERVAL);
	rig_say(ALPHA, BETA);
	cr_assert_eq(core_consent(&rig.nodes[BETA].core, ALPHA), CORE_CONSENT_OUT);
	rig.nodes[ALPHA].puppet.groups[CORE_GROUPS_MAX - 1].state = CORE_STATE_BACKUP;
	rig_say(ALPHA, BETA);
	cr_assert_eq(core_consent(&rig.nodes[BETA].core, ALPHA), CORE_CONSENT_NONE);
}

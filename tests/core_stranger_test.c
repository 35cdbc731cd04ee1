/* SPDX-License-Identifier: MIT */

/* Somebody else uses an address that is held: it is defended. */

#include "tests/core_probe_rig.h"

static void meet(uint8_t node, uint8_t peer)
{
	struct core_event event = { .type = CORE_EV_STRANGER, .peer = peer, .stranger.vip = 7 };

	rig_step(node, &event);
}

Test(core_stranger, a_primary_says_whose_the_address_is)
{
	probe_begin();
	rig_pair();
	meet(ALPHA, CORE_NODE_NONE);
	rig_expect("alpha tells stranger\n"
		   "alpha defends 7\n");
	cr_assert_eq(rig.actions.v[0].tell.vip, 7);
	meet(ALPHA, BETA);
	rig_expect("alpha tells stranger beta\n"
		   "alpha defends 7\n");
	meet(BETA, CORE_NODE_NONE);
	rig_expect("");
}

Test(core_stranger, what_is_missing_is_not_defended)
{
	probe_begin();
	rig_adopted(ALPHA, 5);
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_LOST);
	rig_forget();
	meet(ALPHA, CORE_NODE_NONE);
	rig_expect("alpha tells stranger\n");
	rig_answer_next(ALPHA, -12);
	rig_forget();
	meet(ALPHA, CORE_NODE_NONE);
	rig_expect("alpha tells stranger\n");
}

Test(core_stranger, against_a_peer_that_holds_or_claims_the_terms_decide)
{
	static const enum core_state states[] = { CORE_STATE_PRIMARY, CORE_STATE_YIELDING,
						  CORE_STATE_CLAIMING };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		probe_begin();
		rig_adopted(ALPHA, 5);
		rig_puppet(BETA)->state = states[i];
		rig_say(BETA, ALPHA);
		rig_forget();
		meet(ALPHA, BETA);
		rig_expect("");
		meet(ALPHA, CORE_NODE_NONE);
		cr_assert_eq(rig_count("alpha defends"), 1);
	}
}

Test(core_stranger, who_is_on_the_way_in_or_out_leaves_strangers_alone)
{
	probe_standby();
	rig_advance_us(DEAD);
	rig_forget();
	meet(BETA, CORE_NODE_NONE);
	rig_answer_next(BETA, OCCUPIED);
	rig_expect_state(BETA, CORE_STATE_YIELDING);
	meet(BETA, CORE_NODE_NONE);
	cr_assert_eq(rig_count("stranger"), 0);
	cr_assert_eq(rig_count("defends"), 0);
}

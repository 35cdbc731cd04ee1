/* SPDX-License-Identifier: MIT */
#include "tests/net/probe.h"

static const struct {
	const char *name;
	probe_verb run;
} verbs[] = {
	{ "add-tagged", add_tagged_verb },
	{ "addresses", addresses_verb },
	{ "alias-down", alias_down_verb },
	{ "announced", announced_verb },
	{ "away", away_verb },
	{ "call", call_verb },
	{ "churn", churn_verb },
	{ "clock", clock_verb },
	{ "echo", echo_verb },
	{ "first", first_verb },
	{ "flood", flood_verb },
	{ "floor", floor_verb },
	{ "frames", frames_verb },
	{ "forge", forge_verb },
	{ "gaps", gaps_verb },
	{ "get", get_verb },
	{ "hang-up", hang_up_verb },
	{ "hold", hold_verb },
	{ "huge", huge_verb },
	{ "overlap", overlap_verb },
	{ "pulse", pulse_verb },
	{ "record", record_verb },
	{ "replay", replay_verb },
	{ "send", send_verb },
	{ "serve", serve_verb },
	{ "settle", settle_verb },
	{ "storm", storm_verb },
	{ "stretches", stretches_verb },
	{ "sweep", sweep_verb },
	{ "tick", tick_verb },
	{ "usurp", usurp_verb },
	{ "wait-address", wait_address_verb },
	{ "wait-event", wait_event_verb },
	{ "wait-exit", wait_exit_verb },
	{ "wait-frame", wait_frame_verb },
	{ "wait-neighbour", wait_neighbour_verb },
	{ "wait-property", wait_property_verb },
	{ "who", who_verb },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	fprintf(stderr, "probe: one of these verbs is needed:");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(stderr, " %s", verbs[i].name);
	fprintf(stderr, "\n");
	return 2;
}

/* SPDX-License-Identifier: MIT */

/* A path that breaks a law, told. */

#include <inttypes.h>

#include "tests/sim/explore.h"

static void print_beat(const struct core_beat *beat, uint8_t from, uint8_t to_node, FILE *to)
{
	const struct core_record *r = &beat->groups[0];

	fprintf(to, "heartbeat %" PRIu64 " of %u arrives at %u: %s, term %" PRIu64 ", move %d",
		beat->seq, from, to_node, core_state_name(r->state), r->term, r->move);
	if (beat->reply)
		fprintf(to, ", echo of %" PRIu64, beat->echo_seq);
}

static void print_item(const struct world *w, const struct item *item, FILE *to)
{
	switch ((enum sim_item)item->what) {
	case SIM_PERFORM:
		fprintf(to, "node %u carries out action %d", item->node, item->action.type);
		break;
	case SIM_DONE:
		fprintf(to, "node %u hears of action %d: %d", item->node, item->action.type,
			item->err);
		break;
	case SIM_DELIVER:
		print_beat(&w->beats[item->beat], item->from, item->node, to);
		break;
	case SIM_NOTICE:
		fprintf(to, "node %u hears of event %d", item->node, item->event.type);
		break;
	case SIM_END:
		fprintf(to, "a fault ends");
		break;
	case SIM_BOOT:
		fprintf(to, "node %u starts", item->node);
		break;
	case SIM_BEGIN:
	case SIM_TRAFFIC:
		break;
	}
}

/**
 * choice_print() - One line of a path, before it happens
 */
void choice_print(const struct world *w, const struct choice *c, FILE *to)
{
	static const char *const words[_EXPLORE_KIND_MAX] = {
		[EXPLORE_RUN] = "",
		[EXPLORE_TIMER] = "",
		[EXPLORE_ADVANCE] = "",
		[EXPLORE_DELAY] = "DELAYED",
		[EXPLORE_DROP] = "LOST: ",
		[EXPLORE_OVERTAKE] = "OVERTAKES: ",
		[EXPLORE_REFUSE] = "REFUSED: ",
		[EXPLORE_FAULT] = "",
	};

	fprintf(to, "%12.6f  %s", (double)w->now / 1e6, words[c->kind]);
	if (c->kind == EXPLORE_FAULT)
		fprintf(to, "FAULT:");
	else if (c->kind == EXPLORE_TIMER)
		fprintf(to, "node %u looks at its clock", c->node);
	else if (c->kind == EXPLORE_ADVANCE)
		fprintf(to, "time passes");
	else if (c->kind != EXPLORE_DELAY)
		print_item(w, item_at(w, c->index), to);
	fputc('\n', to);
}

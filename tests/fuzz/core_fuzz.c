/* SPDX-License-Identifier: MIT */

/*
 * The decision, under any sequence of events: heartbeats that say anything, orders that
 * fail in any way, requests at any time. The events are such as the agent can give: time
 * does not go back, every group is started first, each order is answered once. The input
 * is read as event, then arguments; after its end nothing happens any more.
 *
 * Laws, those of tests/sim/walk.c that hold whatever comes: a term never goes down, a
 * deadline that has passed is acted on, a request is answered once at most, and an order
 * for a group is for one of ours.
 */

#include "agent/core/core.h"
#include "tests/fuzz/fuzz.h"

enum {
	NODES = 3,
	GROUPS = 2,
	PENDING_MAX = 64,
	REQUESTS_MAX = 4096,
	EVENTS_MAX = 2000, /* of one input */
};

struct world {
	struct core core;
	struct core_actions actions;
	struct core_beat beat;
	struct fuzz_bytes bytes;
	uint64_t now_us, terms[GROUPS], seq[NODES];
	struct {
		uint32_t id;
		uint8_t group;
	} pending[PENDING_MAX];
	size_t n_pending;
	uint32_t requests;
	bool answered[REQUESTS_MAX];
};

static uint64_t number(struct world *w)
{
	static const uint64_t ends[] = { 0, 1, UINT32_MAX, UINT64_MAX / 2, UINT64_MAX };
	uint8_t byte = fuzz_u8(&w->bytes);

	return byte < 0xf0 ? byte : ends[byte % 5];
}

/* Higher ones are refused before the core hears of them (CORE_TERM_MAX). */
static uint64_t term(struct world *w)
{
	return number(w) & INT64_MAX;
}

static uint8_t below(struct world *w, unsigned end)
{
	return (uint8_t)(fuzz_u8(&w->bytes) % end);
}

static bool flag(struct world *w)
{
	return fuzz_u8(&w->bytes) & 1;
}

static void take_action(struct world *w, const struct core_action *action)
{
	assert(action->type < _CORE_DO_MAX);
	assert(action->group < GROUPS);
	if (action->type == CORE_DO_BEAT) {
		assert(action->peer < NODES && action->peer != w->core.config.self);
		core_beat_fill(&w->core, action, &w->beat);
		assert(w->beat.seq == action->beat.seq);
	}
	if (action->type == CORE_DO_REPLY && action->reply.request) {
		assert(action->reply.request <= w->requests);
		assert(!w->answered[action->reply.request]);
		w->answered[action->reply.request] = true;
	}
	if (action->id && w->n_pending < PENDING_MAX) {
		w->pending[w->n_pending].id = action->id;
		w->pending[w->n_pending++].group = action->group;
	}
}

static void step(struct world *w, struct core_event *event)
{
	event->now = (instant){ w->now_us };
	core_step(&w->core, event, &w->actions);
	for (size_t i = 0; i < w->actions.n; i++)
		take_action(w, &w->actions.v[i]);
	for (uint8_t g = 0; g < GROUPS; g++) {
		const struct core_group *group = &w->core.groups[g];

		assert(group->term_max >= w->terms[g] || event->type == CORE_EV_START);
		assert(!(group->unfit & CORE_UNFIT_SILENT) || group->state == CORE_STATE_PRIMARY ||
		       group->state == CORE_STATE_YIELDING);
		assert(core_state_name(group->state) && core_reason_name(group->reason));
		w->terms[g] = group->term_max;
		(void)core_can_switchover(&w->core, g); /* has to be asked at any time */
		(void)core_primary(&w->core, g);
	}
	if (event->type == CORE_EV_TIME && !w->core.exited)
		assert(core_deadline(&w->core).us > w->now_us);
}

static void start(struct world *w)
{
	struct core_config config = {
		.self = below(w, NODES),
		.n_nodes = NODES,
		.n_groups = GROUPS,
		.n_announce = 2,
		.interval_us = 50000,
		.lease_us = 350000,
		.dead_us = 500000,
		.start_wait_us = 5000000,
		.restart_hold_us = 3000000,
		.step_us = 2000000,
		.probe_us = 200000,
		.digest = 1,
		.announce_us = { 10000, 100000 },
		.priority = { 100, 100, 200 },
	};

	for (uint8_t g = 0; g < GROUPS; g++)
		config.groups[g] = (struct core_group_config){
			.strict = flag(w),
			.hot = flag(w),
			.preempt = flag(w),
			.keep_alone = flag(w),
			.last_resort_us = 3000000,
			.linger_us = 20000,
			.traffic_us = 1000000,
			.before_release = g,
			.before_claim = (uint8_t)(2 * g),
		};
	core_init(&w->core, &config);
	for (uint8_t g = 0; g < GROUPS; g++) {
		struct core_event event = { .type = CORE_EV_START, .group = g };

		event.start.term = fuzz_u8(&w->bytes);
		event.start.salt = fuzz_u8(&w->bytes);
		event.start.maintenance = flag(w);
		event.start.adopted = flag(w);
		event.start.boot = flag(w);
		event.start.lease_left_us = event.start.adopted ? 1000u * fuzz_u8(&w->bytes) : 0;
		step(w, &event);
	}
}

/* How it is wanted costs no bytes: the corpus stays what it is. */
static struct core_options options(uint32_t n)
{
	return (struct core_options){ .strict = n & 1,
				      .force = n & 2,
				      .to = (uint8_t)(n % (NODES + 2)),
				      .within_us = n % 5 ? 0 : 1000 * n };
}

static void fill_record(struct world *w, struct core_record *record)
{
	*record = (struct core_record){ .present = flag(w), .move_to = CORE_NODE_NONE };
	if (!record->present)
		return;
	record->state = below(w, _CORE_STATE_MAX);
	record->term = term(w);
	record->term_max = flag(w) ? term(w) : record->term;
	record->unfit = (uint16_t)number(w) & _CORE_UNFIT_MASK;
	record->strict = flag(w);
	record->evidence = flag(w);
	record->traffic = record->term & 1; /* costs no bytes: the corpus stays what it is */
	record->silences = (uint8_t)(record->term / 2 % (CORE_SILENCES_MAX + 1));
	if (!flag(w))
		return;
	record->move = below(w, _CORE_MOVE_MAX);
	record->why = below(w, _CORE_RESULT_MAX);
	record->move_to = flag(w) ? below(w, NODES) : w->core.config.self;
	record->move_id = flag(w) ? (uint32_t)number(w) : w->core.groups[0].move_id;
	record->move_term = term(w);
	record->options = options((uint32_t)record->move_term);
}

/* A heartbeat as the parser and the sessions let it through: its number is new. */
static void beat(struct world *w, struct core_event *event)
{
	static struct core_beat beat;
	uint64_t echo = number(w);

	event->type = CORE_EV_BEAT;
	event->peer = below(w, NODES);
	event->beat = &beat;
	if (event->peer == w->core.config.self)
		return;
	beat = (struct core_beat){
		.seq = w->seq[event->peer] += 1 + number(w) % 1000,
		.echo_seq = echo < w->core.seq ? w->core.seq - echo : echo,
		.interval_us = (uint32_t)number(w) * 1000,
		.lease_us = (uint32_t)number(w) * 1000,
		.digest = number(w),
		.priority = (uint16_t)number(w),
		.reply = flag(w),
		.wants_answer = flag(w),
		.references_answer = flag(w),
		.marked = flag(w),
	};
	for (uint8_t g = 0; g < GROUPS; g++)
		fill_record(w, &beat.groups[g]);
	step(w, event);
}

/* The answer to an order, the oldest or any. */
static void done(struct world *w, struct core_event *event)
{
	static const int errors[] = { 0, 0, 0, -1, -2, -12, -16, -17, -62, -98, -99, -110 };
	size_t i = below(w, PENDING_MAX);

	if (w->n_pending == 0)
		return;
	i %= w->n_pending;
	event->type = CORE_EV_DONE;
	event->group = w->pending[i].group;
	event->done.id = w->pending[i].id;
	event->done.err = errors[below(w, sizeof(errors) / sizeof(*errors))];
	w->pending[i] = w->pending[--w->n_pending];
	step(w, event);
}

static void request(struct world *w, struct core_event *event)
{
	static const enum core_event_type types[] = { CORE_EV_SWITCHOVER, CORE_EV_MAINTENANCE,
						      CORE_EV_ANNOUNCE };

	if (w->requests + 1 >= REQUESTS_MAX)
		return;
	event->type = types[below(w, 3)];
	event->request.request = ++w->requests;
	event->request.on = flag(w);
	event->request.force = flag(w);
	if (event->type == CORE_EV_MAINTENANCE && w->requests % 3 == 0)
		event->type = CORE_EV_INHIBIT;
	event->request.options = options(w->requests);
	step(w, event);
}

/* What the agent senses of its host. */
static void sense(struct world *w, struct core_event *event)
{
	static const enum core_event_type types[] = {
		CORE_EV_UNREACHABLE, CORE_EV_FITNESS, CORE_EV_REFERENCES, CORE_EV_SENT,
		CORE_EV_LOST,	     CORE_EV_FLUSHED, CORE_EV_LAPSED,	  CORE_EV_DISOWNED,
	};
	static const uint16_t reasons[] = { CORE_UNFIT_LINK, CORE_UNFIT_CHECK, CORE_UNFIT_SYNC };

	event->type = types[below(w, sizeof(types) / sizeof(*types))];
	if (event->type == CORE_EV_UNREACHABLE || event->type == CORE_EV_DISOWNED) {
		event->peer = below(w, NODES);
		if (event->peer == w->core.config.self)
			return;
	} else if (event->type == CORE_EV_FITNESS) {
		event->fitness.reason = reasons[below(w, 3)];
		event->fitness.unfit = flag(w);
	} else if (event->type == CORE_EV_REFERENCES) {
		event->references_silent = flag(w);
	} else if (event->type == CORE_EV_SENT) {
		event->sent_seq = w->core.seq - below(w, 4);
	}
	step(w, event);
}

static void pass_time(struct world *w, bool until_deadline)
{
	struct core_event event = { .type = CORE_EV_TIME };
	uint64_t due_us = core_deadline(&w->core).us;

	if (!until_deadline)
		w->now_us += UINT64_C(1000) << below(w, 13);
	else if (due_us > w->now_us)
		w->now_us = due_us;
	step(w, &event);
}

static void seldom(struct world *w, struct core_event *event)
{
	switch (below(w, 8)) {
	case 0:
		*event = (struct core_event){ .type = CORE_EV_STOP, .restart = flag(w) };
		step(w, event);
		break;
	case 1:
	case 2:
		event->type = CORE_EV_TRAFFIC;
		step(w, event);
		break;
	case 3:
		event->type = CORE_EV_STRANGER;
		event->peer = flag(w) ? CORE_NODE_NONE : below(w, NODES);
		if (event->peer == w->core.config.self)
			return;
		step(w, event);
		break;
	}
}

static void happen(struct world *w)
{
	struct core_event event = { .group = below(w, GROUPS) };

	switch (below(w, 8)) {
	case 0:
	case 1:
		beat(w, &event);
		break;
	case 2:
		done(w, &event);
		break;
	case 3:
		request(w, &event);
		break;
	case 4:
		sense(w, &event);
		break;
	case 5:
		pass_time(w, false);
		break;
	case 6:
		pass_time(w, true);
		break;
	case 7:
		seldom(w, &event);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	w.bytes = (struct fuzz_bytes){ data, data + size };
	w.now_us = 1000000;
	start(&w);
	for (unsigned i = 0; i < EVENTS_MAX && w.bytes.p < w.bytes.end && !w.core.exited; i++)
		happen(&w);
	return 0;
}

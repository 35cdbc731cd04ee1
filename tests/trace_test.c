/* SPDX-License-Identifier: MIT */

#include "agent/trace/trace.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "agent/cleanup.h"

/* A configuration with two nodes and two groups has been read. */
static void begin(struct trace *trace)
{
	enum trace_what what;

	*trace = (struct trace){ 0 };
	cr_assert_eq(trace_parse(trace, "config n_nodes=2 n_groups=2", &what), 0);
	cr_assert_eq(what, TRACE_CONFIG);
}

/* Every line of @text, which is taken apart. */
static void read_all(struct trace *trace, char *text)
{
	enum trace_what what;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		cr_assert_eq(trace_parse(trace, line, &what), 0, "%s", line);
}

static char *text_of_event(const struct core_event *event)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	trace_event(f, event, 2, NULL);
	cr_assert_eq(fclose(f), 0);
	return text;
}

/* All bytes of the part of an event that its type uses are other than zero. */
static struct core_event full_event(enum core_event_type type)
{
	struct core_event e = { .type = type, .now = { 123456789012 }, .group = 1, .peer = 1 };

	if (type == CORE_EV_START) {
		e.start.term = UINT64_MAX;
		e.start.salt = UINT32_MAX;
		e.start.maintenance = e.start.adopted = e.start.boot = true;
		e.start.lease_left_us = 350000;
	} else if (type == CORE_EV_FITNESS) {
		e.fitness.reason = CORE_UNFIT_LINK;
		e.fitness.unfit = true;
	} else if (type == CORE_EV_REFERENCES) {
		e.references_silent = true;
	} else if (type == CORE_EV_SWITCHOVER || type == CORE_EV_MAINTENANCE) {
		e.request.request = 7;
		e.request.on = e.request.force = type == CORE_EV_MAINTENANCE;
	} else if (type == CORE_EV_STOP) {
		e.restart = true;
	} else if (type == CORE_EV_DONE) {
		e.done.id = 9;
		e.done.err = -110;
	} else if (type == CORE_EV_SENT) {
		e.sent_seq = 77;
	}
	return e;
}

Test(trace, every_event_that_is_written_is_read_again)
{
	for (enum core_event_type type = 0; type < _CORE_EV_MAX; type++) {
		struct core_event event = full_event(type);
		_cleanup_(freep) char *text = NULL, *again = NULL;
		static struct core_beat beat;
		struct trace trace;

		event.beat = type == CORE_EV_BEAT ? &beat : event.beat;
		text = text_of_event(&event);
		again = strdup(text);
		begin(&trace);
		read_all(&trace, again);
		free(again);
		again = text_of_event(&trace.event);
		cr_assert_str_eq(again, text);
		cr_assert_eq(trace.event.type, type);
		cr_assert_eq(trace.event.now.us, event.now.us);
		if (type == CORE_EV_DONE)
			cr_assert_eq(trace.event.done.err, -110);
		if (type == CORE_EV_START)
			cr_assert_eq(trace.event.start.term, UINT64_MAX);
	}
}

Test(trace, every_field_of_a_heartbeat_is_carried)
{
	struct core_beat beat = {
		.seq = UINT64_MAX,
		.echo_seq = 2,
		.interval_us = 3,
		.lease_us = UINT32_MAX,
		.digest = 5,
		.priority = UINT16_MAX,
		.reply = true,
		.wants_answer = true,
		.references_answer = true,
		.marked = true,
	};
	struct core_event event = { .type = CORE_EV_BEAT, .now = { 1 }, .peer = 1, .beat = &beat };
	_cleanup_(freep) char *text = NULL;
	struct trace trace;

	beat.groups[1] = (struct core_record){ .state = CORE_STATE_MAINTENANCE,
					       .term = 7,
					       .term_max = 8,
					       .move = CORE_MOVE_DENIED,
					       .why = CORE_RESULT_BUSY,
					       .move_to = CORE_NODE_NONE,
					       .move_id = 11,
					       .move_term = 12,
					       .unfit = 13,
					       .strict = true,
					       .evidence = true,
					       .present = true,
					       .traffic = true,
					       .silences = CORE_SILENCES_MAX };
	text = text_of_event(&event);
	begin(&trace);
	read_all(&trace, text);
	cr_assert_eq(trace.event.beat, &trace.beat);
	cr_assert_eq(memcmp(&trace.beat, &beat, offsetof(struct core_beat, groups)), 0);
	cr_assert_not(trace.beat.groups[0].present);
	cr_assert_eq(memcmp(&trace.beat.groups[1], &beat.groups[1], sizeof(beat.groups[1])), 0);
}

static char *text_of_beat(const struct core_beat *beat, const struct core_beat *known)
{
	struct core_event event = { .type = CORE_EV_BEAT, .now = { 1 }, .peer = 1, .beat = beat };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	trace_event(f, &event, 2, known);
	cr_assert_eq(fclose(f), 0);
	return text;
}

Test(trace, of_a_heartbeat_only_that_is_said_which_is_new)
{
	static struct core_beat known, beat;
	_cleanup_(freep) char *same = NULL, *other = NULL, *gone = NULL, *come = NULL;
	struct trace trace;

	known.groups[0] = known.groups[1] =
		(struct core_record){ .present = true, .term = 7, .unfit = CORE_UNFIT_LINK };
	beat = known;
	same = text_of_beat(&beat, &known);
	cr_assert_str_eq(same, "@1 beat-but peer=1\n");
	beat.groups[1].unfit = 0;
	other = text_of_beat(&beat, &known);
	cr_assert_str_eq(other, "@1 beat-but peer=1\nrecord 1 term=7\n");
	beat.groups[0].present = false;
	gone = text_of_beat(&beat, &known);
	cr_assert_str_eq(gone, "@1 beat peer=1\nrecord 1 term=7\n");
	come = text_of_beat(&known, &beat);
	cr_assert_str_eq(come, "@1 beat-but peer=1\nrecord 0 term=7 unfit=1\n"
			       "record 1 term=7 unfit=1\n");
	begin(&trace);
	read_all(&trace, gone);
	cr_assert_not(trace.as_known);
	read_all(&trace, other);
	cr_assert(trace.as_known);
	cr_assert_eq(trace.beat.groups[1].term, 7);
}

Test(trace, a_configuration_is_carried)
{
	struct core_config config = { .self = 1,
				      .n_nodes = 3,
				      .n_groups = 2,
				      .n_announce = 8,
				      .interval_us = 1,
				      .lease_us = 2,
				      .dead_us = 3,
				      .start_wait_us = 4,
				      .restart_hold_us = 5,
				      .step_us = 6,
				      .refresh_us = 9,
				      .probe_us = 10,
				      .digest = UINT64_MAX,
				      .announce_us = { 1, 2, 3, 4, 5, 6, 7, 8 },
				      .priority = { 10, 20, 30, 40, 50, 60, 70, 80 } };
	_cleanup_(freep) char *text = NULL;
	struct trace trace = { 0 };
	size_t len;
	FILE *f;

	config.groups[1] = (struct core_group_config){ true, true, true, true, 7, 8, 9, 10, 11 };
	f = open_memstream(&text, &len);
	trace_config(f, &config);
	cr_assert_eq(fclose(f), 0);
	read_all(&trace, text);
	cr_assert_eq(memcmp(&trace.config, &config, sizeof(config)), 0);
}

Test(trace, actions_are_told_from_each_other)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (enum core_action_type type = 0; type < _CORE_DO_MAX; type++)
		trace_action(f, &(struct core_action){ .type = type, .id = 5 });
	trace_action(f, &(struct core_action){ .type = CORE_DO_TELL, .tell.err = -2 });
	cr_assert_eq(fclose(f), 0);
	cr_assert_str_eq(text, "> beat\n> store id=5\n> prepare id=5\n> remove id=5\n> gate id=5\n"
			       "> shut id=5\n> rebuild id=5\n> lease id=5\n> announce\n> reply\n"
			       "> tell\n> exit\n> probe id=5\n> defend\n"
			       "> units id=5\n> tell err=-2\n");
}

Test(trace, what_is_no_line_of_a_trace_is_refused)
{
	static const struct {
		const char *line;
		int r;
	} bad[] = {
		{ "", -EINVAL },
		{ "nonsense", -EINVAL },
		{ "configuration", -EINVAL },
		{ "@", -EINVAL },
		{ "@12", -EINVAL },
		{ "@12 ", -EINVAL },
		{ "@12 party", -EINVAL },
		{ "@-1 time", -EINVAL },
		{ "@99999999999999999999 time", -ERANGE },
		{ "@1 time now=1", -EINVAL },
		{ "@1 done id", -EINVAL },
		{ "@1 done id=", -EINVAL },
		{ "@1 done id=4294967296", -ERANGE },
		{ "@1 done err=-2147483648", -ERANGE },
		{ "@1 done id=-1", -EINVAL },
		{ "@1 done id=1x", -EINVAL },
		{ "@1 stop restart=2", -ERANGE },
		{ "@1 beat peer=2", -ERANGE },
		{ "@1 lost group=2", -ERANGE },
		{ "record 2", -ERANGE },
		{ "record x", -EINVAL },
		{ "record 0 state=6", -ERANGE },
		{ "record 0 move=8", -ERANGE },
		{ "group 0 strict=1 linger", -EINVAL },
		{ "config n_nodes=0", -ERANGE },
		{ "config n_nodes=9", -ERANGE },
		{ "config n_nodes=2 self=2", -ERANGE },
		{ "config n_nodes=2 n_groups=129", -ERANGE },
		{ "config n_nodes=2 n_announce=9", -ERANGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct trace trace, before;
		enum trace_what what = _TRACE_WHAT_MAX;

		begin(&trace);
		before = trace;
		cr_expect_eq(trace_parse(&trace, bad[i].line, &what), bad[i].r, "%s", bad[i].line);
		cr_expect_eq(what, _TRACE_WHAT_MAX);
		cr_expect_eq(memcmp(&trace.config, &before.config, sizeof(trace.config)), 0);
	}
}

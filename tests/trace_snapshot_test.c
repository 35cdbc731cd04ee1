/* SPDX-License-Identifier: MIT */

#include "agent/trace/snapshot.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "agent/cleanup.h"
#include "agent/trace/pack.h"
#include "agent/trace/trace.h"

/* No byte of it is zero, and no number in it is one that a core cannot have. */
static void fill(struct core *core)
{
	memset(core, 1, sizeof(*core));
	core->config.self = 0;
	core->config.n_nodes = CORE_NODES_MAX;
	core->config.n_groups = CORE_GROUPS_MAX;
	core->config.n_announce = CORE_ANNOUNCE_MAX;
	for (unsigned g = 0; g < CORE_GROUPS_MAX; g++) {
		struct core_group *group = &core->groups[g];

		group->state = CORE_STATE_YIELDING;
		group->step = CORE_STEP_YIELD_OFFER;
		group->reason = group->leaving = CORE_REASON_UNFIT;
		group->move = CORE_MOVE_OFFER;
		group->why = CORE_RESULT_BUSY;
	}
	for (unsigned n = 0; n < CORE_NODES_MAX; n++)
		for (unsigned g = 0; g < CORE_GROUPS_MAX; g++) {
			struct core_record *record = &core->peers[n].beat.groups[g];

			record->state = CORE_STATE_FAULT;
			record->move = CORE_MOVE_ASK;
			record->why = CORE_RESULT_TIMEOUT;
		}
	/* of this node itself nothing is heard */
	memset(&core->peers[0], 0, sizeof(core->peers[0]));
}

static char *text_of(const struct core *core)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	trace_config(f, &core->config);
	snapshot_print(f, core);
	cr_assert_eq(fclose(f), 0);
	return text;
}

static void read_back(char *text, struct core *ret)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	enum trace_what what;

	cr_assert(trace);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		cr_assert_eq(trace_parse(trace, line, &what), 0, "%s", line);
		if (what == TRACE_CORE)
			cr_assert_eq(snapshot_parse(ret, line), 0, "%s", line);
		else
			core_init(ret, &trace->config);
	}
	free(trace);
}

static size_t first_difference(const void *a, const void *b, size_t size)
{
	size_t at = 0;

	while (at < size && ((const uint8_t *)a)[at] == ((const uint8_t *)b)[at])
		at++;
	return at;
}

/* That each field has its place in the text replay.sh sees to, which reads core.h. */
Test(trace_snapshot, a_core_that_is_written_is_read_again)
{
	struct core *core = malloc(sizeof(*core)), *again = calloc(1, sizeof(*again));
	_cleanup_(freep) char *text = NULL, *copy = NULL, *text_again = NULL;

	cr_assert(core && again);
	fill(core);
	text = text_of(core);
	cr_assert_not(strstr(text, "=0"));
	copy = strdup(text);
	read_back(copy, again);
	text_again = text_of(again);
	cr_assert_str_eq(text_again, text);
	cr_assert_eq(again->now.us, core->now.us);
	cr_assert_eq(again->sent[CORE_SENT_MAX - 1].at.us, core->now.us);
	cr_assert_eq(again->groups[CORE_GROUPS_MAX - 1].repair_due.us, core->now.us);
	cr_assert_eq(again->peers[CORE_NODES_MAX - 1].heard_seq, core->now.us);
	free(core);
	free(again);
}

Test(trace_snapshot, a_packed_core_is_the_same_core)
{
	struct core *core = malloc(sizeof(*core)), *again = calloc(1, sizeof(*again));
	struct unpacked *entry = calloc(1, sizeof(*entry));
	uint8_t *packed;

	cr_assert(core && again && entry);
	fill(core);
	packed = malloc(pack_core_size(&core->config));
	cr_assert(packed);
	cr_assert_eq(pack_core(packed, core), pack_core_size(&core->config));
	cr_assert_eq(unpack(packed, again, entry), pack_core_size(&core->config));
	cr_assert_eq(entry->what, PACK_CORE);
	cr_assert_eq(memcmp(again, core, sizeof(*core)), 0, "byte %zu is not the same",
		     first_difference(again, core, sizeof(*core)));
	free(packed);
	free(entry);
	free(core);
	free(again);
}

Test(trace_snapshot, what_no_core_can_be_is_refused)
{
	static const struct {
		const char *line;
		int r;
	} bad[] = {
		{ "cores", -EINVAL },
		{ "core-", -EINVAL },
		{ "core 1", -EINVAL },
		{ "core no=1", -EINVAL },
		{ "core booted=2", -ERANGE },
		{ "core reply_to=65536", -ERANGE },
		{ "core-sent 16 seq=1", -ERANGE },
		{ "core-sent", -EINVAL },
		{ "core-group 2", -ERANGE },
		{ "core-group 0 move_to=2", -ERANGE },
		{ "core-group 0 announced=1", -ERANGE },
		{ "core-peer 2", -ERANGE },
		{ "core-beat 2", -ERANGE },
		{ "core-record 2 0", -ERANGE },
		{ "core-record 1 2", -ERANGE },
		{ "core-record 1", -EINVAL },
		{ "core-record 1 1 state=99", -ERANGE },
	};
	static const struct {
		const char *field;
		unsigned max;
	} bounds[] = {
		{ "state", _CORE_STATE_MAX },	 { "step", _CORE_STEP_MAX },
		{ "reason", _CORE_REASON_MAX },	 { "move", _CORE_MOVE_MAX },
		{ "why", _CORE_RESULT_MAX },	 { "silences", CORE_SILENCES_MAX + 1 },
		{ "leaving", _CORE_REASON_MAX },
	};
	static struct core core, before;
	struct core_config config = { .n_nodes = 2, .n_groups = 2 };

	core_init(&core, &config);
	before = core;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(snapshot_parse(&core, bad[i].line), bad[i].r, "%s", bad[i].line);
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "core-group 0 %s=%u", bounds[i].field,
			       bounds[i].max);
		cr_expect_eq(snapshot_parse(&core, line), -ERANGE, "%s", line);
	}
	cr_expect_eq(memcmp(core.groups, before.groups, sizeof(core.groups)), 0);
	cr_expect_eq(memcmp(core.peers, before.peers, sizeof(core.peers)), 0);
}

/* SPDX-License-Identifier: MIT */
#include "agent/host/mend.h"

#include <criterion/criterion.h>

#include "agent/log.h"
#include "agent/publish.h"

static struct agent agent; /* too large for a stack */
static unsigned n_laid, n_said;
static instant now = { 1 };

/* These stand in front of the library's. */
void agent_step(struct agent *a, struct core_event *event)
{
	cr_assert_eq(a, &agent);
	cr_assert_eq(event->type, CORE_EV_FLUSHED);
	n_laid++;
}

instant clock_now(void)
{
	return now;
}

void publish_say(struct agent *a, uint8_t group, enum event_type type, const char *format, ...)
{
	cr_assert_eq(a, &agent);
	cr_assert_eq(group, EVENT_NO_GROUP);
	cr_assert_eq(type, EVENT_GATE_CHANGED);
	cr_assert(strstr(format, "has changed the gate"));
	n_said++;
}

bool log_is_due(instant *last, instant at)
{
	bool due = !instant_is_set(*last) || instant_since(at, *last) >= LOG_REPEAT_US;

	if (due)
		*last = at;
	return due;
}

static const struct monitor_event changed = { .kind = MONITOR_GATE_CHANGED,
					      .process = { .pid = 812, .name = "nft" } };

Test(mend, a_busy_stranger_is_mended_one_time_after_the_other)
{
	for (int i = 0; i < 100; i++)
		mend_gate(&agent, &changed);
	cr_assert_eq(n_laid, 1, "while it is being laid");
	mend_done(&agent);
	cr_assert_eq(n_laid, 2, "what he did meanwhile");
	mend_done(&agent);
	cr_assert_eq(n_laid, 2, "nothing since");
	mend_gate(&agent, &changed);
	cr_assert_eq(n_laid, 3);
}

Test(mend, who_it_was_is_said_once_a_minute)
{
	for (int i = 0; i < 100; i++)
		mend_gate(&agent, &changed);
	cr_assert_eq(n_said, 1);
	now.us += LOG_REPEAT_US;
	mend_gate(&agent, &changed);
	cr_assert_eq(n_said, 2);
}

Test(mend, lost_news_may_have_been_of_the_gate_but_nobody_is_named)
{
	const struct monitor_event overrun = { .kind = MONITOR_OVERRUN };

	mend_gate(&agent, &overrun);
	cr_assert_eq(n_laid, 1);
	cr_assert_eq(n_said, 0);
}

/* SPDX-License-Identifier: MIT */
#include "agent/bus/inhibit.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { INHIBITORS_MAX = 64, SIP = 0, WEB = 1 };

/* What the core was told, and how it answers: this stands in front of the library's. */
static struct {
	unsigned on, off, changes;
	uint8_t group;
	uint32_t request;
} told;

void agent_step(struct agent *agent, struct core_event *event)
{
	(void)agent;
	cr_assert_eq(event->type, CORE_EV_INHIBIT);
	told.on += event->request.on;
	told.off += !event->request.on;
	told.group = event->group;
	told.request = event->request.request;
}

static void changed(void *ctx, uint8_t group)
{
	(void)ctx;
	(void)group;
	told.changes++;
}

static struct agent agent; /* too large for a stack */

static struct inhibitors *start(void)
{
	struct inhibitors *inhibitors;

	memset(&told, 0, sizeof(told));
	cr_assert_geq(sd_event_new(&agent.loop), 0);
	cr_assert_eq(inhibitors_new(&agent, changed, NULL, &inhibitors), 0);
	return inhibitors;
}

static void end(struct inhibitors *inhibitors)
{
	inhibitors_free(inhibitors);
	agent.loop = sd_event_unref(agent.loop);
}

/* What has happened to descriptors is heard of. */
static void turn(void)
{
	while (sd_event_run(agent.loop, 0) > 0)
		;
}

static const struct api_inhibitor ann = { "ann", "a repair", 1000 }, bob = { "bob", "a test", 0 };

static size_t count(struct inhibitors *inhibitors, size_t group)
{
	struct api_inhibitors list;

	inhibit_list(inhibitors, group, &list);
	return list.n;
}

Test(inhibit, core_hears_of_the_first_and_of_the_last)
{
	struct inhibitors *all = start();
	struct api_inhibitors list;
	int first, second;

	cr_assert_eq(inhibit_begin(all, SIP, &ann, 7), 1);
	cr_expect_eq(told.on, 1);
	cr_expect_eq(told.request, 7);
	cr_expect_eq(count(all, SIP), 0, "it does not hold yet");
	first = inhibit_answered(all, 7, true);
	cr_assert_geq(first, 0);
	cr_expect_eq(told.changes, 1);

	cr_assert_eq(inhibit_begin(all, SIP, &bob, 8), 0);
	second = inhibit_answered(all, 8, true);
	cr_assert_geq(second, 0);
	cr_expect_eq(told.on, 1);
	inhibit_list(all, SIP, &list);
	cr_assert_eq(list.n, 2);
	cr_expect_str_eq(list.v[0].who, "ann");
	cr_expect_str_eq(list.v[0].why, "a repair");
	cr_expect_eq(list.v[0].uid, 1000);
	cr_expect_str_eq(list.v[1].who, "bob");

	(void)close(first);
	turn();
	cr_expect_eq(told.off, 0);
	cr_expect_eq(count(all, SIP), 1);
	(void)close(second);
	turn();
	cr_expect_eq(told.off, 1);
	cr_expect_eq(told.request, 0);
	cr_expect_eq(told.changes, 4);
	cr_expect_eq(count(all, SIP), 0);
	end(all);
}

Test(inhibit, groups_have_nothing_to_do_with_each_other)
{
	struct inhibitors *all = start();
	int sip, web;

	cr_assert_eq(inhibit_begin(all, SIP, &ann, 1), 1);
	cr_assert_eq(inhibit_begin(all, WEB, &ann, 2), 1);
	cr_expect_eq(told.group, WEB);
	web = inhibit_answered(all, 2, true);
	sip = inhibit_answered(all, 1, true);
	cr_expect_eq(told.on, 2);
	(void)close(sip);
	turn();
	cr_expect_eq(told.off, 1);
	cr_expect_eq(told.group, SIP);
	cr_expect_eq(count(all, WEB), 1);
	(void)close(web);
	end(all);
}

Test(inhibit, one_whom_the_core_refuses_is_forgotten)
{
	struct inhibitors *all = start();

	cr_assert_eq(inhibit_begin(all, SIP, &ann, 7), 1);
	cr_expect_eq(inhibit_begin(all, SIP, &bob, 8), -EBUSY, "the first still waits");
	cr_expect_eq(inhibit_answered(all, 9, true), -ENOENT);
	cr_expect_eq(inhibit_answered(all, 0, true), -ENOENT);
	cr_expect_eq(inhibit_answered(all, 7, false), -ECANCELED);
	turn();
	cr_expect_eq(told.off, 0, "there was nothing to end");
	cr_expect_eq(count(all, SIP), 0);
	cr_assert_eq(inhibit_begin(all, SIP, &bob, 10), 1, "and the next may try");
	end(all);
}

/* Not before the core has answered: it would be told the end before the beginning is over. */
Test(inhibit, who_does_not_take_it_ends_it)
{
	struct inhibitors *all = start();
	int fd;

	cr_assert_eq(inhibit_begin(all, SIP, &ann, 7), 1);
	turn();
	cr_expect_eq(told.off, 0);
	fd = inhibit_answered(all, 7, true);
	(void)close(fd);
	turn();
	cr_expect_eq(told.off, 1);
	end(all);
}

/* The host keeps it out itself then, and lets it in if it stays up. */
Test(inhibit, end_is_not_told_while_the_host_goes_down)
{
	struct inhibitors *all = start();

	cr_assert_eq(inhibit_begin(all, SIP, &ann, 7), 1);
	agent.going_down = true;
	cr_expect(inhibit_any(all, SIP));
	cr_expect_not(inhibit_any(all, WEB));
	(void)close(inhibit_answered(all, 7, true));
	turn();
	cr_expect_eq(told.off, 0);
	cr_expect_not(inhibit_any(all, SIP));
	agent.going_down = false;
	end(all);
}

/* It is theirs, and whatever they do with it wakes nobody. */
Test(inhibit, what_is_written_to_it_is_not_read)
{
	struct inhibitors *all = start();
	char bytes[4096] = "";
	int fd;

	cr_assert_eq(inhibit_begin(all, SIP, &ann, 7), 1);
	fd = inhibit_answered(all, 7, true);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	cr_expect_eq(errno, EAGAIN);
	cr_expect_eq(sd_event_run(agent.loop, 0), 0);
	cr_expect_eq(count(all, SIP), 1);
	(void)close(fd);
	turn();
	cr_expect_eq(told.off, 1);
	end(all);
}

Test(inhibit, there_are_not_too_many)
{
	struct inhibitors *all = start();
	int fds[INHIBITORS_MAX];
	struct pollfd gone;

	cr_assert_eq(inhibit_begin(all, SIP, &ann, 1), 1);
	fds[0] = inhibit_answered(all, 1, true);
	for (api_request i = 2; i <= INHIBITORS_MAX; i++) {
		cr_assert_eq(inhibit_begin(all, SIP, &ann, i), 0);
		fds[i - 1] = inhibit_answered(all, i, true);
	}
	cr_expect_eq(count(all, SIP), INHIBITORS_MAX);
	cr_expect_eq(inhibit_begin(all, WEB, &ann, 100), -EBUSY);
	end(all);
	gone = (struct pollfd){ .fd = fds[0] };
	cr_assert_eq(poll(&gone, 1, 0), 1);
	cr_expect(gone.revents & POLLERR, "its owner sees that nobody has the other end");
	for (size_t i = 0; i < INHIBITORS_MAX; i++)
		(void)close(fds[i]);
}

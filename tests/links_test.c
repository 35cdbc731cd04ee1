/* SPDX-License-Identifier: MIT */
#include "agent/kernel/links.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

static struct links links; /* too large for a stack */

static void note(int index, const char *name, bool running)
{
	struct link link = { .index = index, .running = running };

	(void)snprintf(link.name, sizeof(link.name), "%s", name);
	cr_assert_eq(links_note(&links, &link), 0);
}

/* A group with addresses on these interfaces. */
static bool run_on(const char *const *names, size_t n)
{
	char ifnames[8][CONF_IFNAME_SIZE] = { 0 };
	struct conf_group group = { .ifnames = ifnames, .n_ifnames = n };
	bool missing;

	for (size_t i = 0; i < n; i++)
		(void)snprintf(ifnames[i], sizeof(ifnames[i]), "%s", names[i]);
	return !links_trouble(&links, &group, &missing);
}

#define RUN_ON(...)                                                                                \
	run_on((const char *const[]){ __VA_ARGS__ },                                               \
	       ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))

Test(links, a_group_runs_when_all_its_interfaces_do)
{
	note(1, "eth0", true);
	note(2, "eth1", true);
	note(3, "eth2", false);
	cr_assert(RUN_ON("eth0"));
	cr_assert(RUN_ON("eth0", "eth1"));
	cr_assert_not(RUN_ON("eth2"));
	cr_assert_not(RUN_ON("eth0", "eth2"));
	cr_assert_not(RUN_ON("eth2", "eth0"));
	cr_assert_not(RUN_ON("eth0", "eth1", "eth2"));
}

Test(links, an_interface_that_is_not_there_does_not_run)
{
	note(1, "eth0", true);
	cr_assert_not(RUN_ON("eth9"));
	cr_assert_not(RUN_ON("eth0", "eth9"));
	links_forget(&links, 1);
	cr_assert_not(RUN_ON("eth0"));
}

Test(links, a_group_without_addresses_runs)
{
	cr_assert(run_on(NULL, 0));
}

Test(links, what_is_noted_again_replaces_what_was_known)
{
	note(1, "eth0", true);
	note(1, "eth0", false);
	cr_assert_eq(links.n, 1);
	cr_assert_not(RUN_ON("eth0"));
	note(1, "lan0", true);
	cr_assert(RUN_ON("lan0"));
	cr_assert_not(RUN_ON("eth0"));
	cr_assert_str_eq(links_name(&links, 1), "lan0");
}

Test(links, forgetting_one_keeps_the_others)
{
	note(1, "eth0", true);
	note(2, "eth1", true);
	note(3, "eth2", true);
	links_forget(&links, 1);
	cr_assert_eq(links.n, 2);
	cr_assert_not(RUN_ON("eth0"));
	cr_assert(RUN_ON("eth1", "eth2"));
	links_forget(&links, 3);
	links_forget(&links, 3);
	links_forget(&links, 99);
	cr_assert_eq(links.n, 1);
	cr_assert(RUN_ON("eth1"));
}

Test(links, the_one_that_does_not_run_is_named)
{
	char ifnames[][CONF_IFNAME_SIZE] = { "eth0", "eth1" };
	struct conf_group group = { .ifnames = ifnames, .n_ifnames = 2 };
	bool missing = false;

	note(1, "eth0", true);
	cr_assert_str_eq(links_trouble(&links, &group, &missing), "eth1");
	cr_assert(missing);
	note(2, "eth1", false);
	cr_assert_str_eq(links_trouble(&links, &group, &missing), "eth1");
	cr_assert_not(missing);
	note(2, "eth1", true);
	cr_assert_null(links_trouble(&links, &group, &missing));
}

Test(links, what_keeps_one_from_running_is_known)
{
	struct link link = { .index = 1, .name = "eth0" };

	cr_assert_eq(links_state(&links, "eth0"), LINKS_MISSING);
	cr_assert_eq(links_note(&links, &link), 0);
	cr_assert_eq(links_state(&links, "eth0"), LINKS_DOWN);
	link.up = true;
	cr_assert_eq(links_note(&links, &link), 0);
	cr_assert_eq(links_state(&links, "eth0"), LINKS_NO_CARRIER);
	link.running = true;
	cr_assert_eq(links_note(&links, &link), 0);
	cr_assert_eq(links_state(&links, "eth0"), LINKS_RUNNING);
	cr_assert_eq(links_state(&links, "eth1"), LINKS_MISSING);
}

Test(links, names_are_found_by_index)
{
	note(7, "eth0", false);
	cr_assert_str_eq(links_name(&links, 7), "eth0");
	cr_assert_str_empty(links_name(&links, 8));
	cr_assert_eq(links_find(&links, 7)->index, 7);
	cr_assert_null(links_find(&links, 8));
}

Test(links, there_is_an_end_and_what_is_known_can_still_change)
{
	struct link link = { .index = LINKS_MAX + 1, .name = "more" };
	char name[16];

	for (int i = 1; i <= LINKS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "if%d", i);
		note(i, name, false);
	}
	cr_assert_eq(links_note(&links, &link), -ENOSPC);
	note(LINKS_MAX, "last", true);
	cr_assert(RUN_ON("last"));
	links_forget(&links, 5);
	cr_assert_eq(links_note(&links, &link), 0);
}

Test(links, any_of_their_macs_is_one_of_ours)
{
	static const uint8_t macs[3][6] = { { 2, 1 }, { 2, 2 }, { 2, 3 } };
	struct link link = { .name = "eth0" };

	for (int i = 0; i < 2; i++) {
		link.index = i + 1;
		memcpy(link.mac, macs[i], sizeof(link.mac));
		cr_assert_eq(links_note(&links, &link), 0);
	}
	cr_assert(links_have_mac(&links, macs[0]));
	cr_assert(links_have_mac(&links, macs[1]));
	cr_assert_not(links_have_mac(&links, macs[2]));
	links_forget(&links, 1);
	cr_assert_not(links_have_mac(&links, macs[0]));
}

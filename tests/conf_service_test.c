/* SPDX-License-Identifier: MIT */

/* Check= and what belongs to it. */

#include <criterion/criterion.h>

#include "tests/conf_good.h"

#define TAKES                                                                                      \
	"Check= takes tcp:HOST:PORT such as tcp:self:5060, tcp:10.0.0.1:80 or tcp:[fd00::1]:80, "

static void expect_refused(const char *value, const char *complaint)
{
	struct conf_problems problems = { 0 };
	_cleanup_(conf_freep) struct conf *conf = NULL;
	_cleanup_(freep) char *text = NULL;

	cr_assert_gt(asprintf(&text, GOOD "Check=tcp:self:1\nCheck=%s\n", value), 0);
	cr_expect_lt(conf_from_bytes(text, strlen(text), &conf, &problems), 0);
	cr_assert_eq(problems.n, 1, "%s", value);
	cr_expect_eq(problems.v[0].line, 8);
	cr_expect_eq(strncmp(problems.v[0].text, complaint, strlen(complaint)), 0, "%s: %s", value,
		     problems.v[0].text);
	conf_problems_done(&problems);
}

Test(conf_service, checks_are_read_in_order_and_printed)
{
	_cleanup_(conf_freep) struct conf *conf =
		conf_from_text(GOOD "Check=tcp:self:80\nCheck=\nCheck=tcp:self:5060\n"
				    "Check=tcp:[fd00:0::1]:65535\nCheck=tcp:127.0.0.1:1\n"
				    "Interval=2s\nTimeout=100ms\nRise=4\nFall=5\nOnFail=event\n");
	_cleanup_(freep) char *printed = conf_as_text(conf);
	const struct conf_group *group = &conf->groups[0];

	cr_assert_eq(group->n_checks, 3, "an empty line forgets those before it");
	cr_expect(group->checks[0].self);
	cr_expect_eq(group->checks[0].port, 5060);
	cr_expect_eq(group->checks[1].ip.family, 6);
	cr_expect_eq(group->checks[2].ip.family, 4);
	cr_expect_eq(group->check_interval_us, 2 * USEC_PER_SEC);
	cr_expect_eq(group->check_timeout_us, 100 * USEC_PER_MSEC);
	cr_expect_eq(group->check_rise, 4);
	cr_expect_eq(group->check_fall, 5);
	cr_expect_not(group->check_unfit);
	cr_expect_not_null(strstr(printed, "Check=tcp:self:5060\nCheck=tcp:[fd00::1]:65535\n"
					   "Check=tcp:127.0.0.1:1\nInterval=2s\nTimeout=100ms\n"
					   "Rise=4\nFall=5\nOnFail=event\n"));
	conf_free(conf_from_text(printed));
}

Test(conf_service, what_is_no_check_is_refused_with_what_would_be_one)
{
	static const char *const none[] = {
		"tcp",
		"tcp:",
		"tcp:self",
		"tcp::80",
		"tcp:self:0",
		"tcp:self:65536",
		"tcp:self:+1",
		"tcp:self:",
		"tcp:fd00::1:80",
		"tcp:[10.0.0.1]:1",
		"tcp:[]:80",
		"tcp:[fd00::1]",
		"tcp:host:80",
		"udp:self:80",
		"exec:/bin/true",
		"self:80",
		"tcp:[fd00:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]:80",
	};

	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		expect_refused(none[i], TAKES "not \"");
}

Test(conf_service, a_check_is_there_once)
{
	expect_refused("tcp:self:1", "Check=tcp:self:1 is there already");
}

static void expect_one_complaint(const char *text, const char *complaint)
{
	struct conf_problems problems = { 0 };
	struct conf *conf = NULL;

	cr_expect_lt(conf_from_bytes(text, strlen(text), &conf, &problems), 0);
	cr_assert_eq(problems.n, 1);
	cr_expect_str_eq(problems.v[0].text, complaint);
	conf_problems_done(&problems);
}

/* Groups with so many checks each */
static char *write_groups(int groups, int checks)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	cr_assert(f);
	fputs(GOOD, f);
	for (int g = 0; g < groups; g++) {
		if (g > 0)
			fprintf(f, "[Group more%d]\nMode=none\n", g);
		for (int i = 1; i <= checks; i++)
			fprintf(f, "Check=tcp:self:%d\n", i);
	}
	cr_assert_eq(fclose(f), 0);
	return text;
}

Test(conf_service, checks_are_bounded)
{
	_cleanup_(freep) char *one = write_groups(1, CONF_CHECKS_MAX + 1);
	_cleanup_(freep) char *all = write_groups(9, CONF_CHECKS_ALL_MAX / 8);
	_cleanup_(freep) char *most = write_groups(8, CONF_CHECKS_ALL_MAX / 8);

	expect_one_complaint(one, "Check= may be given 32 times at most.");
	expect_one_complaint(all, "There are 288 checks; at most 256 work.");
	conf_free(conf_from_text(most));
}

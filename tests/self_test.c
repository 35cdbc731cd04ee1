/* SPDX-License-Identifier: MIT */
#include "agent/conf/self.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/netns.h"
#include "tests/with_conf.h"

static struct conf *two_nodes(void)
{
	return conf_from_text("[Node alpha]\nAddress=10.9.0.1\nAddress=fd09::1\n"
			      "[Node beta]\nAddress=10.9.0.2\nAddress=fd09::2\n"
			      "[Group sip]\nVirtualAddress=10.9.0.3 eth0\n");
}

/* A host of its own, with a name and addresses. */
static void be(const char *name, const char *addresses)
{
	char command[256];

	netns_enter();
	cr_assert_eq(unshare(CLONE_NEWUTS), 0);
	cr_assert_eq(sethostname(name, strlen(name)), 0);
	(void)snprintf(command, sizeof(command),
		       "for a in %s; do ip address add $a dev va || exit 1; done", addresses);
	sh(command);
}

static void expect_node(const char *name, uint8_t expected)
{
	_cleanup_(conf_freep) struct conf *conf = two_nodes();
	struct conf_problems problems = { 0 };
	uint8_t node = 99;

	cr_expect_eq(self_find(conf, name, &node, &problems), 0);
	cr_expect_eq(node, expected);
	cr_expect_eq(problems.n, 0);
	conf_problems_done(&problems);
}

static void expect_problem(const char *name, int err, const char *text)
{
	_cleanup_(conf_freep) struct conf *conf = two_nodes();
	struct conf_problems problems = { 0 };
	uint8_t node = 99;

	cr_expect_eq(self_find(conf, name, &node, &problems), err);
	cr_expect_eq(node, 99);
	cr_assert_eq(problems.n, 1);
	cr_expect_str_eq(problems.v[0].text, text);
	conf_problems_done(&problems);
}

Test(self, a_name_is_taken_before_its_addresses_have_come)
{
	be("alpha", "10.9.0.7/24");
	expect_node("beta", 1);
}

Test(self, a_name_is_refused_where_only_the_addresses_of_another_node_are)
{
	be("beta", "fd09::1/64");
	expect_problem("beta", -EINVAL,
		       "This host is not beta, as --node says: it has an Address= of [Node "
		       "alpha], and none of [Node beta].");
}

Test(self, is_here_when_one_of_its_addresses_is)
{
	_cleanup_(conf_freep) struct conf *conf = two_nodes();

	be("gamma", "10.9.0.2/24");
	cr_expect_eq(self_is_here(conf, 0), 0);
	cr_expect_eq(self_is_here(conf, 1), 1);
}

Test(self, the_name_that_is_given_counts_more_than_addresses)
{
	be("alpha", "10.9.0.1/24 10.9.0.2/24");
	expect_node("beta", 1);
}

Test(self, a_name_that_is_not_configured_is_refused_with_those_that_are)
{
	expect_problem("gamma", -EINVAL,
		       "There is no [Node gamma]. The configuration has: alpha, beta. "
		       "--node NAME says which one this is.");
}

Test(self, an_ipv4_address_counts_more_than_the_host_name)
{
	be("alpha", "10.9.0.2/24");
	expect_node(NULL, 1);
}

Test(self, an_ipv6_address_is_enough)
{
	be("elsewhere", "fd09::2/64");
	expect_node(NULL, 1);
}

Test(self, without_an_address_the_host_name_counts)
{
	be("beta", "10.9.0.7/24");
	expect_node(NULL, 1);
}

Test(self, the_host_name_counts_up_to_its_first_dot)
{
	be("beta.example.org", "10.9.0.7/24");
	expect_node(NULL, 1);
}

Test(self, addresses_of_two_nodes_are_ambiguous)
{
	be("alpha", "10.9.0.1/24 fd09::2/64");
	expect_problem(NULL, -EINVAL,
		       "This host has addresses of more than one node. The configuration "
		       "has: alpha, beta. --node NAME says which one this is.");
}

Test(self, a_host_that_is_none_of_the_nodes_is_told_so)
{
	be("gamma.example.org", "10.9.0.7/24");
	expect_problem(NULL, -EADDRNOTAVAIL,
		       "This host has no Address= of any node, and none is called "
		       "\"gamma\". The configuration has: alpha, beta. --node NAME says "
		       "which one this is.");
}

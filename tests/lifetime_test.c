/* SPDX-License-Identifier: MIT */
#include "agent/kernel/lifetime.h"

#include <criterion/criterion.h>

#include "tests/held.h"

/* So many IPv6 addresses, in two groups, and an IPv4 address. */
static struct conf *conf_with(const char *agent, size_t n)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f,
		"[Agent]\nAuthentication=none\n%s\n"
		"[Node alpha]\nAddress=10.0.0.1\n[Node beta]\nAddress=10.0.0.2\n"
		"[Group a]\nVirtualAddress=10.9.0.3 va\n",
		agent);
	for (size_t i = 0; i < n; i++) {
		if (i == n / 2)
			fputs("[Group b]\n", f);
		fprintf(f, "VirtualAddress=fd09::%zx va\n", i + 1);
	}
	fclose(f);
	return conf_from_text(text);
}

static unsigned rounds(const char *agent, size_t n)
{
	_cleanup_(conf_freep) struct conf *conf = conf_with(agent, n);

	return lifetime_rounds(conf);
}

Test(lifetime, ipv6_has_its_turn_the_more_seldom_the_more_there_are)
{
	cr_assert_eq(rounds("", 2), 1);
	cr_assert_eq(rounds("", 700), 1);
	cr_assert_eq(rounds("", 800), 2);
	cr_assert_eq(rounds("", 5000), 50);
	cr_assert_eq(rounds("", 8191), 135, "as many as there can be");
}

Test(lifetime, who_gives_more_time_has_it_in_every_round)
{
	cr_assert_eq(rounds("AddressLifetime=2s", 100), 1);
	cr_assert_eq(rounds("AddressLifetime=2s", 200), 3);
	cr_assert_eq(rounds("AddressLifetime=1h", 5000), 1);
	cr_assert_eq(rounds("AddressLifetime=24h", 8191), 1);
}

Test(lifetime, each_address_lives_to_see_its_next_round)
{
	_cleanup_(conf_freep) struct conf *many = conf_with("", 1000), *few = conf_with("", 2);
	struct addr v[] = { { .ip.family = 6 }, { .ip.family = 4 } };

	lifetime_set(many, v, 2);
	cr_assert_eq(v[0].valid_s, 120);
	cr_assert_eq(v[1].valid_s, 60);
	lifetime_set(few, v, 2);
	cr_assert_eq(v[0].valid_s, 60);
}

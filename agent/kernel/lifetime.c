/* SPDX-License-Identifier: MIT */

#include "agent/kernel/lifetime.h"

/*
 * To refresh one IPv6 address costs the kernel some 0.4 µs for each that there is: it
 * walks through all of them, and joins all multicast groups of the interface anew. So
 * a round through n of them takes n² times as long: 0.4 s for 1,000, 10 s for 5,000.
 * A round comes three times in a lifetime, and is to take one part in a hundred of it.
 */
enum { LIFETIME_NS = 3 * 100 * 400 };

/**
 * lifetime_rounds() - In which of the rounds that refresh addresses has IPv6 its turn?
 *
 * Return: 1 for every one of them, 2 for every second one, ...
 */
unsigned lifetime_rounds(const struct conf *conf)
{
	uint64_t n = 0, lifetime_us = conf->address_lifetime_s * USEC_PER_SEC, wanted_us;

	for (size_t g = 0; g < conf->n_groups; g++)
		for (size_t i = 0; i < conf->groups[g].n_vips; i++)
			n += conf->groups[g].vips[i].ip.family == 6;
	wanted_us = n * n * LIFETIME_NS / 1000;
	return wanted_us <= lifetime_us ? 1
					: (unsigned)((wanted_us + lifetime_us - 1) / lifetime_us);
}

/**
 * lifetime_set() - Give addresses the lifetime that they live to see their next round with
 */
void lifetime_set(const struct conf *conf, struct addr *v, size_t n)
{
	const uint32_t rounds = lifetime_rounds(conf);

	for (size_t i = 0; i < n; i++)
		v[i].valid_s = conf->address_lifetime_s * (v[i].ip.family == 6 ? rounds : 1);
}

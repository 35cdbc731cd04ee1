/* SPDX-License-Identifier: MIT */

#include "agent/kernel/secondary.h"

#include "netlink/local.h"

/**
 * secondary_same_network() - Is an address in the network of another, on the same link?
 */
bool secondary_same_network(const struct addr *a, const struct addr *b)
{
	const struct local network = { .ip = a->ip, .prefix = a->prefix };

	return a->ip.family == 4 && a->ifindex == b->ifindex && a->prefix == b->prefix &&
	       local_covers(&network, &b->ip);
}

/**
 * secondary_with() - Is one of these secondary in the network of an address?
 */
bool secondary_with(const struct addr *a, const struct addr *others, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (others[i].secondary && secondary_same_network(a, &others[i]))
			return true;
	return false;
}

/* Is it the first of a network that one of these is in as well? That one would go with it. */
static bool is_before_others(const struct addr *a, const struct addr *others, size_t n)
{
	return !a->secondary && secondary_with(a, others, n);
}

/**
 * secondary_put_last() - Put those of ours last that are not to be removed without a look at others
 * @ours: reordered
 * @others: of this host; may contain ours
 *
 * Behind all of ours that have gone before, only others are left to be promoted: the
 * kernel walks through all that are behind the first one, each time.
 *
 * Return: how many are in front, for addr_remove(); the rest is for promote_remove().
 */
size_t secondary_put_last(struct addr *ours, size_t n, const struct addr *others, size_t n_others)
{
	for (size_t i = 0; i < n;) {
		struct addr first = ours[i];

		if (!is_before_others(&first, others, n_others)) {
			i++;
			continue;
		}
		ours[i] = ours[--n];
		ours[n] = first;
	}
	return n;
}

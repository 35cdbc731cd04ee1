/* SPDX-License-Identifier: MIT */

#include "agent/kernel/left.h"

#include <net/if.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/kernel/vips.h"
#include "netlink/local.h"
#include "netlink/neigh.h"

/* Those of whole networks first, in whatever order; then those of one address, for bsearch. */
static int by_ip(const void *a, const void *b)
{
	const struct local *x = a, *y = b;
	bool x_one = x->prefix == 8 * ip_len(&x->ip), y_one = y->prefix == 8 * ip_len(&y->ip);

	return x_one != y_one ? x_one - y_one : ip_compare(&x->ip, &y->ip);
}

/* Who has this address? The networks are few. */
static const struct local *find(const struct local *v, size_t n, const struct ip *ip)
{
	const struct local key = { .ip = *ip, .prefix = (uint8_t)(8 * ip_len(ip)) };
	const struct local *hit = bsearch(&key, v, n, sizeof(*v), by_ip);

	for (size_t i = 0; !hit && i < n && v[i].prefix < 8 * ip_len(&v[i].ip); i++)
		if (local_covers(&v[i], ip))
			hit = &v[i];
	return hit;
}

/**
 * left_look() - Does this host still take in what it has released?
 * @ret: what has been found
 *
 * By an address that a stranger has put somewhere, or by a route. Our own have
 * been read back when they were removed, or are kept ready, silent.
 *
 * Return: 0; what local_list() returns.
 */
int left_look(struct nl *nl, const struct conf_group *group, struct left *ret)
{
	_cleanup_(freep) struct local *v = NULL;
	const char *ifname = ""; /* of which own is the number: addresses mostly come in runs */
	struct left left = { 0 };
	int r, own = 0;
	size_t n;

	r = local_list(nl, &v, &n);
	if (r < 0)
		return r;
	if (n)
		qsort(v, n, sizeof(*v), by_ip);
	for (size_t i = 0; n && i < group->n_vips; i++) {
		const struct local *hit = find(v, n, &group->vips[i].ip);

		if (hit && group->staged && strcmp(group->vips[i].ifname, ifname) != 0) {
			ifname = group->vips[i].ifname;
			own = (int)if_nametoindex(ifname);
		}
		if (hit && group->staged && hit->ifindex == own)
			continue; /* kept ready */
		if (hit && !left.n++) {
			left.vip = &group->vips[i];
			left.ifindex = hit->ifindex;
		}
	}
	*ret = left;
	return 0;
}

/**
 * left_forget() - Have the kernel forget which MACs had the group's addresses
 *
 * Otherwise this host's own traffic to the group would go on to who had it before,
 * until the entry is confirmed no more: announcements do not change an entry that
 * is younger than locktime (1 s).
 *
 * Return: 0; -ENOMEM; what neigh_forget() returns.
 */
int left_forget(struct nl *nl, const struct conf_group *group)
{
	_cleanup_(freep) struct ip *ips = NULL;
	int r = vips_sorted(group, &ips);

	return r < 0 ? r : neigh_forget(nl, ips, group->n_vips);
}

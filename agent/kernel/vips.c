/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/clock.h"
#include "agent/kernel/secondary.h"
#include "agent/kernel/vips.h"
#include "netlink/link.h"
#include "netlink/promote.h"

/* A slice should take the kernel a few ms, so that the gate never waits longer. */
enum {
	VIPS_SLICE_FIRST = 32,
	VIPS_SLICE_MIN = 4,
	VIPS_SLICE_MAX = 1024,
	VIPS_SLICE_US = 4000,
};

void vips_done(struct vips *vips)
{
	free(vips->v);
	free(vips->errors);
	*vips = (struct vips){ 0 };
}

static int vips_alloc(size_t n, struct vips *ret)
{
	struct vips vips = { .slice = VIPS_SLICE_FIRST };

	vips.v = calloc(n ? n : 1, sizeof(*vips.v));
	vips.errors = calloc(n ? n : 1, sizeof(*vips.errors));
	if (!vips.v || !vips.errors) {
		vips_done(&vips);
		return -ENOMEM;
	}
	*ret = vips;
	return 0;
}

/* The number of an interface; 0: it is not there. */
static int find_index(struct nl *nl, const char *ifname, int *ret)
{
	int r;

	*ret = 0;
	r = link_index(nl, ifname, ret);
	return r == -ENODEV ? 0 : r;
}

/**
 * vips_all() - All addresses of a group whose interfaces are there, to be added
 * @valid_s: lifetime in seconds
 * @ret: for vips_done(); @ret->absent tells whether that is all of them
 *
 * Return: 0; errors of the kernel.
 */
int vips_all(struct nl *nl, const struct conf_group *group, uint32_t valid_s, struct vips *ret)
{
	_cleanup_(vips_done) struct vips vips = { 0 };
	const char *ifname = ""; /* of which ifindex is the number: addresses come in runs */
	int ifindex = 0, r;

	r = vips_alloc(group->n_vips, &vips);
	if (r < 0)
		return r;
	for (size_t i = 0; i < group->n_vips; i++) {
		const struct conf_vip *vip = &group->vips[i];

		if (strcmp(vip->ifname, ifname) != 0) {
			r = find_index(nl, vip->ifname, &ifindex);
			if (r < 0)
				return r;
			ifname = vip->ifname;
		}
		if (!ifindex) {
			vips.absent = vips.absent ? vips.absent : vip;
			continue;
		}
		vips.v[vips.n++] = (struct addr){ .ip = vip->ip,
						  .prefix = vip->prefix,
						  .ifindex = ifindex,
						  .tag = ADDR_TAG,
						  .valid_s = valid_s };
		memcpy(vips.v[vips.n - 1].label, vip->label, sizeof(vip->label));
	}
	*ret = vips;
	vips = (struct vips){ 0 };
	return 0;
}

/**
 * vips_keep() - Leave those of another family out
 * @family: 4 or 6
 */
void vips_keep(struct vips *vips, uint8_t family)
{
	size_t kept = 0;

	for (size_t i = 0; i < vips->n; i++)
		if (vips->v[i].ip.family == family)
			vips->v[kept++] = vips->v[i];
	vips->n = kept;
}

/* For bsearch: vips by address. */
static int by_ip(const void *a, const void *b)
{
	return ip_compare(&((const struct addr *)a)->ip, &((const struct addr *)b)->ip);
}

/**
 * vips_take_off() - Remove addresses of ours, all at once, and nothing with them
 * @ours: with our tag; reordered
 * @others: those on this host that are to stay; may contain ours
 *
 * Return: 0, also when the kernel refused some; -ENOMEM; errors of the exchange.
 */
int vips_take_off(struct nl *nl, struct addr *ours, size_t n, const struct addr *others,
		  size_t n_others)
{
	_cleanup_(freep) int *errors = calloc(n + 1, sizeof(*errors));
	size_t plain = secondary_put_last(ours, n, others, n_others);
	int r;

	if (!errors)
		return -ENOMEM;
	r = addr_unroute(nl, ours, n, errors);
	if (r == 0)
		r = addr_remove(nl, ours, plain, errors);
	for (size_t i = plain; r >= 0 && i < n; i++)
		(void)promote_remove(nl, &ours[i]); /* what is refused goes with its lifetime */
	return r;
}

/**
 * vips_sorted() - The addresses of a group alone, to look others up in
 * @ret: sorted by ip_compare(), heap; group->n_vips of them
 *
 * Return: 0; -ENOMEM.
 */
int vips_sorted(const struct conf_group *group, struct ip **ret)
{
	struct ip *ips = calloc(group->n_vips + 1, sizeof(*ips));

	if (!ips)
		return -ENOMEM;
	for (size_t i = 0; i < group->n_vips; i++)
		ips[i] = group->vips[i].ip;
	qsort(ips, group->n_vips, sizeof(*ips), ip_compare);
	*ret = ips;
	return 0;
}

/**
 * vips_ours() - The addresses of a group that the kernel has with our tag, to be removed
 *
 * On whatever interface and with whatever prefix length they are found: the tag
 * says that they are ours, the configuration that they belong to this group.
 *
 * Return: 0; errors of the kernel.
 */
int vips_ours(struct nl *nl, const struct conf_group *group, struct vips *ret)
{
	_cleanup_(freep) struct addr *found = NULL;
	_cleanup_(vips_done) struct vips vips = { 0 };
	size_t n_found, n_others = 0;
	int r;

	r = addr_list(nl, &found, &n_found);
	if (r < 0)
		return r;
	r = vips_alloc(n_found, &vips);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_found; i++)
		if (found[i].tag == ADDR_TAG && conf_find_vip(group, &found[i].ip))
			vips.v[vips.n++] = found[i];
		else
			found[n_others++] = found[i];
	vips.n_plain = secondary_put_last(vips.v, vips.n, found, n_others);
	*ret = vips;
	vips = (struct vips){ 0 };
	return 0;
}

static bool has_label(const struct addr *addr, const struct addr *want)
{
	return !*want->label || !strcmp(addr->label, want->label);
}

static bool is_in_place(const struct addr *addr, const struct addr *want)
{
	return addr->prefix == want->prefix;
}

/* The same, but with what the kernel has kept of a stranger's. */
static bool is_in_the_way(const struct addr *addr, const struct addr *want)
{
	return addr->prefix == want->prefix ? !has_label(addr, want) : want->ip.family == 6;
}

/* An address with our tag, on the link that it should have, of which something holds. */
static const struct addr *find_ours(const struct addr *sorted, size_t n, const struct addr *want,
				    bool (*holds)(const struct addr *addr, const struct addr *want))
{
	const struct addr *hit = n ? bsearch(want, sorted, n, sizeof(*sorted), by_ip) : NULL;

	if (!hit)
		return NULL;
	while (hit > sorted && !by_ip(hit - 1, want))
		hit--;
	for (; hit < sorted + n && !by_ip(hit, want); hit++)
		if (hit->ifindex == want->ifindex && hit->tag == ADDR_TAG && holds(hit, want))
			return hit;
	return NULL;
}

/* Is this very address there, as it should be, and to end some day without us? */
static bool is_there(const struct addr *sorted, size_t n, const struct addr *want)
{
	const struct addr *addr = find_ours(sorted, n, want, is_in_place);

	return addr && addr->valid_s != UINT32_MAX && has_label(addr, want);
}

/**
 * vips_missing() - Read back: which addresses of a group are not there as they should be
 * @ret: for vips_done(); those on interfaces that are not there are left to @ret->absent
 *
 * Return: 0; errors of the kernel.
 */
int vips_missing(struct nl *nl, const struct conf_group *group, uint32_t valid_s, struct vips *ret)
{
	_cleanup_(freep) struct addr *found = NULL;
	struct vips vips;
	size_t n_found, missing = 0;
	int r;

	r = vips_all(nl, group, valid_s, &vips);
	if (r < 0)
		return r;
	r = addr_list(nl, &found, &n_found);
	if (r < 0) {
		vips_done(&vips);
		return r;
	}
	if (n_found)
		qsort(found, n_found, sizeof(*found), by_ip);
	for (size_t i = 0; i < vips.n; i++)
		if (!is_there(found, n_found, &vips.v[i]))
			vips.v[missing++] = vips.v[i];
	vips.n = missing;
	*ret = vips;
	return 0;
}

/**
 * vips_make_way() - Make way for addresses that are missing because the kernel keeps others
 * @missing: of vips_missing(), which have been added before
 *
 * It keeps the label of an IPv4 address that is there, and of an IPv6 address the
 * prefix length, as an interface has it once: whoever's it was, it has become ours,
 * and is removed. The kernel gives labels of its own to a link that is renamed.
 *
 * Return: 0 if none is in the way; 1 if some were removed; errors of the kernel.
 */
int vips_make_way(struct nl *nl, const struct vips *missing)
{
	_cleanup_(freep) struct addr *found = NULL;
	_cleanup_(vips_done) struct vips wrong = { 0 };
	size_t n;
	int r;

	r = addr_list(nl, &found, &n);
	if (r < 0)
		return r;
	r = vips_alloc(missing->n, &wrong);
	if (r < 0)
		return r;
	if (n)
		qsort(found, n, sizeof(*found), by_ip);
	for (size_t i = 0; i < missing->n; i++) {
		const struct addr *ours = find_ours(found, n, &missing->v[i], is_in_the_way);

		if (ours)
			wrong.v[wrong.n++] = *ours;
	}
	r = vips_take_off(nl, wrong.v, wrong.n, found, n);
	return r < 0 ? r : wrong.n > 0;
}

typedef int (*vips_verb)(struct nl *nl, const struct addr *v, size_t n, int *ret_errors);

/* Work on the next slice, and make the one after it as long as the kernel can bear. */
static int work_slice(struct nl *nl, struct vips *vips, size_t end, vips_verb verb)
{
	size_t left = end - vips->next, n = left < vips->slice ? left : vips->slice;
	uint64_t began = clock_us(), took;
	int r;

	r = verb(nl, vips->v + vips->next, n, vips->errors + vips->next);
	if (r < 0)
		return r;
	vips->next += n;
	took = clock_us() - began;
	if (took < VIPS_SLICE_US / 2 && vips->slice < VIPS_SLICE_MAX)
		vips->slice *= 2;
	else if (took > VIPS_SLICE_US && vips->slice > VIPS_SLICE_MIN)
		vips->slice /= 2;
	return vips->next < vips->n;
}

/**
 * vips_add_slice() - Add the next few addresses
 *
 * Return: 1 if there are more; 0 if that was all; errors of the exchange.
 * Errors of single addresses are kept for vips_error().
 */
int vips_add_slice(struct nl *nl, struct vips *vips)
{
	return work_slice(nl, vips, vips->n, addr_add);
}

/**
 * vips_unroute_slice() - Prepare to remove the next few addresses of vips_ours()
 *
 * To be finished before the first vips_remove_slice(); see vips_add_slice().
 */
int vips_unroute_slice(struct nl *nl, struct vips *vips)
{
	int r = work_slice(nl, vips, vips->n, addr_unroute);

	if (!r) { /* what had no route has none: no error of the address */
		vips->next = 0;
		vips->slice = VIPS_SLICE_FIRST;
	}
	return r;
}

/**
 * vips_remove_slice() - Remove the next few addresses of vips_ours(); see vips_add_slice()
 */
int vips_remove_slice(struct nl *nl, struct vips *vips)
{
	if (vips->next < vips->n_plain)
		return work_slice(nl, vips, vips->n_plain, addr_remove);
	if (vips->next == vips->n)
		return 0;
	vips->errors[vips->next] = promote_remove(nl, &vips->v[vips->next]);
	return ++vips->next < vips->n;
}

/* Is the first one of its network, which comes before it or is itself, ours? */
static bool is_behind_ours(const struct addr *v, size_t i)
{
	size_t first = 0;

	while (first < i && (v[first].secondary || !secondary_same_network(&v[first], &v[i])))
		first++;
	return v[first].tag == ADDR_TAG;
}

/**
 * vips_ahead() - The addresses of a group that stand before others' in a network of ours
 * @ret: for vips_done(), to be worked off by vips_step_back()
 *
 * A network is ours while its first address is: were only that one to go, the next
 * one of ours would be the first. The last one is the first to go.
 *
 * Return: 1 if there are any; 0 if not; errors of the kernel.
 */
int vips_ahead(struct nl *nl, const struct conf_group *group, struct vips *ret)
{
	_cleanup_(freep) struct addr *found = NULL;
	struct vips vips;
	size_t n, behind;
	int r;

	r = addr_list(nl, &found, &n);
	if (r < 0)
		return r;
	r = vips_alloc(n, &vips);
	if (r < 0)
		return r;
	behind = n;
	for (size_t i = n; i-- > 0;)
		if (found[i].tag != ADDR_TAG)
			found[--behind] = found[i]; /* others' gather at the end */
		else if (secondary_with(&found[i], found + behind, n - behind) &&
			 conf_find_vip(group, &found[i].ip) && is_behind_ours(found, i))
			vips.v[vips.n++] = found[i];
	*ret = vips;
	return vips.n > 0;
}

/**
 * vips_step_back() - Put the next address of vips_ahead() behind the others of its network
 * @valid_s: its lifetime from now on
 *
 * The kernel has them in the order in which they came, gives the route of their
 * network to the first one only, and removes the others with it.
 *
 * Return: 1 if there are more; 0 if that was all; what addr_remove(), promote_remove()
 * and addr_add() fail with: it may be away then.
 */
int vips_step_back(struct nl *nl, struct vips *vips, uint32_t valid_s)
{
	struct addr again = vips->v[vips->next];
	int error = 0, r;

	r = again.secondary ? addr_remove(nl, &again, 1, &error) : promote_remove(nl, &again);
	if (r < 0 || error)
		return r < 0 ? r : error;
	again.valid_s = valid_s;
	r = addr_add(nl, &again, 1, &error);
	if (r < 0 || error)
		return r < 0 ? r : error;
	return ++vips->next < vips->n;
}

/**
 * vips_error() - The first error that the kernel had for one of the addresses; 0: none
 */
int vips_error(const struct vips *vips)
{
	for (size_t i = 0; i < vips->next; i++)
		if (vips->errors[i])
			return vips->errors[i];
	return 0;
}

/**
 * vips_refused() - Which address is it that vips_error() speaks of?
 *
 * Return: as configured; NULL if there was no error.
 */
const struct conf_vip *vips_refused(const struct vips *vips, const struct conf_group *group)
{
	const struct conf_vip *vip = NULL;

	for (size_t i = 0; !vip && i < vips->next; i++)
		if (vips->errors[i])
			vip = conf_find_vip(group, &vips->v[i].ip);
	return vip;
}

/**
 * vips_keep_added() - Forget the addresses that the kernel refused
 *
 * Return: how many are left, at the front of vips->v.
 */
size_t vips_keep_added(struct vips *vips)
{
	size_t kept = 0;

	for (size_t i = 0; i < vips->next; i++)
		if (!vips->errors[i])
			vips->v[kept++] = vips->v[i];
	return kept;
}

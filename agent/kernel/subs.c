/* SPDX-License-Identifier: MIT */

#include "agent/kernel/subs.h"

#include <errno.h>
#include <linux/if.h>

#include "agent/cleanup.h"
#include "netlink/addr.h"
#include "netlink/macvlan.h"

/* Interface number i of a group: each of its addresses' once. They come in runs mostly. */
static const struct conf_vip *next_vip(const struct conf_group *group, size_t *i)
{
	size_t k;

	while (group->mode == CONF_MODE_SUBINTERFACE && *i < group->n_vips) {
		const struct conf_vip *vip = &group->vips[(*i)++];

		for (k = 0; &group->vips[k] < vip; k++)
			if (!strcmp(group->vips[k].ifname, vip->ifname))
				break;
		if (&group->vips[k] == vip)
			return vip;
	}
	return NULL;
}

/* The one that the configuration means: ours, on its parent, with its MAC. */
static bool is_right(const struct subs *subs, const struct conf_sub *sub, const struct link *link,
		     const struct link *parent)
{
	uint8_t mac[6];

	conf_sub_mac(subs->node, subs->group, sub, mac);
	return link->marked && parent && link->parent == parent->index &&
	       !memcmp(link->mac, mac, sizeof(mac));
}

/*
 * What is ours and not as it should be is of another configuration, or has been
 * renamed: two with one MAC cannot be up on one link.
 */
static int clear(struct nl *nl, const struct conf_sub *sub, const struct macvlan *macvlan,
		 const struct link *links, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool same = links[i].parent == macvlan->parent &&
			    !memcmp(links[i].mac, macvlan->mac, sizeof(macvlan->mac));
		int r = 0;

		if (links[i].marked && (same || !strcmp(links[i].name, sub->name)))
			r = macvlan_delete(nl, links[i].index);
		if (r < 0 && r != -ENODEV)
			return r;
	}
	return 0;
}

/* One of them. */
static int make(struct nl *nl, const struct subs *subs, const struct conf_sub *sub,
		const struct link *links, size_t n)
{
	const struct link *link = link_find(links, n, sub->name),
			  *parent = link_find(links, n, sub->parent);
	struct macvlan macvlan = { 0 };
	int r;

	if (link && !link->marked)
		return -EEXIST;
	if (link && is_right(subs, sub, link, parent))
		return 0;
	memcpy(macvlan.name, sub->name, sizeof(macvlan.name));
	macvlan.parent = parent ? parent->index : 0;
	conf_sub_mac(subs->node, subs->group, sub, macvlan.mac);
	r = clear(nl, sub, &macvlan, links, n);
	return r < 0 || !parent ? r : macvlan_create(nl, &macvlan);
}

/**
 * subs_make() - Make those of a group's interfaces that are ours to make and not there
 * @nl: a socket of NETLINK_ROUTE
 * @subs: the group
 * @ret_refused: an address on the one that failed; else untouched
 *
 * One whose parent is missing is left out.
 *
 * Return: 0; -EEXIST if a stranger's interface has the name; what macvlan_create()
 * fails with.
 */
int subs_make(struct nl *nl, const struct subs *subs, const struct conf_vip **ret_refused)
{
	_cleanup_(freep) struct link *links = NULL;
	const struct conf_vip *vip;
	size_t n, i = 0;
	int r;

	if (!subs->group->n_subs)
		return 0;
	r = link_list(nl, &links, &n);
	while (r == 0 && (vip = next_vip(subs->group, &i))) {
		const struct conf_sub *sub = conf_find_sub(subs->group, vip->ifname);

		r = sub ? make(nl, subs, sub, links, n) : 0;
		if (r < 0)
			*ret_refused = vip;
	}
	return r;
}

/* A stranger's, of the name of one that we make, is none of ours. */
static bool is_foreign(const struct conf_group *group, const struct conf_vip *vip,
		       const struct link *link)
{
	return conf_find_sub(group, vip->ifname) && !link->marked;
}

/* Does it carry the group's traffic, as far as we have a say in it? */
static bool is_raised(const struct link *link, bool made)
{
	return link->up && !(made && link->noarp);
}

static int raise(struct nl *nl, const struct link *link, bool made)
{
	return link_set_flags(nl, link->index, IFF_UP, made ? IFF_UP | IFF_NOARP : IFF_UP);
}

/* A macvlan has the carrier of its parent, which is not ours to wait for. */
static int await_carrier(struct nl *nl, const struct subs *subs,
			 const struct conf_vip **ret_refused)
{
	_cleanup_(freep) struct link *links = NULL;
	const struct conf_vip *vip;
	size_t n, i = 0;
	int r = link_list(nl, &links, &n);

	while (r == 0 && (vip = next_vip(subs->group, &i))) {
		const struct link *link = link_find(links, n, vip->ifname);

		if (!link || link->carrier || conf_find_sub(subs->group, vip->ifname))
			continue;
		*ret_refused = vip;
		return 1;
	}
	return r;
}

/* Those of these links; @ret_await: one that we did not make had no carrier. */
static int raise_all(struct nl *nl, const struct subs *subs, const struct link *links, size_t n,
		     bool *ret_await, const struct conf_vip **ret_refused)
{
	const struct conf_vip *vip;
	bool await = false;
	size_t i = 0;
	int r = 0;

	while (r == 0 && (vip = next_vip(subs->group, &i))) {
		const struct link *link = link_find(links, n, vip->ifname);
		bool made = conf_find_sub(subs->group, vip->ifname);

		if (!link || is_foreign(subs->group, vip, link))
			continue;
		await |= !made && !link->carrier;
		r = is_raised(link, made) ? 0 : raise(nl, link, made);
		if (r < 0)
			*ret_refused = vip;
	}
	*ret_await = await;
	return r;
}

/**
 * subs_raise() - Set the interfaces of a group up, with ARP
 * @nl: a socket of NETLINK_ROUTE
 * @subs: the group
 * @ret_refused: an address on the one that failed or is not ready; else untouched
 *
 * Those that are missing are left out.
 *
 * Return: 0; 1 if one that we did not make has no carrier yet, as its driver may
 * take some time; what link_list() and link_set_flags() fail with.
 */
int subs_raise(struct nl *nl, const struct subs *subs, const struct conf_vip **ret_refused)
{
	_cleanup_(freep) struct link *links = NULL;
	bool await = false;
	size_t n;
	int r;

	if (subs->group->mode != CONF_MODE_SUBINTERFACE)
		return 0;
	r = link_list(nl, &links, &n);
	if (r == 0)
		r = raise_all(nl, subs, links, n, &await, ret_refused);
	return r == 0 && await ? await_carrier(nl, subs, ret_refused) : r;
}

/* Is one of the addresses by which the node is reached on this link? It must stay up. */
static int carries_node(struct nl *nl, const struct conf_node *node, int ifindex)
{
	_cleanup_(freep) struct addr *addrs = NULL;
	bool carries = false;
	size_t n;
	int r;

	r = addr_list(nl, &addrs, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		for (size_t p = 0; p < node->n_paths; p++)
			carries |= addrs[i].ifindex == ifindex &&
				   ip_equal(&addrs[i].ip, &node->paths[p]);
	return r < 0 ? r : carries;
}

/* What a staged one is where the group is not held: there, and deaf and dumb. */
static bool is_silent(const struct link *link)
{
	return link->up && link->noarp;
}

/*
 * Without ARP before it is up: were both changed by one message, the kernel (6.18) would
 * leave out the local routes of IPv6 addresses that have only just been added.
 */
static int silence(struct nl *nl, const struct link *link)
{
	int r = link_set_flags(nl, link->index, IFF_NOARP, IFF_NOARP);

	return r < 0 || link->up ? r : link_set_up(nl, link->index, true);
}

static int sink(struct nl *nl, const struct subs *subs, const struct conf_vip *vip,
		const struct link *link)
{
	int r = 0;

	if (!conf_find_sub(subs->group, vip->ifname))
		r = carries_node(nl, subs->node, link->index);
	if (r)
		return r < 0 ? r : -EBUSY;
	r = subs->group->staged ? silence(nl, link) : link_set_up(nl, link->index, false);
	return r == -ENODEV ? 0 : r;
}

/**
 * subs_sink() - Set the interfaces of a group down; those of a staged one up, without ARP
 * @nl: a socket of NETLINK_ROUTE
 * @subs: the group
 * @ret_refused: an address on the first one that failed; else untouched
 *
 * Return: 0; -EBUSY if a unique address of this node is on one of them, which so
 * stays up; the first thing that link_set_flags() fails with: the others are down.
 */
int subs_sink(struct nl *nl, const struct subs *subs, const struct conf_vip **ret_refused)
{
	_cleanup_(freep) struct link *links = NULL;
	const struct conf_vip *vip;
	int r, failed = 0;
	size_t n, i = 0;

	if (subs->group->mode != CONF_MODE_SUBINTERFACE)
		return 0;
	r = link_list(nl, &links, &n);
	if (r < 0)
		return r;
	while ((vip = next_vip(subs->group, &i))) {
		const struct link *link = link_find(links, n, vip->ifname);

		if (!link || is_foreign(subs->group, vip, link))
			continue;
		if (subs->group->staged ? is_silent(link) : !link->up)
			continue;
		r = sink(nl, subs, vip, link);
		if (r < 0 && !failed) {
			*ret_refused = vip;
			failed = r;
		}
	}
	return failed;
}

/**
 * subs_delete() - Delete the interfaces of a group that we made
 * @nl: a socket of NETLINK_ROUTE
 * @subs: the group
 *
 * Return: 0; the last thing that macvlan_delete() failed with.
 */
int subs_delete(struct nl *nl, const struct subs *subs)
{
	_cleanup_(freep) struct link *links = NULL;
	int r, failed = 0;
	size_t n;

	if (!subs->group->n_subs)
		return 0;
	r = link_list(nl, &links, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < subs->group->n_subs; i++) {
		const struct link *link = link_find(links, n, subs->group->subs[i].name);

		if (!link || !link->marked)
			continue;
		r = macvlan_delete(nl, link->index);
		if (r < 0 && r != -ENODEV)
			failed = r;
	}
	return failed;
}

/**
 * subs_tidy() - Delete interfaces of ours that the configuration does not know (any more)
 * @nl: a socket of NETLINK_ROUTE
 * @conf: the configuration
 *
 * Return: 0; the last thing that macvlan_delete() failed with.
 */
int subs_tidy(struct nl *nl, const struct conf *conf)
{
	_cleanup_(freep) struct link *links = NULL;
	int r, failed = 0;
	size_t n;

	r = link_list(nl, &links, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		bool known = !links[i].marked;

		for (size_t g = 0; !known && g < conf->n_groups; g++)
			known = conf_find_sub(&conf->groups[g], links[i].name);
		r = known ? 0 : macvlan_delete(nl, links[i].index);
		if (r < 0 && r != -ENODEV)
			failed = r;
	}
	return failed;
}

static bool are_right(const struct subs *subs, const struct link *links, size_t n, bool raised)
{
	const struct conf_vip *vip;
	size_t i = 0;

	while ((vip = next_vip(subs->group, &i))) {
		const struct conf_sub *sub = conf_find_sub(subs->group, vip->ifname);
		const struct link *link = link_find(links, n, vip->ifname);

		if (!link || !link->up || (raised && !is_raised(link, sub)))
			return false;
		if (sub && !is_right(subs, sub, link, link_find(links, n, sub->parent)))
			return false;
	}
	return true;
}

/**
 * subs_stand() - Are all interfaces of a group there, raised, and as configured?
 * @subs: the group
 * @links: all links, of link_list()
 * @n: number of them
 */
bool subs_stand(const struct subs *subs, const struct link *links, size_t n)
{
	return are_right(subs, links, n, true);
}

/**
 * subs_raise_ready() - Set the interfaces of a group up with ARP, if they only wait for that
 * @nl: a socket of NETLINK_ROUTE
 * @subs: a staged group
 * @ret_refused: an address on the one that failed; else untouched
 *
 * Return: 0; 1 if one is not there, down, or not as configured: nothing has been done;
 * what link_list() and link_set_flags() fail with.
 */
int subs_raise_ready(struct nl *nl, const struct subs *subs, const struct conf_vip **ret_refused)
{
	_cleanup_(freep) struct link *links = NULL;
	bool await;
	size_t n;
	int r = link_list(nl, &links, &n);

	if (r < 0)
		return r;
	if (!are_right(subs, links, n, false))
		return 1;
	return raise_all(nl, subs, links, n, &await, ret_refused);
}

/*
 * Certainly not the one that we make: the kernel's news of one that is being made
 * have no mark yet.
 */
static bool is_other(const struct link *link, const struct link *parent)
{
	return !link->marked && !(parent && link->parent == parent->index);
}

/**
 * subs_sunk() - Has one of a group's interfaces been set down or deleted that we could put back?
 * @group: a group that is held
 * @links: all links
 * @n: number of them
 */
bool subs_sunk(const struct conf_group *group, const struct link *links, size_t n)
{
	const struct conf_vip *vip;
	size_t i = 0;

	while ((vip = next_vip(group, &i))) {
		const struct conf_sub *sub = conf_find_sub(group, vip->ifname);
		const struct link *parent = sub ? link_find(links, n, sub->parent) : NULL;
		const struct link *link = link_find(links, n, vip->ifname);

		if (sub && link && is_other(link, parent))
			continue;
		if (link ? !is_raised(link, sub) : !!parent)
			return true;
	}
	return false;
}

/**
 * subs_flaw() - Does an interface keep a group from being held?
 * @group: a group of Mode=subinterface
 * @vip: one of its addresses
 * @links: all links
 * @n: number of them
 * @held: the group's interfaces have been set up
 *
 * One of ours needs its parent; that it is missing or down is no flaw, as it is
 * made and set up for a claim, which also looks whether it is really ours. Of one
 * that is down nothing tells whether it will have carrier.
 */
enum subs_flaw subs_flaw(const struct conf_group *group, const struct conf_vip *vip,
			 const struct link *links, size_t n, bool held)
{
	const struct conf_sub *sub = conf_find_sub(group, vip->ifname);
	const struct link *link = link_find(links, n, vip->ifname), *parent;

	if (!sub && !link)
		return SUBS_MISSING;
	if (!sub)
		return held && link->up && !link->carrier ? SUBS_SILENT : SUBS_FINE;
	parent = link_find(links, n, sub->parent);
	if (link && is_other(link, parent))
		return SUBS_FOREIGN;
	if (!parent)
		return SUBS_MISSING;
	return parent->running ? SUBS_FINE : SUBS_SILENT;
}

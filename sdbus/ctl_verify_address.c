/* SPDX-License-Identifier: MIT */

/* A virtual address: what stands for it in the kernel, on any interface. */

#include "sdbus/ctl_verify.h"

static struct ctl_range addrs_of(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	return ctl_range(c->witness->addrs, c->witness->n_addrs, sizeof(struct witness_addr),
			 &vip->ip);
}

static bool has_route(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	return ctl_range(c->witness->routes, c->witness->n_routes, sizeof(struct witness_route),
			 &vip->ip)
		       .n > 0;
}

/* On the interface that it is configured on. */
static bool in_place(const struct ctl_vip *vip, const struct witness_addr *addr)
{
	return vip->link && vip->link->index == addr->ifindex;
}

static void judge_properties(const struct ctl_compared *c, const struct ctl_vip *vip,
			     const struct witness_addr *addr)
{
	const char *group = vip->group->name;

	if (addr->tag != WITNESS_TAG)
		ctl_find(c->findings, CTL_FINDING_ADDRESS_UNTAGGED, group,
			 "%s on %s does not bear takeoverd's tag: somebody has replaced it, and "
			 "takeoverd would not remove it; say 'ip address delete %s/%u dev %s', and "
			 "takeoverd puts its own there",
			 vip->text, vip->ifname, vip->text, vip->prefix, vip->ifname);
	if (*vip->label && strcmp(addr->label, vip->label) != 0)
		ctl_find(c->findings, CTL_FINDING_ADDRESS_LABEL, group,
			 "%s on %s has the label \"%s\", not \"%s\"; say "
			 "'ip address delete %s/%u dev %s', and takeoverd puts its own there",
			 vip->text, vip->ifname, addr->label, vip->label, vip->text, vip->prefix,
			 vip->ifname);
	if (addr->valid_s == WITNESS_FOR_EVER)
		ctl_find(c->findings, CTL_FINDING_ADDRESS_LIFETIME, group,
			 "%s on %s is valid for ever: it would outlive takeoverd; say "
			 "'ip address delete %s/%u dev %s', and takeoverd puts it back with a "
			 "lifetime",
			 vip->text, vip->ifname, vip->text, vip->prefix, vip->ifname);
	if (addr->ip.family != 6)
		return;
	if (addr->preferred_s != 0)
		ctl_find(c->findings, CTL_FINDING_ADDRESS_PREFERRED, group,
			 "%s on %s is preferred: this host would connect to others from it; say "
			 "'ip address change %s/%u dev %s preferred_lft 0'",
			 vip->text, vip->ifname, vip->text, vip->prefix, vip->ifname);
	if (addr->tentative || addr->dad_failed)
		ctl_find(c->findings, CTL_FINDING_ADDRESS_DAD, group,
			 "%s on %s does not work: duplicate address detection %s; say "
			 "'ip address delete %s/%u dev %s', and takeoverd puts its own there, "
			 "without",
			 vip->text, vip->ifname,
			 addr->dad_failed ? "has failed, so look who else has it" : "goes on",
			 vip->text, vip->prefix, vip->ifname);
	else if (!addr->nodad)
		ctl_find(
			c->findings, CTL_FINDING_ADDRESS_DAD, group,
			"%s on %s is subject to duplicate address detection, and would fall silent "
			"for it when the link comes back; say 'ip address delete %s/%u dev %s', "
			"and takeoverd puts its own there",
			vip->text, vip->ifname, vip->text, vip->prefix, vip->ifname);
}

/* One more than there should be. */
static void tell_twice(const struct ctl_compared *c, const struct ctl_vip *vip,
		       const struct witness_addr *addr)
{
	const char *ifname = ctl_link_name(c->witness, addr->ifindex);

	ctl_find(c->findings, CTL_FINDING_ADDRESS_TWICE, vip->group->name,
		 "%s is there a second time, as /%u on %s; say 'ip address delete %s/%u dev %s'",
		 vip->text, addr->prefix, ifname, vip->text, addr->prefix, ifname);
}

/* The kernel takes those of IPv6 off a link that goes down, and takes none while it is. */
static void tell_missing(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	if (vip->link && !vip->link->up)
		ctl_find(c->findings, CTL_FINDING_ADDRESS_MISSING, vip->group->name,
			 "%s is not on %s, which is down; say 'ip link set %s up', and takeoverd "
			 "puts it back",
			 vip->text, vip->ifname, vip->ifname);
	else
		ctl_find(c->findings, CTL_FINDING_ADDRESS_MISSING, vip->group->name,
			 "%s is not on %s, although this node is primary; takeoverd should have "
			 "put it back, see 'journalctl -u takeoverd'",
			 vip->text, vip->ifname);
}

static void judge_held(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	const struct ctl_range range = addrs_of(c, vip);
	const struct witness_addr *addr = range.v, *found = NULL, *near = NULL;

	for (size_t i = 0; i < range.n; i++) {
		if (!in_place(vip, &addr[i]))
			continue;
		if (addr[i].prefix == vip->prefix)
			found = &addr[i];
		else
			near = &addr[i];
	}
	if (found)
		judge_properties(c, vip, found);
	else if (near)
		ctl_find(c->findings, CTL_FINDING_ADDRESS_PREFIX, vip->group->name,
			 "%s on %s has the prefix length /%u, not /%u; say "
			 "'ip address delete %s/%u dev %s', and takeoverd puts its own there",
			 vip->text, vip->ifname, near->prefix, vip->prefix, vip->text, near->prefix,
			 vip->ifname);
	else
		tell_missing(c, vip);
	for (size_t i = 0; i < range.n; i++)
		if (&addr[i] != found && (found || &addr[i] != near))
			tell_twice(c, vip, &addr[i]);
	if ((found || near) && !has_route(c, vip))
		ctl_find(c->findings, CTL_FINDING_ROUTE_MISSING, vip->group->name,
			 "%s is on %s, but the kernel has no local route to it, so it does not "
			 "work; say 'ip address delete %s/%u dev %s', and takeoverd puts it back "
			 "with one",
			 vip->text, vip->ifname, vip->text, (found ?: near)->prefix, vip->ifname);
}

static void judge_absent(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	const struct ctl_range range = addrs_of(c, vip);
	const struct witness_addr *addr = range.v;

	for (size_t i = 0; i < range.n; i++) {
		const char *ifname = ctl_link_name(c->witness, addr[i].ifindex);
		const bool ours = addr[i].tag == WITNESS_TAG;

		if (ours && vip->group->staged && in_place(vip, &addr[i]))
			continue; /* kept ready, on an interface that is silent */
		ctl_find(c->findings,
			 ours ? CTL_FINDING_ADDRESS_KEPT : CTL_FINDING_ADDRESS_STRANGER,
			 vip->group->name,
			 "%s/%u is on %s, although this node is not primary%s; say "
			 "'ip address delete %s/%u dev %s'",
			 vip->text, addr[i].prefix, ifname,
			 ours ? "" : ": somebody else than takeoverd has put it there", vip->text,
			 addr[i].prefix, ifname);
	}
	if (range.n == 0 && has_route(c, vip))
		ctl_find(c->findings, CTL_FINDING_ROUTE_LOCAL, vip->group->name,
			 "a local route makes this host answer to %s, although this node is not "
			 "primary; say 'ip route delete local %s table local'",
			 vip->text, vip->text);
}

static const struct witness_neigh *neigh_of(const struct ctl_compared *c, const struct ip *ip,
					    int ifindex)
{
	const struct ctl_range range = ctl_range(c->witness->neighs, c->witness->n_neighs,
						 sizeof(struct witness_neigh), ip);
	const struct witness_neigh *neigh = range.v;

	for (size_t i = 0; i < range.n; i++)
		if (neigh[i].ifindex == ifindex && !neigh[i].proxy)
			return &neigh[i];
	return NULL;
}

/* Where the primary is, by one of its unique addresses on the same interface; NULL: unknown. */
static const struct witness_neigh *primary_of(const struct ctl_compared *c,
					      const struct ctl_vip *vip)
{
	for (size_t p = 0; p < c->model->n_peers; p++) {
		const struct api_peer *peer = &c->model->peers[p];

		if (strcmp(peer->name, vip->group->primary) != 0)
			continue;
		for (size_t i = 0; i < peer->n_paths; i++) {
			const struct witness_neigh *neigh;
			struct ip ip;

			if (!ctl_parse_ip(peer->paths[i].remote, &ip))
				continue;
			neigh = neigh_of(c, &ip, vip->link->index);
			if (neigh)
				return neigh;
		}
	}
	return NULL;
}

struct mac_text {
	char v[18];
};

static struct mac_text mac_text(const uint8_t mac[static 6])
{
	struct mac_text text;

	(void)snprintf(text.v, sizeof(text.v), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		       mac[2], mac[3], mac[4], mac[5]);
	return text;
}

/*
 * Who holds the address does not look it up, whatever the table says; an old entry
 * is there after every switchover. One that was set by hand waits for the next.
 */
static void hint_at_neighbour(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	const struct witness_neigh *neigh, *primary;

	neigh = vip->link ? neigh_of(c, &vip->ip, vip->link->index) : NULL;
	if (!neigh)
		return;
	if (neigh->permanent)
		ctl_find(c->findings, CTL_FINDING_NEIGHBOUR_PERMANENT, vip->group->name,
			 "an entry that does not follow a switchover says that %s is at %s on %s; "
			 "say 'ip neighbour delete %s dev %s' unless that is meant",
			 vip->text, mac_text(neigh->mac).v, vip->ifname, vip->text, vip->ifname);
	primary = ctl_holds(vip->group) ? NULL : primary_of(c, vip);
	if (primary && memcmp(primary->mac, neigh->mac, sizeof(neigh->mac)) != 0)
		ctl_find(
			c->findings, CTL_FINDING_NEIGHBOUR_ELSEWHERE, vip->group->name,
			"this host takes %s to be at %s on %s, but %s, which is primary, is at %s; "
			"say 'takeoverctl announce %s' there, or look who else has the address",
			vip->text, mac_text(neigh->mac).v, vip->ifname, vip->group->primary,
			mac_text(primary->mac).v, vip->group->name);
}

static void judge_proxies(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	const struct ctl_range range = ctl_range(c->witness->neighs, c->witness->n_neighs,
						 sizeof(struct witness_neigh), &vip->ip);
	const struct witness_neigh *neigh = range.v;

	for (size_t i = 0; i < range.n; i++) {
		const char *ifname = ctl_link_name(c->witness, neigh[i].ifindex);

		if (neigh[i].proxy)
			ctl_find(c->findings, CTL_FINDING_PROXY, vip->group->name,
				 "this host is set to answer for %s as a proxy on %s; say "
				 "'ip neighbour delete proxy %s dev %s'",
				 vip->text, ifname, vip->text, ifname);
	}
}

/**
 * ctl_compare_vip() - one address, of a group that does not move
 * @c: what is known, and where findings go
 * @vip: the address
 */
void ctl_compare_vip(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	if (ctl_holds(vip->group))
		judge_held(c, vip);
	else
		judge_absent(c, vip);
	judge_proxies(c, vip);
	hint_at_neighbour(c, vip);
}

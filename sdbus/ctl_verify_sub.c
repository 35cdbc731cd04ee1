/* SPDX-License-Identifier: MIT */

/* Interfaces of a group's own: up where it is held, down elsewhere, and the right ones. */

#include "sdbus/ctl_verify.h"

/* What the daemon says of an interface that it makes. */
struct sub {
	char name[16], parent[16];
	uint8_t mac[6];
};

/* "vip0 eth0 02:00:5e:00:01:0a" */
static bool parse_sub(const char *text, struct sub *ret)
{
	uint8_t *m = ret->mac;

	return sscanf(text, "%15s %15s %2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", ret->name, ret->parent,
		      &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) == 8;
}

/* The one of this name; false if the daemon does not make it. */
static bool find_sub(const struct api_group *group, const char *ifname, struct sub *ret)
{
	for (char *const *text = group->sub_interfaces; text && *text; text++)
		if (parse_sub(*text, ret) && strcmp(ret->name, ifname) == 0)
			return true;
	return false;
}

static bool is_right(const struct witness_link *link, const struct sub *sub,
		     const struct witness_link *parent)
{
	return link->macvlan && link->marked && parent && link->parent == parent->index &&
	       memcmp(link->mac, sub->mac, sizeof(sub->mac)) == 0;
}

static void say_down(const struct ctl_compared *c, const struct api_group *group, const char *name,
		     const char *how)
{
	ctl_find(c->findings, CTL_FINDING_LINK_DOWN, group->name,
		 "interface %s %s, and takeoverd does not count this node as unfit for it; "
		 "see 'ip link show' and 'journalctl -u takeoverd', then say "
		 "'systemctl restart takeoverd'",
		 name, how);
}

/* Return: true if it keeps the group from being held here. */
static bool judge_sub(const struct ctl_compared *c, const struct ctl_vip *vip,
		      const struct sub *sub)
{
	const struct witness_link *parent = ctl_link_of(c->witness, sub->parent);
	const struct api_group *group = vip->group;
	const bool unfit = ctl_is_unfit_for(group, "link");

	if (vip->link && !is_right(vip->link, sub, parent) && !unfit)
		ctl_find(c->findings, CTL_FINDING_LINK_FOREIGN, group->name,
			 "interface %s is not the one that takeoverd makes: a macvlan on %s with "
			 "the MAC %02x:%02x:%02x:%02x:%02x:%02x; if nobody needs it, say "
			 "'ip link delete %s'",
			 sub->name, sub->parent, sub->mac[0], sub->mac[1], sub->mac[2], sub->mac[3],
			 sub->mac[4], sub->mac[5], sub->name);
	if (!(parent && parent->running) && !unfit)
		say_down(c, group, sub->parent, parent ? "does not run" : "is not there");
	return !(parent && parent->running) || (vip->link && !is_right(vip->link, sub, parent));
}

/* Who follows the advice must not lose the host with it. */
static void say_kept(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	const char *own = ctl_node_address_on(c, vip->link), *group = vip->group->name;

	if (own)
		ctl_find(c->findings, CTL_FINDING_LINK_KEPT, group,
			 "interface %s is up, though this node does not hold the group: %s of this "
			 "node is on it and would go with it; give the group an interface of its "
			 "own, with SubInterface= in takeover.conf(5)",
			 vip->ifname, own);
	else
		ctl_find(c->findings, CTL_FINDING_LINK_KEPT, group,
			 "interface %s is up, though this node does not hold the group; "
			 "say 'ip link set %s down'",
			 vip->ifname, vip->ifname);
}

/* Up here, down there. */
static void judge_state(const struct ctl_compared *c, const struct ctl_vip *vip, bool made)
{
	const struct witness_link *link = vip->link;
	const struct api_group *group = vip->group;

	if (!ctl_holds(group)) {
		if (link && link->up && group->staged && !link->noarp)
			ctl_find(c->findings, CTL_FINDING_LINK_KEPT, group->name,
				 "interface %s resolves addresses, though this node does not hold "
				 "the group; say 'ip link set %s arp off'",
				 vip->ifname, vip->ifname);
		else if (link && link->up && !group->staged)
			say_kept(c, vip);
		if (!link && !made && !ctl_is_unfit_for(group, "link"))
			say_down(c, group, vip->ifname, "is not there");
		return;
	}
	if (!(link && link->up) && !ctl_is_unfit_for(group, "link"))
		say_down(c, group, vip->ifname, link ? "is down" : "is not there");
	ctl_find_noarp(c, vip);
}

/**
 * ctl_compare_subs() - the interfaces of a group of Mode=subinterface
 * @c: what is known, and where findings go
 * @group: the group, which does not move just now
 */
void ctl_compare_subs(const struct ctl_compared *c, const struct api_group *group)
{
	bool kept_off = false;

	for (size_t i = 0; i < c->n_vips; i++) {
		const struct ctl_vip *vip = &c->vips[i];
		struct sub sub;
		bool made;

		if (vip->group != group)
			continue;
		ctl_compare_sysctls(c, vip);
		if (!ctl_is_first_on_link(c, vip))
			continue;
		made = find_sub(group, vip->ifname, &sub);
		kept_off |= made ? judge_sub(c, vip, &sub)
				 : !vip->link || (vip->link->up && !vip->link->running);
		judge_state(c, vip, made);
	}
	if (!kept_off && ctl_is_unfit_for(group, "link"))
		ctl_find(c->findings, CTL_FINDING_LINK_RUNS, group->name,
			 "every interface is as it should be, but takeoverd counts this node as "
			 "unfit for one; see 'journalctl -u takeoverd', then say "
			 "'systemctl restart takeoverd'");
}

/* SPDX-License-Identifier: MIT */

/* What addresses stand on: links, the gate, sysctls, the node's own addresses. */

#include <arpa/inet.h>
#include <errno.h>

#include "sdbus/ctl_verify.h"

enum {
	ARP_IGNORE_FOREIGN = 2, /* answers only to a sender of a network of the interface */
	ARP_IGNORE_ALL = 8,	/* Documentation/networking/ip-sysctl.rst */
};

/**
 * ctl_is_unfit_for() - does the daemon count this node as unfit for a reason?
 * @group: the group
 * @why: the reason
 */
bool ctl_is_unfit_for(const struct api_group *group, const char *why)
{
	for (char *const *reason = group->unfit; reason && *reason; reason++)
		if (strcmp(*reason, why) == 0)
			return true;
	return false;
}

/**
 * ctl_is_first_on_link() - does this address stand for its interface?
 * @c: what is known
 * @vip: the address
 *
 * Return: true of the first one that a group has on each.
 */
bool ctl_is_first_on_link(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	for (const struct ctl_vip *v = c->vips; v < vip; v++)
		if (v->group == vip->group && strcmp(v->ifname, vip->ifname) == 0)
			return false;
	return true;
}

static bool in_network(const struct ip *ip, const struct ip *of, unsigned prefix)
{
	const unsigned whole = prefix / 8, rest = prefix % 8;

	if (ip->family != of->family || memcmp(ip->bytes, of->bytes, whole) != 0)
		return false;
	return rest == 0 || (ip->bytes[whole] ^ of->bytes[whole]) >> (8 - rest) == 0;
}

/* Is it in a network that the interface is in, but for itself? */
static bool has_neighbours(const struct witness *w, const struct ctl_vip *vip)
{
	for (size_t i = 0; i < w->n_addrs; i++)
		if (w->addrs[i].ifindex == vip->link->index && w->addrs[i].prefix < 32 &&
		    in_network(&vip->ip, &w->addrs[i].ip, w->addrs[i].prefix))
			return true;
	return false;
}

static void judge_arp_ignore(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	const int value = vip->link->arp_ignore;

	if (value == WITNESS_UNREADABLE)
		ctl_find(c->findings, CTL_FINDING_SYSCTL_UNREAD, vip->group->name,
			 "sysctl not checked: net.ipv4.conf.%s.arp_ignore cannot be read",
			 vip->ifname);
	if (value == ARP_IGNORE_ALL ||
	    (value == ARP_IGNORE_FOREIGN && !has_neighbours(c->witness, vip)))
		ctl_find(
			c->findings, CTL_FINDING_ARP_IGNORE, vip->group->name,
			"%s gets no answer by ARP on %s, whoever is primary here, since arp_ignore "
			"is %d; say 'sysctl -w net.ipv4.conf.all.arp_ignore=0 "
			"net.ipv4.conf.%s.arp_ignore=0'",
			vip->text, vip->ifname, value, vip->ifname);
}

static void judge_disable_ipv6(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	/* Without IPv6 in the kernel there is no such sysctl: the same to the address. */
	if (vip->link->disable_ipv6 != 0)
		ctl_find(c->findings, CTL_FINDING_DISABLE_IPV6, vip->group->name,
			 "%s cannot be on %s, where IPv6 is disabled; say "
			 "'sysctl -w net.ipv6.conf.%s.disable_ipv6=0'",
			 vip->text, vip->ifname, vip->ifname);
}

/* Which of the host's own addresses would the kernel delete together with this one? */
static void judge_secondaries(const struct ctl_compared *c, const struct ctl_vip *vip,
			      const struct witness_addr *held)
{
	const struct witness *w = c->witness;
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < w->n_addrs; i++) {
		const struct witness_addr *a = &w->addrs[i];

		if (a->secondary && a->tag != WITNESS_TAG && a->ifindex == held->ifindex &&
		    a->prefix == held->prefix && in_network(&a->ip, &held->ip, held->prefix))
			ctl_find(
				c->findings, CTL_FINDING_PROMOTE_SECONDARIES, vip->group->name,
				"%s/%u on %s is secondary to %s and goes with it when this node "
				"gives it up; say "
				"'sysctl -w net.ipv4.conf.%s.promote_secondaries=1', and leave the "
				"prefix length out of VirtualAddress=",
				ctl_ip_text(&a->ip, text, sizeof(text)), a->prefix, vip->ifname,
				vip->text, vip->ifname);
	}
}

static void judge_promotion(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	const struct ctl_range range = ctl_range(c->witness->addrs, c->witness->n_addrs,
						 sizeof(struct witness_addr), &vip->ip);
	const struct witness_addr *addr = range.v;

	for (size_t i = 0; i < range.n && vip->link->promote_secondaries == 0; i++)
		if (addr[i].ifindex == vip->link->index && !addr[i].secondary &&
		    addr[i].tag == WITNESS_TAG)
			judge_secondaries(c, vip, &addr[i]);
}

/**
 * ctl_find_noarp() - does nobody find an address, for what its interface is set to?
 * @c: what is known, and where findings go
 * @vip: the address
 */
void ctl_find_noarp(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	if (vip->link && vip->link->noarp)
		ctl_find(c->findings, CTL_FINDING_LINK_NOARP, vip->group->name,
			 "interface %s resolves no addresses, so nobody finds %s; say "
			 "'ip link set %s arp on'",
			 vip->ifname, vip->text, vip->ifname);
}

static void judge_link(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	const struct witness_link *link = vip->link;

	if (!(link && link->running) && !ctl_is_unfit_for(vip->group, "link"))
		ctl_find(c->findings, CTL_FINDING_LINK_DOWN, vip->group->name,
			 "interface %s %s, and takeoverd does not count this node as unfit for it; "
			 "see 'ip link show' and 'journalctl -u takeoverd', then say "
			 "'systemctl restart takeoverd'",
			 vip->ifname,
			 !link	    ? "is not there"
			 : link->up ? "has no carrier"
				    : "is down");
	ctl_find_noarp(c, vip);
}

/**
 * ctl_compare_sysctls() - the sysctls that an address needs where it is put
 * @c: what is known, and where findings go
 * @vip: the address
 */
void ctl_compare_sysctls(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	if (!vip->link)
		return;
	if (vip->ip.family == 6) {
		judge_disable_ipv6(c, vip);
	} else {
		judge_arp_ignore(c, vip);
		judge_promotion(c, vip);
	}
}

/**
 * ctl_compare_links() - the interfaces of a group, and the sysctls that its addresses need
 * @c: what is known, and where findings go
 * @group: the group
 */
void ctl_compare_links(const struct ctl_compared *c, const struct api_group *group)
{
	bool all_run = true;

	for (size_t i = 0; i < c->n_vips; i++) {
		const struct ctl_vip *vip = &c->vips[i];

		if (vip->group != group)
			continue;
		all_run = all_run && vip->link && vip->link->running;
		if (ctl_is_first_on_link(c, vip))
			judge_link(c, vip);
		ctl_compare_sysctls(c, vip);
	}
	if (all_run && ctl_is_unfit_for(group, "link"))
		ctl_find(
			c->findings, CTL_FINDING_LINK_RUNS, group->name,
			"every interface runs, but takeoverd counts this node as unfit for a link; "
			"see 'journalctl -u takeoverd', then say 'systemctl restart takeoverd'");
}

/* What the gate does with an address; the kinds it does not have stay false. */
struct passage {
	bool known[_WITNESS_GATE_MAX], open[_WITNESS_GATE_MAX]; /* by enum witness_gate_kind */
};

static struct passage passage_of(const struct witness_gate *gate, const struct ip *ip)
{
	const struct ctl_range range = ctl_range(gate->v, gate->n, sizeof(*gate->v), ip);
	const struct witness_gate_vip *vip = range.v;
	struct passage passage = { 0 };

	for (size_t i = 0; i < range.n; i++) {
		passage.known[vip[i].kind] = true;
		passage.open[vip[i].kind] = vip[i].open;
	}
	return passage;
}

static void judge_passage(const struct ctl_compared *c, const struct ctl_vip *vip)
{
	const struct passage p = passage_of(&c->witness->gate, &vip->ip);
	const bool traffic = p.open[WITNESS_GATE_TRAFFIC], answers = p.open[WITNESS_GATE_ANSWERS];

	if (!p.known[WITNESS_GATE_TRAFFIC] || !p.known[WITNESS_GATE_ANSWERS])
		ctl_find(c->findings, CTL_FINDING_GATE_UNKNOWN, vip->group->name,
			 "the gate does not know %s: it would answer when takeoverd is dead; say "
			 "'systemctl restart takeoverd'",
			 vip->text);
	else if (ctl_holds(vip->group) && !traffic)
		ctl_find(c->findings, CTL_FINDING_GATE_CLOSED, vip->group->name,
			 "the gate is closed for %s, although this node is primary: no packet "
			 "passes; say 'takeoverctl switchover %s', and see 'journalctl -u "
			 "takeoverd'",
			 vip->text, vip->group->name);
	else if (ctl_holds(vip->group) && !answers)
		ctl_find(c->findings, CTL_FINDING_GATE_SILENT, vip->group->name,
			 "the gate keeps back every answer to who has %s, although this node is "
			 "primary; say 'takeoverctl switchover %s', and see 'journalctl -u "
			 "takeoverd'",
			 vip->text, vip->group->name);
	else if (!ctl_holds(vip->group) && (traffic || answers))
		ctl_find(c->findings, CTL_FINDING_GATE_OPEN, vip->group->name,
			 "the gate is open for %s, although this node is not primary; say "
			 "'systemctl restart takeoverd'",
			 vip->text);
	else if (p.known[WITNESS_GATE_NEW] != vip->group->draining)
		ctl_find(c->findings, CTL_FINDING_GATE_DRAIN, vip->group->name,
			 "new TCP connections to %s are %s, although the group %s; say "
			 "'systemctl restart takeoverd'",
			 vip->text, vip->group->draining ? "taken" : "refused",
			 vip->group->draining ? "drains" : "does not drain");
}

/**
 * ctl_compare_gate() - what the kernel lets through for the addresses of a group
 * @c: what is known, and where findings go
 * @group: the group, which does not move
 */
void ctl_compare_gate(const struct ctl_compared *c, const struct api_group *group)
{
	const struct witness_gate *gate = &c->witness->gate;

	if (gate->err < 0) {
		ctl_find(c->findings, CTL_FINDING_GATE_UNREAD, group->name,
			 "gate not checked: %s%s", strerror(-gate->err),
			 gate->err == -EPERM ? "; it needs root (CAP_NET_ADMIN)" : "");
		return;
	}
	if (gate->missing) {
		ctl_find(
			c->findings, CTL_FINDING_GATE_MISSING, group->name,
			"the gate is not there, or not all of it ('nft list table inet takeover'): "
			"the addresses would answer when takeoverd is dead; say "
			"'systemctl restart takeoverd'");
		return;
	}
	for (size_t i = 0; i < c->n_vips; i++)
		if (c->vips[i].group == group)
			judge_passage(c, &c->vips[i]);
}

/* Several paths may begin at one address. */
static bool is_first_from(const struct ctl_model *model, const struct api_path *path)
{
	for (size_t p = 0; p < model->n_peers; p++)
		for (size_t i = 0; i < model->peers[p].n_paths; i++) {
			const struct api_path *other = &model->peers[p].paths[i];

			if (other == path)
				return true;
			if (strcmp(other->local, path->local) == 0)
				return false;
		}
	return true;
}

static void judge_path(const struct ctl_compared *c, const struct api_path *path)
{
	const struct witness *w = c->witness;
	struct ip ip;

	if (!ctl_parse_ip(path->local, &ip))
		c->findings->err = -EBADMSG;
	else if (is_first_from(c->model, path) &&
		 ctl_range(w->addrs, w->n_addrs, sizeof(*w->addrs), &ip).n == 0)
		ctl_find(c->findings, CTL_FINDING_PATH_MISSING, "",
			 "%s is not on this host, although it is an Address= of this node: no "
			 "heartbeat leaves from it; put it back, see 'takeoverctl status'",
			 path->local);
}

/**
 * ctl_node_address_on() - the unique address of this node that an interface carries
 * @c: what is known
 * @link: the interface
 *
 * Return: NULL if there is none on it.
 */
const char *ctl_node_address_on(const struct ctl_compared *c, const struct witness_link *link)
{
	for (size_t p = 0; p < c->model->n_peers; p++)
		for (size_t i = 0; i < c->model->peers[p].n_paths; i++) {
			const char *local = c->model->peers[p].paths[i].local;
			struct ctl_range range = { 0 };
			struct ip ip;

			if (ctl_parse_ip(local, &ip))
				range = ctl_range(c->witness->addrs, c->witness->n_addrs,
						  sizeof(*c->witness->addrs), &ip);
			for (size_t k = 0; k < range.n; k++)
				if (((const struct witness_addr *)range.v)[k].ifindex ==
				    link->index)
					return local;
		}
	return NULL;
}

static bool is_virtual(const struct ctl_compared *c, const struct ip *ip)
{
	return ctl_range(c->vips, c->n_vips, sizeof(*c->vips), ip).n > 0;
}

/**
 * ctl_compare_host() - what is of no group, unless one group only is meant
 * @c: what is known, and where findings go
 */
void ctl_compare_host(const struct ctl_compared *c)
{
	const struct witness *w = c->witness;
	char text[INET6_ADDRSTRLEN];

	if (c->only)
		return;
	for (size_t p = 0; p < c->model->n_peers; p++)
		for (size_t i = 0; i < c->model->peers[p].n_paths; i++)
			judge_path(c, &c->model->peers[p].paths[i]);
	for (size_t i = 0; i < w->n_addrs; i++) {
		const char *ifname = ctl_link_name(w, w->addrs[i].ifindex);

		if (w->addrs[i].tag != WITNESS_TAG || is_virtual(c, &w->addrs[i].ip))
			continue;
		(void)ctl_ip_text(&w->addrs[i].ip, text, sizeof(text));
		ctl_find(c->findings, CTL_FINDING_ADDRESS_ORPHAN, "",
			 "%s/%u on %s bears takeoverd's tag and belongs to no group; say "
			 "'ip address delete %s/%u dev %s'",
			 text, w->addrs[i].prefix, ifname, text, w->addrs[i].prefix, ifname);
	}
}

/* SPDX-License-Identifier: MIT */

/* What the witness says of a namespace that was made with ip, nft and sysctl. */

#include "netlink/witness.h"

#include <arpa/inet.h>
#include <errno.h>

#include "netlink/addr.h"
#include "tests/netns.h"

static struct ip ip(const char *text)
{
	struct ip ip = { .family = strchr(text, ':') ? 6 : 4 };

	cr_assert_eq(inet_pton(ip.family == 4 ? AF_INET : AF_INET6, text, ip.bytes), 1);
	return ip;
}

static void look(struct witness *ret)
{
	int r = witness_look(ret);

	cr_assert_eq(r, 0, "%s", strerror(-r));
}

static const struct witness_addr *addr_on(const struct witness *w, const char *text,
					  const char *ifname)
{
	const struct ip wanted = ip(text);

	for (size_t i = 0; i < w->n_addrs; i++)
		if (ip_equal(&w->addrs[i].ip, &wanted) &&
		    w->addrs[i].ifindex == netns_index(ifname))
			return &w->addrs[i];
	return NULL;
}

static const struct witness_link *link_of(const struct witness *w, const char *name)
{
	for (size_t i = 0; i < w->n_links; i++)
		if (strcmp(w->links[i].name, name) == 0)
			return &w->links[i];
	return NULL;
}

static const struct witness_neigh *neigh_of(const struct witness *w, const char *text)
{
	const struct ip wanted = ip(text);

	for (size_t i = 0; i < w->n_neighs; i++)
		if (ip_equal(&w->neighs[i].ip, &wanted))
			return &w->neighs[i];
	return NULL;
}

static bool has_route(const struct witness *w, const char *text)
{
	const struct ip wanted = ip(text);

	for (size_t i = 0; i < w->n_routes; i++)
		if (ip_equal(&w->routes[i].ip, &wanted))
			return true;
	return false;
}

/* -1: the gate does not know it */
static int passes(const struct witness *w, const char *text, enum witness_gate_kind kind)
{
	const struct ip wanted = ip(text);

	for (size_t i = 0; i < w->gate.n; i++)
		if (w->gate.v[i].kind == kind && ip_equal(&w->gate.v[i].ip, &wanted))
			return w->gate.v[i].open;
	return -1;
}

Test(witness, addresses_have_prefix_lifetime_and_flags)
{
	_cleanup_(witness_done) struct witness w = { 0 };
	const struct witness_addr *a;

	netns_enter();
	sh("ip address add 10.0.0.1/24 dev va && ip address add 10.0.0.2/24 dev va && "
	   "ip address add 10.0.0.3/32 dev vb valid_lft 100 preferred_lft 50 && "
	   "ip address add fd00::1/64 dev va nodad valid_lft 100 preferred_lft 0");
	look(&w);

	a = addr_on(&w, "10.0.0.1", "va");
	cr_assert(a);
	cr_expect_eq(a->prefix, 24);
	cr_expect_eq(a->tag, 0);
	cr_expect_eq(a->valid_s, WITNESS_FOR_EVER);
	cr_expect_eq(a->preferred_s, WITNESS_FOR_EVER);
	cr_expect_not(a->secondary);
	a = addr_on(&w, "10.0.0.2", "va");
	cr_assert(a && a->secondary);
	a = addr_on(&w, "10.0.0.3", "vb");
	cr_assert(a && a->prefix == 32);
	cr_expect(a->valid_s > 50 && a->valid_s <= 100, "%u", a->valid_s);
	cr_expect(a->preferred_s <= 50, "%u", a->preferred_s);
	cr_expect_null(addr_on(&w, "10.0.0.3", "va"));
	a = addr_on(&w, "fd00::1", "va");
	cr_assert(a && a->prefix == 64 && a->nodad && !a->tentative && !a->dad_failed);
	cr_expect(a->valid_s > 50 && a->valid_s <= 100, "%u", a->valid_s);
	cr_expect_eq(a->preferred_s, 0);
	for (size_t i = 1; i < w.n_addrs; i++)
		cr_expect_leq(memcmp(&w.addrs[i - 1].ip, &w.addrs[i].ip, sizeof(struct ip)), 0);
}

Test(witness, address_is_tentative_while_it_is_detected)
{
	_cleanup_(witness_done) struct witness w = { 0 };
	const struct witness_addr *a;

	netns_enter();
	sh("sysctl -qw net.ipv6.conf.va.dad_transmits=100 && ip address add fd00::1/64 dev va");
	look(&w);
	a = addr_on(&w, "fd00::1", "va");
	cr_assert(a);
	cr_expect(a->tentative && !a->nodad);
}

/* Two codes, one kernel: what ours has added, with which tag. */
Test(witness, tag_is_that_of_our_addresses)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_cleanup_(witness_done) struct witness w = { 0 };
	struct addr added = { .prefix = 32, .tag = ADDR_TAG, .valid_s = 60 };
	const struct witness_addr *a;
	int error;

	cr_assert_eq((int)WITNESS_TAG, (int)ADDR_TAG);
	netns_enter();
	added.ip = ip("10.0.0.9");
	added.ifindex = netns_index("va");
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(addr_add(nl, &added, 1, &error), 0);
	cr_assert_eq(error, 0);
	look(&w);
	a = addr_on(&w, "10.0.0.9", "va");
	cr_assert(a);
	cr_expect_eq(a->tag, WITNESS_TAG);
	cr_expect_leq(a->valid_s, 60);
}

Test(witness, links_are_up_and_running_or_not)
{
	_cleanup_(witness_done) struct witness w = { 0 }, later = { 0 };

	netns_enter();
	look(&w);
	cr_assert(link_of(&w, "va") && link_of(&w, "vb") && link_of(&w, "lo"));
	cr_expect(link_of(&w, "va")->up && link_of(&w, "va")->running);
	cr_expect_eq(link_of(&w, "va")->index, netns_index("va"));
	cr_expect_not(link_of(&w, "va")->noarp);

	sh("ip link set vb down && ip link set va arp off");
	sh_until("ip link show va | grep -q NO-CARRIER");
	look(&later);
	cr_expect(link_of(&later, "va")->up && !link_of(&later, "va")->running);
	cr_expect_not(link_of(&later, "vb")->up);
	cr_expect(link_of(&later, "va")->noarp && !link_of(&later, "vb")->noarp);
}

Test(witness, sysctls_are_those_that_count_for_the_link)
{
	_cleanup_(witness_done) struct witness w = { 0 };

	netns_enter();
	sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.va.arp_ignore=8 "
	   "net.ipv4.conf.all.promote_secondaries=0 net.ipv4.conf.va.promote_secondaries=0 "
	   "net.ipv4.conf.vb.promote_secondaries=1 net.ipv6.conf.vb.disable_ipv6=1");
	look(&w);
	cr_expect_eq(link_of(&w, "va")->arp_ignore, 8);
	cr_expect_eq(link_of(&w, "vb")->arp_ignore, 1);
	cr_expect_eq(link_of(&w, "va")->promote_secondaries, 0);
	cr_expect_eq(link_of(&w, "vb")->promote_secondaries, 1);
	cr_expect_eq(link_of(&w, "va")->disable_ipv6, 0);
	cr_expect_eq(link_of(&w, "vb")->disable_ipv6, 1);
}

Test(witness, neighbours_are_those_that_would_be_used)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 0x77 };
	_cleanup_(witness_done) struct witness w = { 0 };
	const struct witness_neigh *n;

	netns_enter();
	sh("ip address add 10.0.0.1/24 dev va && "
	   "ip neighbour add 10.0.0.7 lladdr 02:00:00:00:00:77 dev va nud stale && "
	   "ip neighbour add fd00::7 lladdr 02:00:00:00:00:77 dev va nud permanent && "
	   "ip neighbour add 10.0.0.8 dev va nud failed && "
	   "ip neighbour add proxy 10.0.0.9 dev vb");
	look(&w);
	n = neigh_of(&w, "10.0.0.7");
	cr_assert(n && !n->permanent && !n->proxy && n->ifindex == netns_index("va"));
	cr_expect_eq(memcmp(n->mac, mac, sizeof(mac)), 0);
	n = neigh_of(&w, "fd00::7");
	cr_assert(n && n->permanent && !n->proxy);
	cr_expect_null(neigh_of(&w, "10.0.0.8"));
	n = neigh_of(&w, "10.0.0.9");
	cr_assert(n && n->proxy && n->ifindex == netns_index("vb"));
}

Test(witness, local_routes_are_those_of_addresses)
{
	_cleanup_(witness_done) struct witness w = { 0 };

	netns_enter();
	sh("ip address add 10.0.0.1/24 dev va && ip address add 10.0.0.2/24 dev va && "
	   "ip route delete local 10.0.0.2 dev va table local && "
	   "ip route add local 10.0.0.3 dev lo table local && "
	   "ip route add 10.0.0.4 dev va && ip -6 route add local fd00::5 dev lo table local");
	look(&w);
	cr_expect(has_route(&w, "10.0.0.1"));
	cr_expect_not(has_route(&w, "10.0.0.2"));
	cr_expect(has_route(&w, "10.0.0.3"));
	cr_expect_not(has_route(&w, "10.0.0.4"), "it is not local");
	cr_expect(has_route(&w, "fd00::5"));
	cr_expect_not(has_route(&w, "127.0.0.0"), "it is a network");
}

/* Two groups, as takeoverd(8) describes the gate; the lease of one minute. */
static void lay_gate(void)
{
	sh("nft -f - <<'END'\n"
	   "table inet takeover {\n"
	   " set lease { type mark; flags timeout; elements = { 0x7fffffff timeout 60s } }\n"
	   " set open { type mark; elements = { 1 } }\n"
	   " set announce { type mark; }\n"
	   " chain serve_1 { counter drop; }\n chain serve_2 { counter drop; }\n"
	   " chain nd_1 { counter drop; }\n"
	   " map vip4 { type ipv4_addr : verdict; elements = {"
	   "  10.0.0.1 : goto serve_1, 10.0.0.2 : goto serve_2 } }\n"
	   " map vip6 { type ipv6_addr : verdict; elements = { fd00::1 : goto serve_1 } }\n"
	   " map nd6 { type ipv6_addr : verdict; elements = { fd00::1 : jump nd_1 } }\n"
	   "}\n"
	   "table arp takeover {\n"
	   " set lease { type mark; flags timeout; elements = { 0x7fffffff timeout 60s } }\n"
	   " set announce { type mark; elements = { 1 } }\n"
	   " chain arp_1 { counter drop; }\n chain arp_2 { counter drop; }\n"
	   " map vip4 { type ipv4_addr : verdict; elements = {"
	   "  10.0.0.1 : goto arp_1, 10.0.0.2 : goto arp_2 } }\n"
	   "}\nEND");
}

Test(witness, gate_says_what_passes_for_each_address)
{
	_cleanup_(witness_done) struct witness w = { 0 }, later = { 0 };

	netns_enter();
	lay_gate();
	look(&w);
	cr_expect_eq(w.gate.err, 0);
	cr_expect_not(w.gate.missing);
	cr_expect_eq(passes(&w, "10.0.0.1", WITNESS_GATE_TRAFFIC), 1);
	cr_expect_eq(passes(&w, "10.0.0.1", WITNESS_GATE_ANSWERS), 1);
	cr_expect_eq(passes(&w, "fd00::1", WITNESS_GATE_TRAFFIC), 1);
	cr_expect_eq(passes(&w, "fd00::1", WITNESS_GATE_ANSWERS), 0);
	cr_expect_eq(passes(&w, "10.0.0.2", WITNESS_GATE_TRAFFIC), 0);
	cr_expect_eq(passes(&w, "10.0.0.2", WITNESS_GATE_ANSWERS), 0);
	cr_expect_eq(passes(&w, "10.0.0.3", WITNESS_GATE_TRAFFIC), -1);

	sh("nft flush set inet takeover lease");
	look(&later);
	cr_expect_eq(passes(&later, "10.0.0.1", WITNESS_GATE_TRAFFIC), 0, "no lease");
	cr_expect_eq(passes(&later, "10.0.0.1", WITNESS_GATE_ANSWERS), 1, "it has its own");
}

Test(witness, who_drains_is_seen)
{
	_cleanup_(witness_done) struct witness w = { 0 };

	netns_enter();
	lay_gate();
	sh("nft -f - <<'END'\n"
	   "table inet takeover_drain {\n"
	   " chain drain_1 { counter reject with tcp reset; }\n"
	   " map vip4 { type ipv4_addr : verdict; elements = { 10.0.0.1 : goto drain_1 } }\n"
	   " map vip6 { type ipv6_addr : verdict; elements = { fd00::1 : goto drain_1 } }\n"
	   "}\nEND");
	look(&w);
	cr_expect_eq(w.gate.err, 0);
	cr_expect_eq(passes(&w, "10.0.0.1", WITNESS_GATE_NEW), 0);
	cr_expect_eq(passes(&w, "fd00::1", WITNESS_GATE_NEW), 0);
	cr_expect_eq(passes(&w, "10.0.0.2", WITNESS_GATE_NEW), -1);
	cr_expect_eq(passes(&w, "10.0.0.1", WITNESS_GATE_TRAFFIC), 1);
}

Test(witness, gate_that_is_not_there_whole_is_missing)
{
	_cleanup_(witness_done) struct witness none = { 0 }, half = { 0 };

	netns_enter();
	look(&none);
	cr_expect(none.gate.missing);
	cr_expect_eq(none.gate.err, 0);
	lay_gate();
	sh("nft delete table arp takeover");
	look(&half);
	cr_expect(half.gate.missing);
}

/* Without privileges everything else is seen still. */
Test(witness, gate_that_may_not_be_read_is_said)
{
	_cleanup_(witness_done) struct witness w = { 0 };

	netns_enter();
	lay_gate();
	sh("ip address add 10.0.0.1/24 dev va");
	cr_assert_eq(setresuid(65534, 65534, 65534), 0);
	look(&w);
	cr_expect_eq(w.gate.err, -EPERM, "%s", strerror(-w.gate.err));
	cr_expect(addr_on(&w, "10.0.0.1", "va"));
	cr_expect_eq(link_of(&w, "va")->arp_ignore, 0);
}

Test(witness, thousands_are_all_seen)
{
	_cleanup_(witness_done) struct witness w = { 0 };

	netns_enter();
	sh("for i in $(seq 0 2999); do"
	   " echo address add 10.1.$((i / 250)).$((i % 250 + 1))/32 dev va;"
	   " done | ip -batch -");
	look(&w);
	cr_expect(addr_on(&w, "10.1.0.1", "va") && addr_on(&w, "10.1.11.250", "va"));
	cr_expect(has_route(&w, "10.1.0.1") && has_route(&w, "10.1.11.250"));
	cr_expect_geq(w.n_addrs, 3000);
}

Test(witness, a_macvlan_is_seen_with_its_parent_mac_and_mark)
{
	_cleanup_(witness_done) struct witness w = { 0 };
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0x57, 1 };
	const struct witness_link *vip0 = NULL, *va = NULL;

	netns_enter();
	sh("ip link add vip0 link va address 02:00:00:00:57:01 type macvlan mode private");
	sh("ip link set vip0 alias takeoverd");
	cr_assert_eq(witness_look(&w), 0);
	for (size_t i = 0; i < w.n_links; i++) {
		vip0 = strcmp(w.links[i].name, "vip0") ? vip0 : &w.links[i];
		va = strcmp(w.links[i].name, "va") ? va : &w.links[i];
	}
	cr_assert(vip0 && vip0->macvlan && vip0->marked && !vip0->up);
	cr_assert_arr_eq(vip0->mac, mac, sizeof(mac));
	cr_assert(va && !va->macvlan && !va->marked);
	cr_assert_eq(vip0->parent, va->index);
}

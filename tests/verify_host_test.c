/* SPDX-License-Identifier: MIT */

/* What addresses need of the host: links, paths, gate, sysctls, neighbours. */

#include "tests/verify_rig.h"

Test(verify_host, link_is_as_the_daemon_thinks)
{
	struct scene s;

	make(&s, false);
	s.links[1].running = false;
	expect(&s, "link-down", "eth0 has no carrier");
	s.links[1].up = false;
	expect(&s, "link-down", "eth0 is down");
	(void)strcpy(s.links[1].name, "eth7");
	expect(&s, "link-down", "eth0 is not there");
	s.unfit[0] = (char *)"link";
	expect(&s, "", NULL);
	make(&s, false); /* once for a link, however many addresses there are */
	s.vips[1] = (char *)"10.10.11.104/24 eth1";
	s.vips[2] = (char *)"10.10.11.105/24 eth0";
	for (size_t i = 1; i < 3; i++)
		set_gate(&s, i == 1 ? "10.10.11.104" : "10.10.11.105", false, false);
	s.links[1].running = s.links[2].running = false;
	expect(&s, "link-down link-down", "eth1 has no carrier");
	make(&s, true);
	s.unfit[0] = (char *)"link";
	expect(&s, "link-runs", NULL);
	s.unfit[0] = (char *)"check";
	expect(&s, "", NULL);
}

Test(verify_host, link_resolves_addresses)
{
	struct scene s;

	make(&s, false);
	s.links[2].noarp = true;
	expect(&s, "", NULL);
	s.links[1].noarp = true;
	expect(&s, "link-noarp", "ip link set eth0 arp on");
}

Test(verify_host, unique_addresses_are_there)
{
	struct scene s;

	make(&s, true);
	remove_addr(&s, OWN2);
	expect(&s, "path-missing", OWN2 " is not on this host");
	s.paths[0].local = OWN2; /* two paths from one address */
	expect(&s, "path-missing", NULL);
	expect_of(&s, "sip", "", NULL);
}

Test(verify_host, gate_is_open_on_the_primary)
{
	struct scene s;

	make(&s, true);
	set_gate(&s, VIP4, false, false);
	expect(&s, "gate-closed", VIP4);
	set_gate(&s, VIP4, true, false);
	expect(&s, "gate-silent", VIP4);
	set_gate(&s, VIP4, false, true);
	expect(&s, "gate-closed", NULL);
	s.witness.gate.n = 0;
	set_gate(&s, VIP4, true, true);
	expect(&s, "gate-unknown", VIP6);
	set_gate(&s, VIP6, true, true);
	s.witness.gate.n--; /* sorted: one kind of VIP6 */
	expect(&s, "gate-unknown", VIP6);
}

Test(verify_host, gate_is_closed_on_the_backup)
{
	struct scene s;

	make(&s, false);
	set_gate(&s, VIP6, true, false);
	expect(&s, "gate-open", VIP6);
	set_gate(&s, VIP6, false, true);
	expect(&s, "gate-open", VIP6);
}

/* Either way somebody is not where they should be. */
Test(verify_host, refusing_and_draining_go_together)
{
	struct scene s;

	make(&s, true);
	s.groups[0].draining = true;
	expect(&s, "gate-drain gate-drain", "are taken");
	for (size_t i = 0; i < 2; i++)
		s.gate[s.witness.gate.n++] = (struct witness_gate_vip){ .ip = ip(i ? VIP6 : VIP4),
									.kind = WITNESS_GATE_NEW };
	expect(&s, "", NULL);
	s.groups[0].draining = false;
	expect(&s, "gate-drain gate-drain", "are refused");
}

Test(verify_host, gate_that_is_not_there_or_not_read_is_said)
{
	struct scene s;

	make(&s, true);
	s.witness.gate.n = 0;
	s.witness.gate.missing = true;
	expect(&s, "gate-missing", NULL);
	s.witness.gate.missing = false;
	s.witness.gate.err = -EPERM;
	expect(&s, "gate-unread", "root");
	s.witness.gate.err = -EOPNOTSUPP;
	expect(&s, "gate-unread", "not supported");
}

Test(verify_host, sysctls_let_the_address_work)
{
	struct scene s;

	make(&s, false);
	s.links[1].arp_ignore = 1;
	expect(&s, "", NULL);
	s.links[1].arp_ignore = 8;
	expect(&s, "arp-ignore", "net.ipv4.conf.eth0.arp_ignore=0");
	s.links[1].arp_ignore = WITNESS_UNREADABLE;
	expect(&s, "sysctl-unread", "arp_ignore");
	s.links[1].arp_ignore = 0;
	s.links[1].disable_ipv6 = 1;
	expect(&s, "disable-ipv6", VIP6);
}

/* arp_ignore=2 answers to who is in a network of the interface that has the address in it. */
Test(verify_host, arp_ignore_2_needs_a_network)
{
	struct scene s;

	make(&s, true);
	s.links[1].arp_ignore = 2;
	expect(&s, "", NULL);
	addr(&s, VIP4)->prefix = 32;
	s.vips[0] = (char *)VIP4 "/32 eth0";
	expect(&s, "", NULL);
	addr(&s, OWN)->prefix = 32;
	expect(&s, "arp-ignore", "arp_ignore is 2");
	addr(&s, OWN)->prefix = 24;
	addr(&s, OWN)->ip = ip("10.10.12.101");
	s.paths[0].local = OWN2;
	expect(&s, "arp-ignore", NULL);
	addr(&s, "10.10.12.101")->prefix = 21;
	expect(&s, "", NULL);
}

Test(verify_host, neighbour_is_a_hint)
{
	struct scene s;

	make(&s, false);
	add_neigh(&s, VIP4, 0x0b);
	expect(&s, "", NULL);
	s.neighs[0].mac[5] = 0x0c; /* sorted: beta's own address comes first */
	expect(&s, "neighbour-elsewhere", "02:00:00:00:00:0b on eth0, but beta, which is primary");
	cr_expect_eq(ctl_finding_weight(CTL_FINDING_NEIGHBOUR_ELSEWHERE), CTL_WEIGHT_HINT);
	s.groups[0].primary = "";
	expect(&s, "", NULL);

	make(&s, true); /* an old entry is of no use to who has the address */
	add_neigh(&s, VIP4, 0x0c);
	expect(&s, "", NULL);
	s.neighs[1].permanent = true;
	expect(&s, "neighbour-permanent", "ip neighbour delete " VIP4 " dev eth0");
}

/* SPDX-License-Identifier: MIT */

/* Addresses and their local routes: each difference, and only it. */

#include "tests/verify_rig.h"

Test(verify_address, address_of_a_primary_is_there_on_its_interface)
{
	struct scene s;

	make(&s, true);
	remove_addr(&s, VIP4);
	expect(&s, "address-missing", VIP4 " is not on eth0");
	(void)add_addr(&s, VIP4, 24, ETH1, WITNESS_TAG);
	expect(&s, "address-missing address-twice", "as /24 on eth1");
}

/* Where takeoverd cannot put it, and knows that: IPv6 is taken off a link that goes down. */
Test(verify_address, address_is_missing_for_want_of_a_link_that_is_up)
{
	struct scene s;

	make(&s, true);
	s.unfit[0] = (char *)"link";
	remove_addr(&s, VIP6);
	s.links[1].up = s.links[1].running = false;
	expect(&s, "address-missing",
	       VIP6 " is not on eth0, which is down; say 'ip link set eth0 up'");
}

Test(verify_address, address_has_its_prefix_length)
{
	struct scene s;

	make(&s, true);
	addr(&s, VIP4)->prefix = 32;
	expect(&s, "address-prefix", "has the prefix length /32, not /24");
	(void)add_addr(&s, VIP4, 24, ETH0, WITNESS_TAG);
	expect(&s, "address-twice", "delete " VIP4 "/32 dev eth0");
}

Test(verify_address, address_bears_our_tag)
{
	struct scene s;

	make(&s, true);
	addr(&s, VIP4)->tag = 0;
	expect(&s, "address-untagged", "ip address delete " VIP4 "/24 dev eth0");
	addr(&s, VIP4)->tag = 3;
	expect(&s, "address-untagged", NULL);
}

Test(verify_address, address_has_an_end)
{
	struct scene s;

	make(&s, true);
	addr(&s, VIP4)->valid_s = WITNESS_FOR_EVER;
	expect(&s, "address-lifetime", VIP4);
	addr(&s, VIP4)->valid_s = 0;
	expect(&s, "", NULL);
}

Test(verify_address, ipv6_address_is_never_preferred)
{
	struct scene s;

	make(&s, true);
	addr(&s, VIP6)->preferred_s = 1;
	expect(&s, "address-preferred", "preferred_lft 0");
	make(&s, true);
	addr(&s, VIP4)->preferred_s = WITNESS_FOR_EVER;
	expect(&s, "", NULL);
}

Test(verify_address, ipv6_address_is_not_detected_for)
{
	struct scene s;

	make(&s, true);
	addr(&s, VIP6)->nodad = false;
	expect(&s, "address-dad", "would fall silent");
	addr(&s, VIP6)->tentative = true;
	expect(&s, "address-dad", "goes on");
	addr(&s, VIP6)->dad_failed = true;
	expect(&s, "address-dad", "look who else has it");
	addr(&s, VIP6)->nodad = true;
	expect(&s, "address-dad", "look who else has it");
}

Test(verify_address, address_is_there_once)
{
	struct scene s;

	make(&s, true);
	(void)add_addr(&s, VIP6, 128, ETH1, 0);
	expect(&s, "address-twice", "as /128 on eth1");
}

Test(verify_address, backup_has_no_address_of_the_group)
{
	struct scene s;

	make(&s, false);
	(void)add_addr(&s, VIP4, 24, ETH0, WITNESS_TAG);
	expect(&s, "address-kept", "this node is not primary; say 'ip address delete");
	(void)add_addr(&s, VIP6, 128, ETH1, 0);
	expect(&s, "address-kept address-stranger", "somebody else");
	s.groups[0].state = "maintenance";
	expect(&s, "address-kept address-stranger", NULL);
}

Test(verify_address, tagged_address_belongs_to_a_group)
{
	struct scene s;

	make(&s, true);
	(void)add_addr(&s, "10.10.11.99", 32, ETH1, WITNESS_TAG);
	expect(&s, "address-orphan", "10.10.11.99/32 on eth1");
	expect_of(&s, "sip", "", NULL);
}

Test(verify_address, address_of_another_group_is_not_an_orphan)
{
	struct scene s;

	make(&s, true);
	s.groups[1] = s.groups[0];
	s.groups[1].name = "web";
	s.groups[1].virtual_addresses = s.other_vips;
	s.other_vips[0] = (char *)"10.10.11.110/32 eth1";
	s.model.n_groups = 2;
	(void)add_addr(&s, "10.10.11.110", 32, ETH1, WITNESS_TAG);
	set_gate(&s, "10.10.11.110", true, true);
	expect(&s, "", NULL);
	addr(&s, "10.10.11.110")->prefix = 24;
	addr(&s, VIP4)->tag = 0;
	expect(&s, "address-untagged address-prefix", NULL);
	expect_of(&s, "web", "address-prefix", NULL);
	expect_of(&s, "sip", "address-untagged", NULL);
}

Test(verify_address, local_route_is_there_with_the_address_and_only_then)
{
	struct scene s;

	make(&s, true);
	remove_route(&s, VIP6);
	expect(&s, "route-missing", VIP6);
	make(&s, false);
	(void)add_addr(&s, VIP4, 24, ETH0, 0);
	s.witness.n_addrs--;
	expect(&s, "route-local", "ip route delete local " VIP4 " table local");
}

Test(verify_address, nobody_answers_as_a_proxy)
{
	struct scene s;

	for (int primary = 0; primary < 2; primary++) {
		make(&s, primary);
		add_neigh(&s, VIP4, 0)->proxy = true;
		expect(&s, "proxy", "ip neighbour delete proxy " VIP4 " dev eth0");
	}
}

Test(verify_address, own_address_does_not_go_with_ours)
{
	struct scene s;

	make(&s, true);
	addr(&s, VIP4)->secondary = false;
	addr(&s, OWN)->secondary = true;
	expect(&s, "promote-secondaries", OWN "/24 on eth0 is secondary to " VIP4);
	s.links[1].promote_secondaries = 1;
	expect(&s, "", NULL);
	s.links[1].promote_secondaries = 0;
	addr(&s, OWN)->ip = ip("10.10.12.101");
	s.paths[0].local = OWN2;
	expect(&s, "", NULL);
}

Test(verify_address, label_is_compared_if_there_should_be_one)
{
	struct scene s;

	make(&s, true);
	(void)strcpy(addr(&s, VIP4)->label, "eth0:7");
	expect(&s, "", NULL);
	s.vips[0] = (char *)VIP4 "/24 eth0:sip";
	expect(&s, "address-label", "has the label \"eth0:7\", not \"eth0:sip\"");
	(void)strcpy(addr(&s, VIP4)->label, "eth0:sip");
	expect(&s, "", NULL);
	remove_addr(&s, VIP4);
	expect(&s, "address-missing", VIP4 " is not on eth0,");
}

/* SPDX-License-Identifier: MIT */

/* A group on an interface of its own: that interface, too, is as the daemon makes it. */

#include "tests/verify_rig.h"

enum { VIP0 = 4 };

/* The group on an interface of its own, as a healthy node has it. */
static void make_sub(struct scene *s, bool primary)
{
	static char sub[] = "vip0 eth0 02:00:00:00:57:01", *subs[] = { sub, NULL };
	struct witness_link *vip0;

	make(s, primary);
	s->groups[0].mode = "subinterface";
	s->groups[0].sub_interfaces = subs;
	s->vips[0] = (char *)VIP4 "/24 vip0";
	s->vips[1] = (char *)VIP6 "/64 vip0";
	for (size_t i = 0; i < s->witness.n_addrs; i++)
		if (s->addrs[i].tag == WITNESS_TAG)
			s->addrs[i].ifindex = VIP0;
	for (size_t i = 0; i < s->witness.n_routes; i++)
		s->routes[i].ifindex = VIP0;
	vip0 = &s->links[s->witness.n_links++];
	*vip0 = (struct witness_link){ .index = VIP0,
				       .name = "vip0",
				       .up = primary,
				       .running = primary,
				       .mac = { 2, 0, 0, 0, 0x57, 1 },
				       .macvlan = true,
				       .parent = ETH0,
				       .marked = true,
				       .arp_ignore = 1 };
}

static struct witness_link *vip0_of(struct scene *s)
{
	return &s->links[s->witness.n_links - 1];
}

Test(verify_sub, an_interface_of_its_own_is_up_where_the_group_is_held_and_down_elsewhere)
{
	struct scene s;

	make_sub(&s, true);
	expect(&s, "", NULL);
	vip0_of(&s)->up = false;
	expect(&s, "link-down", "vip0 is down");
	make_sub(&s, true);
	vip0_of(&s)->noarp = true;
	expect(&s, "link-noarp", "ip link set vip0 arp on");
	make_sub(&s, false);
	expect(&s, "", NULL);
	vip0_of(&s)->up = true;
	expect(&s, "link-kept", "ip link set vip0 down");
	make_sub(&s, false);
	s.witness.n_links--;
	expect(&s, "", "it is made for a claim");
	s.groups[0].sub_interfaces = NULL;
	expect(&s, "link-down", "vip0 is not there");
}

Test(verify_sub, where_a_group_is_staged_a_backup_has_it_on_an_interface_without_arp)
{
	struct scene s;

	make_sub(&s, true);
	s.groups[0].staged = true;
	expect(&s, "", NULL);
	make_sub(&s, false);
	s.groups[0].staged = true;
	expect(&s, "", "it is not ready yet");
	vip0_of(&s)->up = vip0_of(&s)->noarp = true;
	(void)add_addr(&s, VIP4, 24, VIP0, WITNESS_TAG);
	expect(&s, "", NULL);
	vip0_of(&s)->noarp = false;
	expect(&s, "link-kept", "ip link set vip0 arp off");
	vip0_of(&s)->noarp = true;
	s.groups[0].staged = false;
	expect(&s, "address-kept link-kept", NULL);
}

/* An operator does what it says, and would be cut off from the host. */
Test(verify_sub, nobody_is_told_to_set_down_what_the_node_is_reached_by)
{
	struct scene s;

	make_sub(&s, false);
	s.groups[0].sub_interfaces = NULL;
	vip0_of(&s)->up = true;
	addr(&s, OWN)->ifindex = VIP0;
	expect(&s, "link-kept", OWN " of this node is on it and would go with it; give the group");
	addr(&s, OWN)->ifindex = ETH0;
	expect(&s, "link-kept", "ip link set vip0 down");
}

Test(verify_sub, an_interface_of_its_own_is_the_one_that_the_daemon_makes)
{
	for (int i = 0; i < 5; i++) {
		struct scene s;

		make_sub(&s, i % 2 == 0);
		if (i == 0)
			vip0_of(&s)->mac[5]++;
		else if (i == 1)
			vip0_of(&s)->parent = ETH1;
		else if (i == 2)
			vip0_of(&s)->marked = false;
		else if (i == 3)
			vip0_of(&s)->macvlan = false;
		else
			(void)strcpy(s.links[1].name, "eth5"); /* what was its parent */
		expect(&s, i == 4 ? "link-down link-foreign" : "link-foreign",
		       "a macvlan on eth0 with the MAC 02:00:00:00:57:01");
	}
}

Test(verify_sub, fitness_for_an_interface_of_its_own_is_that_of_its_parent)
{
	struct scene s;

	make_sub(&s, false);
	s.links[1].running = false;
	expect(&s, "link-down", "eth0 does not run");
	s.unfit[0] = (char *)"link";
	expect(&s, "", NULL);
	s.links[1].running = true;
	expect(&s, "link-runs", "every interface is as it should be");
}

/* SPDX-License-Identifier: MIT */

/* What the daemon says against what the kernel has: what is compared at all, and how it is told. */

#include "tests/verify_rig.h"

Test(verify, healthy_pair_has_no_differences)
{
	struct scene s;

	make(&s, true);
	expect(&s, "", NULL);
	make(&s, false);
	expect(&s, "", NULL);
	s.groups[0].state = "fault";
	s.unfit[0] = (char *)"link";
	s.links[1].running = false;
	expect(&s, "", NULL);
}

Test(verify, findings_are_in_the_order_of_the_manual_those_of_the_host_first)
{
	struct scene s;

	make(&s, true);
	s.links[1].noarp = true;
	addr(&s, VIP4)->tag = 0;
	remove_addr(&s, OWN2);
	expect(&s, "path-missing address-untagged link-noarp", NULL);
}

Test(verify, what_moves_is_not_judged)
{
	struct scene s;

	make(&s, true);
	s.groups[0].state = "yielding";
	remove_addr(&s, VIP4);
	expect(&s, "in-motion", "yielding");
	s.groups[0].role = "backup";
	s.groups[0].state = "claiming";
	expect(&s, "in-motion", "claiming");
}

Test(verify, what_is_not_known_is_not_judged)
{
	static const char *const bad[] = { "somewhere", VIP4 "/33 eth0", "10.10.11/24 eth0",
					   VIP4 " eth0" };
	_cleanup_(ctl_findings_done) struct ctl_findings found = { 0 };
	struct scene s;

	make(&s, true);
	s.groups[0].mode = "port";
	remove_addr(&s, VIP4);
	expect(&s, "mode-unknown", "port");
	s.groups[0].mode = "alias";
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		s.vips[0] = (char *)bad[i];
		cr_expect_eq(ctl_compare(&s.model, NULL, &s.witness, &found), -EBADMSG, "%s",
			     bad[i]);
		ctl_findings_done(&found);
	}
	s.vips[0] = (char *)VIP4 "/24 eth0";
	s.paths[0].local = "somewhere";
	cr_expect_eq(ctl_compare(&s.model, NULL, &s.witness, &found), -EBADMSG);
}

Test(verify, of_a_role_without_addresses_nothing_is_missing)
{
	struct scene s;

	make(&s, true);
	s.groups[0].mode = "none";
	s.vips[0] = NULL;
	remove_addr(&s, VIP4);
	remove_addr(&s, VIP6);
	s.witness.gate = (struct witness_gate){ .missing = true };
	expect(&s, "", NULL);
}

/* The names of the manual are those of the program, and each is once there. */
Test(verify, manual_has_every_finding)
{
	char line[256], name[64];
	size_t in_manual = 0;
	FILE *f = fopen("man/takeoverctl.1", "re");
	bool here = false;

	cr_assert(f, "tests run in the top directory of the project");
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '.' && line[1] == 'S')
			here = strcmp(line, ".Ss Findings\n") == 0;
		if (!here || sscanf(line, ".It Li %63s Ta", name) != 1)
			continue;
		cr_assert_lt(in_manual, _CTL_FINDING_MAX);
		cr_expect_str_eq(name, ctl_finding_name((enum ctl_kind_of_finding)in_manual));
		in_manual++;
	}
	(void)fclose(f);
	cr_expect_eq(in_manual, _CTL_FINDING_MAX);
}

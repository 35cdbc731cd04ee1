/* SPDX-License-Identifier: MIT */

/* What daemon says against what the kernel has, both made up: each difference, and only it. */

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "sdbus/ctl_verify.h"

enum { ETH0 = 2, ETH1 = 3, ADDRS_MAX = 8, NEIGHS_MAX = 4 };

#define VIP4 "10.10.11.103"
#define VIP6 "2001:db8:11::103"
#define OWN "10.10.11.101"
#define OWN2 "10.20.0.101"
#define THEIRS "10.10.11.102"

/*
 * alpha, with the group sip on eth0, and paths over eth0 and eth1 to beta. Tests
 * change what they are about, between make() and expect().
 */
struct scene {
	struct ctl_model model;
	struct api_group groups[2];
	struct api_peer peer;
	struct api_path paths[2];
	char *unfit[2], *vips[4], *other_vips[2];

	struct witness witness;
	struct witness_addr addrs[ADDRS_MAX];
	struct witness_route routes[ADDRS_MAX];
	struct witness_neigh neighs[NEIGHS_MAX];
	struct witness_link links[4]; /* the last one is of make_sub() */
	struct witness_gate_vip gate[2 * ADDRS_MAX];
};

static struct ip ip(const char *text)
{
	struct ip ip = { .family = strchr(text, ':') ? 6 : 4 };

	cr_assert_eq(inet_pton(ip.family == 4 ? AF_INET : AF_INET6, text, ip.bytes), 1);
	return ip;
}

static struct witness_addr *add_addr(struct scene *s, const char *text, uint8_t prefix, int ifindex,
				     uint8_t tag)
{
	struct witness_addr *a = &s->addrs[s->witness.n_addrs++];

	cr_assert_leq(s->witness.n_addrs, ADDRS_MAX);
	*a = (struct witness_addr){ .ip = ip(text),
				    .prefix = prefix,
				    .ifindex = ifindex,
				    .tag = tag,
				    .valid_s = tag ? 60 : WITNESS_FOR_EVER,
				    .preferred_s = tag ? 60 : WITNESS_FOR_EVER };
	if (tag && a->ip.family == 6) {
		a->preferred_s = 0;
		a->nodad = true;
	}
	s->routes[s->witness.n_routes++] =
		(struct witness_route){ .ip = a->ip, .ifindex = ifindex };
	return a;
}

static struct witness_addr *addr(struct scene *s, const char *text)
{
	const struct ip wanted = ip(text);

	for (size_t i = 0; i < s->witness.n_addrs; i++)
		if (ip_equal(&s->addrs[i].ip, &wanted))
			return &s->addrs[i];
	cr_assert_fail("no %s", text);
	return NULL;
}

static void remove_route(struct scene *s, const char *text)
{
	const struct ip wanted = ip(text);

	for (size_t i = 0; i < s->witness.n_routes; i++)
		if (ip_equal(&s->routes[i].ip, &wanted))
			s->routes[i--] = s->routes[--s->witness.n_routes];
}

static void remove_addr(struct scene *s, const char *text)
{
	struct witness_addr *removed = addr(s, text);

	*removed = s->addrs[--s->witness.n_addrs];
	remove_route(s, text);
}

static struct witness_neigh *add_neigh(struct scene *s, const char *text, uint8_t mac)
{
	struct witness_neigh *n = &s->neighs[s->witness.n_neighs++];

	cr_assert_leq(s->witness.n_neighs, NEIGHS_MAX);
	*n = (struct witness_neigh){ .ip = ip(text),
				     .ifindex = ETH0,
				     .mac = { 2, 0, 0, 0, 0, mac } };
	return n;
}

/* The gate, for one address. */
static void set_gate(struct scene *s, const char *text, bool traffic, bool answers)
{
	const bool open[] = { [WITNESS_GATE_TRAFFIC] = traffic, [WITNESS_GATE_ANSWERS] = answers };
	const struct ip wanted = ip(text);
	size_t found = 0;

	for (size_t i = 0; i < s->witness.gate.n; i++)
		if (ip_equal(&s->gate[i].ip, &wanted)) {
			s->gate[i].open = open[s->gate[i].kind];
			found++;
		}
	if (found)
		return;
	for (size_t kind = 0; kind < ARRAY_SIZE(open); kind++)
		s->gate[s->witness.gate.n++] = (struct witness_gate_vip){
			.ip = wanted, .kind = (enum witness_gate_kind)kind, .open = open[kind]
		};
}

/* Healthy: primary with all that belongs to it, or backup without. */
static void make(struct scene *s, bool primary)
{
	static const char *const names[] = { "lo", "eth0", "eth1" };

	*s = (struct scene){ .vips = { (char *)VIP4 "/24 eth0", (char *)VIP6 "/64 eth0" } };
	s->groups[0] = (struct api_group){ .name = "sip",
					   .role = primary ? "primary" : "backup",
					   .state = primary ? "primary" : "backup",
					   .primary = primary ? "alpha" : "beta",
					   .mode = "alias",
					   .unfit = s->unfit,
					   .virtual_addresses = s->vips };
	s->paths[0] = (struct api_path){ .local = OWN, .remote = THEIRS };
	s->paths[1] = (struct api_path){ .local = OWN2, .remote = "10.20.0.102" };
	s->peer = (struct api_peer){ .name = "beta", .paths = s->paths, .n_paths = 2 };
	s->model = (struct ctl_model){ .manager.node = "alpha",
				       .groups = s->groups,
				       .n_groups = 1,
				       .peers = &s->peer,
				       .n_peers = 1 };
	s->witness = (struct witness){ .addrs = s->addrs,
				       .routes = s->routes,
				       .neighs = s->neighs,
				       .links = s->links,
				       .n_links = ARRAY_SIZE(names),
				       .gate.v = s->gate };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		s->links[i] =
			(struct witness_link){ .index = (int)i + 1, .up = true, .running = true };
		(void)strcpy(s->links[i].name, names[i]);
	}
	(void)add_addr(s, OWN, 24, ETH0, 0);
	(void)add_addr(s, OWN2, 24, ETH1, 0);
	(void)add_neigh(s, THEIRS, 0x0b);
	set_gate(s, VIP4, primary, primary);
	set_gate(s, VIP6, primary, primary);
	if (!primary)
		return;
	add_addr(s, VIP4, 24, ETH0, WITNESS_TAG)->secondary = true;
	(void)add_addr(s, VIP6, 64, ETH0, WITNESS_TAG);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip));
}

/* As the witness hands them out. */
static void sort(struct scene *s)
{
	qsort(s->addrs, s->witness.n_addrs, sizeof(*s->addrs), compare);
	qsort(s->routes, s->witness.n_routes, sizeof(*s->routes), compare);
	qsort(s->neighs, s->witness.n_neighs, sizeof(*s->neighs), compare);
	qsort(s->gate, s->witness.gate.n, sizeof(*s->gate), compare);
}

/* The names that were found, in order, each as often as it was, and what was said of the last. */
static void expect_of(struct scene *s, const char *only, const char *names, const char *text)
{
	_cleanup_(ctl_findings_done) struct ctl_findings found = { 0 };
	char got[512] = "";

	sort(s);
	cr_assert_eq(ctl_compare(&s->model, only, &s->witness, &found), 0);
	for (size_t i = 0; i < found.n; i++) {
		(void)strcat(got, i ? " " : "");
		(void)strcat(got, ctl_finding_name(found.v[i].kind));
	}
	cr_expect_str_eq(got, names);
	if (text && found.n)
		cr_expect(strstr(found.v[found.n - 1].text, text), "no \"%s\" in: %s", text,
			  found.v[found.n - 1].text);
}

static void expect(struct scene *s, const char *names, const char *text)
{
	expect_of(s, NULL, names, text);
}

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

Test(verify, address_of_a_primary_is_there_on_its_interface)
{
	struct scene s;

	make(&s, true);
	remove_addr(&s, VIP4);
	expect(&s, "address-missing", VIP4 " is not on eth0");
	(void)add_addr(&s, VIP4, 24, ETH1, WITNESS_TAG);
	expect(&s, "address-missing address-twice", "as /24 on eth1");
}

/* Where takeoverd cannot put it, and knows that: IPv6 is taken off a link that goes down. */
Test(verify, address_is_missing_for_want_of_a_link_that_is_up)
{
	struct scene s;

	make(&s, true);
	s.unfit[0] = (char *)"link";
	remove_addr(&s, VIP6);
	s.links[1].up = s.links[1].running = false;
	expect(&s, "address-missing",
	       VIP6 " is not on eth0, which is down; say 'ip link set eth0 up'");
}

Test(verify, address_has_its_prefix_length)
{
	struct scene s;

	make(&s, true);
	addr(&s, VIP4)->prefix = 32;
	expect(&s, "address-prefix", "has the prefix length /32, not /24");
	(void)add_addr(&s, VIP4, 24, ETH0, WITNESS_TAG);
	expect(&s, "address-twice", "delete " VIP4 "/32 dev eth0");
}

Test(verify, address_bears_our_tag)
{
	struct scene s;

	make(&s, true);
	addr(&s, VIP4)->tag = 0;
	expect(&s, "address-untagged", "ip address delete " VIP4 "/24 dev eth0");
	addr(&s, VIP4)->tag = 3;
	expect(&s, "address-untagged", NULL);
}

Test(verify, address_has_an_end)
{
	struct scene s;

	make(&s, true);
	addr(&s, VIP4)->valid_s = WITNESS_FOR_EVER;
	expect(&s, "address-lifetime", VIP4);
	addr(&s, VIP4)->valid_s = 0;
	expect(&s, "", NULL);
}

Test(verify, ipv6_address_is_never_preferred)
{
	struct scene s;

	make(&s, true);
	addr(&s, VIP6)->preferred_s = 1;
	expect(&s, "address-preferred", "preferred_lft 0");
	make(&s, true);
	addr(&s, VIP4)->preferred_s = WITNESS_FOR_EVER;
	expect(&s, "", NULL);
}

Test(verify, ipv6_address_is_not_detected_for)
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

Test(verify, address_is_there_once)
{
	struct scene s;

	make(&s, true);
	(void)add_addr(&s, VIP6, 128, ETH1, 0);
	expect(&s, "address-twice", "as /128 on eth1");
}

Test(verify, backup_has_no_address_of_the_group)
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

Test(verify, tagged_address_belongs_to_a_group)
{
	struct scene s;

	make(&s, true);
	(void)add_addr(&s, "10.10.11.99", 32, ETH1, WITNESS_TAG);
	expect(&s, "address-orphan", "10.10.11.99/32 on eth1");
	expect_of(&s, "sip", "", NULL);
}

Test(verify, address_of_another_group_is_not_an_orphan)
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

Test(verify, local_route_is_there_with_the_address_and_only_then)
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

Test(verify, nobody_answers_as_a_proxy)
{
	struct scene s;

	for (int primary = 0; primary < 2; primary++) {
		make(&s, primary);
		add_neigh(&s, VIP4, 0)->proxy = true;
		expect(&s, "proxy", "ip neighbour delete proxy " VIP4 " dev eth0");
	}
}

Test(verify, link_is_as_the_daemon_thinks)
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

Test(verify, link_resolves_addresses)
{
	struct scene s;

	make(&s, false);
	s.links[2].noarp = true;
	expect(&s, "", NULL);
	s.links[1].noarp = true;
	expect(&s, "link-noarp", "ip link set eth0 arp on");
}

Test(verify, findings_are_in_the_order_of_the_manual)
{
	struct scene s;

	make(&s, true);
	s.links[1].noarp = true;
	addr(&s, VIP4)->tag = 0;
	remove_addr(&s, OWN2);
	expect(&s, "path-missing address-untagged link-noarp", NULL); /* the host comes first */
}

Test(verify, unique_addresses_are_there)
{
	struct scene s;

	make(&s, true);
	remove_addr(&s, OWN2);
	expect(&s, "path-missing", OWN2 " is not on this host");
	s.paths[0].local = OWN2; /* two paths from one address */
	expect(&s, "path-missing", NULL);
	expect_of(&s, "sip", "", NULL);
}

Test(verify, gate_is_open_on_the_primary)
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

Test(verify, gate_is_closed_on_the_backup)
{
	struct scene s;

	make(&s, false);
	set_gate(&s, VIP6, true, false);
	expect(&s, "gate-open", VIP6);
	set_gate(&s, VIP6, false, true);
	expect(&s, "gate-open", VIP6);
}

Test(verify, gate_that_is_not_there_or_not_read_is_said)
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

Test(verify, sysctls_let_the_address_work)
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
Test(verify, arp_ignore_2_needs_a_network)
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

Test(verify, own_address_does_not_go_with_ours)
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

Test(verify, neighbour_is_a_hint)
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

Test(verify, label_is_compared_if_there_should_be_one)
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

Test(verify, an_interface_of_its_own_is_up_where_the_group_is_held_and_down_elsewhere)
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

Test(verify, where_a_group_is_staged_a_backup_has_it_on_an_interface_without_arp)
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
Test(verify, nobody_is_told_to_set_down_what_the_node_is_reached_by)
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

Test(verify, an_interface_of_its_own_is_the_one_that_the_daemon_makes)
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

Test(verify, fitness_for_an_interface_of_its_own_is_that_of_its_parent)
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

/* SPDX-License-Identifier: MIT */

#include "netlink/neigh.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "tests/cut_short.h"
#include "tests/netns.h"

/* An entry for 10.9.0.7 on link 7, to be spoilt. */
static struct nlmsghdr *put_neigh(uint8_t buf[static NL_REQUEST_MAX], uint16_t state)
{
	static const uint8_t ip[4] = { 10, 9, 0, 7 }, mac[6] = { 2, 0, 0, 0, 0, 7 };
	const struct nda_cacheinfo info = { .ndm_confirmed = 42, .ndm_used = 43 };
	struct nlmsghdr *nlh;
	struct ndmsg *ndm;

	memset(buf, 0, NL_REQUEST_MAX);
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_NEWNEIGH;
	ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	ndm->ndm_family = AF_INET;
	ndm->ndm_ifindex = 7;
	ndm->ndm_state = state;
	mnl_attr_put(nlh, NDA_DST, sizeof(ip), ip);
	mnl_attr_put(nlh, NDA_LLADDR, sizeof(mac), mac);
	mnl_attr_put(nlh, NDA_CACHEINFO, sizeof(info), &info);
	return nlh;
}

static struct ndmsg *header_of(struct nlmsghdr *nlh)
{
	return mnl_nlmsg_get_payload(nlh);
}

Test(neigh, address_link_mac_and_age_are_read)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	const struct ip ip = { .family = 4, .bytes = { 10, 9, 0, 7 } };
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct neigh neigh;

	cr_assert_eq(neigh_parse(put_neigh(buf, NUD_STALE), &neigh), 0);
	cr_assert(ip_equal(&neigh.ip, &ip));
	cr_assert_eq(neigh.ifindex, 7);
	cr_assert_arr_eq(neigh.mac, mac, sizeof(mac));
	cr_assert_eq(neigh.age, 42);
	cr_assert(neigh.known);
	cr_assert_not(neigh.gateway);
}

Test(neigh, only_who_answered_once_is_known)
{
	static const struct {
		uint16_t state;
		bool known;
	} cases[] = {
		{ NUD_REACHABLE, true },   { NUD_STALE, true },	    { NUD_DELAY, true },
		{ NUD_PROBE, true },	   { NUD_PERMANENT, true }, { NUD_NONE, false },
		{ NUD_INCOMPLETE, false }, { NUD_FAILED, false },   { NUD_NOARP, false },
	};
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct neigh neigh;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(neigh_parse(put_neigh(buf, cases[i].state), &neigh), 0);
		cr_assert_eq(neigh.known, cases[i].known, "state 0x%x", cases[i].state);
	}
}

Test(neigh, a_mac_that_is_no_hosts_is_not_known)
{
	static const uint8_t macs[][6] = { { 0 }, { 0x33, 0x33, [5] = 1 }, { 0xff } };
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	const uint8_t long_mac[20] = { 2 };
	struct neigh neigh;

	for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
		struct nlmsghdr *nlh = put_neigh(buf, NUD_REACHABLE);

		mnl_attr_put(nlh, NDA_LLADDR, sizeof(macs[i]), macs[i]);
		cr_assert_eq(neigh_parse(nlh, &neigh), 0);
		cr_assert_not(neigh.known);
	}
	mnl_attr_put(put_neigh(buf, NUD_REACHABLE), NDA_LLADDR, sizeof(long_mac), long_mac);
	cr_assert_eq(neigh_parse((struct nlmsghdr *)buf, &neigh), 0);
	cr_assert_not(neigh.known);
}

Test(neigh, what_is_not_a_neighbour_is_refused)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh;
	struct neigh neigh;

	nlh = put_neigh(buf, NUD_REACHABLE);
	nlh->nlmsg_type = RTM_NEWADDR;
	cr_assert_eq(neigh_parse(nlh, &neigh), -EBADMSG);
	nlh = put_neigh(buf, NUD_REACHABLE);
	header_of(nlh)->ndm_ifindex = 0;
	cr_assert_eq(neigh_parse(nlh, &neigh), -EBADMSG);
	nlh = put_neigh(buf, NUD_REACHABLE);
	header_of(nlh)->ndm_family = AF_INET6;
	cr_assert_eq(neigh_parse(nlh, &neigh), -EBADMSG, "4 bytes are no IPv6 address");
	nlh = put_neigh(buf, NUD_REACHABLE);
	header_of(nlh)->ndm_family = AF_BRIDGE;
	cr_assert_eq(neigh_parse(nlh, &neigh), -EAFNOSUPPORT);
}

static void parse(const struct nlmsghdr *cut)
{
	struct neigh neigh;

	(void)neigh_parse(cut, &neigh);
}

Test(neigh, every_truncation_is_survived)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];

	cut_short(put_neigh(buf, NUD_REACHABLE), parse);
}

static bool lists(const struct neigh *v, size_t n, const char *text, uint8_t last_of_mac)
{
	for (size_t i = 0; i < n; i++) {
		char is[INET6_ADDRSTRLEN];

		inet_ntop(v[i].ip.family == 4 ? AF_INET : AF_INET6, v[i].ip.bytes, is, sizeof(is));
		if (strcmp(is, text) == 0)
			return v[i].mac[5] == last_of_mac;
	}
	return false;
}

Test(neigh, those_of_one_link_are_listed_whose_mac_is_known)
{
	_cleanup_(freep) struct neigh *v = NULL;
	_cleanup_(nl_closep) struct nl *nl = NULL;
	size_t n;

	netns_enter();
	sh("ip -batch - <<-END\n"
	   "neigh add 10.9.0.5 lladdr 02:00:00:00:00:05 dev va nud reachable\n"
	   "neigh add 10.9.0.6 lladdr 02:00:00:00:00:06 dev va nud stale\n"
	   "neigh add fd09::7 lladdr 02:00:00:00:00:07 dev va nud permanent\n"
	   "neigh add 10.9.0.8 lladdr 02:00:00:00:00:08 dev va nud noarp\n"
	   "neigh add 10.9.0.9 lladdr 02:00:00:00:00:09 dev va nud failed\n"
	   "neigh add 10.9.0.10 lladdr 02:00:00:00:00:10 dev vb nud reachable\n"
	   "END\n");
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(neigh_list(nl, netns_index("va"), &v, &n), 0);
	cr_expect(lists(v, n, "10.9.0.5", 5));
	cr_expect(lists(v, n, "10.9.0.6", 6));
	cr_expect(lists(v, n, "fd09::7", 7));
	cr_expect_eq(n, 3);
	for (size_t i = 1; i < n; i++)
		cr_expect_leq(v[i - 1].age, v[i].age);
}

Test(neigh, gateways_come_first_known_or_not)
{
	_cleanup_(freep) struct neigh *v = NULL;
	_cleanup_(nl_closep) struct nl *nl = NULL;
	size_t n;

	netns_enter();
	sh("ip addr add 10.9.0.1/24 dev va && ip addr add fd09::1/64 dev va nodad && "
	   "ip route add default via 10.9.0.254 && ip -6 route add default via fd09::fe && "
	   "for i in 4 254 5; do echo neigh add 10.9.0.$i lladdr 02:00:00:00:00:07 dev va; done | "
	   "ip -batch -");
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(neigh_list(nl, netns_index("va"), &v, &n), 0);
	cr_assert_eq(n, 4);
	for (size_t i = 0; i < n; i++) {
		cr_expect_eq(v[i].gateway, i < 2);
		cr_expect_eq(v[i].known, v[i].ip.family == 4);
		cr_expect(!v[i].gateway || v[i].ip.bytes[ip_len(&v[i].ip) - 1] == 0xfe);
	}
}

Test(neigh, a_link_without_neighbours_and_one_that_is_gone_have_none)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_cleanup_(freep) struct neigh *v = NULL;
	_cleanup_(freep) struct neigh *w = NULL;
	size_t n = 9;

	netns_enter();
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(neigh_list(nl, netns_index("vb"), &v, &n), 0);
	cr_assert_eq(n, 0);
	cr_assert_eq(neigh_list(nl, 9999, &w, &n), 0);
	cr_assert_eq(n, 0);
}

/* More than one datagram of a dump takes. */
Test(neigh, a_full_table_is_read_whole)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_cleanup_(freep) struct neigh *v = NULL;
	size_t n;

	netns_enter();
	sh("for i in $(seq 0 799); do echo neigh add 10.9.$((i / 200)).$((i % 200 + 1)) "
	   "lladdr 02:00:00:00:00:07 dev va nud stale; done | ip -batch -");
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(neigh_list(nl, netns_index("va"), &v, &n), 0);
	cr_assert_eq(n, 800);
}

static void expect_gateway(uint8_t family, const char *link, const char *text)
{
	struct ip ip = { 0 }, expected = { .family = family };

	if (!text) {
		cr_assert_eq(neigh_gateway(family, netns_index(link), &ip), 0);
		return;
	}
	inet_pton(family == 4 ? AF_INET : AF_INET6, text, expected.bytes);
	cr_assert_eq(neigh_gateway(family, netns_index(link), &ip), 1);
	cr_assert(ip_equal(&ip, &expected));
}

Test(neigh, the_gateway_is_that_of_the_link)
{
	netns_enter();
	sh("ip addr add 10.9.0.1/24 dev va && ip addr add fd09::1/64 dev va nodad && "
	   "ip addr add 10.8.0.1/24 dev vb");
	expect_gateway(4, "va", NULL);
	expect_gateway(6, "va", NULL);
	sh("ip route add default via 10.9.0.254 && ip -6 route add default via fe80::fe dev va && "
	   "ip route add default via 10.8.0.254 metric 50");
	expect_gateway(4, "va", "10.9.0.254");
	expect_gateway(6, "va", "fe80::fe");
	expect_gateway(4, "vb", "10.8.0.254");
	expect_gateway(6, "vb", NULL);
}

/* A default route that only names the link, or the other family's gateway, has none. */
Test(neigh, a_route_without_a_gateway_has_none)
{
	netns_enter();
	sh("ip addr add 10.9.0.1/24 dev va && ip route add default dev va");
	expect_gateway(4, "va", NULL);
	sh("ip route replace default via inet6 fe80::fe dev va");
	expect_gateway(4, "va", NULL);
	sh("ip route replace blackhole default");
	expect_gateway(4, "va", NULL);
}

static size_t n_entries(const char *ip)
{
	char command[128], line[16];
	FILE *f;

	(void)snprintf(command, sizeof(command), "ip neigh show to %s nud all | wc -l", ip);
	f = popen(command, "r");
	cr_assert(f && fgets(line, sizeof(line), f));
	(void)pclose(f);
	return strtoul(line, NULL, 10);
}

Test(neigh, what_was_learned_of_some_addresses_is_forgotten, .init = netns_enter)
{
	struct ip ips[] = {
		{ .family = 6, .bytes = { 0xfd, 0x09, [15] = 3 } },
		{ .family = 4, .bytes = { 10, 9, 0, 3 } },
	};
	_cleanup_(nl_closep) struct nl *nl = NULL;

	sh("for nud in reachable stale failed; do"
	   " ip neigh replace 10.9.0.3 lladdr 02:00:00:00:00:03 dev va nud $nud; done;"
	   " ip neigh add 10.9.0.3 lladdr 02:00:00:00:00:03 dev vb nud stale;"
	   " ip neigh add fd09::3 lladdr 02:00:00:00:00:03 dev vb nud delay;"
	   " ip neigh add 10.9.0.4 lladdr 02:00:00:00:00:04 dev va nud reachable;"
	   " ip neigh add fd09::4 lladdr 02:00:00:00:00:04 dev va nud stale");
	cr_assert_eq(n_entries("10.9.0.3") + n_entries("fd09::3"), 3);
	qsort(ips, ARRAY_SIZE(ips), sizeof(*ips), ip_compare);
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(neigh_forget(nl, ips, ARRAY_SIZE(ips)), 0);
	cr_assert_eq(n_entries("10.9.0.3") + n_entries("fd09::3"), 0);
	cr_assert_eq(n_entries("10.9.0.4"), 1);
	cr_assert_eq(n_entries("fd09::4"), 1);
	cr_assert_eq(neigh_forget(nl, ips, ARRAY_SIZE(ips)), 0, "there is nothing left to forget");
}

Test(neigh, what_was_set_for_good_is_not_forgotten, .init = netns_enter)
{
	const struct ip ip = { .family = 4, .bytes = { 10, 9, 0, 3 } };
	_cleanup_(nl_closep) struct nl *nl = NULL;

	sh("ip neigh add 10.9.0.3 lladdr 02:00:00:00:00:03 dev va nud permanent;"
	   " ip neigh add 10.9.0.3 lladdr 02:00:00:00:00:03 dev vb nud noarp");
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(neigh_forget(nl, &ip, 1), 0);
	cr_assert_eq(n_entries("10.9.0.3"), 2);
}

/* SPDX-License-Identifier: MIT */
#pragma once

/* A node in a namespace of its own, with a configuration whose addresses belong on va and vb. */

#include "agent/conf/conf.h"
#include "netlink/addr.h"
#include "tests/netns.h"
#include "tests/with_conf.h"

/* With what a test has to say in section [Agent]. */
#define HELD_NODES_WITH(agent)                                                                     \
	"[Agent]\nAuthentication=none\n" agent                                                     \
	"[Node alpha]\nAddress=10.0.0.1\n[Node beta]\nAddress=10.0.0.2\n"
#define HELD_NODES HELD_NODES_WITH("")

/* Group db is number 0, group sip number 1: they are sorted by name. */
#define HELD_GROUPS                                                                                \
	"[Group sip]\nVirtualAddress=10.9.0.3/24 va\nVirtualAddress=fd09::3/64 va\n"               \
	"VirtualAddress=10.8.0.3 vb\n"                                                             \
	"[Group db]\nVirtualAddress=10.9.0.4 va\n"
#define HELD_CONF HELD_NODES HELD_GROUPS
/* Behind them: a role without addresses, number 2. */
#define HELD_ROLE "[Group vote]\nMode=none\n"

enum { DB, SIP, VOTE };

/* n addresses in group big, and group sip with one; heap. */
static inline char *held_many(int n)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs(HELD_NODES "[Group big]\n", f);
	for (int i = 0; i < n; i++)
		fprintf(f, "VirtualAddress=10.%d.%d.9 va\n", 20 + i / 250, i % 250);
	fputs("[Group sip]\nVirtualAddress=10.9.0.3 va\n", f);
	fclose(f);
	return text;
}

/* Is there a line of `ip -o address` with this text? */
static inline bool held(const char *text)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "ip -o address | grep -qF '%s'", text);
	return system(command) == 0;
}

/* An address with our tag, as a last life or another configuration may have left it. */
static inline void held_add_for(const char *ip, uint8_t prefix, const char *ifname,
				uint32_t valid_s)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	struct addr addr = { .prefix = prefix,
			     .ifindex = netns_index(ifname),
			     .tag = ADDR_TAG,
			     .valid_s = valid_s };
	int error = 1;

	cr_assert_eq(conf_parse_ip(ip, &addr.ip), 0);
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(addr_add(nl, &addr, 1, &error), 0);
	cr_assert_eq(error, 0);
}

static inline void held_add(const char *ip, uint8_t prefix, const char *ifname)
{
	held_add_for(ip, prefix, ifname, 60);
}

/* For how long this address, which is there once, remains valid. */
static inline uint32_t held_valid_s(const char *text)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_cleanup_(freep) struct addr *v = NULL;
	size_t n, n_found = 0;
	uint32_t valid_s = 0;
	struct ip ip;

	cr_assert_eq(conf_parse_ip(text, &ip), 0);
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(addr_list(nl, &v, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (ip_equal(&v[i].ip, &ip)) {
			valid_s = v[i].valid_s;
			n_found++;
		}
	cr_assert_eq(n_found, 1, "%s", text);
	return valid_s;
}

/* How many addresses bear our tag. */
static inline size_t held_count(void)
{
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_cleanup_(freep) struct addr *v = NULL;
	size_t n, n_ours = 0;

	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(addr_list(nl, &v, &n), 0);
	for (size_t i = 0; i < n; i++)
		n_ours += v[i].tag == ADDR_TAG;
	return n_ours;
}

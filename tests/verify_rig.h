/* SPDX-License-Identifier: MIT */
#pragma once

/* What the daemon says and what the kernel has, both made up, to be compared. */

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

static inline struct ip ip(const char *text)
{
	struct ip ip = { .family = strchr(text, ':') ? 6 : 4 };

	cr_assert_eq(inet_pton(ip.family == 4 ? AF_INET : AF_INET6, text, ip.bytes), 1);
	return ip;
}

static inline struct witness_addr *add_addr(struct scene *s, const char *text, uint8_t prefix,
					    int ifindex, uint8_t tag)
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

static inline struct witness_addr *addr(struct scene *s, const char *text)
{
	const struct ip wanted = ip(text);

	for (size_t i = 0; i < s->witness.n_addrs; i++)
		if (ip_equal(&s->addrs[i].ip, &wanted))
			return &s->addrs[i];
	cr_assert_fail("no %s", text);
	return NULL;
}

static inline void remove_route(struct scene *s, const char *text)
{
	const struct ip wanted = ip(text);

	for (size_t i = 0; i < s->witness.n_routes; i++)
		if (ip_equal(&s->routes[i].ip, &wanted))
			s->routes[i--] = s->routes[--s->witness.n_routes];
}

static inline void remove_addr(struct scene *s, const char *text)
{
	struct witness_addr *removed = addr(s, text);

	*removed = s->addrs[--s->witness.n_addrs];
	remove_route(s, text);
}

static inline struct witness_neigh *add_neigh(struct scene *s, const char *text, uint8_t mac)
{
	struct witness_neigh *n = &s->neighs[s->witness.n_neighs++];

	cr_assert_leq(s->witness.n_neighs, NEIGHS_MAX);
	*n = (struct witness_neigh){ .ip = ip(text),
				     .ifindex = ETH0,
				     .mac = { 2, 0, 0, 0, 0, mac } };
	return n;
}

/* The gate, for one address. */
static inline void set_gate(struct scene *s, const char *text, bool traffic, bool answers)
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
static inline void make(struct scene *s, bool primary)
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

static inline int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip));
}

/* As the witness hands them out. */
static inline void sort(struct scene *s)
{
	qsort(s->addrs, s->witness.n_addrs, sizeof(*s->addrs), compare);
	qsort(s->routes, s->witness.n_routes, sizeof(*s->routes), compare);
	qsort(s->neighs, s->witness.n_neighs, sizeof(*s->neighs), compare);
	qsort(s->gate, s->witness.gate.n, sizeof(*s->gate), compare);
}

/* The names that were found, in order, each as often as it was, and what was said of the last. */
static inline void expect_of(struct scene *s, const char *only, const char *names, const char *text)
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

static inline void expect(struct scene *s, const char *names, const char *text)
{
	expect_of(s, NULL, names, text);
}

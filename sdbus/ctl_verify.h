/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What takeoverd says against what the kernel has. The files of `verify` are the
 * only ones of sdbus/ that know what the witness has found: as values, which
 * main() has let somebody else fetch.
 */

#include "netlink/witness.h"
#include "sdbus/ctl.h"

enum ctl_weight {
	CTL_WEIGHT_DIFFERENCE,
	CTL_WEIGHT_HINT,      /* may be as it should be; nothing depends on it now */
	CTL_WEIGHT_UNCHECKED, /* could not be looked at */
	_CTL_WEIGHT_MAX,
};

/* In the order in which they are shown. The names of all are in takeoverctl(1). */
enum ctl_kind_of_finding {
	CTL_FINDING_ADDRESS_MISSING,
	CTL_FINDING_ADDRESS_PREFIX,
	CTL_FINDING_ADDRESS_LABEL,
	CTL_FINDING_ADDRESS_UNTAGGED,
	CTL_FINDING_ADDRESS_LIFETIME,
	CTL_FINDING_ADDRESS_PREFERRED,
	CTL_FINDING_ADDRESS_DAD,
	CTL_FINDING_ADDRESS_TWICE,
	CTL_FINDING_ADDRESS_KEPT,
	CTL_FINDING_ADDRESS_STRANGER,
	CTL_FINDING_ADDRESS_ORPHAN,
	CTL_FINDING_ROUTE_MISSING,
	CTL_FINDING_ROUTE_LOCAL,
	CTL_FINDING_PROXY,
	CTL_FINDING_LINK_DOWN,
	CTL_FINDING_LINK_RUNS,
	CTL_FINDING_LINK_NOARP,
	CTL_FINDING_LINK_KEPT,
	CTL_FINDING_LINK_FOREIGN,
	CTL_FINDING_PATH_MISSING,
	CTL_FINDING_GATE_MISSING,
	CTL_FINDING_GATE_UNKNOWN,
	CTL_FINDING_GATE_CLOSED,
	CTL_FINDING_GATE_SILENT,
	CTL_FINDING_GATE_OPEN,
	CTL_FINDING_GATE_DRAIN,
	CTL_FINDING_ARP_IGNORE,
	CTL_FINDING_DISABLE_IPV6,
	CTL_FINDING_PROMOTE_SECONDARIES,
	CTL_FINDING_NEIGHBOUR_ELSEWHERE,
	CTL_FINDING_NEIGHBOUR_PERMANENT,
	CTL_FINDING_GATE_UNREAD,
	CTL_FINDING_SYSCTL_UNREAD,
	CTL_FINDING_MODE_UNKNOWN,
	CTL_FINDING_IN_MOTION,
	_CTL_FINDING_MAX,
};

struct ctl_finding {
	enum ctl_kind_of_finding kind;
	const char *group; /* borrowed from the model; "": of the host, not of one group */
	char *text;	   /* one sentence: what is, and what to do */
};

struct ctl_findings {
	struct ctl_finding *v;
	size_t n;
	int err; /* -ENOMEM: some could not be kept; -EBADMSG: the daemon's word is none */
};

/* A virtual address, as the daemon says it. Sorted by the address. */
struct ctl_vip {
	struct ip ip;
	uint8_t prefix;
	char ifname[16];
	char label[16]; /* "": none in particular */
	char text[64];	/* the address alone */
	const struct api_group *group;
	const struct witness_link *link; /* NULL: it is not there */
};

/* All that a comparison knows. */
struct ctl_compared {
	const struct ctl_model *model;
	const struct witness *witness;
	struct ctl_vip *vips; /* of all groups; owned */
	size_t n_vips;
	const char *only; /* name of the group that is asked about; NULL: of all */
	struct ctl_findings *findings;
};

/* Addresses of the witness that are @ip: from @v on, @n of them. */
struct ctl_range {
	const void *v;
	size_t n;
};

/* ctl_verify.c */
const char *ctl_finding_name(enum ctl_kind_of_finding kind);
enum ctl_weight ctl_finding_weight(enum ctl_kind_of_finding kind);

/* ctl_verify_compare.c */
int ctl_compare(const struct ctl_model *model, const char *only, const struct witness *witness,
		struct ctl_findings *ret);
void ctl_find(struct ctl_findings *findings, enum ctl_kind_of_finding kind, const char *group,
	      const char *format, ...) __attribute__((format(printf, 4, 5)));
void ctl_findings_done(struct ctl_findings *findings);
struct ctl_range ctl_range(const void *v, size_t n, size_t size, const struct ip *ip);
bool ctl_holds(const struct api_group *group);
bool ctl_parse_ip(const char *text, struct ip *ret);
const char *ctl_ip_text(const struct ip *ip, char *ret, size_t size);
size_t ctl_length(char *const *strv);
const struct witness_link *ctl_link_of(const struct witness *witness, const char *name);
const char *ctl_link_name(const struct witness *witness, int ifindex);

/* ctl_verify_address.c, ctl_verify_host.c, ctl_verify_sub.c */
void ctl_compare_vip(const struct ctl_compared *c, const struct ctl_vip *vip);
void ctl_compare_gate(const struct ctl_compared *c, const struct api_group *group);
void ctl_compare_links(const struct ctl_compared *c, const struct api_group *group);
void ctl_compare_subs(const struct ctl_compared *c, const struct api_group *group);
bool ctl_is_unfit_for(const struct api_group *group, const char *why);
void ctl_find_noarp(const struct ctl_compared *c, const struct ctl_vip *vip);
bool ctl_is_first_on_link(const struct ctl_compared *c, const struct ctl_vip *vip);
void ctl_compare_sysctls(const struct ctl_compared *c, const struct ctl_vip *vip);
const char *ctl_node_address_on(const struct ctl_compared *c, const struct witness_link *link);
void ctl_compare_host(const struct ctl_compared *c);

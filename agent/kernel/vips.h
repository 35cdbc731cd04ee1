/* SPDX-License-Identifier: MIT */
#pragma once

/* A group's addresses in the kernel, worked on a slice at a time. */

#include "agent/conf/conf.h"
#include "netlink/addr.h"

/* One pass over the addresses of a group. */
struct vips {
	struct addr *v;		       /* owned */
	int *errors;		       /* owned; one for each */
	const struct conf_vip *absent; /* the first whose interface is not there; NULL: none */
	size_t n, next;
	size_t n_plain; /* of vips_ours(): no address of others goes with the first so many */
	size_t slice;	/* how many at once; adapts itself */
};

void vips_done(struct vips *vips);
int vips_all(struct nl *nl, const struct conf_group *group, uint32_t valid_s, struct vips *ret);
void vips_keep(struct vips *vips, uint8_t family);
int vips_take_off(struct nl *nl, struct addr *ours, size_t n, const struct addr *others,
		  size_t n_others);
int vips_sorted(const struct conf_group *group, struct ip **ret);
int vips_ours(struct nl *nl, const struct conf_group *group, struct vips *ret);
int vips_missing(struct nl *nl, const struct conf_group *group, uint32_t valid_s, struct vips *ret);
int vips_make_way(struct nl *nl, const struct vips *missing);
int vips_add_slice(struct nl *nl, struct vips *vips);
int vips_unroute_slice(struct nl *nl, struct vips *vips);
int vips_remove_slice(struct nl *nl, struct vips *vips);
int vips_ahead(struct nl *nl, const struct conf_group *group, struct vips *ret);
int vips_step_back(struct nl *nl, struct vips *vips, uint32_t valid_s);
int vips_error(const struct vips *vips);
const struct conf_vip *vips_refused(const struct vips *vips, const struct conf_group *group);
size_t vips_keep_added(struct vips *vips);
bool vips_contain(const struct conf_group *group, const char *ifname, const struct addr *addr);
bool vips_precede(const struct conf_group *group, const char *ifname, const struct addr *addr);
bool vips_concern(const struct conf *conf, const struct addr *addr);

/* SPDX-License-Identifier: MIT */
#pragma once

/* Which interfaces are there and running, and which groups need them. */

#include "agent/conf/conf.h"
#include "netlink/link.h"

enum { LINKS_MAX = 1024 };

/* What has become of an interface that a group needs. */
enum links_state {
	LINKS_MISSING,
	LINKS_DOWN,	  /* administratively */
	LINKS_NO_CARRIER, /* up, but nothing goes through */
	LINKS_RUNNING,
	LINKS_FOREIGN, /* of its name, but not the one that we make */
	_LINKS_STATE_MAX,
};

struct links {
	struct link v[LINKS_MAX];
	size_t n;
};

int links_note(struct links *links, const struct link *link);
void links_forget(struct links *links, int ifindex);
const char *links_name(const struct links *links, int ifindex);
const struct link *links_find(const struct links *links, int ifindex);
enum links_state links_state_of(const struct link *link);
enum links_state links_state(const struct links *links, const char *name);
bool links_have_mac(const struct links *links, const uint8_t mac[static 6]);
const char *links_trouble(const struct links *links, const struct conf_group *group,
			  bool *ret_missing);

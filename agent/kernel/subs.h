/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The interfaces of groups of Mode=subinterface: macvlans that we make, and
 * interfaces that are there; up where the group is held, down elsewhere. Those of a
 * staged group are up elsewhere, too, and without ARP: so its addresses can be on
 * them, and a move is one message for each interface. What is done about groups of
 * another mode is nothing.
 */

#include "agent/conf/conf.h"
#include "netlink/link.h"

/* A group as a node has it. */
struct subs {
	const struct conf_group *group; /* borrowed */
	const struct conf_node *node;	/* this one; borrowed */
};

/* How an interface of a group is, or the one below it. */
enum subs_flaw {
	SUBS_FINE,
	SUBS_MISSING, /* it has to be there, and is not */
	SUBS_SILENT,  /* it has no carrier, or is down and ought not to be */
	SUBS_FOREIGN, /* of this name, but not the one that we make */
	_SUBS_FLAW_MAX,
};

int subs_make(struct nl *nl, const struct subs *subs, const struct conf_vip **ret_refused);
int subs_raise(struct nl *nl, const struct subs *subs, const struct conf_vip **ret_refused);
int subs_raise_ready(struct nl *nl, const struct subs *subs, const struct conf_vip **ret_refused);
int subs_sink(struct nl *nl, const struct subs *subs, const struct conf_vip **ret_refused);
int subs_delete(struct nl *nl, const struct subs *subs);
int subs_tidy(struct nl *nl, const struct conf *conf);

bool subs_stand(const struct subs *subs, const struct link *links, size_t n);
bool subs_sunk(const struct conf_group *group, const struct link *links, size_t n);
enum subs_flaw subs_flaw(const struct conf_group *group, const struct conf_vip *vip,
			 const struct link *links, size_t n, bool held);

/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/nl.h"

struct nftnl_set;
struct nftnl_udata_buf;

/*
 * One nftables transaction over the gate's tables, built in a buffer that
 * grows. The first error sticks, later calls do nothing, sending returns it.
 */
struct gate_batch {
	const char *table; /* the name of that which messages are about; set by the caller */
	char *buf;	   /* owned; NULL before the first message */
	size_t len;
	size_t size;
	uint32_t n_sets; /* that have been added: their numbers in the transaction */
	int error;	 /* negative errno, or 0 */
};

#define GATE_TABLE "takeover"

enum {
	GATE_NODE = 0x7fffffff,	  /* set key of the node itself, beside the numbers of the groups */
	GATE_CHAIN_NAME_MAX = 24, /* "arp_255_4294967295" and less */
	GATE_BATCH_ELEMENTS = 256, /* most elements in one message: 68 bytes each, of 64 KiB */
};

/* Types of keys as `nft` numbers them, so that it can list the sets. */
enum {
	GATE_KEY_IPV4 = 7,
	GATE_KEY_IPV6 = 8,
	GATE_KEY_MARK = 19,
	GATE_KEY_IFNAME = 41,
};

/* A set, or with NFT_SET_MAP in its flags a map of verdicts. */
struct gate_set_plan {
	uint16_t family;
	const char *name;
	uint32_t flags;	   /* NFT_SET_* */
	uint32_t key_type; /* GATE_KEY_* */
	uint32_t key_len;
	uint32_t size; /* most elements; 0: no bound */
};

struct nlmsghdr *gate_batch_begin(struct gate_batch *b, uint16_t type, uint16_t family,
				  uint16_t flags);
void gate_batch_end(struct gate_batch *b, const struct nlmsghdr *nlh);
void gate_batch_fail(struct gate_batch *b, int error);

void gate_batch_table(struct gate_batch *b, uint16_t family, uint32_t flags,
		      const struct nftnl_udata_buf *label);
void gate_batch_remove(struct gate_batch *b, uint16_t family);
void gate_batch_set(struct gate_batch *b, const struct gate_set_plan *plan);
void gate_batch_chain(struct gate_batch *b, uint16_t family, const char *name, int hook,
		      int priority);
void gate_batch_elements(struct gate_batch *b, uint16_t type, uint16_t family,
			 struct nftnl_set *set);
void gate_batch_add(struct gate_batch *b, uint16_t family, const char *set, uint32_t key);
void gate_batch_add_named(struct gate_batch *b, uint16_t family, const char *set, uint32_t key,
			  const char *name);
void gate_batch_grant(struct gate_batch *b, uint16_t family, const char *set, uint32_t key,
		      uint32_t timeout_ms);
void gate_batch_delete(struct gate_batch *b, uint16_t family, const char *set, uint32_t key);
void gate_batch_flush(struct gate_batch *b, uint16_t family, const char *set);

int gate_batch_send(struct gate_batch *b, struct nl *nf);
void gate_batch_done(struct gate_batch *b);

/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/nl.h"

struct nftnl_set;

/*
 * One nftables transaction over the gate's tables, built in a buffer that
 * grows. The first error sticks, later calls do nothing, sending returns it.
 */
struct gate_batch {
	char *buf; /* owned; NULL before the first message */
	size_t len;
	size_t size;
	int error; /* negative errno, or 0 */
};

#define GATE_TABLE "takeover"

enum {
	GATE_TIMEOUT_MIN_MS = 10, /* one tick at 100 Hz; what is less than a tick may never end */
	GATE_NODE = 0x7fffffff,	  /* set key of the node itself, beside the numbers of the groups */
	GATE_CHAIN_NAME_MAX = 24, /* "arp_255_4294967295" and less */
	GATE_BATCH_ELEMENTS = 256, /* most elements in one message: 68 bytes each, of 64 KiB */
};

struct nlmsghdr *gate_batch_begin(struct gate_batch *b, uint16_t type, uint16_t family,
				  uint16_t flags);
void gate_batch_end(struct gate_batch *b, const struct nlmsghdr *nlh);
void gate_batch_fail(struct gate_batch *b, int error);

void gate_batch_chain(struct gate_batch *b, uint16_t family, const char *name, int hook,
		      int priority);
void gate_batch_elements(struct gate_batch *b, uint16_t type, uint16_t family,
			 struct nftnl_set *set);
void gate_batch_add(struct gate_batch *b, uint16_t family, const char *set, uint32_t key);
void gate_batch_grant(struct gate_batch *b, uint16_t family, const char *set, uint32_t key,
		      uint32_t timeout_ms);
void gate_batch_delete(struct gate_batch *b, uint16_t family, const char *set, uint32_t key);
void gate_batch_flush(struct gate_batch *b, uint16_t family, const char *set);

int gate_batch_send(struct gate_batch *b, struct nl *nf);
void gate_batch_done(struct gate_batch *b);

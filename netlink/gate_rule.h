/* SPDX-License-Identifier: MIT */
#pragma once

#include <net/if.h>

#include "netlink/gate_batch.h"

struct nftnl_rule;

/* A rule while it is built, expression by expression; all of them use register 1. */
struct gate_rule {
	struct gate_batch *b;
	uint16_t family;
	struct nftnl_rule *rule; /* owned; NULL: the batch has an error */
};

struct gate_rule gate_rule_begin(struct gate_batch *b, uint16_t family, const char *chain);
void gate_rule_end(struct gate_rule *r);
void gate_rule_meta(struct gate_rule *r, uint32_t key);
void gate_rule_payload(struct gate_rule *r, uint32_t base, uint32_t offset, uint32_t len);
void gate_rule_equals_u8(struct gate_rule *r, uint8_t value);
void gate_rule_equals_u32(struct gate_rule *r, uint32_t value);
void gate_rule_alive(struct gate_rule *r, uint32_t key, const char *set);
void gate_rule_vmap(struct gate_rule *r, const char *map);
void gate_rule_update(struct gate_rule *r, const char *set, uint32_t timeout_ms);
void gate_rule_verdict(struct gate_rule *r, int verdict);
void gate_rule_goto(struct gate_rule *r, const char *chain);
void gate_rule_fib_local(struct gate_rule *r, uint32_t flags);
void gate_rule_device(struct gate_rule *r, const char name[static IF_NAMESIZE]);
void gate_rule_clear(struct gate_rule *r, uint32_t offset);
void gate_rule_udp_to(struct gate_rule *r, uint16_t port);
void gate_rule_tcp_syn(struct gate_rule *r);
void gate_rule_icmpv6(struct gate_rule *r, uint8_t type);
void gate_rule_may_ask(struct gate_rule *r, uint32_t group);
void gate_rule_end_drop(struct gate_rule *r);
void gate_rule_end_reset(struct gate_rule *r);

void gate_rule_drop(struct gate_batch *b, uint16_t family, const char *chain);
void gate_rule_drop_local(struct gate_batch *b, const char *chain, uint32_t flags);
void gate_rule_pass(struct gate_batch *b, uint16_t family, const char *chain, uint32_t group,
		    const char *set);

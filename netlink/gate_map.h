/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/gate.h"
#include "netlink/gate_batch.h"

/* A map of addresses, and the chain of its group that each leads to. */
struct gate_map {
	uint16_t family; /* of the table */
	const char *name;
	uint8_t ip_family;
	int verdict;
	const char *chain; /* of group N: CHAIN_N */
	bool by_device;	   /* an address on a device leads to gate_devices_chain() */
};

void gate_map_fill(struct gate_batch *b, const struct gate_map *map,
		   const struct gate_config *config);
void gate_map_look(struct gate_batch *b, uint16_t family, const char *chain, uint8_t nfproto,
		   uint32_t offset, const char *map);

/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/gate.h"
#include "netlink/gate_batch.h"

/* What it is to a map that addresses are on devices of their own. */
enum gate_map_devices {
	GATE_MAP_ANY,	 /* nothing */
	GATE_MAP_CHAINS, /* each of these leads to gate_devices_chain() */
	GATE_MAP_STAGED, /* there are only those on staged ones */
};

/* A map of addresses, and the chain of its group that each leads to. */
struct gate_map {
	uint16_t family; /* of the table */
	const char *name;
	uint8_t ip_family;
	int verdict;
	const char *chain; /* of group N: CHAIN_N */
	enum gate_map_devices devices;
};

void gate_map_fill(struct gate_batch *b, const struct gate_map *map,
		   const struct gate_config *config);
void gate_map_look(struct gate_batch *b, uint16_t family, const char *chain, uint8_t nfproto,
		   uint32_t offset, const char *map);

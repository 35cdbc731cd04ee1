/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/neigh.h"
#include "netlink/packet.h"

void nd_build_advertisement(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
			    bool router);
void nd_build_unicast(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
		      bool router, const struct neigh *to);
void nd_build_solicitation(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
			   const struct neigh *to);
void nd_build_probe(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip);
int nd_parse_advertisement(const uint8_t *bytes, size_t len, uint8_t hop_limit, struct neigh *ret);

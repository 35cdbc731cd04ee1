/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/neigh.h"
#include "netlink/packet.h"

enum { ARP_LEN = 28 }; /* a packet about IPv4 on Ethernet, without Ethernet's header */

/* The two forms of a gratuitous ARP; equipment differs in which one it believes. */
enum arp_form {
	ARP_FORM_REQUEST,
	ARP_FORM_REPLY,
};

void arp_build_announcement(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
			    enum arp_form form);
void arp_build_unicast(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
		       enum arp_form form, const struct neigh *to);
void arp_build_probe(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip);
int arp_parse(const uint8_t *bytes, size_t len, struct neigh *ret);

/* SPDX-License-Identifier: MIT */

#include "netlink/arp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>

/* RFC 826, on Ethernet. */
struct announcement {
	struct ether_header eth;
	struct ether_arp arp;
} __attribute__((packed));

_Static_assert(sizeof(struct announcement) == 42, "14 bytes of Ethernet, 28 of ARP");
_Static_assert(sizeof(struct ether_arp) == ARP_LEN, "what arp_parse() reads");

/**
 * arp_build_announcement() - Build a gratuitous ARP frame: this address is at this MAC.
 * @ret: the frame, broadcast, padded to Ethernet's minimum
 * @mac: where the address is
 * @ip: the IPv4 address
 * @form: request (RFC 5227 section 3: what an announcement is), or reply, for
 *	equipment that believes only these. Linux takes a reply for gratuitous
 *	only if its target MAC is the sender's, otherwise it may be ignored for
 *	a second (locktime).
 */
void arp_build_announcement(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
			    enum arp_form form)
{
	const uint16_t op = form == ARP_FORM_REQUEST ? ARPOP_REQUEST : ARPOP_REPLY;
	struct announcement a = {
		.eth.ether_type = htons(ETHERTYPE_ARP),
		.arp.ea_hdr = {
			.ar_hrd = htons(ARPHRD_ETHER),
			.ar_pro = htons(ETHERTYPE_IP),
			.ar_hln = ETHER_ADDR_LEN,
			.ar_pln = 4,
			.ar_op = htons(op),
		},
	};

	assert(ip->family == 4);
	memset(a.eth.ether_dhost, 0xff, sizeof(a.eth.ether_dhost));
	memcpy(a.eth.ether_shost, mac, sizeof(a.eth.ether_shost));
	memcpy(a.arp.arp_sha, mac, sizeof(a.arp.arp_sha));
	memcpy(a.arp.arp_spa, ip->bytes, sizeof(a.arp.arp_spa));
	memcpy(a.arp.arp_tpa, ip->bytes, sizeof(a.arp.arp_tpa));
	if (form == ARP_FORM_REPLY)
		memcpy(a.arp.arp_tha, mac, sizeof(a.arp.arp_tha));

	*ret = (struct frame){ .len = ETH_ZLEN };
	memcpy(ret->bytes, &a, sizeof(a));
}

/**
 * arp_build_unicast() - Build an ARP frame that tells one host alone: this address is at this MAC.
 * @ret: the frame, padded to Ethernet's minimum
 * @mac: where the address is
 * @ip: the IPv4 address
 * @form: request, which asks @to for its own address: nothing about it is
 *	gratuitous, it has to be answered, and whoever answers it takes down who
 *	has asked (RFC 826, "packet reception"); or reply, as if @to had asked
 * @to: the host. If its MAC is not known, everybody hears the request and only
 *	this host takes it down; a reply needs the MAC.
 */
void arp_build_unicast(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
		       enum arp_form form, const struct neigh *to)
{
	struct announcement a;

	assert(to->ip.family == 4 && (to->known || form == ARP_FORM_REQUEST));
	arp_build_announcement(ret, mac, ip, form);
	memcpy(&a, ret->bytes, sizeof(a));
	memcpy(a.arp.arp_tpa, to->ip.bytes, sizeof(a.arp.arp_tpa));
	if (to->known)
		memcpy(a.eth.ether_dhost, to->mac, sizeof(a.eth.ether_dhost));
	if (form == ARP_FORM_REPLY)
		memcpy(a.arp.arp_tha, to->mac, sizeof(a.arp.arp_tha));
	memcpy(ret->bytes, &a, sizeof(a));
}

/**
 * arp_build_probe() - Build the question whether anybody has an address (RFC 5227 section 2.1.1).
 * @ret: the frame, broadcast, padded to Ethernet's minimum
 * @mac: who asks
 * @ip: the IPv4 address
 *
 * It names no sender's address, so nobody takes down that the address is here.
 */
void arp_build_probe(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip)
{
	struct announcement a;

	arp_build_announcement(ret, mac, ip, ARP_FORM_REQUEST);
	memcpy(&a, ret->bytes, sizeof(a));
	memset(a.arp.arp_spa, 0, sizeof(a.arp.arp_spa));
	memcpy(ret->bytes, &a, sizeof(a));
}

/**
 * arp_parse() - Read who says of himself where he is.
 * @bytes: an ARP packet, without its Ethernet header; not trusted
 * @len: number of them; what follows the packet is padding
 * @ret: the sender: request and reply say that his address is at his MAC
 *
 * A probe says so of no address: its sender is 0.0.0.0.
 *
 * Return: 0; -EBADMSG when it is not a whole request or reply about IPv4 on
 * Ethernet.
 */
int arp_parse(const uint8_t *bytes, size_t len, struct neigh *ret)
{
	struct neigh sender = { .ip.family = 4, .known = true };
	struct ether_arp arp;

	if (len < sizeof(arp))
		return -EBADMSG;
	memcpy(&arp, bytes, sizeof(arp));
	if (arp.arp_hrd != htons(ARPHRD_ETHER) || arp.arp_pro != htons(ETHERTYPE_IP) ||
	    arp.arp_hln != ETHER_ADDR_LEN || arp.arp_pln != 4)
		return -EBADMSG;
	if (arp.arp_op != htons(ARPOP_REQUEST) && arp.arp_op != htons(ARPOP_REPLY))
		return -EBADMSG;
	memcpy(sender.ip.bytes, arp.arp_spa, sizeof(arp.arp_spa));
	memcpy(sender.mac, arp.arp_sha, sizeof(sender.mac));
	*ret = sender;
	return 0;
}

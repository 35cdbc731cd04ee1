/* SPDX-License-Identifier: MIT */

#include "netlink/nd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>

/* RFC 4861 section 4.4 with the target link-layer address option, on Ethernet. */
struct advertisement {
	struct ether_header eth;
	struct ip6_hdr ip6;
	struct nd_neighbor_advert na;
	struct nd_opt_hdr option;
	uint8_t mac[6];
} __attribute__((packed));

_Static_assert(sizeof(struct advertisement) == 86, "14 + 40 + 24 + 8 bytes");

enum {
	ICMP_OFFSET = offsetof(struct advertisement, na),
	ICMP_LEN = sizeof(struct advertisement) - ICMP_OFFSET,
	ADDRESSES_OFFSET = offsetof(struct advertisement, ip6.ip6_src),
	ADDRESSES_LEN = 2 * sizeof(struct in6_addr),
};

static uint32_t sum_words(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

/*
 * RFC 4443 section 2.3: over the pseudo-header of RFC 8200 section 8.1, and the message, which
 * has @len bytes.
 */
static uint16_t checksum(const struct advertisement *a, uint16_t len)
{
	const uint8_t *bytes = (const uint8_t *)a;
	uint32_t sum = (uint32_t)len + IPPROTO_ICMPV6;

	sum += sum_words(bytes + ADDRESSES_OFFSET, ADDRESSES_LEN);
	sum += sum_words(bytes + ICMP_OFFSET, len);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/**
 * nd_build_advertisement() - Build an unsolicited neighbour advertisement: this address is at
 *	this MAC (RFC 4861 section 7.2.6).
 * @ret: the frame, to all nodes of the link
 * @mac: where the address is
 * @ip: the IPv6 address, which is the source as well
 * @router: whether this host forwards; a wrong answer makes hosts drop their
 *	default route through us, or keep one they should not
 */
void nd_build_advertisement(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
			    bool router)
{
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 0x01 };
	static const uint8_t all_nodes_mac[6] = { 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 };
	struct advertisement a = {
		.eth.ether_type = htons(ETHERTYPE_IPV6),
		.ip6.ip6_flow = htonl(6U << 28),
		.ip6.ip6_plen = htons(ICMP_LEN),
		.ip6.ip6_nxt = IPPROTO_ICMPV6,
		.ip6.ip6_hlim = 255,
		.na.nd_na_type = ND_NEIGHBOR_ADVERT,
		.na.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE | (router ? ND_NA_FLAG_ROUTER : 0),
		.option.nd_opt_type = ND_OPT_TARGET_LINKADDR,
		.option.nd_opt_len = 1, /* in units of 8 bytes */
	};

	assert(ip->family == 6);
	memcpy(a.eth.ether_dhost, all_nodes_mac, sizeof(all_nodes_mac));
	memcpy(a.eth.ether_shost, mac, sizeof(a.eth.ether_shost));
	memcpy(&a.ip6.ip6_src, ip->bytes, sizeof(a.ip6.ip6_src));
	memcpy(&a.ip6.ip6_dst, all_nodes, sizeof(all_nodes));
	memcpy(&a.na.nd_na_target, ip->bytes, sizeof(a.na.nd_na_target));
	memcpy(a.mac, mac, sizeof(a.mac));
	a.na.nd_na_cksum = htons(checksum(&a, ICMP_LEN));

	*ret = (struct frame){ .len = sizeof(a) };
	memcpy(ret->bytes, &a, sizeof(a));
}

/* Address a built message to another host, by both its addresses. */
static void readdress(struct frame *frame, struct advertisement *a, const uint8_t mac[static 6],
		      const uint8_t ip[static 16])
{
	memcpy(a->eth.ether_dhost, mac, sizeof(a->eth.ether_dhost));
	memcpy(&a->ip6.ip6_dst, ip, sizeof(a->ip6.ip6_dst));
	a->na.nd_na_cksum = 0;
	a->na.nd_na_cksum = htons(checksum(a, ICMP_LEN));
	memcpy(frame->bytes, a, sizeof(*a));
}

/**
 * nd_build_unicast() - Build the unsolicited neighbour advertisement for one host alone.
 * @ret: the frame
 * @mac: where the address is
 * @ip: the IPv6 address, which is the source as well
 * @router: as of nd_build_advertisement()
 * @to: the host; its MAC is known
 */
void nd_build_unicast(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
		      bool router, const struct neigh *to)
{
	struct advertisement a;

	assert(to->ip.family == 6 && to->known);
	nd_build_advertisement(ret, mac, ip, router);
	memcpy(&a, ret->bytes, sizeof(a));
	readdress(ret, &a, to->mac, to->ip.bytes);
}

/* The solicited-node group of an address (RFC 4291 section 2.7.1), and its MAC (RFC 2464). */
static void solicited_node(const struct ip *ip, uint8_t ret_group[static 16],
			   uint8_t ret_mac[static 6])
{
	static const uint8_t group[16] = { 0xff, 0x02, [11] = 0x01, [12] = 0xff };
	static const uint8_t mac[6] = { 0x33, 0x33, 0xff };

	memcpy(ret_group, group, sizeof(group));
	memcpy(ret_mac, mac, sizeof(mac));
	memcpy(ret_group + 13, ip->bytes + 13, 3);
	memcpy(ret_mac + 3, ip->bytes + 13, 3);
}

_Static_assert(sizeof(struct nd_neighbor_solicit) == sizeof(struct nd_neighbor_advert),
	       "the two differ in their type, their flags and their option only");

/**
 * nd_build_solicitation() - Build a neighbour solicitation that asks a host for its own address.
 * @ret: the frame
 * @mac: where the address is
 * @ip: the IPv6 address, which is the source as well
 * @to: the host. If its MAC is not known, the question goes to its
 *	solicited-node group (RFC 4291 section 2.7.1).
 *
 * Who is asked takes down who asks (RFC 4861 section 7.2.3), also where
 * unsolicited advertisements are ignored.
 */
void nd_build_solicitation(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
			   const struct neigh *to)
{
	uint8_t group[16], group_mac[6];
	struct advertisement a;

	assert(to->ip.family == 6);
	nd_build_advertisement(ret, mac, ip, false);
	memcpy(&a, ret->bytes, sizeof(a));
	a.na.nd_na_type = ND_NEIGHBOR_SOLICIT;
	a.na.nd_na_flags_reserved = 0;
	a.option.nd_opt_type = ND_OPT_SOURCE_LINKADDR;
	memcpy(&a.na.nd_na_target, to->ip.bytes, sizeof(a.na.nd_na_target));
	solicited_node(&to->ip, group, group_mac);
	readdress(ret, &a, to->known ? to->mac : group_mac, to->known ? to->ip.bytes : group);
}

/**
 * nd_build_probe() - Build the question whether anybody has an address: what a host asks that
 *	looks for duplicates (RFC 4862 section 5.4.2).
 * @ret: the frame, to the address's solicited-node group
 * @mac: who asks
 * @ip: the IPv6 address
 *
 * It comes from nowhere and has no option, so nobody takes down that the
 * address is here, and the answer goes to all nodes (RFC 4861 section 7.2.4).
 */
void nd_build_probe(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip)
{
	struct advertisement a;
	uint8_t group[16];

	nd_build_advertisement(ret, mac, ip, false);
	memcpy(&a, ret->bytes, sizeof(a));
	solicited_node(ip, group, a.eth.ether_dhost);
	memcpy(&a.ip6.ip6_dst, group, sizeof(group));
	memset(&a.ip6.ip6_src, 0, sizeof(a.ip6.ip6_src));
	a.ip6.ip6_plen = htons(sizeof(a.na));
	a.na.nd_na_type = ND_NEIGHBOR_SOLICIT;
	a.na.nd_na_flags_reserved = 0;
	a.na.nd_na_cksum = 0;
	a.na.nd_na_cksum = htons(checksum(&a, sizeof(a.na)));

	*ret = (struct frame){ .len = offsetof(struct advertisement, option) };
	memcpy(ret->bytes, &a, ret->len);
}

/* The options of a message: takes the target's MAC from them, if it is there. */
static int parse_options(const uint8_t *bytes, size_t len, struct neigh *ret)
{
	enum { UNIT = 8 }; /* in which lengths count */

	while (len > 0) {
		size_t option_len = len < 2 ? 0 : bytes[1] * (size_t)UNIT;

		if (option_len == 0 || option_len > len)
			return -EBADMSG;
		if (bytes[0] == ND_OPT_TARGET_LINKADDR && option_len == UNIT) {
			memcpy(ret->mac, bytes + 2, sizeof(ret->mac));
			ret->known = true;
		}
		bytes += option_len;
		len -= option_len;
	}
	return 0;
}

/**
 * nd_parse_advertisement() - Read who says of an address that he has it.
 * @bytes: an ICMPv6 message whose checksum is right; not trusted beyond that
 * @len: number of them
 * @hop_limit: with which it has come: 255, or a router has passed it on
 * @ret: the target; its MAC is known if the message says it
 *
 * Return: 0; -EBADMSG when it is not a valid neighbour advertisement
 * (RFC 4861 section 7.1.2).
 */
int nd_parse_advertisement(const uint8_t *bytes, size_t len, uint8_t hop_limit, struct neigh *ret)
{
	struct neigh target = { .ip.family = 6 };
	struct nd_neighbor_advert na;
	int r;

	if (len < sizeof(na) || hop_limit != 255)
		return -EBADMSG;
	memcpy(&na, bytes, sizeof(na));
	if (na.nd_na_type != ND_NEIGHBOR_ADVERT || na.nd_na_code != 0 ||
	    IN6_IS_ADDR_MULTICAST(&na.nd_na_target))
		return -EBADMSG;
	memcpy(target.ip.bytes, &na.nd_na_target, sizeof(target.ip.bytes));
	r = parse_options(bytes + sizeof(na), len - sizeof(na), &target);
	if (r < 0)
		return r;
	*ret = target;
	return 0;
}

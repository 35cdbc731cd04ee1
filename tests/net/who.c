/* SPDX-License-Identifier: MIT */
/* Who answers for an address: asked by frames of our own, whatever the kernel here believes. */
#include "tests/net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <sys/ioctl.h>

enum { WAIT_MS = 10000, ECHO_REPLY = 0, ECHO_REQUEST = 8 /* RFC 792 */ };

/* Whoever asks: an interface, its MAC, and an address of this host on it. */
struct asker {
	int fd;
	uint8_t mac[6];
	bool v6;
	uint8_t ip[16];
};

struct frame {
	struct ether_header eth;
	union {
		struct ether_arp arp;
		struct {
			struct iphdr ip;
			struct icmp6_hdr icmp; /* ICMP has the same fields */
		} __attribute__((packed)) ping4;
		struct {
			struct ip6_hdr ip;
			struct icmp6_hdr icmp;
		} __attribute__((packed)) ping6;
		struct {
			struct ip6_hdr ip;
			struct nd_neighbor_solicit ns;
			struct nd_opt_hdr option; /* the MAC of who asks */
			uint8_t mac[6];
		} __attribute__((packed)) ns;
	};
} __attribute__((packed));

static uint16_t checksum(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static size_t build_arp(const struct asker *a, const uint8_t *ip, struct frame *f)
{
	memset(f->eth.ether_dhost, 0xff, 6);
	f->eth.ether_type = htons(ETHERTYPE_ARP);
	f->arp.ea_hdr = (struct arphdr){ htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), 6, 4,
					 htons(ARPOP_REQUEST) };
	memcpy(f->arp.arp_sha, a->mac, 6);
	memcpy(f->arp.arp_spa, a->ip, 4);
	memcpy(f->arp.arp_tpa, ip, 4);
	return sizeof(f->eth) + sizeof(f->arp);
}

static size_t build_ping4(const struct asker *a, const uint8_t *ip, struct frame *f)
{
	f->eth.ether_type = htons(ETHERTYPE_IP);
	f->ping4.ip = (struct iphdr){ .version = 4,
				      .ihl = 5,
				      .tot_len = htons(sizeof(f->ping4)),
				      .ttl = 64,
				      .protocol = IPPROTO_ICMP };
	memcpy(&f->ping4.ip.saddr, a->ip, 4);
	memcpy(&f->ping4.ip.daddr, ip, 4);
	f->ping4.ip.check = checksum(0, &f->ping4.ip, sizeof(f->ping4.ip));
	f->ping4.icmp.icmp6_type = ECHO_REQUEST;
	f->ping4.icmp.icmp6_cksum = checksum(0, &f->ping4.icmp, sizeof(f->ping4.icmp));
	return sizeof(f->eth) + sizeof(f->ping4);
}

static void build_ip6(const struct asker *a, const uint8_t *to, size_t len, struct frame *f)
{
	f->eth.ether_type = htons(ETHERTYPE_IPV6);
	f->ping6.ip = (struct ip6_hdr){ .ip6_plen = htons((uint16_t)len),
					.ip6_nxt = IPPROTO_ICMPV6,
					.ip6_hlim = 255 };
	f->ping6.ip.ip6_flow = htonl(6U << 28);
	memcpy(&f->ping6.ip.ip6_src, a->ip, 16);
	memcpy(&f->ping6.ip.ip6_dst, to, 16);
}

/* Over addresses, length and protocol, as RFC 8200, 8.1 has it. */
static uint16_t checksum6(const struct frame *f, size_t len)
{
	return checksum((uint32_t)len + IPPROTO_ICMPV6, &f->ping6.ip.ip6_src, 32 + len);
}

static size_t build_ping6(const struct asker *a, const uint8_t *ip, struct frame *f)
{
	build_ip6(a, ip, sizeof(f->ping6.icmp), f);
	f->ping6.icmp.icmp6_type = ICMP6_ECHO_REQUEST;
	f->ping6.icmp.icmp6_cksum = checksum6(f, sizeof(f->ping6.icmp));
	return sizeof(f->eth) + sizeof(f->ping6);
}

static size_t build_ns(const struct asker *a, const uint8_t *ip, struct frame *f)
{
	const size_t len = sizeof(f->ns) - sizeof(f->ns.ip);
	uint8_t group[16] = { 0xff, 2, [11] = 1, [12] = 0xff, ip[13], ip[14], ip[15] };

	build_ip6(a, group, len, f);
	memcpy(f->eth.ether_dhost, (uint8_t[]){ 0x33, 0x33, 0xff, ip[13], ip[14], ip[15] }, 6);
	f->ns.ns.nd_ns_type = ND_NEIGHBOR_SOLICIT;
	memcpy(&f->ns.ns.nd_ns_target, ip, 16);
	f->ns.option = (struct nd_opt_hdr){ ND_OPT_SOURCE_LINKADDR, 1 };
	memcpy(f->ns.mac, a->mac, 6);
	f->ns.ns.nd_ns_cksum = checksum6(f, len);
	return sizeof(f->eth) + sizeof(f->ns);
}

/* The word for what this frame answers, and the address that it speaks for; NULL: nothing. */
static const char *answer_of(const struct frame *f, const uint8_t **ret_ip)
{
	const uint8_t *icmp6 = (const uint8_t *)&f->ping6.icmp;

	*ret_ip = NULL;
	if (f->eth.ether_type == htons(ETHERTYPE_ARP) && f->arp.arp_op == htons(ARPOP_REPLY)) {
		*ret_ip = f->arp.arp_spa;
		return "arp";
	}
	if (f->eth.ether_type == htons(ETHERTYPE_IP) && f->ping4.ip.protocol == IPPROTO_ICMP &&
	    f->ping4.icmp.icmp6_type == ECHO_REPLY) {
		*ret_ip = (const uint8_t *)&f->ping4.ip.saddr;
		return "ping";
	}
	if (f->eth.ether_type != htons(ETHERTYPE_IPV6) || f->ping6.ip.ip6_nxt != IPPROTO_ICMPV6)
		return NULL;
	*ret_ip =
		icmp6[0] == ND_NEIGHBOR_ADVERT ? icmp6 + 8 : (const uint8_t *)&f->ping6.ip.ip6_src;
	if (icmp6[0] == ND_NEIGHBOR_ADVERT)
		return "nd";
	return icmp6[0] == ICMP6_ECHO_REPLY ? "ping" : NULL;
}

/* Prints who answers for @ip until @sync has been answered for; 1: it never was. */
static int hear(const struct asker *a, const char *kind, const uint8_t *ip, const uint8_t *sync)
{
	const size_t len = a->v6 ? 16 : 4;
	uint8_t buf[FRAME_SIZE];

	for (;;) {
		struct pollfd ready = { .fd = a->fd, .events = POLLIN };
		const struct frame *f = (const void *)buf;
		const uint8_t *from;
		const char *word;
		uint8_t mac[6];

		if (poll(&ready, 1, WAIT_MS) <= 0)
			return 1;
		memset(buf, 0, sizeof(struct frame));
		if (recv(a->fd, buf, sizeof(buf), 0) < 0)
			continue;
		word = answer_of(f, &from);
		if (!word || strcmp(word, kind) != 0)
			continue;
		memcpy(mac, f->eth.ether_shost, 6);
		if (!memcmp(from, ip, len))
			printf("%s %02x:%02x:%02x:%02x:%02x:%02x\n", kind, mac[0], mac[1], mac[2],
			       mac[3], mac[4], mac[5]);
		if (!memcmp(from, sync, len))
			return 0;
	}
}

typedef size_t (*builder)(const struct asker *a, const uint8_t *ip, struct frame *f);

static int ask(const struct asker *a, builder build, const uint8_t *ip, const uint8_t *to)
{
	struct frame f;
	size_t len;

	memset(&f, 0, sizeof(f));
	if (to)
		memcpy(f.eth.ether_dhost, to, 6);
	memcpy(f.eth.ether_shost, a->mac, 6);
	len = build(a, ip, &f);
	return send(a->fd, &f, len, 0) == (ssize_t)len ? 0 : -EIO;
}

static int open_asker(const char *ifname, const char *ip, struct asker *ret)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq ifr = { 0 };

	ret->v6 = strchr(ip, ':');
	ret->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	ll.sll_ifindex = (int)if_nametoindex(ifname);
	if (ret->fd < 0 || !ll.sll_ifindex || ioctl(ret->fd, SIOCGIFHWADDR, &ifr) < 0 ||
	    bind(ret->fd, (const struct sockaddr *)&ll, sizeof(ll)) < 0 ||
	    inet_pton(ret->v6 ? AF_INET6 : AF_INET, ip, ret->ip) != 1)
		return -EINVAL;
	memcpy(ret->mac, ifr.ifr_hwaddr.sa_data, 6);
	return 0;
}

/*
 * who IFNAME OWN ADDRESS SYNC SYNC-MAC [MAC...]: asks in OWN's name for ADDRESS, by ARP or ND
 * and by echo requests to each MAC, and after each for SYNC, which does answer, at
 * SYNC-MAC. Prints "arp MAC", "nd MAC" or "ping MAC" for each answer. Where ADDRESS
 * is SYNC that is the first one: a macvlan's comes after that of the link below.
 */
int who_verb(int argc, char **argv)
{
	struct asker a = { 0 };
	uint8_t ip[16], sync[16];
	const struct ether_addr *mac;
	int family, r = 0;

	if (argc < 6 || open_asker(argv[1], argv[2], &a) < 0)
		return 2;
	family = a.v6 ? AF_INET6 : AF_INET;
	if (inet_pton(family, argv[3], ip) != 1 || inet_pton(family, argv[4], sync) != 1)
		return 2;
	if (ask(&a, a.v6 ? build_ns : build_arp, ip, NULL) < 0 ||
	    ask(&a, a.v6 ? build_ns : build_arp, sync, NULL) < 0)
		return 2;
	r = hear(&a, a.v6 ? "nd" : "arp", ip, sync);
	for (int i = 5; i < argc && r == 0; i++) {
		mac = ether_aton(argv[i]);
		if (!mac ||
		    ask(&a, a.v6 ? build_ping6 : build_ping4, ip, mac->ether_addr_octet) < 0)
			return 2;
		mac = ether_aton(argv[5]);
		if (ask(&a, a.v6 ? build_ping6 : build_ping4, sync, mac->ether_addr_octet) < 0)
			return 2;
		r = hear(&a, "ping", ip, sync);
	}
	return r;
}

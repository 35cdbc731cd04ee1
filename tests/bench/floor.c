/* SPDX-License-Identifier: MIT */
/*
 * The floor of a takeover of many addresses: the requests to the kernel in one send, the
 * announcements through a socket that is open already, and nothing else. Nothing is asked
 * before, read back, or said to anybody; nothing of takeoverd is in it. Prints when it
 * began and what took how long.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	COUNT_MAX = 60000,
	REQUEST_BYTES = 128, /* more than any of ours is long */
	FRAME_BYTES = 96,
	BURST = 1024, /* frames in one sendmmsg(): UIO_MAXIOV */
};

struct floor {
	int family; /* AF_INET or AF_INET6 */
	uint8_t first[16];
	unsigned ifindex, count;
	uint8_t mac[6];
	bool add;
	int rtnl, packet;
	uint8_t *requests;
	size_t requests_len;
	uint8_t (*frames)[FRAME_BYTES];
	size_t frame_len;
	struct mmsghdr *messages;
	struct iovec *iovecs;
};

static int fail(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	return 2;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static size_t address_len(const struct floor *f)
{
	return f->family == AF_INET ? 4 : 16;
}

/* Address number @i: they follow each other. */
static void address(const struct floor *f, unsigned i, uint8_t ret[static 16])
{
	size_t low = address_len(f) - 4;
	uint32_t n;

	memcpy(ret, f->first, 16);
	memcpy(&n, ret + low, 4);
	n = htonl(ntohl(n) + i);
	memcpy(ret + low, &n, 4);
}

static void build_request(struct floor *f, unsigned i)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(f->requests + f->requests_len);
	struct ifaddrmsg *ifa;
	uint8_t ip[16];

	nlh->nlmsg_type = f->add ? RTM_NEWADDR : RTM_DELADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | (f->add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	nlh->nlmsg_seq = i + 1;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	*ifa = (struct ifaddrmsg){
		.ifa_family = (uint8_t)f->family,
		.ifa_prefixlen = (uint8_t)(8 * address_len(f)),
		.ifa_flags = f->family == AF_INET6 ? IFA_F_NODAD : 0,
		.ifa_index = f->ifindex,
	};
	address(f, i, ip);
	mnl_attr_put(nlh, IFA_LOCAL, address_len(f), ip);
	mnl_attr_put(nlh, IFA_ADDRESS, address_len(f), ip);
	f->requests_len += NLMSG_ALIGN(nlh->nlmsg_len);
}

/* A gratuitous ARP request, as RFC 5227 section 3 wants it. */
static void build_arp(const struct floor *f, const uint8_t ip[static 16], uint8_t *frame)
{
	struct ether_header *eth = (void *)frame;
	struct ether_arp *arp = (void *)(eth + 1);

	memset(eth->ether_dhost, 0xff, 6);
	memcpy(eth->ether_shost, f->mac, 6);
	eth->ether_type = htons(ETHERTYPE_ARP);
	arp->ea_hdr = (struct arphdr){ .ar_hrd = htons(ARPHRD_ETHER),
				       .ar_pro = htons(ETHERTYPE_IP),
				       .ar_hln = 6,
				       .ar_pln = 4,
				       .ar_op = htons(ARPOP_REQUEST) };
	memcpy(arp->arp_sha, f->mac, 6);
	memcpy(arp->arp_spa, ip, 4);
	memcpy(arp->arp_tpa, ip, 4);
}

static uint16_t checksum(const struct ip6_hdr *ip6, const uint16_t *words, size_t n)
{
	const uint16_t *addresses = (const void *)&ip6->ip6_src;
	uint32_t sum = (uint32_t)ip6->ip6_plen + htons(IPPROTO_ICMPV6);

	for (size_t i = 0; i < 16; i++)
		sum += addresses[i];
	for (size_t i = 0; i < n; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* An unsolicited neighbour advertisement (RFC 4861 section 7.2.6) to all nodes. */
static void build_advertisement(const struct floor *f, const uint8_t ip[static 16], uint8_t *frame)
{
	struct ether_header *eth = (void *)frame;
	struct ip6_hdr *ip6 = (void *)(eth + 1);
	struct nd_neighbor_advert *na = (void *)(ip6 + 1);
	struct nd_opt_hdr *option = (void *)(na + 1);
	const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };

	memcpy(eth->ether_dhost, (const uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, 6);
	memcpy(eth->ether_shost, f->mac, 6);
	eth->ether_type = htons(ETHERTYPE_IPV6);
	ip6->ip6_vfc = 6 << 4;
	ip6->ip6_plen = htons(sizeof(*na) + 8);
	ip6->ip6_nxt = IPPROTO_ICMPV6;
	ip6->ip6_hlim = 255;
	memcpy(&ip6->ip6_src, ip, 16);
	memcpy(&ip6->ip6_dst, all_nodes, 16);
	na->nd_na_type = ND_NEIGHBOR_ADVERT;
	na->nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	memcpy(&na->nd_na_target, ip, 16);
	option->nd_opt_type = ND_OPT_TARGET_LINKADDR;
	option->nd_opt_len = 1;
	memcpy(option + 1, f->mac, 6);
	na->nd_na_cksum = checksum(ip6, (const void *)na, (sizeof(*na) + 8) / 2);
}

static int build(struct floor *f)
{
	uint8_t ip[16];

	f->requests = calloc(f->count, REQUEST_BYTES);
	f->frames = calloc(f->count, sizeof(*f->frames));
	f->messages = calloc(f->count, sizeof(*f->messages));
	f->iovecs = calloc(f->count, sizeof(*f->iovecs));
	if (!f->requests || !f->frames || !f->messages || !f->iovecs)
		return -1;
	f->frame_len = sizeof(struct ether_header) +
		       (f->family == AF_INET
				? sizeof(struct ether_arp)
				: sizeof(struct ip6_hdr) + sizeof(struct nd_neighbor_advert) + 8);
	for (unsigned i = 0; i < f->count; i++) {
		build_request(f, i);
		address(f, i, ip);
		if (f->family == AF_INET)
			build_arp(f, ip, f->frames[i]);
		else
			build_advertisement(f, ip, f->frames[i]);
		f->iovecs[i] = (struct iovec){ f->frames[i], f->frame_len };
		f->messages[i].msg_hdr.msg_iov = &f->iovecs[i];
		f->messages[i].msg_hdr.msg_iovlen = 1;
	}
	return 0;
}

static int open_sockets(struct floor *f, const char *ifname)
{
	struct sockaddr_ll self = { .sll_family = AF_PACKET };
	int size = (int)f->count * REQUEST_BYTES * 2 + 65536;
	struct ifreq request = { 0 };

	f->ifindex = if_nametoindex(ifname);
	self.sll_ifindex = (int)f->ifindex;
	f->rtnl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	f->packet = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (!f->ifindex || f->rtnl < 0 || f->packet < 0)
		return -1;
	if (setsockopt(f->rtnl, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0 ||
	    bind(f->packet, (const struct sockaddr *)&self, sizeof(self)) < 0)
		return -1;
	strncpy(request.ifr_name, ifname, IFNAMSIZ - 1);
	if (ioctl(f->packet, SIOCGIFHWADDR, &request) < 0)
		return -1;
	memcpy(f->mac, request.ifr_hwaddr.sa_data, sizeof(f->mac));
	return 0;
}

/* The kernel answers only what it refuses, and has done so by now. */
static int refused(const struct floor *f)
{
	_Alignas(struct nlmsghdr) uint8_t buf[4096];
	ssize_t n = recv(f->rtnl, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	return mnl_cb_run(buf, (size_t)n, 0, 0, NULL, NULL) < 0 ? -1 : 0;
}

static int announce(const struct floor *f)
{
	unsigned sent = 0;

	while (sent < f->count) {
		unsigned left = f->count - sent;
		int r = sendmmsg(f->packet, f->messages + sent, left < BURST ? left : BURST, 0);

		if (r < 0)
			return -1;
		sent += (unsigned)r;
	}
	return 0;
}

/*
 * The most memory that this program had at a time. Not that of getrusage(): it has that of the
 * shell in it which this process was before.
 */
static long peak_kib(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (f)
		(void)fclose(f); /* it was only read */
	return kib;
}

static int run(const struct floor *f)
{
	const uint64_t cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	const uint64_t start_ns = now_ns(CLOCK_MONOTONIC);
	uint64_t added_ns, end_ns, spent_ns;

	if (send(f->rtnl, f->requests, f->requests_len, 0) < 0 || refused(f) < 0)
		return fail("addresses");
	added_ns = now_ns(CLOCK_MONOTONIC);
	if (f->add && announce(f) < 0)
		return fail("frames");
	end_ns = now_ns(CLOCK_MONOTONIC);
	spent_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
	printf("start_us=%ju requests_us=%ju frames_us=%ju cpu_us=%ju peak_kib=%ld\n",
	       (uintmax_t)start_ns / 1000, (uintmax_t)(added_ns - start_ns) / 1000,
	       (uintmax_t)(end_ns - added_ns) / 1000, (uintmax_t)spent_ns / 1000, peak_kib());
	return 0;
}

int main(int argc, char **argv)
{
	struct floor f = { .rtnl = -1, .packet = -1 };

	if (argc == 5) {
		f.add = strcmp(argv[1], "add") == 0;
		f.family = strchr(argv[3], ':') ? AF_INET6 : AF_INET;
		f.count = (unsigned)strtoul(argv[4], NULL, 10);
	}
	if (argc != 5 || (!f.add && strcmp(argv[1], "delete") != 0) || f.count < 1 ||
	    f.count > COUNT_MAX || inet_pton(f.family, argv[3], f.first) != 1) {
		fprintf(stderr, "usage: floor add|delete INTERFACE FIRST-ADDRESS COUNT\n");
		return 2;
	}
	/* What it has open and allocated goes with the process, which does nothing else. */
	if (open_sockets(&f, argv[2]) < 0)
		return fail(argv[2]);
	if (build(&f) < 0)
		return fail("build");
	return run(&f);
}

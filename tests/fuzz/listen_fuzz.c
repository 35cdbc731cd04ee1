/* SPDX-License-Identifier: MIT */

/*
 * ARP packets and neighbour advertisements. The first byte says which of them, and with
 * which hop limit it has come. Laws: what is refused leaves no trace; what is read is
 * in the message, and an address that somebody can have.
 */

#include <errno.h>

#include "netlink/arp.h"
#include "netlink/nd.h"
#include "tests/fuzz/fuzz.h"

enum { IS_ARP = 1 << 0, FROM_AFAR = 1 << 1 };

static bool contains(const uint8_t *data, size_t size, const uint8_t *what, size_t len)
{
	return size > 0 && memmem(data, size, what, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_bytes bytes = { data, data + size };
	const uint8_t mode = fuzz_u8(&bytes);
	const size_t len = (size_t)(bytes.end - bytes.p);
	struct neigh who = { .ifindex = 77 };
	int r;

	if (mode & IS_ARP)
		r = arp_parse(bytes.p, len, &who);
	else
		r = nd_parse_advertisement(bytes.p, len, mode & FROM_AFAR ? 254 : 255, &who);
	if (r < 0) {
		assert(r == -EBADMSG && who.ifindex == 77);
		return 0;
	}
	assert(r == 0 && (mode & IS_ARP || !(mode & FROM_AFAR)));
	assert(who.ip.family == (mode & IS_ARP ? 4 : 6));
	assert(who.ip.family == 4 || who.ip.bytes[0] != 0xff);
	assert(contains(bytes.p, len, who.ip.bytes, ip_len(&who.ip)));
	assert(!who.known || contains(bytes.p, len, who.mac, sizeof(who.mac)));
	assert(who.known || !(mode & IS_ARP));
	return 0;
}

/* SPDX-License-Identifier: MIT */

/*
 * What the kernel answers when it is asked for a table. The first byte says which one;
 * what follows is cut into datagrams as kernel.h says. An answer bears the number of its
 * request: the first one of a socket has 1. The tables of nftables are not among them:
 * libnftnl reads these, and ends the process if they are malformed.
 */

#include <linux/netlink.h>

#include "netlink/addr.h"
#include "netlink/link.h"
#include "netlink/neigh.h"
#include "tests/fuzz/kernel.h"

enum table {
	LINKS,
	ADDRESSES,
	ROUTES,
	NEIGHBOURS,
	_TABLE_MAX,
};

static void read_links(struct nl *nl)
{
	_cleanup_(freep) struct link *links = NULL;
	size_t n = 0;

	if (link_list(nl, &links, &n) < 0)
		assert(!links);
	for (size_t i = 0; i < n; i++)
		assert(links[i].index > 0 && memchr(links[i].name, '\0', sizeof(links[i].name)));
}

static void read_addresses(struct nl *nl)
{
	_cleanup_(freep) struct addr *addrs = NULL;
	size_t n = 0;

	if (addr_list(nl, &addrs, &n) < 0)
		assert(!addrs);
	for (size_t i = 0; i < n; i++)
		assert(addrs[i].ifindex > 0 && addrs[i].prefix <= 8 * ip_len(&addrs[i].ip));
}

static void read_routes(struct nl *nl)
{
	const struct addr awaited[] = {
		{ .ip = { 6, { 0xfd, [15] = 1 } }, .prefix = 64, .ifindex = 1 },
		{ .ip = { 6, { 0xfd, [15] = 2 } }, .prefix = 64, .ifindex = 2 },
	};

	(void)addr_wait_local(nl, awaited, ARRAY_SIZE(awaited), 0); /* what is seen of it */
}

static void read_neighbours(struct nl *nl)
{
	_cleanup_(freep) struct neigh *neighs = NULL;
	size_t n = 0;

	if (neigh_list(nl, 1, &neighs, &n) < 0)
		assert(!neighs);
	for (size_t i = 0; i < n; i++)
		assert(neighs[i].ifindex == 1 && (neighs[i].known || neighs[i].gateway));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_bytes bytes = { data, data + size };
	_cleanup_(nl_closep) struct nl *nl = NULL;
	_cleanup_(close_fdp) int kernel = -1;
	int fd = kernel_next_fd();
	enum table table = fuzz_u8(&bytes) % _TABLE_MAX;

	assert(nl_open(NETLINK_ROUTE, &nl) == 0);
	assert(nl_portid(nl) != 0);
	kernel = kernel_answers(fd, &bytes);
	switch (table) {
	case LINKS:
		read_links(nl);
		break;
	case ADDRESSES:
		read_addresses(nl);
		break;
	case ROUTES:
		read_routes(nl);
		break;
	case NEIGHBOURS:
		read_neighbours(nl);
		break;
	case _TABLE_MAX:
		break;
	}
	return 0;
}

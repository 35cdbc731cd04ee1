/* SPDX-License-Identifier: MIT */

/*
 * Notifications of the kernel. The first byte says which of them; what follows is cut
 * into datagrams as kernel.h says. Laws: it ends, and what is told of is whole.
 */

#include "netlink/monitor.h"
#include "tests/fuzz/kernel.h"

enum {
	OF_NFTABLES = 1 << 0,
};

static void check_link(const struct link *link)
{
	assert(link->index > 0);
	assert(memchr(link->name, '\0', sizeof(link->name)));
}

static void check_addr(const struct addr *addr)
{
	assert(addr->ip.family == 4 || addr->ip.family == 6);
	assert(addr->prefix <= 8 * ip_len(&addr->ip));
	assert(addr->ifindex > 0);
}

static void check_event(const struct monitor_event *event, bool nftables)
{
	switch (event->kind) {
	case MONITOR_LINK:
	case MONITOR_LINK_GONE:
		assert(!nftables);
		check_link(&event->link);
		break;
	case MONITOR_ADDR:
	case MONITOR_ADDR_GONE:
		assert(!nftables);
		check_addr(&event->addr);
		break;
	case MONITOR_GATE_CHANGED:
		assert(nftables);
		assert(memchr(event->process.name, '\0', sizeof(event->process.name)));
		break;
	case MONITOR_OVERRUN:
	case MONITOR_NOTHING:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_bytes bytes = { data, data + size };
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	_cleanup_(close_fdp) int kernel = -1;
	struct monitor_event event;
	uint8_t mode = fuzz_u8(&bytes);
	size_t n = 0;

	assert((mode & OF_NFTABLES ? monitor_open_nft(0, &m) : monitor_open_rtnl(&m)) == 0);
	kernel = kernel_answers(monitor_fd(m), &bytes);
	do {
		assert(monitor_next(m, &event) == 0);
		assert(n <= size);
		n++;
		check_event(&event, mode & OF_NFTABLES);
	} while (event.kind != MONITOR_NOTHING);
	return 0;
}

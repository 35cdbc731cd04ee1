/* SPDX-License-Identifier: MIT */

/*
 * What the kernel says of connections. The first byte says to which of the two sockets:
 * the other one stays empty. What follows is cut into datagrams as kernel.h says; those of a
 * list bear the number of its request, of which the first has 1. Laws: it ends, nothing is
 * listed behind the end of the list, and an address is one.
 */

#include "netlink/sock_diag.h"
#include "tests/fuzz/kernel.h"

enum {
	OF_LIST = 1 << 0,
};

/* The descriptor that is opened after the next. */
static int second_fd(void)
{
	int first = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), fd = kernel_next_fd();

	assert(first >= 0 && close(first) == 0);
	return fd;
}

static void check_ip(const struct ip *ip)
{
	assert(ip->family == 4 || ip->family == 6);
	for (size_t i = ip_len(ip); i < sizeof(ip->bytes); i++)
		assert(!ip->bytes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_bytes bytes = { data, data + size }, nothing = { data, data };
	_cleanup_(sock_diag_closep) struct sock_diag *d = NULL;
	_cleanup_(close_fdp) int kernel = -1;
	_cleanup_(close_fdp) int quiet = -1;
	struct sock_diag_event event = { .kind = SOCK_DIAG_NOTHING };
	int ends = kernel_next_fd(), list = second_fd();
	bool of_list = fuzz_u8(&bytes) & OF_LIST, listed = false;
	size_t n = 0;

	assert(sock_diag_open(&d) == 0);
	kernel = kernel_answers(of_list ? list : ends, &bytes);
	quiet = kernel_answers(of_list ? ends : list, &nothing);
	if (of_list)
		assert(sock_diag_list(d) == 0);
	while (sock_diag_next(d, &event) == 0 && event.kind != SOCK_DIAG_NOTHING) {
		assert(n <= size);
		n++;
		assert(of_list ? event.kind != SOCK_DIAG_ENDED : event.kind == SOCK_DIAG_ENDED);
		assert(!listed);
		listed = event.kind == SOCK_DIAG_LISTED;
		if (!listed)
			check_ip(&event.local);
	}
	return 0;
}

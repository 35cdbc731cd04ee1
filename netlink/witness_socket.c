/* SPDX-License-Identifier: MIT */

#include "netlink/witness_private.h"

#include <errno.h>
#include <sys/socket.h>

/**
 * witness_errno() - what libnl says, in the words of the system
 * @nle: a negative NLE_*
 *
 * Return: negative errno; -EIO for what has none of its own.
 */
int witness_errno(int nle)
{
	static const struct {
		int nle, err;
	} known[] = {
		{ NLE_NOMEM, ENOMEM },	       { NLE_PERM, EPERM },
		{ NLE_OBJ_NOTFOUND, ENOENT },  { NLE_DUMP_INTR, EAGAIN },
		{ NLE_NOADDR, EADDRNOTAVAIL }, { NLE_OPNOTSUPP, EOPNOTSUPP },
		{ NLE_NOACCESS, EACCES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].nle == -nle)
			return -known[i].err;
	return -EIO;
}

/**
 * witness_open() - a socket for dumps
 * @protocol: NETLINK_ROUTE, NETLINK_NETFILTER
 * @ret: for nl_socket_free()
 *
 * Return: 0; -ENOMEM; what witness_errno() returns.
 */
int witness_open(int protocol, struct nl_sock **ret)
{
	_cleanup_(nl_socket_freep) struct nl_sock *sock = nl_socket_alloc();
	int r;

	if (!sock)
		return -ENOMEM;
	r = nl_connect(sock, protocol);
	if (r < 0)
		return witness_errno(r);
	nl_socket_enable_msg_peek(sock); /* a dump may come in datagrams of any size */
	*ret = TAKE(sock);
	return 0;
}

/**
 * witness_grow() - room for one more
 * @array: of @n, heap; NULL: none yet
 * @size: of an element, in bytes
 *
 * Return: the array, moved perhaps; NULL: no memory, and @array is what it was.
 */
void *witness_grow(void *array, size_t n, size_t size)
{
	/* Full at each power of two: what is between was allocated with it. */
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? 2 * n : 1, size);
}

/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/nl.h"

/*
 * The open TCP connections of this host: who is there, and whose end the kernel
 * tells. For an event loop: nothing here waits, and a read brings one datagram.
 */

enum sock_diag_kind {
	SOCK_DIAG_NOTHING, /* no more for now */
	SOCK_DIAG_OPEN,	   /* of a list: one that is open */
	SOCK_DIAG_LISTED,  /* the list is complete */
	SOCK_DIAG_ENDED,   /* one has ended, whether it is in a list or not */
	SOCK_DIAG_OVERRUN, /* the end of some has not been told (ENOBUFS): ask for a list */
};

struct sock_diag_event {
	enum sock_diag_kind kind;
	struct ip local; /* OPEN, ENDED: this host's end; of IPv4 also if the socket is of IPv6 */
};

struct sock_diag;

int sock_diag_open(struct sock_diag **ret);
struct sock_diag *sock_diag_close(struct sock_diag *d);
DEFINE_CLEANUP(struct sock_diag *, sock_diag_close)

int sock_diag_fd(const struct sock_diag *d);
int sock_diag_list(struct sock_diag *d);
int sock_diag_next(struct sock_diag *d, struct sock_diag_event *ret);

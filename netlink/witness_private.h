/* SPDX-License-Identifier: MIT */
#pragma once

/* Between the files of the witness. */

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "agent/cleanup.h"
#include "netlink/witness.h"

DEFINE_CLEANUP(struct nl_sock *, nl_socket_free)
DEFINE_CLEANUP(struct nl_msg *, nlmsg_free)

int witness_errno(int nle);
int witness_open(int protocol, struct nl_sock **ret);
void *witness_grow(void *array, size_t n, size_t size);

int witness_read_gate(struct witness_gate *ret);

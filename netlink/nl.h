/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * netlink/: links, addresses, the gate, ARP and ND on libmnl, libnftnl and
 * packet sockets. Silent, knows nothing of roles, decides nothing. Requests
 * block in the kernel (RTNL, nftables' commit mutex), so they belong to one
 * thread of their own; only monitors and packet sockets are for event loops.
 */

#include <libmnl/libmnl.h>

#include "agent/base.h"

/* The room that a request of nl_each() has, its header included. */
enum { NL_REQUEST_MAX = 256 };

/* What one read can bring: the kernel's dumps and notifications are smaller. */
enum { NL_DATAGRAM_MAX = 32 * 1024 };

/* A socket for requests: one bus, one thread at a time. */
struct nl;

/* Called for each entry that was asked for; non-zero ends it and is returned. */
typedef int (*nl_visit)(const struct nlmsghdr *nlh, void *data);

/* Gives request number i its type, flags and payload; has NL_REQUEST_MAX bytes for it. */
typedef void (*nl_build)(struct nlmsghdr *nlh, size_t i, const void *data);

int nl_open(int bus, struct nl **ret);
struct nl *nl_close(struct nl *nl);
DEFINE_CLEANUP(struct nl *, nl_close)

uint32_t nl_portid(const struct nl *nl);

int nl_dump(struct nl *nl, struct nlmsghdr *request, nl_visit visit, void *data);
int nl_get(struct nl *nl, struct nlmsghdr *request, nl_visit visit, void *data);
int nl_each(struct nl *nl, size_t n, nl_build build, const void *data, int *ret_errors);
int nl_transact(struct nl *nl, void *batch, size_t len);

int nl_socket(int bus, uint32_t groups);
int nl_receive(int fd, void *buf, size_t size, size_t *ret_len);
bool nl_ok(const struct nlmsghdr *nlh, int left);
int nl_attrs(const struct nlmsghdr *nlh, size_t header_len, const struct nlattr **ret, size_t n);
int nl_attr_ip(const struct nlattr *attr, uint8_t family, struct ip *ret);
const struct nlattr *nl_attr_nested(const struct nlattr *outer, uint16_t type);

void *nl_more(void *v, size_t n, size_t *size, size_t each);

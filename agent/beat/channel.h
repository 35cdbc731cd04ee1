/* SPDX-License-Identifier: MIT */
#pragma once

/* One UDP socket of the heartbeats: bound to an own address, connected or not. */

#include <sys/socket.h>
#include <netinet/in.h>

#include "agent/base.h"

union channel_address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct channel {
	int fd;
	bool connected;
	bool lobby; /* never connected: hears everybody */
	union channel_address remote;
};

/* Where a datagram goes, if not to the other end, and its SO_MARK; 0: none. */
struct channel_options {
	const union channel_address *to;
	uint32_t mark;
};

int channel_open(struct channel *channel, const struct ip *local, const struct ip *remote,
		 uint16_t port);
int channel_share(struct channel *channel, bool on);
void channel_close(struct channel *channel);
int channel_deafen(struct channel *channel);
int channel_send(struct channel *channel, const uint8_t *buf, size_t len,
		 const struct channel_options *options);
int channel_receive(struct channel *channel, uint8_t *buf, size_t size, size_t *ret_len,
		    union channel_address *ret_from);
bool channel_error_is_passing(int err);
void channel_address_ip(const union channel_address *address, struct ip *ret);
